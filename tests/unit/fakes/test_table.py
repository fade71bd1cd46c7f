"""What FakeTable does beyond the port. That it keeps the port is the shared suite's matter."""

import pytest

from rms.platform.table import EXISTING, NEW, Absent, Check, ConditionFailedError, Delete, Key, Put, Update
from tests.fakes.table import FakeTable

KEY = Key("P", "S")
DUE = {"due_shard": "s", "due_at": "1"}


def test_an_index_may_lag_behind_its_table() -> None:
    table = FakeTable(index_lag=2)
    for number in range(3):
        table.write(Put(Key("P", f"{number}"), DUE, NEW))
    table.write(Delete(Key("P", "0"), EXISTING))

    assert [row["SK"] for row in table.query_due("s", until="9").items] == ["0", "1"]
    table.catch_up()
    assert [row["SK"] for row in table.query_due("s", until="9").items] == ["1", "2"]


def test_rows_expire_when_they_are_told() -> None:
    table = FakeTable()
    table.write(Put(Key("P", "old"), {"expires_at": 99}, NEW))
    table.write(Put(Key("P", "new"), {"expires_at": 100}, NEW))
    table.write(Put(Key("P", "for ever"), {}, NEW))

    assert table.expire(100) == 1
    assert [row["SK"] for row in table.rows()] == ["for ever", "new"]


def test_what_was_read_or_written_is_nobodys_to_change() -> None:
    table = FakeTable()
    lines: list[str] = ["A"]
    table.write(Put(KEY, {"lines": lines}, NEW))
    lines.append("B")
    read = (table.get(KEY) or {})["lines"]
    assert isinstance(read, list)
    read.append("C")

    assert (table.get(KEY) or {})["lines"] == ["A"]


def test_reads_are_priced_by_4_kb_and_indexes_at_half() -> None:
    table = FakeTable()
    table.write(Put(Key("P", "large"), {"v": "x" * 9000}, NEW))
    table.write(Put(Key("P", "small"), DUE, NEW))

    def price(read: object) -> float:
        before = table.units.read
        assert callable(read)
        read()
        return table.units.read - before

    assert price(lambda: table.get(Key("P", "large"))) == 3
    assert price(lambda: table.get(Key("P", "none"))) == 1
    assert price(lambda: table.get_many([Key("P", "large"), Key("P", "small"), Key("P", "none")])) == 5
    assert price(lambda: table.query("P")) == 3
    assert price(lambda: table.query("P", prefix="small")) == 1
    assert price(lambda: table.query_due("s", until="9")) == 0.5


def test_writes_are_priced_by_kb_of_the_larger_image_and_by_index_entries() -> None:
    table = FakeTable()

    def price(write: Put | Update | Delete) -> float:
        before = table.units.write
        table.write(write)
        return table.units.write - before

    assert price(Put(KEY, {"v": "x" * 2500}, NEW)) == 3
    assert price(Put(KEY, {"v": "x"}, EXISTING)) == 3
    assert price(Update(KEY, EXISTING, set=DUE)) == 2
    assert price(Update(KEY, EXISTING, set={"v": "y"})) == 1
    assert price(Update(KEY, EXISTING, set={"due_at": "2"})) == 3
    assert price(Update(KEY, EXISTING, remove=list(DUE))) == 2
    assert price(Delete(KEY, EXISTING)) == 1
    assert price(Delete(KEY, {"v": Absent()})) == 1


def test_a_transaction_doubles_rows_and_checks_but_not_index_entries() -> None:
    table = FakeTable()
    table.write(Put(Key("P", "guard"), {}, NEW))
    before = table.units.write

    table.transact(
        [
            Put(Key("P", "a"), {**DUE, "listing_pk": "l", "listing_sk": "1"}, NEW),
            Put(Key("P", "b"), {"v": "x" * 1500}, NEW),
            Check(Key("P", "guard"), EXISTING),
        ]
    )

    assert table.units.write - before == 2 * (1 + 2 + 1) + 2


def test_a_refused_write_is_billed_all_the_same() -> None:
    table = FakeTable()
    table.write(Put(KEY, {"v": "x" * 2500}, NEW))
    before = table.units.write

    with pytest.raises(ConditionFailedError):
        table.write(Put(KEY, {}, NEW))

    assert table.units.write - before == 3
