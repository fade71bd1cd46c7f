"""The notification types: every status name that RMS tells the outside. Source: RMS contract, notification types."""

from enum import StrEnum
from typing import Final


class NotificationType(StrEnum):
    """The forty wire values. The list is open: readers outside must put up with new names."""

    SHIPPING_LABEL_GENERATED = "SHIPPING_LABEL_GENERATED"
    OUT_FOR_PICKUP = "OUT_FOR_PICKUP"
    RETURN_PICKED_UP = "RETURN_PICKED_UP"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    FAILED_DELIVERY = "FAILED_DELIVERY"
    DELIVERED = "DELIVERED"
    RTO = "RTO"
    RETURN_ORDER_PLACED = "RETURN_ORDER_PLACED"
    AWB_GENERATED = "AWB_GENERATED"
    CANCELLED = "CANCELLED"
    RTO_DELIVERED = "RTO_DELIVERED"
    EXCHANGE_PICKUP = "EXCHANGE_PICKUP"
    EXCHANGE_DELIVERED = "EXCHANGE_DELIVERED"
    PICKUP_CANCELLED = "PICKUP_CANCELLED"
    SHIPMENT_STUCK = "SHIPMENT_STUCK"
    SLA_BREACHED = "SLA_BREACHED"
    LOST = "LOST"
    DAMAGED = "DAMAGED"
    INVOICED = "INVOICED"
    READY_TO_SHIP = "READY_TO_SHIP"
    PICKUP_SCHEDULED = "PICKUP_SCHEDULED"
    SHIPPED = "SHIPPED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    UNFULFILLABLE = "UNFULFILLABLE"
    PICKUP_QUEUE = "PICKUP_QUEUE"
    PICKUP_RESCHEDULED = "PICKUP_RESCHEDULED"
    PICKUP_ERROR = "PICKUP_ERROR"
    CANCELLATION_REQUESTED = "CANCELLATION_REQUESTED"
    IN_TRANSIT = "IN_TRANSIT"
    UNDELIVERED = "UNDELIVERED"
    DELAYED = "DELAYED"
    PARTIAL_DELIVERED = "PARTIAL_DELIVERED"
    DESTROYED = "DESTROYED"
    FULFILLED = "FULFILLED"
    REACHED_DESTINATION_HUB = "REACHED_DESTINATION_HUB"
    MISROUTED = "MISROUTED"
    PICKED_UP = "PICKED_UP"
    RTO_ACKNOWLEDGED = "RTO_ACKNOWLEDGED"
    INVOICE_GENERATED = "INVOICE_GENERATED"
    OTHER = "OTHER"


ALIASES: Final = {
    "RETURN_PICKUP": NotificationType.RETURN_PICKED_UP,
    "RETURN_TO_ORIGIN": NotificationType.RTO,
    "RETURN_CREATED": NotificationType.RETURN_ORDER_PLACED,
    "CANCELED": NotificationType.CANCELLED,
    "PICKUP_CANCELED": NotificationType.PICKUP_CANCELLED,
    "EPAYMENT_FAILED": NotificationType.PAYMENT_FAILED,
    "DELIVERY_DELAYED": NotificationType.DELAYED,
    "REACHED_AT_DESTINATION_HUB": NotificationType.REACHED_DESTINATION_HUB,
}
"""Other spellings, accepted on input only."""


def notification_type(name: str) -> NotificationType:
    """The type a partner means by this name: any case, spaces and hyphens as underscores; else OTHER."""
    wire = name.strip().upper().replace(" ", "_").replace("-", "_")
    if wire in NotificationType.__members__:
        return NotificationType[wire]
    return ALIASES.get(wire, NotificationType.OTHER)
