"""Calls at an aggregator: a booking's walk of several, and single ones; logged in where that is needed.

Nothing of a walk is stored between its calls. Whatever breaks it off leaves the outcome unknown, and the search for it
starts at the aggregator, not here.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from rms.aggregators.contract import (
    Account,
    Aggregator,
    Ask,
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


def walk(
    core: Core, aggregator: Aggregator, account: Account, job: Job, start: Start, budget: timedelta
) -> BookingResult:
    """What comes of a booking.

    It starts with what the job knows. A search that finds how far the booking got goes on from there, one that finds
    nothing books from the beginning. A token that is not accepted is renewed once. A call gets what is left of the
    budget at most; one that could hardly end within it is not begun.
    """
    until = core.clock() + budget
    if _needs_token(aggregator, account):
        opened = token_for(core, aggregator, account)
        if not isinstance(opened, Account):
            return _turned_away(opened, certain=start is Start.BOOK)
        account = opened
    progress = job.known
    searching, renewed = start is Start.FIND, False
    for _ in range(MAX_CALLS):
        match _step(core, aggregator, account, job, progress, searching=searching, until=until):
            case Brought(brought):
                progress = brought
                searching = searching and not aggregator.found(progress)
            case NotFound() if searching:
                progress, searching = {}, False
            case NotFound():
                return Unknown("the aggregator does not know what it has just made")
            case Unauthorized() if renewed:
                return _turned_away(_NOT_ACCEPTED, certain=not searching and progress == job.known)
            case Unauthorized():
                opened = token_for(core, aggregator, account)
                if not isinstance(opened, Account):
                    return _turned_away(opened, certain=not searching and progress == job.known)
                account, renewed = opened, True
            case result:
                return result
    return Unknown(f"no outcome after {MAX_CALLS} calls")


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


def _step(  # noqa: PLR0913 - all of a walk's state
    core: Core,
    aggregator: Aggregator,
    account: Account,
    job: Job,
    progress: Progress,
    *,
    searching: bool,
    until: datetime,
) -> Brought | BookingResult | NotFound | Unauthorized:
    """The next call and what it brought, or what has come of the walk."""
    now = core.clock()
    following = (aggregator.find if searching else aggregator.book)(account, job, progress, now)
    if not isinstance(following, Ask):
        return following
    request, left = following.request, (until - now).total_seconds()
    if left < min(request.total_seconds, LEAST_SECONDS):
        return Unknown(f"no time was left for {following.name}")
    answer = core.http.send(replace(request, total_seconds=min(request.total_seconds, left)))
    return aggregator.read(job, following, answer, progress)


def _turned_away(result: Refused | Unknown, *, certain: bool) -> Refused | Unknown:
    """Without a token: a refusal only where nothing can have been made under this reference."""
    if isinstance(result, Unknown) or certain:
        return result
    return Unknown(f"the aggregator does not let us in ({result.code}): {result.words}")
