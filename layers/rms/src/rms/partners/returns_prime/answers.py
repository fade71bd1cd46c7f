"""What Returns Prime's answers mean. A failure is an HTTP status or `status: false`, with a message either way.

Source: Returns Prime guide, section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rms.aggregators.reading import mapping, text, words
from rms.partners.reading import MAX_WORDS, OK, busy, document, rows
from rms.partners.results import Absent, Blame, Busy, Refused, Unknown
from rms.partners.returns_prime.request import Request, read
from rms.partners.returns_prime.requests import PAUSE_SECONDS
from rms.platform.http import HttpAnswer, NoAnswer

_DOOR: Final = {401: Blame.CONFIGURATION, 403: Blame.CONFIGURATION, 405: Blame.CONFIGURATION}
_CALLER_FAULTS: Final = range(400, 500)
_UNDECIDED: Final = frozenset({408, 409, 425})
_BANK: Final = "bank"

type Failure = Refused | Absent | Busy | Unknown


@dataclass(frozen=True, slots=True)
class Page:
    """Requests of one page. `unreadable` counts those that could not be read, for an operator."""

    requests: tuple[Request, ...]
    unreadable: int
    is_last: bool


def read_request(answer: HttpAnswer | NoAnswer, request_id: str) -> Request | Failure:
    """The request that was asked for."""
    data = read_data(answer)
    if not isinstance(data, Mapping):
        return data
    found = read(mapping(data.get("request")))
    if isinstance(found, str):
        return Unknown(found)
    return found if found.id == request_id else Unknown("Returns Prime answered with another request")


def read_page(answer: HttpAnswer | NoAnswer) -> Page | Failure:
    """The requests on a page."""
    data = read_data(answer)
    if not isinstance(data, Mapping):
        return data
    if not isinstance(data.get("list"), list):
        return Unknown("Returns Prime lists nothing")
    found = [read(mapping(each)) for each in rows(data["list"])]
    readable = tuple(each for each in found if isinstance(each, Request))
    return Page(readable, len(found) - len(readable), is_last=data.get("hasNextPage") is not True)


def read_numbered(answer: HttpAnswer | NoAnswer, number: str) -> Request | Failure:
    """The request of that number in the answer to a question for it."""
    page = read_page(answer)
    if not isinstance(page, Page):
        return page
    found = next((request for request in page.requests if request.number == number), None)
    if found is None and (page.unreadable or not page.is_last):
        return Unknown("Returns Prime does not list the request, or not so that it can be read")
    return found or Absent()


def without_bank(value: Any) -> Any:
    """A document as it may be kept: without bank details, wherever they stand."""
    if isinstance(value, dict):
        return {name: without_bank(held) for name, held in value.items() if name.casefold() != _BANK}
    return [without_bank(each) for each in value] if isinstance(value, list) else value


def read_data(answer: HttpAnswer | NoAnswer) -> Mapping[str, Any] | Failure:
    """The `data` of a success; else what the failure means."""
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS)}")
    sent = document(answer)
    body = mapping(sent)
    if answer.status in _CALLER_FAULTS and answer.status not in _UNDECIDED:
        return _turned_away(answer, body)
    if answer.status not in OK or not isinstance(sent, dict):
        return Unknown(
            f"HTTP {answer.status}: {words(body.get('message'), MAX_WORDS) or 'no reason given'}"[:MAX_WORDS]
        )
    match body.get("status"):
        case True:
            return mapping(body.get("data"))
        case False:
            return _refusal(Blame.DATA, answer, body)
        case _:
            return Unknown("Returns Prime does not say whether it did what was asked")


def _turned_away(answer: HttpAnswer, body: Mapping[str, Any]) -> Failure:
    match answer.status:
        case 429:
            return busy(answer, PAUSE_SECONDS)
        case 404:
            return Absent()
        case status:
            return _refusal(_DOOR.get(status, Blame.DATA), answer, body)


def _refusal(blame: Blame, answer: HttpAnswer, body: Mapping[str, Any]) -> Refused:
    code = text(body.get("messageCode")) or f"HTTP {answer.status}"
    return Refused(blame, code, words(body.get("message"), MAX_WORDS) or "no reason given")
