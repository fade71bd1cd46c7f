"""What Shopify's answers mean. HTTP 200 says nothing: throttling, refusals and faults come with it.

A call whose operation answered with user errors did nothing; one that ended in an error of another kind may have done
what it was to do, unless the error is one that comes before anything is carried out. Source: Shopify guide, section 4.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.reading import mapping, text, whole, words
from rms.partners.reading import MAX_WORDS, OK, TOO_MANY, busy, code, document, rows
from rms.partners.results import Absent, Blame, Busy, Refused, Unknown
from rms.partners.shopify import operations
from rms.partners.shopify.operations import Operation
from rms.partners.shopify.order import Order, read
from rms.platform.http import HttpAnswer, NoAnswer

USUAL_WAIT_SECONDS: Final = 2.0
"""How long to wait when Shopify turns a call away and does not say how long."""

_LONGEST_WAIT: Final = 60.0
_LONGEST_EDIT: Final = 100

# Turned away before anything was looked at. 402 and 423: the shop is frozen or locked; 404: no such shop or version.
_DOOR: Final = {
    400: Blame.CONFIGURATION,
    401: Blame.CONFIGURATION,
    402: Blame.CONFIGURATION,
    403: Blame.CONFIGURATION,
    404: Blame.CONFIGURATION,
    406: Blame.CONFIGURATION,
    423: Blame.CONFIGURATION,
}
_THROTTLED: Final = "THROTTLED"
# Errors that come before an operation is carried out, by `extensions.code`.
_BEFORE: Final = {
    "ACCESS_DENIED": Blame.CONFIGURATION,
    "MAX_COST_EXCEEDED": Blame.CONFIGURATION,
    "SHOP_INACTIVE": Blame.CONFIGURATION,
    "undefinedField": Blame.CONFIGURATION,
    "undefinedType": Blame.CONFIGURATION,
    "argumentNotAccepted": Blame.CONFIGURATION,
    "missingRequiredArguments": Blame.CONFIGURATION,
    "variableMismatch": Blame.CONFIGURATION,
    "INVALID_VARIABLE": Blame.DATA,
    "RESOURCE_NOT_FOUND": Blame.DATA,
}

type Failure = Refused | Busy | Unknown


@dataclass(frozen=True, slots=True)
class Done:
    """The operation was carried out."""


@dataclass(frozen=True, slots=True)
class CancelTaken:
    """Shopify has taken a cancel in hand. `done`: it is carried out; else the order, read again, says when it is."""

    job: str
    done: bool


@dataclass(frozen=True, slots=True)
class CalculatedLine:
    """A line of an edit. Its id is not that of the order's line; `variant` and `sku` tell what it is of."""

    id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was begun. Nothing of the order changes until it is committed. `whole` as in `Order`."""

    id: str
    lines: tuple[CalculatedLine, ...]
    whole: bool


def read_order(answer: HttpAnswer | NoAnswer, gid: str) -> Order | Absent | Failure:
    """The order that was asked for. Shopify answers null for an absent one and for one it does not let us see."""
    data = _data(answer)
    if not isinstance(data, Mapping):
        return data
    if operations.ORDER.field not in data:
        return Unknown("Shopify's answer has no order in it")
    if data[operations.ORDER.field] is None:
        return Absent()
    found = read(mapping(data[operations.ORDER.field]))
    if isinstance(found, str):
        return Unknown(found)
    return found if found.id == gid else Unknown("Shopify answered with another order")


def read_written(answer: HttpAnswer | NoAnswer, operation: Operation) -> Done | Failure:
    """Whether an operation was carried out that answers nothing else: tags, releases, a set quantity, a commit."""
    result = _result(answer, operation)
    return Done() if isinstance(result, Mapping) else result


def read_hold(answer: HttpAnswer | NoAnswer) -> Done | Failure:
    """Whether a hold is there. That its handle is in use says that we have set it before."""
    result = _result(answer, operations.HOLD)
    if isinstance(result, Refused) and result.code == "DUPLICATE_FULFILLMENT_HOLD_HANDLE":
        return Done()
    return Done() if isinstance(result, Mapping) else result


def read_cancelled(answer: HttpAnswer | NoAnswer) -> CancelTaken | Failure:
    """What came of a cancel, which Shopify carries out in its own time."""
    result = _result(answer, operations.CANCEL)
    if not isinstance(result, Mapping):
        return result
    job = mapping(result.get("job"))
    found = code(job.get("id"))
    return CancelTaken(found, done=job.get("done") is True) if found else Unknown("Shopify names no job")


def read_edit(answer: HttpAnswer | NoAnswer) -> Edit | Failure:
    """An edit that was begun, with its lines."""
    result = _result(answer, operations.EDIT_BEGIN)
    if not isinstance(result, Mapping):
        return result
    order = mapping(result.get("calculatedOrder"))
    sent = [mapping(each) for each in rows(mapping(order.get("lineItems")).get("nodes"))]
    lines = [_calculated(each) for each in sent]
    found = code(order.get("id"))
    if not found or not all(lines):
        return Unknown("Shopify's edit has no id, or a line without id or quantity")
    return Edit(found, tuple(line for line in lines if line), whole=len(lines) < _LONGEST_EDIT)


def _calculated(sent: Mapping[str, Any]) -> CalculatedLine | None:
    found, quantity = code(sent.get("id")), whole(sent.get("quantity"))
    if not found or quantity is None:
        return None
    return CalculatedLine(found, code(mapping(sent.get("variant")).get("sku")), quantity)


# ── the envelope ────────────────────────────────────────────────────────────────────


def _result(answer: HttpAnswer | NoAnswer, operation: Operation) -> Mapping[str, Any] | Failure:
    """What a mutation answered; a refusal in Shopify's words when it has user errors."""
    data = _data(answer)
    if not isinstance(data, Mapping):
        return data
    result = data.get(operation.field)
    if not isinstance(result, dict):
        return Unknown(f"Shopify's answer has no {operation.field} in it")
    listed = next((result[name] for name in result if name.casefold().endswith("usererrors")), None)
    if not isinstance(listed, list):
        return Unknown(f"Shopify does not say whether {operation.field} was refused")
    return _user_errors([mapping(each) for each in listed]) if listed else result


def _user_errors(errors: Sequence[Mapping[str, Any]]) -> Refused:
    said = "; ".join(_user_error(error) for error in errors)[:MAX_WORDS]
    named = next((found for error in errors if (found := text(error.get("code")))), "USER_ERROR")
    return Refused(Blame.DATA, named, said)


def _user_error(error: Mapping[str, Any]) -> str:
    where = ".".join(text(part) for part in rows(error.get("field")))
    said = text(error.get("message"), MAX_WORDS) or "no reason given"
    return f"{where}: {said}" if where else said


def _data(answer: HttpAnswer | NoAnswer) -> Mapping[str, Any] | Failure:
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS)}")
    sent = document(answer)
    body = mapping(sent)
    if answer.status == TOO_MANY or answer.status in _DOOR:
        return _turned_away(answer, body)
    if answer.status not in OK or not isinstance(sent, dict):
        return Unknown(f"HTTP {answer.status} without a readable answer")
    if "errors" in body:
        return _errors(body)
    if not isinstance(body.get("data"), dict):
        return Unknown("Shopify's answer has no data")
    return mapping(body["data"])


def _turned_away(answer: HttpAnswer, body: Mapping[str, Any]) -> Failure:
    if answer.status == TOO_MANY:
        return busy(answer, USUAL_WAIT_SECONDS)
    said = words(body.get("errors"), MAX_WORDS) or f"Shopify turned the call away (HTTP {answer.status})"
    return Refused(_DOOR[answer.status], f"HTTP {answer.status}", said)


def _errors(body: Mapping[str, Any]) -> Failure:
    """What a 200 with errors means. One that says that nothing was begun counts only if no data came with it."""
    sent = body["errors"]
    errors = [mapping(each) for each in rows(sent)]
    said = "; ".join(text(error.get("message"), MAX_WORDS) for error in errors) or words(sent, MAX_WORDS)
    said = said[:MAX_WORDS] or "no reason given"
    codes = [text(mapping(error.get("extensions")).get("code")) for error in errors]
    data = body.get("data")
    begun = isinstance(data, dict) and any(value is not None for value in data.values())
    if codes and not begun:
        if all(named == _THROTTLED for named in codes):
            return _throttled(mapping(mapping(body.get("extensions")).get("cost")))
        if all(named in _BEFORE for named in codes):
            return Refused(_BEFORE[codes[0]], codes[0], said)
    return Unknown(f"Shopify answered with an error: {said}"[:MAX_WORDS])


def _throttled(cost: Mapping[str, Any]) -> Busy | Refused:
    """How long until the bucket holds what the call costs; never, if it costs more than the bucket can hold."""
    status = mapping(cost.get("throttleStatus"))
    wanted, most, there, rate = (
        _points(value)
        for value in (
            cost.get("requestedQueryCost"),
            status.get("maximumAvailable"),
            status.get("currentlyAvailable"),
            status.get("restoreRate"),
        )
    )
    if wanted is None or there is None or not rate:
        return Busy(USUAL_WAIT_SECONDS)
    if most is not None and wanted > most:
        said = f"the call costs {wanted} points and this shop has at most {most}"
        return Refused(Blame.CONFIGURATION, "MAX_COST_EXCEEDED", said)
    return Busy(float(min(max(math.ceil((wanted - there) / rate), 1), _LONGEST_WAIT)))


def _points(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value) if value >= 0 else None
