"""Values from outside, of any type."""

from decimal import Decimal

import pytest

from rms.aggregators.reading import mapping, text, whole, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a \n b ", "a b"),
        ("a\x00\x1bb", "a b"),
        ("lone \ud800 half", "lone half"),
        ("മലയാളം\u200d", "മലയാളം\u200d"),
        (7, "7"),
        (True, ""),
        (None, ""),
        (Decimal("7.5"), ""),
        (["a"], ""),
        ("abcdef", "abcd"),
    ],
)
def test_text_is_one_clean_line_or_nothing(value: object, expected: str) -> None:
    assert text(value, 4 if value == "abcdef" else 200) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        (" -1 ", -1),
        (Decimal("5.0"), 5),
        (Decimal("5.5"), None),
        ("5.0", None),
        ("", None),
        ("-", None),
        ("९", None),
        ("9" * 5000, None),
        (True, None),
        (None, None),
        ([5], None),
    ],
)
def test_whole_is_an_integer_or_nothing(value: object, expected: int | None) -> None:
    assert whole(value) == expected


def test_mapping_is_the_object_or_an_empty_one() -> None:
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping([1]) == mapping(None) == mapping("a") == {}


def test_words_show_an_object_as_its_json() -> None:
    assert words({"a": [Decimal("1.5"), None]}, 100) == '{"a": ["1.5", null]}'
    assert words(None, 100) == ""
