"""The simulated Shipway, spoken to by RMS's own adapter."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rms.aggregators.contract import (
    Account,
    Booked,
    Cancelled,
    Direction,
    Goal,
    NotFound,
    Ordered,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.shipway import Shipway, proves_sender
from rms.aggregators.shipway.statuses import STATUSES
from sandbox.client import SandboxClient, call
from sandbox.faults import Fault, Then, WebhookFault, WebhookThen
from sandbox.shipway import Settings, ShipwayEngine, ShipwaySandbox
from sandbox.shipway.engine import WORDS
from tests.contract.adapters import FORWARD, ORDER
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.walking import NOW, Walker

ACCOUNT = Account(
    client="kaveri-looms",
    alias="main",
    aggregator="SHIPWAY",
    secrets={"licence_key": "sandbox-licence-key"},
    options={
        "base_url": "http://partner.example/api",
        "email": "sandbox@shipway.example",
        "carrier_id": "3400",
        "warehouse_id": "60417",
        "returns": "on",
    },
)

type Make = Callable[..., Walker]


@pytest.fixture
def a_shipway(clock: Clock) -> Make:
    def build(options: dict[str, str] | None = None, **settings: Any) -> Walker:
        account = replace(ACCOUNT, options={**ACCOUNT.options, **(options or {})})
        return Walker(Shipway(), account, ShipwayEngine(Settings().changed(settings), clock=clock))

    return build


@pytest.fixture
def shipway(a_shipway: Make) -> Walker:
    return a_shipway()


def booked(result: object) -> Booked:
    assert isinstance(result, Booked), result
    return result


def sent(result: object, walker: Walker, *, back: bool = False) -> Shipment:
    found = booked(result)
    job = walker.job(ORDER if back else FORWARD)
    direction = Direction.RETURN if back else Direction.FORWARD
    return Shipment(direction, job.reference, found.awb, found.courier, found.order_id or found.awb)


def test_a_push_brings_an_awb_and_a_label(shipway: Walker) -> None:
    result = booked(shipway.book(shipway.job(FORWARD)))

    assert shipway.engine.parcel(result.awb).reference == "KLF-4502-1"
    assert result.label_url == f"https://labels.example.com/{result.awb}.pdf"


def test_what_was_pushed_is_found_and_what_was_not_is_not(shipway: Walker) -> None:
    job = shipway.job(FORWARD)
    assert shipway.find(job) == NotFound()

    awb = booked(shipway.book(job)).awb

    assert booked(shipway.find(job)).awb == awb
    assert shipway.engine.describe_bookings()["duplicate_parcels"] == 0


@pytest.mark.parametrize("then", ["hangs", "closes", "garbage", "html", "empty", "truncated", "redirect", "status"])
@pytest.mark.parametrize("does_the_work", [True, False])
def test_whatever_the_caller_sees_a_search_tells_what_was_done(
    shipway: Walker, then: str, *, does_the_work: bool
) -> None:
    job = shipway.job(FORWARD)
    shipway.engine.next_booking(does_the_work=does_the_work, then=then)

    assert isinstance(shipway.book(job), Unknown)
    assert isinstance(shipway.find(job), Booked if does_the_work else NotFound)


def test_a_used_order_id_makes_a_second_parcel_unless_shipway_refuses_it(a_shipway: Make) -> None:
    careless, careful = a_shipway(), a_shipway(refuses_duplicates=True)
    for walker in (careless, careful):
        walker.book(walker.job(FORWARD))

    assert isinstance(careless.book(careless.job(FORWARD)), Booked)
    assert careless.engine.describe_bookings()["duplicate_parcels"] == 1
    assert isinstance(careful.book(careful.job(FORWARD)), Unknown)
    assert careful.engine.describe_bookings()["duplicate_parcels"] == 0


@pytest.mark.parametrize(
    ("settings", "options", "zip_code", "kind"),
    [
        ({"wallet_empty": True}, {}, "682024", RefusalKind.CONFIGURATION),
        ({}, {"carrier_id": "77"}, "682024", RefusalKind.CONFIGURATION),
        ({}, {"warehouse_id": "77"}, "682024", RefusalKind.CONFIGURATION),
        ({}, {}, "990001", RefusalKind.SERVICEABILITY),
    ],
)
def test_an_order_without_an_awb_is_stored_and_never_pushed_again(
    a_shipway: Make, settings: dict[str, Any], options: dict[str, str], zip_code: str, kind: RefusalKind
) -> None:
    shipway = a_shipway(options, **settings)
    job = shipway.job(replace(FORWARD, drop=replace(FORWARD.drop, zip=zip_code)))
    result = shipway.book(job)
    search = shipway.find(job)

    assert isinstance(result, Refused)
    assert (result.kind, result.burnt) == (kind, True)
    assert isinstance(search, Refused)
    assert search.burnt


def test_a_stored_order_gets_its_awb_in_the_panel_only(shipway: Walker) -> None:
    job = replace(shipway.job(FORWARD), goal=Goal.ORDER)
    ordered = shipway.book(job)
    assert isinstance(ordered, Ordered)
    labelled = replace(job, goal=Goal.AWB, known=ordered.progress)

    refused = shipway.book(labelled)
    assert isinstance(refused, Refused)
    assert not refused.burnt
    assert isinstance(shipway.engine, ShipwayEngine)
    awb = shipway.engine.assign(job.reference)

    assert booked(shipway.book(labelled)).awb == awb
    assert shipway.find(job) == ordered
    assert shipway.engine.assign(job.reference) is None


def test_a_stored_order_can_be_cancelled_and_a_second_time_too(shipway: Walker) -> None:
    job = replace(shipway.job(FORWARD), goal=Goal.ORDER)
    stored = Shipment(Direction.FORWARD, job.reference, "", "", job.reference)
    assert isinstance(shipway.cancel(stored), Refused)
    shipway.book(job)

    assert shipway.cancel(stored) == Cancelled()
    assert shipway.cancel(stored) == Cancelled()
    assert isinstance(shipway.engine, ShipwayEngine)
    assert shipway.engine.assign(job.reference) is None


def test_an_order_with_an_awb_is_not_cancelled_as_an_order(shipway: Walker) -> None:
    job = shipway.job(FORWARD)
    shipway.book(job)

    assert isinstance(shipway.cancel(Shipment(Direction.FORWARD, job.reference, "", "", job.reference)), Refused)


def test_a_wrong_key_is_for_an_operator(a_shipway: Make) -> None:
    shipway = a_shipway({"email": "else@shipway.example"})
    result = shipway.book(shipway.job(FORWARD))

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.CONFIGURATION
    assert isinstance(shipway.find(shipway.job(FORWARD)), Unknown)


def test_a_returns_awb_comes_after_a_while(a_shipway: Make) -> None:
    shipway = a_shipway(return_awb_after=2)
    job = shipway.job(ORDER)

    results = [shipway.book(job), *(shipway.find(job) for _ in range(3))]

    assert [type(result) for result in results] == [Working, Working, Working, Booked]
    assert shipway.engine.describe_bookings()["duplicate_parcels"] == 0


def test_a_return_that_is_not_listed_leaves_everything_open(a_shipway: Make) -> None:
    shipway = a_shipway(lists_returns=False)
    shipway.book(shipway.job(ORDER))

    assert isinstance(shipway.find(shipway.job(ORDER)), Unknown)


def test_a_cancel_works_until_pick_up_and_twice_is_once(shipway: Walker) -> None:
    shipment = sent(shipway.book(shipway.job(FORWARD)), shipway)

    assert shipway.cancel(shipment) == Cancelled()
    assert shipway.cancel(shipment) == Cancelled()
    assert shipway.engine.parcel(shipment.awb).cancelled
    assert shipway.pushed()[-1]["current_status"] == "CAN"


def test_a_cancel_after_pick_up_and_one_of_an_unknown_awb_are_refused(shipway: Walker) -> None:
    shipment = sent(shipway.book(shipway.job(FORWARD)), shipway)
    shipway.engine.advance(shipment.awb, steps=2)

    assert isinstance(shipway.cancel(shipment), Refused)
    assert isinstance(shipway.cancel(replace(shipment, awb="404")), Refused)


@pytest.mark.parametrize("history", ["activities", "history"])
@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("life", ["delivered", "second_attempt", "rto", "held"])
def test_pulled_scans_are_the_pushed_ones(a_shipway: Make, history: str, life: str, *, wrapped: bool) -> None:
    shipway = a_shipway(history=history, wraps_tracking=wrapped)
    shipment = sent(shipway.book(shipway.job(FORWARD)), shipway)
    shipway.engine.advance(shipment.awb, life=life, steps=None)
    adapter = shipway.adapter

    pulled = adapter.read_tracking(shipway.send(adapter.track(shipway.account, [shipment])), NOW)
    pushed = [update for body in shipway.pushed() for update in adapter.read_webhook(json.dumps(body).encode(), NOW)]

    assert not isinstance(pulled, Unknown)
    assert [update.event_id for update in pulled] == [update.event_id for update in pushed]  # type: ignore[union-attr]  # no Unauthorized


@pytest.mark.parametrize("life", ["returned", "rescheduled", "pickup_failed", "pickup_cancelled"])
def test_a_returns_life_is_told_under_its_own_awb(a_shipway: Make, life: str) -> None:
    shipway = a_shipway(return_awb_after=0)
    shipway.book(shipway.job(ORDER))
    awb = booked(shipway.find(shipway.job(ORDER))).awb
    shipway.engine.advance(awb, life=life, steps=None)
    bodies = [json.dumps(body).encode() for body in shipway.pushed()]
    updates = [update for body in bodies for update in shipway.adapter.read_webhook(body, NOW)]

    assert {update.awb for update in updates} == {awb}
    assert all(update.is_return for update in updates)
    assert updates[0].scan.raw.code == "RSCH"


def test_every_code_is_known_on_both_sides() -> None:
    assert set(WORDS) == set(STATUSES)
    assert {code: status.meaning for code, status in STATUSES.items()} == WORDS


@pytest.mark.parametrize("shape", ["feed", "plain"])
def test_the_other_webhook_shapes_name_the_order_only(a_shipway: Make, shape: str) -> None:
    shipway = a_shipway(webhook_shape=shape)
    awb = booked(shipway.book(shipway.job(FORWARD))).awb
    shipway.engine.advance(awb)
    body = json.dumps(shipway.pushed()[0]).encode()
    (update,) = shipway.adapter.read_webhook(body, NOW)

    assert (update.awb, update.references, update.scan.raw.code) == (None, ("KLF-4502-1",), "SCH")
    assert proves_sender(shipway.account, body)


def test_webhooks_may_come_twice_and_in_another_order(shipway: Walker) -> None:
    awb = booked(shipway.book(shipway.job(FORWARD))).awb
    shipway.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.DUPLICATE))
    shipway.engine.advance(awb)
    shipway.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.SHUFFLE, size=3))
    shipway.engine.advance(awb, steps=None)

    codes = [body["current_status"] for body in shipway.pushed()]

    assert codes[:2] == ["SCH", "SCH"]
    assert sorted(codes[2:]) == ["DEL", "INT", "OOD"]
    assert codes[2:] != ["INT", "OOD", "DEL"]


def test_late_work_is_done_after_the_caller_gave_up(shipway: Walker, clock: Clock) -> None:
    job = shipway.job(FORWARD)
    shipway.engine.fail("push", Fault(Then.HANGS, late_seconds=30))

    assert isinstance(shipway.book(job), Unknown)
    assert shipway.find(job) == NotFound()
    clock.pass_seconds(31)
    assert isinstance(shipway.find(job), Booked)


@pytest.mark.enable_socket
def test_it_speaks_http_and_can_be_steered() -> None:
    with ShipwaySandbox() as shipway:
        steer = SandboxClient(shipway.url)
        steer.post("faults", {"operation": "carriers", "then": "status", "status": 503})

        assert call("GET", f"{shipway.base_url}/getcarrier").status == 503
        assert call("GET", f"{shipway.base_url}/getcarrier").status == 401
        assert steer.get("state")["requests"] == 2
        assert call("GET", f"{shipway.url}/labels/1.pdf").body.startswith(b"%PDF")
        assert steer.get("lives")["return"]["returned"][0] == "RSCH"
