"""Queue workers: each message on its own, what fails given back by name."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from rms.platform.observability import correlation_id, count, logger
from rms.platform.worker import Message, queue_worker
from tests.fakes.calls import Call, ProcessKilledError
from tests.logs import Log, counted, rms_log

EVERYBODY: Final = 5.0
"""Seconds within which threads that are at work together have surely met."""


@pytest.fixture
def log() -> Iterator[Log]:
    with rms_log() as log:
        yield log


def test_each_message_is_handed_over_with_the_core() -> None:
    seen: list[tuple[str, Any]] = []
    handler = queue_worker(lambda: "the core", lambda core, message: seen.append((core, message)))

    answer = handler(a_batch({"code": "A"}, {"code": "B"}), None)

    assert seen == [("the core", {"code": "A"}), ("the core", {"code": "B"})]
    assert answer == {"batchItemFailures": []}


def test_a_message_that_fails_is_given_back_and_its_batch_mates_are_done() -> None:
    done: list[str] = []

    def work(_: object, message: dict[str, Any]) -> None:
        if message["code"] == "B":
            raise KeyError("broken")
        done.append(message["code"])

    answer = queue_worker(lambda: None, work)(a_batch({"code": "A"}, {"code": "B"}, {"code": "C"}), None)

    assert done == ["A", "C"]
    assert failed(answer) == ["m-1"]


def test_a_batch_that_fails_as_a_whole_is_given_back_by_name_too() -> None:
    def work(_: object, __: dict[str, Any]) -> None:
        raise RuntimeError

    assert failed(queue_worker(lambda: None, work)(a_batch({}, {}), None)) == ["m-0", "m-1"]


@pytest.mark.parametrize("body", ["", "not json", "[]", "1", "null", "[" * 100_000, '{"a": NaN'])
def test_what_is_no_message_of_ours_is_given_back_and_said(body: str, log: Log) -> None:
    done: list[object] = []
    batch = a_batch({"code": "A"}, {"code": "C"})
    batch["Records"][0]["body"] = body

    answer = queue_worker(lambda: None, lambda _, message: done.append(message))(batch, None)

    assert failed(answer) == ["m-0"]
    assert done == [{"code": "C"}]
    assert "ERROR" in [line["level"] for line in log.lines]


def test_a_batch_is_worked_in_the_order_in_which_it_was_sent() -> None:
    seen: list[str] = []
    batch = a_batch({"code": "second"}, {"code": "first"})
    batch["Records"][0]["attributes"]["SentTimestamp"] = "1740900000002"
    batch["Records"][1]["attributes"]["SentTimestamp"] = "1740900000001"

    queue_worker(lambda: None, lambda _, message: seen.append(message["code"]))(batch, None)

    assert seen == ["first", "second"]


def test_a_core_that_cannot_be_built_gives_every_message_back() -> None:
    def broken() -> None:
        raise OSError("no network")

    assert failed(queue_worker(broken, lambda _, __: None)(a_batch({}, {}), None)) == ["m-0", "m-1"]


def test_each_message_leaves_a_line_under_the_correlation_it_came_with(log: Log) -> None:
    queue_worker(lambda: None, lambda _, __: None)(a_batch({"correlation": "r-1"}, {}), None)

    assert [(line["message"], line.get("correlation_id"), line["receives"]) for line in log.lines] == [
        ("message", "r-1", "1"),
        ("message", None, "1"),
    ]


def test_what_the_messages_of_a_batch_count_goes_out_once_together(capsys: pytest.CaptureFixture[str]) -> None:
    queue_worker(lambda: None, lambda _, __: count("ParkedUpdate"))(a_batch({}, {}), None)

    assert len(capsys.readouterr().out.splitlines()) == 1


def test_what_was_counted_before_the_process_is_killed_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_: object, __: Message) -> None:
        count("ParkedUpdate")
        raise killed()

    with pytest.raises(ProcessKilledError):
        queue_worker(lambda: None, work)(a_batch({}), None)

    assert counted(capsys, "ParkedUpdate") == 1


# ── wake-ups: the same one once, the others at the same time ────────────────────────


def waking(task: Callable[[object, Message], None], at_once: int = 20) -> Callable[[Any, Any], Any]:
    """A worker of wake-ups."""
    return queue_worker(lambda: None, task, at_once=lambda _: at_once)


def test_the_messages_of_a_batch_are_worked_at_the_same_time() -> None:
    assert failed(waking(meeting(20))(a_batch(*numbered(20)), None)) == []


def test_no_more_are_worked_at_the_same_time_than_the_core_says() -> None:
    lock, at_work, most = threading.Lock(), 0, 0
    pairs = threading.Barrier(2)

    def work(_: object, __: Message) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        pairs.wait(EVERYBODY)
        with lock:
            at_work -= 1

    handler = queue_worker(lambda: 2, work, at_once=lambda core: core)

    assert failed(handler(a_batch(*numbered(6)), None)) == []
    assert most == 2


def test_the_threads_are_kept_for_the_next_batch() -> None:
    names: set[str] = set()

    def work(_: object, __: Message) -> None:
        everybody.wait(EVERYBODY)
        names.add(threading.current_thread().name)

    everybody = threading.Barrier(3)
    handler = waking(work, at_once=3)
    for _ in range(3):
        handler(a_batch(*numbered(3)), None)

    assert len(names) == 3


@pytest.mark.parametrize(("messages", "at_once"), [(1, 20), (5, 1)])
def test_one_message_or_one_at_a_time_needs_no_thread(messages: int, at_once: int) -> None:
    names: list[str] = []
    handler = waking(lambda _, __: names.append(threading.current_thread().name), at_once)

    handler(a_batch(*numbered(messages)), None)

    assert names == [threading.current_thread().name] * messages


def test_each_message_fails_by_itself_whichever_thread_it_is_in() -> None:
    everybody = threading.Barrier(10)

    def work(_: object, message: Message) -> None:
        everybody.wait(EVERYBODY)
        if message["number"] % 3 == 0:
            raise KeyError("broken")

    answer = waking(work)(a_batch(*numbered(10)), None)

    assert failed(answer) == ["m-0", "m-3", "m-6", "m-9"]


def test_a_process_that_is_killed_in_a_thread_is_killed_once_the_others_have_ended() -> None:
    done: list[int] = []
    dead = threading.Event()

    def work(_: object, message: Message) -> None:
        if message["number"] == 0:
            dead.set()
            raise killed()
        dead.wait(EVERYBODY)
        done.append(message["number"])

    with pytest.raises(ProcessKilledError):
        waking(work)(a_batch(*numbered(4)), None)

    assert sorted(done) == [1, 2, 3]


@pytest.mark.parametrize("at_once", [1, 20])
def test_wake_ups_that_say_the_same_are_worked_once_whoever_caused_them(at_once: int) -> None:
    seen: list[Message] = []
    messages = [
        {"code": "A", "correlation": "r-1"},
        {"code": "B", "correlation": "r-1"},
        {"code": "A", "correlation": "r-2"},
        {"code": "A"},
    ]

    answer = waking(lambda _, message: seen.append(message), at_once)(a_batch(*messages), None)

    assert sorted(message["code"] for message in seen) == ["A", "B"]
    assert failed(answer) == []


def test_wake_ups_that_say_the_same_fail_together() -> None:
    def work(_: object, message: Message) -> None:
        if message["code"] == "A":
            raise KeyError("broken")

    assert failed(waking(work)(a_batch({"code": "A"}, {"code": "B"}, {"code": "A"}), None)) == ["m-0", "m-2"]


def test_messages_that_are_no_wake_ups_are_each_worked() -> None:
    seen: list[Message] = []

    queue_worker(lambda: None, lambda _, message: seen.append(message))(a_batch({"code": "A"}, {"code": "A"}), None)

    assert len(seen) == 2


def test_a_wake_up_that_was_worked_with_another_says_under_which_correlation_to_look(log: Log) -> None:
    waking(lambda _, __: None)(a_batch({"correlation": "r-1"}, {"correlation": "r-2"}), None)

    assert [(line["correlation_id"], line.get("worked_under")) for line in log.lines] == [
        ("r-1", None),
        ("r-2", "r-1"),
    ]


def test_what_cannot_be_read_is_given_back_while_its_batch_mates_are_worked_at_the_same_time() -> None:
    batch = a_batch(*numbered(3))
    batch["Records"][1]["body"] = "not json"

    assert failed(waking(meeting(2))(batch, None)) == ["m-1"]


def test_a_core_that_cannot_be_built_gives_every_wake_up_back() -> None:
    def broken() -> int:
        raise OSError("no network")

    handler = queue_worker(broken, lambda _, __: None, at_once=lambda core: core)

    assert failed(handler(a_batch(*numbered(2)), None)) == ["m-0", "m-1"]


def test_each_thread_logs_under_the_correlation_of_its_own_message(log: Log) -> None:
    everybody = threading.Barrier(20)

    def work(_: object, message: Message) -> None:
        everybody.wait(EVERYBODY)
        logger.info("working", number=message["number"], carried_on=correlation_id())
        everybody.wait(EVERYBODY)
        if message["number"] == 7:
            raise KeyError("broken")

    waking(work)(a_batch(*({**each, "correlation": f"r-{each['number']}"} for each in numbered(20))), None)

    said = {line["number"]: line for line in log.lines if line["message"] == "working"}
    assert {number: line["correlation_id"] for number, line in said.items()} == {n: f"r-{n}" for n in range(20)}
    assert {number: line["carried_on"] for number, line in said.items()} == {n: f"r-{n}" for n in range(20)}
    ends = [line for line in log.lines if line["message"] == "message"]
    assert sorted(line["correlation_id"] for line in ends) == sorted(f"r-{number}" for number in range(20))
    assert {line["receives"] for line in ends} == {"1"}
    assert all(isinstance(line["elapsed_ms"], int) for line in ends)
    assert [line["correlation_id"] for line in log.lines if line["message"] == "message failed"] == ["r-7"]


def test_a_thread_remembers_nothing_of_the_message_before(log: Log) -> None:
    handler = waking(meeting(2), at_once=2)

    handler(a_batch(*({**each, "correlation": "r-1"} for each in numbered(2))), None)
    handler(a_batch(*numbered(2)), None)

    assert [line.get("correlation_id") for line in log.lines] == ["r-1", "r-1", None, None]


def test_whatever_threads_count_goes_out_once_together(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_: object, __: Message) -> None:
        for _ in range(4):
            count("ParkedUpdate")

    waking(work)(a_batch(*numbered(20)), None)

    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert len(json.loads(printed[0])["ParkedUpdate"]) == 80


def meeting(messages: int) -> Callable[[object, Message], None]:
    """Work that ends only once so many messages are at it."""
    everybody = threading.Barrier(messages)

    def work(_: object, __: Message) -> None:
        everybody.wait(EVERYBODY)

    return work


def numbered(count: int) -> list[Message]:
    return [{"number": number} for number in range(count)]


def killed() -> ProcessKilledError:
    return ProcessKilledError(Call(1, "table", "write", ()))


def a_batch(*messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "body": json.dumps(message),
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for number, message in enumerate(messages)
        ]
    }


def failed(answer: Any) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
