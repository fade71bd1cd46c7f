"""Faults on demand: what goes wrong, at which operation, how often, and what the caller then sees.

Pure values: no sockets, no clock. `FaultPlan` decides whether a call meets a fault, `dress` turns the true answer
into what the fault leaves of it, and a server (or a test) acts on the `Reply`.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

ANY_OPERATION: Final = "*"
MAX_PLANNED: Final = 10_000
"""Most calls that may wait for a planned fault, per operation."""

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
NOT_JSON: Final = b"\xff\xfe\x00{]\x80 not json \xc3("
ERROR_PAGE: Final = b"<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"

_TOO_MANY_REQUESTS: Final = 429


class BadFaultError(ValueError):
    """The fault as asked for makes no sense; the text says why."""


# ── what a caller gets ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. It leaves after `after_seconds`; `cut_at` bytes of the body arrive, then the line goes dead."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    after_seconds: float = 0.0
    cut_at: int | None = None


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing comes back: the connection stays silent until the caller gives up, or (`closes`) is dropped at once."""

    did_the_work: bool
    closes: bool = False
    after_seconds: float = 0.0


type Reply = Answer | NoReply

# ── faults of requests ──────────────────────────────────────────────────────────────


class Then(StrEnum):
    """What the caller sees."""

    ANSWERS = "answers"
    """The true answer; with `seconds`, a slow one."""
    HANGS = "hangs"
    """Nothing, for as long as the caller waits."""
    CLOSES = "closes"
    """The connection ends without an answer."""
    STATUS = "status"
    """A bare HTTP status with an error page."""
    GARBAGE = "garbage"
    """HTTP 200 and bytes that are neither JSON nor UTF-8."""
    HTML = "html"
    """HTTP 200 and a web page."""
    EMPTY = "empty"
    """The true status and no body."""
    TRUNCATED = "truncated"
    """The true answer's first half, then the line goes dead."""
    ENORMOUS = "enormous"
    """The true answer behind `size` bytes of white space."""
    REDIRECT = "redirect"
    """HTTP 302 to `location`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a call goes wrong.

    `does_the_work` says whether the call has its effect although the caller cannot tell. With `late_seconds` the
    effect happens that long after the call, which is how a slow partner books a parcel that its client gave up on.
    """

    then: Then
    does_the_work: bool = True
    seconds: float = 0.0
    late_seconds: float | None = None
    status: int = 500
    retry_after: str | None = None
    location: str = "http://127.0.0.1:9/elsewhere"
    size: int = 5_000_000

    def __post_init__(self) -> None:
        """Refuse what no server could do."""
        if self.seconds < 0 or (self.late_seconds is not None and self.late_seconds < 0):
            raise BadFaultError("seconds: must not be negative")
        if not 200 <= self.status <= 599:  # noqa: PLR2004 - the final HTTP statuses
            raise BadFaultError("status: must be a final HTTP status, 200 to 599")
        if not 0 <= self.size <= MAX_ANSWER_BYTES:
            raise BadFaultError(f"size: must be 0 to {MAX_ANSWER_BYTES} bytes")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """A fault from JSON; a 429 does no work unless it says so."""
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        if unknown := values.keys() - known.keys():
            raise BadFaultError(f"{', '.join(sorted(unknown))}: not known")
        if known.get("then") not in {then.value for then in Then}:
            raise BadFaultError(f"then: must be one of {', '.join(Then)}")
        if known.get("status") == _TOO_MANY_REQUESTS:
            known.setdefault("does_the_work", False)
        known["then"] = Then(known["then"])
        if known.get("retry_after") is not None:
            known["retry_after"] = str(known["retry_after"])
        try:
            return cls(**known)
        except TypeError as problem:
            raise BadFaultError(f"a value has the wrong type: {problem}") from problem


def slow(seconds: float) -> Fault:
    """The true answer, `seconds` later."""
    return Fault(Then.ANSWERS, seconds=seconds)


def hangs(*, does_the_work: bool, late_seconds: float | None = None) -> Fault:
    """No answer ever; the work is done at once, later, or not at all."""
    return Fault(Then.HANGS, does_the_work=does_the_work, late_seconds=late_seconds)


def answers_status(status: int, *, does_the_work: bool, retry_after: str | None = None) -> Fault:
    """A bare HTTP status, before or after doing the work."""
    return Fault(Then.STATUS, does_the_work=does_the_work, status=status, retry_after=retry_after)


def dress(fault: Fault, answer: Answer) -> Reply:  # noqa: C901, PLR0911 - one case for each thing a caller can see
    """What the fault leaves of the true answer. Whether the work is done is the partner's to decide before."""
    page = {"Content-Type": "text/html"}
    late = replace(answer, after_seconds=fault.seconds)
    match fault.then:
        case Then.ANSWERS:
            return late
        case Then.HANGS:
            return NoReply(fault.does_the_work)
        case Then.CLOSES:
            return NoReply(fault.does_the_work, closes=True, after_seconds=fault.seconds)
        case Then.STATUS:
            wait = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            return replace(late, status=fault.status, headers=page | wait, body=ERROR_PAGE)
        case Then.GARBAGE:
            return replace(late, status=200, body=NOT_JSON)
        case Then.HTML:
            return replace(late, status=200, headers=page, body=ERROR_PAGE)
        case Then.EMPTY:
            return replace(late, body=b"")
        case Then.TRUNCATED:
            return replace(late, cut_at=len(answer.body) // 2)
        case Then.ENORMOUS:
            return replace(late, body=b" " * fault.size + answer.body)
        case Then.REDIRECT:
            return replace(late, status=302, headers=page | {"Location": fault.location}, body=ERROR_PAGE)


# ── faults of webhooks ──────────────────────────────────────────────────────────────


class WebhookThen(StrEnum):
    """What happens to a webhook on its way."""

    DUPLICATE = "duplicate"
    """It is sent `copies` times."""
    SHUFFLE = "shuffle"
    """It waits until `size` webhooks wait, or `seconds` have passed; then they leave in another order."""
    DELAY = "delay"
    """It leaves `seconds` later."""


@dataclass(frozen=True, slots=True)
class WebhookFault:
    """One way in which a webhook arrives badly."""

    then: WebhookThen
    copies: int = 2
    size: int = 4
    seconds: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what would send nothing or never end."""
        if not 2 <= self.copies <= 100 or not 2 <= self.size <= 1000 or self.seconds < 0:  # noqa: PLR2004 - stated below
            raise BadFaultError("copies: 2 to 100; size: 2 to 1000; seconds: at least 0")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """A webhook fault from JSON."""
        if unknown := values.keys() - cls.__dataclass_fields__.keys():
            raise BadFaultError(f"{', '.join(sorted(unknown))}: not known")
        if values.get("then") not in {then.value for then in WebhookThen}:
            raise BadFaultError(f"then: must be one of {', '.join(WebhookThen)}")
        try:
            return cls(**{**values, "then": WebhookThen(values["then"])})
        except TypeError as problem:
            raise BadFaultError(f"a value has the wrong type: {problem}") from problem


# ── when ────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class FaultPlan[F: (Fault, WebhookFault)]:
    """Which coming calls meet which fault: first those planned for the next calls, then those left to chance.

    The same seed and the same calls meet the same faults.
    """

    seed: int = 0
    _next: dict[str, deque[F]] = field(default_factory=dict)
    _chance: dict[str, tuple[F, float]] = field(default_factory=dict)
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Start the dice at the seed."""
        self._dice = random.Random(self.seed)  # noqa: S311 - picks faults, keeps no secret

    def next(self, operation: str, fault: F, times: int = 1) -> None:
        """The next `times` calls of the operation meet this fault, after those already planned."""
        waiting = self._next.setdefault(operation, deque())
        if not 1 <= times <= MAX_PLANNED - len(waiting):
            raise BadFaultError(f"times: 1 to {MAX_PLANNED} in all")
        waiting.extend([fault] * times)

    def sometimes(self, operation: str, fault: F, probability: float) -> None:
        """Each call of the operation meets this fault with the probability, until `clear`."""
        if not 0 <= probability <= 1:
            raise BadFaultError("probability: must be 0 to 1")
        self._chance[operation] = (fault, probability)

    def take(self, operation: str) -> F | None:
        """The fault for a call that is being made now, or None."""
        for name in (operation, ANY_OPERATION):
            if waiting := self._next.get(name):
                return waiting.popleft()
        for name in (operation, ANY_OPERATION):
            if name in self._chance:
                fault, probability = self._chance[name]
                if self._dice.random() < probability:
                    return fault
        return None

    def clear(self) -> None:
        """No more faults, and the dice start at the seed again."""
        self._next.clear()
        self._chance.clear()
        self._dice.seed(self.seed)

    def describe(self) -> list[dict[str, Any]]:
        """What is planned, as JSON."""
        planned = [
            {"operation": name, "waiting": len(faults), "first": asdict(faults[0])}
            for name, faults in self._next.items()
            if faults
        ]
        chances = [
            {"operation": name, "probability": probability, "fault": asdict(fault)}
            for name, (fault, probability) in self._chance.items()
        ]
        return planned + chances


def plan_fault[F: (Fault, WebhookFault)](
    plan: FaultPlan[F], operation: str, values: Mapping[str, Any], read: Callable[[Mapping[str, Any]], F]
) -> None:
    """Plan a fault from JSON: `times` calls that come next, or each call with a `probability`."""
    rest = {name: value for name, value in values.items() if name not in {"times", "probability"}}
    if values.get("probability") is None:
        plan.next(operation, read(rest), int(values.get("times", 1)))
    else:
        plan.sometimes(operation, read(rest), float(values["probability"]))
