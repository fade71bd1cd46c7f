"""Makes the calls of a walk, within a budget of time. What it walks on is `rms.exchanges.walk`; it keeps nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from rms.exchanges.settings import ExchangeSettings
from rms.exchanges.standing import Plan
from rms.exchanges.walk import LOOK, Ask, Ended, Progress, next_call, read
from rms.partners import shopify
from rms.partners.results import Busy, Unknown
from rms.platform.http import Http

MAX_CALLS: Final = 100
"""Most calls of one walk: an edit has one for each line, everything else a handful."""

LONGEST_PAUSE: Final = 10.0
"""Most seconds that a walk waits because the shop wants to be asked later; a longer wait is for the next walk."""

LEAST_SECONDS: Final = 5.0
"""A call that would get less than this, and less than it wants, is not begun."""


def walk(  # noqa: PLR0913 - what is called, for whom, what for, and how long
    http: Http,
    clock: Callable[[], datetime],
    settings: ExchangeSettings,
    shop: shopify.Settings,
    plan: Plan,
    *,
    may_go_on: Callable[[], bool],
    pause: Callable[[float], None],
    until: datetime,
) -> Ended:
    """What comes of a plan. It may be walked again at any time: every walk begins with a look at the order.

    Before each call that changes something `may_go_on` is asked whether it still is to be done. A call gets what is
    left of the time at most; one that could hardly end within it is not begun. A short wait that the shop asks for is
    waited out here: a walk that began anew with a look each time might never have the points for its next step.
    """
    progress = Progress()
    for _ in range(MAX_CALLS):
        following = next_call(settings, shop, plan, progress)
        if not isinstance(following, Ask):
            return following
        request, left = following.request, (until - clock()) / timedelta(seconds=1)
        if left < min(request.total_seconds, LEAST_SECONDS):
            return Unknown(f"no time was left for {following.name}")
        if following.name != LOOK and not may_go_on():
            return Unknown("something else was decided meanwhile")
        answer = http.send(replace(request, total_seconds=min(request.total_seconds, left)))
        brought = read(plan, following, answer, progress)
        if isinstance(brought, Busy) and brought.seconds <= LONGEST_PAUSE and _fits(brought, until - clock()):
            pause(brought.seconds)
            continue
        if not isinstance(brought, Progress):
            return brought
        progress = brought
    return Unknown(f"no outcome after {MAX_CALLS} calls")


def _fits(busy: Busy, left: timedelta) -> bool:
    return busy.seconds + LEAST_SECONDS <= left / timedelta(seconds=1)
