"""Notices: what an endpoint's own journal holds, such as that the endpoint was disabled, and who hears of it."""

from rms.clients.configuration import Endpoint, endpoint_from
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Created, Duplicate, Event, EventKind, Exists, Reader
from rms.journal.keys import endpoint_id, endpoint_key
from rms.model.notification_type import NotificationType
from rms.platform.observability import count, logger
from rms.platform.table import Absent, Equals, Update
from rms.platform.times import to_text
from rms.shipments.wake import wake_tellers


def disable_endpoint(core: Core, client: str, endpoint: Endpoint, reason: str) -> None:
    """Give an endpoint up until it is enabled again, and have the client's notice endpoint told, in one transaction.

    `endpoint` is as it was read: of one that is disabled already, or was changed meanwhile, nothing is written.

    Raises:
        TableContendedError, TableUnavailableError: call again; it is disabled once.
    """
    now, aggregate = core.clock(), endpoint_id(client, endpoint.id)
    off = Update(
        endpoint_key(client, endpoint.id),
        {"version": Equals(endpoint.version), "disabled_at": Absent()},
        set={"disabled_at": to_text(now), "disabled_because": reason},
    )
    event = Event(
        # A version is disabled once. One of an endpoint that was deleted and made anew is another.
        event_id=f"DISABLED:{to_text(endpoint.created_at)}:{endpoint.version}",
        kind=EventKind.ENDPOINT_DISABLED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.OTHER,
        facts={"endpoint": endpoint.id, "reason": reason, "disabled_at": to_text(now)},
    )
    match _record(core, aggregate, event, off, _who_hears(core, client, endpoint)):
        case Created(readers=readers) | Appended(readers=readers):
            count("EndpointDisabled")
            logger.error("endpoint disabled", endpoint=endpoint.id, reason=reason)
            wake_tellers(core, aggregate, readers)
        case Duplicate() | Blocked():
            return  # disabled already, or changed or deleted meanwhile
    core.memory.forget(f"configuration:{client}")


def _record(
    core: Core, aggregate: AggregateId, event: Event, off: Update, readers: tuple[Reader, ...]
) -> Created | Appended | Duplicate | Blocked:
    """The first notice of an endpoint begins its journal."""
    if core.journal.status(aggregate) is None:
        document = {"endpoint": aggregate.code, "received_at": to_text(event.received_at)}
        created = core.journal.create(aggregate, document, {}, event, readers=readers, also=[off])
        if not isinstance(created, Exists):
            return created
    return core.journal.append(aggregate, event, lambda _: {}, readers=readers, also=[off])


def _who_hears(core: Core, client: str, endpoint: Endpoint) -> tuple[Reader, ...]:
    """The endpoint that was named for this, whatever it wants to hear besides."""
    if endpoint.notice_endpoint is None:
        return ()
    row = core.table.get(endpoint_key(client, endpoint.notice_endpoint))
    return () if row is None else (Reader(endpoint.notice_endpoint, to_text(endpoint_from(row).created_at)),)
