"""What Clickpost accepts as an order, and the meta.status with which it refuses the rest.

Source: ClickPost guide, sections 4 and 5.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clickpost.settings import Settings
from sandbox.clickpost.statuses import BLUEDART, COURIERS, FORWARD_ONLY, REVERSE_ONLY

type Json = Mapping[str, Any]

UNSERVED_PINCODES: Final = "99"
"""Pincodes that start so are served by no carrier: 319. No pincode in India does."""

_PLACES: Final = ("name", "phone", "address", "city", "state", "pincode", "country")
_MANDATORY: Final = {
    "pickup_info": (*(f"pickup_{place}" for place in _PLACES), "pickup_time", "tin"),
    "drop_info": tuple(f"drop_{place}" for place in _PLACES),
    "shipment_details": (
        "order_type",
        "cod_value",
        "invoice_value",
        "invoice_date",
        "courier_partner",
        "reference_number",
        "weight",
        "length",
        "breadth",
        "height",
    ),
}
_LENGTHS: Final = {"name": 100, "address": 500, "city": 200, "state": 200}
_PHONE: Final = re.compile(r"[0-9]{10,11}")
_PINCODE: Final = re.compile(r"[0-9]{6}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CODE_39: Final = re.compile(r"[A-Z0-9 .$/+%-]+")
_MAX_REFERENCE: Final = 50
_MAX_BLUEDART_REFERENCE: Final = 20
_MAX_REASON: Final = 500
_MAX_VALUE: Final = 1_000_000_000_000
_ITEM_FIELDS: Final = ("sku", "description", "quantity", "price", "weight")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order is not taken: a meta.status and words for people."""

    status: int
    words: str


@dataclass(frozen=True, slots=True)
class Order:
    """What the simulation needs to know of an order that was taken."""

    reference: str
    order_id: str
    courier: int
    account_code: str
    is_return: bool
    asynchronous: bool
    awb_number: str
    skus: tuple[str, ...]
    pickup_city: str
    drop_city: str
    cod_value: float
    invoice_number: str


def check_order(body: Json, settings: Settings) -> Order | Refusal:
    """The order in a create-order body, or the first reason to refuse it."""
    sections = {name: body.get(name) for name in ("pickup_info", "drop_info", "shipment_details")}
    for name, section in sections.items():
        if not isinstance(section, Mapping):
            return Refusal(328, f"{name} is mandatory")
    details: Json = body["shipment_details"]
    extra: Json = body["additional"] if isinstance(body.get("additional"), Mapping) else {}
    refusal = next(_refusals(body, details, extra, settings), None)
    if refusal is not None:
        return refusal
    return Order(
        reference=details["reference_number"],
        order_id=str(details.get("order_id") or extra.get("order_id") or ""),
        courier=details["courier_partner"],
        account_code=_text(details.get("account_code") or extra.get("account_code")),
        is_return=_delivery_type(details, extra) == "RVP",
        asynchronous=extra.get("async") is True
        or settings.asynchronous
        or details["courier_partner"] in settings.async_couriers,
        awb_number=_text(details.get("awb_number") or extra.get("awb_number")),
        skus=tuple(str(item["sku"]) for item in details["items"]),
        pickup_city=body["pickup_info"]["pickup_city"],
        drop_city=body["drop_info"]["drop_city"],
        cod_value=float(details["cod_value"]),
        invoice_number=_text(details.get("invoice_number")),
    )


def _refusals(body: Json, details: Json, extra: Json, settings: Settings) -> Iterator[Refusal]:
    yield from _missing(body)
    yield from _courier(details)
    yield from _addresses(body)
    yield from _kinds(details, extra, settings)
    yield from _reason(details, extra, settings)
    yield from _direction(details, extra)
    yield from _values(details)
    yield from _reference(details)
    yield from _items(details)
    account = details.get("account_code") or extra.get("account_code")
    if settings.account_codes and account not in settings.account_codes:
        yield Refusal(351, "Account code does not exist")
    yield from _serviceable(body)


def _missing(body: Json) -> Iterator[Refusal]:
    for section, names in _MANDATORY.items():
        absent = [name for name in names if name not in body[section] or body[section][name] == ""]
        if section == "pickup_info" and not (body[section].get("email") or body[section].get("pickup_email")):
            absent.append("email")
        if absent:
            yield Refusal(328, f"Mandatory fields missing in {section}: {', '.join(absent)}")


def _courier(details: Json) -> Iterator[Refusal]:
    courier = details["courier_partner"]
    if not _is_int(courier) or courier not in COURIERS:
        yield Refusal(302, "Courier partner is invalid")


def _addresses(body: Json) -> Iterator[Refusal]:
    for section, prefix in (("pickup_info", "pickup_"), ("drop_info", "drop_")):
        place: Json = body[section]
        for name in _PLACES:
            if not isinstance(place[prefix + name], str):
                yield Refusal(400, f"{prefix}{name} must be a string")
        for name, most in _LENGTHS.items():
            if len(place[prefix + name]) > most:
                yield Refusal(400, f"{prefix}{name} must have at most {most} characters")
        if not _PHONE.fullmatch(place[f"{prefix}phone"]):
            yield Refusal(400, f"{prefix}phone must have 10 or 11 digits")
        if not _PINCODE.fullmatch(place[f"{prefix}pincode"]):
            yield Refusal(400, f"{prefix}pincode must have 6 digits")
        if place[f"{prefix}country"] != "IN":
            yield Refusal(400, f"{prefix}country must be IN")


def _kinds(details: Json, extra: Json, settings: Settings) -> Iterator[Refusal]:
    if details["order_type"] not in ("PREPAID", "COD", "EXCHANGE"):
        yield Refusal(307, "Order type is invalid")
    given = _in_places("delivery_type", details, extra, settings)
    if given not in ("FORWARD", "RVP"):
        yield Refusal(309, "Delivery type is invalid")
    if extra.get("priority") not in (None, "", "NORMAL", "URGENT"):
        yield Refusal(308, "Priority is invalid")


def _reason(details: Json, extra: Json, settings: Settings) -> Iterator[Refusal]:
    if _delivery_type(details, extra) != "RVP":
        return
    reason = _in_places("rvp_reason", details, extra, settings)
    if not isinstance(reason, str) or not reason.strip() or len(reason) > _MAX_REASON:
        yield Refusal(310, "RVP reason is missing or longer than 500 characters")


def _direction(details: Json, extra: Json) -> Iterator[Refusal]:
    courier = details["courier_partner"]
    is_return = _delivery_type(details, extra) == "RVP"
    if is_return and courier in FORWARD_ONLY:
        yield Refusal(311, "Courier partner does not support reverse pickup")
    if not is_return and courier in REVERSE_ONLY:
        yield Refusal(400, "Courier partner supports reverse pickup only")


def _values(details: Json) -> Iterator[Refusal]:
    for name in ("cod_value", "invoice_value"):
        if not _is_number(details[name]) or not 0 <= details[name] <= _MAX_VALUE:
            yield Refusal(400, f"{name} must be a number of at least 0")
    for name in ("weight", "length", "breadth", "height"):
        if not _is_int(details[name]) or details[name] <= 0:
            yield Refusal(400, f"{name} must be an integer above 0")
    if not isinstance(details["invoice_date"], str) or not _DATE.fullmatch(details["invoice_date"]):
        yield Refusal(400, "invoice_date must be YYYY-MM-DD")
    is_cod, value = details["order_type"] == "COD", details["cod_value"]
    if (details["order_type"] == "PREPAID" and value != 0) or (is_cod and value == 0):
        yield Refusal(315, "COD value does not fit the order type")


def _reference(details: Json) -> Iterator[Refusal]:
    reference = details["reference_number"]
    most = _MAX_BLUEDART_REFERENCE if details["courier_partner"] in BLUEDART else _MAX_REFERENCE
    if not isinstance(reference, str) or not _CODE_39.fullmatch(reference):
        yield Refusal(400, "reference_number must be Code 39 characters")
    elif len(reference) > most:
        yield Refusal(400, f"reference_number must have at most {most} characters")


def _items(details: Json) -> Iterator[Refusal]:
    items = details.get("items")
    if not items and items != {}:
        yield Refusal(312, "Items are missing")
    elif not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        yield Refusal(313, "Items are malformed")
    else:
        for number, item in enumerate(items):
            absent = [name for name in _ITEM_FIELDS if item.get(name) in (None, "")]
            if absent:
                yield Refusal(314, f"Items are malformed: item {number} lacks {', '.join(absent)}")
            elif not _is_int(item["quantity"]) or item["quantity"] <= 0 or not _is_number(item["price"]):
                yield Refusal(314, f"Items are malformed: item {number} has a bad quantity or price")


def _serviceable(body: Json) -> Iterator[Refusal]:
    for pincode in (body["pickup_info"]["pickup_pincode"], body["drop_info"]["drop_pincode"]):
        if pincode.startswith(UNSERVED_PINCODES):
            yield Refusal(319, f"Pincode {pincode} is not serviceable for this carrier")


def _in_places(name: str, details: Json, extra: Json, settings: Settings) -> Any:
    """The field's value if it stands where the settings want it, else None."""
    here, there = details.get(name), extra.get(name)
    match settings.return_fields_in:
        case "both":
            return here if here == there else None
        case "shipment_details":
            return here
        case "additional":
            return there
        case "either":
            return here or there


def _delivery_type(details: Json, extra: Json) -> Any:
    return details.get("delivery_type") or extra.get("delivery_type")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    return "" if value is None else str(value)
