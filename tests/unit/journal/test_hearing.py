"""Whose business an event is: the table read aloud, one row a test."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from rms.journal import Event, EventKind, Reader
from rms.journal.hearing import HEARS, may_want, wants
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import EVERYTHING, EventFilter
from rms.model.notification_type import NotificationType

AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
DONE = {"order_state": "PROCESSED"}
IN_PART = {"order_state": "PARTLY_PROCESSED"}


def an_event(kind: EventKind, facts: Mapping[str, str] | None = None, told: NotificationType | None = None) -> Event:
    return Event(f"of {kind}", kind, AT, AT, told, facts or {})


@pytest.mark.parametrize(
    ("event", "hear"),
    [
        (an_event(EventKind.PROCESSED, DONE), {"RETURN_ACK", "ERP_POSTING", "PROCESSING_UPDATE"}),
        (an_event(EventKind.PROCESSED, IN_PART), set()),
        (an_event(EventKind.PROCESSING_CORRECTED, DONE), {"RETURN_ACK", "ERP_POSTING", "PROCESSING_UPDATE"}),
        (an_event(EventKind.PROCESSING_CORRECTED, IN_PART), set()),
        (
            an_event(EventKind.PROCESSED, DONE | {"brought": "PROCESSED"}),
            {"RETURN_ACK", "ERP_POSTING", "PROCESSING_UPDATE", "RETURN_EXPECTATION"},
        ),
        (an_event(EventKind.PLACED), {"RETURN_EXPECTATION"}),
        (an_event(EventKind.CORRECTED), {"RETURN_EXPECTATION"}),
        (an_event(EventKind.ITEMS_ADDED), {"RETURN_EXPECTATION"}),
        (an_event(EventKind.ITEMS_CANCELLED), {"RETURN_EXPECTATION"}),
        (
            an_event(EventKind.AWB_BOOKED, told=NotificationType.AWB_GENERATED),
            {"NOTIFICATION", "RETURN_EXPECTATION"},
        ),
        (an_event(EventKind.TRACKED, told=NotificationType.IN_TRANSIT), {"NOTIFICATION"}),
        (
            an_event(EventKind.TRACKED, {"brought": "CANCELLED"}, NotificationType.CANCELLED),
            {"NOTIFICATION", "RETURN_EXPECTATION"},
        ),
        (an_event(EventKind.TRACKED, {"brought": "AWB"}), {"RETURN_EXPECTATION"}),
        (an_event(EventKind.CANCELLED, {"brought": "CANCELLED"}), {"RETURN_EXPECTATION"}),
        (an_event(EventKind.CANCELLED), set()),
        (an_event(EventKind.BOOKING_HELD), set()),
        (an_event(EventKind.LABELLED), set()),
    ],
    ids=lambda value: f"{value.kind}-{dict(value.facts)}" if isinstance(value, Event) else "",
)
def test_an_event_of_a_return_is_heard_by(event: Event, hear: set[str]) -> None:
    assert {kind.value for kind in EndpointKind if may_want(kind, None, "R", event)} == hear
    assert {kind.value for kind in EndpointKind if Reader("any", "", kind=kind).may_want("R", event)} == hear


@pytest.mark.parametrize("kind", HEARS)
def test_a_forward_parcel_and_a_notice_are_no_sinks_business(kind: EndpointKind) -> None:
    for of in ("S", "E"):
        for happened in HEARS[kind]:
            assert not may_want(kind, None, of, an_event(happened, DONE | {"brought": "PROCESSED"}))


@pytest.mark.parametrize("kind", HEARS)
def test_a_sink_may_wish_for_warehouses_which_is_known_when_it_is_told(kind: EndpointKind) -> None:
    event = an_event(EventKind.PROCESSED, DONE | {"brought": "PROCESSED"})
    wish = EventFilter(locations=frozenset({"BLR-2"}))

    assert may_want(kind, wish, "R", event)
    assert wants(kind, wish, "R", event, "BLR-2")
    assert not wants(kind, wish, "R", event, "DEL-1")
    assert not wants(kind, wish, "R", event, None)
    assert wants(kind, EVERYTHING, "R", event, None)
