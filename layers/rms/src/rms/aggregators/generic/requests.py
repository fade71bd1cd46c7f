"""The calls that RMS makes to an aggregator of the generic contract. Source: RMS API contract, sections 9 to 11."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.contract import Direction, Job
from rms.aggregators.generic.account import Settings
from rms.aggregators.reading import text
from rms.model.forward_shipment import ForwardShipment
from rms.model.return_order import Address, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpRequest

TOTAL_SECONDS: Final = 20.0
"""How long the aggregator may take: the client's own call must end within 29 s."""

_MAX_REFERENCE: Final = 255


def order_number(client: str, code: str, generation: int, direction: Direction) -> str:
    """Our reference: the order's own number, as the contract wants it; after a cancel one that nothing else has."""
    if not generation and len(code) <= _MAX_REFERENCE:
        return code
    # Codes are free text, so that only a digest keeps a second generation off all other codes.
    named = json.dumps([client, code, generation, direction]).encode()
    return f"{code[:200]}-{hashlib.sha256(named).hexdigest()[:12]}"


def couriers(name: str, settings: Settings, job: Job) -> HttpRequest:
    """Get Courier Recommendation: who can serve the lane."""
    pickup, drop = _places(job)
    body = {
        "logisticAggregatorName": name,
        "pickupPincode": _zip(pickup),
        "dropPincode": _zip(drop),
        "paymentType": _payment(job),
        "shipmentType": job.direction.value,
        "orderAmount": _number(_amount(job)),
    }
    return _post(settings, settings.couriers_url, body)


def generate(
    name: str, settings: Settings, job: Job, now: datetime, *, courier_id: int | None, courier_name: str
) -> HttpRequest:
    """Generate Shipping Label or Generate Return AWB. The same orderNumber again brings the AWB already made."""
    pickup, drop = _places(job)
    body = {
        "logisticAggregatorName": name,
        **({} if courier_id is None else {"courierId": courier_id}),
        **({"courierName": courier_name} if courier_name else {}),
        **({"currencyCode": job.order.currency} if job.order.currency else {}),
        "pickupAddress": _address(pickup),
        "dropAddress": _address(drop),
        "shipmentDimension": _dimension(_given(job.order.parcel, "parcel")),
        "orderDetails": {
            "orderNumber": job.reference,
            **_forward(job),
            "paymentType": _payment(job),
            "shipmentType": job.direction.value,
            "orderAmount": _number(_amount(job)),
            "orderDate": _ordered_at(job, now).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "orderLineItems": _lines(job),
        },
    }
    return _post(settings, settings.generate_url, body)


def get(name: str, settings: Settings, direction: Direction, order_id: str) -> HttpRequest:
    """Get Shipping Label or Get Return AWB: what Generate made under the aggregator's own id."""
    query = {"orderId": order_id, "logisticAggregatorName": name, "shipmentType": direction.value}
    return HttpRequest(
        "GET", settings.get_url, query=query, headers=settings.headers, total_seconds=TOTAL_SECONDS, trusted=True
    )


def _post(settings: Settings, url: str, body: Mapping[str, Any]) -> HttpRequest:
    return HttpRequest(
        "POST",
        url,
        headers={**settings.headers, "Content-Type": "application/json"},
        body=json.dumps(body, allow_nan=False).encode(),
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def _given[T](value: T | None, name: str) -> T:
    if value is None:
        raise ValueError(f"a shipment that RMS books must have its {name}")
    return value


def _places(job: Job) -> tuple[Address, Address]:
    return _given(job.order.pickup, "pickup"), _given(job.order.drop, "drop")


def _payment(job: Job) -> str:
    return "COD" if isinstance(job.order, ForwardShipment) and job.order.cash_on_delivery else "PREPAID"


def _amount(job: Job) -> Decimal:
    if isinstance(job.order, ForwardShipment):
        return job.order.amount
    return _given(job.order.forward, "forward order").invoice_value


def _forward(job: Job) -> dict[str, str]:
    order = job.order
    if isinstance(order, ForwardShipment):
        number, shipment = order.code, order.shipment_code
    else:
        number, shipment = order.forward_order_code, (order.forward and order.forward.shipment_number) or ""
    found = {"forwardOrderNumber": number, "forwardShipmentNumber": shipment, "shipmentCode": shipment}
    return {name: value for name, value in found.items() if value}


def _ordered_at(job: Job, now: datetime) -> datetime:
    if isinstance(job.order, ForwardShipment):
        return job.order.ordered_at
    forward = job.order.forward
    return (forward and (forward.order_time or forward.invoice_time)) or job.order.placed_at or now


def _lines(job: Job) -> Sequence[Mapping[str, Any]]:
    if isinstance(job.order, ForwardShipment):
        return [_line(item.sku, item.name, item.quantity, item.price) for item in job.order.items]
    # Units that differ in nothing but their code are one line.
    lines = Counter(replace(unit, item_code="") for unit in job.order.items)
    return [_line(unit.sku, unit.name, quantity, _price(unit, job.order)) for unit, quantity in lines.items()]


def _price(unit: ReturnItem, order: ReturnOrder) -> Decimal:
    stated = unit.price if unit.price is not None else unit.final_amount_paid
    if stated is not None:
        return stated
    return Decimal(0) if order.forward is None else order.forward.invoice_value / len(order.items)


def _line(sku: str, name: str | None, quantity: int, price: Decimal) -> dict[str, Any]:
    return {"name": text(name) or sku, "sku": sku, "quantity": quantity, "price": _number(price)}


def _address(place: Address) -> dict[str, str | None]:
    first, _, rest = text(place.name).partition(" ")
    middle, _, last = rest.rpartition(" ")
    fields = {
        "firstName": first,
        "middleName": middle,
        "lastName": last,
        "addressLine1": place.line1,
        "addressLine2": place.line2,
        "addressLine3": place.line3,
        "city": place.city,
        "state": place.state,
        "zip": _zip(place),
        "country": place.country,
        "email": place.email,
        "phone": place.phone,
    }
    return {name: text(value) or None for name, value in fields.items()}


def _zip(place: Address) -> str:
    return "".join(place.zip.split())


def _dimension(parcel: Parcel) -> dict[str, int | float]:
    return {
        "length": _number(parcel.length_cm),
        "breadth": _number(parcel.breadth_cm),
        "height": _number(parcel.height_cm),
        "weight": _number(parcel.weight_g),
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else round(float(amount), 4)
