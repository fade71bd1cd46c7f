"""Replays: tell an endpoint everything that RMS heard since a time, once more, however many orders that are.

A replay is a row that is due until it is done. Who works on it walks the endpoint's cursors in `listing`, those that
wait and then the quiet ones, oldest news first, and parks each that has told something since then at the place where
that begins; the endpoint's lanes tell it in their own time. A cursor that changes sides behind the walker's back is
met by another round over both: the replay is done when a round finds nothing more.

Each cursor is moved in one transaction with the count of it, under the replay's name: none is moved twice, and nothing
is moved any more once the replay is cancelled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import batched
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from
from rms.core import Core
from rms.journal import AggregateId, RecordedEvent
from rms.journal.cursors import CLOCK_SKEW, LEASE
from rms.journal.events import from_item, maybe_text, number, text
from rms.journal.keys import (
    aggregate_of,
    due_shard,
    endpoint_key,
    health_key,
    quiet_listing,
    replay_key,
    replaying_key,
    waiting_listing,
)
from rms.notifications.health import Health, health_of, queue_up
from rms.notifications.owed import is_told
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.observability import logger
from rms.platform.table import (
    NEW,
    AtMost,
    ConditionFailedError,
    Delete,
    Equals,
    Expect,
    Item,
    Key,
    Put,
    Update,
    Value,
)
from rms.platform.times import from_text, to_text
from rms.shipments.wake import wake_endpoint, wake_replay

AT_ONCE: Final = 25
"""Cursors that are read at a time."""

EVENTS_AT_ONCE: Final = 100
"""Events that are read at a time."""

STEP: Final = timedelta(seconds=20)
"""How long one step goes on before it lets others have the function."""

KEPT: Final = timedelta(days=30)
"""How long a replay that has ended can be looked up."""

TRIES: Final = 5
"""How often moving a cursor starts over when others change it; after that the next round comes by."""


class State(StrEnum):
    """How a replay stands."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as its row says.

    `looked` counts the orders that the first round has passed, `replayed` those that were moved, `events` what they are
    told again. `found` is how many this round has moved, or could not; `after` where it stands in `side`.
    """

    client: str
    endpoint: str
    id: str
    state: State
    since: datetime
    started_at: datetime
    started_by: str
    finished_at: datetime | None = None
    round: int = 1
    side: str = "waiting"
    after: str | None = None
    looked: int = 0
    replayed: int = 0
    events: int = 0
    found: int = 0

    @property
    def key(self) -> Key:
        """Its row."""
        return replay_key(self.client, self.endpoint, self.id)

    @property
    def listing(self) -> str:
        """The partition that it walks now."""
        side = waiting_listing if self.side == "waiting" else quiet_listing
        return side(self.client, self.endpoint)

    def described(self) -> dict[str, str | int | None]:
        """As clients see it."""
        return {
            "endpoint": self.endpoint,
            "replayId": self.id,
            "state": self.state.value,
            "since": to_text(self.since),
            "startedAt": to_text(self.started_at),
            "startedBy": self.started_by,
            "finishedAt": to_text(self.finished_at) if self.finished_at else None,
            "ordersLookedAt": self.looked,
            "ordersReplayed": self.replayed,
            "eventsToTell": self.events,
        }


# ── what clients ask for ────────────────────────────────────────────────────────────


def start_replay(core: Core, client: str, endpoint: str, since: datetime, name: str | None, username: str) -> Replay:
    """Tell an endpoint everything once more that RMS has heard since a time; the replay goes on by itself.

    The same name again is the same replay, running or not; without a name, a running one since the same time is.

    Raises:
        NotFoundError: no such endpoint, or another client's.
        BadDataError: a time that is still to come.
        ConflictError: the name is that of another replay, or another one is running.
    """
    if core.table.get(endpoint_key(client, endpoint)) is None:
        raise NotFoundError("No such endpoint")
    now = core.clock()
    if since > now:
        raise BadDataError("[since: may not lie in the future]")
    key = replay_key(client, endpoint, name or core.fences())
    row: dict[str, Value] = {
        "state": State.RUNNING.value,
        "since": to_text(since),
        "started_at": to_text(now),
        "started_by": username,
        "round": 1,
        "side": "waiting",
        "looked": 0,
        "replayed": 0,
        "events": 0,
        "found": 0,
        "due_at": to_text(now),
        "due_shard": due_shard(key.pk),
    }
    replay = _replay(client, endpoint, {"PK": key.pk, "SK": key.sk, **row})
    running = replaying_key(client, endpoint)
    try:
        core.table.transact((Put(key, row, NEW), Put(running, {"replay": replay.id}, NEW)))
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None:
            there = _the_same(core, client, endpoint, failed.current(1), since, name)
        elif text(there, "since") != to_text(since):
            raise ConflictError("[replayId: is that of a replay since another time]") from failed
        replay = _replay(client, endpoint, there)
    if replay.state is State.RUNNING:
        wake_replay(core, client, endpoint, replay.id)
    return replay


def show_replay(core: Core, client: str, endpoint: str, name: str) -> Replay:
    """How far a replay is.

    Raises:
        NotFoundError: no such replay, or another client's, or one that ended long ago.
    """
    row = core.table.get(replay_key(client, endpoint, name))
    if row is None:
        raise NotFoundError("No such replay")
    return _replay(client, endpoint, row)


def cancel_replay(core: Core, client: str, endpoint: str, name: str) -> Replay:
    """Let a replay end where it is; what it has moved is told. One that has ended stays as it ended.

    Raises:
        NotFoundError: as `show_replay`.
    """
    replay = show_replay(core, client, endpoint, name)
    if replay.state is State.RUNNING:
        _end(core, replay, State.CANCELLED, {"state": Equals(State.RUNNING.value)})
    return show_replay(core, client, endpoint, name)


def _the_same(core: Core, client: str, endpoint: str, running: Item | None, since: datetime, name: str | None) -> Item:
    """The row of the replay that is running, if it is what is asked for.

    Raises:
        ConflictError: it is not.
    """
    other = text(running or {"replay": ""}, "replay")
    there = core.table.get(replay_key(client, endpoint, other)) if name is None else None
    if there is not None and text(there, "since") == to_text(since):
        return there
    raise ConflictError(f"[replayId: {other} is running; wait for it or cancel it]")


# ── working on one ──────────────────────────────────────────────────────────────────


def continue_replay(core: Core, client: str, endpoint_id: str, name: str) -> None:
    """Work on a replay for a while; of many who are asked to, one does. Sees to it that the rest is done as well.

    Raises:
        TableContendedError, TableUnavailableError: come back later; what was moved is known.
    """
    fence, started = core.fences(), core.clock()
    replay = _elect(core, client, endpoint_id, name, fence)
    if replay is None:
        return  # a named no-op: it has ended, or another is at it
    configured = core.table.get(endpoint_key(client, endpoint_id))
    if configured is None:
        _end(core, replay, State.CANCELLED, {"worker": Equals(fence)})
        return
    step = _Step(core, endpoint_from(configured), fence)
    ahead: Replay | None = replay
    while ahead is not None and core.clock() - started < STEP:
        ahead = step.page(ahead)
    if step.moved:
        wake_endpoint(core, client, endpoint_id)
    if ahead is not None and _give_back(core, ahead, fence):
        wake_replay(core, client, endpoint_id, name)


@dataclass(frozen=True, slots=True)
class _Back:
    """How far back a cursor goes: to the first event since then, and how many there are to tell from it on."""

    first: int
    events: int


class _NotOursError(Exception):
    """The replay has ended, or another worker is at it: stop."""


@dataclass(slots=True)
class _Step:
    """One worker's turn at a replay. `moved` says that the endpoint's lanes have something to tell."""

    core: Core
    endpoint: Endpoint
    fence: str
    health: Health | None = None
    moved: bool = False

    @property
    def ours(self) -> Expect:
        """What holds while the replay is this worker's."""
        return {"worker": Equals(self.fence), "state": Equals(State.RUNNING.value)}

    def page(self, replay: Replay) -> Replay | None:
        """Move the next cursors and keep the place; None when the replay has ended, or is no longer ours."""
        table, since = self.core.table, to_text(replay.since)
        page = table.query_listing(replay.listing, since=since, after=replay.after, limit=AT_ONCE, backwards=False)
        keys = [Key(text(row, "PK"), text(row, "SK")) for row in page.items]
        cursors = {aggregate_of(key.pk): row for key, row in (table.get_many(keys) if keys else {}).items()}
        found = 0
        try:
            for order, back in self._to_move(replay, cursors).items():
                found += self._move(replay, order, cursors[order], back)
            return self._keep_place(replay, page.next, len(keys), found)
        except _NotOursError:
            return None

    def _to_move(self, replay: Replay, cursors: Mapping[AggregateId, Item]) -> dict[AggregateId, _Back]:
        """The orders of which the endpoint was told something since, and that this replay has not moved."""
        told = {
            order: number(row, "acked")
            for order, row in cursors.items()
            if maybe_text(row, "replayed_by") != replay.id and number(row, "acked")
        }
        events: dict[AggregateId, list[RecordedEvent]] = {order: [] for order in told}
        keys = [order.event(sequence) for order, acked in told.items() for sequence in range(1, acked + 1)]
        for some in batched(keys, EVENTS_AT_ONCE, strict=False):
            for key, row in self.core.table.get_many(some).items():
                events[aggregate_of(key.pk)].append(from_item(row))
        documents: Mapping[Key, Item] = {}
        if self.endpoint.filter.locations and told:
            documents = self.core.table.get_many([order.document for order in told])
        backs = {
            order: self._back(replay, order, documents.get(order.document, {}), heard)
            for order, heard in events.items()
        }
        return {order: back for order, back in backs.items() if back is not None}

    def _back(self, replay: Replay, order: AggregateId, document: Item, heard: Sequence[RecordedEvent]) -> _Back | None:
        told = [recorded for recorded in heard if is_told(self.endpoint, order, document, recorded)]
        # What is heard once the replay has started is told anyway.
        since = [each.sequence for each in told if replay.since <= each.event.received_at <= replay.started_at]
        return _Back(min(since), sum(each.sequence >= min(since) for each in told)) if since else None

    def _move(self, replay: Replay, order: AggregateId, row: Item, back: _Back) -> int:
        """Move one cursor back; answers how many orders another round has to look for because of it."""
        core, endpoint = self.core, self.endpoint.id
        wanted: _Back | None = back
        for _ in range(TRIES):
            if wanted is None:
                return 0  # moved already, or there is nothing to tell again after all
            if self.health is None:
                key = health_key(order.client, endpoint)
                self.health = health_of(order.client, endpoint, core.table.get(key))
                queue_up(core, self.health)
            count = Update(replay.key, self.ours, add={"replayed": 1, "events": wanted.events, "found": 1})
            if core.cursors.replay_parked(
                order,
                endpoint,
                row=row,
                after=wanted.first - 1,
                mark=replay.id,
                still=self.health.still_queued,
                also=(count,),
            ):
                self.moved = True
                return 1
            # It has moved on, or the lanes have told all that was parked and are gone; or the replay is not ours.
            self.health = None
            rows = core.table.get_many([replay.key, order.cursor(endpoint)])
            if rows.get(replay.key, {}).get("worker") != self.fence:
                raise _NotOursError
            row = rows[order.cursor(endpoint)]
            wanted = self._to_move(replay, {order: row}).get(order)
        return 1

    def _keep_place(self, replay: Replay, following: str | None, passed: int, found: int) -> Replay | None:
        """What is left to do after a page; None when that was all."""
        looked, found = replay.looked + (passed if replay.round == 1 else 0), replay.found + found
        if following is not None or replay.side == "waiting":
            side = replay.side if following is not None else "quiet"
            ahead = replace(replay, side=side, after=following, found=found, looked=looked)
        elif found:
            ahead = replace(replay, side="waiting", after=None, found=0, round=replay.round + 1, looked=looked)
        else:
            _end(self.core, replay, State.DONE, self.ours, looked)
            return None
        place: dict[str, Value] = {"side": ahead.side, "round": ahead.round, "found": ahead.found, "looked": looked}
        place |= {"after": following} if following is not None else {}
        gone = () if following is not None else ("after",)
        try:
            self.core.table.write(Update(replay.key, self.ours, set=place, remove=gone))
        except ConditionFailedError as failed:
            raise _NotOursError from failed
        return ahead


def _elect(core: Core, client: str, endpoint: str, name: str, fence: str) -> Replay | None:
    """The replay, if it is due and ours to work on. Should we die, it is due again when the lease has run out."""
    now = core.clock()
    due: Expect = {"state": Equals(State.RUNNING.value), "due_at": AtMost(to_text(now + CLOCK_SKEW))}
    change = {"worker": fence, "due_at": to_text(now + LEASE)}
    try:
        row = core.table.write(Update(replay_key(client, endpoint, name), due, set=change))
    except ConditionFailedError as failed:
        row_now = failed.current(0)
        if row_now is None or row_now.get("worker") != fence:
            return None
        row = row_now  # ours: the reply to the first try was lost
    return _replay(client, endpoint, row)


def _give_back(core: Core, replay: Replay, fence: str) -> bool:
    """Let whoever comes next go on. False if the replay has ended meanwhile."""
    try:
        ours = {"worker": Equals(fence), "state": Equals(State.RUNNING.value)}
        core.table.write(Update(replay.key, ours, set={"due_at": to_text(core.clock())}, remove=("worker",)))
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and "worker" not in there and there.get("state") == State.RUNNING
    return True


def _end(core: Core, replay: Replay, state: State, expect: Expect, looked: int | None = None) -> None:
    """Let it end; `looked` is the last count of the orders that were looked at, from whoever is at work on it."""
    now = core.clock()
    change: dict[str, Value] = {
        "state": state.value,
        "finished_at": to_text(now),
        "expires_at": int((now + KEPT).timestamp()),
        **({"looked": looked} if looked is not None else {}),
    }
    gone = ("due_at", "due_shard", "worker", "after", "side", "round", "found")
    running = replaying_key(replay.client, replay.endpoint)
    try:
        core.table.transact(
            (
                Update(replay.key, expect, set=change, remove=gone),
                Delete(running, {"replay": Equals(replay.id)}),
            )
        )
    except ConditionFailedError:
        return  # it has ended already, maybe by this very call, whose reply was lost; or another is at it
    logger.info("replay ended", endpoint=replay.endpoint, state=state.value, orders=replay.replayed)


def _replay(client: str, endpoint: str, row: Item) -> Replay:
    finished_at = maybe_text(row, "finished_at")
    running = "round" in row
    return Replay(
        client=client,
        endpoint=endpoint,
        id=text(row, "SK").removeprefix("REPLAY#"),
        state=State(text(row, "state")),
        since=from_text(text(row, "since")),
        started_at=from_text(text(row, "started_at")),
        started_by=text(row, "started_by"),
        finished_at=from_text(finished_at) if finished_at else None,
        round=number(row, "round") if running else 1,
        side=text(row, "side") if running else "waiting",
        after=maybe_text(row, "after"),
        looked=number(row, "looked"),
        replayed=number(row, "replayed"),
        events=number(row, "events"),
        found=number(row, "found") if running else 0,
    )
