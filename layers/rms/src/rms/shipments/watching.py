"""Watching: a parcel of which nothing is heard is asked for at its aggregator, so that a lost webhook heals by itself.

Every AWB that is claimed is due, in shards of its own, once nothing was heard of its parcel for a while; `silence` says
when. What tracking knows and RMS does not is recorded by the path that webhooks take. One run at a time holds a lease;
dying anywhere leaves what was not done due for the next. Clients and their accounts take turns within a run, and an
account that cannot be asked costs one call.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from rms.aggregators import registry
from rms.aggregators.contract import (
    Account,
    Aggregator,
    Direction,
    Refused,
    Shipment,
    ShipmentUpdate,
    Unauthorized,
    Unknown,
)
from rms.clients.accounts import open_account
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import all_silent_shards, shipment_key, silent_shard, watch_lease_key
from rms.platform.errors import BadDataError
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.observability import count, logger
from rms.platform.table import AbsentOr, ConditionFailedError, Equals, Item, LessThan, Update, Value
from rms.platform.times import to_text
from rms.shipments.claims import Claims, owner_of
from rms.shipments.recognising import news_among
from rms.shipments.silence import FAILED as AGAIN_AFTER_A_FAILURE
from rms.shipments.silence import Ask, Leave, Silent, Wait, after_a_failure, after_an_answer, plan
from rms.shipments.tracking import Recorded, Source, record_update
from rms.shipments.walk import LEAST_SECONDS, call

BUDGET: Final = timedelta(seconds=230)
"""How long a run begins new work; the function has 300 seconds."""

TO_FINISH: Final = timedelta(seconds=40)
"""How much longer it may record what the last answer brought."""

LEASE: Final = timedelta(seconds=330)
"""Longer than the function may run, so that a lease that ran out belongs to nobody alive."""

SPACING: Final = 0.2
"""Least seconds from one call under an account to its next. Source: ClickPost guide, section 20; nobody says more."""

PER_SHARD: Final = 1000
"""Rows of a shard that one run looks at, those first that have waited longest."""

PAGES: Final = 10
"""Pages of a shard that a run reads, where one client's rows are wanted among those of all."""

AT_ONCE: Final = 50
"""Parcels whose rows are read together: two calls."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator may ask for: another silence, for this run only; one client only."""

    silence: timedelta | None = None
    client: str | None = None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Wish":
        """The wish in the event of an invocation; the schedule has none.

        Raises:
            BadDataError: it can be nobody's wish.
        """
        hours, client = event.get("silentForHours"), event.get("client")
        if hours is not None and (isinstance(hours, bool) or not isinstance(hours, int | float) or not hours >= 0):
            raise BadDataError("[silentForHours: must be a number of hours, at least 0]")
        if client is not None and not isinstance(client, str):
            raise BadDataError("[client: must be text]")
        return cls(None if hours is None else timedelta(hours=min(hours, 24 * 366)), client)


@dataclass(slots=True)
class Watched:
    """What a run came to. `left` are rows that were due and that no time was left for."""

    due: int = 0
    asked: int = 0
    found: int = 0
    failed: int = 0
    left: int = 0
    busy: bool = False


def track_silent_shipments(core: Core, wish: Wish | None = None) -> Watched:
    """Ask for the parcels that are silent, and record what nobody told; `busy` when another run is at it.

    A client whose parcels cannot be looked at keeps nobody else waiting.

    Raises:
        Exception: the first fault of ours that a client's parcels met, after all the others have had their turns.
    """
    fence = _leased(core)
    if fence is None:
        return Watched(busy=True)
    run = _Run(core, wish or Wish())
    fault = run.take_turns()
    _released(core, fence)  # a run that died keeps it until it runs out, which is before the next one
    done = run.done
    count("ShipmentAsked", done.asked)
    count("FoundByTracking", done.found)
    logger.info("watched", due=done.due, asked=done.asked, found=done.found, failed=done.failed, left=done.left)
    if fault is not None:
        raise fault
    return done


# ── one run at a time ───────────────────────────────────────────────────────────────


def _leased(core: Core) -> str | None:
    now, fence = core.clock(), core.fences()
    try:
        core.table.write(
            Update(
                watch_lease_key(),
                expect={"lease_until": AbsentOr(LessThan(to_text(now)))},
                set={"lease": fence, "lease_until": to_text(now + LEASE)},
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        return fence if there is not None and there.get("lease") == fence else None
    return fence


def _released(core: Core, fence: str) -> None:
    try:
        core.table.write(
            Update(watch_lease_key(), expect={"lease": Equals(fence)}, remove=("lease", "lease_until")),
        )
    except ConditionFailedError:
        logger.info("lease on watching was gone")


# ── turns ───────────────────────────────────────────────────────────────────────────


class _Run:
    """One run over everything that is due."""

    def __init__(self, core: Core, wish: Wish) -> None:
        self.core = core
        self.wish = wish
        self.done = Watched()
        self.until = core.clock() + BUDGET

    @property
    def silence(self) -> timedelta:
        """How long nothing may have been heard, for this run."""
        return self.core.silence if self.wish.silence is None else self.wish.silence

    def seconds_left(self) -> float:
        """Time for new work."""
        return (self.until - self.core.clock()).total_seconds()

    def take_turns(self) -> Exception | None:
        """Let every client have its turns until all is done or the time is over; answers the first fault."""
        due = self._due()
        turns = deque((client, _Turns(self, client, rows)) for client, rows in due.items())
        going = deque((client, iter(each)) for client, each in turns)
        fault: Exception | None = None
        while going and self.seconds_left() > 0:
            client, turn = going.popleft()
            try:
                next(turn)
            except StopIteration:
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, no other client may suffer for it
                logger.exception("parcels of a client not watched", client=client)
                fault = fault or error
                continue
            going.append((client, turn))
        self.done.left = sum(each.left for _, each in turns)
        return fault

    def _due(self) -> Mapping[str, list[Item]]:
        # A shorter silence than the one set makes rows due that much earlier.
        until = to_text(self.core.clock() + max(self.core.silence - self.silence, timedelta()))
        by_client: dict[str, list[Item]] = defaultdict(list)
        for shard in all_silent_shards():
            for row in self._due_in(shard, until):
                by_client[_client_in(row)].append(row)
        self.done.due = sum(len(rows) for rows in by_client.values())
        return {client: sorted(rows, key=lambda row: text(row, "due_at")) for client, rows in by_client.items()}

    def _due_in(self, shard: str, until: str) -> Sequence[Item]:
        found: list[Item] = []
        after: str | None = None
        for _ in range(PAGES):
            page = self.core.table.query_due(shard, until=until, after=after, limit=PER_SHARD)
            found.extend(row for row in page.items if self.wish.client in {None, _client_in(row)})
            after = page.next
            if after is None or len(found) >= PER_SHARD:
                break
        return found[:PER_SHARD]


@dataclass(frozen=True, slots=True)
class _Group:
    """Parcels that go into one call; `alone` names the one parcel of a call that is made for it alone."""

    alias: str
    direction: Direction
    together: str
    alone: str = ""


@dataclass(slots=True)
class _Turns:
    """What is to be done for one client, a little at a time: some rows read, or one call made, in each turn.

    Its accounts and carriers take turns as well; calls for a single parcel that has spoilt one come last.
    """

    run: _Run
    client: str
    rows: Sequence[Item]
    _seen_to: set[str] = field(default_factory=set)
    _waiting: dict[_Group, list[Silent]] = field(default_factory=dict)
    _opened: dict[str, Account] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)
    _asked_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Rows that nothing was done about."""
        return len(self.rows) - len(self._seen_to)

    def __iter__(self) -> Iterator[None]:
        """The turns."""
        configuration = configuration_of(self.run.core, self.client)
        for some in batched(self.rows, AT_ONCE, strict=False):
            for silent in self._read(some):
                self._consider(configuration, silent)
            yield
        going = deque(sorted(self._waiting, key=lambda group: bool(group.alone)))
        while going:
            group = going.popleft()
            at_once = registry.aggregator_of(configuration.accounts[group.alias].aggregator).tracked_at_once
            waiting = self._waiting[group]
            self._ask(configuration, group, waiting[:at_once])
            self._waiting[group] = waiting[at_once:]
            if self._waiting[group]:
                going.append(group)
            yield

    # ── rows ────────────────────────────────────────────────────────────────────────

    def _read(self, some: Sequence[Item]) -> list[Silent]:
        """Their parcels as they stand; rows that are nobody's parcel, or are not due any more, are left out."""
        table, due = self.run.core.table, {_awb_in(row): text(row, "due_at") for row in some}
        found = table.get_many([shipment_key(self.client, awb) for awb in due])
        rows = {awb: row for awb in due if (row := found.get(shipment_key(self.client, awb))) is not None}
        owners = {
            awb: owner
            for awb, row in rows.items()
            if maybe_text(row, "due_at") == due[awb]
            and maybe_text(row, "due_shard") == silent_shard(text(row, "PK"))
            and maybe_text(row, "watched_since") is not None
            and (owner := owner_of(self.client, row)) is not None
        }
        self._seen_to |= due.keys() - owners.keys()
        keys = {key for owner in owners.values() for key in (owner.status, owner.booking)}
        known = table.get_many(sorted(keys)) if keys else {}
        return [
            Silent(owner, awb, due[awb], rows[awb], known[owner.status], known.get(owner.booking))
            for awb, owner in owners.items()
            if owner.status in known
        ]

    def _consider(self, configuration: Configuration, silent: Silent) -> None:
        now = self.run.core.clock()
        match plan(silent, now, self.run.silence):
            case Leave():
                self._move(silent, None)
            case Wait() if self.run.wish.silence is not None:
                self._seen_to.add(silent.awb)  # not what was wished for: it is due at its usual time
            case Wait(until):
                self._move(silent, until, {"in_vain": 0})
            case Ask():
                group = self._group_of(configuration, silent)
                if group is None:  # nobody can be asked now, which an account or a webhook may change
                    self._move(silent, after_an_answer(silent, now, self.run.core.silence, found=False), _vain(silent))
                else:
                    self._waiting.setdefault(group, []).append(silent)

    def _group_of(self, configuration: Configuration, silent: Silent) -> _Group | None:
        configured = _account_of(configuration, silent)
        if configured is None:
            return None
        adapter = registry.aggregator_of(configured.aggregator)
        shipment = _shipment(silent)
        together = adapter.tracked_with(self._open(configured), shipment) if adapter.tracked_at_once else None
        if together is None:
            return None
        # Whatever in a call was the reason that it failed, it shall not take its neighbours along for ever.
        alone = silent.awb if silent.failures else ""
        return _Group(configured.alias, shipment.direction, together, alone)

    def _open(self, configured: ConfiguredAccount) -> Account:
        if configured.alias not in self._opened:
            self._opened[configured.alias] = open_account(self.run.core, self.client, configured)
        return self._opened[configured.alias]

    def _move(self, silent: Silent, due: datetime | None, change: Mapping[str, Value] | None = None) -> None:
        """Let its row be due then, or never again, unless somebody has moved it meanwhile."""
        expect = {"due_shard": Equals(silent_shard(silent.key.pk)), "due_at": Equals(silent.due_at)}
        if due is None:
            gone = ("due_shard", "due_at", "asked_at", "in_vain", "failures")
            write = Update(silent.key, expect, remove=gone)
        else:
            write = Update(silent.key, expect, set={**(change or {}), "due_at": to_text(due)})
        self._seen_to.add(silent.awb)
        try:
            self.run.core.table.write(write)
        except ConditionFailedError:
            return  # by this very write, whose reply was lost, or by another run

    # ── calls ───────────────────────────────────────────────────────────────────────

    def _ask(self, configuration: Configuration, group: _Group, some: Sequence[Silent]) -> None:
        if group.alias in self._failing:
            again = self.run.core.clock() + AGAIN_AFTER_A_FAILURE
            for silent in some:
                self._move(silent, again)
        elif self.run.seconds_left() >= LEAST_SECONDS:  # otherwise they are due still, for the next run
            self._ask_for(configuration, group, some)

    def _ask_for(self, configuration: Configuration, group: _Group, some: Sequence[Silent]) -> None:
        core, account = self.run.core, self._opened[group.alias]
        adapter = registry.aggregator_of(account.aggregator)
        self._keep_distance(group.alias)
        self.run.done.asked += len(some)
        try:
            shipments = [_shipment(silent) for silent in some]
            result = _tracked(core, adapter, account, shipments, self.run.seconds_left())
            if not isinstance(result, Refused | Unknown):
                source = Source(account.aggregator, account.alias, core.clock(), asked=True)
                self._record(configuration, adapter, source, some, result)
                return
        except Exception:
            self._failed(group, some)  # or the same fault would meet the same parcels first, in every run
            raise
        self._failed(group, some)
        count("TrackingFailed")
        # Not the reason: it may quote the aggregator, and that the shopper.
        code = result.code if isinstance(result, Refused) else None
        logger.warning("tracking failed", client=self.client, account=account.alias, parcels=len(some), code=code)

    def _keep_distance(self, alias: str) -> None:
        core, last = self.run.core, self._asked_at.get(alias)
        passed = SPACING if last is None else (core.clock() - last).total_seconds()
        if passed < SPACING:
            core.pause(SPACING - passed)
        self._asked_at[alias] = core.clock()

    def _failed(self, group: _Group, some: Sequence[Silent]) -> None:
        """The account is not asked again in this run, nor these parcels for a while that grows."""
        self.run.done.failed += 1
        self._failing.add(group.alias)
        now = self.run.core.clock()
        for silent in some:
            again = after_a_failure(silent, now, self.run.core.silence)
            self._move(silent, again, {"failures": silent.failures + 1})

    def _record(
        self,
        configuration: Configuration,
        adapter: Aggregator,
        source: Source,
        some: Sequence[Silent],
        updates: Sequence[ShipmentUpdate],
    ) -> None:
        """Record what is news in the answer of one call, parcel by parcel, and let each be due again when it should."""
        core, now = self.run.core, source.received_at
        scans: dict[str | None, list[ShipmentUpdate]] = defaultdict(list)
        for update in updates:
            scans[update.awb].append(update)
        for silent in some:
            if core.clock() > self.run.until + TO_FINISH:
                return  # the rest is due still, and what is recorded is recorded
            found = self._news(adapter, silent, scans[silent.awb])
            claims = Claims(silent.aggregate, source.aggregator, ())
            recorded = [record_update(core, configuration, source, update, claims) for update in found]
            self.run.done.found += sum(isinstance(each, Recorded) for each in recorded)
            vain = {"in_vain": 0} if found else _vain(silent)
            again = after_an_answer(silent, now, core.silence, found=bool(found))
            self._move(silent, again, {**vain, "asked_at": to_text(now), "failures": 0})

    def _news(self, adapter: Aggregator, silent: Silent, scans: Sequence[ShipmentUpdate]) -> Sequence[ShipmentUpdate]:
        if not scans:
            return ()
        recorded = self.run.core.journal.history(silent.aggregate)
        is_return = silent.aggregate.kind == "R"
        return news_among(scans, recorded, is_return=is_return, by_event_id=adapter.tracks_by_event_id)


def _tracked(
    core: Core, adapter: Aggregator, account: Account, shipments: Sequence[Shipment], left: float
) -> Sequence[ShipmentUpdate] | Refused | Unknown:
    def asked(opened: Account) -> HttpRequest:
        request = adapter.track(opened, shipments)
        return replace(request, total_seconds=min(request.total_seconds, left))

    def read(answer: HttpAnswer | NoAnswer) -> Sequence[ShipmentUpdate] | Refused | Unknown | Unauthorized:
        return adapter.read_tracking(answer, core.clock())

    return call(core, adapter, account, asked, read)


def _account_of(configuration: Configuration, silent: Silent) -> ConfiguredAccount | None:
    """The account that knows a parcel: that it was booked with, or was heard from, or one of its aggregator."""
    for name in ("account", "heard_from"):
        alias = maybe_text(silent.status, name)
        if alias is not None:
            return configuration.accounts.get(alias)
    aggregator = maybe_text(silent.row, "aggregator")
    aliases = [alias for alias, account in configuration.accounts.items() if account.aggregator == aggregator]
    return configuration.accounts[min(aliases)] if aliases else None


def _shipment(silent: Silent) -> Shipment:
    booking = silent.booking if silent.booking and maybe_text(silent.booking, "awb") == silent.awb else {}
    booked_with = booking.get("metadata") or silent.status.get("booked_with") or {}
    return Shipment(
        direction=Direction.RETURN if silent.aggregate.kind == "R" else Direction.FORWARD,
        reference=maybe_text(booking, "reference") or "",
        awb=silent.awb,
        courier=maybe_text(silent.status, "courier") or "",
        order_id=maybe_text(booking, "order_id") or "",
        metadata={str(name): str(value) for name, value in booked_with.items()}
        if isinstance(booked_with, Mapping)
        else {},
    )


def _vain(silent: Silent) -> dict[str, int]:
    return {"in_vain": silent.in_vain + 1}


def _client_in(row: Item) -> str:
    return text(row, "PK").split("#", 3)[1]


def _awb_in(row: Item) -> str:
    return text(row, "PK").split("#", 3)[3]
