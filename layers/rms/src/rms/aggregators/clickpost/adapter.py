"""Clickpost behind the aggregator contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rms.aggregators.clickpost import account as accounts
from rms.aggregators.clickpost import answers, booking, tracking, webhook
from rms.aggregators.contract import (
    Account,
    Ask,
    BookingResult,
    Brought,
    CancelResult,
    Direction,
    Job,
    LabelResult,
    NotFound,
    Progress,
    RefusalKind,
    Refused,
    Shipment,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
)
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

CREATE: Final = "create-order"
CREATE_AGAIN: Final = "create-order-again"


class Clickpost:
    """An `Aggregator`. A booking is one call, and its search is the same call again.

    Clickpost documents no search by reference. A create-order whose reference it has placed before is answered with
    323 and the existing AWB; if nothing is there, it books, once, under that reference. Either way there is one booking
    afterwards, and the answer names it. So `find` never makes a *second* one, and `NotFound` never comes.
    """

    name: str = "CLICKPOST"
    demands_client_fields: bool = True
    confirms_webhooks: bool = False
    takes_orders: bool = False
    tracked_at_once: int = 5
    tracks_by_event_id: bool = True

    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        """See `Aggregator`."""
        return accounts.check_account(options, secrets)

    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        """See `Aggregator`."""
        return booking.booking_reference(client, code, generation, direction)

    def login(self, account: Account) -> HttpRequest | None:  # noqa: ARG002 - the contract's argument
        """None: each call carries the account's own key."""
        return None

    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:  # noqa: ARG002 - as above
        """There is none."""
        return Unknown("Clickpost has no login")

    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:  # noqa: ARG002
        """See `Aggregator`."""
        request = booking.create_order(account, job, now)
        if request is None:
            words = "the account names no forward_courier_partner and forward_account_code, so it cannot deliver"
            return Refused(RefusalKind.CONFIGURATION, "no forward courier", words)
        return Ask(CREATE, request)

    def find(
        self,
        account: Account,
        job: Job,
        progress: Progress,  # noqa: ARG002 - as above
        now: datetime,
    ) -> Ask | BookingResult | NotFound:
        """The create-order call again: it finds the booking, or makes the one that is missing."""
        request = booking.create_order(account, job, now)
        if request is None:
            return Unknown("the account names no carrier that could be asked")
        return Ask(CREATE_AGAIN, request)

    def read(
        self,
        job: Job,
        ask: Ask,
        answer: HttpAnswer | NoAnswer,
        progress: Progress,  # noqa: ARG002 - as above
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """See `Aggregator`."""
        if ask.name == CREATE_AGAIN:
            return answers.read_search(answer, job.reference, ask.request)
        return answers.read_booking(answer, job.reference, ask.request)

    def found(self, progress: Progress) -> bool:  # noqa: ARG002 - as above
        """Never: one call is the whole walk."""
        return False

    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        """See `Aggregator`."""
        return booking.label(account, shipment)

    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        """See `Aggregator`."""
        return answers.read_label(answer)

    def cancel(self, account: Account, shipment: Shipment) -> HttpRequest:
        """See `Aggregator`."""
        return booking.cancel(account, shipment)

    def read_cancel(self, shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:  # noqa: ARG002 - as above
        """See `Aggregator`."""
        return answers.read_cancel(answer)

    def tracked_with(self, account: Account, shipment: Shipment) -> str | None:
        """The carrier: one call names one."""
        return booking.courier_id(account, shipment)

    def track(self, account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
        """See `Aggregator`. All of one carrier: one call names one.

        Raises:
            ValueError: they have several carriers.
        """
        return booking.track(account, shipments)

    def read_tracking(
        self, answer: HttpAnswer | NoAnswer, received_at: datetime
    ) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
        """See `Aggregator`."""
        return tracking.read_tracking(answer, received_at)

    def proves_sender(self, account: Account, body: bytes) -> bool:  # noqa: ARG002 - the contract's form
        """Always: the webhook key has proved it."""
        return True

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """See `Aggregator`."""
        return webhook.read_webhook(body, received_at)
