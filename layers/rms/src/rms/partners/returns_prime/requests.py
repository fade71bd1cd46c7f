"""The calls that read requests at Returns Prime, and that subscribe to its webhooks. Source: guide, section 2."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from rms.partners.reading import json_request
from rms.partners.returns_prime.connection import Settings
from rms.partners.returns_prime.webhook import ID, Topic
from rms.platform.http import HttpRequest
from rms.platform.times import to_text

PAUSE_SECONDS: Final = 0.4
"""How long to wait between two calls: the rate limit is not known, and this is what the politest client waits."""

PATH: Final = "/return-exchange/v2"
_MOST_BYTES: Final = 1024 * 1024


def ask_again(settings: Settings, request_id: str) -> HttpRequest:
    """The call that reads a request: what it says is acted on, whatever a webhook said.

    Raises:
        ValueError: the id is none.
    """
    return json_request("GET", request_url(settings, request_id), settings.headers)


def ask_for_page(settings: Settings, page: int, since: datetime, until: datetime) -> HttpRequest:
    """The call that lists requests made in between, from page 1: what a lost webhook left out is found so."""
    asked = json_request("GET", f"{settings.base_url}{PATH}", settings.headers)
    query = {"page": str(page), "created_at_min": to_text(since), "created_at_max": to_text(until)}
    return replace(asked, query=query, most_bytes=_MOST_BYTES)


def ask_for_number(settings: Settings, number: str) -> HttpRequest:
    """The call that lists the request which a shopper knows by this number."""
    asked = json_request("GET", f"{settings.base_url}{PATH}", settings.headers)
    return replace(asked, query={"page": "1", "request_number": number}, most_bytes=_MOST_BYTES)


def subscribe(settings: Settings, url: str, topics: Sequence[Topic]) -> HttpRequest:
    """The call that has webhooks sent to a URL of ours, of which one part is hard to guess."""
    body = {"url": url, "topics": [topic.value for topic in topics]}
    return json_request("POST", f"{settings.base_url}/v2/webhook/", settings.headers, body)


def request_url(settings: Settings, request_id: str) -> str:
    """Where a request stands.

    Raises:
        ValueError: the id is none.
    """
    if not ID.fullmatch(request_id):
        raise ValueError("a request's id has letters, digits, hyphens and underscores only")
    return f"{settings.base_url}{PATH}/{request_id}"
