"""Replays of everything since a time: whom they reach, once each, how far they are, and how they end."""

from datetime import timedelta
from typing import Any

import pytest

from rms.clients import administration
from rms.journal import AggregateId
from rms.journal.keys import replay_key, replaying_key
from rms.notifications import replays
from rms.platform.table import EXISTING, Key, Update
from rms.platform.times import to_text
from tests.fakes.calls import Call, Fault, no_faults
from tests.fakes.http import answer
from tests.unit.notifications.telling import (
    DELIVERED,
    IN_TRANSIT,
    PICKED_UP,
    a_journal,
    answers,
    cursor,
    happens,
    sent,
    sequences,
    tell,
)
from tests.world import CLIENT, HttpReply, World

PATH = "/endpoints/shop/replay"


def a_told_world(orders: int = 3) -> World:
    """Orders with one event each, an hour apart, that the endpoint has heard."""
    world = World()
    for number in range(orders):
        a_journal(world, PICKED_UP, code=f"RET-{number}")
        world.clock.advance(hours=1)
    world.work_all()
    world.settle()
    return world


def replay(world: World, body: object, endpoint: str = "shop", **options: Any) -> HttpReply:
    return world.call("replay_notifications", "POST", f"/endpoints/{endpoint}/replay", body, **options)


def since(world: World, **ago: int) -> str:
    return to_text(world.clock() - timedelta(**ago))


def progress(world: World, name: str, **options: Any) -> HttpReply:
    return world.call("replay_notifications", "GET", f"/endpoints/shop/replays/{name}", **options)


def codes(world: World) -> list[str]:
    """Of which return each request to the endpoint told."""
    return [each["returnOrderInfo"]["returnOrderId"] for each in world.deliveries()]


# ── whom it reaches ─────────────────────────────────────────────────────────────────


def test_everything_since_a_time_is_told_again_from_its_first_event_on() -> None:
    world = World()
    old, grown = a_journal(world, PICKED_UP, code="OLD"), a_journal(world, PICKED_UP, code="GROWN")
    world.clock.advance(hours=1)
    begin = to_text(world.clock())
    happens(world, grown, IN_TRANSIT)
    happens(world, grown, DELIVERED)
    new = a_journal(world, PICKED_UP, None, DELIVERED, code="NEW")
    for each in (old, grown, new):
        tell(world, each)
    before = len(sent(world))

    started = replay(world, {"since": begin, "replayId": "after-the-outage"})
    world.settle()

    assert started.status == 202
    assert started.body["state"] == "RUNNING"
    told = [(each["returnOrderInfo"]["returnOrderId"], each["sequence"]) for each in world.deliveries()[before:]]
    assert sorted(told) == [("GROWN", 2), ("GROWN", 3), ("NEW", 1), ("NEW", 3)]
    assert world.receiver.violations() == []
    done = progress(world, "after-the-outage").body
    assert done == started.body | {
        "state": "DONE",
        "finishedAt": done["finishedAt"],
        "ordersLookedAt": 2,
        "ordersReplayed": 2,
        "eventsToTell": 4,
    }


def test_the_same_replay_sent_again_is_the_same_one_and_tells_nothing_twice() -> None:
    world = a_told_world()
    body = {"since": since(world, hours=24), "replayId": "once"}

    first = replay(world, body)
    world.settle()
    again = replay(world, body)
    world.settle()

    assert (first.status, again.status) == (202, 202)
    assert again.body["state"] == "DONE"
    assert len(sent(world)) == 6


def test_a_replay_without_a_name_joins_the_one_that_is_running_since_the_same_time() -> None:
    world = a_told_world()
    body = {"since": since(world, hours=24)}

    assert replay(world, body).body["replayId"] == replay(world, body).body["replayId"]
    world.settle()

    assert len(sent(world)) == 6


def test_a_name_means_one_replay_and_one_replay_runs_at_a_time() -> None:
    world = a_told_world()
    replay(world, {"since": since(world, hours=24), "replayId": "one"})

    same_name = replay(world, {"since": since(world, hours=5), "replayId": "one"})
    another = replay(world, {"since": since(world, hours=24), "replayId": "two"})

    assert (same_name.status, another.status) == (409, 409)
    assert same_name.body["description"] == "[replayId: is that of a replay since another time]"
    assert another.body["description"] == "[replayId: one is running; wait for it or cancel it]"
    world.settle()
    assert replay(world, {"since": since(world, hours=24), "replayId": "two"}).status == 202


def test_what_is_heard_while_a_replay_runs_is_told_once() -> None:
    world = a_told_world(1)
    replay(world, {"since": since(world, hours=24)})
    world.clock.advance(seconds=1)
    a_journal(world, PICKED_UP, code="LATER")
    tell(world, AggregateId(CLIENT, "R", "LATER"))

    world.settle()

    assert codes(world) == ["RET-0", "LATER", "RET-0"]


def test_an_order_that_waits_is_told_from_where_the_replay_begins_when_it_is_told_at_all() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP, IN_TRANSIT)
    answers(world, answer(200), answer(422))
    tell(world, aggregate)

    replay(world, {"since": since(world, hours=1)})
    world.settle()

    assert sequences(world) == [1, 2, 1, 2]
    assert cursor(world, aggregate)["acked"] == 2


def test_events_that_the_endpoint_does_not_want_begin_no_replay() -> None:
    world = World()
    a_journal(world, PICKED_UP, IN_TRANSIT)
    world.settle()
    wish = {"types": ["DELIVERED"]}
    world.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"filter": wish}))

    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    world.settle()

    assert sequences(world) == [1, 2]
    assert progress(world, "x").body["ordersReplayed"] == 0


def test_a_replay_to_a_paused_endpoint_waits_with_it() -> None:
    world = a_told_world(1)
    key = Key(f"C#{CLIENT}", "ENDPOINT#shop")
    world.table.write(Update(key, EXISTING, set={"paused_at": to_text(world.clock())}))

    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    world.settle()

    assert progress(world, "x").body["state"] == "DONE"
    assert len(sent(world)) == 1
    assert str(cursor(world, AggregateId(CLIENT, "R", "RET-0"))["due_shard"]).startswith("parked#")


# ── a step at a time ────────────────────────────────────────────────────────────────


def test_a_long_replay_goes_on_in_steps_and_counts_each_order_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "AT_ONCE", 2)
    monkeypatch.setattr(replays, "STEP", timedelta(0, 0, 1))
    world = a_told_world(5)
    world.calls.plan = lambda call: _a_moment(world, call)
    replay(world, {"since": since(world, hours=24), "replayId": "long"})

    seen = []
    while (at := progress(world, "long").body)["state"] == "RUNNING":
        seen.append(at["ordersReplayed"])
        world.work("deliveries", batch=1)
    world.settle()

    assert len(set(seen)) > 2
    assert (at["ordersLookedAt"], at["ordersReplayed"], at["eventsToTell"]) == (5, 5, 5)
    assert sorted(codes(world)[5:]) == [f"RET-{number}" for number in range(5)]


def _a_moment(world: World, call: Call) -> None:
    """Time passes with each page."""
    if call.operation == "query_listing":
        world.clock.advance(seconds=1)


def test_of_many_workers_one_works_on_a_replay() -> None:
    world = a_told_world(1)
    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    taken = replays._elect(world.core, CLIENT, "shop", "x", "fence-of-another")
    assert taken is not None

    world.work_all()
    assert progress(world, "x").body["state"] == "RUNNING"
    world.settle()  # the other has died, and its lease has run out

    assert progress(world, "x").body["state"] == "DONE"
    assert len(sent(world)) == 2


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.REPLY_LOST])
def test_a_replay_whose_wake_up_is_lost_is_found_by_the_sweeper(fault: Fault) -> None:
    world = a_told_world(1)
    world.calls.plan = lambda call: fault if call.port == "queues" else None
    assert replay(world, {"since": since(world, hours=24)}).status == 202
    world.calls.plan = no_faults

    world.settle()

    assert len(sent(world)) == 2


def test_an_order_that_changes_sides_behind_the_walkers_back_is_met_in_another_round() -> None:
    """It is quiet while those that wait are walked, and waits while the quiet ones are."""
    world = a_told_world(2)
    moved = AggregateId(CLIENT, "R", "RET-0").cursor("shop")
    walks: list[str] = []

    def change_sides(call: Call) -> None:
        if call.operation == "query_listing":
            walks.append(str(call.arguments[0]))
            side = "#W" if len(walks) == 2 else ""
            world.calls.plan = no_faults
            if len(walks) in {2, 3}:
                world.table.write(Update(moved, EXISTING, set={"listing_pk": f"C#{CLIENT}#E#shop{side}"}))
            world.calls.plan = change_sides

    world.calls.plan = change_sides
    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    world.work_all()
    world.settle()

    assert len(walks) >= 4
    assert progress(world, "x").body["ordersReplayed"] == 2
    assert len(sent(world)) == 4


# ── its end ─────────────────────────────────────────────────────────────────────────


def test_a_cancelled_replay_moves_nothing_more_and_another_may_begin() -> None:
    world = a_told_world()
    replay(world, {"since": since(world, hours=24), "replayId": "x"})

    for _ in range(2):
        cancelled = world.call("replay_notifications", "DELETE", "/endpoints/shop/replays/x")
        assert (cancelled.status, cancelled.body["state"]) == (200, "CANCELLED")
    world.settle()

    assert len(sent(world)) == 3
    assert world.table.get(replaying_key(CLIENT, "shop")) is None
    assert replay(world, {"since": since(world, hours=24), "replayId": "y"}).status == 202


def test_a_replay_that_has_ended_is_forgotten_after_a_month() -> None:
    world = a_told_world(1)
    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    world.settle()

    row = world.table.get(replay_key(CLIENT, "shop", "x")) or {}
    assert "due_at" not in row
    ended = int((world.clock()).timestamp())
    assert row["expires_at"] <= ended + 30 * 86400  # type: ignore[operator]  # a number
    world.table.expire(ended + 31 * 86400)
    assert progress(world, "x").status == 404


def test_a_replay_to_an_endpoint_that_is_gone_ends() -> None:
    world = a_told_world(1)
    replay(world, {"since": since(world, hours=24), "replayId": "x"})
    row = Key(f"C#{CLIENT}", "ENDPOINT#shop")
    world.table._partitions[row.pk].pop(row.sk)

    world.settle()

    assert progress(world, "x").body["state"] == "CANCELLED"


# ── what is refused ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({}, "[since: may not be null unless returnOrderCode or shipmentCode is given]"),
        ({"since": "yesterday"}, "[since: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30]"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "[since: must lie between the years 1970 and 2199]"),
        ({"since": "2199-01-01T00:00:00Z"}, "[since: may not lie in the future]"),
        ({"returnOrderCode": "RET-0"}, "[sequence: may not be null unless afterSequence is given]"),
        (
            {"since": 5, "returnOrderCode": "", "sequence": 0, "afterSequence": "x", "replayId": "no spaces"},
            (
                "[returnOrderCode: may not be empty, since: must be text, sequence: must be at least 1,"
                " afterSequence: must be a whole number, replayId: must be 1 to 40 letters, digits, _ or -,"
                " returnOrderCode: may not be given beside since, sequence: may not be given beside since,"
                " afterSequence: may not be given beside since]"
            ),
        ),
        (
            {"returnOrderCode": "A", "shipmentCode": "B", "sequence": 1, "afterSequence": 1, "replayId": "x"},
            (
                "[shipmentCode: may not be given beside returnOrderCode, replayId: may be given beside since only,"
                " afterSequence: may not be given beside sequence]"
            ),
        ),
    ],
)
def test_everything_that_is_wrong_with_a_wish_is_said_at_once(body: object, description: str) -> None:
    reply = replay(a_told_world(1), body)

    assert (reply.status, reply.body["description"]) == (400, description)


def test_an_endpoint_of_another_client_cannot_be_told_from_one_that_does_not_exist() -> None:
    world = a_told_world(1)
    administration.create_client(world.core, "other", "Other")
    replay(world, {"since": since(world, hours=24), "replayId": "x"})

    for body in ({"since": since(world, hours=1)}, {"returnOrderCode": "RET-0", "sequence": 1}):
        foreign = replay(world, body, client="other")
        assert (foreign.status, foreign.text) == (404, replay(world, body, "nobody").text)
    for method in ("GET", "DELETE"):
        path = "/endpoints/shop/replays/{}"
        foreign = world.call("replay_notifications", method, path.format("x"), client="other")
        assert foreign == world.call("replay_notifications", method, path.format("y"))
        assert foreign.status == 404
