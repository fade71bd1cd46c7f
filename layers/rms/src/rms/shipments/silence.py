"""When a parcel of which nothing is heard is asked for, when again, and when it is left alone. Pure.

The row of its AWB is due when nothing was heard since the silence began. Webhooks do not touch that row: what they
bring notes its time with the STATUS row, which costs nothing, and a row that comes due is moved on by that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rms.journal import AggregateId
from rms.journal.events import maybe_text, text
from rms.journal.keys import shipment_key
from rms.platform.table import Item, Key
from rms.platform.times import from_text
from rms.shipments.transitions import ENDED

WATCHED_FOR: Final = timedelta(days=60)
"""How long a parcel is watched at most, from the claim of its AWB on."""

CORRECTIONS: Final = timedelta(days=5)
"""How long after its end a parcel is asked for once more: carriers correct themselves, and that may get lost too."""

LONGEST_PAUSE: Final = 3
"""The longest pause of a parcel that stays silent, in silences; the pauses before it are one, and two."""

FAILED: Final = timedelta(hours=1)
"""When parcels are asked for again that an account could not be asked for; for those of the very call that failed,
twice as long each time, up to the silence."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A parcel whose row is due, with the rows that it was found with."""

    aggregate: AggregateId
    awb: str
    due_at: str
    row: Item
    status: Item
    booking: Item | None

    @property
    def key(self) -> Key:
        """The row of its AWB."""
        return shipment_key(self.aggregate.client, self.awb)

    @property
    def since(self) -> datetime:
        """When its AWB was claimed."""
        return from_text(text(self.row, "watched_since"))

    @property
    def heard_at(self) -> datetime:
        """When anything was heard of it last, be it only that it has an AWB."""
        heard = maybe_text(self.status, "heard_at")
        return max(self.since, from_text(heard)) if heard else self.since

    @property
    def has_ended(self) -> bool:
        """Whether its state is one that a parcel stays in."""
        return maybe_text(self.status, "state") in ENDED

    @property
    def in_vain(self) -> int:
        """How often it was asked for since anything was heard of it."""
        asked_at = maybe_text(self.row, "asked_at")
        return 0 if asked_at is None or from_text(asked_at) < self.heard_at else _count(self.row, "in_vain")

    @property
    def failures(self) -> int:
        """How many calls for it have failed in a row."""
        return _count(self.row, "failures")


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It is not silent for long enough: look again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Leave:
    """Nobody asks for it any more."""


def plan(silent: Silent, now: datetime, silence: timedelta) -> Ask | Wait | Leave:
    """What is to be done about a parcel whose row is due."""
    if maybe_text(silent.status, "awb") != silent.awb or now - silent.since > WATCHED_FOR:
        return Leave()
    enough = silent.heard_at + (CORRECTIONS if silent.has_ended else silence)
    return Wait(enough) if enough > now else Ask()


def after_an_answer(silent: Silent, now: datetime, silence: timedelta, *, found: bool) -> datetime | None:
    """When to look again after its aggregator was asked; None: never, it has ended and that is all."""
    if found:
        return now + silence
    if silent.has_ended:
        return None
    return now + silence * min(silent.in_vain + 1, LONGEST_PAUSE)


def after_a_failure(silent: Silent, now: datetime, silence: timedelta) -> datetime:
    """When to look again after a call that asked for it failed."""
    return now + max(FAILED, min(FAILED * (1 << min(silent.failures, 16)), silence))


def _count(row: Item, name: str) -> int:
    value = row.get(name, 0)
    return value if isinstance(value, int) else 0
