"""Clickpost without sockets: the same stateful behaviour for the HTTP server, for tests and for the fault harness.

Source: ClickPost guide, sections 3 to 8, 13 and 17. Where ClickPost publishes nothing, the README says what was chosen.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, override

from sandbox.clickpost import bodies
from sandbox.clickpost.parcels import Booking, InTheMaking, Parcel, PortalReturn, Scan
from sandbox.clickpost.rules import Order, Refusal, check_order
from sandbox.clickpost.settings import Settings
from sandbox.clickpost.statuses import CANCELLED, LIVES, RTO, SELF, STATUSES
from sandbox.partner import AccountEngine, Json, Result, UnknownThingError

type Approval = Literal["auto", "manual"]

CREATE_ORDER: Final = "create-order"
GET_ORDER: Final = "get-order"
CANCEL_ORDER: Final = "cancel-order"
TRACK_ORDER: Final = "track-order"
SHIPPING_LABEL: Final = "shipping-label"

_ROUTES: Final = {
    ("POST", "/v3/create-order"): CREATE_ORDER,
    ("GET", "/v3/create-order"): GET_ORDER,
    ("GET", "/v1/cancel-order"): CANCEL_ORDER,
    ("GET", "/v2/track-order"): TRACK_ORDER,
    ("GET", "/v1/fetch/shippinglabel"): SHIPPING_LABEL,
}
_MOST_TRACKED: Final = 15


class ClickpostEngine(AccountEngine[Settings, Parcel, Booking]):
    """One simulated Clickpost account."""

    operations = tuple(_ROUTES.values())
    failure: Result = (500, bodies.meta(500, "Internal server error"))

    def __init__(self, settings: Settings | None = None, *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(settings or Settings(), clock=clock)

    @override
    def _start(self) -> None:
        super()._start()
        self._making: dict[str, InTheMaking] = {}
        self._returns: dict[str, PortalReturn] = {}

    @override
    def new_booking(self, reference: str) -> Booking:
        return Booking(reference)

    # ── what RMS calls ──────────────────────────────────────────────────────────────

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        return _ROUTES.get((method, path.rstrip("/")))

    @override
    def reference_of(self, operation: str, body: bytes) -> str | None:
        details = (_json_object(body) or {}).get("shipment_details") if operation == CREATE_ORDER else None
        reference = details.get("reference_number") if isinstance(details, dict) else None
        return reference[:100] if isinstance(reference, str) else None

    @override
    def hides(self, name: str) -> bool:
        return name == "key"

    @override
    def outcome(self, result: Result | None) -> Json:
        return {"meta_status": result[1]["meta"]["status"] if result else None}

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        if query.get("username") != self.settings.username or query.get("key") != self.settings.key:
            return 200, bodies.meta(301, "Username or key is invalid")
        match operation:
            case "create-order":
                return self._create(body)
            case "get-order":
                return self._get(query)
            case "cancel-order":
                return self._cancel(query)
            case "track-order":
                return self._track(query)
            case _:
                return self._label(query)

    def _create(self, body: bytes) -> Result:
        document = _json_object(body)
        if document is None:
            return 400, bodies.meta(400, "Request body is not a JSON object")
        order = check_order(document, self.settings)
        if isinstance(order, Refusal):
            return 200, bodies.meta(order.status, order.words)
        return 200, self._place(order, body)

    def _place(self, order: Order, body: bytes) -> Json:
        if max(len(self._parcels), len(self._making)) >= self.settings.most_parcels:
            return bodies.meta(500, "The sandbox holds as many parcels as it may; reset it")
        booking = self.booking(order.reference)
        booking.order_id = order.order_id
        if booking.awb is not None and self.settings.refuses_duplicates:
            return bodies.known_booking(self._parcels[booking.awb], 323, "You have already placed this order")
        if order.reference in self._making:
            making = self._making[order.reference]
            if making.failure is None or making.body == body:
                return self._continue(making)
        if order.awb_number and order.awb_number in self._parcels:
            return bodies.meta(303, "AWB is already registered")
        if order.asynchronous:
            return self._queue(order, body)
        return bodies.fresh_booking(self._book(order))

    def _queue(self, order: Order, body: bytes) -> Json:
        self._making[order.reference] = InTheMaking(
            order=order,
            body=body,
            ready_at=self.clock() + timedelta(seconds=self.settings.async_seconds),
            processing_left=self.settings.async_processing,
            clickpost_order_id=self.next_number(),
        )
        made = self._making[order.reference]
        return bodies.queued_booking(order.reference, made.clickpost_order_id, processing=False)

    def _continue(self, making: InTheMaking) -> Json:
        """The answer to a repeat of an asynchronous order: still processing, the AWB, or the failure."""
        reference, ends = making.order.reference, self.settings.async_ends
        if making.failure is None and (making.processing_left > 0 or self.clock() < making.ready_at):
            making.processing_left -= 1
            return bodies.queued_booking(reference, making.clickpost_order_id, processing=True)
        if making.failure is None and ends in {200, 323}:
            parcel = self._book(making.order, making.clickpost_order_id)
            del self._making[reference]
            if ends == 200:  # noqa: PLR2004 - meta.status of a fresh booking
                return bodies.fresh_booking(parcel)
            return bodies.known_booking(parcel, 323, "You have already placed this order")
        making.failure = making.failure or ends
        return {**bodies.meta(making.failure, self.settings.async_words), "reference_number": reference}

    def _get(self, query: Mapping[str, str]) -> Result:
        reference = query.get("reference_number", "")
        if reference and self.settings.reference_lookup and "awb" not in query:
            booking = self._bookings.get(reference)
            if booking is not None and booking.awb is not None:
                return 200, bodies.known_booking(self._parcels[booking.awb], 200, "Order Placed Successfully")
            making = self._making.get(reference)
            if making is not None:
                return 200, self._continue(making)
            return 200, bodies.meta(321, "Order not found for this reference number")
        if not query.get("awb") or not query.get("cp_id"):
            return 200, bodies.meta(328, "awb and cp_id are mandatory")
        parcel = self._find(query["awb"], query["cp_id"])
        if parcel is None:
            return 200, bodies.meta(321, "AWB does not exist for this courier partner")
        return 200, bodies.known_booking(parcel, 200, "Order Placed Successfully")

    def _cancel(self, query: Mapping[str, str]) -> Result:
        accounts = self.settings.account_codes
        if accounts and query.get("account_code") not in accounts:
            return 200, bodies.meta(351, "Account code does not exist")
        parcel = self._find(query.get("waybill", ""), query.get("cp_id", ""))
        if parcel is None:
            return 400, bodies.meta(350, "Invalid Waybill/ Waybill cannot be cancelled")
        if parcel.cancelled:
            return 200, bodies.meta(600, "SUCCESS")
        if parcel.ended or (parcel.is_return and not parcel.waits_for_pickup):
            return 400, bodies.meta(350, "Invalid Waybill/ Waybill cannot be cancelled")
        if self.settings.cancels_later:
            due = self.clock() + timedelta(seconds=self.settings.async_seconds)
            self._later.append((due, lambda: self._void(parcel)))
            return 202, bodies.meta(202, "Cancellation accepted", success=True)
        self._void(parcel)
        return 200, bodies.meta(600, "SUCCESS")

    def _void(self, parcel: Parcel) -> None:
        """Before pick-up the parcel is void; after it a forward parcel turns back."""
        if parcel.ended:
            return
        before_pickup = parcel.waits_for_pickup
        parcel.cancelled = before_pickup
        if before_pickup and self.settings.sends_cancelled_scan:
            self._scan(parcel, CANCELLED)
        elif not before_pickup:
            self._scan(parcel, RTO)
            parcel.life, parcel.position = "rto", _after(RTO, "rto")

    def _track(self, query: Mapping[str, str]) -> Result:
        awbs = [awb.strip() for awb in query.get("waybill", "").split(",") if awb.strip()]
        if not awbs or not query.get("cp_id"):
            return 200, bodies.meta(328, "waybill and cp_id are mandatory")
        if len(awbs) > _MOST_TRACKED:
            return 200, bodies.meta(400, "Too many waybills")
        found = {awb: self._find(awb, query["cp_id"]) for awb in awbs}
        entries = {awb: bodies.tracked(parcel) if parcel else {"valid": False} for awb, parcel in found.items()}
        return 200, {**bodies.meta(200, "SUCCESS"), "result": entries if any(found.values()) else None}

    def _label(self, query: Mapping[str, str]) -> Result:
        parcel = self._find(query.get("waybill", ""), query.get("cp_id", ""))
        if parcel is None:
            return 200, bodies.meta(500, "Label could not be fetched")
        return 200, {
            **bodies.meta(200, "SUCCESS"),
            "result": {"shipping_label": parcel.label} if parcel.label else None,
        }

    def _book(self, order: Order, clickpost_order_id: int | None = None) -> Parcel:
        awb = order.awb_number or (order.reference if order.courier == SELF else self._next_awb(order.courier))
        if awb in self._parcels:
            awb = self._next_awb(order.courier)
        parcel = self._add_parcel(
            awb=awb,
            courier=order.courier,
            reference=order.reference,
            order_id=order.order_id,
            account_code=order.account_code,
            is_return=order.is_return,
        )
        parcel.clickpost_order_id = clickpost_order_id or parcel.clickpost_order_id
        parcel.label = None if order.is_return else f"{self.settings.label_base}/{awb}.pdf"
        parcel.order = order
        self.booking(order.reference).awbs.append(awb)
        return parcel

    def _add_parcel(
        self, *, awb: str, courier: int, reference: str, order_id: str, account_code: str, is_return: bool
    ) -> Parcel:
        parcel = Parcel(
            awb=awb,
            courier=courier,
            reference=reference,
            order_id=order_id,
            account_code=account_code,
            is_return=is_return,
            clickpost_order_id=self.next_number(),
            tracking_id=self.next_number(),
            security_key=str(uuid.uuid5(uuid.NAMESPACE_OID, awb)),
            booked_at=self.clock(),
        )
        self._parcels[awb] = parcel
        return parcel

    # ── what a demo or a test does to parcels ───────────────────────────────────────

    def place_return(self, values: Mapping[str, Any], *, approval: Approval = "auto") -> PortalReturn:
        """A shopper places a return on Clickpost's page: event 11, and event 9 with the AWB once approved."""
        with self._lock:
            number = self.next_number()
            forward_order_id = str(values.get("forward_order_id") or f"SO-{number}")
            placed = PortalReturn(
                reference=str(values.get("return_reference_number") or f"RET{number}"),
                forward_awb=str(values.get("forward_awb") or f"FWD{number}"),
                forward_reference=str(values.get("forward_reference_number") or forward_order_id),
                forward_order_id=forward_order_id,
                items=list(values.get("items") or [{"sku": "SKU-1", "quantity": 1, "return_reason": "Too small"}]),
                placed_at=self.clock(),
                courier=int(values.get("courier") or 25),
                account_code=str(values.get("account_code") or ""),
            )
            self._returns[placed.reference] = placed
            self._announce(placed, 11)
            if approval == "auto":
                self._ship_return(placed)
        self.on_change()
        return placed

    def approve_return(self, reference: str) -> PortalReturn:
        """The brand approves a return by hand: event 22, then event 9 with the AWB."""
        with self._lock:
            placed = self._portal_return(reference)
            placed.state = "APPROVED"
            self._announce(placed, 22)
            self._ship_return(placed)
        self.on_change()
        return placed

    def reject_return(self, reference: str) -> PortalReturn:
        """The brand rejects a return: event 23."""
        with self._lock:
            placed = self._portal_return(reference)
            placed.state = "REJECTED"
            self._announce(placed, 23)
        self.on_change()
        return placed

    def add_parcel(self, values: Mapping[str, Any]) -> Parcel:
        """A parcel that was not booked through create order here, such as a forward one or one RMS never heard of."""
        with self._lock:
            courier = int(values.get("courier") or 4)
            return self._add_parcel(
                awb=str(values.get("awb") or self._next_awb(courier)),
                courier=courier,
                reference=str(values.get("reference") or f"REF{self.next_number()}"),
                order_id=str(values.get("order_id") or ""),
                account_code=str(values.get("account_code") or ""),
                is_return=bool(values.get("is_return", False)),
            )

    @override
    def advance(self, awb: str, *, life: str | None = None, steps: int | None = 1) -> Sequence[Scan]:
        with self._lock:
            parcel = self.parcel(awb)
            if life is not None and life not in LIVES:
                raise UnknownThingError(f"life: must be one of {', '.join(LIVES)}")
            if life is not None and life != parcel.life:
                parcel.life = life
                parcel.position = _after(parcel.latest.code, life) if parcel.latest else 0
            made: list[Scan] = []
            while (steps is None or len(made) < steps) and (step := parcel.next_step()) is not None:
                made.append(self._scan(parcel, step.code, npr=step.npr, ndr=step.ndr))
                parcel.position += 1
        self.on_change()
        return made

    def scan(self, awb: str, code: int, *, at: datetime | None = None, **details: Any) -> Scan:
        """Make one scan happen, whatever came before. `details`: words, remark, location, npr, ndr."""
        with self._lock:
            scan = self._scan(self.parcel(awb), code, at=at, **details)
        self.on_change()
        return scan

    # ── the truth ───────────────────────────────────────────────────────────────────

    @override
    def describe_bookings(self) -> Json:
        with self._lock:
            told = super().describe_bookings()
            by_order: dict[str, list[str]] = {}
            for booking in self._bookings.values():
                if booking.order_id:
                    by_order.setdefault(booking.order_id, []).extend(booking.awbs)
            return {
                **told,
                "orders_with_several_parcels": {order: awbs for order, awbs in by_order.items() if len(awbs) > 1},
            }

    def returns(self) -> list[PortalReturn]:
        """All returns placed on the portal, oldest first."""
        with self._lock:
            return list(self._returns.values())

    @override
    def state(self) -> Json:
        with self._lock:
            return {**super().state(), "returns": len(self._returns)}

    @override
    def webhook_headers(self) -> dict[str, str]:
        settings = self.settings
        proof = (
            {"Authorization": settings.webhook_authorization}
            if settings.webhook_authorization
            else {"webhook_key": settings.webhook_key}
        )
        return {**proof, **super().webhook_headers()}

    # ── insides ─────────────────────────────────────────────────────────────────────

    def _scan(self, parcel: Parcel, code: int, *, at: datetime | None = None, **details: Any) -> Scan:
        status = STATUSES.get(code)
        now = self.clock()
        scan = Scan(
            number=self.next_number(),
            code=code,
            words=str(details.get("words") or (status.words if status else f"Carrier status {code}")),
            remark=str(details.get("remark") or (status.remark if status else "")),
            location=str(details.get("location") or "SBX_Hub (Sandbox)"),
            at=at or parcel.next_moment(now),
            seen_at=now,
            npr=details.get("npr"),
            ndr=details.get("ndr"),
        )
        parcel.scans.append(scan)
        if self.settings.webhook_shape == "all" or bodies.event_of(code) is not None:
            about = {"awb": parcel.awb, "code": code, "event": bodies.event_of(code)}
            self.owe(about, lambda: bodies.scan_webhook(parcel, scan, self.settings))
        return scan

    def _announce(self, placed: PortalReturn, event: int) -> None:
        now = self.clock()
        about = {"return": placed.reference, "event": event}
        self.owe(about, lambda: bodies.return_webhook(placed, event, now, self.settings))

    def _ship_return(self, placed: PortalReturn) -> None:
        parcel = self._add_parcel(
            awb=self._next_awb(placed.courier),
            courier=placed.courier,
            reference=f"RVP-{placed.reference}"[:50],
            order_id=placed.forward_order_id,
            account_code=placed.account_code,
            is_return=True,
        )
        parcel.return_reference = placed.reference
        placed.state, placed.awb = "BOOKED", parcel.awb
        about = {"return": placed.reference, "awb": parcel.awb, "event": bodies.AWB_GENERATED_EVENT}
        self.owe(about, lambda: bodies.awb_webhook(parcel, placed, self.settings))

    def _portal_return(self, reference: str) -> PortalReturn:
        placed = self._returns.get(reference)
        if placed is None or placed.state != "PLACED":
            raise UnknownThingError(f"{reference}: no such return waits for approval")
        return placed

    def _find(self, awb: str, courier: str) -> Parcel | None:
        parcel = self._parcels.get(awb)
        return parcel if parcel is not None and str(parcel.courier) == courier else None

    def _next_awb(self, courier: int) -> str:
        awb = f"{courier:03d}{self.settings.seed % 1000:03d}{self.next_number() % 10_000_000:07d}"
        return awb if awb not in self._parcels else self._next_awb(courier)


def _after(code: int, life: str) -> int:
    """Where a life goes on after a scan of this code: behind the last such step, or at its start."""
    places = [place for place, step in enumerate(LIVES[life]) if step.code == code]
    return places[-1] + 1 if places else 0


def _json_object(body: bytes) -> Json | None:
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
