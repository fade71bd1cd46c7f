"""Clickpost behind the aggregator contract."""

from collections.abc import Sequence
from datetime import datetime

from rms.aggregators.clickpost import answers, booking, webhook
from rms.aggregators.contract import Account, BookingResult, CancelResult, LookupResult, ShipmentUpdate
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer


class Clickpost:
    """An `Aggregator`. Its lookup is the booking sent again.

    Clickpost documents no search by reference. A create-order whose reference it has placed before is answered with
    323 and the existing AWB; if nothing is there, it books, once, under that reference. Either way there is one booking
    afterwards, and the answer names it. So `look_up` never makes a *second* one, and `NotFound` never comes.
    """

    name: str = "CLICKPOST"
    demands_client_fields: bool = True

    def booking_reference(self, client: str, code: str, generation: int) -> str:
        """See `Aggregator`."""
        return booking.booking_reference(client, code, generation)

    def book_return(self, account: Account, order: ReturnOrder, reference: str, now: datetime) -> HttpRequest:
        """See `Aggregator`."""
        return booking.book_return(account, order, reference, now)

    def read_booking(self, answer: HttpAnswer | NoAnswer, reference: str) -> BookingResult:
        """See `Aggregator`."""
        return answers.read_booking(answer, reference)

    def look_up(self, account: Account, order: ReturnOrder, reference: str, now: datetime) -> HttpRequest:
        """The create-order call again: it finds the booking, or makes the one that is missing."""
        return booking.book_return(account, order, reference, now)

    def read_lookup(self, answer: HttpAnswer | NoAnswer, reference: str) -> LookupResult:
        """See `Aggregator`."""
        return answers.read_lookup(answer, reference)

    def cancel(self, account: Account, awb: str) -> HttpRequest:
        """See `Aggregator`."""
        return booking.cancel(account, awb)

    def read_cancel(self, answer: HttpAnswer | NoAnswer) -> CancelResult:
        """See `Aggregator`."""
        return answers.read_cancel(answer)

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """See `Aggregator`."""
        return webhook.read_webhook(body, received_at)
