"""The four bodies that a client's endpoint receives: return, forward, invoice, endpoint notice. Pure builders.

The same notification always gives the same bytes, so that a retry repeats exactly what was sent before.
Source: RMS API contract, sections 1.5 and 15; notification types.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from rms.model.notification_type import NotificationType
from rms.platform.times import to_epoch

RAW_STATUS_KEY: Final = "Raw Status"
"""Where an `OTHER` tells the aggregator's own words, in `logisticAggregatorMetaData`."""

type Json = str | int | Sequence["Json"] | Mapping[str, "Json"] | None


@dataclass(frozen=True, slots=True)
class Item:
    """Units of one SKU in a notification."""

    item_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ForwardNotification:
    """News of a parcel on its way to the shopper.

    `received_at` is when RMS heard it. `metadata` is what the aggregator itself put into its webhook. `raw_status`
    is the aggregator's own text, told when the type is OTHER. `warehouse_code` is known when the label was made
    through the OMS. `items` is None where the aggregator's statuses carry none (Shiprocket).
    """

    sequence: int
    notification_type: NotificationType
    received_at: datetime
    forward_order_code: str
    aggregator: str
    forward_shipment_code: str | None = None
    forward_awb: str | None = None
    courier: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw_status: str | None = None
    warehouse_code: str | None = None
    items: tuple[Item, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReturnNotification:
    """News of a return. As `ForwardNotification`, and the return itself: its code, when it was placed, its courier."""

    sequence: int
    notification_type: NotificationType
    received_at: datetime
    forward_order_code: str
    return_code: str
    returned_at: datetime
    aggregator: str
    return_awb: str | None = None
    transporter: str | None = None
    forward_shipment_code: str | None = None
    forward_awb: str | None = None
    courier: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw_status: str | None = None
    warehouse_code: str | None = None
    items: tuple[Item, ...] | None = None


class DocumentType(StrEnum):
    """What an invoice notification points to."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


@dataclass(frozen=True, slots=True)
class InvoiceNotification:
    """An invoice or credit note was made. `irn` and the acknowledgement exist where the tax system gives them."""

    sequence: int
    received_at: datetime
    forward_order_code: str
    forward_shipment_code: str
    invoice_id: str
    document_url: str
    invoice_status: str
    document_type: DocumentType
    irn: str | None = None
    ack_name: str | None = None
    ack_date: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointNotice:
    """Another endpoint of the client was disabled: it is told nothing until the client resumes it."""

    sequence: int
    received_at: datetime
    endpoint: str
    reason: str
    disabled_at: datetime


type Notification = ForwardNotification | ReturnNotification | InvoiceNotification | EndpointNotice


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client has switched off: the `sequence` member, single keys of the aggregator's metadata."""

    with_sequence: bool = True
    dropped_metadata: frozenset[str] = frozenset()


EVERYTHING: Final = Preferences()


def payload(notification: Notification, preferences: Preferences = EVERYTHING) -> bytes:
    """The body for a notification: compact JSON in UTF-8, members in the contract's order, `sequence` last."""
    match notification:
        case InvoiceNotification():
            members = _invoice(notification)
        case EndpointNotice():
            members = _endpoint_notice(notification)
        case ForwardNotification():
            members = _shipment(notification, None, preferences)
        case ReturnNotification():
            members = _shipment(notification, _return_order_info(notification), preferences)
    if preferences.with_sequence:
        members["sequence"] = notification.sequence
    # A partner's text may hold half a surrogate pair, which is no UTF-8: it becomes a question mark.
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _shipment(
    notification: ForwardNotification | ReturnNotification,
    return_order_info: Mapping[str, Json] | None,
    preferences: Preferences,
) -> dict[str, Json]:
    """Section 15.1. A null `returnOrderInfo` is what tells a receiver that this is a forward notification."""
    members: dict[str, Json] = {"forwardOrderCode": notification.forward_order_code}
    if notification.forward_shipment_code is not None:
        members["forwardShipmentCode"] = notification.forward_shipment_code
    members["notificationUpdateTime"] = to_epoch(notification.received_at)
    members["forwardAwb"] = notification.forward_awb
    if notification.courier is not None:
        members["courierName"] = notification.courier
    return members | {
        "notificationType": notification.notification_type.value,
        "returnOrderInfo": return_order_info,
        "logisticAggregatorInfo": {
            "logisticAggregatorName": notification.aggregator,
            "logisticAggregatorMetaData": _metadata(notification, preferences.dropped_metadata),
        },
        "warehouseCode": notification.warehouse_code,
        "items": None if notification.items is None else [_item(item) for item in notification.items],
    }


def _return_order_info(notification: ReturnNotification) -> Mapping[str, Json]:
    return {
        "returnOrderId": notification.return_code,
        "returnAwb": notification.return_awb,
        "transporter": notification.transporter,
        "returnOrderTime": to_epoch(notification.returned_at),
    }


def _metadata(notification: ForwardNotification | ReturnNotification, dropped: frozenset[str]) -> Mapping[str, Json]:
    """The aggregator's own extras and, for OTHER, its own words, less what the client switched off."""
    told = dict(notification.metadata)
    if notification.notification_type is NotificationType.OTHER and notification.raw_status is not None:
        told[RAW_STATUS_KEY] = notification.raw_status
    return {key: value for key, value in told.items() if key not in dropped}


def _item(item: Item) -> Mapping[str, Json]:
    return {"itemId": item.item_id, "sku": item.sku, "quantity": item.quantity}


def _invoice(notification: InvoiceNotification) -> dict[str, Json]:
    """Section 15.2."""
    details: dict[str, Json] = {
        "invoiceId": notification.invoice_id,
        "documentUrl": notification.document_url,
        "invoiceStatus": notification.invoice_status,
        "documentType": notification.document_type.value,
    }
    tax = {"irn": notification.irn, "ackName": notification.ack_name, "ackDate": notification.ack_date}
    details |= {name: value for name, value in tax.items() if value is not None}
    return {
        "forwardOrderCode": notification.forward_order_code,
        "forwardShipmentCode": notification.forward_shipment_code,
        "notificationType": NotificationType.INVOICE_GENERATED.value,
        "notificationUpdateTime": to_epoch(notification.received_at),
        "invoiceData": details,
    }


def _endpoint_notice(notification: EndpointNotice) -> dict[str, Json]:
    return {
        "notificationType": "ENDPOINT_DISABLED",
        "notificationUpdateTime": to_epoch(notification.received_at),
        "endpointInfo": {
            "endpoint": notification.endpoint,
            "reason": notification.reason,
            "disabledAt": to_epoch(notification.disabled_at),
        },
    }
