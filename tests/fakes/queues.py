"""SQS in memory: at least once, in any order, with visibility, receive counts and dead-letter queues."""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, get_args

from rms.platform.queues import MAX_DELAY_SECONDS, Message, QueueName, QueueUnavailableError, group_of
from rms.platform.sqs import body_of
from tests.fakes.calls import Calls, raising
from tests.fakes.clock import FakeClock

QUEUES: Final[tuple[QueueName, ...]] = get_args(QueueName.__value__)


@dataclass(slots=True)
class Waiting:
    """A message in a queue."""

    message_id: str
    body: str
    visible_at: datetime
    receives: int = 0
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a consumer gets it; `receives` counts this time."""

    message_id: str
    body: str
    receives: int
    group: str | None = None
    """Whose it is, on a fair queue."""

    @property
    def message(self) -> dict[str, str | int | None]:
        content = json.loads(self.body)
        assert isinstance(content, dict)
        return content


type Consumer = Callable[[Sequence[Received]], Collection[str]]
"""Works a batch; answers the ids of the messages that failed, as `batchItemFailures` does."""


class FakeQueues:
    """The Queues port, and the consumer's side of it for tests.

    Args:
        clock: decides what is visible.
        calls: where sends are recorded and struck by faults.
        seed: of the order in which messages come.
        visibility_seconds: how long a received message stays hidden.
        max_receives: after so many a message that comes up again goes to its dead-letter queue.
        fair: whether a queue lets those go first who have the least in flight, as SQS does once somebody is noisy.
    """

    def __init__(
        self,
        clock: FakeClock,
        calls: Calls | None = None,
        *,
        seed: int = 0,
        visibility_seconds: int = 180,
        max_receives: int = 5,
        fair: bool = False,
    ) -> None:
        self.clock = clock
        self.calls = calls or Calls()
        self.duplicates = 0.0
        """Likelihood that SQS delivers a message although a consumer has finished with it."""
        self.dead: dict[QueueName, list[Received]] = {queue: [] for queue in QUEUES}
        self._random = random.Random(seed)  # noqa: S311 - a seeded order, no secret
        self._waiting: dict[QueueName, list[Waiting]] = {queue: [] for queue in QUEUES}
        self._visibility = timedelta(seconds=visibility_seconds)
        self._max_receives = max_receives
        self._fair = fair
        self._sent = 0

    # ── the port ────────────────────────────────────────────────────────────────────

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        if not 0 <= delay_seconds <= MAX_DELAY_SECONDS:
            raise ValueError(f"a message waits 0 to {MAX_DELAY_SECONDS} seconds, not {delay_seconds}")
        entries = [(body_of(message), group_of(queue, message)) for message in messages]
        for start in range(0, len(entries), 10):
            self._send_batch(queue, entries[start : start + 10], delay_seconds)

    def _send_batch(self, queue: QueueName, entries: Sequence[tuple[str, str | None]], delay_seconds: int) -> None:
        bodies = [body for body, _ in entries]

        def effect() -> None:
            for body, group in entries:
                self._sent += 1
                visible_at = self.clock() + timedelta(seconds=delay_seconds)
                self._waiting[queue].append(Waiting(f"m{self._sent}", body, visible_at, group=group))

        self.calls.run("queues", f"send {queue}", (bodies, delay_seconds), effect, raising(QueueUnavailableError))

    # ── the consumer's side ─────────────────────────────────────────────────────────

    def messages(self, queue: QueueName) -> list[dict[str, str | int | None]]:
        """What waits in a queue, visible or not, in the order in which it was sent."""
        return [Received(one.message_id, one.body, one.receives).message for one in self._waiting[queue]]

    def next_visible_at(self) -> datetime | None:
        """When the next message of any queue can be received; None when all queues are empty."""
        return min((one.visible_at for waiting in self._waiting.values() for one in waiting), default=None)

    def receive(self, queue: QueueName, limit: int = 10) -> list[Received]:
        """Up to `limit` visible messages in seeded random order; each is hidden until its visibility time-out.

        A message that has been received as often as it may goes to the dead-letter queue instead, whole.
        """
        visible = [one for one in self._waiting[queue] if one.visible_at <= self.clock()]
        for one in [one for one in visible if one.receives >= self._max_receives]:
            self.dead[queue].append(Received(one.message_id, one.body, one.receives, one.group))
            self._waiting[queue].remove(one)
            visible.remove(one)
        self._random.shuffle(visible)
        batch = (self._fairly(queue, visible) if self._fair else visible)[:limit]
        for one in batch:
            one.receives += 1
            one.visible_at = self.clock() + self._visibility
        return [Received(one.message_id, one.body, one.receives, one.group) for one in batch]

    def _fairly(self, queue: QueueName, visible: Sequence[Waiting]) -> list[Waiting]:
        """Always next: a message of whoever has the least in flight; one without a group is nobody else's."""
        in_flight = Counter(one.group for one in self._waiting[queue] if one.receives and one not in visible)
        ordered: list[Waiting] = []
        left = list(visible)
        while left:
            one = min(left, key=lambda each: in_flight[each.group] if each.group else 0)
            left.remove(one)
            ordered.append(one)
            in_flight[one.group] += 1
        return ordered

    def delete(self, queue: QueueName, message_id: str) -> None:
        """Done with it; with the likelihood `duplicates` it comes once more all the same."""
        if self._random.random() < self.duplicates:
            for one in self._waiting[queue]:
                if one.message_id == message_id:
                    one.visible_at = self.clock()
            return
        self._waiting[queue] = [one for one in self._waiting[queue] if one.message_id != message_id]

    def duplicate(self, queue: QueueName) -> None:
        """Double every message that waits in a queue."""
        for one in list(self._waiting[queue]):
            self._sent += 1
            self._waiting[queue].append(Waiting(f"m{self._sent}", one.body, one.visible_at, group=one.group))

    def deliver(self, queue: QueueName, consumer: Consumer, *, batch_size: int = 10) -> int:
        """Hand one batch to a consumer as Lambda does, delete what it worked; answers how many it got.

        An exception (a crash of the process included) fails the whole batch and comes out here; the messages come
        up again after the visibility time-out.
        """
        batch = self.receive(queue, batch_size)
        if not batch:
            return 0
        failed = consumer(batch)
        for received in batch:
            if received.message_id not in failed:
                self.delete(queue, received.message_id)
        return len(batch)

    def redrive(self, queue: QueueName) -> int:
        """Send everything in the dead-letter queue back to its queue, counted anew; answers how many."""
        moved, self.dead[queue] = self.dead[queue], []
        self._waiting[queue] += [Waiting(one.message_id, one.body, self.clock(), group=one.group) for one in moved]
        return len(moved)
