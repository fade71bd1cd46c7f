"""Clickpost's times: India's, whatever they say. Source: ClickPost guide, section 13a."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""India Standard Time: no change of clocks since 1945, so that no database of time zones is needed."""


def read_time(value: object) -> datetime | None:
    """A scan's time in UTC: `YYYY-MM-DD`, a space or a T, `hh:mm:ss`, with or without a fraction and a Z; else None.

    No zone, a Z or +00:00 is read as IST. Only an offset that is not zero can be meant, and is believed.

    Times of return requests, which newer pages call UTC and older ones IST, get the same reading: if that is wrong they
    are 5½ h early, which no later scan notices, while the other mistake would put them ahead of scans still to come.
    """
    if not isinstance(value, str):
        return None
    try:
        stated = datetime.fromisoformat(value.strip())
        local = stated if stated.utcoffset() else stated.replace(tzinfo=IST)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
