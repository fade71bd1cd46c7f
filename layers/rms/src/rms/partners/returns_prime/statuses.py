"""Returns Prime's statuses as data: of a request, and of the parcel as its screens show it to the merchant.

What stands in no table is kept as it came and counted by whoever reads it. Source: Returns Prime guide, section 6.
"""

from dataclasses import dataclass
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

# a request that is   and has no return   has one       why
_ROWS: Final = """
  PENDING               makes_it            keeps_it      the courier is booked, whoever approves
  APPROVED              makes_it            keeps_it      the usual way
  RECEIVED              makes_it            keeps_it      ticked off by hand: the goods may still be on their way
  INSPECTED             makes_it            keeps_it      ticked off by hand, as above
  REFUNDED              makes_it            keeps_it      money goes back before the goods come, at times
  REJECTED              makes_none          cancels_it    nobody wants the goods
  ARCHIVED              makes_none          cancels_it    put away; most of these are long back, and then they stay
  OTHER                 makes_it            keeps_it      nobody knows what it means: kept raw, counted, decides nothing
"""


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of a request's parcels where it stands so.

    `cancels`: their returns are cancelled, but for those that the courier has collected.
    """

    makes: bool
    cancels: bool


def courses() -> dict[Stage, Course]:
    """The rows above."""
    split = [line.split(maxsplit=3) for line in _ROWS.strip().splitlines()]
    return {Stage(stage): Course(makes == "makes_it", keeps == "cancels_it") for stage, makes, keeps, _ in split}


COURSES: Final = courses()
"""What a request's stage decides about its returns."""

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
