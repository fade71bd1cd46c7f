"""Whose parcel is it: one row per AWB (or aggregator's return reference) that points at its return or parcel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rms.aggregators import registry
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text, text
from rms.journal.keys import due_shard, shipment_key, silent_shard
from rms.platform.observability import logger
from rms.platform.table import NEW, Absent, ConditionFailedError, Equals, Item, Present, Put, Update, Value, Write
from rms.platform.times import to_text
from rms.shipments.wake import wake_drain

UNMATCHED: Final = "unmatched"
"""Shard of the `due` index that lists AWBs nobody knows, for operators; the sweeper does not read it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """That an AWB's parcel is watched from now on: see `rms.shipments.watching`. Times in stored form."""

    awb: str
    since: str
    due_at: str


def watch_for(core: Core, aggregator: str | None, awb: str | None) -> Watch | None:
    """The watch on a parcel that is claimed now; None where there is no AWB, or nobody to ask for it."""
    if awb is None or aggregator is None or not registry.tracks(aggregator):
        return None
    now = core.clock()
    return Watch(awb, since=to_text(now), due_at=to_text(now + core.silence))


class Claims:
    """The names (AWBs, references) that one transaction gives to an aggregate; `watch` is for the AWB among them.

    A name nobody has used is written anew. One under which events wait already is adopted, and those events become
    due. One that belongs to another aggregate is taken.
    """

    def __init__(
        self, aggregate: AggregateId, aggregator: str | None, names: Sequence[str], watch: Watch | None = None
    ) -> None:
        self.aggregate = aggregate
        self._aggregator = aggregator
        self._watch = watch
        self._names = tuple(dict.fromkeys(names))
        self._adopted: set[str] = set()

    @property
    def writes(self) -> list[Write]:
        """One write per name, in order."""
        return [self._adoption(name) if name in self._adopted else self._claim(name) for name in self._names]

    def give_way(self, index: int, current: Item | None) -> bool:
        """After the write of name `index` was refused: whether trying again can succeed."""
        name = self._names[index]
        if current is not None and maybe_text(current, "code") is None:
            self._adopted.add(name)
            return True
        return False

    def wake(self, core: Core) -> None:
        """After the transaction: have the events applied that waited."""
        for name in self._adopted:
            wake_drain(core, self.aggregate.client, name)

    def _item(self, name: str) -> dict[str, str]:
        owner = {"kind": self.aggregate.kind, "code": self.aggregate.code}
        watched = {"watched_since": self._watch.since} if self._watch and self._watch.awb == name else {}
        return owner | ({"aggregator": self._aggregator} if self._aggregator else {}) | watched

    def _claim(self, name: str) -> Write:
        key, item = shipment_key(self.aggregate.client, name), self._item(name)
        if self._watch and self._watch.awb == name:
            item |= {"due_shard": silent_shard(key.pk), "due_at": self._watch.due_at}
        return Put(key, item, NEW)

    def _adoption(self, name: str) -> Write:
        key = shipment_key(self.aggregate.client, name)
        return Update(
            key,
            expect={"code": Absent(), "waiting_since": Present()},
            set={**self._item(name), "due_shard": due_shard(key.pk)},
        )


def owner_of(client: str, row: Item | None) -> AggregateId | None:
    """The aggregate a SHIPMENT row points at; None while nobody knows."""
    if row is None or maybe_text(row, "code") is None:
        return None
    return AggregateId(client, "S" if row.get("kind") == "S" else "R", text(row, "code"))


def waiting_write(client: str, awb: str, since: str) -> Update:
    """Note that events wait under an AWB nobody knows; refused once somebody does."""
    return Update(
        shipment_key(client, awb),
        expect={"code": Absent()},
        set_if_absent={"waiting_since": since, "due_shard": UNMATCHED, "due_at": since},
    )


def nothing_waits(core: Core, aggregate: AggregateId, awb: str, row: Item) -> None:
    """All that waited under an AWB is applied: its row, as it stood, is due no more, or due to be watched."""
    key = shipment_key(aggregate.client, awb)
    # Only from the drain's own shard: a row that is watched, or no longer, stays so when a late message comes by.
    expect = {"code": Equals(aggregate.code), "due_shard": Equals(due_shard(key.pk))}
    due: Mapping[str, Value] = {"due_shard": silent_shard(key.pk), "due_at": to_text(core.clock() + core.silence)}
    watched = maybe_text(row, "watched_since") is not None
    try:
        if watched:
            core.table.write(Update(key, expect, set=due))
        else:
            core.table.write(Update(key, expect, remove=("due_shard", "due_at")))
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("code") != aggregate.code:
            logger.warning("an AWB changed hands while its events were applied")
