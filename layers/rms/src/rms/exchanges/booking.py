"""What the row of an exchange becomes after a walk: it is a booking, as every side effect outside is.

It starts LINKED, when RMS hears which order replaces the goods. INTENT is written with the decision; whoever walks has
CALLING with a fence and the time to look again, so that a crash leaves a row that is due. See docs/adr, "A side effect
outside is a booking, never a call".
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from rms.exchanges.walk import Ended, Finished, Held, Working
from rms.partners.results import Blame, Busy, Unknown


class ExchangeState(StrEnum):
    """Where the work on a replacement order stands."""

    LINKED = "LINKED"
    """Nothing is decided yet, or RMS does not edit the order."""
    INTENT = "INTENT"
    """Decided, and nothing was asked of Shopify yet."""
    CALLING = "CALLING"
    """A walk is under way, or the walker died. Belongs to the holder of the fence until it is due."""
    UNKNOWN = "UNKNOWN"
    """Not certain, or not finished: another walk looks at the order first."""
    DONE = "DONE"
    HELD = "HELD"
    """A person looks at it; the reason stands with it."""


SETTLE: Final = timedelta(seconds=90)
"""How long a walk may be under way: longer than any function runs, so that no call of it is still to land."""

PATIENCE: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 10, 20, 30, 60))
"""Pauses between walks whose outcome is not certain; after the last one a person looks at it."""


@dataclass(frozen=True, slots=True)
class After:
    """What to write after a walk. `pause` is None when nothing more is to be done by itself.

    `counts`: the walk uses up patience, so that the next one has the next number.
    """

    state: ExchangeState
    pause: timedelta | None = None
    reason: str = ""
    for_operator: bool = False
    counts: bool = True


def after(ended: Ended, walks: int) -> After:
    """What the row becomes when walk number `walks`, from 1, has ended so."""
    match ended:
        case Finished():
            return After(ExchangeState.DONE)
        case Held(reason, blame):
            return After(ExchangeState.HELD, None, reason, for_operator=blame is Blame.CONFIGURATION)
        case Busy(seconds):
            # Many exchanges share a shop's points: being asked to wait says nothing of this one.
            pause = timedelta(seconds=seconds)
            return After(ExchangeState.UNKNOWN, pause, "Shopify wants to be asked later", counts=False)
        case Working(reason) | Unknown(reason) if walks <= len(PATIENCE):
            # A lost call may still land: the next look waits until it hardly can.
            return After(ExchangeState.UNKNOWN, max(PATIENCE[walks - 1], SETTLE), reason)
        case Working(reason) | Unknown(reason):
            return After(ExchangeState.HELD, None, reason)
