"""A dead endpoint costs the others nothing that they notice, and itself gets one probe per interval."""

from functools import cache
from typing import Final

import pytest

from rms.notifications.health import INTERVALS, OPENS_AFTER
from tests.simulations.endpoints import TIME_OUT, Behaviour, answers_well, hangs, in_order, refuses_connections
from tests.simulations.scenarios import (
    BUSY_EVERY,
    LOADED,
    OneOfAHundred,
    dead_for_days,
    one_of_a_hundred,
)
from tests.simulations.world import DAY, MINUTE

P99_AT_MOST: Final = 1.2
"""The 99th percentile of the others' delays, as a multiple of what it is without a dead one."""

JITTER: Final = 0.1
FOUND_LATE: Final = 2.0
"""Seconds by which a probe may come late, if a queue can keep its wake-up back for so long; they come in whole ones."""
SWEPT_LATE: Final = MINUTE + FOUND_LATE
LONGEST_DELAY: Final = 15 * MINUTE

CONNECTIONS_BEFORE: Final = TIME_OUT / BUSY_EVERY + OPENS_AFTER + 5
"""What is tried before the breaker opens: what happens until the third try has run into its time-out."""

CAUGHT_UP_WITHIN: Final = MINUTE


@cache
def well() -> OneOfAHundred:
    return one_of_a_hundred(answers_well(1))


@cache
def dead() -> OneOfAHundred:
    return one_of_a_hundred(hangs)


def test_of_a_dead_one_among_a_hundred_the_others_notice_nothing() -> None:
    assert dead().others.events == well().others.events > 5000
    assert dead().others.p99 <= P99_AT_MOST * well().others.p99


def test_nor_does_the_same_clients_other_endpoint() -> None:
    assert dead().neighbour.events == well().neighbour.events == LOADED / BUSY_EVERY
    assert dead().neighbour.p99 <= P99_AT_MOST * well().neighbour.p99


def test_it_gets_a_bounded_number_of_connections_and_then_one_per_interval() -> None:
    one = dead().one
    opened_at = sorted(one.ends)[OPENS_AFTER - 1]

    assert one.starts(0, opened_at + 1) <= CONNECTIONS_BEFORE
    assert_probed_once_an_interval(opened_at, [at for at in one.started if at > opened_at + 1])


@pytest.mark.parametrize("behave", [hangs, refuses_connections])
def test_a_dead_endpoint_is_probed_given_up_and_told_everything_once_it_is_resumed(behave: Behaviour) -> None:
    seen = dead_for_days(behave)
    probes = [at for at in seen.shop.started if seen.opened_at + 1 < at < seen.resumed_at]

    assert_probed_once_an_interval(seen.opened_at, probes)
    # Disabled by the first probe that failed after five days without a success; a notice said so, once.
    assert seen.disabled_at is not None
    assert 5 * DAY <= seen.disabled_at <= 5 * DAY + INTERVALS[-1] * (1 + JITTER) + SWEPT_LATE + 2 * TIME_OUT
    assert probes[-1] <= seen.disabled_at
    [notice] = seen.notices.tries
    assert notice.taken
    assert notice.body["notificationType"] == "ENDPOINT_DISABLED"
    assert notice.body["endpointInfo"]["endpoint"] == "shop"
    assert notice.at - seen.disabled_at < FOUND_LATE
    # Resumed, it hears everything, once, each return in order.
    assert len(seen.shop.taken) == len({each.id for each in seen.shop.taken}) == len(seen.happened)
    assert in_order(seen.shop.taken)
    assert seen.shop.taken[-1].ended <= seen.resumed_at + CAUGHT_UP_WITHIN


def assert_probed_once_an_interval(opened_at: float, probes: list[float]) -> None:
    """An interval begins when the breaker opens or a probe has failed; its one connection ends it."""
    assert len(probes) >= 4
    before = opened_at
    for number, at in enumerate(probes):
        interval = INTERVALS[min(number, len(INTERVALS) - 1)]
        late = FOUND_LATE if interval * (1 + JITTER) <= LONGEST_DELAY else SWEPT_LATE
        waited = at - before
        most = interval * (1 + JITTER) + late + TIME_OUT  # the probe before may have taken its time to fail
        assert interval * (1 - JITTER) <= waited <= most, f"probe {number + 1}"
        before = at
