"""One call of the credential API for all deliveries that were refused, whatever happens to whoever makes it."""

import io
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from rms.clients.configuration import Endpoint, endpoint_from, secret_context
from rms.clients.endpoints import Settings, put_endpoint
from rms.core import Core
from rms.journal.keys import endpoint_pk
from rms.notifications.credentials import LEASE, NOT_AGAIN_FOR, PAUSES, fresh_headers
from rms.platform.http import HttpRequest
from rms.platform.observability import logger
from rms.platform.secrets import MAX_PLAIN_BYTES, SecretUnavailableError
from rms.platform.table import EXISTING, NEW, Delete, Key, TableUnavailableError, Update
from rms.platform.times import to_text
from tests.fakes.calls import ALL_FAULTS, Call, Calls, Fault, ProcessKilledError, at
from tests.fakes.http import Answer, answer, no_answer
from tests.unit.notifications.telling import CREDENTIALS, HOOK, sent
from tests.world import CLIENT, World

DELIVERIES = 50
GOOD_DAY = 7
ENDPOINT_KEY = Key(f"C#{CLIENT}", "ENDPOINT#shop")
LEASE_KEY = Key(endpoint_pk(CLIENT, "shop"), "CREDENTIAL")


class Office:
    """The client's credential API: each call gives other headers, unless it is told to answer otherwise."""

    def __init__(self) -> None:
        self.calls = 0
        self.says: Answer | None = None

    def handle(self, _: HttpRequest) -> Answer:
        self.calls += 1
        return self.says or answer(200, {"Authorization": f"Bearer number-{self.calls}"})


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def world(office: Office) -> World:
    world = World()
    register(world)
    world.http.on(CREDENTIALS, office.handle)
    return world


def register(world: World, name: str = "first", credential_url: str | None = f"{CREDENTIALS}?app=rms") -> None:
    """Register the endpoint, new or again."""
    headers = {"Authorization": f"Bearer {name}"}
    settings = Settings(url=HOOK, headers=headers, credential_url=credential_url)
    put_endpoint(world.core, CLIENT, "shop", lambda _: settings)


def standing(world: World) -> Endpoint:
    """The endpoint as a delivery reads it now."""
    [row] = [row for row in world.table.rows() if (row["PK"], row["SK"]) == (ENDPOINT_KEY.pk, ENDPOINT_KEY.sk)]
    return endpoint_from(row)


def token_of(world: World, endpoint: Endpoint | None) -> str | None:
    """The token in an endpoint's headers."""
    if endpoint is None:
        return None
    headers = world.secrets.unseal(endpoint.sealed_headers, secret_context(CLIENT, ENDPOINT_KEY.sk))
    return headers.split("Bearer ")[1].removesuffix('"}')


def refused(world: World, endpoint: Endpoint, core: Core | None = None) -> str | None:
    """What a delivery does whose try was answered 401; answers the token for the next try."""
    return token_of(world, fresh_headers(core or world.core, CLIENT, endpoint))


# ── one call ────────────────────────────────────────────────────────────────────────


def test_a_refused_delivery_gets_the_headers_of_the_credential_api(world: World) -> None:
    assert refused(world, standing(world)) == "number-1"
    assert token_of(world, standing(world)) == "number-1"
    [call] = sent(world, CREDENTIALS)
    assert (call.method, call.body, dict(call.query)) == ("POST", None, {"app": "rms"})


def test_whoever_was_refused_with_older_headers_takes_those_that_are_there(world: World, office: Office) -> None:
    old = standing(world)
    refused(world, old)

    assert refused(world, old) == "number-1"
    assert office.calls == 1


def test_headers_that_an_operator_has_typed_in_meanwhile_are_tried_without_a_call(world: World, office: Office) -> None:
    old = standing(world)
    register(world, "typed-in")

    assert refused(world, old) == "typed-in"
    assert office.calls == 0


def test_without_a_credential_api_the_401_stands_and_nothing_is_read(world: World) -> None:
    register(world, credential_url=None)
    endpoint = standing(world)
    before = len(world.calls.made)

    assert fresh_headers(world.core, CLIENT, endpoint) is None
    assert len(world.calls.made) == before


def test_new_headers_that_are_refused_are_not_fetched_again_within_a_minute(world: World, office: Office) -> None:
    refused(world, standing(world))

    assert [refused(world, standing(world)) for _ in range(5)] == [None] * 5
    world.clock.advance(NOT_AGAIN_FOR.total_seconds())
    assert refused(world, standing(world)) is None
    assert office.calls == 1
    world.clock.advance(1)
    assert refused(world, standing(world)) == "number-2"


@pytest.mark.parametrize(
    "said",
    [
        no_answer(),
        answer(500),
        answer(401),
        answer(200, b"<html>"),
        answer(200, {"Authorization": 5}),
        answer(200, {}),
        answer(200, {"X-A": "b\r\nX-Evil: 1"}),
        answer(200, {f"X-{number}": "v" * 1000 for number in range(MAX_PLAIN_BYTES // 1000 + 1)}),
    ],
)
def test_a_credential_api_that_gives_nothing_usable_is_left_alone_for_a_minute(
    world: World, office: Office, said: Answer
) -> None:
    office.says = said
    before = standing(world)

    assert [refused(world, before) for _ in range(3)] == [None] * 3
    assert office.calls == 1
    assert standing(world) == before
    office.says = None
    world.clock.advance(NOT_AGAIN_FOR.total_seconds() + 1)
    assert refused(world, before) == "number-2"


def test_endpoints_do_not_wait_for_each_others_credentials(world: World, office: Office) -> None:
    other = Settings(url=HOOK, headers={"Authorization": "Bearer erp"}, credential_url=CREDENTIALS)
    put_endpoint(world.core, CLIENT, "erp", lambda _: other)
    row = world.core.table.get(Key(f"C#{CLIENT}", "ENDPOINT#erp"))
    assert row is not None
    refused(world, standing(world))

    assert fresh_headers(world.core, CLIENT, endpoint_from(row)) is not None
    assert office.calls == 2


# ── many at once ────────────────────────────────────────────────────────────────────


def all_at_once(world: World) -> list[str | None]:
    """Fifty deliveries in fifty environments, refused with the same headers; whoever must wait waits for the end."""
    endpoint, over = standing(world), threading.Event()
    world.table.calls = Calls(after=lambda made: over.set() if "called_at" in written(made) else None)
    together = threading.Barrier(DELIVERIES)

    def pause(_: float) -> None:
        over.wait(20)

    def deliver(_: int) -> str | None:
        core = replace(world.another_environment(), pause=pause)
        together.wait(20)
        return refused(world, endpoint, core)

    with ThreadPoolExecutor(DELIVERIES) as pool:
        return list(pool.map(deliver, range(DELIVERIES)))


def written(made: Call) -> list[str]:
    """The attributes that a call sets."""
    return [name for write in made.arguments if isinstance(write, Update) for name in write.set]


def test_fifty_refused_deliveries_make_one_call(world: World, office: Office) -> None:
    assert all_at_once(world) == ["number-1"] * DELIVERIES
    assert office.calls == 1


def test_fifty_refused_deliveries_make_one_call_of_an_api_that_gives_nothing(world: World, office: Office) -> None:
    office.says = answer(500)

    assert all_at_once(world) == [None] * DELIVERIES
    assert office.calls == 1


@pytest.mark.parametrize("moment", range(1, 5))
def test_another_delivery_that_is_done_at_any_moment_in_between_leaves_one_call(
    world: World, office: Office, moment: int
) -> None:
    endpoint, seen = standing(world), len(world.calls.made)

    def meanwhile(call: Call) -> None:
        if call.number == seen + moment:
            world.calls.before = lambda _: None
            refused(world, endpoint, replace(world.another_environment(), pause=lambda _: None))

    world.calls.before = meanwhile

    assert refused(world, endpoint) == "number-1"
    assert office.calls == 1


def test_who_waits_looks_several_times_and_takes_what_has_come(world: World, office: Office) -> None:
    endpoint, waited = standing(world), list[float]()
    take_the_lease(world)

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            register(world, "of-another")

    assert refused(world, endpoint, replace(world.core, pause=pause)) == "of-another"
    assert waited == list(PAUSES[:3])
    assert office.calls == 0


# ── whoever calls may die ───────────────────────────────────────────────────────────


def take_the_lease(world: World) -> None:
    """Another delivery has the right to call, and is never heard of again."""
    lease = {"lease": "of-the-dead", "lease_until": to_text(world.clock() + LEASE)}
    world.core.table.write(Update(LEASE_KEY, NEW, set=lease))


def test_who_waits_in_vain_gives_up_after_a_few_seconds_without_a_call(world: World, office: Office) -> None:
    take_the_lease(world)
    began = world.clock()

    assert refused(world, standing(world)) is None
    assert (world.clock() - began).total_seconds() == pytest.approx(sum(PAUSES))
    assert office.calls == 0


def test_the_lease_of_the_dead_runs_out(world: World) -> None:
    take_the_lease(world)
    world.clock.advance(LEASE.total_seconds() + 1)

    assert refused(world, standing(world)) == "number-1"


def calls_of_a_good_day() -> int:
    world, office = World(), Office()
    register(world)
    world.http.on(CREDENTIALS, office.handle)
    seen, endpoint = len(world.calls.made), standing(world)
    fresh_headers(world.core, CLIENT, endpoint)
    return len(world.calls.made) - seen


def test_a_good_day_is_two_reads_the_lease_the_call_a_seal_and_two_writes() -> None:
    assert calls_of_a_good_day() == GOOD_DAY


@pytest.mark.parametrize("fault", ALL_FAULTS)
@pytest.mark.parametrize("number", range(1, GOOD_DAY + 1))
def test_after_any_fault_at_any_call_the_headers_come_with_one_call_more_at_most(
    world: World, office: Office, number: int, fault: Fault
) -> None:
    endpoint = standing(world)
    world.calls.plan = at(len(world.calls.made) + number, fault)
    with suppress(ProcessKilledError, TableUnavailableError, SecretUnavailableError):
        refused(world, endpoint)
    world.calls.plan = Calls().plan

    at_once = refused(world, endpoint)
    assert office.calls <= 1
    world.calls.land()
    assert at_once in {None, "number-1"}
    world.clock.advance(NOT_AGAIN_FOR.total_seconds() + 1)
    assert refused(world, endpoint) == f"number-{office.calls}"
    assert office.calls <= 2


@pytest.mark.parametrize("sets", ["lease", "sealed_headers", "called_at"])
def test_a_write_repeated_after_a_lost_reply_is_known_for_our_own(world: World, office: Office, sets: str) -> None:
    world.calls.plan = lambda made: Fault.REPEATED if sets in written(made) else None

    assert refused(world, standing(world)) == "number-1"
    assert refused(world, standing(world)) is None
    assert office.calls == 1


# ── whatever else happens to the endpoint meanwhile ─────────────────────────────────


def during_the_call(world: World, happens: Callable[[], object]) -> None:
    """Let something happen while the credential API is at it."""

    def handle(_: HttpRequest) -> Answer:
        happens()
        return answer(200, {"Authorization": "Bearer fetched"})

    world.http.on(CREDENTIALS, handle)


def test_what_an_operator_types_in_during_the_call_comes_first(world: World) -> None:
    during_the_call(world, lambda: register(world, "typed-in"))

    assert refused(world, standing(world)) == "typed-in"
    assert token_of(world, standing(world)) == "typed-in"


def test_an_endpoint_that_is_removed_during_the_call_does_not_come_back(world: World) -> None:
    during_the_call(world, lambda: world.core.table.write(Delete(ENDPOINT_KEY, EXISTING)))

    assert refused(world, standing(world)) is None
    assert world.core.table.get(ENDPOINT_KEY) is None


def test_an_endpoint_that_is_gone_needs_no_headers(world: World, office: Office) -> None:
    endpoint = standing(world)
    world.core.table.write(Delete(ENDPOINT_KEY, EXISTING))

    assert refused(world, endpoint) is None
    assert office.calls == 0


def test_an_endpoint_whose_credential_api_was_taken_away_meanwhile_keeps_its_401(world: World, office: Office) -> None:
    endpoint = standing(world)
    world.core.table.write(Update(ENDPOINT_KEY, EXISTING, remove=("credential_url",)))

    assert refused(world, endpoint) is None
    assert office.calls == 0


@pytest.mark.parametrize("registered_anew", [False, True])
def test_an_endpoint_that_was_disabled_meanwhile_is_not_tried_again(
    world: World, office: Office, *, registered_anew: bool
) -> None:
    endpoint = standing(world)
    if registered_anew:
        register(world, "typed-in")
    world.core.table.write(Update(ENDPOINT_KEY, EXISTING, set={"disabled_at": to_text(world.clock())}))

    assert refused(world, endpoint) is None
    assert office.calls == 0


# ── secret ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines, as CloudWatch gets them."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    lines = io.StringIO()
    before = handler.setStream(lines)
    yield lines
    handler.setStream(before)


def test_no_header_is_stored_in_the_clear_or_logged(world: World, office: Office, log: io.StringIO) -> None:
    refused(world, standing(world))
    office.says = answer(500, b"Bearer number-2 is for somebody else")
    world.clock.advance(NOT_AGAIN_FOR.total_seconds() + 1)
    refused(world, standing(world))

    assert '"message":"headers fetched"' in log.getvalue()
    assert '"reason":"answered 500"' in log.getvalue()
    for secret in ("Bearer", "number-", "first"):
        assert secret not in log.getvalue()
        assert secret not in str(world.table.rows())
    assert "app=rms" not in log.getvalue()
