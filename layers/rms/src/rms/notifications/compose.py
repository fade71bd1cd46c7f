"""From an event of the journal to the notification that subscribers hear. Pure."""

from collections.abc import Mapping

from rms.journal import AggregateId, EventKind, RecordedEvent
from rms.journal.events import text
from rms.model.documents import from_document
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.notifications.payloads import (
    DocumentType,
    ForwardNotification,
    InvoiceNotification,
    Item,
    Notification,
    ReturnNotification,
)
from rms.platform.table import Item as Row
from rms.platform.times import from_text

NO_AGGREGATOR = "NONE"
"""`logisticAggregatorName` of a return that its channel booked, for a client without any aggregator account."""


def compose(aggregate: AggregateId, document: Row, recorded: RecordedEvent) -> Notification:
    """The notification of an event that has one; everything it tells stands in the document and the event."""
    assert recorded.event.notification is not None
    order = from_document(text(document, "body"))
    if recorded.event.kind is EventKind.INVOICED:
        return _invoice(order, recorded)
    if aggregate.kind == "R":
        return _return(order, document, recorded, recorded.event.notification)
    return _forward(order, recorded, recorded.event.notification)


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


def _forward(order: ReturnOrder, recorded: RecordedEvent, name: NotificationType) -> ForwardNotification:
    return ForwardNotification(
        sequence=recorded.sequence,
        notification_type=name,
        received_at=recorded.event.received_at,
        forward_order_code=order.forward_order_code,
        aggregator=recorded.fact("aggregator") or NO_AGGREGATOR,
        forward_shipment_code=order.forward.shipment_number if order.forward else None,
        forward_awb=recorded.fact("awb") or order.awb,
        courier=recorded.fact("courier") or order.courier,
        metadata=_metadata(recorded),
        raw_status=recorded.fact("raw_text"),
        warehouse_code=order.location_code,
        items=_items(order),
    )


def _invoice(order: ReturnOrder, recorded: RecordedEvent) -> InvoiceNotification:
    def fact(name: str) -> str:
        return recorded.fact(name) or ""

    return InvoiceNotification(
        sequence=recorded.sequence,
        received_at=recorded.event.received_at,
        forward_order_code=order.forward_order_code,
        forward_shipment_code=fact("shipment_code"),
        invoice_id=fact("invoice_id"),
        document_url=fact("document_url"),
        invoice_status=fact("invoice_status"),
        document_type=DocumentType(fact("document_type") or DocumentType.INVOICE),
        irn=recorded.fact("irn"),
        ack_name=recorded.fact("ack_name"),
        ack_date=recorded.fact("ack_date"),
    )


def _items(order: ReturnOrder) -> tuple[Item, ...]:
    return tuple(Item(item.item_code, item.sku, 1) for item in order.items)


def _metadata(recorded: RecordedEvent) -> Mapping[str, str]:
    metadata = recorded.event.facts.get("metadata", {})
    assert isinstance(metadata, Mapping)
    return {name: str(value) for name, value in metadata.items()}
