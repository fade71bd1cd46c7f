"""The composition root: builds the core from the environment, once, when the first invocation (or Lambda's init) asks.

The only place that reads the environment and opens clients.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from rms.core import Core
from rms.platform.http import Http, HttpAnswer, HttpRequest, NoAnswer
from rms.platform.settings import Settings

AT_ONCE: Final = 10
"""How many messages of a batch are worked at the same time, by the workers that do: as many as a batch has, and as
many as AWS's clients and a line to an endpoint keep connections."""

_built: list[Core] = []
"""The core of this environment, once it is built. Tests put their own in."""

_building: Final = Lock()


def core() -> Core:
    """The core of this environment.

    Raises:
        BadSettingsError: the environment lacks something.
    """
    with _building:
        if not _built:
            _built.append(_build())
        return _built[0]


@contextmanager
def using(other: Core) -> Iterator[None]:
    """Let the functions run on another core for a while: how tests call the real handlers."""
    before, _built[:] = list(_built), [other]
    try:
        yield
    finally:
        _built[:] = before


def _build() -> Core:
    from rms.platform.dynamodb import open_table  # noqa: PLC0415 - nothing loads an AWS client before it is asked for
    from rms.platform.kms import open_secrets  # noqa: PLC0415 - as above
    from rms.platform.s3 import open_files  # noqa: PLC0415 - as above
    from rms.platform.sqs import open_queues  # noqa: PLC0415 - as above

    settings = Settings.read(os.environ)
    return Core.on(
        table=open_table(settings.table),
        queues=open_queues(
            {
                "inbound": settings.inbound_queue,
                "bookings": settings.bookings_queue,
                "deliveries": settings.deliveries_queue,
            }
        ),
        secrets=open_secrets(settings.secrets_key),
        files=open_files(settings.labels),
        http=_OutboundWhenNeeded(allow_loopback=settings.local),
        clock=lambda: datetime.now(UTC),
        fences=lambda: secrets.token_hex(12),
        local=settings.local,
        silence=settings.silence,
        at_once=AT_ONCE,
    )


class _OutboundWhenNeeded:
    """The Http port, whose library is loaded by the first call: most functions never call anybody."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._http: Http | None = None
        self._opening = Lock()

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        """The answer, or why there is none."""
        return self._outbound().send(request)

    def problem_with(self, url: str) -> str | None:
        """What is wrong with a URL that a client typed, or with where its host leads today."""
        return self._outbound().problem_with(url)

    def _outbound(self) -> Http:
        with self._opening:
            if self._http is None:
                from rms.platform.outbound import Outbound  # noqa: PLC0415 - see the class

                self._http = Outbound(allow_loopback=self._allow_loopback)
            return self._http
