"""What warehouses have said of a return's items so far: each item's last word, out of all calls that were news."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import text
from rms.model.documents import processing_from_document
from rms.model.processing import ItemResult, Processing
from rms.platform.table import Item, Key

_AT_ONCE: Final = 100
"""Rows in one read."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An item's result, and the call that said so last."""

    result: ItemResult
    said: Processing

    def says(self, result: ItemResult, location_code: str) -> bool:
        """Whether it says the same already."""
        return (self.result, self.said.location_code) == (result, location_code)


def calls_of(status: Item) -> int:
    """How many calls of warehouses were news."""
    calls = status.get("qc", 0)
    assert isinstance(calls, int)
    return calls


def judged_items(core: Core, aggregate: AggregateId, calls: int) -> Mapping[str, Judged]:
    """The last word on every item, by its code, in the order in which the items were first spoken of."""
    return last_words(*read_with_calls(core, aggregate, calls, ()))


def read_with_calls(
    core: Core, aggregate: AggregateId, calls: int, others: Sequence[Key]
) -> tuple[Mapping[Key, Item], Sequence[Key]]:
    """The rows of so many calls, with other rows of which there is need, and the keys of the former in order."""
    keys = [aggregate.qc(number) for number in range(1, calls + 1)]
    wanted = [*others, *keys]
    rows: dict[Key, Item] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows |= core.table.get_many(wanted[start : start + _AT_ONCE])
    return rows, keys


def last_words(rows: Mapping[Key, Item], keys: Sequence[Key]) -> Mapping[str, Judged]:
    """As `judged_items`, out of what was read."""
    words: dict[str, Judged] = {}
    for key in keys:
        processing = processing_from_document(text(rows[key], "body"))
        words |= {result.item_code: Judged(result, processing) for result in processing.items}
    return words
