from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.clickpost.statuses import LIVES
from sandbox.faults import WebhookFault, WebhookThen
from sandbox.partner import UnknownThingError
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.examples import Caller

type Make = Callable[..., Caller]


def codes(webhooks: list[dict[str, Any]]) -> list[int]:
    return [webhook["clickpost_status_code"] for webhook in webhooks]


def test_a_parcels_whole_life_is_told_step_by_step(clickpost: Caller) -> None:
    awb = clickpost.book()

    clickpost.engine.advance(awb, steps=None)

    assert codes(clickpost.sent_webhooks()) == [25, 4, 5, 6, 8]
    assert clickpost.engine.advance(awb) == []


@pytest.mark.parametrize("life", LIVES)
def test_every_life_can_be_lived(clickpost: Caller, life: str) -> None:
    awb = clickpost.book()

    clickpost.engine.advance(awb, life=life, steps=None)

    assert codes(clickpost.sent_webhooks()) == [step.code for step in LIVES[life]]


def test_a_scan_webhook_has_clickposts_shape_and_indias_time_ending_in_z(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb)

    (webhook,) = clickpost.sent_webhooks()

    assert webhook["waybill"] == awb
    assert webhook["cp_id"] == 25
    assert webhook["timestamp"] == "2026-03-04T12:00:00Z"
    assert webhook["additional"]["is_rvp"] is True
    assert webhook["additional"]["latest_status"]["reference_number"] == "TEST-REF-1"
    assert "notification_event_id" not in webhook["additional"]


def test_selected_webhooks_name_their_event_and_leave_out_scans_without_one(a_clickpost: Make) -> None:
    clickpost = a_clickpost(webhook_shape="selected")
    awb = clickpost.book()
    clickpost.engine.advance(awb, life="manifested_first", steps=3)

    webhooks = clickpost.sent_webhooks()

    assert [webhook["additional"]["notification_event_id"] for webhook in webhooks] == [1, 2]


@pytest.mark.parametrize(("setting", "shown"), [("stated", True), ("null", None), ("absent", "nothing")])
def test_is_rvp_can_be_stated_null_or_absent(a_clickpost: Make, setting: str, shown: object) -> None:
    clickpost = a_clickpost(is_rvp=setting)
    clickpost.engine.advance(clickpost.book())

    assert clickpost.sent_webhooks()[0]["additional"].get("is_rvp", "nothing") == shown


def test_a_failed_pick_up_carries_its_reason(clickpost: Caller) -> None:
    clickpost.engine.advance(clickpost.book(), life="qc_failed", steps=None)

    failed = clickpost.sent_webhooks()[-1]

    assert failed["clickpost_status_code"] == 3
    assert failed["additional"]["npr_status_code"] == 3


def test_a_life_can_change_course_on_the_way(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb, steps=3)
    clickpost.engine.advance(awb, life="lost", steps=None)

    assert codes(clickpost.sent_webhooks()) == [25, 4, 5, 16]


def test_a_late_scan_keeps_its_own_time_and_leaves_the_latest_status_alone(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb, steps=2)
    clickpost.engine.scan(awb, 25, at=datetime(2026, 3, 4, 5, 0, tzinfo=UTC))

    late = clickpost.sent_webhooks()[-1]

    assert late["timestamp"] == "2026-03-04T10:30:00Z"
    assert late["additional"]["latest_status"]["clickpost_status_code"] == 4


def test_a_shoppers_return_is_announced_and_then_gets_its_awb(clickpost: Caller) -> None:
    placed = clickpost.engine.place_return({"forward_order_id": "TO-9", "items": [{"sku": "TS-9", "quantity": 2}]})

    announced, booked = clickpost.sent_webhooks()

    assert (announced["notification_event"], announced["waybill"], announced["cp_id"]) == (11, "", -1)
    assert announced["additional"]["item_info"] == [{"sku": "TS-9", "quantity": 2}]
    assert (booked["additional"]["notification_event_id"], booked["waybill"]) == (9, placed.awb)
    assert booked["additional"]["return_reference_number"] == placed.reference


def test_a_return_that_waits_for_approval_gets_its_awb_after_it(clickpost: Caller) -> None:
    placed = clickpost.engine.place_return({}, approval="manual")
    assert placed.awb is None

    clickpost.engine.approve_return(placed.reference)

    assert [webhook["notification_event"] for webhook in clickpost.sent_webhooks()] == [11, 22, 9]
    with pytest.raises(UnknownThingError):
        clickpost.engine.reject_return(placed.reference)


def test_return_webhooks_can_come_wrapped(a_clickpost: Make) -> None:
    clickpost = a_clickpost(wrapped=True)
    clickpost.engine.place_return({}, approval="manual")

    (webhook,) = clickpost.sent_webhooks()

    assert webhook["payload"]["notification_event"] == 11


def test_a_webhook_is_sent_again_until_the_answer_is_exactly_200(a_clickpost: Make, clock: Clock) -> None:
    clickpost = a_clickpost(webhook_tries=5, webhook_spacing_seconds=60)
    clickpost.engine.advance(clickpost.book())

    for status in (202, 500, None, 200):
        webhook = clickpost.engine.claim_webhook()
        assert webhook is not None
        clickpost.engine.webhook_answered(webhook, status)
        assert clickpost.engine.claim_webhook() is None
        clock.pass_seconds(60)

    (told,) = clickpost.engine.webhooks()
    assert told["state"] == "TAKEN"
    assert [attempt["status"] for attempt in told["attempts"]] == [202, 500, None, 200]


def test_a_webhook_is_given_up_after_the_last_try(a_clickpost: Make) -> None:
    clickpost = a_clickpost(webhook_tries=2, webhook_spacing_seconds=0)
    clickpost.engine.advance(clickpost.book())

    while webhook := clickpost.engine.claim_webhook():
        clickpost.engine.webhook_answered(webhook, 503)

    assert clickpost.engine.webhooks()[0]["state"] == "GIVEN_UP"
    assert clickpost.engine.state()["webhooks_waiting"] == 0


def test_a_duplicated_webhook_is_sent_as_often_as_asked(clickpost: Caller) -> None:
    clickpost.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.DUPLICATE, copies=3))
    clickpost.engine.advance(clickpost.book(), steps=2)

    assert codes(clickpost.sent_webhooks()) == [25, 25, 25, 4]


def test_shuffled_webhooks_wait_for_each_other_and_leave_in_another_order(clickpost: Caller) -> None:
    clickpost.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.SHUFFLE, size=5))
    awb = clickpost.book()
    clickpost.engine.advance(awb, steps=4)

    assert clickpost.sent_webhooks() == []
    clickpost.engine.advance(awb)
    told = codes(clickpost.sent_webhooks())
    assert sorted(told) == [4, 5, 6, 8, 25]
    assert told != [25, 4, 5, 6, 8]


def test_shuffled_webhooks_leave_after_a_while_even_if_too_few(clickpost: Caller, clock: Clock) -> None:
    clickpost.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.SHUFFLE, size=5, seconds=10))
    clickpost.engine.advance(clickpost.book(), steps=2)

    clock.pass_seconds(10)

    assert codes(clickpost.sent_webhooks()) == [4, 25]


def test_a_delayed_webhook_tells_the_status_of_the_time_it_leaves(clickpost: Caller, clock: Clock) -> None:
    clickpost.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.DELAY, seconds=30))
    clickpost.engine.advance(clickpost.book(), steps=2)

    assert codes(clickpost.sent_webhooks()) == [4]
    clock.pass_seconds(30)
    (late,) = clickpost.sent_webhooks()
    assert late["clickpost_status_code"] == 25
    assert late["additional"]["latest_status"]["clickpost_status_code"] == 4


def test_a_webhook_can_be_sent_again_by_hand(clickpost: Caller) -> None:
    clickpost.engine.advance(clickpost.book())
    first = clickpost.sent_webhooks()

    clickpost.engine.resend_webhook(1)

    assert clickpost.sent_webhooks() == first


def test_waiting_webhooks_are_bounded_and_the_forgotten_ones_are_counted(a_clickpost: Make) -> None:
    clickpost = a_clickpost(keeps=3)
    clickpost.engine.advance(clickpost.book(), steps=None)

    assert clickpost.engine.state()["webhooks_forgotten"] == 2
    assert codes(clickpost.sent_webhooks()) == [5, 6, 8]


def test_the_proof_is_the_webhook_key_or_the_text_typed_as_authorization(a_clickpost: Make) -> None:
    assert a_clickpost(webhook_key="K1").engine.webhook_headers()["webhook_key"] == "K1"
    typed = a_clickpost(webhook_authorization="Token as typed").engine.webhook_headers()
    assert typed["Authorization"] == "Token as typed"
    assert "webhook_key" not in typed


def test_a_cancelled_parcel_is_scanned_as_such_unless_its_carrier_never_does(a_clickpost: Make) -> None:
    loud, silent = a_clickpost(), a_clickpost(sends_cancelled_scan=False)
    for clickpost in (loud, silent):
        clickpost.cancel(clickpost.book())

    assert codes(loud.sent_webhooks()) == [10]
    assert silent.sent_webhooks() == []


def test_a_parcel_that_rms_never_heard_of_can_be_scanned(clickpost: Caller) -> None:
    parcel = clickpost.engine.add_parcel({"awb": "ELSEWHERE-1", "courier": 4, "is_return": False})
    clickpost.engine.scan(parcel.awb, 777, words="Something new")

    (webhook,) = clickpost.sent_webhooks()

    assert webhook["waybill"] == "ELSEWHERE-1"
    assert webhook["clickpost_status_code"] == 777


def test_a_webhook_under_way_during_a_reset_does_not_come_back(clickpost: Caller, clock: Clock) -> None:
    clickpost.engine.advance(clickpost.book())
    webhook = clickpost.engine.claim_webhook()
    assert webhook is not None

    clickpost.engine.reset()
    clickpost.engine.webhook_answered(webhook, 500)
    clock.pass_seconds(60)

    assert clickpost.engine.claim_webhook() is None
