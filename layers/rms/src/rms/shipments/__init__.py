"""Shipments: book an AWB, follow the parcel. Use cases: see the names below."""

from rms.shipments.booking import settle_booking
from rms.shipments.tracking import Webhook, drain_parked, record_shipment_events

__all__ = ["Webhook", "drain_parked", "record_shipment_events", "settle_booking"]
