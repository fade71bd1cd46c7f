"""Queue `bookings`: settle a booking, a wish to cancel it, the fetching of a label; a write-back, an exchange."""

from typing import Any

from rms import returns
from rms.composition import core
from rms.core import Core
from rms.journal import AggregateId
from rms.platform.worker import queue_worker
from rms.shipments import settle_booking, settle_cancellation, settle_label
from rms.shipments.walk import IN_THE_BACKGROUND


def settle(rms: Core, message: dict[str, Any]) -> None:
    """One message: the return or parcel whose booking, wish to cancel it, label, write-back or exchange is due."""
    aggregate, until = AggregateId(message["client"], message["kind"], message["code"]), rms.clock() + IN_THE_BACKGROUND
    if message.get("task") == "write_back":
        returns.settle_write_back(rms, aggregate)
        return
    if message.get("task") == "exchange":
        returns.settle_exchange(rms, aggregate, until)
        return
    settle_booking(rms, aggregate)
    settle_cancellation(rms, aggregate, until)
    settle_label(rms, aggregate, until)


handler = queue_worker(core, settle)
