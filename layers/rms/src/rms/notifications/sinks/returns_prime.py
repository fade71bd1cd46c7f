"""Returns Prime's own API in place of the Returns Processing Update: marks a request as received, then as inspected.

Returns Prime publishes no reference, and one code base is all the evidence for these calls: off unless a client wants
them. Which words `condition` takes is not known; RMS says PASS or FAIL, and the units one by one in `notes`.
Source: Returns Prime guide, sections 2 and 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from rms.notifications.judgement import Gone, Judgement
from rms.notifications.sinks import processing_update
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.notifications.sinks.webhook import Endpoint, signed
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import Writable, write_json
from rms.platform.problems import EMPTY, MISSING
from rms.platform.times import to_text

__all__ = ["Judgement", "Step", "WriteBack", "build", "judge", "problems"]

MOST_NOTES: Final = 2000
"""Longest `notes`, in characters; units that do not fit are counted."""

_NO_SUCH_CALL: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


class Step(StrEnum):
    """What has happened to the goods."""

    RECEIVED = "RECEIVED"
    INSPECTED = "INSPECTED"


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A step of a request at Returns Prime, and when it happened. `id` comes from `signing.message_id`.

    `request_id` is Returns Prime's own id, which is not the request number that shoppers see.
    """

    id: str
    step: Step
    request_id: str | None
    items: tuple[ProcessedItem, ...]
    happened_at: datetime


def problems(message: WriteBack) -> list[str]:
    """What must be known before the step can be told; empty: tell it."""
    found = [] if message.request_id else [f"id: {MISSING}"]
    if not message.items:
        found.append(f"items: {EMPTY}")
    unchecked = (number for number, item in enumerate(message.items) if item.qc_status is None)
    return [*found, *(f"items[{number}].qcStatus: {MISSING}" for number in unchecked)]


def build(target: Endpoint, message: WriteBack, now: datetime) -> HttpRequest:
    """The request for this try: a PUT below the API's base URL, with the client's `x-rp-token` among its headers.

    Raises:
        ValueError: something mandatory is missing: see `problems`.
    """
    if found := problems(message):
        raise ValueError(f"[{', '.join(found)}]")
    path, members = _call(message)
    request = f"{target.url.rstrip('/')}/return-exchange/v2/{quote(message.request_id or '', safe='')}"
    return signed("PUT", replace(target, url=f"{request}/{path}"), message.id, write_json(members), now)


def judge(answer: HttpAnswer | NoAnswer, now: datetime) -> Judgement:
    """What an answer means. A 404 or 405 says that there is no such call: it is made no more."""
    if isinstance(answer, HttpAnswer) and answer.status in _NO_SUCH_CALL:
        return Gone(f"answered {answer.status}: Returns Prime does not offer this call")
    return processing_update.judge(answer, now)


def _call(message: WriteBack) -> tuple[str, Mapping[str, Writable]]:
    failed = any(item.qc_status is QcStatus.FAIL for item in message.items)
    found: dict[str, Writable] = {
        "condition": (QcStatus.FAIL if failed else QcStatus.PASS).value,
        "notes": _notes(message.items),
    }
    at = to_text(message.happened_at)
    if message.step is Step.RECEIVED:
        return "status", {"status": "received", "received_at": at, **found}
    return "inspection", {**found, "inspected_at": at}


def _notes(items: tuple[ProcessedItem, ...]) -> str:
    told: list[str] = []
    length = 0
    for number, item in enumerate(items):
        words = (item.item_code, item.qc_status or "", item.why_failed or "")
        line = " ".join(word for word in words if word)
        length += len(line) + 2
        if length > MOST_NOTES:
            return "; ".join([*told, f"and {len(items) - number} more"])
        told.append(line)
    return "; ".join(told)
