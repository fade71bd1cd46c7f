"""Starting a booking: for a return or parcel that is new, for one that has no AWB yet, for an order that wants its AWB.

Each writes in one transaction what is about to be done, then does it while the client waits. Dying anywhere after the
write leaves the booking due to be looked up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rms.aggregators import registry
from rms.aggregators.contract import Account, Aggregator, Goal, direction_of
from rms.clients.accounts import open_account
from rms.clients.configuration import Configuration, ConfiguredAccount
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Created, Duplicate, Event, EventKind, Exists
from rms.journal.events import number, text
from rms.model.documents import to_document
from rms.model.forward_shipment import ForwardShipment
from rms.model.outcomes import AwbPending, IsCancelled
from rms.model.return_order import ReturnOrder
from rms.platform.table import NEW, ConditionFailedError, Equals, Item, Put, Update, Value, Write
from rms.platform.times import to_text
from rms.shipments.booking import (
    NEXT_GOAL,
    OF_THE_LAST_CALL,
    UNSETTLED,
    BookingOutcome,
    BookingState,
    Claimed,
    about_to_call,
    as_it_stands,
    book,
    goal_of,
    hold,
    look_again,
    outcome_of,
)
from rms.shipments.wake import wake_tellers


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be booked, by whom and how far.

    The first of `accounts` books; there must be one. Each other does when those before it do not serve the lane.

    `goal` may be the order only where the aggregator `takes_orders`.
    """

    aggregate: AggregateId
    order: ReturnOrder | ForwardShipment
    accounts: Sequence[ConfiguredAccount]
    goal: Goal = Goal.AWB


def listed_document(core: Core, aggregate: AggregateId, order: ReturnOrder | ForwardShipment) -> dict[str, Value]:
    """The DOCUMENT row. It also stands in the index that lists are read from, which so is written once per order."""
    now = to_text(core.clock())
    return {
        "body": to_document(order),
        "received_at": now,
        "listing_pk": f"C#{aggregate.client}#{aggregate.kind}",
        "listing_sk": f"{now}#{aggregate.code}",
    }


def corrected_document(aggregate: AggregateId, order: ReturnOrder | ForwardShipment, document: Item, fence: str) -> Put:
    """The corrected document in the place of `document`, the row as it was read."""
    kept = {name: document[name] for name in ("received_at", "listing_pk", "listing_sk")}
    return Put(
        aggregate.document,
        {**kept, "body": to_document(order), "fence": fence},
        {"fence": Equals(text(document, "fence"))},
    )


def create_and_book(
    core: Core,
    configuration: Configuration,
    wanted: Wanted,
    first: Event,
    status: Mapping[str, Value],
    also: Sequence[Write] = (),
) -> BookingOutcome | Exists | Blocked:
    """Write a new return or parcel with its first event, and book it.

    `status` is its STATUS row, to which the aggregator is added; `also` goes into the same transaction. Exists: the
    code is known, and nothing was written. Blocked: a write of `also` was refused, and nothing was written.
    """
    aggregate = wanted.aggregate
    call = _prepare(core, configuration, wanted, None)
    status = {**status, "aggregator": call.account.aggregator, "awb_since": to_text(core.clock())}
    booking = Put(aggregate.booking, call.row, NEW)
    document = listed_document(core, aggregate, wanted.order)
    match core.journal.create(aggregate, document, status, first, readers=configuration.readers, also=[*also, booking]):
        case Created(readers=readers):
            wake_tellers(core, aggregate, readers)
            return call.make(core, configuration, {**status, "sequence": 1})
        case nothing_written:
            return nothing_written


def book_anew(
    core: Core, configuration: Configuration, wanted: Wanted, document: Item, row: Item | None
) -> BookingOutcome:
    """Book a return or parcel that has no AWB and for which no call is under way.

    `row` is its BOOKING row, of a booking that was refused; None when there has been none. `document` is its DOCUMENT
    row: the order that is wanted takes its place.
    """
    aggregate, now = wanted.aggregate, core.clock()
    call = _prepare(core, configuration, wanted, row)
    fence = call.claimed.fence
    event = Event(event_id=f"CORRECTED:{fence}", kind=EventKind.CORRECTED, occurred_at=now, received_at=now)
    facts: dict[str, Value] = {"aggregator": call.account.aggregator}
    also = [_claim(aggregate, row, call.row), corrected_document(aggregate, wanted.order, document, fence)]
    match core.journal.append(aggregate, event, lambda _: facts, also=also):
        case Appended():
            return call.make(core, configuration, None)
        case Blocked(index=0, current=current) if current is not None and current["state"] == BookingState.CANCELLED:
            return IsCancelled(aggregate.code)
        case Duplicate() | Blocked():
            # A repeat that came at the same time is booking it already.
            return AwbPending(aggregate.code)


def book_ordered(
    core: Core, configuration: Configuration, aggregate: AggregateId, order: ForwardShipment, row: Item
) -> BookingOutcome:
    """Get the AWB for an order that the aggregator has, or will have. `row` is its BOOKING row.

    While the order itself is not settled, the worker gets the AWB as soon as it is. Any other booking: how it stands.
    """
    if BookingState(text(row, "state")) is not BookingState.ORDERED:
        return _go_on_then(core, configuration, aggregate, order, row)
    configured = configuration.accounts.get(text(row, "account"))
    account = open_account(core, aggregate.client, configured) if configured is not None else None
    fence = core.fences()
    calling = Update(
        aggregate.booking,
        expect={"state": Equals(BookingState.ORDERED), "fence": Equals(text(row, "fence"))},
        set={**about_to_call(aggregate, fence, core.clock()), "goal": Goal.AWB.value},
    )
    try:
        core.table.write(calling)
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("fence") != fence:
            return as_it_stands(core, aggregate)
    claimed = replace(Claimed.by(aggregate, order, row, fence=fence), goal=Goal.AWB)
    if account is None:
        return hold(core, claimed, "the aggregator account is gone")
    return book(core, configuration, registry.aggregator_of(account.aggregator), account, claimed)


def _go_on_then(
    core: Core, configuration: Configuration, aggregate: AggregateId, order: ForwardShipment, row: Item
) -> BookingOutcome:
    """Leave word that the AWB is wanted. The goal of what is under way stays: it says what may have been asked for."""
    state = BookingState(text(row, "state"))
    if goal_of(row) is Goal.ORDER and state in {*UNSETTLED, BookingState.HELD} and NEXT_GOAL not in row:
        wanted = Update(
            aggregate.booking,
            expect={"state": Equals(state), "fence": Equals(text(row, "fence"))},
            set={NEXT_GOAL: Goal.AWB.value},
        )
        try:
            core.table.write(wanted)
        except ConditionFailedError as failed:
            there = failed.current(0)
            assert there is not None, "a booking row is never removed"
            return book_ordered(core, configuration, aggregate, order, there)  # it went on meanwhile
    if state is BookingState.HELD:
        look_again(core, aggregate, row)
    return outcome_of(aggregate, row)


def _claim(aggregate: AggregateId, row: Item | None, calling: Item) -> Write:
    """The write of a call that is about to be made, in the place of a refused one if there was one."""
    if row is None:
        return Put(aggregate.booking, calling, NEW)
    return Update(
        aggregate.booking,
        expect={"state": Equals(BookingState.REFUSED), "fence": Equals(text(row, "fence"))},
        set=calling,
        remove=tuple(sorted(OF_THE_LAST_CALL - calling.keys())),
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that is about to be made, and the BOOKING row that says so."""

    aggregator: Aggregator
    account: Account
    claimed: Claimed
    row: Item

    def make(self, core: Core, configuration: Configuration, status: Item | None) -> BookingOutcome:
        """Make it. `status` is the STATUS row, when it has just been written."""
        return book(core, configuration, self.aggregator, self.account, replace(self.claimed, status=status))


def _prepare(core: Core, configuration: Configuration, wanted: Wanted, before: Item | None) -> _Call:
    aggregate, configured = wanted.aggregate, wanted.accounts[0]
    aggregator = registry.aggregator_of(configured.aggregator)
    # Opened before anything is written: without the secrets there is no call to be unsure about.
    account = open_account(core, configuration.client, configured)
    generation = number(before, "generation") if before is not None else 0
    direction = direction_of(wanted.order)
    reference = aggregator.booking_reference(configuration.client, aggregate.code, generation, direction)
    fence = core.fences()
    row: dict[str, Value] = {
        **about_to_call(aggregate, fence, core.clock()),
        "reference": reference,
        "account": configured.alias,
        "generation": generation,
    }
    if wanted.goal is Goal.ORDER:
        row["goal"] = Goal.ORDER.value
    if len(wanted.accounts) > 1:
        row["untried"] = [each.alias for each in wanted.accounts[1:]]
    if before is not None and (before["reference"], before["account"]) == (reference, configured.alias):
        row |= {name: before[name] for name in ("known",) if name in before}
    return _Call(aggregator, account, Claimed.by(aggregate, wanted.order, row, fence=fence), row)
