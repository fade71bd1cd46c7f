"""What the answer of a returns app or a web shop can mean, besides what it says: values that all of them share.

Exceptions are for faults; these are not. Each says what its reader may do next.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Connection:
    """A client's connection to a partner, secrets in the clear; lives in memory only and never in a log.

    `options` is the partner's own configuration, as text. Each partner's package says in a table what it may hold.
    """

    client: str
    id: str
    secrets: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


class Blame(StrEnum):
    """Who can do something about a refusal."""

    DATA = "DATA"
    """What was asked cannot be done to this thing: a person looks at it. Asking again brings the same answer."""
    CONFIGURATION = "CONFIGURATION"
    """The token, its rights, the address or a setting is wrong: an operator is alerted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The partner did nothing and says why. `words` are its own, one line, capped."""

    blame: Blame
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The partner does not know the thing."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Turned away for now: nothing was done. The same call may be made again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether anything was done: look before the call is made again."""

    reason: str


class UnreadableNoticeError(Exception):
    """The webhook is not what this partner sends; it stays whole in the dead-letter queue. No payload in the text."""
