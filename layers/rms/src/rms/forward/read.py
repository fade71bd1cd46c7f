"""Read forward parcels: one with its timeline, a page of them, one's label. Nothing of another client is ever seen."""

from typing import Final

from rms.core import Core
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import aggregate_of, listing_pk, shipment_id
from rms.model.documents import parcel_from_document
from rms.model.forward_shipment import ForwardParcel
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.table import Item
from rms.shipments.label_files import LINK_SECONDS
from rms.shipments.showing import Json, life

PAGE: Final = 50


def read_shipment(core: Core, client: str, code: str) -> dict[str, Json]:
    """One parcel: what is in it, its state, booking, label, timeline, and what each endpoint has heard.

    Raises:
        NotFoundError: no such parcel, or another client's.
    """
    aggregate = shipment_id(client, code)
    keys = [aggregate.document, aggregate.status, aggregate.booking, aggregate.cancellation, aggregate.label]
    rows = core.table.get_many(keys)
    if aggregate.document not in rows:
        raise NotFoundError("No such forward shipment")
    parcel, status = parcel_from_document(text(rows[aggregate.document], "body")), rows[aggregate.status]
    return {
        **_summary(parcel, status),
        "items": [{"itemCode": item.item_code, "sku": item.sku, "quantity": item.quantity} for item in parcel.items],
        "label": _label(rows.get(aggregate.label)),
        **life(core, aggregate, status, rows.get(aggregate.booking), rows.get(aggregate.cancellation)),
    }


def list_shipments(core: Core, client: str, page: str | None) -> dict[str, Json]:
    """A client's forward parcels, newest first, PAGE at a time. One made in the last second may not be listed yet.

    Raises:
        BadDataError: `page` is not what an earlier answer gave.
    """
    try:
        found = core.table.query_listing(listing_pk(client, "S"), after=page, limit=PAGE)
    except ValueError as error:
        raise BadDataError("[page: must be the nextPage of an earlier answer]") from error
    aggregates = [aggregate_of(text(row, "PK")) for row in found.items]
    rows = core.table.get_many([key for each in aggregates for key in (each.document, each.status)])
    return {
        "forwardShipments": [
            _summary(parcel_from_document(text(rows[each.document], "body")), rows[each.status])
            for each in aggregates
            if each.document in rows
        ],
        "nextPage": found.next,
    }


def read_label(core: Core, client: str, code: str) -> dict[str, Json]:
    """A parcel's AWB and courier, and a fresh link to our copy of its label. Source: RMS API contract, section 11.

    Raises:
        NotFoundError: no such parcel, or another client's.
    """
    aggregate = shipment_id(client, code)
    rows = core.table.get_many([aggregate.status, aggregate.booking, aggregate.label])
    status = rows.get(aggregate.status)
    if status is None:
        raise NotFoundError("No such forward shipment")
    booking, label = rows.get(aggregate.booking), rows.get(aggregate.label)
    file = maybe_text(label, "file") if label is not None else None
    return {
        "orderId": maybe_text(booking, "order_id") if booking is not None else None,
        "orderNumber": maybe_text(status, "forward_code"),
        "shipmentCode": code,
        "awb": maybe_text(status, "awb"),
        "carrierName": maybe_text(status, "courier"),
        "shippingLabelUrl": core.files.link(file, LINK_SECONDS) if file is not None else None,
        "awbStatus": text(booking, "state") if booking is not None else None,
        "labelStatus": text(label, "state") if label is not None else None,
    }


def _summary(parcel: ForwardParcel, status: Item) -> dict[str, Json]:
    return {
        "shipmentCode": parcel.shipment_code,
        "orderNumber": parcel.code,
        "locationCode": parcel.location_code,
        "status": text(status, "state"),
        "statusText": maybe_text(status, "state_text"),
        "awb": maybe_text(status, "awb"),
        "carrierName": maybe_text(status, "courier"),
        "logisticAggregatorName": maybe_text(status, "aggregator"),
        "createdAt": text(status, "created_at"),
        "sequence": number(status, "sequence"),
    }


def _label(row: Item | None) -> Json:
    if row is None:
        return None
    shown = {
        "state": "state",
        "source": "source",
        "reason": "reason",
        "looks": "lookUps",
        "due_at": "nextLookUpAt",
        "kept_at": "keptAt",
        "url": "lookedForAt",
    }
    facts: dict[str, Json] = {}
    for name, outside in shown.items():
        value = row.get(name)
        if isinstance(value, str | int):
            facts[outside] = value
    return facts
