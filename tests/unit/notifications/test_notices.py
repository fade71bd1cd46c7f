"""An endpoint that is disabled: once, with an event of its own journal that its notice endpoint hears."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from rms.clients.configuration import Endpoint, endpoint_from
from rms.clients.endpoints import delete_endpoint, resume_endpoint
from rms.journal.keys import endpoint_id, endpoint_key
from rms.model.event_filter import EventFilter
from rms.model.notification_type import NotificationType
from rms.notifications.notices import disable_endpoint
from rms.platform.table import EXISTING, Delete, TableContendedError, TableUnavailableError
from rms.platform.times import to_epoch
from sandbox.faults import answers_status
from tests.fakes.calls import Fault, ProcessKilledError, at, no_faults
from tests.unit.notifications.telling import a_journal, register, tell
from tests.world import CLIENT, World

REASON = "answered 410: the endpoint is gone"
OUT = NotificationType.OUT_FOR_PICKUP


def a_world() -> World:
    """The endpoint `shop`, whose notices the endpoint `ops` hears, and a third one."""
    world = World()
    for name in ("ops", "third"):
        world.add_endpoint(name)
    register(world, notice_endpoint="ops")
    return world


def an_endpoint(world: World, name: str = "shop") -> Endpoint:
    row = world.core.table.get(endpoint_key(CLIENT, name))
    assert row is not None
    return endpoint_from(row)


def notices(world: World) -> list[Mapping[str, Any]]:
    """The events of the endpoint's own journal."""
    return world.journal("shop", kind="E")


def disable(world: World, endpoint: Endpoint | None = None) -> None:
    disable_endpoint(world.core, CLIENT, endpoint or an_endpoint(world), REASON)


def test_the_notice_endpoint_hears_which_endpoint_was_disabled_when_and_why() -> None:
    world = a_world()
    world.clock.advance(60)
    at = world.clock()

    disable(world)
    world.settle()

    endpoint = an_endpoint(world)
    assert (endpoint.disabled_at, endpoint.disabled_because) == (at, REASON)
    assert world.deliveries("ops") == [
        {
            "notificationType": "ENDPOINT_DISABLED",
            "notificationUpdateTime": to_epoch(at),
            "endpointInfo": {"endpoint": "shop", "reason": REASON, "disabledAt": to_epoch(at)},
            "sequence": 1,
        }
    ]
    assert world.deliveries("shop") == world.deliveries("third") == []
    assert world.receiver.violations() == []


def test_an_endpoint_that_answers_410_disables_itself_and_has_it_told() -> None:
    world = a_world()
    world.receiver.fail("shop", answers_status(410, does_the_work=False))

    tell(world, a_journal(world, OUT))
    world.settle()

    assert an_endpoint(world).disabled
    assert world.heard("shop", "ops") == ["ENDPOINT_DISABLED"]
    assert world.heard("RET-1", "ops") == ["OUT_FOR_PICKUP"]


def test_a_notice_is_heard_whatever_else_the_notice_endpoint_wants_to_hear() -> None:
    world = a_world()
    wish = EventFilter(frozenset({NotificationType.DELIVERED}), "RETURN", frozenset({"SHIPWAY"}), frozenset({"BLR-1"}))
    register(world, "ops", filter=wish)

    disable(world)
    world.settle()

    assert len(world.deliveries("ops")) == 1


def test_without_a_notice_endpoint_nobody_hears_and_the_journal_says_it_all_the_same() -> None:
    world = World()

    disable(world)
    world.settle()

    assert an_endpoint(world).disabled
    [event] = notices(world)
    assert (event["kind"], event["facts"]["reason"]) == ("ENDPOINT_DISABLED", REASON)
    assert world.deliveries("shop") == []


def test_a_notice_endpoint_that_is_gone_hears_nothing_and_hinders_nothing() -> None:
    world = a_world()
    world.core.table.write(Delete(endpoint_key(CLIENT, "ops"), EXISTING))

    disable(world)
    world.settle()

    assert an_endpoint(world).disabled
    assert world.deliveries("ops") == []


def test_an_endpoint_is_disabled_once_however_many_say_so() -> None:
    world = a_world()
    endpoint = an_endpoint(world)

    disable(world, endpoint)
    row = world.core.table.get(endpoint_key(CLIENT, "shop"))
    world.clock.advance(60)
    disable(world, endpoint)
    disable(world, an_endpoint(world))

    assert world.core.table.get(endpoint_key(CLIENT, "shop")) == row
    assert len(notices(world)) == 1


def test_one_that_was_changed_or_deleted_meanwhile_is_not_disabled() -> None:
    world = a_world()
    endpoint = an_endpoint(world)
    register(world, url=f"{endpoint.url}2", notice_endpoint="ops")

    disable(world, endpoint)
    assert not an_endpoint(world).disabled

    endpoint = an_endpoint(world)
    delete_endpoint(world.core, CLIENT, "shop")
    disable(world, endpoint)
    assert world.core.table.get(endpoint_key(CLIENT, "shop")) is None
    assert notices(world) == []


def test_each_time_that_an_endpoint_is_disabled_is_told() -> None:
    world = a_world()
    disable(world)
    resume_endpoint(world.core, CLIENT, "shop")
    world.clock.advance(60)
    disable(world)
    world.settle()

    assert [body["sequence"] for body in world.deliveries("ops")] == [1, 2]


def test_a_later_endpoint_of_the_same_name_is_disabled_like_any_other() -> None:
    """Its version starts over, and its journal goes on."""
    world = a_world()
    disable(world)
    delete_endpoint(world.core, CLIENT, "shop")
    world.clock.advance(60)
    register(world, notice_endpoint="ops")
    register(world, notice_endpoint="ops")

    disable(world)
    world.settle()

    assert an_endpoint(world).disabled
    assert [body["sequence"] for body in world.deliveries("ops")] == [1, 2]


def one_whose_calls_count(*, again: bool) -> World:
    """A world where the endpoint is about to be disabled, for the first time or not; calls are counted from now."""
    world = a_world()
    if again:
        disable(world)
        resume_endpoint(world.core, CLIENT, "shop")
        world.settle()
    world.calls.made.clear()
    return world


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("again", [False, True], ids=["first time", "again"])
def test_whatever_call_fails_it_is_disabled_once_and_told_once(fault: Fault, again: bool) -> None:  # noqa: FBT001 - a parameter of the test
    undisturbed = one_whose_calls_count(again=again)
    disable(undisturbed)
    told = 2 if again else 1

    for number in range(1, len(undisturbed.calls.made) + 1):
        world = one_whose_calls_count(again=again)
        world.calls.plan = at(number, fault)
        with suppress(ProcessKilledError, TableContendedError, TableUnavailableError):
            disable(world)
        world.calls.plan = no_faults
        world.core = world.another_environment()
        disable(world)
        world.calls.land()
        world.settle()

        assert an_endpoint(world).disabled, number
        assert len(notices(world)) == len(world.deliveries("ops")) == told, number


def test_a_notice_looks_the_same_on_every_try() -> None:
    world = a_world()
    world.receiver.fail("ops", answers_status(500, does_the_work=True), times=2)

    disable(world)
    world.settle()

    bodies = {each.body for each in world.receiver.deliveries("ops")}
    assert len(bodies) == 1
    assert world.receiver.violations() == []


def test_the_journal_of_an_endpoint_is_in_no_list_of_orders() -> None:
    world = a_world()
    disable(world)

    document = world.core.table.get(endpoint_id(CLIENT, "shop").document)
    assert document is not None
    assert "listing_pk" not in document
