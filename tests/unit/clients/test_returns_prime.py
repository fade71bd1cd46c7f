"""PUT /clients/{client}/returns-prime: the connection, its secret, its webhook key."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from rms.clients import administration, returns_prime
from rms.clients.configuration import configuration_of
from rms.clients.webhooks import webhook_digest
from rms.platform.errors import ConflictError
from tests.apps import PRIME_KEY, PRIME_OPTIONS
from tests.fakes.calls import Call, Fault, no_faults
from tests.world import CLIENT, HttpReply, World

TOKEN = "rp-token-of-lotus"


@pytest.fixture
def world() -> World:
    return World()


def a_connection(**changes: Any) -> dict[str, Any]:
    return {"secrets": {"token": TOKEN}, "options": dict(PRIME_OPTIONS), "webhookKey": PRIME_KEY, **changes}


def put(world: World, body: Mapping[str, Any], client: str = CLIENT) -> HttpReply:
    path = f"/clients/{client}/returns-prime"
    return world.call("administer_clients", "PUT", path, body, client="rms", roles="operator")


def row(world: World, client: str = CLIENT) -> Mapping[str, Any]:
    found = world.table.get(returns_prime.connection_key(client))
    assert found is not None
    return found


def hooks(world: World) -> list[tuple[str, object]]:
    rows = world.table.rows()
    return [(str(each["PK"]), each["client"]) for each in rows if str(each["PK"]).startswith("WEBHOOK#RETURNS_PRIME#")]


def taken(world: World, key: str) -> int:
    event = {"headers": {}, "pathParameters": {"secret": key}, "requestContext": {}, "body": "{}"}
    status = world.invoke("returns_prime_webhook", event)["statusCode"]
    assert isinstance(status, int)
    return status


def test_a_connection_is_set_up_and_shown_without_its_token(world: World) -> None:
    answer = put(world, a_connection())

    assert (answer.status, answer.body) == (200, {"options": dict(PRIME_OPTIONS)})
    shown = world.call("administer_clients", "GET", f"/clients/{CLIENT}", client="rms", roles="operator")
    assert shown.body["returnsPrime"] == {"options": dict(PRIME_OPTIONS), "writeBackTurnedOff": None}
    assert TOKEN not in shown.text
    assert PRIME_KEY not in shown.text


def test_the_token_is_sealed_and_of_the_key_there_is_a_digest_only(world: World) -> None:
    put(world, a_connection())

    stored = json.dumps(world.table.rows(), default=str)
    assert PRIME_KEY not in stored
    assert f'"{TOKEN}"' not in stored
    assert hooks(world) == [(f"WEBHOOK#RETURNS_PRIME#{webhook_digest(PRIME_KEY)}", CLIENT)]
    connection = configuration_of(world.core, CLIENT).returns_prime
    assert connection is not None
    assert returns_prime.open_returns_prime(world.core, CLIENT, connection).token == TOKEN


def test_another_key_ends_the_old_ones_url(world: World) -> None:
    put(world, a_connection())
    put(world, a_connection(webhookKey="another-key-of-the-url"))
    world.clock.advance(seconds=11)

    assert (taken(world, PRIME_KEY), taken(world, "another-key-of-the-url")) == (401, 200)
    assert len(hooks(world)) == 1


def test_without_a_key_no_webhook_is_let_in(world: World) -> None:
    put(world, a_connection())
    put(world, a_connection(webhookKey=None))
    world.clock.advance(seconds=11)

    assert hooks(world) == []
    assert [taken(world, key) for key in (PRIME_KEY, "", "None")] == [401, 401, 401]


def test_two_clients_never_share_a_key(world: World) -> None:
    administration.create_client(world.core, "iris", "Iris Shoes")
    put(world, a_connection())

    answer = put(world, a_connection(), "iris")

    assert (answer.status, answer.body["code"]) == (409, "CONFLICT")
    assert hooks(world)[0][1] == CLIENT


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"secrets": {}}, "secrets.token"),
        ({"secrets": {"token": "with a space"}}, "secrets.token"),
        ({"secrets": {"token": "t" * 4096}}, "secrets: must not have more than"),
        ({"options": {"base_url": "https://returns-prime.test"}}, "options.location_code"),
        ({"options": {**PRIME_OPTIONS, "write_back": "maybe"}}, "options.write_back"),
        ({"options": {**PRIME_OPTIONS, "base_url": "ftp://x"}}, "options.base_url"),
        ({"webhookKey": "short"}, "webhookKey: must have at least 16 characters"),
    ],
)
def test_what_is_wrong_with_a_connection_is_named_and_nothing_is_kept(
    world: World, changes: Mapping[str, Any], problem: str
) -> None:
    answer = put(world, a_connection(**changes))

    assert answer.status == 400
    assert problem in answer.body["description"]
    assert world.table.get(returns_prime.connection_key(CLIENT)) is None


def test_a_client_that_is_not_there_gets_none(world: World) -> None:
    assert put(world, a_connection(), "nobody").status == 404
    assert hooks(world) == []


def test_of_two_changes_at_once_one_is_a_conflict(world: World) -> None:
    put(world, a_connection())
    wanted = returns_prime.NewConnection({"token": TOKEN}, PRIME_OPTIONS, PRIME_KEY)

    def another_comes_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            returns_prime.put_returns_prime(world.another_environment(), CLIENT, wanted)

    world.calls.before = another_comes_first

    with pytest.raises(ConflictError, match="version"):
        returns_prime.put_returns_prime(world.core, CLIENT, wanted)
    assert row(world)["version"] == 2


def test_a_change_whose_reply_was_lost_knows_itself_again(world: World) -> None:
    put(world, a_connection())
    world.calls.plan = lambda call: Fault.REPEATED if call.operation == "transact" else None

    assert put(world, a_connection()).status == 200
    assert row(world)["version"] == 2


def test_write_back_is_not_turned_off_for_a_connection_that_was_set_up_anew(world: World) -> None:
    put(world, a_connection())
    old = configuration_of(world.core, CLIENT).returns_prime
    assert old is not None
    put(world, a_connection())

    returns_prime.turn_off_write_back(world.core, CLIENT, old, "answered 404")

    assert "turned_off" not in row(world)
