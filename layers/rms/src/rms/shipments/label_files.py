"""What a label is while it is fetched: the row that wants it, where it is, and whether what came is a whole PDF."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import text
from rms.journal.keys import due_shard
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.table import AbsentOr, Equals, Item, Update, Value
from rms.platform.times import to_text

MAX_LABEL: Final = 5 * 1024 * 1024
"""Largest label that is kept, in bytes."""

LINK_SECONDS: Final = 3600
"""How long a link to our copy works."""

_MARK: Final = 1024
"""How far from its ends a PDF may have what marks it as one, in bytes."""


class LabelState(StrEnum):
    """Where a label stands."""

    WANTED = "WANTED"
    """It is being fetched, or is to be when the row is due."""
    KEPT = "KEPT"
    HELD = "HELD"
    """Nothing helped: a person looks at it. Asking for it again starts over."""


class LabelSource(StrEnum):
    """Who has a label."""

    AGGREGATOR = "AGGREGATOR"
    SHOP = "SHOP"
    """The client's own system. Source: RMS API contract, section 21."""


@dataclass(frozen=True, slots=True)
class Content:
    """A label, whole."""

    pdf: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label is to be fetched."""

    url: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """There is none now; ask again later. `url` is where it was looked for."""

    reason: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """Nobody will ever give one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The right to fetch a label: nobody else's fence is on its row."""

    aggregate: AggregateId
    row: Item
    booking: Item | None
    fence: str
    looks: int
    until: datetime
    """When fetching must have ended."""

    @property
    def reference(self) -> str:
        """What the label is of: the booking's reference, as long as the parcel is not booked anew."""
        return text(self.row, "reference")


def label_wanted(aggregate: AggregateId, reference: str, fence: str, now: datetime, **more: Value) -> Update:
    """The write, beside that which books a parcel, by which its label is due at once."""
    return Update(
        aggregate.label,
        # Whatever the row says is of an earlier booking. That this one is made once, the booking's own write sees to.
        expect={"PK": AbsentOr(Equals(aggregate.pk))},
        set={
            "state": LabelState.WANTED.value,
            "source": LabelSource.AGGREGATOR.value,
            "reference": reference,
            "fence": fence,
            "looks": 0,
            "due_at": to_text(now),
            "due_shard": due_shard(aggregate.pk),
            **more,
        },
        remove=("url", "reason", "file", "kept_at"),
    )


def in_time(core: Core, wanted: Wanted, request: HttpRequest) -> HttpRequest:
    """A request that ends when fetching must."""
    left = max((wanted.until - core.clock()).total_seconds(), 0.1)
    return replace(request, total_seconds=min(request.total_seconds, left))


def problem_with_pdf(answer: HttpAnswer | NoAnswer) -> str | None:
    """Why an answer is not a whole label; None if it is. Holds nothing of the answer's body."""
    if isinstance(answer, NoAnswer):
        return f"no answer: {answer.reason}"
    if answer.status != 200:  # noqa: PLR2004 - a label that is there
        return f"HTTP {answer.status} in place of a label"
    if answer.truncated:
        return f"the label has more than {MAX_LABEL // 1024 // 1024} MB"
    return problem_with_content(answer.body)


def problem_with_content(content: bytes) -> str | None:
    """Why these bytes are not a whole PDF; None if they are."""
    if not content[:_MARK].lstrip(b"\xef\xbb\xbf\0\t\r\n ").startswith(b"%PDF-"):
        return "what came in place of a label is no PDF"
    if b"%%EOF" not in content[-_MARK:]:
        return "the label's PDF breaks off"
    return None
