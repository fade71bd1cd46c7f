"""The functions behind the queues and the clock: a message too many, too late or about nothing changes nothing."""

import json
from typing import Any

import pytest

from rms.platform.queues import QueueUnavailableError
from tests.builders import a_channel_booked_body, a_return_order_body
from tests.fakes.calls import Fault
from tests.webhooks import NOON, a_scan, receive
from tests.world import CLIENT, World

CODE = "RET-70031-1"
ABOUT = {"client": CLIENT, "kind": "R", "code": CODE}


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("book_shipments", ABOUT),
        ("deliver_notifications", {**ABOUT, "endpoint": "shop"}),
        ("record_shipment_events", {"task": "drain", "client": CLIENT, "awb": "AWB-1"}),
    ],
)
def test_a_wake_up_about_nothing_is_done_with(world: World, function: str, message: dict[str, Any]) -> None:
    assert failures(world, function, message) == []
    assert world.rows_of(CODE) == {}


@pytest.mark.parametrize(
    ("function", "message"),
    [("book_shipments", ABOUT), ("deliver_notifications", {**ABOUT, "endpoint": "shop"})],
)
def test_a_doubled_or_late_wake_up_changes_nothing(world: World, function: str, message: dict[str, Any]) -> None:
    world.create_return(a_return_order_body())
    world.settle()
    before, calls = world.rows_of(CODE), len(world.http.requests)

    assert failures(world, function, message) == []

    assert world.rows_of(CODE) == before
    assert len(world.http.requests) == calls


def test_a_wake_up_that_comes_early_calls_nobody(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())
    calls = len(world.http.requests)

    assert failures(world, "book_shipments", ABOUT) == []

    assert len(world.http.requests) == calls


def test_a_wake_up_for_an_endpoint_that_was_never_registered_is_done_with(world: World) -> None:
    world.create_return(a_channel_booked_body())

    assert failures(world, "deliver_notifications", {**ABOUT, "code": "RET-70044-1", "endpoint": "nobody"}) == []


@pytest.mark.parametrize("function", ["book_shipments", "deliver_notifications", "record_shipment_events"])
@pytest.mark.parametrize("message", [{}, {"client": CLIENT}, {"task": "record", "client": CLIENT}])
def test_a_message_that_lacks_something_is_given_back(world: World, function: str, message: dict[str, Any]) -> None:
    assert failures(world, function, message) == ["m-1"]


@pytest.mark.parametrize("queue", ["bookings", "deliveries"])
def test_what_no_wake_up_was_sent_for_is_found_by_the_sweep(world: World, queue: str) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.calls.plan = lambda call: Fault.THROTTLED if call.operation == f"send {queue}" else None
    world.create_return(a_return_order_body())
    world.create_return(a_channel_booked_body())
    world.calls.plan = lambda _: None

    world.settle()

    assert world.heard(CODE) == ["AWB_GENERATED"]
    assert world.heard("RET-70044-1") == ["RETURN_ORDER_PLACED"]


def test_a_drain_that_nobody_was_told_of_is_found_by_the_sweep(world: World) -> None:
    receive(world, a_scan("9977001122", 4, NOON))
    world.calls.plan = lambda call: Fault.THROTTLED if call.operation == "send inbound" else None
    world.create_return(a_channel_booked_body())
    world.calls.plan = lambda _: None

    world.settle()

    assert world.heard("RET-70044-1") == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]


def test_the_sweep_says_how_much_it_sent(world: World) -> None:
    world.create_return(a_channel_booked_body())

    assert world.invoke("sweep_due_work", {"id": "tick"}) == {"inbound": 0, "bookings": 0, "deliveries": 1}


def test_a_sweep_that_cannot_send_fails_loudly_so_that_its_alarm_rings(world: World) -> None:
    world.create_return(a_channel_booked_body())
    world.calls.plan = lambda call: Fault.THROTTLED if call.port == "queues" else None

    with pytest.raises(QueueUnavailableError):
        world.sweep()


def failures(world: World, function: str, message: dict[str, Any]) -> list[str]:
    record = {"messageId": "m-1", "body": json.dumps(message), "attributes": {"ApproximateReceiveCount": "1"}}
    answer = world.invoke(function, {"Records": [record]})
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
