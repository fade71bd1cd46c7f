"""Reads the two creation requests: body in, return order out, or all that is wrong with it at once.

The models are the contract's tables: every field, its type, and whether it is always mandatory. What is mandatory
only at times is in `rms.returns.rules`. Source: RMS API contract, sections 3 (POST /return/return-orders) and
4 (POST /return/create).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from rms.clients.choice import Lane
from rms.model.return_order import Address, ForwardOrder, ReturnItem, ReturnOrder, SubTax
from rms.platform.json import parse_object
from rms.platform.problems import MAX_ITEMS, WeightUnit, what_is_ours
from rms.platform.shapes import (
    Amount,
    Code,
    Flag,
    Quantity,
    Shape,
    ShipmentDimension,
    SpreadCode,
    Text,
    Time,
    Url,
    invalid,
    validated,
)
from rms.returns.rules import (
    LINES,
    AccountProblem,
    BookingTerms,
    cash_on_delivery,
    create_presence,
    lane_in,
    order_presence,
    repeated_item_codes,
    too_many_units,
)

MAX_TAXES: Final = 10
"""Most taxes on one item."""

ALIAS: Final = "logisticAccountAlias"

OrderType = Literal["SELF_SHIP", "CUSTOMER_RETURN", "RETURN_TO_ORIGIN"]
RegionType = Literal["INDIAN", "INTERNATIONAL"]


def read_return_order(
    raw: bytes, terms_for: Callable[[Lane], BookingTerms | None], weight_unit: WeightUnit = "G"
) -> ReturnOrder:
    """The order in a body of POST /return/return-orders.

    Args:
        raw: The body as it came.
        terms_for: Gives what the accounts that may book such a return ask for; None when the client has none, so that
            only returns which the channel has booked can be taken.
        weight_unit: The client's unit, read only where there are no terms.

    Raises:
        BadJsonError: The body is not a JSON object.
        InvalidRequestError: Anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(CreateReturnOrder, body)
    terms = terms_for(lane_in(body))
    problems += [
        *what_is_ours(body),
        *repeated_item_codes(body),
        *cash_on_delivery(body),
        *order_presence(body, terms),
    ]
    if request is None or problems:
        raise invalid(CreateReturnOrder, problems)
    return request.to_order(terms.weight_unit if terms else weight_unit)


def read_return_with_awb(
    raw: bytes, terms_for: Callable[[str | None, Lane], BookingTerms | AccountProblem]
) -> ReturnOrder:
    """The order in a body of POST /return/create, for which RMS always books.

    Args:
        raw: The body as it came.
        terms_for: Gives what the account with this alias asks for (None: those that may book such a return), or why
            there is no such account. It is called at most once, and only with an alias that is well formed.

    Raises:
        BadJsonError: The body is not a JSON object.
        InvalidRequestError: Anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(CreateReturn, body)
    problems += [*what_is_ours(body), *cash_on_delivery(body), *too_many_units(body)]
    terms = None
    if all(path != (ALIAS,) for path, _ in problems):
        alias = body.get(ALIAS)
        terms = terms_for((alias.strip() or None) if isinstance(alias, str) else None, lane_in(body, LINES))
    match terms:
        case BookingTerms():
            problems += create_presence(body, terms)
        case AccountProblem(text):
            problems.append(((ALIAS,), text))
    if request is None or problems or not isinstance(terms, BookingTerms):
        raise invalid(CreateReturn, problems)
    return request.to_order(terms.weight_unit)


# ── what both requests hold ─────────────────────────────────────────────────────────


class ForwardFacts(Shape):
    """Facts about the forward order that both requests give."""

    cod_value: Amount
    invoice_number: Code | None = None
    invoice_time: Time | None = None
    invoice_value: Amount
    is_cod: bool


# ── POST /return/return-orders ──────────────────────────────────────────────────────


class SubTaxItem(Shape):
    """One of `subTaxItemData`."""

    type: Code
    rate: Amount
    tax_per_unit: Amount
    tax_total: Amount


class OrderItem(Shape):
    """One of `orderItems`: one unit."""

    item_code: Code
    reason: Text
    enable_door_step_qc: Flag = False
    channel_sku_code: Code
    name: Text | None = None
    brand: Text | None = None
    color: Text | None = None
    category: Text | None = None
    sub_category: Text | None = None
    serial_number: Code | None = None
    price: Amount | None = None
    final_amount_paid: Amount | None = None
    image_url: Url | None = None
    store_credits_used: Amount | None = None
    sub_tax_item_data: Annotated[list[SubTaxItem], Field(max_length=MAX_TAXES)] | None = None

    def to_item(self) -> ReturnItem:
        """The unit as RMS keeps it."""
        return ReturnItem(
            item_code=self.item_code,
            sku=self.channel_sku_code,
            reason=self.reason,
            doorstep_qc=self.enable_door_step_qc,
            name=self.name,
            brand=self.brand,
            color=self.color,
            category=self.category,
            sub_category=self.sub_category,
            serial_number=self.serial_number,
            price=self.price,
            final_amount_paid=self.final_amount_paid,
            image_url=self.image_url,
            store_credits_used=self.store_credits_used or Decimal(0),
            taxes=tuple(
                SubTax(tax.type, tax.rate, tax.tax_per_unit, tax.tax_total) for tax in self.sub_tax_item_data or ()
            ),
        )


class OrderAddress(Shape):
    """An address with lines."""

    name: Text
    line1: Text
    line2: Text | None = None
    line3: Text | None = None
    city: Text
    state: Text
    zip: Code
    country: Text
    email: Text
    phone: Code

    def to_address(self) -> Address:
        """The address as RMS keeps it."""
        return Address(**dict(self))


class OrderDetails(ForwardFacts):
    """Facts about the forward order."""

    forward_shipment_number: Code | None = None

    def to_forward(self) -> ForwardOrder:
        """The facts as RMS keeps them."""
        return ForwardOrder(
            cod_value=self.cod_value,
            is_cod=self.is_cod,
            invoice_value=self.invoice_value,
            invoice_number=self.invoice_number,
            invoice_time=self.invoice_time,
            shipment_number=self.forward_shipment_number,
        )


class CreateReturnOrder(Shape):
    """Body of POST /return/return-orders."""

    forward_order_code: Code
    return_order_code: Code
    location_code: Code
    return_order_time: Time | None = None
    return_order_status: Code | None = None
    expected_date: Time | None = None
    order_items: Annotated[list[OrderItem], Field(min_length=1, max_length=MAX_ITEMS)]
    order_type: OrderType | None = None
    awb_number: Code | None = None
    transporter: Code | None = None
    currency_code: Code | None = None
    region_type: RegionType | None = None
    return_reason: Text | None = None
    seller_gstin: Code | None = None
    consignee_gstin: Code | None = None
    shipment_dimension: ShipmentDimension | None = None
    drop_address: OrderAddress | None = None
    pickup_address: OrderAddress | None = None
    order_details: OrderDetails | None = None

    def to_order(self, unit: WeightUnit) -> ReturnOrder:
        """The order as RMS keeps it. What the clock would fill in stays None."""
        return ReturnOrder(
            code=self.return_order_code,
            forward_order_code=self.forward_order_code,
            items=tuple(item.to_item() for item in self.order_items),
            location_code=self.location_code,
            placed_at=self.return_order_time,
            channel_status=self.return_order_status,
            expected_at=self.expected_date,
            order_type=self.order_type or "CUSTOMER_RETURN",
            awb=self.awb_number,
            courier=self.transporter,
            currency=self.currency_code,
            region=self.region_type,
            reason=self.return_reason,
            seller_gstin=self.seller_gstin,
            consignee_gstin=self.consignee_gstin,
            parcel=self.shipment_dimension.to_parcel(unit) if self.shipment_dimension else None,
            drop=self.drop_address.to_address() if self.drop_address else None,
            pickup=self.pickup_address.to_address() if self.pickup_address else None,
            forward=self.order_details.to_forward() if self.order_details else None,
        )


# ── POST /return/create ─────────────────────────────────────────────────────────────


class CreateAddress(Shape):
    """An address with streets and a name in three parts."""

    first_name: Text
    middle_name: Text | None = None
    last_name: Text | None = None
    street1: Text
    street2: Text | None = None
    street3: Text | None = None
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
            line1=self.street1,
            line2=self.street2,
            line3=self.street3,
            city=self.city,
            state=self.state,
            zip=self.zip,
            country=self.country,
            email=self.email,
            phone=self.phone,
        )


class LineItem(Shape):
    """One of `orderLineItemList`: `quantity` units of a SKU."""

    client_sku_id: SpreadCode
    name: Text
    price: Amount
    quantity: Quantity
    final_amount_paid: Amount
    image_url: Url | None = None
    store_credits_used: Amount | None = None
    brand: Text | None = None
    color: Text | None = None
    category: Text | None = None
    sub_category: Text | None = None
    serial_number: Code | None = None
    enable_door_step_qc: Flag = False
    reason: Text | None = None

    def to_item(self, item_code: str) -> ReturnItem:
        """One of its units as RMS keeps it."""
        return ReturnItem(
            item_code=item_code,
            sku=self.client_sku_id,
            reason=self.reason,
            doorstep_qc=self.enable_door_step_qc,
            name=self.name,
            brand=self.brand,
            color=self.color,
            category=self.category,
            sub_category=self.sub_category,
            serial_number=self.serial_number,
            price=self.price,
            final_amount_paid=self.final_amount_paid,
            image_url=self.image_url,
            store_credits_used=self.store_credits_used or Decimal(0),
        )


class CreateDetails(ForwardFacts):
    """Facts about the forward order, the codes of both orders, and the lines."""

    order_date: Time
    order_number: Code
    forward_order_number: Code
    forward_shipment_number: Code | None = None
    order_line_item_list: Annotated[list[LineItem], Field(min_length=1, max_length=MAX_ITEMS)]

    def to_forward(self) -> ForwardOrder:
        """The facts as RMS keeps them."""
        return ForwardOrder(
            cod_value=self.cod_value,
            is_cod=self.is_cod,
            invoice_value=self.invoice_value,
            invoice_number=self.invoice_number,
            invoice_time=self.invoice_time,
            shipment_number=self.forward_shipment_number,
            order_time=self.order_date,
        )

    def to_items(self) -> Iterator[ReturnItem]:
        """The lines spread into units `{clientSkuId}_{n}`; n runs on where a SKU has several lines."""
        units: Counter[str] = Counter()
        for line in self.order_line_item_list:
            for _ in range(line.quantity):
                units[line.client_sku_id] += 1
                yield line.to_item(f"{line.client_sku_id}_{units[line.client_sku_id]}")


class CreateReturn(Shape):
    """Body of POST /return/create."""

    logistic_account_alias: Code | None = None
    currency_code: Code
    region_type: RegionType
    return_reason: Text
    seller_gstin: Code | None = None
    consignee_gstin: Code | None = None
    shipment_dimension: ShipmentDimension
    drop_address: CreateAddress
    pickup_address: CreateAddress
    order_details: CreateDetails

    def to_order(self, unit: WeightUnit) -> ReturnOrder:
        """The order as RMS keeps it. It has no location: the request has none."""
        return ReturnOrder(
            code=self.order_details.order_number,
            forward_order_code=self.order_details.forward_order_number,
            items=tuple(self.order_details.to_items()),
            account_alias=self.logistic_account_alias,
            currency=self.currency_code,
            region=self.region_type,
            reason=self.return_reason,
            seller_gstin=self.seller_gstin,
            consignee_gstin=self.consignee_gstin,
            parcel=self.shipment_dimension.to_parcel(unit),
            drop=self.drop_address.to_address(),
            pickup=self.pickup_address.to_address(),
            forward=self.order_details.to_forward(),
        )
