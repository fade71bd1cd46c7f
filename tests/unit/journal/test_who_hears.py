"""Which endpoints an event marks: those whose filter may want it, and no other cursor is touched."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

from rms.journal import AggregateId, Appended, Created, Event, EventKind, Journal, Reader
from rms.model.event_filter import EventFilter
from rms.model.notification_type import NotificationType
from rms.platform.table import Value
from tests.fakes.table import FakeTable

AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
RETURN = AggregateId("lotus", "R", "RET-1")

ALL = Reader("all", "")
ENDS = Reader("ends", "", EventFilter(types=frozenset({NotificationType.DELIVERED})))
SHIPWAY = Reader("shipway", "", EventFilter(aggregators=frozenset({"SHIPWAY"})))
READERS = (ALL, ENDS, SHIPWAY)


def an_event(name: NotificationType | None, facts: Mapping[str, Value] | None = None) -> Event:
    return Event(f"of {name}", EventKind.TRACKED, AT, AT, name, facts or {})


def a_journal(table: FakeTable) -> Journal:
    fences = count(1)
    return Journal(table, lambda: AT, lambda: f"fence-{next(fences)}", pause=lambda _: None)


def heads(table: FakeTable) -> dict[str, Value]:
    """The last sequence number that each endpoint must hear, of those that must hear any."""
    rows = {reader.endpoint: table.get(RETURN.cursor(reader.endpoint)) for reader in READERS}
    return {endpoint: row["head"] for endpoint, row in rows.items() if row is not None}


def test_only_those_who_want_it_are_marked_and_named_in_the_answer() -> None:
    table = FakeTable()
    journal = a_journal(table)

    created = journal.create(RETURN, {}, {}, an_event(NotificationType.AWB_GENERATED), readers=READERS)
    assert isinstance(created, Created)
    assert created.readers == (ALL,)

    facts = {"aggregator": "SHIPWAY"}
    appended = journal.append(RETURN, an_event(NotificationType.DELIVERED, facts), lambda _: {}, readers=READERS)
    assert isinstance(appended, Appended)
    assert appended.readers == READERS
    assert heads(table) == {"all": 2, "ends": 2, "shipway": 2}


def test_what_nobody_wants_marks_nobody_and_leaves_the_heads_where_they_are() -> None:
    table = FakeTable()
    journal = a_journal(table)
    journal.create(RETURN, {}, {}, an_event(NotificationType.DELIVERED), readers=READERS)

    appended = journal.append(RETURN, an_event(NotificationType.IN_TRANSIT), lambda _: {}, readers=(ENDS, SHIPWAY))

    assert isinstance(appended, Appended)
    assert appended.readers == ()
    assert heads(table) == {"all": 1, "ends": 1}


def test_what_is_nobodys_business_marks_nobody() -> None:
    table = FakeTable()
    journal = a_journal(table)

    created = journal.create(RETURN, {}, {}, an_event(None), readers=READERS)

    assert isinstance(created, Created)
    assert created.readers == ()
    assert heads(table) == {}
