"""Clickpost's webhooks in their odd forms. Whole bodies are in events/clickpost."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.clickpost.statuses import CODES
from rms.aggregators.contract import ShipmentUpdate, UnreadableWebhookError
from rms.model.notification_type import NotificationType as To

RECEIVED_AT = datetime(2026, 2, 20, 4, 0, tzinfo=UTC)
ABSENT = object()


def a_scan(code: object = 5, additional: object = None, **changes: object) -> dict[str, Any]:
    hook = {
        "waybill": "7700123",
        "cp_id": 28,
        "clickpost_status_code": code,
        "clickpost_status_description": "InTransit",
        "status": "Bag moved",
        "remark": "On its way",
        "location": "Pune_Hub",
        "timestamp": "2026-02-14T10:00:00Z",
        "additional": additional,
    }
    return {name: value for name, value in (hook | changes).items() if value is not ABSENT}


def a_request(event: object = 11, code: object = 101, **changes: object) -> dict[str, Any]:
    additional = {
        "notification_event_id": event,
        "return_reference_number": "RE-5",
        "forward_awb": "F-1",
        "forward_order_id": "SO-1",
        "item_info": [{"sku": "A", "quantity": 1}],
    }
    additional = {name: value for name, value in (additional | changes).items() if value is not ABSENT}
    return a_scan(code, additional, waybill="", cp_id=-1)


def read(hook: object) -> ShipmentUpdate:
    (update,) = Clickpost().read_webhook(json.dumps(hook).encode(), RECEIVED_AT)
    return update


def unreadable(hook: object) -> str:
    with pytest.raises(UnreadableWebhookError) as caught:
        read(hook)
    return str(caught.value)


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_table_reads_as_its_two_names(code: int) -> None:
    scan = read(a_scan(code)).scan

    assert (scan.when_forward, scan.when_return) == CODES[code]
    assert scan.raw.code == str(code)


@pytest.mark.parametrize("code", [29, 33, 45, 51, 1002, 1005, -3, 10**17, "4A"])
def test_any_other_code_is_other_and_keeps_its_texts(code: object) -> None:
    update = read(a_scan(code))

    assert update.scan.when_forward is update.scan.when_return is To.OTHER
    assert update.scan.raw.code == str(code)
    assert (update.scan.raw.text, update.scan.raw.remark) == ("InTransit", "On its way")
    assert update.metadata == {"Status Code": str(code), "Status Description": "InTransit", "Status": "Bag moved"}


@pytest.mark.parametrize(
    ("event", "name"),
    [(9, To.AWB_GENERATED), (17, To.SHIPMENT_STUCK), (18, To.SLA_BREACHED), (11, To.RETURN_ORDER_PLACED)],
)
def test_four_events_override_the_code(event: int, name: To) -> None:
    scan = read(a_request(event, 5)).scan

    assert scan.when_forward is scan.when_return is name


@pytest.mark.parametrize("event", [1, 2, 3, 4, 5, 6, 10, 12, 13, 14, 15, 16, 19, 20, 30, 31, 80, 99])
def test_with_every_other_event_the_code_decides(event: int) -> None:
    assert read(a_scan(4, {"notification_event_id": event})).scan.when_return is To.RETURN_PICKED_UP


@pytest.mark.parametrize("npr", [6, "6"])
def test_a_failed_pickup_of_a_return_that_was_put_off_is_rescheduled(npr: object) -> None:
    update = read(a_scan(3, {"npr_status_code": npr}))

    assert (update.scan.when_forward, update.scan.when_return) == (To.PICKUP_CANCELLED, To.PICKUP_RESCHEDULED)
    assert update.failure_code == "NPR 6"


def test_the_failure_reason_that_fits_the_scan_wins() -> None:
    both = {"npr_status_code": 14, "ndr_status_code": 2}

    assert read(a_scan(3, both)).failure_code == "NPR 14"
    assert read(a_scan(9, both)).failure_code == "NDR 2"
    assert read(a_scan(9, {"npr_status_code": None})).failure_code is None


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2026-02-14T10:00:00Z", datetime(2026, 2, 14, 4, 30, tzinfo=UTC)),
        ("2026-02-14 10:00:00", datetime(2026, 2, 14, 4, 30, tzinfo=UTC)),
        ("2026-02-14T10:00:00+00:00", datetime(2026, 2, 14, 4, 30, tzinfo=UTC)),
        ("2026-02-14 10:00:00.250000", datetime(2026, 2, 14, 4, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-02-14T10:00:00.250000Z", datetime(2026, 2, 14, 4, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-02-14T10:00:00+05:30", datetime(2026, 2, 14, 4, 30, tzinfo=UTC)),
        ("2026-02-14T06:30:00+0200", datetime(2026, 2, 14, 4, 30, tzinfo=UTC)),
        (" 2026-02-14T02:00:00Z ", datetime(2026, 2, 13, 20, 30, tzinfo=UTC)),
    ],
)
def test_times_are_indias_whatever_the_z_says(stamp: str, moment: datetime) -> None:
    assert read(a_scan(timestamp=stamp)).scan.occurred_at == moment


@pytest.mark.parametrize("stamp", [ABSENT, None, "", "yesterday", "0001-01-01T00:00:00Z", "2026-13-40", 1771041600, []])
def test_a_scan_without_a_readable_time_happened_when_it_came_in(stamp: object) -> None:
    assert read(a_scan(timestamp=stamp)).scan.occurred_at == RECEIVED_AT


def test_a_latest_status_that_is_another_scan_is_the_current_one() -> None:
    latest = {"clickpost_status_code": 8, "status": "Delivered", "timestamp": "2026-02-15T09:00:00Z"}
    current = read(a_scan(5, {"latest_status": latest})).current

    assert current is not None
    assert (current.when_return, current.raw.code) == (To.DELIVERED, "8")
    assert current.occurred_at == datetime(2026, 2, 15, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize("changes", [{"notification_event_id": 17}, {}])
def test_a_latest_status_that_is_the_scan_itself_reads_like_it(changes: dict[str, object]) -> None:
    latest = {"clickpost_status_code": 5, "status": "Bag moved", "timestamp": "2026-02-14T10:00:00Z"}
    update = read(a_scan(5, {"latest_status": latest, **changes}))

    assert update.current == update.scan


@pytest.mark.parametrize("latest", [None, [], "8", {}, {"status": "Delivered"}, {"clickpost_status_code": 8}])
def test_a_latest_status_without_code_or_time_is_none(latest: object) -> None:
    assert read(a_scan(5, {"latest_status": latest})).current is None


def test_a_body_that_has_its_status_only_in_the_latest_one_is_read_from_there() -> None:
    latest = {"clickpost_status_code": 8, "timestamp": "2026-02-15T09:00:00Z", "reference_number": "RMS-1"}
    update = read({"waybill": "7700123", "additional": {"latest_status": latest}})

    assert update.scan.when_return is To.DELIVERED
    assert update.references == ("RMS-1",)


@pytest.mark.parametrize(
    ("claim", "meant"),
    [
        (True, True),
        (False, False),
        (None, None),
        (ABSENT, None),
        ("true", True),
        ("False", False),
        (1, None),
        ("", None),
    ],
)
def test_the_direction_is_clickposts_claim_or_none(claim: object, meant: object) -> None:
    additional = {} if claim is ABSENT else {"is_rvp": claim}

    assert read(a_scan(5, additional)).is_return is meant


def test_a_return_request_is_about_a_return_even_if_it_does_not_say_so() -> None:
    assert read(a_request(is_rvp=None)).is_return is True


@pytest.mark.parametrize("additional", [None, [], "x", {}, {"latest_status": None, "item_info": None}])
def test_missing_and_null_blocks_are_put_up_with(additional: object) -> None:
    update = read(a_scan(5, additional, cp_id=None, remark=None, location=ABSENT, status=None))

    assert (update.awb, update.courier, update.references) == ("7700123", None, ())


def test_an_account_code_and_a_security_key_are_passed_on_from_either_place() -> None:
    expected = {"Account Code": "a-1", "Security Key": "s-1"}

    assert read(a_scan(5, account_code="a-1", security_key="s-1")).metadata == expected
    assert read(a_scan(5, {"account_code": "a-1", "security_key": "s-1"}, account_code=None)).metadata == expected


def test_the_courier_is_named_by_its_id() -> None:
    assert read(a_scan()).courier == "Bluedart"
    assert read(a_scan(cp_id=4711)).courier is None


# ── return requests ─────────────────────────────────────────────────────────────────


def test_a_placed_return_is_announced_with_its_units() -> None:
    item = {
        "sku": "A",
        "quantity": 2,
        "id": 17,
        "return_reason": "Torn",
        "return_sub_reason": "At the seam",
        "description": "Shirt",
        "images": "https://img.example/1.jpg,https://img.example/2.jpg",
    }
    announced = read(a_request(item_info=[item])).announces

    assert announced is not None
    assert (announced.code, announced.forward_order_code) == ("RE-5", "SO-1")
    (unit,) = announced.items
    assert (unit.sku, unit.quantity, unit.item_id, unit.reason) == ("A", 2, "17", "Torn: At the seam")
    assert (unit.name, unit.image_url) == ("Shirt", "https://img.example/1.jpg")


@pytest.mark.parametrize("event", [ABSENT, None, 11])
def test_code_101_is_a_placed_return_unless_another_event_says_otherwise(event: object) -> None:
    assert read(a_request(event)).announces is not None


@pytest.mark.parametrize("event", [9, 22, 23, 29, 30, 31])
def test_later_events_of_a_request_announce_nothing_and_carry_its_references(event: int) -> None:
    update = read(a_request(event))

    assert update.announces is None
    assert (update.references, update.forward_references) == (("RE-5",), ("F-1", "SO-1"))


def test_without_a_forward_order_id_the_older_references_stand_for_it() -> None:
    older = read(a_request(forward_order_id=ABSENT, forward_reference_number="REF-1", return_reference_number=ABSENT))
    oldest = read(a_request(forward_order_id=ABSENT))

    assert older.announces is not None
    assert oldest.announces is not None
    assert (older.announces.code, older.announces.forward_order_code) == (None, "REF-1")
    assert oldest.announces.forward_order_code == "F-1"


def test_the_event_may_stand_outside_or_in_the_wrapper() -> None:
    hook = a_request(ABSENT)

    assert read(hook | {"notification_event": 9}).scan.when_return is To.AWB_GENERATED
    assert read({"payload": hook, "internal": {"notification_event": 9}}).scan.when_return is To.AWB_GENERATED


def test_an_event_whose_body_has_no_status_code_is_read() -> None:
    update = read(a_request(9, ABSENT))

    assert update.scan.when_return is To.AWB_GENERATED
    assert update.scan.raw.code == ""


def test_a_placed_return_happened_when_it_was_placed_not_when_it_is_sent() -> None:
    hook = a_request() | {"request_placed_time": "2026-02-10T08:00:00Z"}

    assert read(hook).scan.occurred_at == datetime(2026, 2, 10, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"quantity": 1}, "sku"),
        ({"sku": "", "quantity": 1}, "sku"),
        ("A", "sku"),
        ({"sku": "A"}, "quantity"),
        ({"sku": "A", "quantity": 0}, "quantity"),
        ({"sku": "A", "quantity": -1}, "quantity"),
        ({"sku": "A", "quantity": 1.5}, "quantity"),
        ({"sku": "A", "quantity": 10**9}, "quantity"),
    ],
)
def test_a_placed_return_with_units_that_nobody_can_count_goes_to_a_person(item: object, field: str) -> None:
    assert unreadable(a_request(item_info=[item])).startswith(f"additional.item_info[0].{field}: ")


def test_a_placed_return_of_no_known_order_goes_to_a_person() -> None:
    hook = a_request(forward_order_id=None, forward_awb="")

    assert unreadable(hook) == "additional.forward_order_id: a placed return must name its forward order"


def test_a_placed_return_of_no_known_order_that_has_an_awb_is_only_a_status() -> None:
    assert read(a_scan(101)).announces is None


# ── identity ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "same",
    [
        {"remark": "other words"},
        {"location": None},
        {"timestamp": "2026-02-14 10:00:00"},
        {"clickpost_status_code": "5"},
        {"additional": {"notification_event_id": 2, "latest_status": {"clickpost_status_code": 8}}},
    ],
)
def test_the_same_scan_has_the_same_id_however_it_is_sent(same: dict[str, object]) -> None:
    assert read(a_scan(**same)).event_id == read(a_scan()).event_id


@pytest.mark.parametrize(
    "other",
    [
        {"waybill": "7700124"},
        {"clickpost_status_code": 6},
        {"timestamp": "2026-02-14T10:00:01Z"},
        {"status": "Bag opened"},
        {"additional": {"notification_event_id": 17}},
        {"additional": {"notification_event_id": 18}},
    ],
)
def test_another_scan_has_another_id(other: dict[str, object]) -> None:
    assert read(a_scan(**other)).event_id != read(a_scan()).event_id


def test_a_request_sent_again_later_has_the_same_id() -> None:
    assert read(a_request() | {"timestamp": "2026-03-01T00:00:00Z"}).event_id == read(a_request()).event_id
    assert read(a_request(ABSENT)).event_id == read(a_request(11)).event_id


@pytest.mark.parametrize(
    "other",
    [{"return_reference_number": "RE-6"}, {"item_info": [{"sku": "A", "quantity": 2}]}, {"notification_event_id": 22}],
)
def test_another_request_or_another_event_of_it_has_another_id(other: dict[str, object]) -> None:
    assert read(a_request(**other)).event_id != read(a_request()).event_id


# ── what goes to a person ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        (a_scan(ABSENT), "clickpost_status_code: may not be missing"),
        (a_scan(None), "clickpost_status_code: may not be missing"),
        (a_scan([5]), "clickpost_status_code: may not be missing"),
        (a_scan(waybill=""), "must name a waybill, a return reference or a forward order"),
        (a_scan(waybill=ABSENT), "must name a waybill, a return reference or a forward order"),
        (a_scan(waybill=["7700123"]), "waybill: must be text"),
        (a_scan(waybill=7700123.5), "waybill: must be text"),
        (a_scan(waybill="9" * 101), "waybill: must have at most 100 characters"),
        (a_request(return_reference_number="R" * 256), "return_reference_number: must have at most 255 characters"),
        (a_request(item_info=[{"sku": "S" * 256, "quantity": 1}]), "sku: must have at most 255 characters"),
        ([a_scan(), 7], "must be an object"),
    ],
)
def test_a_webhook_about_nothing_that_can_be_told_is_unreadable(hook: object, problem: str) -> None:
    assert unreadable(hook) == problem


@pytest.mark.parametrize(("courier", "named"), [(28, "28"), ("41", "41"), (-1, None), (None, None), ("x", None)])
def test_a_scan_says_which_carrier_later_calls_must_name(courier: object, named: str | None) -> None:
    assert read(a_scan(cp_id=courier)).booked_with.get("Courier Partner Id") == named
