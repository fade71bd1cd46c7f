"""Test-sends: one sample, signed and sent as everything is, and nothing of it kept."""

import json
from typing import Any

import pytest

from rms.clients.endpoints import pause_endpoint
from rms.journal.keys import endpoint_key
from rms.model.notification_type import NotificationType
from rms.platform.table import EXISTING, Update
from rms.platform.times import to_text
from sandbox.faults import answers_status, hangs
from sandbox.signatures import Verification, verify
from tests.fakes.http import answer, json_of
from tests.unit.notifications.telling import CREDENTIALS, HOOK, answers, register, sent
from tests.world import CLIENT, HttpReply, World


def ask(world: World, body: object = None, endpoint: str = "shop", **options: Any) -> HttpReply:
    return world.call("manage_endpoints", "POST", f"/endpoints/{endpoint}/test", body, **options)


@pytest.mark.parametrize("direction", ["RETURN", "FORWARD"])
@pytest.mark.parametrize("name", list(NotificationType))
def test_a_sample_of_every_type_is_signed_marked_and_taken(name: NotificationType, direction: str) -> None:
    world = World()
    before = world.table.rows()

    reply = ask(world, {"notificationType": name.value, "direction": direction})

    [request] = sent(world)
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert reply.status == 200
    assert reply.body["delivered"] is True
    assert (reply.body["status"], reply.body["reason"]) == (200, "delivered")
    assert reply.body["webhookId"] == headers["webhook-id"]
    assert headers["webhook-id"].startswith("msg_test_")
    assert headers["webhook-test"] == "true"
    secrets = world.receiver._endpoints["shop"].secrets
    assert verify(secrets, headers, request.body or b"", world.clock()) is Verification.VALID
    body = json_of(request)
    assert body["notificationType"] == name.value
    assert ("invoiceData" in body) == (name is NotificationType.INVOICE_GENERATED)
    if "invoiceData" not in body:
        assert (body["returnOrderInfo"] is not None) == (direction == "RETURN")
    assert world.table.rows() == before, "nothing is kept"
    assert world.queues.messages("deliveries") == []


def test_without_a_wish_a_return_in_transit_is_the_sample() -> None:
    world = World()

    assert ask(world).status == 200

    [body] = map(json_of, sent(world))
    assert body["notificationType"] == "IN_TRANSIT"
    assert body["returnOrderInfo"] is not None


def test_every_sample_has_an_id_of_its_own() -> None:
    world = World()

    assert ask(world).body["webhookId"] != ask(world).body["webhookId"]


def test_a_sample_goes_out_with_the_headers_and_switches_of_the_endpoint() -> None:
    world = World()
    register(world, headers={"X-Shop": "lotus"}, sequence=False)

    ask(world)

    [request] = sent(world)
    assert request.headers["X-Shop"] == "lotus"
    assert "sequence" not in json_of(request)


@pytest.mark.parametrize("body", [{"notificationType": "GONE_FISHING"}, {"notificationType": "delivered"}])
def test_an_unknown_type_is_refused_and_nothing_is_sent(body: object) -> None:
    world = World()

    reply = ask(world, body)

    assert (reply.status, reply.body["code"]) == (400, "BAD_DATA")
    problem = "must be the name of a notification type, like DELIVERED"
    assert reply.body["description"] == f"[notificationType: {problem}]"
    assert sent(world) == []


def test_an_unknown_direction_is_refused() -> None:
    reply = ask(World(), {"direction": "BACK"})

    assert (reply.status, reply.body["description"]) == (400, "[direction: must be one of FORWARD, RETURN]")


def test_a_refusal_is_an_answer_and_not_an_error() -> None:
    world = World()
    answers(world, answer(422, b"x" * 5000))

    reply = ask(world)

    assert reply.status == 200
    assert reply.body | {"webhookId": ""} == {
        "delivered": False,
        "status": 422,
        "elapsedMs": 12,
        "reason": "answered 422",
        "answer": "x" * 1024,
        "webhookId": "",
    }
    assert len(sent(world)) == 1, "it is sent once, and not tried again"


def test_an_endpoint_that_does_not_answer_is_said_so() -> None:
    world = World()
    world.receiver.fail("shop", hangs(does_the_work=False))

    reply = ask(world)

    assert reply.status == 200
    assert (reply.body["delivered"], reply.body["status"], reply.body["answer"]) == (False, None, "")
    assert reply.body["reason"]


def test_a_410_to_a_sample_disables_nothing() -> None:
    world = World()
    world.receiver.fail("shop", answers_status(410, does_the_work=False))
    before = world.table.rows()

    assert ask(world).body["reason"] == "answered 410: the endpoint is gone"
    assert world.table.rows() == before


def test_a_sample_is_sent_with_fresh_headers_when_the_old_ones_are_refused() -> None:
    world = World()
    register(world, headers={"Authorization": "Bearer stale"}, credential_url=CREDENTIALS)
    world.receiver.set_endpoint("shop", expected_headers={"Authorization": "Bearer fresh"})

    assert ask(world).body["delivered"] is True

    first, second = sent(world)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_headers_that_are_refused_without_a_credential_api_are_said_so() -> None:
    world = World()
    world.receiver.set_endpoint("shop", expected_headers={"Authorization": "Bearer fresh"})

    reply = ask(world)

    assert (reply.body["status"], reply.body["reason"]) == (401, "answered 401: the credentials are not accepted")


def test_a_paused_endpoint_may_be_tried() -> None:
    world = World()
    pause_endpoint(world.core, CLIENT, "shop")

    assert ask(world).body["delivered"] is True


def test_a_disabled_endpoint_is_not_called() -> None:
    world = World()
    off = {"disabled_at": to_text(world.clock()), "disabled_because": "answered 410"}
    world.core.table.write(Update(endpoint_key(CLIENT, "shop"), EXISTING, set=off))

    reply = ask(world)

    assert (reply.status, reply.body["code"]) == (409, "CONFLICT")
    assert reply.body["description"] == "[endpoint: is disabled; resume it first]"
    assert sent(world) == []


def test_the_filter_of_an_endpoint_is_not_asked() -> None:
    world = World()
    world.call("manage_endpoints", "PUT", "/endpoints/shop", {"filter": {"notificationTypes": ["DELIVERED"]}})

    assert ask(world, {"notificationType": "RTO"}).body["delivered"] is True


def test_a_sample_says_in_all_its_codes_that_it_is_one() -> None:
    world = World()
    for name, direction in (("DELIVERED", "RETURN"), ("DELIVERED", "FORWARD"), ("INVOICE_GENERATED", "RETURN")):
        ask(world, {"notificationType": name, "direction": direction})

    for body in map(json_of, sent(world, HOOK)):
        told = json.dumps(body)
        codes = [body["forwardOrderCode"], body["forwardShipmentCode"]]
        assert all(str(code).startswith("SAMPLE") for code in codes), told
