"""Return Order Ack: tells the channel how the warehouse has processed a return.

A PUT, sent only after the return is received and every unit of it checked; success is HTTP 200 with an empty body.
Source: RMS API contract, sections 1.5 and 16.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rms.notifications.judgement import Judgement, judge
from rms.notifications.sinks.fields import Field, Kind, Need, Shapes, body, missing
from rms.notifications.sinks.processed import ProcessedItem
from rms.notifications.sinks.webhook import Endpoint, signed
from rms.platform.http import HttpRequest

__all__ = ["Judgement", "ReturnAck", "build", "judge", "problems"]


@dataclass(frozen=True, slots=True)
class ReturnAck:
    """A return that the warehouse has processed. `id` comes from `signing.message_id`.

    `location_code` is the warehouse that has received it.
    """

    id: str
    sequence: int
    return_code: str
    forward_order_code: str
    location_code: str | None
    items: tuple[ProcessedItem, ...]


_FIELDS: Final[Shapes] = {
    ReturnAck: (
        Field("returnOrderCode", "return_code", Kind.STRING, Need.MUST),
        Field("forwardOrderCode", "forward_order_code", Kind.STRING, Need.MUST),
        Field("locationCode", "location_code", Kind.STRING, Need.MUST),
        Field("orderItems", "items", Kind.OBJECTS, Need.MUST),
    ),
    ProcessedItem: (
        Field("itemCode", "item_code", Kind.STRING, Need.MUST),
        Field("channelSkuCode", "sku", Kind.STRING, Need.MUST),
        Field("qcStatus", "qc_status", Kind.STRING, Need.MUST),
        Field("qcReason", "why_failed", Kind.STRING, Need.MAY),
        Field("imageUrls", "pictures", Kind.STRINGS, Need.MAY),
    ),
}


def problems(message: ReturnAck) -> list[str]:
    """What must be known before the acknowledgement can be sent, field by field; empty: send it."""
    return missing(_FIELDS, message)


def build(target: Endpoint, message: ReturnAck, now: datetime) -> HttpRequest:
    """The signed request for this try.

    Raises:
        ValueError: something mandatory is missing: see `problems`.
    """
    return signed("PUT", target, message.id, body(_FIELDS, message, target.preferences), now)
