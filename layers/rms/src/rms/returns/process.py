"""Process a return: keep what the warehouse found, item by item, in as many calls as it takes.

Source: RMS API contract, section 7. What is decided here, because the contract is silent:

* Whoever has checked the goods has them: results are taken before any scan says that the parcel arrived, and whether or
  not RMS knows its AWB. The parcel's own state stays what was sighted.
* A return that is cancelled takes none: what comes back after all comes back under another code. If its courier is
  seen to have come all the same, it is no longer cancelled. A cancelled item takes none either; a warehouse that finds
  it in the parcel reports it as excess, under a code of its own.
* What is said again is no news. What is said otherwise is a correction, and the last word counts, but for one: what
  failed cannot pass. By then the shopper's exchange is cancelled or the refund denied, which a pass would not bring
  back: a person has to. The other way round a flaw may well be found later.
* An item is one of this return, with its own SKU; any other must be called excess. All or nothing: one item that cannot
  be taken keeps out the whole call.

What is news is kept in a row of its own, `QC#{number}`, written with the event, which only counts and names that row.
An event stays under 1 KB and 500 results with their images do not; and whoever tells an event later finds in one read
all that this call said, and nothing that was said after it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Event, EventKind
from rms.journal.events import text
from rms.journal.hearing import BROUGHT
from rms.journal.keys import return_id
from rms.model.documents import from_document, to_document
from rms.model.outcomes import Accepted, IsCancelled, VerdictsStand
from rms.model.processing import Processing, Verdict
from rms.model.return_order import ReturnOrder
from rms.platform.errors import BadDataError
from rms.platform.problems import MAX_ITEMS
from rms.platform.table import NEW, Item, Key, Put, TableContendedError, Update, Value, Write
from rms.returns.owing import first_of, wanted_after
from rms.returns.process_requests import ProcessReturn
from rms.returns.results import Judged, calls_of, last_words, read_with_calls
from rms.shipments.order_states import Checked, OrderState, checked, checked_state, is_new, order_state
from rms.shipments.wake import wake_exchange, wake_tellers, wake_writer

MAX_CALLS: Final = 1000
"""Calls about one return that may be news: one for each item, and as many corrections."""

_ROUNDS: Final = 8
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _ChangedMeanwhileError(Exception):
    """Something happened to the return since it was read: look again."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a return: its rows, and what they say."""

    status: Item
    order: ReturnOrder
    words: Mapping[str, Judged]
    rows: Mapping[Key, Item]


def process_return(core: Core, client: str, by: str, request: ProcessReturn) -> Accepted | IsCancelled | VerdictsStand:
    """Keep the results that are news; `by` is the caller's user name.

    Raises:
        BadDataError: there is no such return, or something does not belong to it.
        TableContendedError: others kept changing the return; nothing was written.
    """
    aggregate = return_id(client, request.return_order_code)
    said = request.to_processing(by, core.clock())
    for _ in range(_ROUNDS):
        # The status first: what is read after it is at least as new, and nothing is written if it has moved.
        status = core.table.get(aggregate.status)
        if status is None:
            raise BadDataError("[returnOrderCode: no such return order]")
        outcome = _processed(core, aggregate, status, request, said)
        if outcome is not None:
            return outcome
    raise TableContendedError("a return kept changing while it was processed")


def _processed(
    core: Core, aggregate: AggregateId, status: Item, request: ProcessReturn, said: Processing
) -> Accepted | IsCancelled | VerdictsStand | None:
    """What comes of it; None when the return changed meanwhile and nothing was written."""
    calls = calls_of(status)
    rows, keys = read_with_calls(core, aggregate, calls, [aggregate.document, aggregate.exchange])
    order, known = from_document(text(rows[aggregate.document], "body")), last_words(rows, keys)
    problems = [*_not_this_return(request, order), *_not_its_items(said, order, known)]
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    if order_state(status) is OrderState.CANCELLED:
        return IsCancelled(aggregate.code)
    if (stands := _standing(said, order, known)) is not None:
        return stands
    news = tuple(
        item
        for item in said.items
        if (before := known.get(item.item_code)) is None or not before.says(item, said.location_code)
    )
    if not news:
        if (exchange := rows.get(aggregate.exchange)) is not None:
            from rms.returns.replacing import try_again  # noqa: PLC0415 - few returns are exchanges

            try_again(core, aggregate, status, exchange, order, rows, keys)
        return Accepted()
    if calls >= MAX_CALLS:
        raise BadDataError("[returnOrderCode: was processed too often]")
    return _kept(core, aggregate, _Known(status, order, known, rows), replace(said, items=news))


def _not_this_return(request: ProcessReturn, order: ReturnOrder) -> Iterator[str]:
    """A return of another order is not the one that is meant. One that was announced may name none.

    Its warehouse may be another than was expected: goods go astray.
    """
    if order.forward_order_code not in {"", request.forward_order_code}:
        yield "forwardOrderCode: must be the forward order of the return order"


def _not_its_items(said: Processing, order: ReturnOrder, known: Mapping[str, Judged]) -> Iterator[str]:
    expected = {item.item_code: item for item in order.items}
    for place, item in enumerate(said.items):
        path, of_order = f"orderItems[{place}]", expected.get(item.item_code)
        if item.excess and of_order is not None:
            yield f"{path}.isExcess: must be false for an item of the return order"
        elif not item.excess and of_order is None:
            yield f"{path}.returnItemCode: is no item of the return order"
        elif of_order is not None and of_order.sku != item.sku:
            yield f"{path}.channelSkuCode: must be the SKU of that item"
    excess = {item.item_code for item in said.items if item.excess}
    if len(excess | {code for code, judged in known.items() if judged.result.excess}) > MAX_ITEMS:
        yield f"orderItems: a return order may come to at most {MAX_ITEMS} excess items"


def _standing(said: Processing, order: ReturnOrder, known: Mapping[str, Judged]) -> VerdictsStand | None:
    """The verdicts that cannot be given."""
    cancelled = {item.item_code for item in order.items if item.cancelled}
    failed = {code for code, judged in known.items() if judged.result.verdict is Verdict.FAIL}
    stands = VerdictsStand(
        tuple(
            place for place, item in enumerate(said.items) if item.verdict is Verdict.PASS and item.item_code in failed
        ),
        tuple(place for place, item in enumerate(said.items) if item.item_code in cancelled),
    )
    return stands if stands.failed or stands.cancelled else None


def _decided(core: Core, aggregate: AggregateId, read: _Known, row: Put) -> Sequence[Write]:
    """What the event, with its row, decides for the return's exchange, if it has one."""
    exchange = read.rows.get(aggregate.exchange)
    if exchange is None:
        return ()
    from rms.returns.replacing import after_qc  # noqa: PLC0415 - as above

    with_this = {**read.rows, row.key: row.item}
    keys = sorted(key for key in with_this if key.sk.startswith("QC#"))
    return after_qc(core, aggregate, exchange, read.order, with_this, keys)


def _kept(core: Core, aggregate: AggregateId, read: _Known, news: Processing) -> Accepted | None:
    """Append the event with its row; None when the return changed meanwhile and nothing was written."""
    status, order, known = read.status, read.order, read.words
    number, judged = calls_of(status) + 1, known.keys() | {item.item_code for item in news.items}
    much = Checked.ALL_CHECKED if judged >= {item.item_code for item in order.wanted} else Checked.SOME_CHECKED
    first = [item for item in news.items if item.item_code not in known]
    body = to_document(news)

    def change(now: Item) -> Mapping[str, Value]:
        if now["sequence"] != status["sequence"]:
            raise _ChangedMeanwhileError
        return {"qc": number, **checked(aggregate, now, much)}

    event = Event(
        event_id=f"QC:{number}:{_digest(news)}",
        kind=EventKind.PROCESSED if first else EventKind.PROCESSING_CORRECTED,
        occurred_at=news.at,
        received_at=news.at,
        facts=_facts(news, number, len(news.items) - len(first), checked_state(much))
        | _brought(aggregate, status, much),
    )
    row = Put(aggregate.qc(number), {"body": body}, NEW)
    configuration = configuration_of(core, aggregate.client)
    owed = wanted_after(core, configuration, aggregate, status)
    decided = _decided(core, aggregate, read, row)
    try:
        also: list[Write] = [row, *owed, *decided]
        appended = core.journal.append(
            aggregate, event, change, readers=configuration.readers, also=also, status=status
        )
    except _ChangedMeanwhileError:
        return None
    if isinstance(appended, Blocked):
        return None
    if isinstance(appended, Appended):  # else the same call came twice at once: one of them is the event
        wake_tellers(core, aggregate, appended.readers)
    if owed:
        wake_writer(core, first_of(aggregate, status))
    if any(isinstance(write, Update) for write in decided):
        wake_exchange(core, aggregate)
    return Accepted()


def _brought(aggregate: AggregateId, status: Item, much: Checked) -> dict[str, Value]:
    """That the last unit of the return is checked, which happens once."""
    done = OrderState.PROCESSED
    return {BROUGHT: done.value} if is_new(aggregate, status, checked(aggregate, status, much), done) else {}


def _digest(news: Processing) -> str:
    """The same for the same news, whoever brings it and when."""
    alike = replace(news, by="", at=_ANY_TIME)
    return hashlib.sha256(to_document(alike).encode()).hexdigest()[:16]


def _facts(news: Processing, number: int, corrected: int, state: OrderState) -> dict[str, Value]:
    """What the event tells by itself: how much, by whom, how far that brought the return, and where the rest stands."""
    counts = {
        "units": len(news.items),
        "passed": news.passed,
        "failed": len(news.items) - news.passed,
        "missing": news.missing,
        "excess": news.excess,
        "corrected": corrected,
    }
    told = {name: str(count) for name, count in counts.items() if count}
    return {**told, "by": news.by, "order_state": state.value, "qc": str(number)}
