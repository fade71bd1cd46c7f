"""Which scans in tracking are news, when the journal holds some of them already."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from rms.aggregators.contract import RawStatus, ShipmentUpdate, Sighting
from rms.journal import Event, EventKind, RecordedEvent
from rms.model.notification_type import NotificationType as N
from rms.shipments.recognising import news_among
from tests.fakes.clock import FakeClock

NOON: Final = FakeClock()()


def at(minutes: float) -> datetime:
    """So many minutes past noon."""
    return NOON + timedelta(minutes=minutes)


def a_scan(name: N, minutes: float, *, code: str = "7", event_id: str = "", **more: Any) -> ShipmentUpdate:
    """A scan in tracking, with an id of its own."""
    scan = Sighting(RawStatus(code, ""), at(minutes), when_forward=N.OTHER, when_return=name)
    return ShipmentUpdate(event_id or f"tracked-{name}-{minutes}", "AWB1", scan, **more)


def told(name: N | None, minutes: float, *, kind: EventKind = EventKind.TRACKED, **more: str) -> Event:
    """An event in the journal; by default one that a webhook brought."""
    event_id, code = more.get("event_id", f"webhook-{name}-{minutes}"), more.get("code", "7/7")
    return Event(event_id, kind, at(minutes), at(minutes), name, {"raw_code": code})


def news(updates: Sequence[ShipmentUpdate], *journal: Event, by_event_id: bool = False) -> list[tuple[N, float]]:
    """The news among some scans of a return: name and minutes past noon."""
    recorded = [RecordedEvent(number, event) for number, event in enumerate(journal, 1)]
    found = news_among(updates, recorded, is_return=True, by_event_id=by_event_id)
    return [(each.scan.when_return, (each.scan.occurred_at - NOON) / timedelta(minutes=1)) for each in found]


# ── with ids that tracking and webhooks share ───────────────────────────────────────


def test_a_scan_whose_id_is_in_the_journal_is_no_news() -> None:
    scans = [a_scan(N.IN_TRANSIT, 1, event_id="a"), a_scan(N.IN_TRANSIT, 2, code="8", event_id="b")]

    assert news(scans, told(N.IN_TRANSIT, 1, event_id="a"), by_event_id=True) == [(N.IN_TRANSIT, 2)]


def test_a_scan_that_an_event_of_the_aggregators_own_came_with_is_known_by_code_and_second() -> None:
    scan = a_scan(N.IN_TRANSIT, 1, code="5")

    assert news([scan], told(N.SHIPMENT_STUCK, 1.005, code="5"), by_event_id=True) == []
    assert news([scan], told(N.SHIPMENT_STUCK, 1.5, code="5"), by_event_id=True) == [(N.IN_TRANSIT, 1)]
    assert news([scan], told(N.IN_TRANSIT, 1, code="6"), by_event_id=True) == [(N.IN_TRANSIT, 1)]


def test_equal_statuses_at_other_times_are_scans_of_their_own_there() -> None:
    scans = [a_scan(N.IN_TRANSIT, minute) for minute in (1, 2, 3)]

    assert len(news(scans, by_event_id=True)) == 3


# ── by name and time ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lag", [0, 0.5, 240])
def test_a_webhook_of_that_name_that_is_not_before_the_scan_told_of_it(lag: float) -> None:
    assert news([a_scan(N.IN_TRANSIT, 1)], told(N.IN_TRANSIT, 1 + lag)) == []


def test_one_from_before_the_scan_did_not() -> None:
    assert news([a_scan(N.IN_TRANSIT, 5)], told(N.IN_TRANSIT, 4)) == [(N.IN_TRANSIT, 5)]


def test_nor_did_one_of_another_name() -> None:
    assert news([a_scan(N.IN_TRANSIT, 5)], told(N.DELIVERED, 6)) == [(N.IN_TRANSIT, 5)]


def test_each_webhook_tells_of_one_scan_the_last_one_that_it_can() -> None:
    scans = [a_scan(N.OUT_FOR_PICKUP, 1), a_scan(N.PICKUP_ERROR, 2), a_scan(N.OUT_FOR_PICKUP, 100)]

    assert news(scans, told(N.OUT_FOR_PICKUP, 101)) == [(N.OUT_FOR_PICKUP, 1), (N.PICKUP_ERROR, 2)]
    assert news(scans, told(N.OUT_FOR_PICKUP, 2)) == [(N.PICKUP_ERROR, 2), (N.OUT_FOR_PICKUP, 100)]
    assert news(scans, told(N.OUT_FOR_PICKUP, 2), told(N.OUT_FOR_PICKUP, 101)) == [(N.PICKUP_ERROR, 2)]


def test_two_webhooks_that_were_both_sent_after_the_second_scan_tell_of_both() -> None:
    scans = [a_scan(N.OUT_FOR_PICKUP, 1), a_scan(N.PICKUP_ERROR, 2), a_scan(N.OUT_FOR_PICKUP, 3)]

    journal = told(N.OUT_FOR_PICKUP, 10), told(N.PICKUP_ERROR, 10), told(N.OUT_FOR_PICKUP, 11)
    assert news(scans, *journal) == []


def test_several_scans_of_one_status_on_end_are_one_status() -> None:
    scans = [a_scan(N.IN_TRANSIT, minute) for minute in (1, 2, 3)]

    assert news(scans) == [(N.IN_TRANSIT, 1)]
    assert news(scans, told(N.IN_TRANSIT, 2)) == []


def test_what_was_found_before_is_known_by_its_id_and_stands_for_no_other_scan() -> None:
    scans = [a_scan(N.OUT_FOR_PICKUP, 1), a_scan(N.PICKUP_ERROR, 2), a_scan(N.OUT_FOR_PICKUP, 3)]
    found = told(N.OUT_FOR_PICKUP, 3, event_id=scans[2].event_id), told(N.PICKUP_ERROR, 2.5)

    assert news(scans, *found) == [(N.OUT_FOR_PICKUP, 1)]


def test_that_there_is_an_awb_is_no_news_where_rms_booked_it() -> None:
    scans = [a_scan(N.AWB_GENERATED, 5)]

    assert news(scans, told(N.AWB_GENERATED, 1, kind=EventKind.AWB_BOOKED)) == []
    assert news(scans, told(N.RETURN_ORDER_PLACED, 1, kind=EventKind.PLACED)) == [(N.AWB_GENERATED, 5)]


@pytest.mark.parametrize("name", [N.OTHER, N.CANCELLED])
def test_a_status_that_nobody_was_told_is_known_all_the_same(name: N) -> None:
    untold = replace(told(None, 2), facts={"untold": name.value})

    assert news([a_scan(name, 1)], untold) == []
    assert news([a_scan(name, 1)], told(None, 2)) == [(name, 1)]


@pytest.mark.parametrize(
    ("recorded", "expected"), [(N.RETURN_PICKED_UP, []), (N.IN_TRANSIT, [(N.RETURN_PICKED_UP, 9)])]
)
def test_a_status_that_nobody_dates_is_news_only_if_it_was_never_recorded(
    recorded: N, expected: list[tuple[N, float]]
) -> None:
    """Its time is that of whatever scan came last, long after its webhook perhaps."""
    assert news([a_scan(N.RETURN_PICKED_UP, 9, timed=False)], told(recorded, 2)) == expected


def test_it_is_found_once_only() -> None:
    scan = a_scan(N.OTHER, 9, timed=False)

    assert news([scan], told(None, 9, event_id=scan.event_id)) == []


def test_news_comes_oldest_first() -> None:
    scans = [a_scan(N.OUT_FOR_PICKUP, 1), a_scan(N.RETURN_PICKED_UP, 2), a_scan(N.IN_TRANSIT, 3)]

    assert news(scans) == [(N.OUT_FOR_PICKUP, 1), (N.RETURN_PICKED_UP, 2), (N.IN_TRANSIT, 3)]
