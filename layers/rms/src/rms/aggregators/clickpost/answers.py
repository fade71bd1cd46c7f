"""What Clickpost's answers mean. HTTP 200 says nothing and `meta.success` lies: `meta.status` decides.

A refusal is certain only where Clickpost, or whoever guards its door, says so in so many words. Everything else, from
a time-out to a code that is not in the table, leaves open whether a pick-up was booked.
Source: ClickPost guide, sections 3 to 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from rms.aggregators.clickpost.couriers import COURIERS
from rms.aggregators.contract import (
    MAX_WORDS,
    Booked,
    BookingResult,
    Cancelled,
    CancelResult,
    Label,
    LabelResult,
    RefusalKind,
    Refused,
    Unknown,
    Working,
)
from rms.aggregators.reading import mapping, text, whole, words
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import BadJsonError, parse_json

MAX_AWB: Final = 100
"""Longest AWB that Clickpost's own calls take."""

COURIER_ID: Final = "Courier Partner Id"
ACCOUNT_CODE: Final = "Account Code"
"""Names in a booking's metadata: later calls about it must name the carrier and its account."""


class Mark(StrEnum):
    """What to do about a meta.status."""

    DONE = "DONE"
    WAIT = "WAIT"
    RETRY = "RETRY"
    CALLER = "CALLER"
    CONFIGURATION = "CONFIGURATION"
    SERVICEABILITY = "SERVICEABILITY"


# Source: ClickPost guide, section 4, for every row below. Codes that belong to another call (304, 305, 325 to 327, 330
# and so on) stand in no table: as the answer to a booking they would prove nothing.
_ACCOUNT: Final = {
    301: Mark.CONFIGURATION,  # username or key wrong or inactive
    302: Mark.CONFIGURATION,  # courier id unknown, or not an integer
    306: Mark.CONFIGURATION,  # service not registered
    311: Mark.CONFIGURATION,  # this courier id cannot do reverse: usually a forward id
    316: Mark.CONFIGURATION,  # no credentials for that carrier account
    320: Mark.CONFIGURATION,  # service not subscribed
    324: Mark.CONFIGURATION,  # bad credentials for that carrier account
    351: Mark.CONFIGURATION,  # account_code unknown
    352: Mark.CONFIGURATION,  # account_code ambiguous
    353: Mark.CONFIGURATION,  # account_code inactive
    355: Mark.CONFIGURATION,  # this carrier needs a vendor_code
}
_TROUBLE: Final = {
    322: Mark.RETRY,  # the carrier's server failed
    329: Mark.RETRY,  # the carrier timed out: the same reference again
    354: Mark.RETRY,  # carrier error that Clickpost does not handle; once more, then a person
    500: Mark.RETRY,  # Clickpost's own failure
}
CREATE: Final = {
    **_ACCOUNT,
    **_TROUBLE,
    200: Mark.DONE,
    323: Mark.DONE,  # this reference was placed before; the answer carries that AWB
    102: Mark.WAIT,  # still being processed
    202: Mark.WAIT,  # queued
    303: Mark.CALLER,  # the AWB supplied with the order is taken
    307: Mark.CALLER,  # bad order_type
    308: Mark.CALLER,  # bad priority
    309: Mark.CALLER,  # bad delivery_type
    310: Mark.CALLER,  # rvp_reason missing or too long
    312: Mark.CALLER,  # items missing
    313: Mark.CALLER,  # items malformed
    314: Mark.CALLER,  # items malformed, detail in the message
    315: Mark.CALLER,  # cod_value does not fit order_type
    319: Mark.SERVICEABILITY,  # the carrier refused, in its own words; another carrier may not
    321: Mark.CALLER,  # AWB unknown for that carrier
    328: Mark.CALLER,  # a mandatory field is missing
    400: Mark.CALLER,  # bad request, reason in the message
    420: Mark.CALLER,  # asynchronous order failed after processing
    422: Mark.CALLER,  # invalid entity
}
"""meta.status of an answer to create-order."""
CANCEL: Final = {
    **_ACCOUNT,
    **_TROUBLE,
    200: Mark.DONE,
    600: Mark.DONE,  # cancelled, or was so before
    202: Mark.WAIT,  # the carrier does it later
    321: Mark.CALLER,  # AWB unknown for that carrier
    328: Mark.CALLER,  # a mandatory field is missing
    350: Mark.CALLER,  # AWB unknown, or too late to cancel
    400: Mark.CALLER,  # refused with the carrier's text (2020)
}
"""meta.status of an answer to cancel-order."""
ASKED: Final = {
    **_ACCOUNT,
    **_TROUBLE,
    200: Mark.DONE,
    102: Mark.WAIT,  # the order itself is still in work
    202: Mark.WAIT,
    321: Mark.CALLER,  # AWB unknown for that carrier
    326: Mark.CALLER,  # tracking id invalid
    328: Mark.CALLER,  # a mandatory field is missing
    330: Mark.CALLER,  # waybill does not exist
    400: Mark.CALLER,  # bad request, reason in the message
}
"""meta.status of an answer to a question: the label, tracking."""
# Plain HTTP, where the body says nothing: turned away before anything was looked at. Every other HTTP status may come
# from a gateway that gave up waiting for a booking that goes on.
HTTP: Final = {
    401: Mark.CONFIGURATION,
    403: Mark.CONFIGURATION,
    404: Mark.CALLER,
    405: Mark.CALLER,
    406: Mark.CALLER,
}
"""HTTP status of an answer without a readable meta.status."""

_HTTP_ACCEPTED: Final = 202
_REFUSALS: Final = {
    Mark.CALLER: RefusalKind.CALLER,
    Mark.CONFIGURATION: RefusalKind.CONFIGURATION,
    Mark.SERVICEABILITY: RefusalKind.SERVICEABILITY,
}


@dataclass(frozen=True, slots=True)
class _Accepted:
    """An answer in the table that is neither a refusal nor a failure."""

    mark: Literal[Mark.DONE, Mark.WAIT]
    status: int
    said: str
    body: Mapping[str, Any]


def read_booking(answer: HttpAnswer | NoAnswer, reference: str, sent: HttpRequest) -> BookingResult:
    """What the answer to create-order means for the booking under `reference`. `sent` says what the answer leaves out.

    A refused order leaves nothing behind, so that no refusal is `burnt`: corrected, it may use the same reference.
    """
    match _judge(answer, CREATE):
        case Refused() | Unknown() as result:
            return result
        case accepted if accepted.mark is Mark.WAIT:
            return Working(_reason("Clickpost is still working on it", accepted.status, accepted.said))
        case accepted:
            return _booked(accepted.body, accepted.status, reference, sent)


def read_search(answer: HttpAnswer | NoAnswer, reference: str, sent: HttpRequest) -> BookingResult:
    """What the answer to a repeated create-order means.

    A refusal of the account, or at the door, says nothing about a booking that was made while the account was still in
    order: only refusals of the order itself, or by the carrier, prove that the reference was free.
    """
    match read_booking(answer, reference, sent):
        case Refused(kind, code, said) if kind is RefusalKind.CONFIGURATION or not code.isdigit():
            return Unknown(_reason("Clickpost does not let us look", code, said))
        case Refused(code="303", words=said):  # an AWB exists that may be ours
            return Unknown(_reason("Clickpost knows the AWB already", 303, said))
        case result:
            return result


def read_label(answer: HttpAnswer | NoAnswer) -> LabelResult:
    """What the answer to a question for a label means. Without a label, none has been made yet."""
    match _judge(answer, ASKED):
        case Refused() | Unknown() as result:
            return result
        case accepted if accepted.mark is Mark.WAIT:
            return Working(_reason("Clickpost is still working on it", accepted.status, accepted.said))
        case accepted if "result" not in accepted.body:
            return Unknown(f"Clickpost answered {accepted.status} without a result")
        case accepted:
            url = _label_url(mapping(accepted.body["result"]).get("shipping_label"))
            return Label(url) if url else Working(f"Clickpost answered {accepted.status} without a label")


def asked_for(answer: HttpAnswer | NoAnswer) -> Mapping[str, Any] | Unknown:
    """The body of an answer to a question, with a `result` that is an object or null; else why there is none."""
    match _judge(answer, ASKED):
        case Unknown() as result:
            return result
        case Refused(_, code, said):
            return Unknown(_reason("Clickpost does not tell", code, said))
        case accepted if accepted.mark is Mark.WAIT:
            return Unknown(_reason("Clickpost does not tell yet", accepted.status, accepted.said))
        case accepted if isinstance(accepted.body.get("result", ""), dict | None):
            return accepted.body
        case accepted:
            return Unknown(f"Clickpost answered {accepted.status} without a result")


def read_cancel(answer: HttpAnswer | NoAnswer) -> CancelResult:
    """What the answer to cancel-order means. A refusal may mean that it is too late: read tracking then."""
    later = isinstance(answer, HttpAnswer) and answer.status == _HTTP_ACCEPTED
    if isinstance(answer, HttpAnswer) and later and not answer.body.strip():
        return Cancelled(later=True)
    match _judge(answer, CANCEL):
        case Refused() | Unknown() as result:
            return result
        case accepted:
            return Cancelled(later=later or accepted.mark is Mark.WAIT)


def _judge(answer: HttpAnswer | NoAnswer, table: Mapping[int, Mark]) -> _Accepted | Refused | Unknown:
    if isinstance(answer, NoAnswer):
        return Unknown(f"no answer: {text(answer.reason, MAX_WORDS)}")
    body = _body(answer)
    status, said = _meta(body)
    if status is None:
        return _without_status(answer)
    match table.get(status):
        case Mark.DONE | Mark.WAIT as mark:
            return _Accepted(mark, status, said, body)
        case Mark.RETRY:
            return Unknown(_reason("Clickpost or the carrier failed", status, said))
        case None:
            return Unknown(_reason("Clickpost answered with a code that proves nothing", status, said))
        case mark:
            return Refused(_REFUSALS[mark], str(status), said)


def _body(answer: HttpAnswer) -> Mapping[str, Any]:
    if answer.truncated:
        return {}
    try:
        return mapping(parse_json(answer.body))
    except BadJsonError:
        return {}


def _meta(body: Mapping[str, Any]) -> tuple[int | None, str]:
    meta = mapping(body.get("meta"))
    status = meta.get("status")
    # A status of another type is not Clickpost's own, so that nothing is concluded from it.
    return (status if type(status) is int else None), words(meta.get("message"), MAX_WORDS) or "no reason given"


def _booked(body: Mapping[str, Any], status: int, reference: str, sent: HttpRequest) -> BookingResult:
    result = body.get("result")
    if not isinstance(result, dict):
        return Unknown(f"Clickpost answered {status} without a result")
    # Our own ids are never taken from an answer, but one that names another reference is not about our booking.
    named = result.get("reference_number")
    if named is not None and text(named) != reference:
        return Unknown(f"Clickpost answered {status} for another reference")
    waybill = result.get("waybill")
    if waybill is None or waybill == "":
        return Working(f"Clickpost answered {status} without a waybill")
    awb = text(waybill, MAX_AWB + 1)
    if not awb or len(awb) > MAX_AWB:
        return Unknown(f"Clickpost answered {status} with a waybill that is none")
    details = mapping(mapping(parse_json(sent.body or b"{}")).get("shipment_details"))
    courier = whole(result.get("courier_partner_id")) or whole(details.get("courier_partner"))
    metadata = {
        ACCOUNT_CODE: text(result.get("account_code")) or text(details.get("account_code")),
        COURIER_ID: text(courier),
        **_metadata(body, result),
    }
    return Booked(
        awb=awb,
        courier=text(result.get("courier_name")) or _courier(courier),
        order_id=_order_id(body, result),
        label_url=_label_url(result.get("label")),
        metadata={name: value for name, value in metadata.items() if value},
    )


def _courier(courier: int | None) -> str:
    return COURIERS.get(courier, f"Courier {courier}") if courier is not None else "Clickpost"


def _order_id(body: Mapping[str, Any], result: Mapping[str, Any]) -> str | None:
    # A fresh order carries Clickpost's id on top and ours inside, a duplicate Clickpost's inside. Ours is text.
    for candidate in (body.get("order_id"), result.get("order_id")):
        if type(candidate) is int:
            return str(candidate)
    return None


def _label_url(label: object) -> str | None:
    url = label.strip() if isinstance(label, str) else ""
    return url if url.startswith(("https://", "http://")) else None


def _metadata(body: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "Security Key": result.get("security_key"),
        "Sort Code": result.get("sort_code"),
        "Tracking Id": body.get("tracking_id") or result.get("tracking_id"),
    }
    return {name: kept for name, value in found.items() if (kept := text(value))}


def _without_status(answer: HttpAnswer) -> Refused | Unknown:
    mark = HTTP.get(answer.status)
    if mark is not None:
        said = f"Clickpost turned the request away (HTTP {answer.status})"
        return Refused(_REFUSALS[mark], f"HTTP {answer.status}", said)
    shape = "a truncated body" if answer.truncated else "no readable meta.status"
    return Unknown(f"HTTP {answer.status} with {shape}")


def _reason(what: str, code: object, said: str) -> str:
    return f"{what} ({code}): {said}"[:MAX_WORDS]
