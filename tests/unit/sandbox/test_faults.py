import json

import pytest

from sandbox.faults import (
    Answer,
    BadFaultError,
    Fault,
    FaultPlan,
    NoReply,
    Then,
    WebhookFault,
    answers_status,
    dress,
    slow,
)

ANSWER = Answer(200, {"Content-Type": "application/json"}, b'{"meta": {"status": 200}}')


def test_planned_faults_meet_the_next_calls_in_order_and_then_no_more() -> None:
    plan: FaultPlan[Fault] = FaultPlan()
    plan.next("create-order", slow(1), times=2)
    plan.next("create-order", slow(2))

    assert [plan.take("create-order") for _ in range(4)] == [slow(1), slow(1), slow(2), None]


def test_a_fault_of_any_operation_waits_for_whichever_comes() -> None:
    plan: FaultPlan[Fault] = FaultPlan()
    plan.next("*", slow(1))

    assert plan.take("track-order") == slow(1)
    assert plan.take("track-order") is None


def test_chance_is_the_same_for_the_same_seed() -> None:
    def met(seed: int) -> list[bool]:
        plan: FaultPlan[Fault] = FaultPlan(seed)
        plan.sometimes("create-order", slow(1), 0.5)
        return [plan.take("create-order") is not None for _ in range(50)]

    assert met(7) == met(7)
    assert met(7) != met(8)
    assert any(met(7))
    assert not all(met(7))


def test_clearing_starts_the_dice_again() -> None:
    plan: FaultPlan[Fault] = FaultPlan(7)

    def met() -> list[bool]:
        plan.sometimes("*", slow(1), 0.5)
        return [plan.take("create-order") is not None for _ in range(20)]

    first = met()
    plan.clear()

    assert plan.take("create-order") is None
    assert met() == first


def test_a_bare_status_carries_retry_after_and_an_error_page() -> None:
    reply = dress(answers_status(429, does_the_work=False, retry_after="12"), ANSWER)

    assert isinstance(reply, Answer)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "12")
    assert b"<html>" in reply.body


def test_garbage_is_neither_json_nor_text() -> None:
    reply = dress(Fault(Then.GARBAGE), ANSWER)

    assert isinstance(reply, Answer)
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode()


def test_an_enormous_answer_is_still_the_true_answer_to_who_reads_all_of_it() -> None:
    reply = dress(Fault(Then.ENORMOUS, size=1000), ANSWER)

    assert isinstance(reply, Answer)
    assert len(reply.body) > 1000
    assert json.loads(reply.body) == {"meta": {"status": 200}}


def test_a_truncated_answer_ends_half_way() -> None:
    reply = dress(Fault(Then.TRUNCATED), ANSWER)

    assert isinstance(reply, Answer)
    assert reply.cut_at == len(ANSWER.body) // 2


def test_a_closed_connection_says_whether_the_work_was_done() -> None:
    assert dress(Fault(Then.CLOSES, does_the_work=False), ANSWER) == NoReply(did_the_work=False, closes=True)


def test_a_429_does_no_work_unless_it_says_so() -> None:
    assert not Fault.read({"then": "status", "status": 429}).does_the_work
    assert Fault.read({"then": "status", "status": 429, "does_the_work": True}).does_the_work
    assert Fault.read({"then": "status", "status": 503}).does_the_work


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"then": "explodes"},
        {"then": "hangs", "speed": 1},
        {"then": "answers", "seconds": -1},
        {"then": "answers", "seconds": "soon"},
        {"then": "status", "status": 99},
        {"then": "enormous", "size": 10**12},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadFaultError):
        Fault.read(values)


@pytest.mark.parametrize("values", [{}, {"then": "duplicate", "copies": 1}, {"then": "shuffle", "size": 1}])
def test_a_webhook_fault_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadFaultError):
        WebhookFault.read(values)


@pytest.mark.parametrize("times", [0, 10_001])
def test_planned_faults_are_bounded(times: int) -> None:
    plan: FaultPlan[Fault] = FaultPlan()

    with pytest.raises(BadFaultError):
        plan.next("create-order", slow(1), times)
