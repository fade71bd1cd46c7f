"""Shipway's times: `YYYY-MM-DD HH:mm:ss` without a zone, which is read as India's. Source: Shipway guide, section 6."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""India Standard Time: no change of clocks since 1945, so that no database of time zones is needed."""


def read_time(value: object) -> datetime | None:
    """A time in UTC; a zone, where one is stated, is believed. None for what is no time, such as all zeros."""
    if not isinstance(value, str):
        return None
    try:
        stated = datetime.fromisoformat(value.strip())
        return (stated if stated.tzinfo else stated.replace(tzinfo=IST)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_text(moment: datetime) -> str:
    """A moment in Shipway's own form."""
    return moment.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")
