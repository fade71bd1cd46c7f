"""What is told of a return that the warehouse has checked: the result of each of its units. Pure.

Excess items are not among them: whoever sold the others sold none of these, and knows them by no code.
"""

from datetime import datetime
from typing import Final

from rms.clients.configuration import Endpoint
from rms.journal.events import text
from rms.model.documents import from_document
from rms.model.processing import ItemResult
from rms.model.return_order import ReturnOrder
from rms.notifications.outgoing import Outgoing, Telling
from rms.notifications.sinks import return_ack
from rms.notifications.sinks.processed import ProcessedItem, QcStatus

SAMPLE_UNITS: Final = (
    ProcessedItem("SAMPLE-ITEM-1", "SAMPLE-SKU-1", QcStatus.PASS),
    ProcessedItem(
        "SAMPLE-ITEM-2",
        "SAMPLE-SKU-2",
        QcStatus.FAIL,
        "STAIN_DAMAGE",
        ("https://example.com/images/SAMPLE-ITEM-2.jpg",),
    ),
)


def outgoing(told: Telling) -> Outgoing | None:
    """The acknowledgement of a processed return. None when the event only tells of excess items."""
    order = from_document(text(told.document, "body"))
    if only_excess(told, order):
        return None
    message = return_ack.ReturnAck(
        id=told.message_id,
        sequence=told.recorded.sequence,
        return_code=order.code,
        forward_order_code=order.forward_order_code,
        location_code=told.background.said(told.recorded).location_code,
        items=units(told, order),
    )
    return _acknowledges(message, told.about)


def sample(_: Endpoint, message: str, __: datetime) -> Outgoing:
    """See `rms.notifications.outgoing.Composer`."""
    ack = return_ack.ReturnAck(message, 1, "SAMPLE-RETURN-1", "SAMPLE-ORDER-1", "SAMPLE-WAREHOUSE-1", SAMPLE_UNITS)
    return _acknowledges(ack, "SAMPLE")


def only_excess(told: Telling, order: ReturnOrder) -> bool:
    """Whether the event tells of nothing that was to come back."""
    expected = {item.item_code for item in order.items}
    return not any(item.item_code in expected for item in told.background.said(told.recorded).items)


def units(told: Telling, order: ReturnOrder) -> tuple[ProcessedItem, ...]:
    """The units that were to come back, each with the last word on it."""
    judged = told.background.judged(told.recorded)
    return tuple(found(judged[item.item_code].result) for item in order.wanted if item.item_code in judged)


def found(result: ItemResult) -> ProcessedItem:
    """A unit's result as sinks tell it."""
    return ProcessedItem(
        item_code=result.item_code,
        sku=result.sku,
        qc_status=QcStatus(result.verdict.value),
        qc_reason=result.reason,
        image_urls=result.image_urls,
    )


def _acknowledges(message: return_ack.ReturnAck, about: str) -> Outgoing:
    return Outgoing(
        id=message.id,
        about=about,
        build=lambda target, now: return_ack.build(target, message, now),
        judge=return_ack.judge,
        problems=return_ack.problems(message),
    )
