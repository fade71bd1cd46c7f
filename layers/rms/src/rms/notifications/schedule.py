"""When a notification that was not taken is tried again. Pure: the clock and the chance are arguments."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600

DELAYS: Final = (
    5,
    30,
    2 * _MINUTE,
    10 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Seconds to wait after the first failed try, the second, … about 75 hours in all. Published to clients."""

JITTER: Final = 0.1
"""Each delay varies by up to this part of itself, so that what failed together does not come back together."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
"""A receiver may ask for a pause, but not for ever."""

_DIGITS: Final = 8
"""A number of seconds with more digits is beyond the cap, and may be beyond what int and timedelta take."""

_HTTP_DATES: Final = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
"""The three forms of RFC 9110, section 5.6.7; all mean UTC."""


def next_try(attempts_made: int, jitter: float) -> float | None:
    """Seconds from the last try to the next, or None when the schedule is used up and the cursor stands still.

    `attempts_made` counts the failed tries, the last one included. `jitter` is a random number from 0 to 1.
    """
    if attempts_made > len(DELAYS):
        return None
    if attempts_made < 1:
        return 0.0
    return DELAYS[attempts_made - 1] * (1 + JITTER * (2 * jitter - 1))


def next_try_at(now: datetime, attempts_made: int, jitter: float, not_before: datetime | None) -> datetime | None:
    """As `next_try`, as a time: never before the schedule says, nor before `not_before`, the receiver's own wish."""
    seconds = next_try(attempts_made, jitter)
    if seconds is None:
        return None
    scheduled = now + timedelta(seconds=seconds)
    return scheduled if not_before is None else max(scheduled, not_before)


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The time that an answer's Retry-After asks to wait for, at most 24 hours away; None if it says nothing useful.

    `headers` have lower-case names. The value is a number of seconds or an HTTP date.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = int(value) if len(value) <= _DIGITS else LONGEST_RETRY_AFTER.total_seconds()
        wished = now + timedelta(seconds=seconds)
    else:
        date = _http_date(value)
        if date is None:
            return None
        wished = date
    return min(wished, now + LONGEST_RETRY_AFTER) if wished > now else None


def _http_date(value: str) -> datetime | None:
    for form in _HTTP_DATES:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
