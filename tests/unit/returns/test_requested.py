"""Flow 7: a shopper asks for a return in Returns Prime, and RMS hears of it by webhook. Flows, section 7."""

import json
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from rms.clients import administration
from rms.partners.returns_prime import COURSES, Stage
from rms.returns import requested
from sandbox.faults import Fault, Then
from sandbox.returns_prime import ReturnsPrimeEngine
from tests.apps import PRIME_KEY, connect_returns_prime, engine_of
from tests.builders import a_channel_booked_body, a_return_order_body, a_shipment_body
from tests.fakes.calls import Call, no_faults
from tests.world import CLIENT, App, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def app(world: World) -> App:
    return connect_returns_prime(world)


@pytest.fixture
def prime(app: App) -> ReturnsPrimeEngine:
    return engine_of(app)


def asked(prime: ReturnsPrimeEngine, awb: str | None = "5270001", **values: Any) -> Any:
    """A request whose parcel has an AWB."""
    request = prime.place({"lines": [{"sku": "KURTA-M", "quantity": 2, "id": 71}], **values})
    return prime.ship(request["id"], awb) if awb else request


def the_call_for(request: Any, **changes: object) -> dict[str, Any]:
    """What Returns Prime would post for a request of `asked`."""
    return a_channel_booked_body(
        returnOrderCode=request["request_number"],
        forwardOrderCode=str(request["order"]["id"]),
        awbNumber=request["line_items"][0]["shipping"][0]["awb"],
        orderItems=[{"itemCode": f"71_{n}", "reason": "Size too large", "channelSkuCode": "KURTA-M"} for n in (1, 2)],
        **changes,
    )


def kinds(world: World, code: str) -> list[str]:
    return [str(event["kind"]) for event in world.journal(code)]


def codes(world: World) -> list[str]:
    return sorted(str(row["PK"]).split("#", 3)[3] for row in world.table.rows() if row["SK"] == "DOCUMENT")


# ── a return comes to be ────────────────────────────────────────────────────────────


def test_a_request_with_a_parcel_becomes_a_return_and_everybody_hears(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    world.settle()

    code = request["request_number"]
    shown = world.read_return(code).body
    assert (shown["status"], shown["returnAwb"]) == ("RETURN_ORDER_PLACED", "5270001")
    assert shown["forwardOrderCode"] == str(request["order"]["id"])
    assert [item["itemCode"] for item in shown["orderItems"]] == ["71_1", "71_2"]
    assert world.heard(code) == ["RETURN_ORDER_PLACED"]
    told = world.deliveries()[0]
    assert (told["returnOrderInfo"]["returnAwb"], told["returnOrderInfo"]["returnOrderId"]) == ("5270001", code)


def test_a_request_without_a_parcel_waits_for_it(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime, None)
    world.settle()
    assert codes(world) == []

    prime.ship(request["id"], "5270001")
    world.settle()

    assert codes(world) == [request["request_number"]]


def test_what_the_webhook_says_is_nothing_and_what_the_api_says_is_the_truth(world: World, app: App) -> None:
    prime = engine_of(app)
    request = asked(prime)
    world.settle()
    forged = {"request": {**request, "status": "rejected", "rejected": {"status": True}}}

    assert world.notify(app, json.dumps(forged).encode()) == 200
    world.settle()

    assert world.read_return(request["request_number"]).body["status"] == "RETURN_ORDER_PLACED"


def test_lines_in_several_parcels_become_several_returns_whose_codes_stay(
    world: World, prime: ReturnsPrimeEngine
) -> None:
    request = asked(prime, None, lines=[{"sku": "A", "id": 1}, {"sku": "B", "id": 2}])
    number = request["request_number"]
    prime.ship(request["id"], "5270002", ["2"])
    world.settle()
    prime.ship(request["id"], "5270001", ["1"])
    world.settle()

    assert codes(world) == [number, f"{number}-2"]
    assert [world.read_return(code).body["returnAwb"] for code in codes(world)] == ["5270002", "5270001"]


def test_a_return_is_booked_with_the_account_that_the_connection_names(world: World) -> None:
    spare = administration.NewAccount(
        "spare", "SHIPROCKET", {"password": "p"}, {"email": "a@b.example", "pickup_location": "Primary"}
    )
    administration.put_account(world.core, CLIENT, spare)
    prime = engine_of(connect_returns_prime(world, {"account": "spare"}))
    request = asked(prime)
    world.settle()

    assert world.read_return(request["request_number"]).body["logisticAggregatorName"] == "SHIPROCKET"


# ── by both ways ────────────────────────────────────────────────────────────────────


def test_the_call_first_and_then_the_webhook_make_one_return(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    code = request["request_number"]
    assert world.create_return(the_call_for(request)).status == 200
    document = world.rows_of(code)["DOCUMENT"]
    world.settle()

    assert codes(world) == [code]
    assert world.rows_of(code)["DOCUMENT"] == document
    assert world.rows_of(code)["STATUS"]["request"] == request["id"]
    assert world.heard(code) == ["RETURN_ORDER_PLACED"]


def test_the_webhook_first_and_then_the_call_make_one_return(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    code = request["request_number"]
    world.settle()
    rows = world.rows_of(code)

    assert world.create_return(the_call_for(request)).status == 200
    world.settle()
    assert codes(world) == [code]
    assert world.rows_of(code) == rows


@pytest.mark.parametrize(
    "change", [{"awbNumber": "999"}, {"orderItems": [{"itemCode": "x", "reason": "r", "channelSkuCode": "KURTA-M"}]}]
)
def test_a_call_about_another_parcel_or_other_units_is_a_conflict(
    world: World, prime: ReturnsPrimeEngine, change: Any
) -> None:
    request = asked(prime)
    world.settle()

    answer = world.create_return({**the_call_for(request), **change})

    assert (answer.status, answer.body["code"]) == (409, "CONFLICT")


def test_a_call_under_a_code_of_its_own_is_the_same_return_by_its_awb(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    assert world.create_return(the_call_for(request) | {"returnOrderCode": "OWN-1"}).status == 200
    world.settle()

    assert codes(world) == ["OWN-1"]
    assert kinds(world, "OWN-1") == ["PLACED", "REQUEST_CHANGED"]


def test_a_call_that_comes_in_the_middle_of_the_webhooks_work_makes_no_second(
    world: World, prime: ReturnsPrimeEngine
) -> None:
    request = asked(prime)
    world.post_webhooks()

    def the_call_comes_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            here, world.core = world.core, world.another_environment()
            assert world.create_return(the_call_for(request)).status == 200
            world.core = here

    world.calls.before = the_call_comes_first
    world.settle()

    assert codes(world) == [request["request_number"]]
    assert world.heard(request["request_number"]) == ["RETURN_ORDER_PLACED"]


def test_a_return_that_rms_was_to_book_is_not_made_a_second_time(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime, None)
    code = request["request_number"]
    assert world.create_return(a_return_order_body(returnOrderCode=code)).status == 200
    prime.ship(request["id"], "5270001")
    world.settle()

    assert codes(world) == [code]
    assert "REQUEST_CHANGED" in kinds(world, code)


def test_a_code_that_another_parcel_of_the_channel_has_is_passed_over(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    code = request["request_number"]
    assert world.create_return(a_channel_booked_body(returnOrderCode=code)).status == 200
    world.settle()

    assert codes(world) == [code, f"{code}-2"]


def test_an_awb_of_a_forward_parcel_becomes_no_return(world: World, prime: ReturnsPrimeEngine) -> None:
    world.ship(a_shipment_body())
    [awb] = [parcel.awb for parcel in world.clickpost.parcels()]
    request = asked(prime, awb)
    world.settle()

    assert request["request_number"] not in codes(world)
    assert not world.queues.dead["inbound"]


# ── how the request goes on ─────────────────────────────────────────────────────────


def test_each_step_of_a_request_is_one_event_however_often_it_is_told(world: World, prime: ReturnsPrimeEngine) -> None:
    request = asked(prime)
    code = request["request_number"]
    world.settle()
    for _ in range(4):
        prime.advance(request["id"])
        world.settle()
        prime.tell(request["id"], "request/updated")
        world.settle()

    assert [event["facts"].get("request_status") for event in world.journal(code)] == [
        *(None, "pending", "approved", "received", "inspected", "refunded"),
    ]
    assert world.heard(code) == ["RETURN_ORDER_PLACED"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_webhooks_in_any_order_end_alike(world: World, app: App, order: tuple[int, ...]) -> None:
    prime = engine_of(app)
    request = asked(prime)
    prime.advance(request["id"])
    sent = []
    while webhook := prime.claim_webhook():
        sent.append(webhook.body)
        prime.webhook_answered(webhook, 200)
    for place in order:
        assert world.notify(app, sent[place]) == 200
        world.settle()

    assert kinds(world, request["request_number"]) == ["PLACED", "REQUEST_CHANGED"]


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.OTHER])
def test_what_a_stage_decides_stands_in_its_table(world: World, prime: ReturnsPrimeEngine, stage: Stage) -> None:
    old, new = asked(prime, "5270001"), asked(prime, "5270002")
    for webhook in iter(prime.claim_webhook, None):
        about_old = webhook.about["request"] == old["id"]
        prime.webhook_answered(webhook, world.notify(world.apps[0], webhook.body) if about_old else 200)
    world.settle()
    prime.advance(old["id"], stage.value.lower())
    prime.advance(new["id"], stage.value.lower())
    world.settle()

    cancelled = world.read_return(old["request_number"]).body["status"] == "CANCELLED"
    assert (new["request_number"] in codes(world), cancelled) == (COURSES[stage].makes, COURSES[stage].cancels)


@pytest.mark.parametrize("end", ["rejected", "archived"])
def test_a_request_that_comes_to_nothing_cancels_its_return_once(
    world: World, prime: ReturnsPrimeEngine, end: str
) -> None:
    request = asked(prime)
    code = request["request_number"]
    world.settle()
    prime.advance(request["id"], end)
    prime.tell(request["id"], "request/updated")
    world.settle()

    shown = world.read_return(code).body
    assert (shown["status"], shown["omniReturnOrderStatus"]) == ("CANCELLED", "CANCELLED")
    assert shown["cancellation"] == {"state": "CANCELLED", "wantedAt": shown["cancellation"]["wantedAt"]}
    assert world.heard(code) == ["RETURN_ORDER_PLACED", "CANCELLED"]


@pytest.mark.parametrize("end", ["rejected", "archived"])
def test_a_parcel_that_the_courier_has_goes_on(world: World, prime: ReturnsPrimeEngine, end: str) -> None:
    world.clickpost.add_parcel({"awb": "5270001", "courier": 25, "is_return": True})
    request = asked(prime)
    world.settle()
    world.clickpost.advance("5270001", steps=2)
    world.settle()

    prime.advance(request["id"], end)
    world.settle()

    assert world.read_return(request["request_number"]).body["status"] == "RETURN_PICKED_UP"
    assert kinds(world, request["request_number"])[-1] == "REQUEST_CHANGED"


def test_what_rms_has_booked_itself_is_not_the_apps_to_cancel(world: World, prime: ReturnsPrimeEngine) -> None:
    booked = world.create_return(a_return_order_body()).body["returnAwb"]
    request = asked(prime, booked)
    prime.advance(request["id"], "rejected")
    world.settle()

    assert world.read_return("RET-70031-1").body["status"] == "AWB_GENERATED"


def test_a_status_and_a_topic_that_nobody_knows_are_kept_raw_and_counted(
    world: World, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    prime = engine_of(app)
    request = asked(prime)
    world.settle()
    prime._asked[request["id"]]["status"] = "On Hold (fraud)"
    body = json.dumps({"id": request["id"], "topic": "request/merged"}).encode()

    assert world.notify(app, body) == 200
    world.settle()

    last = world.journal(request["request_number"])[-1]
    assert (last["facts"]["request_status"], last["facts"]["topic"]) == ("On Hold (fraud)", "request/merged")
    assert '"UnknownStatus":[1.0,1.0]' in capsys.readouterr().out
    assert world.read_return(request["request_number"]).body["status"] == "RETURN_ORDER_PLACED"


def test_no_bank_details_are_kept(world: World, prime: ReturnsPrimeEngine) -> None:
    asked(prime)
    world.settle()

    assert "000000000001" not in str(world.table.rows())


# ── who gets in, and what goes wrong ────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["", "wrong", PRIME_KEY[:-1], PRIME_KEY + "x", PRIME_KEY.upper()])
def test_without_the_key_nothing_is_taken(world: World, key: str) -> None:
    connect_returns_prime(world)
    event = {"headers": {}, "pathParameters": {"secret": key}, "requestContext": {}, "body": "{}"}

    assert world.invoke("returns_prime_webhook", event)["statusCode"] == 401
    assert world.queues.messages("inbound") == []


def test_a_client_without_a_connection_lets_nobody_in(world: World) -> None:
    event = {"headers": {}, "pathParameters": {"secret": PRIME_KEY}, "requestContext": {}, "body": "{}"}

    assert world.invoke("returns_prime_webhook", event)["statusCode"] == 401


def test_the_intake_reads_nothing_of_what_it_takes(world: World, app: App) -> None:
    assert world.notify(app, b"\x00 not JSON") == 200
    assert len(world.queues.messages("inbound")) == 1
    world.settle()
    assert len(world.queues.dead["inbound"]) == 1


FAILURES: dict[str, Callable[[ReturnsPrimeEngine], None]] = {
    "busy": lambda prime: prime.fail("get-request", Fault(Then.STATUS, does_the_work=False, status=429)),
    "down": lambda prime: prime.fail("get-request", Fault(Then.STATUS, does_the_work=False, status=503), times=3),
    "silent": lambda prime: prime.fail("get-request", Fault(Then.HANGS), times=2),
    "talking nonsense": lambda prime: prime.fail("get-request", Fault(Then.HTML)),
}


@pytest.mark.parametrize("what", FAILURES)
def test_while_returns_prime_is_in_trouble_the_news_of_it_waits(
    world: World, prime: ReturnsPrimeEngine, what: str
) -> None:
    request = asked(prime, None)
    world.settle()
    FAILURES[what](prime)
    prime.ship(request["id"], "5270001")
    world.settle()

    assert codes(world) == [request["request_number"]]
    assert not world.queues.dead["inbound"]


def test_what_never_can_be_read_waits_whole_for_a_person_and_holds_nobody_up(
    world: World, app: App, prime: ReturnsPrimeEngine
) -> None:
    assert world.notify(app, b'{"id": "nobody"}') == 200
    request = asked(prime)
    world.settle()

    [dead] = world.queues.dead["inbound"]
    assert json.loads(dead.body)["task"] == "request"
    assert codes(world) == [request["request_number"]]


def test_a_token_that_is_refused_says_so_in_the_log_and_not_what_was_said(world: World, app: App) -> None:
    prime = engine_of(app)
    prime.change({"token": "another"})
    request = asked(prime)

    with pytest.raises(requested.UnreadRequestError, match=r"refused \(CONFIGURATION\): UNAUTHORIZED$"):
        requested.record_request(world.core, CLIENT, json.dumps({"id": request["id"]}).encode(), world.clock())
