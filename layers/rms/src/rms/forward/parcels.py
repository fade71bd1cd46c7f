"""The rows of a forward parcel that RMS hears of for the first time."""

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.keys import listing_pk, parcel_of_order_key
from rms.model.documents import to_document
from rms.model.forward_shipment import ForwardParcel
from rms.platform.table import NEW, Put, Value
from rms.platform.times import to_text

NEW_STATE = "CREATED"
"""The state of a parcel of which nothing was sighted yet: any sighting is later."""


def first_status(core: Core, order_code: str) -> dict[str, Value]:
    """The STATUS row of a parcel that is new."""
    return {"state": NEW_STATE, "created_at": to_text(core.clock()), "forward_code": order_code}


def of_order(aggregate: AggregateId, order_code: str) -> Put:
    """The row that says which order a parcel is of."""
    return Put(parcel_of_order_key(aggregate.client, order_code, aggregate.code), {"code": aggregate.code}, NEW)


def bare_document(core: Core, aggregate: AggregateId, parcel: ForwardParcel) -> dict[str, Value]:
    """The DOCUMENT row of a parcel that RMS does not book, or not yet: a whole one may take its place."""
    now = to_text(core.clock())
    return {
        "body": to_document(parcel),
        "bare": True,
        "received_at": now,
        "listing_pk": listing_pk(aggregate.client, aggregate.kind),
        "listing_sk": f"{now}#{aggregate.code}",
    }
