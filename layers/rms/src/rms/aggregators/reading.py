"""Texts, numbers and objects out of what an aggregator sends: of any type, any size, absent or null. Nothing raises."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

MAX_TEXT: Final = 200
"""Longest text of one field that is kept, in characters."""
_LONGEST_NUMBER: Final = 18
_UNSTORABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def mapping(value: object) -> Mapping[str, Any]:
    """The JSON object itself; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text(value: object, limit: int = MAX_TEXT) -> str:
    """A string or an integer as one line of text, cut to `limit`; "" for anything else."""
    match value:
        case bool():
            return ""
        case str() | int():
            return " ".join(_UNSTORABLE.sub(" ", str(value)).split())[:limit].rstrip()
        case _:
            return ""


def whole(value: object) -> int | None:
    """An integer, also one sent as text or with a zero fraction; None for anything else."""
    match value:
        case bool():
            return None
        case int():
            return value
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case str():
            digits = value.strip()
            plain = digits.removeprefix("-")
            return int(digits) if plain.isascii() and plain.isdigit() and len(plain) <= _LONGEST_NUMBER else None
        case _:
            return None


def words(value: object, limit: int) -> str:
    """What a message says, for people: text as it is, an object or a list as JSON text. It is never parsed."""
    if isinstance(value, dict | list):
        return text(json.dumps(value, ensure_ascii=False, default=str), limit)
    return text(value, limit)


_EXISTS: Final = re.compile(r"\balready\b|\bduplicate|(?<!not )\bexists\b", re.IGNORECASE)
_UNSERVED: Final = re.compile(r"serviceab|\bno courier|\bnot serve", re.IGNORECASE)


def says_it_exists(said: str) -> bool:
    """Whether a refusal's words mean that the thing is there already, so that they do not prove its absence."""
    return _EXISTS.search(said) is not None


def says_not_served(said: str) -> bool:
    """Whether a refusal's words mean that this courier or lane cannot, which another one may."""
    return _UNSERVED.search(said) is not None
