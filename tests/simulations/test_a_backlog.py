"""Ten thousand events that waited for one endpoint are told in order, at its own pace, and nobody else waits for it."""

from typing import Final

import pytest

from rms.notifications.health import LANES
from tests.simulations.endpoints import in_order
from tests.simulations.scenarios import COMES_BACK, backlog
from tests.simulations.world import MINUTE

QUIET_P99_AT_MOST: Final = 1.0
"""Seconds; the aim is a minute."""

DRAINED_WITHIN: Final = 10 * MINUTE
"""Four lanes at an eighth of a second each could do ten thousand in five and a quarter."""

FAILED_AT_MOST: Final = 12
"""Tries while it was down: three that opened the breaker, what was under way beside them, a probe per interval."""


@pytest.mark.parametrize(
    ("returns", "events"),
    [pytest.param(2000, 5, id="2,000 returns with 5 events"), pytest.param(10_000, 1, id="10,000 returns")],
)
def test_what_waited_is_told_once_in_order_and_by_no_more_than_its_lanes(returns: int, events: int) -> None:
    seen = backlog(returns, events)
    taken = seen.shop.taken

    assert len(taken) == len({each.id for each in taken}) == seen.waited == returns * events
    assert in_order(taken)
    assert seen.shop.most_beside(since=COMES_BACK) == LANES
    assert len(seen.shop.tries) - len(taken) <= FAILED_AT_MOST
    assert seen.seconds <= DRAINED_WITHIN
    assert seen.quiet.events > 100
    assert seen.quiet.p99 <= QUIET_P99_AT_MOST
