"""Queue workers: each message on its own, what fails given back by name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rms.platform.worker import queue_worker
from tests.logs import Log, rms_log


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
