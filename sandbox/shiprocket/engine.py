"""Shiprocket without sockets: the same stateful behaviour for the HTTP server, for tests and for the fault harness.

Source: Shiprocket guide, sections 2 to 10. Where Shiprocket publishes nothing, the README says what was chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, override

from sandbox.faults import Answer, Reply
from sandbox.partner import Json, Parcel, PartnerEngine, Result, Scan, json_object
from sandbox.shiprocket import bodies
from sandbox.shiprocket.bodies import IST
from sandbox.shiprocket.orders import Order
from sandbox.shiprocket.rules import complaints, goods_of
from sandbox.shiprocket.settings import Settings
from sandbox.shiprocket.statuses import BEFORE_PICKUP, COURIERS, LIVES, STATUSES, UNSERVED_PINCODES, Courier

ASSIGN_AWB: Final = "assign-awb"
CREATE_RETURN: Final = "create-return"
CREATE_ORDER: Final = "create-order"
LOGIN: Final = "login"
SHOW: Final = "show"
TRACK_AWB: Final = "track-awb"

_ROUTES: Final = {
    ("POST", "/courier/assign/awb"): ASSIGN_AWB,
    ("POST", "/orders/create/return"): CREATE_RETURN,
    ("POST", "/orders/create/adhoc"): CREATE_ORDER,
    ("POST", "/auth/login"): LOGIN,
    ("GET", "/courier/serviceability"): "serviceability",
    ("POST", "/courier/generate/pickup"): "pickup",
    ("POST", "/courier/generate/label"): "label",
    ("GET", "/orders/processing/return"): "list-returns",
    ("GET", "/orders"): "list-orders",
    ("GET", "/orders/show/*"): SHOW,
    ("POST", "/orders/cancel"): "cancel-orders",
    ("POST", "/orders/cancel/shipment/awbs"): "cancel-awbs",
    ("POST", "/courier/track/awbs"): "track-awbs",
    ("GET", "/courier/track"): "track-order",
    ("GET", "/courier/track/awb/*"): TRACK_AWB,
    ("GET", "/settings/company/pickup"): "pickup-locations",
}
_ENDING: Final = ("/orders/show/", "/courier/track/awb/")
"""Paths that end in what is asked for."""

_IN_PATH: Final = ":id"
"""Where a call's query has what its path ends in."""

_MOST_TRACKED: Final = 50
_MOST_AWBS: Final = 2000
_USUAL_PAGE: Final = 15
_NO_CONTENT: Final = 204
_PHP: Final = "Trying to get property of non-object"


class ShiprocketEngine(PartnerEngine[Settings]):
    """One simulated Shiprocket account. `next_booking` strikes assign-awb, which is the call that costs money."""

    operations = tuple(_ROUTES.values())

    def __init__(self, settings: Settings | None = None, **more: Any) -> None:
        super().__init__(settings or Settings(), **more)

    @override
    def _start(self) -> None:
        super()._start()
        self._orders: dict[int, Order] = {}
        self._tokens: dict[str, tuple[datetime, int]] = {}
        self._logins = {"given": 0, "refused": 0}

    # ── what a caller in the same process asks and does ─────────────────────────────

    @property
    def logins(self) -> int:
        """How many tokens were given."""
        with self._lock:
            return self._logins["given"]

    def orders(self) -> list[Order]:
        """All orders, with an AWB or without, oldest first."""
        with self._lock:
            self.run_due()
            return list(self._orders.values())

    def expire_tokens(self) -> None:
        """No token that was given before is accepted any more."""
        self.change({"token_generation": self.settings.token_generation + 1})

    @override
    def describe_bookings(self) -> Json:
        """The truth about duplicates: parcels and orders per reference, one door's goods with several AWBs, logins."""
        with self._lock:
            told = super().describe_bookings()
            by_goods: dict[str, list[str]] = {}
            for order in self._orders.values():
                if order.parcel is not None and not order.parcel.cancelled:
                    by_goods.setdefault(order.goods, []).append(order.awb)
            return {
                **told,
                "orders": [order.describe() for order in self._orders.values()],
                "goods_with_several_parcels": {goods: awbs for goods, awbs in by_goods.items() if len(awbs) > 1},
                "logins": dict(self._logins),
            }

    # ── calls ───────────────────────────────────────────────────────────────────────

    @override
    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        start = next((each for each in _ENDING if path.startswith(self.settings.base_path + each)), None)
        asked = query if start is None else {**query, _IN_PATH: path.removeprefix(self.settings.base_path + start)}
        reply = super().handle(method, path, asked, headers, body)
        if isinstance(reply, Answer) and reply.status == _NO_CONTENT:
            return replace(reply, headers={}, body=b"")
        return reply

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        for start in _ENDING:
            if path.startswith(start) and path != start:
                return _ROUTES.get((method, f"{start}*"))
        return _ROUTES.get((method, path.rstrip("/")))

    @override
    def reference_of(self, operation: str, body: bytes) -> str | None:
        reference = (json_object(body) or {}).get("order_id")
        booking = operation in {CREATE_RETURN, CREATE_ORDER} and isinstance(reference, str) and reference
        return str(reference)[:100] if booking else None

    @override
    def lives(self, *, is_return: bool) -> Mapping[str, Sequence[str]]:
        return LIVES

    @override
    def words(self, code: str) -> str:
        return STATUSES[code].words if code in STATUSES else f"Status {code}"

    @override
    def webhook_body(self, parcel: Parcel, scan: Scan) -> Json:
        return bodies.webhook(parcel.about["order"], parcel, scan, self.settings)

    @override
    def webhook_headers(self) -> dict[str, str]:
        proof = {self.settings.webhook_token_header: self.settings.webhook_token}
        return {**super().webhook_headers(), **proof}

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        document = json_object(body) or {}
        if operation == LOGIN:
            return self._login(document)
        if not self._accepts(headers.get("authorization", "")):
            return 401, {"message": "Unauthenticated."}
        if operation in {CREATE_RETURN, CREATE_ORDER}:
            return self._create(document, is_return=operation == CREATE_RETURN)
        writes = {
            ASSIGN_AWB: self._assign,
            "pickup": self._pickup,
            "label": self._label,
            "cancel-orders": self._cancel_orders,
            "cancel-awbs": self._cancel_awbs,
            "track-awbs": self._track,
        }
        reads = {
            "serviceability": self._serve,
            "list-returns": self._list_returns,
            "list-orders": self._list_orders,
            SHOW: self._show,
            "track-order": self._track_reference,
            TRACK_AWB: self._track_awb,
            "pickup-locations": self._locations,
        }
        return writes[operation](document) if operation in writes else reads[operation](query)

    def _login(self, document: Json) -> Result:
        settings = self.settings
        if (document.get("email"), document.get("password")) != (settings.email, settings.password):
            self._logins["refused"] += 1
            return 403, bodies.complaint("Invalid email and password combination", 403)
        self._logins["given"] += 1
        token = f"sandbox.{settings.seed}.{self.next_number()}"
        self._tokens[token] = (self.clock() + timedelta(seconds=settings.token_seconds), settings.token_generation)
        return 200, {"token": token, "first_name": "API", "last_name": "USER", "email": settings.email}

    def _accepts(self, authorization: str) -> bool:
        until, generation = self._tokens.get(authorization.removeprefix("Bearer "), (self.clock(), 0))
        return until > self.clock() and generation == self.settings.token_generation

    # ── creating ────────────────────────────────────────────────────────────────────

    def _create(self, document: Json, *, is_return: bool) -> Result:
        problems = complaints(document, self.settings, is_return=is_return)
        channel = document.get("channel_id")
        if channel is not None and self.settings.channel_ids and int(channel) not in self.settings.channel_ids:
            return 400, bodies.complaint("Given channel id does not exist", 400)
        same = next((order for order in self._orders.values() if order.reference == document.get("order_id")), None)
        if same is not None and self.settings.refuses_duplicates:
            if not is_return and not same.is_return and not same.cancelled and not problems:
                return 200, bodies.created(same)  # the first stays as it is
            problems["order_id"] = ["The order id has already been taken."]
        if problems:
            return 422, bodies.invalid(problems)
        if len(self._orders) >= self.settings.most_parcels:
            return 500, bodies.complaint("The sandbox holds as many orders as it may; reset it", 500)
        ends = ("pickup", "shipping") if is_return else (_delivery(document),)
        order = Order(
            reference=document["order_id"],
            order_id=self.next_number(),
            shipment_id=self.next_number(),
            is_return=is_return,
            created_at=self.clock(),
            pincodes=tuple(str(document[f"{end}_pincode"]) for end in ends),
            goods=goods_of(document, is_return=is_return),
            channel_id=None if channel is None else int(channel),
        )
        self._orders[order.order_id] = order
        return 200, bodies.created(order)

    def _serve(self, query: Mapping[str, str]) -> Result:
        is_return = query.get("is_return") == "1"
        wanted = ["pickup_postcode", "delivery_postcode"] + (["declared_value"] if is_return else [])
        wanted += [] if query.get("order_id") else ["cod", "weight"]
        absent = [name for name in wanted if not query.get(name)]
        if absent:
            return 422, bodies.invalid({name: [f"The {name} field is required."] for name in absent})
        ends = (query["pickup_postcode"], query["delivery_postcode"])
        if any(pincode.startswith(UNSERVED_PINCODES) for pincode in ends):
            return 200, bodies.served(())
        checks, cash = query.get("qc_check") == "1", query.get("cod") == "1"
        return 200, bodies.served([each for each in COURIERS[is_return] if self._can(each, checks=checks, cash=cash)])

    def _can(self, courier: Courier, *, checks: bool, cash: bool) -> bool:
        return (courier.cod or not cash) and (not checks or (courier.qc and self.settings.couriers_check))

    # ── AWB, pick-up, label ─────────────────────────────────────────────────────────

    def _assign(self, document: Json) -> Result:
        order = self._order_of(document.get("shipment_id"))
        if order is None or order.cancelled:
            return 400, bodies.complaint("Invalid shipment id", 400)
        if order.is_return != (str(document.get("is_return", 0)) == "1"):
            return 422, bodies.invalid({"is_return": ["The is return field does not fit this order."]})
        if order.parcel is not None:
            return 400, bodies.complaint("Oops! Cannot reassign courier for this shipment.", 400)
        couriers = COURIERS[order.is_return]
        wanted = str(document.get("courier_id") or couriers[0].id)
        courier = next((each for each in couriers if str(each.id) == wanted), None)
        if courier is None or any(pincode.startswith(UNSERVED_PINCODES) for pincode in order.pincodes):
            return 200, bodies.not_assigned(order, "Pincode is not served by the selected courier")
        return self._charge(order, courier)

    def _charge(self, order: Order, courier: Courier) -> Result:
        if self.settings.wallet_empty:
            words = "Please recharge your Shiprocket wallet. The minimum required balance is Rs 100"
            return self.settings.wallet_http_status, bodies.complaint(words, 350)
        if self.settings.assigns_later:
            due = self.clock() + timedelta(seconds=self.settings.later_seconds)
            self._later.append((due, lambda: self._ship(order, courier)))
            return 200, {"success": True, "message": "We are processing your request"}
        self._ship(order, courier)
        return 200, bodies.assigned(order, self.clock())

    def _ship(self, order: Order, courier: Courier) -> None:
        if order.parcel is not None or order.cancelled:
            return
        order.courier = courier
        order.parcel = self.add_parcel(
            Parcel(
                awb=f"{courier.id:03d}{self.settings.seed % 1000:03d}{self.next_number() % 10_000_000:07d}",
                reference=order.reference,
                forward_order="",
                is_return=order.is_return,
                courier=courier.name,
                booked_at=self.clock(),
                about={"order": order},
            )
        )

    def _pickup(self, document: Json) -> Result:
        order = self._only_one(document)
        if order is None or order.parcel is None or order.parcel.cancelled:
            return 400, bodies.complaint("Invalid shipment id", 400)
        if order.pickups:
            return 400, {"message": "Duplicate pickup request: this shipment is in the pickup queue"}
        order.pickups += 1
        self.scan(order.awb, "pickup_generated")
        return 200, bodies.picked(order, self.clock())

    def _label(self, document: Json) -> Result:
        order = self._only_one(document)
        if order is None or order.parcel is None:
            words = "No valid shipment ids to print label"
            return 200, {"label_created": 0, "not_created": [], "response": words}
        return 200, bodies.labelled(order, self.settings.label_base)

    def _only_one(self, document: Json) -> Order | None:
        listed = document.get("shipment_id")
        return self._order_of(listed[0]) if isinstance(listed, list) and len(listed) == 1 else None

    def _order_of(self, shipment_id: object) -> Order | None:
        return next((order for order in self._orders.values() if str(order.shipment_id) == str(shipment_id)), None)

    # ── looking ─────────────────────────────────────────────────────────────────────

    def _list_returns(self, query: Mapping[str, str]) -> Result:
        first, last = query.get("from", "0000"), query.get("to", "9999")
        days = ((order, order.created_at.astimezone(IST).date().isoformat()) for order in self._orders.values())
        return self._page([order for order, day in days if order.is_return and first <= day <= last], query)

    def _list_orders(self, query: Mapping[str, str]) -> Result:
        wanted = query.get("filter", "") if query.get("filter_by") == "channel_order_id" else ""
        orders = [order for order in self._orders.values() if not order.is_return and wanted in {"", order.reference}]
        return self._page(orders, query)

    def _page(self, orders: list[Order], query: Mapping[str, str]) -> Result:
        number, size = int(query.get("page") or 1), int(query.get("per_page") or _USUAL_PAGE)
        return 200, bodies.page(orders[::-1], max(1, number), max(1, size))

    def _show(self, query: Mapping[str, str]) -> Result:
        wanted = query[_IN_PATH]
        order = self._orders.get(int(wanted)) if wanted.isdigit() else None
        return (400, bodies.complaint("Order ID not found", 400)) if order is None else (200, bodies.shown(order))

    def _track(self, document: Json) -> Result:
        awbs = document.get("awbs")
        if not isinstance(awbs, list) or len(awbs) > _MOST_TRACKED:
            return 422, bodies.invalid({"awbs": [f"The awbs must be an array of at most {_MOST_TRACKED}."]})
        known = {str(awb): self._parcels[str(awb)].about["order"] for awb in awbs if str(awb) in self._parcels}
        return 200, {awb: bodies.tracked(order) for awb, order in known.items()}

    def _track_awb(self, query: Mapping[str, str]) -> Result:
        parcel = self._parcels.get(query[_IN_PATH])
        if parcel is None:
            return 200, {"tracking_data": {"track_status": 0, "error": bodies.NOT_SCANNED}}
        return 200, bodies.tracked(parcel.about["order"])

    def _track_reference(self, query: Mapping[str, str]) -> Result:
        orders = (order for order in self._orders.values() if order.reference == query.get("order_id"))
        return 200, [bodies.tracked(order) for order in orders if order.parcel is not None]

    def _locations(self, query: Mapping[str, str]) -> Result:
        del query
        named = enumerate(self.settings.pickup_locations, start=1)
        rows = [{"id": 5_700_000 + number, "pickup_location": nickname} for number, nickname in named]
        return 200, {"data": {"shipping_address": rows}}

    # ── cancelling ──────────────────────────────────────────────────────────────────

    def _cancel_orders(self, document: Json) -> Result:
        listed = document.get("ids")
        ids = listed if isinstance(listed, list) and all(isinstance(each, int) for each in listed) else [0]
        orders = [self._orders.get(each) for each in ids]
        if None in orders:
            return 500, bodies.complaint(_PHP, 500)
        known = [order for order in orders if order is not None]
        if any(order.cancelled for order in known):
            return 400, bodies.complaint("Order is already cancelled", 400)
        for order in known:
            order.cancelled = True
            if order.parcel is not None:
                self._void(order.parcel)
        return _NO_CONTENT, None

    def _cancel_awbs(self, document: Json) -> Result:
        awbs = document.get("awbs")
        if not isinstance(awbs, list) or not 0 < len(awbs) <= _MOST_AWBS:
            return 422, bodies.invalid({"awbs": ["The awbs field is required."]})
        due = self.clock() + timedelta(seconds=self.settings.later_seconds)
        for parcel in (self._parcels[str(awb)] for awb in awbs if str(awb) in self._parcels):
            if _cancellable(parcel) and not any(scan.code == "cancellation_requested" for scan in parcel.scans):
                self.scan(parcel.awb, "cancellation_requested")
                self._later.append((due, lambda parcel=parcel: self._void(parcel)))  # type: ignore[misc]  # bound now
        return 200, {"message": "Bulk Shipment cancellation is in progress. Please wait for some time."}

    def _void(self, parcel: Parcel) -> None:
        if not parcel.cancelled:
            self.scan(parcel.awb, "cancelled")

    @override
    def _scan(
        self, parcel: Parcel, code: str, *, at: datetime | None = None, words: str = "", location: str = ""
    ) -> Scan:
        parcel.cancelled = parcel.cancelled or code == "cancelled"
        parcel.about["order"].cancelled |= code == "cancelled"
        return super()._scan(parcel, code, at=at, words=words, location=location)


def _cancellable(parcel: Parcel) -> bool:
    return not parcel.cancelled and all(scan.code in BEFORE_PICKUP for scan in parcel.scans)


def _delivery(document: Json) -> str:
    return "billing" if document.get("shipping_is_billing") is True else "shipping"
