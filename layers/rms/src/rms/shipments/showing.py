"""What RMS shows of a return or a parcel besides its document: its booking, its timeline, what endpoints have heard."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from rms.core import Core
from rms.journal import AggregateId, RecordedEvent
from rms.journal.events import maybe_text, number, text
from rms.platform.table import Item
from rms.platform.times import to_text

EVENTS_SHOWN: Final = 500

_OF_A_BOOKING: Final = {
    "state": "state",
    "reference": "reference",
    "account": "logisticAccountAlias",
    "reason": "reason",
    "words": "refusal",
    "raw": "raw",
    "looks": "lookUps",
    "due_at": "nextLookUpAt",
    "order_id": "orderId",
    "label_url": "labelUrl",
}
_OF_A_CANCELLATION: Final = {
    "state": "state",
    "wanted_at": "wantedAt",
    "reason": "reason",
    "words": "refusal",
    "remark": "remark",
    "looks": "tries",
    "due_at": "nextTryAt",
}


class CursorState(StrEnum):
    """What a cursor waits for: nothing; to be told now; its next try; its endpoint; a person."""

    QUIET = "QUIET"
    DUE = "DUE"
    RETRYING = "RETRYING"
    PARKED = "PARKED"
    STALLED = "STALLED"


type Json = str | int | float | bool | Sequence["Json"] | dict[str, "Json"] | None


def life(
    core: Core, aggregate: AggregateId, status: Item, booking: Item | None, cancellation: Item | None = None
) -> dict[str, Json]:
    """Booking, wish to cancel, timeline and cursors, by the names they have outside. The arguments are the rows."""
    return {
        "booking": shown(booking, _OF_A_BOOKING),
        "cancellation": shown(cancellation, _OF_A_CANCELLATION),
        "timeline": [_event(recorded) for recorded in _events(core, aggregate, number(status, "sequence"))],
        "notifications": [cursor_shown(row) for row in core.table.query(aggregate.pk, prefix="CURSOR#").items],
    }


def _events(core: Core, aggregate: AggregateId, last: int) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    shown = min(last, EVENTS_SHOWN)
    while len(events) < shown:
        # No more than there are: an event that is not there is billed like one that is.
        more = core.journal.events(aggregate, after=len(events), limit=shown - len(events))
        if not more:
            break
        events.extend(more)
    return events


def shown(row: Item | None, names: Mapping[str, str]) -> Json:
    """What a row holds under some of its names, by those that they have outside."""
    if row is None:
        return None
    facts: dict[str, Json] = {}
    for name, outside in names.items():
        value = row.get(name)
        if isinstance(value, str | int):
            facts[outside] = value
    return facts


def _event(recorded: RecordedEvent) -> Json:
    event = recorded.event
    facts = {name: value for name, value in event.facts.items() if isinstance(value, str)}
    return {
        "sequence": recorded.sequence,
        "kind": event.kind.value,
        "notificationType": event.notification.value if event.notification else None,
        "occurredAt": to_text(event.occurred_at),
        "receivedAt": to_text(event.received_at),
        "facts": dict(facts),
    }


def cursor_shown(row: Item) -> dict[str, Json]:
    """How far an endpoint has heard an order, and what it waits for."""
    state = cursor_state(row)
    return {
        "endpoint": text(row, "endpoint"),
        "state": state.value,
        "acknowledged": number(row, "acked"),
        "latest": number(row, "head"),
        "failedTries": number(row, "attempts"),
        "waitingSince": maybe_text(row, "waiting_since"),
        "waitingBecause": maybe_text(row, "reason"),
        # One that is parked or stalled stands still.
        "nextTryAt": maybe_text(row, "due_at") if state in {CursorState.DUE, CursorState.RETRYING} else None,
        "stalled": state is CursorState.STALLED,
    }


def cursor_state(row: Item) -> CursorState:
    """What a cursor's row says it waits for."""
    shard = maybe_text(row, "due_shard") or ""
    if shard.startswith("stalled#"):
        return CursorState.STALLED
    if shard.startswith("parked#"):
        return CursorState.PARKED
    if not shard:
        return CursorState.QUIET
    return CursorState.RETRYING if number(row, "attempts") else CursorState.DUE
