import pytest

from rms.notifications import read_replay
from rms.notifications.delivery import Nothing, Told
from rms.platform.errors import BadDataError
from rms.platform.http import HttpRequest
from tests.fakes.calls import Fault, no_faults
from tests.fakes.http import Answer, answer
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
    sequences,
    tell,
    webhook_ids,
)
from tests.world import CLIENT, World


def a_told_world(endpoints: int = 1) -> World:
    world = World(endpoints=endpoints)
    aggregate = a_journal(world, PICKED_UP, IN_TRANSIT, DELIVERED)
    for endpoint in world.endpoints:
        tell(world, aggregate, endpoint)
    return world


# ── what is asked for ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", (None, 0)),
        (b"{}", (None, 0)),
        (b'{"endpoint": null, "afterSequence": null}', (None, 0)),
        (b'{"endpoint": " shop ", "afterSequence": 7}', ("shop", 7)),
    ],
)
def test_a_replay_names_an_endpoint_and_a_place_or_means_everything(
    body: bytes, wanted: tuple[str | None, int]
) -> None:
    assert read_replay(body) == wanted


@pytest.mark.parametrize("after", ['"3"', "1.5", "true", "[]"])
def test_a_place_that_is_no_whole_number_is_refused(after: str) -> None:
    with pytest.raises(BadDataError) as refused:
        read_replay(b'{"afterSequence": ' + after.encode() + b"}")

    assert refused.value.description == "[afterSequence: must be a whole number]"


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"endpoint": "nobody"}, "[endpoint: no such endpoint]"),
        ({"endpoint": 5}, "[endpoint: must be text]"),
        ({"afterSequence": 4}, "[afterSequence: must be 0 to 3]"),
        ({"afterSequence": -1}, "[afterSequence: must be 0 to 3]"),
        ({"afterSequence": 10**17}, "[afterSequence: must be 0 to 3]"),
    ],
)
def test_what_cannot_be_replayed_is_said(body: object, description: str) -> None:
    reply = a_told_world().replay("RET-1", body)

    assert (reply.status, reply.body["code"], reply.body["description"]) == (400, "BAD_DATA", description)


def test_another_clients_return_cannot_be_told_from_one_that_does_not_exist() -> None:
    world = a_told_world()
    path = "/return/return-orders/{}/replay"

    foreign = world.call("replay_notifications", "POST", path.format("RET-1"), {}, client="other")
    absent = world.call("replay_notifications", "POST", path.format("RET-9"), {})

    assert foreign == absent
    assert foreign.status == 404


# ── what comes of it ────────────────────────────────────────────────────────────────


def test_a_replay_sends_everything_again_in_order_under_the_same_ids() -> None:
    world = a_told_world()
    before = webhook_ids(sent(world))

    reply = world.replay("RET-1")
    world.settle()

    assert reply.body == {"returnOrderCode": "RET-1", "endpoints": ["shop"], "afterSequence": 0}
    assert sequences(world) == [1, 2, 3, 1, 2, 3]
    assert webhook_ids(sent(world))[3:] == before
    assert world.receiver.violations() == []


def test_a_replay_may_start_in_the_middle() -> None:
    world = a_told_world()

    world.replay("RET-1", {"afterSequence": 2})
    world.settle()

    assert sequences(world) == [1, 2, 3, 3]


def test_a_replay_from_the_end_tells_nothing() -> None:
    world = a_told_world()

    assert world.replay("RET-1", {"afterSequence": 3}).status == 200
    world.settle()

    assert sequences(world) == [1, 2, 3]
    assert world.due_rows() == []


def test_a_replay_reaches_one_endpoint_or_all() -> None:
    world = a_told_world(endpoints=2)

    one = world.replay("RET-1", {"endpoint": "shop1"})
    world.settle()
    heard = [len(world.receiver.deliveries(endpoint)) for endpoint in world.endpoints]
    every = world.replay("RET-1")
    world.settle()

    assert (one.body["endpoints"], every.body["endpoints"]) == (["shop1"], ["shop", "shop1"])
    assert heard == [3, 6]
    assert [len(world.receiver.deliveries(endpoint)) for endpoint in world.endpoints] == [6, 9]


def test_a_replay_breaks_in_on_whoever_is_telling_and_starts_over() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP, IN_TRANSIT)
    asked: list[int] = []

    def replay_meanwhile(request: HttpRequest) -> Answer:
        asked.append(world.replay("RET-1").status)
        return as_usual(world, request)

    answers(world, answer(200), replay_meanwhile)

    assert tell(world, aggregate) == Nothing("lease lost")
    world.settle()

    assert asked == [200]
    assert sequences(world) == [1, 2, 1, 2]
    assert cursor(world, aggregate)["acked"] == 2


def test_a_replay_during_a_wait_does_not_wait() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP)
    answers(world, answer(500))
    tell(world, aggregate)

    world.replay("RET-1")

    assert tell(world, aggregate) == Told()
    assert cursor(world, aggregate)["attempts"] == 0


def test_news_during_a_replay_comes_after_it() -> None:
    world = a_told_world()
    aggregate = a_journal(world, PICKED_UP, code="RET-2")
    world.settle()

    world.replay("RET-2")
    happens(world, aggregate, DELIVERED)
    world.settle()

    assert sequences(world) == [1, 2, 3, 1, 1, 2]
    assert world.receiver.violations() == []


def test_the_same_replay_asked_for_twice_at_once_is_one_replay() -> None:
    world = a_told_world()

    world.replay("RET-1")
    world.replay("RET-1")
    world.settle()

    assert sequences(world) == [1, 2, 3, 1, 2, 3]


def test_a_replay_whose_wake_up_is_lost_is_found_by_the_sweeper() -> None:
    world = a_told_world()
    world.calls.plan = lambda call: Fault.THROTTLED if call.port == "queues" else None
    assert world.replay("RET-1").status == 200
    world.calls.plan = no_faults

    world.settle()

    assert sequences(world) == [1, 2, 3, 1, 2, 3]


def test_a_replay_to_a_disabled_endpoint_waits_until_it_is_enabled() -> None:
    world = a_told_world()
    answers(world, answer(410))
    world.replay("RET-1")
    world.settle()
    world.replay("RET-1")
    world.settle()
    assert len(sent(world)) == 4

    put = world.call(
        "administer_clients",
        "PUT",
        f"/clients/{CLIENT}/endpoints/shop",
        {"url": "https://hooks.lotus.test/hooks/shop"},
        roles="operator",
    )
    world.settle()

    assert put.body["resumed"] is True
    assert sequences(world)[4:] == [1, 2, 3]
