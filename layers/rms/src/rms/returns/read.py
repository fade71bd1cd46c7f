"""Read returns: one with its timeline, a page of them, by AWB. Nothing of another client is ever seen."""

from typing import Final

from rms.core import Core
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import aggregate_of, return_id, shipment_key
from rms.model.documents import from_document
from rms.model.return_order import ReturnOrder
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.json import optional_texts, parse_object
from rms.platform.table import Item, Key
from rms.platform.times import to_text
from rms.shipments.claims import owner_of
from rms.shipments.showing import Json, life

PAGE: Final = 50


def read_return(core: Core, client: str, code: str) -> dict[str, Json]:
    """One return: order, booking, state, timeline, and what each endpoint has heard.

    Raises:
        NotFoundError: no such return, or another client's.
    """
    aggregate = return_id(client, code)
    rows = core.table.get_many([aggregate.document, aggregate.status, aggregate.booking, aggregate.cancellation])
    if aggregate.document not in rows:
        raise NotFoundError("No such return order")
    document, status = rows[aggregate.document], rows[aggregate.status]
    order = from_document(text(document, "body"))
    return {
        **_summary(order, status),
        "orderItems": [{"itemCode": item.item_code, "channelSkuCode": item.sku} for item in order.items],
        **life(core, aggregate, status, rows.get(aggregate.booking), rows.get(aggregate.cancellation)),
    }


def list_returns(core: Core, client: str, page: str | None) -> dict[str, Json]:
    """A client's returns, newest first, PAGE at a time. A return made in the last second may not be listed yet.

    Raises:
        BadDataError: `page` is not what an earlier answer gave.
    """
    try:
        found = core.table.query_listing(f"C#{client}#R", after=page, limit=PAGE)
    except ValueError as error:
        raise BadDataError("[page: must be the nextPage of an earlier answer]") from error
    aggregates = [aggregate_of(text(row, "PK")) for row in found.items]
    rows = core.table.get_many([key for each in aggregates for key in (each.document, each.status)])
    return {
        "returnOrders": [
            _summary(from_document(text(rows[each.document], "body")), rows[each.status])
            for each in aggregates
            if each.document in rows
        ],
        "nextPage": found.next,
    }


def search_returns(core: Core, client: str, body: bytes) -> dict[str, Json]:
    """Returns by AWB, by code, or by both; an empty list when there is none. Source: RMS API contract, section 6.

    Raises:
        BadDataError: neither an AWB nor a code, or one that is no text.
    """
    wanted = optional_texts(parse_object(body), ("awbNumber", "transporter", "returnOrderCode"))
    awb, transporter, code = wanted["awbNumber"], wanted["transporter"], wanted["returnOrderCode"]
    if awb is None and code is None:
        raise BadDataError("[awbNumber: may not be null unless returnOrderCode is given]")
    aggregate = return_id(client, code) if code is not None else None
    if awb is not None:
        owner = owner_of(client, core.table.get(shipment_key(client, awb)))
        if owner is None or owner.kind != "R" or (aggregate is not None and owner != aggregate):
            return {"returnOrderDetailsList": []}
        aggregate = owner
    assert aggregate is not None
    keys: list[Key] = [aggregate.document, aggregate.status]
    rows = core.table.get_many(keys)
    if aggregate.document not in rows:
        return {"returnOrderDetailsList": []}
    found = _found(from_document(text(rows[aggregate.document], "body")), rows[aggregate.status])
    if transporter is not None and found["transporter"] != transporter:
        return {"returnOrderDetailsList": []}
    return {"returnOrderDetailsList": [found]}


def _summary(order: ReturnOrder, status: Item) -> dict[str, Json]:
    return {
        "returnOrderCode": order.code,
        "forwardOrderCode": order.forward_order_code,
        "locationCode": order.location_code,
        "orderType": order.order_type,
        "status": text(status, "state"),
        "statusText": maybe_text(status, "state_text"),
        "returnAwb": maybe_text(status, "awb"),
        "carrierName": maybe_text(status, "courier"),
        "logisticAggregatorName": maybe_text(status, "aggregator"),
        "createdAt": text(status, "created_at"),
        "sequence": number(status, "sequence"),
    }


def _found(order: ReturnOrder, status: Item) -> dict[str, Json]:
    return {
        "orderCode": order.forward_order_code,
        "returnOrderCode": order.code,
        "trackingCode": maybe_text(status, "awb"),
        "transporter": maybe_text(status, "courier"),
        "locationCode": order.location_code,
        "returnOrderType": order.order_type,
        "returnLineItems": [
            {
                "channelReturnItemCode": item.item_code,
                "subOrderCode": item.sub_order_code,
                "channelSkuCode": item.sku,
                "reasonForReturn": item.reason,
                "price": float(item.price) if item.price is not None else None,
            }
            for item in order.items
        ],
        "channelReturnOrderStatus": order.channel_status,
        "omniReturnOrderStatus": None,
        "expectedDate": to_text(order.expected_at) if order.expected_at else None,
        "isSyncedToOms": False,
    }
