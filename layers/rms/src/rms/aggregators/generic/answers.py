"""What an aggregator's answers under the generic contract mean.

The contract publishes no errors. What is certain: its own status says at the door who can help, or our own error
envelope says it in so many words. All else leaves open what was made; the same Generate again finds it out.
Source: RMS API contract, sections 1.4 and 9 to 11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Booked,
    Brought,
    Direction,
    Label,
    LabelResult,
    Progress,
    RefusalKind,
    Refused,
    Unknown,
    Working,
)
from rms.aggregators.reading import mapping, says_it_exists, says_not_served, text, whole, words
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.json import BadJsonError, parse_json

MAX_AWB: Final = 100
_MAX_ID: Final = 255
_UNTOLD: Final = "HTTP "
"""How the code of a refusal begins whose answer had no words of the aggregator's own."""

# Turned away before anything was looked at. 404 and its kind say that a URL of the account is wrong.
DOOR: Final = {
    400: RefusalKind.CALLER,
    401: RefusalKind.CONFIGURATION,
    403: RefusalKind.CONFIGURATION,
    404: RefusalKind.CONFIGURATION,
    405: RefusalKind.CONFIGURATION,
    406: RefusalKind.CONFIGURATION,
    415: RefusalKind.CONFIGURATION,
    422: RefusalKind.CALLER,
}
"""HTTP statuses that say by themselves that nothing was done, and who can help."""

_CREDENTIALS: Final = frozenset({401, 403})
_UNDECIDED: Final = frozenset({408, 409, 425, 429})
_OK: Final = range(200, 300)
_CALLER_FAULTS: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier that can serve the lane."""

    id: int
    name: str


def read_couriers(answer: HttpAnswer | NoAnswer) -> Courier | Refused | Unknown:
    """The courier with the smallest priority number; a refusal when nobody serves the lane."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    listed = body.get("couriers")
    if not isinstance(listed, list):
        return _said_otherwise(body) or Unknown("the aggregator lists no couriers")
    if not listed:
        return Refused(RefusalKind.SERVICEABILITY, "NO_COURIER", "no courier of this aggregator serves the lane")
    ranked = [(place, courier) for place, courier in map(_ranked, listed) if courier is not None]
    if not ranked:
        return Unknown("the aggregator lists couriers without an id")
    return min(ranked, key=lambda pair: pair[0])[1]


def read_generate(answer: HttpAnswer | NoAnswer, reference: str) -> Brought | Refused | Unknown:
    """What Generate made: the aggregator's own id, and perhaps the AWB already."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    order_id = _id(body.get("orderId"), _MAX_ID)
    if not order_id:
        return _said_otherwise(body) or Unknown("the aggregator's answer has no orderId")
    if _of_another(body, reference):
        return Unknown("the aggregator answered for another orderNumber")
    return Brought({"order_id": order_id, **_made(body)})


def read_search(answer: HttpAnswer | NoAnswer, reference: str) -> Brought | Refused | Unknown:
    """What a repeated Generate shows. Only a refusal of the order itself, in words, proves that nothing was made."""
    match read_generate(answer, reference):
        case Refused(kind, code, said) if kind is RefusalKind.CONFIGURATION or code.startswith(_UNTOLD):
            return Unknown(f"the aggregator does not let us look ({code}): {said}"[:MAX_WORDS])
        case result:
            return result


def read_get(answer: HttpAnswer | NoAnswer, reference: str, progress: Progress) -> Brought:
    """What Get adds. When it fails, what is known already stays known, and `trouble` says why there is no more."""
    body = _document(answer)
    match body:
        case Unknown(reason):
            trouble = reason
        case Refused(code=code, words=said):
            trouble = f"{code}: {said}"[:MAX_WORDS]
        case _ if _of_another(body, reference) or _id(body.get("orderId"), _MAX_ID) != progress["order_id"]:
            trouble = "the aggregator answered for another order"
        case _:
            made = _made(body)
            earlier = progress.get("awb")
            # The later one wins.
            changed = {"earlier_awb": earlier} if earlier and made.get("awb", earlier) != earlier else {}
            return Brought({**progress, **made, **changed, "got": "yes"})
    return Brought({**progress, "got": "yes", "trouble": trouble})


def outcome(name: str, direction: Direction, progress: Progress) -> Booked | Working | Unknown:
    """What came of a walk whose Get is done: forward it is not over before the label is there."""
    awb, label_url = progress.get("awb"), progress.get("label_url")
    if awb is None or (direction is Direction.FORWARD and label_url is None):
        if trouble := progress.get("trouble"):
            return Unknown(trouble)
        return Working(f"the aggregator has the order; its {'AWB' if awb is None else 'label'} comes later")
    found = {
        "Return Shipment Number": (progress.get("return_shipment") or progress["order_id"])
        if direction is Direction.RETURN
        else "",
        "Earlier AWB": progress.get("earlier_awb", ""),
    }
    return Booked(
        awb=awb,
        courier=progress.get("courier") or progress.get("courier_name") or name,
        order_id=progress["order_id"],
        label_url=label_url,
        metadata={key: value for key, value in found.items() if value},
    )


def read_label(answer: HttpAnswer | NoAnswer) -> LabelResult:
    """The label in the answer to Get."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    url = _made(body).get("label_url")
    if url:
        return Label(url)
    return _said_otherwise(body) or Working("the aggregator has no label yet")


# ── reading ─────────────────────────────────────────────────────────────────────────


def _document(answer: HttpAnswer | NoAnswer) -> Mapping[str, Any] | Refused | Unknown:
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS)}")
    try:
        body: object = None if answer.truncated else parse_json(answer.body)
    except BadJsonError:
        body = None
    if answer.status in _OK:
        return body if isinstance(body, dict) else Unknown(f"HTTP {answer.status} without a readable answer")
    code, said = _envelope(mapping(body))
    if answer.status in _CALLER_FAULTS and answer.status not in _UNDECIDED and code:
        kind = RefusalKind.CONFIGURATION if answer.status in _CREDENTIALS else RefusalKind.CALLER
        return _refusal(kind, code, said)
    door = DOOR.get(answer.status)
    if door is not None:
        said = f"the aggregator turned the request away (HTTP {answer.status})"
        return Refused(door, f"{_UNTOLD}{answer.status}", said)
    return Unknown(f"HTTP {answer.status}: {said or 'no reason given'}"[:MAX_WORDS])


def _envelope(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and words of our own error envelope; an empty code where it is not one."""
    code, parts = text(body.get("code")), (body.get("message"), body.get("description"))
    said = ": ".join(part for value in parts if value and (part := words(value, MAX_WORDS)))[:MAX_WORDS]
    return (code, said) if said else ("", "")


def _said_otherwise(body: Mapping[str, Any]) -> Refused | Unknown | None:
    """What an answer says that is a success by its status alone."""
    code, said = _envelope(body)
    return _refusal(RefusalKind.CALLER, code, said) if code else None


def _refusal(kind: RefusalKind, code: str, said: str) -> Refused | Unknown:
    if says_it_exists(said):
        return Unknown(f"the aggregator has something already ({code}): {said}"[:MAX_WORDS])
    if kind is RefusalKind.CALLER and says_not_served(said):
        kind = RefusalKind.SERVICEABILITY
    return Refused(kind, code, said)


def _ranked(value: object) -> tuple[tuple[bool, int], Courier | None]:
    courier = mapping(value)
    number, rank = whole(courier.get("courierId")), whole(courier.get("priority"))
    found = None if number is None else Courier(number, text(courier.get("courierName")))
    return (rank is None, rank or 0), found


def _made(body: Mapping[str, Any]) -> dict[str, str]:
    url = body.get("shippingLabelUrl")
    found = {
        "awb": next((awb for name in ("awb", "returnAwb") if (awb := _id(body.get(name), MAX_AWB))), ""),
        "courier": text(body.get("carrierName")),
        "label_url": url.strip() if isinstance(url, str) and url.strip().startswith(("https://", "http://")) else "",
        "return_shipment": text(body.get("returnShipmentNumber")),
    }
    return {name: value for name, value in found.items() if value}


def _of_another(body: Mapping[str, Any], reference: str) -> bool:
    named = text(body.get("orderNumber"), _MAX_ID)
    return bool(named) and named != " ".join(reference.split())


def _id(value: object, limit: int) -> str:
    # What names a thing is never cut: the rest of it would name another.
    found = text(value, limit + 1)
    return found if len(found) <= limit else ""
