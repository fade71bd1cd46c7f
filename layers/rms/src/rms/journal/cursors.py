"""Cursors: how far each endpoint has heard each aggregate. Delivering is reading the journal after the cursor.

A cursor that has nothing to tell is idle: no `due_at`, not in the `due` index. One with something to tell has
`due_at`: now, the end of the lease of whoever is telling, or the next try. One that stands still (stalled, or its
endpoint is disabled) keeps `due_at` but under a shard that the sweeper does not read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from rms.journal.events import Event, maybe_text, number, text
from rms.journal.keys import AggregateId, due_shard
from rms.model.event_filter import EventFilter
from rms.platform.table import (
    NEW,
    AbsentOr,
    AtMost,
    Check,
    ConditionFailedError,
    Equals,
    Item,
    Key,
    Put,
    Table,
    Update,
    Value,
    Write,
)
from rms.platform.times import to_text


@dataclass(frozen=True, slots=True)
class Reader:
    """An endpoint that hears of events, and since when it is registered (stored form). Without a filter, of all."""

    endpoint: str
    since: str
    filter: EventFilter | None = None

    def may_want(self, kind: str, event: Event) -> bool:
        """Whether it must hear of this event of an aggregate of that kind, as far as the event itself tells."""
        if event.notification is None:
            return False
        aggregator = maybe_text(event.facts, "aggregator")
        return self.filter is None or self.filter.may_want(kind, event.notification, aggregator)


LEASE: Final = timedelta(seconds=90)
"""Longer than the delivering function may run, so that a lease that ran out belongs to nobody alive."""

CLOCK_SKEW: Final = timedelta(seconds=2)
"""How far the clocks of two environments may differ; shorter than the first retry."""

RELEASED_AT_ONCE: Final = 500
"""Parked cursors that one call releases at most: a few seconds of writes."""

STALLED: Final = "stalled"
"""Shard of cursors that gave up, one for all clients: the index lists them for operators."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to tell one endpoint about one aggregate, until `until`.

    `acked` is the last sequence number the endpoint acknowledged, `head` the last one it must hear, `attempts` the
    failed tries at the event in hand, `tries` all tries ever. What RMS heard before `since` (stored form) is not the
    endpoint's business: it had not been registered yet.
    """

    aggregate: AggregateId
    endpoint: str
    fence: str
    until: datetime
    acked: int
    head: int
    attempts: int
    tries: int
    since: str = ""


@dataclass(frozen=True, slots=True)
class NotDue:
    """Nothing to do now: told already, leased by somebody else, waiting for its next try, or standing still."""

    reason: str


class LeaseLostError(Exception):
    """Somebody else holds the cursor now, or it was replayed meanwhile. Stop telling; they go on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try came to, as operators and clients see it."""

    sequence: int
    at: datetime
    outcome: str
    status: int | None
    elapsed_ms: int
    answer: str
    expires_at: int

    def item(self, fence: str) -> Item:
        """As stored; `expires_at` (epoch seconds) lets the table forget it."""
        return {
            "sequence": self.sequence,
            "at": to_text(self.at),
            "outcome": self.outcome,
            "elapsed_ms": self.elapsed_ms,
            "answer": self.answer,
            "expires_at": self.expires_at,
            "fence": fence,
            **({"status": self.status} if self.status is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class Released:
    """How many parked cursors are due again, and whether more are waiting for the next call."""

    cursors: int
    more: bool


class Cursors:
    """The cursors of all endpoints."""

    def __init__(self, table: Table, clock: Callable[[], datetime], fences: Callable[[], str]) -> None:
        self._table = table
        self._clock = clock
        self._fences = fences

    def lease(self, aggregate: AggregateId, endpoint: str) -> Lease | NotDue:
        """Take the cursor if it is due; of many who ask, one gets it."""
        now = self._clock()
        fence, until = self._fences(), now + LEASE
        try:
            row = self._table.write(
                Update(
                    aggregate.cursor(endpoint),
                    expect={
                        "due_shard": Equals(due_shard(aggregate.pk)),
                        "due_at": AtMost(to_text(now + CLOCK_SKEW)),
                    },
                    set={"fence": fence, "due_at": to_text(until)},
                )
            )
        except ConditionFailedError as failed:
            row_now = failed.current(0)
            if row_now is None or row_now.get("fence") != fence:
                return NotDue(_why_not(row_now))
            row = row_now  # ours: the reply to the first try was lost
        return Lease(
            aggregate=aggregate,
            endpoint=endpoint,
            fence=fence,
            until=until,
            acked=number(row, "acked"),
            head=number(row, "head"),
            attempts=number(row, "attempts"),
            tries=number(row, "tries"),
            since=maybe_text(row, "since") or "",
        )

    def told(self, lease: Lease, attempt: Attempt) -> Lease | None:
        """The endpoint acknowledged `attempt.sequence`: move on. None when that was the last it must hear.

        Raises:
            LeaseLostError: see there.
        """
        sequence = attempt.sequence
        if sequence >= lease.head:
            head = self._move(lease, attempt, {"acked": sequence}, ("fence", "due_at", "due_shard", "reason"), sequence)
            if head is None:
                return None
        else:
            head = lease.head
        # More to tell, or more came while we were telling: keep the lease.
        self._move(lease, attempt, {"acked": sequence}, ("reason",), None)
        return replace(lease, acked=sequence, head=head, attempts=0, tries=lease.tries + 1)

    def refused(self, lease: Lease, attempt: Attempt, *, again_at: datetime) -> None:
        """The try failed: give the lease back and become due again later.

        Raises:
            LeaseLostError: see there.
        """
        self._end(lease, attempt, {"due_at": to_text(again_at), "reason": attempt.outcome})

    def stall(self, lease: Lease, attempt: Attempt) -> None:
        """The schedule is used up: stand still and say why, until somebody replays.

        Raises:
            LeaseLostError: see there.
        """
        now = to_text(attempt.at)
        self._end(lease, attempt, {"due_shard": STALLED, "due_at": now, "reason": attempt.outcome})

    def release(self, lease: Lease, *, acked: int) -> None:
        """Give the lease back without a try, due at once.

        Raises:
            LeaseLostError: see there.
        """
        now = to_text(self._clock())
        try:
            self._table.write(
                Update(
                    lease.aggregate.cursor(lease.endpoint),
                    expect={"fence": Equals(lease.fence)},
                    set={"acked": acked, "due_at": now},
                    remove=("fence",),
                )
            )
        except ConditionFailedError as failed:
            raise LeaseLostError from failed

    def park(self, lease: Lease, shard: str, *, reason: str, attempt: Attempt | None, still: Check) -> bool:
        """The endpoint wants no more: wait under its own shard until it is enabled again.

        `attempt` is the try that it refused, if there was one. False, and nothing is written, when `still` does not
        hold: the endpoint was enabled meanwhile, and nobody would release what is parked after that.

        Raises:
            LeaseLostError: see there.
        """
        change: dict[str, Value] = {
            "due_shard": shard,
            "due_at": to_text(self._clock()),
            "reason": reason,
            "attempts": lease.attempts + (attempt is not None),
            "tries": lease.tries + (attempt is not None),
        }
        writes: list[Write] = [
            still,
            Update(
                lease.aggregate.cursor(lease.endpoint),
                expect={"fence": Equals(lease.fence)},
                set=change,
                remove=("fence",),
            ),
        ]
        if attempt is not None:
            key = lease.aggregate.attempt(lease.endpoint, attempt.sequence, lease.tries)
            writes.append(Put(key, attempt.item(lease.fence), NEW))
        try:
            self._table.transact(writes)
        except ConditionFailedError as failed:
            kept = failed.current(2)
            if kept is not None and kept.get("fence") == lease.fence:
                return True  # ours: the reply to the first try was lost
            if failed.refused(1):
                raise LeaseLostError from failed
            return False
        return True

    def unpark(self, shard: str) -> Released:
        """Make the cursors that wait under a shard due again, those first that have waited longest.

        At most RELEASED_AT_ONCE, so that a call ends in good time; what a broken call leaves, the next one finds. The
        index shows a cursor a moment after it was parked.
        """
        after: str | None = None
        released = 0
        until = to_text(self._clock() + CLOCK_SKEW)
        while released < RELEASED_AT_ONCE:
            page = self._table.query_due(shard, until=until, after=after, limit=100)
            for row in page.items:
                released += self._unpark(Key(text(row, "PK"), text(row, "SK")), shard)
            after = page.next
            if after is None:
                break
        return Released(released, after is not None)

    def _unpark(self, key: Key, shard: str) -> bool:
        try:
            self._table.write(
                Update(
                    key,
                    expect={"due_shard": Equals(shard)},
                    # Its old time stands: the sweeper goes by it, so the longest waiting come first.
                    set={"due_shard": due_shard(key.pk), "attempts": 0},
                    remove=("reason",),
                )
            )
        except ConditionFailedError:
            return False  # replayed meanwhile, or released by this very write, whose reply was lost
        return True

    def skip(self, lease: Lease) -> Lease | None:
        """Nothing up to the head is this endpoint's business: fall idle (None), or go on to what came meanwhile.

        Raises:
            LeaseLostError: see there.
        """
        try:
            self._table.write(
                Update(
                    lease.aggregate.cursor(lease.endpoint),
                    expect={"fence": Equals(lease.fence), "head": Equals(lease.head)},
                    set={"acked": lease.head},
                    remove=("fence", "due_at", "due_shard", "reason"),
                )
            )
        except ConditionFailedError as failed:
            row = failed.current(0)
            if row is None or row.get("fence") != lease.fence:
                raise LeaseLostError from failed
            return replace(lease, acked=lease.head, head=number(row, "head"))
        return None

    def replay(self, aggregate: AggregateId, endpoint: str, *, after: int, last: int) -> None:
        """Tell the endpoint everything after this sequence number, again or for the first time, at once.

        `last` is the last number in the journal, for an endpoint that has no cursor yet. A lease that somebody holds
        is broken: two tellers at once would move the cursor past what is replayed.
        """
        self._table.write(
            Update(
                aggregate.cursor(endpoint),
                expect={"endpoint": AbsentOr(Equals(endpoint))},
                set={
                    "endpoint": endpoint,
                    "acked": after,
                    "attempts": 0,
                    "due_at": to_text(self._clock()),
                    "due_shard": due_shard(aggregate.pk),
                },
                set_if_absent={"head": last, "tries": 0},
                remove=("fence", "reason", "since"),
            )
        )

    def _end(self, lease: Lease, attempt: Attempt, change: dict[str, Value]) -> None:
        self._move(lease, attempt, {**change, "attempts": lease.attempts + 1}, ("fence",), None)

    def _move(
        self,
        lease: Lease,
        attempt: Attempt,
        change: dict[str, Value],
        remove: Sequence[str],
        last: int | None,
    ) -> int | None:
        """Keep the attempt and change the cursor, or neither. With `last`, only while that is the head.

        Answers None when it is done, or the new head when `last` is no longer it.
        """
        writes = (
            Put(lease.aggregate.attempt(lease.endpoint, attempt.sequence, lease.tries), attempt.item(lease.fence), NEW),
            Update(
                lease.aggregate.cursor(lease.endpoint),
                expect={"fence": Equals(lease.fence), **({"head": Equals(last)} if last is not None else {})},
                set={"attempts": 0, **change, "tries": lease.tries + 1},
                remove=remove,
            ),
        )
        try:
            self._table.transact(writes)
        except ConditionFailedError as failed:
            kept = failed.current(0)
            if kept is not None and kept.get("fence") == lease.fence:
                return None  # ours: the reply to the first try was lost
            cursor = failed.current(1)
            if cursor is not None and cursor.get("fence") == lease.fence and last is not None:
                return number(cursor, "head")
            raise LeaseLostError from failed
        return None


def _why_not(row: Item | None) -> str:
    if row is None:
        return "no cursor"
    if maybe_text(row, "due_at") is None:
        return "nothing to tell"
    return "leased" if "fence" in row else "not due yet"
