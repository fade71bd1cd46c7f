"""Returns Prime without sockets: requests that shoppers make, the API that reads them, unsigned webhooks.

Source: Returns Prime guide, sections 2 to 6, which is what integrators say. Where nothing is known, the README says
what was chosen.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, override

from sandbox.outbox import Webhook
from sandbox.partner import CallEngine, Json, PartnerSettings, Result, UnknownThingError, json_object

LIST: Final = "list-requests"
GET: Final = "get-request"
STATUS: Final = "write-status"
INSPECTION: Final = "write-inspection"
WEBHOOKS: Final = "webhooks"

_LIFE: Final = ("pending", "approved", "received", "inspected", "refunded")
_SIDE_EXITS: Final = ("rejected", "archived")
_MARKED: Final = ("approved", "received", "inspected", "rejected", "archived")
_TOPICS: Final = {
    "pending": "request/created",
    **{status: f"request/{status}" for status in (*_LIFE[1:], *_SIDE_EXITS)},
}
_WRITABLE: Final = ("received", "refunded", "rejected")
_PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated account."""

    base_path: str = ""
    token: str = field(default="sandbox-rp-token", repr=False)
    takes_write_back: bool = True
    """Whether the status and inspection calls exist at all, which one integrator alone has seen."""

    webhook_shape: str = "request"
    """Where a webhook holds the request: `request`, `data` or `bare`."""

    @staticmethod
    @override
    def choices() -> Mapping[str, tuple[str, ...]]:
        return {"webhook_shape": ("request", "data", "bare")}


class ReturnsPrimeEngine(CallEngine[Settings]):
    """One simulated account of a Shopify shop."""

    operations = (GET, LIST, STATUS, INSPECTION, WEBHOOKS)
    failure = (500, {"status": False, "message": "Internal server error"})

    @override
    def _start(self) -> None:
        super()._start()
        self._asked: dict[str, Json] = {}
        self._subscriptions: list[Json] = []
        self.written: list[Json] = []
        """What was written back, oldest first: the id, the call and its body."""

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        found = self.route(method, path, {}, b"")
        return found[0] if found else None

    @override
    def route(
        self, method: str, path: str, query: Mapping[str, str], body: bytes
    ) -> tuple[str, Mapping[str, str]] | None:
        match method, path.strip("/").split("/"):
            case (("GET" | "POST"), ["v2", "webhook"]):
                return WEBHOOKS, {**query, "method": method}
            case "GET", ["return-exchange", "v2"]:
                return LIST, query
            case "GET", ["return-exchange", "v2", found]:
                return GET, {**query, "id": found}
            case "PUT", ["return-exchange", "v2", found, ("status" | "inspection") as what]:
                return (STATUS if what == "status" else INSPECTION), {**query, "id": found}
            case _:
                return None

    @override
    def hides(self, name: str) -> bool:
        return name.lower() == "x-rp-token"

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        if headers.get("x-rp-token") != self.settings.token:
            return 401, {"status": False, "message": "Invalid token", "messageCode": "UNAUTHORIZED"}
        match operation:
            case "list-requests":
                return 200, self._list(query)
            case "get-request" if query["id"] in self._asked:
                return 200, {"status": True, "data": {"request": self._asked[query["id"]]}}
            case "get-request":
                return 404, {"status": False, "message": "Request not found", "messageCode": "NOT_FOUND"}
            case "webhooks":
                return self._subscribe(query["method"], body)
            case _:
                return self._write(operation, query["id"], json_object(body))

    def _list(self, query: Mapping[str, str]) -> Json:
        least, most = query.get("created_at_min", ""), query.get("created_at_max", "~")
        found = [each for each in self._asked.values() if least <= each["created_at"] <= most]
        number = query.get("request_number")
        found = [each for each in found if number in {None, each["request_number"]}]
        page = int(query["page"]) if query.get("page", "").isdigit() else 1
        start = (max(page, 1) - 1) * _PAGE
        more = {"hasNextPage": len(found) > start + _PAGE, "hasPreviousPage": start > 0}
        return {"status": True, "data": {"list": found[start : start + _PAGE], **more}}

    def _subscribe(self, method: str, body: bytes) -> Result:
        document = json_object(body)
        if method == "POST":
            if document is None or not isinstance(document.get("topics"), list):
                return 400, {"status": False, "message": "url and topics are required"}
            self._subscriptions.append({"id": str(self.next_number()), **document, "active": True})
        return 200, {"status": True, "data": {"list": self._subscriptions}}

    def _write(self, operation: str, found: str, document: Json | None) -> Result:
        if not self.settings.takes_write_back:
            return 404, {"message": "Cannot PUT"}
        if found not in self._asked or document is None:
            return 400, {"status": False, "message": "Request could not be updated", "messageCode": "BAD_REQUEST"}
        status = "inspected" if operation == INSPECTION else document.get("status")
        if operation == STATUS and status not in _WRITABLE:
            return 422, {"status": False, "message": f"status must be one of {', '.join(_WRITABLE)}"}
        self.written.append({"id": found, "operation": operation, "body": document})
        self._move(self._asked[found], str(status), str(document.get("notes") or document.get("comment") or ""))
        return 200, {"status": True, "message": "Updated"}

    # ── what a demo or a test does ──────────────────────────────────────────────────

    def place(self, values: Mapping[str, Any]) -> Json:
        """A shopper asks for a return: `request_type`, `order`, `customer` and `lines` may be given."""
        with self._lock:
            number = self.next_number()
            exchange = values.get("request_type") == "exchange"
            lines = values.get("lines") or [{"sku": "SBX-KURTA-M", "quantity": 1}]
            request: Json = {
                "id": f"rp{number}",
                "request_number": f"{'EXC' if exchange else 'RET'}{number}",
                "request_type": "exchange" if exchange else "return",
                "status": "pending",
                "manual_request": False,
                "channel": "shopify",
                "created_at": self._now(),
                "notes": "",
                "order": {"id": 5_500_000_000_000 + number, "name": f"#S{number}", **values.get("order", {})},
                "customer": copy.deepcopy(_CUSTOMER) | values.get("customer", {}),
                **{step: {"status": False, "comment": None, "created_at": None} for step in _MARKED},
                "line_items": [_line(place, line) for place, line in enumerate(lines, start=1)],
            }
            if exchange:
                request["exchange"] = {"order": values.get("exchange_order")}
            self._asked[request["id"]] = request
            self._tell(request, "request/created")
        self.on_change()
        return copy.deepcopy(request)

    def advance(self, found: str, status: str | None = None) -> Json:
        """Move a request on: to its next status, or to the one named."""
        with self._lock:
            request = self._found(found)
            place = _LIFE.index(request["status"]) if request["status"] in _LIFE else len(_LIFE) - 1
            wanted = status or _LIFE[min(place + 1, len(_LIFE) - 1)]
            self._move(request, wanted, "")
        self.on_change()
        return copy.deepcopy(request)

    def ship(self, found: str, awb: str, lines: Sequence[str] | None = None) -> Json:
        """Give lines of a request an AWB, all of them unless told; as if Shiprocket had booked it."""
        with self._lock:
            request = self._found(found)
            for line in request["line_items"]:
                if lines is None or line["id"] in lines:
                    line["shipping"] = [_shipping(awb)]
            self._tell(request, "request/updated")
        self.on_change()
        return copy.deepcopy(request)

    def tell(self, found: str, topic: str) -> None:
        """Owe a webhook about a request, whatever its status is."""
        with self._lock:
            self._tell(self._found(found), topic)
        self.on_change()

    def request(self, found: str) -> Json:
        """A request as it is now."""
        with self._lock:
            return copy.deepcopy(self._found(found))

    def described(self) -> list[Json]:
        """All requests, oldest first."""
        with self._lock:
            return copy.deepcopy(list(self._asked.values()))

    @override
    def state(self) -> Json:
        with self._lock:
            return {"asked": len(self._asked), "written": len(self.written), **super().state()}

    @override
    def webhook_answered(self, webhook: Webhook, status: int | None) -> None:
        super().webhook_answered(webhook, 200 if status is not None and 200 <= status <= 299 else status)  # noqa: PLR2004 - any success

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _move(self, request: Json, status: str, comment: str) -> None:
        request["status"] = status
        if status in _MARKED:
            request[status] = {"status": True, "comment": comment, "created_at": self._now()}
        self._tell(request, _TOPICS.get(status, "request/updated"))

    def _tell(self, request: Json, topic: str) -> None:
        shape, told = self.settings.webhook_shape, copy.deepcopy(request)
        bodies: dict[str, Json] = {
            "request": {"request": told},
            "data": {"topic": topic, "data": {"request": told}},
            "bare": told,
        }
        body = bodies[shape]
        self.owe({"request": request["id"], "topic": topic}, lambda: body)

    def _found(self, found: str) -> Json:
        if found not in self._asked:
            raise UnknownThingError(f"{found}: no such request")
        return self._asked[found]

    def _now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(place: int, given: Mapping[str, Any]) -> Json:
    sku = str(given.get("sku", "SBX-KURTA-M"))
    wanted = given.get("exchange_sku")
    return {
        "id": str(given.get("id", 9_000_000_000 + place)),
        "quantity": given.get("quantity", 1),
        "reason": given.get("reason", "Size too large"),
        "reason_detail": None,
        "original_product": _product(sku),
        "exchange_product": _product(str(wanted)) if wanted else None,
        "shipping": [_shipping(str(given["awb"]))] if given.get("awb") else [],
        "refund": {"requested_mode": "original", "actual_mode": None, "status": "pending"},
        "shop_price": {"actual_amount": 1890.5, "return_quantity": given.get("quantity", 1), "currency": "INR"},
    }


def _product(sku: str) -> Json:
    image = {"src": f"https://img.example.invalid/{sku}.jpg"}
    return {"title": f"Sandbox {sku}", "variant_title": "M", "sku": sku, "price": "1890.50", "image": image}


def _shipping(awb: str) -> Json:
    return {
        "awb": awb,
        "shipping_company": "Sandbox Surface",
        "tracking_available": True,
        "labels": [],
        "shipment_status": "Requested",
    }


_CUSTOMER: Final[Json] = {
    "id": 71,
    "name": "Meera Test",
    "email": "meera@shop.example",
    "phone": "+919812300045",
    "address": {
        "first_name": "Meera",
        "last_name": "Test",
        "address_line_1": "14 Lake View Road",
        "address_line_2": None,
        "city": "Pune",
        "province": "Maharashtra",
        "province_code": "MH",
        "postal_code": "411014",
        "country": "India",
        "country_code": "IN",
    },
    "bank": {"account_holder_name": "Meera Test", "account_number": "000000000001", "ifsc_code": "SBXX0000001"},
}
