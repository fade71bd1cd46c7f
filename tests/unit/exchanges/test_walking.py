"""Walks with a clock that runs: what is not begun for want of time, and what no walk can go on with for ever."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from rms.exchanges import Finished, walk
from rms.partners.results import Busy, Unknown
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.unit.exchanges.exchanging import SHOP, Exchange, F, P


@dataclass
class Slow:
    """The shop, each of whose answers takes its time."""

    exchange: Exchange
    seconds: float
    waits: list[float] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        self.waits.append(request.total_seconds)
        self.exchange.clock.pass_seconds(self.seconds)
        return self.exchange.http.send(request)

    def problem_with(self, url: str) -> str | None:
        return self.exchange.http.problem_with(url)


def walked(
    slow: Slow,
    *,
    budget: float,
    verdicts: tuple[object, ...] = (P, P, P),
    may_go_on: Callable[[], bool] = lambda: True,
) -> object:
    exchange = slow.exchange
    plan = exchange.plan(*verdicts)  # type: ignore[arg-type]  # verdicts, as above
    until = exchange.clock() + timedelta(seconds=budget)
    pause = exchange.clock.pass_seconds
    return walk(slow, exchange.clock, exchange.settings, SHOP, plan, may_go_on=may_go_on, pause=pause, until=until)


@pytest.mark.parametrize("verdicts", [(P, P, P), (P, F, P), (F, F, F)])
def test_a_walk_with_time_enough_comes_to_its_end(verdicts: tuple[object, ...]) -> None:
    assert walked(Slow(Exchange(), 1.0), budget=50, verdicts=verdicts) == Finished()


def test_a_call_gets_what_is_left_and_is_not_begun_without_time_for_it() -> None:
    slow = Slow(Exchange(), 6.0)

    assert walked(slow, budget=14) == Unknown("no time was left for look")
    assert slow.waits == [10.0, 8.0]
    assert walked(Slow(slow.exchange, 1.0), budget=50) == Finished()


def test_a_walk_that_goes_on_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rms.exchanges.walking.MAX_CALLS", 3)
    slow = Slow(Exchange(), 1.0)

    assert walked(slow, budget=50) == Unknown("no outcome after 3 calls")
    assert len(slow.waits) == 3


@pytest.mark.parametrize(("verdicts", "calls"), [((P, P, P), ["order", "release", "order"]), ((P, F, P), ["order"])])
def test_a_walk_whose_decision_has_changed_takes_no_further_step(
    verdicts: tuple[object, ...], calls: list[str]
) -> None:
    exchange = Exchange()
    steps = iter([True, False] if verdicts == (P, P, P) else [False])

    ended = walked(Slow(exchange, 1.0), budget=50, verdicts=verdicts, may_go_on=lambda: next(steps))

    assert ended == Unknown("something else was decided meanwhile")
    assert exchange.calls() == calls


def test_a_short_wait_is_waited_out_where_time_is_left_and_the_same_call_made_again() -> None:
    exchange = Exchange(shop_settings={"bucket": 150.0, "restore_rate": 20.0})

    assert walked(Slow(exchange, 0.0), budget=50) == Finished()
    assert exchange.calls() == ["order", "release", "order", "order", "tags-remove", "tags-remove", "order", "order"]
    assert isinstance(walked(Slow(Exchange(shop_settings={"bucket": 140.0}), 0.0), budget=5.5), Busy)


def test_a_long_wait_is_for_another_walk() -> None:
    exchange = Exchange(shop_settings={"bucket": 150.0, "restore_rate": 2.0})

    assert walked(Slow(exchange, 0.0), budget=50) == Busy(60.0)
