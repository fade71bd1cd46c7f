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
    order (section 5). `cancelled`: the client no longer wants it back.
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
    cancelled: bool = False


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
    `units_called` is how many of the items, from the first, went into the call that books, but for those whose codes
    are in `left_out`, which were cancelled by then; None: as it was created.
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
    left_out: tuple[str, ...] = ()

    @property
    def booked_by_channel(self) -> bool:
        """Whether the courier is already booked, so that RMS books nothing."""
        return self.awb is not None

    @property
    def as_created(self) -> "ReturnOrder":
        """The order as it was sent, without what was added to it or cancelled of it since."""
        items = tuple(_uncancelled(item) for item in self.items if not item.added)
        return replace(self, items=items, units_called=None, left_out=())

    @property
    def as_called(self) -> "ReturnOrder":
        """The order as the call that books carried it first.

        A look-up that carries another order proves nothing about that call, where the two are one request.
        """
        if self.units_called is None:
            return self.as_created
        called = (item for item in self.items[: self.units_called] if item.item_code not in self.left_out)
        return replace(self, items=tuple(_uncancelled(item) for item in called))

    def with_items_added_to(self, earlier: "ReturnOrder") -> "ReturnOrder":
        """The order in the place of an earlier one: it keeps what was added to that, save what it holds itself.

        What was cancelled of that stays so.
        """
        own = {item.item_code for item in self.items}
        kept = tuple(item for item in earlier.items if item.added and item.item_code not in own)
        cancelled = {item.item_code for item in earlier.items if item.cancelled}
        if not kept and not cancelled & own:
            return self
        items = (replace(item, cancelled=item.item_code in cancelled) for item in (*self.items, *kept))
        return replace(self, items=tuple(items)).to_be_called

    @property
    def to_be_called(self) -> "ReturnOrder":
        """The order for a new call that books: with all its items but the cancelled ones."""
        left_out = tuple(item.item_code for item in self.items if item.cancelled)
        return replace(self, units_called=len(self.items), left_out=left_out)

    @property
    def wanted(self) -> tuple[ReturnItem, ...]:
        """The items that are to come back."""
        return tuple(item for item in self.items if not item.cancelled)


def _uncancelled(item: ReturnItem) -> ReturnItem:
    return replace(item, cancelled=False) if item.cancelled else item
