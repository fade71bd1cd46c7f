"""Time as an argument."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Call it for the time, an aware datetime in UTC. It stands still until it is told."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0, **more: float) -> datetime:
        """Later by so many seconds, or by `minutes=`, `hours=`, `days=`."""
        self.now += timedelta(seconds=seconds, **more)
        return self.now

    def wait(self, seconds: float) -> None:
        """As `time.sleep`, but at once."""
        self.advance(seconds)

    def advance_to(self, moment: datetime) -> datetime:
        """At least this moment; time never goes back."""
        self.now = max(self.now, moment)
        return self.now
