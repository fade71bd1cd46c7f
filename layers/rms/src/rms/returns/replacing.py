"""Which order replaces the goods of a return, and what QC decides for it: the EXCHANGE row, up to INTENT.

The row is made when RMS hears of the replacement order, from the shop's webhook or from a returns app; that may be
before the return itself is known, or after its goods were checked. What QC decides is written in the transaction of the
QC event. What is then done at the shop is in `rms.returns.exchange_walks`. See docs/adr, "An exchange is decided with
its QC result".

| attribute            | what                                                                                   |
| -------------------- | -------------------------------------------------------------------------------------- |
| `state`, `fence`     | as of every booking; see `rms.exchanges.ExchangeState`                                 |
| `store`, `order`     | the web shop, and the order's number there                                             |
| `by`, `linked_at`    | who said so, and when RMS heard of it                                                  |
| `items`              | the SKU for which each item is exchanged, "" for an unknown one; absent: all items are |
| `decision`, `qc`     | what was decided, and after how many calls of the warehouse                            |
| `because`            | why a person is to look at it, where that was decided                                  |
| `walks`, `reason`    | how often it was tried, and why it is not done                                         |
| `order_cancelled_at` | when the shop said that it has cancelled the order                                     |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rms.clients.configuration import configuration_of
from rms.clients.stores import exchange_settings
from rms.core import Core
from rms.exchanges import Decision, ExchangeItem, ExchangeState, Verdict, decide, revised
from rms.exchanges.walk import STEPS
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import maybe_text, number, text
from rms.journal.journal import Change
from rms.journal.keys import due_shard, replacement_key, return_id
from rms.model.documents import from_document
from rms.model.return_order import ReturnOrder
from rms.partners.shopify import order_gid
from rms.platform.observability import count, logger
from rms.platform.table import (
    NEW,
    AbsentOr,
    Check,
    ConditionFailedError,
    Equals,
    Item,
    Key,
    Put,
    TableContendedError,
    Update,
    Value,
    Write,
)
from rms.platform.times import to_text
from rms.returns.results import Judged, calls_of, last_words, read_with_calls
from rms.shipments.wake import wake_exchange

_ROUNDS: Final = 8
_DECIDED: Final = frozenset(STEPS)

SEVERAL_ORDERS: Final = "another order names this return, too"
A_CANCELLED_ITEM: Final = "an item that is exchanged was cancelled and does not come back"
CHANGED_ITS_MIND: Final = "QC corrected itself after the replacement order was released, cancelled or begun with"


@dataclass(frozen=True, slots=True)
class Replacement:
    """An order that replaces goods of a return. `order` is its id at the shop, `by` who says so.

    `store` None: the client's only one. `items`: by item code of the return the SKU for which it is exchanged, "" for
    one that nobody names; None: all items are exchanged.
    """

    order: str
    by: str
    store: str | None = None
    items: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """The return has this replacement order, by now or before."""


@dataclass(frozen=True, slots=True)
class NotLinked:
    """It has not, for this reason."""

    reason: str


class _ChangedMeanwhileError(Exception):
    """Something happened to the return since it was read: look again."""


# ── linking ─────────────────────────────────────────────────────────────────────────


def link_exchange(core: Core, client: str, code: str, replacement: Replacement) -> Linked | NotLinked:
    """Note which order replaces goods of a return, whether that is known yet or not; the same again changes nothing.

    An order that says so of a return which has another one makes its exchange a person's.

    Raises:
        TableContendedError: others kept changing the return; nothing was written.
    """
    stores = configuration_of(core, client).stores
    alias = replacement.store or (next(iter(stores)) if len(stores) == 1 else "")
    if alias not in stores:
        return _not_linked("nothing says which of the client's Shopify stores the order is in")
    try:
        order = order_gid(replacement.order).rpartition("/")[2]
    except ValueError as error:
        return _not_linked(str(error))
    aggregate = return_id(client, code)
    for _ in range(_ROUNDS):
        # The status first: what is read after it is at least as new, and nothing is written if it has moved.
        status = core.table.get(aggregate.status)
        there = core.table.get(aggregate.exchange)
        if there is None:
            outcome = _linked(core, aggregate, status, _row(core, replacement, alias, order))
        elif (text(there, "store"), text(there, "order")) == (alias, order):
            outcome = _told_more(core, aggregate, status, there, replacement)
        else:
            outcome = _contested(core, aggregate, there)
        if outcome is not None:
            return outcome
    raise TableContendedError("a return kept changing while its replacement order was noted")


def _not_linked(reason: str) -> NotLinked:
    count("ExchangeNotLinked")
    logger.error("replacement order not linked", reason=reason)
    return NotLinked(reason)


def _row(core: Core, replacement: Replacement, alias: str, order: str) -> Item:
    return {
        "state": ExchangeState.LINKED.value,
        "fence": core.fences(),
        "store": alias,
        "order": order,
        "by": replacement.by,
        "linked_at": to_text(core.clock()),
        "decision": Decision.WAIT.value,
        "walks": 0,
        **({"items": dict(replacement.items)} if replacement.items else {}),
    }


def _linked(core: Core, aggregate: AggregateId, status: Item | None, row: Item) -> Linked | NotLinked | None:
    """Write the row, with the decision if the goods were checked before; None when something changed meanwhile."""
    order = replacement_key(aggregate.client, text(row, "store"), text(row, "order"))
    owner = Put(order, {"code": aggregate.code}, {"code": AbsentOr(Equals(aggregate.code))})
    if status is None:
        return _linked_ahead(core, aggregate, row, owner)
    calls = calls_of(status)
    rows, keys = read_with_calls(core, aggregate, calls, [aggregate.document])
    decided = _decided(core, aggregate, row, from_document(text(rows[aggregate.document], "body")), rows, keys)
    more = {} if decided is None else _intent(core, aggregate, decided, calls)
    now = core.clock()
    event = Event(
        event_id=f"EXCHANGE_LINKED:{text(row, 'store')}:{text(row, 'order')}",
        kind=EventKind.EXCHANGE_LINKED,
        occurred_at=now,
        received_at=now,
        facts={name: text(row, name) for name in ("store", "order", "by")},
    )
    also = [Put(aggregate.exchange, {**row, **more}, NEW), owner]
    try:
        match core.journal.append(aggregate, event, _unless_moved(status), also=also, status=status):
            case Appended():
                if more:
                    wake_exchange(core, aggregate)
                return Linked()
            case Blocked(index=1):
                return _not_linked("the order replaces goods of another return")
            case Duplicate() | Blocked():
                return None
    except _ChangedMeanwhileError:
        return None


def _linked_ahead(core: Core, aggregate: AggregateId, row: Item, owner: Put) -> Linked | NotLinked | None:
    """The same for a return that is still to come: its row waits where the first QC result looks for it."""
    try:
        core.table.transact([Put(aggregate.exchange, row, NEW), owner, Check(aggregate.status, NEW)])
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is not None and there.get("fence") == row["fence"]:
            return Linked()  # the reply to a first try was lost
        return _not_linked("the order replaces goods of another return") if failed.refused(1) else None
    return Linked()


def _unless_moved(status: Item) -> Change:
    def change(now: Item) -> Mapping[str, Value]:
        if now["sequence"] != status["sequence"]:
            raise _ChangedMeanwhileError
        return {}

    return change


def _told_more(
    core: Core, aggregate: AggregateId, status: Item | None, there: Item, replacement: Replacement
) -> Linked | None:
    """A second source may name the items, as long as nothing is decided."""
    if not replacement.items or "items" in there or text(there, "state") != ExchangeState.LINKED:
        return Linked()
    named: dict[str, Value] = {"items": dict(replacement.items), "fence": core.fences()}
    decided = None
    if status is not None:
        calls = calls_of(status)
        rows, keys = read_with_calls(core, aggregate, calls, [aggregate.document])
        order = from_document(text(rows[aggregate.document], "body"))
        decided = _decided(core, aggregate, {**there, **named}, order, rows, keys)
        named |= _intent(core, aggregate, decided, calls) if decided is not None else {}
    unmoved = Check(aggregate.status, NEW if status is None else {"sequence": Equals(number(status, "sequence"))})
    if not _changed(core, aggregate, there, named, [unmoved]):
        return None
    if decided is not None:
        wake_exchange(core, aggregate)
    return Linked()


def _contested(core: Core, aggregate: AggregateId, there: Item) -> NotLinked | None:
    if Decision(text(there, "decision")) is not Decision.HOLD:
        held = _intent(core, aggregate, _Decided(Decision.HOLD, SEVERAL_ORDERS), _decided_on(there))
        if not _changed(core, aggregate, there, held):
            return None
        wake_exchange(core, aggregate)
    return _not_linked("the return has another replacement order")


def _changed(
    core: Core, aggregate: AggregateId, there: Item, change: Mapping[str, Value], also: Sequence[Write] = ()
) -> bool:
    """Whether the row is changed as it was read."""
    update = Update(aggregate.exchange, {"fence": Equals(text(there, "fence"))}, set=change)
    try:
        core.table.transact([update, *also])
    except ConditionFailedError as failed:
        now = failed.current(0)
        return now is not None and now.get("fence") == change["fence"]
    return True


# ── deciding ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be done, and why, where that is a person's."""

    decision: Decision
    because: str = ""


def after_qc(
    core: Core, aggregate: AggregateId, row: Item, order: ReturnOrder, rows: Mapping[Key, Item], keys: Sequence[Key]
) -> tuple[Write, ...]:
    """What is written with a QC event because of what it decides. `keys`: of all calls so far, this one included.

    Whoever commits an update wakes the worker.
    """
    as_read = {"fence": Equals(text(row, "fence"))}
    decided = _decided(core, aggregate, row, order, rows, keys)
    if decided is not None:
        return (Update(aggregate.exchange, as_read, set=_intent(core, aggregate, decided, len(keys))),)
    # Whoever names the items meanwhile may not see this result, nor this one those items.
    return (Check(aggregate.exchange, as_read),) if text(row, "state") == ExchangeState.LINKED else ()


def try_again(  # noqa: PLR0913, PLR0917 - the rows of a return are as many
    core: Core,
    aggregate: AggregateId,
    status: Item,
    row: Item,
    order: ReturnOrder,
    rows: Mapping[Key, Item],
    keys: Sequence[Key],
) -> None:
    """Have tried once more what is held, or decided what was not: the same QC result came again, somebody wants it."""
    state, again = ExchangeState(text(row, "state")), None
    if state is ExchangeState.HELD and Decision(text(row, "decision")) in _DECIDED:
        again = _due(core, aggregate, ExchangeState.UNKNOWN)
    elif state is ExchangeState.LINKED and (decided := _decided(core, aggregate, row, order, rows, keys)) is not None:
        again = _intent(core, aggregate, decided, len(keys))
    unmoved = Check(aggregate.status, {"sequence": Equals(number(status, "sequence"))})
    if again is not None and _changed(core, aggregate, row, again, [unmoved]):
        wake_exchange(core, aggregate)


def exchanged(row: Item, order: ReturnOrder, words: Mapping[str, Judged]) -> tuple[ExchangeItem, ...]:
    """The items that an exchange is about, each with its verdict. A name that is no item's makes it all items."""
    skus = {item.item_code: "" for item in order.items}
    named = row.get("items")
    if isinstance(named, Mapping) and named.keys() <= skus.keys():
        skus = {item_code: str(sku) for item_code, sku in named.items()}
    return tuple(
        ExchangeItem(item_code, sku or None, Verdict(words[item_code].result.verdict) if item_code in words else None)
        for item_code, sku in skus.items()
    )


def _decided(
    core: Core,
    aggregate: AggregateId,
    row: Item,
    order: ReturnOrder,
    rows: Mapping[Key, Item],
    keys: Sequence[Key],
) -> _Decided | None:
    """What is to be done by now, if that is news.

    As long as nothing was asked of Shopify a correction simply decides anew. Afterwards it is a person's: what was
    released does not come back, and what is under way may be done before anybody can stop it.
    """
    store = configuration_of(core, aggregate.client).stores.get(text(row, "store"))
    items = exchanged(row, order, last_words(rows, keys))
    edits = store is not None and exchange_settings(store).edits_orders
    kept, now = Decision(text(row, "decision")), decide(items, edits_orders=edits)
    untouched = text(row, "state") == ExchangeState.INTENT and kept in _DECIDED
    decided_on = exchanged(row, order, last_words(rows, keys[: _decided_on(row)]))
    cancelled = {item.item_code for item in order.items if item.cancelled}
    if now is Decision.WAIT and all(item.verdict or item.item_code in cancelled for item in items):
        now = Decision.HOLD
    if now in {Decision.WAIT, Decision.NOTHING}:
        return None
    then = revised(Decision.WAIT if untouched else kept, now)
    if then is kept and items != decided_on and not untouched:
        then = Decision.HOLD
    if then is kept and (then is Decision.HOLD or items == decided_on):
        return None
    because = CHANGED_ITS_MIND if kept in _DECIDED and not untouched else A_CANCELLED_ITEM
    return _Decided(then, because if then is Decision.HOLD else "")


def _decided_on(row: Item) -> int:
    """After how many calls of the warehouse the last decision was made."""
    calls = row.get("qc", 0)
    assert isinstance(calls, int)
    return calls


def _intent(core: Core, aggregate: AggregateId, decided: _Decided, calls: int) -> dict[str, Value]:
    return {
        **_due(core, aggregate, ExchangeState.INTENT),
        "decision": decided.decision.value,
        "because": decided.because,
        "qc": calls,
    }


def _due(core: Core, aggregate: AggregateId, state: ExchangeState) -> dict[str, Value]:
    """Due now, under a fence of its own: whoever was at it writes nothing more, and takes no further step."""
    return {
        "state": state.value,
        "fence": core.fences(),
        "walks": 0,
        "reason": "",
        "due_at": to_text(core.clock()),
        "due_shard": due_shard(aggregate.pk),
    }


# ── what the shop says ──────────────────────────────────────────────────────────────


def note_cancelled(core: Core, client: str, store: str, order_id: str) -> None:
    """Note that a shop has cancelled an order, if it replaces goods of a return and RMS has not cancelled it itself.

    What QC says afterwards is then done or held by what the order shows: see `rms.exchanges.standing`.

    Raises:
        TableContendedError: others kept changing the return; nothing was written.
    """
    owner = core.table.get(replacement_key(client, store, order_id))
    if owner is None:
        return
    aggregate = return_id(client, text(owner, "code"))
    for _ in range(_ROUNDS):
        row = core.table.get(aggregate.exchange)
        if row is None or text(row, "decision") == Decision.CANCEL_ORDER or maybe_text(row, "order_cancelled_at"):
            return
        if _cancel_noted(core, aggregate, row):
            return
    raise TableContendedError("an exchange kept changing while its order was cancelled")


def _cancel_noted(core: Core, aggregate: AggregateId, row: Item) -> bool:
    now = core.clock()
    noted = Update(aggregate.exchange, {"fence": Equals(text(row, "fence"))}, set={"order_cancelled_at": to_text(now)})
    if core.table.get(aggregate.status) is None:  # its return is still to come
        try:
            core.table.write(noted)
        except ConditionFailedError:
            return False
        return True
    event = Event(
        event_id=f"EXCHANGE_ORDER_CANCELLED:{text(row, 'store')}:{text(row, 'order')}",
        kind=EventKind.EXCHANGE_CANCELLED,
        occurred_at=now,
        received_at=now,
        facts={"order": text(row, "order"), "by": "SHOP"},
    )
    return not isinstance(core.journal.append(aggregate, event, lambda _: {}, also=[noted]), Blocked)
