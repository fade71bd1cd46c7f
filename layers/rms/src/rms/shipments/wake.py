"""Wake-ups: small messages that say where to look. Losing or doubling one changes nothing; the sweeper sends more."""

from collections.abc import Sequence

from rms.core import Core
from rms.journal import AggregateId, Reader
from rms.platform.observability import correlation_id, logger
from rms.platform.queues import Message, QueueName, QueueUnavailableError


def wake_tellers(core: Core, aggregate: AggregateId, readers: Sequence[Reader]) -> None:
    """Have the endpoints told what is new about an aggregate."""
    _wake(
        core,
        "deliveries",
        [
            {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code, "endpoint": reader.endpoint}
            for reader in readers
        ],
    )


def wake_booker(core: Core, aggregate: AggregateId) -> None:
    """Have a booking settled that is due."""
    _wake(core, "bookings", [{"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code}])


def wake_drain(core: Core, client: str, awb: str) -> None:
    """Have the events applied that waited for this AWB."""
    _wake(core, "inbound", [{"task": "drain", "client": client, "awb": awb}])


def _wake(core: Core, queue: QueueName, messages: Sequence[Message]) -> None:
    correlation = correlation_id()
    try:
        core.queues.send(queue, [{**message, "correlation": correlation} for message in messages])
    except QueueUnavailableError:
        # What the message points at is committed and due; the sweeper finds it within a minute.
        logger.warning("wake-up not sent", queue=queue, messages=len(messages))
