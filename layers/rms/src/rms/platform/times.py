"""Times as RMS stores and shows them: aware, UTC, fixed width, so that text order is time order."""

import re
from datetime import UTC, datetime
from typing import Final

YEARS: Final = range(1970, 2200)
"""Years that a time from outside may have; outside them it is a mistake, and its conversion to UTC may overflow."""

TIME_EXPECTED: Final = "must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30"

_STATED: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def to_text(moment: datetime) -> str:
    """As stored: `2026-01-31T08:15:30.125Z`, always with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """What `to_text` wrote, as an aware datetime in UTC."""
    return datetime.fromisoformat(text)


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970, as notifications carry times."""
    return int(moment.timestamp())


def stated_time(text: str) -> datetime | None:
    """A time that a client wrote, with the zone that it wrote; None when it is not as TIME_EXPECTED says."""
    if not _STATED.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a 13th month
        return None
