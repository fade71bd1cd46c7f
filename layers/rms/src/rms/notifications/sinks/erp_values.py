"""What a posting to an ERP tells: a processed return, the forward parcels that it came from, and its customer.

None and an empty list mean that RMS does not hold a value; nothing is made up. Money is decimal in the order's
currency; rates are per cent; times are aware. Source: RMS API contract, section 17.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.platform.json import Writable


class PaymentMethod(StrEnum):
    """How the forward order was paid."""

    COD = "COD"
    NCOD = "NCOD"


class ReturnType(StrEnum):
    """How the return came about."""

    RETURN_TO_ORIGIN = "RETURN_TO_ORIGIN"
    CUSTOMER_RETURN = "CUSTOMER_RETURN"
    SELF_SHIP = "SELF_SHIP"


class ItemStatus(StrEnum):
    """Where a unit of the return stands."""

    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    MISSING = "MISSING"
    RECEIVED = "RECEIVED"
    CANCELLED = "CANCELLED"
    PARTIAL_MISSING_COMBO = "PARTIAL_MISSING_COMBO"


class ShipmentStatus(StrEnum):
    """Where a forward parcel stands."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    INVOICED = "INVOICED"
    MANIFESTED = "MANIFESTED"
    DISPATCHED = "DISPATCHED"
    CANCELLED = "CANCELLED"
    DELIVERED = "DELIVERED"


@dataclass(frozen=True, slots=True)
class ChildItem:
    """One unit inside a unit that is a combination: of a virtual SKU, or of a bundle."""

    oms_return_item_id: int | None = None
    status: ItemStatus | None = None
    sku: str | None = None
    qc_status: QcStatus | None = None
    qc_reason: str | None = None
    barcode: str | None = None
    client_sku: str | None = None


@dataclass(frozen=True, slots=True)
class VirtualChildItem(ChildItem):
    """A unit inside a unit of a virtual SKU. RMS may know any part of it."""


@dataclass(frozen=True, slots=True)
class BundledChildItem(ChildItem):
    """A unit inside a bundle. Its id in the order management, QC result and status must be known."""


@dataclass(frozen=True, slots=True)
class PostedItem:
    """One unit of the return: what the warehouse found, and what it was sold for.

    `selling_price`, discounts and the gift charge are per unit. `excess`: it was received and not expected.
    """

    found: ProcessedItem
    status: ItemStatus | None
    selling_price: Decimal | None
    return_reason: str | None = None
    channel_discount: Decimal | None = None
    seller_discount: Decimal | None = None
    gift_charge: Decimal | None = None
    excess: bool | None = None
    virtual_children: tuple[VirtualChildItem, ...] = ()
    bundled_children: tuple[BundledChildItem, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildSku:
    """A SKU inside a combination, and how many units of it one combination holds."""

    sku: str | None = None
    quantity: int | None = None
    barcode: str | None = None
    client_sku: str | None = None


@dataclass(frozen=True, slots=True)
class VirtualSku:
    """What a virtual SKU consists of."""

    sku: str | None = None
    barcode: str | None = None
    client_sku: str | None = None
    children: tuple[ChildSku, ...] = ()


@dataclass(frozen=True, slots=True)
class BundledSku:
    """What a bundle consists of."""

    sku: str | None
    children: tuple[ChildSku, ...]
    barcode: str | None = None
    client_sku: str | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a unit: its rate in per cent, and its amount."""

    type: str
    rate: Decimal
    per_unit: Decimal


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on all units of a shipment item."""

    tax: Tax
    quantity: int

    @property
    def total(self) -> Decimal:
        """The tax on all units."""
        return self.tax.per_unit * self.quantity


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    """Units of one SKU in a forward parcel.

    `selling_price` is per unit, tax included. The amounts follow from it, so that they always agree: base and tax are
    the selling price, a total is the amount per unit times `quantity`. `taxes` None: RMS does not know them; empty:
    there are none.
    """

    sku: str | None
    order_item_code: str | None
    quantity: int
    selling_price: Decimal | None
    taxes: tuple[Tax, ...] | None
    channel_discount: Decimal | None = None
    shipping_charge: Decimal | None = None

    @property
    def tax(self) -> Decimal | None:
        """All taxes on a unit."""
        return None if self.taxes is None else sum((tax.per_unit for tax in self.taxes), Decimal(0))

    @property
    def base_price(self) -> Decimal | None:
        """The price of a unit before tax."""
        return None if self.tax is None or self.selling_price is None else self.selling_price - self.tax

    @property
    def tax_total(self) -> Decimal | None:
        """All taxes on all units."""
        return self._total(self.tax)

    @property
    def base_total(self) -> Decimal | None:
        """The price of all units before tax."""
        return self._total(self.base_price)

    @property
    def selling_total(self) -> Decimal | None:
        """The price of all units, tax included."""
        return self._total(self.selling_price)

    @property
    def tax_lines(self) -> tuple[TaxLine, ...] | None:
        """Each tax on all units."""
        return None if self.taxes is None else tuple(TaxLine(tax, self.quantity) for tax in self.taxes)

    def _total(self, per_unit: Decimal | None) -> Decimal | None:
        return None if per_unit is None else per_unit * self.quantity


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel of the forward order. `generated_…` is the invoice made for it, `external_…` the channel's own."""

    items: tuple[ShipmentItem, ...]
    code: str | None = None
    generated_invoice_id: str | None = None
    generated_invoice_at: datetime | None = None
    invoice_url: str | None = field(default=None, repr=False)
    label_url: str | None = field(default=None, repr=False)
    external_invoice_id: str | None = None
    external_invoice_at: datetime | None = None
    irn: str | None = None
    qr_code: str | None = field(default=None, repr=False)
    status: ShipmentStatus | None = None
    location_code: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerAddress:
    """An address of the customer. What the channel did not give is not sent; code and country it must have."""

    zip: str | None = field(repr=False)
    country: str | None
    name: str | None = field(default=None, repr=False)
    line1: str | None = field(default=None, repr=False)
    line2: str | None = field(default=None, repr=False)
    line3: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attributes:
    """A client's own attributes of an order item. Free texts, which may hold anything."""

    attribute1: str | None = field(default=None, repr=False)
    attribute2: str | None = field(default=None, repr=False)
    attribute3: str | None = field(default=None, repr=False)
    attribute4: str | None = field(default=None, repr=False)
    attribute5: str | None = field(default=None, repr=False)
    attribute6: str | None = field(default=None, repr=False)
    attribute7: str | None = field(default=None, repr=False)
    attribute8: str | None = field(default=None, repr=False)
    attribute9: str | None = field(default=None, repr=False)
    attribute10: str | None = field(default=None, repr=False)
    channel_metadata: Mapping[str, Writable] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OrderAttributes(Attributes):
    """A client's own attributes of an order, and its currency."""

    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ItemAttributes:
    """A client's own attributes of one order item, by the item's codes."""

    attributes: Attributes | None = None
    order_item_code: str | None = None
    sku: str | None = None
    barcode: str | None = None
    client_sku: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A return that the warehouse has processed, whole.

    `id` comes from `signing.message_id`, `message_id` from `erp_posting.message_id`. `partner_code` and
    `partner_location_code` are the customer's codes in the channel. `created_at` is None when the return was processed
    without anybody having expected it.
    """

    id: str
    sequence: int
    message_id: int
    partner_code: str | None
    partner_location_code: str | None
    location_code: str | None
    channel: str | None
    forward_order_code: str
    return_code: str
    payment_method: PaymentMethod | None
    return_type: ReturnType | None
    occurred_at: datetime
    created_at: datetime | None
    items: tuple[PostedItem, ...]
    shipping_address: CustomerAddress | None = field(repr=False)
    billing_address: CustomerAddress | None = field(repr=False)
    parent_order_code: str | None = None
    gate_entry_at: datetime | None = None
    consignment_number: str | None = None
    awb: str | None = None
    shipments: tuple[Shipment, ...] = ()
    virtual_skus: tuple[VirtualSku, ...] = ()
    bundled_skus: tuple[BundledSku, ...] = ()
    order_attributes: OrderAttributes | None = None
    item_attributes: tuple[ItemAttributes, ...] = ()
