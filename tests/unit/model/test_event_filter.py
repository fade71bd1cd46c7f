"""What an endpoint's filter lets through, before and after the order itself is read."""

import pytest

from rms.model.event_filter import EVERYTHING, EventFilter
from rms.model.notification_type import NotificationType

DELIVERED = NotificationType.DELIVERED
IN_TRANSIT = NotificationType.IN_TRANSIT


@pytest.mark.parametrize("kind", ["R", "S", "E"])
@pytest.mark.parametrize("name", list(NotificationType))
def test_who_names_no_wish_hears_everything(kind: str, name: NotificationType) -> None:
    assert EVERYTHING.may_want(kind, name, None)
    assert EVERYTHING.wants(kind, name, "CLICKPOST", None)


def test_only_the_wished_types_are_heard() -> None:
    wish = EventFilter(types=frozenset({DELIVERED, NotificationType.RTO}))

    assert wish.may_want("R", DELIVERED, "CLICKPOST")
    assert wish.may_want("S", NotificationType.RTO, None)
    assert not wish.may_want("R", IN_TRANSIT, "CLICKPOST")


def test_a_wish_for_returns_hears_of_no_forward_parcel_and_the_other_way_round() -> None:
    returns, forward = EventFilter(direction="RETURN"), EventFilter(direction="FORWARD")

    assert returns.may_want("R", DELIVERED, None)
    assert not returns.may_want("S", DELIVERED, None)
    assert forward.may_want("S", DELIVERED, None)
    assert not forward.may_want("R", DELIVERED, None)


def test_a_wish_for_an_aggregator_goes_by_the_name_that_the_notification_carries() -> None:
    wish = EventFilter(aggregators=frozenset({"CLICKPOST"}))

    assert wish.may_want("R", DELIVERED, "CLICKPOST")
    assert not wish.may_want("R", DELIVERED, "SHIPWAY")
    assert not wish.may_want("R", DELIVERED, None), "it would be told with the name NONE"
    assert EventFilter(aggregators=frozenset({"NONE"})).may_want("R", DELIVERED, None)


def test_an_invoice_has_no_aggregator_and_is_heard_whichever_is_wished() -> None:
    wish = EventFilter(aggregators=frozenset({"CLICKPOST"}))

    assert wish.may_want("S", NotificationType.INVOICE_GENERATED, None)


def test_a_location_is_asked_only_once_the_order_is_read() -> None:
    wish = EventFilter(locations=frozenset({"BLR-1"}))

    assert wish.may_want("R", DELIVERED, None), "nobody knows the location yet"
    assert wish.wants("R", DELIVERED, None, "BLR-1")
    assert not wish.wants("R", DELIVERED, None, "DEL-1")
    assert not wish.wants("R", DELIVERED, None, None), "an order without a location is of no wished one"


def test_all_wishes_must_hold_at_once() -> None:
    wish = EventFilter(frozenset({DELIVERED}), "RETURN", frozenset({"CLICKPOST"}), frozenset({"BLR-1"}))

    assert wish.wants("R", DELIVERED, "CLICKPOST", "BLR-1")
    assert not wish.wants("R", IN_TRANSIT, "CLICKPOST", "BLR-1")
    assert not wish.wants("S", DELIVERED, "CLICKPOST", "BLR-1")
    assert not wish.wants("R", DELIVERED, "SHIPWAY", "BLR-1")
    assert not wish.wants("R", DELIVERED, "CLICKPOST", "DEL-1")


def test_no_wish_keeps_out_the_notice_of_an_endpoint() -> None:
    wish = EventFilter(frozenset({DELIVERED}), "RETURN", frozenset({"CLICKPOST"}), frozenset({"BLR-1"}))

    assert wish.wants("E", NotificationType.OTHER, None, None)
