"""Delivery in virtual time: the loads that `tests/simulations` holds against bounds, as figures."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from tests.simulations.endpoints import Behaviour, answers_well, hangs, refuses_connections
from tests.simulations.scenarios import (
    BUSY_EVERY,
    COMES_BACK,
    LOADED,
    SLOW_SECONDS,
    Delays,
    backlog,
    dead_for_days,
    held,
    one_of_a_hundred,
)
from tests.simulations.world import DAY, MINUTE

type Row = tuple[str, str, str, str, str]

HEAD: Row = ("load", "others: median s", "p99 s", "longest s", "the endpoint itself")
"""What a row says: what the other endpoints noticed, and what came of the one that the load is about."""


def rows() -> Iterator[Row]:
    """One load after another."""
    yield from _one_of_a_hundred()
    yield from _backlogs()
    yield from _dead_for_days()
    yield from _held()


def _one_of_a_hundred() -> Iterator[Row]:
    behaviours: dict[str, Behaviour] = {"a hundred endpoints, all well": answers_well(1), "the same, one dead": hangs}
    for title, behave in behaviours.items():
        for every in (BUSY_EVERY, BUSY_EVERY / 2):
            seen = one_of_a_hundred(behave, busy_every=every)
            taken = f"{len(seen.one.started)} connections in {LOADED / MINUTE:.0f} min, {len(seen.one.taken)} taken"
            yield _row(f"{title}, {1 / every:g} orders/s for that one", seen.others, taken)


def _backlogs() -> Iterator[Row]:
    for returns, events in ((2_000, 5), (10_000, 1)):
        seen = backlog(returns, events)
        told = f"{seen.waited} told in {seen.seconds:.0f} s, at most {seen.shop.most_beside(COMES_BACK)} at a time"
        yield _row(f"{returns} returns x {events} that waited", seen.quiet, told)


def _dead_for_days() -> Iterator[Row]:
    for name, behave in (("hangs", hangs), ("refuses connections", refuses_connections)):
        seen = dead_for_days(behave)
        probes = [at for at in seen.shop.started if seen.opened_at + 1 < at < seen.resumed_at]
        before = len(seen.shop.started) - len(seen.shop.taken) - len(probes)
        off = f"{seen.disabled_at / DAY:.2f} days" if seen.disabled_at is not None else "never"
        caught_up = seen.shop.taken[-1].ended - seen.resumed_at
        itself = f"{before} connections, then {len(probes)} probes; disabled after {off}; "
        itself += f"resumed, {len(seen.shop.taken)} told in {caught_up:.0f} s"
        yield (
            f"dead for days: {name}",
            "",
            "",
            "",
            itself,
        )


def _held() -> Iterator[Row]:
    slow = answers_well(1, SLOW_SECONDS - 0.1, SLOW_SECONDS + 0.1)
    seen = held(slow, 0.5)
    known = f"{seen.shop.most_beside(0, 3 * SLOW_SECONDS)} at a time at first, then {seen.shop.most_beside(60)}"
    yield _row(f"answers after {SLOW_SECONDS:g} s, 2 orders/s", seen.others, known)
    seen = held(answers_well(1), 0.25, max_concurrency=1)
    yield _row("maxConcurrency 1, 4 orders/s", seen.others, f"{seen.shop.most_beside()} at a time")
    seen = held(answers_well(1), 1.0, rate_per_minute=30)
    yield _row("ratePerMinute 30, 60 orders/min", seen.others, f"one every {_spacing(seen.shop.started)}")


def _spacing(moments: list[float]) -> str:
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return f"{median(gaps):.2f} s, never nearer than {min(gaps):.2f} s"


def _row(title: str, others: Delays, itself: str) -> Row:
    return title, f"{others.median:.2f}", f"{others.p99:.2f}", f"{others.longest:.2f}", itself
