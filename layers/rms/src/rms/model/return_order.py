"""A return order as RMS keeps it: one shape, whichever API, webhook or returns app it came from.

Money is decimal in `currency`; weights are grams, lengths centimetres; times are aware, in UTC.
Source: RMS API contract, sections 3 to 5.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SubTax:
    """One tax on an item."""

    type: str
    rate: Decimal
    per_unit: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class ReturnItem:
    """One unit of a SKU that comes back.

    `added`: it was added to a return that existed already, and came with `sub_order_code`, its item in the forward
    order (section 5).
    """

    item_code: str
    sku: str
    reason: str | None
    doorstep_qc: bool = False
    name: str | None = None
    brand: str | None = None
    color: str | None = None
    category: str | None = None
    sub_category: str | None = None
    serial_number: str | None = None
    price: Decimal | None = None
    final_amount_paid: Decimal | None = None
    image_url: str | None = None
    store_credits_used: Decimal = Decimal(0)
    taxes: tuple[SubTax, ...] = ()
    sub_order_code: str | None = None
    added: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where a courier collects or delivers."""

    name: str
    line1: str
    line2: str | None
    line3: str | None
    city: str
    state: str
    zip: str
    country: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """Outer size of the package."""

    length_cm: Decimal
    breadth_cm: Decimal
    height_cm: Decimal
    weight_g: Decimal


@dataclass(frozen=True, slots=True)
class ForwardOrder:
    """What the return's booking needs to know of the order that went out."""

    cod_value: Decimal
    is_cod: bool
    invoice_value: Decimal
    invoice_number: str | None = None
    invoice_time: datetime | None = None
    shipment_number: str | None = None
    order_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReturnOrder:
    """A return order, complete enough for who books it.

    `awb` and `courier` are both set when the channel has booked the courier, both None when RMS is to book.
    `location_code` is None for POST /return/create, whose contract has no such field.
    `units_called` is how many of the items, from the first, went into the call that books; None: as it was created.
    """

    code: str
    forward_order_code: str
    items: tuple[ReturnItem, ...]
    location_code: str | None = None
    placed_at: datetime | None = None
    channel_status: str | None = None
    expected_at: datetime | None = None
    order_type: str = "CUSTOMER_RETURN"
    awb: str | None = None
    courier: str | None = None
    account_alias: str | None = None
    currency: str | None = None
    region: str | None = None
    reason: str | None = None
    seller_gstin: str | None = None
    consignee_gstin: str | None = None
    parcel: Parcel | None = None
    drop: Address | None = None
    pickup: Address | None = None
    forward: ForwardOrder | None = None
    units_called: int | None = None

    @property
    def booked_by_channel(self) -> bool:
        """Whether the courier is already booked, so that RMS books nothing."""
        return self.awb is not None

    @property
    def as_created(self) -> "ReturnOrder":
        """The order as it was sent, without the items that were added to it since."""
        return replace(self, items=tuple(item for item in self.items if not item.added), units_called=None)

    @property
    def as_called(self) -> "ReturnOrder":
        """The order as the call that books carried it first.

        A look-up that carries another order proves nothing about that call, where the two are one request.
        """
        return self.as_created if self.units_called is None else replace(self, items=self.items[: self.units_called])

    def with_items_added_to(self, earlier: "ReturnOrder") -> "ReturnOrder":
        """The order in the place of an earlier one: it keeps what was added to that, save what it holds itself."""
        own = {item.item_code for item in self.items}
        kept = tuple(item for item in earlier.items if item.added and item.item_code not in own)
        return replace(self, items=(*self.items, *kept)).to_be_called if kept else self

    @property
    def to_be_called(self) -> "ReturnOrder":
        """The order for a new call that books: with all its items."""
        return replace(self, units_called=len(self.items))
