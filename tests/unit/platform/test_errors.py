"""The table from what went wrong to what the caller is told. RMS API contract, section 1.4."""

import pytest

from rms.platform import errors
from rms.platform.errors import (
    OUR_FAULT,
    TOLD,
    AwbRefusedError,
    BadDataError,
    CallerError,
    ConflictError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
    told,
)
from rms.platform.json import BadJsonError
from rms.platform.table import TableContendedError, TableUnavailableError


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadDataError("[a: may not be null]"), 400, "BAD_DATA"),
        (BadJsonError("may not be empty"), 400, "BAD_DATA"),
        (AwbRefusedError("Pincode not served"), 400, "AWB_REFUSED"),
        (UnauthorizedError("x"), 403, "UNAUTHORIZED"),
        (NotFoundError("x"), 404, "NOT_FOUND"),
        (ConflictError("x"), 409, "CONFLICT"),
        (TooLargeError("x"), 413, "TOO_LARGE"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_a_caller_can_act_on_is_told_with_its_description(error: CallerError, status: int, code: str) -> None:
    answer, description = told(error)

    assert (answer.status, answer.code, description) == (status, code, error.description)


@pytest.mark.parametrize(
    "error", [KeyError("9820055501"), TableUnavailableError("x"), TableContendedError("x"), AssertionError("x")]
)
def test_everything_else_is_our_fault_and_shows_nothing_of_itself(error: Exception) -> None:
    answer, description = told(error)

    assert answer == OUR_FAULT == (500, "INTERNAL_ERROR", "Fault inside RMS")
    assert str(error) not in description


def test_every_error_a_caller_can_act_on_stands_in_the_table() -> None:
    ours = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, CallerError) and kind is not CallerError
    }

    assert ours == set(TOLD)
