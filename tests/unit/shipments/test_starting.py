"""Starting a booking of a forward parcel: all at once, or the order first and its AWB later."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from rms.aggregators.contract import Goal
from rms.clients.configuration import configuration_of
from rms.journal import Blocked, Event, EventKind, Exists
from rms.journal.keys import shipment_id
from rms.model.forward_shipment import ForwardShipment
from rms.model.outcomes import AwbBooked, AwbPending, AwbRefused, OrderTaken
from rms.platform.table import NEW, Put
from rms.platform.times import to_text
from rms.shipments.booking import SETTLE, BookingOutcome
from rms.shipments.starting import Wanted, book_anew, book_ordered, create_and_book
from sandbox.faults import Fault, Then
from sandbox.shiprocket import ShiprocketEngine
from sandbox.shipway import ShipwayEngine
from tests.builders import a_shipment
from tests.fakes.calls import Calls, ProcessKilledError
from tests.fakes.calls import Fault as Dies
from tests.fakes.calls import at as at_call
from tests.partners import KINDS, onboard
from tests.world import CLIENT, Partner, World

CODE = "SH-70031"
PARCEL = shipment_id(CLIENT, CODE)
ORDER_TAKERS = ("SHIPROCKET", "SHIPWAY")

takes_orders = pytest.mark.parametrize("name", ORDER_TAKERS)


def start(
    world: World, alias: str = "main", goal: Goal = Goal.AWB, shipment: ForwardShipment | None = None, **also: Any
) -> BookingOutcome | Exists | Blocked:
    """What whoever takes a parcel in does."""
    configuration = configuration_of(world.core, CLIENT)
    wanted = Wanted(PARCEL, shipment or a_shipment(), [configuration.accounts[alias]], goal)
    now = world.clock()
    first = Event("PLACED", EventKind.PLACED, now, now)
    status = {"state": "READY_TO_SHIP", "created_at": to_text(now), "forward_code": "SO-70031"}
    return create_and_book(world.core, configuration, wanted, first, status, **also)


def label(world: World) -> BookingOutcome:
    """The order's AWB is asked for."""
    row = world.core.table.get(PARCEL.booking)
    assert row is not None
    return book_ordered(world.core, configuration_of(world.core, CLIENT), PARCEL, a_shipment(), row)


def again(world: World, alias: str, shipment: ForwardShipment | None = None) -> BookingOutcome:
    """A refused parcel is sent once more, corrected or not."""
    rows = world.core.table.get_many([PARCEL.document, PARCEL.booking])
    configuration = configuration_of(world.core, CLIENT)
    wanted = Wanted(PARCEL, shipment or a_shipment(), [configuration.accounts[alias]])
    return book_anew(world.core, configuration, wanted, rows[PARCEL.document], rows[PARCEL.booking])


def booking(world: World) -> dict[str, Any]:
    return dict(world.rows_of(CODE, kind="S")["BOOKING"])


def kinds(world: World) -> list[object]:
    return [event["kind"] for event in world.journal(CODE, kind="S")]


def at(world: World, name: str) -> tuple[Partner, str]:
    """An aggregator and the alias of its account."""
    return onboard(world, name), KINDS[name].account.alias


# ── all at once ─────────────────────────────────────────────────────────────────────


def test_a_forward_parcel_is_booked_like_a_return() -> None:
    world = World()

    outcome = start(world)

    assert isinstance(outcome, AwbBooked)
    status = world.rows_of(CODE, kind="S")["STATUS"]
    assert (status["state"], status["awb"], status["forward_code"]) == ("AWB_GENERATED", outcome.awb, "SO-70031")
    assert kinds(world) == ["PLACED", "AWB_BOOKED"]
    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED", "SHIPPING_LABEL_GENERATED"]


@takes_orders
def test_a_forward_parcel_is_booked_at_every_aggregator_that_has_forward_calls(name: str) -> None:
    world = World()
    partner, alias = at(world, name)

    outcome = start(world, alias)

    assert isinstance(outcome, AwbBooked), outcome
    assert [parcel.awb for parcel in partner.engine.parcels()] == [outcome.awb]


def test_the_webhooks_of_a_forward_parcel_are_its_events() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    outcome = start(world, alias)
    assert isinstance(outcome, AwbBooked)

    world.clock.advance(hours=1)
    while partner.engine.advance(outcome.awb):
        world.clock.advance(hours=1)
        world.settle()

    assert world.rows_of(CODE, kind="S")["STATUS"]["state"] == "DELIVERED"
    assert world.heard(CODE)[-1] == "DELIVERED"
    assert world.receiver.violations() == []


def test_a_parcel_that_is_there_already_is_not_booked_again() -> None:
    world = World()
    start(world)

    there = start(world)

    assert isinstance(there, Exists)
    assert len(world.clickpost.bookings) == 1


def test_a_write_of_the_caller_that_is_refused_lets_nothing_be_booked() -> None:
    world = World()
    taken = PARCEL.key("OTHER")
    world.core.table.write(Put(taken, {}, NEW))

    outcome = start(world, also=[Put(taken, {}, NEW)])

    assert isinstance(outcome, Blocked)
    assert outcome.index == 0
    assert world.clickpost.bookings == {}


@pytest.mark.parametrize("name", ORDER_TAKERS)
def test_a_booking_whose_answer_is_lost_is_found_by_the_worker(name: str) -> None:
    world = World()
    partner, alias = at(world, name)
    operation = {"SHIPROCKET": "assign-awb", "SHIPWAY": "push"}[name]
    partner.engine.fail(operation, Fault(Then("hangs"), does_the_work=True))

    assert isinstance(start(world, alias), AwbPending)
    world.settle()

    assert booking(world)["state"] == "BOOKED"
    assert partner.engine.describe_bookings()["duplicate_parcels"] == 0


# ── the order first ─────────────────────────────────────────────────────────────────


@takes_orders
def test_an_order_is_taken_without_an_awb(name: str) -> None:
    world = World()
    partner, alias = at(world, name)

    outcome = start(world, alias, Goal.ORDER)

    assert isinstance(outcome, OrderTaken)
    assert (booking(world)["state"], booking(world)["order_id"]) == ("ORDERED", outcome.order_id)
    assert partner.engine.parcels() == []
    assert kinds(world) == ["PLACED", "ORDERED"]
    assert world.due_rows() == []
    world.settle()
    assert world.heard(CODE) == [], "it is nobody's news"


def test_the_ids_of_an_order_are_the_aggregators_own_where_it_gives_any() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")

    outcome = start(world, alias, Goal.ORDER)

    assert isinstance(partner.engine, ShiprocketEngine)
    [order] = partner.engine.orders()
    assert outcome == OrderTaken(str(order.order_id), CODE, str(order.shipment_id))


def test_the_label_of_an_order_goes_on_from_it() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    start(world, alias, Goal.ORDER)

    outcome = label(world)

    assert isinstance(outcome, AwbBooked)
    assert booking(world)["state"] == "BOOKED"
    assert not {"known", "goal"} & booking(world).keys()
    assert isinstance(partner.engine, ShiprocketEngine)
    assert len(partner.engine.orders()) == 1
    assert kinds(world) == ["PLACED", "ORDERED", "AWB_BOOKED"]
    assert label(world) == outcome, "asked again, the same answer"


def test_an_order_at_shipway_gets_its_awb_from_a_person_and_then_here() -> None:
    world = World()
    partner, alias = at(world, "SHIPWAY")
    start(world, alias, Goal.ORDER)

    refused = label(world)
    assert isinstance(refused, AwbRefused)
    assert "panel" in refused.words
    assert isinstance(partner.engine, ShipwayEngine)
    awb = partner.engine.assign(CODE)
    outcome = again(world, alias)

    assert isinstance(outcome, AwbBooked)
    assert outcome.awb == awb
    assert len(partner.engine.parcels()) == 1


@takes_orders
@pytest.mark.parametrize("does_the_work", [True, False])
def test_an_order_whose_answer_is_lost_is_found_or_made_and_no_more(name: str, *, does_the_work: bool) -> None:
    world = World()
    partner, alias = at(world, name)
    operation = {"SHIPROCKET": "create-order", "SHIPWAY": "push"}[name]
    partner.engine.fail(operation, Fault(Then("hangs"), does_the_work=does_the_work))

    assert isinstance(start(world, alias, Goal.ORDER), AwbPending)
    world.settle()

    assert booking(world)["state"] == "ORDERED"
    assert partner.engine.parcels() == []


@pytest.mark.parametrize("does_the_work", [True, False])
def test_a_label_whose_answer_is_lost_is_found(*, does_the_work: bool) -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    start(world, alias, Goal.ORDER)
    partner.engine.fail("assign-awb", Fault(Then("hangs"), does_the_work=does_the_work))

    assert isinstance(label(world), AwbPending)
    world.settle()

    assert booking(world)["state"] == "BOOKED"
    assert isinstance(partner.engine, ShiprocketEngine)
    assert len(partner.engine.orders()) == 1
    assert partner.engine.describe_bookings()["duplicate_parcels"] == 0


def test_a_label_that_is_asked_for_before_the_order_is_certain_comes_by_itself() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    partner.engine.fail("create-order", Fault(Then("hangs"), does_the_work=True))
    start(world, alias, Goal.ORDER)

    assert isinstance(label(world), AwbPending)
    world.settle()

    assert booking(world)["state"] == "BOOKED"
    assert kinds(world) == ["PLACED", "AWB_BOOKED", "LABELLED"]


def test_a_label_that_is_asked_for_while_the_order_is_being_made_comes_by_itself() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    asked: list[BookingOutcome] = []
    plain = partner.engine.handle

    def meanwhile(method: str, path: str, *rest: Any) -> Any:
        if path.endswith("/orders/create/adhoc") and not asked:
            asked.append(label(world))
        return plain(method, path, *rest)

    world._hosts.partners["shiprocket.test"] = meanwhile
    outcome = start(world, alias, Goal.ORDER)

    assert isinstance(outcome, AwbPending)
    world.settle()
    assert booking(world)["state"] == "BOOKED"
    assert isinstance(partner.engine, ShiprocketEngine)
    assert len(partner.engine.orders()) == 1


@takes_orders
@pytest.mark.parametrize("fault", [Dies.KILLED_BEFORE, Dies.KILLED_AFTER])
def test_killed_anywhere_an_order_and_its_label_are_neither_lost_nor_doubled(name: str, fault: Dies) -> None:
    for number in count(1):
        calls = Calls()
        world = World(calls=calls)
        partner, alias = at(world, name)
        calls.plan = at_call(len(calls.made) + number, fault)
        try:
            start(world, alias, Goal.ORDER)
            label(world)
        except ProcessKilledError:
            world.core = world.another_environment()
        else:
            assert number > 10
            return
        world.settle()
        if world.core.table.get(PARCEL.booking) is None:
            assert isinstance(start(world, alias, Goal.ORDER), OrderTaken)
        label(world)
        world.settle()
        assert len(partner.engine.parcels()) == (1 if name == "SHIPROCKET" else 0), number
        assert isinstance(partner.engine, ShiprocketEngine | ShipwayEngine)
        assert len(partner.engine._orders) == 1, number


def test_a_parcel_that_was_refused_is_corrected_and_booked() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    nowhere = a_shipment(**{"drop.zip": "994001"})
    assert isinstance(start(world, alias, shipment=nowhere), AwbRefused)
    assert isinstance(again(world, alias), AwbBooked)

    assert isinstance(partner.engine, ShiprocketEngine)
    assert len({order.reference for order in partner.engine.orders()}) == 2, "the first one is spent"


def test_an_order_whose_account_is_gone_is_for_a_person() -> None:
    world = World()
    _, alias = at(world, "SHIPROCKET")
    start(world, alias, Goal.ORDER)
    row = world.core.table.get(PARCEL.booking)
    assert row is not None
    configuration = configuration_of(world.core, CLIENT)
    accounts = {each: account for each, account in configuration.accounts.items() if each != alias}

    book_ordered(world.core, replace(configuration, accounts=accounts), PARCEL, a_shipment(), row)

    assert (booking(world)["state"], booking(world)["reason"]) == ("HELD", "the aggregator account is gone")


def test_a_held_order_whose_label_is_asked_for_is_looked_up_once_more() -> None:
    world = World()
    partner, alias = at(world, "SHIPROCKET")
    partner.engine.fail("create-order", Fault(Then("hangs"), does_the_work=False))
    partner.engine.fail("list-orders", Fault(Then("hangs"), does_the_work=False), times=20)
    start(world, alias, Goal.ORDER)
    world.settle()
    assert booking(world)["state"] == "HELD"
    partner.engine.clear_faults()

    assert isinstance(label(world), AwbPending)
    world.clock.advance(seconds=SETTLE.total_seconds())
    world.settle()

    assert booking(world)["state"] == "BOOKED"
