"""The journal of an aggregate: nothing happens to a return or a parcel except by appending an event here.

One conditional transaction writes the event, the mark that it has been seen, the STATUS row (whose `sequence` is
the optimistic version) and the cursors of everybody who must hear of it. See docs/adr, "A journal per aggregate".
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rms.journal.cursors import Reader
from rms.journal.events import Event, RecordedEvent, from_item, number, to_item
from rms.journal.keys import AggregateId, due_shard, quiet_listing
from rms.model.endpoint_kind import EndpointKind
from rms.platform.table import (
    NEW,
    AbsentOr,
    ConditionFailedError,
    Equals,
    Item,
    LessThan,
    Put,
    Table,
    TableContendedError,
    Update,
    Value,
    Write,
)
from rms.platform.times import to_text

type Change = Callable[[Item], Mapping[str, Value]]
"""From the STATUS row as it stands to the attributes that the event sets on it."""

type Happening = Event | Callable[[Item], Event]
"""An event; or what makes it from the STATUS row as it stands, where that decides whether somebody must hear of it.
Its id does not depend on the row."""

ROUNDS: Final = 24
"""How often an append starts over when others write the same aggregate."""


@dataclass(frozen=True, slots=True)
class Created:
    """The aggregate did not exist and now does, with its first event, of which `readers` must hear."""

    readers: tuple[Reader, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Exists:
    """The aggregate was there already; `document` is its DOCUMENT row."""

    document: Item


@dataclass(frozen=True, slots=True)
class Appended:
    """The event is in the journal at this place, and `readers` must hear of it."""

    sequence: int
    readers: tuple[Reader, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The event was in the journal already. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """One of the caller's own writes was refused, so nothing was written.

    `index` counts in the caller's writes; `current` is that row as it stands.
    """

    index: int
    current: Item | None


class NoAggregateError(Exception):
    """There is no such aggregate. A STATUS row is written with the first event and never removed."""


class Journal:
    """Aggregates and their events in the table."""

    def __init__(
        self,
        table: Table,
        clock: Callable[[], datetime],
        fences: Callable[[], str],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._clock = clock
        self._fences = fences
        self._pause = pause

    def create(
        self,
        aggregate: AggregateId,
        document: Item,
        status: Mapping[str, Value],
        first: Event,
        *,
        readers: Sequence[Reader] = (),
        also: Sequence[Write] = (),
    ) -> Created | Exists | Blocked:
        """Write a new aggregate with its first event, or say what is there.

        `readers` are the endpoints that hear of the client's events: those that want this one are marked, and named in
        the answer. `also` goes into the same transaction.

        Raises:
            TableContendedError, TableUnavailableError: nothing is known to be written; call again.
        """
        fence = self._fences()
        marked = _who_may_want(aggregate, first, readers)
        writes: list[Write] = [
            Put(aggregate.document, {**document, "fence": fence}, NEW),
            Put(aggregate.status, {**status, "sequence": 1}, NEW),
            Put(aggregate.event(1), to_item(first, 1, fence), NEW),
            Put(aggregate.seen(first.event_id), {"sequence": 1, "fence": fence}, NEW),
            *self._marks(aggregate, 1, marked),
        ]
        own = len(writes)
        try:
            self._table.transact([*writes, *also])
        except ConditionFailedError as failed:
            there = failed.current(0)
            if there is not None:
                # Ours, when the reply to a first try was lost and the client tried again by itself.
                return Created(marked) if there.get("fence") == fence else Exists(there)
            return _blocked(failed, own)
        return Created(marked)

    def append(
        self,
        aggregate: AggregateId,
        happening: Happening,
        change: Change,
        *,
        readers: Sequence[Reader] = (),
        also: Sequence[Write] = (),
        status: Item | None = None,
    ) -> Appended | Duplicate | Blocked:
        """Append an event, whoever else is writing; the same event again is a Duplicate.

        `status` is the STATUS row, when the caller knows how it stands, and saves a read. Should it be out of date,
        the event is refused once and appended to the row as it is.

        Raises:
            NoAggregateError: see there.
            TableContendedError: others kept writing through every round; nothing was written.
            TableUnavailableError: an event may have been written; appending it again is safe.
        """
        status = status or self._table.get(aggregate.status)
        for round_number in range(ROUNDS):
            if status is None:
                raise NoAggregateError
            fence = self._fences()
            sequence = number(status, "sequence") + 1
            event = happening(status) if callable(happening) else happening
            marked = _who_may_want(aggregate, event, readers)
            writes: list[Write] = [
                Put(aggregate.seen(event.event_id), {"sequence": sequence, "fence": fence}, NEW),
                Put(aggregate.event(sequence), to_item(event, sequence, fence), NEW),
                Update(
                    aggregate.status,
                    expect={"sequence": Equals(sequence - 1)},
                    set={**change(status), "sequence": sequence},
                ),
                *self._marks(aggregate, sequence, marked),
            ]
            try:
                self._table.transact([*writes, *also])
            except ConditionFailedError as failed:
                seen = failed.current(0)
                if seen is not None:
                    # Its fence is ours when the reply was lost; otherwise somebody told us the same news before.
                    ours = seen.get("fence") == fence
                    return Appended(number(seen, "sequence"), marked) if ours else Duplicate()
                if not (failed.refused(1) or failed.refused(2)):
                    return _blocked(failed, len(writes))
                # Another event took our place: start over from the row as it stands, which came with the refusal.
                status = failed.current(2) or self._table.get(aggregate.status)
            except TableContendedError:
                status = self._table.get(aggregate.status)
            else:
                return Appended(sequence, marked)
            self._pause(random.uniform(0, 0.02 * min(round_number + 1, 10)))  # noqa: S311 - jitter, not a secret
        raise TableContendedError(aggregate.kind)

    def status(self, aggregate: AggregateId) -> Item | None:
        """The STATUS row, or None when there is no such aggregate."""
        return self._table.get(aggregate.status)

    def events(self, aggregate: AggregateId, *, after: int = 0, limit: int = 100) -> Sequence[RecordedEvent]:
        """Events with a sequence above `after`, in order, at most 100."""
        last = min(after + limit, after + 100)
        rows = self._table.get_many([aggregate.event(sequence) for sequence in range(after + 1, last + 1)])
        return [from_item(rows[key]) for key in sorted(rows)]

    def history(self, aggregate: AggregateId) -> Sequence[RecordedEvent]:
        """All its events, in order. For who needs the whole journal at once: one call for up to 1 MB."""
        page = self._table.query(aggregate.pk, prefix="EVENT#", limit=1000)
        rows = list(page.items)
        while page.next is not None:
            page = self._table.query(aggregate.pk, prefix="EVENT#", after=page.next, limit=1000)
            rows.extend(page.items)
        return [from_item(row) for row in rows]

    def _marks(self, aggregate: AggregateId, sequence: int, readers: Sequence[Reader]) -> list[Write]:
        """Make the readers' cursors due: those that are idle now; one that is waiting, leased or stalled stays so."""
        now = to_text(self._clock())
        return [
            Update(
                aggregate.cursor(reader.endpoint),
                expect={"head": AbsentOr(LessThan(sequence))},
                set={"head": sequence, "endpoint": reader.endpoint, "listing_sk": now, **_kind(reader)},
                set_if_absent={
                    "listing_pk": quiet_listing(aggregate.client, reader.endpoint),
                    "waiting_since": now,
                    "since": reader.since,
                    "acked": 0,
                    "attempts": 0,
                    "tries": 0,
                    "due_at": now,
                    "due_shard": due_shard(aggregate.pk),
                },
            )
            for reader in readers
        ]


def _who_may_want(aggregate: AggregateId, event: Event, readers: Sequence[Reader]) -> tuple[Reader, ...]:
    """The readers that must hear of an event. What their filters say of the order itself is asked when it is told."""
    return tuple(reader for reader in readers if reader.may_want(aggregate.kind, event))


def _kind(reader: Reader) -> dict[str, Value]:
    """What the cursor of an endpoint for anything but notifications says, so that who tells it knows what to read."""
    return {} if reader.kind is EndpointKind.NOTIFICATION else {"kind": reader.kind.value}


def _blocked(failed: ConditionFailedError, own: int) -> Blocked:
    """Which of the caller's writes was refused, counted from the caller's first."""
    refusal = next(refusal for refusal in failed.refusals if refusal.index >= own)
    return Blocked(refusal.index - own, refusal.current)
