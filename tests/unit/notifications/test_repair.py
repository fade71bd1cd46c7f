"""One event told again, and one that is never told: what a client may do about a single notification."""

import pytest

from rms.journal import AggregateId
from rms.platform.http import HttpRequest
from rms.platform.table import EXISTING, Key, Update
from tests.fakes.http import Answer, answer, json_of
from tests.unit.notifications.telling import (
    DELIVERED,
    IN_TRANSIT,
    PICKED_UP,
    a_journal,
    answers,
    as_usual,
    attempts,
    cursor,
    sent,
    sequences,
    tell,
    webhook_ids,
)
from tests.world import CLIENT, HttpReply, World


def a_told_world() -> World:
    world = World()
    tell(world, a_journal(world, PICKED_UP, None, IN_TRANSIT, DELIVERED))
    return world


def a_poisoned_world(tries: int = 12) -> World:
    """The endpoint refuses event 3, time and again, and event 4 waits behind it."""
    world = World()
    a_journal(world, PICKED_UP, None, IN_TRANSIT, DELIVERED)
    refused = iter(range(tries))

    def refuses(request: HttpRequest) -> Answer:
        if json_of(request)["sequence"] == 3 and next(refused, None) is not None:
            return answer(422)
        return as_usual(world, request)

    answers(world, then=refuses)
    world.settle()
    return world


def replay(world: World, body: object, endpoint: str = "shop", client: str = CLIENT) -> HttpReply:
    return world.call("replay_notifications", "POST", f"/endpoints/{endpoint}/replay", body, client=client)


def skip(world: World, sequence: int, code: str = "RET-1", endpoint: str = "shop", client: str = CLIENT) -> HttpReply:
    body = {"returnOrderCode": code, "sequence": sequence}
    return world.call("replay_notifications", "POST", f"/endpoints/{endpoint}/skip", body, client=client)


RETURN = AggregateId(CLIENT, "R", "RET-1")


# ── one event again ─────────────────────────────────────────────────────────────────


def test_one_event_is_told_again_under_its_id_and_nothing_else() -> None:
    world = a_told_world()

    reply = replay(world, {"returnOrderCode": "RET-1", "sequence": 3})
    world.settle()

    assert (reply.status, reply.body) == (200, {"endpoint": "shop", "returnOrderCode": "RET-1", "sequence": 3})
    assert sequences(world) == [1, 3, 4, 3]
    assert webhook_ids(sent(world))[3] == webhook_ids(sent(world))[1]
    assert cursor(world, RETURN)["acked"] == 4


def test_the_same_wish_twice_is_one_wish_until_it_is_told() -> None:
    world = a_told_world()
    for sequence in (4, 1, 4):
        replay(world, {"returnOrderCode": "RET-1", "sequence": sequence})

    world.settle()

    assert sequences(world) == [1, 3, 4, 1, 4]


def test_one_order_is_told_again_to_the_endpoint_of_the_path() -> None:
    world = a_told_world()

    reply = replay(world, {"returnOrderCode": "RET-1", "afterSequence": 1})
    world.settle()

    assert reply.body == {"endpoint": "shop", "returnOrderCode": "RET-1", "afterSequence": 1}
    assert sequences(world) == [1, 3, 4, 3, 4]


def test_an_event_that_is_still_to_be_told_keeps_its_place() -> None:
    world = a_poisoned_world()

    for sequence in (3, 4):
        reply = replay(world, {"returnOrderCode": "RET-1", "sequence": sequence})
        assert (reply.status, reply.body["description"]) == (
            409,
            "[sequence: is still to be told, in its order; to try at once send afterSequence 1]",
        )


@pytest.mark.parametrize(
    ("sequence", "description"),
    [
        (5, "[sequence: must be 1 to 4]"),
        (10**17, "[sequence: must be 1 to 4]"),
        (2, "[sequence: names an event that this endpoint is not told]"),
    ],
)
def test_what_cannot_be_told_again_is_said(sequence: int, description: str) -> None:
    reply = replay(a_told_world(), {"returnOrderCode": "RET-1", "sequence": sequence})

    assert (reply.status, reply.body["description"]) == (400, description)


def test_an_event_of_another_place_than_the_endpoint_wishes_is_not_told_again() -> None:
    world = a_told_world()
    wish = {"locations": ["ANOTHER"]}
    world.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"filter": wish}))

    assert replay(world, {"returnOrderCode": "RET-1", "sequence": 1}).status == 400


# ── one event never ─────────────────────────────────────────────────────────────────


def test_a_refused_event_is_skipped_on_purpose_and_what_is_behind_it_is_told() -> None:
    world = a_poisoned_world()
    assert str(cursor(world, RETURN)["due_shard"]).startswith("stalled#")

    first = skip(world, 3)
    world.settle()
    again = skip(world, 3)
    world.settle()

    assert (first.status, first.body) == (200, {"endpoint": "shop", "returnOrderCode": "RET-1", "skipped": 3})
    assert again == first
    assert sequences(world) == [1, *[3] * 12, 4]
    assert cursor(world, RETURN)["acked"] == 4
    assert world.due_rows() == []


def test_who_skipped_an_event_and_when_is_kept_for_good() -> None:
    world = a_poisoned_world()
    skip(world, 3)
    world.settle()

    [skipped] = [each for each in attempts(world, RETURN) if each["outcome"].startswith("skipped")]

    assert (skipped["outcome"], skipped["sequence"]) == ("skipped by integration", 3)
    assert "expires_at" not in skipped
    assert skipped["message"] in webhook_ids(sent(world))


def test_an_event_can_be_skipped_while_it_is_being_retried() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP, DELIVERED)
    answers(world, answer(422))
    tell(world, aggregate)

    assert skip(world, 1).status == 200
    world.settle()

    assert sequences(world) == [1, 2]


def test_an_event_that_is_refused_when_it_is_told_again_can_be_skipped_and_moves_nothing() -> None:
    world = a_told_world()
    usual = world.http._routes["https://"].play
    answers(world, then=lambda request: answer(422) if json_of(request)["sequence"] == 1 else usual(request))
    replay(world, {"returnOrderCode": "RET-1", "sequence": 1})
    tell(world, RETURN)

    assert skip(world, 3).status == 200  # told long ago, as is everything but the one in hand
    assert skip(world, 1).status == 200
    world.settle()

    assert sequences(world) == [1, 3, 4, 1]
    assert (cursor(world, RETURN)["acked"], "again" in cursor(world, RETURN)) == (4, False)


@pytest.mark.parametrize(
    ("sequence", "status", "description"),
    [
        (4, 409, "[sequence: 3 is in hand]"),
        (2, 409, "[sequence: 3 is in hand]"),
        (5, 400, "[sequence: must be 1 to 4]"),
    ],
)
def test_only_the_event_in_hand_can_be_skipped(sequence: int, status: int, description: str) -> None:
    reply = skip(a_poisoned_world(), sequence)

    assert (reply.status, reply.body["description"]) == (status, description)


def test_an_event_that_was_not_refused_cannot_be_skipped() -> None:
    world = World()
    a_journal(world, PICKED_UP)

    reply = skip(world, 1)

    assert (reply.status, reply.body["description"]) == (409, "[sequence: 1 has not been refused]")


def test_an_endpoint_that_was_never_told_of_an_order_has_nothing_in_hand() -> None:
    world = World(endpoints=2)
    a_journal(world, None)

    reply = skip(world, 1)

    assert (reply.status, reply.body["description"]) == (409, "[sequence: nothing is in hand]")


def test_everything_that_is_wrong_with_a_skip_is_said_at_once() -> None:
    world = World()
    path = "/endpoints/shop/skip"

    reply = world.call("replay_notifications", "POST", path, {"shipmentCode": 5, "returnOrderCode": "A" * 256})

    assert reply.body["description"] == (
        "[returnOrderCode: may have at most 255 characters, shipmentCode: must be text,"
        " shipmentCode: may not be given beside returnOrderCode, sequence: may not be null]"
    )


def test_what_is_another_clients_cannot_be_told_from_what_does_not_exist() -> None:
    world = a_poisoned_world()

    assert skip(world, 3, client="other") == skip(world, 3, endpoint="nobody")
    assert skip(world, 3, code="RET-9").status == 404
    for wish in ({"returnOrderCode": "RET-1", "sequence": 1}, {"returnOrderCode": "RET-9", "sequence": 1}):
        assert replay(world, wish, client="other") == replay(world, wish, "nobody")
    whole = {"returnOrderCode": "RET-1", "afterSequence": 1}
    assert replay(world, whole, "nobody").status == 404
