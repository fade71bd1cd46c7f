"""The simulated Shiprocket, spoken to by RMS's own adapter."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    Cancelled,
    Direction,
    Label,
    NotFound,
    RefusalKind,
    Refused,
    Shipment,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
    Working,
)
from rms.aggregators.shiprocket import Shiprocket
from rms.aggregators.shiprocket.statuses import ORDER_STATUSES, SHIPMENT_STATUSES, plain
from rms.model.notification_type import NotificationType as To
from rms.platform.http import HttpAnswer
from sandbox.client import SandboxClient, call
from sandbox.faults import Fault, Then, WebhookFault, WebhookThen
from sandbox.shiprocket import Settings, ShiprocketEngine, ShiprocketSandbox
from sandbox.shiprocket.statuses import LIVES, STATUSES
from tests.contract.adapters import FORWARD, FORWARD_COD, ORDER, ORDER_WITH_QC
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.walking import NOW, Walker

ACCOUNT = Account(
    client="kaveri-looms",
    alias="main",
    aggregator="SHIPROCKET",
    secrets={"password": "sandbox-password"},
    options={
        "base_url": "http://partner.example/v1/external",
        "email": "api@sandbox.example",
        "pickup_location": "Primary",
    },
)
NOWHERE = replace(ORDER, pickup=replace(cast("Any", ORDER.pickup), zip="990001"))

type Make = Callable[..., Walker]


def log_in(walker: Walker) -> None:
    """Get a token, as RMS does before it walks."""
    request = walker.adapter.login(replace(walker.account, secrets=ACCOUNT.secrets))
    assert request is not None
    token = walker.adapter.read_login(walker.send(request))
    assert isinstance(token, Token), token
    walker.account = replace(walker.account, secrets={**walker.account.secrets, "token": token.value})


@pytest.fixture
def a_shiprocket(clock: Clock) -> Make:
    def build(options: Mapping[str, str] | None = None, **settings: Any) -> Walker:
        account = replace(ACCOUNT, options={**ACCOUNT.options, **(options or {})})
        walker = Walker(Shiprocket(), account, ShiprocketEngine(Settings().changed(settings), clock=clock))
        log_in(walker)
        return walker

    return build


@pytest.fixture
def shiprocket(a_shiprocket: Make) -> Walker:
    return a_shiprocket()


def engine_of(walker: Walker) -> ShiprocketEngine:
    assert isinstance(walker.engine, ShiprocketEngine)
    return walker.engine


def booked(result: object) -> Booked:
    assert isinstance(result, Booked), result
    return result


def refused(result: object) -> Refused:
    assert isinstance(result, Refused), result
    return result


def a_shipment(walker: Walker, order: Any = ORDER) -> Shipment:
    job = walker.job(order)
    found = booked(walker.book(job))
    return Shipment(
        job.direction, job.reference, found.awb, found.courier, found.order_id or "", metadata=found.metadata
    )


def calls_of(walker: Walker) -> list[str]:
    return [row["operation"] for row in walker.engine.requests()]


# ── booking ─────────────────────────────────────────────────────────────────────────


def test_a_return_walks_through_five_calls_and_no_other(shiprocket: Walker) -> None:
    result = booked(shiprocket.book(shiprocket.job()))

    assert calls_of(shiprocket) == ["login", "create-return", "serviceability", "assign-awb", "pickup"]
    (order,) = engine_of(shiprocket).orders()
    assert (result.awb, result.order_id, result.courier) == (order.awb, str(order.order_id), "Delhivery Reverse")
    assert order.pickups == 1


def test_a_forward_parcel_has_a_label_and_is_collected_only_if_asked(a_shiprocket: Make) -> None:
    plain_one, collected = a_shiprocket(), a_shiprocket({"request_pickup": "yes"})
    result = booked(plain_one.book(plain_one.job(FORWARD)))
    booked(collected.book(collected.job(FORWARD)))

    assert calls_of(plain_one)[1:] == ["create-order", "serviceability", "assign-awb", "label"]
    assert calls_of(collected)[-1] == "pickup"
    assert (result.label_url or "").endswith(f"{result.awb}.pdf")
    label = plain_one.adapter.read_label(
        plain_one.send(cast("Any", plain_one.adapter.label(plain_one.account, a_shipment_of(result))))
    )
    assert label == Label(cast("str", result.label_url))


def a_shipment_of(found: Booked) -> Shipment:
    return Shipment(Direction.FORWARD, "RMF", found.awb, found.courier, found.order_id or "", found.metadata)


def test_a_doorstep_qc_goes_to_a_courier_that_checks(a_shiprocket: Make) -> None:
    none = a_shiprocket(couriers_check=False)

    booked(a_shiprocket().book(a_shiprocket().job(ORDER_WITH_QC)))
    assert refused(none.book(none.job(ORDER_WITH_QC))).kind is RefusalKind.SERVICEABILITY


def test_cash_on_delivery_goes_to_a_courier_that_collects(shiprocket: Walker) -> None:
    assert booked(shiprocket.book(shiprocket.job(FORWARD_COD))).courier == "Delhivery Surface"


def test_a_pincode_that_nobody_serves_costs_nothing(shiprocket: Walker) -> None:
    result = refused(shiprocket.book(shiprocket.job(NOWHERE)))

    assert (result.kind, result.burnt) == (RefusalKind.SERVICEABILITY, True)
    assert engine_of(shiprocket).describe_bookings()["parcels"] == 0


@pytest.mark.parametrize("status", [200, 400, 402, 500])
def test_an_empty_wallet_books_nothing_and_a_filled_one_goes_on_with_the_same_order(
    a_shiprocket: Make, status: int
) -> None:
    walker = a_shiprocket(wallet_empty=True, wallet_http_status=status)
    result = refused(walker.book(walker.job()))
    walker.engine.change({"wallet_empty": False})

    assert (result.kind, result.code) == (RefusalKind.CONFIGURATION, "350")
    booked(walker.book(walker.job()))
    assert len(engine_of(walker).orders()) == 1


def test_a_nickname_that_does_not_exist_is_the_accounts_fault(a_shiprocket: Make) -> None:
    walker = a_shiprocket({"pickup_location": "Attic"})

    assert refused(walker.book(walker.job(FORWARD))).kind is RefusalKind.CONFIGURATION


def test_a_channel_that_does_not_exist_is_the_accounts_fault(a_shiprocket: Make) -> None:
    walker = a_shiprocket({"channel_id": "7"}, channel_ids=[8])

    assert refused(walker.book(walker.job())).kind is RefusalKind.CONFIGURATION


def test_an_awb_that_is_assigned_later_is_worked_on_and_then_found(a_shiprocket: Make, clock: Clock) -> None:
    walker = a_shiprocket(assigns_later=True, later_seconds=60)

    assert isinstance(walker.book(walker.job()), Working)
    clock.pass_seconds(60)
    booked(walker.find(walker.job()))
    assert engine_of(walker).describe_bookings()["parcels"] == 1


# ── finding ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [ORDER, FORWARD], ids=["return", "forward"])
def test_what_was_never_sent_is_not_found(shiprocket: Walker, order: Any) -> None:
    assert isinstance(shiprocket.find(shiprocket.job(order)), NotFound)


@pytest.mark.parametrize("order", [ORDER, FORWARD], ids=["return", "forward"])
def test_a_booking_is_found_whole_and_made_again_by_nobody(shiprocket: Walker, order: Any) -> None:
    first = booked(shiprocket.book(shiprocket.job(order)))
    found, again = booked(shiprocket.find(shiprocket.job(order))), booked(shiprocket.book(shiprocket.job(order)))

    assert first.awb == found.awb == again.awb
    truth = engine_of(shiprocket).describe_bookings()
    assert (truth["parcels"], truth["duplicate_parcels"], truth["goods_with_several_parcels"]) == (1, 0, {})
    assert sum(order.pickups for order in engine_of(shiprocket).orders()) <= 1


def test_a_return_is_found_on_whichever_page_it_is(shiprocket: Walker) -> None:
    first = booked(shiprocket.book(shiprocket.job()))
    for number in range(120):
        other = replace(ORDER, code=f"OTHER-{number}")
        shiprocket.send(
            cast("Ask", shiprocket.adapter.book(shiprocket.account, shiprocket.job(other), {}, NOW)).request
        )

    assert booked(shiprocket.find(shiprocket.job())).awb == first.awb
    assert calls_of(shiprocket)[-3:] == ["list-returns", "list-returns", "show"]


LOST = [
    Fault(Then.HANGS),
    Fault(Then.CLOSES),
    Fault(Then.STATUS, status=502),
    Fault(Then.STATUS, status=500),
    Fault(Then.GARBAGE),
    Fault(Then.HTML),
    Fault(Then.TRUNCATED),
    Fault(Then.ENORMOUS),
    Fault(Then.EMPTY),
    Fault(Then.REDIRECT),
    Fault(Then.STATUS, status=429, does_the_work=False),
    Fault(Then.HANGS, does_the_work=False),
    Fault(Then.STATUS, status=503, does_the_work=False),
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.then}-{fault.status}-{fault.does_the_work}")
@pytest.mark.parametrize(
    ("order", "operation"),
    [
        (ORDER, "create-return"),
        (ORDER, "serviceability"),
        (ORDER, "assign-awb"),
        (ORDER, "pickup"),
        (FORWARD, "create-order"),
        (FORWARD, "serviceability"),
        (FORWARD, "assign-awb"),
        (FORWARD, "label"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_whatever_breaks_a_walk_off_there_is_one_parcel_in_the_end(
    shiprocket: Walker, order: Any, operation: str, fault: Fault
) -> None:
    shiprocket.engine.fail(operation, fault)
    job = shiprocket.job(order)
    result = shiprocket.book(job)
    if operation == "label":
        assert booked(result).label_url is None
    else:
        assert isinstance(result, Unknown)
    found = shiprocket.find(job)
    found = shiprocket.book(job) if isinstance(found, NotFound) else found

    assert booked(found).awb
    truth = engine_of(shiprocket).describe_bookings()
    assert (truth["parcels"], truth["duplicate_parcels"], len(truth["orders"])) == (1, 0, 1)
    assert all(each["pickups"] <= 1 for each in truth["orders"])


@pytest.mark.parametrize("operation", ["list-returns", "show"])
@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.then}-{fault.status}-{fault.does_the_work}")
def test_a_search_that_breaks_off_books_nothing(shiprocket: Walker, operation: str, fault: Fault) -> None:
    booked(shiprocket.book(shiprocket.job()))
    shiprocket.engine.fail(operation, fault)

    assert isinstance(shiprocket.find(shiprocket.job()), Unknown)
    assert calls_of(shiprocket)[-1] == operation


def test_a_create_that_comes_late_is_found_when_it_is_sent_again(shiprocket: Walker, clock: Clock) -> None:
    shiprocket.engine.fail("create-return", Fault(Then.HANGS, does_the_work=False, late_seconds=30))
    assert isinstance(shiprocket.book(shiprocket.job()), Unknown)
    assert isinstance(shiprocket.find(shiprocket.job()), NotFound)
    clock.pass_seconds(30)

    booked(shiprocket.book(shiprocket.job()))
    assert len(engine_of(shiprocket).orders()) == 1


def test_a_partner_that_takes_duplicates_shows_them_in_the_truth(a_shiprocket: Make) -> None:
    walker = a_shiprocket(refuses_duplicates=False)
    for _ in range(2):
        booked(walker.book(walker.job()))
    truth = engine_of(walker).describe_bookings()

    assert (truth["parcels"], truth["duplicate_parcels"]) == (2, 1)
    (awbs,) = truth["goods_with_several_parcels"].values()
    assert len(awbs) == 2
    assert isinstance(walker.find(walker.job()), Unknown)


# ── tokens ──────────────────────────────────────────────────────────────────────────


def test_a_token_that_expired_is_not_accepted_and_a_new_one_is(shiprocket: Walker, clock: Clock) -> None:
    engine_of(shiprocket).expire_tokens()
    assert isinstance(shiprocket.book(shiprocket.job()), Unauthorized)
    log_in(shiprocket)
    booked(shiprocket.book(shiprocket.job()))
    clock.pass_seconds(timedelta(days=10).total_seconds())

    assert isinstance(shiprocket.find(shiprocket.job()), Unauthorized)
    assert engine_of(shiprocket).describe_bookings()["logins"] == {"given": 2, "refused": 0}


def test_a_wrong_password_is_refused_and_counted(shiprocket: Walker) -> None:
    wrong = replace(shiprocket.account, secrets={"password": "guess"})
    result = shiprocket.adapter.read_login(shiprocket.send(cast("Any", shiprocket.adapter.login(wrong))))

    assert refused(result).kind is RefusalKind.CONFIGURATION
    assert engine_of(shiprocket).describe_bookings()["logins"] == {"given": 1, "refused": 1}


def test_no_list_of_requests_shows_a_token(shiprocket: Walker) -> None:
    booked(shiprocket.book(shiprocket.job()))

    assert shiprocket.account.secrets["token"] not in json.dumps(shiprocket.engine.requests())


# ── after the booking ───────────────────────────────────────────────────────────────


def test_a_cancel_is_taken_in_hand_and_shows_later(a_shiprocket: Make, clock: Clock) -> None:
    walker = a_shiprocket(later_seconds=60)
    shipment = a_shipment(walker)
    walker.pushed()

    assert walker.cancel(shipment) == Cancelled(later=True)
    clock.pass_seconds(60)
    walker.engine.run_due()
    assert [hook["shipment_status_id"] for hook in walker.pushed()] == [16, 8]
    result = refused(walker.find(walker.job()))
    assert (result.code, result.burnt) == ("27", True)
    assert refused(walker.book(walker.job())).burnt


def test_an_order_without_an_awb_is_cancelled_at_once_and_then_was_before(shiprocket: Walker) -> None:
    shiprocket.book(shiprocket.job(NOWHERE))
    (order,) = engine_of(shiprocket).orders()
    shipment = Shipment(Direction.RETURN, order.reference, "", "", str(order.order_id))

    assert [shiprocket.cancel(shipment) for _ in range(2)] == [Cancelled(), Cancelled()]
    assert refused(shiprocket.cancel(replace(shipment, order_id="4"))).kind is RefusalKind.CALLER


def test_a_parcel_that_the_courier_is_on_the_way_for_is_not_cancelled(shiprocket: Walker) -> None:
    shipment = a_shipment(shiprocket)
    shiprocket.engine.advance(shipment.awb)

    assert shiprocket.cancel(shipment) == Cancelled(later=True)
    shiprocket.engine.run_due()
    assert not shiprocket.engine.parcel(shipment.awb).cancelled


def tracked(walker: Walker, *shipments: Shipment) -> tuple[ShipmentUpdate, ...]:
    request = walker.adapter.track(walker.account, shipments)
    updates = walker.adapter.read_tracking(walker.send(cast("Any", request)), NOW)
    assert isinstance(updates, tuple), updates
    return updates


def test_tracking_tells_what_the_webhooks_told(shiprocket: Walker) -> None:
    shipment = a_shipment(shiprocket)
    shiprocket.engine.advance(shipment.awb, steps=None)
    pushed = [hook["shipment_status_id"] for hook in shiprocket.pushed()]

    assert [int(update.scan.raw.code[2:]) for update in tracked(shiprocket, shipment)] == pushed
    assert tracked(shiprocket, shipment)[-1].scan.when_return is To.DELIVERED
    assert "9000011122" not in repr(tracked(shiprocket, shipment))


def test_tracking_of_the_unknown_and_of_the_unscanned_tells_nothing(shiprocket: Walker) -> None:
    unscanned = a_shipment(shiprocket, FORWARD)

    assert tracked(shiprocket, unscanned, replace(unscanned, awb="NOBODYS")) == ()


def test_more_awbs_than_allowed_are_refused(shiprocket: Walker) -> None:
    shipment = Shipment(Direction.RETURN, "", "1", "", "")
    answer = shiprocket.send(cast("Any", shiprocket.adapter.track(shiprocket.account, [shipment] * 51)))

    assert isinstance(answer, HttpAnswer)
    assert answer.status == 422


# ── webhooks ────────────────────────────────────────────────────────────────────────


def told(walker: Walker) -> list[ShipmentUpdate]:
    bodies = [json.dumps(hook).encode() for hook in walker.pushed()]
    return [update for body in bodies for update in walker.adapter.read_webhook(body, NOW)]


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("order", [ORDER, FORWARD], ids=["return", "forward"])
def test_every_life_is_told_in_order_and_once_each(shiprocket: Walker, life: str, order: Any) -> None:
    shipment = a_shipment(shiprocket, order)
    shiprocket.engine.advance(shipment.awb, life=life, steps=None)
    updates = told(shiprocket)

    assert len({update.event_id for update in updates}) == len(updates) >= len(LIVES[life])
    assert [update.scan.occurred_at for update in updates] == sorted(update.scan.occurred_at for update in updates)
    assert {(update.awb, update.is_return) for update in updates} == {(shipment.awb, order is ORDER)}
    assert all(update.references[:2] == (shipment.order_id, shipment.reference) for update in updates)


def test_a_returns_life_has_the_names_of_a_return(shiprocket: Walker) -> None:
    shiprocket.engine.advance(a_shipment(shiprocket).awb, steps=None)

    assert [update.scan.when_return for update in told(shiprocket)] == [
        To.PICKUP_SCHEDULED,
        To.OUT_FOR_PICKUP,
        To.RETURN_PICKED_UP,
        To.IN_TRANSIT,
        To.OUT_FOR_DELIVERY,
        To.DELIVERED,
    ]


def test_a_failed_doorstep_qc_has_its_reason_and_picture(shiprocket: Walker) -> None:
    shipment = a_shipment(shiprocket, ORDER_WITH_QC)
    shiprocket.engine.advance(shipment.awb, life="qc_failed", steps=None)
    pushed, pulled = told(shiprocket)[-1], tracked(shiprocket, shipment)[-1]

    assert pushed.failure_code == pulled.failure_code == "QC FAILED: Colour differs"
    assert shipment.awb in pushed.metadata["QC Image"]


def test_any_ids_can_be_sent(shiprocket: Walker) -> None:
    shipment = a_shipment(shiprocket)
    told(shiprocket)
    shiprocket.engine.scan(shipment.awb, "901/902", words="DRONE LAUNCHED")
    shiprocket.engine.scan(shipment.awb, "-/18", words="IN TRANSIT")

    unknown, known = told(shiprocket)
    assert (unknown.scan.raw.code, unknown.scan.when_return) == ("901/902", To.OTHER)
    assert (known.scan.raw.code, known.scan.when_return) == ("-/18", To.IN_TRANSIT)


def test_a_suffix_and_a_missing_direction_are_put_up_with(a_shiprocket: Make) -> None:
    walker = a_shiprocket(suffixes_references=True, states_is_return=False)
    shipment = a_shipment(walker)
    (update,) = told(walker)

    assert update.is_return is None
    assert update.references[-1] == shipment.reference


def test_webhooks_carry_the_token_under_either_name(a_shiprocket: Make) -> None:
    assert a_shiprocket().engine.webhook_headers()["x-api-key"] == "sandbox-webhook-token"
    twin = a_shiprocket(webhook_token_header="anx-api-key", webhook_token="t0").engine.webhook_headers()
    assert (twin["anx-api-key"], "x-api-key" in twin) == ("t0", False)


def test_webhooks_can_come_twice_and_in_another_order(shiprocket: Walker) -> None:
    shiprocket.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.DUPLICATE))
    shipment = a_shipment(shiprocket)
    twice = told(shiprocket)
    shiprocket.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.SHUFFLE, size=3))
    shiprocket.engine.advance(shipment.awb, steps=3)
    shuffled = told(shiprocket)

    assert len(twice) == 2
    assert len({update.event_id for update in twice}) == 1
    times = [update.scan.occurred_at for update in shuffled]
    assert len(times) == 3
    assert times != sorted(times)


def test_the_sandboxs_ids_are_those_of_the_adapters_tables() -> None:
    for status in STATUSES.values():
        for number, name in (status.forward, status.back):
            assert plain(name) in {plain(each) for each in ORDER_STATUSES[cast("int", number)].name.split("/")}
        number, name = status.shipment
        row = SHIPMENT_STATUSES[cast("int", number)].name
        assert plain(name) in {plain(each) for each in (*row.split("/"), row.replace("Scheduled/", ""))}


# ── over HTTP ───────────────────────────────────────────────────────────────────────


@pytest.mark.enable_socket
def test_it_serves_over_http_and_is_steered_from_outside() -> None:
    with ShiprocketSandbox() as sandbox:
        login = json.dumps({"email": "api@sandbox.example", "password": "sandbox-password"}).encode()
        control = SandboxClient(sandbox.url)
        given = json.loads(call("POST", f"{sandbox.base_url}/auth/login", body=login).body)
        bearer = {"Authorization": f"Bearer {given['token']}"}
        locations = call("GET", f"{sandbox.base_url}/settings/company/pickup", headers=bearer)
        control.post("settings", {"token_generation": 2})
        turned_away = call("GET", f"{sandbox.base_url}/orders/show/1", headers=bearer)
        control.post("faults", {"operation": "login", "then": "status", "status": 429, "times": 1})
        too_many = call("POST", f"{sandbox.base_url}/auth/login", body=login)

        assert b"Primary" in locations.body
        assert (turned_away.status, too_many.status) == (401, 429)
        assert control.get("bookings")["logins"] == {"given": 1, "refused": 0}
        assert sandbox.ready["partner"] == "shiprocket"
