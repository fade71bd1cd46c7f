"""Every error body and every error class of Shiprocket's."""

from typing import Any

import pytest

from rms.aggregators.contract import (
    MAX_WORDS,
    Cancelled,
    Direction,
    Label,
    RefusalKind,
    Refused,
    Shipment,
    Token,
    Unauthorized,
    Unknown,
)
from rms.aggregators.shiprocket.answers import Class, Failure, failure_of, no, problem_of, yes
from tests.unit.aggregators.shiprocket.examples import ADAPTER, answered


@pytest.mark.parametrize(
    ("body", "said", "fields", "code"),
    [
        ({"message": "No", "status_code": 400}, "No", {}, 400),
        ({"message": "No", "errors": {"a": ["x", "y"]}, "status_code": 422}, "No", {"a": ("x", "y")}, 422),
        ({"message": {"a": ["x"], "b": "y"}}, "", {"a": ("x",), "b": ("y",)}, None),
        ({"message": "No"}, "No", {}, None),
        ({"status": 404, "message": "No"}, "No", {}, 404),
        ({"status": 0, "payload": {"action": "assign", "error_message": "No"}}, "No", {}, None),
        ({"response": {"data": {"awb_assign_error": "No"}}}, "No", {}, None),
        ({"payload": {"awb_assign_error": "No"}}, "No", {}, None),
        ({"label_created": 0, "response": "No"}, "No", {}, None),
        ({"message": None, "errors": [], "status_code": "350"}, "", {}, 350),
        ({"message": ["x"], "errors": "y"}, "", {}, None),
        ([], "", {}, None),
        (None, "", {}, None),
    ],
)
def test_one_reader_takes_every_shape_of_complaint(body: Any, said: str, fields: object, code: int | None) -> None:
    problem = problem_of(body)

    assert (problem.text, problem.fields, problem.code) == (said, fields, code)


@pytest.mark.parametrize("value", [True, 1, "1", "true", " TRUE "])
def test_a_flag_that_is_set(value: object) -> None:
    assert yes(value)
    assert not no(value)


@pytest.mark.parametrize("value", [False, 0, "0", "false"])
def test_a_flag_that_says_no(value: object) -> None:
    assert no(value)
    assert not yes(value)


@pytest.mark.parametrize("value", [None, "", 2, "yes", [], {}, 1.5])
def test_a_flag_that_says_nothing(value: object) -> None:
    assert not yes(value)
    assert not no(value)


MESSAGE = {"message": "No"}
WALLET = {"message": "Please recharge your wallet", "status_code": 350}
PHP = ("Trying to get property of non-object", "Invalid argument supplied for foreach()", "Undefined index: id",
       "Call to a member function on null")  # fmt: skip


def classified(body: object, status: int, call: str = "create") -> object:
    failure = failure_of(answered(body, status), call)
    return failure.kind if isinstance(failure, Failure) else type(failure)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 301, 302, 402, 406, 408, 409, 410])
@pytest.mark.parametrize("body", [MESSAGE, b"", b"<html>Bad Gateway</html>", b'{"mess'])
def test_what_may_pass_or_proves_nothing_leaves_the_outcome_open(status: int, body: object) -> None:
    assert classified(body, status) is Unknown


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"mess', [], {}, {"status_code": 1}, {"status": 200}])
def test_a_success_that_says_nothing_leaves_the_outcome_open(body: object) -> None:
    assert classified(body, 200) is Unknown


@pytest.mark.parametrize("status", [200, 202, 400, 404, 405, 422])
def test_what_is_refused_in_words_is_the_callers_fault(status: int) -> None:
    assert classified(MESSAGE, status) is Class.CALLER


@pytest.mark.parametrize("words", PHP)
def test_a_php_complaint_is_the_callers_fault_and_not_to_be_repeated(words: str) -> None:
    assert classified({"message": words.upper(), "status_code": 500}, 500) is Class.CALLER
    assert classified({"message": words}, 503) is Unknown


@pytest.mark.parametrize("status", [200, 202, 400, 401, 402, 403, 422, 500])
def test_an_empty_wallet_is_the_accounts_whatever_the_http_status(status: int) -> None:
    assert classified(WALLET, status, "assign") is Class.CONFIGURATION


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (MESSAGE, 403),
        (b"<html>", 403),
        ({"message": "Given channel id does not exist", "status_code": 400}, 400),
        ({"message": "Wrong Pickup Location entered"}, 200),
        ({"message": "Invalid", "errors": {"pickup_location": ["is invalid"]}, "status_code": 422}, 422),
        ({"message": {"channel_id": "is invalid", "pickup_location_id": ["unknown"]}}, 422),
    ],
)
def test_what_only_the_accounts_owner_can_mend(body: object, status: int) -> None:
    assert classified(body, status) is Class.CONFIGURATION


def test_a_wrong_location_among_other_mistakes_is_the_callers() -> None:
    body = {"errors": {"pickup_location": ["is required"], "billing_city": ["is required"]}, "message": "Invalid"}

    assert classified(body, 422) is Class.CALLER


def test_words_that_mean_something_at_one_call_mean_nothing_at_another() -> None:
    assert classified({"message": "AWB already assigned"}, 400, "assign") is Class.ASSIGNED
    assert classified({"message": "AWB already assigned"}, 400, "pickup") is Class.CALLER
    assert classified({"message": "duplicate request"}, 400, "pickup") is Class.DUPLICATE
    assert classified({"message": "duplicate request"}, 400, "assign") is Class.CALLER
    assert classified({"message": {"order_id": "has already been taken"}}, 422, "create") is Class.TAKEN
    assert classified({"message": {"order_id": "has already been taken"}}, 422, "pickup") is Class.CALLER


def test_a_refusal_names_fields_and_texts_within_bounds() -> None:
    body = {"message": "Oops", "errors": {f"field_{n}": ["is required"] for n in range(90)}, "status_code": 422}
    failure = failure_of(answered(body, 422), "create")

    assert isinstance(failure, Failure)
    assert failure.refusal.code == "422"
    assert failure.refusal.words.startswith("Oops: field_0: is required; field_1: is required")
    assert len(failure.refusal.words) <= MAX_WORDS


# ── login, label, cancel ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("token", ["", None, 7, "two words", "line\r\nbreak", "t" * 9000])
def test_what_is_no_token_is_not_taken_for_one(token: object) -> None:
    assert isinstance(ADAPTER.read_login(answered({"token": token})), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_login_is_the_accounts_fault(status: int) -> None:
    result = ADAPTER.read_login(answered(MESSAGE, status))

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.CONFIGURATION


def test_a_token_is_used_for_nine_of_its_ten_days() -> None:
    assert ADAPTER.read_login(answered({"token": "abc", "more": 1})) == Token("abc", 777_600)


@pytest.mark.parametrize("url", ["", None, "label.pdf", "javascript:alert(1)"])
def test_a_label_without_a_link_is_none(url: object) -> None:
    assert not isinstance(ADAPTER.read_label(answered({"label_created": 1, "label_url": url})), Label)


TOO_LATE = Refused(RefusalKind.CALLER, "400", "Already picked up, not to be cancelled")
ORDERED = Shipment(Direction.RETURN, "RMR-1", "", "", "61")
BOOKED = Shipment(Direction.RETURN, "RMR-1", "AWB9", "", "61")


@pytest.mark.parametrize(
    ("body", "status", "meaning"),
    [
        (b"", 204, Cancelled()),
        (b"not read", 204, Cancelled()),
        ({"message": "Order cancelled"}, 200, Cancelled()),
        ({"message": "Order is already canceled"}, 400, Cancelled()),
        ({"message": "It had already been cancelled"}, 422, Cancelled()),
        ({"message": "Already picked up, not to be cancelled"}, 400, TOO_LATE),
        (b"", 401, Unauthorized()),
    ],
)  # fmt: skip
def test_a_cancel_is_done_when_it_says_so_or_says_nothing_at_204(body: object, status: int, meaning: object) -> None:
    assert ADAPTER.read_cancel(ORDERED, answered(body, status)) == meaning


def test_awbs_are_cancelled_later() -> None:
    assert ADAPTER.read_cancel(BOOKED, answered(b"", 204)) == Cancelled(later=True)


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (b"<html>", 200), ({}, 200), (MESSAGE, 502)])
def test_a_cancel_that_nobody_can_tell_is_unknown(body: object, status: int) -> None:
    assert isinstance(ADAPTER.read_cancel(BOOKED, answered(body, status)), Unknown)
