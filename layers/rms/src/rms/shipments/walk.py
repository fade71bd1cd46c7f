"""Calls at an aggregator: a booking's walk of several, and single ones; logged in where that is needed.

Nothing of a walk is stored between its calls. Whatever breaks it off leaves the outcome unknown, and the search for it
starts at the aggregator, not here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from rms.aggregators.contract import (
    Account,
    Aggregator,
    Ask,
    Booked,
    BookingResult,
    Brought,
    Job,
    NotFound,
    Progress,
    RefusalKind,
    Refused,
    Unauthorized,
    Unknown,
)
from rms.clients.accounts import BEARER
from rms.core import Core
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.shipments.raw import kept_text
from rms.shipments.tokens import token_for

MAX_CALLS: Final = 250
"""Most calls of one walk. Time ends it before: a search may read through many pages."""

LEAST_SECONDS: Final = 5.0
"""A call that would get less than this, and less than it wants, is not begun."""

WHILE_A_CLIENT_WAITS: Final = timedelta(seconds=22)
"""How long a walk may take inside an API call, which must end within 29 seconds with all that it writes."""

IN_THE_BACKGROUND: Final = timedelta(seconds=50)
"""How long a walk may take in the queue worker, which has 60 seconds."""

_NOT_ACCEPTED: Final = Refused(
    RefusalKind.CONFIGURATION, "401", "the aggregator does not accept the token that it has just given"
)


class Start(Enum):
    """Where a walk begins."""

    BOOK = auto()
    """Nothing was ever sent under this reference."""
    FIND = auto()
    """Something may have been: search for it first."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of a walk, and what the aggregator said last, fit to be kept; None when it did not answer at all."""

    result: BookingResult
    raw: str | None = None


def walk(core: Core, aggregator: Aggregator, account: Account, job: Job, start: Start, budget: timedelta) -> Walked:
    """What comes of a booking.

    It starts with what the job knows. A search that finds how far the booking got goes on from there, one that finds
    nothing books from the beginning. A token that is not accepted is renewed once. A call gets what is left of the
    budget at most; one that could hardly end within it is not begun.
    """
    way = _Way(core, aggregator, account, job, core.clock() + budget)
    result = way.go(start)
    awb = result.awb if isinstance(result, Booked) else way.progress.get("awb", "")
    raw = None if way.heard is None else kept_text(way.heard, job, way.account, awb)
    return Walked(result, raw)


@dataclass(slots=True)
class _Way:
    """A walk under way."""

    core: Core
    aggregator: Aggregator
    account: Account
    job: Job
    until: datetime
    progress: Progress = field(init=False)
    heard: HttpAnswer | None = None
    """The last answer of the aggregator, to whichever call but a login."""

    def __post_init__(self) -> None:
        """It starts with what the job knows."""
        self.progress = self.job.known

    def go(self, start: Start) -> BookingResult:
        """What comes of it."""
        if _needs_token(self.aggregator, self.account):
            failed = self._log_in(certain=start is Start.BOOK)
            if failed is not None:
                return failed
        searching, renewed = start is Start.FIND, False
        for _ in range(MAX_CALLS):
            match self._step(searching=searching):
                case Brought(brought):
                    self.progress = brought
                    searching = searching and not self.aggregator.found(brought)
                case NotFound() if searching:
                    self.progress, searching = {}, False
                case NotFound():
                    return Unknown("the aggregator does not know what it has just made")
                case Unauthorized() if renewed:
                    return _turned_away(_NOT_ACCEPTED, certain=self._has_made_nothing(searching=searching))
                case Unauthorized():
                    failed = self._log_in(certain=self._has_made_nothing(searching=searching))
                    if failed is not None:
                        return failed
                    renewed = True
                case result:
                    return result
        return Unknown(f"no outcome after {MAX_CALLS} calls")

    def _has_made_nothing(self, *, searching: bool) -> bool:
        return not searching and self.progress == self.job.known

    def _log_in(self, *, certain: bool) -> Refused | Unknown | None:
        opened = token_for(self.core, self.aggregator, self.account)
        if not isinstance(opened, Account):
            return _turned_away(opened, certain=certain)
        self.account = opened
        return None

    def _step(self, *, searching: bool) -> Brought | BookingResult | NotFound | Unauthorized:
        """The next call and what it brought, or what has come of the walk."""
        now = self.core.clock()
        ask = self.aggregator.find if searching else self.aggregator.book
        following = ask(self.account, self.job, self.progress, now)
        if not isinstance(following, Ask):
            return following
        request, left = following.request, (self.until - now).total_seconds()
        if left < min(request.total_seconds, LEAST_SECONDS):
            return Unknown(f"no time was left for {following.name}")
        answer = self.core.http.send(replace(request, total_seconds=min(request.total_seconds, left)))
        if isinstance(answer, HttpAnswer):
            self.heard = answer
        return self.aggregator.read(self.job, following, answer, self.progress)


def call[T](
    core: Core,
    aggregator: Aggregator,
    account: Account,
    request: Callable[[Account], HttpRequest | Refused],
    read: Callable[[HttpAnswer | NoAnswer], T | Unauthorized],
) -> T | Refused | Unknown:
    """What comes of a single call: a label, a cancel, tracking. A token that is not accepted is renewed once."""
    renewed, opened = False, token_for(core, aggregator, account) if _needs_token(aggregator, account) else account
    while isinstance(opened, Account):
        asked = request(opened)
        if isinstance(asked, Refused):
            return asked
        result = read(core.http.send(asked))
        if not isinstance(result, Unauthorized):
            return result
        if renewed:
            return _NOT_ACCEPTED
        renewed, opened = True, token_for(core, aggregator, opened)
    return opened


def _needs_token(aggregator: Aggregator, account: Account) -> bool:
    return BEARER not in account.secrets and aggregator.login(account) is not None


def _turned_away(result: Refused | Unknown, *, certain: bool) -> Refused | Unknown:
    """Without a token: a refusal only where nothing can have been made under this reference."""
    if isinstance(result, Unknown) or certain:
        return result
    return Unknown(f"the aggregator does not let us in ({result.code}): {result.words}")
