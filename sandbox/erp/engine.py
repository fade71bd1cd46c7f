"""A client's ERP without sockets: posts each return once by its messageId, refuses on demand, and tells the truth.

Source: RMS API contract, section 17.
"""

import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, override

from sandbox.faults import Answer
from sandbox.inbox import JSON_TYPE, Inbox, Json, shorten

LARGEST_LONG: Final = 2**63 - 1
MOST_REFUSALS: Final = 10_000

_MUST: Final = (
    "partnerCode",
    "partnerLocationCode",
    "locationCode",
    "channelName",
    "forwardOrderCode",
    "returnOrderCode",
    "paymentMethod",
    "returnOrderType",
    "eventTime",
    "items",
    "shippingAddress",
    "billingAddress",
)
_MUST_OF_ITEM: Final = ("itemCode", "channelSkuCode", "returnOrderItemStatus", "qcStatus", "sellingPricePerUnit")
_ONE_OF: Final[Mapping[str, frozenset[str]]] = {
    "paymentMethod": frozenset({"COD", "NCOD"}),
    "returnOrderType": frozenset({"RETURN_TO_ORIGIN", "CUSTOMER_RETURN", "SELF_SHIP"}),
}


@dataclass(slots=True)
class Voucher:
    """A return as the ERP has posted it. `times` is how often: more than once is stock and money booked twice."""

    message_id: int
    return_code: str
    event_time: str
    items: int
    digest: str
    times: int = 1
    repeats: int = 0


class ErpEngine(Inbox):
    """`POST /returns/postings`. It remembers every messageId; with `deduplicates` off it posts repeats as well."""

    PATH = "/returns/postings"
    OPERATION = "posting"

    def __init__(self, *, deduplicates: bool = True, **options: Any) -> None:
        self.deduplicates = deduplicates
        super().__init__(**options)

    @override
    def forget(self) -> None:
        self._vouchers: OrderedDict[int, Voucher] = OrderedDict()
        self._refusals: deque[str] = deque()
        self._refused_returns: dict[str, str] = {}
        self._refused = 0

    def refuse(self, message: str, *, times: int = 1, return_code: str | None = None) -> None:
        """Answer the next calls, or all about one return until `accept`, with HTTP 200 and `hasError: true`."""
        with self.lock:
            if return_code is not None:
                self._refused_returns[return_code] = message
            elif not 1 <= times <= MOST_REFUSALS - len(self._refusals):
                raise ValueError(f"times: 1 to {MOST_REFUSALS} in all")
            else:
                self._refusals.extend([message] * times)

    def accept(self) -> None:
        """Refuse nothing any more."""
        with self.lock:
            self._refusals.clear()
            self._refused_returns.clear()

    @override
    def would_answer(self) -> Answer:
        return _answer(None)

    @override
    def take(self, document: Json, body: bytes, *, repeat: bool) -> tuple[Answer, tuple[str, ...]]:
        del repeat  # it knows repeats by their messageId
        problems = _problems(document)
        if problems:
            self._refused += 1
            return _answer("; ".join(problems)), ("bad posting",)
        refusal = self._refusal(str(document["returnOrderCode"]))
        if refusal is not None:
            self._refused += 1
            return _answer(refusal), ()
        return _answer(None), self._post(document, body)

    def _refusal(self, return_code: str) -> str | None:
        if return_code in self._refused_returns:
            return self._refused_returns[return_code]
        return self._refusals.popleft() if self._refusals else None

    def _post(self, document: Json, body: bytes) -> tuple[str, ...]:
        message_id = document["messageId"]
        about = (str(document["returnOrderCode"]), str(document["eventTime"]))
        digest = hashlib.sha256(body).hexdigest()
        known = self._vouchers.get(message_id)
        if known is None:
            twice = any((other.return_code, other.event_time) == about for other in self._vouchers.values())
            self._vouchers[message_id] = Voucher(message_id, *about, len(document["items"]), digest)
            shorten(self._vouchers, self.keeps)
            return ("same event, other messageId",) if twice else ()
        known.repeats += 1
        if not self.deduplicates:
            known.times += 1
        return () if known.digest == digest else ("same messageId, other body",)

    # ── the truth ───────────────────────────────────────────────────────────────────

    def postings(self) -> list[Json]:
        """Every return that was posted, oldest first."""
        with self.lock:
            return [asdict(voucher) for voucher in self._vouchers.values()]

    def doubles(self) -> list[Json]:
        """The returns that were posted more than once: under one messageId, or under several."""
        with self.lock:
            times: dict[str, int] = {}
            for voucher in self._vouchers.values():
                times[voucher.return_code] = times.get(voucher.return_code, 0) + voucher.times
            return [{"return_code": code, "times": count} for code, count in times.items() if count > 1]

    @override
    def state(self) -> Json:
        counts = super().state()
        with self.lock:
            vouchers = self._vouchers.values()
            return counts | {
                "posted": len(vouchers),
                "repeats": sum(voucher.repeats for voucher in vouchers),
                "refused": self._refused,
                "refusals_waiting": len(self._refusals) + len(self._refused_returns),
                "deduplicates": self.deduplicates,
            }


def _answer(error: str | None) -> Answer:
    said = {"hasError": error is not None, "errorMessage": error}
    return Answer(200, JSON_TYPE, json.dumps(said, ensure_ascii=False).encode())


def _problems(document: Json) -> list[str]:
    """What an ERP could not book: the contract's mandatory fields, by this partner's own reading."""
    if not document:
        return ["the body is no JSON object"]
    found = [f"{name} is missing" for name in _MUST if not document.get(name)]
    if "returnCreationTime" not in document:
        found.append("returnCreationTime is missing")
    if not isinstance(document.get("bundledSkuDefinitions"), list):
        found.append("bundledSkuDefinitions is missing")
    message_id = document.get("messageId")
    if type(message_id) is not int or not 1 <= message_id <= LARGEST_LONG:
        found.append("messageId is no Long")
    found += [
        f"{name} is unknown: {document[name]}"
        for name, known in _ONE_OF.items()
        if document.get(name) and document[name] not in known
    ]
    for number, item in enumerate(document.get("items") or ()):
        held = item if isinstance(item, dict) else {}
        found += [f"items[{number}].{name} is missing" for name in _MUST_OF_ITEM if held.get(name) is None]
    return found
