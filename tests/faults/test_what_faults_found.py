"""Mistakes of RMS that a struck run or a shuffled history has shown, each as the shortest story that tells it."""

from datetime import timedelta

from tests.builders import a_channel_booked_body
from tests.fakes.calls import Call
from tests.webhooks import NOON, a_request, a_scan, receive
from tests.world import World


def test_news_that_waited_under_several_names_waits_under_none_once_its_return_is_known() -> None:
    world = World()
    awb_made = a_request(9, "RE-1", awb="4410001", reference_number="RVP-RE-1")

    receive(world, awb_made, a_request(11, "RE-1"))
    world.settle()

    assert [row for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")] == []
    assert [entry for entry in world.table._indexes["due"].values() if entry[0] == "unmatched"] == []
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", "AWB_GENERATED"]


def test_news_of_a_return_that_is_announced_while_rms_looks_for_it_is_not_left_waiting() -> None:
    world = World()
    announced: list[int] = []

    def announce_meanwhile(call: Call) -> None:
        if not announced and call.operation == "query" and "#F#" in str(call.arguments[0]):
            announced.append(world.webhook(a_request(11, "RE-1")))
            world.work("inbound")

    world.calls.before = announce_meanwhile
    receive(world, a_request(9, "RE-1", awb="4410001", reference_number="RVP-RE-1"))
    world.settle()

    assert announced == [200]
    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", "AWB_GENERATED"]


def test_a_return_that_is_posted_after_its_pickup_is_picked_up() -> None:
    world = World()
    receive(world, a_scan("9977001122", 4, NOON))
    world.clock.advance(minutes=10)

    world.create_return(a_channel_booked_body())
    world.settle()

    assert world.read_return("RET-70044-1").body["status"] == "RETURN_PICKED_UP"


def test_a_return_ends_in_one_state_whether_its_scan_or_its_order_came_first() -> None:
    scan = a_scan("9977001122", 25, NOON + timedelta(minutes=1))
    states = []
    for scan_first in (True, False):
        world = World()
        world.clock.advance(minutes=5)
        steps = [
            lambda world=world: receive(world, scan),
            lambda world=world: world.create_return(a_channel_booked_body()),
        ]
        for step in steps if scan_first else reversed(steps):
            step()
        world.settle()
        states.append(world.read_return("RET-70044-1").body["status"])

    assert states == ["OUT_FOR_PICKUP", "OUT_FOR_PICKUP"]
