"""The simulated aggregator of the generic contract, spoken to by RMS's own adapter."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rms.aggregators.contract import (
    Account,
    Booked,
    Direction,
    Label,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.generic import GenericAggregator, problems_with
from sandbox.client import SandboxClient, call
from sandbox.faults import Fault, Then
from sandbox.generic import GenericEngine, GenericSandbox, Settings
from sandbox.receiver import ReceiverSandbox
from tests.contract.adapters import FORWARD, FORWARD_COD, ORDER
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.walking import NOW, Walker

ACCOUNT = Account(
    client="kaveri-looms",
    alias="main",
    aggregator="SANDBOX",
    secrets={"X-Api-Key": "sandbox-generic-key"},
    options={
        "generate_return_awb_url": "http://partner.example/api/generate",
        "get_return_awb_url": "http://partner.example/api/shipments",
        "generate_shipping_label_url": "http://partner.example/api/generate",
        "get_shipping_label_url": "http://partner.example/api/shipments",
        "get_couriers_url": "http://partner.example/api/couriers",
        "answers_repeats": "yes",
    },
)

type Make = Callable[..., Walker]


@pytest.fixture
def a_generic(clock: Clock) -> Make:
    def build(**settings: Any) -> Walker:
        return Walker(GenericAggregator("SANDBOX"), ACCOUNT, GenericEngine(Settings().changed(settings), clock=clock))

    return build


@pytest.fixture
def generic(a_generic: Make) -> Walker:
    return a_generic()


def booked(result: object) -> Booked:
    assert isinstance(result, Booked), result
    return result


@pytest.mark.parametrize("order", [ORDER, FORWARD, FORWARD_COD], ids=["return", "forward", "cash on delivery"])
def test_a_walk_asks_for_couriers_generates_and_gets(generic: Walker, order: Any) -> None:
    result = booked(generic.book(generic.job(order)))

    assert [request["operation"] for request in generic.engine.requests()] == ["couriers", "generate", "get"]
    assert result.courier == "First Sandbox Courier"
    assert result.label_url
    assert generic.engine.parcel(result.awb).reference == generic.job(order).reference


@pytest.mark.parametrize("comes_with", ["generate", "get"])
def test_a_returns_awb_comes_with_generate_or_with_get(a_generic: Make, comes_with: str) -> None:
    generic = a_generic(awb_comes_with=comes_with)
    result = booked(generic.book(generic.job(ORDER)))

    assert result.metadata["Return Shipment Number"] == f"RS-{result.order_id}"


def test_the_order_id_stands_for_a_return_shipment_number_that_is_not_sent(a_generic: Make) -> None:
    generic = a_generic(sends_return_shipment_number=False)
    result = booked(generic.book(generic.job(ORDER)))

    assert result.metadata["Return Shipment Number"] == result.order_id


@pytest.mark.parametrize("order", [ORDER, FORWARD], ids=["return", "forward"])
def test_what_is_not_there_yet_is_there_at_a_later_search(a_generic: Make, order: Any) -> None:
    generic = a_generic(awb_comes_with="get", pending_gets=2)
    job = generic.job(order)

    results = [generic.book(job), generic.find(job), generic.find(job)]

    assert [type(result) for result in results] == [Working, Working, Booked]
    assert generic.engine.describe_bookings()["duplicate_parcels"] == 0


@pytest.mark.parametrize("operation", ["couriers", "generate", "get"])
@pytest.mark.parametrize("then", ["hangs", "closes", "garbage", "html", "empty", "truncated", "redirect", "status"])
@pytest.mark.parametrize("does_the_work", [True, False])
def test_whatever_the_caller_sees_there_is_one_parcel_after_a_search(
    a_generic: Make, operation: str, then: str, *, does_the_work: bool
) -> None:
    generic = a_generic(awb_comes_with="get")
    job = generic.job(ORDER)
    generic.engine.fail(operation, Fault(Then(then), does_the_work=does_the_work))

    assert isinstance(generic.book(job), Unknown)
    assert isinstance(generic.find(job), Booked)
    assert generic.engine.describe_bookings()["parcels"] == 1


def test_a_get_that_fails_takes_a_known_awb_from_no_return(generic: Walker) -> None:
    generic.engine.fail("get", Fault(Then.HANGS))

    assert booked(generic.book(generic.job(ORDER))).label_url is None


def test_the_truth_shows_an_aggregator_that_breaks_its_promise(a_generic: Make) -> None:
    generic = a_generic(keeps_promise=False)
    generic.book(generic.job(ORDER))
    generic.find(generic.job(ORDER))

    assert generic.engine.describe_bookings()["duplicate_parcels"] == 1


def test_a_lane_without_couriers_is_refused_and_another_account_may_serve_it(a_generic: Make) -> None:
    nobody, generic = a_generic(serves_nobody=True), a_generic()
    far = replace(ORDER, pickup=replace(ORDER.pickup, zip="990001"))  # type: ignore[type-var]  # it is there
    unadvised = replace(ACCOUNT, options={**ACCOUNT.options, "get_couriers_url": ""})

    for result in (nobody.book(nobody.job(ORDER)), generic.book(generic.job(far))):
        assert isinstance(result, Refused)
        assert result.kind is RefusalKind.SERVICEABILITY
    generic.account = unadvised
    result = generic.book(generic.job(far))
    assert isinstance(result, Refused)
    assert (result.kind, result.burnt) == (RefusalKind.SERVICEABILITY, False)


def test_a_booking_is_found_although_nobody_serves_its_lane_any_more(a_generic: Make) -> None:
    generic = a_generic()
    awb = booked(generic.book(generic.job(ORDER))).awb
    generic.engine.change({"serves_nobody": True})

    assert booked(generic.find(generic.job(ORDER))).awb == awb


def test_bad_data_and_a_wrong_key_are_told_apart(generic: Walker) -> None:
    bad = generic.book(generic.job(replace(ORDER, drop=replace(ORDER.drop, city=""))))  # type: ignore[type-var]  # it is there
    generic.account = replace(ACCOUNT, secrets={"X-Api-Key": "guess"})
    wrong = generic.book(generic.job(ORDER))

    assert isinstance(bad, Refused)
    assert (bad.kind, bad.words) == (
        RefusalKind.CALLER,
        "Input validation failed: [dropAddress.city: may not be empty]",
    )
    assert isinstance(wrong, Refused)
    assert wrong.kind is RefusalKind.CONFIGURATION


def test_a_label_is_fetched_by_the_aggregators_id(generic: Walker) -> None:
    job = generic.job(FORWARD)
    found = booked(generic.book(job))
    shipment = Shipment(Direction.FORWARD, job.reference, found.awb, found.courier, found.order_id or "")
    adapter = generic.adapter

    assert adapter.read_label(generic.send(adapter.label(generic.account, shipment))) == Label(found.label_url or "")


@pytest.mark.parametrize("life", ["returned", "rescheduled", "pickup_cancelled", "odd"])
def test_every_push_of_a_returns_life_is_taken_and_about_its_awb(generic: Walker, life: str) -> None:
    awb = booked(generic.book(generic.job(ORDER))).awb
    generic.engine.advance(awb, life=life, steps=None)
    bodies = generic.pushed()

    assert [problems_with(body) for body in bodies] == [[] for _ in bodies]
    updates = [update for body in bodies for update in generic.adapter.read_webhook(json.dumps(body).encode(), NOW)]
    assert {(update.awb, update.is_return) for update in updates} == {(awb, True)}
    assert {update.references for update in updates} == {("KLR-70031",)}


@pytest.mark.parametrize("life", ["delivered", "second_attempt", "rto", "lost"])
def test_every_push_of_a_forward_life_is_taken_and_a_repeat_of_a_type_is_no_news(generic: Walker, life: str) -> None:
    awb = booked(generic.book(generic.job(FORWARD))).awb
    generic.engine.advance(awb, life=life, steps=None)
    bodies = generic.pushed()
    updates = [update for body in bodies for update in generic.adapter.read_webhook(json.dumps(body).encode(), NOW)]

    assert [problems_with(body) for body in bodies] == [[] for _ in bodies]
    assert {update.awb for update in updates} == {awb}
    assert len({update.event_id for update in updates}) == len({update.scan.when_forward for update in updates})


@pytest.mark.enable_socket
def test_pushes_carry_the_three_headers_of_our_api() -> None:
    with ReceiverSandbox() as rms, GenericSandbox(auth_username="u", auth_password="p", auth_domain="d") as generic:
        steer = SandboxClient(generic.url)
        steer.post("settings", {"webhook_url": rms.hook("rms")})
        walker = Walker(GenericAggregator("SANDBOX"), ACCOUNT, generic.engine)
        steer.post(f"shipments/{booked(walker.book(walker.job(ORDER))).awb}/advance")
        for _ in range(1000):
            if steer.get("state")["webhooks_waiting"] == 0:
                break
        (pushed,) = rms.engine.deliveries()

        assert {name: pushed.headers[name.lower()] for name in ("authUsername", "authPassword", "authDomainName")} == {
            "authUsername": "u",
            "authPassword": "p",
            "authDomainName": "d",
        }
        assert walker.adapter.check_account(generic.options, ACCOUNT.secrets) == []
        assert call("POST", generic.options["get_couriers_url"]).status == 403
