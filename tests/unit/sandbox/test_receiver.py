import json
from collections.abc import Callable, Mapping

import pytest
from standardwebhooks import Webhook

from sandbox.faults import Answer, Fault, NoReply, Reply, Then, answers_status, hangs
from sandbox.receiver import Delivery, ReceiverEngine
from sandbox.receiver.engine import read_fault
from sandbox.signatures import Verification, verify
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.examples import SECRET, a_notification, signed

type Send = Callable[..., Reply]


@pytest.fixture
def client(clock: Clock) -> ReceiverEngine:
    engine = ReceiverEngine(clock=clock)
    engine.set_endpoint("shop", secrets=(SECRET,))
    return engine


@pytest.fixture
def send(client: ReceiverEngine, clock: Clock) -> Send:
    def deliver(
        sequence: int | None = 1,
        *,
        webhook_id: str | None = None,
        about: str = "RET-8",
        kind: str = "OUT_FOR_PICKUP",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        body = a_notification(sequence, about=about, kind=kind)
        proof = signed(body, webhook_id=webhook_id or f"msg_{about}_{sequence}", timestamp=int(clock().timestamp()))
        return client.handle("POST", "/hooks/shop", {}, {**proof, **(headers or {})}, body)

    return deliver


def status(reply: Reply) -> int:
    assert isinstance(reply, Answer)
    return reply.status


def last(client: ReceiverEngine) -> Delivery:
    return client.deliveries()[-1]


def kinds(client: ReceiverEngine) -> list[str]:
    return [violation["kind"] for violation in client.violations()]


def test_a_signed_notification_is_taken_in_and_remembered(client: ReceiverEngine, send: Send) -> None:
    assert status(send(1, kind="AWB_GENERATED")) == 200

    assert last(client).verification is Verification.VALID
    assert last(client).accepted
    assert client.heard("shop", "RET-8") == [(1, "AWB_GENERATED")]
    assert client.violations() == []


def test_the_receiver_agrees_with_the_standard_webhooks_library(clock: Clock) -> None:
    body = a_notification().decode()
    signature = Webhook(SECRET).sign("msg_1", clock(), body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(clock().timestamp())),
        "webhook-signature": f"v1a,other {signature}",
    }

    assert verify((SECRET,), headers, body.encode(), clock()) is Verification.VALID


def test_any_of_several_secrets_will_do_while_they_are_rotated(clock: Clock) -> None:
    body = a_notification()
    headers = signed(body, webhook_id="msg_1", timestamp=int(clock().timestamp()))

    assert verify(("whsec_bmV3IHNlY3JldCBieXRlcw==", SECRET), headers, body, clock()) is Verification.VALID


def test_a_changed_body_is_a_bad_signature(client: ReceiverEngine, clock: Clock) -> None:
    headers = signed(a_notification(1), webhook_id="msg_1", timestamp=int(clock().timestamp()))

    reply = client.handle("POST", "/hooks/shop", {}, headers, a_notification(2))

    assert status(reply) == 400
    assert kinds(client) == ["bad signature"]
    assert client.heard("shop", "RET-8") == []


def test_a_timestamp_more_than_five_minutes_away_is_stale(send: Send, client: ReceiverEngine, clock: Clock) -> None:
    stale = str(int(clock().timestamp()) - 301)

    assert status(send(headers={"webhook-timestamp": stale})) == 400
    assert kinds(client) == ["stale timestamp"]


def test_an_unsigned_notification_is_refused_where_a_secret_is_set(client: ReceiverEngine) -> None:
    assert status(client.handle("POST", "/hooks/shop", {}, {}, a_notification())) == 400
    assert kinds(client) == ["unsigned"]


def test_an_endpoint_without_a_secret_takes_everything_and_says_so(client: ReceiverEngine) -> None:
    assert status(client.handle("POST", "/hooks/erp", {}, {}, a_notification())) == 200
    assert last(client).verification is Verification.UNCHECKED


def test_a_gap_in_the_sequence_is_fine(client: ReceiverEngine, send: Send) -> None:
    send(1)
    send(4)

    assert client.violations() == []


def test_a_sequence_that_falls_is_out_of_order(client: ReceiverEngine, send: Send) -> None:
    send(2)
    send(1)

    assert kinds(client) == ["out of order"]


def test_two_events_under_one_sequence_are_a_violation(client: ReceiverEngine, send: Send) -> None:
    send(2)
    send(2, webhook_id="msg_other")

    assert kinds(client) == ["same sequence, other webhook-id"]


def test_one_id_with_two_bodies_is_a_violation(client: ReceiverEngine, send: Send) -> None:
    send(1, webhook_id="msg_same")
    send(2, webhook_id="msg_same")

    assert kinds(client) == ["same webhook-id, other body"]


def test_each_return_and_each_endpoint_has_its_own_order(client: ReceiverEngine, send: Send) -> None:
    send(5, about="RET-8")
    send(1, about="RET-9")
    client.handle("POST", "/hooks/erp", {}, {}, a_notification(1))

    assert client.violations() == []


def test_a_repeat_is_marked_and_is_no_violation(client: ReceiverEngine, send: Send) -> None:
    send(1)
    send(2)
    send(1)

    assert last(client).accepted_before
    assert client.violations() == []
    assert client.heard("shop", "RET-8") == [(1, "OUT_FOR_PICKUP"), (2, "OUT_FOR_PICKUP")]
    assert client.state()["duplicates"] == 1


def test_a_retry_after_a_refusal_is_seen_before_but_not_taken_in_before(client: ReceiverEngine, send: Send) -> None:
    client.fail("shop", answers_status(503, does_the_work=False, retry_after="7"))

    refused = send(1)
    send(1)

    assert isinstance(refused, Answer)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "7")
    assert last(client).seen_before
    assert not last(client).accepted_before
    assert client.heard("shop", "RET-8") == [(1, "OUT_FOR_PICKUP")]


def test_an_event_that_overtakes_a_refused_one_is_a_violation(client: ReceiverEngine, send: Send) -> None:
    client.fail("shop", answers_status(500, does_the_work=False))
    send(1)
    send(2)

    assert kinds(client) == ["overtook"]


def test_a_hang_takes_the_event_in_and_the_retry_is_a_repeat(client: ReceiverEngine, send: Send) -> None:
    client.fail("shop", hangs(does_the_work=True))

    assert send(1) == NoReply(did_the_work=True)
    send(1)
    send(2)

    assert client.violations() == []
    assert [delivery.answered for delivery in client.deliveries()] == [None, 200, 200]


def test_wrong_static_headers_are_401_and_the_credential_call_tells_the_right_ones(
    client: ReceiverEngine, send: Send
) -> None:
    client.set_endpoint("shop", expected_headers={"Authorization": "Bearer two"})

    refused = send(1, headers={"authorization": "Bearer one"})
    told = client.handle("POST", "/credentials/shop", {}, {}, b"")
    assert isinstance(told, Answer)
    accepted = send(1, headers={"authorization": json.loads(told.body)["Authorization"]})

    assert (status(refused), status(accepted)) == (401, 200)
    assert client.violations() == []
    assert client.state()["endpoints"]["shop"]["credential_calls"] == 1


def test_a_status_fault_takes_nothing_in_unless_it_is_a_success() -> None:
    assert not read_fault({"then": "status", "status": 410}).does_the_work
    assert read_fault({"then": "status", "status": 204}).does_the_work
    assert read_fault({"then": "hangs"}).does_the_work
    assert not read_fault({"then": "redirect"}).does_the_work


def test_an_enormous_answer_is_as_large_as_asked(client: ReceiverEngine, send: Send) -> None:
    client.fail("*", Fault(Then.ENORMOUS, size=100_000))

    reply = send(1)

    assert isinstance(reply, Answer)
    assert len(reply.body) > 100_000


def test_a_notification_without_a_sequence_is_not_judged_by_order(client: ReceiverEngine, send: Send) -> None:
    send(3)
    send(None)

    assert client.violations() == []


def test_a_body_that_says_nothing_is_a_violation(client: ReceiverEngine) -> None:
    client.handle("POST", "/hooks/erp", {}, {}, b"\xff not json")

    assert kinds(client) == ["unreadable body"]


def test_what_is_remembered_is_bounded_and_the_counts_go_on(clock: Clock) -> None:
    client = ReceiverEngine(keeps=3, clock=clock)
    for number in range(5):
        client.handle("POST", "/hooks/erp", {}, {"webhook-id": str(number)}, a_notification(1, about=f"RET-{number}"))

    assert [delivery.number for delivery in client.deliveries()] == [3, 4, 5]
    assert [row["about"] for row in client.describe_returns()] == ["RET-2", "RET-3", "RET-4"]
    assert client.state()["deliveries"] == 5


def test_a_secret_that_is_not_base64_is_refused_when_set(client: ReceiverEngine) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        client.set_endpoint("shop", secrets=("whsec_%%%",))
