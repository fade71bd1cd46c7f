"""Shipway without sockets: the same stateful behaviour for the HTTP server, for tests and for the fault harness.

Source: Shipway guide, sections 2 to 8. Where nothing is known, the README says what was chosen.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final, override

from sandbox.partner import Json, Parcel, PartnerEngine, PartnerSettings, Result, Scan, json_object

PUSH: Final = "push"
CREATE_RETURN: Final = "create-return"
GET_ORDERS: Final = "get-orders"
CANCEL: Final = "cancel"
CANCEL_ORDERS: Final = "cancel-orders"
TRACKING: Final = "tracking"
CARRIERS: Final = "carriers"

_ROUTES: Final = {
    ("POST", "/v2orders"): PUSH,
    ("POST", "/Createreturns"): CREATE_RETURN,
    ("GET", "/getorders"): GET_ORDERS,
    ("POST", "/Cancel"): CANCEL,
    ("POST", "/Cancelorders"): CANCEL_ORDERS,
    ("GET", "/tracking"): TRACKING,
    ("GET", "/getcarrier"): CARRIERS,
}
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))
_MOST_TRACKED: Final = 100
_PAGE: Final = 100

WORDS: Final = {
    "DEL": "Delivered",
    "INT": "In Transit",
    "UND": "Undelivered",
    "RTO": "RTO",
    "RTD": "RTO Delivered",
    "CAN": "Canceled",
    "SCH": "Shipment Booked",
    "ONH": "On Hold",
    "OOD": "Out For Delivery",
    "NFI": "Status Pending",
    "NFIDS": "NFID",
    "RSCH": "Pickup Scheduled",
    "ROOP": "Out for Pickup",
    "RPKP": "Shipment Picked Up",
    "RDEL": "Return Delivered",
    "RINT": "Return In Transit",
    "RPSH": "Pickup Rescheduled",
    "RCAN": "Return Request Cancelled",
    "RCLO": "Return Request Closed",
    "RSMD": "Pickup Delayed",
    "PCAN": "Pickup Cancelled",
    "ROTH": "Others",
    "RPF": "Pickup Failed",
}
"""Shipway's words by code."""

_FORWARD_LIVES: Final = {
    "delivered": ("SCH", "INT", "OOD", "DEL"),
    "second_attempt": ("SCH", "INT", "OOD", "UND", "OOD", "DEL"),
    "rto": ("SCH", "INT", "OOD", "UND", "RTO", "RTD"),
    "held": ("SCH", "ONH", "NFI", "NFIDS", "INT", "OOD", "DEL"),
}
_RETURN_LIVES: Final = {
    "returned": ("RSCH", "ROOP", "RPKP", "RINT", "RDEL"),
    "rescheduled": ("RSCH", "ROOP", "RPSH", "RSMD", "ROOP", "RPKP", "RINT", "RDEL", "RCLO"),
    "pickup_failed": ("RSCH", "ROOP", "RPF"),
    "pickup_cancelled": ("RSCH", "PCAN", "ROTH"),
}
_BEFORE_PICKUP: Final = frozenset({"SCH", "ONH", "NFI", "NFIDS", "RSCH", "ROOP", "RPSH", "RSMD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated Shipway account."""

    email: str = "sandbox@shipway.example"
    licence_key: str = field(default="sandbox-licence-key", repr=False)
    carriers: tuple[str, ...] = ("3400", "5120")
    warehouses: tuple[str, ...] = ("60417", "60418")
    refuses_duplicates: bool = False
    """What Shipway answers to a used order id is not known. False is the worst: it books a second parcel."""

    wallet_empty: bool = False
    lists_returns: bool = True
    """Whether a return shows among the rows of its forward order, which nobody has confirmed."""

    return_awb_after: int = 1
    """How many times a return is looked at in vain before its AWB is there."""

    history: str = "activities"
    wraps_tracking: bool = False
    webhook_shape: str = "panel"

    @staticmethod
    @override
    def choices() -> Mapping[str, tuple[str, ...]]:
        return {"webhook_shape": ("panel", "feed", "plain"), "history": ("activities", "history")}


@dataclass(slots=True)
class _Order:
    """A stored order, forward or return; `awb` is None as long as there is none."""

    order_id: str
    number: int
    body: Json
    is_return: bool
    reference: str
    awb: str | None = None
    looked_at: int = 0
    cancelled: bool = False


class ShipwayEngine(PartnerEngine[Settings]):
    """One simulated Shipway account."""

    operations = tuple(_ROUTES.values())

    @override
    def _start(self) -> None:
        super()._start()
        self._orders: list[_Order] = []

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        return _ROUTES.get((method, path.rstrip("/")))

    @override
    def reference_of(self, operation: str, body: bytes) -> str | None:
        document = json_object(body) or {}
        order_id = str(document.get("order_id", ""))[:100]
        if operation == CREATE_RETURN and order_id:
            return _return_reference(document)
        return order_id if operation == PUSH and order_id else None

    @override
    def lives(self, *, is_return: bool) -> Mapping[str, Sequence[str]]:
        return _RETURN_LIVES if is_return else _FORWARD_LIVES

    @override
    def words(self, code: str) -> str:
        return WORDS.get(code, code)

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        proof = b64encode(f"{self.settings.email}:{self.settings.licence_key}".encode()).decode()
        if headers.get("authorization") != f"Basic {proof}":
            return 401, {"success": 0, "message": "Unauthorized access"}
        if operation in {GET_ORDERS, TRACKING, CARRIERS}:
            read = {GET_ORDERS: self._get_orders, TRACKING: self._track, CARRIERS: self._carriers}
            return 200, read[operation](query)
        document = json_object(body)
        if document is None:
            return 400, {"success": False, "message": "Request body is not a JSON object"}
        write: Mapping[str, Callable[[Json], Any]] = {
            PUSH: self._push,
            CREATE_RETURN: self._create_return,
            CANCEL: self._cancel,
            CANCEL_ORDERS: self._cancel_orders,
        }
        return 200, write[operation](document)

    # ── orders ──────────────────────────────────────────────────────────────────────

    def _push(self, order: Json) -> Json:
        if problem := _problem(order):
            return {"success": False, "message": problem}
        order_id = str(order["order_id"])
        known = [each for each in self._orders if each.order_id == order_id and not each.is_return]
        if known and self.settings.refuses_duplicates:
            return {"success": False, "message": "Order id already exists"}
        if len(self._orders) >= self.settings.most_parcels:
            return {"success": False, "message": "The sandbox holds as many orders as it may; reset it"}
        stored = known[0] if known else _Order(order_id, self.next_number(), order, is_return=False, reference=order_id)
        if not known:
            self._orders.append(stored)
        done = {"success": True, "message": "Order has been added successfully."}
        if not order.get("carrier_id"):
            return done
        failure = self._no_awb(order)
        if failure is not None:
            return {**done, "awb_response": {"success": False, "error": failure, "message": ""}}
        parcel = self._ship(stored, str(order["carrier_id"]))
        return {
            **done,
            "awb_response": {
                "success": True,
                "message": "AWB No. assigned Successfully",
                "AWB": parcel.awb,
                "carrier_id": str(order["carrier_id"]),
                "shipping_url": f"{self.settings.label_base}/{parcel.awb}.pdf",
            },
        }

    def _no_awb(self, order: Json) -> str | list[str] | None:
        if order["carrier_id"] not in self.settings.carriers:
            return ["Carrier id is invalid"]
        if order.get("warehouse_id") not in self.settings.warehouses:
            return "Warehouse id is not valid for this account"
        if self.settings.wallet_empty:
            return "Insufficient wallet balance"
        if str(order["shipping_zipcode"]).startswith("99"):
            return ["Shipping zipcode is not serviceable by this carrier"]
        return None

    def assign(self, order_id: str) -> str | None:
        """A person assigns a carrier in the panel: the AWB of an order that was only stored; None without one."""
        with self._lock:
            order = next((each for each in self._orders if each.order_id == order_id and not each.is_return), None)
            if order is None or order.awb is not None or order.cancelled:
                return None
            return self._ship(order, self.settings.carriers[0]).awb

    def _create_return(self, order: Json) -> Json:
        if problem := _problem(order):
            return {"success": False, "message": problem}
        if order.get("return_order_status") not in {"R", "E"}:
            return {"success": False, "message": "return_order_status must be R or E"}
        reference = _return_reference(order)
        same = any(each.reference == reference for each in self._orders)
        if same and self.settings.refuses_duplicates:
            return {"success": False, "message": "Return already exists"}
        order_id = str(order["order_id"])
        self._orders.append(_Order(order_id, self.next_number(), order, is_return=True, reference=reference))
        return {"success": True, "message": "Return order created"}

    def _ship(self, order: _Order, carrier: str) -> Parcel:
        number = self.next_number()
        parcel = self.add_parcel(
            Parcel(
                awb=f"{'66' if order.is_return else '33'}{number:011d}",
                reference=order.reference,
                forward_order=order.order_id,
                is_return=order.is_return,
                courier=f"Carrier {carrier}",
                booked_at=self.clock(),
                about={"number": order.number},
            )
        )
        order.awb = parcel.awb
        return parcel

    def _get_orders(self, query: Mapping[str, str]) -> Json:
        wanted = query.get("orderid", "")
        rows = [self._row(order) for order in self._orders if wanted in {"", order.order_id} and self._shows(order)]
        if not rows:
            return {"success": 0, "error": "", "message": "No orders found"}
        start = (max(1, int(query.get("page") or 1)) - 1) * _PAGE
        return {"success": 1, "error": "", "message": rows[start : start + _PAGE]}

    def _shows(self, order: _Order) -> bool:
        if not order.is_return:
            return True
        order.looked_at += 1
        if order.awb is None and order.looked_at > self.settings.return_awb_after:
            parcel = self._ship(order, self.settings.carriers[0])
            self.advance(parcel.awb)
        return self.settings.lists_returns

    def _row(self, order: _Order) -> Json:
        parcel = self._parcels[order.awb] if order.awb else None
        latest = parcel.latest if parcel else None
        status = latest.code if latest else "RSCH" if order.is_return else "SCH" if parcel else ""
        status = "CAN" if order.cancelled else status
        return {
            "order_id": order.order_id,
            "order_total": str(order.body.get("order_total", "0")),
            "status": "A" if parcel else "O",
            "name": parcel.courier if parcel else "",
            "carrier_title": f"{parcel.courier} account" if parcel else "",
            "tracking_number": parcel.awb if parcel else "",
            "shipment_status": status,
            "shipment_status_name": WORDS.get(status, status),
            "shipment_status_scan": [
                {"status": scan.code, "datetime": _in_india(scan.at), "sub_status": ""}
                for scan in (parcel.scans if parcel else ())
            ],
            "ezyslip_order_id": str(order.number),
            "products": order.body.get("products", []),
            "order_tags": [],
        }

    def _carriers(self, query: Mapping[str, str]) -> Json:
        del query
        rows = [
            {"id": carrier, "name": f"Carrier {carrier}", "carrier_title": f"Carrier {carrier}", "reverse_status": True}
            for carrier in self.settings.carriers
        ]
        return {"success": 1, "error": "", "message": rows}

    # ── parcels ─────────────────────────────────────────────────────────────────────

    def _cancel(self, document: Json) -> Json:
        done: list[str] = []
        failed: list[str] = []
        invalid: list[str] = []
        words = "Selected orders have been unassigned"
        listed = document.get("awb_number")
        for awb in map(str, listed if isinstance(listed, list) else []):
            parcel = self._parcels.get(awb)
            if parcel is None:
                invalid.append(awb)
            elif parcel.cancelled:
                failed.append(awb)
                words = "Shipment already cancelled"
            elif any(scan.code not in _BEFORE_PICKUP for scan in parcel.scans):
                failed.append(awb)
                words = "Shipment is picked up already and cannot be cancelled"
            else:
                self.scan(awb, "RCAN" if parcel.is_return else "CAN")
                parcel.cancelled = True
                done.append(awb)
        return {
            "error": False,
            "success": True,
            "message": words,
            "invalid_tracking_numbers": ",".join(invalid),
            "shipment_success_tracking_numbers": ",".join(done),
            "shipment_failed_tracking_numbers": ",".join(failed),
        }

    def _cancel_orders(self, document: Json) -> list[Json]:
        listed = document.get("order_ids")
        return [self._cancel_order(str(each)) for each in (listed if isinstance(listed, list) else [])]

    def _cancel_order(self, order_id: str) -> Json:
        order = next((each for each in self._orders if each.order_id == order_id and not each.is_return), None)
        done = order is not None and order.awb is None and not order.cancelled
        if order is None:
            words = "Order not found"
        elif order.cancelled:
            words = "Order already cancelled"
        else:
            words = "Order cancelled" if done else "Only new and on-hold orders can be cancelled"
            order.cancelled = done
        return {"order_id": order_id, "error": not done, "success": done, "message": words}

    def _track(self, query: Mapping[str, str]) -> Any:
        awbs = [awb.strip() for awb in query.get("awb_numbers", "").split(",") if awb.strip()][:_MOST_TRACKED]
        elements = [self._tracked(awb) for awb in awbs]
        return {"shipments": elements} if self.settings.wraps_tracking else elements

    def _tracked(self, awb: str) -> Json:
        parcel = self._parcels.get(awb)
        if parcel is None:
            return {"awb": awb, "error": "No details found"}
        newest = sorted(parcel.scans, key=lambda scan: scan.at, reverse=True)
        if self.settings.history == "activities":
            history = {
                "shipment_track_activities": [
                    {"date": _in_india(scan.at), "activity": scan.words, "location": scan.location} for scan in newest
                ]
            }
        else:
            history = {
                "tracking_history": [
                    {"status": scan.code, "location": scan.location, "timestamp": _in_india(scan.at), "remarks": ""}
                    for scan in newest
                ]
            }
        status = newest[0].code if newest else "RSCH" if parcel.is_return else "SCH"
        about = {"courier_name": parcel.courier, "order_id": parcel.forward_order, "current_status": WORDS.get(status)}
        details = {"shipment_status": status, "shipment_details": [about], **history, "track_url": ""}
        return {"awb": awb, "tracking_details": details}

    # ── webhooks ────────────────────────────────────────────────────────────────────

    @override
    def webhook_body(self, parcel: Parcel, scan: Scan) -> Json:
        plain = {"order_id": parcel.forward_order, "current_status": scan.code}
        if self.settings.webhook_shape == "plain":
            return plain
        if self.settings.webhook_shape == "feed":
            proof = f"{self.settings.email}:{self.settings.licence_key}".encode()
            return {"hash": hashlib.md5(proof, usedforsecurity=False).hexdigest(), "status_feed": [plain]}
        scans = sorted(parcel.scans, key=lambda each: each.at, reverse=True)
        inner = {
            "awbno": parcel.awb,
            "carrier": parcel.courier,
            "current_status": scan.code,
            "current_status_desc": WORDS.get(scan.code, scan.code),
            "status_time": _in_india(scan.at),
            "order_id": str(parcel.about["number"]),
            "first_name": "Sandbox",
            "phone": "9000000000",
            "scans": {
                str(place): {"location": each.location, "time": _in_india(each.at), "status": each.words}
                for place, each in enumerate(scans)
            },
            "extra_fields": {"ReferenceNo": parcel.forward_order},
            "tracking_url": f"https://track.example.invalid/{parcel.awb}",
        }
        return {
            "awbno": parcel.awb,
            "current_status": scan.code,
            "status_time": _in_india(scan.at),
            "scans_current_status": scan.words,
            "scans_current_status_time": _in_india(scan.at),
            "carrier": parcel.courier,
            "order_id": str(parcel.about["number"]),
            "company_id": "1",
            "reverse_tracking_number": parcel.awb if parcel.is_return else "",
            "api_input": inner,
        }


def _problem(order: Json) -> str:
    must = ("order_id", "products", "payment_type", "shipping_country", "shipping_phone", "shipping_zipcode")
    for name in must:
        if not order.get(name):
            return f"{name} is required"
    if not isinstance(order["products"], list) or not all(isinstance(each, dict) for each in order["products"]):
        return "products must be a list"
    if order["payment_type"] not in {"P", "C"}:
        return "payment_type must be P or C"
    if any(isinstance(value, int | float) for name, value in order.items() if name != "return_reason_id"):
        return "all values must be text"
    return ""


def _return_reference(order: Json) -> str:
    """A return has no reference of its own: one of the same order and the same products is taken for the same."""
    listed = order.get("products")
    products = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    lines = sorted(f"{each.get('product_code')}x{each.get('product_quantity')}" for each in products)
    return f"{order.get('order_id')} back: {', '.join(lines)}"[:200]


def _in_india(moment: datetime) -> str:
    return moment.astimezone(_INDIA).strftime("%Y-%m-%d %H:%M:%S")
