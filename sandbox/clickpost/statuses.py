"""Clickpost's codes as data: scans, notification events, failure reasons, couriers and the lives a parcel can have.

Source: ClickPost guide, sections 5 and 14 to 16. Carrier words and remarks are invented, as carriers' are.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Status:
    """One clickpost_status_code: Clickpost's description and bucket, the event it fires, and a carrier's words."""

    code: int
    description: str
    bucket: int
    bucket_description: str
    event: int | None
    words: str
    remark: str


_PLACED: Final = (1, "Order Placed")
_SHIPPED: Final = (2, "Shipped")
_MOVING: Final = (3, "In transit")
_LAST_LEG: Final = (4, "Out for delivery")
_FAILED: Final = (5, "Failed delivery")
_DELIVERED: Final = (6, "Delivered")
_RETURNED: Final = (7, "Returned")

STATUSES: Final = {
    status.code: status
    for status in (
        Status(1, "OrderPlaced", *_PLACED, None, "Manifested", "Shipment details manifested"),
        Status(2, "PickupPending", *_PLACED, None, "Not Picked", "Pickup to be tried again"),
        Status(3, "PickupFailed", *_PLACED, 16, "Pickup Attempted", "Pickup could not be done"),
        Status(4, "PickedUp", *_SHIPPED, 2, "Picked Up", "Shipment collected"),
        Status(5, "InTransit", *_MOVING, 2, "In Transit", "Bag received at hub"),
        Status(6, "OutForDelivery", *_LAST_LEG, 3, "OFD", "Shipment is out for delivery"),
        Status(7, "NotServiceable", *_FAILED, 4, "Undelivered", "Area not served"),
        Status(8, "Delivered", *_DELIVERED, 5, "Delivered", "Delivered to consignee"),
        Status(9, "FailedDelivery", *_FAILED, 4, "Pending", "Delivery attempt failed"),
        Status(10, "CancelledOrder", *_PLACED, 10, "Cancelled", "Shipment cancelled"),
        Status(11, "RTO-Requested", *_RETURNED, None, "RTO Requested", "Return to origin asked for"),
        Status(12, "RTO", *_RETURNED, None, "RTO", "Marked as return to origin"),
        Status(13, "RTO-OutForDelivery", *_RETURNED, 6, "RTO OFD", "Out for delivery to origin"),
        Status(14, "RTO-Delivered", *_RETURNED, 12, "RTO Delivered", "Handed back to shipper"),
        Status(15, "RTO-FailedDelivery", *_RETURNED, 6, "RTO Pending", "Hand-back failed"),
        Status(16, "Lost", 8, "Lost", 19, "Lost", "Shipment declared lost"),
        Status(17, "Damaged", 9, "Damaged", 20, "Damaged", "Shipment found damaged"),
        Status(18, "ShipmentDelayed", *_MOVING, 2, "Delayed", "Shipment misrouted, delay expected"),
        Status(19, "ContactCustomerCare", *_MOVING, 2, "Exception", "Contact customer care"),
        Status(20, "ShipmentHeld", *_MOVING, 2, "On Hold", "Shipment held at hub"),
        Status(21, "RTO-InTransit", *_RETURNED, 6, "RTO In Transit", "Added to bag towards origin"),
        Status(23, "Expired", *_MOVING, 80, "Expired", "Closed on request"),
        Status(25, "OutForPickup", *_PLACED, 1, "Out for Pickup", "Courier on the way to collect"),
        Status(26, "RTO-ContactCustomerCare", *_RETURNED, 6, "RTO Exception", "Contact customer care"),
        Status(27, "RTO-ShipmentDelay", *_RETURNED, 6, "RTO Delayed", "Delay on the way back"),
        Status(28, "AWB Registered", *_PLACED, None, "Registered", "AWB registered"),
        Status(30, "ExchangePickup", *_SHIPPED, 14, "Exchange Pickup", "Swap done at the door"),
        Status(31, "ExchangeInTransit", *_MOVING, 14, "Exchange In Transit", "Old item on its way"),
        Status(32, "ExchangeDelivered", *_DELIVERED, 15, "Exchange Delivered", "Old item at the warehouse"),
        Status(1004, "DestinationHubIn", *_MOVING, 13, "Reached Hub", "Received at destination hub"),
    )
}

DELIVERED: Final = 8
CANCELLED: Final = 10
RTO: Final = 12
BEFORE_PICKUP: Final = frozenset({1, 2, 3, 25, 28})
FINAL: Final = frozenset({8, 10, 14, 16, 17, 23, 32})
"""Codes after which a parcel's life has no next step."""

PICKUP_FAILURES: Final = {
    1: "Customer unreachable",
    2: "Cancelled by customer",
    3: "QC failed",
    5: "Quantity mismatch",
    6: "Rescheduled by customer",
    7: "Outside service area",
    8: "Attempts used up",
    9: "Pickup not attempted",
    11: "Product not ready",
    13: "Address problem",
    14: "Customer not available",
}
"""NPR codes of scan 3."""

DELIVERY_FAILURES: Final = {
    0: "Unknown",
    1: "Customer unavailable",
    2: "Rejected by customer",
    3: "Rescheduled",
    4: "No attempt",
    5: "Customer unreachable",
    6: "Address issue",
    7: "Payment issue",
    8: "Out of delivery area",
    9: "Already cancelled",
    10: "Self collect",
    11: "Seized by customer",
    12: "Open delivery wanted",
    13: "Misrouted",
}
"""NDR codes of scan 9."""


@dataclass(frozen=True, slots=True)
class Step:
    """One scan in a life, with the failure code it carries."""

    code: int
    npr: int | None = None
    ndr: int | None = None


def _life(*codes: int) -> tuple[Step, ...]:
    return tuple(Step(code) for code in codes)


LIVES: Final = {
    "delivered": _life(25, 4, 5, 6, 8),
    "manifested_first": _life(1, 25, 4, 5, 6, 8),
    "second_attempt": (*_life(1, 25, 2, 1, 25), Step(3, npr=14), *_life(2, 25, 4, 5, 6, 8)),
    "pickup_failed": (Step(25), Step(3, npr=1)),
    "rescheduled": (Step(25), Step(3, npr=6)),
    "qc_failed": (Step(25), Step(3, npr=3)),
    "cancelled": _life(25, 10),
    "rto": (*_life(25, 4, 5, 6), Step(9, ndr=2), *_life(12, 21, 13, 14)),
    "lost": _life(25, 4, 5, 16),
    "damaged": _life(25, 4, 5, 17),
    "exchanged": _life(25, 30, 31, 32),
}
"""Scans by the name of a life. Codes go back and forth while a pick-up is tried again."""

COURIERS: Final = {
    3: "EcomExpress",
    4: "Delhivery",
    5: "Bluedart",
    6: "XpressBees",
    9: "Shadowfax",
    11: "Shadowfax",
    25: "Delhivery",
    28: "Bluedart",
    31: "Fareye",
    35: "Self",
    38: "Fareye",
    41: "XpressBees",
    50: "Loadshare",
    55: "Ekart",
    150: "Shipsy",
}
FORWARD_ONLY: Final = frozenset({4, 5, 6, 9, 31})
REVERSE_ONLY: Final = frozenset({11, 25, 28, 38, 41})
BLUEDART: Final = frozenset({5, 28})
SELF: Final = 35
