"""What the three Lambda wrappers share: reading an API Gateway event, one log line in and one out, a clean end."""

import base64
import binascii
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Final

from rms.platform.errors import TooLargeError
from rms.platform.observability import correlated, logger, publish_counts

MAX_BODY: Final = 256 * 1024
"""Largest body of any request, in bytes."""

type Event = Mapping[str, Any]


def body_of(event: Event) -> bytes:
    """The body, byte for byte; empty when there is none.

    Raises:
        TooLargeError: over MAX_BODY.
    """
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    else:
        raw = body.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BODY:
        raise TooLargeError(f"A body may have at most {MAX_BODY // 1024} KB")
    return raw


def header(event: Event, name: str) -> str | None:
    """A header by its name in any case; the first, where it is repeated."""
    for given, value in (event.get("headers") or {}).items():
        if given.lower() == name and isinstance(value, str):
            return value
    return None


@contextmanager
def observed(what: str, correlation: str | None) -> Iterator[dict[str, Any]]:
    """One log line at the end of an invocation, with its time; the metrics counted meanwhile go out with it."""
    try:
        with logged(what, correlation) as keys:
            yield keys
    finally:
        publish_counts()


@contextmanager
def logged(what: str, correlation: str | None) -> Iterator[dict[str, Any]]:
    """One log line at the end of a piece of work, with its time; threads may each be at a piece of their own."""
    started = perf_counter()
    keys: dict[str, Any] = {}
    with correlated(correlation):
        try:
            yield keys
        finally:
            logger.info(what, elapsed_ms=round((perf_counter() - started) * 1000), **keys)


def at_init(build: Callable[[], object]) -> None:
    """Do it now when Lambda is initialising, while start-up has its full share of CPU; elsewhere leave it for later."""
    if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        build()
