"""Valid things for the sandbox's tests: a reverse order, a caller of the engine, a signed notification."""

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from sandbox.clickpost import ClickpostEngine
from sandbox.faults import Answer, Reply

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of test secret!").decode()

_ORDER: dict[str, Any] = {
    "pickup_info": {
        "pickup_name": "Meera Test",
        "pickup_phone": "9812300045",
        "email": "meera@shop.example",
        "pickup_address": "14 Lake View Road",
        "pickup_city": "Pune",
        "pickup_state": "Maharashtra",
        "pickup_pincode": "411014",
        "pickup_country": "IN",
        "pickup_time": "2026-03-04T12:00:00+05:30",
        "tin": "NA",
    },
    "drop_info": {
        "drop_name": "Returns Dock 3",
        "drop_phone": "9812300046",
        "drop_address": "Survey 88, Warehouse Lane",
        "drop_city": "Hosur",
        "drop_state": "Tamil Nadu",
        "drop_pincode": "635109",
        "drop_country": "IN",
    },
    "shipment_details": {
        "order_type": "PREPAID",
        "delivery_type": "RVP",
        "rvp_reason": "Too tight",
        "cod_value": 0,
        "invoice_value": 850.5,
        "invoice_number": "TI-77",
        "invoice_date": "2026-02-20",
        "reference_number": "TEST-REF-1",
        "order_id": "TO-501",
        "courier_partner": 25,
        "account_code": "test-reverse",
        "weight": 300,
        "length": 20,
        "breadth": 15,
        "height": 4,
        "items": [{"sku": "TS-9", "description": "Kurta, green, M", "quantity": 1, "price": 850.5, "weight": 300}],
    },
    "additional": {"delivery_type": "RVP", "rvp_reason": "Too tight", "async": False},
}


def an_order(*, reference: str = "TEST-REF-1", **changes: Any) -> dict[str, Any]:
    """A reverse order; a change names its place, as in `shipment_details__cod_value=5`; None leaves the field out."""
    order = copy.deepcopy(_ORDER)
    order["shipment_details"]["reference_number"] = reference
    for name, value in changes.items():
        section, _, field = name.partition("__")
        place = order[section]
        if value is None:
            place.pop(field)
        else:
            place[field] = value
    return order


class Caller:
    """Calls an engine as RMS would, with the right credentials unless told."""

    def __init__(self, engine: ClickpostEngine) -> None:
        self.engine = engine

    def send(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> Reply:
        credentials = {"username": "sandbox-test", "key": "sandbox-api-key"}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.engine.handle(method, path, {**credentials, **(query or {})}, {}, raw)

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> dict[str, Any]:
        reply = self.send(method, path, query, body)
        assert isinstance(reply, Answer)
        document: dict[str, Any] = json.loads(reply.body) | {"http": reply.status}
        return document

    def create(self, order: Any | None = None, **query: str) -> dict[str, Any]:
        return self.ask("POST", "/api/v3/create-order/", query, order or an_order())

    def book(self, reference: str = "TEST-REF-1", **changes: Any) -> str:
        awb: str = self.create(an_order(reference=reference, **changes))["result"]["waybill"]
        return awb

    def cancel(self, awb: str, courier: int = 25) -> dict[str, Any]:
        query = {"waybill": awb, "cp_id": str(courier), "account_code": "test-reverse"}
        return self.ask("GET", "/api/v1/cancel-order/", query)

    def sent_webhooks(self) -> list[dict[str, Any]]:
        """Every webhook that is due now, taken by RMS at the first try."""
        bodies = []
        while webhook := self.engine.claim_webhook():
            bodies.append(json.loads(webhook.body))
            self.engine.webhook_answered(webhook, 200)
        return bodies


def a_notification(sequence: int | None = 1, *, about: str = "RET-8", kind: str = "OUT_FOR_PICKUP") -> bytes:
    """The body of a return notification."""
    body: dict[str, Any] = {
        "forwardOrderCode": "TO-501",
        "notificationType": kind,
        "returnOrderInfo": {"returnOrderId": about, "returnAwb": "250010000009"},
    }
    return json.dumps(body if sequence is None else body | {"sequence": sequence}).encode()


def signed(body: bytes, *, webhook_id: str, timestamp: int, secret: str = SECRET) -> dict[str, str]:
    """The headers of a Standard Webhooks delivery."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
