"""Create a return: take the order and, unless the channel has booked a courier, book one."""

from rms.aggregators import registry
from rms.aggregators.contract import Direction, RefusalKind
from rms.clients.accounts import open_account
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Created, Duplicate, Event, EventKind, Exists
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import return_id
from rms.model.documents import content_digest, fits_a_row, from_document, to_document
from rms.model.notification_type import NotificationType
from rms.model.outcomes import Accepted, AwbPending, AwbTaken, CreateOutcome, OtherContent
from rms.model.return_order import ReturnOrder
from rms.platform.errors import BadDataError
from rms.platform.table import NEW, Equals, Item, Put, Value, Write
from rms.platform.times import to_text
from rms.shipments.booking import (
    BookingState,
    Claimed,
    book,
    calling_row,
    look_again,
    outcome_of,
    reclaim,
    withdraw,
)
from rms.shipments.claims import Claims
from rms.shipments.wake import wake_tellers


def create_return(core: Core, client: str, order: ReturnOrder) -> CreateOutcome:
    """Register a return and, unless the channel has booked a courier, book one.

    The same order again: the stored outcome. The same code with other content: `OtherContent`, unless the aggregator
    had refused, when it is a correction and is booked. Source: RMS API contract, sections 3 and 4.
    """
    configuration = configuration_of(core, client)
    if order.booked_by_channel:
        return _create_booked(core, configuration, order)
    account = booking_account(configuration, order.account_alias)
    return _create_and_book(core, configuration, account, order)


def booking_account(configuration: Configuration, alias: str | None) -> ConfiguredAccount:
    """The account that books: the one named, else the first by alias. The request's rules made sure there is one."""
    accounts = configuration.booking_accounts
    return accounts[alias] if alias is not None else accounts[min(accounts)]


def listed_document(core: Core, aggregate: AggregateId, order: ReturnOrder) -> dict[str, Value]:
    """The DOCUMENT row. It also stands in the index that lists are read from, which so is written once per return."""
    now = to_text(core.clock())
    return {
        "body": to_document(order),
        "received_at": now,
        "listing_pk": f"C#{aggregate.client}#{aggregate.kind}",
        "listing_sk": f"{now}#{aggregate.code}",
    }


def first_status(core: Core) -> dict[str, Value]:
    """The STATUS row of a return that is new.

    Placed is where every return starts, whenever RMS is told: any sighting of the parcel is later, even one that
    happened before the client posted the order. Hence no `state_key`.
    """
    return {"state": NotificationType.RETURN_ORDER_PLACED.value, "created_at": to_text(core.clock())}


def _create_booked(core: Core, configuration: Configuration, order: ReturnOrder) -> CreateOutcome:
    assert order.awb is not None
    aggregate = return_id(configuration.client, order.code)
    accounts = configuration.booking_accounts
    aggregator = booking_account(configuration, None).aggregator if accounts else None
    claims = Claims(aggregate, aggregator, [order.awb])
    first = _placed(core, order, NotificationType.RETURN_ORDER_PLACED, aggregator)
    status = first_status(core) | {"awb": order.awb, "courier": order.courier or ""}
    if aggregator:
        status["aggregator"] = aggregator
    while True:
        match core.journal.create(
            aggregate,
            listed_document(core, aggregate, order),
            status,
            first,
            readers=configuration.readers,
            also=claims.writes,
        ):
            case Created():
                wake_tellers(core, aggregate, configuration.readers)
                claims.wake(core)
                return Accepted()
            case Exists(document):
                return _again(core, configuration, aggregate, order, document)
            case Blocked(index=index, current=current):
                if not claims.give_way(index, current):
                    return AwbTaken(order.awb)


def _create_and_book(
    core: Core, configuration: Configuration, configured: ConfiguredAccount, order: ReturnOrder
) -> CreateOutcome:
    aggregate = return_id(configuration.client, order.code)
    aggregator = registry.aggregator_of(configured.aggregator)
    # Opened before anything is written: without the secrets there is no call to be unsure about.
    account = open_account(core, configuration.client, configured)
    reference = aggregator.booking_reference(configuration.client, order.code, 0, Direction.RETURN)
    fence, now = core.fences(), core.clock()
    first = _placed(core, order, None, aggregator.name)
    status = first_status(core) | {"aggregator": aggregator.name, "awb_since": to_text(now)}
    booking = Put(aggregate.booking, calling_row(aggregate, reference, configured.alias, fence, now), NEW)
    match core.journal.create(aggregate, listed_document(core, aggregate, order), status, first, also=[booking]):
        case Created():
            claimed = Claimed(aggregate, order, reference, fence, 0, status | {"sequence": 1})
            return book(core, configuration, aggregator, account, claimed)
        case Exists(document):
            return _again(core, configuration, aggregate, order, document)
        case Blocked():
            raise AssertionError("a booking row without a document")


def _again(
    core: Core, configuration: Configuration, aggregate: AggregateId, order: ReturnOrder, document: Item
) -> CreateOutcome:
    """The code is known: the same order gets the same answer, a refused one may be corrected, another is a conflict."""
    stored = from_document(text(document, "body"))
    same = content_digest(stored.as_created) == content_digest(order)
    if stored.booked_by_channel:
        return Accepted() if same else OtherContent(order.code)
    row = core.table.get(aggregate.booking)
    if row is None:  # announced by an aggregator, which books it itself
        return OtherContent(order.code)
    if BookingState(text(row, "state")) is BookingState.REFUSED:
        # Only the caller's own mistake stays refused: a mapping may be mended and a lane opened meanwhile.
        if same and maybe_text(row, "refusal_kind") == RefusalKind.CALLER.value:
            return outcome_of(aggregate, row)
        return _book_anew(core, configuration, aggregate, _with_what_was_added(order, stored), document, row)
    if not same:
        return OtherContent(order.code)
    if BookingState(text(row, "state")) is BookingState.HELD:
        look_again(core, aggregate, row)
    return outcome_of(aggregate, row)


def _with_what_was_added(order: ReturnOrder, stored: ReturnOrder) -> ReturnOrder:
    whole = order.with_items_added_to(stored)
    if not fits_a_row(whole):
        raise BadDataError("[orderItems: comes to more text than fits with the items that were added]")
    return whole


def _book_anew(
    core: Core,
    configuration: Configuration,
    aggregate: AggregateId,
    order: ReturnOrder,
    document: Item,
    row: Item,
) -> CreateOutcome:
    """Nothing was booked: take the corrected order in the place of the refused one and call again."""
    if order.booked_by_channel:
        return _booked_after_all(core, configuration, aggregate, order, document, row)
    configured = booking_account(configuration, order.account_alias)
    aggregator = registry.aggregator_of(configured.aggregator)
    account = open_account(core, configuration.client, configured)
    generation = number(row, "generation")
    reference = aggregator.booking_reference(configuration.client, order.code, generation, Direction.RETURN)
    fence, now = core.fences(), core.clock()
    event = Event(event_id=f"CORRECTED:{fence}", kind=EventKind.CORRECTED, occurred_at=now, received_at=now)
    also: list[Write] = [
        reclaim(aggregate, row, reference, configured.alias, fence, now),
        _corrected(aggregate, order, document, fence),
    ]
    match core.journal.append(aggregate, event, lambda _: {"aggregator": aggregator.name}, also=also):
        case Appended():
            return book(core, configuration, aggregator, account, Claimed(aggregate, order, reference, fence, 0))
        case Duplicate() | Blocked():
            # A repeat that came at the same time is booking it already.
            return AwbPending(order.code)


def _booked_after_all(
    core: Core,
    configuration: Configuration,
    aggregate: AggregateId,
    order: ReturnOrder,
    document: Item,
    row: Item,
) -> CreateOutcome:
    """The aggregator refused and the channel then booked a courier itself: the return goes on with that AWB."""
    assert order.awb is not None
    fence, now = core.fences(), core.clock()
    facts: dict[str, Value] = {"awb": order.awb, "courier": order.courier}
    event = Event(
        event_id=f"CORRECTED:{fence}",
        kind=EventKind.CORRECTED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.RETURN_ORDER_PLACED,
        facts=facts,
    )
    claims = Claims(aggregate, None, [order.awb])
    settled: list[Write] = [withdraw(aggregate, row, fence), _corrected(aggregate, order, document, fence)]
    while True:
        also = [*settled, *claims.writes]
        match core.journal.append(aggregate, event, lambda _: facts, readers=configuration.readers, also=also):
            case Appended():
                wake_tellers(core, aggregate, configuration.readers)
                claims.wake(core)
                return Accepted()
            case Blocked(index=index, current=current) if index >= len(settled):
                if not claims.give_way(index - len(settled), current):
                    return AwbTaken(order.awb)
            case Duplicate() | Blocked():
                # A repeat that came at the same time was quicker: what it made of the return is the answer.
                there = core.table.get(aggregate.document)
                assert there is not None
                return _again(core, configuration, aggregate, order, there)


def _corrected(aggregate: AggregateId, order: ReturnOrder, document: Item, fence: str) -> Put:
    """The corrected document in the place of the one that was refused."""
    kept = {name: document[name] for name in ("received_at", "listing_pk", "listing_sk")}
    return Put(
        aggregate.document,
        {**kept, "body": to_document(order), "fence": fence},
        {"fence": Equals(text(document, "fence"))},
    )


def _placed(core: Core, order: ReturnOrder, told: NotificationType | None, aggregator: str | None) -> Event:
    now = core.clock()
    facts: dict[str, Value] = {"aggregator": aggregator} if aggregator else {}
    if order.awb is not None:
        facts |= {"awb": order.awb, "courier": order.courier}
    return Event(
        event_id="PLACED",
        kind=EventKind.PLACED,
        occurred_at=min(order.placed_at or now, now),
        received_at=now,
        notification=told,
        facts=facts,
    )
