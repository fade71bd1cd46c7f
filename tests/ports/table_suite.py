"""What the Table port promises, as examples. Every implementation and every engine behind it runs all of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Barrier
from typing import ClassVar, Protocol
from uuid import uuid4

import pytest

from rms.platform.table import (
    EXISTING,
    NEW,
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
    Table,
    TableContendedError,
    Update,
    Value,
    Write,
)

WRITERS = 16


class TableUnderTest(Protocol):
    """One implementation, with the one fault that tells a good caller from a bad one."""

    @property
    def table(self) -> Table:
        """The implementation."""

    def lost_reply(self) -> AbstractContextManager[object]:
        """Inside, every write happens, its reply is lost once, and the client repeats it by itself."""


class TableSuite:
    """Subclasses name their `engine` and provide the fixture `under_test`."""

    engine: ClassVar[str]

    @pytest.fixture
    def table(self, under_test: TableUnderTest) -> Table:
        return under_test.table

    @pytest.fixture
    def pk(self) -> str:
        """A partition of its own for each test, because engines are shared."""
        return f"C#acme#R#{uuid4().hex}"

    # ── rows ────────────────────────────────────────────────────────────────────────

    def test_a_row_that_was_never_written_is_none(self, table: Table, pk: str) -> None:
        assert table.get(Key(pk, "DOCUMENT")) is None

    def test_a_put_row_comes_back_with_its_key(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")

        written = table.write(Put(key, {"code": "RET-7"}, NEW))

        assert written == table.get(key) == {"PK": pk, "SK": "DOCUMENT", "code": "RET-7"}

    @pytest.mark.parametrize(
        "value",
        [
            "text",
            "",
            "नमस्ते 🚚 Ünïcödé",
            "\x00\t\n\u2028\uffff",
            0,
            -1,
            10**38 - 1,
            -(10**38 - 1),
            True,
            False,
            None,
            b"\x00\xff",
            b"",
            [],
            {},
            [1, "1", True, None, b"1", [], {}],
            {"lines": [{"sku": "A", "quantity": 2, "gift": False, "note": None}], "नाम": "name"},
        ],
        ids=repr,
    )
    def test_a_value_comes_back_as_it_was(self, table: Table, pk: str, value: Value) -> None:
        key = Key(pk, "DOCUMENT")

        table.write(Put(key, {"value": value}, NEW))

        stored = (table.get(key) or {})["value"]
        assert stored == value
        assert type(stored) is type(value)

    def test_true_and_one_are_different_inside_lists_too(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")
        table.write(Put(key, {"value": [True, 1, 0, False]}, NEW))

        stored = (table.get(key) or {})["value"]

        assert isinstance(stored, list)
        assert [type(one) for one in stored] == [bool, int, int, bool]

    def test_tuples_come_back_as_lists(self, table: Table, pk: str) -> None:
        written = table.write(Put(Key(pk, "DOCUMENT"), {"value": (1, (2, 3))}, NEW))

        assert written["value"] == [1, [2, 3]]

    def test_attribute_names_need_no_care(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")
        names = ["name", "status", "a.b", "a-b", "#x", ":y", "with space", "मूल्य", "size", "0"]
        table.write(Put(key, dict.fromkeys(names, 1), NEW))

        changed = table.write(Update(key, {name: Equals(1) for name in names}, set=dict.fromkeys(names, 2)))

        assert {name: changed[name] for name in names} == dict.fromkeys(names, 2)

    def test_nesting_to_32_levels_is_kept_and_no_deeper(self, table: Table, pk: str) -> None:
        def nested(levels: int) -> Value:
            value: Value = "leaf"
            for _ in range(levels):
                value = [value]
            return value

        table.write(Put(Key(pk, "FITS"), {"value": nested(31)}, NEW))
        with pytest.raises(ValueError, match="nests"):
            table.write(Put(Key(pk, "TOO DEEP"), {"value": nested(33)}, NEW))

        assert table.get(Key(pk, "FITS")) == {"PK": pk, "SK": "FITS", "value": nested(31)}

    @pytest.mark.parametrize("value", [10**38, -(10**38)])
    def test_an_integer_that_would_lose_digits_is_refused(self, table: Table, pk: str, value: int) -> None:
        with pytest.raises(ValueError, match="38 digits"):
            table.write(Put(Key(pk, "DOCUMENT"), {"value": value}, NEW))

    def test_a_lone_surrogate_is_refused(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match="surrogates"):
            table.write(Put(Key(pk, "DOCUMENT"), {"value": "\ud83d"}, NEW))

    @pytest.mark.parametrize("item", [{"": 1}, {"value": {"": 1}}, {"value": [{"a": {"": 1}}]}], ids=repr)
    def test_an_empty_name_is_refused(self, table: Table, pk: str, item: Item) -> None:
        with pytest.raises(ValueError, match="name"):
            table.write(Put(Key(pk, "DOCUMENT"), item, NEW))

    def test_a_float_is_refused(self, table: Table, pk: str) -> None:
        with pytest.raises(TypeError, match="float"):
            table.write(Put(Key(pk, "DOCUMENT"), {"value": 0.1}, NEW))  # type: ignore[dict-item]  # the point

    def test_a_row_of_almost_400_kb_fits(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "DOCUMENT"), {"value": "x" * (399 * 1024)}, NEW))

        assert len(str((table.get(Key(pk, "DOCUMENT")) or {})["value"])) == 399 * 1024

    def test_a_row_above_400_kb_is_refused_for_good(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            table.write(Put(Key(pk, "DOCUMENT"), {"value": "x" * (400 * 1024)}, NEW))

        assert table.get(Key(pk, "DOCUMENT")) is None

    def test_an_update_cannot_grow_a_row_above_400_kb(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")
        table.write(Put(key, {"one": "x" * (300 * 1024)}, NEW))

        with pytest.raises(ValueError, match=r".+"):
            table.write(Update(key, EXISTING, set={"two": "x" * (101 * 1024)}))

        assert "two" not in (table.get(key) or {})

    def test_a_row_too_large_cancels_its_transaction(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            table.transact([Put(Key(pk, "SMALL"), {}, NEW), Put(Key(pk, "LARGE"), {"value": "x" * (400 * 1024)}, NEW)])

        assert table.get(Key(pk, "SMALL")) is None

    def test_many_rows_come_in_one_call_and_absent_ones_are_left_out(self, table: Table, pk: str) -> None:
        keys = [Key(pk, f"EVENT#{number:08}") for number in range(100)]
        for key in keys[::2]:
            table.write(Put(key, {"sk": key.sk}, NEW))

        found = table.get_many(keys)

        assert set(found) == set(keys[::2])
        assert all(row == {"PK": pk, "SK": key.sk, "sk": key.sk} for key, row in found.items())

    def test_a_key_asked_for_twice_comes_once(self, table: Table, pk: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {}, NEW))

        assert table.get_many([key, Key(pk, "NONE"), key]) == {key: {"PK": pk, "SK": "STATUS"}}

    def test_no_keys_are_no_rows(self, table: Table) -> None:
        assert table.get_many([]) == {}

    def test_more_than_100_keys_are_refused(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match="100 keys"):
            table.get_many([Key(pk, str(number)) for number in range(101)])

    def test_many_large_rows_all_come(self, table: Table, pk: str) -> None:
        keys = [Key(pk, str(number)) for number in range(8)]
        for key in keys:
            table.write(Put(key, {"value": "x" * (390 * 1024)}, NEW))

        assert set(table.get_many(keys)) == set(keys)

    @pytest.mark.parametrize("key", [Key("", "S"), Key("P", ""), Key("P" * 2049, "S"), Key("P", "S" * 1025)], ids=str)
    def test_a_key_that_no_row_can_have_is_refused(self, table: Table, key: Key) -> None:
        for attempt in (
            lambda: table.get(key),
            lambda: table.get_many([key]),
            lambda: table.write(Put(key, {}, NEW)),
            lambda: table.transact([Put(key, {}, NEW), Put(Key("P", "other"), {}, NEW)]),
        ):
            with pytest.raises(ValueError, match="a key is"):
                attempt()

    def test_a_key_of_the_longest_kind_works(self, table: Table, pk: str) -> None:
        key = Key(pk + "é" * 990, "S" * 1024)
        table.write(Put(key, {"here": True}, NEW))

        assert (table.get(key) or {})["here"] is True

    # ── conditions ──────────────────────────────────────────────────────────────────

    @pytest.mark.parametrize(
        ("condition", "holds_for"),
        [
            (Absent(), []),
            (Present(), [None, True, 5, 6, "", "5", "a"]),
            (Equals(5), [5]),
            (AtMost(4), []),
            (AtMost(5), [5]),
            (AtMost(1000), [5, 6]),
            (LessThan(5), []),
            (LessThan(6), [5]),
            (Equals("5"), ["5"]),
            (Equals(""), [""]),
            (AtMost("5"), ["", "5"]),
            (AtMost("a"), ["", "5", "a"]),
            (LessThan("a"), ["", "5"]),
            (Equals(value=True), [True]),
            (Equals(value=False), []),
            (AbsentOr(Equals(5)), [5]),
            (AbsentOr(AtMost(5)), [5]),
            (AbsentOr(AtMost("5")), ["", "5"]),
            (AbsentOr(LessThan("5")), [""]),
        ],
        ids=repr,
    )
    def test_a_condition_holds_for_these_values(
        self, table: Table, pk: str, condition: Condition, holds_for: Sequence[Value]
    ) -> None:
        wanted = {int: int, str: str, bool: bool}.get(type(_bound(condition)))
        values: list[Value] = [None, True, 5, 6, "", "5", "a"]
        candidates = [value for value in values if wanted is None or type(value) is wanted]

        held = [value for value in candidates if _holds(table, Key(pk, repr(value)), value, condition)]

        assert held == list(holds_for)

    def test_a_value_of_another_type_equals_nothing(self, table: Table, pk: str) -> None:
        values: list[Value] = [1, "1", True, None, b"1", [1], {"1": 1}]
        conditions = {int: Equals(1), str: Equals("1"), bool: Equals(value=True)}
        pairs = [(value, kind) for value in values for kind in conditions if type(value) is not kind]

        equal = [
            (value, kind.__name__)
            for place, (value, kind) in enumerate(pairs)
            if _holds(table, Key(pk, str(place)), value, conditions[kind])
        ]

        assert equal == []

    @pytest.mark.parametrize("condition", [AtMost(1), AtMost("1"), LessThan(1), LessThan("1")], ids=repr)
    def test_a_value_of_another_type_has_no_order(self, table: Table, pk: str, condition: AtMost | LessThan) -> None:
        values: list[Value] = [0, "0", False, None, b"0", [0], {"0": 0}]
        others = [value for value in values if type(value) is not type(condition.value)]

        assert [value for value in others if _holds(table, Key(pk, repr(value)), value, condition)] == []

    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            (Absent(), True),
            (Present(), False),
            (Equals(5), False),
            (AtMost("z"), False),
            (LessThan(5), False),
            (AbsentOr(Equals(5)), True),
        ],
        ids=repr,
    )
    def test_on_a_row_that_does_not_exist_every_attribute_is_absent(
        self, table: Table, pk: str, condition: Condition, *, holds: bool
    ) -> None:
        assert _succeeds(table, Update(Key(pk, "NONE"), {"value": condition}, set={"x": 1})) is holds

    @pytest.mark.parametrize(
        ("lower", "higher"),
        [
            ("Z", "a"),
            ("a", "é"),
            ("z", "ÿ"),
            ("\uffff", "😀"),
            ("a", "a\x00"),
            ("9", "é"),
            ("2026-03-02", "2026-03-02T"),
        ],
    )
    def test_text_compares_by_its_utf8_bytes(self, table: Table, pk: str, lower: str, higher: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"value": lower}, NEW))

        assert _succeeds(table, Update(key, {"value": LessThan(higher)}, set={"value": higher}))
        assert not _succeeds(table, Update(key, {"value": AtMost(lower)}, set={"value": lower}))

    @pytest.mark.parametrize(("lower", "higher"), [(-2, -1), (9, 10), (2**53, 2**53 + 1), (-(10**37), 10**37)])
    def test_numbers_compare_by_value(self, table: Table, pk: str, lower: int, higher: int) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"value": lower}, NEW))

        assert _succeeds(table, Update(key, {"value": LessThan(higher)}, set={"value": higher}))
        assert not _succeeds(table, Update(key, {"value": AtMost(lower)}, set={"value": lower}))

    def test_all_conditions_of_a_write_must_hold(self, table: Table, pk: str) -> None:
        key = Key(pk, "CURSOR#erp")
        table.write(Put(key, {"version": 1, "lease": "me"}, NEW))

        assert not _succeeds(table, Update(key, {"version": Equals(1), "lease": Equals("you")}, set={"x": 1}))
        assert not _succeeds(table, Update(key, {"version": Equals(2), "lease": Equals("me")}, set={"x": 1}))
        assert _succeeds(table, Update(key, {"version": Equals(1), "lease": Equals("me"), "x": Absent()}, set={"x": 1}))

    @pytest.mark.parametrize(
        "write",
        [
            Put(Key("P", "S"), {}, {}),
            Update(Key("P", "S"), {}, set={"x": 1}),
            Delete(Key("P", "S"), {}),
        ],
        ids=lambda write: type(write).__name__,
    )
    def test_a_write_without_a_condition_is_refused(self, table: Table, write: Put | Update | Delete) -> None:
        with pytest.raises(ValueError, match="condition"):
            table.write(write)
        with pytest.raises(ValueError, match="condition"):
            table.transact([write, Check(Key("P", "other"), EXISTING)])

    # ── single writes ───────────────────────────────────────────────────────────────

    def test_a_put_on_an_existing_row_is_refused_with_that_row(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")
        table.write(Put(key, {"body": "first", "n": 1}, NEW))

        with pytest.raises(ConditionFailedError) as failed:
            table.write(Put(key, {"body": "second"}, NEW))

        assert failed.value.refused(0)
        assert failed.value.current(0) == {"PK": pk, "SK": "DOCUMENT", "body": "first", "n": 1} == table.get(key)

    @pytest.mark.parametrize(
        "write",
        [
            lambda key: Put(key, {"x": 1}, EXISTING),
            lambda key: Update(key, EXISTING, set={"x": 1}),
            lambda key: Delete(key, EXISTING),
        ],
        ids=["Put", "Update", "Delete"],
    )
    def test_a_refusal_without_a_row_says_none(
        self, table: Table, pk: str, write: Callable[[Key], Put | Update | Delete]
    ) -> None:
        with pytest.raises(ConditionFailedError) as failed:
            table.write(write(Key(pk, "NONE")))

        assert failed.value.refused(0)
        assert failed.value.current(0) is None
        assert table.get(Key(pk, "NONE")) is None

    def test_a_put_replaces_the_whole_row(self, table: Table, pk: str) -> None:
        key = Key(pk, "DOCUMENT")
        table.write(Put(key, {"old": 1}, NEW))

        assert table.write(Put(key, {"new": 2}, EXISTING)) == {"PK": pk, "SK": "DOCUMENT", "new": 2}

    def test_an_update_changes_what_it_names_and_answers_the_whole_row(self, table: Table, pk: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"kept": "k", "changed": 1, "counted": 2, "gone": 3, "first": "mine"}, NEW))

        changed = table.write(
            Update(
                key,
                {"changed": Equals(1)},
                set={"changed": {"deep": [1]}, "new": None},
                set_if_absent={"first": "late", "second": "early"},
                add={"counted": -5, "from_nothing": 7},
                remove=["gone", "never there"],
            )
        )

        assert changed == table.get(key)
        assert changed == {
            "PK": pk,
            "SK": "STATUS",
            "kept": "k",
            "changed": {"deep": [1]},
            "new": None,
            "first": "mine",
            "second": "early",
            "counted": -3,
            "from_nothing": 7,
        }

    def test_adding_nothing_to_nothing_is_zero(self, table: Table, pk: str) -> None:
        assert table.write(Update(Key(pk, "COUNTER"), NEW, add={"n": 0}))["n"] == 0

    def test_set_if_absent_keeps_an_empty_value(self, table: Table, pk: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"value": None}, NEW))

        assert table.write(Update(key, EXISTING, set_if_absent={"value": 1}))["value"] is None

    def test_an_update_creates_the_row_when_its_condition_allows_that(self, table: Table, pk: str) -> None:
        key = Key(pk, "CURSOR#erp")

        created = table.write(Update(key, {"acknowledged": AbsentOr(LessThan(4))}, set={"due": "now"}))

        assert created == {"PK": pk, "SK": "CURSOR#erp", "due": "now"}

    def test_an_update_that_only_removes_works(self, table: Table, pk: str) -> None:
        key = Key(pk, "CURSOR#erp")
        table.write(Put(key, {"a": 1, "b": 2}, NEW))

        assert table.write(Update(key, {"a": Present()}, remove=["a"])) == {"PK": pk, "SK": "CURSOR#erp", "b": 2}

    def test_adding_to_text_is_refused_for_good(self, table: Table, pk: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"n": "one"}, NEW))

        with pytest.raises(ValueError, match=r".+"):
            table.write(Update(key, EXISTING, add={"n": 1}))

        assert (table.get(key) or {})["n"] == "one"

    @pytest.mark.parametrize(
        "update",
        [
            Update(Key("P", "S"), EXISTING),
            Update(Key("P", "S"), EXISTING, set={"a": 1}, remove=["a"]),
            Update(Key("P", "S"), EXISTING, set={"a": 1}, set_if_absent={"a": 1}),
            Update(Key("P", "S"), EXISTING, set={"PK": "Q"}),
            Update(Key("P", "S"), EXISTING, remove=["SK"]),
        ],
        ids=["nothing", "twice", "set twice", "sets PK", "removes SK"],
    )
    def test_an_update_that_makes_no_sense_is_refused(self, table: Table, update: Update) -> None:
        with pytest.raises(ValueError, match="update"):
            table.write(update)
        with pytest.raises(ValueError, match="update"):
            table.transact([update, Check(Key("P", "other"), EXISTING)])

    @pytest.mark.parametrize("name", ["PK", "SK"])
    def test_a_put_that_names_its_key_twice_is_refused(self, table: Table, pk: str, name: str) -> None:
        with pytest.raises(ValueError, match="PK"):
            table.write(Put(Key(pk, "S"), {name: "x"}, NEW))

    def test_a_delete_answers_the_row_as_it_was(self, table: Table, pk: str) -> None:
        key = Key(pk, "CURSOR#erp")
        table.write(Put(key, {"a": 1}, NEW))

        assert table.write(Delete(key, {"a": Equals(1)})) == {"PK": pk, "SK": "CURSOR#erp", "a": 1}
        assert table.get(key) is None

    def test_a_delete_may_find_nothing_when_its_condition_allows_that(self, table: Table, pk: str) -> None:
        assert table.write(Delete(Key(pk, "NONE"), {"a": AbsentOr(Equals(1))})) == {}

    # ── transactions ────────────────────────────────────────────────────────────────

    def test_a_transaction_does_every_kind_of_write(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "STATUS"), {"sequence": 1}, NEW))
        table.write(Put(Key(pk, "OLD"), {}, NEW))
        table.write(Put(Key(pk, "GUARD"), {"open": True}, NEW))

        table.transact(
            [
                Put(Key(pk, "EVENT#2"), {"kind": "PICKED_UP"}, NEW),
                Update(Key(pk, "STATUS"), {"sequence": Equals(1)}, set={"sequence": 2}, add={"tries": 1}),
                Delete(Key(pk, "OLD"), EXISTING),
                Check(Key(pk, "GUARD"), {"open": Equals(value=True)}),
            ]
        )

        assert list(table.query(pk).items) == [
            {"PK": pk, "SK": "EVENT#2", "kind": "PICKED_UP"},
            {"PK": pk, "SK": "GUARD", "open": True},
            {"PK": pk, "SK": "STATUS", "sequence": 2, "tries": 1},
        ]

    def test_a_transaction_with_a_failed_condition_writes_nothing_and_names_all_failures(
        self, table: Table, pk: str
    ) -> None:
        table.write(Put(Key(pk, "SEEN#e1"), {"sequence": 1}, NEW))
        table.write(Put(Key(pk, "STATUS"), {"sequence": 5}, NEW))
        before = list(table.query(pk).items)

        with pytest.raises(ConditionFailedError) as failed:
            table.transact(
                [
                    Put(Key(pk, "EVENT#2"), {}, NEW),
                    Put(Key(pk, "SEEN#e1"), {"sequence": 2}, NEW),
                    Update(Key(pk, "STATUS"), {"sequence": Equals(1)}, set={"sequence": 2}),
                    Delete(Key(pk, "NONE"), EXISTING),
                    Check(Key(pk, "OTHER"), EXISTING),
                ]
            )

        assert [refusal.index for refusal in failed.value.refusals] == [1, 2, 3, 4]
        assert failed.value.current(1) == {"PK": pk, "SK": "SEEN#e1", "sequence": 1}
        assert failed.value.current(2) == {"PK": pk, "SK": "STATUS", "sequence": 5}
        assert failed.value.current(3) is None
        assert failed.value.current(4) is None
        assert not failed.value.refused(0)
        assert list(table.query(pk).items) == before

    def test_a_failed_check_alone_refuses_the_transaction(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "GUARD"), {"open": False}, NEW))

        with pytest.raises(ConditionFailedError) as failed:
            table.transact([Put(Key(pk, "NEW"), {}, NEW), Check(Key(pk, "GUARD"), {"open": Equals(value=True)})])

        assert failed.value.current(1) == {"PK": pk, "SK": "GUARD", "open": False}
        assert table.get(Key(pk, "NEW")) is None

    @pytest.mark.parametrize("count", [1, 100])
    def test_a_transaction_takes_up_to_100_writes(self, table: Table, pk: str, count: int) -> None:
        table.transact([Put(Key(pk, f"{number:03}"), {}, NEW) for number in range(count)])

        assert len(table.query(pk, limit=200).items) == count

    @pytest.mark.parametrize("count", [0, 101])
    def test_a_transaction_of_none_or_of_more_than_100_is_refused(self, table: Table, pk: str, count: int) -> None:
        with pytest.raises(ValueError, match="1 to 100"):
            table.transact([Put(Key(pk, f"{number:03}"), {}, NEW) for number in range(count)])

        assert table.query(pk).items == []

    def test_two_writes_on_one_row_are_refused(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match="distinct"):
            table.transact([Put(Key(pk, "A"), {}, NEW), Check(Key(pk, "A"), NEW)])

        assert table.get(Key(pk, "A")) is None

    def test_a_transaction_of_one_is_refused_like_a_write(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "A"), {"x": 1}, NEW))

        with pytest.raises(ConditionFailedError) as failed:
            table.transact([Put(Key(pk, "A"), {"x": 2}, NEW)])

        assert failed.value.current(0) == {"PK": pk, "SK": "A", "x": 1}

    def test_a_check_may_stand_alone(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "A"), {"x": 1}, NEW))

        table.transact([Check(Key(pk, "A"), {"x": Equals(1)})])
        with pytest.raises(ConditionFailedError) as failed:
            table.transact([Check(Key(pk, "A"), {"x": Equals(2)})])

        assert failed.value.current(0) == {"PK": pk, "SK": "A", "x": 1}

    def test_a_transaction_may_reach_over_partitions(self, table: Table, pk: str) -> None:
        table.transact([Put(Key(pk, "A"), {}, NEW), Put(Key(pk + "#other", "A"), {}, NEW)])

        assert table.get(Key(pk + "#other", "A")) is not None

    def test_adding_to_text_cancels_its_transaction(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "STATUS"), {"n": "one"}, NEW))

        with pytest.raises(ValueError, match=r".+"):
            table.transact([Put(Key(pk, "A"), {}, NEW), Update(Key(pk, "STATUS"), EXISTING, add={"n": 1})])

        assert table.get(Key(pk, "A")) is None

    # ── lost replies ────────────────────────────────────────────────────────────────

    def test_our_own_write_after_a_lost_reply_is_known_by_its_fence(
        self, under_test: TableUnderTest, table: Table, pk: str
    ) -> None:
        key = Key(pk, "CURSOR#erp")

        with under_test.lost_reply(), pytest.raises(ConditionFailedError) as failed:
            table.write(Put(key, {"fence": "f-81"}, NEW))

        assert (failed.value.current(0) or {})["fence"] == "f-81"

    def test_our_own_update_after_a_lost_reply_is_known_by_its_fence(
        self, under_test: TableUnderTest, table: Table, pk: str
    ) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"sequence": 1}, NEW))

        with under_test.lost_reply(), pytest.raises(ConditionFailedError) as failed:
            table.write(Update(key, {"sequence": Equals(1)}, set={"sequence": 2, "fence": "f-82"}))

        assert failed.value.current(0) == {"PK": pk, "SK": "STATUS", "sequence": 2, "fence": "f-82"}

    def test_a_transaction_repeated_after_a_lost_reply_succeeds_once(
        self, under_test: TableUnderTest, table: Table, pk: str
    ) -> None:
        table.write(Put(Key(pk, "STATUS"), {"sequence": 1}, NEW))

        with under_test.lost_reply():
            table.transact(
                [
                    Put(Key(pk, "EVENT#2"), {}, NEW),
                    Update(Key(pk, "STATUS"), {"sequence": Equals(1)}, set={"sequence": 2}, add={"tries": 1}),
                ]
            )

        assert table.get(Key(pk, "STATUS")) == {"PK": pk, "SK": "STATUS", "sequence": 2, "tries": 1}

    # ── pages ───────────────────────────────────────────────────────────────────────

    def test_a_query_reads_one_partition_in_key_order(self, table: Table, pk: str) -> None:
        for sk in ["b", "a", "ab", "B", "é", "😀", "\uffff"]:
            table.write(Put(Key(pk, sk), {}, NEW))
        table.write(Put(Key(pk + "x", "a"), {}, NEW))

        forwards = table.query(pk)
        backwards = table.query(pk, backwards=True)

        assert _sort_keys(forwards) == ["B", "a", "ab", "b", "é", "\uffff", "😀"]
        assert _sort_keys(backwards) == ["😀", "\uffff", "é", "b", "ab", "a", "B"]
        assert forwards.next is backwards.next is None

    def test_an_empty_partition_is_an_empty_page(self, table: Table, pk: str) -> None:
        assert table.query(pk) == Page([], None)

    def test_a_prefix_narrows_the_query(self, table: Table, pk: str) -> None:
        for sk in ["CURSOR#a", "EVENT", "EVENT#00000001", "EVENT#00000002", "EVENTS", "STATUS"]:
            table.write(Put(Key(pk, sk), {}, NEW))

        assert _sort_keys(table.query(pk, prefix="EVENT#")) == ["EVENT#00000001", "EVENT#00000002"]

    @pytest.mark.parametrize("backwards", [False, True])
    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
    def test_pages_hold_every_row_once_and_the_last_says_so(
        self, table: Table, pk: str, limit: int, *, backwards: bool
    ) -> None:
        keys = [f"EVENT#{number:08}" for number in range(7)]
        for sk in [*keys, "DOCUMENT", "STATUS"]:
            table.write(Put(Key(pk, sk), {}, NEW))

        pages = _pages(lambda after: table.query(pk, prefix="EVENT#", limit=limit, after=after, backwards=backwards))

        assert [len(page.items) for page in pages] == [len(keys[at : at + limit]) for at in range(0, 7, limit)]
        assert [sk for page in pages for sk in _sort_keys(page)] == (keys[::-1] if backwards else keys)

    def test_a_page_continues_although_its_last_row_has_gone(self, table: Table, pk: str) -> None:
        for sk in "abcd":
            table.write(Put(Key(pk, sk), {}, NEW))
        first = table.query(pk, limit=2)
        table.write(Delete(Key(pk, "b"), EXISTING))

        assert _sort_keys(table.query(pk, limit=2, after=first.next)) == ["c", "d"]

    def test_more_than_a_megabyte_comes_in_several_pages(self, table: Table, pk: str) -> None:
        keys = [f"{number}" for number in range(6)]
        for sk in keys:
            table.write(Put(Key(pk, sk), {"value": "x" * (300 * 1024)}, NEW))

        pages = _pages(lambda after: table.query(pk, after=after))

        assert len(pages) > 1
        assert [sk for page in pages for sk in _sort_keys(page)] == keys

    def test_a_page_token_can_stand_in_a_url(self, table: Table, pk: str) -> None:
        for sk in ["नमस्ते/?&=+#%", "b"]:
            table.write(Put(Key(pk, sk), {}, NEW))
        token = table.query(pk, limit=1).next or ""

        assert token.replace("-", "").replace("_", "").isalnum()
        assert token.isascii()
        assert _sort_keys(table.query(pk, limit=1, after=token)) == ["नमस्ते/?&=+#%"]

    @pytest.mark.parametrize(
        "change", [lambda _: "", lambda _: "x", lambda _: "é", lambda t: t[:-1], lambda t: t + "A"]
    )
    def test_a_token_that_was_changed_is_refused(self, table: Table, pk: str, change: Callable[[str], str]) -> None:
        for sk in "ab":
            table.write(Put(Key(pk, sk), {}, NEW))
        token = change(table.query(pk, limit=1).next or "")

        with pytest.raises(ValueError, match="not a page token"):
            table.query(pk, limit=1, after=token)

    def test_a_token_of_another_query_is_refused(self, table: Table, pk: str) -> None:
        for sk in "ab":
            table.write(Put(Key(pk, sk), {}, NEW))
        token = table.query(pk, limit=1).next

        attempts: list[Callable[[], Page]] = [
            lambda: table.query(pk + "x", after=token),
            lambda: table.query(pk, prefix="a", after=token),
            lambda: table.query(pk, after=token, backwards=True),
            lambda: table.query_due(pk, until="9", after=token),
            lambda: table.query_listing(pk, after=token),
        ]
        for attempt in attempts:
            with pytest.raises(ValueError, match="not a page token"):
                attempt()

    def test_a_token_of_a_listing_since_another_time_is_refused(self, table: Table, pk: str) -> None:
        for number in range(3):
            table.write(Put(Key(f"{pk}#{number}", "STATUS"), {"listing_pk": pk, "listing_sk": f"{number}"}, NEW))
        token = table.query_listing(pk, since="1", limit=1).next
        assert token is not None

        for since in (None, "0", "2"):
            with pytest.raises(ValueError, match="not a page token"):
                table.query_listing(pk, since=since, limit=1, after=token)

    def test_a_page_without_rows_cannot_be_asked_for(self, table: Table, pk: str) -> None:
        attempts: list[Callable[[], Page]] = [
            lambda: table.query(pk, limit=0),
            lambda: table.query_due(pk, until="9", limit=0),
            lambda: table.query_listing(pk, limit=0),
        ]
        for attempt in attempts:
            with pytest.raises(ValueError, match="at least 1 row"):
                attempt()

    # ── index `due` ─────────────────────────────────────────────────────────────────

    def test_due_rows_come_earliest_first_up_to_the_time_asked_for(self, table: Table, pk: str) -> None:
        for sk, due_at in [
            ("c", "2026-03-02T10"),
            ("a", "2026-03-02T12"),
            ("b", "2026-03-02T09"),
            ("d", "2026-03-02T13"),
        ]:
            table.write(Put(Key(pk, sk), {"due_shard": pk, "due_at": due_at, "more": "not in the index"}, NEW))

        due = table.query_due(pk, until="2026-03-02T12")

        assert list(due.items) == [
            {"PK": pk, "SK": "b", "due_shard": pk, "due_at": "2026-03-02T09"},
            {"PK": pk, "SK": "c", "due_shard": pk, "due_at": "2026-03-02T10"},
            {"PK": pk, "SK": "a", "due_shard": pk, "due_at": "2026-03-02T12"},
        ]
        assert due.next is None

    def test_only_rows_with_both_attributes_are_due(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "shard only"), {"due_shard": pk}, NEW))
        table.write(Put(Key(pk, "time only"), {"due_at": "1"}, NEW))
        table.write(Put(Key(pk, "other shard"), {"due_shard": pk + "x", "due_at": "1"}, NEW))
        table.write(Put(Key(pk, "both"), {"due_shard": pk, "due_at": "1"}, NEW))

        assert _sort_keys(table.query_due(pk, until="9")) == ["both"]

    def test_a_row_moves_in_the_index_and_leaves_it(self, table: Table, pk: str) -> None:
        key = Key(pk, "CURSOR#erp")
        table.write(Put(key, {"due_shard": pk, "due_at": "5"}, NEW))

        table.write(Update(key, EXISTING, set={"due_at": "7"}))
        moved = table.query_due(pk, until="9")
        table.write(Update(key, EXISTING, remove=["due_shard", "due_at"]))
        left = table.query_due(pk, until="9")
        table.transact([Update(key, EXISTING, set={"due_shard": pk, "due_at": "3"}), Put(Key(pk, "x"), {}, NEW)])
        back = table.query_due(pk, until="9")
        table.write(Delete(key, EXISTING))

        assert [row["due_at"] for row in moved.items] == ["7"]
        assert left.items == []
        assert [row["due_at"] for row in back.items] == ["3"]
        assert table.query_due(pk, until="9").items == []

    def test_due_pages_hold_every_row_once_even_at_the_same_time(self, table: Table, pk: str) -> None:
        names = [f"{number}" for number in range(7)]
        for name in names:
            table.write(Put(Key(f"{pk}#{name}", "CURSOR#erp"), {"due_shard": pk, "due_at": "5"}, NEW))

        pages = _pages(lambda after: table.query_due(pk, until="5", limit=3, after=after))

        assert [len(page.items) for page in pages] == [3, 3, 1]
        assert sorted(str(row["PK"]) for page in pages for row in page.items) == [f"{pk}#{name}" for name in names]

    def test_an_index_key_is_not_empty(self, table: Table, pk: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            table.write(Put(Key(pk, "A"), {"due_shard": pk, "due_at": ""}, NEW))

        assert table.get(Key(pk, "A")) is None

    def test_an_index_key_is_text(self, table: Table, pk: str) -> None:
        values: list[Value] = [5, True, None, [], {}]

        taken = [value for value in values if _taken(table, Put(Key(pk, repr(value)), {"due_at": value}, NEW))]

        assert taken == []

    def test_an_update_leaves_no_index_key_empty(self, table: Table, pk: str) -> None:
        table.write(Put(Key(pk, "A"), {"due_shard": pk, "due_at": "1"}, NEW))

        with pytest.raises(ValueError, match=r".+"):
            table.write(Update(Key(pk, "A"), EXISTING, set={"due_at": ""}))

        assert (table.get(Key(pk, "A")) or {})["due_at"] == "1"

    def test_an_update_leaves_every_index_key_text(self, table: Table, pk: str) -> None:
        values: list[Value] = [5, True, None, [], {}]
        table.write(Put(Key(pk, "A"), {"due_shard": pk, "due_at": "1"}, NEW))

        taken = [value for value in values if _taken(table, Update(Key(pk, "A"), EXISTING, set={"due_at": value}))]

        assert taken == []
        assert (table.get(Key(pk, "A")) or {})["due_at"] == "1"

    # ── index `listing` ─────────────────────────────────────────────────────────────

    def test_a_listing_comes_newest_first_unless_asked_otherwise(self, table: Table, pk: str) -> None:
        for number in (2, 1, 3):
            item: Item = {"listing_pk": pk, "listing_sk": f"2026-03-0{number}#RET-{number}", "more": 1}
            table.write(Put(Key(f"{pk}{number}", "STATUS"), item, NEW))
        table.write(Put(Key(pk, "hidden"), {"listing_pk": pk}, NEW))

        newest = table.query_listing(pk)
        oldest = table.query_listing(pk, backwards=False)

        assert [row["listing_sk"] for row in newest.items] == [
            "2026-03-03#RET-3",
            "2026-03-02#RET-2",
            "2026-03-01#RET-1",
        ]
        assert list(oldest.items) == list(newest.items)[::-1]
        assert newest.items[0] == {
            "PK": f"{pk}3",
            "SK": "STATUS",
            "listing_pk": pk,
            "listing_sk": "2026-03-03#RET-3",
        }

    @pytest.mark.parametrize("backwards", [False, True])
    def test_listing_pages_hold_every_row_once(self, table: Table, pk: str, *, backwards: bool) -> None:
        for number in range(5):
            item = {"listing_pk": pk, "listing_sk": f"{number}"}
            table.write(Put(Key(f"{pk}#{number}", "STATUS"), item, NEW))

        pages = _pages(lambda after: table.query_listing(pk, limit=2, after=after, backwards=backwards))

        listed = [str(row["listing_sk"]) for page in pages for row in page.items]
        assert [len(page.items) for page in pages] == [2, 2, 1]
        assert listed == sorted("01234", reverse=backwards)

    @pytest.mark.parametrize("backwards", [False, True])
    def test_a_listing_may_start_at_a_time_and_its_pages_stay_there(
        self, table: Table, pk: str, *, backwards: bool
    ) -> None:
        for number in range(5):
            item = {"listing_pk": pk, "listing_sk": f"{number}"}
            table.write(Put(Key(f"{pk}#{number}", "STATUS"), item, NEW))

        pages = _pages(lambda after: table.query_listing(pk, since="2", limit=2, after=after, backwards=backwards))

        listed = [str(row["listing_sk"]) for page in pages for row in page.items]
        assert listed == sorted("234", reverse=backwards)
        assert table.query_listing(pk, since="5").items == []

    # ── concurrent writers ──────────────────────────────────────────────────────────

    def test_of_many_concurrent_first_writers_one_wins_and_all_see_who(self, table: Table, pk: str) -> None:
        key = Key(pk, "BOOKING")

        def claim(writer: int) -> Value:
            try:
                return table.write(Put(key, {"fence": writer}, NEW))["fence"]
            except ConditionFailedError as failed:
                return (failed.current(0) or {})["fence"]

        seen = _at_once(claim)

        assert len(set(seen)) == 1
        assert (table.get(key) or {})["fence"] == seen[0]

    def test_concurrent_increments_under_a_version_all_count(self, table: Table, pk: str) -> None:
        key = Key(pk, "STATUS")
        table.write(Put(key, {"version": 0, "by": {}}, NEW))
        each = 4

        def increment(writer: int) -> None:
            for _ in range(each):
                _until_done(lambda: _increment(table, key, writer))

        _at_once(increment)

        assert (table.get(key) or {})["version"] == WRITERS * each

    def test_concurrent_additions_need_no_version(self, table: Table, pk: str) -> None:
        key = Key(pk, "COUNTER")
        table.write(Put(key, {}, NEW))

        _at_once(lambda _: [table.write(Update(key, EXISTING, add={"n": 1})) for _ in range(4)])

        assert (table.get(key) or {})["n"] == WRITERS * 4

    def test_concurrent_transactions_number_their_events_without_gaps(self, table: Table, pk: str) -> None:
        status = Key(pk, "STATUS")
        table.write(Put(status, {"sequence": 0}, NEW))
        each = 3

        def append(writer: int) -> None:
            for number in range(each):
                _until_done(lambda number=number: _append(table, pk, f"{writer}-{number}"))  # type: ignore[misc]  # bound now

        _at_once(append)

        events = _pages(lambda after: table.query(pk, prefix="EVENT#", after=after))
        rows = [row for page in events for row in page.items]
        assert [row["SK"] for row in rows] == [f"EVENT#{number:08}" for number in range(1, WRITERS * each + 1)]
        assert len({row["event_id"] for row in rows}) == WRITERS * each
        assert (table.get(status) or {})["sequence"] == WRITERS * each


def _succeeds(table: Table, write: Put | Update | Delete) -> bool:
    try:
        table.write(write)
    except ConditionFailedError:
        return False
    return True


def _taken(table: Table, write: Put | Update) -> bool:
    """Whether the table takes it at all; False when it refuses it for good."""
    try:
        table.write(write)
    except ValueError:
        return False
    return True


def _holds(table: Table, key: Key, value: Value, condition: Condition) -> bool:
    table.write(Put(key, {"value": value}, NEW))
    return _succeeds(table, Update(key, {"value": condition}, set={"x": 1}))


def _bound(condition: Condition) -> Value:
    match condition:
        case AbsentOr(inner):
            return inner.value
        case Equals() | AtMost() | LessThan():
            return condition.value
        case Absent() | Present():
            return None


def _sort_keys(page: Page) -> list[Value]:
    return [row["SK"] for row in page.items]


def _pages(read: Callable[[str | None], Page]) -> list[Page]:
    """Every page, from the first to the one that says it is the last."""
    pages = [read(None)]
    while pages[-1].next is not None:
        pages.append(read(pages[-1].next))
    return pages


def _at_once[T](work: Callable[[int], T]) -> list[T]:
    """What many writers answer who all begin at the same moment."""
    start = Barrier(WRITERS)

    def begin(writer: int) -> T:
        start.wait(timeout=30)
        return work(writer)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(begin, range(WRITERS)))


def _until_done(attempt: Callable[[], None]) -> None:
    for _ in range(400):
        try:
            return attempt()
        except (ConditionFailedError, TableContendedError):
            continue
    raise AssertionError("never got through")


def _increment(table: Table, key: Key, writer: int) -> None:
    version = (table.get(key) or {})["version"]
    assert isinstance(version, int)
    table.write(Update(key, {"version": Equals(version)}, set={"version": version + 1, "by": writer}))


def _append(table: Table, pk: str, event_id: str) -> None:
    status = Key(pk, "STATUS")
    sequence = (table.get(status) or {})["sequence"]
    assert isinstance(sequence, int)
    writes: list[Write] = [
        Update(status, {"sequence": Equals(sequence)}, set={"sequence": sequence + 1}),
        Put(Key(pk, f"EVENT#{sequence + 1:08}"), {"event_id": event_id}, NEW),
        Put(Key(pk, f"SEEN#{event_id}"), {"sequence": sequence + 1}, NEW),
    ]
    table.transact(writes)
