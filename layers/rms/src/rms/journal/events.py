"""Events: what happened to an aggregate, in the order RMS learned it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rms.model.notification_type import NotificationType
from rms.platform.table import Item, Value
from rms.platform.times import from_text, to_text


class EventKind(StrEnum):
    """What kind of thing happened."""

    PLACED = "PLACED"
    CORRECTED = "CORRECTED"
    ITEMS_ADDED = "ITEMS_ADDED"
    ITEMS_CANCELLED = "ITEMS_CANCELLED"
    ORDERED = "ORDERED"
    AWB_BOOKED = "AWB_BOOKED"
    AWB_REFUSED = "AWB_REFUSED"
    BOOKING_HELD = "BOOKING_HELD"
    CANCELLED = "CANCELLED"
    CANCELLATION_REFUSED = "CANCELLATION_REFUSED"
    CANCELLATION_HELD = "CANCELLATION_HELD"
    LABELLED = "LABELLED"
    LABEL_HELD = "LABEL_HELD"
    TRACKED = "TRACKED"
    INVOICED = "INVOICED"
    PROCESSED = "PROCESSED"
    PROCESSING_CORRECTED = "PROCESSING_CORRECTED"
    REQUEST_CHANGED = "REQUEST_CHANGED"
    WRITTEN_BACK = "WRITTEN_BACK"
    WRITE_BACK_HELD = "WRITE_BACK_HELD"
    EXCHANGE_LINKED = "EXCHANGE_LINKED"
    EXCHANGE_RELEASED = "EXCHANGE_RELEASED"
    EXCHANGE_CANCELLED = "EXCHANGE_CANCELLED"
    EXCHANGE_HELD = "EXCHANGE_HELD"
    ENDPOINT_DISABLED = "ENDPOINT_DISABLED"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `event_id` is the same however often the news of it arrives. `occurred_at` is the source's time, `received_at`
    ours. `notification` is what subscribers hear, None when it is nobody's business. `facts` are small named values
    (AWB, courier, aggregator, raw status); an event stays under 1 KB.
    """

    event_id: str
    kind: EventKind
    occurred_at: datetime
    received_at: datetime
    notification: NotificationType | None = None
    facts: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its place in the journal, counted from 1."""

    sequence: int
    event: Event

    def fact(self, name: str) -> str | None:
        """A fact as text, or None."""
        value = self.event.facts.get(name)
        return value if isinstance(value, str) else None


def to_item(event: Event, sequence: int, fence: str) -> Item:
    """As stored; `fence` marks who wrote it."""
    return {
        "sequence": sequence,
        "event_id": event.event_id,
        "kind": event.kind.value,
        "occurred_at": to_text(event.occurred_at),
        "received_at": to_text(event.received_at),
        "fence": fence,
        **({"notification": event.notification.value} if event.notification else {}),
        **({"facts": event.facts} if event.facts else {}),
    }


def from_item(item: Item) -> RecordedEvent:
    """What `to_item` stored."""
    notification = item.get("notification")
    facts = item.get("facts", {})
    assert isinstance(facts, Mapping)
    return RecordedEvent(
        sequence=number(item, "sequence"),
        event=Event(
            event_id=text(item, "event_id"),
            kind=EventKind(text(item, "kind")),
            occurred_at=from_text(text(item, "occurred_at")),
            received_at=from_text(text(item, "received_at")),
            notification=NotificationType(str(notification)) if notification else None,
            facts=facts,
        ),
    )


def text(item: Item, name: str) -> str:
    """A text attribute that must be there."""
    value = item[name]
    assert isinstance(value, str), name
    return value


def maybe_text(item: Item, name: str) -> str | None:
    """A text attribute, or None when it is absent or empty."""
    value = item.get(name)
    return value if isinstance(value, str) and value else None


def number(item: Item, name: str) -> int:
    """A whole-number attribute that must be there."""
    value = item[name]
    assert isinstance(value, int), name
    return value
