"""Partners that are not Clickpost: one that books every repeat, but can be asked what it booked under a reference."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from rms.aggregators.clickpost.adapter import Clickpost
from rms.aggregators.clickpost.answers import read_search
from rms.aggregators.contract import (
    Account,
    Ask,
    BookingResult,
    Brought,
    Job,
    NotFound,
    Progress,
    Unauthorized,
)
from rms.aggregators.registry import LOADED, aggregator_of
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import parse_json
from sandbox.clickpost.settings import Settings

REFUSES_DUPLICATES: Final = Settings()
"""Clickpost as documented: a repeated reference is answered 323 with the first AWB."""

BOOKS_EVERY_REPEAT: Final = Settings(refuses_duplicates=False)
"""A partner that books a second parcel when an order is sent twice; `reference_number` finds what it has booked."""

_NOT_FOUND: Final = 321
_SEARCH: Final = "get-order"


class SearchablePartner(Clickpost):
    """Speaks Clickpost's JSON, and looks a booking up by searching for it instead of sending it again."""

    def find(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
        """See `Aggregator`: GET by our reference, which books nothing."""
        booking = super().find(account, job, progress, now)
        assert isinstance(booking, Ask)
        query = {**booking.request.query, "reference_number": job.reference}
        seconds = booking.request.total_seconds
        return Ask(_SEARCH, HttpRequest("GET", booking.request.url, query=query, total_seconds=seconds, trusted=True))

    def read(
        self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """See `Aggregator`."""
        if ask.name != _SEARCH:
            return super().read(job, ask, answer, progress)
        if isinstance(answer, HttpAnswer) and answer.status == 200 and meta_status(answer) == _NOT_FOUND:
            return NotFound()
        return read_search(answer, job.reference, ask.request)


def meta_status(answer: HttpAnswer) -> int | None:
    """What an answer of Clickpost's kind says, wherever it can be read."""
    body: Any = parse_json(answer.body)
    status = body.get("meta", {}).get("status") if isinstance(body, Mapping) else None
    return status if isinstance(status, int) else None


@contextmanager
def speaking_to(partner: Settings) -> Iterator[None]:
    """Let RMS use the adapter that fits this partner."""
    usual = aggregator_of("CLICKPOST")
    LOADED["CLICKPOST"] = usual if partner.refuses_duplicates else SearchablePartner()
    try:
        yield
    finally:
        LOADED["CLICKPOST"] = usual
