"""The Queues port: three named queues, to which the core sends small JSON messages."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

type QueueName = Literal["inbound", "bookings", "deliveries"]
type Message = Mapping[str, str | int | Mapping[str, str] | None]

MAX_DELAY_SECONDS: Final = 900
"""The longest that a queue keeps a message back."""

FAIR_BY: Final[Mapping[QueueName, tuple[str, ...]]] = {"deliveries": ("client", "endpoint")}
"""The fair queues, and the members of a message that name whose it is: who has many waiting delays nobody else."""


class QueueUnavailableError(Exception):
    """Not every message was taken, or no answer came. What was sent may still arrive."""


class Queues(Protocol):
    """Standard SQS queues: at least once, in no order; those of FAIR_BY fair."""

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Send any number of messages, ten to a call. No messages: no call.

        Raises:
            QueueUnavailableError: see there.
        """


def group_of(queue: QueueName, message: Message) -> str | None:
    """Whose a message on a fair queue is; None on other queues, or if the message does not say."""
    names = FAIR_BY.get(queue, ())
    values = [message.get(name) for name in names]
    return "#".join(map(str, values)) if names and None not in values else None
