"""What a creation request must hold beyond its types: it depends on who books the courier and on the account that will.

Everything here looks at the body as it came, so that it can speak even where a type is wrong, and yields what it
finds as (path, text). Source: RMS API contract, sections 1.6, 3.1 to 3.5 and 4; the class letters are the contract's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rms.clients.choice import Lane
from rms.platform.json import JsonObject, JsonValue
from rms.platform.problems import MAX_ITEMS, Found, Path, WeightUnit, as_flag, lack, value_at

MAX_ITEM_CODE_BYTES: Final = 100_000
"""Most text that the item codes made from a request's lines may come to, so that the order fits a stored item."""

# Class *: mandatory when RMS books. `orderType` is one too, but has a default.
BOOKING_FIELDS: Final = (
    "orderItems.name",
    "orderItems.price",
    "orderItems.finalAmountPaid",
    "currencyCode",
    "regionType",
    "returnReason",
    "shipmentDimension",
    "dropAddress",
    "pickupAddress",
    "orderDetails",
)

# Class CP: mandatory when RMS books at an aggregator that wants them.
CLIENT_FIELDS: Final = ("sellerGstin", "orderDetails.invoiceNumber", "orderDetails.invoiceTime")

# Class *†: mandatory when RMS books with a courier partner that wants them. `imageUrl` is one for doorstep QC only.
COURIER_FIELDS: Final = (
    "orderItems.brand",
    "orderItems.color",
    "orderItems.category",
    "orderItems.subCategory",
    "orderItems.serialNumber",
    "orderItems.imageUrl",
    "orderItems.subTaxItemData",
    "consigneeGstin",
)

# POST /return/create calls the items by another name and has no taxes.
LINES: Final = "orderDetails.orderLineItemList"
LINE_COURIER_FIELDS: Final = {
    name: name.replace("orderItems", LINES) for name in COURIER_FIELDS if name != "orderItems.subTaxItemData"
}

_LISTS: Final = ("orderItems", "orderLineItemList", "returnLineItems")


@dataclass(frozen=True, slots=True)
class BookingTerms:
    """What the account that will book asks of a request.

    `demands_client_fields` is for the contract's class CP. `required_fields` names fields of class `*†` as section 3.2
    does (`orderItems.brand`, `consigneeGstin`); other names ask for nothing. `weight_unit` is the client's.
    """

    demands_client_fields: bool
    required_fields: tuple[str, ...] = ()
    weight_unit: WeightUnit = "G"


@dataclass(frozen=True, slots=True)
class AccountProblem:
    """Why the account named in a request, or named by none, cannot be chosen, in words that fit after its field."""

    text: str


def lane_in(body: JsonObject, items: str = "orderItems") -> Lane:
    """What the client's account rules go by, as far as the body says it; `items` is the dotted name of its list."""
    details = body.get("orderDetails")
    cash = details.get("isCod") if isinstance(details, dict) else None
    return Lane(
        pin=next((text for _, value in _places(body, "pickupAddress.zip") if (text := _text(value))), None),
        cash_on_delivery=cash if isinstance(cash, bool) else None,
        categories=tuple(text for _, value in _places(body, f"{items}.category") if (text := _text(value))),
    )


def _text(value: JsonValue) -> str:
    return value.strip() if isinstance(value, str) else ""


def order_presence(body: JsonObject, terms: BookingTerms | None) -> Iterator[Found]:
    """What POST /return/return-orders lacks for whoever books: with both AWB and transporter, the channel has."""
    lacking = {name: text for name in ("awbNumber", "transporter") if (text := lack(body.get(name)))}
    if len(lacking) == 2 and terms:  # noqa: PLR2004  # both of the two named above
        yield from _absent(body, BOOKING_FIELDS)
        yield from _absent(body, CLIENT_FIELDS if terms.demands_client_fields else ())
        yield from _asked_by_courier(body, {name: name for name in COURIER_FIELDS}, terms)
    else:
        yield from (((name,), text) for name, text in lacking.items())


def create_presence(body: JsonObject, terms: BookingTerms) -> Iterator[Found]:
    """What POST /return/create lacks for the account that will book; the rest of its fields are always mandatory."""
    yield from _absent(body, CLIENT_FIELDS if terms.demands_client_fields else ())
    yield from _asked_by_courier(body, LINE_COURIER_FIELDS, terms)


def cash_on_delivery(body: JsonObject) -> Iterator[Found]:
    """The cash value is above 0 if and only if the order is cash on delivery."""
    match body.get("orderDetails"):
        case {"isCod": True, "codValue": (int() | Decimal()) as value} if value == 0:
            yield ("orderDetails", "codValue"), "must be above 0 when isCod is true"
        case {"isCod": False, "codValue": (int() | Decimal()) as value} if value > 0:
            yield ("orderDetails", "codValue"), "must be 0 when isCod is false"


def repeated_item_codes(body: JsonObject, name: str = "orderItems.itemCode") -> Iterator[Found]:
    """Items whose code an earlier item of the same request has."""
    seen: set[str] = set()
    for path, code in _places(body, name):
        if isinstance(code, str) and code.strip():
            if code.strip() in seen:
                yield path, "must be unique in the return order"
            seen.add(code.strip())


def too_many_units(body: JsonObject) -> Iterator[Found]:
    """Lines that come to more units, or to more text in their item codes, than one order holds."""
    units: Counter[str] = Counter()
    for (_, sku), (_, quantity) in zip(
        _places(body, f"{LINES}.clientSkuId"), _places(body, f"{LINES}.quantity"), strict=True
    ):
        if isinstance(quantity, int | Decimal) and quantity > 0:
            units[sku if isinstance(sku, str) else ""] += int(quantity)
    if units.total() > MAX_ITEMS:
        yield tuple(LINES.split(".")), f"may come to at most {MAX_ITEMS} units"
    elif sum(len(sku.encode()) * count for sku, count in units.items()) > MAX_ITEM_CODE_BYTES:
        yield tuple(LINES.split(".")), "comes to more item codes than fit: send fewer units in one return"


def _absent(body: JsonObject, names: Iterable[str]) -> Iterator[Found]:
    for name in names:
        for path, value in _places(body, name):
            if text := lack(value):
                yield path, text


def _asked_by_courier(body: JsonObject, fields: Mapping[str, str], terms: BookingTerms) -> Iterator[Found]:
    for name, place in fields.items():
        if name in terms.required_fields:
            absent = _absent(body, [place])
            yield from _where_doorstep_qc(body, absent) if name == "orderItems.imageUrl" else absent


def _where_doorstep_qc(body: JsonObject, found: Iterable[Found]) -> Iterator[Found]:
    for path, text in found:
        if as_flag(value_at(body, (*path[:-1], "enableDoorStepQc"))):
            yield path, text


def _places(body: JsonObject, name: str) -> Iterator[tuple[Path, JsonValue]]:
    """Every place in the body that a dotted name means, with the value there or None. No holder, no place."""
    head, _, rest = name.partition(".")
    match body.get(head):
        case value if not rest:
            yield (head,), value
        case dict() as value if head not in _LISTS:
            yield from (((head, *path), held) for path, held in _places(value, rest))
        case list() as values if head in _LISTS and len(values) <= MAX_ITEMS:  # a longer one is refused whole
            for index, value in enumerate(values):
                if isinstance(value, dict):
                    yield from (((head, index, *path), held) for path, held in _places(value, rest))
