"""What is wrong with a request, field by field, in our words: shared by everything that reads bodies of clients.

Nothing here needs pydantic; `rms.platform.shapes` does. Source: RMS API contract, sections 1.4 and 1.6.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from rms.platform.errors import BadDataError
from rms.platform.json import JsonObject, JsonValue

type WeightUnit = Literal["G", "KG"]
type Path = tuple[str | int, ...]
type Found = tuple[Path, str]

MAX_ITEMS: Final = 500
"""Most units in one order."""
MAX_LISTED: Final = 1000
"""Most problems that one answer spells out."""

MISSING: Final = "may not be null"
EMPTY: Final = "may not be empty"

# Names, without case and punctuation, by which a body would set what is ours to say: tenant, status, booking.
OURS: Final = frozenset(
    {
        "authdomainname",
        "awbowner",
        "awbstatus",
        "booking",
        "bookingstate",
        "bookingstatus",
        "client",
        "clientid",
        "currentstatus",
        "omnireturnorderstatus",
        "organisation",
        "organisationid",
        "organization",
        "organizationid",
        "orgid",
        "sequence",
        "shipmentstatus",
        "status",
        "tenant",
        "tenantid",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that is wrong, by its outside path (`orderItems[0].price`), and what was expected of it."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


class InvalidRequestError(BadDataError):
    """A request that cannot be taken, with all that is wrong with it. The texts hold nothing of the request.

    `description` lists the problems as the error envelope does: `[orderItems[0].price: must be at least 0, …]`.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        listed = [str(problem) for problem in self.problems[:MAX_LISTED]]
        if more := self.problems[MAX_LISTED:]:
            listed.append(f"and {len(more)} more")
        super().__init__(f"[{', '.join(listed)}]")


def lack(value: JsonValue) -> str | None:
    """In which way a value is missing, or None when it is there. Empty text and an empty list count as missing."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return None if value.strip() else EMPTY
    return EMPTY if value == [] else None


def as_flag(value: JsonValue) -> bool | None:
    """The flag that a client means by `true`, `"TRUE"` or nothing at all; None when it is no flag."""
    match value:
        case None:
            return False
        case bool():
            return value
        case str():
            return {"true": True, "false": False, "": False}.get(value.strip().lower())
        case _:
            return None


def what_is_ours(body: JsonObject) -> Iterator[Found]:
    """Members that would set something of ours. Other unknown members are left out in silence."""
    for name in body:
        if name.replace("_", "").replace("-", "").lower() in OURS:
            yield (name,), "may not be set by a client"


def value_at(body: JsonValue, path: Path) -> JsonValue:
    """The value at a path, or None where the body has no such place."""
    for step in path:
        match body, step:
            case dict(), str():
                body = body.get(step)
            case list(), int() if step < len(body):
                body = body[step]
            case _:
                return None
    return body
