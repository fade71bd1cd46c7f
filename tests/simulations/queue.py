"""Queue `deliveries` with Lambda's event source on it, in virtual time.

As AWS has it, by the template's own numbers: so many invocations at once, each with a batch of messages, none of which
is deleted before all of its batch are done; and a fair queue, which hands out the messages of a group that has more
than its share in flight after those of the others. AWS does not say from which share on; here it is a tenth. That
Lambda takes a while to scale up is left out, and so are cold starts.
"""

import json
import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from rms.platform.queues import MAX_DELAY_SECONDS, Message, QueueName, group_of
from rms.platform.sqs import body_of
from tests.fakes.queues import Received
from tests.simulations.timeline import Timeline
from tests.template import queue_definitions, template

_FUNCTION: Final = template()["Resources"]["DeliverNotifications"]["Properties"]
_SOURCE: Final = _FUNCTION["Events"]["Deliveries"]["Properties"]
_QUEUE: Final = queue_definitions()["Deliveries"]

CONCURRENCY: Final = int(_SOURCE["ScalingConfig"]["MaximumConcurrency"])
BATCH: Final = int(_SOURCE["BatchSize"])
TIME_OUT: Final = float(_FUNCTION["Timeout"])
"""How long an invocation may take; here none is ended, but tests look at the longest."""

VISIBILITY_SECONDS: Final = float(_QUEUE.attributes["VisibilityTimeout"])
MAX_RECEIVES: Final = _QUEUE.max_receives or 1
POLL_SECONDS: Final = 0.02
"""From the arrival of a message to the invocation; what arrives within it goes into one batch."""

NOISY_SHARE: Final = 0.1
NOISY_LEAST: Final = 10
"""A group is noisy when it has more than this share of all messages in flight, and more than so many."""

type Work = Callable[[Sequence[Received]], Collection[str]]
"""Works messages of a batch that say the same, as one thread of the worker does; answers those that failed, by id."""


@dataclass(slots=True)
class _Waiting:
    message_id: str
    body: str
    group: str
    receives: int = 0


@dataclass(slots=True)
class DeliveryQueue:
    """The Queues port, and the workers behind `deliveries`; nothing may be sent to another queue here.

    `work` is called once for each message of a batch that says something else, in a thread of its own.
    """

    timeline: Timeline
    work: Work
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
            group = group_of(queue, message)
            assert group is not None, "a message without a group is nobody's, so nothing is fair"
            waiting = _Waiting(f"m{self.sent}", body_of(message), group)
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
        while self._visible and self._invocations < CONCURRENCY:
            batch = self._receive()
            self._invocations += 1
            self.most_invocations = max(self.most_invocations, self._invocations)
            _Invocation(self, batch, self.timeline.seconds).start()

    def _receive(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._visible and len(batch) < BATCH:
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
    """One invocation: its messages, those that say the same in one thread, and how many threads are not done yet."""

    queue: DeliveryQueue
    batch: list[_Waiting]
    started: float
    failed: list[_Waiting] = field(default_factory=list)
    left: int = 0

    def start(self) -> None:
        alike: dict[str, list[_Waiting]] = {}
        for waiting in self.batch:
            says = json.dumps({**json.loads(waiting.body), "correlation": None}, sort_keys=True)
            alike.setdefault(says, []).append(waiting)
        self.left = len(alike)
        if not alike:
            self.queue.done((), (), self.started)
        for pieces in alike.values():
            self.queue.timeline.at(self.started, partial(self._work, pieces))

    def _work(self, alike: Sequence[_Waiting]) -> None:
        failed = self.queue.work([Received(each.message_id, each.body, each.receives, each.group) for each in alike])
        self.failed += [each for each in alike if each.message_id in failed]
        self.left -= 1
        if not self.left:
            self.queue.done(self.batch, self.failed, self.started)
