"""Endpoints of clients in virtual time: how they answer, and what came to them when."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.fakes.http import Answer, answer
from tests.simulations.timeline import Timeline

TIME_OUT: Final = 10.0

type Behaviour = Callable[[float], tuple[float, Answer]]
"""From the time at which a request comes to how many seconds later it is answered, and what."""


@dataclass(frozen=True, slots=True)
class Try:
    """One request that came to an endpoint. `beside` is how many were in flight then, this one included."""

    at: float
    ended: float
    id: str
    code: str
    body: Any
    taken: bool
    beside: int

    @property
    def sequence(self) -> int:
        """The event's place in the journal of its return."""
        return int(self.body["sequence"])


@dataclass(slots=True)
class SimulatedEndpoint:
    """A receiver. `tries` are in the order in which they ended, `started` holds when each began, in order.

    Returns in `refused` are answered 400, however it behaves otherwise.
    """

    timeline: Timeline
    behave: Behaviour
    refused: frozenset[str] = frozenset()
    tries: list[Try] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    in_flight: int = 0

    def receive(self, request: HttpRequest) -> Answer:
        """Take a request in, answer it in time."""
        at = self.timeline.seconds
        self.started.append(at)
        self.in_flight += 1
        beside = self.in_flight
        body = json.loads(request.body or b"{}")
        code = (body.get("returnOrderInfo") or {}).get("returnOrderId", "")
        seconds, reply = self.behave(at) if code not in self.refused else (0.1, answer(400))
        try:
            self.timeline.wait(seconds)
        finally:
            self.in_flight -= 1
        reply = replace(reply, elapsed_ms=round((self.timeline.seconds - at) * 1000))
        taken = isinstance(reply, HttpAnswer) and reply.status // 100 == 2
        identity = request.headers.get("webhook-id", "")
        self.tries.append(Try(at, self.timeline.seconds, identity, code, body, taken, beside))
        return reply

    @property
    def ends(self) -> list[float]:
        """When each try ended, in order."""
        return [each.ended for each in self.tries]

    @property
    def taken(self) -> list[Try]:
        """The tries that were taken, in order."""
        return [each for each in self.tries if each.taken]

    def most_beside(self, since: float = 0.0, until: float = float("inf")) -> int:
        """The most that were in flight at once, counting from there to there."""
        return max((each.beside for each in self.tries if since <= each.at < until), default=0)

    def starts(self, since: float, until: float) -> int:
        """How many connections were made from there to there."""
        return sum(since <= at < until for at in self.started)


def answers_well(seed: int = 0, least: float = 0.05, most: float = 0.2) -> Behaviour:
    """200, after a while that varies."""
    chance = random.Random(seed)  # noqa: S311 - a seeded duration, no secret
    return lambda _: (chance.uniform(least, most), answer(200))


def answers(reply: Answer, seconds: float = 0.1) -> Behaviour:
    """The same to everything."""
    return lambda _: (seconds, reply)


def hangs(_: float) -> tuple[float, Answer]:
    """Takes the connection and says nothing, until RMS gives up."""
    return TIME_OUT, NoAnswer("no answer in 10 s", sent=True, elapsed_ms=int(TIME_OUT * 1000))


def refuses_connections(_: float) -> tuple[float, Answer]:
    """Nobody listens there."""
    return 0.002, NoAnswer("connection refused", sent=False, elapsed_ms=2)


def until(moment: float, before: Behaviour, after: Behaviour) -> Behaviour:
    """One behaviour up to a moment, another from then on."""
    return lambda now: (before if now < moment else after)(now)


def in_order(taken: Sequence[Try]) -> bool:
    """Whether every return was told in order, and nothing twice."""
    last: dict[str, int] = {}
    for each in taken:
        if each.sequence <= last.get(each.code, 0):
            return False
        last[each.code] = each.sequence
    return True
