"""The bodies that create a return or an order at Shiprocket, and every other request of a booking.

In a return *pickup* is the shopper and *shipping* our warehouse; a forward order names its warehouse by a nickname and
calls the shopper *billing*. Weights are kilograms here. Source: Shiprocket guide, sections 5 to 8.
"""

import hashlib
import json
import re
from base64 import b32encode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal

from rms.aggregators.contract import Account, Direction, Job, RefusalKind, Refused, Shipment
from rms.aggregators.reading import text, whole
from rms.aggregators.shiprocket.account import QC_CHECKS, Settings
from rms.aggregators.shiprocket.reasons import reason_of
from rms.aggregators.shiprocket.times import IST, day_of
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpRequest

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
"""How long one call may take: shorter than Shiprocket's own 30 s, because a client waits for the whole walk."""

SHIPMENT_ID: Final = "Shipment Id"
"""Where a booking's metadata keeps Shiprocket's shipment, which the label call wants."""

PAGE: Final = 100
"""How many returns are asked for at a time when one is searched for."""

USUAL_WINDOW: Final = timedelta(days=7)
WIDE_WINDOW: Final = timedelta(days=60)
"""How far back a return is searched for: usually, and when Shiprocket says that it is there."""

_MAX_CITY: Final = 30
_MAX_QC_NAME: Final = 255
_MAX_QC_LINK: Final = 255
_MAX_QC_DETAIL: Final = 180
_SMALLEST_SIDE: Final = Decimal("0.5")
_LIGHTEST: Final = Decimal("0.01")
_NATIONAL_DIGITS: Final = 10
_PREFIXES: Final = {Direction.FORWARD: "RMF", Direction.RETURN: "RMR"}
_INDIA: Final = frozenset({"IN", "IND", "INDIA", "BHARAT", "REPUBLIC OF INDIA"})
_ENDING: Final = re.compile(r"\.([a-z0-9]{2,5})$")
_PICTURES: Final = frozenset({"png", "jpg", "jpeg"})


def booking_reference(client: str, code: str, generation: int, direction: Direction) -> str:
    """Our `order_id`: 20 characters. Another for each direction and generation, because none can be used again."""
    named = json.dumps([client, code, generation, direction]).encode()
    return f"{_PREFIXES[direction]}-{b32encode(hashlib.sha256(named).digest())[:16].decode()}"


# ── creating ────────────────────────────────────────────────────────────────────────


def problem_with(settings: Settings, job: Job) -> Refused | None:
    """Why Shiprocket could not take this order, where that is plain before it is asked."""
    order = job.order
    ends = {"pickup": order.pickup, "drop": order.drop, "billing": getattr(order, "billing", None)}
    for name, place in ends.items():
        if place is not None and not pincode(place):
            return _wrong("PINCODE", f"{name}.zip: must be digits, as Shiprocket takes it")
        if place is not None and not _phone(place):
            return _wrong("PHONE", f"{name}.phone: must hold digits")
    if isinstance(order, ReturnOrder):
        return next(_qc_problems(order), None)
    if not settings.nickname(order.location_code):
        words = "options.pickup_location: names no pickup location for this warehouse"
        return Refused(RefusalKind.CONFIGURATION, "PICKUP_LOCATION", words)
    return None


def _qc_problems(order: ReturnOrder) -> Iterator[Refused]:
    checked = [unit for unit in order.items if unit.doorstep_qc]
    if len({unit.sku for unit in checked}) > 1:
        yield _wrong("QC_SKUS", "doorstep QC: Shiprocket checks one SKU a return; split it into one return for each")
    for unit in checked:
        link = (unit.image_url or "").strip()
        ending = _ENDING.search(link.partition("?")[0].partition("#")[0].rpartition("/")[2].lower())
        if not link:
            yield _wrong("QC_IMAGE", "doorstep QC: the item must have an image, a link to a png or jpg")
        elif len(link) > _MAX_QC_LINK:
            yield _wrong("QC_IMAGE", f"doorstep QC: the image's link may have at most {_MAX_QC_LINK} characters")
        elif ending and ending[1] not in _PICTURES:
            yield _wrong("QC_IMAGE", f"doorstep QC: the image must be a png or jpg, not {ending[1]}")


def _wrong(code: str, words: str) -> Refused:
    return Refused(RefusalKind.CALLER, code, words)


def create(account: Account, job: Job, now: datetime) -> HttpRequest:
    """The call that creates the return or the order. Our reference is its only guard against a second one."""
    settings = Settings.of(account)
    if isinstance(job.order, ReturnOrder):
        return post(settings, "/orders/create/return", _return(settings, job.order, job.reference, now))
    return post(settings, "/orders/create/adhoc", _forward(settings, job.order, job.reference))


def _return(settings: Settings, order: ReturnOrder, reference: str, now: datetime) -> dict[str, Any]:
    shopper, warehouse, parcel = _given(order.pickup), _given(order.drop), _given(order.parcel)
    return {
        "order_id": reference,
        # Today, not the day on which the shopper asked: a search lists returns by it.
        "order_date": day_of(now).isoformat(),
        **_known(channel_id=settings.channel_id),
        **_address("pickup", shopper),
        "pickup_phone": str(_phone(shopper)),
        **_address("shipping", warehouse),
        "order_items": _return_items(settings, order),
        "payment_method": "Prepaid",
        "total_discount": "0",
        "sub_total": worth(order),
        **_sizes(parcel),
    }


def _return_items(settings: Settings, order: ReturnOrder) -> list[dict[str, Any]]:
    # Units that differ in nothing but their code are one line.
    lines = Counter(replace(unit, item_code="") for unit in order.items)
    return [
        {
            "name": text(unit.name) or unit.sku,
            "sku": unit.sku,
            "units": units,
            "selling_price": _price(unit),
            "discount": 0,
            "return_reason": reason_of((unit.reason, order.reason), settings.reasons),
            **(_doorstep_qc(settings, unit) if unit.doorstep_qc else {}),
        }
        for unit, units in lines.items()
    ]


def _doorstep_qc(settings: Settings, unit: ReturnItem) -> dict[str, Any]:
    asked = {name: value for check in settings.qc_checks for name, value in QC_CHECKS[check].items()}
    return {
        "qc_enable": True,
        "qc_product_name": text(unit.name, _MAX_QC_NAME) or unit.sku,
        "qc_product_image": (unit.image_url or "").strip(),
        **_known(
            qc_brand=text(unit.brand),
            qc_color=text(unit.color, _MAX_QC_DETAIL),
            qc_serial_no=text(unit.serial_number),
        ),
        **asked,
    }


def _forward(settings: Settings, order: ForwardShipment, reference: str) -> dict[str, Any]:
    billed = order.billing or order.drop
    return {
        "order_id": reference,
        "order_date": order.ordered_at.astimezone(IST).strftime("%Y-%m-%d %H:%M"),
        "pickup_location": settings.nickname(order.location_code),
        **_known(channel_id=settings.channel_id),
        **_address("billing", billed),
        "shipping_is_billing": order.billing is None,
        **({} if order.billing is None else _address("shipping", order.drop)),
        "order_items": [_forward_item(item) for item in order.items],
        "payment_method": "COD" if order.cash_on_delivery else "Prepaid",
        "sub_total": worth(order),
        **_sizes(order.parcel),
        **_known(invoice_number=text(order.invoice_number)),
    }


def _forward_item(item: ForwardItem) -> dict[str, Any]:
    return {
        "name": text(item.name) or item.sku,
        "sku": item.sku,
        "units": item.quantity,
        "selling_price": _rupees(item.price),
        "discount": _rupees(item.discount),
        **_known(tax=None if item.tax_percent is None else float(item.tax_percent), hsn=whole(item.hsn)),
    }


def _address(prefix: str, place: Address) -> dict[str, Any]:
    more = ", ".join(line for part in (place.line2, place.line3) if (line := text(part)))
    return {
        f"{prefix}_customer_name": text(place.name),
        f"{prefix}_last_name": "",
        f"{prefix}_address": text(place.line1),
        f"{prefix}_address_2": text(more),
        f"{prefix}_city": text(place.city, _MAX_CITY),
        f"{prefix}_state": text(place.state),
        f"{prefix}_country": "India" if text(place.country).upper() in _INDIA else text(place.country),
        f"{prefix}_pincode": pincode(place),
        f"{prefix}_email": text(place.email),
        f"{prefix}_phone": _phone(place),
    }


def pincode(place: Address) -> int:
    """A place's pincode as Shiprocket takes it, a number; 0 when it is none."""
    digits = "".join(place.zip.split())
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _NATIONAL_DIGITS else 0


def _phone(place: Address) -> int:
    digits = "".join(str(int(each)) for each in place.phone if each.isdecimal()).lstrip("0")
    national = digits.removeprefix("91").lstrip("0")
    return int((national if len(national) == _NATIONAL_DIGITS else digits) or 0)


def worth(order: ReturnOrder | ForwardShipment) -> int:
    """What a parcel is worth, in whole rupees; cash on delivery collects it."""
    if isinstance(order, ForwardShipment):
        return _rupees(order.amount)
    return sum(_price(unit) for unit in order.items)


def _price(unit: ReturnItem) -> int:
    return _rupees(unit.price if unit.price is not None else unit.final_amount_paid or Decimal(0))


def _rupees(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _sizes(parcel: Parcel) -> dict[str, float]:
    sides = {"length": parcel.length_cm, "breadth": parcel.breadth_cm, "height": parcel.height_cm}
    # A side must be above half a centimetre: what is flatter goes as one of a whole centimetre.
    measured = {name: float(side) if side > _SMALLEST_SIDE else 1.0 for name, side in sides.items()}
    return {**measured, "weight": float(_kilograms(parcel))}


def _kilograms(parcel: Parcel) -> Decimal:
    return max(_LIGHTEST, parcel.weight_g / 1000)


# ── the other calls of a booking ────────────────────────────────────────────────────


def serviceability(account: Account, job: Job) -> HttpRequest:
    """The call that asks which couriers there are: for a return from the shopper to the warehouse."""
    order, parcel = job.order, _given(job.order.parcel)
    asked: dict[str, str] = {
        "pickup_postcode": str(pincode(_given(order.pickup))),
        "delivery_postcode": str(pincode(_given(order.drop))),
        "cod": str(int(wants_cash(job))),
        "weight": f"{_kilograms(parcel):f}",
        "declared_value": str(max(1, worth(order))),
        **{name: f"{side:g}" for name, side in _sizes(parcel).items() if name != "weight"},
    }
    if job.direction is Direction.RETURN:
        asked["is_return"] = "1"
    if wants_qc(job):
        asked["qc_check"] = "1"
    return get(Settings.of(account), "/courier/serviceability/", asked)


def wants_qc(job: Job) -> bool:
    """Whether the courier is to check something at the door."""
    return isinstance(job.order, ReturnOrder) and any(unit.doorstep_qc for unit in job.order.items)


def wants_cash(job: Job) -> bool:
    """Whether the courier is to collect cash."""
    return isinstance(job.order, ForwardShipment) and job.order.cash_on_delivery


def assign(account: Account, job: Job, shipment_id: str, courier_id: str) -> HttpRequest:
    """The call that gets an AWB. The wallet is charged here."""
    body = {"shipment_id": int(shipment_id), "courier_id": int(courier_id)}
    back = {"is_return": 1} if job.direction is Direction.RETURN else {}
    return post(Settings.of(account), "/courier/assign/awb", body | back)


def pickup(account: Account, shipment_id: str) -> HttpRequest:
    """The call that sends the courier. A second one is refused as a duplicate."""
    return post(Settings.of(account), "/courier/generate/pickup", {"shipment_id": [int(shipment_id)]})


def label(account: Account, shipment_id: str) -> HttpRequest:
    """The call that makes a label, as often as it is called."""
    return post(Settings.of(account), "/courier/generate/label", {"shipment_id": [int(shipment_id)]})


def show(account: Account, order_id: str) -> HttpRequest:
    """The call that shows an order or a return."""
    return get(Settings.of(account), f"/orders/show/{order_id}", {})


def search(account: Account, job: Job, page: int, since: timedelta, now: datetime) -> HttpRequest:
    """One page of what may exist under our reference.

    Orders are filtered by it. Returns cannot be: they are listed by day, from `since` ago or the day before the return
    was placed, whichever is earlier.
    """
    paged = {"page": str(page), "per_page": str(PAGE)}
    if isinstance(job.order, ForwardShipment):
        asked = {"filter_by": "channel_order_id", "filter": job.reference, **paged}
        return get(Settings.of(account), "/orders", asked)
    first = min(now - since, job.order.placed_at or now)
    earliest = max(first, now - WIDE_WINDOW) - timedelta(days=1)
    asked = {"from": day_of(earliest).isoformat(), "to": day_of(now + timedelta(days=1)).isoformat(), **paged}
    return get(Settings.of(account), "/orders/processing/return", asked)


def track_reference(account: Account, reference: str) -> HttpRequest:
    """The call that finds a shipment with an AWB by our reference."""
    return get(Settings.of(account), "/courier/track", {"order_id": reference})


# ── calls about a booked shipment ───────────────────────────────────────────────────


def cancel(account: Account, shipment: Shipment) -> HttpRequest:
    """The call that cancels: the AWB while there is one, else the order."""
    settings = Settings.of(account)
    if shipment.awb:
        return post(settings, "/orders/cancel/shipment/awbs", {"awbs": [shipment.awb]})
    return post(settings, "/orders/cancel", {"ids": [int(shipment.order_id)]})


def login(account: Account) -> HttpRequest:
    """The call that gets a token."""
    settings = Settings.of(account)
    body = {"email": settings.email, "password": settings.password}
    return _request("POST", settings, "/auth/login", {}, body, {})


# ── requests ────────────────────────────────────────────────────────────────────────


def post(settings: Settings, path: str, body: Mapping[str, Any]) -> HttpRequest:
    """An authorised POST of JSON."""
    return _request("POST", settings, path, {}, body, _bearer(settings))


def get(settings: Settings, path: str, query: Mapping[str, str]) -> HttpRequest:
    """An authorised GET."""
    return _request("GET", settings, path, query, None, _bearer(settings))


def _bearer(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.token}"}


def _request(
    method: Literal["GET", "POST"],
    settings: Settings,
    path: str,
    query: Mapping[str, str],
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str],
) -> HttpRequest:
    kind = {} if body is None else {"Content-Type": "application/json"}
    return HttpRequest(
        method,
        settings.base_url + path,
        query=query,
        headers={"Accept": "application/json", **kind, **headers},
        body=None if body is None else json.dumps(body, allow_nan=False).encode(),
        connect_seconds=CONNECT_SECONDS,
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def _given[T](value: T | None) -> T:
    if value is None:
        raise ValueError("a return that RMS books must have its pickup, drop and parcel")
    return value


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
