"""What the simulated Shiprocket remembers of an order. Its AWB and scans are those of its parcel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.partner import Parcel, Scan
from sandbox.shiprocket.statuses import NEW, STATUSES, Courier, Ids

NOT_KNOWN = "-"
"""In a scan's code, in the place of an id that the body is to have none of: `-/18`."""


@dataclass(slots=True)
class Order:
    """One order, forward or return, with its one shipment."""

    reference: str
    order_id: int
    shipment_id: int
    is_return: bool
    created_at: datetime
    pincodes: tuple[str, ...]
    goods: str
    """Whose they are and what: two parcels with the same are two couriers for one return."""

    channel_id: int | None = None
    courier: Courier | None = None
    parcel: Parcel | None = None
    pickups: int = 0
    cancelled: bool = False

    @property
    def awb(self) -> str:
        """The AWB, or "" while there is none."""
        return self.parcel.awb if self.parcel else ""

    @property
    def courier_name(self) -> str:
        """The courier's name, or "" while there is none."""
        return self.courier.name if self.courier and self.parcel else ""

    @property
    def status(self) -> Ids:
        """Id and text in the order table."""
        if self.cancelled:
            return ids_of("cancelled", is_return=self.is_return)[0]
        if self.parcel is None:
            return NEW[self.is_return]
        latest = self.parcel.latest
        return ids_of(latest.code if latest else "awb_assigned", latest, is_return=self.is_return)[0]

    def describe(self) -> dict[str, Any]:
        """The order as JSON."""
        return {
            "reference": self.reference,
            "order_id": self.order_id,
            "shipment_id": self.shipment_id,
            "is_return": self.is_return,
            "awb": self.awb or None,
            "courier": self.courier_name,
            "pickups": self.pickups,
            "status": self.status[1],
        }


def ids_of(code: str, scan: Scan | None = None, *, is_return: bool) -> tuple[Ids, Ids]:
    """Id and text in the order table and in the shipment table: of a status by name, or of a code such as `901/-`."""
    if code in STATUSES:
        status = STATUSES[code]
        return (status.back if is_return else status.forward), status.shipment
    order, _, shipment = code.partition("/")
    text = scan.words if scan else code
    return (_id(order), text), (_id(shipment), text)


def _id(text: str) -> int | None:
    return int(text) if text.isdigit() else None
