"""A system that RMS posts to, without sockets: proof checked, every call recorded, faults on demand.

What it makes of a body is its own: see `sandbox.erp`, `sandbox.wms` and `sandbox.channel`.
Source: RMS API contract, sections 1.2 and 1.5.
"""

import hashlib
import json
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.faults import Answer, Fault, FaultPlan, Reply, dress
from sandbox.signatures import Verification, verify

type Json = dict[str, Any]

CREDENTIALS: Final = "/credentials"
JSON_TYPE: Final = {"Content-Type": "application/json"}
_KEPT_BODY_BYTES: Final = 64 * 1024
_REFUSED: Final = {Verification.UNSIGNED, Verification.STALE, Verification.WRONG}


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came. `taken`: it had its effect, whatever was then answered.

    `seen_before` says that its webhook-id came before. `answered` is the HTTP status, None when nothing was answered.
    `violations` are RMS's breaches of its contract.
    """

    number: int
    at: datetime
    headers: Mapping[str, str]
    body: str
    webhook_id: str
    about: str
    verification: Verification
    seen_before: bool
    taken: bool = False
    answered: int | None = None
    fault: str | None = None
    violations: tuple[str, ...] = ()

    def describe(self) -> Json:
        """The call as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


class Inbox(ABC):
    """One URL that takes posts. Thread-safe; at most `keeps` of anything are remembered, the oldest go first.

    `POST /credentials` is the client's Get Credential call: it answers the headers that are expected now.
    """

    PATH: str
    METHOD = "POST"
    OPERATION: str

    def __init__(self, *, keeps: int = 10_000, seed: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        self.keeps = keeps
        self.clock = clock or (lambda: datetime.now(UTC))
        self.faults: FaultPlan[Fault] = FaultPlan(seed)
        self.lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._expected_headers: dict[str, str] = {}
        self._start()

    def _start(self) -> None:
        self._calls: deque[Call] = deque(maxlen=self.keeps)
        self._violations: deque[Json] = deque(maxlen=self.keeps)
        self._ids: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self._count = 0
        self._violation_count = 0
        self._credential_calls = 0
        self.faults.clear()
        self.forget()

    def reset(self) -> None:
        """Forget everything but what it checks with."""
        with self.lock:
            self._start()

    def set_proof(
        self, *, secrets: tuple[str, ...] | None = None, expected_headers: Mapping[str, str] | None = None
    ) -> None:
        """Set what callers must prove: a signature under one of the secrets, static headers. None: as it is."""
        for secret in secrets or ():
            verify((secret,), {}, b"", self.clock())
        with self.lock:
            self._secrets = self._secrets if secrets is None else secrets
            self._expected_headers = self._expected_headers if expected_headers is None else dict(expected_headers)

    def fail(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls go wrong."""
        with self.lock:
            self.faults.next(self.OPERATION, fault, times)

    def clear_faults(self) -> None:
        """Let everything go right again."""
        with self.lock:
            self.faults.clear()

    # ── what each system makes of it ────────────────────────────────────────────────

    @abstractmethod
    def forget(self) -> None:
        """Start anew; the lock is held."""

    @abstractmethod
    def take(self, document: Json, body: bytes, *, repeat: bool) -> tuple[Answer, tuple[str, ...]]:
        """Let a body have its effect: the true answer, and what RMS did wrong. The lock is held.

        `repeat` says that a call of the same webhook-id had its effect before.
        """

    @abstractmethod
    def would_answer(self) -> Answer:
        """What a caller sees of a call that is answered and has no effect."""

    # ── what RMS calls ──────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The reply to one call; header names are in lower case, the query is of no matter."""
        del query
        with self.lock:
            if method == "POST" and path == CREDENTIALS:
                self._credential_calls += 1
                return Answer(200, JSON_TYPE, json.dumps(self._expected_headers).encode())
            if path != self.PATH:
                return Answer(404, JSON_TYPE, b"{}")
            if method != self.METHOD:
                return Answer(405, JSON_TYPE, b"{}")
            return self._receive(headers, body)

    def _receive(self, headers: Mapping[str, str], body: bytes) -> Reply:
        document = json_object(body)
        call = self._read(document, headers, body)
        fault = self.faults.take(self.OPERATION)
        violations: tuple[str, ...] = ()
        taken = False
        if any(headers.get(name.lower()) != value for name, value in self._expected_headers.items()):
            answer = Answer(401, JSON_TYPE, b'{"error":"unauthorized"}')
        elif call.verification in _REFUSED:
            answer, violations = Answer(400, JSON_TYPE, b'{"error":"signature"}'), (str(call.verification),)
        else:
            first, before = self._ids.get(call.webhook_id, (_digest(body), False))
            if first != _digest(body):
                violations = ("same webhook-id, other body",)
            taken = fault is None or fault.does_the_work
            answer, more = self.take(document, body, repeat=before) if taken else (self.would_answer(), ())
            violations += more
            self._remember(call.webhook_id, first, taken=before or taken)
        reply: Reply = answer if fault is None else dress(fault, answer)
        answered = reply.status if isinstance(reply, Answer) else None
        name = str(fault.then) if fault else None
        self._keep(replace(call, taken=taken, answered=answered, fault=name, violations=violations))
        return reply

    def _read(self, document: Json, headers: Mapping[str, str], body: bytes) -> Call:
        self._count += 1
        now = self.clock()
        webhook_id = headers.get("webhook-id", "")
        return Call(
            number=self._count,
            at=now,
            headers=dict(headers),
            body=body[:_KEPT_BODY_BYTES].decode(errors="replace"),
            webhook_id=webhook_id,
            about=str(document.get("returnOrderCode", "")),
            verification=verify(self._secrets, headers, body, now),
            seen_before=webhook_id in self._ids,
        )

    def _remember(self, webhook_id: str, digest: str, *, taken: bool) -> None:
        if webhook_id:
            self._ids[webhook_id] = (digest, taken)
            shorten(self._ids, self.keeps)

    def _keep(self, call: Call) -> None:
        self._calls.append(call)
        for kind in call.violations:
            self._violation_count += 1
            self._violations.append({"kind": kind, "number": call.number, "about": call.about})

    # ── the truth ───────────────────────────────────────────────────────────────────

    def calls(self) -> list[Call]:
        """The calls remembered, oldest first."""
        with self.lock:
            return list(self._calls)

    def violations(self) -> list[Json]:
        """What RMS did wrong, oldest first."""
        with self.lock:
            return list(self._violations)

    def state(self) -> Json:
        """A few counts."""
        with self.lock:
            return {
                "calls": self._count,
                "violations": self._violation_count,
                "credential_calls": self._credential_calls,
                "secrets": len(self._secrets),
                "expected_headers": sorted(self._expected_headers),
                "faults": self.faults.describe(),
            }


def json_object(body: bytes) -> Json:
    """The JSON object in a body; empty when there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def shorten(kept: OrderedDict[Any, Any], most: int) -> None:
    """Forget the oldest, so that at most so many are left."""
    while len(kept) > most:
        kept.popitem(last=False)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
