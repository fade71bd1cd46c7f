"""Flow 2 at every aggregator besides Clickpost: booked, followed and told, through the real handlers and adapters."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from rms.aggregators.shiprocket import webhook_url_problem
from rms.clients import administration, credentials
from rms.platform.errors import BadDataError
from rms.platform.queues import QueueName
from sandbox.faults import Fault, Then, WebhookFault, WebhookThen
from tests.builders import a_channel_booked_body, a_return_order_body
from tests.partners import KINDS, SANDBOX, SHIPROCKET_KEY, SHIPWAY_KEY, WITHOUT_QC, onboard
from tests.world import CLIENT, WEBHOOK_KEY, HttpReply, Partner, World

CODE: Final = "RET-70031-1"
TOLD: Final[Mapping[str, Sequence[str]]] = {
    "SHIPROCKET": (
        "AWB_GENERATED",
        "PICKUP_SCHEDULED",
        "OUT_FOR_PICKUP",
        "RETURN_PICKED_UP",
        "IN_TRANSIT",
        "OUT_FOR_DELIVERY",
        "DELIVERED",
    ),
    "SHIPWAY": (
        "AWB_GENERATED",
        "PICKUP_SCHEDULED",
        "OUT_FOR_PICKUP",
        "RETURN_PICKED_UP",
        "IN_TRANSIT",
        "DELIVERED",
    ),
    SANDBOX: (
        "AWB_GENERATED",
        "OUT_FOR_PICKUP",
        "RETURN_PICKED_UP",
        "IN_TRANSIT",
        "OUT_FOR_DELIVERY",
        "DELIVERED",
    ),
}
"""What an endpoint hears of a return's usual life; Shipway knows no parcel on its last way."""

each_aggregator = pytest.mark.parametrize("name", sorted(KINDS))


def booked(world: World, partner: Partner) -> str:
    """A return that RMS has booked at this aggregator; answers its AWB. Shipway's comes a while later."""
    answer = world.create_return(a_return_order_body(**WITHOUT_QC))
    assert answer.status in {200, 202}, answer.text
    world.settle()
    [parcel] = partner.engine.parcels()
    return parcel.awb


def live(world: World, partner: Partner, awb: str) -> None:
    """The parcel's usual life, a scan an hour."""
    world.clock.advance(hours=1)
    while partner.engine.advance(awb):
        world.clock.advance(hours=1)
        world.settle()


def dead(world: World, queue: QueueName = "inbound") -> int:
    return len(world.queues.dead[queue])


# ── a good day, and not so good ones ────────────────────────────────────────────────


@each_aggregator
def test_a_return_is_booked_followed_and_told_until_it_is_back(name: str) -> None:
    world = World()
    partner = onboard(world, name)

    awb = booked(world, partner)
    live(world, partner, awb)

    shown = world.read_return(CODE).body
    assert world.heard(CODE) == list(TOLD[name])
    assert (shown["status"], shown["returnAwb"]) == ("DELIVERED", awb)
    assert world.receiver.violations() == []
    assert (world.due_rows(), dead(world)) == ([], 0)


@each_aggregator
@pytest.mark.parametrize("seed", range(4))
def test_shuffled_and_doubled_webhooks_end_in_the_same_state_with_every_event_told_once(name: str, seed: int) -> None:
    world = World(seed=seed)
    partner = onboard(world, name, seed=seed)
    awb = booked(world, partner)
    world.queues.duplicates = 0.3
    faults = partner.engine.webhook_faults
    faults.sometimes("webhook", WebhookFault(WebhookThen.SHUFFLE, size=5, seconds=40), 0.6)
    faults.sometimes("*", WebhookFault(WebhookThen.DUPLICATE, copies=2), 0.3)

    live(world, partner, awb)
    world.settle()

    assert sorted(world.heard(CODE)) == sorted(TOLD[name])
    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert world.receiver.violations() == []
    assert (world.due_rows(), dead(world)) == ([], 0)


@each_aggregator
def test_a_booking_whose_answer_is_lost_is_found_and_not_made_again(name: str) -> None:
    world = World()
    partner = onboard(world, name)
    operation = "create-return" if name == "SHIPWAY" else partner.engine.operations[0]
    partner.engine.fail(operation, Fault(Then("hangs"), does_the_work=True))

    booked(world, partner)

    assert world.heard(CODE)[0] == "AWB_GENERATED"
    assert partner.engine.describe_bookings()["duplicate_parcels"] == 0


# ── who is let in ───────────────────────────────────────────────────────────────────

A_BODY: Final = b'{"awb": "1"}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": SHIPROCKET_KEY[:-1]},
        {"x-api-key": WEBHOOK_KEY},
        {"api-key": SHIPROCKET_KEY},
    ],
    ids=["none", "empty", "cut", "another aggregator's", "another header"],
)
def test_shiprocket_without_its_key_is_not_let_in(headers: Mapping[str, str]) -> None:
    world = World()
    partner = onboard(world, "SHIPROCKET")

    assert world.notify(partner, A_BODY, headers) == 401
    assert world.queues.messages("inbound") == []


@pytest.mark.parametrize("header", ["x-api-key", "X-Api-Key", "anx-api-key"])
def test_shiprockets_key_comes_in_either_header(header: str) -> None:
    world = World()
    partner = onboard(world, "SHIPROCKET")

    assert world.notify(partner, A_BODY, {header: SHIPROCKET_KEY}) == 200
    [message] = world.queues.messages("inbound")
    assert (message["client"], message["alias"], message["aggregator"]) == (CLIENT, "a-st", "SHIPROCKET")


@pytest.mark.parametrize("key", ["x", SHIPWAY_KEY[:-1], SHIPWAY_KEY.upper(), WEBHOOK_KEY])
def test_shipway_without_its_key_in_the_path_is_not_let_in(key: str) -> None:
    world = World()
    partner = onboard(world, "SHIPWAY")

    assert world.notify(partner, A_BODY, {"x-api-key": SHIPWAY_KEY}, key=key) == 401
    assert world.queues.messages("inbound") == []
    assert world.notify(partner, A_BODY) == 200


@pytest.mark.parametrize("given", [{}, {"authPassword": "wrong"}, {"authDomainName": "rms"}], ids=str)
def test_a_generic_aggregator_without_its_credential_is_not_let_in(given: Mapping[str, str]) -> None:
    world = World()
    partner = onboard(world, SANDBOX)
    headers = {**partner.engine.webhook_headers(), **given} if given else {}

    assert world.notify(partner, A_BODY, headers) == 403
    assert world.queues.messages("inbound") == []


# ── the generic aggregator's push ───────────────────────────────────────────────────


def a_push(**changes: object) -> dict[str, Any]:
    return {
        "forwardOrderCode": "SO-70031",
        "notificationType": "IN_TRANSIT",
        "shipmentType": "RETURN",
        "logisticAggregatorName": SANDBOX,
        "returnOrderInfo": {"returnOrderId": CODE, "returnAwb": "RA-1", "carrierName": "Sandbox Courier"},
    } | changes


def push(world: World, body: object, roles: str = "aggregator") -> HttpReply:
    return world.call("push_notification", "POST", "/rms-magic/notification/push", body, roles=roles)


@pytest.fixture
def pushed_to() -> World:
    world = World()
    onboard(world, SANDBOX)
    return world


def test_a_push_is_answered_200_with_an_empty_body_and_queued_whole(pushed_to: World) -> None:
    answer = push(pushed_to, a_push())

    assert (answer.status, answer.text) == (200, "")
    [message] = pushed_to.queues.messages("inbound")
    assert (message["client"], message["alias"], message["aggregator"]) == (CLIENT, "a-sandbox", SANDBOX)


def test_everything_wrong_with_a_push_is_said_at_once(pushed_to: World) -> None:
    answer = push(pushed_to, a_push(forwardOrderCode="", returnOrderInfo=None, logisticAggregatorName="NARVAR"))

    assert (answer.status, answer.body["code"]) == (400, "BAD_DATA")
    for field in ("forwardOrderCode", "returnOrderInfo", "logisticAggregatorName"):
        assert f"{field}: " in answer.body["description"]
    assert pushed_to.queues.messages("inbound") == []


@pytest.mark.parametrize("name", ["NARVAR", "CLICKPOST", "sandbox"])
def test_only_a_generic_aggregator_with_an_account_is_known(pushed_to: World, name: str) -> None:
    """Clickpost has an account here; its news comes as its own webhook."""
    answer = push(pushed_to, a_push(logisticAggregatorName=name))

    assert answer.status == 400
    assert answer.body["description"].startswith("[logisticAggregatorName: ")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_what_is_no_object_is_bad_data(pushed_to: World, body: bytes) -> None:
    assert push(pushed_to, body).status == 400


@pytest.mark.parametrize("roles", ["client", "warehouse", "operator"])
def test_only_an_aggregator_may_push(pushed_to: World, roles: str) -> None:
    assert push(pushed_to, a_push(), roles).status == 403


def test_an_aggregator_may_do_nothing_else(pushed_to: World) -> None:
    assert pushed_to.create_return(a_return_order_body(), roles="aggregator").status == 403
    assert pushed_to.read_return(CODE, roles="aggregator").status == 403
    with pytest.raises(BadDataError, match="must stand alone"):
        credentials.issue_credential(pushed_to.core, CLIENT, "both", ["aggregator", "client"])


# ── Shiprocket's URL ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["a1srb2.execute-api.ap-south-1.amazonaws.com", "X9KR.example"])
def test_whoever_sets_up_shiprocket_hears_when_it_will_not_take_the_url(host: str) -> None:
    assert "custom domain name" in str(administration.webhook_warning("SHIPROCKET", host))
    assert administration.webhook_warning("SHIPROCKET", "returns.lotus.example") is None
    assert administration.webhook_warning("CLICKPOST", host) is None


def test_the_path_of_shiprockets_webhooks_holds_none_of_the_words() -> None:
    assert webhook_url_problem(KINDS["SHIPROCKET"].path) is None


@pytest.mark.parametrize("host", ["api.srm.example", "api.rms.example"])
def test_the_warning_is_in_the_answer_to_the_account(host: str) -> None:
    account = KINDS["SHIPROCKET"].account
    body = {"aggregator": "SHIPROCKET", "secrets": dict(account.secrets), "options": dict(account.options)}
    path = f"/clients/{CLIENT}/accounts/st"

    answer = World().call("administer_clients", "PUT", path, body, client="rms", roles="operator", host=host)

    assert answer.status == 200
    assert ("warning" in answer.body) is (host == "api.srm.example")


# ── what nothing proves ─────────────────────────────────────────────────────────────


@pytest.fixture
def shipway() -> tuple[World, Partner, str]:
    """A return at Shipway, on its way to be picked up."""
    world = World()
    partner = onboard(world, "SHIPWAY")
    awb = booked(world, partner)
    world.clock.advance(hours=1)
    partner.engine.advance(awb)
    world.settle()
    return world, partner, awb


def _hash(licence_key: str) -> str:
    return hashlib.md5(f"sandbox@shipway.example:{licence_key}".encode(), usedforsecurity=False).hexdigest()


def a_forged_delivery(awb: str) -> bytes:
    said = {"awbno": awb, "reverse_tracking_number": awb, "current_status": "RDEL"}
    return json.dumps({**said, "status_time": "2026-03-02 19:00:00", "order_id": "1"}).encode()


def test_a_delivery_that_tracking_does_not_know_is_never_told_and_kept_whole(
    shipway: tuple[World, Partner, str],
) -> None:
    world, partner, awb = shipway
    before = world.heard(CODE)

    assert world.notify(partner, a_forged_delivery(awb)) == 200
    world.settle()

    assert world.heard(CODE) == before
    assert world.read_return(CODE).body["status"] == "OUT_FOR_PICKUP"
    assert dead(world) == 1


def test_news_that_decides_nothing_is_not_asked_about(shipway: tuple[World, Partner, str]) -> None:
    _, partner, _ = shipway

    assert [request["operation"] for request in partner.engine.requests() if request["operation"] == "tracking"] == []


@pytest.mark.parametrize("then", ["hangs", "closes", "status"])
def test_an_outage_of_tracking_loses_no_news(shipway: tuple[World, Partner, str], then: str) -> None:
    world, partner, awb = shipway
    partner.engine.fail("tracking", Fault(Then(then), does_the_work=False), times=2)

    partner.engine.advance(awb)
    world.settle()

    assert world.heard(CODE)[-1] == "RETURN_PICKED_UP"
    assert dead(world) == 0


@pytest.mark.parametrize(("licence_key", "told"), [("sandbox-licence-key", ["IN_TRANSIT"]), ("another", [])])
def test_a_feed_must_carry_the_accounts_hash(
    shipway: tuple[World, Partner, str], licence_key: str, told: Sequence[str]
) -> None:
    world, partner, awb = shipway
    partner.engine.advance(awb, steps=1)
    world.settle()
    world.clock.advance(hours=1)
    assert partner.engine.advance(awb, steps=1)
    webhook = partner.engine.claim_webhook()
    assert webhook is not None
    feed = {"status_feed": [json.loads(webhook.body)], "hash": _hash(licence_key)}

    assert world.notify(partner, json.dumps(feed).encode()) == 200
    world.work_all()

    assert [name for name in world.heard(CODE) if name == "IN_TRANSIT"] == told


def test_parked_news_is_confirmed_when_its_return_is_known(shipway: tuple[World, Partner, str]) -> None:
    """A forged delivery of an AWB that nobody knows yet waits, and holds up nothing else that waits there."""
    world, partner, _ = shipway
    awb = "660099887766"
    on_the_way = json.loads(a_forged_delivery(awb)) | {"current_status": "RINT", "status_time": "2026-03-02 18:00:00"}
    for body in (a_forged_delivery(awb), json.dumps(on_the_way).encode()):
        assert world.notify(partner, body) == 200
    world.work_all()

    channel = a_channel_booked_body(awbNumber=awb)
    assert world.create_return(channel).status == 200
    world.work_all()

    assert world.heard(channel["returnOrderCode"]) == ["RETURN_ORDER_PLACED", "IN_TRANSIT"]
