"""Pieces of requests that clients send, as pydantic shapes; and pydantic's errors in our words, all at once.

Source: RMS API contract, sections 1.4 and 1.6.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from rms.model.return_order import Parcel
from rms.platform.json import JsonObject, JsonValue
from rms.platform.problems import (
    MAX_ITEMS,
    MISSING,
    Found,
    InvalidRequestError,
    Path,
    Problem,
    WeightUnit,
    as_flag,
    lack,
    value_at,
)
from rms.platform.times import TIME_EXPECTED, YEARS, stated_time

MAX_AMOUNT: Final = 10**12
"""Largest number in any field: beyond every price, weight and rate, and far from the limits of decimals."""
MAX_CODE_BYTES: Final = 900
"""Longest code in UTF-8: codes become part of keys, and a sort key holds 1024 bytes."""

# ── types ───────────────────────────────────────────────────────────────────────────


def _fits_a_key(code: str) -> str:
    if len(code.encode()) > MAX_CODE_BYTES:
        raise PydanticCustomError("code", "may have at most {most} bytes in UTF-8", {"most": MAX_CODE_BYTES})
    return code


def _amount(value: JsonValue) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("amount", "must be a number")
    if value < 0:
        raise PydanticCustomError("amount", "must be at least 0")
    if value > MAX_AMOUNT:
        raise PydanticCustomError("amount", "may be at most {most}", {"most": MAX_AMOUNT})
    return Decimal(value)


def _quantity(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        raise PydanticCustomError("quantity", "must be a whole number")
    if value < 1:
        raise PydanticCustomError("quantity", "must be at least 1")
    if value > MAX_ITEMS:
        raise PydanticCustomError("quantity", "may be at most {most}", {"most": MAX_ITEMS})
    return int(value)


def _time(value: JsonValue) -> datetime:
    time = stated_time(value) if isinstance(value, str) else None
    if time is None:
        raise PydanticCustomError("time", TIME_EXPECTED)
    if time.year not in YEARS:
        raise PydanticCustomError(
            "time", "must lie between the years {first} and {last}", {"first": YEARS[0], "last": YEARS[-1]}
        )
    return time.astimezone(UTC)


def _flag(value: JsonValue) -> bool:
    flag = as_flag(value)
    if flag is None:
        raise PydanticCustomError("flag", "must be true or false")
    return flag


_PRINTABLE: Final = r"^\P{Cc}*$"

Code = Annotated[str, StringConstraints(max_length=255, pattern=_PRINTABLE), AfterValidator(_fits_a_key)]
SpreadCode = Annotated[str, StringConstraints(max_length=250, pattern=_PRINTABLE), AfterValidator(_fits_a_key)]
Text = Annotated[str, StringConstraints(max_length=1000)]
Url = Annotated[str, StringConstraints(max_length=2048)]
Amount = Annotated[Decimal, PlainValidator(_amount)]
Quantity = Annotated[int, PlainValidator(_quantity)]
Time = Annotated[datetime, PlainValidator(_time)]
Flag = Annotated[bool, PlainValidator(_flag)]


class Shape(BaseModel):
    """Part of a request. Text is already trimmed and empty text already None: see `_tidy`."""

    # Validators are built at the first request, and only for the shape that it has: a third of this module's import.
    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class ShipmentDimension(Shape):
    """Outer size of the package: centimetres, and a weight in the client's unit."""

    breadth: Amount
    height: Amount
    length: Amount
    weight: Amount

    def to_parcel(self, unit: WeightUnit) -> Parcel:
        """The size with its weight in grams."""
        return Parcel(
            length_cm=self.length,
            breadth_cm=self.breadth,
            height_cm=self.height,
            weight_g=self.weight * 1000 if unit == "KG" else self.weight,
        )


# ── from pydantic's errors to ours ──────────────────────────────────────────────────

TEXTS: Final = {
    "missing": MISSING,
    "string_type": "must be text",
    "string_too_long": "may have at most {max_length} characters",
    "string_pattern_mismatch": "may not hold control characters",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "may not be empty",
    "too_long": "may have at most {max_length} elements",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "may be at most {le}",
    "dict_type": "must be an object",
    "extra_forbidden": "is not known here",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
"""Our words for pydantic's error types, by its own names."""


def validated[S: Shape](kind: type[S], body: JsonObject) -> tuple[S | None, list[Found]]:
    """The request, or None and each field whose type is wrong or which is missing though always mandatory."""
    try:
        return kind.model_validate(_tidy(body)), []
    except ValidationError as error:
        return None, [(each["loc"], _text(each, body)) for each in error.errors(include_url=False)]


def _tidy(value: JsonValue) -> JsonValue:
    """The same with text trimmed and empty text as None."""
    match value:
        case str():
            return value.strip() or None
        case dict():
            return {name: _tidy(held) for name, held in value.items()}
        case list():
            return [_tidy(each) for each in value]
        case _:
            return value


def _text(error: ErrorDetails, body: JsonObject) -> str:
    context = error.get("ctx", {})
    if error["type"] == "literal_error":
        text = f"must be one of {context['expected'].replace(' or ', ', ').replace("'", '')}"
    else:
        text = TEXTS[error["type"]].format_map(context) if error["type"] in TEXTS else error["msg"]
    return text if error["input"] is not None else lack(value_at(body, error["loc"])) or text


def invalid(kind: type[Shape], found: Iterable[Found]) -> InvalidRequestError:
    """The error for what was found: one problem a field, in the order of the contract's tables."""
    first = dict(reversed(list(found)))
    ordered = sorted(first.items(), key=lambda each: _rank(kind, each[0]))
    return InvalidRequestError(Problem(_outside(path), text) for path, text in ordered)


def _outside(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _rank(kind: type[Shape] | None, path: Path) -> list[int]:
    """Where a path stands in the contract's tables. Names that are in none come last."""
    rank = []
    for step in path:
        if isinstance(step, int):
            rank.append(step)
        else:
            members = _members(kind) if kind else {}
            position, kind = members.get(step, (len(members), None))
            rank.append(position)
    return rank


@cache
def _members(kind: type[Shape]) -> dict[str, tuple[int, type[Shape] | None]]:
    """Each member's outside name, with its position and the shape that it holds."""
    return {
        field.alias or name: (position, _shape_in(field.annotation))
        for position, (name, field) in enumerate(kind.model_fields.items())
    }


def _shape_in(annotation: Any) -> type[Shape] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Shape) else None
    return next((shape for option in get_args(annotation) if (shape := _shape_in(option))), None)
