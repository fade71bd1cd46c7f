"""Walks at a simulated shop: what is done, how it is recognised as done, and that it is done once wherever one dies."""

from collections.abc import Mapping

import pytest

from rms.exchanges import Decision, Ended, Finished, Held, Plan, Progress, Step, Verdict, Working
from rms.exchanges.walk import STEPS
from rms.partners.results import Blame, Busy, Unknown
from sandbox.faults import Fault, Then
from tests.unit.exchanges.exchanging import OWN, Exchange, F, P

RELEASED = [f"hold {OWN} released", "tag Hold-QC removed"]
LINE_CANCELLED = "STOLE-PLUM set from 2 to 1"
HISTORIES: Mapping[Decision, tuple[tuple[Verdict, ...], list[str]]] = {
    Decision.RELEASE: ((P, P, P), RELEASED),
    Decision.CANCEL_LINES: ((P, F, P), [LINE_CANCELLED, *RELEASED]),
    Decision.CANCEL_ORDER: ((F, F, F), ["cancelled"]),
}
"""Each decision with verdicts that bring it, and what must have been done to the order in the end, once."""

CALLS = {
    Decision.RELEASE: ["order", "release", "order", "tags-remove", "order"],
    Decision.CANCEL_LINES: [
        *("order", "edit-begin", "edit-set-quantity", "edit-commit", "order"),
        *("release", "order", "tags-remove", "order"),
    ],
    Decision.CANCEL_ORDER: ["order", "cancel", "order"],
}
every_decision = pytest.mark.parametrize("decision", HISTORIES)


def begun(decision: Decision, **settings: object) -> tuple[Exchange, Plan]:
    exchange = Exchange(shop_settings=settings)
    return exchange, exchange.plan(*HISTORIES[decision][0])


@every_decision
def test_a_walk_does_what_was_decided_and_no_more(decision: Decision) -> None:
    exchange, plan = begun(decision)

    assert exchange.walk(plan) == Finished()
    assert exchange.order.history == HISTORIES[decision][1]
    assert exchange.calls() == CALLS[decision]
    assert [hold.handle for hold in exchange.order.holds][-1] == "fraud-check"


@every_decision
def test_a_second_walk_looks_and_finds_nothing_left_to_do(decision: Decision) -> None:
    exchange, plan = begun(decision)
    exchange.walk(plan)

    assert exchange.walk(plan) == Finished()
    assert exchange.calls() == [*CALLS[decision], "order"]


@pytest.mark.parametrize(("decision", "died"), [(each, n) for each in CALLS for n in range(len(CALLS[each]) + 1)])
def test_a_walker_may_die_before_any_call_and_the_next_one_goes_on(decision: Decision, died: int) -> None:
    exchange, plan = begun(decision)
    exchange.walk(plan, calls=died)

    assert exchange.settle(plan) == Finished()
    assert exchange.order.history == HISTORIES[decision][1]


ANSWERS_LOST = [
    Fault(Then.HANGS),
    Fault(Then.HANGS, does_the_work=False),
    Fault(Then.HANGS, late_seconds=60.0, does_the_work=False),
    Fault(Then.HANGS, late_seconds=500.0, does_the_work=False),
    Fault(Then.CLOSES),
    Fault(Then.CLOSES, does_the_work=False),
    Fault(Then.STATUS, status=502),
    Fault(Then.STATUS, status=500, does_the_work=False),
    Fault(Then.STATUS, status=429, does_the_work=False),
    Fault(Then.HTML),
    Fault(Then.GARBAGE),
    Fault(Then.EMPTY),
    Fault(Then.TRUNCATED),
    Fault(Then.REDIRECT),
    Fault(Then.REDIRECT, does_the_work=False),
]


@pytest.mark.parametrize(
    "fault", ANSWERS_LOST, ids=lambda fault: f"{fault.then}-{fault.does_the_work}-{fault.late_seconds}-{fault.status}"
)
@pytest.mark.parametrize(("decision", "call"), [(each, n) for each in CALLS for n in range(len(CALLS[each]))])
def test_whatever_call_goes_wrong_however_everything_is_done_once(decision: Decision, call: int, fault: Fault) -> None:
    exchange, plan = begun(decision)
    operation = CALLS[decision][call]
    # Earlier calls of the same operation go well.
    for _ in range(CALLS[decision][:call].count(operation)):
        exchange.shop.fail(operation, Fault(Then.ANSWERS))
    exchange.shop.fail(operation, fault)

    first = exchange.walk(plan)
    exchange.clock.pass_seconds(120)
    exchange.shop.run_due()
    assert_nothing_that_failed_is_free(exchange, plan)

    assert isinstance(first, Unknown | Busy), first
    assert exchange.settle(plan) == Finished()
    exchange.clock.pass_seconds(600)
    exchange.shop.run_due()  # what the shop did late
    assert exchange.order.history == HISTORIES[decision][1]


@every_decision
@pytest.mark.parametrize("seed", range(20))
def test_a_shop_that_fails_half_of_the_time_still_sees_everything_done_once(decision: Decision, seed: int) -> None:
    exchange, plan = begun(decision, seed=seed)
    ways = [Fault(Then.HANGS), Fault(Then.HANGS, does_the_work=False), Fault(Then.STATUS, status=503)]
    exchange.shop.faults.sometimes("*", ways[seed % 3], 0.5)
    for _ in range(6):
        exchange.walk(plan)
        exchange.clock.pass_seconds(120)
        assert_nothing_that_failed_is_free(exchange, plan)
    exchange.shop.clear_faults()

    assert exchange.settle(plan) == Finished()
    assert exchange.order.history == HISTORIES[decision][1]


def assert_nothing_that_failed_is_free(exchange: Exchange, plan: Plan) -> None:
    """What was released has nothing in it any more that failed."""
    freed = not exchange.order.tags.count("Hold-QC") or not any(hold.handle == OWN for hold in exchange.order.holds)
    if freed and plan.decision is Decision.CANCEL_LINES:
        assert [line.current for line in exchange.order.lines] == [1, 1]
    assert not (freed and plan.decision is Decision.CANCEL_ORDER)


@pytest.mark.parametrize("died", range(len(CALLS[Decision.CANCEL_LINES]) + 1))
def test_nothing_is_released_before_what_failed_is_out(died: int) -> None:
    exchange, plan = begun(Decision.CANCEL_LINES)

    exchange.walk(plan, calls=died)

    assert_nothing_that_failed_is_free(exchange, plan)


@every_decision
def test_no_step_that_releases_is_ever_asked_for_of_an_order_that_failed_as_a_whole(decision: Decision) -> None:
    releases = {Step.RELEASE_HOLD, Step.FREE_TAG} & set(STEPS[decision])

    assert bool(releases) == (decision is not Decision.CANCEL_ORDER)


@every_decision
@pytest.mark.parametrize("ahead", range(1, 9))
def test_two_walks_at_once_still_do_everything_once(decision: Decision, ahead: int) -> None:
    exchange, plan = begun(decision)
    brought: list[Progress | Ended] = [Progress(), Progress()]

    def step(which: int) -> None:
        progress = brought[which]
        if isinstance(progress, Progress):
            brought[which] = exchange.step(plan, progress)

    for _ in range(ahead):
        step(0)
    for _ in range(40):
        step(1)
        step(0)

    assert not any(isinstance(each, Progress) for each in brought)
    assert exchange.settle(plan) == Finished()
    assert exchange.order.history == HISTORIES[decision][1]


# ── what may be configured ──────────────────────────────────────────────────────────


def test_a_release_tag_is_added_where_that_is_what_releases() -> None:
    exchange = Exchange({"release_by": "add_release_tag", "release_tag": "QC-passed"})

    assert exchange.walk(exchange.plan(P, P, P)) == Finished()
    assert exchange.order.history == [f"hold {OWN} released", "tag QC-passed added"]
    assert "Hold-QC" in exchange.order.tags


def test_tags_are_the_same_in_any_case() -> None:
    exchange = Exchange()
    exchange.shop.tag(exchange.order.number, ["EXCHANGE", "hold-qc"])

    assert exchange.walk(exchange.plan(P, P, P)) == Finished()
    assert exchange.order.tags == ["EXCHANGE"]


def test_an_order_without_a_hold_of_ours_is_released_by_its_tag_alone() -> None:
    exchange = Exchange()
    exchange.order.holds.clear()
    exchange.shop.hold(exchange.order.number, OWN, by_us=False)  # another app's, of the same name

    assert exchange.walk(exchange.plan(P, P, P)) == Finished()
    assert exchange.order.history == ["tag Hold-QC removed"]
    assert len(exchange.order.holds) == 1


def test_holds_for_other_returns_and_of_other_apps_stay() -> None:
    exchange = Exchange()
    exchange.shop.hold(exchange.order.number, "rms-KLR-99999")

    exchange.walk(exchange.plan(P, P, P))

    assert [hold.handle for hold in exchange.order.holds] == ["fraud-check", "rms-KLR-99999"]


def test_failed_units_of_several_skus_are_taken_out_in_one_edit() -> None:
    exchange = Exchange()

    assert exchange.walk(exchange.plan(F, F, P)) == Finished()
    assert exchange.order.history == ["KURTA-L set from 1 to 0", LINE_CANCELLED, *RELEASED]
    assert exchange.calls().count("edit-commit") == 1


def test_a_line_that_the_merchant_took_out_already_is_not_taken_out_again() -> None:
    exchange = Exchange()
    line = exchange.order.lines[1]
    line.current = line.unfulfilled = 1

    assert exchange.walk(exchange.plan(P, F, P)) == Finished()
    assert exchange.order.history == RELEASED


# ── what ends a walk otherwise ──────────────────────────────────────────────────────


@pytest.mark.parametrize("decision", [each for each in Decision if each not in STEPS])
def test_where_nothing_is_to_be_done_no_call_is_made(decision: Decision) -> None:
    exchange = Exchange()

    assert isinstance(exchange.walk(Plan("R", exchange.order.gid, decision, ())), Held)
    assert exchange.calls() == []


def test_a_cancel_that_takes_its_time_is_looked_for_and_not_asked_again() -> None:
    exchange, plan = begun(Decision.CANCEL_ORDER, cancel_seconds=60.0)

    assert isinstance(exchange.walk(plan), Working)
    assert exchange.settle(plan) == Finished()
    assert exchange.calls().count("cancel") == 1
    assert exchange.order.history == ["cancelled"]


def test_an_order_that_was_cancelled_by_somebody_needs_no_cancel() -> None:
    exchange, plan = begun(Decision.CANCEL_ORDER)
    exchange.shop.cancel(exchange.order.number)

    assert exchange.walk(plan) == Finished()
    assert exchange.calls() == ["order"]


@every_decision
def test_an_order_without_the_exchange_tag_is_never_touched(decision: Decision) -> None:
    exchange, plan = begun(decision)
    exchange.shop.tag(exchange.order.number, ["Hold-QC"])

    ended = exchange.walk(plan)

    assert isinstance(ended, Held)
    assert "UNMARKED" in ended.reason
    assert exchange.order.history == []


@every_decision
def test_an_order_that_shopify_does_not_show_is_for_a_person(decision: Decision) -> None:
    exchange, plan = begun(decision)
    exchange.shop.reset()

    assert isinstance(exchange.walk(plan), Held)
    assert exchange.calls() == ["order"]


def test_an_order_that_ships_while_we_walk_is_for_a_person() -> None:
    exchange, plan = begun(Decision.CANCEL_LINES)
    progress = exchange.step(plan, Progress())
    exchange.shop.ship(exchange.order.number, "STOLE-PLUM")
    while isinstance(progress, Progress):
        progress = exchange.step(plan, progress)

    assert isinstance(progress, Held)
    assert exchange.order.history == []


@pytest.mark.parametrize("denied", ["order", "release", "tags-remove"])
def test_a_missing_scope_is_for_an_operator(denied: str) -> None:
    exchange, plan = begun(Decision.RELEASE, denies=(denied,))

    ended = exchange.walk(plan)

    assert isinstance(ended, Held)
    assert ended.blame is Blame.CONFIGURATION
    assert "ACCESS_DENIED" in ended.reason


@pytest.mark.parametrize("denied", ["edit-begin", "edit-set-quantity", "edit-commit"])
def test_an_edit_that_is_not_allowed_releases_nothing(denied: str) -> None:
    exchange, plan = begun(Decision.CANCEL_LINES, denies=(denied,))

    assert isinstance(exchange.walk(plan), Held)
    assert exchange.order.history == []


def test_a_refusal_of_what_was_done_meanwhile_is_no_refusal() -> None:
    exchange, plan = begun(Decision.RELEASE)
    progress = exchange.step(plan, Progress())
    exchange.order.holds.clear()  # somebody was faster
    while isinstance(progress, Progress):
        progress = exchange.step(plan, progress)

    assert progress == Finished()
    assert exchange.order.history == ["tag Hold-QC removed"]


def test_a_throttled_walk_says_when_to_come_back_and_goes_on_then() -> None:
    exchange, plan = begun(Decision.RELEASE, bucket=150.0, restore_rate=50.0)

    ended = exchange.walk(plan)

    assert isinstance(ended, Busy)
    exchange.clock.pass_seconds(ended.seconds)
    assert not isinstance(exchange.walk(plan, calls=1), Busy)
    assert exchange.settle(plan) == Finished()
    assert exchange.order.history == RELEASED


def test_an_order_that_costs_more_than_the_shop_may_ever_spend_is_for_an_operator() -> None:
    exchange, plan = begun(Decision.RELEASE, bucket=100.0)

    ended = exchange.walk(plan)

    assert isinstance(ended, Held)
    assert ended.blame is Blame.CONFIGURATION
