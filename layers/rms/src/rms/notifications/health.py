"""How an endpoint is doing, as one row: its breaker, its lanes. No row means well, and costs nothing.

The breaker opens when tries of OPENS_AFTER different orders in a row have failed for the endpoint's own fault, so that
an endpoint with one order in trouble keeps the published schedule. While it is open (mode OPEN) cursors are parked
untried; when it is due, one prober is elected by a conditional write and tries one event. Once that is taken, lanes
tell what was parked (mode QUEUED) until nothing is left (no mode).

A lane is the right to send to the endpoint, one event at a time: an endpoint has so many at most as its client has
said it takes at a time. See docs/adr/0022-an-endpoint-has-lanes.md.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rms.clients.configuration import Endpoint
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.cursors import CLOCK_SKEW, LEASE
from rms.journal.events import maybe_text
from rms.journal.keys import due_shard, health_key
from rms.platform.observability import count, logger
from rms.platform.table import (
    Absent,
    AbsentOr,
    AtMost,
    Check,
    ConditionFailedError,
    Equals,
    Expect,
    Item,
    Key,
    LessThan,
    Present,
    Update,
    Value,
)
from rms.platform.times import from_text, to_text

OPENS_AFTER: Final = 3
"""Different orders whose tries failed in a row."""

INTERVALS: Final = (30, 60, 120, 300, 600, 900, 1800)
"""Seconds from the breaker's opening to its first probe, from that to the second, …; the last one for ever."""

GIVES_UP_AFTER: Final = timedelta(days=5)
"""An endpoint that has taken nothing for so long is disabled."""

LANES: Final = 4
"""Events that an endpoint gets at a time once it needs care, unless its client has said otherwise."""

SLOW_MS: Final = 2000
"""An endpoint that takes longer than this needs care: it would keep too many of our workers waiting."""

SLOW_FOR: Final = timedelta(minutes=5)
"""How long it is remembered as slow."""

LOOKED_AFTER: Final = timedelta(minutes=1)
"""How often somebody looks whether the lanes of an endpoint are at work, should all of them have died."""

STRAGGLERS: Final = (timedelta(seconds=10), timedelta(minutes=5))
"""When to look once more after nothing was parked any more: the index may have been late in saying so."""

ROUNDS: Final = 8
"""How often a change starts over when others change the same row."""


class Mode(StrEnum):
    """What an endpoint needs."""

    OPEN = "OPEN"
    QUEUED = "QUEUED"


@dataclass(frozen=True, slots=True)
class Health:
    """The HEALTH row, read. `failing` are marks of the orders whose last try failed, since the last success."""

    client: str
    endpoint: str
    mode: Mode | None = None
    failing: tuple[str, ...] = ()
    failing_since: datetime | None = None
    opened: int = 0
    reason: str | None = None
    due_at: datetime | None = None
    slow_until: datetime | None = None
    stragglers: int = 0
    lanes: Mapping[int, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Its row."""
        return health_key(self.client, self.endpoint)

    @property
    def still_queued(self) -> Check:
        """What must hold while something is parked: somebody will come for it."""
        return Check(self.key, {"mode": Present()})


def health_of(client: str, endpoint: str, row: Item | None) -> Health:
    """A HEALTH row, or none, read."""
    if row is None:
        return Health(client, endpoint)
    mode, failing = maybe_text(row, "mode"), maybe_text(row, "failing")
    stragglers = row.get("stragglers")
    opened = row.get("opened")
    return Health(
        client=client,
        endpoint=endpoint,
        mode=Mode(mode) if mode else None,
        failing=tuple(failing.split(",")) if failing else (),
        failing_since=_time(row, "failing_since"),
        opened=opened if isinstance(opened, int) else 0,
        reason=maybe_text(row, "reason"),
        due_at=_time(row, "due_at"),
        slow_until=_time(row, "slow_until"),
        stragglers=stragglers if isinstance(stragglers, int) else 0,
        lanes=_lanes(row),
    )


# ── lanes ───────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Lane:
    """One lane. `held` is when it runs out and whose it is, as stored; `free_at` when it may send next, at its pace."""

    number: int
    held: str
    spacing: timedelta
    free_at: datetime

    def seconds_to_wait(self, now: datetime) -> float:
        """Before the next event may be sent."""
        return max(0.0, (self.free_at - now).total_seconds())

    def sends(self, now: datetime) -> None:
        """An event is sent now."""
        self.free_at = now + self.spacing


def needs_lane(endpoint: Endpoint, health: Health) -> bool:
    """Whether the endpoint is told only through its lanes."""
    return health.mode is not None or endpoint.max_concurrency is not None or endpoint.rate_per_minute is not None


def lanes_of(endpoint: Endpoint) -> int:
    """How many lanes an endpoint has. A pace is shared out among them, so a slow one has but one lane."""
    lanes = endpoint.max_concurrency or LANES
    return lanes if endpoint.rate_per_minute is None else max(1, min(lanes, endpoint.rate_per_minute // 60))


def take_lane(core: Core, endpoint: Endpoint, health: Health) -> Lane | None:
    """A lane of the endpoint; None when all are taken. One that somebody died in is free when its time is up."""
    for _ in range(ROUNDS):
        now = core.clock()
        free = [number for number in range(lanes_of(endpoint)) if health.lanes.get(number, "") < to_text(now)]
        if not free:
            return None
        number, held = free[0], f"{to_text(now + LEASE)}#{core.fences()}"
        name = f"lane_{number}"
        try:
            row = core.table.write(
                Update(
                    health.key,
                    {name: AbsentOr(LessThan(to_text(now)))},
                    set={"endpoint": health.endpoint, name: held},
                )
            )
        except ConditionFailedError as failed:
            row = failed.current(0) or {}
            if row.get(name) != held:  # else ours: the reply to the first try was lost
                health = health_of(health.client, health.endpoint, row)
                continue
        spacing = timedelta(minutes=lanes_of(endpoint) / endpoint.rate_per_minute) if endpoint.rate_per_minute else None
        pace = maybe_text(row, f"pace_{number}")
        return Lane(number, held, spacing or timedelta(), from_text(pace) if pace else now)
    return None


def leave_lane(core: Core, health: Health, lane: Lane) -> None:
    """Let somebody else have the lane."""
    name, pace = f"lane_{lane.number}", f"pace_{lane.number}"
    try:
        core.table.write(
            Update(
                health.key,
                {name: Equals(lane.held)},
                set={pace: to_text(lane.free_at)} if lane.spacing else {},
                remove=(name,) if lane.spacing else (name, pace),
            )
        )
    except ConditionFailedError:
        return  # we were so slow that it is another's now; or this very write's reply was lost


# ── the breaker ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Opened:
    """The breaker is open, by this failure (`ours`) or by another's; the next probe is due then."""

    probe_at: datetime
    ours: bool = True


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The endpoint has taken nothing for GIVES_UP_AFTER: it is to be disabled."""

    reason: str


def note_failure(
    core: Core, health: Health, aggregate: AggregateId, reason: str, not_before: datetime | None, jitter: float
) -> Opened | GaveUp | None:
    """A try failed for the endpoint's own fault. What that makes of the endpoint; None: nothing yet."""
    mine = hashlib.sha256(aggregate.pk.encode()).hexdigest()[:8]
    for _ in range(ROUNDS):
        if health.mode is Mode.OPEN and health.due_at is not None:
            return Opened(health.due_at, ours=False)
        now = core.clock()
        if health.failing_since is not None and now - health.failing_since >= GIVES_UP_AFTER:
            return GaveUp(_gave_up(reason))
        if mine in health.failing:
            return None  # this order has been counted
        failing = (*health.failing, mine)
        opened = _opened(health, reason, not_before, now, jitter) if len(failing) >= OPENS_AFTER else None
        change = opened or {"failing": ",".join(failing), "reason": reason}
        try:
            core.table.write(
                Update(
                    health.key,
                    _as_read(health),
                    set={**change, "endpoint": health.endpoint},
                    set_if_absent={"failing_since": to_text(now)},
                    remove=("failing", "stragglers") if opened else (),
                )
            )
        except ConditionFailedError as failed:
            health = health_of(health.client, health.endpoint, failed.current(0))
            continue
        if opened is None:
            return None
        count("BreakerOpened")
        logger.warning("breaker opened", client=health.client, endpoint=health.endpoint, reason=reason)
        return Opened(from_text(str(opened["due_at"])))
    return None


def note_success(core: Core, health: Health, elapsed_ms: int, endpoint: Endpoint) -> None:
    """An event was taken: what failed before counts no more; an endpoint that took its time needs care."""
    now = core.clock()
    slow = elapsed_ms >= SLOW_MS and (health.slow_until is None or health.slow_until - now < LOOKED_AFTER)
    worse = slow and endpoint.max_concurrency is None and endpoint.rate_per_minute is None
    if not (worse or health.failing or health.failing_since):
        return
    change: dict[str, Value] = {"endpoint": health.endpoint}
    if worse:
        care = {} if health.mode else {"mode": Mode.QUEUED.value, **_due(health, now + LOOKED_AFTER)}
        change |= {"slow_until": to_text(now + SLOW_FOR), **care}
    try:
        core.table.write(
            Update(health.key, _as_read(health), set=change, remove=("failing", "failing_since", "reason"))
        )
    except ConditionFailedError:
        return  # others have failed or succeeded meanwhile; the next success tells


def elect_prober(core: Core, health: Health, fence: str) -> bool:
    """Whether the probe is ours; of many who ask, one gets it. Should we die, it is due again when the time is up."""
    now = core.clock()
    try:
        core.table.write(
            Update(
                health.key,
                {"mode": Equals(Mode.OPEN.value), "due_at": AtMost(to_text(now + CLOCK_SKEW))},
                set={"probe": fence, "due_at": to_text(now + LEASE)},
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and there.get("probe") == fence  # the reply to our first try was lost
    return True


def probe_failed(
    core: Core, health: Health, fence: str, reason: str, not_before: datetime | None, jitter: float
) -> Opened | GaveUp:
    """The breaker stays open for another, longer interval."""
    now = core.clock()
    if health.failing_since is not None and now - health.failing_since >= GIVES_UP_AFTER:
        return GaveUp(_gave_up(reason))
    change = _opened(health, reason, not_before, now, jitter)
    _end_probe(core, health, fence, change, ("probe",))
    return Opened(from_text(str(change["due_at"])))


def probe_succeeded(core: Core, health: Health, fence: str) -> None:
    """The endpoint answers again: its lanes tell what was parked."""
    change = {"mode": Mode.QUEUED.value, **_due(health, core.clock())}
    gone = ("probe", "opened", "failing", "failing_since", "reason", "stragglers")
    _end_probe(core, health, fence, change, gone)
    count("BreakerClosed")
    logger.info("breaker closed", client=health.client, endpoint=health.endpoint)


def queue_up(core: Core, health: Health) -> None:
    """From now on cursors may be parked: all lanes are taken."""
    if health.mode is not None:
        return
    try:
        core.table.write(
            Update(
                health.key,
                {"mode": Absent()},
                set={
                    "endpoint": health.endpoint,
                    "mode": Mode.QUEUED.value,
                    **_due(health, core.clock() + LOOKED_AFTER),
                },
                remove=("stragglers",),
            )
        )
    except ConditionFailedError:
        return  # it has a mode already


def looked_after(core: Core, health: Health, at: datetime) -> None:
    """Somebody is at work on what is parked; the next look is due then."""
    _change(core, health, {"mode": Equals(Mode.QUEUED.value)}, set_=_due(health, at))


def emptied(core: Core, health: Health) -> None:
    """Nothing is parked any more, as far as the index says: whoever has news tells it himself from now on.

    Nothing can be parked after this write, for parking wants a mode; what the index hid is looked for twice more.
    """
    now = core.clock()
    if health.slow_until is not None and health.slow_until > now:
        looked_after(core, health, min(health.slow_until, now + STRAGGLERS[0]))
        return
    change: dict[str, Value] = {**_due(health, now + STRAGGLERS[0]), "stragglers": 1}
    _change(core, health, {"mode": Equals(Mode.QUEUED.value)}, set_=change, remove=("mode", "slow_until"))


def no_stragglers(core: Core, health: Health) -> None:
    """Nothing was hidden. Look once more, much later; then the endpoint is well and has no time of its own."""
    expect: Expect = {"mode": Absent(), "stragglers": Equals(health.stragglers)}
    if health.stragglers < len(STRAGGLERS):
        at = core.clock() + STRAGGLERS[health.stragglers]
        _change(core, health, expect, set_={**_due(health, at), "stragglers": health.stragglers + 1})
    else:
        _change(core, health, expect, remove=("due_at", "due_shard", "stragglers"))


def shut(core: Core, health: Health) -> None:
    """The endpoint is paused, disabled or gone: nobody needs to look after it until that changes."""
    if health.due_at is not None:
        expect: Expect = {"due_at": Equals(to_text(health.due_at))}
        _change(core, health, expect, remove=("due_at", "due_shard"))


def _change(
    core: Core, health: Health, expect: Expect, *, set_: Mapping[str, Value] | None = None, remove: tuple[str, ...] = ()
) -> None:
    try:
        core.table.write(Update(health.key, expect, set=set_ or {}, remove=remove))
    except ConditionFailedError:
        return  # it is in another state by now, and whoever brought it there says when to look


def _end_probe(core: Core, health: Health, fence: str, change: Mapping[str, Value], gone: tuple[str, ...]) -> None:
    try:
        core.table.write(Update(health.key, {"probe": Equals(fence)}, set=change, remove=gone))
    except ConditionFailedError:
        return  # we were so slow that another probes; or the endpoint was enabled anew; or our reply was lost


def _opened(health: Health, reason: str, not_before: datetime | None, now: datetime, jitter: float) -> dict[str, Value]:
    """What an interval more makes of the row."""
    seconds = INTERVALS[min(health.opened, len(INTERVALS) - 1)] * (1 + 0.1 * (2 * jitter - 1))
    probe_at = now + timedelta(seconds=seconds)
    due = _due(health, max(probe_at, not_before) if not_before is not None else probe_at)
    return {"mode": Mode.OPEN.value, "opened": health.opened + 1, "reason": reason, **due}


def _due(health: Health, at: datetime) -> dict[str, Value]:
    return {"due_at": to_text(at), "due_shard": due_shard(health.key.pk)}


def _as_read(health: Health) -> Expect:
    """The row is as it was read, in what the breaker goes by."""
    return {
        "mode": Equals(health.mode.value) if health.mode else Absent(),
        "failing": Equals(",".join(health.failing)) if health.failing else Absent(),
    }


def _gave_up(reason: str) -> str:
    return f"nothing was taken for {GIVES_UP_AFTER.days} days; at last: {reason}"


def _time(row: Item, name: str) -> datetime | None:
    stored = maybe_text(row, name)
    return from_text(stored) if stored else None


def _lanes(row: Item) -> dict[int, str]:
    return {int(name.removeprefix("lane_")): str(value) for name, value in row.items() if name.startswith("lane_")}
