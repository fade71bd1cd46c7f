"""The simulated ERP: what it posts, what it refuses, and that RMS's own postings are to its taste."""

import json
from datetime import timedelta
from typing import Any

import pytest

from rms.notifications.judgement import Delivered, Refused, RetryLater
from rms.notifications.sinks import erp_posting
from rms.notifications.sinks.erp_values import Posting
from rms.platform.http import HttpAnswer, NoAnswer
from sandbox.erp import ErpEngine
from sandbox.faults import Answer, Fault, NoReply, Reply, Then, answers_status, hangs, slow
from sandbox.in_process import InProcessHttp
from sandbox.signatures import Verification
from tests.unit.notifications.sinks.examples import SECRET, a_plain_posting, a_posting, a_target
from tests.unit.sandbox.conftest import Clock

URL = "https://erp.kaveri-looms.example/returns/postings"


@pytest.fixture
def erp(clock: Clock) -> ErpEngine:
    engine = ErpEngine(clock=clock)
    engine.set_proof(secrets=(SECRET,), expected_headers={"X-Api-Key": "k-1"})
    return engine


def post(erp: ErpEngine, posting: Posting | None = None, **changes: Any) -> HttpAnswer | NoAnswer:
    http = InProcessHttp({"erp.kaveri-looms.example": erp.handle})
    return http.send(erp_posting.build(a_target(url=URL, **changes), posting or a_plain_posting(), erp.clock()))


def said(answer: HttpAnswer | NoAnswer) -> Any:
    assert isinstance(answer, HttpAnswer)
    assert answer.status == 200
    return json.loads(answer.body)


def verdict(erp: ErpEngine, answer: HttpAnswer | NoAnswer) -> erp_posting.Verdict:
    return erp_posting.judge(answer, erp.clock())


def raw(erp: ErpEngine, body: bytes, method: str = "POST", path: str = "/returns/postings") -> Reply:
    return erp.handle(method, path, {}, {}, body)


def another(**changes: Any) -> Posting:
    return a_plain_posting(id="msg_other", **changes)


@pytest.mark.parametrize("posting", [a_posting(), a_plain_posting()], ids=["full", "plain"])
def test_a_posting_of_rms_is_posted(erp: ErpEngine, posting: Posting) -> None:
    answer = post(erp, posting)

    assert said(answer) == {"hasError": False, "errorMessage": None}
    assert verdict(erp, answer) == Delivered(200)
    assert [row["return_code"] for row in erp.postings()] == ["KL-4471-R1"]
    assert erp.calls()[0].verification is Verification.VALID
    assert erp.violations() == []


def test_a_repeat_is_answered_well_and_posted_once(erp: ErpEngine, clock: Clock) -> None:
    post(erp)
    clock.pass_seconds(7200)
    again = post(erp)

    assert verdict(erp, again) == Delivered(200)
    assert (erp.state()["posted"], erp.state()["repeats"], erp.doubles()) == (1, 1, [])
    assert erp.violations() == []


def test_an_erp_that_keeps_no_message_ids_posts_a_repeat_twice(erp: ErpEngine) -> None:
    erp.deduplicates = False
    post(erp)
    post(erp)

    assert erp.doubles() == [{"return_code": "KL-4471-R1", "times": 2}]


def test_one_event_under_two_message_ids_is_posted_twice_and_a_violation(erp: ErpEngine) -> None:
    post(erp)
    post(erp, another(message_id=77))

    assert erp.doubles() == [{"return_code": "KL-4471-R1", "times": 2}]
    assert [row["kind"] for row in erp.violations()] == ["same event, other messageId"]


def test_another_event_of_the_same_return_is_no_violation(erp: ErpEngine) -> None:
    post(erp)
    post(erp, another(message_id=77, occurred_at=a_plain_posting().occurred_at + timedelta(hours=1)))

    assert erp.violations() == []


def test_one_message_id_with_two_bodies_is_a_violation(erp: ErpEngine) -> None:
    post(erp)
    post(erp, another(awb="another"))

    assert [row["kind"] for row in erp.violations()] == ["same messageId, other body"]


def test_a_changed_body_under_the_same_webhook_id_is_a_violation(erp: ErpEngine) -> None:
    post(erp)
    post(erp, a_plain_posting(message_id=5, awb="another"))

    assert "same webhook-id, other body" in [row["kind"] for row in erp.violations()]


def test_it_refuses_on_demand_with_its_words(erp: ErpEngine) -> None:
    erp.refuse("Period 02/2026 is closed")
    refused, posted = post(erp), post(erp)

    judged = verdict(erp, refused)
    assert isinstance(judged, Refused)
    assert judged.words == "Period 02/2026 is closed"
    assert verdict(erp, posted) == Delivered(200)
    assert erp.state()["refused"] == 1
    assert erp.violations() == []


def test_it_refuses_one_return_until_it_accepts_again(erp: ErpEngine) -> None:
    erp.refuse("No such customer", return_code="KL-4471-R1")
    answers = [post(erp), post(erp)]
    other = post(erp, another(message_id=8, return_code="KL-9"))
    erp.accept()

    assert [said(answer)["hasError"] for answer in answers] == [True, True]
    assert not said(other)["hasError"]
    assert not said(post(erp))["hasError"]


def test_it_can_be_slow(erp: ErpEngine) -> None:
    erp.fail(slow(9))
    erp.fail(slow(30))

    assert verdict(erp, post(erp)) == Delivered(200)
    assert verdict(erp, post(erp)) == RetryLater("timed out")
    assert erp.doubles() == []


def test_it_can_be_down(erp: ErpEngine) -> None:
    erp.fail(answers_status(503, does_the_work=False, retry_after="60"))

    judged = verdict(erp, post(erp))

    assert isinstance(judged, RetryLater)
    assert judged.not_before is not None
    assert erp.postings() == []
    assert not erp.calls()[0].taken


def test_it_can_answer_garbage_though_it_has_posted(erp: ErpEngine) -> None:
    erp.fail(Fault(Then.GARBAGE))
    erp.fail(Fault(Then.HTML))
    answers = [post(erp), post(erp), post(erp)]

    assert [type(verdict(erp, answer)) for answer in answers] == [RetryLater, RetryLater, Delivered]
    assert (erp.state()["posted"], erp.doubles()) == (1, [])


def test_a_hang_posts_and_the_retry_is_a_repeat(erp: ErpEngine) -> None:
    erp.fail(hangs(does_the_work=True))

    assert post(erp) == NoAnswer("timed out", sent=True, elapsed_ms=10_000)
    assert verdict(erp, post(erp)) == Delivered(200)
    assert erp.doubles() == []


def test_wrong_static_headers_are_401_and_the_credential_call_tells_the_right_ones(erp: ErpEngine) -> None:
    refused = post(erp, headers={"X-Api-Key": "old"})
    told = raw(erp, b"", path="/credentials")
    assert isinstance(told, Answer)
    posted = post(erp, headers=json.loads(told.body))

    assert isinstance(refused, HttpAnswer)
    assert refused.status == 401
    assert verdict(erp, posted) == Delivered(200)
    assert erp.state()["credential_calls"] == 1


def test_an_unsigned_posting_is_refused_where_a_secret_is_set(clock: Clock) -> None:
    erp = ErpEngine(clock=clock)
    erp.set_proof(secrets=(SECRET,))

    reply = raw(erp, b"{}")

    assert isinstance(reply, Answer)
    assert reply.status == 400
    assert [row["kind"] for row in erp.violations()] == ["unsigned"]


BODY = json.loads(erp_posting.build(a_target(), a_plain_posting(), Clock().now).body or b"")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"partnerCode": None}, "partnerCode is missing"),
        ({"items": []}, "items is missing"),
        ({"items": [{"itemCode": "I-1"}]}, "items[0].channelSkuCode is missing"),
        ({"items": ["I-1"]}, "items[0].itemCode is missing"),
        ({"bundledSkuDefinitions": None}, "bundledSkuDefinitions is missing"),
        ({"paymentMethod": "CARD"}, "paymentMethod is unknown: CARD"),
        ({"messageId": 2**63}, "messageId is no Long"),
        ({"messageId": 0}, "messageId is no Long"),
        ({"messageId": True}, "messageId is no Long"),
        ({"messageId": "12"}, "messageId is no Long"),
    ],
)
def test_what_cannot_be_booked_is_refused_and_a_violation(clock: Clock, change: dict[str, Any], problem: str) -> None:
    erp = ErpEngine(clock=clock)

    reply = raw(erp, json.dumps(BODY | change).encode())

    assert isinstance(reply, Answer)
    assert problem in json.loads(reply.body)["errorMessage"]
    assert [row["kind"] for row in erp.violations()] == ["bad posting"]
    assert erp.postings() == []


def test_the_creation_time_may_be_null_and_must_be_there(clock: Clock) -> None:
    erp = ErpEngine(clock=clock)
    without = {name: value for name, value in BODY.items() if name != "returnCreationTime"}

    reply = raw(erp, json.dumps(without).encode())

    assert isinstance(reply, Answer)
    assert json.loads(reply.body)["errorMessage"] == "returnCreationTime is missing"


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"[" * 100_000], ids=["empty", "bytes", "list", "deep"])
def test_a_body_that_is_no_object_is_refused(clock: Clock, body: bytes) -> None:
    erp = ErpEngine(clock=clock)

    reply = raw(erp, body)

    assert isinstance(reply, Answer)
    assert json.loads(reply.body) == {"hasError": True, "errorMessage": "the body is no JSON object"}


def test_other_paths_and_methods_are_not_served(erp: ErpEngine) -> None:
    replies = [raw(erp, b"", "GET", "/"), raw(erp, b"", "PUT")]

    assert [reply.status for reply in replies if isinstance(reply, Answer)] == [404, 405]


def test_what_is_remembered_is_bounded_and_the_counts_go_on(clock: Clock) -> None:
    erp = ErpEngine(keeps=3, clock=clock)
    for number in range(1, 6):
        raw(erp, json.dumps(BODY | {"messageId": number, "returnOrderCode": f"R-{number}"}).encode())

    assert [row["message_id"] for row in erp.postings()] == [3, 4, 5]
    assert [call.number for call in erp.calls()] == [3, 4, 5]
    assert erp.state()["calls"] == 5


def test_a_reset_forgets_all_but_the_proof(erp: ErpEngine) -> None:
    post(erp)
    erp.fail(answers_status(500, does_the_work=False))
    erp.refuse("no")
    erp.reset()

    assert (erp.postings(), erp.calls(), erp.violations()) == ([], [], [])
    assert verdict(erp, post(erp)) == Delivered(200)
    assert erp.state()["secrets"] == 1


def test_too_many_refusals_are_not_planned(erp: ErpEngine) -> None:
    with pytest.raises(ValueError, match="times"):
        erp.refuse("no", times=0)


def test_faults_are_forgotten_when_cleared(erp: ErpEngine) -> None:
    erp.fail(hangs(does_the_work=False), times=3)
    erp.clear_faults()

    assert not isinstance(raw(erp, b"{}"), NoReply)
