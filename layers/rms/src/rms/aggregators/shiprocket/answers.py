"""What Shiprocket's answers mean. HTTP 200 alone proves nothing: each call has its own rule of success.

Any answer that does not meet its rule is a failure, and the table of error classes says of which kind. An answer that
gives no reason of its own, or cannot be read, proves nothing. Source: Shiprocket guide, sections 2 and 4.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Cancelled,
    CancelResult,
    Label,
    LabelResult,
    RefusalKind,
    Refused,
    Token,
    Unauthorized,
    Unknown,
)
from rms.aggregators.reading import mapping, text, whole, words
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.json import BadJsonError, JsonValue, parse_json

TOKEN_SECONDS: Final = 9 * 24 * 3600
"""How long a token is used; Shiprocket's own limit is ten days."""

MAX_AWB: Final = 100
_MAX_TOKEN: Final = 8000
_TOKEN: Final = re.compile("[!-~]+")
_LOWEST_CODE: Final = 300
"""Below it, a body's `status` is a flag or says that all is well."""

_SUCCESS: Final = range(200, 300)
_NO_CONTENT: Final = 204
_TAKEN_IN: Final = frozenset({200, 201, 202})
_ANSWERED: Final = _TAKEN_IN | {400, 404, 405, 409, 422}


class Class(StrEnum):
    """What to do about a failure."""

    RETRY = "RETRY"
    """Nobody knows what was done: look first, then perhaps once more."""
    CALLER = "CALLER"
    """Our data is wrong; no repeat."""
    CONFIGURATION = "CONFIGURATION"
    """The account is wrong or has no money."""
    RENEW = "RENEW"
    """The token is not accepted."""
    TAKEN = "TAKEN"
    """Something exists under this reference; perhaps ours."""
    ASSIGNED = "ASSIGNED"
    """The shipment has an AWB already, perhaps."""
    DUPLICATE = "DUPLICATE"
    """The pick-up was asked for before."""
    CANCELLED = "CANCELLED"
    """It was cancelled before."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the table of error classes: all that it names must be so. Texts are compared without case."""

    kind: Class
    status: frozenset[int] = frozenset()
    """HTTP statuses; empty: any."""

    code: int | None = None
    """The body's `status_code`."""

    field_says: tuple[str, str] | None = None
    """A field of the error map, and words in its text."""

    only_fields: frozenset[str] = frozenset()
    """The error map names fields, and only these."""

    says: str | None = None
    """What is found in the text."""


# The first row that fits decides. Whatever no row fits proves nothing.
# Source: Shiprocket guide, section 4, "Error classes".
ERRORS: Final = (
    Signal(Class.CONFIGURATION, code=350),  # the wallet is empty; whichever the HTTP status
    Signal(Class.RENEW, status=frozenset({401})),
    Signal(Class.CONFIGURATION, status=frozenset({403})),
    Signal(Class.RETRY, status=frozenset({429})),
    Signal(Class.TAKEN, status=_ANSWERED, field_says=("order_id", "already been taken")),
    Signal(Class.ASSIGNED, status=_ANSWERED, says=r"(?=.*already)(?=.*assigned)|cannot reassign courier"),
    Signal(Class.DUPLICATE, status=_ANSWERED, says=r"duplicate"),
    Signal(Class.CANCELLED, status=_ANSWERED, says=r"already\s+(been\s+)?cancell?ed"),
    # PHP stumbles over a value of the wrong type or an id it does not know.
    Signal(
        Class.CALLER,
        status=frozenset({500}),
        says=r"trying to get property|foreach|undefined|call to a member function",
    ),
    Signal(
        Class.CONFIGURATION,
        status=_ANSWERED,
        only_fields=frozenset({"channel_id", "pickup_location", "pickup_location_id", "return_warehouse_id"}),
    ),
    Signal(
        Class.CONFIGURATION,
        status=_ANSWERED,
        says=r"channel id does not exist|pickup[ _]location",
    ),
    Signal(Class.CALLER, status=_TAKEN_IN | {400, 404, 405, 422}),
)
_REFUSALS: Final = {
    Class.CONFIGURATION: RefusalKind.CONFIGURATION,
    Class.CALLER: RefusalKind.CALLER,
    Class.TAKEN: RefusalKind.CALLER,
    Class.ASSIGNED: RefusalKind.CALLER,
    Class.DUPLICATE: RefusalKind.CALLER,
    Class.CANCELLED: RefusalKind.CALLER,
}
_ONLY_OF: Final = {
    Class.TAKEN: "create",
    Class.ASSIGNED: "assign",
    Class.DUPLICATE: "pickup",
    Class.CANCELLED: "cancel",
}
"""Rows that mean something as the answer to one call only."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a failure says: its text, the fields that it names with their texts, and the body's own status code."""

    text: str
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    code: int | None = None

    @property
    def silent(self) -> bool:
        """Whether it gives no reason at all."""
        return not self.text and not self.fields and self.code is None

    @property
    def words(self) -> str:
        """All of it for people."""
        named = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.fields.items())
        return text(": ".join(part for part in (self.text, named) if part), MAX_WORDS) or "no reason given"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call: its class, and the refusal that it is unless the class says that something can be done."""

    kind: Class
    refusal: Refused


def body_of(answer: HttpAnswer) -> JsonValue:
    """The JSON in an answer; None for what is none, or cut."""
    if answer.truncated:
        return None
    try:
        return parse_json(answer.body)
    except BadJsonError:
        return None


def yes(value: object) -> bool:
    """Whether a flag is set: `true`, 1, "1" or "true"."""
    return value is True or (not isinstance(value, bool) and text(value).lower() in {"1", "true"})


def no(value: object) -> bool:
    """Whether a flag is there and says no."""
    return value is False or (not isinstance(value, bool) and text(value).lower() in {"0", "false"})


def number(value: object) -> str:
    """An id above 0 as text; "" for anything else."""
    found = whole(value)
    return str(found) if found is not None and found > 0 else ""


def awb_of(value: object) -> str:
    """An AWB; "" for none, or for what is too long to be one."""
    awb = text(value, MAX_AWB + 1)
    return awb if len(awb) <= MAX_AWB else ""


def problem_of(body: JsonValue) -> Problem:
    """What a body complains of, in any of the shapes in which Shiprocket does."""
    top = mapping(body)
    payload, response = mapping(top.get("payload")), mapping(mapping(top.get("response")).get("data"))
    said = next((found for each in _texts(top, payload, response) if (found := words(each, MAX_WORDS))), "")
    fields: dict[str, tuple[str, ...]] = {}
    for given in (top.get("errors"), top.get("message")):
        fields |= {text(name): texts for name, value in mapping(given).items() if (texts := _field_texts(value))}
    code = next((stated for name in ("status_code", "status") if (stated := whole(top.get(name))) is not None), None)
    return Problem(said, fields, code if code is not None and code >= _LOWEST_CODE else None)


def _texts(top: Mapping[str, Any], payload: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[object]:
    for part, name in (
        (response, "awb_assign_error"),
        (payload, "awb_assign_error"),
        (payload, "error_message"),
        (top, "message"),
        (top, "error"),
        (top, "response"),
    ):
        value = part.get(name)
        yield value if isinstance(value, str) else None


def _field_texts(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(found for each in listed if (found := text(each)))


def failure_of(answer: HttpAnswer | NoAnswer, call: str) -> Failure | Unknown:
    """What an answer that does not meet its call's rule of success is.

    `call` is create, assign, pickup, cancel or the name of any other. Unknown: it may have been done all the same.
    """
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS - 20)}")
    body = body_of(answer)
    problem = problem_of(body)
    kind = next((row.kind for row in ERRORS if _fits(row, answer.status, problem, call)), Class.RETRY)
    if problem.silent and answer.status in _SUCCESS:
        return Unknown(f"HTTP {answer.status} that says neither yes nor no")
    if kind is Class.RETRY:
        return Unknown(text(f"Shiprocket failed (HTTP {answer.status}): {problem.words}", MAX_WORDS))
    code = str(problem.code or answer.status)
    said = f"Shiprocket turned the request away (HTTP {answer.status})" if problem.silent else problem.words
    return Failure(kind, Refused(_REFUSALS.get(kind, RefusalKind.CONFIGURATION), code, said))


def _fits(row: Signal, status: int, problem: Problem, call: str) -> bool:
    said = problem.text.casefold()
    return (
        _ONLY_OF.get(row.kind, call) == call
        and (not row.status or status in row.status)
        and (row.code is None or row.code == problem.code)
        and (row.field_says is None or row.field_says[1] in _said_of(problem, row.field_says[0]))
        and (not row.only_fields or (bool(problem.fields) and problem.fields.keys() <= row.only_fields))
        and (row.says is None or re.search(row.says, said) is not None)
    )


def _said_of(problem: Problem, name: str) -> str:
    return " ".join(problem.fields.get(name, ())).casefold()


def read_login(answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:
    """What the answer to a login means. A refusal stays one until somebody corrects the account."""
    if isinstance(answer, HttpAnswer) and answer.status in _SUCCESS:
        token = mapping(body_of(answer)).get("token")
        if isinstance(token, str) and len(token) <= _MAX_TOKEN and _TOKEN.fullmatch(token):
            return Token(token, TOKEN_SECONDS)
    match failure_of(answer, "login"):
        case Unknown() as unknown:
            return unknown
        case failure:
            return replace(failure.refusal, kind=RefusalKind.CONFIGURATION)


def read_label(answer: HttpAnswer | NoAnswer) -> LabelResult:
    """What the answer to generate label means; `label_created: 0` comes with HTTP 200."""
    if isinstance(answer, HttpAnswer) and answer.status in _SUCCESS:
        body = mapping(body_of(answer))
        url = body.get("label_url")
        if yes(body.get("label_created")) and isinstance(url, str) and url.startswith(("https://", "http://")):
            return Label(url.strip())
    return _refused(failure_of(answer, "label"))


def read_cancel(answer: HttpAnswer | NoAnswer, *, later: bool) -> CancelResult:
    """What the answer to a cancel means: 204 is yes, as is any other 2xx that says something and does not complain.

    `later`: what was cancelled is an AWB, which Shiprocket only takes in hand.
    """
    if isinstance(answer, HttpAnswer) and answer.status in _SUCCESS:
        problem = problem_of(body_of(answer))
        if answer.status == _NO_CONTENT or (problem.text and problem.code is None):
            return Cancelled(later=later)
    match failure_of(answer, "cancel"):
        case Failure(Class.CANCELLED):
            return Cancelled()
        case failure:
            return _refused(failure)


def _refused(failure: Failure | Unknown) -> Refused | Unknown | Unauthorized:
    if isinstance(failure, Unknown):
        return failure
    return Unauthorized() if failure.kind is Class.RENEW else failure.refusal
