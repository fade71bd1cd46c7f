"""Queue `deliveries` with Lambda's event source on it, in virtual time.

As AWS has it: up to 50 invocations at once, each with up to ten messages, none of which is deleted before all of its
batch are done; and a fair queue, which hands out the messages of a group that has more than its share in flight after
those of the others. AWS does not say from which share on; here it is a tenth. That Lambda takes minutes to start its
first 50 is left out.
"""

import json
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rms.platform.queues import Message, QueueName
from rms.platform.sqs import MAX_DELAY_SECONDS, body_of
from tests.fakes.queues import Received
from tests.simulations.timeline import Timeline

CONCURRENCY: Final = 50
BATCH: Final = 10
POLL_SECONDS: Final = 0.02
"""From the arrival of a message to the invocation; what arrives within it goes into one batch."""

VISIBILITY_SECONDS: Final = 360.0
MAX_RECEIVES: Final = 5
NOISY_SHARE: Final = 0.1
NOISY_LEAST: Final = 10
"""A group is noisy when it has more than this share of all messages in flight, and more than so many."""

type Work = Callable[[Received], bool]
"""Works one message; False: it failed."""


@dataclass(slots=True)
class _Waiting:
    message_id: str
    body: str
    group: str
    receives: int = 0


@dataclass(slots=True)
class DeliveryQueue:
    """The Queues port, and the workers behind `deliveries`; nothing may be sent to another queue here.

    `work` is called once for each message, in a thread of its own. `batch` and `concurrency` are the event source's.
    """

    timeline: Timeline
    work: Work
    batch: int = BATCH
    concurrency: int = CONCURRENCY
    seed: int = 0
    dead: list[Received] = field(default_factory=list)
    sent: int = 0
    longest: float = 0.0
    """The longest that an invocation took."""
    most_invocations: int = 0
    _visible: dict[str, deque[_Waiting]] = field(default_factory=dict)
    _in_flight: Counter[str] = field(default_factory=Counter)
    _invocations: int = 0
    _polling: bool = False
    _chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._chance.seed(self.seed)

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Put messages into the queue."""
        assert queue == "deliveries", f"nobody works {queue} here"
        assert 0 <= delay_seconds <= MAX_DELAY_SECONDS
        for message in messages:
            self.sent += 1
            waiting = _Waiting(f"m{self.sent}", body_of(message), f"{message['client']}#{message['endpoint']}")
            self._appear_after(delay_seconds, waiting)

    def _appear_after(self, seconds: float, waiting: _Waiting) -> None:
        def appear() -> None:
            self._visible.setdefault(waiting.group, deque()).append(waiting)
            self._poll()

        if seconds:
            self.timeline.at(self.timeline.seconds + seconds, appear)
        else:
            appear()

    def _poll(self) -> None:
        if not self._polling:
            self._polling = True
            self.timeline.at(self.timeline.seconds + POLL_SECONDS, self._invoke)

    def _invoke(self) -> None:
        self._polling = False
        while self._visible and self._invocations < self.concurrency:
            batch = self._receive()
            self._invocations += 1
            self.most_invocations = max(self.most_invocations, self._invocations)
            _Invocation(self, batch, self.timeline.seconds).start()

    def _receive(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._visible and len(batch) < self.batch:
            group = self._next_group()
            waiting = self._visible[group].popleft()
            if not self._visible[group]:
                del self._visible[group]
            if waiting.receives >= MAX_RECEIVES:
                self.dead.append(Received(waiting.message_id, waiting.body, waiting.receives))
                continue
            waiting.receives += 1
            self._in_flight[group] += 1
            batch.append(waiting)
        self._chance.shuffle(batch)
        return batch

    def _next_group(self) -> str:
        """One of the quiet groups, or else of the noisy ones, chosen by how much each has waiting."""
        bound = max(NOISY_LEAST, NOISY_SHARE * self._in_flight.total())
        quiet = [group for group in self._visible if self._in_flight[group] <= bound]
        groups = quiet or list(self._visible)
        if len(groups) == 1:
            return groups[0]
        return self._chance.choices(groups, [len(self._visible[group]) for group in groups])[0]

    def done(self, batch: Sequence[_Waiting], failed: Sequence[_Waiting], started: float) -> None:
        """An invocation has ended: its slot is free, what it worked is deleted, the rest comes again."""
        self._invocations -= 1
        self.longest = max(self.longest, self.timeline.seconds - started)
        for waiting in batch:
            self._in_flight[waiting.group] -= 1
        for waiting in failed:
            self._appear_after(started + VISIBILITY_SECONDS - self.timeline.seconds, waiting)
        if self._visible:
            self._poll()

    @property
    def waiting(self) -> list[dict[str, object]]:
        """The messages that could be received now."""
        return [json.loads(each.body) for group in self._visible.values() for each in group]


@dataclass(slots=True)
class _Invocation:
    """One invocation: its messages, each in its own thread, and who is not done yet."""

    queue: DeliveryQueue
    batch: list[_Waiting]
    started: float
    failed: list[_Waiting] = field(default_factory=list)
    left: int = 0

    def start(self) -> None:
        self.left = len(self.batch)
        if not self.batch:
            self.queue.done((), (), self.started)
        for waiting in self.batch:
            self.queue.timeline.at(self.started, lambda waiting=waiting: self._work(waiting))

    def _work(self, waiting: _Waiting) -> None:
        if not self.queue.work(Received(waiting.message_id, waiting.body, waiting.receives)):
            self.failed.append(waiting)
        self.left -= 1
        if not self.left:
            self.queue.done(self.batch, self.failed, self.started)
