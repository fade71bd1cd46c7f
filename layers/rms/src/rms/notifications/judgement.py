"""What a receiver's answer means for the cursor: taken, try again, fetch new credentials, or never send again. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from rms.notifications.schedule import retry_after
from rms.platform.http import HttpAnswer, NoAnswer


class Blame(StrEnum):
    """Who is at fault in a failed try; only failures of the endpoint count for its breaker."""

    ENDPOINT = "ENDPOINT"
    """Nothing gets through: it is down, moved, overloaded, or knows us no more."""
    MESSAGE = "MESSAGE"
    """The endpoint works and refuses this body: other returns may well get through."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has taken the notification; the cursor moves on."""

    status: int


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not taken, or nobody can say: send the same again. `reason` is short and holds nothing of URL or body.

    `words` are the receiver's own, where it gave any that can be read: for an operator to see, not for logs.
    """

    reason: str
    not_before: datetime | None = None
    blame: Blame = Blame.ENDPOINT
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants no more notifications at this URL: the endpoint is disabled."""

    reason: str = "answered 410: the endpoint is gone"


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The receiver does not accept our headers.

    Where the client offers a credential API, its headers are fetched and the same is sent once more; a second 401,
    or no such API, is a failure like any other: `failure`.
    """

    failure: RetryLater = RetryLater("answered 401: the credentials are not accepted")


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver has read the message and will not have it. Sending it again changes nothing: a person must look.

    `words` are the receiver's own: for an operator to see, not for logs.
    """

    reason: str
    words: str = field(default="", repr=False)


type Judgement = Delivered | RetryLater | Gone | Unauthorized

type Verdict = Judgement | Refused
"""What an answer means whose body may say no."""

MOST_WORDS: Final = 500
"""Longest text of a receiver's that is kept, in characters."""

_WORDS: Final = {
    403: "forbidden",
    404: "nothing at this URL",
    405: "the method is not allowed at this URL",
    408: "the receiver timed out",
    413: "the body is too large for the receiver",
    429: "too many requests",
    500: "fault at the receiver",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timed out",
}
"""What the common statuses say, for the people who read attempts."""

_ENDPOINT_REFUSALS: Final = frozenset({402, 403, 404, 405, 407, 408, 421, 425, 426, 429})
"""The 4xx that speak of the URL, the credentials or the load; all other 4xx speak of the body."""

_MAY_ASK_FOR_TIME: Final = frozenset({429, 503})
"""Where Retry-After is honoured."""


def judge(answer: HttpAnswer | NoAnswer, now: datetime) -> Judgement:
    """What an answer means. The contract expects 200; any 2xx counts as taken, unless its body is longer than is read.

    Source: RMS API contract, sections 1.2, 1.5 and 15.
    """
    if isinstance(answer, NoAnswer):
        return RetryLater(answer.reason)
    match answer.status, answer.status // 100:
        case status, 2:
            # No receiver of notifications answers with a flood: it is a web page, or broken, and took nothing in.
            flood = RetryLater(f"answered {status} with a body that is too long")
            return flood if answer.truncated else Delivered(status)
        case 401, _:
            return Unauthorized()
        case 410, _:
            return Gone()
        case status, 3:
            return RetryLater(f"answered {status}: redirects are not followed, register the new URL")
        case status, _:
            wait = retry_after(answer.headers, now) if status in _MAY_ASK_FOR_TIME else None
            return RetryLater(_words(status), wait, _blame(status))


def outcome_of(verdict: Verdict) -> str:
    """What a try came to, for whoever looks at it: the receiver's own words included."""
    match verdict:
        case Delivered():
            return "delivered"
        case Unauthorized(failure):
            return failure.reason
        case Gone(reason):
            return reason
        case RetryLater() | Refused():
            return f"{verdict.reason}: {verdict.words}" if verdict.words else verdict.reason


def words_of(*said: object) -> str:
    """What a receiver said, in one line: texts and numbers, the rest left out, control characters as blanks."""
    told = [str(each) for each in said if isinstance(each, str | int) and not isinstance(each, bool)]
    printable = "".join(letter if letter.isprintable() else " " for letter in " ".join(told))
    return " ".join(printable.split())[:MOST_WORDS]


def _words(status: int) -> str:
    words = _WORDS.get(status)
    return f"answered {status}: {words}" if words else f"answered {status}"


def _blame(status: int) -> Blame:
    refused = status in range(400, 500) and status not in _ENDPOINT_REFUSALS
    return Blame.MESSAGE if refused else Blame.ENDPOINT
