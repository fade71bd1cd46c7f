"""A return order as RMS keeps it: one shape, whichever API, webhook or returns app it came from.

Money is decimal in `currency`; weights are grams, lengths centimetres; times are aware, in UTC.
Source: RMS API contract, sections 3 and 4.
"""

from dataclasses import dataclass
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
    """One unit of a SKU that comes back."""

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

    @property
    def booked_by_channel(self) -> bool:
        """Whether the courier is already booked, so that RMS books nothing."""
        return self.awb is not None
