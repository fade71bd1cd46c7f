"""Bodies as tables: which member of a body tells which value of ours, of which type, and whether it must be there.

A sink states its fields once; from them come the body, what is missing before it can be sent, and its documentation.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, Protocol

from rms.notifications.payloads import Preferences
from rms.platform.json import Writable, write_json
from rms.platform.problems import EMPTY, MISSING
from rms.platform.times import to_text


class Need(StrEnum):
    """Whether a member must be there."""

    MUST = "Y"
    """Without a value, or without any element, the message is not sent."""
    LIST = "Y, may be empty"
    """A list that is always sent; not known is something else than empty, and then the message is not sent."""
    NULL = "Y, may be null"
    """The key is always sent; null says that there is no value."""
    MAY = "N"
    """Left out when RMS holds no value, or no element."""


class Kind(StrEnum):
    """The contract's types."""

    STRING = "String"
    DOUBLE = "Double"
    LONG = "Long"
    INTEGER = "Integer"
    BOOLEAN = "Boolean"
    TIME = "ZonedDateTime"
    OBJECT = "Object"
    OBJECTS = "Object[]"
    STRINGS = "String[]"


class Field(NamedTuple):
    """One member of an object: its name outside, the attribute that holds it here, and where its value comes from.

    The attribute may lead further, as in `order.code`. `holds` is what an object, or each of a list, is here.
    """

    name: str
    attribute: str
    kind: Kind
    need: Need
    source: str = ""
    holds: type | None = None


type Shape = tuple[Field, ...]
type Shapes = Mapping[type, Shape]
"""The fields of each dataclass of a message, in the order in which they are sent."""


def paths(shapes: Shapes, message: type, before: str = "") -> Iterator[tuple[str, Field]]:
    """Every field of a message with its full path, `items.qcStatus`, in the body's order."""
    for field in shapes[message]:
        yield f"{before}{field.name}", field
        if field.holds is not None:
            yield from paths(shapes, field.holds, f"{before}{field.name}.")


class Numbered(Protocol):
    """A message with its place among those about the same return."""

    @property
    def sequence(self) -> int:
        """Rising per return."""


def body(shapes: Shapes, message: Numbered, preferences: Preferences) -> bytes:
    """The body that tells a message, `sequence` last unless it is switched off. Equal messages give equal bytes.

    Times are ISO 8601 in UTC with milliseconds; money is written as decimal.

    Raises:
        ValueError: something mandatory is missing: see `missing`.
    """
    if found := missing(shapes, message):
        raise ValueError(f"[{', '.join(found)}]")
    members = _members(shapes, message)
    if preferences.with_sequence:
        members["sequence"] = message.sequence
    return write_json(members)


def missing(shapes: Shapes, message: object) -> list[str]:
    """Each field that must be there and is not: `items[0].qcStatus: may not be null`, in the body's order."""
    return [f"{path}: {text}" for path, text in _missing(shapes, message, "")]


def _members(shapes: Shapes, held: object) -> dict[str, Writable]:
    return {
        field.name: _written(shapes, value)
        for field in shapes[type(held)]
        if not _left_out(field.need, value := attrgetter(field.attribute)(held))
    }


def _missing(shapes: Shapes, held: object, before: str) -> Iterator[tuple[str, str]]:
    for field in shapes[type(held)]:
        value = attrgetter(field.attribute)(held)
        path = f"{before}{field.name}"
        lack = _lack(field.need, value)
        if lack is not None:
            yield path, lack
        elif type(value) in shapes:
            yield from _missing(shapes, value, f"{path}.")
        elif isinstance(value, tuple):
            for number, each in enumerate(value):
                if type(each) in shapes:
                    yield from _missing(shapes, each, f"{path}[{number}].")


def _lack(need: Need, value: object) -> str | None:
    match need, value:
        case Need.MUST | Need.LIST, None:
            return MISSING
        case Need.MUST, "" | ():
            return EMPTY
        case _:
            return None


def _left_out(need: Need, value: object) -> bool:
    empty = isinstance(value, str | tuple | Mapping) and not value
    return need is Need.MAY and (value is None or empty)


def _written(shapes: Shapes, value: object) -> Writable:
    if type(value) in shapes:
        return _members(shapes, value)
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return to_text(value)
        case tuple():
            return [_written(shapes, each) for each in value]
        case Mapping():
            # Sorted, because what is stored comes back in any order.
            return {str(name): _written(shapes, value[name]) for name in sorted(value)}
        case _:
            plain: Writable = value  # type: ignore[assignment] # write_json refuses what JSON cannot hold
            return plain
