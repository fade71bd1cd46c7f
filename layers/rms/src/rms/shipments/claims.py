"""Whose parcel is it: one row per AWB (or aggregator's return reference) that points at its return or parcel."""

from collections.abc import Sequence
from typing import Final

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text, text
from rms.journal.keys import due_shard, shipment_key
from rms.platform.observability import logger
from rms.platform.table import NEW, Absent, ConditionFailedError, Equals, Item, Present, Put, Update, Write
from rms.shipments.wake import wake_drain

UNMATCHED: Final = "unmatched"
"""Shard of the `due` index that lists AWBs nobody knows, for operators; the sweeper does not read it."""


class Claims:
    """The names (AWBs, references) that one transaction gives to an aggregate.

    A name nobody has used is written anew. One under which events wait already is adopted, and those events become
    due. One that belongs to another aggregate is taken.
    """

    def __init__(self, aggregate: AggregateId, aggregator: str | None, names: Sequence[str]) -> None:
        self.aggregate = aggregate
        self._aggregator = aggregator
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

    def _item(self) -> dict[str, str]:
        owner = {"kind": self.aggregate.kind, "code": self.aggregate.code}
        return owner | ({"aggregator": self._aggregator} if self._aggregator else {})

    def _claim(self, name: str) -> Write:
        return Put(shipment_key(self.aggregate.client, name), self._item(), NEW)

    def _adoption(self, name: str) -> Write:
        key = shipment_key(self.aggregate.client, name)
        return Update(
            key,
            expect={"code": Absent(), "waiting_since": Present()},
            set={**self._item(), "due_shard": due_shard(key.pk)},
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


def nothing_waits(core: Core, aggregate: AggregateId, awb: str) -> None:
    """All that waited under an AWB is applied: its row is no longer due."""
    try:
        core.table.write(
            Update(
                shipment_key(aggregate.client, awb),
                expect={"code": Equals(aggregate.code)},
                remove=("due_shard", "due_at"),
            )
        )
    except ConditionFailedError:
        logger.warning("an AWB changed hands while its events were applied")
