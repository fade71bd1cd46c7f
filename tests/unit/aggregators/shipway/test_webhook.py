"""Shipway's webhooks, beyond what the aggregator suite holds every adapter to."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import Account, ShipmentUpdate, Unauthorized, Unknown, UnreadableWebhookError
from rms.aggregators.shipway import Shipway, proves_sender
from rms.aggregators.shipway.statuses import STATUSES
from rms.model.notification_type import NotificationType as To
from rms.platform.http import HttpAnswer

RECEIVED_AT = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
ACCOUNT = Account(
    "shop",
    "main",
    "SHIPWAY",
    {"licence_key": "k-1"},
    {"email": "ops@shop.example", "carrier_id": "1", "warehouse_id": "7"},
)


def read(body: object) -> Sequence[ShipmentUpdate]:
    return Shipway().read_webhook(json.dumps(body).encode(), RECEIVED_AT)


def one(**body: Any) -> ShipmentUpdate:
    (update,) = read({"awbno": "A-1", "current_status": "INT", "status_time": "2026-03-04 11:00:00", **body})
    return update


def feed(*entries: dict[str, str], **more: str) -> bytes:
    return json.dumps({"status_feed": list(entries), **more}).encode()


def test_a_time_without_a_zone_is_indias() -> None:
    assert one().scan.occurred_at == datetime(2026, 3, 4, 5, 30, tzinfo=UTC)


def test_a_code_in_small_letters_means_the_same_and_is_kept_as_it_came() -> None:
    update = one(current_status="int")

    assert (update.scan.when_forward, update.scan.raw.code) == (To.IN_TRANSIT, "int")
    assert update.event_id == one().event_id


@pytest.mark.parametrize(
    "change", [{"awbno": "A-2"}, {"current_status": "OOD"}, {"status_time": "2026-03-04 11:00:01"}]
)
def test_parcel_code_and_time_make_an_event(change: dict[str, str]) -> None:
    assert one(**change).event_id != one().event_id


def test_the_same_event_is_known_however_much_is_told_of_it() -> None:
    assert one(carrier="Fast", pod="x", order_id="9").event_id == one().event_id


def test_the_order_id_outside_and_the_one_inside_are_both_references() -> None:
    update = one(order_id="900", api_input={"order_id": "901", "extra_fields": {"ReferenceNo": "SO-1"}})

    assert update.references == ("900", "901", "SO-1")
    assert update.is_return is None


@pytest.mark.parametrize("code", [code for code, status in STATUSES.items() if status.reverse])
def test_a_reverse_code_goes_to_the_return(code: str) -> None:
    update = one(current_status=code, order_id="SO-1", reverse_tracking_number="R-1")

    assert (update.awb, update.is_return, update.forward_references) == ("R-1", True, ("SO-1",))


@pytest.mark.parametrize("code", [code for code, status in STATUSES.items() if not status.reverse])
def test_any_other_code_goes_to_the_parcel_under_awbno(code: str) -> None:
    assert one(current_status=code, reverse_tracking_number="R-1").awb == "A-1"


@pytest.mark.parametrize("scans", [{}, [], None, "x", {"0": None}, {"0": {"time": "never", "location": "X"}}])
def test_scans_of_no_use_do_no_harm(scans: object) -> None:
    assert one(api_input={"scans": scans}).scan.raw.location == ""


def test_the_latest_scan_says_where() -> None:
    scans = {
        "0": {"location": "Hub", "time": "2026-03-04 10:00:00", "status": "In"},
        "1": {"location": "Door", "time": "2026-03-04 11:00:00", "status": "Out"},
    }
    raw = one(api_input={"scans": scans}).scan.raw

    assert (raw.location, raw.remark) == ("Door", "Out")


@pytest.mark.parametrize(
    "body",
    [
        {"awbno": "A-1"},
        {"awbno": "A-1", "current_status": ""},
        {"current_status": "INT"},
        {"awbno": "9" * 101, "current_status": "INT"},
        {"order_id": "9" * 256, "current_status": "INT"},
        {"status_feed": {"order_id": "1"}},
        {"status_feed": ["INT"]},
        {"status_feed": [{"order_id": "1", "current_status": "INT"}, {"order_id": "2"}]},
    ],
)
def test_what_does_not_say_which_parcel_or_what_is_unreadable(body: object) -> None:
    with pytest.raises(UnreadableWebhookError):
        read(body)


def test_the_panels_test_of_the_address_is_no_news() -> None:
    assert read({"hash": "x", "status_feed": []}) == ()


def test_a_feeds_hash_proves_its_sender() -> None:
    proof = hashlib.md5(b"ops@shop.example:k-1", usedforsecurity=False).hexdigest()

    assert proves_sender(ACCOUNT, feed(hash=proof))
    assert proves_sender(ACCOUNT, feed(hash=proof.upper()))
    assert not proves_sender(ACCOUNT, feed(hash="0" * 32))
    assert not proves_sender(ACCOUNT, feed())


def test_the_other_shapes_carry_no_proof_to_check() -> None:
    assert proves_sender(ACCOUNT, b'{"awbno": "A-1"}')
    assert proves_sender(ACCOUNT, b"no JSON")


def test_a_feed_sent_again_is_the_same_news_and_another_feed_is_not() -> None:
    first, other = {"order_id": "S-1", "current_status": "INT"}, {"order_id": "S-2", "current_status": "INT"}
    adapter = Shipway()
    (once,), (again,) = (adapter.read_webhook(feed(first), RECEIVED_AT) for _ in range(2))
    both = adapter.read_webhook(feed(first, other), RECEIVED_AT)

    assert once.event_id == again.event_id
    assert once.event_id not in {update.event_id for update in both}


# ── tracking ────────────────────────────────────────────────────────────────────────


def tracked(status: str, *history: tuple[str, str], **about: str) -> Sequence[ShipmentUpdate]:
    rows = [{"date": at, "activity": said, "location": "Pune"} for at, said in history]
    details = {"shipment_status": status, "shipment_details": [about], "shipment_track_activities": rows}
    body = json.dumps([{"awb": "A-1", "tracking_details": details}]).encode()
    updates = Shipway().read_tracking(HttpAnswer(200, {}, body, 9), RECEIVED_AT)
    assert not isinstance(updates, Unknown | Unauthorized)
    return updates


def test_a_status_is_dated_by_its_own_row_only() -> None:
    updates = tracked("DEL", ("2026-03-04 08:00:00", "In Transit"), ("2026-03-04 09:00:00", "Handed to the guard"))

    assert [(each.scan.raw.code, each.timed) for each in updates] == [("INT", True), ("DEL", False)]


def test_or_by_the_time_of_delivery_where_that_is_stated() -> None:
    (update,) = tracked("DEL", delivered_date="2026-03-04 09:00:00")

    assert update.timed
