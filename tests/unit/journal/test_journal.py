"""What the shared suite cannot show on every engine: interleavings at a chosen call, and an engine that fails."""

from collections.abc import Mapping

import pytest

from rms.journal import AggregateId, Appended, Event, EventKind, Journal
from rms.journal.journal import ROUNDS
from rms.model.notification_type import NotificationType
from rms.platform.table import Item, TableContendedError, TableUnavailableError, Value
from tests.fakes.calls import Call, Calls, Fault, at
from tests.fakes.clock import FakeClock
from tests.fakes.table import FakeTable

RETURN = AggregateId("lotus", "R", "RET-5")


class Writer:
    """A journal on a fake table, and the pauses it made."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.pauses: list[float] = []
        self.table = FakeTable(self.calls)
        fences = iter(f"fence-{number}" for number in range(10_000))
        self.journal = Journal(self.table, FakeClock(), lambda: next(fences), self.pauses.append)
        self.journal.create(RETURN, {"body": "{}"}, {"state": "PLACED"}, an_event("PLACED"))

    def append(self, event_id: str) -> object:
        return self.journal.append(RETURN, an_event(event_id), unchanged)


@pytest.fixture
def writer() -> Writer:
    return Writer()


def test_an_append_that_lost_its_place_takes_the_next_one_from_the_row_that_refused_it(writer: Writer) -> None:
    def somebody_else(call: Call) -> None:
        if call.operation == "transact":
            writer.calls.before = lambda _: None
            writer.append("theirs")

    writer.calls.before = somebody_else
    reads = len(writer.calls.made)

    assert writer.append("ours") == Appended(3)

    operations = [call.operation for call in writer.calls.made[reads:]]
    assert operations == ["get", "transact", "get", "transact", "transact"], "one refusal costs one more write, no read"
    assert len(writer.pauses) == 1


def test_an_append_gives_up_when_others_come_first_again_and_again_and_has_written_nothing(writer: Writer) -> None:
    theirs = 0

    def always_quicker(call: Call) -> None:
        nonlocal theirs
        if call.operation == "transact":
            writer.calls.before = lambda _: None
            theirs += 1
            writer.append(f"theirs-{theirs}")
            writer.calls.before = always_quicker

    writer.calls.before = always_quicker
    with pytest.raises(TableContendedError):
        writer.append("ours")
    writer.calls.before = lambda _: None

    assert theirs == ROUNDS
    assert "ours" not in [each.event.event_id for each in writer.journal.events(RETURN)]
    assert writer.append("ours") == Appended(ROUNDS + 2)


def test_pauses_grow_and_stay_short(writer: Writer) -> None:
    writer.calls.plan = lambda call: Fault.THROTTLED if call.operation == "transact" else None

    with pytest.raises((TableContendedError, TableUnavailableError)):
        writer.append("ours")

    assert all(0 <= pause <= 0.2 for pause in writer.pauses)


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.LATE])
def test_an_append_whose_fate_is_unknown_says_so_and_is_safe_to_send_again(writer: Writer, fault: Fault) -> None:
    writer.calls.plan = at(len(writer.calls.made) + 2, fault)
    with pytest.raises(TableUnavailableError):
        writer.append("ours")
    writer.calls.land()

    writer.append("ours")

    assert [each.event.event_id for each in writer.journal.events(RETURN)] == ["PLACED", "ours"]


def an_event(event_id: str) -> Event:
    now = FakeClock()()
    return Event(event_id, EventKind.TRACKED, now, now, NotificationType.IN_TRANSIT)


def unchanged(_: Item) -> Mapping[str, Value]:
    return {}
