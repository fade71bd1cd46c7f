"""What Shiprocket accepts as an order or a return, and the field map with which it refuses the rest.

Source: Shiprocket guide, sections 5 to 7.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.shiprocket.settings import Settings

type Json = Mapping[str, Any]
type Complaint = tuple[str, str]
"""A field and what is wrong with it."""

_PLACE: Final = ("customer_name", "address", "city", "state", "country", "email", "pincode", "phone")
_COMMON: Final = ("order_id", "order_date", "order_items", "payment_method", "sub_total")
_SIZES: Final = ("length", "breadth", "height", "weight")
_ITEM: Final = ("name", "sku", "units", "selling_price")
_MAX_REFERENCE: Final = 50
_MAX_CITY: Final = 30
_SHORTEST_SIDE: Final = 0.5
_SHORTEST_ADDRESS: Final = 3
_MAX_QC_LINK: Final = 255


def complaints(body: Json, settings: Settings, *, is_return: bool) -> dict[str, list[str]]:
    """What is wrong with the body, texts by field; empty when it is taken."""
    prefixes = ("pickup", "shipping") if is_return else _forward_prefixes(body)
    wanted = [*_COMMON, *_SIZES, *(f"{prefix}_{name}" for prefix in prefixes for name in _PLACE)]
    if not is_return:
        wanted += ["pickup_location", "shipping_is_billing"]
    found: dict[str, list[str]] = {}
    absent = [name for name in wanted if body.get(name) in (None, "", [])]
    rest = (*_texts(body, prefixes), *_numbers(body, prefixes), *_items(body), *_kinds(body, settings, is_return))
    for name, text in (*((name, f"The {name.replace('_', ' ')} field is required.") for name in absent), *rest):
        if name not in absent or text.endswith("required."):
            found.setdefault(name, []).append(text)
    return found


def goods_of(body: Json, *, is_return: bool) -> str:
    """Whose goods they are and what, of a body that is taken."""
    phone = body["pickup_phone"] if is_return else body["billing_phone"]
    return f"{phone}: " + ", ".join(sorted(f"{item['units']} {item['sku']}" for item in body["order_items"]))


def _forward_prefixes(body: Json) -> tuple[str, ...]:
    return ("billing",) if body.get("shipping_is_billing") is True else ("billing", "shipping")


def _texts(body: Json, prefixes: tuple[str, ...]) -> Iterator[Complaint]:
    reference = body.get("order_id")
    if not isinstance(reference, str) or len(reference) > _MAX_REFERENCE:
        yield "order_id", f"The order id must be a string of at most {_MAX_REFERENCE} characters."
    for prefix in prefixes:
        if len(str(body.get(f"{prefix}_city"))) > _MAX_CITY:
            yield f"{prefix}_city", f"The {prefix} city may not be greater than {_MAX_CITY} characters."
        if len(str(body.get(f"{prefix}_address"))) < _SHORTEST_ADDRESS:
            yield f"{prefix}_address", f"The {prefix} address must be at least {_SHORTEST_ADDRESS} characters."


def _numbers(body: Json, prefixes: tuple[str, ...]) -> Iterator[Complaint]:
    for prefix in prefixes:
        if not _is_whole(body.get(f"{prefix}_pincode")):
            yield f"{prefix}_pincode", f"The {prefix} pincode must be an integer."
        phone = body.get(f"{prefix}_phone")
        if not _is_whole(phone) and not (prefix == "pickup" and str(phone).isdigit()):
            yield f"{prefix}_phone", f"The {prefix} phone must be an integer."
    for name in _SIZES:
        least = 0 if name == "weight" else _SHORTEST_SIDE
        if not _is_number(body.get(name)) or body[name] <= least:
            yield name, f"The {name} must be greater than {least}."
    if not _is_whole(body.get("sub_total")):
        yield "sub_total", "The sub total must be an integer."


def _items(body: Json) -> Iterator[Complaint]:
    items = body.get("order_items")
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        yield "order_items", "The order items must be an array."
        return
    for number, item in enumerate(items):
        for name in _ITEM:
            if item.get(name) in (None, ""):
                yield f"order_items.{number}.{name}", "The field is required."
        if not _is_whole(item.get("units")) or not _is_whole(item.get("selling_price")):
            yield f"order_items.{number}.units", "Units and selling price must be integers."
    checked = [item for item in items if item.get("qc_enable") is True]
    if len({item.get("sku") for item in checked}) > 1:
        yield "qc_enable", "QC is allowed for a single SKU only."
    for item in checked:
        yield from _picture(item)


def _picture(item: Json) -> Iterator[Complaint]:
    link = str(item.get("qc_product_image") or "")
    if not link or not item.get("qc_product_name"):
        yield "qc_product_image", "The qc product image and name fields are required."
    elif len(link) > _MAX_QC_LINK or link.rpartition(".")[2].lower() in {"webp", "gif", "svg"}:
        yield "qc_product_image", "The qc product image must be a link to a png or jpg."


def _kinds(body: Json, settings: Settings, is_return: bool) -> Iterator[Complaint]:  # noqa: FBT001 - which body it is
    method = str(body.get("payment_method")).lower()
    if method != "prepaid" and (is_return or method != "cod"):
        yield "payment_method", "The selected payment method is invalid."
    if not is_return and body.get("pickup_location") not in settings.pickup_locations:
        yield "pickup_location", "The selected pickup location is invalid."


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
