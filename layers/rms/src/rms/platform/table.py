"""The Table port: what the core may ask of the one DynamoDB table, as values.

Every write names its condition, so "what if somebody was here first?" is answered where the write is built.
The port is implemented by `rms.platform.dynamodb` and, for unit tests, by an in-memory fake; one shared
test suite holds both to the same behaviour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

type Value = str | int | bool | bytes | Sequence[Value] | Mapping[str, Value] | None
type Item = Mapping[str, Value]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Primary key of one row. Attribute names in the table are `PK` and `SK`."""

    pk: str
    sk: str


# ── conditions ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Absent:
    """The attribute does not exist on the row (or the row does not exist)."""


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute exists on the row."""


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute exists and has exactly this value."""

    value: str | int | bool


@dataclass(frozen=True, slots=True)
class AtMost:
    """The attribute exists and is less than or equal to this value (text compares by UTF-8 bytes)."""

    value: str | int


@dataclass(frozen=True, slots=True)
class LessThan:
    """The attribute exists and is less than this value."""

    value: str | int


@dataclass(frozen=True, slots=True)
class AbsentOr:
    """The attribute does not exist, or exists and meets the inner condition."""

    condition: Equals | AtMost | LessThan


type Condition = Absent | Present | Equals | AtMost | LessThan | AbsentOr
type Expect = Mapping[str, Condition]
"""Conditions by attribute name; all must hold. Never empty: every write has a condition."""

NEW: Expect = {"PK": Absent()}
"""The row must not exist yet."""

EXISTING: Expect = {"PK": Present()}
"""The row must exist."""

# ── writes ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole row. `item` holds no `PK` or `SK`: the key does."""

    key: Key
    item: Item
    expect: Expect


@dataclass(frozen=True, slots=True)
class Update:
    """Change named attributes of a row, creating it when the condition allows that.

    `set` overwrites, `set_if_absent` writes only what is not there yet, `add` adds to a number (absent
    counts as 0), `remove` deletes attributes.
    """

    key: Key
    expect: Expect
    set: Item = field(default_factory=dict)
    set_if_absent: Item = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row."""

    key: Key
    expect: Expect


@dataclass(frozen=True, slots=True)
class Check:
    """Change nothing, but let the transaction fail unless the condition holds."""

    key: Key
    expect: Expect


type Write = Put | Update | Delete | Check

# ── answers ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in key order. `next` continues after the last one; None at the end."""

    items: Sequence[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One write whose condition did not hold, with the row as it stands (None: no such row)."""

    index: int
    current: Item | None


class ConditionFailedError(Exception):
    """Nothing was written: these conditions did not hold."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"conditions failed on writes {[refusal.index for refusal in refusals]}")
        self.refusals = tuple(refusals)

    def current(self, index: int) -> Item | None:
        """The row that refused write `index`, or None when that write was not refused or has no row."""
        return next((refusal.current for refusal in self.refusals if refusal.index == index), None)

    def refused(self, index: int) -> bool:
        """Whether write `index` is among those whose condition did not hold."""
        return any(refusal.index == index for refusal in self.refusals)


class TableContendedError(Exception):
    """Nothing was written: other transactions held these rows through every retry. Try again later."""


class TableUnavailableError(Exception):
    """The table did not answer, or throttled through every retry. A write may or may not have happened."""


class Table(Protocol):
    """One DynamoDB table with the indexes `due` (due_shard, due_at) and `listing` (listing_pk, listing_sk).

    Reads of rows are strongly consistent; reads of indexes are not. All methods raise TableUnavailableError.
    Rows come back with their `PK` and `SK` as attributes.
    """

    def get(self, key: Key) -> Item | None:
        """The row, or None."""

    def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        """The rows that exist among at most 100 keys, in one call."""

    def query(
        self, pk: str, *, prefix: str = "", after: str | None = None, limit: int = 100, backwards: bool = False
    ) -> Page:
        """Rows of one partition whose SK starts with `prefix`, in SK order, at most `limit`.

        `after` is a `Page.next` of an earlier call with the same arguments.
        """

    def query_due(self, shard: str, *, until: str, after: str | None = None, limit: int = 100) -> Page:
        """Rows of index `due` in a shard with `due_at` at most `until`, earliest first.

        Items hold only PK, SK, due_shard and due_at.
        """

    def query_listing(
        self,
        listing_pk: str,
        *,
        since: str | None = None,
        after: str | None = None,
        limit: int = 50,
        backwards: bool = True,
    ) -> Page:
        """Rows of index `listing`, newest first; with `since` those whose `listing_sk` is at least that.

        Items hold only PK, SK, listing_pk and listing_sk.
        """

    def write(self, write: Put | Update | Delete) -> Item:
        """One conditional write; answers the row as it is afterwards (a deleted row: as it was).

        Raises:
            ConditionFailedError: with index 0 and the row as it stands.
        """

    def transact(self, writes: Sequence[Write]) -> None:
        """All of at most 100 writes on distinct rows, or none.

        Raises:
            ConditionFailedError: with every write whose condition did not hold.
            TableContendedError: when other writers kept the rows busy.
        """
