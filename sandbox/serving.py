"""A simulated aggregator as a server: an engine behind HTTP, and threads that post its webhooks."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self, override

from sandbox.client import CallFailedError, call
from sandbox.faults import Reply
from sandbox.labels import LABEL_BASE
from sandbox.outbox import Webhook
from sandbox.server import Control, Request, SandboxServer

_LONGEST_WAIT_SECONDS: Final = 60.0


class Settings(Protocol):
    """What serving needs of an engine's settings."""

    @property
    def base_path(self) -> str:
        """What stands for the path of the live system's base URL."""

    @property
    def label_base(self) -> str:
        """Where labels stand."""

    @property
    def webhook_url(self) -> str:
        """Where webhooks go; empty: they wait."""

    @property
    def webhook_timeout_seconds(self) -> float:
        """How long an answer to one may take."""


class Engine(Protocol):
    """What serving needs of an engine."""

    on_change: Callable[[], None]

    @property
    def settings(self) -> Settings:
        """Its settings as they are now."""

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings by name."""

    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The reply to one call."""

    def run_due(self) -> None:
        """Do the late work whose time has come."""

    def next_due(self) -> datetime | None:
        """When late work or a webhook that has somewhere to go is due, or None."""

    def claim_webhook(self) -> Webhook | None:
        """The webhook to post now, or None."""

    def webhook_answered(self, webhook: Webhook, status: int | None) -> None:
        """What came of posting it."""

    def headers_of(self, webhook: Webhook) -> dict[str, str]:
        """The headers it is posted with."""


class AggregatorSandbox[E: Engine](AbstractContextManager["AggregatorSandbox[E]"]):
    """A simulated aggregator on 127.0.0.1: an engine behind HTTP, and threads that post its webhooks.

    `senders` webhooks are under way at a time: with 1 they leave in order.
    """

    partner: str

    def __init__(self, engine: E, control: Control, *, port: int = 0, verbose: bool = False, senders: int = 1) -> None:
        self.engine = engine
        self._server = SandboxServer(self._respond, control, port=port, verbose=verbose)
        if engine.settings.label_base == LABEL_BASE:
            engine.change({"label_base": f"{self._server.url}/labels"})
        self._wake = threading.Condition()
        self._changes = 0
        engine.on_change = self._changed
        self._senders = [threading.Thread(target=self._send_webhooks, name=f"webhooks-{n}") for n in range(senders)]

    @property
    def url(self) -> str:
        """Where it listens; `/sandbox/…` below it is the control API."""
        return self._server.url

    @property
    def base_url(self) -> str:
        """What stands for the live system's base URL."""
        return self.url + self.engine.settings.base_path

    @property
    def ready(self) -> Mapping[str, str]:
        """What a caller in another process needs to know."""
        return {"partner": self.partner, "url": self.url, "base_url": self.base_url, "control": f"{self.url}/sandbox"}

    @override
    def __enter__(self) -> Self:
        self._server.start()
        for sender in self._senders:
            sender.start()
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._changed()
        for sender in self._senders:
            sender.join()
        self._server.close()

    def _respond(self, request: Request) -> Reply:
        return self.engine.handle(request.method, request.path, request.query, request.headers, request.body)

    def _changed(self) -> None:
        with self._wake:
            self._changes += 1
            self._wake.notify_all()

    def _send_webhooks(self) -> None:
        while not self._server.closing.is_set():
            with self._wake:
                seen = self._changes
            self.engine.run_due()
            webhook = self.engine.claim_webhook() if self.engine.settings.webhook_url else None
            if webhook is not None:
                self.engine.webhook_answered(webhook, self._post(webhook))
                continue
            with self._wake:
                if self._changes == seen and not self._server.closing.is_set():
                    self._wake.wait(self._until_due())

    def _until_due(self) -> float:
        due = self.engine.next_due()
        if due is None:
            return _LONGEST_WAIT_SECONDS
        return min(max((due - datetime.now(UTC)).total_seconds(), 0.001), _LONGEST_WAIT_SECONDS)

    def _post(self, webhook: Webhook) -> int | None:
        settings = self.engine.settings
        try:
            answer = call(
                "POST",
                settings.webhook_url,
                headers=self.engine.headers_of(webhook),
                body=webhook.body,
                seconds=settings.webhook_timeout_seconds,
            )
        except CallFailedError:
            return None
        return answer.status
