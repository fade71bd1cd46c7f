"""Values of the outbound HTTP port: requests that adapters and sinks build, answers that they read. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

MAX_ANSWER: Final = 64 * 1024
"""Longest answer body that is read unless a request wants more, in bytes."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One outbound call.

    `url` carries no query: `query` holds it, apart, because partners put secrets there and logs show `url`.
    Times are seconds. `trusted` marks a base URL that an operator configured (an aggregator); an endpoint
    URL that a client typed is never trusted and is checked against the deny list of addresses. Of the answer's body
    `most_bytes` are read at most.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    connect_seconds: float = 3.0
    total_seconds: float = 10.0
    trusted: bool = False
    most_bytes: int = MAX_ANSWER


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that came: header names in lower case, body capped (`truncated` says so), time in milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came. `sent` False: the request certainly never left; True: the other side may have acted on it."""

    reason: str
    sent: bool
    elapsed_ms: int


class Http(Protocol):
    """Sends one request, follows no redirect, uses no proxy, never raises for what the other side does."""

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        """The answer, or why there is none."""

    def problem_with(self, url: str) -> str | None:
        """What is wrong with a URL that a client typed, or with where its host leads today; None if it may be dialled.

        Sends nothing, but looks the host up.
        """
