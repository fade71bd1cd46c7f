"""Ship a forward parcel: have its order made where an aggregator takes orders, its AWB booked, its label fetched.

Source: RMS API contract, sections 10, 11 and 13; flows, section 4.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from rms.aggregators import registry
from rms.aggregators.contract import Direction, Goal, RefusalKind
from rms.clients.choice import accounts_for_order, usable_accounts
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.forward.parcels import first_status, of_order
from rms.forward.values import Booking, Ordered, OtherSource, ShipOutcome, Shipped
from rms.journal import AggregateId, Blocked, Event, EventKind, Exists
from rms.journal.events import maybe_text, text
from rms.journal.keys import shipment_id
from rms.model.documents import content_digest, parcel_from_document, shipment_from_document
from rms.model.forward_shipment import ForwardShipment
from rms.model.notification_type import NotificationType
from rms.model.outcomes import AwbBooked, IsCancelled, OrderTaken, OtherContent
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.table import Item
from rms.shipments.booking import BookingState, look_again, outcome_of
from rms.shipments.label_files import LINK_SECONDS, LabelState
from rms.shipments.labels import LabelHeld, Labelled, fetch_again, label_outcome, settle_label
from rms.shipments.starting import Wanted, book_anew, book_ordered, create_and_book

WHILE_A_CLIENT_WAITS: Final = timedelta(seconds=25)
"""How long booking and fetching may take inside an API call, which must end within 29 seconds."""


def create_forward_order(core: Core, client: str, shipment: ForwardShipment) -> ShipOutcome:
    """Have the order of a parcel made, without an AWB, where the aggregator takes orders.

    The same parcel again: what came of it. The same code with other content: `OtherContent`.

    Raises:
        BadDataError: no account of the client takes orders, or the one that is named does not.
    """
    configuration = configuration_of(core, client)
    accounts = [each for each in _accounts(configuration, shipment) if _takes_orders(each)]
    if not accounts:
        raise BadDataError(
            "[logisticAccountAlias: must be an account whose aggregator takes orders before the AWB is asked for;"
            " elsewhere generate the shipping label at once]"
        )
    wanted = Wanted(shipment_id(client, shipment.shipment_code), shipment, accounts, Goal.ORDER)
    match _booked(core, configuration, wanted, shipment):
        case OrderTaken(order_id, code, at_aggregator):
            return Ordered(shipment.code, code, order_id, at_aggregator)
        case AwbBooked():
            raise AssertionError("a booking that is to go as far as the order went on to the AWB")
        case other:
            return other


def generate_label(core: Core, client: str, asked: ForwardShipment | str) -> ShipOutcome:
    """Book the AWB of a parcel and fetch its label: of a new one, or of one that RMS has, by its code.

    The same parcel again: what came of it, with a fresh link to the label. The same code with other content:
    `OtherContent`, unless the aggregator had refused, when it is a correction and is booked.

    Raises:
        BadDataError: no account of the client ships forward parcels, or the one that is named does not.
        NotFoundError: there is no parcel of that code.
    """
    until = core.clock() + WHILE_A_CLIENT_WAITS
    configuration = configuration_of(core, client)
    if isinstance(asked, str):
        aggregate = shipment_id(client, asked)
        document = core.table.get(aggregate.document)
        shipment = _stored(document)
        wanted = Wanted(aggregate, shipment, accounts_for_order(configuration, shipment))
        booked = _again(core, configuration, wanted, shipment, document or {})
    else:
        shipment, aggregate = asked, shipment_id(client, asked.shipment_code)
        wanted = Wanted(aggregate, shipment, _accounts(configuration, shipment))
        booked = _booked(core, configuration, wanted, shipment)
    match booked:
        case AwbBooked():
            return _with_label(core, aggregate, shipment.code, booked, until)
        case OrderTaken():
            raise AssertionError("a booking that is to go as far as the AWB stopped at the order")
        case other:
            return other


def _with_label(core: Core, aggregate: AggregateId, order_code: str, booked: AwbBooked, until: datetime) -> Shipped:
    """The parcel with our copy of its label: fetched now, if it is due and nobody else is at it."""
    row = core.table.get(aggregate.label)
    if row is not None and text(row, "state") == LabelState.HELD:
        fetch_again(core, aggregate, row)
    outcome = settle_label(core, aggregate, until) or label_outcome(core.table.get(aggregate.label))
    return Shipped(
        order_id=booked.order_id,
        order_code=order_code,
        shipment_code=booked.code,
        awb=booked.awb,
        courier=booked.courier,
        link=core.files.link(outcome.file, LINK_SECONDS) if isinstance(outcome, Labelled) else None,
        held=outcome.reason if isinstance(outcome, LabelHeld) else None,
    )


def _accounts(configuration: Configuration, shipment: ForwardShipment) -> Sequence[ConfiguredAccount]:
    accounts = accounts_for_order(configuration, shipment)
    if accounts:
        return accounts
    usable = ", ".join(account.alias for account in usable_accounts(configuration, Direction.FORWARD))
    problem = f"must be one of {usable}" if usable else "no aggregator account is set up to ship forward"
    raise BadDataError(f"[logisticAccountAlias: {problem}]")


def _takes_orders(account: ConfiguredAccount) -> bool:
    return registry.aggregator_of(account.aggregator).takes_orders


def _stored(document: Item | None) -> ForwardShipment:
    if document is None:
        raise NotFoundError("No such forward shipment")
    if document.get("bare"):
        raise BadDataError("[orderDetails: may not be null, because RMS knows no more than this shipment's code]")
    return shipment_from_document(text(document, "body"))


def _booked(
    core: Core, configuration: Configuration, wanted: Wanted, shipment: ForwardShipment
) -> Booking | OtherContent | OtherSource:
    now = core.clock()
    first = Event("PLACED", EventKind.PLACED, occurred_at=min(shipment.ordered_at, now), received_at=now)
    also = [of_order(wanted.aggregate, shipment.code)]
    status = first_status(core, shipment.code)
    match create_and_book(core, configuration, wanted, first, status, also):
        case Exists(document):
            return _again(core, configuration, wanted, shipment, document)
        case Blocked():
            raise AssertionError("a row of a parcel without its document")
        case outcome:
            return outcome


def _again(
    core: Core, configuration: Configuration, wanted: Wanted, shipment: ForwardShipment, document: Item
) -> Booking | OtherContent | OtherSource:
    """The code is known: the same parcel goes on, a refused one may be corrected, another is a conflict.

    One that was cancelled stays so, whatever is sent.
    """
    aggregate = wanted.aggregate
    row = core.table.get(aggregate.booking)
    if row is None:
        return _first_booked(core, configuration, wanted, shipment, document)
    same = content_digest(shipment_from_document(text(document, "body"))) == content_digest(shipment)
    state = BookingState(text(row, "state"))
    # Only the caller's own mistake stays refused: a mapping may be mended and a lane opened meanwhile.
    mistaken = maybe_text(row, "refusal_kind") == RefusalKind.CALLER.value
    if state is BookingState.REFUSED and not (same and mistaken):
        return book_anew(core, configuration, wanted, document, row)
    if not same and state not in {BookingState.REFUSED, BookingState.CANCELLED}:
        return OtherContent(aggregate.code)
    if wanted.goal is Goal.AWB:
        return book_ordered(core, configuration, aggregate, shipment, row)
    if state is BookingState.BOOKED:  # its AWB was asked for meanwhile; the order is made all the same
        return OrderTaken(text(row, "order_id"), aggregate.code, maybe_text(row, "shipment_id"))
    if state is BookingState.HELD:
        look_again(core, aggregate, row)
    return outcome_of(aggregate, row)


def _first_booked(
    core: Core, configuration: Configuration, wanted: Wanted, shipment: ForwardShipment, document: Item
) -> Booking | OtherContent | OtherSource:
    """Book a parcel that RMS knows by its codes only: from an invoice, or from a label of the client's own system."""
    aggregate = wanted.aggregate
    if parcel_from_document(text(document, "body")).code != shipment.code:
        return OtherContent(aggregate.code)
    rows = core.table.get_many([aggregate.status, aggregate.label])
    if text(rows[aggregate.status], "state") == NotificationType.CANCELLED:
        return IsCancelled(aggregate.code)
    if aggregate.label in rows:
        return OtherSource("its label is asked of the client's own system")
    return book_anew(core, configuration, wanted, document, None)
