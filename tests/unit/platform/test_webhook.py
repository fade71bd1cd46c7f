"""Taking webhooks: nobody gets in without the key, and nothing that came with it is lost or changed."""

import base64
import hashlib
import json
from collections.abc import Iterator

import pytest

from rms.clients import administration
from rms.clients.webhooks import webhook_sender
from rms.platform.events import MAX_BODY
from tests.fakes.calls import Fault
from tests.logs import Log, rms_log
from tests.webhooks import a_scan
from tests.world import CLIENT, WEBHOOK_KEY, World, a_clickpost_account

SCAN = a_scan("AWB-1", 4)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def log() -> Iterator[Log]:
    with rms_log() as log:
        yield log


# ── who ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["webhook_key", "Webhook_Key", "WEBHOOK-KEY", "webhook-key", "Authorization"])
def test_the_key_is_taken_under_each_of_its_names_in_any_case(world: World, name: str) -> None:
    assert world.webhook(SCAN, {name: WEBHOOK_KEY}) == 200
    assert len(world.queues.messages("inbound")) == 1


def test_a_key_in_authorization_is_compared_as_it_was_typed(world: World) -> None:
    account = a_clickpost_account(alias="second", webhook_key="Basic bG90dXM6cGFzc3dvcmQ=")
    administration.put_account(world.core, CLIENT, account)

    assert world.webhook(SCAN, {"Authorization": "Basic bG90dXM6cGFzc3dvcmQ="}) == 200
    assert world.queues.messages("inbound")[0]["alias"] == "second"
    assert world.webhook(SCAN, {"Authorization": "bG90dXM6cGFzc3dvcmQ="}) == 401


WRONG_HEADERS = {
    "no header": {},
    "an empty key": {"webhook_key": ""},
    "white space": {"webhook_key": " "},
    "a wrong key": {"webhook_key": "key-made-on-the-dashboard-02"},
    "the key's beginning": {"webhook_key": WEBHOOK_KEY[:-1]},
    "the key and more": {"webhook_key": WEBHOOK_KEY + " "},
    "the key in other case": {"webhook_key": WEBHOOK_KEY.upper()},
    "the key under another name": {"x-webhook-key": WEBHOOK_KEY},
    "a digest of the key": {"webhook_key": hashlib.sha256(WEBHOOK_KEY.encode()).hexdigest()},
    "a key that is no text": {"webhook_key": "\ud800"},
    "a very long key": {"webhook_key": "k" * 10_000},
    "a key with a separator": {"webhook_key": "x#ACCOUNT"},
}


@pytest.mark.parametrize("what", WRONG_HEADERS)
def test_without_the_right_key_every_webhook_gets_the_same_refusal_and_goes_nowhere(world: World, what: str) -> None:
    status, body = taken(world, WRONG_HEADERS[what])

    assert (status, body) == taken(world, {"webhook_key": "not a key"})
    assert status == 401
    assert json.loads(body)["code"] == "UNAUTHORIZED"
    assert world.queues.messages("inbound") == []


def test_where_no_key_is_configured_no_webhook_is_accepted(world: World) -> None:
    administration.put_account(world.core, CLIENT, a_clickpost_account(webhook_key=None))

    for headers in ({}, {"webhook_key": ""}, {"webhook_key": "None"}, {"webhook_key": WEBHOOK_KEY}):
        assert world.webhook(SCAN, headers) == 401
    assert world.queues.messages("inbound") == []


def test_a_key_says_whose_webhook_it_is_so_another_tenants_key_never_writes_into_this_one(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")
    theirs = a_clickpost_account(webhook_key="the-key-of-poppy-0001")
    administration.put_account(world.core, "poppy", theirs)

    world.webhook(SCAN, {"webhook_key": "the-key-of-poppy-0001"})

    assert [message["client"] for message in world.queues.messages("inbound")] == ["poppy"]


def test_a_key_is_good_for_its_own_aggregator_only(world: World) -> None:
    assert webhook_sender(world.core, "CLICKPOST", [WEBHOOK_KEY]) is not None
    assert webhook_sender(world.core, "SHIPROCKET", [WEBHOOK_KEY]) is None


def test_a_key_that_was_replaced_stops_working_within_ten_seconds(world: World) -> None:
    assert world.webhook(SCAN) == 200
    administration.put_account(world.core, CLIENT, a_clickpost_account(webhook_key="a-fresh-key-0000002"))
    world.clock.advance(seconds=10)

    assert world.webhook(SCAN) == 401
    assert world.webhook(SCAN, {"webhook_key": "a-fresh-key-0000002"}) == 200


# ── what ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\xff\xfe\x80", b"{not json", "नमस्ते".encode(), b" " * MAX_BODY, bytes(range(256)) * 4],
    ids=lambda body: f"{len(body)} bytes",
)
def test_a_body_is_kept_byte_for_byte_whatever_it_is(world: World, body: bytes) -> None:
    assert world.webhook(body) == 200

    (message,) = world.queues.messages("inbound")
    assert base64.b64decode(str(message["body"])) == body


def test_the_message_says_when_it_came_and_from_whom(world: World) -> None:
    world.webhook(SCAN)

    (message,) = world.queues.messages("inbound")
    assert {name: value for name, value in message.items() if name != "body"} == {
        "task": "record",
        "client": CLIENT,
        "alias": "main",
        "aggregator": "CLICKPOST",
        "received_at": "2026-03-02T06:30:00.000Z",
        "correlation": "webhook-1",
    }


def test_a_body_that_the_gateway_hands_over_as_text_is_the_same(world: World) -> None:
    event = {"headers": {"webhook_key": WEBHOOK_KEY}, "requestContext": {}, "body": '{"name":"जूता"}'}

    assert world.invoke("clickpost_webhook", event)["statusCode"] == 200

    (message,) = world.queues.messages("inbound")
    assert base64.b64decode(str(message["body"])) == '{"name":"जूता"}'.encode()


def test_one_byte_over_256_kb_is_too_large(world: World) -> None:
    assert world.webhook(b" " * MAX_BODY) == 200
    assert world.webhook(b" " * (MAX_BODY + 1)) == 413


# ── our own faults ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("port", ["queues", "table"])
def test_while_we_cannot_take_it_the_aggregator_is_told_to_send_it_again(world: World, port: str, log: Log) -> None:
    world.calls.plan = lambda call: Fault.THROTTLED if call.port == port else None
    assert world.webhook(SCAN) == 500
    world.calls.plan = lambda _: None

    assert world.webhook(SCAN) == 200
    assert [line["message"] for line in log.lines] == ["webhook not taken", "webhook", "webhook"]


def test_a_message_whose_reply_was_lost_may_be_there_twice_and_never_not_at_all(world: World) -> None:
    world.calls.plan = lambda call: Fault.REPLY_LOST if call.port == "queues" else None
    assert world.webhook(SCAN) == 500
    world.calls.plan = lambda _: None
    assert world.webhook(SCAN) == 200

    assert len(world.queues.messages("inbound")) == 2


def test_a_warm_environment_takes_a_webhook_with_one_call(world: World) -> None:
    world.webhook(SCAN)
    before = len(world.calls.made)

    world.webhook(SCAN)

    assert [call.operation for call in world.calls.made[before:]] == ["send inbound"]


def taken(world: World, headers: dict[str, str]) -> tuple[int, str]:
    event = {"headers": headers, "requestContext": {}, "body": SCAN.decode(), "isBase64Encoded": False}
    answer = world.invoke("clickpost_webhook", event)
    return answer["statusCode"], answer["body"]
