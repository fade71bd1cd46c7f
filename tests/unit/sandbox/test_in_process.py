"""RMS's own Clickpost adapter against the sandbox, without sockets: what one builds the other takes."""

from datetime import datetime
from decimal import Decimal

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    Cancelled,
    Direction,
    Job,
    RefusalKind,
    Refused,
    Shipment,
    ShipmentUpdate,
    Unknown,
    Working,
)
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.clickpost import ClickpostEngine, Settings
from sandbox.faults import Fault, Then, hangs, slow
from sandbox.in_process import InProcessHttp
from tests.unit.sandbox.conftest import Clock

ADAPTER = Clickpost()
ACCOUNT = Account(
    client="brand",
    alias="main",
    aggregator="CLICKPOST",
    secrets={"key": "sandbox-api-key"},
    options={
        "username": "sandbox-test",
        "courier_partner": "25",
        "account_code": "test-reverse",
        "base_url": "http://127.0.0.1:8/api",
    },
)


def an_rms_order(*, zip_code: str = "411014") -> ReturnOrder:
    shopper = Address(
        "Meera Test", "14 Lake View", None, None, "Pune", "MH", zip_code, "IN", "m@shop.example", "9812300045"
    )
    dock = Address("Dock 3", "Survey 88", None, None, "Hosur", "TN", "635109", "IN", "d@shop.example", "9812300046")
    return ReturnOrder(
        code="RET-8",
        forward_order_code="TO-501",
        items=(ReturnItem("U1", "TS-9", "Too tight", price=Decimal("850.50")),),
        reason="Too tight",
        parcel=Parcel(Decimal(20), Decimal(15), Decimal(4), Decimal(300)),
        pickup=shopper,
        drop=dock,
        forward=ForwardOrder(
            cod_value=Decimal(0),
            is_cod=False,
            invoice_value=Decimal("850.50"),
            invoice_number="TI-77",
            invoice_time=datetime.fromisoformat("2026-02-20T00:00Z"),
        ),
    )


def a_partner(clock: Clock, **settings: object) -> tuple[ClickpostEngine, InProcessHttp]:
    engine = ClickpostEngine(Settings().changed(settings), clock=clock)
    return engine, InProcessHttp({"127.0.0.1:8": engine.handle})


def ask(clock: Clock, order: ReturnOrder | None = None) -> Ask:
    following = ADAPTER.book(ACCOUNT, Job("RMS-1", order or an_rms_order()), {}, clock())
    assert isinstance(following, Ask)
    return following


def book(http: InProcessHttp, clock: Clock, order: ReturnOrder | None = None) -> HttpAnswer | NoAnswer:
    return http.send(ask(clock, order).request)


def booked(http: InProcessHttp, clock: Clock, order: ReturnOrder | None = None) -> object:
    return ADAPTER.read(Job("RMS-1", an_rms_order()), ask(clock, order), book(http, clock, order), {})


def test_what_the_adapter_builds_is_booked_and_what_it_repeats_is_adopted(clock: Clock) -> None:
    _, http = a_partner(clock)

    first = booked(http, clock)
    second = booked(http, clock)

    assert isinstance(first, Booked)
    assert isinstance(second, Booked)
    assert first.awb == second.awb


def test_an_unserved_pincode_is_refused_in_the_carriers_words(clock: Clock) -> None:
    _, http = a_partner(clock)

    result = booked(http, clock, an_rms_order(zip_code="990001"))

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.SERVICEABILITY
    assert "990001" in result.words


def test_a_lost_answer_is_unknown_and_the_lookup_finds_the_parcel(clock: Clock) -> None:
    engine, http = a_partner(clock)
    engine.fail("create-order", hangs(does_the_work=True))

    lost = booked(http, clock)
    job = Job("RMS-1", an_rms_order())
    search = ADAPTER.find(ACCOUNT, job, {}, clock())
    assert isinstance(search, Ask)
    found = ADAPTER.read(job, search, http.send(search.request), {})

    assert isinstance(lost, Unknown)
    assert isinstance(found, Booked)
    assert engine.describe_bookings()["parcels"] == 1


def test_an_asynchronous_booking_is_working_until_it_is_booked(clock: Clock) -> None:
    _, http = a_partner(clock, asynchronous=True)

    results = [booked(http, clock) for _ in range(3)]

    assert [type(result) for result in results] == [Working, Working, Booked]


def test_the_adapters_cancel_is_understood(clock: Clock) -> None:
    _, http = a_partner(clock)
    parcel = booked(http, clock)
    assert isinstance(parcel, Booked)

    shipment = Shipment(Direction.RETURN, "RMS-1", parcel.awb, parcel.courier, "1", parcel.metadata)
    assert isinstance(ADAPTER.read_cancel(shipment, http.send(ADAPTER.cancel(ACCOUNT, shipment))), Cancelled)


def test_waiting_longer_than_the_caller_is_a_time_out_without_waiting(clock: Clock) -> None:
    engine, http = a_partner(clock)
    engine.fail("create-order", slow(60))

    answer = book(http, clock)

    assert isinstance(answer, NoAnswer)
    assert answer.sent
    assert len(engine.bookings) == 1


def test_an_enormous_answer_arrives_cut_and_a_truncated_one_not_at_all(clock: Clock) -> None:
    engine, http = a_partner(clock)
    engine.fail("create-order", Fault(Then.ENORMOUS, size=2_000_000))
    engine.fail("create-order", Fault(Then.TRUNCATED))

    cut, dead = book(http, clock), book(http, clock)

    assert isinstance(cut, HttpAnswer)
    assert cut.truncated
    assert isinstance(dead, NoAnswer)


def test_an_unknown_host_refuses_the_connection(clock: Clock) -> None:
    _, http = a_partner(clock)

    answer = http.send(HttpRequest("GET", "http://nobody.example/"))

    assert isinstance(answer, NoAnswer)
    assert not answer.sent


def test_every_webhook_the_sandbox_sends_can_be_read_by_the_adapter(clock: Clock) -> None:
    engine, http = a_partner(clock)
    parcel = booked(http, clock)
    assert isinstance(parcel, Booked)
    engine.advance(parcel.awb, life="second_attempt", steps=None)
    placed = engine.place_return({"forward_order_id": "TO-9"})

    updates: list[ShipmentUpdate] = []
    while webhook := engine.claim_webhook():
        updates += ADAPTER.read_webhook(webhook.body, clock())
        engine.webhook_answered(webhook, 200)

    assert {update.awb for update in updates} == {parcel.awb, placed.awb, None}
    assert updates[0].scan.occurred_at == clock()
    announced = next(update.announces for update in updates if update.announces)
    assert (announced.code, announced.forward_order_code) == (placed.reference, "TO-9")
