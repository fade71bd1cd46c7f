"""Times as RMS stores and shows them: aware, UTC, fixed width, so that text order is time order."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """As stored: `2026-01-31T08:15:30.125Z`, always with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """What `to_text` wrote, as an aware datetime in UTC."""
    return datetime.fromisoformat(text)


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970, as notifications carry times."""
    return int(moment.timestamp())
