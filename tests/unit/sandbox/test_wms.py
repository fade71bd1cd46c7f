"""The simulated warehouse: what it expects after each event, and which telling it finds wrong."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from rms.model.return_order import ReturnItem, ReturnOrder
from rms.notifications.judgement import Delivered
from rms.notifications.sinks import return_expectation
from rms.notifications.sinks.return_expectation import Expectation, ExpectationEvent
from rms.platform.http import HttpAnswer, NoAnswer
from sandbox.faults import Answer, answers_status, hangs
from sandbox.in_process import InProcessHttp
from sandbox.wms import WmsEngine
from tests.unit.notifications.sinks.examples import SECRET, a_target
from tests.unit.sandbox.conftest import Clock

URL: Final = "https://wms.kaveri-looms.example/return-expectations"
UNITS: Final = tuple(ReturnItem(code, "S-1", "Too wide") for code in ("I-1", "I-2"))
SECOND: Final = frozenset({"I-2"})


@pytest.fixture
def wms(clock: Clock) -> WmsEngine:
    engine = WmsEngine(clock=clock)
    engine.set_proof(secrets=(SECRET,))
    return engine


def about(kind: ExpectationEvent, sequence: int, **changes: Any) -> Expectation:
    order = ReturnOrder("RET-8", "F-8", UNITS, "HOS-2")
    return replace(Expectation(f"msg_{sequence}", sequence, kind, order, "A-1", "Delhivery"), **changes)


def tell(wms: WmsEngine, expectation: Expectation) -> HttpAnswer | NoAnswer:
    http = InProcessHttp({"wms.kaveri-looms.example": wms.handle})
    return http.send(return_expectation.build(a_target(url=URL), expectation, wms.clock()))


def kinds(wms: WmsEngine) -> list[str]:
    return [violation["kind"] for violation in wms.violations()]


CREATE: Final = about(ExpectationEvent.CREATE, 1)


def test_an_announced_return_is_expected(wms: WmsEngine) -> None:
    answer = tell(wms, CREATE)

    assert return_expectation.judge(answer, wms.clock()) == Delivered(200)
    assert wms.expectations() == [
        {
            "return_code": "RET-8",
            "status": "CREATE",
            "sequence": 1,
            "awb": "A-1",
            "courier": "Delhivery",
            "coming": ["I-1", "I-2"],
            "cancelled": [],
            "heard": ["RETURN_ORDER_CREATE"],
        }
    ]
    assert wms.violations() == []


def test_another_awb_takes_the_place_of_the_first(wms: WmsEngine) -> None:
    tell(wms, CREATE)
    tell(wms, about(ExpectationEvent.UPDATE, 3, awb="A-2"))

    assert wms.expectations()[0]["awb"] == "A-2"
    assert wms.violations() == []


def test_a_partial_cancellation_leaves_the_rest(wms: WmsEngine) -> None:
    tell(wms, CREATE)
    tell(wms, about(ExpectationEvent.PARTIAL_CANCEL, 3, cancelled=SECOND))

    (expected,) = wms.expectations()
    assert (expected["status"], expected["coming"], expected["cancelled"]) == ("CREATE", ["I-1"], ["I-2"])
    assert wms.state()["expected"] == 1


@pytest.mark.parametrize(
    ("kind", "status", "coming"),
    [(ExpectationEvent.CANCEL, "CANCELLED", []), (ExpectationEvent.COMPLETE, "COMPLETED", ["I-1", "I-2"])],
)
def test_a_return_ends(wms: WmsEngine, kind: ExpectationEvent, status: str, coming: list[str]) -> None:
    tell(wms, CREATE)
    tell(wms, about(kind, 4))

    (expected,) = wms.expectations()
    assert (expected["status"], expected["coming"]) == (status, coming)
    assert wms.state()[status.lower()] == 1
    assert wms.violations() == []


def test_a_repeat_changes_nothing(wms: WmsEngine) -> None:
    for _ in range(3):
        tell(wms, CREATE)

    assert wms.expectations()[0]["heard"] == ["RETURN_ORDER_CREATE"]
    assert wms.state()["repeats"] == 2
    assert wms.violations() == []


def test_a_retry_after_a_refusal_is_heard(wms: WmsEngine) -> None:
    wms.fail(answers_status(503, does_the_work=False))
    tell(wms, CREATE)
    tell(wms, CREATE)

    assert wms.expectations()[0]["heard"] == ["RETURN_ORDER_CREATE"]
    assert (wms.state()["repeats"], [call.answered for call in wms.calls()]) == (0, [503, 200])


def test_a_hang_is_heard_and_the_retry_is_a_repeat(wms: WmsEngine) -> None:
    wms.fail(hangs(does_the_work=True))
    tell(wms, CREATE)
    tell(wms, CREATE)

    assert wms.state()["repeats"] == 1
    assert wms.violations() == []


def test_two_who_announce_the_same_return_are_a_violation(wms: WmsEngine) -> None:
    tell(wms, CREATE)
    tell(wms, replace(CREATE, id="msg_by_the_client", sequence=2))

    assert kinds(wms) == ["announced twice"]


def test_news_of_a_return_that_was_never_announced_is_a_violation(wms: WmsEngine) -> None:
    tell(wms, about(ExpectationEvent.UPDATE, 3))

    assert kinds(wms) == ["never announced"]


def test_news_after_the_end_is_a_violation(wms: WmsEngine) -> None:
    tell(wms, CREATE)
    tell(wms, about(ExpectationEvent.COMPLETE, 3))
    tell(wms, about(ExpectationEvent.UPDATE, 4))

    assert kinds(wms) == ["already closed"]


def test_a_sequence_that_falls_is_out_of_order(wms: WmsEngine) -> None:
    tell(wms, CREATE)
    tell(wms, about(ExpectationEvent.UPDATE, 5))
    tell(wms, about(ExpectationEvent.UPDATE, 4))

    assert kinds(wms) == ["out of order"]


@pytest.mark.parametrize(
    "change",
    [
        {"locationCode": None},
        {"orderItems": []},
        {"orderItems": ["I-1"]},
        {"orderItems": "I-1"},
        {"eventType": "RETURN_ORDER_LOST"},
        {"eventType": None, "status": None},
        {"status": "CANCELLED"},
    ],
    ids=",".join,
)
def test_a_body_that_it_cannot_use_is_refused_and_a_violation(clock: Clock, change: dict[str, Any]) -> None:
    wms = WmsEngine(clock=clock)
    body = json.loads(return_expectation.build(a_target(), CREATE, clock()).body or b"") | change

    reply = wms.handle("POST", "/return-expectations", {}, {}, json.dumps(body).encode())

    assert isinstance(reply, Answer)
    assert reply.status == 400
    assert kinds(wms) == ["bad expectation"]
    assert wms.expectations() == []


def test_what_is_remembered_is_bounded(clock: Clock) -> None:
    wms = WmsEngine(keeps=2, clock=clock)
    for number in range(4):
        order = ReturnOrder(f"RET-{number}", "F-8", UNITS, "HOS-2")
        tell(wms, replace(CREATE, id=f"msg_{number}", order=order))

    assert [row["return_code"] for row in wms.expectations()] == ["RET-2", "RET-3"]
