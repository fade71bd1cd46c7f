"""What becomes of a replacement order when the goods that it replaces have been looked at. Source: flows, section 6."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What QC said of one item. Values as in `qcStatus`."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class ExchangeItem:
    """One unit of a return for which the shopper wants another one.

    `sku` is what stands for it in the replacement order; None where nobody says. `verdict` is None before QC.
    """

    item_code: str
    sku: str | None
    verdict: Verdict | None


class Qc(StrEnum):
    """What QC said of all items that are exchanged."""

    NONE = "NONE"
    PENDING = "PENDING"
    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    MIXED = "MIXED"


class Decision(StrEnum):
    """What is to be done with the replacement order."""

    NOTHING = "NOTHING"
    WAIT = "WAIT"
    RELEASE = "RELEASE"
    CANCEL_LINES = "CANCEL_LINES"
    """Cancel the lines of what failed, then release the rest."""
    CANCEL_ORDER = "CANCEL_ORDER"
    HOLD = "HOLD"
    """Touch nothing: a person looks at it."""


# RMS edits   QC         then            why
_ROWS: Final = """
  off         NONE       NOTHING         whoever made the replacement order edits it
  off         PENDING    NOTHING         whoever made the replacement order edits it
  off         PASS       NOTHING         whoever made the replacement order edits it
  off         FAIL       NOTHING         whoever made the replacement order edits it
  off         MIXED      NOTHING         whoever made the replacement order edits it
  on          NONE       NOTHING         nothing of this return is exchanged
  on          PENDING    WAIT            an item that nobody has looked at may still fail
  on          PASS       RELEASE         every item came back as it should
  on          FAIL       CANCEL_ORDER    no item came back as it should
  on          MIXED      CANCEL_LINES    what failed is cancelled, then the rest is released
"""

# decided before   decided now      then            why
_REVISED: Final = """
  WAIT             RELEASE          RELEASE         now everything has been looked at
  WAIT             CANCEL_LINES     CANCEL_LINES    now everything has been looked at
  WAIT             CANCEL_ORDER     CANCEL_ORDER    now everything has been looked at
  RELEASE          CANCEL_LINES     HOLD            QC corrected itself, and what failed may be on its way
  RELEASE          CANCEL_ORDER     HOLD            QC corrected itself, and what failed may be on its way
  RELEASE          WAIT             RELEASE         a later item has an exchange of its own; this one is decided
  CANCEL_LINES     RELEASE          HOLD            QC corrected itself: a cancelled line does not come back
  CANCEL_LINES     CANCEL_ORDER     HOLD            QC corrected itself, and the rest may be on its way
  CANCEL_LINES     WAIT             CANCEL_LINES    a later item has an exchange of its own; this one is decided
  CANCEL_ORDER     RELEASE          HOLD            QC corrected itself: a cancelled order does not come back
  CANCEL_ORDER     CANCEL_LINES     HOLD            QC corrected itself: a cancelled order does not come back
  CANCEL_ORDER     WAIT             CANCEL_ORDER    a later item has an exchange of its own; this one is decided
"""


def rows() -> list[tuple[bool, Qc, Decision, str]]:
    """The first table: whether RMS edits, what QC said, what is to be done, and why."""
    parts = [line.split(maxsplit=3) for line in _ROWS.strip().splitlines()]
    return [(edits == "on", Qc(qc), Decision(then), why) for edits, qc, then, why in parts]


def revisions() -> list[tuple[Decision, Decision, Decision, str]]:
    """The second table: what was decided before, what QC asks for now, what is to be done, and why."""
    parts = [line.split(maxsplit=3) for line in _REVISED.strip().splitlines()]
    return [(Decision(before), Decision(now), Decision(then), why) for before, now, then, why in parts]


_DECISIONS: Final = {(edits, qc): then for edits, qc, then, _ in rows()}
_REVISIONS: Final = {(before, now): then for before, now, then, _ in revisions()}


def qc_of(items: Iterable[ExchangeItem]) -> Qc:
    """What QC said of all of them. As long as one was not looked at, nothing is decided."""
    verdicts = {item.verdict for item in items}
    if not verdicts:
        return Qc.NONE
    if None in verdicts:
        return Qc.PENDING
    if verdicts == {Verdict.PASS}:
        return Qc.PASS
    return Qc.FAIL if verdicts == {Verdict.FAIL} else Qc.MIXED


def decide(items: Iterable[ExchangeItem], *, edits_orders: bool) -> Decision:
    """What is to be done with the replacement order of these items."""
    return _DECISIONS[edits_orders, qc_of(items)]


def revised(before: Decision, now: Decision) -> Decision:
    """What is to be done when QC says more, or something else, after something was decided already.

    What was released cannot be fetched back and what was cancelled stays cancelled, so that a change of mind is for a
    person.
    """
    if before is Decision.HOLD:
        return Decision.HOLD
    return _REVISIONS.get((before, now), before if now is Decision.NOTHING else now)
