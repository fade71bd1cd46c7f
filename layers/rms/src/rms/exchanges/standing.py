"""Whether a replacement order is still such that what was decided may be done to it.

It is asked after every look at the order, so that nothing is done on the strength of what it was a minute ago.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rms.exchanges.decision import Decision, ExchangeItem, Qc, Verdict, qc_of
from rms.exchanges.settings import ExchangeSettings
from rms.partners.shopify.order import Order
from rms.partners.shopify.requests import MAX_HANDLE

_BORNE_OUT_BY: Final = {
    Decision.RELEASE: Qc.PASS,
    Decision.CANCEL_LINES: Qc.MIXED,
    Decision.CANCEL_ORDER: Qc.FAIL,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to which order. `order` is its global id, `items` are those that are exchanged."""

    return_code: str
    order: str
    decision: Decision
    items: tuple[ExchangeItem, ...]

    def __post_init__(self) -> None:
        """Refuse a decision that QC does not bear out: nothing that failed, or may still fail, is ever released."""
        if self.decision in _BORNE_OUT_BY and qc_of(self.items) is not _BORNE_OUT_BY[self.decision]:
            raise ValueError(f"{self.decision} is not what follows from QC")

    @property
    def failed(self) -> Counter[str]:
        """Units that may not go out, by SKU."""
        return self._units(Verdict.FAIL)

    @property
    def passed(self) -> Counter[str]:
        """Units that may go out, by SKU."""
        return self._units(Verdict.PASS)

    def _units(self, verdict: Verdict) -> Counter[str]:
        return Counter(item.sku for item in self.items if item.verdict is verdict and item.sku)


class Standing(StrEnum):
    """What of an order decides whether a plan may be carried out."""

    AS_EXPECTED = "AS_EXPECTED"
    ABSENT = "ABSENT"
    TOO_LARGE = "TOO_LARGE"
    UNMARKED = "UNMARKED"
    """It does not bear the exchange tag."""
    CANCELLED = "CANCELLED"
    SHIPPED = "SHIPPED"
    """What would have to be cancelled has left the house."""
    UNCLEAR = "UNCLEAR"
    """Nothing tells which lines stand for the failed items."""
    OTHER_GOODS = "OTHER_GOODS"
    """It has more units than items are exchanged."""


# decided         the order is   then     why
_ROWS: Final = """
  RELEASE         ABSENT         HOLD     there is nothing to release
  RELEASE         TOO_LARGE      HOLD     it was not read whole
  RELEASE         UNMARKED       HOLD     no order is touched that nobody has marked as an exchange
  RELEASE         CANCELLED      HOLD     the shopper gets nothing although all passed: somebody should know
  CANCEL_LINES    ABSENT         HOLD     there is nothing to cancel
  CANCEL_LINES    TOO_LARGE      HOLD     it was not read whole
  CANCEL_LINES    UNMARKED       HOLD     no order is touched that nobody has marked as an exchange
  CANCEL_LINES    CANCELLED      HOLD     the shopper does not get what passed: somebody should know
  CANCEL_LINES    SHIPPED        HOLD     what failed has left the house
  CANCEL_LINES    UNCLEAR        HOLD     nothing tells which lines stand for what failed
  CANCEL_ORDER    ABSENT         HOLD     it may be another shop's
  CANCEL_ORDER    TOO_LARGE      HOLD     it was not read whole
  CANCEL_ORDER    UNMARKED       HOLD     no order is touched that nobody has marked as an exchange
  CANCEL_ORDER    CANCELLED      DONE     whoever cancelled it
  CANCEL_ORDER    SHIPPED        HOLD     it has left the house, or a part of it has
  CANCEL_ORDER    OTHER_GOODS    HOLD     it has goods that are not of this exchange
"""


def rows() -> list[tuple[Decision, Standing, bool, str]]:
    """The table: what was decided, what the order is, whether the plan is done so (else held), and why."""
    parts = [line.split(maxsplit=3) for line in _ROWS.strip().splitlines()]
    return [(Decision(decided), Standing(order), then == "DONE", why) for decided, order, then, why in parts]


_HINDRANCES: Final = {(decided, order): (done, why) for decided, order, done, why in rows()}


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a plan is not gone on with. `done`: because nothing is left to do; else a person looks at it."""

    standing: Standing
    done: bool
    why: str


def hindrance(settings: ExchangeSettings, plan: Plan, order: Order | None) -> Hindrance | None:
    """What stands in the way of a plan; None when its next step may be taken."""
    for standing in _standings(settings, plan, order):
        if (found := _HINDRANCES.get((plan.decision, standing))) is not None:
            return Hindrance(standing, *found)
    return None


def _standings(settings: ExchangeSettings, plan: Plan, order: Order | None) -> Iterable[Standing]:
    """All that can be said of an order, the weightiest first."""
    if order is None:
        return [Standing.ABSENT]
    found = {
        Standing.TOO_LARGE: not order.whole,
        Standing.UNMARKED: not order.has_tag(settings.exchange_tag),
        Standing.CANCELLED: order.is_cancelled,
        Standing.SHIPPED: _has_shipped(plan, order),
        Standing.UNCLEAR: _is_unclear(plan, order),
        Standing.OTHER_GOODS: not settings.cancels_other_goods
        and sum(line.current for line in order.lines) > len(plan.items),
    }
    return [standing for standing, holds in found.items() if holds] or [Standing.AS_EXPECTED]


def excess(plan: Plan, order: Order) -> Counter[str]:
    """Units that have failed and are still in the order, by SKU: what an edit has to take out.

    Of a SKU of which something failed only what passed may go out.
    """
    passed, left = plan.passed, Counter[str]()
    for line in order.lines:
        left[line.sku] += line.current
    return +Counter({sku: left[sku] - passed[sku] for sku in plan.failed})


def _has_shipped(plan: Plan, order: Order) -> bool:
    if plan.decision is Decision.CANCEL_ORDER:
        return any(line.unfulfilled < line.current for line in order.lines)
    waiting = Counter[str]()
    for line in order.lines:
        waiting[line.sku] += min(line.unfulfilled, line.current)
    return any(waiting[sku] < units for sku, units in excess(plan, order).items())


def _is_unclear(plan: Plan, order: Order) -> bool:
    """Every failed item must name its SKU, and the order must have had just the units of it that were exchanged.

    Were there more, nothing would tell whether one that was taken out since is the one that failed.
    """
    if any(item.verdict is Verdict.FAIL and not item.sku for item in plan.items):
        return True
    ordered = Counter[str]()
    for line in order.lines:
        ordered[line.sku] += line.quantity
    return any(ordered[sku] != units + plan.passed[sku] for sku, units in plan.failed.items())


def handle_of(return_code: str) -> str:
    """The handle of the hold that RMS sets for a return; the same for every try."""
    handle = f"rms-{return_code}"
    if len(handle) <= MAX_HANDLE and handle.isascii() and handle.isprintable():
        return handle
    return f"rms-{hashlib.sha256(return_code.encode()).hexdigest()[:40]}"
