"""From what came of a request to ship a parcel to what the caller is told. One table, no HTTP library."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rms.forward.values import Ordered, OtherSource, ShipOutcome, Shipped
from rms.model.outcomes import AwbPending, AwbRefused, IsCancelled, OtherContent
from rms.platform.errors import AwbRefusedError, ConflictError

type Answer = tuple[HTTPStatus, Mapping[str, Any]]


def answer_to(outcome: ShipOutcome) -> Answer:
    """Status and body.

    Raises:
        AwbRefusedError: the aggregator refused.
        ConflictError: the code is in use for something else.
    """
    match outcome:
        case Ordered(order_code, code, order_id, shipment_id):
            body = {"orderCode": order_code, "shipmentCode": code, "orderId": order_id, "shipmentId": shipment_id}
            return HTTPStatus.OK, body
        case Shipped(link=None):
            status = "PENDING" if outcome.held is None else "HELD"
            held = {} if outcome.held is None else {"labelReason": outcome.held}
            return HTTPStatus.ACCEPTED, {**_shipped(outcome), "labelStatus": status, **held}
        case Shipped(link=link):
            return HTTPStatus.OK, {**_shipped(outcome), "shippingLabelUrl": link}
        case AwbPending(code):
            return HTTPStatus.ACCEPTED, {"shipmentCode": code, "awbStatus": "PENDING", "labelStatus": "PENDING"}
        case AwbRefused(_, words):
            raise AwbRefusedError(words)
        case IsCancelled():
            raise ConflictError("[shipmentCode: is cancelled]")
        case OtherContent():
            raise ConflictError("[shipmentCode: already exists with other content]")
        case OtherSource(words):
            raise ConflictError(f"[shipmentCode: {words}]")


def _shipped(shipped: Shipped) -> dict[str, Any]:
    return {
        "orderId": shipped.order_id,
        "orderNumber": shipped.order_code,
        "shipmentCode": shipped.shipment_code,
        "awb": shipped.awb,
        "carrierName": shipped.courier,
        **({"boxLabelDetails": json.loads(shipped.boxes)} if shipped.boxes else {}),
    }
