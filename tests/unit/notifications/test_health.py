"""Endpoints that need care: the breaker opens, one probe an interval, lanes tell what waited."""

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from rms.clients.configuration import endpoint_from
from rms.journal import AggregateId, NotDue
from rms.journal.keys import due_shard, endpoint_key, health_key, parked_shard
from rms.notifications import attend_endpoint
from rms.notifications.delivery import ENOUGH_TIME, Parked, Told
from rms.notifications.health import INTERVALS, LANES, SLOW_FOR, SLOW_MS, health_of, lanes_of
from rms.platform.http import HttpAnswer, HttpRequest
from rms.platform.secrets import SecretUnavailableError
from rms.platform.table import EXISTING, Item, TableContendedError, TableUnavailableError, Update, Value
from rms.platform.times import from_text, to_text
from tests.fakes.calls import Call, Fault, ProcessKilledError, at, no_faults
from tests.fakes.http import Answer, answer, no_answer
from tests.unit.notifications.telling import (
    DELIVERED,
    IN_TRANSIT,
    PICKED_UP,
    a_journal,
    answers,
    as_usual,
    cursor,
    happens,
    sent,
    tell,
)
from tests.world import CLIENT, World

CLOSED_AGAIN: Final = {"endpoint": "shop"}


def a_dead_endpoint(orders: int = 3) -> tuple[World, list[AggregateId]]:
    """Nothing gets through to the endpoint, and each of these orders has been tried once."""
    world = World()
    answers(world, then=lambda _: no_answer())
    return world, [_tried(world, f"RET-{number}") for number in range(1, orders + 1)]


def _tried(world: World, code: str) -> AggregateId:
    aggregate = a_journal(world, PICKED_UP, code=code)
    tell(world, aggregate)
    world.clock.advance(1)
    return aggregate


def comes_back(world: World) -> None:
    answers(world)


def attend(world: World) -> None:
    """What one worker does when it is told to look after the endpoint; intervals are exactly as published."""
    attend_endpoint(world.core, CLIENT, "shop", jitter=lambda: 0.5)


def health(world: World) -> Mapping[str, Any]:
    """The HEALTH row, without its key; empty when there is none."""
    row = world.table.get(health_key(CLIENT, "shop")) or {}
    return {name: value for name, value in row.items() if name not in {"PK", "SK"}}


def probe_at(world: World) -> datetime:
    return from_text(str(health(world)["due_at"]))


def configured(world: World, **changes: Value) -> None:
    """The endpoint's record, changed."""
    if changes:
        world.table.write(Update(endpoint_key(CLIENT, "shop"), EXISTING, set=changes))


# ── the breaker opens ───────────────────────────────────────────────────────────────


def test_the_third_order_in_trouble_opens_the_breaker() -> None:
    world, [first, second, third] = a_dead_endpoint()

    assert health(world)["mode"] == "OPEN"
    assert [str(cursor(world, each)["due_shard"]) for each in (first, second, third)] == [
        due_shard(first.pk),
        due_shard(second.pk),
        parked_shard(CLIENT, "shop"),
    ]
    assert cursor(world, third)["attempts"] == 1


def test_one_order_in_trouble_opens_nothing_however_often_it_is_tried() -> None:
    world, [only] = a_dead_endpoint(orders=1)
    for _ in range(8):
        world.clock.advance_to(from_text(str(cursor(world, only)["due_at"])))
        tell(world, only)

    assert "mode" not in health(world)
    assert cursor(world, only)["attempts"] == 9


def test_a_success_in_between_makes_what_failed_before_count_no_more() -> None:
    world, _ = a_dead_endpoint(orders=2)
    comes_back(world)
    _tried(world, "RET-9")
    assert health(world) == CLOSED_AGAIN

    answers(world, then=lambda _: no_answer())
    _tried(world, "RET-10")
    _tried(world, "RET-11")

    assert "mode" not in health(world)


def test_an_endpoint_that_refuses_bodies_is_there_and_opens_no_breaker() -> None:
    world = World()
    answers(world, then=lambda _: answer(400))
    for number in range(6):
        _tried(world, f"RET-{number}")

    assert health(world) == {}


def test_while_the_breaker_is_open_nothing_is_tried() -> None:
    world, _ = a_dead_endpoint()
    tries = len(sent(world))

    fourth = a_journal(world, PICKED_UP, code="RET-4")

    assert tell(world, fourth) == Parked("the endpoint does not answer: timed out")
    assert len(sent(world)) == tries
    assert cursor(world, fourth)["attempts"] == 0


def test_what_is_parked_first_is_what_has_waited_longest() -> None:
    world, [*_, third] = a_dead_endpoint()
    early = a_journal(world, PICKED_UP, code="RET-0")
    since = to_text(world.clock())
    world.clock.advance(20)
    late = a_journal(world, PICKED_UP, code="RET-00")
    tell(world, late)
    tell(world, early)

    page = world.table.query_due(parked_shard(CLIENT, "shop"), until=to_text(world.clock()))

    assert [row["PK"] for row in page.items] == [third.pk, early.pk, late.pk]
    assert cursor(world, early)["waiting_since"] == since


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.REPEATED, Fault.THROTTLED], ids=lambda fault: fault.name)
def test_a_table_that_fails_while_the_breaker_opens_loses_nothing(fault: Fault) -> None:
    for number in range(1, 40):
        world, _ = a_dead_endpoint(orders=2)
        aggregate = a_journal(world, PICKED_UP, code="RET-3")
        world.calls.made.clear()
        world.calls.plan = at(number, fault)
        with suppress(
            TableUnavailableError, TableContendedError, SecretUnavailableError
        ):  # SQS hands the message out again
            tell(world, aggregate)
        world.calls.plan = no_faults
        comes_back(world)
        world.settle()
        assert world.heard("RET-3") == ["RETURN_PICKED_UP"]
        if len(world.calls.made) < number:
            return


# ── one probe an interval ───────────────────────────────────────────────────────────


def test_the_intervals_grow_as_published() -> None:
    world, _ = a_dead_endpoint()
    seen = []
    for _ in range(len(INTERVALS) + 2):
        before, due = len(sent(world)), probe_at(world)
        seen.append(due)
        world.clock.advance_to(due)
        attend(world)
        assert len(sent(world)) == before + 1

    waits = [round((later - earlier).total_seconds()) for earlier, later in itertools.pairwise(seen)]

    assert waits == [60, 120, 300, 600, 900, 1800, 1800, 1800]


def test_nobody_probes_before_it_is_time() -> None:
    world, _ = a_dead_endpoint()
    before = len(sent(world))
    world.clock.advance_to(probe_at(world) - timedelta(seconds=3))

    attend(world)

    assert len(sent(world)) == before


def test_of_two_who_would_probe_one_does() -> None:
    world, _ = a_dead_endpoint()
    before = len(sent(world))
    world.clock.advance_to(probe_at(world))

    def meanwhile(_: HttpRequest) -> Answer:
        answers(world, then=lambda _: no_answer())
        attend(world)
        return no_answer()

    answers(world, then=meanwhile)
    attend(world)

    assert len(sent(world)) == before + 1


def test_a_prober_that_died_is_followed_by_another() -> None:
    world, _ = a_dead_endpoint()
    world.clock.advance_to(probe_at(world))

    def dies(call: Call) -> Fault | None:
        return Fault.KILLED_BEFORE if call.port == "http" else None

    world.calls.plan = dies
    with pytest.raises(ProcessKilledError):
        attend(world)
    world.calls.plan = no_faults
    comes_back(world)
    world.settle()

    assert [world.heard(f"RET-{number}") for number in (1, 2, 3)] == [["RETURN_PICKED_UP"]] * 3
    assert health(world) == CLOSED_AGAIN


def test_an_endpoint_that_asks_for_time_is_probed_no_sooner() -> None:
    world = World()
    answers(world, then=lambda _: answer(503, retry_after="7200"))
    for number in range(3):
        _tried(world, f"RET-{number}")

    assert probe_at(world) >= world.clock() + timedelta(seconds=7190)


def test_a_probe_that_is_refused_for_its_body_shows_that_the_endpoint_is_there() -> None:
    world, [*_, third] = a_dead_endpoint()
    world.clock.advance_to(probe_at(world))
    answers(world, answer(422))

    attend(world)

    assert health(world)["mode"] == "QUEUED"
    assert cursor(world, third)["due_shard"] == due_shard(third.pk)
    assert cursor(world, third)["attempts"] == 1
    world.settle()
    assert world.heard("RET-3") == ["RETURN_PICKED_UP"]


def test_a_probe_for_which_nothing_waits_lets_the_next_event_be_one() -> None:
    world, [*_, third] = a_dead_endpoint()
    world.core.cursors.replay(third, "shop", after=1, last=1)
    tell(world, third)
    world.core.cursors.lease_parked(third, "shop")
    before = len(sent(world))
    world.clock.advance_to(probe_at(world))
    attend(world)
    assert (health(world)["mode"], len(sent(world))) == ("QUEUED", before)

    comes_back(world)
    happens(world, third, DELIVERED)
    world.settle()

    assert world.heard("RET-3") == ["DELIVERED"]


def test_after_five_days_without_a_success_the_endpoint_is_disabled() -> None:
    world, _ = a_dead_endpoint()
    started = world.clock()

    world.settle()

    record = world.table.get(endpoint_key(CLIENT, "shop")) or {}
    assert str(record["disabled_because"]).startswith("nothing was taken for 5 days; at last: timed out")
    days = from_text(str(record["disabled_at"])) - started
    assert timedelta(days=5) - timedelta(minutes=1) < days < timedelta(days=5, hours=1)
    assert [cursor(world, AggregateId(CLIENT, "R", f"RET-{number}"))["due_shard"] for number in (1, 2, 3)] == [
        parked_shard(CLIENT, "shop")
    ] * 3


# ── recovery ────────────────────────────────────────────────────────────────────────


def test_after_recovery_everything_is_told_in_order_and_the_row_forgets() -> None:
    world, _ = a_dead_endpoint()
    orders = [a_journal(world, PICKED_UP, IN_TRANSIT, DELIVERED, code=f"LATE-{number}") for number in range(60)]
    for order in orders:
        tell(world, order)
    comes_back(world)

    world.settle()

    told = ["RETURN_PICKED_UP", "IN_TRANSIT", "DELIVERED"]
    assert [world.heard(order.code) for order in orders] == [told] * 60
    assert world.receiver.violations() == []
    assert health(world) == CLOSED_AGAIN
    assert world.due_rows() == []


def test_an_endpoint_that_dies_again_while_it_is_told_keeps_the_rest_parked() -> None:
    world, _ = a_dead_endpoint()
    orders = [a_journal(world, PICKED_UP, code=f"LATE-{number:02}") for number in range(30)]
    for order in orders:
        tell(world, order)
    taken: list[HttpRequest] = []

    def ten_and_no_more(request: HttpRequest) -> Answer:
        taken.append(request)
        return as_usual(world, request) if len(taken) <= 10 else no_answer()

    answers(world, then=ten_and_no_more)
    world.clock.advance_to(probe_at(world))
    world.work_all()

    assert health(world)["mode"] == "OPEN"
    assert len(taken) <= 10 + 2 + LANES
    comes_back(world)
    world.settle()
    assert all(world.heard(order.code) == ["RETURN_PICKED_UP"] for order in orders)
    assert world.receiver.violations() == []


def test_what_the_index_did_not_show_in_time_is_found_later() -> None:
    world, _ = a_dead_endpoint()
    comes_back(world)
    hidden = a_journal(world, PICKED_UP, code="HIDDEN")
    tell(world, hidden)
    index = world.table._indexes["due"]
    late = index.pop(hidden.cursor("shop"))
    world.clock.advance_to(probe_at(world))
    world.work_all()
    assert (health(world).get("mode"), world.heard("HIDDEN")) == (None, [])
    index[hidden.cursor("shop")] = late

    world.settle()

    assert world.heard("HIDDEN") == ["RETURN_PICKED_UP"]
    assert health(world) == CLOSED_AGAIN


# ── lanes ───────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Crowd:
    """An endpoint at which more wake-ups arrive while each is answered; `most` is how many were in flight at most."""

    world: World
    others: list[AggregateId] = field(default_factory=list)
    in_flight: int = 0
    most: int = 0

    def comes(self) -> None:
        tell(self.world, self.others.pop())

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        while self.others:
            self.comes()
        taken = as_usual(self.world, request)
        self.in_flight -= 1
        assert isinstance(taken, HttpAnswer)
        return taken


def a_crowd(orders: int, **settings: int | str) -> Crowd:
    """An endpoint with these settings, and orders that all have news for it at the same time."""
    world = World()
    configured(world, **settings)
    crowd = Crowd(world, [a_journal(world, PICKED_UP, code=f"RET-{number}") for number in range(orders)])
    answers(world, then=crowd)
    return crowd


@pytest.mark.parametrize("lanes", [1, 3])
def test_an_endpoint_gets_no_more_at_a_time_than_its_client_has_said(lanes: int) -> None:
    crowd = a_crowd(8, max_concurrency=lanes)

    crowd.comes()

    assert crowd.most == lanes
    crowd.world.settle()
    assert all(crowd.world.heard(f"RET-{number}") == ["RETURN_PICKED_UP"] for number in range(8))
    assert health(crowd.world) == CLOSED_AGAIN


def test_an_endpoint_that_is_well_gets_as_much_at_a_time_as_there_is() -> None:
    crowd = a_crowd(8)

    crowd.comes()

    assert crowd.most == 8
    assert health(crowd.world) == {}


def test_a_slow_endpoint_gets_lanes_until_it_has_been_quick_for_a_while() -> None:
    world = World()

    def slowly(request: HttpRequest) -> Answer:
        taken = as_usual(world, request)
        assert isinstance(taken, HttpAnswer)
        return HttpAnswer(taken.status, taken.headers, taken.body, elapsed_ms=SLOW_MS)

    answers(world, then=slowly)
    _tried(world, "RET-1")
    assert health(world)["mode"] == "QUEUED"
    assert from_text(str(health(world)["slow_until"])) > world.clock() + SLOW_FOR - timedelta(seconds=5)

    crowd = Crowd(world, [a_journal(world, PICKED_UP, code=f"CROWD-{number}") for number in range(LANES + 5)])
    answers(world, then=crowd)
    crowd.comes()
    assert crowd.most == LANES

    world.settle()
    assert all(world.heard(f"CROWD-{number}") == ["RETURN_PICKED_UP"] for number in range(LANES + 5))
    assert health(world) == CLOSED_AGAIN


def test_a_lane_that_somebody_died_in_is_free_when_its_time_is_up() -> None:
    world = World()
    configured(world, max_concurrency=1)
    aggregate = a_journal(world, PICKED_UP)
    world.calls.plan = lambda call: Fault.KILLED_AFTER if call.port == "http" else None
    with pytest.raises(ProcessKilledError):
        tell(world, aggregate)
    world.calls.plan = no_faults
    other = a_journal(world, PICKED_UP, code="RET-2")
    assert tell(world, other) == Parked("waits for its turn at the endpoint")

    world.settle()

    assert world.heard("RET-1") == world.heard("RET-2") == ["RETURN_PICKED_UP"]


def test_an_endpoint_is_told_at_the_pace_that_its_client_has_set() -> None:
    world = World()
    configured(world, rate_per_minute=20)
    times: list[datetime] = []

    def noted(request: HttpRequest) -> Answer:
        times.append(world.clock())
        return as_usual(world, request)

    answers(world, then=noted)
    for number in range(30):
        a_journal(world, PICKED_UP, IN_TRANSIT, code=f"RET-{number}")

    world.settle()

    assert len(times) == 60
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 3.0
    assert world.receiver.violations() == []


def test_a_turn_ends_in_good_time_and_the_rest_has_another() -> None:
    world = World()
    configured(world, max_concurrency=1)

    def takes_its_time(request: HttpRequest) -> Answer:
        world.clock.advance(9)
        return as_usual(world, request)

    answers(world, then=takes_its_time)
    orders = [a_journal(world, PICKED_UP, code=f"RET-{number}") for number in range(9)]
    started = world.clock()
    tell(world, orders[0])

    assert world.clock() - started <= ENOUGH_TIME + timedelta(seconds=9)
    world.settle()
    assert all(world.heard(order.code) == ["RETURN_PICKED_UP"] for order in orders)


@pytest.mark.parametrize(
    ("settings", "lanes"),
    [
        ({}, LANES),
        ({"max_concurrency": 7}, 7),
        ({"rate_per_minute": 30}, 1),
        ({"rate_per_minute": 180}, 3),
        ({"rate_per_minute": 6000, "max_concurrency": 2}, 2),
    ],
)
def test_how_many_lanes_an_endpoint_has(settings: Mapping[str, int], lanes: int) -> None:
    world = World()
    configured(world, **settings)

    row: Item = world.table.get(endpoint_key(CLIENT, "shop")) or {}

    assert lanes_of(endpoint_from(row)) == lanes


# ── who takes nothing ───────────────────────────────────────────────────────────────


def test_a_paused_endpoint_is_sent_nothing_and_its_health_wants_no_look() -> None:
    world, _ = a_dead_endpoint()
    configured(world, paused_at=to_text(world.clock()))
    before = len(sent(world))

    world.settle()

    assert len(sent(world)) == before
    assert "due_at" not in health(world)


def test_a_health_row_that_is_not_there_is_that_of_an_endpoint_that_is_well() -> None:
    assert health_of(CLIENT, "shop", None).mode is None


def test_what_is_not_the_endpoints_business_does_not_wait_for_it() -> None:
    world, _ = a_dead_endpoint()
    configured(world, filter={"types": ["DELIVERED"]})
    other = a_journal(world, PICKED_UP, code="RET-4")
    world.core.cursors.replay(other, "shop", after=0, last=1)

    assert tell(world, other) == Told()

    assert world.core.cursors.lease(other, "shop") == NotDue("nothing to tell")
