"""A client's endpoints without sockets: every delivery is verified, recorded in order and judged.

Source: RMS API contract, sections 1.2, 1.5, 15 and 20.
"""

import base64
import hashlib
import json
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.faults import Answer, Fault, FaultPlan, Reply, Then, dress
from sandbox.labels import LABEL_BASE, LABEL_FILE, LABELS, label_file
from sandbox.signatures import Verification, verify

type Json = dict[str, Any]

HOOKS: Final = "/hooks/"
CREDENTIALS: Final = "/credentials/"
LABEL_SOURCE: Final = "/label-source/"
_JSON: Final = {"Content-Type": "application/json"}
_KEPT_BODY_BYTES: Final = 64 * 1024
_MOST_ENDPOINTS: Final = 1000
_REFUSED: Final = {Verification.UNSIGNED, Verification.STALE, Verification.WRONG}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came. `accepted`: the receiver took it in, whatever it then answered.

    `seen_before` says that its webhook-id came before, `accepted_before` that it was taken in before.
    `answered` is the HTTP status, None when the receiver kept silent. `violations` are RMS's breaches of its contract.
    """

    number: int
    at: datetime
    endpoint: str
    headers: Mapping[str, str]
    body: str
    webhook_id: str
    aggregate: str
    sequence: int | None
    notification_type: str | None
    verification: Verification
    seen_before: bool
    accepted_before: bool
    accepted: bool = False
    answered: int | None = None
    fault: str | None = None
    violations: tuple[str, ...] = ()

    def describe(self) -> Json:
        """The delivery as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


@dataclass(slots=True)
class Track:
    """What an endpoint heard about one return or forward parcel: the basis of the order check."""

    heard: deque[tuple[int | None, str | None]]
    last: int = -1
    unacknowledged: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Endpoint:
    """One URL of the client: what it checks with and what it has seen."""

    keeps: int
    secrets: tuple[str, ...] = ()
    expected_headers: dict[str, str] = field(default_factory=dict)
    credential_calls: int = 0
    label_calls: int = 0
    inline_labels: bool = False
    ids: OrderedDict[str, tuple[str, bool]] = field(default_factory=OrderedDict)
    tracks: OrderedDict[str, Track] = field(default_factory=OrderedDict)

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the static headers are the expected ones."""
        return all(headers.get(name.lower()) == value for name, value in self.expected_headers.items())

    def track(self, aggregate: str) -> Track:
        """The track of a return or parcel, forgetting the one unheard of for longest when there are too many."""
        track = self.tracks.pop(aggregate, None) or Track(deque(maxlen=self.keeps))
        self.tracks[aggregate] = track
        if len(self.tracks) > self.keeps:
            self.tracks.popitem(last=False)
        return track

    def remember(self, webhook_id: str, digest: str, *, accepted: bool) -> None:
        """Keep a webhook-id, the oldest ids making room."""
        first, before = self.ids.pop(webhook_id, (digest, False))
        self.ids[webhook_id] = (first, before or accepted)
        if len(self.ids) > self.keeps:
            self.ids.popitem(last=False)


class ReceiverEngine:
    """Endpoints `/hooks/<name>` of one client, made when first called. Thread-safe.

    `POST /credentials/<name>` is the client's Get Credential call: it answers the headers that are expected now.
    `GET /label-source/<name>` is its web shop's Get Shipping Label: a shipment's label and AWB, always the same ones.
    """

    def __init__(self, *, keeps: int = 10_000, seed: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        self.label_base = LABEL_BASE
        self._keeps = keeps
        self._clock = clock or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self.faults: FaultPlan[Fault] = FaultPlan(seed)
        self._start()

    def _start(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._deliveries: deque[Delivery] = deque(maxlen=self._keeps)
        self._violations: deque[Json] = deque(maxlen=self._keeps)
        self._count = 0
        self._violation_count = 0
        self.faults.clear()

    def reset(self) -> None:
        """Forget everything, endpoints included."""
        with self._lock:
            self._start()

    def set_endpoint(
        self,
        name: str,
        *,
        secrets: tuple[str, ...] | None = None,
        expected_headers: Mapping[str, str] | None = None,
        inline_labels: bool | None = None,
    ) -> None:
        """Set what an endpoint checks with, and whether its labels come inside the answer; what is not given stays."""
        for secret in secrets or ():
            verify((secret,), {}, b"", self._clock())
        with self._lock:
            endpoint = self._endpoint(name)
            if secrets is not None:
                endpoint.secrets = secrets
            if expected_headers is not None:
                endpoint.expected_headers = dict(expected_headers)
            if inline_labels is not None:
                endpoint.inline_labels = inline_labels

    def clear_faults(self) -> None:
        """Let everything go right again."""
        with self._lock:
            self.faults.clear()

    def fail(self, endpoint: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next deliveries to an endpoint (or `*`) go wrong."""
        with self._lock:
            self.faults.next(endpoint, fault, times)

    # ── what RMS calls ──────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The reply to one call; header names are in lower case, the query matters to the label source only."""
        with self._lock:
            if method == "GET" and path.startswith(LABELS):
                return self._dressed(LABEL_FILE, label_file(path))
            if method == "GET" and path.startswith(LABEL_SOURCE):
                name = path.removeprefix(LABEL_SOURCE)
                return self._dressed(f"{LABEL_SOURCE.strip('/')}/{name}", self._label(name, query, headers))
            if method == "POST" and path.startswith(CREDENTIALS):
                endpoint = self._endpoint(path.removeprefix(CREDENTIALS))
                endpoint.credential_calls += 1
                return Answer(200, _JSON, json.dumps(endpoint.expected_headers).encode())
            if method == "POST" and path.startswith(HOOKS):
                return self._receive(path.removeprefix(HOOKS), headers, body)
        return Answer(404, _JSON, b"{}")

    def _dressed(self, operation: str, answer: Answer) -> Reply:
        fault = self.faults.take(operation)
        return answer if fault is None else dress(fault, answer)

    def _label(self, name: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Source: RMS API contract, section 21."""
        endpoint = self._endpoint(name)
        endpoint.label_calls += 1
        if not endpoint.knows(headers):
            return Answer(401, _JSON, b'{"error":"unauthorized"}')
        shipment = query.get("shipmentCode", "")
        if not shipment or not query.get("orderCode"):
            return Answer(404, _JSON, b'{"error":"no such shipment"}')
        awb = awb_of_shop(shipment)
        file = f"{LABELS}{awb}.pdf"
        label = (
            {"shippingLabel": base64.b64encode(label_file(file).body).decode()}
            if endpoint.inline_labels
            else {"shippingLabelUrl": f"{self.label_base}/{awb}.pdf"}
        )
        boxes = [{"boxCode": "1", "labelUrl": f"{self.label_base}/{awb}-1.pdf"}]
        wanted = query.get("arePackBoxLabelsRequired") == "true"
        answer = {**label, "awbNumber": awb, "transporter": "Own Fleet", "boxLabelDetails": boxes if wanted else []}
        return Answer(200, _JSON, json.dumps(answer).encode())

    def _receive(self, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        endpoint = self._endpoint(name)
        delivery = self._read(name, endpoint, headers, body)
        fault = self.faults.take(name)
        if not endpoint.knows(headers):
            answer, takes_it = Answer(401, _JSON, b'{"error":"unauthorized"}'), False
        elif delivery.verification in _REFUSED:
            answer, takes_it = Answer(400, _JSON, b'{"error":"signature"}'), False
        else:
            answer, takes_it = Answer(200, _JSON, b'{"ok":true}'), fault is None or fault.does_the_work
        reply: Reply = answer if fault is None else dress(fault, answer)
        whole = isinstance(reply, Answer) and reply.cut_at is None
        violations = self._judge(endpoint, delivery, body)
        self._keep(
            endpoint,
            replace(
                delivery,
                accepted=takes_it,
                answered=reply.status if isinstance(reply, Answer) else None,
                fault=str(fault.then) if fault else None,
                violations=violations,
            ),
            digest=_digest(body),
            acknowledged=whole and isinstance(reply, Answer) and 200 <= reply.status < 300,  # noqa: PLR2004 - success
        )
        return reply

    def _read(self, name: str, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Delivery:
        document = _json_object(body)
        webhook_id = headers.get("webhook-id", "")
        known = endpoint.ids.get(webhook_id)
        now = self._clock()
        self._count += 1
        sequence = document.get("sequence")
        return Delivery(
            number=self._count,
            at=now,
            endpoint=name,
            headers=dict(headers),
            body=body[:_KEPT_BODY_BYTES].decode(errors="replace"),
            webhook_id=webhook_id,
            aggregate=_aggregate(document),
            sequence=sequence if isinstance(sequence, int) and not isinstance(sequence, bool) else None,
            notification_type=str(document["notificationType"]) if "notificationType" in document else None,
            verification=verify(endpoint.secrets, headers, body, now),
            seen_before=known is not None,
            accepted_before=known is not None and known[1],
        )

    def _judge(self, endpoint: Endpoint, delivery: Delivery, body: bytes) -> tuple[str, ...]:
        """What RMS did wrong with this delivery. Gaps in the sequence are fine: not every event is subscribed to."""
        if delivery.verification in _REFUSED:
            return (str(delivery.verification),)
        found: list[str] = []
        if not delivery.aggregate:
            found.append("unreadable body")
        if delivery.seen_before:
            if endpoint.ids[delivery.webhook_id][0] != _digest(body):
                found.append("same webhook-id, other body")
        elif delivery.sequence is not None:
            track = endpoint.track(delivery.aggregate)
            if delivery.sequence == track.last:
                found.append("same sequence, other webhook-id")
            elif delivery.sequence < track.last:
                found.append("out of order")
            if any(earlier < delivery.sequence for earlier in track.unacknowledged):
                found.append("overtook")
        return tuple(found)

    def _keep(self, endpoint: Endpoint, delivery: Delivery, *, digest: str, acknowledged: bool) -> None:
        self._deliveries.append(delivery)
        for kind in delivery.violations:
            self._violation_count += 1
            self._violations.append(
                {"kind": kind, "number": delivery.number, "endpoint": delivery.endpoint, "about": delivery.aggregate}
            )
        if delivery.verification in _REFUSED:
            return
        track = endpoint.track(delivery.aggregate)
        if delivery.accepted and not delivery.accepted_before:
            track.heard.append((delivery.sequence, delivery.notification_type))
        if delivery.sequence is not None:
            if delivery.accepted:
                track.last = max(track.last, delivery.sequence)
            if acknowledged:
                track.unacknowledged.discard(delivery.sequence)
            elif not delivery.accepted_before:
                track.unacknowledged.add(delivery.sequence)
        if delivery.webhook_id:
            endpoint.remember(delivery.webhook_id, digest, accepted=delivery.accepted)

    # ── the truth ───────────────────────────────────────────────────────────────────

    def deliveries(self, endpoint: str | None = None) -> list[Delivery]:
        """The deliveries remembered, oldest first, of one endpoint or all."""
        with self._lock:
            return [delivery for delivery in self._deliveries if endpoint in {None, delivery.endpoint}]

    def heard(self, endpoint: str, aggregate: str) -> list[tuple[int | None, str | None]]:
        """What an endpoint took in about a return or parcel, repeats left out: (sequence, notification type)."""
        with self._lock:
            track = self._endpoint(endpoint).tracks.get(aggregate)
            return list(track.heard) if track else []

    def violations(self) -> list[Json]:
        """What RMS did wrong, oldest first."""
        with self._lock:
            return list(self._violations)

    def describe_returns(self) -> list[Json]:
        """What each endpoint took in about each return and order."""
        with self._lock:
            return [
                {
                    "endpoint": name,
                    "about": aggregate,
                    "heard": [{"sequence": sequence, "notificationType": kind} for sequence, kind in track.heard],
                    "unacknowledged": sorted(track.unacknowledged),
                }
                for name, endpoint in self._endpoints.items()
                for aggregate, track in endpoint.tracks.items()
            ]

    def state(self) -> Json:
        """A few counts."""
        with self._lock:
            kept = list(self._deliveries)
            return {
                "deliveries": self._count,
                "accepted": sum(delivery.accepted and not delivery.accepted_before for delivery in kept),
                "duplicates": sum(delivery.accepted_before for delivery in kept),
                "violations": self._violation_count,
                "endpoints": {
                    name: {
                        "secrets": len(endpoint.secrets),
                        "expected_headers": sorted(endpoint.expected_headers),
                        "credential_calls": endpoint.credential_calls,
                        "label_calls": endpoint.label_calls,
                    }
                    for name, endpoint in self._endpoints.items()
                },
                "faults": self.faults.describe(),
            }

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self._endpoints and len(self._endpoints) >= _MOST_ENDPOINTS:
            raise ValueError(f"at most {_MOST_ENDPOINTS} endpoints")
        return self._endpoints.setdefault(name, Endpoint(self._keeps))


def awb_of_shop(shipment_code: str) -> str:
    """The AWB that the client's own system gives a shipment."""
    return f"WS{int(hashlib.sha256(shipment_code.encode()).hexdigest()[:10], 16):013d}"


def read_fault(values: Mapping[str, Any]) -> Fault:
    """A fault of an endpoint from JSON: unless told, an error status or a redirect means that nothing was taken in."""
    fault = Fault.read(values)
    if "does_the_work" in values or fault.then not in {Then.STATUS, Then.REDIRECT}:
        return fault
    return replace(fault, does_the_work=fault.then is Then.STATUS and fault.status < 300)  # noqa: PLR2004 - success


def _aggregate(document: Json) -> str:
    """The return, forward parcel or endpoint that a notification is about; empty: none to be found."""
    for member, name in (("returnOrderInfo", "returnOrderId"), ("endpointInfo", "endpoint")):
        info = document.get(member)
        if isinstance(info, dict) and info.get(name):
            return str(info[name])
    names = ("returnOrderCode", "forwardShipmentCode", "forwardOrderCode")
    return next((str(code) for name in names if (code := document.get(name))), "")


def _json_object(body: bytes) -> Json:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
