"""A booking's walk: several calls, each answered or not, and a token on the way."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast, override

import pytest

from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    BookingResult,
    Brought,
    Direction,
    Job,
    Label,
    NotFound,
    Progress,
    RefusalKind,
    Refused,
    Shipment,
    Unauthorized,
    Unknown,
)
from rms.aggregators.registry import LOADED
from rms.clients import administration
from rms.clients.accounts import open_account
from rms.clients.configuration import configuration_of
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.shipments.tokens import REFUSED_FOR
from rms.shipments.walk import LEAST_SECONDS, MAX_CALLS, WHILE_A_CLIENT_WAITS, Start, Walked, call, walk
from tests.builders import a_return, a_return_order_body
from tests.fakes.http import answer, no_answer
from tests.unit.shipments.porter import DAY, SECONDS, URL, Porter, PorterOffice
from tests.world import CLIENT, World

CODE = "RET-70031-1"
JOB = Job(f"RETURN-lotus-{CODE}-0", a_return())
SENT = Shipment(Direction.FORWARD, "F-1", "PX00000001", "Porter Express", "order-1")
FRONT = "a-porter"
"""The alias: first of the client's accounts, so that it books unless another is named."""


@pytest.fixture
def office() -> PorterOffice:
    return PorterOffice()


@pytest.fixture
def world(office: PorterOffice, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(LOADED, "PORTER", Porter())
    world = World()
    world.http.on(URL, office.handle)
    put_account(world)
    return world


def put_account(world: World, typed: str = "open sesame") -> None:
    account = administration.NewAccount(FRONT, "PORTER", {"password": typed}, {})
    administration.put_account(world.core, CLIENT, account)


def opened(world: World) -> Account:
    return open_account(world.core, CLIENT, configuration_of(world.core, CLIENT).accounts[FRONT])


def go(
    world: World,
    start: Start = Start.BOOK,
    adapter: Porter | None = None,
    budget: timedelta = WHILE_A_CLIENT_WAITS,
) -> BookingResult:
    return walk(world.core, adapter or Porter(), opened(world), JOB, start, budget).result


def once(name: str, instead: HttpAnswer | NoAnswer) -> Callable[[str], HttpAnswer | NoAnswer | None]:
    """The first call of this name is answered so."""
    waiting = [instead]
    return lambda called: waiting.pop() if called == name and waiting else None


def always(name: str, instead: HttpAnswer | NoAnswer) -> Callable[[str], HttpAnswer | NoAnswer | None]:
    return lambda called: instead if called == name else None


# ── the walk ────────────────────────────────────────────────────────────────────────


def test_a_walk_makes_each_call_once_until_there_is_an_awb(world: World, office: PorterOffice) -> None:
    assert go(world) == Booked("PX00000001", "Porter Express", "order-1")
    assert office.calls == ["login", "create", "assign"]


def test_a_search_that_finds_an_order_goes_on_from_it_and_creates_none(world: World, office: PorterOffice) -> None:
    office.now_and_then = once("assign", no_answer())
    assert isinstance(go(world), Unknown)

    assert go(world, Start.FIND) == Booked("PX00000001", "Porter Express", "order-1")
    assert office.calls == ["login", "create", "assign", "search", "assign"]


def test_a_search_that_finds_nothing_books_from_the_beginning(world: World, office: PorterOffice) -> None:
    assert isinstance(go(world, Start.FIND), Booked)
    assert office.calls == ["login", "search", "create", "assign"]


def test_a_search_without_an_answer_books_nothing(world: World, office: PorterOffice) -> None:
    office.now_and_then = always("search", no_answer())

    assert isinstance(go(world, Start.FIND), Unknown)
    assert office.orders == {}


def test_an_aggregator_that_does_not_know_what_it_has_just_made_is_not_believed(
    world: World, office: PorterOffice
) -> None:
    office.now_and_then = always("assign", answer(404))

    assert isinstance(go(world), Unknown)
    assert office.count("create") == 1


@pytest.mark.parametrize(("left", "granted"), [(30, SECONDS), (LEAST_SECONDS + 0.5, LEAST_SECONDS + 0.5)])
def test_a_call_gets_what_it_wants_or_what_is_left_of_the_budget(
    world: World, office: PorterOffice, left: float, granted: float
) -> None:
    def slow(name: str) -> None:
        if name == "create":
            world.clock.advance(40 - left)

    office.now_and_then = slow

    assert isinstance(go(world, budget=timedelta(seconds=40)), Booked)
    assert world.http.sent_to(f"{URL}/assign")[0].total_seconds == granted


def test_no_call_is_begun_that_could_hardly_end_within_the_budget(world: World, office: PorterOffice) -> None:
    def slow(name: str) -> None:
        if name == "create":
            world.clock.advance(WHILE_A_CLIENT_WAITS.total_seconds() - LEAST_SECONDS + 0.1)

    office.now_and_then = slow
    result = go(world)

    assert isinstance(result, Unknown)
    assert "assign" in result.reason
    assert office.count("assign") == 0
    assert isinstance(go(world, Start.FIND, budget=timedelta(seconds=50)), Booked), "and the search takes it up"


def test_a_walk_without_end_is_ended(world: World, office: PorterOffice) -> None:
    class Lost(Porter):
        @override
        def read(
            self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
        ) -> Brought | BookingResult | NotFound | Unauthorized:
            return Brought({})

    assert isinstance(go(world, adapter=Lost()), Unknown)
    assert office.count("create") == MAX_CALLS


def test_what_the_aggregator_said_last_comes_with_the_outcome(world: World, office: PorterOffice) -> None:
    office.now_and_then = once("assign", answer(503, b"back soon, Asha Menon"))

    walked = walk(world.core, Porter(), opened(world), JOB, Start.BOOK, WHILE_A_CLIENT_WAITS)

    assert walked == Walked(Unknown("HTTP 503"), "HTTP 503: back soon, ***")


def test_without_any_answer_there_is_nothing_that_was_said(world: World, office: PorterOffice) -> None:
    office.now_and_then = always("create", no_answer())

    assert walk(world.core, Porter(), opened(world), JOB, Start.BOOK, WHILE_A_CLIENT_WAITS).raw is None


# ── who we are ──────────────────────────────────────────────────────────────────────


def test_a_token_is_kept_and_the_next_booking_needs_no_login(world: World, office: PorterOffice) -> None:
    go(world)
    world.core = world.another_environment()

    assert isinstance(go(world), Booked)
    assert office.count("login") == 1


def test_a_token_that_is_not_accepted_is_renewed_and_the_call_made_once_more(
    world: World, office: PorterOffice
) -> None:
    go(world)
    office.tokens.clear()
    office.calls.clear()

    assert isinstance(go(world), Booked)
    assert office.calls == ["create", "login", "create", "assign"]


def test_a_token_that_ends_in_the_middle_is_renewed_in_the_middle(world: World, office: PorterOffice) -> None:
    office.now_and_then = once("assign", answer(401))

    assert isinstance(go(world), Booked)
    assert office.calls == ["login", "create", "assign", "login", "assign"]


def test_a_new_token_that_is_not_accepted_either_is_for_an_operator(world: World, office: PorterOffice) -> None:
    office.now_and_then = always("create", answer(401))
    result = go(world)

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.CONFIGURATION
    assert office.count("login") == 2


@pytest.mark.parametrize(("name", "start"), [("search", Start.FIND), ("assign", Start.BOOK)])
def test_not_being_let_in_proves_nothing_about_what_was_made_before(
    world: World, office: PorterOffice, name: str, start: Start
) -> None:
    office.now_and_then = always(name, answer(401))

    assert isinstance(go(world, start), Unknown)


def test_a_refused_login_refuses_the_booking_and_is_not_tried_again_at_once(world: World, office: PorterOffice) -> None:
    office.password = "changed over there"
    results = [go(world) for _ in range(3)]

    assert results == [Refused(RefusalKind.CONFIGURATION, "400", "wrong password")] * 3
    assert office.calls == ["login"]
    assert isinstance(go(world, Start.FIND), Unknown), "what was made before is not known"
    world.clock.advance(seconds=REFUSED_FOR.total_seconds() + 1)
    go(world)
    assert office.calls == ["login"] * 2


def test_a_corrected_account_logs_in_at_once(world: World, office: PorterOffice) -> None:
    office.password = "changed over there"
    go(world)

    put_account(world, "changed over there")

    assert isinstance(go(world), Booked)


def test_a_replaced_account_does_not_go_on_with_the_old_ones_token(world: World, office: PorterOffice) -> None:
    go(world)

    put_account(world, "of another user")
    office.password = "of another user"

    assert "token" not in opened(world).secrets
    go(world)
    assert office.count("login") == 2


def test_a_login_without_an_answer_leaves_the_booking_open(world: World, office: PorterOffice) -> None:
    office.now_and_then = always("login", no_answer())

    assert isinstance(go(world), Unknown)
    assert office.orders == {}


# ── single calls ────────────────────────────────────────────────────────────────────


def fetch_label(world: World) -> object:
    porter = Porter()

    def request(account: Account) -> HttpRequest:
        return porter.label(account, SENT)

    return call(world.core, porter, opened(world), request, porter.read_label)


def test_a_single_call_logs_in_and_renews_its_token_like_a_walk(world: World, office: PorterOffice) -> None:
    assert fetch_label(world) == Label(f"{URL}/label.pdf")
    office.tokens.clear()
    assert fetch_label(world) == Label(f"{URL}/label.pdf")
    assert office.calls == ["login", "label", "label", "login", "label"]


def test_a_single_call_that_the_aggregator_does_not_have_is_refused_without_one(
    world: World, office: PorterOffice
) -> None:
    none = Refused(RefusalKind.CONFIGURATION, "no such call", "it cannot be cancelled there")
    porter = Porter()

    assert call(world.core, porter, opened(world), lambda _: none, porter.read_label) == none
    assert office.calls == ["login"]


def test_a_single_call_that_is_never_let_in_is_refused(world: World, office: PorterOffice) -> None:
    office.now_and_then = always("label", answer(401))
    assert isinstance(fetch_label(world), Refused)
    office.password = "changed over there"
    assert isinstance(fetch_label(world), Refused)


# ── through the API ─────────────────────────────────────────────────────────────────


def test_a_reference_that_a_refusal_has_used_up_is_not_used_for_the_corrected_order(
    world: World, office: PorterOffice
) -> None:
    office.now_and_then = once("assign", answer(422))
    assert world.create_return(a_return_order_body()).status == 400

    corrected = world.create_return(a_return_order_body(**{"pickupAddress.zip": "411015"}))

    assert corrected.status == 200
    assert list(office.orders) == [f"RETURN-lotus-{CODE}-0", f"RETURN-lotus-{CODE}-1"]
    refusal = next(event for event in world.journal(CODE) if event["kind"] == "AWB_REFUSED")
    assert cast("Mapping[str, Any]", refusal["facts"])["burnt_reference"] == f"RETURN-lotus-{CODE}-0"


def test_a_walk_that_breaks_off_is_taken_up_by_the_worker_without_a_second_order(
    world: World, office: PorterOffice
) -> None:
    office.now_and_then = once("assign", no_answer())
    assert world.create_return(a_return_order_body()).status == 202

    world.settle()

    assert len(office.orders) == len(office.awbs) == office.count("create") == 1
    assert world.heard(CODE) == ["AWB_GENERATED"]


def test_a_booking_with_a_token_costs_no_more_table_calls_than_one_without(world: World) -> None:
    def cost(code: str, alias: str) -> Mapping[str, int]:
        world.core = world.another_environment()
        before = world.table.units.by_operation.copy()
        body = a_return_order_body(returnOrderCode=code, logisticAccountAlias=alias)
        assert world.create_return(body).status == 200
        return world.table.units.by_operation - before

    cost("RET-0", FRONT)  # logs in

    assert cost("RET-1", FRONT) == cost("RET-2", "main")


def test_a_token_is_not_used_in_its_last_hour(world: World, office: PorterOffice) -> None:
    office.lifetime = DAY
    go(world)
    world.clock.advance(hours=22, minutes=50)
    assert "token" in opened(world).secrets

    world.clock.advance(minutes=20)

    assert "token" not in opened(world).secrets
    go(world)
    assert office.count("login") == 2
