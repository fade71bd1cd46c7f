"""What an endpoint is told of an order: which events are its business, and which of them comes next."""

from typing import Final

from rms.clients.configuration import Endpoint
from rms.core import Core
from rms.journal import AggregateId, RecordedEvent
from rms.journal.cursors import again_of
from rms.journal.events import maybe_text, number
from rms.journal.hearing import wants
from rms.model.event_filter import DIRECTIONS
from rms.notifications.compose import location_of
from rms.platform.table import Item
from rms.platform.times import to_text

AT_ONCE: Final = 100
"""Events read at a time."""


def is_told(endpoint: Endpoint, aggregate: AggregateId, document: Item, recorded: RecordedEvent) -> bool:
    """Whether an event is one that the endpoint hears, by what it wishes now. `document` is the order's row."""
    by_place = endpoint.filter.locations and aggregate.kind in DIRECTIONS
    location = location_of(aggregate, document) if by_place else None
    return wants(endpoint.kind, endpoint.filter, aggregate.kind, recorded.event, location)


def event_in_hand(
    core: Core, endpoint: Endpoint, aggregate: AggregateId, document: Item, cursor: Item
) -> RecordedEvent | None:
    """The event that the endpoint is told next; None when it is owed nothing. `cursor` is its row."""
    again = again_of(cursor)
    if again:
        return next(iter(core.journal.events(aggregate, after=again[0] - 1, limit=1)), None)
    since = maybe_text(cursor, "since")
    # As delivery has it: one that was registered anew is told from then on.
    since = max(since, to_text(endpoint.created_at)) if since else ""
    after, head = number(cursor, "acked"), number(cursor, "head")
    while after < head:
        for recorded in core.journal.events(aggregate, after=after, limit=min(AT_ONCE, head - after)):
            if to_text(recorded.event.received_at) >= since and is_told(endpoint, aggregate, document, recorded):
                return recorded
        after += AT_ONCE
    return None
