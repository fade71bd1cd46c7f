"""The requests that Shipway gets: store, push and find an order, place a return, cancel, track.

All values of an order are text; weight is grams, sides are centimetres. Source: Shipway guide, sections 2 and 4.
"""

import hashlib
import json
import math
import re
from base64 import b32encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from rms.aggregators.contract import Account, Direction, Shipment
from rms.aggregators.reading import text
from rms.aggregators.shipway.account import Settings
from rms.aggregators.shipway.times import to_text
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpRequest

TOTAL_SECONDS: Final = 20.0
"""How long Shipway may take: a push waits for its carrier, and the client's own call must end within 29 s."""

_CONNECT_SECONDS: Final = 5.0
_MAX_REFERENCE: Final = 50
_READABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MAX_LINE: Final = 200
_MAX_REASON: Final = 250
_NATIONAL_DIGITS: Final = 10

type _Line = tuple[str, str, Decimal, Decimal, Decimal | None, str]
"""SKU, name, price, discount, tax rate, HSN."""


def booking_reference(client: str, code: str, generation: int, direction: Direction) -> str:
    """Our `order_id`: for a forward shipment its own code, because a return must name it later; else 20 characters."""
    if direction is Direction.FORWARD and _READABLE.fullmatch(code):
        # Codes are free text, so that only a digest keeps a second generation off all other codes.
        reference = f"{code}-{_digest(client, code, generation)[:8]}" if generation else code
        if len(reference) <= _MAX_REFERENCE:
            return reference
    return f"RMS-{_digest(client, code, generation)[:16]}"


def push(account: Account, shipment: ForwardShipment, reference: str) -> HttpRequest:
    """POST /v2orders with carrier and warehouses: stores the order, makes its AWB and its label."""
    settings = Settings.of(account)
    ids = {
        "carrier_id": settings.carrier_id,
        "warehouse_id": settings.warehouse_id,
        "return_warehouse_id": settings.return_warehouse_id,
    }
    return _post(settings, "v2orders", {"order_id": reference, **ids, **_order(settings, shipment)})


def store(account: Account, shipment: ForwardShipment, reference: str) -> HttpRequest:
    """POST /v2orders without carrier and warehouses: only stores the order, as new."""
    settings = Settings.of(account)
    return _post(settings, "v2orders", {"order_id": reference, **_order(settings, shipment)})


def _order(settings: Settings, shipment: ForwardShipment) -> dict[str, Any]:
    discount = sum((item.discount * item.quantity for item in shipment.items), Decimal(0))
    order = {
        "products": [_product(_forward_line(item), item.quantity) for item in shipment.items],
        **_money(shipment.amount, discount),
        "payment_type": "C" if shipment.cash_on_delivery else "P",
        "email": text(shipment.drop.email),
        **_address("billing", shipment.billing or shipment.drop),
        **_address("shipping", shipment.drop),
        **_sizes(shipment.parcel),
        "order_date": to_text(shipment.ordered_at),
    }
    if settings.store_code:
        order["store_code"] = settings.store_code
    return order


def create_return(account: Account, order: ReturnOrder, now: datetime) -> HttpRequest:
    """POST /Createreturns. It names the forward order, not this return; nothing stops a second one."""
    settings = Settings.of(account)
    shopper, parcel, forward = _given(order.pickup), _given(order.parcel), _given(order.forward)
    lines = Counter(replace(unit, item_code="") for unit in order.items)
    reasons = (order.reason, *(unit.reason for unit in order.items))
    reason = next((said for each in reasons if (said := text(each, _MAX_REASON))), "")
    images = list(dict.fromkeys(unit.image_url for unit in order.items if unit.image_url))
    placed_at = forward.order_time or order.placed_at or now
    body: dict[str, Any] = {
        "order_id": forward_order_id(account, order),
        "return_order_status": settings.return_status,
        **({"return_reason_id": settings.return_reason_id} if settings.return_reason_id else {"reason": reason}),
        "products": [_product(_return_line(unit), quantity) for unit, quantity in lines.items()],
        **({"return_products_images": images} if images else {}),
        **_money(forward.invoice_value, Decimal(0)),
        "payment_type": "P",
        "email": text(shopper.email),
        **_address("billing", shopper),
        **_address("shipping", shopper),
        **_sizes(parcel),
        "order_date": to_text(placed_at),
    }
    return _post(settings, "Createreturns", body)


def forward_order_id(account: Account, order: ReturnOrder) -> str:
    """How Shipway knows the forward order of a return."""
    by_shipment = Settings.of(account).returns_refer_to == "shipment" and order.forward is not None
    shipment = order.forward.shipment_number if by_shipment and order.forward is not None else None
    return shipment or order.forward_order_code


def get_orders(account: Account, order_id: str) -> HttpRequest:
    """GET /getorders by order id; the rows are to be compared all the same."""
    return _get(Settings.of(account), "getorders", {"orderid": order_id})


def cancel(account: Account, shipment: Shipment) -> HttpRequest:
    """POST /Cancel/ by AWB, the one cancel that works in every state; /Cancelorders/ for an order that has none."""
    if not shipment.awb:
        return _post(Settings.of(account), "Cancelorders/", {"order_ids": [shipment.reference]})
    return _post(Settings.of(account), "Cancel/", {"awb_number": [shipment.awb]})


def track(account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
    """GET /tracking for up to 100 AWBs, with their history."""
    awbs = ",".join(shipment.awb for shipment in shipments)
    return _get(Settings.of(account), "tracking", {"awb_numbers": awbs, "tracking_history": "1"})


def _post(settings: Settings, path: str, body: Mapping[str, Any]) -> HttpRequest:
    headers = {**settings.headers, "Content-Type": "application/json"}
    return _request(settings, "POST", path, headers=headers, body=json.dumps(body, allow_nan=False).encode())


def _get(settings: Settings, path: str, query: Mapping[str, str]) -> HttpRequest:
    return _request(settings, "GET", path, query=query, headers=settings.headers)


def _request(settings: Settings, method: Literal["GET", "POST"], path: str, **parts: Any) -> HttpRequest:
    return HttpRequest(
        method,
        f"{settings.base_url}/{path}",
        **parts,
        connect_seconds=_CONNECT_SECONDS,
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def _digest(client: str, code: str, generation: int) -> str:
    named = json.dumps([client, code, generation]).encode()
    return b32encode(hashlib.sha256(named).digest()).decode()


def _given[T](value: T | None) -> T:
    if value is None:
        raise ValueError("a return that RMS books must have its shopper, parcel and forward order")
    return value


def _forward_line(item: ForwardItem) -> _Line:
    return item.sku, item.name, item.price, item.discount, item.tax_percent, item.hsn or ""


def _return_line(unit: ReturnItem) -> _Line:
    price = unit.price if unit.price is not None else unit.final_amount_paid
    return unit.sku, unit.name or unit.sku, price or Decimal(0), Decimal(0), None, ""


def _product(line: _Line, quantity: int) -> dict[str, str]:
    sku, name, price, discount, tax_rate, hsn = line
    product = {
        "product": text(name) or sku,
        "price": _plain(price),
        "product_code": sku,
        "product_quantity": str(quantity),
        "discount": _plain(discount),
        "tax_rate": _plain(tax_rate or Decimal(0)),
        "tax_title": "GST" if tax_rate else "",
    }
    return {**product, "hsn_code": hsn} if hsn else product


def _money(total: Decimal, discount: Decimal) -> dict[str, str]:
    # Prices are with tax, and what is not known apart from them is none.
    return {
        "order_total": _plain(total),
        "discount": _plain(discount),
        "shipping": "0",
        "taxes": "0",
        "gift_card_amt": "0",
    }


def _address(prefix: str, place: Address) -> dict[str, str]:
    first, _, last = text(place.name).partition(" ")
    second = ", ".join(line for part in (place.line2, place.line3) if (line := text(part, _MAX_LINE)))
    fields = {
        "firstname": first,
        "lastname": last,
        "address": text(place.line1, _MAX_LINE),
        "address2": second,
        "city": text(place.city),
        "state": text(place.state),
        "country": text(place.country),
        "zipcode": "".join(place.zip.split()),
        "phone": _phone(place.phone),
    }
    return {f"{prefix}_{name}": value for name, value in fields.items()}


def _phone(phone: str) -> str:
    digits = "".join(str(int(each)) for each in phone if each.isdecimal())
    national = digits.lstrip("0").removeprefix("91")
    return national if len(national) == _NATIONAL_DIGITS else digits


def _sizes(parcel: Parcel) -> dict[str, str]:
    return {
        "order_weight": _up(parcel.weight_g),
        "box_length": _up(parcel.length_cm),
        "box_breadth": _up(parcel.breadth_cm),
        "box_height": _up(parcel.height_cm),
    }


def _up(number: Decimal) -> str:
    return str(max(1, math.ceil(number)))


def _plain(amount: Decimal) -> str:
    written = f"{amount:f}"
    return (written.rstrip("0").rstrip(".") or "0") if "." in written else written
