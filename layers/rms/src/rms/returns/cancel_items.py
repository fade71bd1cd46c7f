"""Cancel single items of a return: they need not come back any more, the others still do.

The contract publishes no call for it, only what a warehouse hears of it (section 19, `RETURN_ORDER_PARTIAL_CANCEL`) and
what such an item is called (section 17.2, `CANCELLED`). No aggregator takes single items out of a parcel: what it was
told stays as it was told, and a booking that is begun later is made without them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import text
from rms.journal.keys import return_id
from rms.model.documents import fits_a_row, from_document, to_document
from rms.model.outcomes import CancelDone, CancelOutcome, ItemsCancelled, TooLateToCancel
from rms.model.return_order import ReturnOrder
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.json import MAX_TEXT, JsonValue, parse_object
from rms.platform.problems import MAX_ITEMS
from rms.platform.table import Equals, Item, TableContendedError, Update, Value
from rms.shipments.order_states import OrderState, order_state
from rms.shipments.wake import wake_tellers

_LISTED: Final = 200
"""How much of the codes an event tells, in characters."""

_ROUNDS: Final = 5


class _TooLateError(Exception):
    """The return went on while its items were to be cancelled."""


def read_items_to_cancel(raw: bytes) -> tuple[str, ...]:
    """The codes of the items that a request names; none: the whole return is meant.

    Raises:
        BadDataError: it is no JSON object, or names them otherwise than as `orderItems[].itemCode`.
    """
    named = parse_object(raw).get("orderItems") if raw.strip() else None
    if named is None:
        return ()
    if not isinstance(named, list) or not 0 < len(named) <= MAX_ITEMS:
        raise BadDataError(f"[orderItems: must be a list of 1 to {MAX_ITEMS} items]")
    codes = [_code_in(item) for item in named]
    wrong = [place for place, code in enumerate(codes) if not 0 < len(code) <= MAX_TEXT]
    if wrong:
        said = (f"orderItems[{place}].itemCode: must be text of 1 to {MAX_TEXT} characters" for place in wrong)
        raise BadDataError(f"[{', '.join(said)}]")
    return tuple(dict.fromkeys(codes))


def _code_in(item: JsonValue) -> str:
    """The code in one of `orderItems`; empty where there is none."""
    code = item.get("itemCode") if isinstance(item, dict) else None
    return code.strip() if isinstance(code, str) else ""


def cancel_return_items(core: Core, client: str, code: str, item_codes: Sequence[str]) -> CancelOutcome:
    """Cancel these items, once, until the courier has the parcel. Of a cancelled return they are cancelled already.

    Raises:
        NotFoundError: no such return, or another client's.
        BadDataError: one of them is no item of it, or nothing would be left.
        TableContendedError: others kept changing the return; nothing was written.
    """
    aggregate = return_id(client, code)
    for _ in range(_ROUNDS):
        rows = core.table.get_many([aggregate.document, aggregate.status])
        if aggregate.document not in rows:
            raise NotFoundError("No such return order")
        status, document = rows[aggregate.status], rows[aggregate.document]
        order = from_document(text(document, "body"))
        new = _to_cancel(order, item_codes)
        if order_state(status) is OrderState.CANCELLED:
            return CancelDone(code)
        if not new:
            return ItemsCancelled(code, tuple(item_codes))
        if (late := _too_late(status)) is not None:
            return TooLateToCancel(code, late)
        if len(new) == len(order.wanted):
            raise BadDataError("[orderItems: are all that is to come back: cancel the return order itself]")
        if _cancelled(core, aggregate, document, order, new):
            return ItemsCancelled(code, tuple(item_codes))
    raise TableContendedError("a return kept changing while items were to be cancelled")


def _to_cancel(order: ReturnOrder, item_codes: Sequence[str]) -> list[str]:
    """Those of the codes that are not cancelled yet."""
    known = {item.item_code: item for item in order.items}
    strangers = [place for place, code in enumerate(item_codes) if code not in known]
    if strangers:
        said = (f"orderItems[{place}].itemCode: is no item of the return order" for place in strangers)
        raise BadDataError(f"[{', '.join(said)}]")
    return [code for code in item_codes if not known[code].cancelled]


def _too_late(status: Item) -> str | None:
    """The state in which no item can be taken out any more."""
    state = order_state(status)
    return None if state is OrderState.CREATED else state.value


def _cancelled(core: Core, aggregate: AggregateId, document: Item, order: ReturnOrder, codes: Sequence[str]) -> bool:
    """Whether they are cancelled now; False when the return changed meanwhile and nothing was written."""
    items = (replace(item, cancelled=item.cancelled or item.item_code in codes) for item in order.items)
    order = replace(order, items=tuple(items))
    if not fits_a_row(order):
        raise BadDataError("[orderItems: comes to more text than fits with what the return order holds]")
    fence, now = core.fences(), core.clock()
    event = Event(
        event_id=f"ITEMS_CANCELLED:{fence}",
        kind=EventKind.ITEMS_CANCELLED,
        occurred_at=now,
        received_at=now,
        facts={"units": str(len(codes)), "item_codes": ", ".join(codes)[:_LISTED]},
    )
    replaced = Update(
        aggregate.document,
        expect={"fence": Equals(text(document, "fence"))},
        set={"body": to_document(order), "fence": fence},
    )

    def unless_too_late(status: Item) -> Mapping[str, Value]:
        if _too_late(status) is not None:
            raise _TooLateError
        return {}

    try:
        readers = configuration_of(core, aggregate.client).readers
        match core.journal.append(aggregate, event, unless_too_late, readers=readers, also=[replaced]):
            case Appended(readers=marked):
                wake_tellers(core, aggregate, marked)
                return True
            case Duplicate():
                return True
            case Blocked():
                return False
    except _TooLateError:
        return False
