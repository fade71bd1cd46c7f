"""Webhooks that a simulated partner owes: sent until answered 200, late, twice or in another order on demand.

Pure: the time is an argument and sending is the caller's. `claim` hands one out, `answered` takes the result back.
"""

import heapq
import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.faults import FaultPlan, WebhookFault, WebhookThen

OPERATION: Final = "webhook"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending; `status` None when no answer came."""

    at: datetime
    status: int | None


@dataclass(slots=True)
class Webhook:
    """One webhook to send. `about` says what it reports; the body is built when it first leaves."""

    number: int
    about: Mapping[str, Any]
    build: Callable[[], Mapping[str, Any]] = field(repr=False)
    body: bytes = b""
    attempts: list[Attempt] = field(default_factory=list)
    state: str = "WAITING"

    def describe(self) -> dict[str, Any]:
        """The webhook as JSON, with the answers it got."""
        return {
            "number": self.number,
            **self.about,
            "state": self.state,
            "body": json.loads(self.body) if self.body else None,
            "attempts": [{"at": attempt.at.isoformat(), "status": attempt.status} for attempt in self.attempts],
        }


@dataclass(slots=True)
class Outbox:
    """Webhooks in the order in which they are due.

    At most `keeps` are remembered, waiting ones included; the oldest are forgotten first and counted.
    Not thread-safe: its owner holds the lock.
    """

    plan: FaultPlan[WebhookFault]
    keeps: int
    seed: int = 0
    forgotten: int = 0
    _count: int = 0
    _pushed: int = 0
    _known: deque[Webhook] = field(default_factory=deque)
    _under_way: dict[int, Webhook] = field(default_factory=dict)
    _due: list[tuple[datetime, int, Webhook]] = field(default_factory=list)
    _shuffling: list[Webhook] = field(default_factory=list)
    _shuffle: tuple[WebhookFault, datetime] | None = None
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Start the dice at the seed."""
        self._dice = random.Random(self.seed)  # noqa: S311 - orders webhooks, keeps no secret

    def add(self, about: Mapping[str, Any], build: Callable[[], Mapping[str, Any]], now: datetime) -> None:
        """Owe a webhook from now on; a planned fault may delay, double or shuffle it."""
        if self._shuffle is not None:
            self._hold(self._new(about, build), now)
            return
        match self.plan.take(OPERATION):
            case WebhookFault(then=WebhookThen.DUPLICATE, copies=copies):
                for _ in range(copies):
                    self._schedule(self._new(about, build), now)
            case WebhookFault(then=WebhookThen.DELAY, seconds=seconds):
                self._schedule(self._new(about, build), now + timedelta(seconds=seconds))
            case WebhookFault(then=WebhookThen.SHUFFLE) as fault:
                self._shuffle = (fault, now + timedelta(seconds=fault.seconds))
                self._hold(self._new(about, build), now)
            case _:
                self._schedule(self._new(about, build), now)

    def claim(self, now: datetime) -> Webhook | None:
        """The next webhook that is due, for the caller to send; None when none is."""
        if self._shuffle is not None and self._shuffle[1] <= now:
            self.flush(now)
        while self._due and self._due[0][0] <= now:
            webhook = heapq.heappop(self._due)[2]
            if webhook.state == "FORGOTTEN":
                continue
            if not webhook.body:
                webhook.body = json.dumps(webhook.build()).encode()
            webhook.state = "SENDING"
            self._under_way[webhook.number] = webhook
            return webhook
        return None

    def answered(
        self, webhook: Webhook, status: int | None, now: datetime, *, tries: int, spacing_seconds: float
    ) -> None:
        """Take back the result. Anything but exactly 200 is sent again, `tries` times in all."""
        webhook.attempts.append(Attempt(now, status))
        if self._under_way.pop(webhook.number, None) is not webhook or webhook.state == "FORGOTTEN":
            return  # it was claimed before a reset, or is no longer remembered
        if status == _OK:
            webhook.state = "TAKEN"
        elif len(webhook.attempts) >= tries:
            webhook.state = "GIVEN_UP"
        else:
            self._schedule(webhook, now + timedelta(seconds=spacing_seconds))

    def flush(self, now: datetime) -> None:
        """Release what waits to be shuffled, in another order than it came."""
        held, self._shuffling, self._shuffle = self._shuffling, [], None
        order = list(held)
        self._dice.shuffle(order)
        if order == held:
            order = order[1:] + order[:1]
        for webhook in order:
            self._schedule(webhook, now)

    def resend(self, number: int, now: datetime) -> bool:
        """Send a webhook once more as a new one with the same body, as Clickpost's users can; False: not known."""
        for webhook in self._known:
            if webhook.number == number and webhook.body:
                again = self._new(webhook.about, webhook.build)
                again.body = webhook.body
                self._schedule(again, now)
                return True
        return False

    @property
    def waiting(self) -> int:
        """How many are still to be sent or being sent."""
        return sum(webhook.state in {"WAITING", "SENDING"} for webhook in self._known)

    def next_due(self) -> datetime | None:
        """When something will be due, or None."""
        times = [self._due[0][0]] if self._due else []
        if self._shuffle is not None:
            times.append(self._shuffle[1])
        return min(times, default=None)

    def describe(self) -> list[dict[str, Any]]:
        """All remembered webhooks as JSON, oldest first."""
        return [webhook.describe() for webhook in self._known]

    def _new(self, about: Mapping[str, Any], build: Callable[[], Mapping[str, Any]]) -> Webhook:
        self._count += 1
        webhook = Webhook(self._count, about, build)
        self._known.append(webhook)
        if len(self._known) > self.keeps:
            oldest = self._known.popleft()
            if oldest.state in {"WAITING", "SENDING"}:
                oldest.state = "FORGOTTEN"
                self.forgotten += 1
        return webhook

    def _schedule(self, webhook: Webhook, due: datetime) -> None:
        webhook.state = "WAITING"
        self._pushed += 1
        heapq.heappush(self._due, (due, self._pushed, webhook))

    def _hold(self, webhook: Webhook, now: datetime) -> None:
        self._shuffling.append(webhook)
        if self._shuffle is not None and len(self._shuffling) >= self._shuffle[0].size:
            self.flush(now)
