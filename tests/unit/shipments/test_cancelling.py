"""Cancelling, from the wish to what is told of it: at every aggregator, whatever breaks off, whichever way it goes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest

from rms.aggregators.contract import Goal
from rms.clients import administration
from rms.clients.configuration import configuration_of
from rms.journal import Event, EventKind
from rms.journal.keys import client_pk, return_id, shipment_id
from rms.platform.table import EXISTING, Delete, Key
from rms.platform.times import to_text
from rms.shipments import settle_cancellation
from rms.shipments.starting import Wanted, book_ordered, create_and_book
from sandbox.clickpost.settings import Settings
from sandbox.faults import Fault, Then
from sandbox.shiprocket import ShiprocketEngine
from tests.builders import a_channel_booked_body, a_return_order_body, a_shipment
from tests.fakes.calls import Call, ProcessKilledError, no_faults
from tests.fakes.calls import Fault as Dies
from tests.fakes.calls import at as at_call
from tests.partners import KINDS, SANDBOX, onboard
from tests.webhooks import NOON, a_request, a_scan, receive
from tests.world import CLIENT, HttpReply, Partner, World

CODE: Final = "RET-70031-1"
CHANNELS: Final = "RET-70044-1"
PARCEL: Final = "SH-70031"
UNSERVED: Final = {"pickupAddress.zip": "990001"}
WITHOUT_QC: Final[Mapping[str, object]] = {f"orderItems[{place}].enableDoorStepQc": "false" for place in (0, 1)}
DONE: Final = (200, {"orderNumber": CODE, "cancelStatus": "CANCELLED"})
PENDING: Final = (202, {"orderNumber": CODE, "cancelStatus": "PENDING"})
SILENCE: Final = Fault(Then.HANGS, does_the_work=False)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def booked(world: World) -> World:
    """With a return that Clickpost has booked."""
    assert world.create_return(a_return_order_body()).status == 200
    world.settle()
    return world


# ── RMS has booked ──────────────────────────────────────────────────────────────────


def test_a_booked_return_is_cancelled_at_the_aggregator_and_told(booked: World) -> None:
    answer = booked.cancel(CODE)

    assert said(answer) == DONE
    assert booked.clickpost.parcels()[0].cancelled
    booked.settle()
    assert booked.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]
    shown = booked.read_return(CODE).body
    assert (shown["status"], shown["booking"]["state"], shown["cancellation"]["state"]) == ("CANCELLED",) * 3
    assert booked.rows_of(CODE)["BOOKING"]["generation"] == 1
    event = next(event for event in shown["timeline"] if event["kind"] == "CANCELLED")
    told = {"aggregator": "CLICKPOST", "awb": shown["returnAwb"], "courier": "Delhivery"}
    assert event["facts"] == told | {"brought": "CANCELLED"}
    assert booked.due_rows() == []


def test_the_carriers_own_word_of_it_is_kept_and_not_told_again(booked: World) -> None:
    booked.cancel(CODE)
    booked.settle()

    scan = booked.read_return(CODE).body["timeline"][-1]
    assert (scan["kind"], scan["facts"]["raw_code"], scan["notificationType"]) == ("TRACKED", "10", None)


def test_a_carrier_that_never_says_so_is_cancelled_all_the_same() -> None:
    world = World(clickpost=Settings(sends_cancelled_scan=False))
    world.create_return(a_return_order_body())

    assert said(world.cancel(CODE)) == DONE

    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]


def test_what_a_scan_has_told_is_not_told_again_by_the_answer(booked: World) -> None:
    booked.clickpost.fail("cancel-order", Fault(Then.HANGS, does_the_work=True))

    assert said(booked.cancel(CODE)) == PENDING
    booked.settle()

    assert said(booked.cancel(CODE)) == DONE
    assert booked.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]
    assert kinds(booked)[-2:] == ["TRACKED", "CANCELLED"]


def test_a_state_that_came_with_other_news_is_told_all_the_same(booked: World) -> None:
    awb = booked.clickpost.parcels()[0].awb
    news = a_scan(awb, 25, additional={"latest_status": {"clickpost_status_code": 10, "timestamp": NOON.isoformat()}})
    booked.clickpost.change({"sends_cancelled_scan": False})
    receive(booked, news)
    assert booked.read_return(CODE).body["status"] == "CANCELLED"

    booked.cancel(CODE)
    booked.settle()

    assert booked.heard(CODE) == ["AWB_GENERATED", "OUT_FOR_PICKUP", "CANCELLED"]


def test_the_same_wish_again_gets_the_same_answer_without_another_call(booked: World) -> None:
    booked.cancel(CODE)
    before, calls = booked.rows_of(CODE), len(booked.clickpost.requests())

    assert said(booked.cancel(CODE)) == DONE

    assert booked.rows_of(CODE) == before
    assert len(booked.clickpost.requests()) == calls


def test_a_wish_while_another_is_being_seen_to_waits_for_it(booked: World) -> None:
    others = meanwhile(booked, lambda: booked.cancel(CODE), on=lambda call: call.port == "http")

    assert said(booked.cancel(CODE)) == DONE

    assert [said(other) for other in others] == [PENDING]
    assert operations(booked).count("cancel-order") == 1


def test_a_scan_by_a_clock_ahead_of_ours_does_not_outlast_the_cancel(booked: World) -> None:
    awb = booked.clickpost.parcels()[0].awb
    receive(booked, a_scan(awb, 25, booked.clock() + timedelta(minutes=3)))

    booked.cancel(CODE)

    assert booked.read_return(CODE).body["status"] == "CANCELLED"


@pytest.mark.parametrize(("scan", "state"), [(4, "RETURN_PICKED_UP"), (5, "IN_TRANSIT"), (8, "DELIVERED")])
def test_a_parcel_that_is_on_its_way_is_not_cancelled_any_more(booked: World, scan: int, state: str) -> None:
    receive(booked, a_scan(booked.clickpost.parcels()[0].awb, scan))
    calls = len(booked.clickpost.requests())

    refusal(booked.cancel(CODE), f"the parcel is {state} already")

    assert len(booked.clickpost.requests()) == calls
    assert booked.read_return(CODE).body["cancellation"] is None


def test_a_courier_who_came_all_the_same_has_the_parcel_whatever_was_cancelled(booked: World) -> None:
    booked.cancel(CODE)
    booked.clock.advance(hours=1)
    receive(booked, a_scan(booked.clickpost.parcels()[0].awb, 4, booked.clock()))

    refusal(booked.cancel(CODE), "the parcel is RETURN_PICKED_UP already")
    assert booked.read_return(CODE).body["status"] == "RETURN_PICKED_UP"


def test_what_the_aggregator_refuses_is_told_in_its_words_and_may_be_wished_again(booked: World) -> None:
    awb = booked.clickpost.parcels()[0].awb
    booked.clickpost.change({"webhook_url": ""})
    booked.clickpost.scan(awb, 4)

    refusal(booked.cancel(CODE), "Invalid Waybill/ Waybill cannot be cancelled")

    shown = booked.read_return(CODE).body
    assert (shown["status"], shown["booking"]["state"]) == ("AWB_GENERATED", "BOOKED")
    assert (shown["cancellation"]["state"], kinds(booked)[-1]) == ("REFUSED", "CANCELLATION_REFUSED")
    refusal(booked.cancel(CODE), "Invalid Waybill/ Waybill cannot be cancelled")
    assert operations(booked).count("cancel-order") == 2
    assert booked.due_rows() == []


# ── RMS has booked nothing ──────────────────────────────────────────────────────────


def test_a_return_that_was_refused_is_cancelled_without_a_call(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))

    assert said(world.cancel(CODE)) == DONE

    assert operations(world) == ["create-order"]
    world.settle()
    assert world.heard(CODE) == ["CANCELLED"]
    assert world.read_return(CODE).body["booking"]["state"] == "CANCELLED"


def test_a_return_that_the_channel_booked_is_cancelled_and_says_what_is_left_to_do(world: World) -> None:
    world.create_return(a_channel_booked_body())

    answer = world.cancel(CHANNELS)

    assert (answer.status, answer.body["cancelStatus"]) == (200, "CANCELLED")
    assert answer.body["remark"] == "the courier was booked by the channel: cancel it there, too"
    assert world.cancel(CHANNELS) == answer
    world.settle()
    assert world.heard(CHANNELS) == ["RETURN_ORDER_PLACED", "CANCELLED"]
    shown = world.read_return(CHANNELS).body
    assert shown["timeline"][-1]["facts"]["remark"] == answer.body["remark"]
    assert world.clickpost.requests() == []


def test_a_return_that_was_refused_and_then_booked_by_the_channel_is_the_channels(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))
    assert world.create_return(a_channel_booked_body(returnOrderCode=CODE)).status == 200

    assert world.cancel(CODE).body["remark"].startswith("the courier was booked by the channel")


def test_a_return_that_was_placed_at_the_aggregator_is_cancelled_there_and_rms_hears_of_it(world: World) -> None:
    receive(world, a_request(11, "RE-1"))
    says = "it was placed at CLICKPOST: cancel it there, and RMS tells what comes of it"

    refusal(world.cancel("RE-1"), says)

    receive(world, a_request(9, "RE-1", NOON, awb="4410001"), a_scan("4410001", 10, NOON + timedelta(minutes=1)))
    assert said(world.cancel("RE-1"))[0] == 200
    assert "CANCELLATION" not in world.rows_of("RE-1")


def test_a_return_that_nobody_knows_is_not_found_and_neither_is_another_clients(booked: World) -> None:
    administration.create_client(booked.core, "poppy", "Poppy Shoes")

    absent, foreign = booked.cancel("RET-0"), booked.cancel(CODE, client="poppy")

    assert (absent.status, absent.body["code"]) == (404, "NOT_FOUND")
    assert foreign == absent
    assert booked.cancel(CODE, "/forward/shipments").status == 404, "a return is no forward parcel"


# ── nobody knows ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("does_the_work", [True, False], ids=["cancelled all the same", "not cancelled"])
@pytest.mark.parametrize(
    "then",
    [{"then": then} for then in (Then.HANGS, Then.CLOSES, Then.GARBAGE, Then.HTML, Then.TRUNCATED, Then.REDIRECT)]
    + [{"then": Then.STATUS, "status": status} for status in (429, 500, 502, 504)],
    ids=str,
)
def test_whatever_goes_wrong_at_the_aggregator_the_parcel_is_cancelled_in_the_end_and_told_once(
    booked: World, then: dict[str, Any], *, does_the_work: bool
) -> None:
    booked.clickpost.fail("cancel-order", Fault(does_the_work=does_the_work, **then))

    assert said(booked.cancel(CODE)) == PENDING
    booked.settle()

    assert said(booked.cancel(CODE)) == DONE
    assert booked.clickpost.parcels()[0].cancelled
    assert booked.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]
    assert booked.due_rows() == []


def test_after_an_hour_of_silence_a_person_is_told_and_the_same_wish_starts_over(
    booked: World, capsys: pytest.CaptureFixture[str]
) -> None:
    booked.clickpost.fail("cancel-order", SILENCE, times=20)
    began = booked.clock()
    booked.cancel(CODE)
    booked.settle()

    assert timedelta(minutes=55) < booked.clock() - began < timedelta(minutes=75)
    assert "CancellationHeld" in capsys.readouterr().out
    assert held(booked) == ["CANCELLATION"]
    assert booked.read_return(CODE).body["cancellation"]["state"] == "HELD"
    assert booked.due_rows() == [], "nobody goes on asking"
    booked.clickpost.clear_faults()
    assert said(booked.cancel(CODE)) == DONE
    assert held(booked) == []


def test_an_account_that_the_aggregator_does_not_accept_is_for_a_person(booked: World) -> None:
    booked.clickpost.change({"account_codes": ("another-code",)})

    assert said(booked.cancel(CODE)) == PENDING

    assert held(booked) == ["CANCELLATION"]
    assert "Account code" in booked.read_return(CODE).body["cancellation"]["reason"]
    booked.clickpost.change({"account_codes": ()})
    assert said(booked.cancel(CODE)) == DONE


def test_without_its_account_a_parcel_is_for_a_person(booked: World) -> None:
    booked.core.table.write(Delete(Key(client_pk(CLIENT), "ACCOUNT#main"), EXISTING))
    booked.core.memory.forget(f"configuration:{CLIENT}")

    assert said(booked.cancel(CODE)) == PENDING

    assert booked.read_return(CODE).body["cancellation"]["reason"] == "the aggregator account is gone"
    assert booked.clickpost.parcels()[0].cancelled is False


def test_a_cancel_that_would_not_end_in_time_is_left_for_the_next_message(booked: World) -> None:
    booked.clickpost.fail("cancel-order", SILENCE)
    booked.cancel(CODE)
    booked.clock.advance(minutes=1)
    aggregate = return_id(CLIENT, CODE)

    assert settle_cancellation(booked.core, aggregate, booked.clock() + timedelta(seconds=4)) is None
    assert operations(booked).count("cancel-order") == 1
    booked.settle()
    assert said(booked.cancel(CODE)) == DONE


# ── the booking is not settled ──────────────────────────────────────────────────────


@pytest.mark.parametrize("does_the_work", [True, False], ids=["booked all the same", "not booked"])
def test_a_booking_whose_outcome_is_not_known_is_cancelled_once_it_is(world: World, *, does_the_work: bool) -> None:
    world.clickpost.next_booking(does_the_work=does_the_work, then="hangs")
    assert world.create_return(a_return_order_body()).status == 202

    assert said(world.cancel(CODE)) == PENDING
    assert said(world.cancel(CODE)) == PENDING
    assert operations(world) == ["create-order"]
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert [parcel.cancelled for parcel in world.clickpost.parcels()] == [True]
    assert world.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]
    assert world.due_rows() == []


def test_an_awb_that_takes_its_time_is_cancelled_when_it_comes() -> None:
    world = World(clickpost=Settings(asynchronous=True, async_processing=3, async_seconds=200))
    world.create_return(a_return_order_body())

    assert said(world.cancel(CODE)) == PENDING
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert [parcel.cancelled for parcel in world.clickpost.parcels()] == [True]


def test_a_booking_that_is_refused_after_all_is_cancelled_without_a_call() -> None:
    world = World(clickpost=Settings(asynchronous=True, async_ends=420, async_words="No such pick-up address"))
    world.create_return(a_return_order_body())
    world.cancel(CODE)
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert (world.heard(CODE), world.clickpost.parcels()) == (["CANCELLED"], [])


def test_a_booking_that_is_made_while_it_is_to_be_cancelled_is_cancelled(world: World) -> None:
    wishes = meanwhile(world, lambda: world.cancel(CODE), on=lambda call: call.port == "http")

    assert world.create_return(a_return_order_body()).status == 200
    world.settle()

    assert [said(wish) for wish in wishes] == [PENDING]
    assert said(world.cancel(CODE)) == DONE
    assert world.clickpost.parcels()[0].cancelled


def test_a_booking_that_settles_while_the_wish_is_written_is_cancelled_at_once(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())
    world.clock.advance(minutes=2)

    def settle_it() -> None:
        world.sweep()
        world.work_all()

    meanwhile(world, settle_it, on=lambda call: call.operation == "write" and "CANCELLATION" in str(call.arguments))

    assert said(world.cancel(CODE)) == DONE
    assert world.clickpost.parcels()[0].cancelled


def test_a_booking_that_is_held_is_looked_up_once_more_for_whoever_wants_it_cancelled(world: World) -> None:
    world.clickpost.fail("create-order", SILENCE, times=20)
    world.create_return(a_return_order_body())
    world.settle()
    assert held(world) == ["BOOKING"]
    world.clickpost.clear_faults()

    assert said(world.cancel(CODE)) == PENDING
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert [parcel.cancelled for parcel in world.clickpost.parcels()] == [True]


def test_a_wish_for_a_booking_that_stays_held_is_held_with_it(world: World) -> None:
    world.clickpost.fail("create-order", SILENCE, times=60)
    world.create_return(a_return_order_body())
    world.settle()

    world.cancel(CODE)
    world.settle()

    assert held(world) == ["BOOKING", "CANCELLATION"]
    assert world.read_return(CODE).body["cancellation"]["reason"] == "nobody knows whether it was booked"


def test_a_parcel_that_was_collected_before_its_booking_was_known_is_not_cancelled(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())
    world.cancel(CODE)
    world.clickpost.advance(world.clickpost.parcels()[0].awb, steps=2)
    world.settle()

    shown = world.read_return(CODE).body
    assert (shown["status"], shown["cancellation"]["state"]) == ("RETURN_PICKED_UP", "REFUSED")
    assert "CANCELLED" not in world.heard(CODE)


# ── carriers that cancel in their own time ──────────────────────────────────────────


@pytest.mark.parametrize("scans", [True, False], ids=["with a scan", "without one"])
def test_a_cancel_that_is_only_taken_in_hand_is_told_when_it_is_done(*, scans: bool) -> None:
    world = World(clickpost=Settings(cancels_later=True, async_seconds=900, sends_cancelled_scan=scans))
    world.create_return(a_return_order_body())

    assert said(world.cancel(CODE)) == PENDING
    assert world.read_return(CODE).body["status"] == "AWB_GENERATED"
    assert said(world.cancel(CODE)) == PENDING
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert world.heard(CODE) == ["AWB_GENERATED", "CANCELLED"]


def test_a_cancel_that_nobody_ever_confirms_is_for_a_person_after_a_day() -> None:
    world = World(clickpost=Settings(cancels_later=True, async_seconds=10**6))
    world.create_return(a_return_order_body())
    began = world.clock()
    world.cancel(CODE)

    while world.due_rows():
        world.clock.advance(minutes=10)
        world.sweep()
        world.work_all()

    assert timedelta(hours=23) < world.clock() - began < timedelta(hours=25)
    assert held(world) == ["CANCELLATION"]


def test_a_courier_who_is_quicker_than_the_cancel_that_was_taken_in_hand_has_the_parcel() -> None:
    world = World(clickpost=Settings(cancels_later=True, async_seconds=10**6))
    world.create_return(a_return_order_body())
    world.cancel(CODE)
    world.clickpost.change({"webhook_url": ""})
    world.clickpost.scan(world.clickpost.parcels()[0].awb, 4)
    world.clock.advance(minutes=10)

    world.sweep()
    world.work_all()

    assert world.read_return(CODE).body["cancellation"]["refusal"] == "the parcel is RETURN_PICKED_UP already"


# ── every aggregator ────────────────────────────────────────────────────────────────


def at(world: World, name: str) -> Partner:
    """A return that RMS has booked at this aggregator."""
    partner = onboard(world, name)
    assert world.create_return(a_return_order_body(**WITHOUT_QC)).status in {200, 202}
    world.settle()
    return partner


def test_shiprocket_takes_a_cancel_in_hand_and_its_webhooks_tell_the_rest(world: World) -> None:
    partner = at(world, "SHIPROCKET")

    assert said(world.cancel(CODE)) == PENDING
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert [parcel.cancelled for parcel in partner.engine.parcels()] == [True]
    told = ["AWB_GENERATED", "PICKUP_SCHEDULED", "CANCELLATION_REQUESTED", "CANCELLED"]
    assert world.heard(CODE) == told


def test_without_webhooks_shiprockets_tracking_says_that_it_is_cancelled(world: World) -> None:
    partner = at(world, "SHIPROCKET")
    partner.engine.change({"webhook_url": ""})

    world.cancel(CODE)
    world.settle()

    assert said(world.cancel(CODE)) == DONE
    assert world.heard(CODE)[-1] == "CANCELLED"
    assert kinds(world)[-1] == "CANCELLED"


def test_a_courier_who_is_on_the_way_for_shiprocket_is_not_taken_for_cancelled(world: World) -> None:
    partner = at(world, "SHIPROCKET")
    partner.engine.advance(partner.engine.parcels()[0].awb, steps=1)
    world.settle()
    assert world.read_return(CODE).body["status"] == "OUT_FOR_PICKUP"

    assert said(world.cancel(CODE)) == PENDING
    partner.engine.advance(partner.engine.parcels()[0].awb, steps=1)
    world.settle()

    shown = world.read_return(CODE).body
    assert (shown["status"], shown["cancellation"]["state"]) == ("RETURN_PICKED_UP", "REFUSED")
    assert "CANCELLED" not in world.heard(CODE)


def test_shipway_cancels_at_once(world: World) -> None:
    partner = at(world, "SHIPWAY")

    assert said(world.cancel(CODE)) == DONE

    assert [parcel.cancelled for parcel in partner.engine.parcels()] == [True]
    world.settle()
    assert world.heard(CODE).count("CANCELLED") == 1


def test_an_aggregator_of_the_generic_contract_cannot_cancel_and_says_where_to(world: World) -> None:
    partner = at(world, SANDBOX)

    refusal(world.cancel(CODE), "cannot be cancelled through the generic contract: cancel it at the aggregator itself")

    assert world.read_return(CODE).body["status"] == "AWB_GENERATED"
    partner.engine.scan(partner.engine.parcels()[0].awb, "CANCELLED")
    world.settle()
    assert world.read_return(CODE).body["status"] == "CANCELLED", "it reports it like any other status"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_booking_of_unknown_outcome_leaves_no_parcel_where_one_can_be_cancelled(world: World, name: str) -> None:
    partner = onboard(world, name)
    operation = {"SHIPROCKET": "assign-awb", "SHIPWAY": "create-return"}.get(name, partner.engine.operations[0])
    partner.engine.fail(operation, Fault(Then.HANGS, does_the_work=True))
    assert world.create_return(a_return_order_body(**WITHOUT_QC)).status == 202

    assert said(world.cancel(CODE)) == PENDING
    world.settle()

    [parcel] = partner.engine.parcels()
    state = world.read_return(CODE).body["cancellation"]["state"]
    assert (parcel.cancelled, state) == ((False, "REFUSED") if name == SANDBOX else (True, "CANCELLED"))
    assert world.heard(CODE).count("CANCELLED") == (name != SANDBOX)


# ── forward parcels ─────────────────────────────────────────────────────────────────


def shipped(world: World, alias: str = "main", goal: Goal = Goal.AWB) -> None:
    """What whoever takes a parcel in does."""
    configuration = configuration_of(world.core, CLIENT)
    wanted = Wanted(shipment_id(CLIENT, PARCEL), a_shipment(), [configuration.accounts[alias]], goal)
    now = world.clock()
    status = {"state": "READY_TO_SHIP", "created_at": to_text(now), "forward_code": "SO-70031"}
    create_and_book(world.core, configuration, wanted, Event("PLACED", EventKind.PLACED, now, now), status)


def test_a_forward_parcel_is_cancelled_like_a_return(world: World) -> None:
    shipped(world)

    answer = world.cancel(PARCEL, "/forward/shipments")

    assert (answer.status, answer.body) == (200, {"shipmentCode": PARCEL, "cancelStatus": "CANCELLED"})
    assert world.clickpost.parcels()[0].cancelled
    world.settle()
    assert world.heard(PARCEL) == ["AWB_GENERATED", "CANCELLED"]


@pytest.mark.parametrize("name", ["SHIPROCKET", "SHIPWAY"])
def test_an_order_without_an_awb_is_cancelled_as_an_order(world: World, name: str) -> None:
    partner = onboard(world, name)
    shipped(world, KINDS[name].account.alias, Goal.ORDER)

    answer = world.cancel(PARCEL, "/forward/shipments")

    assert answer.status == 200
    last = partner.engine.requests()[-1]
    assert (last["operation"], last["did_the_work"]) == ("cancel-orders", True)
    assert world.cancel(PARCEL, "/forward/shipments") == answer
    assert partner.engine.requests()[-1] == last
    assert world.rows_of(PARCEL, kind="S")["BOOKING"]["state"] == "CANCELLED"


def test_an_order_that_gets_its_awb_while_it_is_cancelled_is_cancelled_with_it(world: World) -> None:
    partner = onboard(world, "SHIPROCKET")
    shipped(world, "a-st", Goal.ORDER)
    aggregate = shipment_id(CLIENT, PARCEL)

    def label_it() -> None:
        row = world.core.table.get(aggregate.booking)
        assert row is not None
        book_ordered(world.core, configuration_of(world.core, CLIENT), aggregate, a_shipment(), row)

    meanwhile(world, label_it, on=lambda call: call.port == "http")
    world.cancel(PARCEL, "/forward/shipments")
    world.settle()

    assert world.cancel(PARCEL, "/forward/shipments").status == 200
    assert isinstance(partner.engine, ShiprocketEngine)
    assert [order.cancelled for order in partner.engine.orders()] == [True]


# ── afterwards ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("change", [{}, {"locationCode": "DEL-9"}], ids=["same", "other"])
def test_a_return_that_was_cancelled_is_not_created_again(booked: World, change: Mapping[str, object]) -> None:
    booked.create_return(a_channel_booked_body())
    booked.cancel(CODE)
    booked.cancel(CHANNELS)

    for body in (a_return_order_body(**change), a_channel_booked_body(**change)):
        answer = booked.create_return(body)
        assert (answer.status, answer.body["code"]) == (409, "CONFLICT")
        assert answer.body["description"] == "[returnOrderCode: is cancelled]"


def test_of_a_correction_and_a_cancel_at_once_either_one_is_heard_or_both(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))
    answers = meanwhile(world, lambda: world.cancel(CODE), on=lambda call: "CORRECTED" in str(call.arguments))

    corrected = world.create_return(a_return_order_body())

    assert [said(answer) for answer in answers] == [DONE]
    assert (corrected.status, world.clickpost.parcels()) == (409, [])


def test_a_correction_that_is_quicker_than_the_cancel_is_booked_and_cancelled(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))
    answers = meanwhile(
        world,
        lambda: world.create_return(a_return_order_body()),
        on=lambda call: call.operation == "transact" and "CANCELLED" in str(call.arguments),
    )

    assert said(world.cancel(CODE)) == DONE

    assert [answer.status for answer in answers] == [200]
    assert [parcel.cancelled for parcel in world.clickpost.parcels()] == [True]


# ── crashes ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", Dies)
@pytest.mark.parametrize("unknown", [False, True], ids=["booked", "not known"])
def test_whatever_call_breaks_off_the_parcel_is_cancelled_and_told_once(fault: Dies, *, unknown: bool) -> None:
    def until_the_wish() -> World:
        world = World()
        if unknown:
            world.clickpost.next_booking(does_the_work=True, then="hangs")
        world.create_return(a_return_order_body())
        if not unknown:
            world.settle()
        world.calls.made.clear()
        return world

    calm = until_the_wish()
    calm.cancel(CODE)
    calm.settle()
    for number in range(1, len(calm.calls.made) + 1):
        world = until_the_wish()
        world.calls.plan = at_call(number, fault)
        for _ in range(20):
            with suppress(ProcessKilledError):
                if world.cancel(CODE).status == 200:
                    break
            with suppress(ProcessKilledError, Exception):
                world.clock.advance(minutes=2)
                world.sweep()
                world.work_all()
            world.calls.land()
        world.calls.plan = no_faults
        world.settle()

        assert said(world.cancel(CODE)) == DONE, number
        assert [parcel.cancelled for parcel in world.clickpost.parcels()] == [True], number
        assert world.heard(CODE) == ["AWB_GENERATED", "CANCELLED"], number
        assert kinds(world).count("CANCELLED") == 1, number


# ── helpers ─────────────────────────────────────────────────────────────────────────


def said(answer: HttpReply) -> tuple[int, Any]:
    return answer.status, answer.body


def refusal(answer: HttpReply, words: str) -> None:
    assert (answer.status, answer.body["code"], answer.body["description"]) == (409, "CANCEL_REFUSED", words)


def kinds(world: World, code: str = CODE) -> list[object]:
    return [event["kind"] for event in world.journal(code)]


def operations(world: World) -> list[str]:
    return [request["operation"] for request in world.clickpost.requests()]


def held(world: World) -> list[str]:
    return sorted(str(row["SK"]) for row in world.table.rows() if row.get("due_shard") == "held")


def meanwhile[T](world: World, act: Callable[[], T], *, on: Callable[[Call], bool]) -> list[T]:
    """Do this just before the first such call; answers, once it has happened, what came of it."""
    results: list[T] = []

    def before(call: Call) -> None:
        if on(call):
            world.calls.before = lambda _: None
            results.append(act())

    world.calls.before = before
    return results
