"""Shiprocket's times: India's, day first in webhooks, year first elsewhere. Source: Shiprocket guide, section 10."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""India Standard Time: no change of clocks since 1945, so that no database of time zones is needed."""

_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[ /.-]([0-9]{1,2})[ /.-]([0-9]{4})[ T]([0-9]{1,2}):([0-9]{2}):([0-9]{2})")


def read_time(value: object) -> datetime | None:
    """A time in UTC: `DD MM YYYY HH:mm:ss` or `YYYY-MM-DD HH:mm:ss`, India's unless it names an offset; else None.

    An unset time, `0000-00-00 00:00:00`, is None as well.
    """
    if not isinstance(value, str):
        return None
    try:
        stated = _stated(value.strip())
        local = stated if stated.tzinfo else stated.replace(tzinfo=IST)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _stated(text: str) -> datetime:
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year, hour, minute, second = (int(part) for part in found.groups())
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone is India's, added by the caller
    return datetime.fromisoformat(text)


def day_of(moment: datetime) -> date:
    """The day in India."""
    return moment.astimezone(IST).date()
