"""Replay: tell an endpoint again what it has heard, from a place in the journal on."""

from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import number
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.json import optional_texts, parse_object
from rms.shipments.wake import wake_tellers


def read_replay(body: bytes) -> tuple[str | None, int]:
    """The endpoint (None: all) and the sequence number after which to tell again (0: everything) in a request's body.

    Raises:
        BadDataError: what is wrong with it. An empty body asks for everything, to all.
    """
    wanted = parse_object(body) if body else {}
    endpoint = optional_texts(wanted, ("endpoint",))["endpoint"]
    after = wanted.get("afterSequence")
    if after is None:
        return endpoint, 0
    if isinstance(after, bool) or not isinstance(after, int):
        raise BadDataError("[afterSequence: must be a whole number]")
    return endpoint, after


def replay_notifications(core: Core, aggregate: AggregateId, endpoint: str | None, after: int) -> list[str]:
    """Send everything after sequence number `after` again, in order, under the same `webhook-id`s.

    To one endpoint, or to all of the client's. Answers the endpoints that will hear. Sending the call again starts
    the replay again. Also what moves a stalled cursor on.

    Raises:
        NotFoundError: no such return or parcel.
        BadDataError: no such endpoint, or a sequence number beyond the last.
    """
    status = core.journal.status(aggregate)
    if status is None:
        raise NotFoundError("No such return order or forward shipment")
    readers = configuration_of(core, aggregate.client).readers
    chosen = [reader for reader in readers if endpoint in {None, reader.endpoint}]
    if endpoint is not None and not chosen:
        raise BadDataError("[endpoint: no such endpoint]")
    last = number(status, "sequence")
    if not 0 <= after <= last:
        raise BadDataError(f"[afterSequence: must be 0 to {last}]")
    for reader in chosen:
        core.cursors.replay(aggregate, reader.endpoint, after=after, last=last)
    wake_tellers(core, aggregate, chosen)
    return [reader.endpoint for reader in chosen]


def replay_order(core: Core, aggregate: AggregateId, endpoint: str, after: int) -> None:
    """As `replay_notifications`, for an endpoint that the call itself is about.

    Raises:
        NotFoundError: no such endpoint, return or parcel.
        BadDataError: a sequence number beyond the last.
    """
    if endpoint not in configuration_of(core, aggregate.client).endpoints:
        raise NotFoundError("No such endpoint")
    replay_notifications(core, aggregate, endpoint, after)
