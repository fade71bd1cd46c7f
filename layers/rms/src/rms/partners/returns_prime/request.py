"""A request as Returns Prime holds it: a return or an exchange that a shopper asked for.

Bank details are never read. Source: Returns Prime guide, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.reading import mapping, text, whole
from rms.model.return_order import Address
from rms.partners.reading import MAX_CODE, MAX_WORDS, amount, code, moment, rows
from rms.partners.returns_prime.statuses import Stage, stage_of

_MAX_AWB: Final = 100
_MAX_URL: Final = 2000
MAX_UNITS: Final = 1000
"""Most units of one line: beyond it a quantity is a mistake."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of the request that was ticked off, and when, as far as it says so."""

    at: datetime | None
    comment: str


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one item of the forward order. `shipment_status` is the app's own words about the parcel.

    `exchange_sku` is what the shopper wants instead; None where it is a return or the app does not say.
    """

    id: str
    quantity: int
    sku: str
    reason: str | None
    title: str | None
    price: Decimal | None
    currency: str | None
    image_url: str | None
    awb: str | None
    courier: str | None
    shipment_status: str
    exchange_sku: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `number` is what the shopper sees: RET123 or EXC123. `status` is raw, `stage` our name for it.

    `exchange_order_id` is the id of the replacement order in Shopify, as digits, once there is one.
    """

    id: str
    number: str
    is_exchange: bool
    status: str
    stage: Stage
    created_at: datetime | None
    order_id: str
    order_name: str
    customer: Address | None
    lines: tuple[Line, ...]
    approved: Mark | None
    received: Mark | None
    inspected: Mark | None
    rejected: Mark | None
    archived: Mark | None
    exchange_order_id: str | None

    @property
    def mark(self) -> Mark | None:
        """The mark of where it stands; None where it says none."""
        marks = {
            Stage.APPROVED: self.approved,
            Stage.RECEIVED: self.received,
            Stage.INSPECTED: self.inspected,
            Stage.REJECTED: self.rejected,
            Stage.ARCHIVED: self.archived,
        }
        return marks.get(self.stage)


def read(sent: Mapping[str, Any]) -> Request | str:
    """The request in a JSON object; or what is missing without which it could not be acted on."""
    found = code(sent.get("id"))
    number = code(sent.get("request_number"))
    order = mapping(sent.get("order"))
    order_id, order_name = code(order.get("id")), code(order.get("name"))
    if not found or not number:
        return "the request has no id or number"
    if not order_id and not order_name:
        return "the request does not name its order"
    lines = tuple(_line(mapping(each)) for each in rows(sent.get("line_items")))
    if not lines or not all(lines):
        return "the request has no lines, or one without id, SKU or quantity"
    return Request(
        id=found,
        number=number,
        is_exchange=text(sent.get("request_type")).lower() == "exchange",
        status=text(sent.get("status")),
        stage=stage_of(text(sent.get("status"))),
        created_at=moment(sent.get("created_at")),
        order_id=order_id,
        order_name=order_name,
        customer=_customer(mapping(sent.get("customer"))),
        lines=tuple(line for line in lines if line),
        approved=_mark(sent.get("approved")),
        received=_mark(sent.get("received")),
        inspected=_mark(sent.get("inspected")),
        rejected=_mark(sent.get("rejected")) or _mark(sent.get("reject")),
        archived=_mark(sent.get("archived")),
        exchange_order_id=code(mapping(mapping(sent.get("exchange")).get("order")).get("id")) or None,
    )


def _line(sent: Mapping[str, Any]) -> Line | None:
    product = mapping(sent.get("original_product"))
    found, sku, quantity = code(sent.get("id")), code(product.get("sku")), whole(sent.get("quantity"))
    if not found or not sku or quantity is None or not 1 <= quantity <= MAX_UNITS:
        return None
    shipped = [mapping(each) for each in rows(sent.get("shipping"))]
    # A parcel that was asked for again has a further entry; the first with an AWB is what the courier holds.
    parcel = next((each for each in shipped if code(each.get("awb"), _MAX_AWB)), shipped[0] if shipped else {})
    return Line(
        id=found,
        quantity=quantity,
        sku=sku,
        reason=text(sent.get("reason"), MAX_CODE) or None,
        title=text(product.get("title"), MAX_CODE) or None,
        price=amount(product.get("price")),
        currency=text(mapping(sent.get("shop_price")).get("currency"), 3) or None,
        image_url=text(mapping(product.get("image")).get("src"), _MAX_URL) or None,
        awb=code(parcel.get("awb"), _MAX_AWB) or None,
        courier=text(parcel.get("shipping_company"), MAX_CODE) or None,
        shipment_status=text(parcel.get("shipment_status")),
        exchange_sku=code(mapping(sent.get("exchange_product")).get("sku")) or None,
    )


def _customer(sent: Mapping[str, Any]) -> Address | None:
    place = mapping(sent.get("address"))
    if not place:
        return None
    names = (text(place.get("first_name")), text(place.get("last_name")))
    return Address(
        name=" ".join(part for part in names if part) or text(sent.get("name")),
        line1=text(place.get("address_line_1"), MAX_CODE),
        line2=text(place.get("address_line_2"), MAX_CODE) or None,
        line3=None,
        city=text(place.get("city")),
        state=text(place.get("province")) or text(place.get("province_code")),
        zip=text(place.get("postal_code")),
        country=text(place.get("country")) or text(place.get("country_code")),
        email=text(sent.get("email"), MAX_CODE),
        phone=text(sent.get("phone")),
    )


def _mark(value: object) -> Mark | None:
    step = mapping(value)
    if step.get("status") is not True:
        return None
    return Mark(moment(step.get("created_at")), text(step.get("comment"), MAX_WORDS))
