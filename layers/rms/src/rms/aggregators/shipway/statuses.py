"""Shipway's status codes as data; used in its lists of orders, in tracking and in webhooks.

Direction is inferred from the names, and what a code becomes is our choice. Source: Shipway guide, section 8.
"""

from dataclasses import dataclass
from typing import Final

from rms.model.notification_type import NotificationType as To


@dataclass(frozen=True, slots=True)
class Status:
    """What a code means: Shipway's words, whether only a return has it, and our names for either direction."""

    meaning: str
    reverse: bool
    forward: To
    returned: To


UNNAMED: Final = Status("", reverse=False, forward=To.OTHER, returned=To.OTHER)
"""What a code outside the table becomes, RAD and ROOD among them; the code itself is kept."""


def _forward(meaning: str, forward: To, returned: To) -> Status:
    return Status(meaning, reverse=False, forward=forward, returned=returned)


def _reverse(meaning: str, returned: To) -> Status:
    # On a forward shipment such a code is not expected: kept as OTHER, for a person to see.
    return Status(meaning, reverse=True, forward=To.OTHER, returned=returned)


STATUSES: Final = {
    "DEL": _forward("Delivered", To.DELIVERED, To.DELIVERED),
    "INT": _forward("In Transit", To.IN_TRANSIT, To.IN_TRANSIT),
    "UND": _forward("Undelivered", To.UNDELIVERED, To.UNDELIVERED),
    "RTO": _forward("RTO", To.RTO, To.OTHER),  # a return has no origin to go back to
    "RTD": _forward("RTO Delivered", To.RTO_DELIVERED, To.OTHER),
    "CAN": _forward("Canceled", To.CANCELLED, To.CANCELLED),
    "SCH": _forward("Shipment Booked", To.AWB_GENERATED, To.AWB_GENERATED),
    "ONH": _forward("On Hold", To.OTHER, To.OTHER),
    "OOD": _forward("Out For Delivery", To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY),
    "NFI": _forward("Status Pending", To.OTHER, To.OTHER),
    "NFIDS": _forward("NFID", To.OTHER, To.OTHER),
    "RSCH": _reverse("Pickup Scheduled", To.PICKUP_SCHEDULED),
    "ROOP": _reverse("Out for Pickup", To.OUT_FOR_PICKUP),
    "RPKP": _reverse("Shipment Picked Up", To.RETURN_PICKED_UP),
    "RDEL": _reverse("Return Delivered", To.DELIVERED),
    "RINT": _reverse("Return In Transit", To.IN_TRANSIT),
    "RPSH": _reverse("Pickup Rescheduled", To.PICKUP_RESCHEDULED),
    "RCAN": _reverse("Return Request Cancelled", To.CANCELLED),
    "RCLO": _reverse("Return Request Closed", To.OTHER),
    "RSMD": _reverse("Pickup Delayed", To.DELAYED),  # weak
    "PCAN": _reverse("Pickup Cancelled", To.PICKUP_CANCELLED),
    "ROTH": _reverse("Others", To.OTHER),
    "RPF": _reverse("Pickup Failed", To.PICKUP_ERROR),
}
"""Status by code in capitals."""

CODE_OF_WORDS: Final = {status.meaning.casefold(): code for code, status in STATUSES.items()}
"""Code by Shipway's own words for it: histories carry words where webhooks carry codes."""


def status_of(code: str) -> Status:
    """What a code means, in any case."""
    return STATUSES.get(code.upper(), UNNAMED)
