"""The Queues port: three named queues, to which the core sends small JSON messages."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

type QueueName = Literal["inbound", "bookings", "deliveries"]
type Message = Mapping[str, str | int | None]


class QueueUnavailableError(Exception):
    """Not every message was taken, or no answer came. What was sent may still arrive."""


class Queues(Protocol):
    """Standard SQS queues: at least once, in no order."""

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Send any number of messages, ten to a call. No messages: no call.

        Raises:
            QueueUnavailableError: see there.
        """
