"""A client's own endpoint: builds the signed POST of a notification, and the call that fetches new credentials.

Answers are read by `judge`. Source: RMS API contract, sections 1.2, 1.5, 15 and 20; Standard Webhooks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qsl

from rms.notifications.judgement import Delivered, Gone, Judgement, RetryLater, Unauthorized, judge
from rms.notifications.payloads import EVERYTHING, Notification, Preferences, payload
from rms.notifications.signing import sign
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

__all__ = [
    "Delivered",
    "Endpoint",
    "Gone",
    "Judgement",
    "Message",
    "RetryLater",
    "Unauthorized",
    "ask_for_headers",
    "build",
    "check_headers",
    "judge",
    "read_headers",
    "signed",
]

USER_AGENT: Final = "RMS/1"
MAX_HEADERS: Final = 20
MAX_HEADER: Final = 4096
"""Longest value of a client's header, in characters."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*")
_OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that frame the message; a client's static header of that name would break it or forge it."""
_OUR_FAMILIES: Final = ("webhook-", "proxy-")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What sending needs to know of a client's endpoint. Secrets in the clear; lives in memory only, never in a log.

    `headers` are the client's own: typed in, or fetched from its credential API. `secrets` are the active signing
    secrets, the newest first; two during a rotation.
    """

    url: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    preferences: Preferences = EVERYTHING


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint. `id` comes from `signing.message_id`."""

    id: str
    notification: Notification


def build(endpoint: Endpoint, message: Message, now: datetime) -> HttpRequest:
    """The signed request for this try. On a retry only the timestamp and the signature differ."""
    return signed("POST", endpoint, message.id, payload(message.notification, endpoint.preferences), now)


def signed(
    method: Literal["POST", "PUT"], endpoint: Endpoint, message_id: str, body: bytes, now: datetime
) -> HttpRequest:
    """A body on its way: with the client's own headers, and those that prove who sent it."""
    url, _, query = endpoint.url.partition("?")
    own = {name: value for name, value in endpoint.headers.items() if not _is_ours(name)}
    named = any(name.lower() == "user-agent" for name in own)
    return HttpRequest(
        method=method,
        url=url,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=own
        | ({} if named else {"User-Agent": USER_AGENT})
        | {"Content-Type": "application/json"}
        | sign(endpoint.secrets, message_id, now, body),
        body=body,
    )


def check_headers(headers: Mapping[str, str]) -> str | None:
    """What is wrong with the static headers that a client wants, or None. The text repeats no value."""
    if len(headers) > MAX_HEADERS:
        return f"must not be more than {MAX_HEADERS}"
    if len({name.lower() for name in headers}) < len(headers):
        return "must not repeat a name in another case"
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            return "must have names of letters, digits and hyphens"
        if _is_ours(name):
            return f"must not set {name.lower()}"
        if len(value) > MAX_HEADER or not _VALUE.fullmatch(value):
            return f"must have a printable ASCII value of up to {MAX_HEADER} characters: {name}"
    return None


def ask_for_headers(url: str) -> HttpRequest:
    """The call to a client's credential API, made when its endpoint answers 401: a POST without a body."""
    base, _, query = url.partition("?")
    return HttpRequest(
        method="POST",
        url=base,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
    )


def read_headers(answer: HttpAnswer | NoAnswer) -> Mapping[str, str] | None:
    """The headers to use from now on, or None if the credential API gave none that can be used."""
    if isinstance(answer, NoAnswer) or answer.status != HTTPStatus.OK or answer.truncated:
        return None
    try:
        pairs = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        return None
    usable = {name: value for name, value in pairs.items() if not _is_ours(name)}
    return usable if usable and check_headers(usable) is None else None


def _is_ours(name: str) -> bool:
    return name.lower() in _OURS or name.lower().startswith(_OUR_FAMILIES)
