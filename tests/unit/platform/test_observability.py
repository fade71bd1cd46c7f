"""Logs tell the story without the people in it: no personal data, no payloads, no secrets."""

import json
from collections.abc import Iterator

import pytest

from rms.clients import authenticate, credentials
from rms.platform.observability import count, metrics
from sandbox.faults import answers_status
from tests.builders import a_channel_booked_body, a_return_create_body, a_return_order_body
from tests.fakes.http import answer
from tests.logs import Log, rms_log
from tests.webhooks import a_request, a_scan
from tests.world import CLICKPOST_HOST, CLIENT, WEBHOOK_KEY, World, an_operator

PERSONAL = ["Asha", "Menon", "Ravi", "Iyer", "98200", "98400", "8045550", "mail.example", "Lake View", "Temple Street"]


@pytest.fixture
def log() -> Iterator[Log]:
    with rms_log() as log:
        yield log


@pytest.fixture
def world() -> World:
    return World()


def secrets_of(world: World) -> list[str]:
    signing = [each for endpoint in world.endpoints for each in world.receiver._endpoint(endpoint).secrets]
    assert signing
    return [WEBHOOK_KEY, "sandbox-api-key", *signing, *(each.removeprefix("whsec_") for each in signing)]


def test_nothing_personal_and_no_secret_is_logged_over_whole_flows(
    world: World, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flows 1 and 2, refusals, time-outs, bad requests, poisoned webhooks, refused notifications and our own faults."""
    operator = an_operator(world)
    client = credentials.issue_credential(world.core, CLIENT, "shop", ["client"])
    authenticate(world.core, client.domain, client.username, client.password)
    authenticate(world.core, client.domain, client.username, "wrong-password-98200")

    world.create_return(a_return_order_body(returnOrderCode="RET-1"))
    world.create_return(a_return_create_body(logisticAccountAlias="main"), "/return/create")
    world.create_return(a_return_order_body(returnOrderCode="RET-2", **{"pickupAddress.zip": "990001"}))
    world.create_return(a_return_order_body(**{"pickupAddress.phone": ["9820055501"]}))
    world.create_return(a_return_order_body(returnOrderCode="RET-1", returnReason="Asha says so"))
    world.create_return(b'{"phone": "9820055501"')
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body(returnOrderCode="RET-3"))
    world.receiver.fail("shop", answers_status(500, does_the_work=False), times=2)
    for parcel in world.clickpost.parcels():
        world.clickpost.advance(parcel.awb, life="delivered", steps=None)
    for body in (a_request(11, "RE-1"), a_scan("77", 4), b'{"customer_phone": "9820055501"}', b"Asha Menon"):
        world.webhook(body)
    world.webhook(a_scan("77", 4), {"webhook_key": "wrong-key-98200"})
    world.settle()
    world.read_return("RET-1")
    world.call("administer_clients", "GET", f"/clients/{CLIENT}", roles="operator")

    printed = log.text + capsys.readouterr().out
    assert len(log.lines) > 30
    secrets = [*secrets_of(world), client.password, operator.password, "wrong-password", "wrong-key"]
    assert [each for each in [*PERSONAL, *secrets] if each in printed] == []


@pytest.mark.parametrize("status", [322, 328, 999], ids=["a failure", "a refusal", "a riddle"])
def test_the_aggregators_words_may_name_the_shopper_and_are_not_logged(world: World, log: Log, status: int) -> None:
    meta = {"meta": {"status": status, "success": False, "message": "Asha Menon, 9820055501: not reachable"}}
    partners = world.http._routes["https://"].handler
    world.http.on(f"https://{CLICKPOST_HOST}", partners, script=(answer(200, meta),))

    world.create_return(a_return_order_body())

    assert world.rows_of("RET-70031-1")["BOOKING"]["state"] in {"UNKNOWN", "REFUSED"}
    assert [each for each in PERSONAL if each in log.text] == []


def test_the_words_of_an_aggregator_that_is_given_up_on_are_not_logged_either(world: World, log: Log) -> None:
    meta = {"meta": {"status": 322, "success": False, "message": "9820055501 not reachable"}}
    world.http.on(f"https://{CLICKPOST_HOST}", lambda _: answer(200, meta))

    world.create_return(a_return_order_body())
    world.settle()

    assert world.rows_of("RET-70031-1")["BOOKING"]["state"] == "HELD"
    assert [line["message"] for line in log.lines if line["level"] == "ERROR"] == ["booking held"]
    assert [each for each in PERSONAL if each in log.text] == []


def test_one_correlation_id_runs_from_the_request_to_the_delivery(world: World, log: Log) -> None:
    world.create_return(a_channel_booked_body())
    world.work_all()

    assert [(line["message"], line["correlation_id"]) for line in log.lines] == [
        ("request", "request-1"),
        ("message", "request-1"),
    ]


def test_what_is_counted_goes_out_with_the_work_that_counted_it(capsys: pytest.CaptureFixture[str]) -> None:
    count("ParkedUpdate")
    count("ParkedUpdate", 2)
    metrics.flush_metrics()

    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["ParkedUpdate"] == [1.0, 2.0]
    assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "RMS"
