"""A forward shipment as RMS keeps it: what goes out to a shopper, in one parcel.

Money is decimal in `currency`, tax included; weights are grams, lengths centimetres; times are aware, in UTC.
Source: RMS API contract, sections 10 and 13; flows, section 4.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rms.model.return_order import Address, Parcel


@dataclass(frozen=True, slots=True)
class ForwardItem:
    """Units of one SKU in the parcel. `price` and `discount` are per unit, `tax_percent` the rate within the price."""

    item_code: str
    sku: str
    name: str
    quantity: int
    price: Decimal
    discount: Decimal = Decimal(0)
    tax_percent: Decimal | None = None
    hsn: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class ForwardParcel:
    """A parcel of a forward order, as far as its news need it told.

    All that RMS knows of one that it does not book; what a `ForwardShipment` is for whoever only tells of it.
    """

    code: str
    shipment_code: str
    items: tuple[ForwardItem, ...] = ()
    location_code: str | None = None


@dataclass(frozen=True, slots=True)
class ForwardShipment:
    """One parcel of a forward order.

    `code` is the order's, `shipment_code` the parcel's within it. `pickup` is the warehouse, `drop` the shopper,
    `billing` the shopper's billing address where it differs. `amount` is what the parcel is worth; with
    `cash_on_delivery` it is also what the courier collects.
    """

    code: str
    shipment_code: str
    items: tuple[ForwardItem, ...]
    pickup: Address
    drop: Address
    parcel: Parcel
    amount: Decimal
    ordered_at: datetime
    cash_on_delivery: bool = False
    billing: Address | None = None
    currency: str = "INR"
    location_code: str | None = None
    account_alias: str | None = None
    invoice_number: str | None = None
    invoice_time: datetime | None = None
    seller_gstin: str | None = None
