"""What simulated partners share: calls with faults and late work, webhooks, a server, and parcels with their lives.

An aggregator brings its routes, what each call does, what its webhooks look like, and its settings. One whose parcels
are like no other's, as Clickpost's are, builds on `AccountEngine`; the others on `PartnerEngine`. A partner without
parcels, such as a shop, builds on `CallEngine`.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, Self, override

from sandbox.faults import (
    ANY_OPERATION,
    ERROR_PAGE,
    Answer,
    BadFaultError,
    Fault,
    FaultPlan,
    Reply,
    Then,
    WebhookFault,
    dress,
    plan_fault,
)
from sandbox.labels import LABEL_BASE, LABEL_FILE, LABELS, label_file
from sandbox.outbox import OPERATION as WEBHOOK
from sandbox.outbox import Outbox, Webhook
from sandbox.server import Control, newest, routes
from sandbox.serving import AggregatorSandbox

type Json = dict[str, Any]
type Result = tuple[int, Any]
"""HTTP status and JSON body."""

_KEPT_BODY_BYTES: Final = 64 * 1024


class UnknownThingError(LookupError):
    """The control call names a parcel or life that does not exist."""


class BadSettingError(ValueError):
    """The setting is unknown or its value impossible; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSettings:
    """Settings that every simulated aggregator has. Every one can be changed while it runs."""

    base_path: str = "/api"
    label_base: str = LABEL_BASE
    seed: int = 1
    """AWBs, ids and chance faults follow from it."""

    webhook_url: str = ""
    """Where webhooks go; empty: they wait."""

    webhook_headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, for example Host when RMS sits behind a local gateway."""

    webhook_tries: int = 10
    webhook_spacing_seconds: float = 5.0
    webhook_timeout_seconds: float = 10.0
    keeps: int = 10_000
    """How many requests and how many webhooks are remembered."""

    most_parcels: int = 200_000

    @staticmethod
    def choices() -> Mapping[str, tuple[str, ...]]:
        """Settings with few values."""
        return {}

    def changed(self, values: Mapping[str, Any]) -> Self:
        """These settings with some values changed; lists become tuples."""
        types = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        ready: dict[str, Any] = {}
        for name, value in values.items():
            if name not in types:
                raise BadSettingError(f"{name}: no such setting")
            given = tuple(value) if isinstance(value, list) else value
            wanted: tuple[type, ...] = (int, float) if types[name] is float else (types[name],)
            if not isinstance(given, wanted) or (isinstance(given, bool) and bool not in wanted):
                raise BadSettingError(f"{name}: must be of type {types[name].__name__}")
            among = self.choices().get(name)
            if among is not None and given not in among:
                raise BadSettingError(f"{name}: must be one of {', '.join(among)}")
            if name == "webhook_url" and given and not str(given).startswith(("http://", "https://")):
                raise BadSettingError("webhook_url: must be an http or https URL")
            ready[name] = given
        return replace(self, **ready)


# ── parcels ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Scan:
    """One status of a parcel at one time."""

    code: str
    at: datetime
    words: str
    location: str = "SBX_Hub"


@dataclass(slots=True)
class Parcel:
    """One parcel. `about` is what its aggregator remembers of it besides; `steps` are the codes still to come."""

    awb: str
    reference: str
    forward_order: str
    is_return: bool
    courier: str
    booked_at: datetime
    about: Json = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)
    life: str = ""
    steps: list[str] = field(default_factory=list)
    cancelled: bool = False

    @property
    def latest(self) -> Scan | None:
        """The scan that happened last."""
        return max(self.scans, key=lambda scan: scan.at, default=None)

    def next_moment(self, now: datetime) -> datetime:
        """When a scan happens that is made now: a whole second, after the last one."""
        now = now.replace(microsecond=0)
        return now if self.latest is None else max(now, self.latest.at + timedelta(seconds=1))

    def describe(self) -> Json:
        """The parcel as JSON."""
        return {
            "awb": self.awb,
            "reference": self.reference,
            "forward_order": self.forward_order,
            "is_return": self.is_return,
            "courier": self.courier,
            "cancelled": self.cancelled,
            "life": self.life,
            "scans": [{"code": scan.code, "at": scan.at.isoformat(), "status": scan.words} for scan in self.scans],
        }


@dataclass(slots=True)
class Booking:
    """All that happened under one reference: the truth that duplicate AWBs are counted by."""

    reference: str
    calls: int = 0
    awbs: list[str] = field(default_factory=list)

    def describe(self) -> Json:
        """The booking as JSON."""
        return {"reference": self.reference, "calls": self.calls, "awbs": list(self.awbs), "parcels": len(self.awbs)}


class Described(Protocol):
    """A parcel, of whatever kind."""

    def describe(self) -> Json:
        """The parcel as JSON."""


# ── behaviour ───────────────────────────────────────────────────────────────────────


class CallEngine[S: PartnerSettings](ABC):
    """One simulated account without sockets: calls, faults and webhooks. What the calls are about, others know.

    Thread-safe. The clock is only asked, never slept on.
    """

    operations: tuple[str, ...]
    """Its calls, by names for faults."""

    failure: Result = (500, {"message": "Internal server error"})
    """The true answer to a call that did no work."""

    def __init__(self, settings: S, *, clock: Callable[[], datetime] | None = None) -> None:
        self.settings = settings
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
        self._requests: deque[Json] = deque(maxlen=self.settings.keeps)
        self._request_count = 0
        self._later: list[tuple[datetime, Callable[[], object]]] = []
        self._number = 0

    # ── what a partner brings ───────────────────────────────────────────────────────

    @abstractmethod
    def operation_of(self, method: str, path: str) -> str | None:
        """Which call this is; the path comes without the base path."""

    @abstractmethod
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        """What a call does, and its true answer."""

    def route(
        self, method: str, path: str, query: Mapping[str, str], body: bytes
    ) -> tuple[str, Mapping[str, str]] | None:
        """Which call this is, and its parameters: those of the query unless the path or the body has others."""
        del body
        operation = self.operation_of(method, path)
        return None if operation is None else (operation, query)

    def called(self, operation: str, body: bytes) -> None:
        """A call has come in, whatever becomes of it."""
        del operation, body

    def webhook_headers(self) -> dict[str, str]:
        """The headers that webhooks carry."""
        return {"Content-Type": "application/json", **self.settings.webhook_headers}

    def headers_of(self, webhook: Webhook) -> dict[str, str]:
        """The headers that one webhook carries."""
        del webhook
        return self.webhook_headers()

    def hides(self, name: str) -> bool:
        """Whether a request's header or parameter is a secret that no list of requests shows."""
        return name.lower() == "authorization"

    def outcome(self, result: Result | None) -> Json:
        """What the list of requests says of an answer; None: the work was not done."""
        return {"status": result[0] if result else None}

    # ── what RMS calls ──────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The reply to one call, faults applied. Header names are in lower case."""
        with self._lock:
            reply = self._handle(method, path, query, headers, body)
        self.on_change()
        return reply

    def _handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        self.run_due()
        if method == "GET" and path.startswith(LABELS):
            fault = self.faults.take(LABEL_FILE)
            return label_file(path) if fault is None else dress(fault, label_file(path))
        base = self.settings.base_path + "/"
        found = self.route(method, "/" + path.removeprefix(base), query, body) if path.startswith(base) else None
        if found is None:
            return Answer(404, {"Content-Type": "text/html"}, ERROR_PAGE)
        operation, query = found
        self.called(operation, body)
        fault = self.faults.take(operation)
        result: Result | None = None
        if fault is None or (fault.does_the_work and fault.late_seconds is None):
            result = self.work(operation, query, headers, body)
        elif fault.late_seconds is not None:
            due = self.clock() + timedelta(seconds=fault.late_seconds)
            self._later.append((due, lambda: self.work(operation, query, headers, body)))
        self._request_count += 1
        self._requests.append({
            "number": self._request_count,
            "at": self.clock().isoformat(),
            "operation": operation,
            "method": method,
            "path": path,
            "query": self._shown(query),
            "headers": self._shown(headers),
            "body": body[:_KEPT_BODY_BYTES].decode(errors="replace"),
            "did_the_work": result is not None,
            **self.outcome(result),
            "fault": str(fault.then) if fault else None,
        })  # fmt: skip
        status, document = result or self.failure
        answer = Answer(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
        return answer if fault is None else dress(fault, answer)

    def _shown(self, named: Mapping[str, str]) -> Json:
        return {name: value for name, value in named.items() if not self.hides(name)}

    def run_due(self) -> None:
        """Do the late work whose time has come."""
        with self._lock:
            now = self.clock()
            ready = [work for due, work in self._later if due <= now]
            self._later = [(due, work) for due, work in self._later if due > now]
            for work in ready:
                work()

    # ── what a demo or a test does ──────────────────────────────────────────────────

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

    def fail(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls of an operation (or `*`) go wrong."""
        with self._lock:
            self.faults.next(operation, fault, times)

    def clear_faults(self) -> None:
        """Let everything go right again."""
        with self._lock:
            self.faults.clear()
            self.webhook_faults.clear()

    # ── what came and went ──────────────────────────────────────────────────────────

    def requests(self) -> list[Json]:
        """The calls received, oldest first, without credentials."""
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
            settings = self.settings
            self._outbox.answered(
                webhook,
                status,
                self.clock(),
                tries=settings.webhook_tries,
                spacing_seconds=settings.webhook_spacing_seconds,
            )
        self.on_change()

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

    def next_due(self) -> datetime | None:
        """When late work or a webhook that has somewhere to go is due, or None."""
        with self._lock:
            times = [due for due, _ in self._later]
            webhook = self._outbox.next_due() if self.settings.webhook_url else None
            return min([*times, webhook] if webhook else times, default=None)

    # ── for the partners ────────────────────────────────────────────────────────────

    def owe(self, about: Mapping[str, Any], build: Callable[[], Json]) -> None:
        """Owe a webhook from now on; its body is built when it first leaves."""
        self._outbox.add(about, build, self.clock())

    def next_number(self) -> int:
        """A number that was not given before."""
        self._number += 1
        return self.settings.seed * 1_000_000 + self._number


class AccountEngine[S: PartnerSettings, P: Described, B: Booking](CallEngine[S]):
    """One simulated account with bookings; of its parcels it knows the AWBs only. The first of its calls books."""

    @override
    def _start(self) -> None:
        super()._start()
        self._parcels: dict[str, P] = {}
        self._bookings: dict[str, B] = {}

    # ── what an aggregator brings ───────────────────────────────────────────────────

    @abstractmethod
    def reference_of(self, operation: str, body: bytes) -> str | None:
        """The reference of a call that books; None for other calls."""

    @abstractmethod
    def advance(self, awb: str, *, life: str | None = None, steps: int | None = 1) -> Sequence[object]:
        """Make the next scans of a parcel's life happen now; `steps` None: all that are left."""

    @abstractmethod
    def new_booking(self, reference: str) -> B:
        """What is known of a reference that nobody has used yet."""

    @override
    def called(self, operation: str, body: bytes) -> None:
        reference = self.reference_of(operation, body)
        if reference is not None and len(self._bookings) < self.settings.most_parcels:
            self.booking(reference).calls += 1

    # ── what a demo or a test does ──────────────────────────────────────────────────

    def next_booking(self, *, does_the_work: bool, then: str, **details: Any) -> None:
        """Let the next call that books go wrong."""
        self.fail(self.operations[0], Fault(Then(then), does_the_work=does_the_work, **details))

    # ── the truth ───────────────────────────────────────────────────────────────────

    @property
    def bookings(self) -> Mapping[str, B]:
        """Bookings with at least one parcel, by reference."""
        with self._lock:
            self.run_due()
            return {reference: booking for reference, booking in self._bookings.items() if booking.awbs}

    def describe_bookings(self) -> Json:
        """Every reference that a booking was called with, and what was booked more than once."""
        with self._lock:
            self.run_due()
            return {
                "parcels": sum(len(booking.awbs) for booking in self._bookings.values()),
                "duplicate_parcels": sum(max(0, len(booking.awbs) - 1) for booking in self._bookings.values()),
                "bookings": [booking.describe() for booking in self._bookings.values()],
            }

    def parcel(self, awb: str) -> P:
        """The parcel with this AWB."""
        with self._lock:
            if awb not in self._parcels:
                raise UnknownThingError(f"{awb}: no such parcel")
            return self._parcels[awb]

    def parcels(self) -> list[P]:
        """All parcels, oldest first."""
        with self._lock:
            self.run_due()
            return list(self._parcels.values())

    @override
    def state(self) -> Json:
        with self._lock:
            return {"parcels": len(self._parcels), **super().state()}

    # ── for the aggregators ─────────────────────────────────────────────────────────

    def booking(self, reference: str) -> B:
        """What is known under a reference."""
        if reference not in self._bookings:
            self._bookings[reference] = self.new_booking(reference)
        return self._bookings[reference]


class PartnerEngine[S: PartnerSettings](AccountEngine[S, Parcel, Booking]):
    """One simulated account whose parcels live as most do: by codes of their own, a second apart at the least."""

    @abstractmethod
    def lives(self, *, is_return: bool) -> Mapping[str, Sequence[str]]:
        """Codes by the name of a life; the first life is the usual one."""

    @abstractmethod
    def words(self, code: str) -> str:
        """What the aggregator calls a code."""

    @abstractmethod
    def webhook_body(self, parcel: Parcel, scan: Scan) -> Json:
        """What the aggregator sends when a parcel is scanned."""

    @override
    def new_booking(self, reference: str) -> Booking:
        return Booking(reference)

    # ── what a demo or a test does ──────────────────────────────────────────────────

    @override
    def advance(self, awb: str, *, life: str | None = None, steps: int | None = 1) -> Sequence[Scan]:
        with self._lock:
            parcel = self.parcel(awb)
            lives = self.lives(is_return=parcel.is_return)
            wanted = life or parcel.life or next(iter(lives))
            if wanted not in lives:
                raise UnknownThingError(f"life: must be one of {', '.join(lives)}")
            if wanted != parcel.life:
                codes, latest = list(lives[wanted]), parcel.latest
                past = len(codes) - codes[::-1].index(latest.code) if latest and latest.code in codes else 0
                parcel.life, parcel.steps = wanted, codes[past:]
            made: list[Scan] = []
            while parcel.steps and not parcel.cancelled and (steps is None or len(made) < steps):
                made.append(self._scan(parcel, parcel.steps.pop(0)))
        self.on_change()
        return made

    def scan(self, awb: str, code: str, *, at: datetime | None = None, words: str = "", location: str = "") -> Scan:
        """Make one scan happen, whatever came before."""
        with self._lock:
            scan = self._scan(self.parcel(awb), code, at=at, words=words, location=location)
        self.on_change()
        return scan

    # ── for the aggregators ─────────────────────────────────────────────────────────

    def add_parcel(self, parcel: Parcel) -> Parcel:
        """Remember a parcel, under its reference too."""
        self._parcels[parcel.awb] = parcel
        self.booking(parcel.reference).awbs.append(parcel.awb)
        return parcel

    def tell(self, parcel: Parcel, scan: Scan) -> None:
        """Owe a webhook about a scan."""
        self.owe({"awb": parcel.awb, "code": scan.code}, lambda: self.webhook_body(parcel, scan))

    def _scan(
        self, parcel: Parcel, code: str, *, at: datetime | None = None, words: str = "", location: str = ""
    ) -> Scan:
        moment = at or parcel.next_moment(self.clock())
        scan = Scan(code, moment, words or self.words(code), location or "SBX_Hub")
        parcel.scans.append(scan)
        self.tell(parcel, scan)
        return scan


def json_object(body: bytes) -> Json | None:
    """The JSON object in a body, or None."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


# ── steering ────────────────────────────────────────────────────────────────────────


type Anyone = AccountEngine[Any, Any, Any]


def steered_calls(engine: CallEngine[Any], more: Mapping[str, Callable[..., Any]]) -> Control:
    """The control API of one engine, `/sandbox/…`: JSON in, JSON out. `more`: what only this partner has."""
    return routes(
        {
            "GET state": lambda _: engine.state(),
            "GET requests": lambda values: newest(engine.requests(), values),
            "GET webhooks": lambda values: newest(engine.webhooks(), values),
            "GET faults": lambda _: engine.state()["faults"],
            "POST reset": lambda _: engine.reset(),
            "POST settings": engine.change,
            "POST faults": lambda values: _plan(engine, dict(values)),
            "POST faults/clear": lambda _: engine.clear_faults(),
            "POST webhooks/flush": lambda _: engine.flush_webhooks(),
            "POST webhooks/*/resend": lambda number, _: engine.resend_webhook(int(number)),
            **more,
        },
        absent=UnknownThingError,
    )


def steered(engine: Anyone, more: Mapping[str, Callable[..., Any]]) -> Control:
    """The control API of one aggregator: that of every partner, and what is booked and where it is."""
    return steered_calls(
        engine,
        {
            "GET bookings": lambda _: engine.describe_bookings(),
            "GET shipments": lambda values: newest([parcel.describe() for parcel in engine.parcels()], values),
            "GET shipments/*": lambda awb, _: engine.parcel(awb).describe(),
            "POST shipments/*/advance": lambda awb, values: _advance(engine, awb, values),
            **more,
        },
    )


def control(engine: PartnerEngine[Any]) -> Control:
    """The control API of an engine of this module. See sandbox/README.md."""
    return steered(
        engine,
        {
            "GET lives": lambda _: {
                direction: {name: list(codes) for name, codes in engine.lives(is_return=is_return).items()}
                for direction, is_return in (("forward", False), ("return", True))
            },
            "POST shipments/*/scan": lambda awb, values: _scan(engine, awb, dict(values)),
        },
    )


def _advance(engine: Anyone, awb: str, values: Mapping[str, Any]) -> Json:
    steps = values.get("steps", 1)
    engine.advance(awb, life=values.get("life"), steps=None if steps == "all" else int(steps))
    shown: Json = engine.parcel(awb).describe()
    return shown


def moment_of(values: Json) -> datetime | None:
    """The aware time under `at`, taken out; None where there is none."""
    at = datetime.fromisoformat(values.pop("at")) if values.get("at") else None
    if at is not None and at.tzinfo is None:
        raise BadSettingError("at: must name its zone")
    return at


def _scan(engine: PartnerEngine[Any], awb: str, values: Json) -> Json:
    at = moment_of(values)
    engine.scan(awb, str(values.pop("code")), at=at, **values)
    return engine.parcel(awb).describe()


def _plan(engine: CallEngine[Any], values: Json) -> None:
    operation = values.pop("operation", ANY_OPERATION)
    if operation == WEBHOOK:
        plan_fault(engine.webhook_faults, operation, values, WebhookFault.read)
    elif operation in (known := (*engine.operations, LABEL_FILE, ANY_OPERATION)):
        plan_fault(engine.faults, operation, values, Fault.read)
    else:
        raise BadFaultError(f"operation: must be one of {', '.join((*known, WEBHOOK))}")


# ── serving ─────────────────────────────────────────────────────────────────────────


class PartnerSandbox[E: PartnerEngine[Any]](AggregatorSandbox[E]):
    """An engine of this module on 127.0.0.1, with its control API."""

    def __init__(self, engine: E, *, port: int = 0, verbose: bool = False, senders: int = 1) -> None:
        super().__init__(engine, control(engine), port=port, verbose=verbose, senders=senders)
