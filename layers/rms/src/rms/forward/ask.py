"""Ask a client's own system, its web shop, for the label of a parcel that it ships itself.

Source: RMS API contract, section 21.
"""

from datetime import timedelta
from typing import Final

from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.forward.parcels import bare_document, first_status, of_order
from rms.forward.values import LabelQuestion, OtherSource, ShipOutcome, Shipped
from rms.journal import AggregateId, Blocked, Created, Event, EventKind, Exists
from rms.journal.events import maybe_text, text
from rms.journal.keys import shipment_id
from rms.model.documents import parcel_from_document, to_document
from rms.model.forward_shipment import ForwardParcel
from rms.model.outcomes import AwbPending, OtherContent
from rms.platform.errors import BadDataError
from rms.platform.table import NEW, ConditionFailedError, Equals, Item, Update, Value
from rms.shipments.label_files import LINK_SECONDS, LabelSource, LabelState, label_wanted
from rms.shipments.labels import LabelHeld, Labelled, fetch_again, label_outcome, settle_label

WHILE_A_CLIENT_WAITS: Final = timedelta(seconds=22)
"""How long asking and fetching may take inside an API call, which must end within 29 seconds."""

REFERENCE: Final = "SHOP"
"""What stands for a booking's reference: the client's own system books a parcel once."""


def ask_web_shop_label(core: Core, client: str, question: LabelQuestion) -> ShipOutcome:
    """Get a parcel's AWB and label from the client's own system, and follow the parcel from then on.

    Asked again: what came of it. What the client's system does not give now is asked for in the background.

    Raises:
        BadDataError: the client has no such system set up.
    """
    until = core.clock() + WHILE_A_CLIENT_WAITS
    if configuration_of(core, client).label_source is None:
        raise BadDataError("[labelSource: no system of the client is set up to give labels]")
    aggregate = shipment_id(client, question.shipment_code)
    conflict = _begun(core, aggregate, question)
    if conflict is not None:
        return conflict
    outcome = settle_label(core, aggregate, until)
    rows = core.table.get_many([aggregate.status, aggregate.label])
    status, label = rows[aggregate.status], rows[aggregate.label]
    awb = maybe_text(status, "awb")
    if awb is None:
        return AwbPending(aggregate.code)
    outcome = outcome or label_outcome(label)
    return Shipped(
        order_id=None,
        order_code=question.order_code,
        shipment_code=aggregate.code,
        awb=awb,
        courier=maybe_text(status, "courier") or "",
        link=core.files.link(outcome.file, LINK_SECONDS) if isinstance(outcome, Labelled) else None,
        held=outcome.reason if isinstance(outcome, LabelHeld) else None,
        boxes=maybe_text(label, "boxes"),
    )


def _begun(core: Core, aggregate: AggregateId, question: LabelQuestion) -> OtherContent | OtherSource | None:
    """Have the label of a parcel wanted, new or known; or why it is not the client's own system that gives it."""
    now = core.clock()
    wanted = _wanted(core, aggregate, question)
    parcel = ForwardParcel(question.order_code, question.shipment_code, location_code=question.location_code)
    match core.journal.create(
        aggregate,
        bare_document(core, aggregate, parcel),
        first_status(core, question.order_code),
        Event("PLACED", EventKind.PLACED, occurred_at=now, received_at=now),
        also=[of_order(aggregate, question.order_code), wanted],
    ):
        case Created():
            return None
        case Exists(document):
            return _known(core, aggregate, question, document, wanted)
        case Blocked():
            raise AssertionError("a row of a parcel without its document")


def _known(
    core: Core, aggregate: AggregateId, question: LabelQuestion, document: Item, wanted: Update
) -> OtherContent | OtherSource | None:
    if parcel_from_document(text(document, "body")).code != question.order_code:
        return OtherContent(aggregate.code)
    rows = core.table.get_many([aggregate.booking, aggregate.label])
    label = rows.get(aggregate.label)
    if aggregate.booking in rows:
        return OtherSource("RMS ships it with an aggregator account")
    if label is None:  # known from an invoice, which names no warehouse
        parcel = ForwardParcel(question.order_code, question.shipment_code, location_code=question.location_code)
        unchanged = {"fence": Equals(text(document, "fence"))}
        told = Update(aggregate.document, unchanged, set={"body": to_document(parcel), "fence": core.fences()})
        try:
            core.table.transact([told, Update(wanted.key, NEW, set=wanted.set)])
        except ConditionFailedError:
            return None  # the same question at the same time
    elif text(label, "state") == LabelState.HELD:
        fetch_again(core, aggregate, label)
    return None


def _wanted(core: Core, aggregate: AggregateId, question: LabelQuestion) -> Update:
    asked: dict[str, Value] = {
        "orderCode": question.order_code,
        "shipmentId": question.shipment_id,
        "shipmentCode": question.shipment_code,
        "locationCode": question.location_code,
        "arePackBoxLabelsRequired": "true" if question.box_labels else "false",
    }
    ask = {name: value for name, value in asked.items() if value is not None}
    return label_wanted(aggregate, REFERENCE, core.fences(), core.clock(), source=LabelSource.SHOP.value, ask=ask)
