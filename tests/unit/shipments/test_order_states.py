"""The commercial state of a return: the rows of its table, each as it happens, and what does not depend on order."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Final

import pytest

from rms.model.notification_type import NotificationType as N
from rms.shipments.order_states import AT_HAND, SAYS, Checked, OrderState, order_state, rows
from rms.shipments.transitions import RANKS
from tests.builders import a_channel_booked_body, a_processed_body, a_result_body, a_shipment_body
from tests.webhooks import NOON, a_scan, receive
from tests.world import CLIENT, World

CODE: Final = "RET-70044-1"
AWB: Final = "9977001122"
ITEMS: Final = ("70044-1", "70044-2")

# What Clickpost sends for each name.
CODES: Final = {
    N.PICKUP_QUEUE: 2,
    N.PICKUP_CANCELLED: 3,
    N.RETURN_PICKED_UP: 4,
    N.IN_TRANSIT: 5,
    N.OUT_FOR_DELIVERY: 6,
    N.DELIVERED: 8,
    N.CANCELLED: 10,
    N.LOST: 16,
    N.DELAYED: 18,
    N.OUT_FOR_PICKUP: 25,
    N.EXCHANGE_PICKUP: 30,
    N.EXCHANGE_DELIVERED: 32,
}
# How a return comes to be in each state.
REACHED: Final[dict[OrderState, tuple[N | Checked, ...]]] = {
    OrderState.CREATED: (),
    OrderState.IN_TRANSIT: (N.RETURN_PICKED_UP,),
    OrderState.RECEIVED: (N.RETURN_PICKED_UP, N.DELIVERED),
    OrderState.PARTLY_PROCESSED: (Checked.SOME_CHECKED,),
    OrderState.PROCESSED: (Checked.ALL_CHECKED,),
    OrderState.CANCELLED: (N.CANCELLED,),
}


def sentence(row: tuple[OrderState, N | Checked, OrderState, str]) -> str:
    state, then, after, why = row
    return f"a return that is {state} and then {then} is {after}: {why}"


@pytest.fixture
def world() -> World:
    world = World()
    items = [{"itemCode": code, "reason": "Other colour", "channelSkuCode": "CAP-RED"} for code in ITEMS]
    world.create_return(a_channel_booked_body(orderItems=items))
    return world


@pytest.mark.parametrize(("state", "then", "after", "why"), rows(), ids=map(sentence, rows()))
def test_a_row_of_the_table_is_true(
    world: World, state: OrderState, then: N | Checked, after: OrderState, why: str
) -> None:
    for hour, happening in enumerate(REACHED[state]):
        happens(world, happening, NOON + timedelta(hours=hour))
    assert now(world) is state

    happens(world, then, NOON + timedelta(hours=9))

    assert now(world) is after, why


def test_the_table_says_what_follows_in_every_state() -> None:
    assert {state for state, *_ in rows()} == set(OrderState)
    assert {state for state, then, *_ in rows() if then is Checked.ALL_CHECKED} == set(OrderState)


@pytest.mark.parametrize(
    "sightings",
    [
        (N.OUT_FOR_PICKUP, N.RETURN_PICKED_UP, N.DELAYED, N.DELIVERED),
        (N.RETURN_PICKED_UP, N.DELAYED),
        (N.CANCELLED, N.RETURN_PICKED_UP, N.LOST),
        (N.RETURN_PICKED_UP, N.CANCELLED, N.PICKUP_QUEUE),
        (N.DELIVERED, N.IN_TRANSIT, N.CANCELLED),
    ],
    ids=" then ".join,
)
def test_every_order_of_arrival_ends_alike(sightings: tuple[N, ...]) -> None:
    timed = [(name, NOON + timedelta(hours=hour)) for hour, name in enumerate(sightings)]
    ends = set()
    for arrival in permutations(timed):
        world = World()
        world.create_return(a_channel_booked_body())
        for name, at in arrival:
            happens(world, name, at)
        ends.add(now(world))

    assert len(ends) == 1


def test_what_the_client_cancels_is_cancelled_and_listed_so(world: World) -> None:
    assert world.cancel(CODE).status == 200

    assert now(world) is OrderState.CANCELLED
    assert world.rows_of(CODE)["STATUS"]["listing_pk"] == f"C#{CLIENT}#R#CANCELLED"


def test_a_parcel_that_goes_out_has_no_such_state() -> None:
    world = World()
    awb = world.ship(a_shipment_body(logisticAccountAlias="main")).body["awb"]
    receive(world, a_scan(awb, CODES[N.DELIVERED]))

    status = world.rows_of("SH-70031", kind="S")["STATUS"]
    assert status["state"] == "DELIVERED"
    assert {"order_state", "order_key", "listing_pk"}.isdisjoint(status)


def test_every_name_says_something_of_the_goods_or_is_known_not_to() -> None:
    silent = {name for name, rank in RANKS.items() if rank < RANKS[N.RETURN_PICKED_UP]} | {N.DELAYED}

    assert set(N) - SAYS.keys() == silent | (set(N) - RANKS.keys())
    assert set(SAYS.values()).isdisjoint(AT_HAND), "only a check of the goods says that"


@pytest.mark.parametrize(
    ("parcel", "state"),
    [
        (N.RETURN_ORDER_PLACED, OrderState.CREATED),
        (N.OUT_FOR_DELIVERY, OrderState.IN_TRANSIT),
        (N.DELIVERED, OrderState.RECEIVED),
        (N.CANCELLED, OrderState.CANCELLED),
    ],
)
def test_a_row_that_is_older_than_these_states_says_it_by_its_parcel(parcel: N, state: OrderState) -> None:
    assert order_state({"state": parcel.value}) is state


def now(world: World) -> OrderState:
    return OrderState(world.read_return(CODE).body["omniReturnOrderStatus"])


def happens(world: World, what: N | Checked, at: datetime) -> None:
    """A scan of that time comes in; or the warehouse has checked the first item, or both."""
    world.clock.advance_to(max(at, world.clock()))
    if isinstance(what, N):
        receive(world, a_scan(AWB, CODES[what], at))
        return
    results = [a_result_body(code, channelSkuCode="CAP-RED") for code in ITEMS]
    items = results if what is Checked.ALL_CHECKED else results[:1]
    world.process(a_processed_body(returnOrderCode=CODE, forwardOrderCode="SO-70044", orderItems=items))
