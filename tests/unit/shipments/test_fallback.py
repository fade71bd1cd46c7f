"""Another account books what one cannot: only after a certain refusal of the lane, and never two of them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from rms.clients import account_rules, administration
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.shipments.booking import ENOUGH_FOR_ANOTHER
from rms.shipments.walk import WHILE_A_CLIENT_WAITS
from sandbox.faults import Fault, Then
from sandbox.shiprocket import ShiprocketEngine
from tests.builders import a_return_create_body, a_return_order_body
from tests.fakes.calls import Calls, ProcessKilledError
from tests.fakes.calls import Fault as Dies
from tests.fakes.calls import at as at_call
from tests.partners import SANDBOX, onboard
from tests.world import CLIENT, World, a_clickpost_account

CODE = "RET-70031-1"
SHIPROCKET, CLICKPOST, GENERIC = "a-st", "main", "a-sandbox"


def a_world(*accounts: str, calls: Calls | None = None, **settings: Any) -> World:
    """One whose default list is these accounts. Shiprocket has nobody who checks at the door, as the return wants."""
    world = World(calls=calls)
    onboard(world, "SHIPROCKET", **{"couriers_check": False, **settings})
    onboard(world, SANDBOX)
    account_rules.put_account_rules(world.core, CLIENT, [], accounts)
    return world


def shiprocket(world: World) -> ShiprocketEngine:
    engine = world.others[0].engine
    assert isinstance(engine, ShiprocketEngine)
    return engine


def parcels(world: World) -> list[str]:
    """The AWBs of all parcels at all aggregators."""
    there = [parcel.awb for partner in world.others for parcel in partner.engine.parcels()]
    return there + [awb for booking in world.clickpost.bookings.values() for awb in booking.awbs]


def kinds(world: World) -> list[object]:
    return [event["kind"] for event in world.journal(CODE)]


def facts(world: World, place: int) -> dict[str, Any]:
    found = world.journal(CODE)[place]["facts"]
    assert isinstance(found, dict)
    return found


def slowly(world: World, host: str, seconds: float) -> None:
    """From now on each answer of this host takes so long."""
    plain: Callable[[HttpRequest], HttpAnswer | NoAnswer] = world._hosts.send

    def after_a_while(request: HttpRequest) -> HttpAnswer | NoAnswer:
        world.clock.advance(seconds=seconds)
        return plain(request)

    world.http.on(host, after_a_while)


# ── refused here, booked there ──────────────────────────────────────────────────────


def test_what_the_first_cannot_the_second_books_in_the_same_call() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)

    answer = world.create_return(a_return_order_body())

    assert answer.status == 200
    assert parcels(world) == [answer.body["returnAwb"]]
    assert kinds(world) == ["PLACED", "AWB_REFUSED", "AWB_BOOKED"]
    assert {name: facts(world, 1)[name] for name in ("account", "refusal_code", "words")} == {
        "account": SHIPROCKET,
        "refusal_code": "NO_COURIER",
        "words": "no courier from 411014 to 562114",
    }
    shown = world.read_return(CODE).body
    assert (shown["logisticAggregatorName"], shown["booking"]["logisticAccountAlias"]) == ("CLICKPOST", CLICKPOST)
    assert "refusal" not in shown["booking"]
    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED"]
    assert world.due_rows() == []


def test_an_aggregator_that_could_not_even_be_asked_is_passed_over_without_a_call() -> None:
    world = a_world(GENERIC, SHIPROCKET, CLICKPOST)

    assert world.create_return(a_return_order_body()).status == 200

    assert world.http.sent_to("https://sandbox.test") == []
    assert [event["facts"]["account"] for event in world.journal(CODE)[1:3]] == [GENERIC, SHIPROCKET]
    assert len(parcels(world)) == 1


def test_the_webhooks_of_the_second_are_those_of_the_return() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)
    awb = world.create_return(a_return_order_body()).body["returnAwb"]

    world.clickpost.advance(awb, steps=None)
    world.settle()

    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert world.receiver.violations() == []


def test_when_none_can_the_last_ones_words_are_the_answer_and_all_are_asked_again_next_time() -> None:
    world = a_world(SHIPROCKET, GENERIC)
    body = a_return_order_body()

    refused = world.create_return(body)
    assert refused.status == 400
    assert "no doorstep QC" in refused.body["description"]
    assert world.rows_of(CODE)["BOOKING"]["state"] == "REFUSED"
    shiprocket(world).change({"couriers_check": True})

    assert world.create_return(body).status == 200
    references = [order.reference for order in shiprocket(world).orders()]
    assert len(set(references)) == len(references) == 2, "the first order is spent"


@pytest.mark.parametrize(
    ("changes", "wallet_empty"),
    [({}, True), ({"pickupAddress.phone": "none"}, False)],
    ids=["the account's own fault", "the caller's fault"],
)
def test_a_refusal_of_another_kind_is_the_answer(changes: dict[str, object], *, wallet_empty: bool) -> None:
    world = a_world(SHIPROCKET, CLICKPOST, wallet_empty=wallet_empty, couriers_check=True)

    assert world.create_return(a_return_order_body(**changes)).status == 400

    assert parcels(world) == []
    assert kinds(world) == ["PLACED", "AWB_REFUSED"]


def test_a_named_account_has_no_substitute() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)
    checked = {"orderDetails.orderLineItemList[0].enableDoorStepQc": True}

    refused = world.create_return(a_return_create_body(logisticAccountAlias=SHIPROCKET, **checked), "/return/create")

    assert refused.status == 400
    assert parcels(world) == []


def test_without_a_list_nobody_stands_in() -> None:
    world = a_world()

    assert world.create_return(a_return_order_body()).status == 400
    assert parcels(world) == []


def test_an_account_that_books_no_returns_by_the_time_it_is_its_turn_is_passed_over() -> None:
    world = a_world()
    west = a_clickpost_account(alias="west", webhook_key=None)
    administration.put_account(world.core, CLIENT, west)
    account_rules.put_account_rules(world.core, CLIENT, [], [SHIPROCKET, "west", CLICKPOST])
    shiprocket(world).fail("create-return", Fault(Then("hangs"), does_the_work=False))
    assert world.create_return(a_return_order_body()).status == 202
    assert world.rows_of(CODE)["BOOKING"]["untried"] == ["west", CLICKPOST]
    administration.put_account(world.core, CLIENT, replace(west, books_returns=False))

    world.settle()

    assert world.read_return(CODE).body["booking"]["logisticAccountAlias"] == CLICKPOST
    assert len(parcels(world)) == 1


# ── an open outcome is nobody else's ────────────────────────────────────────────────


@pytest.mark.parametrize("does_the_work", [True, False])
@pytest.mark.parametrize("then", ["hangs", "garbage", "html", "empty", "redirect"])
def test_while_nobody_knows_what_came_of_one_call_no_other_account_is_called(then: str, *, does_the_work: bool) -> None:
    world = a_world(SHIPROCKET, CLICKPOST, couriers_check=True)
    shiprocket(world).fail("assign-awb", Fault(Then(then), does_the_work=does_the_work))

    assert world.create_return(a_return_order_body()).status == 202
    assert world.http.sent_to("https://clickpost.test") == []
    world.settle()

    assert len(parcels(world)) == len(shiprocket(world).parcels()) == 1


def test_a_booking_that_the_worker_finds_refused_is_passed_on_by_the_worker() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)
    shiprocket(world).fail("create-return", Fault(Then("hangs"), does_the_work=True))

    assert world.create_return(a_return_order_body()).status == 202
    world.settle()

    assert kinds(world) == ["PLACED", "AWB_REFUSED", "AWB_BOOKED"]
    assert len(shiprocket(world).orders()) == 1
    assert len(parcels(world)) == 1


# ── time and death ──────────────────────────────────────────────────────────────────


def test_with_too_little_time_left_the_worker_calls_the_second() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)
    spent = (WHILE_A_CLIENT_WAITS - ENOUGH_FOR_ANOTHER).total_seconds()
    slowly(world, "https://shiprocket.test/v1/external/courier", spent + 0.5)

    answer = world.create_return(a_return_order_body())

    assert answer.status == 202
    assert world.http.sent_to("https://clickpost.test") == []
    world.work_all()
    assert world.rows_of(CODE)["BOOKING"]["state"] == "BOOKED"
    assert len(parcels(world)) == 1


def test_with_time_enough_it_is_called_at_once() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)
    spent = (WHILE_A_CLIENT_WAITS - ENOUGH_FOR_ANOTHER).total_seconds()
    slowly(world, "https://shiprocket.test/v1/external/courier", spent - 0.5)

    assert world.create_return(a_return_order_body()).status == 200


@pytest.mark.parametrize("fault", [Dies.KILLED_BEFORE, Dies.KILLED_AFTER, Dies.REPLY_LOST, Dies.REPEATED])
def test_struck_at_any_call_exactly_one_account_books_it_in_the_end(fault: Dies) -> None:
    for number in count(1):
        calls = Calls()
        world = a_world(SHIPROCKET, CLICKPOST, calls=calls)
        made = len(calls.made)
        calls.plan = at_call(made + number, fault)
        try:
            answer = world.create_return(a_return_order_body())
        except ProcessKilledError:
            answer = None
        if len(calls.made) < made + number:
            assert number > 12, "there are that many calls, and the last one was struck"
            return
        world.settle()
        if answer is None or answer.status >= 500:
            assert world.create_return(a_return_order_body()).status in {200, 202}
            world.settle()
        assert len(parcels(world)) == 1, number
        assert world.rows_of(CODE)["BOOKING"]["state"] == "BOOKED", number
        assert kinds(world).count("AWB_BOOKED") == 1, number
        assert world.heard(CODE) == ["AWB_GENERATED"], number


def test_killed_between_the_refusal_and_the_next_call_the_second_is_searched_before_it_is_called() -> None:
    world = a_world(SHIPROCKET, CLICKPOST)

    def dead(_: HttpRequest) -> HttpAnswer | NoAnswer:
        raise ProcessKilledError(world.calls.made[-1])

    world.http.on("https://clickpost.test", dead)
    with pytest.raises(ProcessKilledError):
        world.create_return(a_return_order_body())
    row = world.rows_of(CODE)["BOOKING"]
    assert (row["state"], row["account"]) == ("CALLING", CLICKPOST)
    world.http.on("https://clickpost.test", world._hosts.send)

    world.settle()

    assert world.rows_of(CODE)["BOOKING"]["state"] == "BOOKED"
    assert len(parcels(world)) == 1
