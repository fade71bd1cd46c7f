"""Add items to a return that exists, until it is received at the warehouse. Source: RMS API contract, section 5."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import text
from rms.journal.keys import return_id
from rms.model.documents import fits_a_row, from_document, to_document
from rms.model.outcomes import Accepted, ItemCodesTaken
from rms.model.return_order import ReturnItem, ReturnOrder
from rms.platform.errors import BadDataError
from rms.platform.json import parse_object
from rms.platform.problems import MAX_ITEMS, what_is_ours
from rms.platform.shapes import Amount, Code, Shape, Text, invalid, validated
from rms.platform.table import Equals, Item, TableContendedError, Update, Value
from rms.returns.rules import repeated_item_codes
from rms.shipments.order_states import refuse_if_ended
from rms.shipments.wake import wake_tellers

ITEM_CODE: Final = "returnLineItems.channelReturnItemCode"

_LISTED: Final = 200
"""How much of the new codes an event tells, in characters."""

_ROUNDS: Final = 5


class ReturnLineItem(Shape):
    """One of `returnLineItems`: one unit."""

    channel_return_item_code: Code
    channel_sku_code: Code
    price: Amount
    reason_for_return: Text
    sub_order_code: Code

    def to_item(self) -> ReturnItem:
        """The unit as RMS keeps it."""
        return ReturnItem(
            item_code=self.channel_return_item_code,
            sku=self.channel_sku_code,
            reason=self.reason_for_return,
            price=self.price,
            sub_order_code=self.sub_order_code,
            added=True,
        )


class AddItems(Shape):
    """Body of PUT /return/update-return-order/item."""

    location_code: Code
    order_code: Code
    return_order_code: Code
    return_line_items: Annotated[list[ReturnLineItem], Field(min_length=1, max_length=MAX_ITEMS)]


def read_added_items(raw: bytes) -> AddItems:
    """The request in a body.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(AddItems, body)
    problems += [*what_is_ours(body), *repeated_item_codes(body, ITEM_CODE)]
    if request is None or problems:
        raise invalid(AddItems, problems)
    return request


def add_return_items(core: Core, client: str, request: AddItems) -> Accepted | ItemCodesTaken:
    """Add items to a return, once; those that it has already are left as they are.

    A booking that is under way, and every look-up of it, goes on with the items that the return had when it was
    begun; a booking that is begun later is made for them all.

    Raises:
        BadDataError: there is no such return, it is received or cancelled, or it would hold too much.
        TableContendedError: others kept changing the return; nothing was written.
    """
    aggregate = return_id(client, request.return_order_code)
    for _ in range(_ROUNDS):
        document = core.table.get(aggregate.document)
        if document is None:
            raise BadDataError("[returnOrderCode: no such return order]")
        order = from_document(text(document, "body"))
        _check_identity(request, order)
        known = {item.item_code: item for item in order.items}
        wanted = [line.to_item() for line in request.return_line_items]
        taken = [place for place, item in enumerate(wanted) if _differs(known.get(item.item_code), item)]
        if taken:
            return ItemCodesTaken(tuple(taken))
        new = tuple(item for item in wanted if item.item_code not in known)
        if not new or _added(core, aggregate, document, _extended(order, new), new):
            return Accepted()
    raise TableContendedError("a return's document kept changing")


def _check_identity(request: AddItems, order: ReturnOrder) -> None:
    """A return of another order or warehouse is not the one that the client means."""
    problems = []
    if order.location_code not in {None, request.location_code}:  # POST /return/create tells none
        problems.append("locationCode: must be the warehouse of the return order")
    if order.forward_order_code != request.order_code:
        problems.append("orderCode: must be the forward order of the return order")
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")


def _differs(known: ReturnItem | None, wanted: ReturnItem) -> bool:
    """Whether a code is in use with other content than this call gives it."""
    if known is None:
        return False
    return (known.sku, known.reason, known.price, known.sub_order_code) != (
        wanted.sku,
        wanted.reason,
        wanted.price,
        wanted.sub_order_code,
    )


def _extended(order: ReturnOrder, new: Sequence[ReturnItem]) -> ReturnOrder:
    if len(order.items) + len(new) > MAX_ITEMS:
        raise BadDataError(f"[returnLineItems: the return order may come to at most {MAX_ITEMS} units]")
    extended = replace(order, items=(*order.items, *new))
    if not fits_a_row(extended):
        raise BadDataError("[returnLineItems: comes to more text than fits with what the return order holds]")
    return extended


def _added(core: Core, aggregate: AggregateId, document: Item, order: ReturnOrder, new: Sequence[ReturnItem]) -> bool:
    """Whether the items are in the return now; False when its document changed meanwhile and nothing was written."""
    fence, now = core.fences(), core.clock()
    codes = ", ".join(item.item_code for item in new)
    event = Event(
        event_id=f"ITEMS_ADDED:{fence}",
        kind=EventKind.ITEMS_ADDED,
        occurred_at=now,
        received_at=now,
        facts={"units": str(len(new)), "item_codes": codes[:_LISTED]},
    )
    replaced = Update(
        aggregate.document,
        expect={"fence": Equals(text(document, "fence"))},
        set={"body": to_document(order), "fence": fence},
    )

    def unless_ended(status: Item) -> Mapping[str, Value]:
        refuse_if_ended(status)
        return {}

    readers = configuration_of(core, aggregate.client).readers
    match core.journal.append(aggregate, event, unless_ended, readers=readers, also=[replaced]):
        case Appended(readers=marked):
            wake_tellers(core, aggregate, marked)
            return True
        case Duplicate():
            return True
        case Blocked():
            return False
