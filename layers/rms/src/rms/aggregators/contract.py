"""What every aggregator adapter does: build requests, read answers, read webhooks. Pure: no I/O, clock or environment.

A new aggregator is one module that implements `Aggregator`, its data, and one line in `rms.aggregators.registry`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

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
    """The aggregator made no booking and says why. `words` are its own, capped at MAX_WORDS."""

    kind: RefusalKind
    code: str
    words: str


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


type BookingResult = Booked | Refused | Working | Unknown
type LookupResult = Booked | Refused | Working | Unknown | NotFound

# ── cancelling ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The booking is cancelled; `later` when the carrier will do it in its own time."""

    later: bool = False


type CancelResult = Cancelled | Refused | Unknown

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
    `announces` is set only where the update is news of a return's placing.
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


class UnreadableWebhookError(Exception):
    """The body is not what this aggregator sends; it stays whole in the dead-letter queue. No payload in the text."""


class Aggregator(Protocol):
    """An aggregator, both directions. All methods are pure."""

    name: str
    """As in `logisticAggregatorName`: CLICKPOST, …"""

    demands_client_fields: bool
    """Whether the contract's CP fields (seller GSTIN, invoice number and time) are mandatory here."""

    def booking_reference(self, client: str, code: str, generation: int) -> str:
        """Our reference for a return's booking: the same for every try, other after a cancel (`generation` + 1)."""

    def book_return(self, account: Account, order: ReturnOrder, reference: str, now: datetime) -> HttpRequest:
        """The request that books a return pick-up."""

    def read_booking(self, answer: HttpAnswer | NoAnswer, reference: str) -> BookingResult:
        """What the answer to `book_return` means."""

    def look_up(self, account: Account, order: ReturnOrder, reference: str, now: datetime) -> HttpRequest:
        """The request that finds what was booked under our reference. It must never make a second booking."""

    def read_lookup(self, answer: HttpAnswer | NoAnswer, reference: str) -> LookupResult:
        """What the answer to `look_up` means."""

    def cancel(self, account: Account, awb: str) -> HttpRequest:
        """The request that cancels a booking."""

    def read_cancel(self, answer: HttpAnswer | NoAnswer) -> CancelResult:
        """What the answer to `cancel` means."""

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """The updates in a webhook body, oldest first.

        Raises:
            UnreadableWebhookError: see there.
        """
