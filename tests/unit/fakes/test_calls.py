import pytest

from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.queues import QueueUnavailableError
from rms.platform.table import (
    NEW,
    ConditionFailedError,
    Equals,
    Key,
    Put,
    TableContendedError,
    TableUnavailableError,
    Update,
)
from tests.fakes.calls import Calls, Fault, ProcessKilledError, at
from tests.fakes.clock import FakeClock
from tests.fakes.http import FakeHttp, answer, json_of
from tests.fakes.queues import FakeQueues
from tests.fakes.table import FakeTable

KEY = Key("P", "S")


def test_calls_of_all_fakes_are_numbered_in_one_sequence() -> None:
    calls = Calls()
    table, queues, http = FakeTable(calls), FakeQueues(FakeClock(), calls), FakeHttp(calls)
    http.on("https://partner/", lambda _: answer())

    table.write(Put(KEY, {}, NEW))
    queues.send("bookings", [{"n": 1}])
    http.send(HttpRequest("GET", "https://partner/x"))

    assert [(call.number, call.port, call.operation) for call in calls.made] == [
        (1, "table", "write"),
        (2, "queues", "send bookings"),
        (3, "http", "send"),
    ]


@pytest.mark.parametrize(
    ("fault", "seen", "happened"),
    [
        (Fault.KILLED_BEFORE, ProcessKilledError, False),
        (Fault.KILLED_AFTER, ProcessKilledError, True),
        (Fault.REPLY_LOST, TableUnavailableError, True),
        (Fault.LATE, TableUnavailableError, False),
        (Fault.THROTTLED, TableUnavailableError, False),
        (Fault.REPEATED, ConditionFailedError, True),
    ],
)
def test_a_fault_strikes_one_call_of_the_table(fault: Fault, seen: type[BaseException], *, happened: bool) -> None:
    table = FakeTable(Calls(plan=at(1, fault)))

    with pytest.raises(seen):
        table.write(Put(KEY, {}, NEW))

    assert (table.get(KEY) is not None) is happened


def test_no_code_of_ours_survives_the_death_of_its_process() -> None:
    assert not issubclass(ProcessKilledError, Exception)


def test_a_late_effect_lands_and_is_judged_when_it_lands() -> None:
    calls = Calls(plan=at(2, Fault.LATE))
    table = FakeTable(calls)
    table.write(Put(KEY, {"n": 1}, NEW))
    with pytest.raises(TableUnavailableError):
        table.write(Update(KEY, {"n": Equals(1)}, set={"n": 2}))
    assert table.get(KEY) == {"PK": "P", "SK": "S", "n": 1}

    calls.land()

    assert table.get(KEY) == {"PK": "P", "SK": "S", "n": 2}


def test_a_late_effect_whose_condition_no_longer_holds_is_refused_silently() -> None:
    calls = Calls(plan=at(2, Fault.LATE))
    table = FakeTable(calls)
    table.write(Put(KEY, {"n": 1}, NEW))
    with pytest.raises(TableUnavailableError):
        table.write(Update(KEY, {"n": Equals(1)}, set={"n": 2}))
    table.write(Update(KEY, {"n": Equals(1)}, set={"n": 3}))

    calls.land()

    assert table.get(KEY) == {"PK": "P", "SK": "S", "n": 3}


def test_late_effects_may_land_by_themselves_some_calls_later() -> None:
    calls = Calls(plan=at(1, Fault.LATE), late_by=2)
    table = FakeTable(calls)
    with pytest.raises(TableUnavailableError):
        table.write(Put(KEY, {}, NEW))

    assert [table.get(KEY) is not None for _ in range(4)] == [False, False, True, True]


def test_a_throttled_transaction_is_contended_and_nothing_was_written() -> None:
    table = FakeTable(Calls(plan=at(1, Fault.THROTTLED)))

    with pytest.raises(TableContendedError):
        table.transact([Put(KEY, {}, NEW), Put(Key("P", "T"), {}, NEW)])

    assert table.rows() == []


def test_another_caller_may_act_right_before_a_call() -> None:
    calls = Calls()
    table = FakeTable(calls)

    def overtake(_: object) -> None:
        calls.before = lambda _: None
        table.write(Put(KEY, {"by": "the other"}, NEW))

    calls.before = overtake
    with pytest.raises(ConditionFailedError) as failed:
        table.write(Put(KEY, {"by": "us"}, NEW))

    assert (failed.value.current(0) or {})["by"] == "the other"


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.REPLY_LOST, 1), (Fault.THROTTLED, 0), (Fault.LATE, 0)])
def test_a_fault_strikes_a_send(fault: Fault, arrived: int) -> None:
    queues = FakeQueues(FakeClock(), Calls(plan=at(1, fault)))

    with pytest.raises(QueueUnavailableError):
        queues.send("bookings", [{"n": 1}])

    assert len(queues.messages("bookings")) == arrived


def test_a_partner_answers_under_its_prefix_from_its_script_first() -> None:
    http = FakeHttp()
    http.on("https://partner/", lambda request: answer(200, {"path": request.url}))
    http.on("https://partner/orders/", script=(answer(503), NoAnswer("timed out", sent=True, elapsed_ms=1)))
    order = HttpRequest("POST", "https://partner/orders/new", body=b'{"code":"RET-1"}')

    first, second = http.send(order), http.send(order)
    other = http.send(HttpRequest("GET", "https://partner/other"))

    assert isinstance(first, HttpAnswer)
    assert first.status == 503
    assert isinstance(second, NoAnswer)
    assert isinstance(other, HttpAnswer)
    assert other.body == b'{"path": "https://partner/other"}'
    assert json_of(http.sent_to("https://partner/orders/")[0]) == {"code": "RET-1"}
    with pytest.raises(AssertionError, match="nothing more is scripted"):
        http.send(order)
    with pytest.raises(AssertionError, match="nobody answers"):
        http.send(HttpRequest("GET", "https://elsewhere/"))


@pytest.mark.parametrize(("fault", "reached"), [(Fault.REPLY_LOST, 1), (Fault.LATE, 0), (Fault.THROTTLED, 0)])
def test_a_fault_strikes_a_request(fault: Fault, reached: int) -> None:
    http = FakeHttp(Calls(plan=at(1, fault)))
    http.on("https://partner/", lambda _: answer())

    got = http.send(HttpRequest("GET", "https://partner/"))

    if fault is Fault.THROTTLED:
        assert isinstance(got, HttpAnswer)
        assert (got.status, got.headers["retry-after"]) == (429, "1")
    else:
        assert isinstance(got, NoAnswer)
        assert got.sent
    assert len(http.requests) == reached
