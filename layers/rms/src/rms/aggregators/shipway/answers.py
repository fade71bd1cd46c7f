"""What Shipway's answers mean. `success` changes its type from call to call, and its yes may hide a no.

Outer success says that the order is stored, the AWB's own part says whether it is booked. A refusal is certain only
where Shipway says so: everything else leaves open what exists. Source: Shipway guide, sections 3 to 5.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Booked,
    Brought,
    Cancelled,
    CancelResult,
    Label,
    LabelResult,
    NotFound,
    Ordered,
    Progress,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.reading import mapping, says_it_exists, says_not_served, text, whole, words
from rms.aggregators.shipway.statuses import status_of
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.json import BadJsonError, parse_json

MAX_AWB: Final = 100
PAGE: Final = 100
"""Most rows in an answer of get orders."""

# Turned away before anything was looked at. Every other HTTP status may come from a gateway that gave up waiting.
DOOR: Final = {
    400: RefusalKind.CALLER,
    401: RefusalKind.CONFIGURATION,
    403: RefusalKind.CONFIGURATION,
    404: RefusalKind.CALLER,
    405: RefusalKind.CALLER,
    406: RefusalKind.CALLER,
    422: RefusalKind.CALLER,
}
"""HTTP statuses that say by themselves that nothing was done, and who can help."""

_NONE: Final = re.compile(r"\bno (orders?|records?|data|results?)\b|\bnot found\b", re.IGNORECASE)
_MONEY: Final = re.compile("balance|wallet", re.IGNORECASE)
_WRONG_ID: Final = re.compile(
    r"\b(carrier|courier|warehouse)\b.*\b(invalid|inactive|unknown|not (found|exist|belong|valid|active|mapped))"
    r"|\binvalid (carrier|courier|warehouse)",
    re.IGNORECASE,
)
_CANCELLED_BEFORE: Final = re.compile(r"already (been )?cancell?ed", re.IGNORECASE)
_OK: Final = range(200, 300)


def success(value: object) -> bool:
    """Whether any of Shipway's spellings of yes is meant: true, 1, "1", "true", "success"; all else is no."""
    match value:
        case bool():
            return value
        case str():
            return value.strip().casefold() in {"1", "true", "success"}
        case _:
            return whole(value) == 1


# ── booking ─────────────────────────────────────────────────────────────────────────


def read_push(answer: HttpAnswer | NoAnswer) -> Brought | Refused | Unknown:
    """What the answer to a pushed order means: an AWB, or where it failed and what is left at Shipway."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    if not isinstance(body, dict) or not _stated(body.get("success")):
        return Unknown("Shipway does not say whether it has the order")
    if not success(body["success"]):
        return _refusal(_said(body), burnt=False)
    return _awb_made(mapping(body.get("awb_response")))


def _awb_made(inner: Mapping[str, Any]) -> Brought | Refused | Unknown:
    awb = _awb(inner.get("AWB"))
    if not success(inner.get("success")):
        if awb or not _stated(inner.get("success")):
            return Unknown("Shipway has the order and does not say whether it has an AWB")
        return _refusal(_said(inner), burnt=True)
    if awb is None:
        return Unknown("Shipway promises an AWB and names none")
    brought = {"awb": awb, "carrier_id": text(inner.get("carrier_id")), "label_url": _url(inner.get("shipping_url"))}
    return Brought({name: value for name, value in brought.items() if value})


def read_store(answer: HttpAnswer | NoAnswer, reference: str) -> Ordered | Refused | Unknown:
    """What the answer to an order that is only to be stored means. It names no ids of Shipway's own."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    if not isinstance(body, dict) or not _stated(body.get("success")):
        return Unknown("Shipway does not say whether it has the order")
    return stored(reference) if success(body["success"]) else _refusal(_said(body), burnt=False)


def stored(reference: str) -> Ordered:
    """An order that is at Shipway under our reference, which is its id in every call."""
    return Ordered(reference, None, {"stored": "yes"})


def read_create_return(answer: HttpAnswer | NoAnswer) -> Working | Refused | Unknown:
    """What the answer to Createreturns means. Only a yes is known; the AWB comes by way of get orders."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    stated = mapping(body).get("success")
    if success(stated):
        return Working("Shipway has the return; its AWB comes later")
    said = words(body, MAX_WORDS)
    if _stated(stated) and not says_it_exists(said):
        return Refused(RefusalKind.CONFIGURATION, "RETURN_NOT_TAKEN", said)
    return Unknown(f"Shipway answered in a way that nobody knows: {said}"[:MAX_WORDS])


def read_find(
    answer: HttpAnswer | NoAnswer, reference: str, *, only_stored: bool = False
) -> Booked | Refused | NotFound | Unknown:
    """What get orders shows under our reference: the AWB, an order without one, nothing, or nothing certain.

    `only_stored`: no AWB was ever asked for, so that the reference is not spent and may be looked up again.
    """
    rows = _rows(answer)
    if isinstance(rows, Unknown):
        return rows
    ours = [row for row in rows if text(row.get("order_id")) == reference]
    for row in ours:
        if awb := _awb(row.get("tracking_number")):
            return _booked(row, awb)
    if ours:
        said = "Shipway has this order without an AWB; nothing is pushed again until a person has looked in its panel"
        if only_stored:
            said = "Shipway gives no AWB to an order that it has stored: assign a carrier in its panel, then ask again"
        return Refused(RefusalKind.CONFIGURATION, "ORDER_WITHOUT_AWB", said, burnt=not only_stored)
    if len(rows) >= PAGE:
        return Unknown("Shipway shows a full page of other orders, so that ours may stand on the next")
    if not all(text(row.get("order_id")) for row in rows):
        return Unknown("Shipway shows an order without its id, which may be ours")
    return NotFound()


def read_look(answer: HttpAnswer | NoAnswer, reference: str) -> Booked | Refused | NotFound | Unknown:
    """The same of an order that was only stored, which a look does not change: not being let in is a refusal."""
    body = _document(answer)
    return body if isinstance(body, Refused) else read_find(answer, reference, only_stored=True)


def read_find_return(answer: HttpAnswer | NoAnswer, order: ReturnOrder, order_id: str) -> Booked | Working | Unknown:
    """What get orders shows of a return among the rows of its forward order. That none is shown proves nothing."""
    rows = _rows(answer)
    if isinstance(rows, Unknown):
        return rows
    ours = [row for row in rows if text(row.get("order_id")) == order_id and _is_return_of(row, order)]
    awbs = {awb: row for row in ours if (awb := _return_awb(row))}
    if len(awbs) > 1:
        return Unknown("Shipway shows several returns of these items, and nothing tells which is this one")
    for awb, row in awbs.items():
        return _booked(row, awb)
    if ours:
        return Working("Shipway has the return; its AWB comes later")
    return Unknown("Shipway shows no return for this order, which does not prove that it has none")


def booked(progress: Progress, carrier_id: str, carrier_name: str) -> Booked:
    """The booking that a push brought, under the carrier name of the account it was pushed with."""
    carrier = progress.get("carrier_id") or carrier_id
    named = carrier_name if carrier == carrier_id else ""
    return Booked(
        awb=progress["awb"],
        courier=named or f"Shipway carrier {carrier}",
        label_url=progress.get("label_url"),
        metadata={"Carrier Id": carrier},
    )


# ── after the booking ───────────────────────────────────────────────────────────────


def read_label(answer: HttpAnswer | NoAnswer) -> LabelResult:
    """A label's link in an order's row. None has been seen there: the label comes with the push, once."""
    rows = _rows(answer)
    if isinstance(rows, Unknown):
        return rows
    urls = {url for row in rows if (url := _url(row.get("shipping_url")))}
    if len(urls) == 1:
        return Label(urls.pop())
    return Refused(RefusalKind.CONFIGURATION, "NO_LABEL", "Shipway gives a label once only: print it in its panel")


def read_cancel(shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:
    """What the answer to Cancel means: the list that names the AWB decides, whatever `success` says."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return body
    if not shipment.awb:
        return _order_cancelled(shipment.reference, body)
    verdict = mapping(body)
    if shipment.awb in _numbers(verdict.get("shipment_success_tracking_numbers")):
        return Cancelled()
    failed = ("shipment_failed_tracking_numbers", "invalid_tracking_numbers")
    where = next((name for name in failed if shipment.awb in _numbers(verdict.get(name))), None)
    if where is None:
        return Unknown(f"Shipway does not name the AWB: {_said(verdict)}"[:MAX_WORDS])
    said = _said(verdict)
    if _CANCELLED_BEFORE.search(said):
        return Cancelled()
    return Refused(RefusalKind.CALLER, "NOT_CANCELLED" if where == failed[0] else "INVALID_AWB", said)


def _order_cancelled(reference: str, body: object) -> Cancelled | Refused | Unknown:
    """What the answer to Cancelorders means: a list with one verdict for each order."""
    verdicts = [mapping(each) for each in body] if isinstance(body, list) else []
    ours = [verdict for verdict in verdicts if text(verdict.get("order_id")) == reference]
    if len(ours) != 1 or not _stated(ours[0].get("success")):
        return Unknown("Shipway does not say what became of the order")
    said = _said(ours[0])
    if success(ours[0]["success"]) or _CANCELLED_BEFORE.search(said):
        return Cancelled()
    return Refused(RefusalKind.CALLER, "NOT_CANCELLED", said)


def listed(answer: HttpAnswer | NoAnswer) -> Sequence[Mapping[str, Any]] | Unknown:
    """The elements of a tracking answer, also out of the wrapper `shipments`."""
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return _look(body)
    elements = mapping(body).get("shipments", body)
    return [mapping(each) for each in elements] if isinstance(elements, list) else Unknown("Shipway sent no list")


# ── reading ─────────────────────────────────────────────────────────────────────────


def _document(answer: HttpAnswer | NoAnswer) -> object | Refused | Unknown:
    """The JSON of a success; a refusal at the door; else nothing certain."""
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS)}")
    try:
        body: object = None if answer.truncated else parse_json(answer.body)
    except BadJsonError:
        body = None
    kind = DOOR.get(answer.status)
    if kind is not None:
        said = _said(mapping(body), f"Shipway turned the request away (HTTP {answer.status})")
        if says_it_exists(said):
            return Unknown(said)
        return Refused(_kind(said) if kind is RefusalKind.CALLER else kind, f"HTTP {answer.status}", said)
    if answer.status not in _OK or body is None:
        return Unknown(f"HTTP {answer.status} with {'a body' if body is not None else 'no readable body'}")
    return body


def _look(result: Refused | Unknown) -> Unknown:
    """A search that is not let in finds nothing out."""
    if isinstance(result, Unknown):
        return result
    return Unknown(f"Shipway does not let us look ({result.code}): {result.words}"[:MAX_WORDS])


def _rows(answer: HttpAnswer | NoAnswer) -> Sequence[Mapping[str, Any]] | Unknown:
    body = _document(answer)
    if isinstance(body, Refused | Unknown):
        return _look(body)
    found = mapping(body).get("message")
    if isinstance(found, list):
        return [mapping(each) for each in found]
    # A text stands for "none", but one that says something else is rather an error that HTTP hides.
    if isinstance(found, str) and _NONE.search(found):
        return []
    return Unknown(f"Shipway shows no list of orders: {_said(mapping(body))}"[:MAX_WORDS])


def _stated(value: object) -> bool:
    return isinstance(value, bool | int | str) and value != ""


def _refusal(said: str, *, burnt: bool) -> Refused | Unknown:
    if says_it_exists(said):
        return Unknown(f"Shipway has something already: {said}"[:MAX_WORDS])
    kind = _kind(said)
    return Refused(kind, "STORED_WITHOUT_AWB" if burnt else "NOT_STORED", said, burnt=burnt)


def _kind(said: str) -> RefusalKind:
    if _MONEY.search(said):
        return RefusalKind.CONFIGURATION
    if says_not_served(said):
        return RefusalKind.SERVICEABILITY
    return RefusalKind.CONFIGURATION if _WRONG_ID.search(said) else RefusalKind.CALLER


def _said(body: Mapping[str, Any], otherwise: str = "no reason given") -> str:
    """The reason: `error` as a text or a list of texts, else `message`."""
    return next((said for name in ("error", "message") if (said := _sentence(body.get(name)))), otherwise)


def _sentence(value: object) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return text("; ".join(value), MAX_WORDS)
    return words(value, MAX_WORDS) if value else ""


def _booked(row: Mapping[str, Any], awb: str) -> Booked:
    return Booked(
        awb=awb,
        courier=text(row.get("name")) or text(row.get("carrier_title")) or "Shipway",
        order_id=text(row.get("ezyslip_order_id")) or None,
    )


def _is_return_of(row: Mapping[str, Any], order: ReturnOrder) -> bool:
    if not text(row.get("reverse_tracking_number")) and not status_of(text(row.get("shipment_status"))).reverse:
        return False
    shown = row.get("products")
    if not isinstance(shown, list) or not shown:
        return True
    return {text(mapping(each).get("product_code")) for each in shown} == {unit.sku for unit in order.items}


def _return_awb(row: Mapping[str, Any]) -> str | None:
    awb = _awb(row.get("reverse_tracking_number"))
    if awb or not status_of(text(row.get("shipment_status"))).reverse:
        return awb
    return _awb(row.get("tracking_number"))


def _awb(value: object) -> str | None:
    awb = text(value, MAX_AWB + 1)
    return awb if 0 < len(awb) <= MAX_AWB else None


def _url(value: object) -> str:
    url = value.strip() if isinstance(value, str) else ""
    return url if url.startswith(("https://", "http://")) else ""


def _numbers(value: object) -> set[str]:
    each: Iterable[object] = value if isinstance(value, list) else text(value, MAX_AWB * PAGE).split(",")
    return {awb for item in each if (awb := text(item))}
