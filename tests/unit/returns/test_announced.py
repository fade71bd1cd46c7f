"""Flow 1: a shopper places the return at Clickpost, and RMS hears of it by webhook. Flows, section 1."""

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.builders import a_channel_booked_body, a_return_order_body
from tests.webhooks import NOON, a_request, a_scan, receive
from tests.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_return_is_created_from_the_webhook_that_announces_it(world: World) -> None:
    items = [
        {"sku": "KURTA-TEAL", "quantity": 1, "id": "7001", "return_reason": "Too big"},
        {"sku": "STOLE-RUST", "quantity": 2, "id": "7002"},
    ]

    receive(world, a_request(11, "RE-1", items=items))

    shown = world.read_return("RE-1").body
    assert (shown["status"], shown["forwardOrderCode"], shown["returnAwb"]) == ("RETURN_ORDER_PLACED", "SO-1001", None)
    assert shown["orderItems"] == [
        {"itemCode": "7001_1", "channelSkuCode": "KURTA-TEAL", "returnOrderItemStatus": "CREATED"},
        {"itemCode": "7002_1", "channelSkuCode": "STOLE-RUST", "returnOrderItemStatus": "CREATED"},
        {"itemCode": "7002_2", "channelSkuCode": "STOLE-RUST", "returnOrderItemStatus": "CREATED"},
    ]
    assert shown["booking"] is None


def test_the_client_hears_what_was_placed(world: World) -> None:
    receive(world, a_request(11, "RE-1"))

    (delivery,) = world.receiver.deliveries("shop")
    told = json.loads(delivery.body)
    assert (told["notificationType"], told["returnOrderInfo"]["returnOrderId"]) == ("RETURN_ORDER_PLACED", "RE-1")
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED"]


def test_the_same_announcement_again_makes_no_second_return_and_no_second_notification(world: World) -> None:
    receive(world, a_request(11, "RE-1"))
    before = world.rows_of("RE-1")

    receive(world, a_request(11, "RE-1"), a_request(11, "RE-1", NOON + timedelta(hours=3)))

    assert world.rows_of("RE-1") == before
    assert len(world.receiver.deliveries("shop")) == 1


def test_an_announcement_of_a_return_that_the_client_created_becomes_one_of_its_events(world: World) -> None:
    world.create_return(a_channel_booked_body())
    document = world.rows_of("RET-70044-1")["DOCUMENT"]

    receive(world, a_request(11, "RET-70044-1"), a_request(11, "RET-70044-1"))

    assert world.rows_of("RET-70044-1")["DOCUMENT"] == document
    assert [event["kind"] for event in world.journal("RET-70044-1")] == ["PLACED", "TRACKED"]
    assert world.heard("RET-70044-1") == ["RETURN_ORDER_PLACED", "RETURN_ORDER_PLACED"]


def test_a_code_that_an_aggregator_announced_is_not_the_clients_to_create(world: World) -> None:
    receive(world, a_request(11, "RET-70031-1"))

    answer = world.create_return(a_return_order_body())

    assert (answer.status, answer.body["code"]) == (409, "CONFLICT")
    assert not world.clickpost.bookings


def test_event_9_gives_an_announced_return_its_awb_and_later_scans_find_it_by_that(world: World) -> None:
    receive(
        world,
        a_request(11, "RE-1"),
        a_request(9, "RE-1", NOON + timedelta(hours=1), awb="AWB-1"),
        a_scan("AWB-1", 4, NOON + timedelta(hours=2)),
    )

    shown = world.read_return("RE-1").body
    assert (shown["returnAwb"], shown["carrierName"], shown["status"]) == ("AWB-1", "Delhivery", "RETURN_PICKED_UP")
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", "AWB_GENERATED", "RETURN_PICKED_UP"]


def test_the_awb_that_comes_before_the_news_of_the_placing_is_applied_once_that_is_known(world: World) -> None:
    receive(world, a_request(9, "RE-1", awb="AWB-1"), a_scan("AWB-1", 4, NOON + timedelta(hours=1)))
    assert world.read_return("RE-1").status == 404

    receive(world, a_request(11, "RE-1"))
    world.settle()

    assert world.read_return("RE-1").body["returnAwb"] == "AWB-1"
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", "AWB_GENERATED", "RETURN_PICKED_UP"]
    assert not world.due_rows()


def test_an_announcement_may_carry_its_awb_already(world: World) -> None:
    receive(world, a_request(11, "RE-1", awb="AWB-1"), a_scan("AWB-1", 5, NOON + timedelta(hours=1)))

    shown = world.read_return("RE-1").body
    assert (shown["returnAwb"], shown["status"]) == ("AWB-1", "IN_TRANSIT")


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_whatever_order_the_news_comes_in_the_return_ends_alike(world: World, order: tuple[int, ...]) -> None:
    news = [
        a_request(11, "RE-1"),
        a_request(9, "RE-1", NOON + timedelta(minutes=1), awb="AWB-1"),
        a_scan("AWB-1", 4, NOON + timedelta(minutes=2)),
        a_scan("AWB-1", 8, NOON + timedelta(minutes=3)),
    ]

    receive(world, *(news[place] for place in order), *news)
    world.settle()

    shown = world.read_return("RE-1").body
    assert (shown["status"], shown["returnAwb"], shown["sequence"]) == ("DELIVERED", "AWB-1", 4)
    heard = world.heard("RE-1")
    assert heard[0] == "RETURN_ORDER_PLACED"
    assert sorted(heard) == ["AWB_GENERATED", "DELIVERED", "RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]


def test_approval_is_kept_in_the_timeline_under_its_own_words(world: World) -> None:
    receive(world, a_request(11, "RE-1"), a_request(22, "RE-1", NOON + timedelta(hours=1)))

    event = world.journal("RE-1")[-1]
    assert (event["notification"], event["facts"]["raw_code"]) == ("OTHER", "102")
    assert world.read_return("RE-1").body["status"] == "RETURN_ORDER_PLACED"


# ── older bodies, which carry no return reference ───────────────────────────────────


def test_an_older_announcement_without_a_code_gets_one_that_is_always_the_same(world: World) -> None:
    receive(world, a_request(11, None), a_request(11, None, NOON + timedelta(days=1)))

    (listed,) = returns_of(world)
    assert listed["returnOrderCode"].startswith("ANN-")
    assert world.heard(listed["returnOrderCode"]) == ["RETURN_ORDER_PLACED"]


def test_its_awb_is_matched_by_the_forward_parcel(world: World) -> None:
    receive(
        world,
        a_request(11, None),
        a_request(9, None, NOON + timedelta(hours=1), awb="AWB-1"),
        a_scan("AWB-1", 4, NOON + timedelta(hours=2)),
    )

    (listed,) = returns_of(world)
    assert (listed["returnAwb"], listed["status"]) == ("AWB-1", "RETURN_PICKED_UP")


def test_two_returns_for_one_forward_parcel_are_not_guessed_between(world: World) -> None:
    other = [{"sku": "STOLE-RUST", "quantity": 1, "id": "7002"}]
    receive(world, a_request(11, None), a_request(11, None, items=other))

    receive(world, a_request(9, None, NOON + timedelta(hours=1), awb="AWB-1"))

    assert [listed["returnAwb"] for listed in returns_of(world)] == [None, None]
    parked = [row for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")]
    assert [row["PK"] for row in parked] == ["C#lotus#A#AWB-1"]


# ── whose is it ─────────────────────────────────────────────────────────────────────


def test_a_reference_shared_by_two_parcels_never_mixes_them(world: World) -> None:
    receive(world, a_request(11, "RE-1"), a_request(9, "RE-1", awb="AWB-1"))
    before = world.rows_of("RE-1")

    receive(
        world,
        a_scan("AWB-2", 8, NOON + timedelta(hours=1), additional={"latest_status": {"reference_number": "RE-1"}}),
        a_request(9, "RE-1", NOON + timedelta(hours=1), awb="AWB-3"),
    )

    assert world.rows_of("RE-1") == before
    assert {row["PK"] for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")} == {
        "C#lotus#A#AWB-2",
        "C#lotus#A#AWB-3",
    }


def test_a_second_return_of_the_same_forward_parcel_is_a_return_of_its_own(world: World) -> None:
    receive(world, a_request(11, "RE-1"))
    before = world.rows_of("RE-1")

    receive(world, a_request(11, "RE-2"), a_request(9, "RE-2", NOON + timedelta(hours=1), awb="AWB-2"))

    assert world.rows_of("RE-1") == before
    assert world.read_return("RE-2").body["returnAwb"] == "AWB-2"


def test_the_awb_of_a_second_return_never_goes_to_the_first_of_the_same_forward_parcel(world: World) -> None:
    receive(world, a_request(11, "RE-1"))

    receive(world, a_request(9, "RE-2", NOON + timedelta(hours=1), awb="AWB-2"), a_request(11, "RE-2"))
    world.settle()

    assert world.read_return("RE-1").body["returnAwb"] is None
    assert world.read_return("RE-2").body["returnAwb"] == "AWB-2"


def returns_of(world: World) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = world.call("read_returns", "GET", "/return/return-orders").body["returnOrders"]
    return listed
