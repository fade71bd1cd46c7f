"""Systems that RMS posts to, as servers: the control API and the command line that ERP and warehouse share."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self, override

from sandbox.faults import Reply, plan_fault
from sandbox.inbox import CREDENTIALS, Inbox
from sandbox.receiver.engine import read_fault
from sandbox.server import Request, SandboxServer, newest, routes, serve_until_stopped

type Values = Mapping[str, Any]


class InboxSandbox[E: Inbox](AbstractContextManager["InboxSandbox[E]"]):
    """A system on 127.0.0.1 that RMS posts to at `inbox`; `control_calls` are those of its own."""

    NAME: ClassVar[str]

    def __init__(
        self, engine: E, control_calls: Mapping[str, Callable[..., Any]], *, port: int = 0, verbose: bool = False
    ) -> None:
        self.engine = engine
        control = routes({**_shared(engine), **control_calls})
        self._server = SandboxServer(self._respond, control, port=port, verbose=verbose)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    @property
    def inbox(self) -> str:
        """The URL to post to."""
        return self.url + self.engine.PATH

    @property
    def ready(self) -> Mapping[str, str]:
        """What a caller in another process needs to know."""
        return {
            "partner": self.NAME,
            "url": self.url,
            "inbox": self.inbox,
            "credentials": self.url + CREDENTIALS,
            "control": f"{self.url}/sandbox",
        }

    @override
    def __enter__(self) -> Self:
        self._server.start()
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def _respond(self, request: Request) -> Reply:
        return self.engine.handle(request.method, request.path, request.query, request.headers, request.body)


def serve(sandbox: Callable[..., InboxSandbox[Any]], name: str, description: str) -> None:
    """Serve with what the command line says, until stopped; print one JSON line with the URLs when ready."""
    parser = argparse.ArgumentParser(prog=f"python -m sandbox.{name}", description=description)
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--secret", action="append", default=[], metavar="whsec_…", help="check signatures")
    parser.add_argument("--expect-header", action="append", default=[], metavar="NAME=VALUE", help="else 401")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with sandbox(port=given.port, verbose=given.verbose) as partner:
        expected = dict(header.split("=", 1) for header in given.expect_header)
        partner.engine.set_proof(secrets=tuple(given.secret), expected_headers=expected)
        serve_until_stopped(partner.ready)


def _shared(engine: Inbox) -> dict[str, Callable[..., Any]]:
    return {
        "GET state": lambda _: engine.state(),
        "GET calls": lambda values: [call.describe() for call in newest(engine.calls(), values)],
        "GET violations": lambda values: newest(engine.violations(), values),
        "GET faults": lambda _: engine.state()["faults"],
        "POST proof": lambda values: _set_proof(engine, values),
        "POST faults": lambda values: plan_fault(engine.faults, engine.OPERATION, values, read_fault),
        "POST faults/clear": lambda _: engine.clear_faults(),
        "POST reset": lambda _: engine.reset(),
    }


def _set_proof(engine: Inbox, values: Values) -> None:
    if unknown := values.keys() - {"secrets", "expected_headers"}:
        raise ValueError(f"{', '.join(sorted(unknown))}: not known")
    secrets = values.get("secrets")
    engine.set_proof(
        secrets=None if secrets is None else tuple(str(secret) for secret in secrets),
        expected_headers=values.get("expected_headers"),
    )
