"""The OMS says that an invoice or a credit note was made for a parcel; subscribers hear it.

Source: RMS API contract, section 15.2; flows, section 4.
"""

import hashlib

from rms.clients.configuration import Configuration, configuration_of
from rms.core import Core
from rms.forward.parcels import bare_document, first_status, of_order
from rms.forward.values import Invoice
from rms.journal import AggregateId, Appended, Blocked, Created, Duplicate, Event, EventKind, Exists
from rms.journal.events import maybe_text
from rms.journal.keys import shipment_id
from rms.model.forward_shipment import ForwardParcel
from rms.model.notification_type import NotificationType
from rms.platform.errors import BadDataError
from rms.shipments.wake import wake_tellers


def record_invoice(core: Core, client: str, invoice: Invoice) -> None:
    """Have an invoice told, once for each status of it: of a parcel that RMS has, or of one that it will have.

    An invoice is often made before the label, so that a parcel may be known by it first.

    Raises:
        BadDataError: the parcel is one of another order.
    """
    configuration = configuration_of(core, client)
    aggregate = shipment_id(client, invoice.shipment_code)
    event = _event(core, invoice)
    status = core.journal.status(aggregate)
    if status is None:
        match core.journal.create(
            aggregate,
            bare_document(core, aggregate, ForwardParcel(invoice.order_code, invoice.shipment_code)),
            first_status(core, invoice.order_code),
            event,
            readers=configuration.readers,
            also=[of_order(aggregate, invoice.order_code)],
        ):
            case Created(readers=readers):
                wake_tellers(core, aggregate, readers)
                return
            case Exists() | Blocked():
                status = core.journal.status(aggregate)
                assert status is not None, "a parcel has a status"
    if maybe_text(status, "forward_code") != invoice.order_code:
        raise BadDataError("[forwardOrderCode: must be the order of the forward shipment]")
    _append(core, configuration, aggregate, event)


def _append(core: Core, configuration: Configuration, aggregate: AggregateId, event: Event) -> None:
    match core.journal.append(aggregate, event, lambda _: {}, readers=configuration.readers):
        case Appended(readers=readers):
            wake_tellers(core, aggregate, readers)
        case Duplicate() | Blocked():
            return  # told before


def _event(core: Core, invoice: Invoice) -> Event:
    now = core.clock()
    which = f"{invoice.document_type}\n{invoice.invoice_id}\n{invoice.status}"
    facts = {
        "invoice_id": invoice.invoice_id,
        "document_url": invoice.document_url,
        "invoice_status": invoice.status,
        "document_type": invoice.document_type,
        "irn": invoice.irn,
        "ack_name": invoice.ack_name,
        "ack_date": invoice.ack_date,
    }
    return Event(
        event_id=f"INVOICED:{hashlib.sha256(which.encode()).hexdigest()[:32]}",
        kind=EventKind.INVOICED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.INVOICE_GENERATED,
        facts={name: value for name, value in facts.items() if value is not None},
    )
