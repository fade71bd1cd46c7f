import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from rms.notifications.judgement import Blame, Delivered, Gone, Judgement, RetryLater, Unauthorized
from rms.notifications.sinks import processing_update
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.notifications.sinks.processing_update import Partner, ProcessingUpdate
from rms.platform.http import HttpAnswer, NoAnswer
from tests.unit.notifications.sinks.examples import (
    NOW,
    SECRET,
    TORN,
    WHOLE,
    a_target,
    an_update,
    event,
    without_sequence,
)


def body_of(update: ProcessingUpdate) -> bytes:
    return processing_update.build(a_target(), update, NOW).body or b""


def to_returns_prime(**changes: Any) -> ProcessingUpdate:
    return an_update(**{"partner": Partner.RETURNS_PRIME, "partner_reference": None, "location_code": None} | changes)


def test_clickpost_hears_of_the_return_by_its_own_reference() -> None:
    assert json.loads(body_of(an_update())) == json.loads(event("processing_update/clickpost.request.json"))
    assert json.loads(body_of(an_update()))["returnOrderCode"] == "CPR-220914"


def test_returns_prime_hears_of_the_return_by_the_code_that_it_gave() -> None:
    told = json.loads(body_of(to_returns_prime(partner_reference="CPR-220914")))

    assert told == json.loads(event("processing_update/returns_prime.request.json"))
    assert told["returnOrderCode"] == "KL-4471-R1"


def test_it_is_a_signed_post_with_the_partners_token() -> None:
    now = datetime.now(UTC)  # the library that verifies looks at the real clock

    request = processing_update.build(a_target(headers={"x-rp-token": "invented"}), an_update(), now)

    assert (request.method, request.headers["x-rp-token"]) == ("POST", "invented")
    assert not request.trusted
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_every_member_stands_in_the_contracts_order() -> None:
    told = json.loads(body_of(an_update()))

    assert list(told) == ["returnOrderCode", "forwardOrderCode", "locationCode", "orderItems", "sequence"]
    for item in told["orderItems"]:
        assert list(item) == ["itemCode", "channelSkuCode", "qcStatus", "qcReason", "imageUrls"]


def test_a_unit_that_passed_has_null_for_reason_and_pictures() -> None:
    passed = replace(TORN, qc_status=QcStatus.PASS)

    assert b'"qcStatus":"PASS","qcReason":null,"imageUrls":null' in body_of(an_update(items=(passed,)))


def test_a_warehouse_that_is_not_known_is_left_out() -> None:
    assert "locationCode" not in json.loads(body_of(an_update(location_code=None)))


def test_a_retry_repeats_the_body() -> None:
    first, second = (processing_update.build(a_target(), an_update(), NOW + timedelta(hours=wait)) for wait in (0, 5))

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_sequence_comes_last_and_can_be_switched_off() -> None:
    assert body_of(an_update()).endswith(b',"sequence":9}')
    assert b"sequence" not in (processing_update.build(without_sequence(), an_update(), NOW).body or b"")


def test_five_hundred_units_are_told_whole() -> None:
    units = tuple(ProcessedItem(f"அ-{number}", "S-1", QcStatus.PASS) for number in range(500))

    told = json.loads(body_of(an_update(items=units)))

    assert [item["itemCode"] for item in told["orderItems"]] == [f"அ-{number}" for number in range(500)]


@pytest.mark.parametrize(
    ("problem", "update"),
    [
        ("returnOrderCode: may not be null", an_update(partner_reference=None)),
        ("returnOrderCode: may not be empty", to_returns_prime(return_code="")),
        ("forwardOrderCode: may not be empty", an_update(forward_order_code="")),
        ("orderItems: may not be empty", an_update(items=())),
        ("orderItems[0].channelSkuCode: may not be null", an_update(items=(replace(WHOLE, sku=None), TORN))),
        ("orderItems[0].qcStatus: may not be null", an_update(items=(replace(WHOLE, qc_status=None), TORN))),
    ],
)
def test_it_waits_for_what_is_mandatory(problem: str, update: ProcessingUpdate) -> None:
    assert processing_update.problems(update) == [problem]
    with pytest.raises(ValueError, match="may not be"):
        processing_update.build(a_target(), update, NOW)


@pytest.mark.parametrize("update", [an_update(), to_returns_prime()], ids=lambda update: update.partner)
def test_a_complete_one_has_no_problems(update: ProcessingUpdate) -> None:
    assert processing_update.problems(update) == []


def an_answer(body: bytes, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, body, 12)


def denied(reason: str, words: str = "") -> RetryLater:
    return RetryLater(reason, blame=Blame.MESSAGE, words=words)


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (an_answer(b""), Delivered(200)),
        (an_answer(b"OK"), Delivered(200)),
        (an_answer(b"\xff\xfe"), Delivered(200)),
        (an_answer(b"[]"), Delivered(200)),
        (an_answer(b'{"status":true,"data":{}}'), Delivered(200)),
        (an_answer(b'{"status":"received"}'), Delivered(200)),
        (an_answer(b'{"meta":{"status":200,"success":true}}'), Delivered(200)),
        (an_answer(b'{"meta":null}'), Delivered(200)),
        (an_answer(b'{"meta":{"status":"soon"}}'), Delivered(200)),
        (an_answer(b'{"status":false}'), denied("answered 200 with status: false")),
        (
            an_answer(b'{"status":false,"messageCode":"E7","message":"No such request"}'),
            denied("answered 200 with status: false", "E7 No such request"),
        ),
        (
            an_answer(b'{"meta":{"status":400,"message":"Unknown return"}}', 201),
            denied("answered 201 with meta.status 400", "Unknown return"),
        ),
        (an_answer(b'{"meta":{"status":500,"message":{"a":1}}}'), denied("answered 200 with meta.status 500")),
        (an_answer(b"", 400), RetryLater("answered 400", blame=Blame.MESSAGE)),
        (an_answer(b"", 401), Unauthorized()),
        (an_answer(b"", 410), Gone()),
        (an_answer(b'{"status":true}', 500), RetryLater("answered 500: fault at the receiver")),
        (NoAnswer("timed out after 10.0 s", sent=True, elapsed_ms=9), RetryLater("timed out after 10.0 s")),
    ],
)
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, judged: Judgement) -> None:
    assert processing_update.judge(answer, NOW) == judged
