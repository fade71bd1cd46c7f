"""Wake-ups: small messages that say where to look. Losing or doubling one changes nothing; the sweeper sends more."""

from collections.abc import Sequence

from rms.core import Core
from rms.journal import AggregateId, Reader
from rms.platform.observability import correlation_id, logger
from rms.platform.queues import Message, QueueName, QueueUnavailableError


def wake_tellers(core: Core, aggregate: AggregateId, readers: Sequence[Reader]) -> None:
    """Have these endpoints told what is new about an aggregate: those that the journal marked."""
    _wake(
        core,
        "deliveries",
        [
            {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code, "endpoint": reader.endpoint}
            for reader in readers
        ],
    )


def wake_endpoint(core: Core, client: str, endpoint: str, *, delay_seconds: int = 0) -> None:
    """Have somebody look after an endpoint: probe it, or tell it what is parked."""
    _wake(core, "deliveries", [{"task": "endpoint", "client": client, "endpoint": endpoint}], delay_seconds)


def wake_replay(core: Core, client: str, endpoint: str, replay: str) -> None:
    """Have a replay of many orders go on."""
    _wake(core, "deliveries", [{"task": "replay", "replay": replay, "client": client, "endpoint": endpoint}])


def wake_teller(core: Core, aggregate: AggregateId, endpoint: str, *, delay_seconds: int = 0) -> None:
    """Have one endpoint told, after so many seconds."""
    about = {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code, "endpoint": endpoint}
    _wake(core, "deliveries", [about], delay_seconds)


def wake_booker(core: Core, aggregate: AggregateId) -> None:
    """Have a booking settled that is due."""
    _wake(core, "bookings", [{"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code}])


def wake_writer(core: Core, aggregate: AggregateId) -> None:
    """Have a returns app told what QC found, as far as that is due."""
    about = {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code}
    _wake(core, "bookings", [{"task": "write_back", **about}])


def wake_exchange(core: Core, aggregate: AggregateId, *, delay_seconds: int = 0) -> None:
    """Have done what is decided about a replacement order."""
    about = {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code}
    _wake(core, "bookings", [{"task": "exchange", **about}], delay_seconds)


def wake_drain(core: Core, client: str, awb: str) -> None:
    """Have the events applied that waited for this AWB."""
    _wake(core, "inbound", [{"task": "drain", "client": client, "awb": awb}])


def _wake(core: Core, queue: QueueName, messages: Sequence[Message], delay_seconds: int = 0) -> None:
    if not messages:
        return
    correlation = correlation_id()
    sent = [{**message, "correlation": correlation} for message in messages]
    try:
        core.queues.send(queue, sent, delay_seconds=delay_seconds)
    except QueueUnavailableError:
        # What the message points at is committed and due; the sweeper finds it within a minute.
        logger.warning("wake-up not sent", queue=queue, messages=len(messages))
