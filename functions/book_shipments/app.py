"""Queue `bookings`: settle a booking whose outcome is not known, by looking it up under our reference."""

from typing import Any

from rms.composition import core
from rms.core import Core
from rms.journal import AggregateId
from rms.platform.worker import queue_worker
from rms.shipments import settle_booking


def settle(rms: Core, message: dict[str, Any]) -> None:
    """One message: the return whose booking is due."""
    settle_booking(rms, AggregateId(message["client"], message["kind"], message["code"]))


handler = queue_worker(core, settle)
