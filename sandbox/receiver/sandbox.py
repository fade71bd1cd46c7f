"""A client's endpoints as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, override

from sandbox.faults import ANY_OPERATION, Reply, plan_fault
from sandbox.receiver.engine import CREDENTIALS, HOOKS, LABEL_SOURCE, ReceiverEngine, read_fault
from sandbox.server import Control, Request, SandboxServer, newest, routes

type Values = Mapping[str, Any]


class ReceiverSandbox(AbstractContextManager["ReceiverSandbox"]):
    """A client's server on 127.0.0.1: `with ReceiverSandbox() as client:`, notifications to `client.hook("shop")`."""

    def __init__(self, *, port: int = 0, verbose: bool = False, keeps: int = 10_000, seed: int = 1) -> None:
        self.engine = ReceiverEngine(keeps=keeps, seed=seed)
        self._server = SandboxServer(self._respond, control(self.engine), port=port, verbose=verbose)
        self.engine.label_base = f"{self._server.url}/labels"

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    @property
    def ready(self) -> Mapping[str, str]:
        """What a caller in another process needs to know."""
        return {
            "partner": "receiver",
            "url": self.url,
            "hooks": self.url + HOOKS,
            "label_source": self.url + LABEL_SOURCE,
            "control": f"{self.url}/sandbox",
        }

    def hook(self, name: str) -> str:
        """The URL of an endpoint; any name will do."""
        return f"{self.url}{HOOKS}{name}"

    def credentials(self, name: str) -> str:
        """The URL of an endpoint's Get Credential call."""
        return f"{self.url}{CREDENTIALS}{name}"

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


def control(engine: ReceiverEngine) -> Control:
    """The control API of one receiver."""
    return routes(
        {
            "GET state": lambda _: engine.state(),
            "GET deliveries": lambda values: _deliveries(engine, values),
            "GET returns": lambda values: newest(engine.describe_returns(), values),
            "GET returns/*": lambda code, _: [row for row in engine.describe_returns() if row["about"] == code],
            "GET violations": lambda values: newest(engine.violations(), values),
            "GET faults": lambda _: engine.state()["faults"],
            "POST reset": lambda _: engine.reset(),
            "POST endpoints/*": lambda name, values: _set_endpoint(engine, name, values),
            "POST faults": lambda values: _plan(engine, dict(values)),
            "POST faults/clear": lambda _: engine.clear_faults(),
        }
    )


def _deliveries(engine: ReceiverEngine, values: Values) -> list[Any]:
    return [delivery.describe() for delivery in newest(engine.deliveries(values.get("endpoint")), values)]


def _set_endpoint(engine: ReceiverEngine, name: str, values: Values) -> None:
    if unknown := values.keys() - {"secrets", "expected_headers", "inline_labels"}:
        raise ValueError(f"{', '.join(sorted(unknown))}: not known")
    secrets = values.get("secrets")
    engine.set_endpoint(
        name,
        secrets=None if secrets is None else tuple(str(secret) for secret in secrets),
        expected_headers=values.get("expected_headers"),
        inline_labels=values.get("inline_labels"),
    )


def _plan(engine: ReceiverEngine, values: dict[str, Any]) -> None:
    plan_fault(engine.faults, values.pop("endpoint", ANY_OPERATION), values, read_fault)
