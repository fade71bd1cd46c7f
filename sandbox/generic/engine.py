"""An aggregator of the generic contract without sockets. Source: RMS API contract, sections 8 to 12."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, override

from sandbox.partner import Json, Parcel, PartnerEngine, PartnerSettings, Result, Scan, json_object

GENERATE: Final = "generate"
COURIERS: Final = "couriers"
GET: Final = "get"

_ROUTES: Final = {
    ("POST", "/generate"): GENERATE,
    ("POST", "/couriers"): COURIERS,
    ("GET", "/shipments"): GET,
}
_FORWARD_LIVES: Final = {
    "delivered": ("PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"),
    "second_attempt": ("PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "UNDELIVERED", "Out-for-Delivery", "Delivered"),
    "rto": ("PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "FAILED_DELIVERY", "Return to Origin", "RTO_DELIVERED"),
    "lost": ("PICKED_UP", "IN_TRANSIT", "LOST"),
}
_RETURN_LIVES: Final = {
    "returned": ("OUT_FOR_PICKUP", "RETURN_PICKUP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"),
    "rescheduled": ("OUT_FOR_PICKUP", "pickup rescheduled", "RETURN_PICKED_UP", "IN_TRANSIT", "DELIVERED"),
    "pickup_cancelled": ("OUT_FOR_PICKUP", "PICKUP_CANCELED"),
    "odd": ("OUT_FOR_PICKUP", "Held at gate", "RETURN_PICKUP", "DELIVERED"),
}
"""Types as an aggregator may spell them: aliases, other cases, and one that nobody knows."""

_ADDRESS: Final = ("firstName", "addressLine1", "city", "state", "zip", "country", "phone")
_DETAILS: Final = ("orderNumber", "paymentType", "shipmentType", "orderAmount", "orderDate", "orderLineItems")
_LINE: Final = ("name", "sku", "quantity", "price")
_DIMENSION: Final = ("length", "breadth", "height", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated aggregator of the generic contract."""

    name: str = "SANDBOX"
    """Its registered logisticAggregatorName."""

    key: str = field(default="sandbox-generic-key", repr=False)
    """What RMS must send in the header X-Api-Key."""

    keeps_promise: bool = True
    """A repeated orderNumber is answered with the AWB already made. False: it breaks its word and books again."""

    awb_comes_with: str = "generate"
    """With which answer a return's AWB comes; a forward one comes with get."""

    pending_gets: int = 0
    """How many times Get comes too early for what Generate has not brought."""

    serves_nobody: bool = False
    sends_return_shipment_number: bool = True
    auth_username: str = "sandbox"
    auth_password: str = field(default="sandbox-password", repr=False)
    auth_domain: str = "sandbox"

    @staticmethod
    @override
    def choices() -> Mapping[str, tuple[str, ...]]:
        return {"awb_comes_with": ("generate", "get")}


class GenericEngine(PartnerEngine[Settings]):
    """One simulated aggregator, as one organisation's account sees it."""

    operations = tuple(_ROUTES.values())

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        return _ROUTES.get((method, path.rstrip("/")))

    @override
    def reference_of(self, operation: str, body: bytes) -> str | None:
        if operation != GENERATE:
            return None
        details = (json_object(body) or {}).get("orderDetails")
        number = details.get("orderNumber") if isinstance(details, dict) else None
        return str(number)[:255] if number else None

    @override
    def lives(self, *, is_return: bool) -> Mapping[str, Sequence[str]]:
        return _RETURN_LIVES if is_return else _FORWARD_LIVES

    @override
    def words(self, code: str) -> str:
        return code

    @override
    def hides(self, name: str) -> bool:
        return name.lower() == "x-api-key"

    @override
    def webhook_headers(self) -> dict[str, str]:
        settings = self.settings
        proof = {
            "authUsername": settings.auth_username,
            "authPassword": settings.auth_password,
            "authDomainName": settings.auth_domain,
        }
        return {**super().webhook_headers(), **proof}

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        if headers.get("x-api-key") != self.settings.key:
            return _error(403, "UNAUTHORIZED", "Unknown key", "[X-Api-Key: is not known]")
        if operation == GET:
            return self._get(query)
        document = json_object(body)
        if document is None:
            return _bad("body: must be a JSON object")
        return self._couriers(document) if operation == COURIERS else self._generate(document)

    def _couriers(self, document: Json) -> Result:
        must = ("pickupPincode", "dropPincode", "paymentType", "shipmentType", "orderAmount", "logisticAggregatorName")
        if problems := [*_missing(document, must, "")]:
            return _bad(*problems)
        lane = (str(document["pickupPincode"]), str(document["dropPincode"]))
        if self.settings.serves_nobody or any(place.startswith("99") for place in lane):
            return 200, {"couriers": []}
        return 200, {
            "couriers": [
                {"courierId": 12, "courierName": "Second Sandbox Courier", "priority": 2},
                {"courierId": 11, "courierName": "First Sandbox Courier", "priority": 1},
            ]
        }

    def _generate(self, document: Json) -> Result:
        if problems := [*_problems(document, self.settings.name)]:
            return _bad(*problems)
        details = document["orderDetails"]
        number, is_return = str(details["orderNumber"]), details["shipmentType"] == "RETURN"
        known = self.booking(number)
        if known.awbs and self.settings.keeps_promise:
            return 200, self._made(self._parcels[known.awbs[0]])
        if any(str(document[place]["zip"]).startswith("99") for place in ("pickupAddress", "dropAddress")):
            return _error(400, "BAD_DATA", "Lane refused", "[pickupAddress.zip: not serviceable]")
        if len(self._parcels) >= self.settings.most_parcels:
            return _error(500, "INTERNAL_ERROR", "Full", "the sandbox holds as many parcels as it may; reset it")
        order_id = self.next_number()
        parcel = self.add_parcel(
            Parcel(
                awb=f"{'72' if is_return else '71'}{order_id:010d}",
                reference=number,
                forward_order=str(details.get("forwardOrderNumber") or number),
                is_return=is_return,
                courier=str(document.get("courierName") or "First Sandbox Courier"),
                booked_at=self.clock(),
                about={
                    "order_id": f"SBX-{order_id}",
                    "shipment": details.get("forwardShipmentNumber"),
                    "items": [{"sku": each["sku"], "quantity": each["quantity"]} for each in details["orderLineItems"]],
                    "gets_left": self.settings.pending_gets,
                },
            )
        )
        return 200, self._made(parcel)

    def _made(self, parcel: Parcel) -> Json:
        answer = {"orderId": parcel.about["order_id"], "orderNumber": parcel.reference}
        if parcel.is_return and self.settings.awb_comes_with == "generate":
            answer |= {"returnAwb": parcel.awb, "carrierName": parcel.courier}
        return answer

    def _get(self, query: Mapping[str, str]) -> Result:
        must = ("orderId", "logisticAggregatorName", "shipmentType")
        if problems := [*_missing(query, must, "")]:
            return _bad(*problems)
        wanted = query["orderId"]
        parcel = next((each for each in self._parcels.values() if each.about["order_id"] == wanted), None)
        if parcel is None or (query["shipmentType"] == "RETURN") != parcel.is_return:
            return _error(404, "NOT_FOUND", "No such order", "[orderId: is not known]")
        answer = {"orderId": wanted, "orderNumber": parcel.reference}
        if parcel.about["gets_left"] > 0:
            parcel.about["gets_left"] -= 1
            return 200, {**answer, "awb": None, "carrierName": None, "shippingLabelUrl": None}
        answer |= {
            "awb": parcel.awb,
            "carrierName": parcel.courier,
            "shippingLabelUrl": f"{self.settings.label_base}/{parcel.awb}.pdf",
        }
        if parcel.is_return and self.settings.sends_return_shipment_number:
            answer["returnShipmentNumber"] = f"RS-{parcel.about['order_id']}"
        return 200, answer

    @override
    def webhook_body(self, parcel: Parcel, scan: Scan) -> Json:
        back = {"returnOrderId": parcel.reference, "returnAwb": parcel.awb, "carrierName": parcel.courier}
        return {
            "forwardOrderCode": parcel.forward_order,
            "forwardShipmentCode": parcel.about["shipment"],
            "forwardAwb": None if parcel.is_return else parcel.awb,
            "carrierName": parcel.courier,
            "notificationType": scan.code,
            "shipmentType": "RETURN" if parcel.is_return else "FORWARD",
            "logisticAggregatorName": self.settings.name,
            "warehouseCode": None,
            "returnOrderInfo": back if parcel.is_return else None,
            "lineItems" if parcel.is_return else "items": parcel.about["items"],
        }


def _error(status: int, code: str, message: str, description: str) -> Result:
    return status, {"code": code, "message": message, "description": description}


def _bad(*problems: str) -> Result:
    return _error(400, "BAD_DATA", "Input validation failed", f"[{', '.join(problems)}]")


def _missing(held: Mapping[str, Any], names: Sequence[str], where: str) -> Iterator[str]:
    for name in names:
        if held.get(name) in {None, ""} if not isinstance(held.get(name), list | dict) else not held[name]:
            yield f"{where}{name}: may not be empty"


def _problems(document: Json, name: str) -> Iterator[str]:
    if document.get("logisticAggregatorName") != name:
        yield f"logisticAggregatorName: must be {name}"
    parts = {
        "pickupAddress": _ADDRESS,
        "dropAddress": _ADDRESS,
        "shipmentDimension": _DIMENSION,
        "orderDetails": _DETAILS,
    }
    for part, must in parts.items():
        held = document.get(part)
        if isinstance(held, dict):
            yield from _missing(held, must, f"{part}.")
        else:
            yield f"{part}: may not be null"
    details = document.get("orderDetails")
    lines = details.get("orderLineItems") if isinstance(details, dict) else None
    for index, line in enumerate(lines if isinstance(lines, list) else ()):
        where = f"orderDetails.orderLineItems[{index}]."
        yield from _missing(line if isinstance(line, dict) else {}, _LINE, where)
    if isinstance(details, dict):
        if details.get("shipmentType") not in {"FORWARD", "RETURN"}:
            yield "orderDetails.shipmentType: must be FORWARD or RETURN"
        elif details["shipmentType"] == "RETURN":
            yield from _missing(details, ("forwardOrderNumber",), "orderDetails.")
            if details.get("paymentType") != "PREPAID":
                yield "orderDetails.paymentType: a return is always PREPAID"
