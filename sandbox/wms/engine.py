"""A warehouse system without sockets: expects the returns that it is told of, and says where the telling went wrong.

Source: RMS API contract, section 19.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, override

from sandbox.faults import Answer
from sandbox.inbox import JSON_TYPE, Inbox, Json, shorten

_CREATE: Final = "RETURN_ORDER_CREATE"
_STATUS: Final[Mapping[str, str]] = {
    _CREATE: "CREATE",
    "RETURN_ORDER_UPDATE": "CREATE",
    "RETURN_ORDER_CANCEL": "CANCELLED",
    "RETURN_ORDER_PARTIAL_CANCEL": "CREATE",
    "RETURN_ORDER_COMPLETE": "COMPLETED",
}
_MUST: Final = ("forwardOrderCode", "returnOrderCode", "locationCode", "orderItems")
_OPEN: Final = "CREATE"
_CANCELLED: Final = "CANCELLED"


@dataclass(slots=True)
class Expected:
    """A return as the warehouse knows it: its state, which units still come, and each event heard, in order."""

    return_code: str
    status: str
    sequence: int = -1
    awb: str | None = None
    courier: str | None = None
    coming: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


class WmsEngine(Inbox):
    """`POST /return-expectations`. A body that it cannot use is refused with 400; a repeat changes nothing."""

    PATH = "/return-expectations"
    OPERATION = "expectation"

    @override
    def forget(self) -> None:
        self._expected: OrderedDict[str, Expected] = OrderedDict()
        self._repeats = 0

    @override
    def would_answer(self) -> Answer:
        return Answer(200, JSON_TYPE, b"")

    @override
    def take(self, document: Json, body: bytes, *, repeat: bool) -> tuple[Answer, tuple[str, ...]]:
        del body
        event = str(document.get("eventType"))
        if not _usable(event, document):
            return Answer(400, JSON_TYPE, b'{"error":"bad expectation"}'), ("bad expectation",)
        if repeat:
            self._repeats += 1
            return self.would_answer(), ()
        return self.would_answer(), self._hear(event, document)

    def _hear(self, event: str, document: Json) -> tuple[str, ...]:
        code = str(document["returnOrderCode"])
        known = self._expected.get(code)
        expected = known or Expected(code, _OPEN)
        sequence = document.get("sequence")
        violations = list(_wrong(event, known))
        if isinstance(sequence, int):
            if sequence <= expected.sequence:
                violations.append("out of order")
            expected.sequence = max(sequence, expected.sequence)
        expected.status = _STATUS[event]
        expected.awb, expected.courier = document.get("awbNumber"), document.get("transporter")
        gone = {item.get("itemCode"): item.get("status") == _CANCELLED for item in document["orderItems"]}
        expected.coming = [str(item) for item, cancelled in gone.items() if not cancelled]
        expected.cancelled = [str(item) for item, cancelled in gone.items() if cancelled]
        expected.heard.append(event)
        self._expected[code] = expected
        shorten(self._expected, self.keeps)
        return tuple(violations)

    # ── the truth ───────────────────────────────────────────────────────────────────

    def expectations(self) -> list[Json]:
        """Every return that was announced, oldest first."""
        with self.lock:
            return [asdict(expected) for expected in self._expected.values()]

    @override
    def state(self) -> Json:
        counts = super().state()
        with self.lock:
            statuses = [expected.status for expected in self._expected.values()]
            return counts | {
                "expected": statuses.count(_OPEN),
                "cancelled": statuses.count(_CANCELLED),
                "completed": statuses.count("COMPLETED"),
                "repeats": self._repeats,
            }


def _usable(event: str, document: Json) -> bool:
    items = document.get("orderItems")
    return (
        all(document.get(name) for name in _MUST)
        and event in _STATUS
        and document.get("status") == _STATUS[event]
        and isinstance(items, list)
        and all(isinstance(item, dict) for item in items)
    )


def _wrong(event: str, known: Expected | None) -> tuple[str, ...]:
    if known is None:
        return () if event == _CREATE else ("never announced",)
    if event == _CREATE:
        return ("announced twice",)
    return () if known.status == _OPEN else ("already closed",)
