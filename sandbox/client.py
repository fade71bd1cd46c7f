"""A small HTTP caller on the standard library: partners send webhooks with it, demos and tests steer partners."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024


class CallFailedError(Exception):
    """No answer came, or (from `SandboxClient`) one that is not a success."""


@dataclass(frozen=True, slots=True)
class Received:
    """An HTTP answer that came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, seconds: float = 10.0
) -> Received:
    """One HTTP call: no redirects followed, no proxy, one time limit for each wait.

    Raises:
        CallFailedError: when no answer came.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=seconds)) as connection:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            received = answer.read(_MAX_ANSWER_BYTES)
            whole = not answer.length or len(received) == _MAX_ANSWER_BYTES
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise CallFailedError(f"{method} {parts.path}: {type(problem).__name__}") from problem
    if not whole:
        raise CallFailedError(f"{method} {parts.path}: the body broke off")
    return Received(answer.status, dict(answer.headers.items()), received)


class SandboxClient:
    """Steers a partner that runs in another process, through its control API."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str) -> Any:
        """The JSON at `/sandbox/<path>`."""
        return self._call("GET", path, None)

    def post(self, path: str, values: Mapping[str, Any] | None = None) -> Any:
        """What `/sandbox/<path>` answers to these values."""
        return self._call("POST", path, json.dumps(values or {}).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        answer = call(method, f"{self.url}/sandbox/{path}", headers=headers, body=body)
        if answer.status != 200:  # noqa: PLR2004 - the control API's only success
            raise CallFailedError(f"{method} /sandbox/{path}: {answer.status} {answer.body.decode(errors='replace')}")
        return json.loads(answer.body)
