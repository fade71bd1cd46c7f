"""The one table from what went wrong to what the caller is told. Source: RMS API contract, section 1.4."""

from typing import Final, NamedTuple


class CallerError(Exception):
    """The caller can act on this. `description` names fields and expectations, never values."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class BadDataError(CallerError):
    """The request is wrong; `description` lists every failing field: `[a: may not be null, b: …]`."""


class AwbRefusedError(CallerError):
    """The aggregator refused to book; `description` has its words."""


class CancelRefusedError(CallerError):
    """It cannot be cancelled; `description` says why."""


class UnauthorizedError(CallerError):
    """Known credentials, but not for this."""


class NotFoundError(CallerError):
    """No such record, or another client's: the two look the same."""


class ConflictError(CallerError):
    """The same code as an earlier creation, with other content."""


class TooLargeError(CallerError):
    """The body is over the limit."""


class Told(NamedTuple):
    """What a caller hears of an error."""

    status: int
    code: str
    message: str


TOLD: Final[dict[type[CallerError], Told]] = {
    BadDataError: Told(400, "BAD_DATA", "Input validation failed"),
    AwbRefusedError: Told(400, "AWB_REFUSED", "The aggregator refused to book the parcel"),
    CancelRefusedError: Told(409, "CANCEL_REFUSED", "It cannot be cancelled"),
    UnauthorizedError: Told(403, "UNAUTHORIZED", "These credentials may not do this"),
    NotFoundError: Told(404, "NOT_FOUND", "No such record"),
    ConflictError: Told(409, "CONFLICT", "The code is in use"),
    TooLargeError: Told(413, "TOO_LARGE", "Body too large"),
}
OUR_FAULT: Final = Told(500, "INTERNAL_ERROR", "Fault inside RMS")
"""Everything else. Nothing of it is shown but that the call may be sent again."""


def told(error: Exception) -> tuple[Told, str]:
    """How to answer this error: status, code and message, and the description."""
    for kind, answer in TOLD.items():
        if isinstance(error, kind):
            return answer, error.description
    return OUR_FAULT, "Nothing is lost: send the call again"
