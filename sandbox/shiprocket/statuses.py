"""Shiprocket's statuses as data: the ids that go together, the lives a parcel can have, and who carries it.

Source: Shiprocket guide, sections 5 and 11. Couriers' words are invented, as couriers' are.
"""

from dataclasses import dataclass
from typing import Final

type Ids = tuple[int | None, str]
"""An id in one of the tables, None for none, and its text."""


@dataclass(frozen=True, slots=True)
class Status:
    """One status: order id and text for each direction, shipment id and text, a courier's code and words."""

    forward: Ids
    back: Ids
    shipment: Ids
    courier_code: str
    words: str


STATUSES: Final = {
    "awb_assigned": Status((3, "READY TO SHIP"), (22, "RETURN INITIATED"), (1, "AWB ASSIGNED"), "MAN", "Manifested"),
    "pickup_generated": Status(
        (4, "PICKUP SCHEDULED"), (28, "RETURN PICKUP GENERATED"), (3, "PICKUP GENERATED"), "PSH", "Pickup scheduled"
    ),
    "out_for_pickup": Status(
        (34, "OUT FOR PICKUP"),
        (47, "RETURN OUT FOR PICKUP"),
        (19, "OUT FOR PICKUP"),
        "OFP",
        "Out for pickup, Ravi 9000011122",
    ),
    "pickup_exception": Status(
        (35, "PICKUP EXCEPTION"), (49, "RETURN PICKUP EXCEPTION"), (20, "PICKUP EXCEPTION"), "PEX", "Nobody at home"
    ),
    "pickup_rescheduled": Status(
        (13, "PICKUP RESCHEDULED"), (31, "RETURN PICKUP RESCHEDULED"), (15, "PICKUP RESCHEDULED"), "PRS", "Put off"
    ),
    "qc_failed": Status((57, "QC FAILED"), (57, "QC FAILED"), (47, "QC FAILED"), "QCF", "Check at the door failed"),
    "picked_up": Status((51, "PICKED UP"), (32, "RETURN PICKED UP"), (42, "PICKED UP"), "PUD", "Pick done"),
    "shipped": Status((6, "SHIPPED"), (25, "RETURN IN TRANSIT"), (6, "SHIPPED"), "PKD", "Scanned in"),
    "in_transit": Status((20, "IN TRANSIT"), (25, "RETURN IN TRANSIT"), (18, "IN TRANSIT"), "IT", "Added to bag"),
    "at_hub": Status(
        (43, "REACHED DESTINATION HUB"),
        (43, "REACHED DESTINATION HUB"),
        (38, "REACHED AT DESTINATION HUB"),
        "RAD",
        "In",
    ),
    "out_for_delivery": Status(
        (19, "OUT FOR DELIVERY"),
        (48, "RETURN OUT FOR DELIVERY"),
        (17, "OUT FOR DELIVERY"),
        "OFD",
        "Out, Ravi 9000011122",
    ),
    "undelivered": Status((36, "UNDELIVERED"), (50, "RETURN UNDELIVERED"), (21, "UNDELIVERED"), "UD", "Nobody there"),
    "delivered": Status((7, "DELIVERED"), (26, "RETURN DELIVERED"), (7, "DELIVERED"), "DLVD", "Delivered"),
    "cancellation_requested": Status(
        (18, "CANCELLATION REQUESTED"),
        (29, "RETURN CANCELLATION REQUESTED"),
        (16, "CANCELLATION REQUESTED"),
        "CNR",
        "Cancel asked for",
    ),
    "cancelled": Status((5, "CANCELED"), (27, "RETURN CANCELLED"), (8, "CANCELED"), "CAN", "Cancelled"),
    "lost": Status((33, "LOST"), (33, "LOST"), (12, "LOST"), "LST", "Cannot be found"),
    "damaged": Status((40, "DAMAGED"), (40, "DAMAGED"), (25, "DAMAGED"), "DMG", "Damaged"),
    "rto_initiated": Status((15, "RTO INITIATED"), (15, "RTO INITIATED"), (9, "RTO INITIATED"), "RTO", "Turns back"),
    "rto_in_transit": Status(
        (55, "RTO IN-TRANSIT"), (55, "RTO IN-TRANSIT"), (46, "RTO IN INTRANSIT"), "RIT", "On its way back"
    ),
    "rto_delivered": Status((16, "RTO DELIVERED"), (16, "RTO DELIVERED"), (10, "RTO DELIVERED"), "RDL", "Back again"),
}
"""By a name of our own."""

NEW: Final[dict[bool, Ids]] = {False: (1, "NEW"), True: (21, "RETURN PENDING")}
"""What an order is before it has an AWB, by whether it is a return."""

BEFORE_PICKUP: Final = frozenset({"awb_assigned", "pickup_generated", "pickup_exception", "pickup_rescheduled"})
"""Statuses at which an AWB can still be cancelled; from "out for pickup" on it cannot."""

LIVES: Final = {
    "delivered": ("out_for_pickup", "picked_up", "in_transit", "out_for_delivery", "delivered"),
    "shipped": ("out_for_pickup", "picked_up", "shipped", "in_transit", "at_hub", "out_for_delivery", "delivered"),
    "second_attempt": (
        "out_for_pickup", "pickup_exception", "pickup_rescheduled", "out_for_pickup", "picked_up", "in_transit",
        "out_for_delivery", "undelivered", "out_for_delivery", "delivered",
    ),
    "pickup_failed": ("out_for_pickup", "pickup_exception"),
    "qc_failed": ("out_for_pickup", "qc_failed"),
    "cancelled": ("cancellation_requested", "cancelled"),
    "lost": ("out_for_pickup", "picked_up", "in_transit", "lost"),
    "damaged": ("out_for_pickup", "picked_up", "in_transit", "damaged"),
    "rto": (
        "out_for_pickup", "picked_up", "in_transit", "out_for_delivery", "undelivered", "rto_initiated",
        "rto_in_transit", "rto_delivered",
    ),
}  # fmt: skip
"""Statuses by the name of a life."""


@dataclass(frozen=True, slots=True)
class Courier:
    """Who carries, for how much (rupees), and whether they collect cash or check at the door."""

    id: int
    name: str
    rate: float
    cod: bool
    qc: bool


COURIERS: Final = {
    False: (
        Courier(43, "Delhivery Surface", 92.4, cod=True, qc=False),
        Courier(51, "Xpressbees Surface", 81.1, cod=False, qc=False),
        Courier(10, "Ekart Surface", 88.0, cod=True, qc=False),
    ),
    True: (
        Courier(212, "Delhivery Reverse", 66.5, cod=False, qc=True),
        Courier(125, "Xpressbees Reverse", 61.5, cod=False, qc=True),
        Courier(71, "Nilgiri Surface", 48.0, cod=False, qc=False),
    ),
}
"""By whether the parcel is a return; the first of each is the recommended one."""

QC_REASON: Final = "Colour differs"
QC_IMAGE: Final = "https://qc.example.com/{awb}.jpg"

UNSERVED_PINCODES: Final = "99"
"""Pincodes that start so are served by nobody. No pincode in India does."""
