"""Read returns: one with its timeline, a page of them, by AWB or order. Nothing of another client is ever seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import aggregate_of, listing_pk, return_id, return_of_order_key, shipment_key
from rms.model.documents import from_document
from rms.model.processing import ItemResult, PartResult
from rms.model.return_order import ReturnItem, ReturnOrder
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.json import optional_texts, parse_object
from rms.platform.table import Item
from rms.platform.times import to_text
from rms.returns.results import Judged, calls_of, judged_items
from rms.shipments.claims import owner_of
from rms.shipments.order_states import AT_HAND, OrderState, order_state
from rms.shipments.showing import Json, life, shown

PAGE: Final = 50

OF_ONE_ORDER: Final = 100
"""Most returns of one forward order that a search shows."""

_OF_AN_EXCHANGE: Final = {
    "state": "state",
    "decision": "decision",
    "store": "shopifyStore",
    "order": "replacementOrderId",
    "by": "linkedBy",
    "linked_at": "linkedAt",
    "reason": "reason",
    "walks": "tries",
    "due_at": "nextTryAt",
    "order_cancelled_at": "orderCancelledAt",
    "settled_at": "settledAt",
}

_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_YEARS: Final = range(1970, 9999)  # within them a change of zone cannot overflow


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which returns a list is to show: those in a commercial state, those created in a span of time. None: all.

    `since` is in the span and `until` is not.
    """

    state: OrderState | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def between(self) -> tuple[str, str] | None:
        """The span as bounds of `listing_sk`, whose text goes on after the time; None: there is no bound."""
        if self.since is None and self.until is None:
            return None
        return to_text(self.since or _BEGINNING), to_text(self.until or _END)


ALL: Final = Wanted()


def read_return(core: Core, client: str, code: str) -> dict[str, Json]:
    """One return: order, booking, state, timeline, and what each endpoint has heard.

    Raises:
        NotFoundError: no such return, or another client's.
    """
    aggregate = return_id(client, code)
    keys = [aggregate.document, aggregate.status, aggregate.booking, aggregate.cancellation, aggregate.exchange]
    rows = core.table.get_many(keys)
    if aggregate.document not in rows:
        raise NotFoundError("No such return order")
    document, status = rows[aggregate.document], rows[aggregate.status]
    order = from_document(text(document, "body"))
    judged = judged_items(core, aggregate, calls_of(status))
    return {
        **_summary(order, status),
        **_items(order, order_state(status), judged),
        "exchange": shown(rows.get(aggregate.exchange), _OF_AN_EXCHANGE),
        **life(core, aggregate, status, rows.get(aggregate.booking), rows.get(aggregate.cancellation)),
    }


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Which returns the parameters `state`, `from` and `to` of a list ask for.

    Raises:
        BadDataError: all of them that cannot be read, or a span that ends before it begins.
    """
    problems = []
    state, since, until = query.get("state"), _time(query.get("from")), _time(query.get("to"))
    if state is not None and state not in OrderState.__members__:
        problems.append(f"state: must be one of {', '.join(OrderState)}")
    problems += [
        f"{name}: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00Z"
        for name, moment in (("from", since), ("to", until))
        if moment is None and name in query
    ]
    if since is not None and until is not None and until < since:
        problems.append("to: must not be before from")
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    return Wanted(OrderState(state) if state else None, since, until)


def list_returns(core: Core, client: str, page: str | None, wanted: Wanted = ALL) -> dict[str, Json]:
    """A client's returns, newest first, PAGE at a time. A return made in the last second may not be listed yet.

    Of those in one state the index knows a moment late, too: one that has left it is left out, so that a page may be
    short, and one that has just come to it is on the next look.

    Raises:
        BadDataError: `page` is not what an earlier answer to the same question gave.
    """
    pk = listing_pk(client, "R", wanted.state)
    try:
        found = core.table.query_listing(pk, between=wanted.between, after=page, limit=PAGE)
    except ValueError as error:
        raise BadDataError("[page: must be the nextPage of an earlier answer]") from error
    aggregates = [aggregate_of(text(row, "PK")) for row in found.items]
    rows = core.table.get_many([key for each in aggregates for key in (each.document, each.status)])
    return {
        "returnOrders": [
            _summary(from_document(text(rows[each.document], "body")), rows[each.status])
            for each in aggregates
            if each.document in rows and wanted.state in {None, order_state(rows[each.status])}
        ],
        "nextPage": found.next,
    }


def search_returns(core: Core, client: str, body: bytes) -> dict[str, Json]:
    """Returns by AWB, by code, by forward order; by several of them, those that fit all. An empty list if none does.

    Of a forward order the first OF_ONE_ORDER by code. Source: RMS API contract, section 6; `orderCode` is ours, under
    the name that the answer has.

    Raises:
        BadDataError: none of the three, or one that is no text.
    """
    names = ("awbNumber", "transporter", "returnOrderCode", "orderCode")
    awb, transporter, code, order_code = optional_texts(parse_object(body), names).values()
    if awb is None and code is None and order_code is None:
        raise BadDataError("[awbNumber: may not be null unless returnOrderCode or orderCode is given]")
    candidates = _candidates(core, client, awb, code, order_code)
    found = []
    for start in range(0, len(candidates), PAGE):
        some = candidates[start : start + PAGE]
        rows = core.table.get_many([key for each in some for key in (each.document, each.status)])
        found += [
            _found(from_document(text(rows[each.document], "body")), rows[each.status])
            for each in some
            if each.document in rows
        ]
    return {
        "returnOrderDetailsList": [
            each
            for each in found
            if transporter in {None, each["transporter"]} and order_code in {None, each["orderCode"]}
        ]
    }


def _candidates(
    core: Core, client: str, awb: str | None, code: str | None, order_code: str | None
) -> list[AggregateId]:
    """The returns that may be meant. A code names one; so does an AWB; else it is those of the order."""
    named = return_id(client, code) if code is not None else None
    if awb is not None:
        owner = owner_of(client, core.table.get(shipment_key(client, awb)))
        return [owner] if owner is not None and owner.kind == "R" and named in {None, owner} else []
    if named is not None:
        return [named]
    assert order_code is not None
    partition = return_of_order_key(client, order_code, "")
    page = core.table.query(partition.pk, prefix=partition.sk, limit=OF_ONE_ORDER)
    return [return_id(client, text(row, "code")) for row in page.items]


def _summary(order: ReturnOrder, status: Item) -> dict[str, Json]:
    return {
        "returnOrderCode": order.code,
        "forwardOrderCode": order.forward_order_code,
        "locationCode": order.location_code,
        "orderType": order.order_type,
        "omniReturnOrderStatus": order_state(status).value,
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
        "omniReturnOrderStatus": order_state(status).value,
        "expectedDate": to_text(order.expected_at) if order.expected_at else None,
        "isSyncedToOms": False,
    }


def _items(order: ReturnOrder, state: OrderState, judged: Mapping[str, Judged]) -> dict[str, Json]:
    """The items of a return with what became of each, and what the warehouse found besides."""
    codes = {item.item_code for item in order.items}
    return {
        "orderItems": [
            {"itemCode": item.item_code, "channelSkuCode": item.sku, **_fate(item, state, judged.get(item.item_code))}
            for item in order.items
        ],
        "excessItems": [
            {"itemCode": code, "channelSkuCode": each.result.sku, **_judged(each)}
            for code, each in judged.items()
            if code not in codes
        ],
    }


def _fate(item: ReturnItem, state: OrderState, judged: Judged | None) -> dict[str, Json]:
    """What became of an item, by the words of section 17.2."""
    if judged is not None:
        return _judged(judged)
    if item.cancelled or state is OrderState.CANCELLED:
        return {"returnOrderItemStatus": "CANCELLED"}
    here = state in AT_HAND or state is OrderState.RECEIVED
    return {"returnOrderItemStatus": "PROCESSING" if here else "CREATED"}


def _judged(judged: Judged) -> dict[str, Json]:
    result, said = judged.result, judged.said
    return {
        "returnOrderItemStatus": result.found.value,
        "qcStatus": result.verdict.value,
        "qcReason": result.reason,
        "imageUrls": list(result.image_urls),
        "remark": result.remark,
        **_parts(result),
        "locationCode": said.location_code,
        "processedAt": to_text(said.at),
        "processedBy": said.by,
    }


def _parts(result: ItemResult) -> dict[str, Json]:
    """Parts of a virtual or bundled SKU, where there are any."""
    parts = {
        "virtualSkuChildItemReturnPostings": result.virtual_parts,
        "bundledSkuChildItemReturnPostings": result.bundled_parts,
    }
    return {name: [_part(part) for part in held] for name, held in parts.items() if held}


def _part(part: PartResult) -> dict[str, Json]:
    return {
        "channelSkuCode": part.sku,
        "clientSkuCode": part.client_sku,
        "barcode": part.barcode,
        "omsReturnItemId": part.oms_item_id,
        "returnOrderItemStatus": part.found.value if part.found else None,
        "qcStatus": part.verdict.value if part.verdict else None,
        "qcReason": part.reason,
        "qty": part.quantity,
    }


def _time(given: str | None) -> datetime | None:
    """A moment as a parameter gives it; None where it gives none that can be read."""
    try:
        moment = datetime.fromisoformat(given) if given else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and moment.year in _YEARS else None
