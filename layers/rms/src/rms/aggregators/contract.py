"""What every aggregator adapter does: build requests, read answers, read webhooks. Pure: no I/O, clock or environment.

Booking is a walk: the adapter says which call comes next, given what the calls before it brought, until it can say
what came of it. Nothing of a walk is stored between its calls: when one breaks off, `find` learns from the aggregator
itself how far it got, and `book` goes on from there. So a walk never repeats a write whose outcome nobody knows.

A new aggregator is one package that implements `Aggregator`, its data, and one line in `rms.aggregators.registry`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from rms.model.forward_shipment import ForwardShipment
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

MAX_WORDS: Final = 500
"""Longest text of an aggregator that is kept and shown, in characters."""


@dataclass(frozen=True, slots=True)
class Account:
    """A client's account at an aggregator, secrets in the clear; lives in memory only and never in a log.

    `options` is the aggregator's own configuration (courier ids, account code, base URLs), as text.
    `required_fields` are the order's `*†` fields that this account's courier partner insists on.
    """

    client: str
    alias: str
    aggregator: str
    secrets: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    required_fields: tuple[str, ...] = ()


# ── booking ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Booked:
    """There is exactly one booking under our reference, and this is it. `metadata` is kept, never logged."""

    awb: str
    courier: str
    order_id: str | None = None
    label_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ordered:
    """There is exactly one order under our reference and it is what was asked for: an AWB has not been asked for yet.

    `order_id` and `shipment_id` are the aggregator's own; our reference, and None, where it gives none. `progress` is
    what a walk to the AWB goes on with.
    """

    order_id: str
    shipment_id: str | None
    progress: "Progress"


class RefusalKind(StrEnum):
    """Who can do something about a refusal."""

    CALLER = "CALLER"
    """The order's data is wrong: the client corrects it and sends the return again."""
    CONFIGURATION = "CONFIGURATION"
    """The account or its mapping is wrong: an operator is alerted."""
    SERVICEABILITY = "SERVICEABILITY"
    """This courier or lane cannot; another courier or account may."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The aggregator made no booking and says why. `words` are its own, capped at MAX_WORDS.

    `burnt`: it keeps something under our reference all the same, so that a corrected order needs another one.
    """

    kind: RefusalKind
    code: str
    words: str
    burnt: bool = False


@dataclass(frozen=True, slots=True)
class Working:
    """Accepted; the aggregator books asynchronously and has no AWB yet."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether a booking exists: look it up under our reference before anything is sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """A lookup's certain answer that nothing is booked under our reference."""


type BookingResult = Booked | Ordered | Refused | Working | Unknown

# ── the walk ────────────────────────────────────────────────────────────────────────


class Direction(StrEnum):
    """Which way a parcel goes. Values as in `shipmentType`."""

    FORWARD = "FORWARD"
    RETURN = "RETURN"


def direction_of(order: ReturnOrder | ForwardShipment) -> Direction:
    """Which way the parcel of an order goes."""
    return Direction.RETURN if isinstance(order, ReturnOrder) else Direction.FORWARD


class Goal(StrEnum):
    """How far a booking is to go."""

    AWB = "AWB"
    """All the way. Any booking may."""
    ORDER = "ORDER"
    """Create Order: a forward order in the aggregator's system, without an AWB. Only where it `takes_orders`.

    Source: RMS API contract, section 13.
    """


type Progress = Mapping[str, str]
"""What the calls of a walk brought so far, by names of the adapter's own; empty at first. Never a secret."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be booked, how far, and under which reference of ours; the same for every try.

    `known` is the progress of its `Ordered`, when the order was made by a job before this one: walks start with it.
    """

    reference: str
    order: ReturnOrder | ForwardShipment
    goal: Goal = Goal.AWB
    known: Progress = field(default_factory=dict)

    @property
    def direction(self) -> Direction:
        """Which way its parcel goes."""
        return direction_of(self.order)


@dataclass(frozen=True, slots=True)
class Ask:
    """The next call of a walk. `name` tells the adapter, when it reads the answer, which call it was."""

    name: str
    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Brought:
    """What a walk knows after an answer: it goes on with this. Of `find`: so far the booking got; `book` goes on."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The token is not accepted: log in once and make the same call once more."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gave, and for how long it may be used, in seconds."""

    value: str = field(repr=False)
    lifetime: int


# ── after the booking ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Shipment:
    """A booked shipment as RMS knows it, for calls about it. `metadata` is that of `Booked`."""

    direction: Direction
    reference: str
    awb: str
    courier: str
    order_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Label:
    """Where the label's PDF is. The URL may stop working, so the file is fetched at once and kept."""

    url: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The booking is cancelled; `later` when the carrier will do it in its own time."""

    later: bool = False


type LabelResult = Label | Refused | Working | Unknown | Unauthorized
type CancelResult = Cancelled | Refused | Unknown | Unauthorized

# ── webhooks ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RawStatus:
    """The aggregator's own words about a status, kept beside our name for it."""

    code: str
    text: str
    remark: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One status at one time. Its name depends on the direction, which only our own record of the AWB settles."""

    raw: RawStatus
    occurred_at: datetime
    when_forward: NotificationType
    when_return: NotificationType


@dataclass(frozen=True, slots=True)
class AnnouncedItem:
    """Units of one SKU in a return that was placed at the aggregator."""

    sku: str
    quantity: int
    item_id: str | None = None
    reason: str | None = None
    name: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class AnnouncedReturn:
    """A return that a shopper placed at the aggregator, not through RMS (flow 1).

    `code` is the aggregator's return reference, or None in older bodies.
    """

    code: str | None
    forward_order_code: str
    items: tuple[AnnouncedItem, ...]


@dataclass(frozen=True, slots=True)
class ShipmentUpdate:
    """One webhook, read.

    `event_id` is the same for the same scan however often it is sent. `awb` is None before a return is booked.
    `is_return` is the aggregator's own claim, None when it makes none. `current` is the status that the aggregator
    holds now, when it says so; `scan` is what this webhook reports.
    `references` are our own or the aggregator's return references; `forward_references` point at the forward order.
    `metadata` is what the aggregator put in, for `logisticAggregatorMetaData`. `failure_code` is an NPR or NDR code.
    `announces` is set only where the update is news of a return's placing. `booked_with` is what later calls about the
    parcel must name, as far as the update says it, under the names of `Booked.metadata`.
    `timed` False: nobody says when it was; `scan.occurred_at` is only the latest that it can have been.
    `tracked_as` are the event ids that the scan has in tracking, where those are others.
    """

    event_id: str
    awb: str | None
    scan: Sighting
    current: Sighting | None = None
    is_return: bool | None = None
    references: tuple[str, ...] = ()
    forward_references: tuple[str, ...] = ()
    courier: str | None = None
    announces: AnnouncedReturn | None = None
    failure_code: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    booked_with: Mapping[str, str] = field(default_factory=dict)
    timed: bool = True
    tracked_as: tuple[str, ...] = ()


class UnreadableWebhookError(Exception):
    """The body is not what this aggregator sends; it stays whole in the dead-letter queue. No payload in the text."""


class Aggregator(Protocol):
    """An aggregator, both directions. All methods are pure.

    `account.secrets` holds the token under `token` where `login` gives one and it is known.
    """

    name: str
    """As in `logisticAggregatorName`: CLICKPOST, …"""

    demands_client_fields: bool
    """Whether the contract's CP fields (seller GSTIN, invoice number and time) are mandatory here."""

    confirms_webhooks: bool
    """Nothing proves who sent a webhook: tracking is read before anything is believed."""

    takes_orders: bool
    """Whether it takes a forward order before the AWB is asked for, so that a job's goal may be the order."""

    tracked_at_once: int
    """Most AWBs in one `track`; 0 where there is no such call."""

    tracks_by_event_id: bool
    """Every scan in tracking has the event id that its webhook has. Where not, it is known by its name and time: a
    webhook's time is never before that of the scan that it tells of."""

    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        """What is wrong with an account, one `field: problem` each; empty when all is well."""

    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        """Our reference for a booking: the same for every try, other after a cancel (`generation` + 1)."""

    def login(self, account: Account) -> HttpRequest | None:
        """The call that gets a token; None where each call carries the account's own credentials."""

    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:
        """What the answer to `login` means."""

    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
        """The next call on the way to the job's goal, or what came of it.

        Never repeats a call whose answer it has read. `progress` is at first what the job knows.
        """

    def find(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
        """The next call in search of what was booked under our reference, or what was found.

        Makes no second booking. Whoever searches starts with no progress but what the job knows.
        """

    def read(
        self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """What the answer to a call of `book` or `find` means.

        `Brought` goes on with the same walk, except that a `find` whose progress holds what was found goes over to
        `book` by itself: see `found`.
        """

    def found(self, progress: Progress) -> bool:
        """Whether a search with this progress has found something to go on with, so that `book` is next."""

    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        """The call that gets a forward shipment's label."""

    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        """What the answer to `label` means."""

    def cancel(self, account: Account, shipment: Shipment) -> HttpRequest | Refused:
        """The call that cancels a booking, or why there is none."""

    def read_cancel(self, shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:
        """What the answer to `cancel` means."""

    def tracked_with(self, account: Account, shipment: Shipment) -> str | None:
        """Which shipments go into one `track`: those with the same text here, in the same direction.

        None where the call must name something of this one that nobody knows.
        """

    def track(self, account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
        """The call that asks where at most `tracked_at_once` shipments are."""

    def read_tracking(
        self, answer: HttpAnswer | NoAnswer, received_at: datetime
    ) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
        """The scans in the answer to `track`, oldest first; `tracks_by_event_id` says how each is known again."""

    def proves_sender(self, account: Account, body: bytes) -> bool:
        """Whether the proof in a webhook body is this account's; True where its shape has none.

        Asked only where `confirms_webhooks`: elsewhere the webhook key says whose it is.
        """

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """The updates in a webhook body, oldest first.

        Raises:
            UnreadableWebhookError: see there.
        """
