"""Clickpost without sockets: the same stateful behaviour for the HTTP server, for tests and for the fault harness.

Source: ClickPost guide, sections 3 to 8, 13 and 17. Where ClickPost publishes nothing, the README says what was chosen.
"""

import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sandbox.clickpost import bodies
from sandbox.clickpost.parcels import Booking, InTheMaking, Parcel, PortalReturn, Scan
from sandbox.clickpost.rules import Order, Refusal, check_order
from sandbox.clickpost.settings import Settings
from sandbox.clickpost.statuses import CANCELLED, LIVES, RTO, SELF, STATUSES
from sandbox.faults import ERROR_PAGE, Answer, Fault, FaultPlan, Reply, Then, WebhookFault, dress
from sandbox.outbox import Outbox, Webhook

type Json = dict[str, Any]
type Result = tuple[int, Json]
"""HTTP status and JSON body."""

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
OPERATIONS: Final = tuple(_ROUTES.values())
_MOST_TRACKED: Final = 15
_KEPT_BODY_BYTES: Final = 64 * 1024


class UnknownThingError(LookupError):
    """The control call names a parcel, return or life that does not exist."""


class ClickpostEngine:
    """One simulated Clickpost account. Thread-safe. The clock is only asked, never slept on."""

    def __init__(self, settings: Settings | None = None, *, clock: Callable[[], datetime] | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.on_change: Callable[[], None] = lambda: None
        """Called after anything that may have made webhooks or late work due."""
        self._lock = threading.RLock()
        self._start()

    def _start(self) -> None:
        seed = self.settings.seed
        self.faults: FaultPlan[Fault] = FaultPlan(seed)
        self.webhook_faults: FaultPlan[WebhookFault] = FaultPlan(seed)
        self._outbox = Outbox(self.webhook_faults, self.settings.keeps, seed)
        self._parcels: dict[str, Parcel] = {}
        self._bookings: dict[str, Booking] = {}
        self._making: dict[str, InTheMaking] = {}
        self._returns: dict[str, PortalReturn] = {}
        self._requests: deque[Json] = deque(maxlen=self.settings.keeps)
        self._request_count = 0
        self._later: list[tuple[datetime, Callable[[], object]]] = []
        self._number = 0

    def reset(self) -> None:
        """Forget everything but the settings."""
        with self._lock:
            self._start()
        self.on_change()

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings by name."""
        with self._lock:
            self.settings = self.settings.changed(values)
        self.on_change()

    # ── what RMS calls ──────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The reply to one call, faults applied. `path` starts with the base path and holds no query."""
        with self._lock:
            reply = self._handle(method, path, query, headers, body)
        self.on_change()
        return reply

    def _handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        self.run_due()
        operation = _ROUTES.get((method, path.removeprefix(self.settings.base_path).rstrip("/")))
        if operation is None or not path.startswith(self.settings.base_path + "/"):
            return Answer(404, {"Content-Type": "text/html"}, ERROR_PAGE)
        if operation == CREATE_ORDER:
            self._count_call(body)
        fault = self.faults.take(operation)
        result: Result | None = None
        if fault is None or (fault.does_the_work and fault.late_seconds is None):
            result = self._work(operation, query, body)
        elif fault.late_seconds is not None:
            due = self.clock() + timedelta(seconds=fault.late_seconds)
            self._later.append((due, lambda: self._work(operation, query, body)))
        self._record(operation, method, path, query, headers, body, result, fault)
        status, document = result or (500, bodies.meta(500, "Internal server error"))
        answer = Answer(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
        return answer if fault is None else dress(fault, answer)

    def run_due(self) -> None:
        """Do the late work whose time has come."""
        with self._lock:
            now = self.clock()
            ready = [work for due, work in self._later if due <= now]
            self._later = [(due, work) for due, work in self._later if due > now]
            for work in ready:
                work()

    def _work(self, operation: str, query: Mapping[str, str], body: bytes) -> Result:
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
        booking = self._booking(order.reference)
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
            clickpost_order_id=self._next_number(),
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
        self._booking(order.reference).awbs.append(awb)
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
            clickpost_order_id=self._next_number(),
            tracking_id=self._next_number(),
            security_key=str(uuid.uuid5(uuid.NAMESPACE_OID, awb)),
            booked_at=self.clock(),
        )
        self._parcels[awb] = parcel
        return parcel

    # ── what a demo or a test does to parcels ───────────────────────────────────────

    def place_return(self, values: Mapping[str, Any], *, approval: Approval = "auto") -> PortalReturn:
        """A shopper places a return on Clickpost's page: event 11, and event 9 with the AWB once approved."""
        with self._lock:
            number = self._next_number()
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
                reference=str(values.get("reference") or f"REF{self._next_number()}"),
                order_id=str(values.get("order_id") or ""),
                account_code=str(values.get("account_code") or ""),
                is_return=bool(values.get("is_return", False)),
            )

    def advance(self, awb: str, *, life: str | None = None, steps: int | None = 1) -> Sequence[Scan]:
        """Make the next scans of a parcel's life happen now; `steps` None: all that are left."""
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

    def fail(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls of an operation (or `*`) go wrong."""
        with self._lock:
            self.faults.next(operation, fault, times)

    def clear_faults(self) -> None:
        """Let everything go right again."""
        with self._lock:
            self.faults.clear()
            self.webhook_faults.clear()

    def next_booking(self, *, does_the_work: bool, then: str, **details: Any) -> None:
        """Let the next create-order call go wrong."""
        self.fail(CREATE_ORDER, Fault(Then(then), does_the_work=does_the_work, **details))

    # ── the truth ───────────────────────────────────────────────────────────────────

    @property
    def bookings(self) -> Mapping[str, Booking]:
        """Bookings with at least one parcel, by reference."""
        with self._lock:
            self.run_due()
            return {reference: booking for reference, booking in self._bookings.items() if booking.awbs}

    def describe_bookings(self) -> Json:
        """Every reference that create order was called with, and what was booked more than once."""
        with self._lock:
            self.run_due()
            by_order: dict[str, list[str]] = {}
            for booking in self._bookings.values():
                if booking.order_id:
                    by_order.setdefault(booking.order_id, []).extend(booking.awbs)
            return {
                "parcels": sum(len(booking.awbs) for booking in self._bookings.values()),
                "duplicate_parcels": sum(max(0, len(booking.awbs) - 1) for booking in self._bookings.values()),
                "orders_with_several_parcels": {order: awbs for order, awbs in by_order.items() if len(awbs) > 1},
                "bookings": [booking.describe() for booking in self._bookings.values()],
            }

    def parcel(self, awb: str) -> Parcel:
        """The parcel with this AWB."""
        with self._lock:
            if awb not in self._parcels:
                raise UnknownThingError(f"{awb}: no such parcel")
            return self._parcels[awb]

    def parcels(self) -> list[Parcel]:
        """All parcels, oldest first."""
        with self._lock:
            return list(self._parcels.values())

    def returns(self) -> list[PortalReturn]:
        """All returns placed on the portal, oldest first."""
        with self._lock:
            return list(self._returns.values())

    def requests(self) -> list[Json]:
        """The calls received, oldest first, without the key."""
        with self._lock:
            return list(self._requests)

    def webhooks(self) -> list[Json]:
        """The webhooks owed and sent, oldest first, with the answers they got."""
        with self._lock:
            return self._outbox.describe()

    def state(self) -> Json:
        """A few counts; `webhooks_waiting` 0 means that all is sent."""
        with self._lock:
            return {
                "parcels": len(self._parcels),
                "returns": len(self._returns),
                "requests": self._request_count,
                "webhooks_waiting": self._outbox.waiting,
                "webhooks_forgotten": self._outbox.forgotten,
                "faults": self.faults.describe() + self.webhook_faults.describe(),
            }

    # ── webhooks, for whoever sends them ────────────────────────────────────────────

    def claim_webhook(self) -> Webhook | None:
        """The next webhook that is due; report its answer with `webhook_answered`."""
        with self._lock:
            return self._outbox.claim(self.clock())

    def webhook_answered(self, webhook: Webhook, status: int | None) -> None:
        """Report the HTTP status of a webhook, None for no answer."""
        with self._lock:
            self._outbox.answered(
                webhook,
                status,
                self.clock(),
                tries=self.settings.webhook_tries,
                spacing_seconds=self.settings.webhook_spacing_seconds,
            )
        self.on_change()

    def webhook_headers(self) -> dict[str, str]:
        """The headers that webhooks carry."""
        settings = self.settings
        proof = (
            {"Authorization": settings.webhook_authorization}
            if settings.webhook_authorization
            else {"webhook_key": settings.webhook_key}
        )
        return {"Content-Type": "application/json", **proof, **settings.webhook_headers}

    def resend_webhook(self, number: int) -> None:
        """Send a webhook again by hand."""
        with self._lock:
            if not self._outbox.resend(number, self.clock()):
                raise UnknownThingError(f"webhook {number}: not sent yet, or forgotten")
        self.on_change()

    def flush_webhooks(self) -> None:
        """Send what waits to be shuffled."""
        with self._lock:
            self._outbox.flush(self.clock())
        self.on_change()

    def webhook_due(self) -> datetime | None:
        """When a webhook is next due, or None."""
        with self._lock:
            return self._outbox.next_due()

    def late_work_due(self) -> datetime | None:
        """When `run_due` next has something to do, or None."""
        with self._lock:
            return min((due for due, _ in self._later), default=None)

    def next_due(self) -> datetime | None:
        """When late work or a webhook that has somewhere to go is due, or None."""
        times = [self.late_work_due(), self.webhook_due() if self.settings.webhook_url else None]
        return min((moment for moment in times if moment is not None), default=None)

    # ── insides ─────────────────────────────────────────────────────────────────────

    def _scan(self, parcel: Parcel, code: int, *, at: datetime | None = None, **details: Any) -> Scan:
        status = STATUSES.get(code)
        now = self.clock()
        scan = Scan(
            number=self._next_number(),
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
            self._outbox.add(about, lambda: bodies.scan_webhook(parcel, scan, self.settings), now)
        return scan

    def _announce(self, placed: PortalReturn, event: int) -> None:
        now = self.clock()
        about = {"return": placed.reference, "event": event}
        self._outbox.add(about, lambda: bodies.return_webhook(placed, event, now, self.settings), now)

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
        self._outbox.add(about, lambda: bodies.awb_webhook(parcel, placed, self.settings), self.clock())

    def _portal_return(self, reference: str) -> PortalReturn:
        placed = self._returns.get(reference)
        if placed is None or placed.state != "PLACED":
            raise UnknownThingError(f"{reference}: no such return waits for approval")
        return placed

    def _find(self, awb: str, courier: str) -> Parcel | None:
        parcel = self._parcels.get(awb)
        return parcel if parcel is not None and str(parcel.courier) == courier else None

    def _booking(self, reference: str) -> Booking:
        return self._bookings.setdefault(reference, Booking(reference, ""))

    def _count_call(self, body: bytes) -> None:
        details = (_json_object(body) or {}).get("shipment_details")
        reference = details.get("reference_number") if isinstance(details, dict) else None
        if isinstance(reference, str) and len(self._bookings) < self.settings.most_parcels:
            self._booking(reference[:100]).create_calls += 1

    def _record(  # noqa: PLR0913, PLR0917 - one call, whole
        self,
        operation: str,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        result: Result | None,
        fault: Fault | None,
    ) -> None:
        self._request_count += 1
        self._requests.append(
            {
                "number": self._request_count,
                "at": self.clock().isoformat(),
                "operation": operation,
                "method": method,
                "path": path,
                "query": {name: value for name, value in query.items() if name != "key"},
                "headers": dict(headers),
                "body": body[:_KEPT_BODY_BYTES].decode(errors="replace"),
                "did_the_work": result is not None,
                "meta_status": result[1]["meta"]["status"] if result else None,
                "fault": str(fault.then) if fault else None,
            }
        )

    def _next_number(self) -> int:
        self._number += 1
        return self.settings.seed * 1_000_000 + self._number

    def _next_awb(self, courier: int) -> str:
        awb = f"{courier:03d}{self.settings.seed % 1000:03d}{self._next_number() % 10_000_000:07d}"
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
