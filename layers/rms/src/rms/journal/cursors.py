"""Cursors: how far each endpoint has heard each aggregate. Delivering is reading the journal after the cursor.

A cursor that has nothing to tell is idle: no `due_at`, not in the `due` index. One with something to tell has
`due_at`: now, the end of the lease of whoever is telling, or the next try. One that stands still keeps `due_at` but
under a shard that the sweeper does not read: `stalled`, after the last try of the schedule, until somebody replays;
`parked`, while the endpoint itself takes nothing, until one of its lanes comes by.

In `listing` each cursor stands under its endpoint, with the time of its newest event: apart those that wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from rms.journal.events import Event, maybe_text, number
from rms.journal.hearing import may_want
from rms.journal.keys import (
    AggregateId,
    due_shard,
    parked_shard,
    quiet_listing,
    stalled_shard,
    waiting_listing,
)
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import EventFilter
from rms.platform.table import (
    NEW,
    Absent,
    AbsentOr,
    AtMost,
    Check,
    ConditionFailedError,
    Equals,
    Expect,
    Item,
    Put,
    Table,
    TableContendedError,
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
    kind: EndpointKind = EndpointKind.NOTIFICATION

    def may_want(self, of: str, event: Event) -> bool:
        """Whether it must hear of this event of an aggregate of the kind `of`, as far as the event itself tells."""
        return may_want(self.kind, self.filter, of, event)


LEASE: Final = timedelta(seconds=90)
"""Longer than the delivering function may run, so that a lease that ran out belongs to nobody alive."""

CLOCK_SKEW: Final = timedelta(seconds=2)
"""How far the clocks of two environments may differ; shorter than the first retry."""

ROUNDS: Final = 10
"""How often a change starts over when others change the same cursor."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to tell one endpoint about one aggregate, until `until`.

    `acked` is the last sequence number the endpoint acknowledged, `head` the last one it must hear, `attempts` the
    failed tries at the event in hand, `tries` all tries ever. What RMS heard before `since` (stored form) is not the
    endpoint's business: it had not been registered yet. `again` are events to tell once more before anything else.
    `waiting_since` (stored form) is when the oldest untold event was learned, and `kind` the endpoint's, as far as the
    row knows.
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
    again: tuple[int, ...] = ()
    waiting_since: str = ""
    kind: EndpointKind = EndpointKind.NOTIFICATION
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NotDue:
    """Nothing to do now: told already, leased by somebody else, waiting for its next try, or standing still."""

    reason: str


class LeaseLostError(Exception):
    """Somebody else holds the cursor now, or it was replayed meanwhile. Stop telling; they go on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try came to, as operators and clients see it.

    `learned_at` is when RMS learned of the event, so that `at` less this is how late the try was. `message` is its
    `webhook-id`, `notification` the type that it told. `expires_at` (epoch seconds) lets the table forget it; one
    without is kept.
    """

    sequence: int
    at: datetime
    outcome: str
    status: int | None
    elapsed_ms: int
    answer: str
    expires_at: int | None
    learned_at: datetime
    notification: str = ""
    message: str = ""

    def item(self, fence: str) -> Item:
        """As stored."""
        return {
            "sequence": self.sequence,
            "at": to_text(self.at),
            "learned_at": to_text(self.learned_at),
            "notification": self.notification,
            "message": self.message,
            "outcome": self.outcome,
            "elapsed_ms": self.elapsed_ms,
            "answer": self.answer,
            "fence": fence,
            **({"expires_at": self.expires_at} if self.expires_at is not None else {}),
            **({"status": self.status} if self.status is not None else {}),
        }


def again_of(row: Item) -> tuple[int, ...]:
    """The events that a cursor's row says are to be told once more, before anything else."""
    return _numbers(maybe_text(row, "again"))


IN_LINE: Final = "waits for its turn at the endpoint"
"""Why a cursor is parked that nothing has gone wrong with, since its last try: it goes on with its schedule."""

_IDLE: Final = ("fence", "due_at", "due_shard", "reason", "waiting_since")
"""What a cursor that has nothing to tell does not have."""


class Cursors:
    """The cursors of all endpoints."""

    def __init__(self, table: Table, clock: Callable[[], datetime], fences: Callable[[], str]) -> None:
        self._table = table
        self._clock = clock
        self._fences = fences

    # ── who tells ───────────────────────────────────────────────────────────────────

    def lease(self, aggregate: AggregateId, endpoint: str) -> Lease | NotDue:
        """Take the cursor if it is due; of many who ask, one gets it."""
        due = AtMost(to_text(self._clock() + CLOCK_SKEW))
        return self._take(aggregate, endpoint, {"due_shard": Equals(due_shard(aggregate.pk)), "due_at": due}, {})

    def lease_parked(self, aggregate: AggregateId, endpoint: str) -> Lease | NotDue:
        """Take the cursor if it is parked; of many who ask, one gets it. After an outage the schedule starts anew."""
        shard = parked_shard(aggregate.client, endpoint)
        # From now on the sweeper sees it: should we die, it finds the cursor when the lease has run out.
        change: dict[str, Value] = {"due_shard": due_shard(aggregate.pk)}
        taken = self._take(aggregate, endpoint, {"due_shard": Equals(shard)}, change)
        return taken if isinstance(taken, NotDue) or taken.reason == IN_LINE else replace(taken, attempts=0)

    def _take(self, aggregate: AggregateId, endpoint: str, expect: Expect, change: dict[str, Value]) -> Lease | NotDue:
        fence, until = self._fences(), self._clock() + LEASE
        key = aggregate.cursor(endpoint)
        try:
            row = self._table.write(Update(key, expect, set={**change, "fence": fence, "due_at": to_text(until)}))
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
            again=again_of(row),
            waiting_since=maybe_text(row, "waiting_since") or "",
            kind=EndpointKind(maybe_text(row, "kind") or EndpointKind.NOTIFICATION),
            reason=maybe_text(row, "reason"),
        )

    # ── what came of it ─────────────────────────────────────────────────────────────

    def told(self, lease: Lease, attempt: Attempt) -> Lease | None:
        """The endpoint acknowledged `attempt.sequence`: move on. None when that was the last it must hear.

        Raises:
            LeaseLostError: see there.
        """
        once_more = attempt.sequence in lease.again[:1]
        again = lease.again[1:] if once_more else lease.again
        acked = lease.acked if once_more else attempt.sequence
        change: dict[str, Value] = {"acked": acked, **({"again": _text(again)} if again else {})}
        gone = ("again",) if once_more and not again else ()
        head = lease.head
        if acked >= head and not again:
            quiet = quiet_listing(lease.aggregate.client, lease.endpoint)
            newer = self._move(lease, attempt, {**change, "listing_pk": quiet}, (*_IDLE, *gone), head)
            if newer is None:
                return None
            head = newer
        # More to tell, or more came while we were telling: keep the lease.
        self._move(lease, attempt, change, ("reason", *gone), None)
        return replace(lease, acked=acked, head=head, attempts=0, tries=lease.tries + 1, again=again)

    def refused(self, lease: Lease, attempt: Attempt, *, again_at: datetime) -> None:
        """The try failed: give the lease back and become due again later.

        Raises:
            LeaseLostError: see there.
        """
        self._end(lease, attempt, {"due_at": to_text(again_at)})

    def stall(self, lease: Lease, attempt: Attempt) -> None:
        """The schedule is used up: stand still and say why, until somebody replays.

        Raises:
            LeaseLostError: see there.
        """
        shard = stalled_shard(lease.aggregate.client, lease.endpoint)
        self._end(lease, attempt, {"due_shard": shard, "due_at": to_text(attempt.at)})

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

    def park(self, lease: Lease, *, reason: str, attempt: Attempt | None, still: Check) -> bool:
        """The endpoint takes nothing now: wait for it, among its others those first that have waited longest.

        `attempt` is the try that it refused, if there was one. False, and nothing is written, when `still` does not
        hold: the endpoint takes again, and nobody would come for what is parked after that.

        Raises:
            LeaseLostError: see there.
        """
        client, endpoint = lease.aggregate.client, lease.endpoint
        waiting_since = lease.waiting_since or to_text(self._clock())
        change: dict[str, Value] = {
            "due_shard": parked_shard(client, endpoint),
            "due_at": waiting_since,
            "waiting_since": waiting_since,
            "listing_pk": waiting_listing(client, endpoint),
            "reason": reason,
            "attempts": lease.attempts + (attempt is not None),
            "tries": lease.tries + (attempt is not None),
            "acked": lease.acked,
            **({"tried": attempt.sequence} if attempt is not None else {}),
        }
        writes: list[Write] = [
            still,
            Update(
                lease.aggregate.cursor(endpoint),
                expect={"fence": Equals(lease.fence)},
                set=change,
                remove=("fence",),
            ),
        ]
        if attempt is not None:
            key = lease.aggregate.attempt(endpoint, attempt.sequence, lease.tries)
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
                    set={"acked": lease.head, "listing_pk": quiet_listing(lease.aggregate.client, lease.endpoint)},
                    remove=(*_IDLE, "again"),
                )
            )
        except ConditionFailedError as failed:
            row = failed.current(0)
            if row is None or row.get("fence") != lease.fence:
                raise LeaseLostError from failed
            return replace(lease, acked=lease.head, head=number(row, "head"), again=())
        return None

    # ── what people ask for ─────────────────────────────────────────────────────────

    def replay(self, aggregate: AggregateId, endpoint: str, *, after: int, last: int) -> None:
        """Tell the endpoint everything after this sequence number, again or for the first time, at once.

        `last` is the last number in the journal, for an endpoint that has no cursor yet. A lease that somebody holds
        is broken: two tellers at once would move the cursor past what is replayed.
        """
        self._table.write(
            Update(
                aggregate.cursor(endpoint),
                expect={"endpoint": AbsentOr(Equals(endpoint))},
                set={**self._due_now(aggregate, endpoint), "acked": after},
                set_if_absent={
                    **self._unknown_yet(aggregate, endpoint, last),
                    "waiting_since": to_text(self._clock()),
                },
                remove=("fence", "reason", "since", "again"),
            )
        )

    def replay_parked(  # noqa: PLR0913 - what was read, and what goes with it
        self,
        aggregate: AggregateId,
        endpoint: str,
        *,
        row: Item,
        after: int,
        mark: str,
        still: Check,
        also: Sequence[Write] = (),
    ) -> bool:
        """As `replay`, but for one of many: park the cursor, so that the endpoint's lanes come by in their own time.

        `row` is the cursor as it was read; `mark` names the replay, so that what it has moved is known. `also` goes
        into the same transaction. False, and nothing is written, when the cursor has changed since, or when `still`
        or what `also` expects does not hold.
        """
        since = to_text(self._clock())
        change: dict[str, Value] = {
            "acked": after,
            "attempts": 0,
            "due_shard": parked_shard(aggregate.client, endpoint),
            "due_at": since,
            "listing_pk": waiting_listing(aggregate.client, endpoint),
            "replayed_by": mark,
        }
        as_read = {
            "acked": Equals(number(row, "acked")),
            "tries": Equals(number(row, "tries")),
            "replayed_by": _same(maybe_text(row, "replayed_by")),
        }
        writes: tuple[Write, ...] = (
            still,
            Update(
                aggregate.cursor(endpoint),
                expect=as_read,
                set=change,
                set_if_absent={"waiting_since": since},
                remove=("fence", "reason", "since"),
            ),
            *also,
        )
        try:
            self._table.transact(writes)
        except ConditionFailedError as failed:
            there = failed.current(1)
            return there is not None and there.get("replayed_by") == mark  # the reply to our first try was lost
        return True

    def tell_again(self, aggregate: AggregateId, endpoint: str, sequence: int, *, last: int) -> None:
        """Tell the endpoint one event once more, before anything else; what it is owed besides stays as it is.

        `last` is the last number in the journal, for an endpoint that has no cursor yet: that one is owed nothing.

        Raises:
            TableContendedError: others kept changing the cursor; nothing was written.
        """
        key = aggregate.cursor(endpoint)
        row = self._table.get(key)
        for _ in range(ROUNDS):
            before = maybe_text(row, "again") if row is not None else None
            wanted = tuple(sorted({*_numbers(before), sequence}))
            try:
                self._table.write(
                    Update(
                        key,
                        expect={"endpoint": AbsentOr(Equals(endpoint)), "again": _same(before)},
                        set={**self._due_now(aggregate, endpoint), "again": _text(wanted)},
                        set_if_absent={
                            **self._unknown_yet(aggregate, endpoint, last),
                            "acked": last,
                            "waiting_since": to_text(self._clock()),
                        },
                        remove=("fence", "reason"),
                    )
                )
            except ConditionFailedError as failed:
                row = failed.current(0)
            else:
                return
        raise TableContendedError(endpoint)

    def pass_over(self, aggregate: AggregateId, endpoint: str, row: Item, attempt: Attempt, fence: str) -> bool:
        """Never tell the event in hand, `attempt.sequence`; `attempt` says who decided so. What is behind it is due.

        `row` is the cursor as it was read. False, and nothing is written, when it has changed since.
        """
        tries, before = number(row, "tries"), maybe_text(row, "again")
        once_more = again_of(row)
        again = once_more[1:] if attempt.sequence in once_more[:1] else once_more
        change: dict[str, Value] = {
            **self._due_now(aggregate, endpoint),
            "tries": tries + 1,
            "tried": attempt.sequence,
            **({"acked": attempt.sequence} if again == once_more else {}),
            **({"again": _text(again)} if again else {}),
        }
        writes = (
            Put(aggregate.attempt(endpoint, attempt.sequence, tries), attempt.item(fence), NEW),
            Update(
                aggregate.cursor(endpoint),
                expect={"acked": Equals(number(row, "acked")), "tries": Equals(tries), "again": _same(before)},
                set=change,
                remove=("fence", "reason", "waiting_since", *(() if again else ("again",))),
            ),
        )
        try:
            self._table.transact(writes)
        except ConditionFailedError as failed:
            kept = failed.current(0)
            return kept is not None and kept.get("fence") == fence  # the reply to our first try was lost
        return True

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _due_now(self, aggregate: AggregateId, endpoint: str) -> dict[str, Value]:
        now = to_text(self._clock())
        return {"endpoint": endpoint, "attempts": 0, "due_at": now, "due_shard": due_shard(aggregate.pk)}

    def _unknown_yet(self, aggregate: AggregateId, endpoint: str, last: int) -> dict[str, Value]:
        """What a cursor gets that nobody has made yet."""
        listed = {"listing_pk": quiet_listing(aggregate.client, endpoint), "listing_sk": to_text(self._clock())}
        return {"head": last, "tries": 0, **listed}

    def _end(self, lease: Lease, attempt: Attempt, change: dict[str, Value]) -> None:
        waits: dict[str, Value] = {
            "reason": attempt.outcome,
            "waiting_since": to_text(attempt.learned_at),
            "listing_pk": waiting_listing(lease.aggregate.client, lease.endpoint),
        }
        self._move(lease, attempt, {**waits, **change, "attempts": lease.attempts + 1}, ("fence",), None)

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
                set={"attempts": 0, **change, "tries": lease.tries + 1, "tried": attempt.sequence},
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


def _numbers(stored: str | None) -> tuple[int, ...]:
    """Sequence numbers as `_text` stored them."""
    return tuple(int(each) for each in stored.split(",")) if stored else ()


def _text(numbers: Sequence[int]) -> str:
    """Sequence numbers as text, which a condition can compare."""
    return ",".join(map(str, numbers))


def _same(value: str | None) -> Equals | Absent:
    """The attribute is as it was read."""
    return Absent() if value is None else Equals(value)
