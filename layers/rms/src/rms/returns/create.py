"""Create a return: take the order and, unless the channel has booked a courier, book one."""

from collections.abc import Mapping

from rms.aggregators.contract import RefusalKind
from rms.clients.choice import accounts_for_order
from rms.clients.configuration import Configuration, configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Created, Duplicate, Event, EventKind, Exists
from rms.journal.events import maybe_text, text
from rms.journal.keys import return_id
from rms.model.documents import content_digest, fits_a_row, from_document
from rms.model.notification_type import NotificationType
from rms.model.outcomes import Accepted, AwbTaken, CreateOutcome, IsCancelled, OtherContent
from rms.model.return_order import ReturnOrder
from rms.platform.errors import BadDataError
from rms.platform.table import Item, Value, Write
from rms.platform.times import to_text
from rms.shipments.booking import BookingState, look_again, outcome_of, withdraw
from rms.shipments.claims import Claims, watch_for
from rms.shipments.order_states import created, refuse_if_at_hand
from rms.shipments.starting import (
    Wanted,
    book_anew,
    corrected_document,
    create_and_book,
    listed_document,
    listed_under_order,
)
from rms.shipments.wake import wake_tellers


def create_return(core: Core, client: str, order: ReturnOrder) -> CreateOutcome:
    """Register a return and, unless the channel has booked a courier, book one.

    The same order again: the stored outcome. The same code with other content: `OtherContent`, unless the aggregator
    had refused, when it is a correction and is booked. Source: RMS API contract, sections 3 and 4.
    """
    configuration = configuration_of(core, client)
    if order.booked_by_channel:
        placed = place_booked(core, configuration, order)
        if not isinstance(placed, Exists):
            return placed
        return _again(core, configuration, return_id(client, order.code), order, placed.document)
    return _create_and_book(core, configuration, order)


def first_status(core: Core, aggregate: AggregateId) -> dict[str, Value]:
    """The STATUS row of a return that is new.

    Placed is where every return starts, whenever RMS is told: any sighting of the parcel is later, even one that
    happened before the client posted the order. Hence no `state_key`.
    """
    now = to_text(core.clock())
    return {"state": NotificationType.RETURN_ORDER_PLACED.value, "created_at": now, **created(aggregate, now)}


def place_booked(
    core: Core, configuration: Configuration, order: ReturnOrder, request: Mapping[str, Value] | None = None
) -> Accepted | AwbTaken | Exists:
    """Register a return that the channel has booked a courier for, or say what is there.

    `request` is what is known of it at the returns app that it was asked for in, and stands on both its rows.
    """
    assert order.awb is not None
    known = request or {}
    aggregate = return_id(configuration.client, order.code)
    accounts = accounts_for_order(configuration, order)
    aggregator = accounts[0].aggregator if accounts else None
    claims = Claims(aggregate, aggregator, [order.awb], watch_for(core, aggregator, order.awb))
    first = _placed(core, order, NotificationType.RETURN_ORDER_PLACED, aggregator)
    status = {**first_status(core, aggregate), "awb": order.awb, "courier": order.courier or "", **known}
    if aggregator:
        status["aggregator"] = aggregator
    while True:
        match core.journal.create(
            aggregate,
            {**listed_document(core, aggregate, order), **known},
            status,
            first,
            readers=configuration.readers,
            also=[*claims.writes, *listed_under_order(aggregate, order)],
        ):
            case Created(readers=readers):
                wake_tellers(core, aggregate, readers)
                claims.wake(core)
                return Accepted()
            case Exists() as there:
                return there
            case Blocked(index=index, current=current):
                if not claims.give_way(index, current):
                    return AwbTaken(order.awb)


def _create_and_book(core: Core, configuration: Configuration, order: ReturnOrder) -> CreateOutcome:
    aggregate = return_id(configuration.client, order.code)
    wanted = Wanted(aggregate, order, accounts_for_order(configuration, order))
    first = _placed(core, order, None, wanted.accounts[0].aggregator)
    match create_and_book(core, configuration, wanted, first, first_status(core, aggregate)):
        case Exists(document):
            return _again(core, configuration, aggregate, order, document)
        case Blocked():
            raise AssertionError("a booking row without a document")
        case outcome:
            return outcome


def _again(
    core: Core, configuration: Configuration, aggregate: AggregateId, order: ReturnOrder, document: Item
) -> CreateOutcome:
    """The code is known: the same order gets the same answer, a refused one may be corrected, another is a conflict.

    One that was cancelled stays so, whatever is sent: what comes back after all comes back under another code.
    """
    stored = from_document(text(document, "body"))
    same = content_digest(stored.as_created) == content_digest(order) or _was_requested(document, stored, order)
    row = core.table.get(aggregate.booking)
    state = BookingState(text(row, "state")) if row is not None else None
    if state is BookingState.CANCELLED:
        return IsCancelled(order.code)
    if row is None or stored.booked_by_channel:  # no row: announced by an aggregator, which books it itself
        return Accepted() if same and stored.booked_by_channel else OtherContent(order.code)
    if state is BookingState.REFUSED:
        # Only the caller's own mistake stays refused: a mapping may be mended and a lane opened meanwhile.
        if same and maybe_text(row, "refusal_kind") == RefusalKind.CALLER.value:
            return outcome_of(aggregate, row)
        return _book_anew(core, configuration, aggregate, _with_what_was_added(order, stored), document, row)
    if not same:
        return OtherContent(order.code)
    if state is BookingState.HELD:
        look_again(core, aggregate, row)
    return outcome_of(aggregate, row)


def _was_requested(document: Item, stored: ReturnOrder, order: ReturnOrder) -> bool:
    """Whether a returns app told of this return by webhook before it called: the same units under the same AWB.

    What a webhook brings of a return is less than what a call does.
    """
    if maybe_text(document, "request") is None or order.awb is None:
        return False
    units, known = ({(item.item_code, item.sku) for item in each.items} for each in (order, stored.as_created))
    return order.awb == stored.awb and units == known


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
    wanted = Wanted(aggregate, order, accounts_for_order(configuration, order))
    return book_anew(core, configuration, wanted, document, row)


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
    accounts = accounts_for_order(configuration, order)
    aggregator = accounts[0].aggregator if accounts else None
    claims = Claims(aggregate, aggregator, [order.awb], watch_for(core, aggregator, order.awb))
    settled: list[Write] = [withdraw(aggregate, row, fence), corrected_document(aggregate, order, document, fence)]

    def change(status: Item) -> Mapping[str, Value]:
        refuse_if_at_hand(status)
        return facts

    while True:
        also = [*settled, *claims.writes, *listed_under_order(aggregate, order)]
        match core.journal.append(aggregate, event, change, readers=configuration.readers, also=also):
            case Appended(readers=readers):
                wake_tellers(core, aggregate, readers)
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
