"""What an event of a return is told with, besides its document. Read only for the endpoints whose kind tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rms.core import Core
from rms.journal import AggregateId, EventKind, RecordedEvent
from rms.journal.events import from_item, number, text
from rms.journal.keys import client_pk, parcel_of_order_key, shipment_id
from rms.model.documents import from_document, processing_from_document, shipment_from_document
from rms.model.endpoint_kind import EndpointKind
from rms.model.forward_shipment import ForwardShipment
from rms.model.processing import Processing
from rms.platform.table import Item, Key
from rms.returns.results import Judged, last_words, read_with_calls

PARCELS: Final = 20
"""Forward parcels of one order that are told, the return's own first."""

EVENTS: Final = 100
"""Events of a forward parcel that are looked at for its invoice; and rows in one read."""

_CHECKED: Final = frozenset({EndpointKind.RETURN_ACK, EndpointKind.PROCESSING_UPDATE, EndpointKind.ERP_POSTING})


@dataclass(frozen=True, slots=True)
class KnownParcel:
    """A forward parcel that RMS knows whole, where it stands, and its newest invoice, if there is one."""

    shipment: ForwardShipment = field(repr=False)
    state: str
    invoice: RecordedEvent | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """What was read. `status` and `client` are rows, `first` the event with which the return began."""

    status: Item = field(default_factory=dict, repr=False)
    client: Item = field(default_factory=dict, repr=False)
    first: RecordedEvent | None = None
    rows: Mapping[Key, Item] = field(default_factory=dict, repr=False)
    calls: Sequence[Key] = ()
    parcels: tuple[KnownParcel, ...] = ()

    def judged(self, recorded: RecordedEvent) -> Mapping[str, Judged]:
        """The last word on every item as it was when this event happened: what was said later is another event's."""
        return last_words(self.rows, self.calls[: calls_at(recorded)])

    def said(self, recorded: RecordedEvent) -> Processing:
        """What was news in the call that this event is of."""
        return processing_from_document(text(self.rows[self.calls[calls_at(recorded) - 1]], "body"))


NOTHING: Final = Background()


def calls_at(recorded: RecordedEvent) -> int:
    """How many calls of warehouses had been news when this event happened, its own included."""
    return int(recorded.fact("qc") or 0)


def always_read(kind: EndpointKind, aggregate: AggregateId) -> list[Key]:
    """The rows that an endpoint of this kind needs whatever it is told of a return."""
    rows: dict[EndpointKind, list[Key]] = {
        EndpointKind.PROCESSING_UPDATE: [aggregate.event(1)],
        EndpointKind.ERP_POSTING: [aggregate.status],
        EndpointKind.RETURN_EXPECTATION: [aggregate.status, _client_key(aggregate)],
    }
    return rows.get(kind, [])


def read_background(
    core: Core,
    kind: EndpointKind,
    aggregate: AggregateId,
    document: Item,
    told: Sequence[RecordedEvent],
    known: Mapping[Key, Item],
) -> Background:
    """All that an endpoint of this kind needs to be told these events; what is `known` is not read again."""
    if kind is EndpointKind.NOTIFICATION or not told:
        return NOTHING
    first, client = aggregate.event(1), _client_key(aggregate)
    calls = max(calls_at(recorded) for recorded in told) if kind in _CHECKED else 0
    parcels = _parcels_of(core, aggregate, document) if kind is EndpointKind.ERP_POSTING else []
    wanted = [*always_read(kind, aggregate), *(key for each in parcels for key in (each.document, each.status))]
    read, keys = read_with_calls(core, aggregate, calls, [key for key in wanted if key not in known])
    rows = {**known, **read}
    return Background(
        status=rows.get(aggregate.status, {}),
        client=rows.get(client, {}),
        first=from_item(rows[first]) if first in rows else None,
        rows=rows,
        calls=keys,
        parcels=_known(core, parcels, rows),
    )


def _client_key(aggregate: AggregateId) -> Key:
    return Key(client_pk(aggregate.client), "CLIENT")


def _parcels_of(core: Core, aggregate: AggregateId, document: Item) -> list[AggregateId]:
    """The forward parcels that may be known of the return's order: the one that it came from before the others."""
    order = from_document(text(document, "body"))
    own = order.forward.shipment_number if order.forward else None
    codes = [own] if own else []
    if order.forward_order_code:
        partition = parcel_of_order_key(aggregate.client, order.forward_order_code, "")
        page = core.table.query(partition.pk, prefix=partition.sk, limit=PARCELS)
        codes += [text(row, "code") for row in page.items]
    return [shipment_id(aggregate.client, code) for code in dict.fromkeys(codes)][:PARCELS]


def _known(core: Core, parcels: Sequence[AggregateId], rows: Mapping[Key, Item]) -> tuple[KnownParcel, ...]:
    """Those that RMS knows whole. One that it knows by an invoice only has no price to tell."""
    whole = {
        each: shipment_from_document(text(rows[each.document], "body"))
        for each in parcels
        if each.document in rows and each.status in rows and not rows[each.document].get("bare")
    }
    invoices = _invoices(core, {each: number(rows[each.status], "sequence") for each in whole})
    return tuple(
        KnownParcel(shipment, text(rows[each.status], "state"), invoices.get(each)) for each, shipment in whole.items()
    )


def _invoices(core: Core, parcels: Mapping[AggregateId, int]) -> Mapping[AggregateId, RecordedEvent]:
    """The newest invoice of each parcel that has any; `parcels` says how many events each has."""
    keys = [
        (each, each.event(sequence)) for each, last in parcels.items() for sequence in range(1, min(last, EVENTS) + 1)
    ]
    found: dict[AggregateId, RecordedEvent] = {}
    for start in range(0, len(keys), EVENTS):
        some = keys[start : start + EVENTS]
        rows = core.table.get_many([key for _, key in some])
        for each, key in some:
            recorded = from_item(rows[key]) if key in rows else None
            if recorded is not None and _is_invoice(recorded):
                found[each] = recorded
    return found


def _is_invoice(recorded: RecordedEvent) -> bool:
    """Whether an event says that an invoice was made; a credit note is none."""
    return recorded.event.kind is EventKind.INVOICED and recorded.fact("document_type") in {None, "INVOICE"}
