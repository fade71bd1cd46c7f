"""From an event of the journal to the notification that subscribers hear. Pure."""

from collections.abc import Mapping

from rms.journal import AggregateId, EventKind, RecordedEvent
from rms.journal.events import text
from rms.model.documents import from_document, parcel_from_document
from rms.model.event_filter import NO_AGGREGATOR
from rms.model.forward_shipment import ForwardParcel
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.notifications.payloads import (
    DocumentType,
    EndpointNotice,
    ForwardNotification,
    InvoiceNotification,
    Item,
    Notification,
    ReturnNotification,
)
from rms.platform.table import Item as Row
from rms.platform.times import from_text

TELLS_NO_ITEMS = frozenset({"SHIPROCKET"})
"""Aggregators whose forward notifications have no items. Source: RMS API contract, section 15.1."""


def compose(aggregate: AggregateId, document: Row, recorded: RecordedEvent) -> Notification:
    """The notification of an event that has one; everything it tells stands in the document and the event."""
    assert recorded.event.notification is not None
    if aggregate.kind == "E":
        return _notice(recorded)
    body = text(document, "body")
    if aggregate.kind == "S":
        shipment = parcel_from_document(body)
        if recorded.event.kind is EventKind.INVOICED:
            return _invoice(shipment.code, shipment.shipment_code, recorded)
        return _forward(shipment, recorded, recorded.event.notification)
    order = from_document(body)
    if recorded.event.kind is EventKind.INVOICED:
        number = order.forward.shipment_number if order.forward else None
        return _invoice(order.forward_order_code, number or "", recorded)
    return _return(order, document, recorded, recorded.event.notification)


def location_of(aggregate: AggregateId, document: Row) -> str | None:
    """The location that a return goes back to, or that a parcel comes from; an endpoint is nowhere."""
    if aggregate.kind == "E":
        return None
    body = text(document, "body")
    return parcel_from_document(body).location_code if aggregate.kind == "S" else from_document(body).location_code


def _return(order: ReturnOrder, document: Row, recorded: RecordedEvent, name: NotificationType) -> ReturnNotification:
    return ReturnNotification(
        sequence=recorded.sequence,
        notification_type=name,
        received_at=recorded.event.received_at,
        forward_order_code=order.forward_order_code,
        return_code=order.code,
        returned_at=order.placed_at or from_text(text(document, "received_at")),
        aggregator=recorded.fact("aggregator") or NO_AGGREGATOR,
        return_awb=recorded.fact("awb") or order.awb,
        transporter=recorded.fact("courier") or order.courier,
        forward_shipment_code=order.forward.shipment_number if order.forward else None,
        courier=recorded.fact("courier") or order.courier,
        metadata=_metadata(recorded),
        raw_status=recorded.fact("raw_text"),
        items=_items(order),
    )


def _forward(shipment: ForwardParcel, recorded: RecordedEvent, name: NotificationType) -> ForwardNotification:
    aggregator = recorded.fact("aggregator") or NO_AGGREGATOR
    items = tuple(Item(item.item_code, item.sku, item.quantity) for item in shipment.items)
    return ForwardNotification(
        sequence=recorded.sequence,
        notification_type=name,
        received_at=recorded.event.received_at,
        forward_order_code=shipment.code,
        aggregator=aggregator,
        forward_shipment_code=shipment.shipment_code,
        forward_awb=recorded.fact("awb"),
        courier=recorded.fact("courier"),
        metadata=_metadata(recorded),
        raw_status=recorded.fact("raw_text"),
        warehouse_code=shipment.location_code,
        items=None if aggregator in TELLS_NO_ITEMS or not items else items,
    )


def _invoice(order_code: str, shipment_code: str, recorded: RecordedEvent) -> InvoiceNotification:
    """What was invoiced: the parcel itself, or that of a return, unless the event names another one."""

    def fact(name: str) -> str:
        return recorded.fact(name) or ""

    return InvoiceNotification(
        sequence=recorded.sequence,
        received_at=recorded.event.received_at,
        forward_order_code=order_code,
        forward_shipment_code=fact("shipment_code") or shipment_code,
        invoice_id=fact("invoice_id"),
        document_url=fact("document_url"),
        invoice_status=fact("invoice_status"),
        document_type=DocumentType(fact("document_type") or DocumentType.INVOICE),
        irn=recorded.fact("irn"),
        ack_name=recorded.fact("ack_name"),
        ack_date=recorded.fact("ack_date"),
    )


def _notice(recorded: RecordedEvent) -> EndpointNotice:
    disabled_at = recorded.fact("disabled_at")
    return EndpointNotice(
        sequence=recorded.sequence,
        received_at=recorded.event.received_at,
        endpoint=recorded.fact("endpoint") or "",
        reason=recorded.fact("reason") or "",
        disabled_at=from_text(disabled_at) if disabled_at else recorded.event.occurred_at,
    )


def _items(order: ReturnOrder) -> tuple[Item, ...]:
    return tuple(Item(item.item_code, item.sku, 1) for item in order.items)


def _metadata(recorded: RecordedEvent) -> Mapping[str, str]:
    metadata = recorded.event.facts.get("metadata", {})
    assert isinstance(metadata, Mapping)
    return {name: str(value) for name, value in metadata.items()}
