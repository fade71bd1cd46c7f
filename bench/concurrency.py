"""What working the messages of a batch at the same time gains, where each waits for somebody else's server.

One event for all the endpoints that a client may have, each of which takes 200 ms to answer: in one invocation of
`deliver_notifications`, and in as many invocations in series. Time really passes here.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.installations import Installation, quiet
from rms.clients.endpoints import MAX_ENDPOINTS
from rms.composition import AT_ONCE
from rms.core import Core
from rms.platform.http import HttpAnswer, HttpRequest
from tests.builders import a_channel_booked_body
from tests.fakes.http import answer
from tests.fakes.queues import Received
from tests.world import RECEIVER_HOST

ANSWERS_AFTER: Final = 0.2
"""Seconds that each endpoint takes."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How long it took to tell each endpoint one event, at best, in seconds, and the AWS calls of the batch."""

    events: int
    in_series: float
    at_once: float
    aws_calls: int

    @property
    def gain(self) -> float:
        """How many times faster the batch is."""
        return self.in_series / self.at_once

    @property
    def calls_per_event(self) -> float:
        """AWS calls for each event that was told."""
        return self.aws_calls / self.events

    def and_then(self, more: "Telling") -> "Telling":
        """The best of two runs: other work on the machine can only make one slower, never faster."""
        return Telling(
            self.events,
            min(self.in_series, more.in_series),
            min(self.at_once, more.at_once),
            max(self.aws_calls, more.aws_calls),
        )


class _Busy(Installation):
    """An installation whose client has as many endpoints as it may, and whose workers work as in production."""

    def __init__(self) -> None:
        super().__init__()
        for number in range(1, MAX_ENDPOINTS):
            self.add_endpoint(f"shop{number}")
        self.http.on(f"https://{RECEIVER_HOST}", _after_a_while)
        self._returns = 0

    def new_environment(self) -> Core:
        """A core that remembers nothing."""
        return replace(super().new_environment(), at_once=AT_ONCE)

    def something_to_tell(self) -> list[Received]:
        """The wake-ups of a new event, one for each endpoint."""
        self._returns += 1
        body = a_channel_booked_body(returnOrderCode=f"RET-{self._returns}", awbNumber=f"99770011{self._returns:04}")
        self.create_return(body)
        received = self.queues.receive("deliveries", limit=MAX_ENDPOINTS)
        for each in received:
            self.queues.delete("deliveries", each.message_id)
        return received

    def tell(self, wake_ups: Sequence[Received]) -> float:
        """Tell these in one invocation; answers its seconds."""
        before = len(self.http.requests)
        started = time.perf_counter()
        failed = self.hand_over("deliveries", wake_ups)
        took = time.perf_counter() - started
        assert (len(self.http.requests) - before, failed) == (len(wake_ups), [])
        return took


def measure(rounds: int = 3) -> Telling:
    """Both ways, warm: in series once, for that takes long enough to be steady, and in a batch so many times."""
    with quiet():
        rms = _Busy()
        rms.tell(rms.something_to_tell())
        in_series = sum(rms.tell([each]) for each in rms.something_to_tell())
        runs = [_batch(rms, in_series) for _ in range(rounds)]
    best, *more = runs
    for each in more:
        best = best.and_then(each)
    return best


def _batch(rms: _Busy, in_series: float) -> Telling:
    wake_ups = rms.something_to_tell()
    rms.start_counting()
    at_once = rms.tell(wake_ups)
    return Telling(len(wake_ups), in_series, at_once, rms.counted.total())


def _after_a_while(_: HttpRequest) -> HttpAnswer:
    time.sleep(ANSWERS_AFTER)
    return answer(200)
