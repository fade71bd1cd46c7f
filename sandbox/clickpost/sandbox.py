"""Clickpost as a server: the engine behind HTTP, and threads that post its webhooks."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, override

from sandbox.clickpost.control import control
from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.settings import Settings
from sandbox.client import CallFailedError, call
from sandbox.faults import Answer, Reply
from sandbox.outbox import Webhook
from sandbox.server import Request, SandboxServer

_LABEL: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]>>endobj\n%%EOF"
_LONGEST_WAIT_SECONDS: Final = 60.0


class ClickpostSandbox(AbstractContextManager["ClickpostSandbox"]):
    """A simulated Clickpost on 127.0.0.1.

    `with ClickpostSandbox(webhook_url=…) as clickpost:` listens at `clickpost.base_url`, which stands for
    `https://www.clickpost.in/api`, and shares its behaviour and its truth as `clickpost.engine`.
    Keyword arguments are those of `Settings`. `senders` webhooks are under way at a time: with 1 they leave in order.
    """

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        self.engine = ClickpostEngine(Settings().changed(settings))
        self._server = SandboxServer(self._respond, control(self.engine), port=port, verbose=verbose)
        if "label_base" not in settings:
            self.engine.change({"label_base": f"{self._server.url}/labels"})
        self._wake = threading.Condition()
        self._changes = 0
        self.engine.on_change = self._changed
        self._senders = [threading.Thread(target=self._send_webhooks, name=f"webhooks-{n}") for n in range(senders)]

    @property
    def url(self) -> str:
        """Where it listens; `/sandbox/…` below it is the control API."""
        return self._server.url

    @property
    def base_url(self) -> str:
        """What stands for `https://www.clickpost.in/api`."""
        return self.url + self.engine.settings.base_path

    @property
    def ready(self) -> Mapping[str, str]:
        """What a caller in another process needs to know."""
        return {"partner": "clickpost", "url": self.url, "base_url": self.base_url, "control": f"{self.url}/sandbox"}

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
        if request.method == "GET" and request.path.startswith("/labels/"):
            return Answer(200, {"Content-Type": "application/pdf"}, _LABEL)
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
        engine = self.engine
        times = [engine.late_work_due(), engine.webhook_due() if engine.settings.webhook_url else None]
        due = min((moment for moment in times if moment is not None), default=None)
        if due is None:
            return _LONGEST_WAIT_SECONDS
        return min(max((due - datetime.now(UTC)).total_seconds(), 0.001), _LONGEST_WAIT_SECONDS)

    def _post(self, webhook: Webhook) -> int | None:
        settings = self.engine.settings
        try:
            answer = call(
                "POST",
                settings.webhook_url,
                headers=self.engine.webhook_headers(),
                body=webhook.body,
                seconds=settings.webhook_timeout_seconds,
            )
        except CallFailedError:
            return None
        return answer.status
