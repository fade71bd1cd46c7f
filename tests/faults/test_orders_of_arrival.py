"""Recorded-shape histories in every order, or in many orders, with duplicates: one end, one set of events.

What an endpoint hears follows the journal, which is the order in which RMS learned; that may differ from order to
order, but never between the journal and any endpoint.
"""

import random
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from rms.journal.keys import shipment_key
from tests.builders import a_channel_booked_body
from tests.world import CLIENT, World

EVENTS: Final = Path(__file__).parents[2] / "events" / "clickpost"
AWB: Final = "5277100004418"
PLACED_CODE: Final = "RE40000000000007719"
POSTED_CODE: Final = "RET-70044-1"

CLIENT_POSTS: Final = "the client posts the return"
DELIVERED: Final = (CLIENT_POSTS, "order_placed", "out_for_pickup_selected", "picked_up", "delivered_selected")
RESCHEDULED: Final = (
    "return_placed",
    "return_approved_wrapped",
    "awb_generated_event9",
    "out_for_pickup_selected",
    "pickup_rescheduled_npr6",
)
LONG: Final = (
    *RESCHEDULED,
    "order_placed",
    "pickup_qc_failed_npr3",
    "picked_up",
    "in_transit",
    "late_in_transit",
    "stuck_event17",
    "unknown_code",
    "delivered_selected",
    "sla_breached_event18",
)
SAMPLES: Final = 120


def test_a_delivered_return_ends_alike_in_every_order() -> None:
    ends = {_end(POSTED_CODE, order) for order in permutations(DELIVERED)}

    ((state, awb, told),) = ends
    assert (state, awb) == ("DELIVERED", AWB)
    assert told == ("AWB_GENERATED", "DELIVERED", "OUT_FOR_PICKUP", "RETURN_ORDER_PLACED", "RETURN_PICKED_UP")


def test_a_return_placed_at_the_aggregator_ends_alike_in_every_order() -> None:
    ends = {_end(PLACED_CODE, order) for order in permutations(RESCHEDULED)}

    ((state, awb, told),) = ends
    assert (state, awb) == ("PICKUP_RESCHEDULED", AWB)
    assert told == ("AWB_GENERATED", "OTHER", "OUT_FOR_PICKUP", "PICKUP_RESCHEDULED", "RETURN_ORDER_PLACED")


@pytest.mark.parametrize(("code", "history"), [(POSTED_CODE, DELIVERED), (PLACED_CODE, LONG)])
def test_a_history_ends_alike_in_many_orders_with_duplicates(code: str, history: Sequence[str]) -> None:
    dice = random.Random(2026)  # noqa: S311 - orders, no secrets
    ends = {_end(code, history)}
    for seed in range(SAMPLES):
        order = [*history, *dice.choices(history, k=dice.randint(0, len(history)))]
        dice.shuffle(order)
        ends.add(_end(code, order, seed=seed, together=dice.random() < 0.5))

    ((state, awb, told),) = ends
    assert (state, awb) == ("DELIVERED", AWB)
    assert len(told) == len(history)


def _end(code: str, order: Iterable[str], *, seed: int = 0, together: bool = False) -> tuple[str, str, tuple[str, ...]]:
    """The return's state, its AWB, and what both endpoints heard, sorted. `together`: the workers start late."""
    world = World(seed=seed, endpoints=2)
    for name in order:
        _happens(world, name)
        if not together:
            world.work_all()
            world.clock.advance(1)
    world.settle()
    events = world.journal(code)
    told = [(event["sequence"], event["notification"]) for event in events if "notification" in event]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["event_id"] for event in events}) == len(events)
    for endpoint in world.endpoints:
        assert world.receiver.heard(endpoint, code) == told, list(order)
    assert world.receiver.violations() == []
    waits = [(shard.partition("#")[0], pk) for shard, _, pk, _ in world.table._indexes["due"].values()]
    assert waits == [("silent", shipment_key(CLIENT, AWB).pk)], list(order)
    assert not [row for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")]
    status = world.rows_of(code)["STATUS"]
    return str(status["state"]), str(status["awb"]), tuple(sorted(str(name) for _, name in told))


def _happens(world: World, name: str) -> None:
    if name == CLIENT_POSTS:
        assert world.create_return(a_channel_booked_body(awbNumber=AWB)).status == 200
    else:
        assert world.webhook((EVENTS / f"webhook.{name}.json").read_bytes()) == 200
