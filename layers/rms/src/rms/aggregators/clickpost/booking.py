"""The requests that book and cancel a return pick-up at Clickpost.

Older and newer examples put `delivery_type`, `rvp_reason`, `account_code` and `order_id` in different sections, so
both carry them. Source: ClickPost guide, sections 5, 7 and 12.
"""

import hashlib
import json
import math
from base64 import b32encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.clickpost.account import Settings
from rms.aggregators.clickpost.times import IST
from rms.aggregators.contract import Account
from rms.aggregators.reading import text
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpRequest

TOTAL_SECONDS: Final = 20.0
"""How long Clickpost may take: carriers answer slowly, and the client's own call must end within 29 s."""

_MAX_NAME: Final = 100
_MAX_ADDRESS: Final = 500
_MAX_PLACE: Final = 200
_MAX_REASON: Final = 500
_MAX_CODE: Final = 50
_MIN_GRAMS: Final = 10
_NATIONAL_DIGITS: Final = 10
_INDIA: Final = frozenset({"IN", "IND", "INDIA", "BHARAT", "REPUBLIC OF INDIA"})
_GST_KINDS: Final = ("cgst", "sgst", "igst")


def booking_reference(client: str, code: str, generation: int) -> str:
    """Our `reference_number`: 20 capitals, digits and a hyphen, which every carrier's barcode can hold."""
    named = json.dumps([client, code, generation]).encode()
    return f"RMS-{b32encode(hashlib.sha256(named).digest())[:16].decode()}"


def book_return(account: Account, order: ReturnOrder, reference: str, now: datetime) -> HttpRequest:
    """POST /v3/create-order/ for a reverse pick-up. The same reference again books nothing more, it answers 323."""
    settings = Settings.of(account)
    return HttpRequest(
        "POST",
        f"{settings.base_url}/v3/create-order/",
        query=settings.credentials,
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps(_order(settings, order, reference, now), allow_nan=False).encode(),
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def cancel(account: Account, awb: str) -> HttpRequest:
    """GET /v1/cancel-order/: a GET that changes things. A second one for the same AWB does no harm."""
    settings = Settings.of(account)
    return HttpRequest(
        "GET",
        f"{settings.base_url}/v1/cancel-order/",
        query={
            **settings.credentials,
            "waybill": awb,
            "cp_id": str(settings.courier_partner),
            "account_code": settings.account_code,
        },
        headers={"Accept": "application/json"},
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def _order(settings: Settings, order: ReturnOrder, reference: str, now: datetime) -> dict[str, Any]:
    shopper, warehouse = _given(order.pickup, "pickup"), _given(order.drop, "drop")
    parcel, forward = _given(order.parcel, "parcel"), _given(order.forward, "forward")
    reasons = (order.reason, *(unit.reason for unit in order.items))
    reason = next((said for each in reasons if (said := text(each, _MAX_REASON))), "")
    both = _known(
        delivery_type="RVP",
        rvp_reason=reason,
        account_code=settings.account_code,
        order_id=text(order.forward_order_code, _MAX_CODE),
    )
    return {
        "pickup_info": {
            **_address("pickup", shopper),
            "email": text(shopper.email),
            "pickup_email": text(shopper.email),
            "pickup_address_type": "RESIDENTIAL",
            # With its offset, because Clickpost's own times end in Z and mean IST.
            "pickup_time": now.astimezone(IST).isoformat(timespec="seconds"),
            "tin": "NA",
        },
        "drop_info": {
            **_address("drop", warehouse),
            "drop_email": text(warehouse.email),
            "drop_address_type": "OFFICE",
        },
        "shipment_details": {
            **both,
            "order_type": "PREPAID",
            "cod_value": 0,
            "reference_number": reference,
            "courier_partner": settings.courier_partner,
            "invoice_value": float(forward.invoice_value),
            **_known(
                invoice_number=text(forward.invoice_number, _MAX_CODE),
                invoice_date=_date(forward.invoice_time),
            ),
            **_sizes(parcel),
            "weight": _grams(parcel.weight_g),
            "items": _items(order.items, parcel),
        },
        "additional": {
            **both,
            "label": True,
            "async": False,
            **_known(order_date=_date(forward.order_time), channel_name=settings.channel_name),
            **_doorstep_qc(settings, order),
        },
        **_known(gst_info=_gst(order, forward)),
    }


def _given[T](value: T | None, name: str) -> T:
    if value is None:
        raise ValueError(f"a return that RMS books must have its {name}")
    return value


def _address(prefix: str, place: Address) -> dict[str, str]:
    lines = ", ".join(line for part in (place.line1, place.line2, place.line3) if (line := text(part, _MAX_ADDRESS)))
    fields = {
        "name": text(place.name, _MAX_NAME),
        "phone": _phone(place.phone),
        "address": lines[:_MAX_ADDRESS].rstrip(),
        "city": text(place.city, _MAX_PLACE),
        "state": text(place.state, _MAX_PLACE),
        "pincode": "".join(place.zip.split()),
        "country": _country(place.country),
    }
    return {f"{prefix}_{name}": value for name, value in fields.items()}


def _phone(phone: str) -> str:
    digits = "".join(str(int(each)) for each in phone if each.isdecimal())
    national = digits.lstrip("0").removeprefix("91")
    return national if len(national) == _NATIONAL_DIGITS else digits


def _country(country: str) -> str:
    name = text(country).upper()
    # Another country goes out as it came: Clickpost refuses it, which is better than a courier in the wrong one.
    return "IN" if name in _INDIA else name


def _items(units: tuple[ReturnItem, ...], parcel: Parcel) -> list[dict[str, Any]]:
    # Units that differ in nothing but their code are one line. Only the parcel was weighed: each unit has its share.
    lines = Counter(replace(unit, item_code="") for unit in units)
    grams = _grams(parcel.weight_g / len(units))
    return [_item(unit, quantity, grams, parcel if len(units) == 1 else None) for unit, quantity in lines.items()]


def _item(unit: ReturnItem, quantity: int, grams: int, parcel: Parcel | None) -> dict[str, Any]:
    price = unit.price if unit.price is not None else unit.final_amount_paid
    facts = _known(
        brand=text(unit.brand),
        color=text(unit.color),
        serial_no=text(unit.serial_number),
        images=unit.image_url,
    )
    compared = {**facts, **_known(sub_category=text(unit.sub_category))} if unit.doorstep_qc else {}
    return {
        "sku": unit.sku,
        "description": text(unit.name) or unit.sku,
        "quantity": quantity,
        "price": float(price or 0),
        "weight": grams,
        **facts,
        **_known(cat=text(unit.category), final_amount_paid=_amount(unit.final_amount_paid)),
        **_known(store_credits_used=_amount(unit.store_credits_used or None)),
        "additional": {
            **compared,
            **_known(return_reason=text(unit.reason, _MAX_REASON)),
            **(_sizes(parcel) if parcel else {}),
            "weight": grams,
        },
    }


def _doorstep_qc(settings: Settings, order: ReturnOrder) -> dict[str, Any]:
    if not any(unit.doorstep_qc for unit in order.items):
        return {}
    return {"qc_type": "doorstep", **_known(qc_params=list(settings.qc_params))}


def _gst(order: ReturnOrder, forward: ForwardOrder) -> dict[str, Any]:
    if not order.seller_gstin:
        return {}
    taxes = [tax for unit in order.items for tax in unit.taxes]
    info = {
        "seller_gstin": order.seller_gstin,
        "consignee_gstin": order.consignee_gstin or "NA",
        "is_seller_registered_under_gst": True,
        **_known(invoice_reference=text(forward.invoice_number, _MAX_CODE)),
        **_known(gst_total_tax=float(sum((tax.total for tax in taxes), Decimal(0)))),
    }
    for kind in _GST_KINDS:
        of_kind = [tax for tax in taxes if tax.type.strip().lower() == kind]
        if of_kind:
            info[f"{kind}_amount"] = float(sum((tax.total for tax in of_kind), Decimal(0)))
            info[f"{kind}_tax_rate"] = float(max(tax.rate for tax in of_kind))
    return info


def _sizes(parcel: Parcel) -> dict[str, int]:
    return {
        "length": max(1, math.ceil(parcel.length_cm)),
        "breadth": max(1, math.ceil(parcel.breadth_cm)),
        "height": max(1, math.ceil(parcel.height_cm)),
    }


def _grams(weight: Decimal) -> int:
    return max(_MIN_GRAMS, math.ceil(weight))


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def _date(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(IST).date().isoformat()


def _known(**fields: Any) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if value}
