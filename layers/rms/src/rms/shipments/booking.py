"""Booking an AWB: a side effect outside, so never just a call. CALLING → BOOKED | REFUSED | WORKING | UNKNOWN.

Or ORDERED, where no more than the order was asked for.

The row is written before the call, with a fence and the time at which it is due to be looked at again. A time-out, a
5xx or a crash leaves it so that the sweeper finds it, and what then happens is a look-up under our reference, never
a second blind call. See docs/adr, "A side effect outside is a booking".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rms.aggregators import registry
from rms.aggregators.contract import (
    Account,
    Aggregator,
    Booked,
    BookingResult,
    Goal,
    Job,
    Ordered,
    Progress,
    RefusalKind,
    Refused,
    Unknown,
    Working,
    direction_of,
)
from rms.clients.accounts import open_account
from rms.clients.choice import usable_accounts
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.cursors import CLOCK_SKEW
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import due_shard
from rms.model.documents import order_of
from rms.model.forward_shipment import ForwardShipment
from rms.model.notification_type import NotificationType
from rms.model.outcomes import AwbBooked, AwbPending, AwbRefused, IsCancelled, OrderTaken
from rms.model.return_order import ReturnOrder
from rms.platform.observability import count, logger
from rms.platform.table import Absent, AtMost, ConditionFailedError, Equals, Item, Update, Value
from rms.platform.times import from_text, to_text
from rms.shipments.claims import Claims, watch_for
from rms.shipments.label_files import label_wanted
from rms.shipments.transitions import state_key
from rms.shipments.wake import wake_booker, wake_tellers
from rms.shipments.walk import IN_THE_BACKGROUND, WHILE_A_CLIENT_WAITS, Start, Walked, walk


class BookingState(StrEnum):
    """Where a booking stands."""

    CALLING = "CALLING"
    """A call is under way, or the caller died. Belongs to the holder of the fence until it is due."""
    BOOKED = "BOOKED"
    ORDERED = "ORDERED"
    """The aggregator has the order, as was asked, and no AWB: whoever wants the label goes on from here."""
    REFUSED = "REFUSED"
    WORKING = "WORKING"
    """The aggregator said it will; ask again."""
    UNKNOWN = "UNKNOWN"
    """Nobody can say; look it up after the settle time."""
    WITHDRAWN = "WITHDRAWN"
    """Refused, and then the client booked a courier itself."""
    CANCELLED = "CANCELLED"
    """It was cancelled, whether there was a booking or not: see `rms.shipments.cancelling`."""
    HELD = "HELD"
    """Nothing helped: a person looks at it. Sending the same return again starts another look-up."""


SETTLE: Final = timedelta(seconds=90)
"""How long a call may still take effect at the aggregator; longer than any function of ours can run."""

PATIENCE: Final = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 240, 480, 960, 1710))
"""Pauses between look-ups: 30 s, 1, 2, 4, 8, 16 and 28.5 min, an hour in all. Source: ClickPost guide, section 5."""

UNSETTLED: Final = (BookingState.CALLING, BookingState.WORKING, BookingState.UNKNOWN)

NEXT_GOAL: Final = "next_goal"
"""Attribute of a booking whose goal is the order: the AWB is wanted as soon as that is there."""

OF_THE_LAST_CALL: Final = frozenset(
    {"refusal_kind", "refusal_code", "words", "reason", "raw", "goal", NEXT_GOAL, "known", "untried"}
    | {"order_id", "shipment_id", "ordered_at"}
)
"""Attributes of a BOOKING row that say nothing any more once another call is about to be made."""

ENOUGH_FOR_ANOTHER: Final = timedelta(seconds=8)
"""Least time in which another account is called at once; with less, the worker calls it."""

HELD: Final = "held"
"""Shard of the `due` index that lists held bookings for operators; the sweeper does not read it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The right to call the aggregator for one booking: nobody else's fence is on the row."""

    aggregate: AggregateId
    order: ReturnOrder | ForwardShipment
    reference: str
    fence: str
    looks: int
    status: Item | None = None
    """The STATUS row, when it has just been written."""
    goal: Goal = Goal.AWB
    known: Progress = field(default_factory=dict)
    """What an `Ordered` brought under this reference."""
    generation: int = 0
    """How often a reference was spent on this parcel."""
    untried: tuple[str, ...] = ()
    """Aliases of the accounts that may book it when the one in turn does not serve the lane."""

    @classmethod
    def by(
        cls, aggregate: AggregateId, order: ReturnOrder | ForwardShipment, row: Item, *, fence: str, looks: int = 0
    ) -> "Claimed":
        """The claim to the booking of a BOOKING row."""
        known, untried = row.get("known", {}), row.get("untried", [])
        assert isinstance(known, Mapping)
        assert isinstance(untried, list)
        return cls(
            aggregate,
            order,
            text(row, "reference"),
            fence,
            looks,
            goal=goal_of(row),
            known={name: str(value) for name, value in known.items()},
            generation=number(row, "generation"),
            untried=tuple(str(alias) for alias in untried),
        )

    @property
    def job(self) -> Job:
        """What the adapter is asked for."""
        return Job(self.reference, self.order, self.goal, self.known)


type BookingOutcome = AwbBooked | OrderTaken | AwbRefused | AwbPending | IsCancelled


def book(
    core: Core, configuration: Configuration, aggregator: Aggregator, account: Account, claimed: Claimed
) -> BookingOutcome:
    """Call the aggregator for a booking that is claimed, while the client waits, and settle what it says.

    Dying anywhere in here leaves the booking due to be looked up.
    """
    until = core.clock() + WHILE_A_CLIENT_WAITS
    return _pursue(core, configuration, _Turn(aggregator, account, claimed), Start.BOOK, until)


def settle_booking(core: Core, aggregate: AggregateId) -> BookingOutcome | None:
    """Look up a booking whose outcome is not known and act on what is found; None when there is nothing to settle.

    Whoever asks, one holds the fence. What is found is adopted, or gone on with; what is certainly not there is booked,
    under the same reference; what stays unknown is looked up again with growing pauses and, after an hour, held for a
    person.
    """
    rows = core.table.get_many([aggregate.booking, aggregate.document])
    row, document = rows.get(aggregate.booking), rows.get(aggregate.document)
    if row is None or document is None or BookingState(text(row, "state")) not in UNSETTLED:
        return None  # settled already: the message was late or doubled
    configuration = configuration_of(core, aggregate.client)
    assert aggregate.kind != "E", "an endpoint books nothing"
    claimed = _claim(core, aggregate, row, _as_called(order_of(aggregate.kind, text(document, "body"))))
    if claimed is None:
        return None  # somebody else is at it, or it is not due yet
    configured = configuration.accounts.get(text(row, "account"))
    if configured is None:
        return hold(core, claimed, "the aggregator account is gone")
    aggregator, account = (
        registry.aggregator_of(configured.aggregator),
        open_account(core, aggregate.client, configured),
    )
    until = core.clock() + IN_THE_BACKGROUND
    return _pursue(core, configuration, _Turn(aggregator, account, claimed), Start.FIND, until)


def look_again(core: Core, aggregate: AggregateId, row: Item) -> None:
    """Start over with a booking that is held: its return was sent again, so somebody wants it."""
    try:
        core.table.write(
            Update(
                aggregate.booking,
                expect={"state": Equals(BookingState.HELD), "fence": Equals(text(row, "fence"))},
                set={
                    "state": BookingState.UNKNOWN.value,
                    "looks": 0,
                    "due_at": to_text(core.clock()),
                    "due_shard": due_shard(aggregate.pk),
                },
            )
        )
    except ConditionFailedError:
        return  # another repeat of the call was quicker
    wake_booker(core, aggregate)


def withdraw(aggregate: AggregateId, row: Item, fence: str) -> Update:
    """The write that ends a refused booking for good: the client has booked a courier itself."""
    return Update(
        aggregate.booking,
        expect={"state": Equals(BookingState.REFUSED), "fence": Equals(text(row, "fence"))},
        set={"state": BookingState.WITHDRAWN.value, "fence": fence},
    )


def outcome_of(aggregate: AggregateId, row: Item) -> BookingOutcome:
    """What a BOOKING row says to the client who asks."""
    match BookingState(text(row, "state")):
        case BookingState.BOOKED:
            return AwbBooked(text(row, "order_id"), aggregate.code, text(row, "awb"), text(row, "courier"))
        case BookingState.ORDERED:
            return OrderTaken(text(row, "order_id"), aggregate.code, maybe_text(row, "shipment_id"))
        case BookingState.REFUSED:
            return AwbRefused(aggregate.code, text(row, "words"))
        case BookingState.CANCELLED:
            return IsCancelled(aggregate.code)
        case _:
            return AwbPending(aggregate.code)


def goal_of(row: Item) -> Goal:
    """How far a booking is to go."""
    return Goal(maybe_text(row, "goal") or Goal.AWB)


def _as_called(order: ReturnOrder | ForwardShipment) -> ReturnOrder | ForwardShipment:
    return order.as_called if isinstance(order, ReturnOrder) else order


def _claim(core: Core, aggregate: AggregateId, row: Item, order: ReturnOrder | ForwardShipment) -> Claimed | None:
    now = core.clock()
    fence, looks = core.fences(), number(row, "looks") + 1
    try:
        core.table.write(
            Update(
                aggregate.booking,
                expect={
                    "fence": Equals(text(row, "fence")),
                    "state": Equals(text(row, "state")),
                    "due_at": AtMost(to_text(now + CLOCK_SKEW)),
                },
                set={
                    "state": BookingState.CALLING.value,
                    "fence": fence,
                    "looks": looks,
                    "due_at": to_text(now + SETTLE),
                },
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("fence") != fence:
            return None
    return Claimed.by(aggregate, order, row, fence=fence, looks=looks)


# ── whose turn it is ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Turn:
    """One account's turn at a booking."""

    aggregator: Aggregator
    account: Account
    claimed: Claimed


def _pursue(core: Core, configuration: Configuration, turn: _Turn, start: Start, until: datetime) -> BookingOutcome:
    """Call one account after the other, until one has booked, has left the outcome open, or none is left."""
    while True:
        walked = walk(core, turn.aggregator, turn.account, turn.claimed.job, start, until - core.clock())
        following = _next_in_turn(configuration, turn.claimed, walked.result)
        if following is None or not isinstance(walked.result, Refused):
            return _settle(core, configuration, turn, walked)
        passed = _pass_on(core, turn, walked.result, following, until)
        if not isinstance(passed, _Turn):
            return passed
        turn, start = passed, Start.BOOK


def _next_in_turn(configuration: Configuration, claimed: Claimed, result: BookingResult) -> ConfiguredAccount | None:
    """Who may book what an account has refused: nobody, unless the refusal is certain and about the lane."""
    if not isinstance(result, Refused) or result.kind is not RefusalKind.SERVICEABILITY:
        return None
    usable = {account.alias: account for account in usable_accounts(configuration, direction_of(claimed.order))}
    able = (usable[alias] for alias in claimed.untried if alias in usable)
    return next((each for each in able if _can_go(each, claimed.goal)), None)


def _can_go(configured: ConfiguredAccount, goal: Goal) -> bool:
    return goal is Goal.AWB or registry.aggregator_of(configured.aggregator).takes_orders


def _pass_on(
    core: Core, turn: _Turn, refused: Refused, following: ConfiguredAccount, until: datetime
) -> _Turn | BookingOutcome:
    """Note the refusal and that the next account is about to be called, in one transaction.

    With too little time left the worker calls it: it searches first, as after any crash from here on.
    """
    claimed, aggregate, now = turn.claimed, turn.claimed.aggregate, core.clock()
    aggregator = registry.aggregator_of(following.aggregator)
    account = open_account(core, aggregate.client, following)
    generation = claimed.generation + refused.burnt
    reference = aggregator.booking_reference(aggregate.client, aggregate.code, generation, direction_of(claimed.order))
    next_claim = replace(
        claimed,
        reference=reference,
        fence=core.fences(),
        looks=0,
        known={},
        generation=generation,
        untried=claimed.untried[claimed.untried.index(following.alias) + 1 :],
    )
    later = until - now < ENOUGH_FOR_ANOTHER
    logger.info("booking passed on", reference=claimed.reference, account=following.alias, refusal=refused.code)
    match core.journal.append(
        aggregate,
        _refusal(turn, refused, now),
        lambda _: {"aggregator": following.aggregator},
        also=[_calling_next(claimed, next_claim, following.alias, now, later=later)],
        status=claimed.status,
    ):
        case Appended(sequence) if not later:
            status = _status_then(claimed.status, sequence, following.aggregator)
            return _Turn(aggregator, account, replace(next_claim, status=status))
        case Appended():
            wake_booker(core, aggregate)
            return AwbPending(aggregate.code)
        case Duplicate() | Blocked():
            return as_it_stands(core, aggregate)


def _calling_next(claimed: Claimed, following: Claimed, alias: str, now: datetime, *, later: bool) -> Update:
    untried: dict[str, Value] = {"untried": list(following.untried)} if following.untried else {}
    return Update(
        claimed.aggregate.booking,
        expect={"fence": Equals(claimed.fence)},
        set={
            **about_to_call(claimed.aggregate, following.fence, now),
            **({"due_at": to_text(now)} if later else {}),
            "reference": following.reference,
            "account": alias,
            "generation": following.generation,
            **untried,
        },
        remove=tuple(sorted(OF_THE_LAST_CALL - {"goal", NEXT_GOAL} - untried.keys())),
    )


def _status_then(status: Item | None, sequence: int, aggregator: str) -> Item | None:
    """The STATUS row after an event; None when somebody else wrote it meanwhile."""
    if status is None or number(status, "sequence") + 1 != sequence:
        return None
    return {**status, "sequence": sequence, "aggregator": aggregator}


def about_to_call(aggregate: AggregateId, fence: str, now: datetime) -> dict[str, Value]:
    """What a BOOKING row says of a call under way: if nobody settles it, it is looked up after SETTLE."""
    return {
        "state": BookingState.CALLING.value,
        "fence": fence,
        "looks": 0,
        "started_at": to_text(now),
        "due_at": to_text(now + SETTLE),
        "due_shard": due_shard(aggregate.pk),
    }


# ── what came of a call ─────────────────────────────────────────────────────────────


def _settle(core: Core, configuration: Configuration, turn: _Turn, walked: Walked) -> BookingOutcome:
    match walked.result:
        case Booked() as booked:
            return _adopt(core, configuration, turn, booked, walked.raw)
        case Ordered() as ordered:
            return _order_taken(core, turn, ordered, walked.raw)
        case Refused() as refused:
            return _refuse(core, turn, refused, walked.raw)
        case Working(reason):
            return _wait(core, turn.claimed, BookingState.WORKING, reason, walked.raw)
        case Unknown(reason):
            return _wait(core, turn.claimed, BookingState.UNKNOWN, reason, walked.raw)


def _raw(said: str | None) -> dict[str, Value]:
    """What the aggregator said last, as it stands on a BOOKING row. No answer leaves what was said before."""
    return {} if said is None else {"raw": said}


def _adopt(core: Core, configuration: Configuration, turn: _Turn, booked: Booked, raw: str | None) -> BookingOutcome:
    """The booking exists: note it, its AWB's owner and the event in one transaction, and have everybody told."""
    claimed, account, now = turn.claimed, turn.account, core.clock()
    aggregate, order_id = claimed.aggregate, booked.order_id or booked.awb
    done = Update(
        aggregate.booking,
        expect={"fence": Equals(claimed.fence)},
        set={
            "state": BookingState.BOOKED.value,
            "awb": booked.awb,
            "courier": booked.courier,
            "order_id": order_id,
            "settled_at": to_text(now),
            **({"label_url": booked.label_url} if booked.label_url else {}),
            **({"metadata": booked.metadata} if booked.metadata else {}),
            **_raw(raw),
        },
        remove=("due_at", "due_shard", "reason", "goal", NEXT_GOAL, "known", "untried"),
    )
    event = Event(
        event_id=f"AWB_BOOKED:{claimed.reference}",
        kind=EventKind.AWB_BOOKED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.AWB_GENERATED,
        facts={"aggregator": account.aggregator, "awb": booked.awb, "courier": booked.courier},
    )

    def change(status: Item) -> Mapping[str, Value]:
        facts: dict[str, Value] = {
            "awb": booked.awb,
            "courier": booked.courier,
            "aggregator": account.aggregator,
            "account": account.alias,
        }
        key = state_key(NotificationType.AWB_GENERATED, from_text(text(status, "created_at")))
        if key is not None and key > (maybe_text(status, "state_key") or ""):
            facts |= {"state": NotificationType.AWB_GENERATED.value, "state_key": key}
        return facts

    watch = watch_for(core, account.aggregator, booked.awb)
    claims = Claims(aggregate, account.aggregator, [booked.awb], watch)
    # A return travels without a label.
    label = [label_wanted(aggregate, claimed.reference, claimed.fence, now)] if aggregate.kind == "S" else []
    while True:
        match core.journal.append(
            aggregate,
            event,
            change,
            readers=configuration.readers,
            also=[done, *claims.writes, *label],
            status=claimed.status,
        ):
            case Appended(readers=readers):
                wake_tellers(core, aggregate, readers)
                claims.wake(core)
                return AwbBooked(order_id, aggregate.code, booked.awb, booked.courier)
            case Duplicate():
                return as_it_stands(core, aggregate)
            case Blocked(index=0):
                # We were too slow and somebody else holds the booking; what they found is the outcome.
                return as_it_stands(core, aggregate)
            case Blocked(index=index, current=current):
                if not claims.give_way(index - 1, current):
                    return hold(core, claimed, "the aggregator gave the AWB of another parcel")


def _order_taken(core: Core, turn: _Turn, ordered: Ordered, raw: str | None) -> BookingOutcome:
    """The order exists: note what to go on with. Somebody who wants the AWB by now gets it from the worker."""
    claimed, account, now = turn.claimed, turn.account, core.clock()
    aggregate = claimed.aggregate
    ids: dict[str, Value] = {"order_id": ordered.order_id}
    if ordered.shipment_id is not None:
        ids["shipment_id"] = ordered.shipment_id
    done = Update(
        aggregate.booking,
        expect={"fence": Equals(claimed.fence), NEXT_GOAL: Absent()},
        set={
            **ids,
            **_raw(raw),
            "state": BookingState.ORDERED.value,
            "known": ordered.progress,
            "ordered_at": to_text(now),
        },
        remove=("due_at", "due_shard", "reason"),
    )
    event = Event(
        event_id=f"ORDERED:{claimed.reference}",
        kind=EventKind.ORDERED,
        occurred_at=now,
        received_at=now,
        facts={"aggregator": account.aggregator, **ids},
    )
    facts: dict[str, Value] = {"aggregator": account.aggregator, "account": account.alias}
    match core.journal.append(aggregate, event, lambda _: facts, also=[done], status=claimed.status):
        case Appended():
            return OrderTaken(ordered.order_id, aggregate.code, ordered.shipment_id)
        case Blocked(current=current) if current is not None and current.get("fence") == claimed.fence:
            return _on_to_the_awb(core, claimed, ordered)
        case Duplicate() | Blocked():
            return as_it_stands(core, aggregate)


def _on_to_the_awb(core: Core, claimed: Claimed, ordered: Ordered) -> BookingOutcome:
    """The AWB was asked for while the order was made: the worker goes on at once, by way of a search as ever."""
    on = Update(
        claimed.aggregate.booking,
        expect={"fence": Equals(claimed.fence)},
        set={
            "state": BookingState.UNKNOWN.value,
            "goal": Goal.AWB.value,
            "known": ordered.progress,
            "due_at": to_text(core.clock()),
        },
        remove=(NEXT_GOAL,),
    )
    try:
        core.table.write(on)
    except ConditionFailedError:
        return as_it_stands(core, claimed.aggregate)
    wake_booker(core, claimed.aggregate)
    return AwbPending(claimed.aggregate.code)


def _refuse(core: Core, turn: _Turn, refused: Refused, raw: str | None) -> BookingOutcome:
    claimed, aggregate = turn.claimed, turn.claimed.aggregate
    if refused.kind is RefusalKind.CONFIGURATION:
        count("BookingRefusedByConfiguration")
    logger.info("booking refused", reference=claimed.reference, kind=refused.kind.value, refusal=refused.code)
    done = Update(
        aggregate.booking,
        expect={"fence": Equals(claimed.fence)},
        set={
            "state": BookingState.REFUSED.value,
            "refusal_kind": refused.kind.value,
            "refusal_code": refused.code,
            "words": refused.words,
            **_raw(raw),
        },
        # The aggregator keeps something under this reference: whoever corrects the order needs another one.
        add={"generation": 1} if refused.burnt else {},
        remove=("due_at", "due_shard", "reason", *(("known",) if refused.burnt else ())),
    )
    event = _refusal(turn, refused, core.clock())
    match core.journal.append(aggregate, event, lambda _: {}, also=[done], status=claimed.status):
        case Blocked():
            return as_it_stands(core, aggregate)
        case Appended() | Duplicate():
            return AwbRefused(aggregate.code, refused.words)


def _refusal(turn: _Turn, refused: Refused, now: datetime) -> Event:
    """That an account refused, in its aggregator's words."""
    burnt: dict[str, Value] = {"burnt_reference": turn.claimed.reference} if refused.burnt else {}
    about: dict[str, Value] = {"account": turn.account.alias, "refusal_code": refused.code, "words": refused.words}
    return Event(
        event_id=f"AWB_REFUSED:{turn.claimed.fence}",
        kind=EventKind.AWB_REFUSED,
        occurred_at=now,
        received_at=now,
        facts={**about, **burnt},
    )


def _wait(core: Core, claimed: Claimed, state: BookingState, reason: str, raw: str | None) -> BookingOutcome:
    """Not settled: look again after a pause that grows; after the last pause, hold it for a person."""
    if claimed.looks >= len(PATIENCE):
        return hold(core, claimed, reason, raw)
    # Not the reason: it may quote the aggregator, and that the shopper. It stands with the booking.
    logger.info("booking not settled", reference=claimed.reference, state=state.value, looks=claimed.looks)
    pause = PATIENCE[claimed.looks]
    if state is BookingState.UNKNOWN:
        pause = max(pause, SETTLE)
    try:
        core.table.write(
            Update(
                claimed.aggregate.booking,
                expect={"fence": Equals(claimed.fence)},
                set={"state": state.value, "reason": reason, "due_at": to_text(core.clock() + pause), **_raw(raw)},
            )
        )
    except ConditionFailedError:
        return as_it_stands(core, claimed.aggregate)
    return AwbPending(claimed.aggregate.code)


def hold(core: Core, claimed: Claimed, reason: str, raw: str | None = None) -> BookingOutcome:
    """Nothing helps: leave the booking to a person, and say why."""
    aggregate, now = claimed.aggregate, core.clock()
    count("BookingHeld")
    logger.error("booking held", reference=claimed.reference, looks=claimed.looks)  # not the reason, as above
    held = Update(
        aggregate.booking,
        expect={"fence": Equals(claimed.fence)},
        set={
            "state": BookingState.HELD.value,
            "reason": reason,
            "due_shard": HELD,
            "due_at": to_text(now),
            **_raw(raw),
        },
    )
    event = Event(
        event_id=f"BOOKING_HELD:{claimed.fence}",
        kind=EventKind.BOOKING_HELD,
        occurred_at=now,
        received_at=now,
        facts={"reason": reason},
    )
    core.journal.append(aggregate, event, lambda _: {}, also=[held], status=claimed.status)
    return AwbPending(aggregate.code)


def as_it_stands(core: Core, aggregate: AggregateId) -> BookingOutcome:
    """What the BOOKING row says now, after somebody else was quicker."""
    row = core.table.get(aggregate.booking)
    assert row is not None, "a booking row is never removed"
    return outcome_of(aggregate, row)
