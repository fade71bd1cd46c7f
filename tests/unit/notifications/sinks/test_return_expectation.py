import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from standardwebhooks import Webhook

from rms.model.return_order import Parcel, ReturnItem, ReturnOrder
from rms.notifications.judgement import Delivered, Gone, Judgement, RetryLater, Unauthorized
from rms.notifications.sinks import return_expectation
from rms.notifications.sinks.return_expectation import Expectation, ExpectationEvent
from rms.platform.http import HttpAnswer, NoAnswer
from tests.unit.notifications.sinks.examples import (
    NOW,
    SECRET,
    a_target,
    an_expectation,
    an_order,
    event,
    without_sequence,
)

TWO_UNITS: Final = ReturnOrder(
    "KL-4471-R1",
    "KL-4471",
    (
        ReturnItem("KL-4471-1", "KURTA-INDIGO-M", "Too wide"),
        ReturnItem("KL-4471-2", "KURTA-INDIGO-M", "Too wide"),
    ),
    "HOS-2",
)
SECOND: Final = frozenset({"KL-4471-2"})


def about_two(kind: ExpectationEvent, sequence: int = 1, **changes: Any) -> Expectation:
    known = an_expectation(kind, sequence=sequence, order=TWO_UNITS, awb=None, courier=None, bundled=None)
    return replace(known, **changes)


EVENTS: Final = (
    ("create", an_expectation()),
    ("update", an_expectation(ExpectationEvent.UPDATE, sequence=3, awb="5277100009999", weight_unit="KG")),
    ("partial_cancel", about_two(ExpectationEvent.PARTIAL_CANCEL, 4, cancelled=SECOND)),
    ("cancel", about_two(ExpectationEvent.CANCEL, 5)),
    (
        "complete",
        about_two(ExpectationEvent.COMPLETE, 9, cancelled=SECOND, awb="5277100004418", courier="Delhivery"),
    ),
)


def body_of(expectation: Expectation) -> bytes:
    return return_expectation.build(a_target(), expectation, NOW).body or b""


def sent(expectation: Expectation) -> Any:
    return json.loads(body_of(expectation), parse_float=Decimal)


@pytest.mark.parametrize(("name", "expectation"), EVENTS, ids=[name for name, _ in EVENTS])
def test_it_is_the_example(name: str, expectation: Expectation) -> None:
    example = json.loads(event(f"return_expectation/{name}.request.json"), parse_float=Decimal)

    assert sent(expectation) == example
    assert return_expectation.problems(expectation) == []


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        (ExpectationEvent.CREATE, "RETURN_ORDER_CREATE", "CREATE"),
        (ExpectationEvent.UPDATE, "RETURN_ORDER_UPDATE", "CREATE"),
        (ExpectationEvent.CANCEL, "RETURN_ORDER_CANCEL", "CANCELLED"),
        (ExpectationEvent.PARTIAL_CANCEL, "RETURN_ORDER_PARTIAL_CANCEL", "CREATE"),
        (ExpectationEvent.COMPLETE, "RETURN_ORDER_COMPLETE", "COMPLETED"),
    ],
)
def test_an_event_has_its_name_and_leaves_a_status(kind: ExpectationEvent, name: str, status: str) -> None:
    told = sent(about_two(kind, cancelled=SECOND))

    assert (told["eventType"], told["status"]) == (name, status)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (ExpectationEvent.UPDATE, [None, "CANCELLED"]),
        (ExpectationEvent.PARTIAL_CANCEL, [None, "CANCELLED"]),
        (ExpectationEvent.CANCEL, ["CANCELLED", "CANCELLED"]),
        (ExpectationEvent.COMPLETE, [None, "CANCELLED"]),
    ],
)
def test_a_unit_that_will_not_come_stays_cancelled(kind: ExpectationEvent, statuses: list[str | None]) -> None:
    told = sent(about_two(kind, cancelled=SECOND))

    assert [item.get("status") for item in told["orderItems"]] == statuses


FIRST_ITEM: Final = {
    "itemCode": "KL-4471-1",
    "isBundled": False,
    "reason": "Seam came undone",
    "enableDoorStepQc": True,
    "channelSkuCode": "KURTA-INDIGO-M",
    "name": "Kurta, indigo, M (நீலம்)",
    "brand": "Kaveri",
    "color": "Indigo",
    "category": "Clothing",
    "subCategory": "Kurtas",
    "serialNumber": "KI-0007",
    "price": Decimal("1249.5"),
    "finalAmountPaid": Decimal("1199.5"),
    "imageUrl": "https://shop.kaveri-looms.example/kurta-indigo.jpg",
    "storeCreditsUsed": 50,
}
HEADER: Final = {
    "forwardOrderCode": "KL-4471",
    "returnOrderCode": "KL-4471-R1",
    "locationCode": "HOS-2",
    "returnOrderTime": "2026-03-01T14:52:28.500Z",
    "returnOrderStatus": "RETURN_CREATED",
    "expectedDate": "2026-03-08T18:30:00.000Z",
    "orderType": "CUSTOMER_RETURN",
    "awbNumber": "5277100004418",
    "transporter": "Delhivery",
    "currencyCode": "INR",
    "regionType": "INDIAN",
    "returnReason": "Seam came undone",
    "sellerGstin": "33AAKCK4471L1Z5",
    "consigneeGstin": "33AAKCK4471L2Z4",
    "shipmentDimension": {"breadth": 30, "height": Decimal("6.5"), "length": 38, "weight": 850},
    "dropAddress": {
        "name": "Dock Two",
        "line1": "Survey 88, Warehouse Lane",
        "city": "Hosur",
        "state": "Tamil Nadu",
        "zip": "635109",
        "country": "INDIA",
        "email": "dock2@kaveri-looms.example",
        "phone": "9000000200",
    },
    "pickupAddress": {
        "name": "Revathi Subramaniam",
        "line1": "3/14 East Car Street",
        "line2": "Near the old post office",
        "line3": "Srirangam",
        "city": "Tiruchirappalli",
        "state": "Tamil Nadu",
        "zip": "620006",
        "country": "INDIA",
        "email": "revathi@mail.example",
        "phone": "9000000417",
    },
    "orderDetails": {
        "codValue": 0,
        "invoiceNumber": "KLI-90031",
        "invoiceTime": "2026-02-20T09:05:00.000Z",
        "invoiceValue": 2499,
        "isCod": False,
        "forwardShipmentNumber": "KL-4471-S1",
    },
}
TAXES: Final = [
    {"type": name, "rate": Decimal("2.5"), "taxPerUnit": Decimal("29.75"), "taxTotal": Decimal("29.75")}
    for name in ("SGST", "CGST")
]


@pytest.mark.parametrize("name", HEADER)
def test_every_field_of_the_return_is_told(name: str) -> None:
    assert sent(an_expectation())[name] == HEADER[name]


@pytest.mark.parametrize("name", FIRST_ITEM)
def test_every_field_of_a_unit_is_told(name: str) -> None:
    value = sent(an_expectation())["orderItems"][0][name]

    assert (value, type(value)) == (FIRST_ITEM[name], type(FIRST_ITEM[name]))


def test_taxes_are_told_and_nothing_else_is() -> None:
    told = sent(an_expectation())

    assert told["orderItems"][0] == FIRST_ITEM | {"subTaxItemData": TAXES}
    assert set(told) == set(HEADER) | {"eventType", "status", "orderItems", "sequence"}


def test_what_rms_does_not_hold_is_left_out() -> None:
    told = sent(about_two(ExpectationEvent.CREATE))

    ours = {"eventType", "status", "sequence", "orderType"}
    assert set(told) == ours | {"forwardOrderCode", "returnOrderCode", "locationCode", "orderItems"}
    assert told["orderItems"][0] == {
        "itemCode": "KL-4471-1",
        "reason": "Too wide",
        "enableDoorStepQc": False,
        "channelSkuCode": "KURTA-INDIGO-M",
        "storeCreditsUsed": 0,
    }


@pytest.mark.parametrize(
    ("grams", "unit", "written"),
    [("850", "G", b"850"), ("850", "KG", b"0.85"), ("2350.5", "KG", b"2.3505"), ("2000", "KG", b"2")],
)
def test_the_weight_is_in_the_clients_unit(grams: str, unit: Any, written: bytes) -> None:
    order = an_order(parcel=Parcel(Decimal(1), Decimal(1), Decimal(1), Decimal(grams)))

    assert b'"weight":' + written + b"}" in body_of(an_expectation(order=order, weight_unit=unit))


def test_it_is_a_signed_post_with_the_clients_own_headers() -> None:
    now = datetime.now(UTC)  # the library that verifies looks at the real clock

    request = return_expectation.build(a_target(), an_expectation(), now)

    assert (request.method, request.headers["X-Api-Key"]) == ("POST", "k-1")
    assert not request.trusted
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_a_retry_repeats_the_body() -> None:
    first, second = (
        return_expectation.build(a_target(), an_expectation(), NOW + timedelta(hours=wait)) for wait in (0, 5)
    )

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_sequence_comes_last_and_can_be_switched_off() -> None:
    assert body_of(an_expectation()).endswith(b',"sequence":1}')
    assert b"sequence" not in (return_expectation.build(without_sequence(), an_expectation(), NOW).body or b"")


def test_five_hundred_units_are_expected_whole() -> None:
    units = tuple(ReturnItem(f"I-{number}", "S-1", "Too wide") for number in range(500))

    assert len(sent(an_expectation(order=an_order(items=units), bundled=None))["orderItems"]) == 500


@pytest.mark.parametrize(
    ("problem", "expectation"),
    [
        ("returnOrderCode: may not be empty", an_expectation(order=an_order(code=""))),
        ("forwardOrderCode: may not be empty", an_expectation(order=an_order(forward_order_code=""))),
        ("locationCode: may not be null", an_expectation(order=an_order(location_code=None))),
        ("orderItems: may not be empty", an_expectation(order=an_order(items=()))),
        (
            "orderItems[0].channelSkuCode: may not be empty",
            an_expectation(order=an_order(items=(ReturnItem("I", "", ""),))),
        ),
        (
            "orderItems: must hold every unit that is cancelled",
            about_two(ExpectationEvent.UPDATE, cancelled=frozenset({"KL-4471-9"})),
        ),
        (
            "orderItems: a partial cancellation must cancel a unit",
            about_two(ExpectationEvent.PARTIAL_CANCEL),
        ),
        (
            "orderItems: a partial cancellation must leave a unit",
            about_two(ExpectationEvent.PARTIAL_CANCEL, cancelled=frozenset({"KL-4471-1", "KL-4471-2"})),
        ),
    ],
)
def test_it_is_not_sent_with_a_problem(problem: str, expectation: Expectation) -> None:
    assert return_expectation.problems(expectation) == [problem]
    with pytest.raises(ValueError, match=problem.partition(":")[0].partition("[")[0]):
        return_expectation.build(a_target(), expectation, NOW)


def test_the_shopper_is_not_shown() -> None:
    assert "Revathi" not in repr(an_expectation())


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (HttpAnswer(200, {}, b"", 9), Delivered(200)),
        (HttpAnswer(202, {}, b"queued", 9), Delivered(202)),
        (HttpAnswer(401, {}, b"", 9), Unauthorized()),
        (HttpAnswer(410, {}, b"", 9), Gone()),
        (HttpAnswer(503, {}, b"", 9), RetryLater("answered 503: service unavailable")),
        (NoAnswer("connection refused", sent=False, elapsed_ms=1), RetryLater("connection refused")),
    ],
)
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, judged: Judgement) -> None:
    assert return_expectation.judge(answer, NOW) == judged
