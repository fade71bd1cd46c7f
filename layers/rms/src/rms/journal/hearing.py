"""Whose business an event is, by what an endpoint is for. Pure, and the one place that says so.

Asked twice: when an event is appended, of what the event itself tells, so that nobody is woken in vain; and when it is
told, of the order, too. See docs/adr/0026-an-endpoint-is-of-a-kind.md.
"""

from collections.abc import Mapping
from typing import Final

from rms.journal.events import Event, EventKind, maybe_text
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import EventFilter

BROUGHT: Final = "brought"
"""The fact that names what an event has brought about in its return: `AWB`, `CANCELLED` or `PROCESSED`."""

type Marks = tuple[tuple[str, str], ...]
"""Facts of which an event must bear one. None named: it need not."""

# Every unit is checked: nothing is passed on of a return that is checked in part, and corrections are once it is whole.
_WHEN_PROCESSED: Final[Mapping[EventKind, Marks]] = {
    EventKind.PROCESSED: (("order_state", "PROCESSED"),),
    EventKind.PROCESSING_CORRECTED: (("order_state", "PROCESSED"),),
}

HEARS: Final[Mapping[EndpointKind, Mapping[EventKind, Marks]]] = {
    EndpointKind.RETURN_ACK: _WHEN_PROCESSED,
    EndpointKind.ERP_POSTING: _WHEN_PROCESSED,
    EndpointKind.PROCESSING_UPDATE: _WHEN_PROCESSED,
    EndpointKind.RETURN_EXPECTATION: {
        EventKind.PLACED: (),
        EventKind.CORRECTED: (),
        EventKind.ITEMS_ADDED: (),
        EventKind.ITEMS_CANCELLED: (),
        EventKind.AWB_BOOKED: (),
        EventKind.TRACKED: ((BROUGHT, "AWB"), (BROUGHT, "CANCELLED")),
        EventKind.CANCELLED: ((BROUGHT, "CANCELLED"),),
        EventKind.PROCESSED: ((BROUGHT, "PROCESSED"),),
    },
}
"""The events of a return that an endpoint of each kind hears. One for notifications hears those that have one."""


def may_want(kind: EndpointKind, wish: EventFilter | None, of: str, event: Event) -> bool:
    """Whether an endpoint may have to hear an event of an aggregate of the kind `of`, as far as the event tells."""
    if kind is not EndpointKind.NOTIFICATION:
        return of == "R" and _bears(event, HEARS[kind].get(event.kind))
    if event.notification is None:
        return False
    return wish is None or wish.may_want(of, event.notification, maybe_text(event.facts, "aggregator"))


def wants(kind: EndpointKind, wish: EventFilter, of: str, event: Event, location: str | None) -> bool:
    """Whether it has to, now that the order's warehouse or store is known, too; None where there is none."""
    if not may_want(kind, wish, of, event):
        return False
    if event.notification is None or kind is not EndpointKind.NOTIFICATION:
        return not wish.locations or location in wish.locations
    return wish.wants(of, event.notification, maybe_text(event.facts, "aggregator"), location)


def _bears(event: Event, marks: Marks | None) -> bool:
    return marks is not None and (not marks or any(event.facts.get(name) == value for name, value in marks))
