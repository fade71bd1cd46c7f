"""What the readers of all partners do alike: documents out of answers, moments and amounts out of what they hold."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from rms.aggregators.reading import text
from rms.partners.results import Busy
from rms.platform.http import HttpAnswer, HttpRequest
from rms.platform.json import BadJsonError, parse_json

MAX_WORDS: Final = 500
"""Longest text of a partner that is kept and shown, in characters."""

MAX_CODE: Final = 255
"""Longest code, as in the RMS API contract, section 1.6."""

TOO_MANY: Final = 429
OK: Final = range(200, 300)
_LONGEST_WAIT: Final = 3600.0
_MOST: Final = Decimal(10) ** 12


def document(answer: HttpAnswer) -> object:
    """The JSON value in an answer; None when it is none, or was cut."""
    try:
        return None if answer.truncated else parse_json(answer.body)
    except BadJsonError:
        return None


def moment(value: object) -> datetime | None:
    """A time in UTC; None for what is none or names no zone."""
    if not isinstance(value, str):
        return None
    try:
        stated = datetime.fromisoformat(value.strip())
        return stated.astimezone(UTC) if stated.tzinfo else None
    except (ValueError, OverflowError):
        return None


def amount(value: object) -> Decimal | None:
    """Money of at least 0, also one sent as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        stated = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return stated if stated.is_finite() and 0 <= stated <= _MOST else None


def code(value: object, limit: int = MAX_CODE) -> str:
    """A code as text; "" for none and for one too long: what names a thing is never cut."""
    found = text(value, limit + 1)
    return found if len(found) <= limit else ""


def busy(answer: HttpAnswer, usual: float) -> Busy:
    """For how long a partner does not want to be asked, by its `Retry-After` in seconds; else as long as usual."""
    stated = amount(answer.headers.get("retry-after", ""))
    return Busy(usual if stated is None else min(max(float(stated), usual), _LONGEST_WAIT))


def rows(value: object) -> list[Any]:
    """The list itself; an empty one for anything else."""
    return value if isinstance(value, list) else []


type Method = Literal["GET", "POST", "PUT", "DELETE"]


def json_request(method: Method, url: str, headers: Mapping[str, str], body: object = None) -> HttpRequest:
    """A call to a base URL that an operator configured, with a JSON body or none."""
    sent = None if body is None else json.dumps(body, allow_nan=False).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    return HttpRequest(
        method,
        url,
        headers={"Accept": "application/json", **headers, **kind},
        body=sent,
        trusted=True,
    )
