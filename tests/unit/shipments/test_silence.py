"""When a silent parcel is asked for, when again, and when no more."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from rms.journal.keys import return_id
from rms.platform.times import to_text
from rms.shipments.silence import (
    CORRECTIONS,
    FAILED,
    WATCHED_FOR,
    Ask,
    Leave,
    Silent,
    Wait,
    after_a_failure,
    after_an_answer,
    plan,
)
from tests.fakes.clock import FakeClock

NOON: Final = FakeClock()()
SILENCE: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)


def a_parcel(*, heard: timedelta | None = None, state: str = "IN_TRANSIT", awb: str = "1", **row: Any) -> Silent:
    """A parcel whose AWB was claimed at noon; `heard` so long after that."""
    status = {"awb": awb, "state": state, **({"heard_at": _text(heard)} if heard is not None else {})}
    kept = {"watched_since": to_text(NOON), **row}
    return Silent(return_id("lotus", "RET-1"), "1", to_text(NOON), kept, status, None)


def _text(after: timedelta) -> str:
    return to_text(NOON + after)


def in_(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


# ── what is to be done ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("heard", "now", "then"),
    [
        (None, in_(23), Wait(in_(24))),
        (None, in_(24), Ask()),
        (timedelta(0), in_(24), Ask()),
        (5 * HOUR, in_(24), Wait(in_(29))),
        (5 * HOUR, in_(29), Ask()),
        (-5 * HOUR, in_(23), Wait(in_(24))),
    ],
)
def test_a_parcel_is_asked_for_once_nothing_was_heard_of_it_for_the_silence(
    heard: timedelta | None, now: datetime, then: object
) -> None:
    assert plan(a_parcel(heard=heard), now, SILENCE) == then


@pytest.mark.parametrize("state", ["DELIVERED", "RTO_DELIVERED", "RTO_ACKNOWLEDGED", "EXCHANGE_DELIVERED", "CANCELLED"])
def test_one_that_has_ended_waits_until_its_carrier_can_have_corrected_itself(state: str) -> None:
    ended = a_parcel(heard=HOUR, state=state)

    assert plan(ended, in_(48), SILENCE) == Wait(NOON + HOUR + CORRECTIONS)
    assert plan(ended, NOON + HOUR + CORRECTIONS, SILENCE) == Ask()


@pytest.mark.parametrize("state", ["RTO", "LOST", "DAMAGED", "PICKUP_CANCELLED", "PARTIAL_DELIVERED", "UNDELIVERED"])
def test_what_a_carrier_goes_on_with_has_not_ended(state: str) -> None:
    assert plan(a_parcel(state=state), in_(24), SILENCE) == Ask()


def test_nobody_asks_for_ever_nor_for_an_awb_that_its_return_no_longer_has() -> None:
    assert plan(a_parcel(heard=timedelta(days=59)), NOON + WATCHED_FOR + HOUR, SILENCE) == Leave()
    assert plan(a_parcel(awb="2"), in_(24), SILENCE) == Leave()


# ── when again ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("in_vain", "pause"), [(0, 24), (1, 48), (2, 72), (3, 72), (9, 72)])
def test_the_pause_grows_with_every_answer_that_brings_nothing_up_to_three_silences(in_vain: int, pause: int) -> None:
    silent = a_parcel(asked_at=_text(20 * HOUR), in_vain=in_vain)

    assert after_an_answer(silent, in_(30), SILENCE, found=False) == in_(30 + pause)
    assert after_an_answer(silent, in_(30), SILENCE, found=True) == in_(30 + 24)


def test_it_is_short_again_once_anything_was_heard() -> None:
    silent = a_parcel(heard=21 * HOUR, asked_at=_text(20 * HOUR), in_vain=5)

    assert after_an_answer(silent, in_(50), SILENCE, found=False) == in_(50 + 24)


def test_a_parcel_that_has_ended_is_left_when_it_is_asked_for_in_vain() -> None:
    ended = a_parcel(heard=HOUR, state="DELIVERED")

    assert after_an_answer(ended, in_(200), SILENCE, found=False) is None
    assert after_an_answer(ended, in_(200), SILENCE, found=True) == in_(224)


@pytest.mark.parametrize(("failures", "hours"), [(0, 1), (1, 2), (4, 16), (5, 24), (400, 24)])
def test_what_spoilt_a_call_waits_twice_as_long_each_time_up_to_the_silence(failures: int, hours: int) -> None:
    assert after_a_failure(a_parcel(failures=failures), NOON, SILENCE) == in_(hours)


def test_even_where_the_silence_is_short_a_failure_is_not_repeated_at_once() -> None:
    assert after_a_failure(a_parcel(failures=3), NOON, timedelta(minutes=30)) == NOON + FAILED
