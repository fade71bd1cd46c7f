"""Delivery: lease the cursor, send what comes after it in order, judge each answer, move the cursor.

A wake-up only says where to look; losing one or getting it twice changes nothing. See docs/notifications.md for the
promise this keeps, and `rms.notifications.health` for endpoints that need care.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from
from rms.core import Core
from rms.journal import AggregateId, Attempt, Lease, LeaseLostError, NotDue, RecordedEvent
from rms.journal.cursors import IN_LINE
from rms.journal.events import from_item, text
from rms.journal.keys import aggregate_of, endpoint_key, health_key, parked_shard
from rms.notifications.background import always_read, read_background
from rms.notifications.health import (
    STRAGGLERS,
    GaveUp,
    Health,
    Lane,
    Mode,
    Opened,
    emptied,
    health_of,
    lanes_of,
    leave_lane,
    looked_after,
    needs_lane,
    note_failure,
    note_success,
    probe_failed,
    probe_succeeded,
    queue_up,
    take_lane,
)
from rms.notifications.judgement import Blame, Delivered, Gone, Refused, RetryLater, Unauthorized, outcome_of
from rms.notifications.notices import disable_endpoint
from rms.notifications.outgoing import Outgoing, Telling, outgoing
from rms.notifications.owed import is_told
from rms.notifications.schedule import next_try_at
from rms.notifications.sending import send
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.observability import count, logger
from rms.platform.queues import MAX_DELAY_SECONDS
from rms.platform.table import Absent, Check, Item, Key, Present
from rms.platform.times import to_text
from rms.shipments.wake import wake_endpoint, wake_teller

AT_ONCE: Final = 40
"""Events read at a time; a document, an endpoint with its health and these are one read."""

ENOUGH_TIME: Final = timedelta(seconds=25)
"""How long one delivery goes on sending before it lets others have the function; what is left is woken again."""

PARKED_AT_ONCE: Final = 40
"""Parked cursors that a lane reads at a time."""

ATTEMPTS_KEPT: Final = timedelta(days=30)
ANSWER_KEPT: Final = 1024
"""Bytes of an answer's body that are kept with its attempt."""

MOST_LACKING: Final = 500
"""How much of what is lacking a try tells, in characters."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything up to the head is told, or nobody's business."""


@dataclass(frozen=True, slots=True)
class Later:
    """The endpoint did not take it; the cursor is due again at that time, or never (None: it stands still)."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class Parked:
    """The endpoint takes nothing now; the cursor waits for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Time is up with more to tell; the cursor is due at once."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A named no-op: told already, somebody else is at it, or not due yet."""

    reason: str


type Delivery = Told | Later | Parked | Unfinished | Nothing


@dataclass(slots=True)
class Turn:
    """One worker's turn at an endpoint: since when, and in which lane, where it has any.

    `probe` is the prober's fence, `probed` says that its one event was sent.
    """

    core: Core
    jitter: Callable[[], float]
    started: datetime
    lane: Lane | None = None
    probe: str | None = None
    probed: bool = False

    def lasts(self, seconds: float = 0) -> bool:
        """Whether there is time left, after so many seconds more."""
        return self.core.clock() - self.started + timedelta(seconds=seconds) <= ENOUGH_TIME


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
    turn = Turn(core, jitter, core.clock())
    delivery = tell_all(turn, lease)
    if turn.lane is not None:
        # We have a lane: tell what waits for one, too.
        drain(turn, aggregate.client, endpoint_id)
    return delivery


def tell_all(turn: Turn, lease: Lease) -> Delivery:
    """Tell what a leased cursor owes, as far as the endpoint takes it and time lasts."""
    try:
        return _tell_all(turn, lease)
    except LeaseLostError:
        # It was replayed, or we were so slow that somebody else took it; they go on from where it stands.
        return Nothing("lease lost")


def drain(turn: Turn, client: str, endpoint_id: str) -> None:
    """Tell what is parked, those first that have waited longest, in the lane of this turn; then leave the lane.

    The index may be late: what it still shows as parked may be told by now, and is not taken.
    """
    core, lane = turn.core, turn.lane
    assert lane is not None
    endpoint, health = read_endpoint(core, client, endpoint_id)
    takes = barred(client, endpoint_id, endpoint) is None and health.mode is not Mode.OPEN
    helped = False
    while takes and turn.lasts():
        assert endpoint is not None
        page = core.table.query_due(
            parked_shard(client, endpoint_id), until=to_text(core.clock()), limit=PARKED_AT_ONCE
        )
        if not page.items:
            emptied(core, health)
            # Somebody may have parked while all lanes were taken, and the index not have shown it yet.
            wake_endpoint(core, client, endpoint_id, delay_seconds=STRAGGLERS[0].seconds)
            break
        lanes = lanes_of(endpoint)
        if not helped and len(page.items) > lanes:
            helped = True
            wake_endpoint(core, client, endpoint_id)  # one lane more, which asks for the next
        took = _take_parked(
            turn, [aggregate_of(text(row, "PK")) for row in page.items[lane.number :: lanes]], endpoint_id
        )
        if took is None:
            break
        if not took:
            again_at = core.clock() + STRAGGLERS[0]
            looked_after(core, health, again_at)
            wake_endpoint(core, client, endpoint_id, delay_seconds=STRAGGLERS[0].seconds)
            break
    else:
        if takes:
            wake_endpoint(core, client, endpoint_id)
    leave_lane(core, health, lane)


def recovered(turn: Turn, health: Health) -> None:
    """The probe got through, or there was none to send: the endpoint's lanes take over."""
    assert turn.probe is not None
    probe_succeeded(turn.core, health, turn.probe)
    wake_endpoint(turn.core, health.client, health.endpoint)


def read_endpoint(core: Core, client: str, endpoint_id: str) -> tuple[Endpoint | None, Health]:
    """An endpoint, None if it is gone, and how it is doing."""
    endpoint, health = endpoint_key(client, endpoint_id), health_key(client, endpoint_id)
    rows = core.table.get_many([endpoint, health])
    found = endpoint_from(rows[endpoint]) if endpoint in rows else None
    return found, health_of(client, endpoint_id, rows.get(health))


def barred(client: str, endpoint_id: str, endpoint: Endpoint | None) -> tuple[str, Check] | None:
    """Why an endpoint is sent nothing for now, and what holds for as long; None if it may be told."""
    key = endpoint_key(client, endpoint_id)
    if endpoint is None:
        return "the endpoint is gone", Check(key, {"PK": Absent()})
    if endpoint.disabled:
        return "the endpoint is disabled", _still_disabled(key)
    if endpoint.paused:
        return "the endpoint is paused", Check(key, {"paused_at": Present()})
    return None


def _still_disabled(key: Key) -> Check:
    return Check(key, {"disabled_at": Present()})


# ── one cursor ──────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Batch:
    """What one read brings: the order, the endpoint (with fresh headers once they are fetched), its health, events.

    `rows` is all of it as it was read, with what the endpoint's kind needs besides.
    """

    document: Item
    endpoint: Endpoint | None
    health: Health
    again: tuple[RecordedEvent, ...]
    events: tuple[RecordedEvent, ...]
    rows: Mapping[Key, Item]

    def to_tell(self, aggregate: AggregateId, since: str) -> list[RecordedEvent]:
        """What to tell, in order: first what is wanted once more, then what is new and this endpoint's business."""
        endpoint = self.endpoint
        if endpoint is None:
            return []
        # A cursor of an endpoint that was deleted and registered anew knows an earlier registration than counts.
        since = max(since, to_text(endpoint.created_at)) if since else since
        news = [
            recorded
            for recorded in self.events
            if to_text(recorded.event.received_at) >= since and is_told(endpoint, aggregate, self.document, recorded)
        ]
        return [*self.again, *news]


def _tell_all(turn: Turn, lease: Lease) -> Delivery:
    core = turn.core
    client, endpoint_id = lease.aggregate.client, lease.endpoint
    ahead: Lease | None = lease
    while ahead is not None:
        lease = ahead
        batch = _read(core, lease)
        to_tell = batch.to_tell(lease.aggregate, lease.since)
        bar = barred(client, endpoint_id, batch.endpoint) or _open_breaker(turn, batch.health)
        # What is not the endpoint's business waits for nothing, however it is doing.
        if bar is not None and (to_tell or batch.endpoint is None):
            return _park(core, lease, None, *bar)
        if to_tell and not _has_its_lane(turn, batch):
            queue_up(core, batch.health)
            return _park(core, lease, None, IN_LINE, batch.health.still_queued)
        for recorded, message in _messages(core, lease.aggregate, batch, to_tell):
            if message.problems:
                return _cannot_yet(turn, lease, recorded, message)
            if not _may_send(turn):
                core.cursors.release(lease, acked=lease.acked)
                wake_teller(core, lease.aggregate, endpoint_id)
                return Unfinished()
            told = _tell(turn, lease, batch, recorded, message)
            if not isinstance(told, Lease):
                return told
            lease = told
        last = batch.events[-1].sequence if batch.events else lease.head
        ahead = replace(lease, acked=last) if last < lease.head else core.cursors.skip(lease)
    return Told()


def _read(core: Core, lease: Lease) -> _Batch:
    """One read for all that telling needs."""
    aggregate = lease.aggregate
    endpoint = endpoint_key(aggregate.client, lease.endpoint)
    health = health_key(aggregate.client, lease.endpoint)
    last = min(lease.head, lease.acked + AT_ONCE)
    events = [aggregate.event(sequence) for sequence in range(lease.acked + 1, last + 1)]
    again = [aggregate.event(sequence) for sequence in lease.again[:AT_ONCE]]
    besides = always_read(lease.kind, aggregate)
    rows = core.table.get_many(list(dict.fromkeys([aggregate.document, endpoint, health, *again, *events, *besides])))
    return _Batch(
        document=rows[aggregate.document],
        endpoint=endpoint_from(rows[endpoint]) if endpoint in rows else None,
        health=health_of(aggregate.client, lease.endpoint, rows.get(health)),
        again=tuple(from_item(rows[key]) for key in again),
        events=tuple(from_item(rows[key]) for key in events if key in rows),
        rows=rows,
    )


def _messages(
    core: Core, aggregate: AggregateId, batch: _Batch, to_tell: Sequence[RecordedEvent]
) -> Iterator[tuple[RecordedEvent, Outgoing]]:
    """The events with the messages that tell them; without those that turn out to be nothing for the endpoint."""
    if not to_tell:
        return
    endpoint = batch.endpoint
    assert endpoint is not None
    background = read_background(core, endpoint.kind, aggregate, batch.document, to_tell, batch.rows)
    for recorded in to_tell:
        message = outgoing(Telling(aggregate, endpoint, batch.document, recorded, background))
        if message is not None:
            yield recorded, message


def _open_breaker(turn: Turn, health: Health) -> tuple[str, Check] | None:
    if health.mode is Mode.OPEN and turn.probe is None:
        return f"the endpoint does not answer: {health.reason}", health.still_queued
    return None


def _has_its_lane(turn: Turn, batch: _Batch) -> bool:
    """Whether we may send: the endpoint takes everything at once, or we have a lane, or there was a free one."""
    assert batch.endpoint is not None
    if turn.lane is None and turn.probe is None and needs_lane(batch.endpoint, batch.health):
        turn.lane = take_lane(turn.core, batch.endpoint, batch.health)
        return turn.lane is not None
    return True


def _may_send(turn: Turn) -> bool:
    """Whether there is time for one event more, at the endpoint's pace, which is waited for."""
    seconds = turn.lane.seconds_to_wait(turn.core.clock()) if turn.lane is not None else 0.0
    if not turn.lasts(seconds):
        return False
    if seconds:
        turn.core.pause(seconds)
    if turn.lane is not None:
        turn.lane.sends(turn.core.clock())
    return True


def _tell(turn: Turn, lease: Lease, batch: _Batch, recorded: RecordedEvent, message: Outgoing) -> Lease | Delivery:
    """Send one event and move the cursor by what the endpoint answers."""
    core, aggregate, endpoint = turn.core, lease.aggregate, batch.endpoint
    assert endpoint is not None
    turn.probed = turn.probe is not None
    sent = send(core, aggregate.client, endpoint, message)
    batch.endpoint = sent.endpoint
    attempt = _attempt(core, recorded, message, outcome_of(sent.judgement), sent.answer)
    match sent.judgement:
        case Delivered():
            return _taken(turn, lease, batch, attempt)
        case Gone():
            disable_endpoint(core, aggregate.client, endpoint, sent.judgement.reason)
            return _park_disabled(core, lease, attempt)
        case Refused(reason):
            return _refused_for_good(turn, lease, batch, attempt, reason)
        case RetryLater() | Unauthorized():
            failure = sent.judgement.failure if isinstance(sent.judgement, Unauthorized) else sent.judgement
            return _not_taken(turn, lease, batch, attempt, failure)


def _attempt(
    core: Core, recorded: RecordedEvent, message: Outgoing, outcome: str, answer: HttpAnswer | NoAnswer | None
) -> Attempt:
    """A try as it is kept; without an answer nothing was sent."""
    now, said = core.clock(), answer if isinstance(answer, HttpAnswer) else None
    return Attempt(
        sequence=recorded.sequence,
        at=now,
        outcome=outcome,
        status=said.status if said is not None else None,
        elapsed_ms=answer.elapsed_ms if answer is not None else 0,
        answer=said.body[:ANSWER_KEPT].decode("utf-8", "replace") if said is not None else "",
        expires_at=int((now + ATTEMPTS_KEPT).timestamp()),
        learned_at=recorded.event.received_at,
        notification=message.about,
        message=message.id,
    )


def _cannot_yet(turn: Turn, lease: Lease, recorded: RecordedEvent, message: Outgoing) -> Delivery:
    """Something that must be told is not known: wait for it as after a try that failed.

    The endpoint was not asked, so that nothing is known of it: neither is it well, nor is it at fault.
    """
    lacking = f"cannot be posted yet: {', '.join(message.problems)}"[:MOST_LACKING]
    attempt = _attempt(turn.core, recorded, message, lacking, None)
    return _later(turn, lease, attempt, RetryLater(lacking, blame=Blame.MESSAGE))


def _refused_for_good(turn: Turn, lease: Lease, batch: _Batch, attempt: Attempt, reason: str) -> Delivery:
    """The receiver has read it and will not have it: stand still at once, until a person has looked."""
    _is_there(turn, batch)
    _stall(turn.core, lease, attempt, reason)
    return Later(None)


def _is_there(turn: Turn, batch: _Batch) -> None:
    """Whoever refuses a body is there: others may well get through."""
    assert batch.endpoint is not None
    if turn.probe is not None:
        recovered(turn, batch.health)
    else:
        note_success(turn.core, batch.health, 0, batch.endpoint)


def _taken(turn: Turn, lease: Lease, batch: _Batch, attempt: Attempt) -> Lease | Delivery:
    core = turn.core
    count("NotificationDelivered")
    ahead = core.cursors.told(lease, attempt)
    if turn.probe is not None:
        recovered(turn, batch.health)
        if ahead is not None:
            core.cursors.release(ahead, acked=ahead.acked)
            wake_teller(core, lease.aggregate, lease.endpoint)
            return Unfinished()
    else:
        assert batch.endpoint is not None
        note_success(core, batch.health, attempt.elapsed_ms, batch.endpoint)
        batch.health = replace(batch.health, failing=(), failing_since=None)
    return ahead or Told()


def _not_taken(turn: Turn, lease: Lease, batch: _Batch, attempt: Attempt, failure: RetryLater) -> Delivery:
    core, health = turn.core, batch.health
    assert batch.endpoint is not None
    if failure.blame is Blame.MESSAGE:
        _is_there(turn, batch)
        return _later(turn, lease, attempt, failure)
    made = (
        note_failure(core, health, lease.aggregate, failure.reason, failure.not_before, turn.jitter())
        if turn.probe is None
        else probe_failed(core, health, turn.probe, failure.reason, failure.not_before, turn.jitter())
    )
    match made:
        case GaveUp(reason):
            disable_endpoint(core, lease.aggregate.client, batch.endpoint, reason)
            return _park_disabled(core, lease, attempt)
        case Opened(probe_at, ours):
            if ours:
                wake = partial(wake_endpoint, core, health.client, health.endpoint)
                _wake_at(core, probe_at, lambda delay: wake(delay_seconds=delay))
            return _park(core, lease, attempt, attempt.outcome, health.still_queued)
        case None:
            return _later(turn, lease, attempt, failure)


def _park_disabled(core: Core, lease: Lease, attempt: Attempt) -> Delivery:
    """Park a cursor with the try after which its endpoint was disabled, unless it is enabled again by now."""
    still = _still_disabled(endpoint_key(lease.aggregate.client, lease.endpoint))
    return _park(core, lease, attempt, attempt.outcome, still)


def _park(core: Core, lease: Lease, attempt: Attempt | None, reason: str, still: Check) -> Delivery:
    """Let the cursor wait for as long as its endpoint takes nothing; try again at once if that has just changed."""
    if core.cursors.park(lease, reason=reason, attempt=attempt, still=still):
        return Parked(reason)
    now = core.clock()
    if attempt is None:
        core.cursors.release(lease, acked=lease.acked)
    else:
        core.cursors.refused(lease, attempt, again_at=now)
    wake_teller(core, lease.aggregate, lease.endpoint)
    return Later(now)


def _later(turn: Turn, lease: Lease, attempt: Attempt, failure: RetryLater) -> Later:
    core, aggregate, endpoint = turn.core, lease.aggregate, lease.endpoint
    again_at = next_try_at(attempt.at, lease.attempts + 1, turn.jitter(), failure.not_before)
    if again_at is None:
        _stall(core, lease, attempt, failure.reason)
    else:
        core.cursors.refused(lease, attempt, again_at=again_at)
        count("NotificationRefused")
        logger.info("endpoint refused", client=aggregate.client, endpoint=endpoint, reason=failure.reason)
        _wake_at(core, again_at, lambda delay: wake_teller(core, aggregate, endpoint, delay_seconds=delay))
    return Later(again_at)


def _stall(core: Core, lease: Lease, attempt: Attempt, reason: str) -> None:
    core.cursors.stall(lease, attempt)
    count("CursorStalled")
    logger.error("endpoint stalled", client=lease.aggregate.client, endpoint=lease.endpoint, reason=reason)


def _wake_at(core: Core, at: datetime, wake: Callable[[int], None]) -> None:
    """Send a wake-up that comes then, if a queue can keep it back for so long: else the sweeper sends one."""
    wait = at - core.clock()
    if wait <= timedelta(seconds=MAX_DELAY_SECONDS):
        wake(max(0, math.ceil(wait.total_seconds())))


def _take_parked(turn: Turn, parked: list[AggregateId], endpoint_id: str) -> bool | None:
    """Tell parked cursors. Whether any was still there to be told; None when the endpoint takes no more."""
    took = False
    for aggregate in parked:
        if not turn.lasts():
            return True
        lease = turn.core.cursors.lease_parked(aggregate, endpoint_id)
        if isinstance(lease, NotDue):
            continue
        took = True
        if isinstance(tell_all(turn, lease), Parked):
            return None
    return took
