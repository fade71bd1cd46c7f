"""Test-sends: one sample notification to an endpoint, so that a client can try its receiver. Nothing of it is kept."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from rms.clients.configuration import endpoint_from
from rms.core import Core
from rms.journal.keys import endpoint_key
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import Direction
from rms.model.notification_type import NotificationType
from rms.notifications.judgement import Delivered, outcome_of
from rms.notifications.outgoing import composer_of, notify
from rms.notifications.payloads import (
    DocumentType,
    ForwardNotification,
    InvoiceNotification,
    Item,
    Notification,
    ReturnNotification,
)
from rms.notifications.sending import send
from rms.notifications.sinks.webhook import Message
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.http import HttpAnswer

ANSWER_SHOWN: Final = 1024
"""Bytes of the answer's body that are shown."""


@dataclass(frozen=True, slots=True)
class SampleSent:
    """What came of a sample: whether the receiver took it, and what it answered."""

    delivered: bool
    status: int | None
    elapsed_ms: int
    reason: str
    answer: str
    webhook_id: str

    def as_json(self) -> dict[str, str | int | bool | None]:
        """As the API shows it."""
        return {
            "delivered": self.delivered,
            "status": self.status,
            "elapsedMs": self.elapsed_ms,
            "reason": self.reason,
            "answer": self.answer,
            "webhookId": self.webhook_id,
        }


def send_sample(core: Core, client: str, endpoint_id: str, notification_type: str, direction: Direction) -> SampleSent:
    """Send a sample of what the endpoint is told once, signed and with the client's headers as every delivery is.

    An endpoint of another kind than notifications gets one of its own kind, whatever notification is named.
    Its `webhook-id` is fresh and a header `webhook-test: true` says what it is. A paused endpoint may be tried, and
    its filter is not asked.

    Raises:
        NotFoundError: no such endpoint.
        BadDataError: no such notification type.
        ConflictError: the endpoint is disabled.
    """
    if notification_type not in NotificationType.__members__:
        raise BadDataError("[notificationType: must be the name of a notification type, like DELIVERED]")
    row = core.table.get(endpoint_key(client, endpoint_id))
    if row is None:
        raise NotFoundError("No such endpoint")
    endpoint = endpoint_from(row)
    if endpoint.disabled:
        raise ConflictError("[endpoint: is disabled; resume it first]")
    message = f"msg_test_{core.fences()}"
    if endpoint.kind is EndpointKind.NOTIFICATION:
        notification = _sample(core, NotificationType(notification_type), direction)
        sample = notify(Message(message, notification), notification_type)
    else:
        sample = composer_of(endpoint.kind).sample(endpoint, message, core.clock())
    sent = send(core, client, endpoint, replace(sample, test=True))
    answer, judgement = sent.answer, sent.judgement
    return SampleSent(
        delivered=isinstance(judgement, Delivered),
        status=answer.status if isinstance(answer, HttpAnswer) else None,
        elapsed_ms=answer.elapsed_ms,
        reason=outcome_of(judgement),
        answer=answer.body[:ANSWER_SHOWN].decode("utf-8", "replace") if isinstance(answer, HttpAnswer) else "",
        webhook_id=message,
    )


def _sample(core: Core, name: NotificationType, direction: Direction) -> Notification:
    """A notification of this type as it could have been, of an order that is nobody's."""
    now = core.clock()
    raw_status = "Handed to a neighbour" if name is NotificationType.OTHER else None
    items = (Item("SAMPLE-ITEM-1", "SAMPLE-SKU-1", 1),)
    if name is NotificationType.INVOICE_GENERATED:
        return InvoiceNotification(
            sequence=1,
            received_at=now,
            forward_order_code="SAMPLE-ORDER-1",
            forward_shipment_code="SAMPLE-SHIPMENT-1",
            invoice_id="SAMPLE-INVOICE-1",
            document_url="https://example.com/invoices/SAMPLE-INVOICE-1.pdf",
            invoice_status="CREATED",
            document_type=DocumentType.INVOICE,
        )
    if direction == "FORWARD":
        return ForwardNotification(
            sequence=1,
            notification_type=name,
            received_at=now,
            forward_order_code="SAMPLE-ORDER-1",
            aggregator="CLICKPOST",
            forward_shipment_code="SAMPLE-SHIPMENT-1",
            forward_awb="SAMPLE00000001",
            courier="Sample Courier",
            raw_status=raw_status,
            warehouse_code="SAMPLE-WAREHOUSE-1",
            items=items,
        )
    return ReturnNotification(
        sequence=1,
        notification_type=name,
        received_at=now,
        forward_order_code="SAMPLE-ORDER-1",
        return_code="SAMPLE-RETURN-1",
        returned_at=now - timedelta(days=1),
        aggregator="CLICKPOST",
        return_awb="SAMPLE00000002",
        transporter="Sample Courier",
        forward_shipment_code="SAMPLE-SHIPMENT-1",
        courier="Sample Courier",
        raw_status=raw_status,
        items=items,
    )
