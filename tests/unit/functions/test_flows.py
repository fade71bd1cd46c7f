"""Flows 1 and 2 from end to end, on a good day and on bad ones."""

import pytest

from sandbox.clickpost.settings import Settings
from sandbox.faults import WebhookFault, WebhookThen
from tests.builders import a_return_create_body, a_return_order_body
from tests.world import World

CODE = "RET-70031-1"
LIFE = ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]


def test_flow_2_the_client_creates_the_return_and_hears_of_it_until_it_is_back() -> None:
    world = World()
    awb = world.create_return(a_return_order_body()).body["returnAwb"]

    live(world, awb)

    assert world.heard(CODE) == LIFE
    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert world.receiver.violations() == []


def test_flow_2_by_the_other_call() -> None:
    world = World()
    body = a_return_create_body(logisticAccountAlias="main")
    awb = world.create_return(body, "/return/create").body["returnAwb"]

    live(world, awb)

    assert world.heard("RET-70100-1") == LIFE


def test_flow_1_the_shopper_places_the_return_at_clickpost() -> None:
    world = World()
    placed = world.clickpost.place_return({"return_reference_number": "RE-1"})
    world.settle()

    live(world, str(placed.awb))

    assert world.heard("RE-1") == ["RETURN_ORDER_PLACED", *LIFE]
    assert world.receiver.violations() == []


@pytest.mark.parametrize("is_rvp", ["stated", "null", "absent"])
@pytest.mark.parametrize("shape", ["all", "selected"])
def test_either_flow_is_told_alike_in_every_shape_of_webhook(shape: str, is_rvp: str) -> None:
    settings = Settings().changed({"webhook_shape": shape, "is_rvp": is_rvp, "wrapped": shape == "selected"})
    world = World(clickpost=settings)
    awb = world.create_return(a_return_order_body()).body["returnAwb"]
    placed = world.clickpost.place_return({"return_reference_number": "RE-1"})
    world.settle()

    live(world, awb)
    live(world, str(placed.awb))

    assert (world.heard(CODE), world.heard("RE-1")) == (LIFE, ["RETURN_ORDER_PLACED", *LIFE])


@pytest.mark.parametrize("seed", range(12))
def test_shuffled_and_doubled_webhooks_end_in_the_same_state_with_every_event_told_once(seed: int) -> None:
    world = World(seed=seed, clickpost=Settings(seed=seed))
    world.queues.duplicates = 0.3
    world.clickpost.webhook_faults.sometimes("webhook", WebhookFault(WebhookThen.SHUFFLE, size=5, seconds=40), 0.6)
    world.clickpost.webhook_faults.sometimes("*", WebhookFault(WebhookThen.DUPLICATE, copies=2), 0.3)
    awb = world.create_return(a_return_order_body()).body["returnAwb"]
    placed = world.clickpost.place_return({"return_reference_number": "RE-1"})

    live(world, awb)
    live(world, str(placed.awb))
    world.settle()

    assert sorted(world.heard(CODE)) == sorted(LIFE)
    assert sorted(world.heard("RE-1")) == sorted(["RETURN_ORDER_PLACED", *LIFE])
    assert [world.read_return(code).body["status"] for code in (CODE, "RE-1")] == ["DELIVERED", "DELIVERED"]
    assert world.receiver.violations() == []
    assert world.due_rows() == []


def test_every_endpoint_hears_everything_in_one_order() -> None:
    world = World(endpoints=3)
    awb = world.create_return(a_return_order_body()).body["returnAwb"]

    live(world, awb)

    assert [world.heard(CODE, endpoint) for endpoint in world.endpoints] == [LIFE] * 3


def live(world: World, awb: str) -> None:
    """Let a parcel's life happen, a scan at a time."""
    for _ in range(5):
        world.clickpost.advance(awb, life="delivered")
        world.settle()
        world.clock.advance(minutes=20)
