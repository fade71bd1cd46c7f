"""Delivery: lease the cursor, send what comes after it in order, judge each answer, move the cursor.

A wake-up only says where to look; losing one or getting it twice changes nothing. See docs/notifications.md for the
promise this keeps.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from, secret_context
from rms.core import Core
from rms.journal import AggregateId, Attempt, Lease, LeaseLostError, NotDue, RecordedEvent, Released
from rms.journal.events import from_item
from rms.journal.keys import client_pk
from rms.notifications.compose import compose
from rms.notifications.credentials import fresh_headers
from rms.notifications.judgement import Delivered, Gone, Judgement, RetryLater, Unauthorized, judge
from rms.notifications.payloads import Preferences
from rms.notifications.schedule import next_try_at
from rms.notifications.signing import message_id
from rms.notifications.sinks import webhook
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.observability import count, logger
from rms.platform.table import Absent, Check, ConditionFailedError, Equals, Item, Key, Present, Update
from rms.platform.times import to_text

AT_ONCE: Final = 40
"""Events read at a time; a document, an endpoint and these are one read."""

ENOUGH_TIME: Final = timedelta(seconds=25)
"""How long one delivery goes on sending before it lets others have the function; what is left is woken again."""

ATTEMPTS_KEPT: Final = timedelta(days=30)
ANSWER_KEPT: Final = 1024
"""Bytes of an answer's body that are kept with its attempt."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything up to the head is told, or nobody's business."""


@dataclass(frozen=True, slots=True)
class Later:
    """The endpoint did not take it; the cursor is due again at that time, or never (None: it stands still)."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Time is up with more to tell; the cursor is due at once."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A named no-op: told already, somebody else is at it, or not due yet."""

    reason: str


type Delivery = Told | Later | Unfinished | Nothing


def deliver_notifications(
    core: Core, aggregate: AggregateId, endpoint_id: str, jitter: Callable[[], float] = random.random
) -> Delivery:
    """Tell one endpoint what is new about one aggregate, in order.

    Raises:
        TableContendedError, TableUnavailableError: come back later; what was sent may be sent again, under the same id.
    """
    lease = core.cursors.lease(aggregate, endpoint_id)
    if isinstance(lease, NotDue):
        return Nothing(lease.reason)
    try:
        return _tell_all(core, lease, jitter)
    except LeaseLostError:
        # It was replayed, or we were so slow that somebody else took it; they go on from where it stands.
        return Nothing("lease lost")


def parked_shard(client: str, endpoint_id: str) -> str:
    """The shard of `due` where the cursors of a disabled endpoint wait; the sweeper does not read it."""
    return f"parked#{client}#{endpoint_id}"


def release_parked(core: Core, client: str, endpoint_id: str) -> Released:
    """Have an endpoint that is enabled again told what waited for it; the sweeper starts with the longest waiting.

    Releases a bounded number; call it again while it says that more are waiting.
    """
    released = core.cursors.unpark(parked_shard(client, endpoint_id))
    if released.cursors:
        count("CursorReleased", released.cursors)
        logger.info("parked cursors released", endpoint=endpoint_id, cursors=released.cursors, more=released.more)
    return released


@dataclass(slots=True)
class _Batch:
    """What one read brings: the order, the endpoint (with fresh headers once they are fetched), the events to tell."""

    document: Item
    endpoint: Endpoint
    events: tuple[RecordedEvent, ...]

    def to_tell(self, since: str) -> list[RecordedEvent]:
        """The events that are this endpoint's business: those with a notification that RMS heard since then."""
        return [
            recorded
            for recorded in self.events
            if recorded.event.notification is not None and to_text(recorded.event.received_at) >= since
        ]


def _tell_all(core: Core, lease: Lease, jitter: Callable[[], float]) -> Delivery:
    started = core.clock()
    ahead: Lease | None = lease
    while ahead is not None:
        lease = ahead
        batch = _read(core, lease)
        if batch is None or batch.endpoint.disabled:
            return _park(core, lease, None, gone=batch is None)
        for recorded in batch.to_tell(lease.since):
            if core.clock() - started > ENOUGH_TIME:
                core.cursors.release(lease, acked=recorded.sequence - 1)
                return Unfinished()
            told = _tell(core, lease, batch, recorded, jitter)
            if not isinstance(told, Lease):
                return told
            lease = told
        last = batch.events[-1].sequence if batch.events else lease.head
        ahead = replace(lease, acked=last) if last < lease.head else core.cursors.skip(lease)
    return Told()


def _read(core: Core, lease: Lease) -> _Batch | None:
    """One read for all that telling needs; None when the endpoint is gone."""
    aggregate = lease.aggregate
    endpoint = _endpoint_key(aggregate.client, lease.endpoint)
    first, last = lease.acked + 1, min(lease.head, lease.acked + AT_ONCE)
    events = [aggregate.event(sequence) for sequence in range(first, last + 1)]
    rows = core.table.get_many([aggregate.document, endpoint, *events])
    if endpoint not in rows:
        return None
    return _Batch(
        document=rows[aggregate.document],
        endpoint=endpoint_from(rows[endpoint]),
        events=tuple(from_item(rows[key]) for key in events if key in rows),
    )


def _tell(
    core: Core, lease: Lease, batch: _Batch, recorded: RecordedEvent, jitter: Callable[[], float]
) -> Lease | Delivery:
    """Send one event and move the cursor by what the endpoint answers."""
    answer, judgement = _send(core, lease.aggregate, batch, recorded)
    now = core.clock()
    attempt = Attempt(
        sequence=recorded.sequence,
        at=now,
        outcome=_outcome(judgement),
        status=answer.status if isinstance(answer, HttpAnswer) else None,
        elapsed_ms=answer.elapsed_ms,
        answer=answer.body[:ANSWER_KEPT].decode("utf-8", "replace") if isinstance(answer, HttpAnswer) else "",
        expires_at=int((now + ATTEMPTS_KEPT).timestamp()),
    )
    match judgement:
        case Delivered():
            count("NotificationDelivered")
            return core.cursors.told(lease, attempt) or Told()
        case Gone():
            _disable(core, lease.aggregate.client, batch.endpoint, judgement.reason)
            return _park(core, lease, attempt)
        case RetryLater() | Unauthorized():
            failure = judgement.failure if isinstance(judgement, Unauthorized) else judgement
            return _later(core, lease, attempt, failure, jitter)


def _park(core: Core, lease: Lease, attempt: Attempt | None, *, gone: bool = False) -> Later:
    """Let the cursor wait for as long as its endpoint takes nothing; try again at once if it has just been enabled."""
    client, endpoint = lease.aggregate.client, lease.endpoint
    still = Check(_endpoint_key(client, endpoint), {"PK": Absent()} if gone else {"disabled_at": Present()})
    reason = attempt.outcome if attempt is not None else "the endpoint is disabled"
    if core.cursors.park(lease, parked_shard(client, endpoint), reason=reason, attempt=attempt, still=still):
        return Later(None)
    now = core.clock()
    if attempt is None:
        core.cursors.release(lease, acked=lease.acked)
    else:
        core.cursors.refused(lease, attempt, again_at=now)
    return Later(now)


def _later(core: Core, lease: Lease, attempt: Attempt, failure: RetryLater, jitter: Callable[[], float]) -> Later:
    again_at = next_try_at(attempt.at, lease.attempts + 1, jitter(), failure.not_before)
    if again_at is None:
        core.cursors.stall(lease, attempt)
        count("CursorStalled")
        logger.error("endpoint stalled", endpoint=lease.endpoint, reason=failure.reason)
    else:
        core.cursors.refused(lease, attempt, again_at=again_at)
        count("NotificationRefused")
        logger.info("endpoint refused", endpoint=lease.endpoint, reason=failure.reason)
    return Later(again_at)


def _send(
    core: Core, aggregate: AggregateId, batch: _Batch, recorded: RecordedEvent
) -> tuple[HttpAnswer | NoAnswer, Judgement]:
    """Send one event; where the client offers a credential API, a 401 is answered with fresh headers, once."""
    client, endpoint = aggregate.client, batch.endpoint
    message = webhook.Message(
        id=message_id(client, f"{aggregate.kind}#{aggregate.code}", recorded.sequence, endpoint.id),
        notification=compose(aggregate, batch.document, recorded),
    )
    answer = core.http.send(webhook.build(_open_endpoint(core, client, endpoint), message, core.clock()))
    judgement = judge(answer, core.clock())
    fresh = fresh_headers(core, client, endpoint) if isinstance(judgement, Unauthorized) else None
    if fresh is not None:
        batch.endpoint = fresh
        answer = core.http.send(webhook.build(_open_endpoint(core, client, fresh), message, core.clock()))
        judgement = judge(answer, core.clock())
    return answer, judgement


def _open_endpoint(core: Core, client: str, endpoint: Endpoint) -> webhook.Endpoint:
    """The endpoint with its secrets in the clear. A secret that was rotated out signs on until its time is up."""
    context = secret_context(client, f"ENDPOINT#{endpoint.id}")
    now = to_text(core.clock())
    secrets = json.loads(core.secrets.unseal(endpoint.sealed_secrets, context))
    return webhook.Endpoint(
        url=endpoint.url,
        secrets=[each["secret"] for each in secrets if each["until"] is None or each["until"] > now],
        headers=json.loads(core.secrets.unseal(endpoint.sealed_headers, context)),
        preferences=Preferences(with_sequence=endpoint.sequence, dropped_metadata=frozenset(endpoint.dropped_metadata)),
    )


def _disable(core: Core, client: str, endpoint: Endpoint, reason: str) -> None:
    """A 410 means what it says: no more calls to this URL until the client enables the endpoint again."""
    count("EndpointDisabled")
    logger.error("endpoint disabled", endpoint=endpoint.id, reason=reason)
    try:
        core.table.write(
            Update(
                _endpoint_key(client, endpoint.id),
                {"version": Equals(endpoint.version), "disabled_at": Absent()},
                set={"disabled_at": to_text(core.clock()), "disabled_because": reason},
            )
        )
    except ConditionFailedError:
        return  # disabled already, or registered anew meanwhile


def _endpoint_key(client: str, endpoint_id: str) -> Key:
    return Key(client_pk(client), f"ENDPOINT#{endpoint_id}")


def _outcome(judgement: Judgement) -> str:
    match judgement:
        case Delivered():
            return "delivered"
        case Unauthorized(failure):
            return failure.reason
        case RetryLater() | Gone():
            return judgement.reason
