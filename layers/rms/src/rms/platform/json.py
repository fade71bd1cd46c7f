"""Strict reading of JSON from outside: what parsers understand in two ways, or what no store can hold, is refused.

Money must not pass through a binary float, so numbers with a fraction or an exponent come out as Decimal, and
`write_json` writes a Decimal as the number that it is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Never

from rms.platform.errors import BadDataError

type JsonValue = bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None
type JsonObject = dict[str, JsonValue]
type Writable = bool | int | Decimal | str | Sequence[Writable] | Mapping[str, Writable] | None
"""What `write_json` takes."""

MAX_TEXT: Final = 255
"""Longest text in a small body, in characters."""
MAX_DEPTH: Final = 32
"""Deepest nesting of lists and objects."""
MAX_INTEGER_DIGITS: Final = 18
"""Longest integer: every one fits 64 bits with its sign."""
MAX_NUMBER_LENGTH: Final = 28
"""Longest number with a fraction, in characters: any double fits, and decimal arithmetic is exact up to here."""
MAX_MAGNITUDE: Final = 30
"""Largest power of ten of a number, either way: written out in full it stays short."""

_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode


class BadJsonError(BadDataError):
    """The body is not JSON that we take. `problem` says what was expected, in words that hold nothing of the body."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"[body: {problem}]")
        self.problem = problem


def parse_json(raw: bytes) -> JsonValue:
    """The JSON value in `raw`: UTF-8, a byte order mark put up with.

    Raises:
        BadJsonError: for anything that is not strict JSON, a repeated key, NaN or Infinity, half a surrogate pair,
            or a number or nesting beyond the limits above. No other exception.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadJsonError(f"must be UTF-8 text, which ends at byte {error.start + 1}") from None
    if not text.strip():
        raise BadJsonError("may not be empty")
    _check_depth(raw)
    try:
        value: JsonValue = json.loads(
            text,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise BadJsonError(f"must be JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    if _SURROGATE_ESCAPE.search(raw) and _has_lone_surrogate(value):
        raise BadJsonError("must be Unicode text: a \\u escape is half of a surrogate pair")
    return value


def parse_object(raw: bytes) -> JsonObject:
    """The JSON object in `raw`, as `parse_json` reads it.

    Raises:
        BadJsonError: as `parse_json`, and when the value is not an object.
    """
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise BadJsonError("must be a JSON object")
    return value


def _check_depth(raw: bytes) -> None:
    # Before parsing, because the standard parser's own stop is the interpreter's stack. Most bodies end at the count.
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(raw):
        if match.group().startswith(b'"'):
            continue
        depth += 1 if match.group(1) else -1
        if depth > MAX_DEPTH:
            raise BadJsonError(f"may nest at most {MAX_DEPTH} levels deep")


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadJsonError("may not hold the same key twice in one object")
    return value


def _integer(digits: str) -> int:
    # Also ahead of int()'s own limit, which is a ValueError with another text.
    if len(digits) - digits.startswith("-") > MAX_INTEGER_DIGITS:
        raise BadJsonError(f"may not hold an integer of more than {MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _decimal(number: str) -> Decimal:
    if len(number) > MAX_NUMBER_LENGTH:
        raise BadJsonError(f"may not hold a number of more than {MAX_NUMBER_LENGTH} characters")
    value = Decimal(number)
    if value and abs(value.adjusted()) > MAX_MAGNITUDE:
        raise BadJsonError(f"may not hold a number beyond 1e{MAX_MAGNITUDE} or closer to 0 than 1e-{MAX_MAGNITUDE}")
    return value or Decimal(0)


def _refuse_constant(name: str) -> Never:
    raise BadJsonError(f"may not hold {name}, which is not JSON")


def _has_lone_surrogate(value: JsonValue) -> bool:
    match value:
        case str():
            return _SURROGATE.search(value) is not None
        case list():
            return any(_has_lone_surrogate(each) for each in value)
        case dict():
            return any(_has_lone_surrogate(key) or _has_lone_surrogate(each) for key, each in value.items())
        case _:
            return False


def optional_texts(body: JsonObject, names: Sequence[str]) -> dict[str, str | None]:
    """Optional text members of a small body, trimmed; absent, null and empty are None.

    Raises:
        BadDataError: all members that are no text, or too long.
    """
    wrong = [name for name in names if not isinstance(body.get(name), str | None)]
    problems = [f"{name}: must be text" for name in wrong]
    texts = {name: str(body.get(name) or "").strip() or None for name in names if name not in wrong}
    problems += [
        f"{name}: may have at most 255 characters" for name, text in texts.items() if len(text or "") > MAX_TEXT
    ]
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    return texts


def write_json(value: Writable) -> bytes:
    """Compact JSON in UTF-8; equal values give equal bytes, as long as their members come in the same order.

    A Decimal becomes a number without exponent and without zeros that say nothing: `1249.1` for 1249.10. Half a
    surrogate pair, which is no UTF-8, becomes a question mark.

    Raises:
        ValueError: a Decimal that is not finite, which JSON has no number for.
        TypeError: a binary float, or anything else that is not `Writable`.
    """
    return "".join(_pieces(value)).encode(errors="replace")


def _pieces(value: Writable) -> Iterator[str]:
    match value:
        case None:
            yield "null"
        case str():
            yield _quoted(str(value))
        case bool():
            yield "true" if value else "false"
        case int():
            yield str(value)
        case Decimal():
            yield _number(value)
        case Mapping():
            before = "{"
            for name, held in value.items():
                yield f"{before}{_quoted(name)}:"
                yield from _pieces(held)
                before = ","
            yield "}" if value else "{}"
        case list() | tuple():
            before = "["
            for held in value:
                yield before
                yield from _pieces(held)
                before = ","
            yield "]" if value else "[]"
        case _:
            raise TypeError(f"JSON is not written from {type(value).__name__}")


def _number(number: Decimal) -> str:
    if not number.is_finite():
        raise ValueError("JSON has no number that is not finite")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
