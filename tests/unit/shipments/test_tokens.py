"""One login for all who need the same token, whatever happens to whoever makes it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from rms.aggregators.contract import Account, Job, Refused, Unknown
from rms.clients.accounts import token_context, token_key, with_token
from rms.clients.configuration import secret_context
from rms.core import Core
from rms.platform.secrets import SecretUnavailableError
from rms.platform.table import EXISTING, NEW, Delete, Update
from rms.platform.times import to_text
from rms.shipments.tokens import LEASE, PAUSES, token_for
from rms.shipments.walk import WHILE_A_CLIENT_WAITS, Start, walk
from tests.builders import a_return
from tests.fakes.calls import Call, Calls, Fault
from tests.fakes.http import answer, no_answer
from tests.unit.shipments.porter import URL, Porter, PorterOffice
from tests.world import World

BOOKINGS = 50
ACCOUNT = Account("lotus", "a-porter", "PORTER", {"password": "open sesame"})


@pytest.fixture
def office() -> PorterOffice:
    return PorterOffice()


@pytest.fixture
def world(office: PorterOffice) -> World:
    world = World()
    world.http.on(URL, office.handle)
    return world


def token_row(world: World) -> dict[str, object]:
    row = world.table.get(token_key(ACCOUNT.client, ACCOUNT.alias))
    return dict(row) if row is not None else {}


def get(world: World, account: Account = ACCOUNT, core: Core | None = None) -> str:
    got = token_for(core or world.core, Porter(), account)
    assert isinstance(got, Account), got
    return got.secrets["token"]


@contextmanager
def striking(world: World, fault: Fault, *, sets: str) -> Iterator[None]:
    """The first write that sets this attribute suffers the fault."""
    struck: list[Call] = []

    def plan(made: Call) -> Fault | None:
        writes = [each for each in made.arguments if isinstance(each, Update)]
        if struck or not any(sets in write.set for write in writes):
            return None
        struck.append(made)
        return fault

    world.table.calls = Calls(plan=plan)
    yield
    world.table.calls = Calls()
    assert struck


# ── one login ───────────────────────────────────────────────────────────────────────


def all_at_once(world: World, account: Account) -> list[object]:
    """Fifty bookings in fifty environments, none of which moves before all have begun."""
    noted = threading.Event()
    world.table.calls = Calls(after=lambda made: noted.set() if "sealed_token" in str(made.arguments) else None)
    together = threading.Barrier(BOOKINGS)

    def pause(_: float) -> None:
        noted.wait(20)

    def book(number: int) -> object:
        core = replace(world.another_environment(), pause=pause)
        job = Job(f"RETURN-{number}", a_return())
        together.wait(20)
        return walk(core, Porter(), account, job, Start.BOOK, WHILE_A_CLIENT_WAITS)

    with ThreadPoolExecutor(BOOKINGS) as pool:
        return list(pool.map(book, range(BOOKINGS)))


def test_fifty_bookings_without_a_token_log_in_once(world: World, office: PorterOffice) -> None:
    results = all_at_once(world, ACCOUNT)

    assert not [result for result in results if isinstance(result, Unknown | Refused)]
    assert len(office.orders) == len(office.awbs) == BOOKINGS
    assert office.count("login") == 1


def test_fifty_bookings_whose_token_is_no_longer_accepted_log_in_once(world: World, office: PorterOffice) -> None:
    stale = get(world)
    office.tokens.clear()
    office.calls.clear()

    results = all_at_once(world, with_token(ACCOUNT, stale))

    assert not [result for result in results if isinstance(result, Unknown | Refused)]
    assert len(office.awbs) == BOOKINGS
    assert office.count("login") == 1


def test_whoever_comes_late_with_the_old_token_takes_the_new_one(world: World, office: PorterOffice) -> None:
    first = get(world)
    second = get(world, with_token(ACCOUNT, first))

    assert get(world, with_token(ACCOUNT, first)) == second != first
    assert office.count("login") == 2


def test_while_another_logs_in_one_waits_and_takes_what_that_brings(world: World, office: PorterOffice) -> None:
    other, got = world.another_environment(), []
    waited: list[float] = []

    def while_the_other_is_at_it(name: str) -> None:
        if name == "login" and not waited:
            office.now_and_then = lambda _: None
            waiting = replace(world.another_environment(), pause=pause)
            thread = threading.Thread(target=lambda: got.append(get(world, core=waiting)))
            thread.start()
            started.wait(20)
            threads.append(thread)

    def pause(seconds: float) -> None:
        waited.append(seconds)
        started.set()
        noted.wait(20)

    started, noted = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []
    office.now_and_then = while_the_other_is_at_it
    token = get(world, core=other)
    noted.set()
    threads[0].join(20)

    assert got == [token]
    assert waited == [PAUSES[0]]
    assert office.count("login") == 1


# ── whoever logs in may die, or get no answer ───────────────────────────────────────


def take_the_lease_and_die(world: World) -> None:
    now = world.clock()
    world.table.write(
        Update(
            token_key(ACCOUNT.client, ACCOUNT.alias),
            expect=NEW,
            set={"lease": "of-the-dead", "lease_until": to_text(now + LEASE)},
        )
    )


def test_who_waits_in_vain_gives_up_without_a_login(world: World, office: PorterOffice) -> None:
    take_the_lease_and_die(world)

    assert isinstance(token_for(world.core, Porter(), ACCOUNT), Unknown)
    assert office.calls == []


def test_the_lease_of_the_dead_runs_out(world: World, office: PorterOffice) -> None:
    take_the_lease_and_die(world)
    world.clock.advance(seconds=LEASE.total_seconds() + 1)

    assert get(world) == "token-1"
    assert office.count("login") == 1


def test_after_a_login_without_an_answer_nobody_runs_into_the_same_wall_for_a_while(
    world: World, office: PorterOffice
) -> None:
    office.now_and_then = lambda _: no_answer()
    core = replace(world.core, pause=lambda _: None)

    assert [type(token_for(core, Porter(), ACCOUNT)) for _ in range(3)] == [Unknown] * 3
    assert office.calls == ["login"]
    office.now_and_then = lambda _: None
    world.clock.advance_to(world.clock() + LEASE + timedelta(seconds=1))
    assert get(world) == "token-2"


@pytest.mark.parametrize("sets", ["lease", "sealed_token"])
def test_a_write_repeated_after_a_lost_reply_is_known_for_our_own(
    world: World, office: PorterOffice, sets: str
) -> None:
    with striking(world, Fault.REPEATED, sets=sets):
        assert get(world) == "token-1"

    assert get(world) == "token-1", "and it is kept"
    assert office.count("login") == 1


def test_what_an_account_brings_that_was_replaced_meanwhile_is_used_once_and_not_kept(
    world: World, office: PorterOffice
) -> None:
    key = token_key(ACCOUNT.client, ACCOUNT.alias)

    def replaced(_: str) -> None:
        world.table.write(Delete(key, EXISTING))

    office.now_and_then = replaced

    assert get(world) == "token-1"
    assert token_row(world) == {}


@pytest.mark.parametrize("value", ["", "x" * 5000])
def test_a_token_that_is_none_is_not_kept(world: World, office: PorterOffice, value: str) -> None:
    office.now_and_then = lambda _: answer(200, {"token": value, "lifetime": 60})

    assert isinstance(token_for(world.core, Porter(), ACCOUNT), Unknown)
    assert "sealed_token" not in token_row(world)


# ── sealed ──────────────────────────────────────────────────────────────────────────


def test_a_token_is_stored_sealed_for_its_client_and_account_only(world: World) -> None:
    token = get(world)
    row = token_row(world)
    sealed = str(row["sealed_token"])

    assert token not in str(row)
    assert world.secrets.unseal(sealed, token_context("lotus", "a-porter")) == token
    for context in (token_context("iris", "a-porter"), token_context("lotus", "main")):
        with pytest.raises(SecretUnavailableError):
            world.secrets.unseal(sealed, context)
    with pytest.raises(SecretUnavailableError):
        world.secrets.unseal(sealed, secret_context("lotus", "ACCOUNT#a-porter"))


def test_no_token_is_logged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    token = get(world)

    assert token not in capsys.readouterr().out
