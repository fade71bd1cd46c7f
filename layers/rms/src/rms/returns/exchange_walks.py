"""Do at the shop what was decided about a replacement order: INTENT → CALLING → DONE | HELD | UNKNOWN.

The walk itself is in `rms.exchanges`: it looks at the order before every step. Before every step it is asked here, too,
whether the decision still stands, so that a correction stops a walk that is under way.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from rms.clients.configuration import configuration_of
from rms.clients.stores import exchange_settings, open_store
from rms.core import Core
from rms.exchanges import After, Decision, Ended, ExchangeState, Held, Plan, after, walk
from rms.exchanges.booking import SETTLE
from rms.exchanges.walking import LEAST_SECONDS
from rms.journal import AggregateId, Event, EventKind
from rms.journal.cursors import CLOCK_SKEW
from rms.journal.events import number, text
from rms.journal.keys import due_shard
from rms.model.documents import from_document
from rms.partners.shopify import order_gid
from rms.platform.observability import count, logger
from rms.platform.table import AtMost, ConditionFailedError, Equals, Item, Update, Value
from rms.platform.times import to_text
from rms.returns.replacing import exchanged
from rms.returns.results import last_words, read_with_calls
from rms.shipments.booking import HELD
from rms.shipments.wake import wake_exchange

OPEN: Final = (ExchangeState.INTENT, ExchangeState.CALLING, ExchangeState.UNKNOWN)

_LONGEST_WAKE: Final = 900
"""Most seconds that a message may wait; what takes longer the sweeper sends."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to call the shop: nobody else's fence is on the row. `row` is as it was before."""

    aggregate: AggregateId
    row: Item
    fence: str
    walks: int


def settle_exchange(core: Core, aggregate: AggregateId, until: datetime) -> ExchangeState | None:
    """Go on with an exchange that is due; None when there is nothing to do, or no time left.

    Whoever asks, one holds the fence. What is not certain is looked at again with growing pauses and, after two hours,
    held for a person; what a shop puts off for want of points is done when it has them.
    """
    row = core.table.get(aggregate.exchange)
    if row is None or text(row, "state") not in OPEN or (until - core.clock()).total_seconds() < LEAST_SECONDS:
        return None
    claim = _claimed(core, aggregate, row)
    if claim is None:
        return None
    ended = _walked(core, claim, until)
    return _settled(core, claim, ended)


def _claimed(core: Core, aggregate: AggregateId, row: Item) -> _Claim | None:
    now, fence, walks = core.clock(), core.fences(), number(row, "walks") + 1
    try:
        core.table.write(
            Update(
                aggregate.exchange,
                expect={
                    "fence": Equals(text(row, "fence")),
                    "state": Equals(text(row, "state")),
                    "due_at": AtMost(to_text(now + CLOCK_SKEW)),
                },
                set={
                    "state": ExchangeState.CALLING.value,
                    "fence": fence,
                    "walks": walks,
                    "due_at": to_text(now + SETTLE),
                },
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("fence") != fence:
            return None
    return _Claim(aggregate, row, fence, walks)


def _walked(core: Core, claim: _Claim, until: datetime) -> Ended:
    row, decision = claim.row, Decision(text(claim.row, "decision"))
    if decision is Decision.HOLD:
        return Held(text(row, "because"))
    store = configuration_of(core, claim.aggregate.client).stores.get(text(row, "store"))
    if store is None:
        return Held("the Shopify store is gone")
    settings = exchange_settings(store)
    if not settings.edits_orders:
        return Held("RMS no longer edits the orders of this store")
    try:
        plan = _plan(core, claim, decision)
    except ValueError as error:
        return Held(str(error))
    shop = open_store(core, claim.aggregate.client, store)
    still = _still(core, claim)
    return walk(core.http, core.clock, settings, shop, plan, may_go_on=still, pause=core.pause, until=until)


def _plan(core: Core, claim: _Claim, decision: Decision) -> Plan:
    """What is to be done, by the verdicts on whose strength it was decided: rows of QC results never change."""
    aggregate, calls = claim.aggregate, number(claim.row, "qc")
    rows, keys = read_with_calls(core, aggregate, calls, [aggregate.document])
    order = from_document(text(rows[aggregate.document], "body"))
    items = exchanged(claim.row, order, last_words(rows, keys))
    return Plan(aggregate.code, order_gid(text(claim.row, "order")), decision, items)


def _still(core: Core, claim: _Claim) -> Callable[[], bool]:
    """Whether the claim still holds. No step is taken on a decision that was taken back."""

    def may_go_on() -> bool:
        there = core.table.get(claim.aggregate.exchange)
        return there is not None and there.get("fence") == claim.fence

    return may_go_on


# ── what comes of it ────────────────────────────────────────────────────────────────


def _settled(core: Core, claim: _Claim, ended: Ended) -> ExchangeState:
    then = after(ended, claim.walks)
    settle: Mapping[ExchangeState, Callable[[], None]] = {
        ExchangeState.DONE: partial(_done, core, claim),
        ExchangeState.HELD: partial(_held, core, claim, then),
        ExchangeState.UNKNOWN: partial(_put_off, core, claim, then),
    }
    settle[then.state]()
    return then.state


def _done(core: Core, claim: _Claim) -> None:
    decision, now = Decision(text(claim.row, "decision")), core.clock()
    kind = EventKind.EXCHANGE_CANCELLED if decision is Decision.CANCEL_ORDER else EventKind.EXCHANGE_RELEASED
    done = Update(
        claim.aggregate.exchange,
        expect={"fence": Equals(claim.fence)},
        set={"state": ExchangeState.DONE.value, "settled_at": to_text(now)},
        remove=("due_at", "due_shard", "reason"),
    )
    facts = {"order": text(claim.row, "order"), "decision": decision.value, "qc": str(number(claim.row, "qc"))}
    _note(core, claim, kind, facts, done)


def _held(core: Core, claim: _Claim, then: After) -> None:
    now = core.clock()
    held = Update(
        claim.aggregate.exchange,
        expect={"fence": Equals(claim.fence)},
        set={"state": ExchangeState.HELD.value, "reason": then.reason, "due_shard": HELD, "due_at": to_text(now)},
    )
    # Not the reason: it quotes the shop. It stands with the exchange.
    logger.error("exchange held", walks=claim.walks, for_operator=then.for_operator)
    count("ExchangeHeld")
    _note(core, claim, EventKind.EXCHANGE_HELD, {"order": text(claim.row, "order"), "reason": then.reason}, held)


def _put_off(core: Core, claim: _Claim, then: After) -> None:
    assert then.pause is not None, "what is not certain is looked at again"
    logger.info("exchange not settled", walks=claim.walks, asked_to_wait=not then.counts)
    again: dict[str, Value] = {
        "state": ExchangeState.UNKNOWN.value,
        "reason": then.reason,
        "walks": claim.walks if then.counts else claim.walks - 1,
        "due_at": to_text(core.clock() + then.pause),
        "due_shard": due_shard(claim.aggregate.pk),
    }
    try:
        core.table.write(Update(claim.aggregate.exchange, expect={"fence": Equals(claim.fence)}, set=again))
    except ConditionFailedError:
        return  # something else was decided meanwhile, and somebody else is woken for it
    seconds = math.ceil(then.pause.total_seconds())
    if not then.counts and seconds <= _LONGEST_WAKE:
        wake_exchange(core, claim.aggregate, delay_seconds=seconds)


def _note(core: Core, claim: _Claim, kind: EventKind, facts: Mapping[str, Value], row: Update) -> None:
    """Write what became of it, unless something else was decided meanwhile."""
    now = core.clock()
    event = Event(f"{kind}:{claim.fence}", kind, now, now, None, facts)
    core.journal.append(claim.aggregate, event, lambda _: {}, also=[row])
