"""Telling Returns Prime the QC result by its own API: off unless configured, because one integrator alone has seen it.

Each call sets something to a value, so that a second one does no harm; still a call whose outcome is unknown is looked
up first. Source: Returns Prime guide, section 5.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any, Final

from rms.aggregators.reading import text
from rms.partners.reading import MAX_WORDS, json_request
from rms.partners.results import Absent, Busy, Refused, Unknown
from rms.partners.returns_prime.answers import read_data
from rms.partners.returns_prime.connection import Settings
from rms.partners.returns_prime.request import Request
from rms.partners.returns_prime.requests import request_url
from rms.partners.returns_prime.statuses import COURSES, Stage
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import parse_object
from rms.platform.times import to_text

_ONE_OF_NONE: Final = frozenset({404, 405})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What QC said of one item of the return."""

    item_code: str
    passed: bool
    reason: str | None = None


class Write(StrEnum):
    """What one call tells."""

    RECEIVED = "RECEIVED"
    INSPECTED = "INSPECTED"
    REJECTED = "REJECTED"


class Standing(Enum):
    """What is left of a call to make, as far as the request and our own record of it show."""

    TO_TELL = auto()
    TOLD = auto()
    TOO_LATE = auto()
    """The warehouse has changed its mind, and the request has come to its end: for a person."""


@dataclass(frozen=True, slots=True)
class Written:
    """It is told."""


@dataclass(frozen=True, slots=True)
class NotOffered:
    """Returns Prime has no such call: write-back is to be turned off, and an operator told."""

    status: int


def write_back(
    settings: Settings, request_id: str, verdicts: Sequence[Verdict], processed_at: datetime
) -> tuple[tuple[Write, HttpRequest], ...]:
    """The calls that tell a QC result, in their order; none where it is switched off or nothing was processed.

    The request stands in the condition of a failed item if it has one. It is rejected only if all its items fail and
    the connection says so.
    """
    if not verdicts:
        return ()
    failed = [verdict for verdict in verdicts if not verdict.passed]
    condition = settings.fail_condition if failed else settings.pass_condition
    notes, at, url = _notes(failed), to_text(processed_at), request_url(settings, request_id)
    calls: list[tuple[Write, str, dict[str, Any]]] = []
    if settings.writes_status:
        received = {"status": "received", "received_at": at, "condition": condition, "notes": notes}
        calls.append((Write.RECEIVED, "status", received))
    if settings.writes_inspection:
        calls.append((Write.INSPECTED, "inspection", {"condition": condition, "notes": notes, "inspected_at": at}))
    if settings.rejects_failed and len(failed) == len(verdicts):
        calls.append((Write.REJECTED, "status", {"status": "rejected", "comment": notes}))
    return tuple((write, json_request("PUT", f"{url}/{path}", settings.headers, body)) for write, path, body in calls)


def told_already(write: Write, request: Request) -> bool:
    """Whether the request, read again, shows that a call was carried out: by us, or by somebody before us."""
    match write:
        case Write.RECEIVED:
            return request.received is not None or request.stage in _SINCE_RECEIVED
        case Write.INSPECTED:
            return request.inspected is not None or request.stage in _SINCE_INSPECTED
        case Write.REJECTED:
            return request.rejected is not None or request.stage is Stage.REJECTED


def standing(write: Write, call: HttpRequest, request: Request, told: str | None) -> Standing:
    """What is left of a call. `told` is the digest of what RMS has told of this for certain; None: nothing.

    Once told, only an inspection is corrected: what is received stays so, and what is rejected is at its end. A request
    that is rejected or put away without us is let be.
    """
    if told == body_digest(call):
        return Standing.TOLD
    if told is None:
        known = told_already(write, request) or COURSES[request.stage].cancels
        return Standing.TOLD if known else Standing.TO_TELL
    if write is not Write.INSPECTED:
        return Standing.TOLD
    if request.inspected is not None and request.inspected.comment == _content(call)["notes"]:
        return Standing.TOLD
    at_its_end = COURSES[request.stage].cancels or request.stage is Stage.REFUNDED
    return Standing.TOO_LATE if at_its_end else Standing.TO_TELL


def body_digest(call: HttpRequest) -> str:
    """The same for the same result, whenever it is told."""
    return hashlib.sha256(json.dumps(_content(call), sort_keys=True).encode()).hexdigest()[:16]


def _content(call: HttpRequest) -> dict[str, Any]:
    return {name: said for name, said in parse_object(call.body or b"{}").items() if not name.endswith("_at")}


_SINCE_INSPECTED: Final = frozenset({Stage.INSPECTED, Stage.REFUNDED})
_SINCE_RECEIVED: Final = _SINCE_INSPECTED | {Stage.RECEIVED}


def read_written(answer: HttpAnswer | NoAnswer) -> Written | NotOffered | Refused | Busy | Unknown:
    """What the answer to one of these calls means."""
    if isinstance(answer, HttpAnswer) and answer.status in _ONE_OF_NONE:
        return NotOffered(answer.status)
    match read_data(answer):
        case Refused() | Busy() | Unknown() as failure:
            return failure
        case Absent():
            return NotOffered(404)
        case _:
            return Written()


def _notes(failed: Sequence[Verdict]) -> str:
    said = (f"{verdict.item_code}: {verdict.reason or 'failed'}" for verdict in failed)
    return text("; ".join(said) or "QC passed", MAX_WORDS)
