"""Clickpost's answers, code by code."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rms.aggregators.clickpost.answers import read_booking, read_cancel, read_search
from rms.aggregators.contract import (
    MAX_WORDS,
    Booked,
    BookingResult,
    Cancelled,
    CancelResult,
    RefusalKind,
    Refused,
    Unknown,
    Working,
)
from rms.platform.http import HttpAnswer, HttpRequest

REFERENCE = "RMS-AAAABBBBCCCCDDDD"
SENT = HttpRequest("POST", "https://clickpost.example/api/v3/create-order/")
RESULT = {"waybill": "7700123", "reference_number": REFERENCE, "courier_name": "Bluedart", "label": None}

CALLER = [303, 307, 308, 309, 310, 312, 313, 314, 315, 321, 328, 400, 420, 422]
CONFIGURATION = [301, 302, 306, 311, 316, 320, 324, 351, 352, 353, 355]
RETRY = [322, 329, 354, 500]
OF_OTHER_CALLS = [304, 305, 325, 326, 327, 330, 350, 600]


def http(body: object, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(body).encode(), elapsed_ms=900)


def meta(status: object, message: object = "as it says") -> dict[str, Any]:
    return {"meta": {"status": status, "success": False, "message": message}}


def booking(body: object, status: int = 200) -> BookingResult:
    return read_booking(http(body, status), REFERENCE, SENT)


def search(body: object) -> BookingResult:
    return read_search(http(body), REFERENCE, SENT)


def cancel(body: object, status: int = 200) -> CancelResult:
    return read_cancel(http(body, status))


@pytest.mark.parametrize("code", CALLER)
def test_wrong_data_is_refused_to_the_caller(code: int) -> None:
    assert booking(meta(code)) == Refused(RefusalKind.CALLER, str(code), "as it says")


@pytest.mark.parametrize("code", CONFIGURATION)
def test_a_wrong_account_is_for_an_operator(code: int) -> None:
    assert booking(meta(code)) == Refused(RefusalKind.CONFIGURATION, str(code), "as it says")


def test_a_carriers_refusal_lets_another_carrier_try() -> None:
    assert booking(meta(319)) == Refused(RefusalKind.SERVICEABILITY, "319", "as it says")


@pytest.mark.parametrize("code", [*RETRY, *OF_OTHER_CALLS, 0, -1, 201, 299, 777, 10**15])
def test_failures_and_codes_of_other_calls_prove_nothing(code: int) -> None:
    assert isinstance(booking(meta(code)), Unknown)
    assert isinstance(booking(meta(code) | {"result": RESULT}), Unknown)


@pytest.mark.parametrize("code", [200, 323])
@pytest.mark.parametrize("status", [200, 201, 400, 500, 503])
def test_a_waybill_under_our_reference_is_a_booking_whatever_the_http_status(code: int, status: int) -> None:
    assert booking(meta(code) | {"result": RESULT}, status) == Booked(awb="7700123", courier="Bluedart")


@pytest.mark.parametrize("code", [102, 202])
def test_accepted_means_working_even_if_the_answer_has_no_result(code: int) -> None:
    assert isinstance(booking(meta(code) | {"reference_number": REFERENCE}), Working)


@pytest.mark.parametrize("waybill", [None, ""])
@pytest.mark.parametrize("code", [200, 323])
def test_a_placed_order_without_a_waybill_gets_one_later(code: int, waybill: str | None) -> None:
    assert isinstance(booking(meta(code) | {"result": RESULT | {"waybill": waybill}}), Working)


@pytest.mark.parametrize("waybill", [["7700123"], {"awb": 1}, True, 77.5, "9" * 101, "\x00"])
def test_a_waybill_that_is_none_is_not_booked(waybill: object) -> None:
    assert isinstance(booking(meta(200) | {"result": RESULT | {"waybill": waybill}}), Unknown)


def test_a_waybill_may_be_a_number() -> None:
    assert booking(meta(200) | {"result": RESULT | {"waybill": 7700123}}) == Booked("7700123", "Bluedart")


@pytest.mark.parametrize("result", [None, [], "7700123", [RESULT]])
def test_success_without_a_result_is_not_booked(result: object) -> None:
    assert isinstance(booking(meta(200) | {"result": result}), Unknown)
    assert isinstance(booking(meta(200)), Unknown)


@pytest.mark.parametrize("status", ["200", 200.0, True, None, [200], {"code": 200}])
def test_a_status_of_another_type_is_not_believed(status: object) -> None:
    assert isinstance(booking(meta(status) | {"result": RESULT}), Unknown)


@pytest.mark.parametrize("reference", ["RMS-ZZZZ", "", 17])
def test_an_answer_about_another_reference_is_not_believed(reference: object) -> None:
    assert isinstance(booking(meta(323) | {"result": RESULT | {"reference_number": reference}}), Unknown)


def test_the_courier_is_named_by_its_id_where_its_name_is_missing() -> None:
    nameless = RESULT | {"courier_name": None}

    def by_id(courier: int) -> Booked:
        result = booking(meta(323) | {"result": nameless | {"courier_partner_id": courier}})
        assert isinstance(result, Booked)
        return result

    assert (by_id(28).courier, by_id(28).metadata["Courier Partner Id"]) == ("Bluedart", "28")
    assert by_id(129).courier == "Courier 129"


def test_clickposts_order_id_is_the_number_and_never_the_text_that_is_ours() -> None:
    fresh = booking(meta(200) | {"order_id": 41, "result": RESULT | {"order_id": "SO-70031"}})
    duplicate = booking(meta(323) | {"result": RESULT | {"order_id": 41}})
    none = booking(meta(200) | {"result": RESULT | {"order_id": "41"}})

    assert [result.order_id for result in (fresh, duplicate, none) if isinstance(result, Booked)] == ["41", "41", None]


@pytest.mark.parametrize("label", ["not a url", "javascript:alert(1)", 7, ["https://labels.example/1.pdf"]])
def test_a_label_that_is_no_url_is_left_out(label: object) -> None:
    assert booking(meta(200) | {"result": RESULT | {"label": label}}) == Booked("7700123", "Bluedart")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("  Pincode\n not served ", "Pincode not served"),
        ({"items": ["bad"]}, '{"items": ["bad"]}'),
        (["a", 1.5], '["a", "1.5"]'),
        ("{'looks': 'parsed'}", "{'looks': 'parsed'}"),
        (None, "no reason given"),
        (17, "17"),
        ("x" * 5000, "x" * MAX_WORDS),
        ({"x": "y" * 5000}, '{"x": "' + "y" * (MAX_WORDS - 7)),
    ],
)
def test_the_aggregators_words_are_shown_as_text_and_capped(message: object, words: str) -> None:
    assert booking(meta(319, message)) == Refused(RefusalKind.SERVICEABILITY, "319", words)


@pytest.mark.parametrize("code", [*CONFIGURATION, 303])
def test_a_lookup_that_is_turned_away_does_not_prove_that_nothing_is_booked(code: int) -> None:
    assert isinstance(search(meta(code)), Unknown)


@pytest.mark.parametrize("code", [code for code in (*CALLER, 319) if code != 303])
def test_a_lookup_that_the_order_itself_fails_proves_that_nothing_is_booked(code: int) -> None:
    assert isinstance(search(meta(code)), Refused)


@pytest.mark.parametrize("code", [200, 323])
def test_a_lookup_that_finds_or_books_ends_in_the_one_booking(code: int) -> None:
    assert search(meta(code) | {"result": RESULT}) == Booked("7700123", "Bluedart")


@pytest.mark.parametrize("code", [200, 600])
def test_a_cancel_is_done_with_200_or_600(code: int) -> None:
    assert cancel(meta(code)) == Cancelled()


def test_a_cancel_that_is_accepted_happens_later() -> None:
    assert cancel(meta(202)) == cancel(meta(200), 202) == Cancelled(later=True)
    assert read_cancel(HttpAnswer(202, {}, b"", elapsed_ms=5)) == Cancelled(later=True)


@pytest.mark.parametrize("code", [351, 352, 353, 301])
def test_a_cancel_with_a_wrong_account_is_for_an_operator(code: int) -> None:
    assert cancel(meta(code), 202) == Refused(RefusalKind.CONFIGURATION, str(code), "as it says")


@pytest.mark.parametrize("code", [*RETRY, 102, 323, 601])
def test_a_cancel_with_any_other_code_is_not_known(code: int) -> None:
    assert isinstance(cancel(meta(code)), Unknown)


def test_what_a_duplicate_does_not_say_of_the_carrier_the_order_said() -> None:
    details = {"courier_partner": 28, "account_code": "northpeak-reverse"}
    sent = replace(SENT, body=json.dumps({"shipment_details": details}).encode())
    found = read_booking(http(meta(323) | {"result": {"waybill": "7700123"}}), REFERENCE, sent)

    carrier = {"Account Code": "northpeak-reverse", "Courier Partner Id": "28"}
    assert found == Booked("7700123", "Bluedart", metadata=carrier)
