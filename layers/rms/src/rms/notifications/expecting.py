"""What a warehouse is told of a return that is to come. Pure.

Each event tells the whole return: the first as it was created, each other as it is when it is sent, for what has
changed is told by the events behind it. Source: RMS API contract, section 19.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from rms.clients.configuration import Endpoint
from rms.journal import EventKind, RecordedEvent
from rms.journal.events import maybe_text, text
from rms.journal.hearing import BROUGHT
from rms.model.documents import from_document
from rms.model.return_order import ReturnItem, ReturnOrder
from rms.notifications.outgoing import Outgoing, Telling
from rms.notifications.sinks import return_expectation
from rms.notifications.sinks.return_expectation import Expectation, ExpectationEvent

LOCATION: Final = "locationCode"
"""The endpoint's setting: where a return goes that names no warehouse."""

_SAYS: Final[Mapping[EventKind, ExpectationEvent]] = {
    EventKind.PLACED: ExpectationEvent.CREATE,
    EventKind.CORRECTED: ExpectationEvent.UPDATE,
    EventKind.ITEMS_ADDED: ExpectationEvent.UPDATE,
    EventKind.AWB_BOOKED: ExpectationEvent.UPDATE,
    EventKind.TRACKED: ExpectationEvent.UPDATE,
    EventKind.ITEMS_CANCELLED: ExpectationEvent.PARTIAL_CANCEL,
    EventKind.CANCELLED: ExpectationEvent.CANCEL,
    EventKind.PROCESSED: ExpectationEvent.COMPLETE,
}


def outgoing(told: Telling) -> Outgoing:
    """The event as the warehouse hears it."""
    order, recorded = from_document(text(told.document, "body")), told.recorded
    first = recorded.event.kind is EventKind.PLACED
    if first:
        order = order.as_created
    status = {} if first else told.background.status
    message = Expectation(
        id=told.message_id,
        sequence=recorded.sequence,
        event=says(recorded),
        order=replace(order, location_code=order.location_code or told.endpoint.settings.get(LOCATION)),
        awb=recorded.fact("awb") or maybe_text(status, "awb") or order.awb,
        courier=recorded.fact("courier") or maybe_text(status, "courier") or order.courier,
        cancelled=frozenset(item.item_code for item in order.items if item.cancelled),
        weight_unit="KG" if told.background.client.get("weight_unit") == "KG" else "G",
    )
    return _announces(message, told.about)


def sample(endpoint: Endpoint, message: str, now: datetime) -> Outgoing:
    """See `rms.notifications.outgoing.Composer`."""
    order = ReturnOrder(
        code="SAMPLE-RETURN-1",
        forward_order_code="SAMPLE-ORDER-1",
        items=(ReturnItem("SAMPLE-ITEM-1", "SAMPLE-SKU-1", "Too small"),),
        location_code=endpoint.settings.get(LOCATION, "SAMPLE-WAREHOUSE-1"),
        placed_at=now - timedelta(days=1),
    )
    awb, courier = "SAMPLE00000001", "Sample Courier"
    return _announces(Expectation(message, 1, ExpectationEvent.CREATE, order, awb, courier), "SAMPLE")


def says(recorded: RecordedEvent) -> ExpectationEvent:
    """What an event is for the warehouse. A carrier's own word that it does not come is a cancellation, too."""
    cancelled = recorded.fact(BROUGHT) == "CANCELLED"
    return ExpectationEvent.CANCEL if cancelled else _SAYS[recorded.event.kind]


def _announces(message: Expectation, about: str) -> Outgoing:
    return Outgoing(
        id=message.id,
        about=about,
        build=lambda target, now: return_expectation.build(target, message, now),
        judge=return_expectation.judge,
        problems=return_expectation.problems(message),
    )
