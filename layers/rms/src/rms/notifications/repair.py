"""Repair: tell an endpoint one event again, or never. See `rms.notifications.replays` for many orders at once."""

from dataclasses import dataclass
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from
from rms.core import Core
from rms.journal import AggregateId, Attempt
from rms.journal.cursors import again_of
from rms.journal.events import from_item, number
from rms.journal.keys import endpoint_key
from rms.notifications.outgoing import about_event, id_of
from rms.notifications.owed import event_in_hand, is_told
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.observability import logger
from rms.platform.table import Item, Key, TableContendedError
from rms.shipments.wake import wake_teller

ROUNDS: Final = 5
"""How often a change starts over when others change the same cursor."""


def replay_event(core: Core, order: AggregateId, endpoint: str, sequence: int) -> None:
    """Tell an endpoint one event once more, under the same `webhook-id`, before anything else that it is owed.

    Raises:
        NotFoundError: no such endpoint or order, or another client's.
        BadDataError: no such event, or one that this endpoint is not told.
        ConflictError: the event is still to be told for the first time, in its order.
    """
    event = order.event(sequence)
    found = _read(core, order, endpoint, event)
    recorded = from_item(found.rows[event]) if event in found.rows else None
    if recorded is None:
        raise BadDataError(f"[sequence: must be 1 to {found.last}]")
    if not is_told(found.endpoint, order, found.document, recorded):
        raise BadDataError("[sequence: names an event that this endpoint is not told]")
    if found.cursor is not None and number(found.cursor, "acked") < sequence <= number(found.cursor, "head"):
        acked = number(found.cursor, "acked")
        raise ConflictError(f"[sequence: is still to be told, in its order; to try at once send afterSequence {acked}]")
    core.cursors.tell_again(order, endpoint, sequence, last=found.last)
    wake_teller(core, order, endpoint)


def skip_event(core: Core, order: AggregateId, endpoint: str, sequence: int, username: str) -> None:
    """Never tell an endpoint the event that it keeps refusing; what is behind it is told. `username` wanted it so.

    Sending the call again changes nothing.

    Raises:
        NotFoundError: no such endpoint or order, or another client's.
        BadDataError: the order has no such event.
        ConflictError: another event is in hand, or this one has not been refused.
        TableContendedError: others kept changing the cursor; nothing was written.
    """
    fence = core.fences()
    for _ in range(ROUNDS):
        found = _read(core, order, endpoint)
        if sequence > found.last:
            raise BadDataError(f"[sequence: must be 1 to {found.last}]")
        cursor = found.cursor
        if cursor is None:
            raise ConflictError("[sequence: nothing is in hand]")
        if sequence <= number(cursor, "acked") and sequence not in again_of(cursor):
            wake_teller(core, order, endpoint)  # that of a first call may have been lost
            return
        recorded = event_in_hand(core, found.endpoint, order, found.document, cursor)
        if recorded is None:
            raise ConflictError("[sequence: nothing is in hand]")
        if recorded.sequence != sequence:
            raise ConflictError(f"[sequence: {recorded.sequence} is in hand]")
        if not number(cursor, "attempts"):
            raise ConflictError(f"[sequence: {sequence} has not been refused]")
        attempt = Attempt(
            sequence=sequence,
            at=core.clock(),
            outcome=f"skipped by {username}",
            status=None,
            elapsed_ms=0,
            answer="",
            expires_at=None,
            learned_at=recorded.event.received_at,
            notification=about_event(found.endpoint.kind, recorded),
            message=id_of(order, sequence, endpoint),
        )
        if core.cursors.pass_over(order, endpoint, cursor, attempt, fence):
            logger.warning("event skipped", endpoint=endpoint, sequence=sequence, by=username)
            wake_teller(core, order, endpoint)
            return
    raise TableContendedError(endpoint)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one read brings: the endpoint, the order's document and last sequence number, the cursor, and the rest."""

    endpoint: Endpoint
    document: Item
    last: int
    cursor: Item | None
    rows: dict[Key, Item]


def _read(core: Core, order: AggregateId, endpoint: str, *also: Key) -> _Found:
    configured, cursor = endpoint_key(order.client, endpoint), order.cursor(endpoint)
    rows = dict(core.table.get_many([configured, order.document, order.status, cursor, *also]))
    if configured not in rows:
        raise NotFoundError("No such endpoint")
    if order.document not in rows:
        raise NotFoundError("No such return order or forward shipment")
    return _Found(
        endpoint=endpoint_from(rows[configured]),
        document=rows[order.document],
        last=number(rows[order.status], "sequence"),
        cursor=rows.get(cursor),
        rows=rows,
    )
