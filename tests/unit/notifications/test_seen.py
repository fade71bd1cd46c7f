"""What a client sees of its notifications: of an order, of an endpoint, what waits, and all of it as lines."""

import json
from datetime import timedelta
from typing import Any

import pytest

from rms.journal import AggregateId
from rms.notifications import export_deliveries, exporting, seen
from rms.platform.table import EXISTING, Key, Update
from rms.platform.times import to_text
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
    tell,
)
from tests.world import CLIENT, HttpReply, World

OF_RETURN = "/return/return-orders/RET-1/deliveries"
OF_ENDPOINT = "/endpoints/shop/deliveries"
WAITING = "/endpoints/shop/waiting"
EXPORT = "/endpoints/shop/export"


def look(world: World, path: str, client: str = CLIENT, **query: str) -> HttpReply:
    return world.call("read_deliveries", "GET", path, query=query, client=client)


def pages(world: World, path: str, name: str, **query: str) -> list[list[Any]]:
    """All pages of a list."""
    found = []
    while True:
        body = look(world, path, **query).body
        found.append(body[name])
        if body["nextPage"] is None:
            return found
        query["page"] = body["nextPage"]


def exported(world: World, path: str, **query: str) -> list[list[Any]]:
    """All pages of lines."""
    found = []
    while True:
        event = {
            "resource": path,
            "path": path,
            "httpMethod": "GET",
            "headers": {},
            "queryStringParameters": query or None,
            "requestContext": {
                "requestId": "r-1",
                "authorizer": {"client": CLIENT, "username": "integration", "roles": "client"},
            },
        }
        reply = world.invoke("read_deliveries", event)
        assert reply["statusCode"] == 200, reply
        headers = {name.lower(): values for name, values in reply["multiValueHeaders"].items()}
        assert headers["content-type"] == ["application/x-ndjson"]
        found.append([json.loads(line) for line in reply["body"].splitlines()])
        if "rms-next-page" not in headers:
            return found
        [query["page"]] = headers["rms-next-page"]


def order(code: str) -> AggregateId:
    return AggregateId(CLIENT, "R", code)


def refused_once(world: World, code: str) -> None:
    """A return whose event the endpoint has refused once."""
    aggregate = a_journal(world, PICKED_UP, code=code)
    answers(world, answer(422, b"unknown order"))
    tell(world, aggregate)


# ── one order ───────────────────────────────────────────────────────────────────────


def test_of_an_order_each_try_is_seen_with_what_came_of_it() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP, IN_TRANSIT)
    world.clock.advance(seconds=7)
    answers(world, answer(200, b"thanks"), answer(422, b"unknown order"))
    tell(world, aggregate)

    body = look(world, OF_RETURN).body

    told, refused = body["attempts"]
    assert body["returnOrderCode"] == "RET-1"
    assert told == {
        "endpoint": "shop",
        "sequence": 1,
        "notificationType": "RETURN_PICKED_UP",
        "webhookId": sent(world)[0].headers["webhook-id"],
        "at": to_text(world.clock()),
        "outcome": "delivered",
        "status": 200,
        "elapsedMs": told["elapsedMs"],
        "answer": "thanks",
        "delaySeconds": 7.0,
    }
    assert (refused["sequence"], refused["status"], refused["answer"]) == (2, 422, "unknown order")
    [shown] = body["endpoints"]
    assert (shown["state"], shown["acknowledged"], shown["latest"], shown["failedTries"]) == ("RETRYING", 1, 2, 1)
    assert shown["waitingSince"] == to_text(world.clock() - timedelta(seconds=7))
    assert shown["waitingBecause"] == refused["outcome"]
    assert shown["nextTryAt"] == cursor(world, aggregate)["due_at"]


def test_the_state_of_a_cursor_says_what_it_waits_for() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP)
    states = [look(world, OF_RETURN).body["endpoints"][0]["state"]]
    world.work_all()
    tell(world, aggregate)
    states.append(look(world, OF_RETURN).body["endpoints"][0]["state"])
    happens(world, aggregate, IN_TRANSIT)
    world.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"paused_at": to_text(world.clock())}))
    tell(world, aggregate)
    parked = look(world, OF_RETURN).body["endpoints"][0]

    assert [*states, parked["state"]] == ["DUE", "QUIET", "PARKED"]
    assert (parked["waitingBecause"], parked["nextTryAt"]) == ("the endpoint is paused", None)


def test_of_an_order_one_endpoint_can_be_asked_for_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "ATTEMPTS", 2)
    world = World(endpoints=2)
    aggregate = a_journal(world, PICKED_UP, IN_TRANSIT, DELIVERED)
    for endpoint in world.endpoints:
        tell(world, aggregate, endpoint)

    one = pages(world, OF_RETURN, "attempts", endpoint="shop1")
    every = pages(world, OF_RETURN, "attempts")

    assert [[(each["endpoint"], each["sequence"]) for each in page] for page in one] == [
        [("shop1", 1), ("shop1", 2)],
        [("shop1", 3)],
    ]
    assert sum(len(page) for page in every) == 6
    assert [each["endpoint"] for each in look(world, OF_RETURN, endpoint="shop1").body["endpoints"]] == ["shop1"]
    assert look(world, OF_RETURN, endpoint="nobody").status == 404


def test_a_forward_parcel_is_seen_by_its_own_code() -> None:
    world = World()

    assert look(world, "/forward/shipments/SH-9/deliveries").status == 404


# ── one endpoint ────────────────────────────────────────────────────────────────────


def test_of_an_endpoint_those_that_wait_come_first_and_each_side_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "ORDERS", 2)
    world = World()
    for number in range(3):
        tell(world, a_journal(world, PICKED_UP, code=f"TOLD-{number}"))
        refused_once(world, f"REFUSED-{number}")
        world.clock.advance(minutes=1)

    found = pages(world, OF_ENDPOINT, "orders")
    quiet = pages(world, OF_ENDPOINT, "orders", state="quiet")
    later = pages(world, OF_ENDPOINT, "orders", since=to_text(world.clock() - timedelta(minutes=1)))

    assert [[each["returnOrderCode"] for each in page] for page in found] == [
        ["REFUSED-2", "REFUSED-1"],
        ["REFUSED-0"],
        ["TOLD-2", "TOLD-1"],
        ["TOLD-0"],
    ]
    assert [[each["returnOrderCode"] for each in page] for page in quiet] == [["TOLD-2", "TOLD-1"], ["TOLD-0"]]
    assert [each["returnOrderCode"] for page in later for each in page] == ["REFUSED-2", "TOLD-2"]
    assert [each["lastAttempt"]["status"] for page in found for each in page] == [422, 422, 422, 200, 200, 200]


def test_a_page_of_an_endpoint_costs_four_calls_at_most() -> None:
    world = World()
    for number in range(30):
        tell(world, a_journal(world, PICKED_UP, code=f"TOLD-{number}"))
    before = world.table.units.by_operation.copy()

    assert len(look(world, OF_ENDPOINT, state="quiet").body["orders"]) == seen.ORDERS

    assert (world.table.units.by_operation - before) == {"query_listing": 1, "get_many": 2}


def test_how_the_endpoint_itself_is_doing_is_seen_beside_its_orders() -> None:
    world = World()
    answers(world, then=lambda _: answer(503))
    for number in range(4):
        tell(world, a_journal(world, PICKED_UP, code=f"RET-{number}"))

    body = look(world, OF_ENDPOINT).body

    assert (body["endpoint"], body["state"], body["health"]["state"]) == ("shop", "ACTIVE", "failing")
    assert body["health"]["nextProbeAt"] > to_text(world.clock())


# ── what waits ──────────────────────────────────────────────────────────────────────


def test_what_waits_is_seen_with_since_when_until_when_and_why() -> None:
    world = World()
    tell(world, a_journal(world, PICKED_UP, code="TOLD"))
    refused_once(world, "REFUSED")

    [waits] = look(world, WAITING).body["waiting"]

    assert waits["returnOrderCode"] == "REFUSED"
    assert waits["waitingSince"] == to_text(world.clock())
    assert waits["nextTryAt"] > waits["waitingSince"]
    assert "422" in waits["waitingBecause"]


def test_what_is_parked_and_what_stands_still_come_by_themselves_longest_first() -> None:
    world = World()
    answers(world, then=lambda _: answer(422))
    for code in ("FIRST", "SECOND"):
        a_journal(world, PICKED_UP, code=code)
        world.settle()
    world.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"paused_at": to_text(world.clock())}))
    for code in ("THIRD", "FOURTH"):
        tell(world, a_journal(world, PICKED_UP, code=code))
        world.clock.advance(seconds=1)

    found = {
        state: [each["returnOrderCode"] for each in look(world, WAITING, state=state).body["waiting"]]
        for state in ("all", "parked", "stalled")
    }

    assert found == {
        "all": ["FIRST", "SECOND", "THIRD", "FOURTH"],
        "parked": ["THIRD", "FOURTH"],
        "stalled": ["FIRST", "SECOND"],
    }


def test_what_a_replay_has_put_in_line_is_seen_waiting() -> None:
    world = World()
    tell(world, a_journal(world, PICKED_UP))
    world.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"paused_at": to_text(world.clock())}))
    wish = {"since": to_text(world.clock() - timedelta(hours=1))}
    world.call("replay_notifications", "POST", "/endpoints/shop/replay", wish)
    world.settle()

    assert [each["state"] for each in look(world, WAITING).body["waiting"]] == ["PARKED"]


# ── as lines ────────────────────────────────────────────────────────────────────────


def test_the_attempts_of_an_order_are_lines_a_page_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ATTEMPTS", 2)
    world = World()
    tell(world, a_journal(world, PICKED_UP, IN_TRANSIT, DELIVERED))

    found = exported(world, OF_RETURN + "/export")

    assert [[each["sequence"] for each in page] for page in found] == [[1, 2], [3]]
    assert found[0][0] == {"returnOrderCode": "RET-1", **look(world, OF_RETURN).body["attempts"][0]}


@pytest.mark.parametrize(("enough", "attempts", "orders"), [(500, 200, 25), (2, 1, 2), (1, 2, 3), (3, 2, 1)])
def test_all_attempts_at_an_endpoint_are_lines_each_once_however_long_the_pages_are(
    monkeypatch: pytest.MonkeyPatch, enough: int, attempts: int, orders: int
) -> None:
    monkeypatch.setattr(exporting, "ENOUGH", enough)
    monkeypatch.setattr(exporting, "ATTEMPTS", attempts)
    monkeypatch.setattr(exporting, "ORDERS", orders)
    world = World()
    for number in range(4):
        tell(world, a_journal(world, PICKED_UP, IN_TRANSIT, DELIVERED, code=f"TOLD-{number}"))
        refused_once(world, f"REFUSED-{number}")

    lines = [line for page in exported(world, EXPORT) for line in page]

    expected = [(f"REFUSED-{number}", 1) for number in range(4)]
    expected += [(f"TOLD-{number}", sequence) for number in range(4) for sequence in (1, 2, 3)]
    assert [(line["returnOrderCode"], line["sequence"]) for line in lines] == expected


def test_an_export_since_a_time_has_the_orders_with_later_news() -> None:
    world = World()
    tell(world, a_journal(world, PICKED_UP, code="OLD"))
    world.clock.advance(hours=1)
    tell(world, a_journal(world, PICKED_UP, code="NEW"))

    [lines] = exported(world, EXPORT, since=to_text(world.clock()))

    assert [line["returnOrderCode"] for line in lines] == ["NEW"]


def test_an_export_goes_on_though_the_order_where_it_stood_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "ENOUGH", 1)
    world = World()
    for number in range(3):
        tell(world, a_journal(world, PICKED_UP, code=f"RET-{number}"))
    [_, following] = _first_page(world)
    happens(world, order("RET-1"), IN_TRANSIT)  # now it is the newest

    lines = [line for page in exported(world, EXPORT, page=following) for line in page]

    assert {line["returnOrderCode"] for line in lines} >= {"RET-1", "RET-2"}


def _first_page(world: World) -> tuple[str, str]:
    lines, following = export_deliveries(world.core, CLIENT, "shop", {})
    assert following is not None
    return str(lines[0]["returnOrderCode"]), following


@pytest.mark.parametrize("code", ["x" * 255, "返" * 255, "ज" * 255])
def test_the_place_of_an_order_with_the_longest_code_fits_into_a_query(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(exporting, "ENOUGH", 1)
    monkeypatch.setattr(exporting, "ORDERS", 1)
    monkeypatch.setattr(exporting, "ATTEMPTS", 1)
    world = World()
    tell(world, a_journal(world, PICKED_UP, IN_TRANSIT, code=code))
    tell(world, a_journal(world, PICKED_UP, IN_TRANSIT, code=code[:-1]))

    assert sum(len(page) for page in exported(world, EXPORT)) == 4


# ── what is refused ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "query", "description"),
    [
        (OF_RETURN, {"page": "x"}, "[page: must be the nextPage of an earlier answer]"),
        (OF_RETURN + "/export", {"page": "x"}, "[page: must be the nextPage of an earlier answer]"),
        (WAITING, {"page": "x"}, "[page: must be the nextPage of an earlier answer]"),
        (WAITING, {"page": "x", "state": "parked"}, "[page: must be the nextPage of an earlier answer]"),
        (WAITING, {"state": "quiet"}, "[state: must be one of all, parked, stalled]"),
        (
            OF_ENDPOINT,
            {"page": "x", "state": "x", "since": "x"},
            (
                "[state: must be one of waiting, quiet, since: must be an ISO 8601 time with its zone, like"
                " 2026-01-31T18:05:00+05:30, page: must be the nextPage of an earlier answer]"
            ),
        ),
        (
            EXPORT,
            {"page": "x", "since": "0001-01-01T00:00:00+14:00"},
            (
                "[since: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30,"
                " page: must be the nextPage of an earlier answer]"
            ),
        ),
    ],
)
def test_everything_that_is_wrong_with_a_question_is_said_at_once(
    path: str, query: dict[str, str], description: str
) -> None:
    world = World()
    a_journal(world, PICKED_UP)

    reply = look(world, path, **query)

    assert (reply.status, reply.body["description"]) == (400, description)


def test_a_place_in_one_list_is_none_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "ORDERS", 1)
    world = World(endpoints=2)
    for number in range(2):
        aggregate = a_journal(world, PICKED_UP, code=f"RET-{number}")
        for endpoint in world.endpoints:
            tell(world, aggregate, endpoint)
    page = look(world, OF_ENDPOINT).body["nextPage"]
    page = look(world, OF_ENDPOINT, page=page).body["nextPage"]

    assert look(world, OF_ENDPOINT, page=page).status == 200
    assert look(world, OF_ENDPOINT, page=page, state="quiet").status == 400
    assert look(world, "/endpoints/shop1/deliveries", page=page).status == 400
    assert look(world, EXPORT, page=page).status == 400


@pytest.mark.parametrize(
    ("path", "absent"),
    [
        (OF_RETURN, "/return/return-orders/RET-9/deliveries"),
        (OF_RETURN + "/export", "/return/return-orders/RET-9/deliveries/export"),
        (OF_ENDPOINT, "/endpoints/nobody/deliveries"),
        (WAITING, "/endpoints/nobody/waiting"),
        (WAITING + "?", "/endpoints/nobody/waiting"),
        (EXPORT, "/endpoints/nobody/export"),
    ],
)
def test_what_is_another_clients_cannot_be_told_from_what_does_not_exist(path: str, absent: str) -> None:
    world = World()
    tell(world, a_journal(world, PICKED_UP))
    query = {"state": "stalled"} if path.endswith("?") else {}

    foreign = look(world, path.removesuffix("?"), client="other", **query)

    assert foreign == look(world, absent, **query)
    assert foreign.status == 404
