"""Shipments: book an AWB, cancel it, follow the parcel. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.shipments.booking import settle_booking
    from rms.shipments.cancelling import cancel_shipment, settle_cancellation
    from rms.shipments.labels import settle_label
    from rms.shipments.pushing import take_push
    from rms.shipments.tracking import Webhook, drain_parked, record_shipment_events
    from rms.shipments.watching import Wish, track_silent_shipments
else:
    __getattr__ = names_from(
        __name__,
        {
            "cancel_shipment": "cancelling",
            "settle_booking": "booking",
            "settle_cancellation": "cancelling",
            "settle_label": "labels",
            "Webhook": "tracking",
            "drain_parked": "tracking",
            "record_shipment_events": "tracking",
            "take_push": "pushing",
            "Wish": "watching",
            "track_silent_shipments": "watching",
        },
    )

__all__ = [
    "Webhook",
    "Wish",
    "cancel_shipment",
    "drain_parked",
    "record_shipment_events",
    "settle_booking",
    "settle_cancellation",
    "settle_label",
    "take_push",
    "track_silent_shipments",
]
