"""Reads the requests about forward parcels: body in, values out, or all that is wrong with it at once.

The body of a parcel has the shape of Generate Shipping Label, less what only an aggregator needs, and what RMS's own
aggregators want besides. Source: RMS API contract, sections 10, 13, 15.2 and 21.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from rms.forward.values import Invoice, LabelQuestion
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address
from rms.platform.json import JsonObject, JsonValue, parse_object
from rms.platform.problems import MAX_ITEMS, Found, WeightUnit, lack, what_is_ours
from rms.platform.shapes import (
    Amount,
    Code,
    Flag,
    Quantity,
    Shape,
    ShipmentDimension,
    Text,
    Time,
    Url,
    invalid,
    validated,
)

MAX_PERCENT: Final = 100


def read_order(raw: bytes, weight_unit: WeightUnit) -> ForwardShipment:
    """The parcel in a body of POST /forward/orders.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    return _shipment(parse_object(raw), weight_unit)


def read_label_request(raw: bytes, weight_unit: WeightUnit) -> ForwardShipment | str:
    """The parcel in a body of POST /forward/shipping-labels, or the code of one that RMS has.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    body = parse_object(raw)
    if lack(body.get("shipmentCode")) is not None or "orderDetails" in body:
        return _shipment(body, weight_unit)
    request, problems = validated(LabelAgain, body)
    problems += what_is_ours(body)
    if request is None or problems:
        raise invalid(LabelAgain, problems)
    return request.shipment_code


def read_invoice(raw: bytes) -> Invoice:
    """The invoice in a body of POST /forward/invoices.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(InvoiceMade, body)
    problems += what_is_ours(body)
    if request is None or problems:
        raise invalid(InvoiceMade, problems)
    return request.to_invoice()


def read_label_question(raw: bytes) -> LabelQuestion:
    """What a client's own system is to be asked for, in a body of POST /forward/web-shop-labels.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(AskForLabel, body)
    problems += what_is_ours(body)
    if request is None or problems:
        raise invalid(AskForLabel, problems)
    return request.to_question()


def _shipment(body: JsonObject, weight_unit: WeightUnit) -> ForwardShipment:
    request, problems = validated(ShipParcel, body)
    problems += [*what_is_ours(body), *_other_code(body)]
    if request is not None:
        problems += [*request.problems()]
    if request is None or problems:
        raise invalid(ShipParcel, problems)
    return request.to_shipment(weight_unit)


def _other_code(body: JsonObject) -> Iterator[Found]:
    """A code beside the details that is not theirs: nobody could say which parcel is meant."""
    details = body.get("orderDetails")
    named = body.get("shipmentCode")
    if lack(named) is None and isinstance(details, dict) and details.get("shipmentCode") != named:
        yield ("shipmentCode",), "must be that of orderDetails"


# ── a parcel ────────────────────────────────────────────────────────────────────────


def _percent(value: JsonValue) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= MAX_PERCENT:
        raise PydanticCustomError("percent", "must be a number from 0 to {most}", {"most": MAX_PERCENT})
    return Decimal(value)


Percent = Annotated[Decimal, PlainValidator(_percent)]


class ParcelAddress(Shape):
    """An address with a name in three parts."""

    first_name: Text
    middle_name: Text | None = None
    last_name: Text | None = None
    address_line1: Text
    address_line2: Text | None = None
    address_line3: Text | None = None
    city: Text
    state: Text
    zip: Code
    country: Text
    email: Text
    phone: Code

    def to_address(self) -> Address:
        """The address as RMS keeps it, the name in one."""
        return Address(
            name=" ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part),
            line1=self.address_line1,
            line2=self.address_line2,
            line3=self.address_line3,
            city=self.city,
            state=self.state,
            zip=self.zip,
            country=self.country,
            email=self.email,
            phone=self.phone,
        )


class Line(Shape):
    """One of `orderLineItems`: `quantity` units of a SKU; price and discount are per unit, tax is within the price."""

    item_code: Code | None = None
    sku: Code
    name: Text
    quantity: Quantity
    price: Amount
    discount: Amount | None = None
    tax_percent: Percent | None = None
    hsn: Code | None = None
    category: Text | None = None

    def to_item(self, number: int) -> ForwardItem:
        """The line as RMS keeps it; without a code of its own it is named by its SKU and place."""
        return ForwardItem(
            item_code=self.item_code or f"{self.sku}_{number}",
            sku=self.sku,
            name=self.name,
            quantity=self.quantity,
            price=self.price,
            discount=self.discount or Decimal(0),
            tax_percent=self.tax_percent,
            hsn=self.hsn,
            category=self.category,
        )


class ParcelDetails(Shape):
    """What is in the parcel, for which order, and how it is paid."""

    order_number: Code
    shipment_code: Code
    payment_type: Literal["PREPAID", "COD"]
    order_amount: Amount
    order_date: Time
    invoice_number: Code | None = None
    invoice_time: Time | None = None
    order_line_items: Annotated[list[Line], Field(min_length=1, max_length=MAX_ITEMS)]


class ShipParcel(Shape):
    """Body of POST /forward/orders and POST /forward/shipping-labels."""

    logistic_account_alias: Code | None = None
    currency_code: Code
    location_code: Code | None = None
    seller_gstin: Code | None = None
    shipment_dimension: ShipmentDimension
    pickup_address: ParcelAddress
    drop_address: ParcelAddress
    billing_address: ParcelAddress | None = None
    order_details: ParcelDetails

    def problems(self) -> Iterator[Found]:
        """What is wrong although each field by itself is right."""
        details = self.order_details
        if details.payment_type == "COD" and details.order_amount == 0:
            yield ("orderDetails", "orderAmount"), "must be above 0 when paymentType is COD"
        codes = Counter(line.item_code for line in details.order_line_items if line.item_code is not None)
        for index, line in enumerate(details.order_line_items):
            place = ("orderDetails", "orderLineItems", index)
            if line.discount is not None and line.discount > line.price:
                yield (*place, "discount"), "may be at most the price"
            if line.item_code is not None and codes[line.item_code] > 1:
                yield (*place, "itemCode"), "must be unique in the parcel"

    def to_shipment(self, unit: WeightUnit) -> ForwardShipment:
        """The parcel as RMS keeps it."""
        details = self.order_details
        return ForwardShipment(
            code=details.order_number,
            shipment_code=details.shipment_code,
            items=tuple(line.to_item(number) for number, line in enumerate(details.order_line_items, 1)),
            pickup=self.pickup_address.to_address(),
            drop=self.drop_address.to_address(),
            parcel=self.shipment_dimension.to_parcel(unit),
            amount=details.order_amount,
            ordered_at=details.order_date,
            cash_on_delivery=details.payment_type == "COD",
            billing=self.billing_address.to_address() if self.billing_address else None,
            currency=self.currency_code,
            location_code=self.location_code,
            account_alias=self.logistic_account_alias,
            invoice_number=details.invoice_number,
            invoice_time=details.invoice_time,
            seller_gstin=self.seller_gstin,
        )


class LabelAgain(Shape):
    """Body of POST /forward/shipping-labels for a parcel that RMS has."""

    shipment_code: Code


# ── an invoice ──────────────────────────────────────────────────────────────────────


def _id(value: JsonValue) -> str:
    # The vendor's own sample has a number here, its table a text.
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= 255:  # noqa: PLR2004 - as Code
        raise PydanticCustomError("id", "must be text of at most 255 characters")
    return str(value)


class InvoiceFacts(Shape):
    """`invoiceData`."""

    invoice_id: Annotated[str, PlainValidator(_id)]
    document_url: Url
    invoice_status: Code
    document_type: Literal["INVOICE", "CREDIT_NOTE"]
    irn: Code | None = None
    ack_name: Code | None = None
    ack_date: Code | None = None


class InvoiceMade(Shape):
    """Body of POST /forward/invoices."""

    forward_order_code: Code
    forward_shipment_code: Code
    invoice_data: InvoiceFacts

    def to_invoice(self) -> Invoice:
        """The invoice as RMS tells it."""
        data = self.invoice_data
        return Invoice(
            order_code=self.forward_order_code,
            shipment_code=self.forward_shipment_code,
            invoice_id=data.invoice_id,
            document_url=data.document_url,
            status=data.invoice_status,
            document_type=data.document_type,
            irn=data.irn,
            ack_name=data.ack_name,
            ack_date=data.ack_date,
        )


# ── a question to the web shop ──────────────────────────────────────────────────────


class AskForLabel(Shape):
    """Body of POST /forward/web-shop-labels."""

    order_code: Code
    shipment_id: Code | None = None
    shipment_code: Code
    location_code: Code | None = None
    are_pack_box_labels_required: Flag = False

    def to_question(self) -> LabelQuestion:
        """The question as RMS asks it."""
        return LabelQuestion(
            order_code=self.order_code,
            shipment_code=self.shipment_code,
            shipment_id=self.shipment_id,
            location_code=self.location_code,
            box_labels=self.are_pack_box_labels_required,
        )
