"""The five ideas as code: aggregates with a journal of events, readers with cursors, due work as rows."""

from rms.journal.cursors import Attempt, Cursors, Lease, LeaseLostError, NotDue, Reader
from rms.journal.events import Event, EventKind, RecordedEvent
from rms.journal.journal import Appended, Blocked, Created, Duplicate, Exists, Journal, NoAggregateError
from rms.journal.keys import AggregateId

__all__ = [
    "AggregateId",
    "Appended",
    "Attempt",
    "Blocked",
    "Created",
    "Cursors",
    "Duplicate",
    "Event",
    "EventKind",
    "Exists",
    "Journal",
    "Lease",
    "LeaseLostError",
    "NoAggregateError",
    "NotDue",
    "Reader",
    "RecordedEvent",
]
