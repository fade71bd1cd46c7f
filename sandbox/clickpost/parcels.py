"""What the simulated Clickpost remembers: parcels with their scans, bookings in the making, and portal returns."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, override

from sandbox import partner
from sandbox.clickpost.rules import Order
from sandbox.clickpost.statuses import BEFORE_PICKUP, CANCELLED, COURIERS, FINAL, LIVES, STATUSES, Step


@dataclass(frozen=True, slots=True)
class Scan:
    """One carrier scan; `at` and `seen_at` (when Clickpost learned of it) are aware times."""

    number: int
    code: int
    words: str
    remark: str
    location: str
    at: datetime
    seen_at: datetime
    npr: int | None = None
    ndr: int | None = None

    @property
    def description(self) -> str:
        """Clickpost's text for the code."""
        status = STATUSES.get(self.code)
        return status.description if status else f"Status{self.code}"


@dataclass(slots=True)
class Parcel:
    """One parcel at one carrier."""

    awb: str
    courier: int
    reference: str
    order_id: str
    account_code: str
    is_return: bool
    clickpost_order_id: int
    tracking_id: int
    security_key: str
    booked_at: datetime
    label: str | None = None
    order: Order | None = None
    return_reference: str = ""
    cancelled: bool = False
    scans: list[Scan] = field(default_factory=list)
    life: str = "delivered"
    position: int = 0

    @property
    def courier_name(self) -> str:
        """The carrier's name."""
        return COURIERS.get(self.courier, f"Courier {self.courier}")

    @property
    def latest(self) -> Scan | None:
        """The scan that happened last, whenever it came in; None before the first."""
        return max(self.scans, key=lambda scan: (scan.at, scan.number), default=None)

    @property
    def waits_for_pickup(self) -> bool:
        """Whether the carrier does not have it yet."""
        return all(scan.code in BEFORE_PICKUP for scan in self.scans)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.cancelled or (self.latest is not None and self.latest.code in FINAL)

    def next_step(self) -> Step | None:
        """The next scan of its life, or None at the end."""
        steps = LIVES[self.life]
        return None if self.ended or self.position >= len(steps) else steps[self.position]

    def next_moment(self, now: datetime) -> datetime:
        """When a scan happens that is made now: a whole second, never before or at the last one."""
        now = now.replace(microsecond=0)
        return now if self.latest is None else max(now, self.latest.at + timedelta(seconds=1))

    def describe(self) -> dict[str, Any]:
        """The parcel as JSON."""
        return {
            "awb": self.awb,
            "courier": self.courier,
            "courier_name": self.courier_name,
            "reference": self.reference,
            "order_id": self.order_id,
            "account_code": self.account_code,
            "is_return": self.is_return,
            "return_reference": self.return_reference,
            "cancelled": self.cancelled or (self.latest is not None and self.latest.code == CANCELLED),
            "booked_at": self.booked_at.isoformat(),
            "life": self.life,
            "scans": [
                {
                    "code": scan.code,
                    "description": scan.description,
                    "status": scan.words,
                    "at": scan.at.isoformat(),
                    "npr": scan.npr,
                    "ndr": scan.ndr,
                }
                for scan in self.scans
            ],
        }


@dataclass(slots=True)
class InTheMaking:
    """An asynchronous booking: queued, or failed with `failure`; `body` is what was sent, to know a corrected one."""

    order: Order
    body: bytes
    ready_at: datetime
    processing_left: int
    clickpost_order_id: int
    failure: int | None = None


@dataclass(slots=True)
class Booking(partner.Booking):
    """All that happened under one reference, and whose order it was."""

    order_id: str = ""

    @property
    def awb(self) -> str | None:
        """The first AWB, or None while there is none."""
        return self.awbs[0] if self.awbs else None

    @override
    def describe(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "order_id": self.order_id,
            "awb": self.awb,
            "awbs": list(self.awbs),
            "create_calls": self.calls,
            "parcels": len(self.awbs),
        }


@dataclass(slots=True)
class PortalReturn:
    """A return that a shopper placed on Clickpost's page."""

    reference: str
    forward_awb: str
    forward_reference: str
    forward_order_id: str
    items: list[dict[str, Any]]
    placed_at: datetime
    courier: int
    account_code: str
    state: str = "PLACED"
    awb: str | None = None

    def describe(self) -> dict[str, Any]:
        """The return as JSON."""
        return {
            "return_reference_number": self.reference,
            "forward_awb": self.forward_awb,
            "forward_reference_number": self.forward_reference,
            "forward_order_id": self.forward_order_id,
            "state": self.state,
            "awb": self.awb,
            "items": self.items,
        }
