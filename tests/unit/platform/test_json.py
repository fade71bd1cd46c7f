"""Strict JSON: what is taken, what is refused, and that nothing else ever comes out."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.platform.json import MAX_DEPTH, BadJsonError, parse_json, parse_object, write_json


def problem(raw: bytes) -> str:
    with pytest.raises(BadJsonError) as caught:
        parse_json(raw)
    return caught.value.problem


def test_numbers_with_a_fraction_are_decimals_and_whole_ones_integers() -> None:
    assert parse_json(b'{"price": 1249.10, "quantity": 2, "weight": 1e3}') == {
        "price": Decimal("1249.10"),
        "quantity": 2,
        "weight": Decimal(1000),
    }
    assert str(parse_json(b"1249.10")) == "1249.10"


@pytest.mark.parametrize(
    "number", [b"0.1", b"-2.2250738585072014e-12", b"16.949152542372882", b"1.7976931348623157e+30"]
)
def test_any_double_within_reason_is_read_exactly(number: bytes) -> None:
    assert parse_json(number) == Decimal(number.decode())


@pytest.mark.parametrize("zero", [b"0.0", b"-0.0", b"0e99999", b"-0E-99999"])
def test_every_spelling_of_zero_is_plain_zero(zero: bytes) -> None:
    assert str(parse_json(zero)) == "0"


def test_a_byte_order_mark_is_put_up_with() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_text_beyond_ascii_may_come_raw_or_escaped() -> None:
    raw = '"Zo\u00eb \U0001f45f"'
    assert parse_json(raw.encode()) == parse_json(json.dumps("Zo\u00eb \U0001f45f").encode()) == "Zo\u00eb \U0001f45f"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "may not be empty"),
        (b"\xef\xbb\xbf \n", "may not be empty"),
        (b'{"a": "\xff"}', "must be UTF-8 text, which ends at byte 8"),
        (b'"\xed\xa0\x80"', "must be UTF-8 text, which ends at byte 2"),
        ('{"a": "b"}'.encode("utf-16"), "must be UTF-8 text, which ends at byte 1"),
        (b"{'a': 1}", "must be JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        (b'{"a": 1} x', "must be JSON: Extra data (line 1, column 10)"),
        (b'{"a":\n  "line\nbreak"}', "must be JSON: Invalid control character at (line 2, column 8)"),
        (b'{"a": NaN}', "may not hold NaN, which is not JSON"),
        (b"[Infinity]", "may not hold Infinity, which is not JSON"),
        (b"[-Infinity]", "may not hold -Infinity, which is not JSON"),
        (b'{"a": 1, "b": 2, "a": 1}', "may not hold the same key twice in one object"),
        (b'[{"a": {"b": 1, "\\u0062": 2}}]', "may not hold the same key twice in one object"),
        (b"1234567890123456789", "may not hold an integer of more than 18 digits"),
        (b"-" + b"9" * 5000, "may not hold an integer of more than 18 digits"),
        (b"0." + b"1" * 40, "may not hold a number of more than 28 characters"),
        (b"1e31", "may not hold a number beyond 1e30 or closer to 0 than 1e-30"),
        (b"1e-31", "may not hold a number beyond 1e30 or closer to 0 than 1e-30"),
        (b"1e999999999999999999", "may not hold a number beyond 1e30 or closer to 0 than 1e-30"),
        (b'"\\ud83d"', "must be Unicode text: a \\u escape is half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "must be Unicode text: a \\u escape is half of a surrogate pair"),
        (b'[{"a": ["\\udc00\\ud800"]}]', "must be Unicode text: a \\u escape is half of a surrogate pair"),
        (b"[" * 200_000, "may nest at most 32 levels deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "may nest at most 32 levels deep"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_what_was_expected(raw: bytes, expected: str) -> None:
    assert problem(raw) == expected


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_brackets_inside_text_are_not_nesting() -> None:
    text = '[{"\\' * 100
    assert parse_json(json.dumps([text]).encode()) == [text]


def test_an_open_string_full_of_quotes_is_refused_at_once() -> None:
    assert problem(b'[{[{"' + b'\\"[' * 80_000).startswith("must be JSON")
    assert problem(b"[" * 33 + b'"' + b'\\"' * 120_000 + b"\\") == "may nest at most 32 levels deep"


@pytest.mark.parametrize("raw", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_a_body_must_be_an_object(raw: bytes) -> None:
    with pytest.raises(BadJsonError, match="must be a JSON object"):
        parse_object(raw)


def test_an_object_is_what_it_was() -> None:
    assert parse_object(b' {"a": [true, null]} ') == {"a": [True, None]}


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dD89.eE-+ntf \n', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with suppress(BadJsonError):
        parse_json(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_what_json_writes_is_read_as_it_was(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


# ── writing ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        (True, b"true"),
        (False, b"false"),
        (-7, b"-7"),
        (2**63 - 1, b"9223372036854775807"),
        (Decimal("1249.10"), b"1249.1"),
        (Decimal("0.1"), b"0.1"),
        (Decimal("1E+3"), b"1000"),
        (Decimal(100), b"100"),
        (Decimal("-0.00"), b"0"),
        (Decimal("1E-7"), b"0.0000001"),
        ('a"b\\\n\x00', b'"a\\"b\\\\\\n\\u0000"'),
        ("\u0bb0 \U0001f600", '"\u0bb0 \U0001f600"'.encode()),
        ("\ud83d", b'"?"'),
        ([], b"[]"),
        ((), b"[]"),
        ({}, b"{}"),
        ([1, [2], {}], b"[1,[2],{}]"),
        ({"b": 1, "a": [None, {"c": Decimal("0.5")}]}, b'{"b":1,"a":[null,{"c":0.5}]}'),
    ],
    ids=ascii,
)
def test_json_is_written_compact_and_exact(value: Any, written: bytes) -> None:
    assert write_json(value) == written


@pytest.mark.parametrize(
    "value", [0.1, float("nan"), b"bytes", {"a": {1.5}}, [object()]], ids=lambda value: type(value).__name__
)
def test_a_binary_float_is_never_written(value: Any) -> None:
    with pytest.raises(TypeError, match="JSON is not written from"):
        write_json(value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_number_that_is_not_finite_is_not_written(number: str) -> None:
    with pytest.raises(ValueError, match="not finite"):
        write_json(Decimal(number))


WRITABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**17), max_value=10**17)
    | st.decimals(min_value=-(10**9), max_value=10**9, places=6)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(WRITABLE)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json.loads(write_json(value), parse_float=Decimal) == value
