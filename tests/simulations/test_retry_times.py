"""An endpoint that never takes a notification is tried when docs/notifications.md says, for 75 hours.

A single order, so that the breaker stays out of it: that opens for different orders. The times are those that the
endpoint saw, with queue, delayed wake-ups and sweeper in between.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from rms.notifications.schedule import DELAYS, JITTER
from rms.platform.http import NoAnswer
from tests.fakes.http import Answer, answer
from tests.simulations.endpoints import TIME_OUT, Behaviour, answers, hangs, refuses_connections
from tests.simulations.timeline import START
from tests.simulations.world import HOUR, MINUTE, simulation

WATCHED: Final = 110 * HOUR
LONGEST_DELAY: Final = 15 * MINUTE
LATE_BY_A_QUEUE: Final = 2.0
"""A wake-up that the queue keeps back comes in whole seconds, and takes a moment to be worked."""
LATE_BY_THE_SWEEPER: Final = 62.0
"""What waits longer than a queue keeps a message is found by the sweep after."""


def no_answer(reason: str) -> Behaviour:
    return answers(NoAnswer(reason, sent=False, elapsed_ms=0), seconds=0.05)


def asking_for_a_date(now: float) -> tuple[float, Answer]:
    """503 and a Retry-After that names the time an hour later."""
    from datetime import timedelta
    from email.utils import format_datetime

    date = START + timedelta(seconds=now + HOUR)
    return 0.1, answer(503, retry_after=format_datetime(date, usegmt=True))


PUBLISHED: Final[Mapping[str, Behaviour]] = {
    "500": answers(answer(500)),
    "502": answers(answer(502)),
    "404": answers(answer(404)),
    "400": answers(answer(400)),
    "422": answers(answer(422)),
    "a redirect": answers(answer(302, location="https://elsewhere.test/")),
    "401 without a credential API": answers(answer(401)),
    "a time-out": hangs,
    "a refused connection": refuses_connections,
    "a TLS failure": no_answer("TLS failure: certificate has expired"),
    "a name that does not resolve": no_answer("the host name does not resolve"),
    "429 that says nothing of time": answers(answer(429)),
    "503 that asks for less than the schedule": answers(answer(503, retry_after="1")),
    "500 that asks for time": answers(answer(500, retry_after="7200")),
}


@pytest.mark.parametrize("behave", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_the_tries_come_when_the_schedule_says_and_then_stop(behave: Behaviour) -> None:
    started, ended = tries_at(behave)

    assert len(started) == len(DELAYS) + 1
    for number, delay in enumerate(DELAYS):
        waited = started[number + 1] - ended[number]
        assert delay * (1 - JITTER) <= waited <= delay * (1 + JITTER) + late_at_most(delay), f"wait {number + 1}"
    assert sum(DELAYS) * (1 - JITTER) <= started[-1] <= sum(DELAYS) * (1 + JITTER) + HOUR / 4


@pytest.mark.parametrize(
    ("behave", "asked"),
    [
        pytest.param(answers(answer(503, retry_after="3600")), HOUR, id="503 with seconds"),
        pytest.param(answers(answer(429, retry_after="3600")), HOUR, id="429 with seconds"),
        pytest.param(asking_for_a_date, HOUR, id="503 with a date"),
        pytest.param(answers(answer(429, retry_after="400")), 400.0, id="429 with less than a queue keeps back"),
    ],
)
def test_a_wish_for_time_is_kept_where_it_is_longer_than_the_schedule(behave: Behaviour, asked: float) -> None:
    started, ended = tries_at(behave)

    assert len(started) == len(DELAYS) + 1
    for number, delay in enumerate(DELAYS):
        waited = started[number + 1] - ended[number]
        least, most = max(delay * (1 - JITTER), asked - 1), max(delay * (1 + JITTER), asked)  # a date has no fractions
        assert least <= waited <= most + late_at_most(max(delay, asked)), f"wait {number + 1}"


def test_a_wish_for_more_than_a_day_is_kept_for_a_day() -> None:
    started, _ = tries_at(answers(answer(503, retry_after="999999")), watched=50 * HOUR)

    assert [round(at / HOUR) for at in started] == [0, 24, 48]


def test_a_410_ends_it_at_once() -> None:
    with simulation() as rms:
        rms.client("lotus")
        shop = rms.endpoint("lotus", "shop", answers(answer(410)))
        rms.timeline.at(0, lambda: rms.appears("lotus", "RET-1"))

        rms.run(80 * HOUR)

        assert len(shop.tries) == 1
        row = rms.row("lotus", "ENDPOINT#shop")
        assert row is not None
        assert "disabled_at" in row


def test_a_single_order_in_trouble_ends_with_the_endpoint_taking_it() -> None:
    """Down for 20 hours: the try after that is taken, and none follows."""
    with simulation() as rms:
        rms.client("lotus")
        down, up = answers(answer(503)), answers(answer(200))
        shop = rms.endpoint("lotus", "shop", lambda now: (down if now < 20 * HOUR else up)(now))
        rms.timeline.at(0, lambda: rms.appears("lotus", "RET-1"))

        rms.run(WATCHED)

        assert [each.taken for each in shop.tries] == [False] * 9 + [True]


def tries_at(behave: Behaviour, watched: float = WATCHED) -> tuple[Sequence[float], Sequence[float]]:
    """When the tries at one order began and ended, as the endpoint saw them, counted from the event."""
    with simulation() as rms:
        rms.client("lotus")
        shop = rms.endpoint("lotus", "shop", behave)
        rms.timeline.at(0, lambda: rms.appears("lotus", "RET-1"))

        rms.run(watched)

        assert len({each.id for each in shop.tries}) == 1
        assert rms.queue.longest < TIME_OUT + 1
        return shop.started, shop.ends


def late_at_most(wait: float) -> float:
    return LATE_BY_A_QUEUE if wait * (1 + JITTER) <= LONGEST_DELAY else LATE_BY_THE_SWEEPER
