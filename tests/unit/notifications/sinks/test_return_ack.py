import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from rms.notifications.judgement import Delivered, Gone, Judgement, RetryLater, Unauthorized
from rms.notifications.sinks import return_ack
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.notifications.sinks.return_ack import ReturnAck
from rms.platform.http import HttpAnswer, NoAnswer
from tests.unit.notifications.sinks.examples import NOW, SECRET, TORN, WHOLE, a_target, an_ack, event, without_sequence


def body_of(ack: ReturnAck) -> bytes:
    return return_ack.build(a_target(), ack, NOW).body or b""


def test_it_is_the_example() -> None:
    assert json.loads(body_of(an_ack())) == json.loads(event("return_ack/ack.request.json"))


def test_it_is_a_signed_put_with_the_clients_own_headers() -> None:
    now = datetime.now(UTC)  # the library that verifies looks at the real clock

    request = return_ack.build(a_target(), an_ack(), now)

    assert (request.method, request.url) == ("PUT", "https://in.kaveri-looms.example/rms")
    assert (request.headers["X-Api-Key"], request.headers["Content-Type"]) == ("k-1", "application/json")
    assert request.headers["webhook-id"] == an_ack().id
    assert not request.trusted
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_every_member_stands_in_the_contracts_order() -> None:
    told = json.loads(body_of(an_ack(items=(TORN,))))

    assert list(told) == ["returnOrderCode", "forwardOrderCode", "locationCode", "orderItems", "sequence"]
    assert list(told["orderItems"][0]) == ["itemCode", "channelSkuCode", "qcStatus", "qcReason", "imageUrls"]


def test_a_unit_that_passed_has_neither_reason_nor_pictures() -> None:
    passed = replace(TORN, qc_status=QcStatus.PASS)

    (item,) = json.loads(body_of(an_ack(items=(passed,))))["orderItems"]

    assert item == {"itemCode": "KL-4471-1", "channelSkuCode": "KURTA-INDIGO-M", "qcStatus": "PASS"}


def test_a_failed_unit_may_lack_reason_and_pictures() -> None:
    (item,) = json.loads(body_of(an_ack(items=(ProcessedItem("I-1", "S-1", QcStatus.FAIL),))))["orderItems"]

    assert item == {"itemCode": "I-1", "channelSkuCode": "S-1", "qcStatus": "FAIL"}


def test_a_brand_may_have_reasons_of_its_own() -> None:
    worn = replace(TORN, qc_reason="மணம் (worn) ✓")

    assert json.loads(body_of(an_ack(items=(worn,))))["orderItems"][0]["qcReason"] == "மணம் (worn) ✓"


def test_a_retry_repeats_the_body() -> None:
    first, second = (return_ack.build(a_target(), an_ack(), NOW + timedelta(hours=wait)) for wait in (0, 5))

    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_sequence_comes_last_and_can_be_switched_off() -> None:
    assert body_of(an_ack()).endswith(b',"sequence":9}')
    assert b"sequence" not in (return_ack.build(without_sequence(), an_ack(), NOW).body or b"")


def test_five_hundred_units_are_acknowledged_whole() -> None:
    units = tuple(ProcessedItem(f"I-{number}", "S-1", QcStatus.PASS) for number in range(500))

    assert len(json.loads(body_of(an_ack(items=units)))["orderItems"]) == 500


@pytest.mark.parametrize(
    ("problem", "change"),
    [
        ("returnOrderCode: may not be empty", {"return_code": ""}),
        ("forwardOrderCode: may not be empty", {"forward_order_code": ""}),
        ("locationCode: may not be null", {"location_code": None}),
        ("orderItems: may not be empty", {"items": ()}),
        ("orderItems[0].itemCode: may not be empty", {"items": (replace(WHOLE, item_code=""),)}),
        ("orderItems[1].channelSkuCode: may not be null", {"items": (TORN, replace(WHOLE, sku=None))}),
        ("orderItems[1].qcStatus: may not be null", {"items": (TORN, replace(WHOLE, qc_status=None))}),
    ],
)
def test_it_waits_for_what_is_mandatory(problem: str, change: dict[str, Any]) -> None:
    ack = an_ack(**change)

    assert return_ack.problems(ack) == [problem]
    with pytest.raises(ValueError, match="may not be"):
        return_ack.build(a_target(), ack, NOW)


def test_a_complete_one_has_no_problems() -> None:
    assert return_ack.problems(an_ack()) == []


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (HttpAnswer(200, {}, b"", 9), Delivered(200)),
        (HttpAnswer(200, {}, b"thanks", 9), Delivered(200)),
        (HttpAnswer(401, {}, b"", 9), Unauthorized()),
        (HttpAnswer(405, {}, b"", 9), RetryLater("answered 405: the method is not allowed at this URL")),
        (HttpAnswer(410, {}, b"", 9), Gone()),
        (HttpAnswer(500, {}, b"", 9), RetryLater("answered 500: fault at the receiver")),
        (NoAnswer("connection refused", sent=False, elapsed_ms=1), RetryLater("connection refused")),
    ],
)
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, judged: Judgement) -> None:
    assert return_ack.judge(answer, NOW) == judged
