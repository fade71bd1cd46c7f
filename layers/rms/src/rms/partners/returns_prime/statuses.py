"""Returns Prime's statuses as data: of a request, and of the parcel as its screens show it to the merchant.

What stands in no table is kept as it came and counted by whoever reads it. Source: Returns Prime guide, section 6.
"""

from enum import StrEnum
from typing import Final

from rms.model.notification_type import NotificationType as To


class Stage(StrEnum):
    """Where a request stands."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    RECEIVED = "RECEIVED"
    INSPECTED = "INSPECTED"
    REFUNDED = "REFUNDED"
    REJECTED = "REJECTED"
    """A side exit, possible even after the parcel came: it says nothing of where the parcel is."""
    ARCHIVED = "ARCHIVED"
    OTHER = "OTHER"
    """Not in the table: the raw text says what it is."""


STAGES: Final = {stage.value.lower(): stage for stage in Stage if stage is not Stage.OTHER}
"""Stage by a request's `status`."""

SHIPMENTS: Final = {
    "requested": To.PICKUP_QUEUE,
    "pickup rescheduled": To.PICKUP_RESCHEDULED,
    "out for pickup from customer": To.OUT_FOR_PICKUP,
    "issue with pickup from customer": To.PICKUP_ERROR,
    "picked up from customer": To.RETURN_PICKED_UP,
    "on the way to warehouse": To.IN_TRANSIT,
    "returned to warehouse": To.DELIVERED,  # shown once the request is marked received
    "returned back to customer (rto)": To.RTO,
    "cancelled": To.CANCELLED,
    "lost": To.LOST,
}
"""Our name for the parcel's status by the words of its screens. Their list goes on where nobody could read it."""


def stage_of(status: str) -> Stage:
    """Where a request with this `status` stands, in any case."""
    return STAGES.get(_plain(status), Stage.OTHER)


def shipment_status(words: str) -> To:
    """Our name for a parcel's status, in any case and spelled with spaces, hyphens or underscores."""
    return SHIPMENTS.get(_plain(words), To.OTHER)


def _plain(words: str) -> str:
    return " ".join(words.replace("_", " ").replace("-", " ").split()).casefold()
