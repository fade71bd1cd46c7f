from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from rms.journal import AggregateId, Appended, Event, EventKind, Journal, Reader
from rms.model.notification_type import NotificationType
from rms.platform.table import Item
from tests.fakes.table import FakeTable

AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
RETURN = AggregateId("lotus", "R", "RET-1")


def an_event(name: str) -> Event:
    return Event(event_id=name, kind=EventKind.TRACKED, occurred_at=AT, received_at=AT)


def a_journal_of(table: FakeTable) -> Journal:
    fences = count(1)
    return Journal(table, lambda: AT, lambda: f"fence-{next(fences)}", pause=lambda _: None)


def appended(journal: Journal, name: str, known: Item | None) -> object:
    return journal.append(RETURN, an_event(name), lambda status: {"seen": str(status["sequence"])}, status=known)


def test_a_status_that_the_caller_knows_is_not_read_again() -> None:
    table = FakeTable()
    journal = a_journal_of(table)
    journal.create(RETURN, {}, {"state": "NEW"}, an_event("PLACED"))
    table.calls.made.clear()

    assert appended(journal, "first", {"state": "NEW", "sequence": 1}) == Appended(2)
    assert [call.operation for call in table.calls.made] == ["transact"]


def test_a_status_that_is_out_of_date_costs_one_refusal_and_loses_nothing() -> None:
    table = FakeTable()
    journal = a_journal_of(table)
    journal.create(RETURN, {}, {"state": "NEW"}, an_event("PLACED"))
    appended(journal, "by somebody else", None)

    assert appended(journal, "ours", {"state": "NEW", "sequence": 1}) == Appended(3)
    status = journal.status(RETURN)
    assert status is not None
    assert (status["sequence"], status["seen"]) == (3, "2")


def test_whether_somebody_must_hear_of_an_event_is_decided_by_the_status_that_it_is_appended_to() -> None:
    table = FakeTable()
    journal = a_journal_of(table)
    journal.create(RETURN, {}, {"state": "NEW"}, an_event("PLACED"))
    journal.append(RETURN, an_event("by somebody else"), lambda _: {"state": "CANCELLED"})
    readers = [Reader("shop", "")]

    def event(status: Item) -> Event:
        told = None if status["state"] == "CANCELLED" else NotificationType.CANCELLED
        return replace(an_event("ours"), notification=told)

    out_of_date: Item = {"state": "NEW", "sequence": 1}
    assert journal.append(RETURN, event, lambda _: {}, readers=readers, status=out_of_date) == Appended(3)

    assert journal.events(RETURN, after=2)[0].event.notification is None
    assert table.get(RETURN.cursor("shop")) is None
    journal.append(RETURN, an_event("again"), lambda _: {"state": "NEW"})
    other = lambda status: replace(event(status), event_id="another")  # noqa: E731 - the same, under another id
    journal.append(RETURN, other, lambda _: {}, readers=readers)
    assert table.get(RETURN.cursor("shop")) is not None
