"""DynamoDB in memory: the Table port with its conditions, limits, sparse indexes and prices."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from threading import RLock
from typing import Any, Final, Never

from rms.platform.dynamodb import attributes_to_wire, row_from, to_wire
from rms.platform.table import (
    Absent,
    AbsentOr,
    AtMost,
    Check,
    Condition,
    ConditionFailedError,
    Delete,
    Equals,
    Item,
    Key,
    LessThan,
    Page,
    Present,
    Put,
    Refusal,
    TableContendedError,
    TableUnavailableError,
    Update,
    Write,
)
from rms.platform.table_rules import (
    MAX_ROW_BYTES,
    check_key,
    check_keys,
    check_limit,
    check_transaction,
    check_write,
    page_token,
    position_of,
)
from tests.fakes.calls import Calls, Fault, raising

type Row = Mapping[str, Mapping[str, Any]]
"""A row as DynamoDB holds it, in its typed JSON: 1 and True and "1" are three things there. Never changed in place."""

type Entry = tuple[str, str, str, str]
"""A row's place in an index: index partition, index sort key, PK, SK."""

INDEXES: Final = {"due": ("due_shard", "due_at"), "listing": ("listing_pk", "listing_sk")}
MAX_PAGE_BYTES: Final = 1024 * 1024
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
MAX_INDEX_KEY_BYTES: Final = (2048, 1024)
READ_UNIT: Final = 4096
WRITE_UNIT: Final = 1024


@dataclass(slots=True)
class Units:
    """Consumed capacity, as DynamoDB bills it; an eventually consistent read counts half."""

    read: float = 0.0
    write: float = 0.0
    by_operation: Counter[str] = field(default_factory=Counter)
    """Calls, by method of the port."""


class FakeTable:
    """The Table port; safe under threads, one operation at a time, transactions whole or not at all.

    Args:
        calls: where calls are recorded and struck by faults.
        index_lag: how many of the latest index changes reads of an index do not see yet; `catch_up` shows all.
    """

    def __init__(self, calls: Calls | None = None, *, index_lag: int = 0) -> None:
        self.calls = calls or Calls()
        self.index_lag = index_lag
        self.units = Units()
        self._lock = RLock()
        self._partitions: dict[str, dict[str, Row]] = {}
        self._indexes: dict[str, dict[Key, Entry]] = {name: {} for name in INDEXES}
        self._behind: list[tuple[str, Key, Entry | None]] = []

    # ── the port ────────────────────────────────────────────────────────────────────

    def get(self, key: Key) -> Item | None:
        check_key(key)

        def effect() -> Item | None:
            row = self._row(key)
            self.units.read += _read_units([row])
            return row_from(row) if row is not None else None

        return self._read("get", (key,), effect)

    def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        check_keys(keys)
        if not keys:
            return {}

        def effect() -> Mapping[Key, Item]:
            found = {key: self._row(key) for key in dict.fromkeys(keys)}
            self.units.read += sum(_read_units([row]) for row in found.values())
            return {key: row_from(row) for key, row in found.items() if row is not None}

        return self._read("get_many", (keys,), effect)

    def query(
        self, pk: str, *, prefix: str = "", after: str | None = None, limit: int = 100, backwards: bool = False
    ) -> Page:
        check_limit(limit)
        name = ("query", pk, prefix, str(backwards))
        start = tuple(position_of(after, name, 1)) if after is not None else None

        def effect() -> Page:
            rows: dict[tuple[str, ...], Row] = {
                (sk,): row for sk, row in self._partitions.get(pk, {}).items() if sk.startswith(prefix)
            }
            return self._page(rows, name, start, limit, backwards=backwards)

        return self._read("query", (pk, prefix, after, limit, backwards), effect)

    def query_due(self, shard: str, *, until: str, after: str | None = None, limit: int = 100) -> Page:
        check_limit(limit)
        name = ("due", shard)
        start = tuple(position_of(after, name, 3)) if after is not None else None

        def effect() -> Page:
            rows = {at: row for at, row in self._index_rows("due", shard) if at[0] <= until}
            return self._page(rows, name, start, limit, backwards=False)

        return self._read("query_due", (shard, until, after, limit), effect)

    def query_listing(
        self,
        listing_pk: str,
        *,
        since: str | None = None,
        after: str | None = None,
        limit: int = 50,
        backwards: bool = True,
    ) -> Page:
        check_limit(limit)
        name = ("listing", listing_pk, str(backwards), *([since] if since else []))
        start = tuple(position_of(after, name, 3)) if after is not None else None

        def effect() -> Page:
            rows = {at: row for at, row in self._index_rows("listing", listing_pk) if at[0] >= (since or "")}
            return self._page(rows, name, start, limit, backwards=backwards)

        return self._read("query_listing", (listing_pk, since, after, limit, backwards), effect)

    def write(self, write: Put | Update | Delete) -> Item:
        check_write(write)
        _typed(write)

        def effect() -> Item:
            with self._lock:
                old = self._row(write.key)
                ((_, new),) = self._commit([write], factor=1)
                after = old if isinstance(write, Delete) else new
                return row_from(after or {})

        return self.calls.run(
            "table", "write", (write,), self._counted("write", effect), raising(TableUnavailableError)
        )

    def transact(self, writes: Sequence[Write]) -> None:
        check_transaction(writes)
        if len(writes) == 1 and not isinstance(writes[0], Check):
            self.write(writes[0])
            return
        for write in writes:
            _typed(write)
        repeated = False

        def effect() -> None:
            nonlocal repeated
            if repeated:  # the client's own retry carries the same token, and DynamoDB answers it as it did before
                return
            with self._lock:
                self._commit(writes, factor=2)
            repeated = True

        self.calls.run(
            "table", "transact", tuple(writes), self._counted("transact", effect), _transaction_without_answer
        )

    # ── for tests ───────────────────────────────────────────────────────────────────

    def rows(self) -> list[Item]:
        """Every row, by key."""
        with self._lock:
            return [
                row_from(self._partitions[pk][sk])
                for pk in sorted(self._partitions)
                for sk in sorted(self._partitions[pk])
            ]

    def catch_up(self) -> None:
        """Let reads of the indexes see everything that has been written."""
        with self._lock:
            self._apply_index_changes(len(self._behind))

    def expire(self, epoch_seconds: int) -> int:
        """What TTL does, in its own time: remove rows whose `expires_at` has passed; answers how many."""
        with self._lock:
            gone = [
                Key(pk, sk)
                for pk, rows in self._partitions.items()
                for sk, row in rows.items()
                if int(row.get("expires_at", {}).get("N", epoch_seconds)) < epoch_seconds
            ]
            for key in gone:
                self._store(key, None)
            return len(gone)

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _row(self, key: Key) -> Row | None:
        return self._partitions.get(key.pk, {}).get(key.sk)

    def _read[T](self, operation: str, arguments: tuple[object, ...], effect: Callable[[], T]) -> T:
        return self.calls.run(
            "table", operation, arguments, self._counted(operation, effect), raising(TableUnavailableError)
        )

    def _counted[T](self, operation: str, effect: Callable[[], T]) -> Callable[[], T]:
        def counted() -> T:
            with self._lock:
                self.units.by_operation[operation] += 1
                return effect()

        return counted

    def _commit(self, writes: Sequence[Write], factor: int) -> list[tuple[Key, Row | None]]:
        rows = [self._row(write.key) for write in writes]
        refusals = [
            Refusal(index, row_from(row) if row is not None else None)
            for index, (write, row) in enumerate(zip(writes, rows, strict=True))
            if not all(_holds(condition, row, name) for name, condition in write.expect.items())
        ]
        if refusals:
            self.units.write += factor * sum(_write_units(row, row) for row in rows)
            raise ConditionFailedError(refusals)
        news = [_changed(write, row) for write, row in zip(writes, rows, strict=True)]
        if sum(row_bytes(new) for new in news if new is not None) > MAX_TRANSACTION_BYTES:
            raise ValueError("a transaction has at most 4 MB")
        for write, old, new in zip(writes, rows, news, strict=True):
            self.units.write += factor * _write_units(old, new)
            if not isinstance(write, Check):
                self._store(write.key, new)
        return [(write.key, new) for write, new in zip(writes, news, strict=True)]

    def _store(self, key: Key, new: Row | None) -> None:
        old = self._row(key)
        for name in INDEXES:
            before, after = _entry(name, old), _entry(name, new)
            if before != after:
                # Replicated after the commit, so never doubled by a transaction; another place is two writes.
                self.units.write += (before is not None) + (after is not None)
                self._behind.append((name, key, after))
        self._apply_index_changes(len(self._behind) - self.index_lag)
        if new is not None:
            self._partitions.setdefault(key.pk, {})[key.sk] = new
        elif old is not None:
            del self._partitions[key.pk][key.sk]

    def _apply_index_changes(self, count: int) -> None:
        for name, key, entry in self._behind[: max(count, 0)]:
            if entry is None:
                self._indexes[name].pop(key, None)
            else:
                self._indexes[name][key] = entry
        del self._behind[: max(count, 0)]

    def _index_rows(self, name: str, partition: str) -> Iterable[tuple[tuple[str, ...], Row]]:
        hash_name, range_name = INDEXES[name]
        for place, sort_key, pk, sk in self._indexes[name].values():
            if place == partition:
                entry = {"PK": pk, "SK": sk, hash_name: place, range_name: sort_key}
                yield (sort_key, pk, sk), {attribute: {"S": text} for attribute, text in entry.items()}

    def _page(
        self,
        rows: Mapping[tuple[str, ...], Row],
        name: Sequence[str],
        start: tuple[str, ...] | None,
        limit: int,
        *,
        backwards: bool,
    ) -> Page:
        # Text compares by code point here and by UTF-8 bytes in DynamoDB: that is the same order.
        places = [
            place
            for place in sorted(rows, reverse=backwards)
            if start is None or (place < start if backwards else place > start)
        ]
        read: list[tuple[str, ...]] = []
        room = MAX_PAGE_BYTES
        for place in places[: limit + 1]:  # the adapter reads one row more, to know whether there is a next page
            room -= row_bytes(rows[place])
            if read and room < 0:
                break
            read.append(place)
        consistent = name[0] == "query"
        self.units.read += _read_units([rows[place] for place in read]) * (1 if consistent else 0.5)
        page = read[:limit]
        more = len(page) < len(places)
        return Page([row_from(rows[place]) for place in page], page_token(name, page[-1]) if more else None)


def row_bytes(row: Row) -> int:
    """A row's size as DynamoDB counts it."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in row.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    kind, content = next(iter(value.items()))
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            return ceil(len(str(content).strip("-0")) / 2) + 1 + str(content).startswith("-")
        case "B":
            return len(bytes(content))
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(inner) for name, inner in content.items())
        case _:
            return 1


def _read_units(rows: Iterable[Row | None]) -> int:
    return max(1, ceil(sum(row_bytes(row) for row in rows if row is not None) / READ_UNIT))


def _write_units(old: Row | None, new: Row | None) -> int:
    return max(1, *(ceil(row_bytes(row or {}) / WRITE_UNIT) for row in (old, new)))


def _holds(condition: Condition, row: Row | None, name: str) -> bool:
    value = (row or {}).get(name)
    match condition:
        case Absent():
            return value is None
        case Present():
            return value is not None
        case Equals(wanted):
            return value == to_wire(wanted)
        case AtMost(bound):
            return value is not None and _ordered(value, bound, lambda left, right: left <= right)
        case LessThan(bound):
            return value is not None and _ordered(value, bound, lambda left, right: left < right)
        case AbsentOr(inner):
            return value is None or _holds(inner, row, name)


def _ordered(value: Mapping[str, Any], bound: str | int, compare: Callable[[Any, Any], bool]) -> bool:
    """Whether a value stands so to a bound; never, when they are of different types."""
    ((kind, content),) = value.items()
    ((bound_kind, bound_content),) = to_wire(bound).items()
    if kind != bound_kind:
        return False
    return compare(int(content), int(bound_content)) if kind == "N" else compare(content, bound_content)


def _typed(write: Write) -> None:
    """Refuse what no row can hold before anything is called, as the real table does."""
    if isinstance(write, Put):
        attributes_to_wire(write.item)
    if isinstance(write, Update):
        for attributes in (write.set, write.set_if_absent, write.add):
            attributes_to_wire(attributes)


def _changed(write: Write, old: Row | None) -> Row | None:
    key = {"PK": {"S": write.key.pk}, "SK": {"S": write.key.sk}}
    match write:
        case Put():
            new: Row | None = attributes_to_wire(write.item) | key
        case Update():
            new = _updated(write, old or key)
        case Delete():
            new = None
        case Check():
            new = old
    if new is not None:
        _check_row(new)
    return new


def _updated(update: Update, old: Row) -> Row:
    new = dict(old)
    for name, value in update.set.items():
        new[name] = to_wire(value)
    for name, value in update.set_if_absent.items():
        new.setdefault(name, to_wire(value))
    for name, amount in update.add.items():
        number = new.get(name, {"N": "0"})
        if "N" not in number:
            raise ValueError(f"{name} is not a number")
        new[name] = to_wire(int(number["N"]) + amount)
    for name in update.remove:
        new.pop(name, None)
    return new


def _check_row(row: Row) -> None:
    if row_bytes(row) > MAX_ROW_BYTES:
        raise ValueError(f"a row has at most {MAX_ROW_BYTES} bytes")
    for names in INDEXES.values():
        for name, most in zip(names, MAX_INDEX_KEY_BYTES, strict=True):
            if name in row and not 0 < len(row[name].get("S", "").encode()) <= most:
                raise ValueError(f"{name} is a key of an index: text of 1 to {most} bytes")


def _entry(index: str, row: Row | None) -> Entry | None:
    """The row's place in an index; None unless it has both attributes."""
    hash_name, range_name = INDEXES[index]
    if row is None or hash_name not in row or range_name not in row:
        return None
    return row[hash_name]["S"], row[range_name]["S"], row["PK"]["S"], row["SK"]["S"]


def _transaction_without_answer(fault: Fault) -> Never:
    """A throttled transaction is cancelled for certain; in every other case nobody knows."""
    raise (TableContendedError if fault is Fault.THROTTLED else TableUnavailableError)(fault.value)
