"""What an ERP is told of a return that is processed: all that RMS holds of it, by docs/erp-posting.md. Pure.

The rules stand field by field in `rms.notifications.sinks.erp_fields`. Nothing is made up: what RMS does not hold is
not told, and a return of which something mandatory is not held is not posted before it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from rms.clients.configuration import Endpoint
from rms.journal.events import maybe_text, text
from rms.model.documents import from_document
from rms.model.forward_shipment import ForwardItem
from rms.model.notification_type import NotificationType as N
from rms.model.processing import PartResult
from rms.model.return_order import Address, ReturnItem, ReturnOrder
from rms.notifications.background import KnownParcel
from rms.notifications.checked import SAMPLE_UNITS, found
from rms.notifications.outgoing import Outgoing, Telling
from rms.notifications.sinks import erp_posting
from rms.notifications.sinks.erp_values import (
    BundledChildItem,
    BundledSku,
    ChildItem,
    ChildSku,
    CustomerAddress,
    ItemStatus,
    OrderAttributes,
    PaymentMethod,
    PostedItem,
    Posting,
    ReturnType,
    Shipment,
    ShipmentItem,
    ShipmentStatus,
    Tax,
    VirtualChildItem,
    VirtualSku,
)
from rms.notifications.sinks.processed import QcStatus
from rms.platform.times import from_text
from rms.returns.results import Judged

_STANDS: Final[Mapping[str, ShipmentStatus]] = {
    **dict.fromkeys(
        (
            N.PICKED_UP,
            N.SHIPPED,
            N.IN_TRANSIT,
            N.MISROUTED,
            N.REACHED_DESTINATION_HUB,
            N.OUT_FOR_DELIVERY,
            N.FAILED_DELIVERY,
            N.UNDELIVERED,
            N.RTO,
        ),
        ShipmentStatus.DISPATCHED,
    ),
    N.DELIVERED: ShipmentStatus.DELIVERED,
    N.FULFILLED: ShipmentStatus.DELIVERED,
    N.CANCELLED: ShipmentStatus.CANCELLED,
}
"""A forward parcel's state by the ERP's words. What is lost, damaged or back at the seller has none of them."""


def outgoing(told: Telling) -> Outgoing:
    """The posting of a processed return, by what the warehouse had said when the event happened."""
    order, recorded, parcels = from_document(text(told.document, "body")), told.recorded, told.background.parcels
    judged, said = told.background.judged(recorded), told.background.said(recorded)
    settings = told.endpoint.settings
    posting = Posting(
        id=told.message_id,
        sequence=recorded.sequence,
        message_id=erp_posting.message_id(told.aggregate.client, told.aggregate.code, recorded.sequence),
        partner_code=settings.get("partnerCode"),
        partner_location_code=settings.get("partnerLocationCode"),
        location_code=said.location_code,
        channel=said.channel or settings.get("channelName"),
        forward_order_code=order.forward_order_code,
        return_code=order.code,
        payment_method=_payment(order, parcels),
        return_type=ReturnType(order.order_type) if order.order_type in ReturnType else None,
        occurred_at=recorded.event.occurred_at,
        created_at=order.placed_at or from_text(text(told.document, "received_at")),
        items=tuple(_items(order, judged, parcels)),
        shipping_address=_first_address([*(each.shipment.drop for each in parcels), order.pickup]),
        billing_address=_first_address(
            [*(each.shipment.billing or each.shipment.drop for each in parcels), order.pickup]
        ),
        awb=maybe_text(told.background.status, "awb") or order.awb,
        shipments=tuple(shipment for each in parcels if (shipment := _shipment(order, each)) is not None),
        virtual_skus=tuple(
            VirtualSku(sku, children=_children(parts))
            for sku, parts in _combinations((each.result.sku, each.result.virtual_parts) for each in judged.values())
        ),
        bundled_skus=tuple(
            BundledSku(sku, _children(parts))
            for sku, parts in _combinations((each.result.sku, each.result.bundled_parts) for each in judged.values())
        ),
        order_attributes=OrderAttributes(currency=order.currency) if order.currency else None,
    )
    return _posts(posting, told.about)


def sample(endpoint: Endpoint, message: str, now: datetime) -> Outgoing:
    """See `rms.notifications.outgoing.Composer`."""
    address = CustomerAddress("560001", "INDIA", name="Sample Customer", city="Bengaluru")
    posting = Posting(
        id=message,
        sequence=1,
        message_id=erp_posting.message_id("sample", message, 1),
        partner_code=endpoint.settings.get("partnerCode"),
        partner_location_code=endpoint.settings.get("partnerLocationCode"),
        location_code="SAMPLE-WAREHOUSE-1",
        channel=endpoint.settings.get("channelName", "SAMPLE-CHANNEL"),
        forward_order_code="SAMPLE-ORDER-1",
        return_code="SAMPLE-RETURN-1",
        payment_method=PaymentMethod.NCOD,
        return_type=ReturnType.CUSTOMER_RETURN,
        occurred_at=now,
        created_at=now - timedelta(days=5),
        items=tuple(PostedItem(unit, ItemStatus.RECEIVED, Decimal(100), excess=False) for unit in SAMPLE_UNITS),
        shipping_address=address,
        billing_address=address,
    )
    return _posts(posting, "SAMPLE")


def _posts(message: Posting, about: str) -> Outgoing:
    return Outgoing(
        id=message.id,
        about=about,
        build=lambda target, now: erp_posting.build(target, message, now),
        judge=erp_posting.judge,
        problems=erp_posting.problems(message),
    )


# ── parts of it ─────────────────────────────────────────────────────────────────────


def _payment(order: ReturnOrder, parcels: tuple[KnownParcel, ...]) -> PaymentMethod | None:
    told = [order.forward.is_cod] if order.forward else [each.shipment.cash_on_delivery for each in parcels]
    if not told:
        return None
    return PaymentMethod.COD if told[0] else PaymentMethod.NCOD


def _items(order: ReturnOrder, judged: Mapping[str, Judged], parcels: tuple[KnownParcel, ...]) -> Iterator[PostedItem]:
    """The units that were to come back, as the return has them; then what came besides."""
    sold = {item.sku: item for each in reversed(parcels) for item in reversed(each.shipment.items)}
    units = {item.item_code: item for item in order.items}
    codes = [item.item_code for item in order.wanted if item.item_code in judged]
    codes += [code for code in judged if code not in units]
    for code in codes:
        yield _item(judged[code], units.get(code), order.reason, sold)


def _item(judged: Judged, unit: ReturnItem | None, reason: str | None, sold: Mapping[str, ForwardItem]) -> PostedItem:
    result, parcel_item = judged.result, sold.get(judged.result.sku)
    price = unit.price if unit is not None else None
    return PostedItem(
        found=found(result),
        status=ItemStatus(result.found.value),
        selling_price=price if price is not None or parcel_item is None else parcel_item.price,
        return_reason=None if unit is None else unit.reason or reason,
        seller_discount=parcel_item.discount or None if parcel_item is not None else None,
        excess=result.excess,
        virtual_children=tuple(_child(VirtualChildItem, part) for part in result.virtual_parts),
        bundled_children=tuple(_child(BundledChildItem, part) for part in result.bundled_parts),
    )


def _child[C: ChildItem](kind: type[C], part: PartResult) -> C:
    return kind(
        oms_return_item_id=part.oms_item_id,
        status=ItemStatus(part.found.value) if part.found else None,
        sku=part.sku,
        qc_status=QcStatus(part.verdict.value) if part.verdict else None,
        qc_reason=part.reason,
        barcode=part.barcode,
        client_sku=part.client_sku,
    )


def _combinations(
    told: Iterable[tuple[str, tuple[PartResult, ...]]],
) -> Iterator[tuple[str, tuple[PartResult, ...]]]:
    """Each SKU of whose unit parts are told, with the parts of the unit of which most are."""
    fullest: dict[str, tuple[PartResult, ...]] = {}
    for sku, parts in told:
        if len(parts) > len(fullest.get(sku, ())):
            fullest[sku] = parts
    yield from fullest.items()


def _children(parts: tuple[PartResult, ...]) -> tuple[ChildSku, ...]:
    """What one combination holds: parts that are the same child, by whatever names it, are counted together."""
    counts: dict[tuple[str | None, str | None, str | None], int] = {}
    for part in parts:
        child = (part.sku, part.barcode, part.client_sku)
        counts[child] = counts.get(child, 0) + part.quantity
    return tuple(ChildSku(sku, count, barcode, client_sku) for (sku, barcode, client_sku), count in counts.items())


def _shipment(order: ReturnOrder, parcel: KnownParcel) -> Shipment | None:
    """A forward parcel; None when RMS does not hold the taxes of all that is in it."""
    shipment, invoice = parcel.shipment, parcel.invoice
    items = tuple(
        ShipmentItem(item.sku, item.item_code, item.quantity, item.price, _taxes(order, item.sku))
        for item in shipment.items
    )
    if any(item.taxes is None for item in items):
        return None
    forward = order.forward
    # The return tells the invoice of the parcel that it names, and of no other.
    told = forward if forward is not None and forward.shipment_number == shipment.shipment_code else None
    return Shipment(
        items=items,
        code=shipment.shipment_code,
        generated_invoice_id=invoice.fact("invoice_id") if invoice else None,
        generated_invoice_at=invoice.event.occurred_at if invoice else None,
        invoice_url=invoice.fact("document_url") if invoice else None,
        external_invoice_id=shipment.invoice_number or (told.invoice_number if told else None),
        external_invoice_at=shipment.invoice_time or (told.invoice_time if told else None),
        irn=invoice.fact("irn") if invoice else None,
        status=_STANDS.get(parcel.state),
        location_code=shipment.location_code,
    )


def _taxes(order: ReturnOrder, sku: str) -> tuple[Tax, ...] | None:
    """The taxes of a SKU, as a unit of it that comes back has them; None when none tells any."""
    told = next((item.taxes for item in order.items if item.sku == sku and item.taxes), None)
    return None if told is None else tuple(Tax(tax.type, tax.rate, tax.per_unit) for tax in told)


def _first_address(known: Iterable[Address | None]) -> CustomerAddress | None:
    address = next((each for each in known if each is not None), None)
    if address is None:
        return None
    return CustomerAddress(**{each.name: getattr(address, each.name) or None for each in fields(Address)})
