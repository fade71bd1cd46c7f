"""A sales channel without sockets: hears how its returns were processed, and says where the telling went wrong.

Source: RMS API contract, section 16.
"""

from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Any, Final, override

from sandbox.faults import Answer
from sandbox.inbox import JSON_TYPE, Inbox, Json, shorten

_MUST: Final = ("returnOrderCode", "forwardOrderCode", "locationCode", "orderItems")
_MUST_OF_ITEM: Final = ("itemCode", "channelSkuCode", "qcStatus")
_RESULTS: Final = frozenset({"PASS", "FAIL"})


@dataclass(slots=True)
class Processed:
    """A return as the channel knows it: the result of each unit by now, and how often it was told."""

    return_code: str
    sequence: int = -1
    results: dict[str, str] = field(default_factory=dict)
    told: int = 0


class ChannelEngine(Inbox):
    """`PUT /return-acks`. A body that it cannot use is refused with 400; a repeat changes nothing."""

    PATH = "/return-acks"
    METHOD = "PUT"
    OPERATION = "ack"

    @override
    def forget(self) -> None:
        self._processed: OrderedDict[str, Processed] = OrderedDict()
        self._repeats = 0

    @override
    def would_answer(self) -> Answer:
        return Answer(200, JSON_TYPE, b"")

    @override
    def take(self, document: Json, body: bytes, *, repeat: bool) -> tuple[Answer, tuple[str, ...]]:
        del body
        if not _usable(document):
            return Answer(400, JSON_TYPE, b'{"error":"bad acknowledgement"}'), ("bad acknowledgement",)
        if repeat:
            self._repeats += 1
            return self.would_answer(), ()
        return self.would_answer(), self._hear(document)

    def _hear(self, document: Json) -> tuple[str, ...]:
        code, sequence = str(document["returnOrderCode"]), document.get("sequence")
        known = self._processed.setdefault(code, Processed(code))
        late = isinstance(sequence, int) and sequence <= known.sequence
        known.sequence = max(sequence, known.sequence) if isinstance(sequence, int) else known.sequence
        known.results = {str(item["itemCode"]): str(item["qcStatus"]) for item in document["orderItems"]}
        known.told += 1
        shorten(self._processed, self.keeps)
        return ("out of order",) if late else ()

    # ── the truth ───────────────────────────────────────────────────────────────────

    def processed(self) -> list[Json]:
        """Every return that was acknowledged, oldest first."""
        with self.lock:
            return [asdict(known) for known in self._processed.values()]

    @override
    def state(self) -> Json:
        counts = super().state()
        with self.lock:
            return counts | {"processed": len(self._processed), "repeats": self._repeats}


def _usable(document: Json) -> bool:
    items = document.get("orderItems")
    return (
        all(document.get(name) for name in _MUST)
        and isinstance(items, list)
        and all(isinstance(item, dict) and _item_is_usable(item) for item in items)
    )


def _item_is_usable(item: dict[str, Any]) -> bool:
    return all(item.get(name) for name in _MUST_OF_ITEM) and item["qcStatus"] in _RESULTS
