"""What a Returns Processing Update tells a returns app: the QC result of a return that came from it. Pure.

Clickpost knows a return that a shopper placed on its page by its own reference, which is then the return's code; one
that RMS booked there is a parcel to it, and nothing to refund. Returns Prime sends its returns to RMS itself, so that
none of its own is one that an aggregator announced. Source: flows, sections 1, 6 and 7.
"""

from datetime import datetime

from rms.clients.configuration import Endpoint
from rms.journal import RecordedEvent
from rms.journal.events import text
from rms.model.documents import from_document
from rms.model.endpoint_kind import Partner
from rms.notifications.checked import SAMPLE_UNITS, only_excess, units
from rms.notifications.outgoing import Outgoing, Telling
from rms.notifications.sinks import processing_update
from rms.notifications.sinks.processing_update import ProcessingUpdate

WITHOUT_REFERENCE = "ANN-"
"""How RMS's own code begins, of a return that Clickpost announced without saying its reference."""


def outgoing(told: Telling) -> Outgoing | None:
    """The QC result of a processed return. None when it is not the partner's, or the event only tells of excess."""
    order = from_document(text(told.document, "body"))
    partner = partner_of(told.endpoint)
    announced = announced_by(told.background.first)
    its_own = announced == Partner.CLICKPOST if partner is Partner.CLICKPOST else announced is None
    if not its_own or only_excess(told, order):
        return None
    message = ProcessingUpdate(
        id=told.message_id,
        sequence=told.recorded.sequence,
        partner=partner,
        return_code=order.code,
        forward_order_code=order.forward_order_code,
        items=units(told, order),
        location_code=told.background.said(told.recorded).location_code,
        partner_reference=None if order.code.startswith(WITHOUT_REFERENCE) else order.code,
    )
    return _updates(message, told.about)


def sample(endpoint: Endpoint, message: str, _: datetime) -> Outgoing:
    """See `rms.notifications.outgoing.Composer`."""
    update = ProcessingUpdate(
        id=message,
        sequence=1,
        partner=partner_of(endpoint),
        return_code="SAMPLE-RETURN-1",
        forward_order_code="SAMPLE-ORDER-1",
        items=SAMPLE_UNITS,
        location_code="SAMPLE-WAREHOUSE-1",
        partner_reference="SAMPLE-RETURN-1",
    )
    return _updates(update, "SAMPLE")


def partner_of(endpoint: Endpoint) -> Partner:
    """Whose returns app the endpoint is."""
    return Partner(endpoint.settings["partner"])


def announced_by(first: RecordedEvent | None) -> str | None:
    """The aggregator on whose page the shopper placed the return; None when it came to RMS otherwise.

    Only what an aggregator says has a status of the aggregator's own.
    """
    return first.fact("aggregator") if first is not None and first.fact("raw_code") is not None else None


def _updates(message: ProcessingUpdate, about: str) -> Outgoing:
    return Outgoing(
        id=message.id,
        about=about,
        build=lambda target, now: processing_update.build(target, message, now),
        judge=processing_update.judge,
        problems=processing_update.problems(message),
    )
