"""The rows of the transition table, each as it happens to a parcel: by webhooks, in either order of arrival."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.journal import AggregateId, Event, EventKind
from rms.journal.keys import shipment_key
from rms.model.notification_type import NotificationType as N
from rms.platform.table import NEW, Put
from rms.platform.times import to_text
from rms.shipments.transitions import RANKS, SETTLED, exceptions, state_key
from tests.webhooks import NOON, a_scan
from tests.world import CLIENT, World

# What Clickpost sends for each name: status code and notification event.
SENT: Final[dict[N, tuple[int, int | None]]] = {
    N.PICKUP_QUEUE: (2, None),
    N.PICKUP_CANCELLED: (3, None),
    N.RETURN_PICKED_UP: (4, None),
    N.IN_TRANSIT: (5, None),
    N.OUT_FOR_DELIVERY: (6, None),
    N.DELIVERED: (8, None),
    N.CANCELLED: (10, None),
    N.RTO: (12, None),
    N.RTO_DELIVERED: (14, None),
    N.LOST: (16, None),
    N.DAMAGED: (17, None),
    N.OTHER: (19, None),
    N.OUT_FOR_PICKUP: (25, None),
    N.SHIPMENT_STUCK: (5, 17),
    N.SLA_BREACHED: (5, 18),
}
ROWS: Final = exceptions()


def sentence(row: tuple[N, N, N | None, str]) -> str:
    state, sighted, then, why = row
    return f"{sighted} after {state} {f'makes it {then}' if then else 'changes nothing'}: {why}"


@pytest.mark.parametrize("arrival", ["in the order it happened", "the later one first"])
@pytest.mark.parametrize(("state", "sighted", "then", "why"), ROWS, ids=map(sentence, ROWS))
def test_a_row_of_the_table_is_true(state: N, sighted: N, then: N | None, why: str, arrival: str) -> None:
    world = World()
    parcel = a_parcel(world, "S" if {N.RTO, N.RTO_DELIVERED} & {state, sighted} else "R")
    scans = [sent(state, NOON + timedelta(hours=1)), sent(sighted, NOON + timedelta(hours=2))]

    world.clock.advance(hours=3)
    for body in scans if arrival == "in the order it happened" else reversed(scans):
        world.webhook(body)
        world.work("inbound")

    status = world.core.journal.status(parcel)
    assert status is not None
    assert status["sequence"] == 3, "both are in the journal"
    assert status["state"] == (then or state).value, why


@pytest.mark.parametrize("row", ROWS, ids=sentence)
def test_every_exception_to_latest_wins_follows_from_the_keys(row: tuple[N, N, N | None, str]) -> None:
    state, sighted, then, _ = row
    before, after = state_key(state, NOON), state_key(sighted, NOON + timedelta(hours=1))
    assert before is not None

    assert (sighted if after is not None and after > before else state) == (then or state)


def test_every_name_of_the_enumeration_moves_a_parcel_or_is_known_not_to() -> None:
    assert set(N) - RANKS.keys() == {N.OTHER, N.SHIPMENT_STUCK, N.SLA_BREACHED, N.INVOICE_GENERATED}


def test_at_one_moment_the_further_status_is_the_state() -> None:
    way = [N.AWB_GENERATED, N.OUT_FOR_PICKUP, N.RETURN_PICKED_UP, N.IN_TRANSIT, N.OUT_FOR_DELIVERY, N.DELIVERED]

    keys = [state_key(name, NOON) or "" for name in way]

    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_before_a_parcel_is_handed_over_the_latest_sighting_is_the_state() -> None:
    earlier, later = NOON, NOON + timedelta(milliseconds=1)

    assert (state_key(N.OUT_FOR_DELIVERY, earlier) or "") < (state_key(N.PICKUP_QUEUE, later) or "")


def test_two_names_of_one_rank_at_one_moment_end_alike_in_either_order() -> None:
    ends = set()
    for names in permutations([N.LOST, N.DAMAGED, N.CANCELLED]):
        world = World()
        parcel = a_parcel(world, "R")
        for name in names:
            world.webhook(sent(name, NOON))
            world.work("inbound")
        ends.add(str((world.core.journal.status(parcel) or {})["state"]))

    assert len(ends) == 1


MOMENTS: Final = st.timedeltas(min_value=timedelta(days=-1000), max_value=timedelta(days=1000)).map(NOON.__add__)


@given(MOMENTS, MOMENTS)
def test_nothing_but_another_end_moves_a_parcel_that_was_handed_over(delivered: datetime, later: datetime) -> None:
    for name in RANKS.keys() - SETTLED:
        assert (state_key(name, later) or "") < (state_key(N.DELIVERED, delivered) or "")


def a_parcel(world: World, kind: str) -> AggregateId:
    """A return or a forward parcel with the AWB that `sent` speaks of, registered an hour before noon."""
    parcel = AggregateId(CLIENT, "S" if kind == "S" else "R", "P-1")
    placed = Event("PLACED", EventKind.PLACED, NOON, NOON)
    status = {"awb": "AWB-1", "state": "RETURN_ORDER_PLACED", "created_at": to_text(NOON)}
    owner = Put(shipment_key(CLIENT, "AWB-1"), {"kind": parcel.kind, "code": parcel.code}, NEW)
    world.core.journal.create(parcel, {"body": "{}"}, status, placed, also=[owner])
    return parcel


def sent(name: N, at: datetime) -> bytes:
    code, event = SENT[name]
    return a_scan("AWB-1", code, at, additional={} if event is None else {"notification_event_id": event})
