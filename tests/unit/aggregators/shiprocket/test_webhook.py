"""Shiprocket's webhooks and tracking in their odd forms. Whole bodies are in events/shiprocket."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import ShipmentUpdate, Unknown, UnreadableWebhookError
from rms.aggregators.shiprocket.times import read_time
from rms.model.notification_type import NotificationType as To
from tests.unit.aggregators.shiprocket.examples import ADAPTER, answered

RECEIVED_AT = datetime(2026, 5, 9, 4, 0, tzinfo=UTC)
ABSENT = object()


def a_hook(**changes: object) -> dict[str, Any]:
    hook = {
        "awb": "5500",
        "current_status": "IN TRANSIT",
        "current_status_id": 20,
        "shipment_status": "IN TRANSIT",
        "shipment_status_id": 18,
        "current_timestamp": "08 05 2026 01:15:00",
        "order_id": "RMR-7",
        "sr_order_id": 61,
        "is_return": 1,
        "scans": [],
    }
    return {name: value for name, value in (hook | changes).items() if value is not ABSENT}


def read(**changes: object) -> ShipmentUpdate:
    (update,) = ADAPTER.read_webhook(json.dumps(a_hook(**changes)).encode(), RECEIVED_AT)
    return update


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("08 05 2026 01:15:00", datetime(2026, 5, 7, 19, 45, tzinfo=UTC)),
        ("08-05-2026 01:15:00", datetime(2026, 5, 7, 19, 45, tzinfo=UTC)),
        (" 8/5/2026 1:15:00 ", datetime(2026, 5, 7, 19, 45, tzinfo=UTC)),
        ("2026-05-08 01:15:00", datetime(2026, 5, 7, 19, 45, tzinfo=UTC)),
        ("2026-05-08T01:15:00.250000", datetime(2026, 5, 7, 19, 45, 0, 250_000, tzinfo=UTC)),
        ("2026-05-08 01:15:00+00:00", datetime(2026, 5, 8, 1, 15, tzinfo=UTC)),
        ("31 02 2026 01:15:00", None),
        ("0000-00-00 00:00:00", None),
        ("0001-01-01 00:00:00", None),
        ("05/08", None),
        ("", None),
        (None, None),
        (1778180000, None),
    ],
)
def test_times_are_indias_and_day_first_or_year_first(value: object, moment: datetime | None) -> None:
    assert read_time(value) == moment


@pytest.mark.parametrize(
    ("order_id", "references"),
    [
        ("RMR-7", ("61", "RMR-7")),
        ("RMR-7_998", ("61", "RMR-7_998", "RMR-7")),
        ("A_B_998", ("61", "A_B_998", "A_B")),
        (7, ("61", "7")),
        (None, ("61",)),
        ("_998", ("61", "_998")),
    ],
)
def test_references_are_theirs_then_ours_whole_then_ours_without_its_suffix(
    order_id: object, references: tuple[str, ...]
) -> None:
    assert read(order_id=order_id).references == references


@pytest.mark.parametrize(
    ("value", "claim"), [(1, True), ("1", True), (True, True), (0, False), ("0", False), (None, None), ("", None)]
)
def test_the_claim_of_a_direction_may_be_of_any_type_or_absent(value: object, claim: bool | None) -> None:  # noqa: FBT001 - an example
    assert read(is_return=value).is_return is claim


def test_no_words_of_a_courier_are_passed_on_and_the_place_of_the_newest_scan_is() -> None:
    scans = [
        {"date": "2026-05-08 01:14:00", "activity": "Out with Biju 9000011122", "location": "Calicut", "sr-status": 18},
        {"date": "2026-05-07 01:14:00", "activity": "x", "location": "Salem", "sr-status": "NA"},
        {"date": None, "location": "Nowhere"},
        "odd",
    ]
    update = read(scans=scans)

    assert update.scan.raw.location == "Calicut"
    assert "Biju" not in repr(update)


# ── identity ────────────────────────────────────────────────────────────────────────


def test_an_event_is_its_awb_both_ids_and_its_time() -> None:
    first = read().event_id
    changes: list[dict[str, object]] = [
        {"awb": "5501"}, {"shipment_status_id": 17}, {"current_status_id": 19},
        {"current_timestamp": "08 05 2026 01:15:01"},
    ]  # fmt: skip

    assert len({first, *(read(**change).event_id for change in changes)}) == 5


def test_neither_types_nor_anything_else_make_another_event() -> None:
    same = [
        read(awb=5500, shipment_status_id="18", current_status_id="20"),
        read(current_timestamp="2026-05-08 01:15:00", scans=[{"date": "2026-05-08 01:00:00"}], courier_name="X"),
        read(sr_order_id="61", order_id="RMR-7_998", etd=None, shipment_status="in_transit"),
    ]

    assert {update.event_id for update in same} == {read().event_id}


@pytest.mark.parametrize("absent", ["awb", "shipment_status_id", "current_status_id", "current_timestamp"])
def test_without_one_of_these_the_body_tells_events_apart(absent: str) -> None:
    hook = {absent: ABSENT}
    again = read(**hook)
    assert again.event_id == read(**hook).event_id
    assert again.event_id != read(**hook, shipment_status="DELIVERED").event_id
    assert again.event_id != read(**hook, scans=[{"date": "2026-05-08 01:00:00"}]).event_id


def test_a_webhook_without_ids_is_the_same_news_however_its_scans_are_spelt() -> None:
    scan = {"date": "2026-05-08 01:00:00", "sr-status": "18", "activity": "In transit"}
    hook = {"current_status_id": None, "shipment_status_id": None, "current_status": "IN TRANSIT"}
    spelt = [{**scan, "sr-status": 18}, {**scan, "new": "member"}, dict(reversed(scan.items()))]

    assert {read(**hook, scans=[each]).event_id for each in spelt} == {read(**hook, scans=[scan]).event_id}
    assert read(**hook, scans=[{**scan, "activity": "Out"}]).event_id != read(**hook, scans=[scan]).event_id


def test_a_time_that_is_missing_is_that_of_the_newest_scan_or_of_the_arrival() -> None:
    scans = [{"date": "2026-05-08 01:00:00"}, {"date": "2026-05-08 01:10:00"}]

    assert read(current_timestamp="soon", scans=scans).scan.occurred_at == datetime(2026, 5, 7, 19, 40, tzinfo=UTC)
    assert read(current_timestamp=None).scan.occurred_at == RECEIVED_AT


@pytest.mark.parametrize(
    "changes",
    [
        {"awb": None, "sr_order_id": None, "order_id": ""},
        {"awb": "A" * 101},
        {"order_id": "R" * 256},
        {"current_status_id": None, "shipment_status_id": "", "current_status": None, "shipment_status": ABSENT},
    ],
)
def test_what_names_nothing_or_says_nothing_goes_to_a_person(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableWebhookError) as caught:
        read(**changes)

    assert "AAA" not in str(caught.value)


# ── doorstep QC ─────────────────────────────────────────────────────────────────────


def test_a_failed_doorstep_qc_keeps_its_reason_and_picture() -> None:
    update = read(shipment_status_id=47, current_status_id=57, qc_failure_reason="Torn", qc_image="https://q.example/1")

    assert update.failure_code == "QC FAILED: Torn"
    assert (update.metadata["QC Result"], update.metadata["QC Image"]) == ("FAIL", "https://q.example/1")
    assert (update.scan.when_forward, update.scan.when_return) == (To.OTHER, To.OTHER)


def test_a_failed_doorstep_qc_may_come_without_a_reason() -> None:
    assert read(shipment_status_id=47).failure_code == "QC FAILED"


def test_a_reason_beside_another_status_is_a_failed_qc_as_well() -> None:
    assert read(shipment_status_id=13, qc_failure_reason="Torn").failure_code == "QC FAILED: Torn"


@pytest.mark.parametrize("words", ["QC PASSED", "qc_passed", "Qc-Passed"])
def test_a_passed_doorstep_qc_has_no_id(words: str) -> None:
    update = read(shipment_status_id=None, current_status_id=None, current_status=words, shipment_status=words)

    assert (update.failure_code, update.metadata["QC Result"]) == (None, "PASS")


# ── tracking ────────────────────────────────────────────────────────────────────────


def tracked(data: object, awb: str = "5500") -> Any:
    return ADAPTER.read_tracking(answered({awb: {"tracking_data": data}}), RECEIVED_AT)


def a_scan(at: str, status: object = "18") -> dict[str, object]:
    return {"date": at, "status": "IT", "activity": "Bag", "location": "Salem", "sr-status": status}


def test_scans_are_told_oldest_first_in_either_order_with_the_same_ids() -> None:
    scans = [a_scan("2026-05-08 01:00:00", 42), a_scan("2026-05-07 01:00:00", "19"), a_scan("2026-05-08 02:00:00")]
    one = tracked({"track_status": 1, "shipment_status": 18, "shipment_track_activities": scans})
    other = tracked({"track_status": "1", "shipment_status": "18", "shipment_track_activities": scans[::-1]})

    assert one == other
    assert [update.scan.when_return for update in one] == [To.OUT_FOR_PICKUP, To.RETURN_PICKED_UP, To.IN_TRANSIT]


def test_a_status_that_no_scan_has_is_told_as_of_the_newest_scan() -> None:
    scans = [{"date": "2026-05-08 01:00:00", "activity": "Delivered"}, a_scan("2026-05-07 01:00:00", "NA")]
    (update,) = tracked({"track_status": 1, "shipment_status": 7, "shipment_track_activities": scans})

    assert (update.scan.when_return, update.scan.occurred_at) == (
        To.DELIVERED,
        datetime(2026, 5, 7, 19, 30, tzinfo=UTC),
    )


def test_a_status_is_dated_where_a_scan_bears_it() -> None:
    scans = [a_scan("2026-05-08 01:00:00", 42), a_scan("2026-05-09 01:00:00", "NA")]
    dated, undated = tracked({"track_status": 1, "shipment_status": 7, "shipment_track_activities": scans})

    assert (dated.timed, undated.timed) == (True, False)


def test_a_webhook_knows_the_scan_that_it_tells_of_under_the_id_that_tracking_gives_it() -> None:
    scans = [
        a_scan("2026-05-08 01:00:00", 18),
        a_scan("2026-05-07 01:00:00", "18"),
        a_scan("2026-05-08 02:00:00", "NA"),
    ]
    found = tracked({"track_status": 1, "shipment_status": 18, "shipment_track_activities": scans})

    assert read(scans=scans).tracked_as == (found[-1].event_id,)
    assert read(scans=scans).event_id not in {update.event_id for update in found}


@pytest.mark.parametrize(
    "changes",
    [{"scans": []}, {"scans": None}, {"shipment_status_id": 7}, {"shipment_status_id": None}, {"awb": ABSENT}],
    ids=["no scans", "null scans", "another status", "null status", "no AWB"],
)
def test_one_that_holds_no_scan_of_its_status_knows_none(changes: dict[str, object]) -> None:
    assert read(**({"scans": [a_scan("2026-05-08 01:00:00", 18)]} | changes)).tracked_as == ()


def test_a_status_without_any_scan_is_told_as_of_the_answer_and_always_as_the_same_event() -> None:
    (update,) = tracked({"track_status": 1, "shipment_status": 7})
    (again,) = ADAPTER.read_tracking(  # type: ignore[misc]  # one update
        answered({"5500": {"tracking_data": {"track_status": 1, "shipment_status": "7"}}}),
        datetime(2026, 5, 10, tzinfo=UTC),
    )

    assert update.scan.occurred_at == RECEIVED_AT
    assert update.event_id == again.event_id


@pytest.mark.parametrize("body", [{}, [], [{}]])
def test_nothing_known_is_no_news(body: object) -> None:
    assert ADAPTER.read_tracking(answered(body), RECEIVED_AT) == ()


@pytest.mark.parametrize(
    ("body", "status"), [({"message": "No"}, 200), ({"message": "No"}, 422), (b"", 500), ({"5500": 7}, 200)]
)
def test_an_answer_without_tracking_is_unknown(body: object, status: int) -> None:
    assert isinstance(ADAPTER.read_tracking(answered(body, status), RECEIVED_AT), Unknown)
