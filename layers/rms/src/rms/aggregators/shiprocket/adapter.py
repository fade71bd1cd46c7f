"""Shiprocket behind the aggregator contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime

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
    Refused,
    Shipment,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
)
from rms.aggregators.shiprocket import account as accounts
from rms.aggregators.shiprocket import answers, booking, tracking, walk, webhook
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer


class Shiprocket:
    """An `Aggregator`. A search by our reference says how far a booking got; nothing is repeated before it."""

    name: str = "SHIPROCKET"
    demands_client_fields: bool = False
    confirms_webhooks: bool = False
    takes_orders: bool = True
    tracked_at_once: int = tracking.TRACKED_AT_ONCE
    tracks_by_event_id: bool = False

    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        """See `Aggregator`."""
        return accounts.check_account(options, secrets)

    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        """See `Aggregator`."""
        return booking.booking_reference(client, code, generation, direction)

    def login(self, account: Account) -> HttpRequest:
        """See `Aggregator`."""
        return booking.login(account)

    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:
        """See `Aggregator`."""
        return answers.read_login(answer)

    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
        """See `Aggregator`. The calls and what each of them brings stand in `walk`."""
        return walk.book(account, job, progress, now)

    def find(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
        """See `Aggregator`."""
        return walk.find(account, job, progress, now)

    def read(
        self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """See `Aggregator`."""
        return walk.read(job, ask, answer, progress)

    def found(self, progress: Progress) -> bool:
        """See `Aggregator`."""
        return walk.found(progress)

    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        """See `Aggregator`. `shipment.metadata` must be that of its `Booked`, which names Shiprocket's shipment."""
        return booking.label(account, shipment.metadata[booking.SHIPMENT_ID])

    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        """See `Aggregator`."""
        return answers.read_label(answer)

    def cancel(self, account: Account, shipment: Shipment) -> HttpRequest:
        """The AWB is cancelled, which Shiprocket only takes in hand; a booking without one is cancelled at once."""
        return booking.cancel(account, shipment)

    def read_cancel(self, shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:
        """See `Aggregator`. Whether an accepted one was really cancelled shows later, as status 16 and then 8."""
        return answers.read_cancel(answer, later=bool(shipment.awb))

    def tracked_with(self, account: Account, shipment: Shipment) -> str:  # noqa: ARG002 - the contract's form
        """All of an account go together."""
        return ""

    def track(self, account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
        """See `Aggregator`."""
        return tracking.track(account, shipments)

    def read_tracking(
        self, answer: HttpAnswer | NoAnswer, received_at: datetime
    ) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
        """See `Aggregator`; `tracking` says why no event id here is that of a webhook."""
        return tracking.read_tracking(answer, received_at)

    def proves_sender(self, account: Account, body: bytes) -> bool:  # noqa: ARG002 - the contract's form
        """Always: the webhook key has proved it."""
        return True

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """See `Aggregator`."""
        return webhook.read_webhook(body, received_at)
