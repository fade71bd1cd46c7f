"""An endpoint gets no more at a time, and no more a minute, than it takes; the others notice nothing of it."""

from itertools import pairwise
from typing import Final

import pytest

from rms.notifications.health import LANES
from tests.simulations.endpoints import answers_well
from tests.simulations.scenarios import LOADED, SLOW_SECONDS, Held, held

OTHERS_P99_AT_MOST: Final = 0.3
"""Seconds, of which the endpoint itself takes up to 0.2."""

KNOWN_AFTER: Final = 2.2 * SLOW_SECONDS
"""The first answer says that it is slow; what was sent meanwhile is answered as late after that."""

UNEVEN: Final = 0.05
"""Seconds by which two calls may be nearer to each other than the pace says: from the mark to the call itself."""


@pytest.mark.parametrize("every", [1.0, 0.5], ids=["twice what it takes", "four times what it takes"])
def test_a_slow_endpoint_gets_no_more_at_a_time_than_its_lanes_once_it_is_known_as_slow(every: float) -> None:
    seen = held(answers_well(1, SLOW_SECONDS - 0.1, SLOW_SECONDS + 0.1), every)

    assert seen.shop.most_beside(since=KNOWN_AFTER) == LANES
    # All lanes are kept at work.
    assert len(seen.shop.taken) >= 0.9 * LANES * LOADED / SLOW_SECONDS
    assert_the_others_did_not_wait(seen)


def test_an_endpoint_that_takes_one_at_a_time_gets_one_at_a_time() -> None:
    seen = held(answers_well(1), 0.25, max_concurrency=1)

    assert seen.shop.most_beside() == 1
    assert len(seen.shop.taken) >= 0.8 * LOADED / 0.25
    assert_the_others_did_not_wait(seen)


def test_an_endpoint_that_takes_thirty_a_minute_gets_thirty_a_minute() -> None:
    seen = held(answers_well(1), 1.0, rate_per_minute=30)

    assert min(later - earlier for earlier, later in pairwise(seen.shop.started)) >= 2.0 - UNEVEN
    assert len(seen.shop.started) <= LOADED / 2.0 + 1
    assert len(seen.shop.taken) >= 0.95 * LOADED / 2.0
    assert_the_others_did_not_wait(seen)


def assert_the_others_did_not_wait(seen: Held) -> None:
    assert seen.others.events == LOADED
    assert seen.others.p99 <= OTHERS_P99_AT_MOST


def test_a_return_that_is_refused_again_and_again_keeps_to_the_schedule_and_out_of_the_way_of_others() -> None:
    seen = held(answers_well(1), 0.25, refused=frozenset({"RET-10", "RET-20"}), max_concurrency=1)

    # After 5 s, 30 s, 2 min and 10 min: the fifth is the last within the quarter of an hour.
    assert [sum(each.code == code for each in seen.shop.tries) for code in ("RET-10", "RET-20")] == [5, 5]
    assert len(seen.shop.taken) >= 0.8 * LOADED / 0.25
