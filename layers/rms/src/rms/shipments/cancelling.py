"""Cancelling a parcel, whichever way it goes: wished for, asked of its aggregator, certain, told.

The wish is a row of its own with a fence and a time, like a booking. Any aggregator may be asked again: "cancelled
before" is a yes. So whatever breaks off is asked once more. What is told is certain: an aggregator that takes a cancel
in hand has not cancelled yet. See docs/adr, "A cancellation is told when it is certain".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from rms.aggregators import registry
from rms.aggregators.contract import Cancelled, RefusalKind, Refused, Unknown
from rms.clients.accounts import open_account
from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.cursors import CLOCK_SKEW
from rms.journal.events import maybe_text, number, text
from rms.journal.hearing import BROUGHT
from rms.journal.keys import due_shard
from rms.model.documents import from_document
from rms.model.notification_type import NotificationType
from rms.model.outcomes import CancelDone, CancelOutcome, CancelPending, CancelRefused, TooLateToCancel
from rms.platform.errors import NotFoundError
from rms.platform.observability import count, logger
from rms.platform.table import (
    NEW,
    ConditionFailedError,
    Equals,
    Expect,
    Item,
    Put,
    TableContendedError,
    Update,
    Value,
    Write,
)
from rms.platform.times import from_text, to_text
from rms.shipments.booking import HELD, PATIENCE, SETTLE, UNSETTLED, BookingState, look_again
from rms.shipments.cancel_calls import answer_to_cancel, shipment_of
from rms.shipments.order_states import AT_HAND, OrderState, is_new, order_state, sighted
from rms.shipments.transitions import WITH_THE_COURIER, state_key
from rms.shipments.wake import wake_tellers
from rms.shipments.walk import LEAST_SECONDS, WHILE_A_CLIENT_WAITS


class CancellationState(StrEnum):
    """Where a wish to cancel stands."""

    WANTED = "WANTED"
    """The booking is not settled: when it is, the parcel is cancelled."""
    CALLING = "CALLING"
    """A call is under way, or the caller died. Belongs to the holder of the fence until it is due."""
    UNKNOWN = "UNKNOWN"
    """Asked, without a clear answer: ask again."""
    ACCEPTED = "ACCEPTED"
    """The aggregator or its carrier will do it in its own time: ask whether it has."""
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"
    HELD = "HELD"
    """Nothing helped: a person looks at it. The same wish again starts over."""


OPEN: Final = (
    CancellationState.WANTED,
    CancellationState.CALLING,
    CancellationState.UNKNOWN,
    CancellationState.ACCEPTED,
)

IN_ITS_OWN_TIME: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240, 480, 480))
"""Pauses between looks at a cancel that was taken in hand: a day in all."""

CHANNELS_OWN: Final = "the courier was booked by the channel: cancel it there, too"
"""What is left to do where RMS has booked nothing."""

_ROUNDS: Final = 5


type _Move = Callable[[AggregateId, datetime, Item], dict[str, Value]]
"""What a cancellation changes on the STATUS row."""


class _AtHandError(Exception):
    """The goods are in the warehouse's hands."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The rows that say what can be done about a parcel."""

    aggregate: AggregateId
    document: Item
    status: Item
    booking: Item | None
    wish: Item | None

    @property
    def parcel(self) -> str:
        """The state of the parcel."""
        return text(self.status, "state")

    @property
    def too_late(self) -> str | None:
        """The state in which nothing can be cancelled any more: the parcel's, or that of goods that are checked."""
        if self.parcel in WITH_THE_COURIER:
            return self.parcel
        reached = order_state(self.status) if self.aggregate.kind == "R" else None
        return reached.value if reached in AT_HAND else None

    @property
    def booked(self) -> BookingState | None:
        """The state of its booking; None when RMS made none."""
        return None if self.booking is None else BookingState(text(self.booking, "state"))

    @property
    def wished(self) -> CancellationState | None:
        """The state of the wish; None when there was none."""
        return None if self.wish is None else CancellationState(text(self.wish, "state"))


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to ask the aggregator: nobody else's fence is on the row. `looks` counts tries since `accepted`."""

    seen: _Seen
    booking: Item
    fence: str
    wanted_at: str
    looks: int
    accepted: bool

    @property
    def aggregate(self) -> AggregateId:
        """What is to be cancelled."""
        return self.seen.aggregate


def cancel_shipment(core: Core, aggregate: AggregateId, *, left_to_do: str | None = CHANNELS_OWN) -> CancelOutcome:
    """Cancel a return or a forward parcel at whoever was to collect it.

    `left_to_do` is remarked where RMS has booked nothing; None where the channel itself has cancelled.

    The same wish again gets the same answer, and is tried anew where it was refused or held. A booking whose outcome is
    not known yet is cancelled once it is.

    Raises:
        NotFoundError: no such return or parcel, or another client's.
        TableContendedError: others kept changing it; nothing was written.
    """
    until = core.clock() + WHILE_A_CLIENT_WAITS
    for _ in range(_ROUNDS):
        seen = _look(core, aggregate)
        if seen is None:
            raise NotFoundError("No such return order or shipment")
        outcome = _standing(seen) or _pursue(core, seen, until, left_to_do)
        if outcome is not None:
            return outcome
    raise TableContendedError("a parcel kept changing while it was to be cancelled")


def settle_cancellation(core: Core, aggregate: AggregateId, until: datetime) -> CancelOutcome | None:
    """Go on with a wish that is due, or whose booking is settled now; None when there is nothing to do.

    No call is begun that could not end before `until`.
    """
    seen, now = _look(core, aggregate), core.clock()
    if seen is None or seen.wish is None or not _is_at_hand(seen, seen.wish, now):
        return None
    if seen.wished is CancellationState.WANTED and seen.booked in UNSETTLED:
        _write(core, seen, _waiting_row(core, seen))
        return None
    if (until - now).total_seconds() < LEAST_SECONDS:
        return None  # it is still due: the next message has more time
    if seen.booked is BookingState.HELD:
        return _hold(core, _claim_of(seen, seen.wish), "nobody knows whether it was booked")
    if seen.too_late is not None:
        return _refuse(core, _claim_of(seen, seen.wish), "TOO_LATE", f"the parcel is {seen.too_late} already")
    return _pursue(core, seen, until)


# ── what is to be done ──────────────────────────────────────────────────────────────


def _look(core: Core, aggregate: AggregateId) -> _Seen | None:
    keys = [aggregate.document, aggregate.status, aggregate.booking, aggregate.cancellation]
    rows = core.table.get_many(keys)
    if aggregate.document not in rows:
        return None
    return _Seen(
        aggregate,
        rows[aggregate.document],
        rows[aggregate.status],
        rows.get(aggregate.booking),
        rows.get(aggregate.cancellation),
    )


def _is_at_hand(seen: _Seen, wish: Item, now: datetime) -> bool:
    """Whether a wish is due, or waits for a booking that is settled; else somebody is at it, or it is too early."""
    if seen.wished is CancellationState.WANTED and seen.booked not in UNSETTLED:
        return True
    return seen.wished in OPEN and text(wish, "due_at") <= to_text(now + CLOCK_SKEW)


def _standing(seen: _Seen) -> CancelOutcome | None:
    """The answer to a wish that needs nothing done."""
    code = seen.aggregate.code
    if seen.too_late is not None:
        return TooLateToCancel(code, seen.too_late)
    match seen.wished:
        case CancellationState.CANCELLED:
            assert seen.wish is not None
            return CancelDone(code, maybe_text(seen.wish, "remark"))
        case CancellationState.CALLING | CancellationState.UNKNOWN | CancellationState.ACCEPTED:
            return CancelPending(code)
        case CancellationState.WANTED if seen.booked in UNSETTLED:
            return CancelPending(code)
        case _:
            return None


def _pursue(core: Core, seen: _Seen, until: datetime, left_to_do: str | None = CHANNELS_OWN) -> CancelOutcome | None:
    """Do what the booking asks for; None when it changed meanwhile."""
    match seen.booked:
        case BookingState.CALLING | BookingState.WORKING | BookingState.UNKNOWN | BookingState.HELD:
            return _wait_for_the_booking(core, seen)
        case BookingState.BOOKED | BookingState.ORDERED:
            return _ask(core, seen, until)
        case BookingState.REFUSED if seen.booking is not None and "order_id" in seen.booking:
            return _ask(core, seen, until)  # no AWB, but the order that was made before is there
        case _:
            return _at_once(core, seen, left_to_do)


def _wait_for_the_booking(core: Core, seen: _Seen) -> CancelOutcome | None:
    assert seen.booking is not None
    if not _write(core, seen, _waiting_row(core, seen)):
        return None
    if seen.booked is BookingState.HELD:
        look_again(core, seen.aggregate, seen.booking)
        return CancelPending(seen.aggregate.code)
    there = core.table.get(seen.aggregate.booking)
    # Settled while we wrote: whoever settled it may have looked for a wish before there was one.
    settled = there is not None and BookingState(text(there, "state")) not in UNSETTLED
    return None if settled else CancelPending(seen.aggregate.code)


def _waiting_row(core: Core, seen: _Seen) -> Item:
    """A wish that waits: as long as the booking does, or as a look at one that is held takes."""
    assert seen.booking is not None
    now = core.clock()
    due = to_text(now + SETTLE)
    if seen.booked in UNSETTLED:
        due = max(text(seen.booking, "due_at"), to_text(now + CLOCK_SKEW))
    return _row(core, seen, CancellationState.WANTED, due_at=due, due_shard=due_shard(seen.aggregate.pk))


def _at_once(core: Core, seen: _Seen, left_to_do: str | None) -> CancelOutcome | None:
    """Nobody was sent for through RMS."""
    remark = None
    if seen.booked in {None, BookingState.WITHDRAWN}:
        if seen.booking is None and _is_announced(seen):
            return _placed_elsewhere(seen)
        remark = left_to_do
    fence = None if seen.wish is None else text(seen.wish, "fence")
    try:
        return _finish(core, seen, fence, remark, _moved_unless_at_hand)
    except _AtHandError:
        return None  # checked by the warehouse since we looked: too late


def _is_announced(seen: _Seen) -> bool:
    """Whether a return was placed at the aggregator, and not through RMS."""
    return seen.aggregate.kind == "R" and not from_document(text(seen.document, "body")).booked_by_channel


def _placed_elsewhere(seen: _Seen) -> CancelOutcome:
    """Whoever placed it at the aggregator cancels it there; RMS only hears of it."""
    if seen.parcel == NotificationType.CANCELLED:
        return CancelDone(seen.aggregate.code)
    where = maybe_text(seen.status, "aggregator") or "the aggregator"
    return CancelRefused(
        seen.aggregate.code, f"it was placed at {where}: cancel it there, and RMS tells what comes of it"
    )


# ── asking the aggregator ───────────────────────────────────────────────────────────


def _ask(core: Core, seen: _Seen, until: datetime) -> CancelOutcome | None:
    claim = _claimed(core, seen)
    if claim is None:
        return None
    booking = claim.booking
    configured = configuration_of(core, seen.aggregate.client).accounts.get(text(booking, "account"))
    if configured is None:
        return _hold(core, claim, "the aggregator account is gone")
    aggregator = registry.aggregator_of(configured.aggregator)
    account = open_account(core, seen.aggregate.client, configured)
    shipment = shipment_of(seen.aggregate, booking)
    return _settle(core, claim, answer_to_cancel(core, aggregator, account, shipment, until, accepted=claim.accepted))


def _settle(core: Core, claim: _Claim, answer: Cancelled | Refused | Unknown) -> CancelOutcome | None:
    match answer:
        case Cancelled(later=False):
            return _finish(core, claim.seen, claim.fence, None, _moved)
        case Cancelled():
            accepted = claim if claim.accepted else replace(claim, accepted=True, looks=1)
            return _wait(core, accepted, "the aggregator has taken it in hand")
        case Unknown(reason):
            return _wait(core, claim, reason)
        case Refused(RefusalKind.CONFIGURATION, refusal, words):
            return _hold(core, claim, f"the aggregator does not let us cancel ({refusal}): {words}")
        case Refused(_, refusal, words):
            return _refuse(core, claim, refusal, words)


def _claimed(core: Core, seen: _Seen) -> _Claim | None:
    """The claim to ask now: going on with what was asked before, else from the beginning."""
    assert seen.booking is not None
    begun = seen.wish if seen.wished in OPEN and seen.wished is not CancellationState.WANTED else None
    looks = 1 if begun is None else number(begun, "looks") + 1
    accepted = begun is not None and bool(begun.get("accepted"))
    due: dict[str, Value] = {"due_at": to_text(core.clock() + SETTLE), "due_shard": due_shard(seen.aggregate.pk)}
    row = _row(core, seen, CancellationState.CALLING, looks=looks, accepted=accepted, **due)
    return _claim_of(seen, row) if _write(core, seen, row) else None


def _claim_of(seen: _Seen, row: Item) -> _Claim:
    looks, accepted = row.get("looks", 0), bool(row.get("accepted"))
    assert isinstance(looks, int)
    return _Claim(seen, seen.booking or {}, text(row, "fence"), text(row, "wanted_at"), looks, accepted)


# ── what comes of it ────────────────────────────────────────────────────────────────


def _finish(core: Core, seen: _Seen, fence: str | None, remark: str | None, move: _Move) -> CancelOutcome | None:
    """Note that it is cancelled and have everybody told, in one transaction; None when a row changed meanwhile.

    `fence` is on the row of the wish, None where there is none yet. Nothing is told that a scan has told before.
    """
    aggregate, now = seen.aggregate, core.clock()
    change = partial(move, aggregate, now)

    def event(status: Item) -> Event:
        """There is one in a life, and its id says so."""
        known = status["state"] == NotificationType.CANCELLED and "cancelled_told" in status
        told = None if known else NotificationType.CANCELLED
        named = {name: maybe_text(status, name) for name in ("aggregator", "awb", "courier")} | {"remark": remark}
        cancelled = is_new(aggregate, status, change(status), OrderState.CANCELLED)
        named |= {BROUGHT: OrderState.CANCELLED.value if cancelled else None}
        facts = {name: value for name, value in named.items() if value}
        return Event(EventKind.CANCELLED.value, EventKind.CANCELLED, now, now, told, facts)

    more = {"remark": remark} if remark else {}
    row = _row(core, seen, CancellationState.CANCELLED, settled_at=to_text(now), **more)
    also = [_replaced(aggregate, fence, row), _booking_cancelled(seen, text(row, "fence"), now)]
    everybody = configuration_of(core, aggregate.client).readers
    match core.journal.append(aggregate, event, change, readers=everybody, also=also):
        case Appended(readers=readers):
            wake_tellers(core, aggregate, readers)
            return CancelDone(aggregate.code, remark)
        case Duplicate():
            return CancelDone(aggregate.code, remark)
        case Blocked():
            return None


def _moved(aggregate: AggregateId, now: datetime, status: Item) -> dict[str, Value]:
    """The states afterwards. A scan by a clock ahead of ours was before this all the same.

    `cancelled_at` says that RMS has cancelled, so that its carrier's own word of it is no news.
    """
    best = maybe_text(status, "state_key") or ""
    at = max(now, from_text(best.split("#")[1])) if best else now
    key = state_key(NotificationType.CANCELLED, at)
    assert key is not None, "CANCELLED has a rank"
    state = {"state": NotificationType.CANCELLED.value, "state_key": key} if key > best else {}
    order = sighted(aggregate, status, NotificationType.CANCELLED, key)
    return {**state, **order, "cancelled_at": to_text(now)}


def _moved_unless_at_hand(aggregate: AggregateId, now: datetime, status: Item) -> dict[str, Value]:
    """As `_moved`, where nobody outside has cancelled yet, so that it is ours to say no.

    Raises:
        _AtHandError: the warehouse has checked the goods.
    """
    if aggregate.kind == "R" and order_state(status) in AT_HAND:
        raise _AtHandError
    return _moved(aggregate, now, status)


def _booking_cancelled(seen: _Seen, fence: str, now: datetime) -> Write:
    """The booking's end. Whoever books under this code again needs another reference."""
    facts: dict[str, Value] = {
        "state": BookingState.CANCELLED.value,
        "fence": fence,
        "cancelled_at": to_text(now),
    }
    key, booking = seen.aggregate.booking, seen.booking
    if booking is None:
        return Put(key, {**facts, "generation": 1}, NEW)
    unchanged: Expect = {name: Equals(text(booking, name)) for name in ("state", "fence")}
    return Update(key, expect=unchanged, set=facts, add={"generation": 1})


def _wait(core: Core, claim: _Claim, reason: str) -> CancelOutcome:
    """Not certain: ask again after a pause that grows; after the last pause, hold it for a person."""
    pauses = IN_ITS_OWN_TIME if claim.accepted else PATIENCE
    if claim.looks > len(pauses):
        return _hold(core, claim, reason)
    state = CancellationState.ACCEPTED if claim.accepted else CancellationState.UNKNOWN
    # Not the reason: it may quote the aggregator, and that the shopper. It stands with the wish.
    logger.info("cancellation not settled", state=state.value, looks=claim.looks)
    row = _row(
        core,
        claim.seen,
        state,
        looks=claim.looks,
        accepted=claim.accepted,
        reason=reason,
        due_at=to_text(core.clock() + pauses[claim.looks - 1]),
        due_shard=due_shard(claim.aggregate.pk),
    )
    _overwrite(core, claim.aggregate, claim.fence, row)
    return CancelPending(claim.aggregate.code)


def _hold(core: Core, claim: _Claim, reason: str) -> CancelOutcome:
    count("CancellationHeld")
    logger.error("cancellation held", looks=claim.looks)  # not the reason, as above
    now = to_text(core.clock())
    row = _row(core, claim.seen, CancellationState.HELD, reason=reason, due_at=now, due_shard=HELD)
    _note(core, claim, EventKind.CANCELLATION_HELD, {"reason": reason}, row)
    return CancelPending(claim.aggregate.code)


def _refuse(core: Core, claim: _Claim, refusal: str, words: str) -> CancelOutcome:
    logger.info("cancellation refused", refusal=refusal)
    row = _row(core, claim.seen, CancellationState.REFUSED, words=words)
    _note(core, claim, EventKind.CANCELLATION_REFUSED, {"refusal_code": refusal, "words": words}, row)
    return CancelRefused(claim.aggregate.code, words)


def _note(core: Core, claim: _Claim, kind: EventKind, facts: Mapping[str, Value], row: Item) -> None:
    """Write what became of the wish, unless somebody holds it by now, who writes what they find."""
    now = core.clock()
    event = Event(f"{kind}:{claim.fence}", kind, now, now, None, facts)
    core.journal.append(claim.aggregate, event, lambda _: {}, also=[_replaced(claim.aggregate, claim.fence, row)])


# ── the row ─────────────────────────────────────────────────────────────────────────


def _row(core: Core, seen: _Seen, state: CancellationState, **more: Value) -> Item:
    """The CANCELLATION row in this state, under a fence of its own."""
    since = to_text(core.clock()) if seen.wish is None else text(seen.wish, "wanted_at")
    return {"state": state.value, "fence": core.fences(), "wanted_at": since, **more}


def _replaced(aggregate: AggregateId, fence: str | None, row: Item) -> Put:
    return Put(aggregate.cancellation, row, NEW if fence is None else {"fence": Equals(fence)})


def _write(core: Core, seen: _Seen, row: Item) -> bool:
    """Whether the row is written in the place of the one that was seen."""
    return _overwrite(core, seen.aggregate, None if seen.wish is None else text(seen.wish, "fence"), row)


def _overwrite(core: Core, aggregate: AggregateId, fence: str | None, row: Item) -> bool:
    try:
        core.table.write(_replaced(aggregate, fence, row))
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and there.get("fence") == row["fence"]  # ours: the reply to a first try was lost
    return True
