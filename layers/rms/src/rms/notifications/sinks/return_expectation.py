"""Return expectation: tells the warehouse or order management which return to expect, and what has become of it.

Each event carries the whole return as it then is, so that the receiver needs no memory of the events before. Path and
method are not published: a POST to a configured URL. Per client either RMS or the client itself tells the warehouse;
this module is for those where RMS does. Source: RMS API contract, sections 1.5, 3.2, 3.4 and 19.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder, SubTax
from rms.notifications.judgement import Judgement, judge
from rms.notifications.sinks.fields import Field, Kind, Need, Shapes, body, missing
from rms.notifications.sinks.webhook import Endpoint, signed
from rms.platform.http import HttpRequest

__all__ = ["Expectation", "ExpectationEvent", "Judgement", "build", "judge", "problems"]


class ExpectationEvent(StrEnum):
    """What happened to the return that is expected."""

    CREATE = "RETURN_ORDER_CREATE"
    UPDATE = "RETURN_ORDER_UPDATE"
    """Its AWB or its courier is another one."""
    CANCEL = "RETURN_ORDER_CANCEL"
    PARTIAL_CANCEL = "RETURN_ORDER_PARTIAL_CANCEL"
    """Some of its units will not come."""
    COMPLETE = "RETURN_ORDER_COMPLETE"


class State(StrEnum):
    """The state of a return, or of one unit, that an event leaves behind."""

    CREATE = "CREATE"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"


_STATE: Final[Mapping[ExpectationEvent, State]] = {
    ExpectationEvent.CREATE: State.CREATE,
    ExpectationEvent.UPDATE: State.CREATE,
    ExpectationEvent.CANCEL: State.CANCELLED,
    ExpectationEvent.PARTIAL_CANCEL: State.CREATE,  # the rest of it still comes
    ExpectationEvent.COMPLETE: State.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class ExpectedItem:
    """One unit, and whether it still comes. `bundled` None: RMS does not know whether it is part of a bundle."""

    unit: ReturnItem
    cancelled: bool
    bundled: bool | None

    @property
    def state(self) -> State | None:
        """Only CANCELLED is published for a unit, so that one which still comes has no state."""
        return State.CANCELLED if self.cancelled else None


@dataclass(frozen=True, slots=True)
class Size:
    """The package, its weight in the client's unit."""

    parcel: Parcel
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Expectation:
    """A return that a warehouse is to expect. `id` comes from `signing.message_id`.

    `awb` and `courier` are those of now, whoever booked them. `cancelled` holds the codes of the units that will not
    come, those of earlier events included; after CANCEL none comes. `bundled` holds the codes of the units that are
    part of a bundle; None: RMS does not know. `weight_unit` is the client's.
    """

    id: str
    sequence: int
    event: ExpectationEvent
    order: ReturnOrder = field(repr=False)
    awb: str | None = None
    courier: str | None = None
    cancelled: frozenset[str] = frozenset()
    bundled: frozenset[str] | None = None
    weight_unit: Literal["G", "KG"] = "G"

    @property
    def state(self) -> State:
        """What the event leaves behind."""
        return _STATE[self.event]

    @property
    def items(self) -> tuple[ExpectedItem, ...]:
        """Every unit of the return, with what has become of it."""
        return tuple(
            ExpectedItem(
                unit,
                cancelled=self.event is ExpectationEvent.CANCEL or unit.item_code in self.cancelled,
                bundled=None if self.bundled is None else unit.item_code in self.bundled,
            )
            for unit in self.order.items
        )

    @property
    def size(self) -> Size | None:
        """The package, if its size is known."""
        parcel = self.order.parcel
        if parcel is None:
            return None
        return Size(parcel, parcel.weight_g.scaleb(-3) if self.weight_unit == "KG" else parcel.weight_g)


_FIELDS: Final[Shapes] = {
    Expectation: (
        Field("eventType", "event", Kind.STRING, Need.MUST),
        Field("status", "state", Kind.STRING, Need.MUST),
        Field("forwardOrderCode", "order.forward_order_code", Kind.STRING, Need.MUST),
        Field("returnOrderCode", "order.code", Kind.STRING, Need.MUST),
        Field("locationCode", "order.location_code", Kind.STRING, Need.MUST),
        Field("returnOrderTime", "order.placed_at", Kind.TIME, Need.MAY),
        Field("returnOrderStatus", "order.channel_status", Kind.STRING, Need.MAY),
        Field("expectedDate", "order.expected_at", Kind.TIME, Need.MAY),
        Field("orderItems", "items", Kind.OBJECTS, Need.MUST),
        Field("orderType", "order.order_type", Kind.STRING, Need.MAY),
        Field("awbNumber", "awb", Kind.STRING, Need.MAY),
        Field("transporter", "courier", Kind.STRING, Need.MAY),
        Field("currencyCode", "order.currency", Kind.STRING, Need.MAY),
        Field("regionType", "order.region", Kind.STRING, Need.MAY),
        Field("returnReason", "order.reason", Kind.STRING, Need.MAY),
        Field("sellerGstin", "order.seller_gstin", Kind.STRING, Need.MAY),
        Field("consigneeGstin", "order.consignee_gstin", Kind.STRING, Need.MAY),
        Field("shipmentDimension", "size", Kind.OBJECT, Need.MAY),
        Field("dropAddress", "order.drop", Kind.OBJECT, Need.MAY),
        Field("pickupAddress", "order.pickup", Kind.OBJECT, Need.MAY),
        Field("orderDetails", "order.forward", Kind.OBJECT, Need.MAY),
    ),
    ExpectedItem: (
        Field("itemCode", "unit.item_code", Kind.STRING, Need.MUST),
        Field("status", "state", Kind.STRING, Need.MAY),
        Field("isBundled", "bundled", Kind.BOOLEAN, Need.MAY),
        # An aggregator that announces a return need not say why it comes; the warehouse must hear of it all the same.
        Field("reason", "unit.reason", Kind.STRING, Need.MAY),
        Field("enableDoorStepQc", "unit.doorstep_qc", Kind.BOOLEAN, Need.MUST),
        Field("channelSkuCode", "unit.sku", Kind.STRING, Need.MUST),
        Field("name", "unit.name", Kind.STRING, Need.MAY),
        Field("brand", "unit.brand", Kind.STRING, Need.MAY),
        Field("color", "unit.color", Kind.STRING, Need.MAY),
        Field("category", "unit.category", Kind.STRING, Need.MAY),
        Field("subCategory", "unit.sub_category", Kind.STRING, Need.MAY),
        Field("serialNumber", "unit.serial_number", Kind.STRING, Need.MAY),
        Field("price", "unit.price", Kind.DOUBLE, Need.MAY),
        Field("finalAmountPaid", "unit.final_amount_paid", Kind.DOUBLE, Need.MAY),
        Field("imageUrl", "unit.image_url", Kind.STRING, Need.MAY),
        Field("storeCreditsUsed", "unit.store_credits_used", Kind.DOUBLE, Need.MAY),
        Field("subTaxItemData", "unit.taxes", Kind.OBJECTS, Need.MAY),
    ),
    SubTax: (
        Field("type", "type", Kind.STRING, Need.MUST),
        Field("rate", "rate", Kind.DOUBLE, Need.MUST),
        Field("taxPerUnit", "per_unit", Kind.DOUBLE, Need.MUST),
        Field("taxTotal", "total", Kind.DOUBLE, Need.MUST),
    ),
    Size: (
        Field("breadth", "parcel.breadth_cm", Kind.DOUBLE, Need.MUST),
        Field("height", "parcel.height_cm", Kind.DOUBLE, Need.MUST),
        Field("length", "parcel.length_cm", Kind.DOUBLE, Need.MUST),
        Field("weight", "weight", Kind.DOUBLE, Need.MUST),
    ),
    Address: (
        Field("name", "name", Kind.STRING, Need.MAY),
        Field("line1", "line1", Kind.STRING, Need.MAY),
        Field("line2", "line2", Kind.STRING, Need.MAY),
        Field("line3", "line3", Kind.STRING, Need.MAY),
        Field("city", "city", Kind.STRING, Need.MAY),
        Field("state", "state", Kind.STRING, Need.MAY),
        Field("zip", "zip", Kind.STRING, Need.MAY),
        Field("country", "country", Kind.STRING, Need.MAY),
        Field("email", "email", Kind.STRING, Need.MAY),
        Field("phone", "phone", Kind.STRING, Need.MAY),
    ),
    ForwardOrder: (
        Field("codValue", "cod_value", Kind.DOUBLE, Need.MUST),
        Field("invoiceNumber", "invoice_number", Kind.STRING, Need.MAY),
        Field("invoiceTime", "invoice_time", Kind.TIME, Need.MAY),
        Field("invoiceValue", "invoice_value", Kind.DOUBLE, Need.MUST),
        Field("isCod", "is_cod", Kind.BOOLEAN, Need.MUST),
        Field("forwardShipmentNumber", "shipment_number", Kind.STRING, Need.MAY),
    ),
}


def problems(message: Expectation) -> list[str]:
    """What must be known, or makes no sense, before the event can be sent; empty: send it."""
    return [*missing(_FIELDS, message), *_contradictions(message)]


def build(target: Endpoint, message: Expectation, now: datetime) -> HttpRequest:
    """The signed request for this try.

    Raises:
        ValueError: see `problems`.
    """
    if found := _contradictions(message):
        raise ValueError(f"[{', '.join(found)}]")
    return signed("POST", target, message.id, body(_FIELDS, message, target.preferences), now)


def _contradictions(message: Expectation) -> list[str]:
    units = {unit.item_code for unit in message.order.items}
    part = message.event is ExpectationEvent.PARTIAL_CANCEL
    if message.cancelled - units:
        return ["orderItems: must hold every unit that is cancelled"]
    if part and not message.cancelled:
        return ["orderItems: a partial cancellation must cancel a unit"]
    if part and message.cancelled == units:
        return ["orderItems: a partial cancellation must leave a unit"]
    return []
