"""Booking at Shiprocket, call by call: create, choose a courier, assign an AWB, then pick-up or label.

A job whose goal is the order ends with the first of them, and another goes on from there.

There is no idempotency key. What is known when a walk breaks off is found by our own reference and gone on with;
nothing is created or assigned again before that. Each AWB belongs to one shipment, each shipment to one order, and
Shiprocket refuses a second return under one reference. Source: Shiprocket guide, sections 1, 4 and 8.

| progress      | known when                                                                                    |
| ------------- | --------------------------------------------------------------------------------------------- |
| `order_id`, `shipment_id` | Shiprocket's own ids, once something exists under our reference                   |
| `unread`      | it must be read before anything else: why (`search`, `older`, `assigned`, `accepted`)         |
| `code`, `words` | the refusal that it is if reading it shows no AWB                                           |
| `courier_id`, `courier` | chosen, later assigned                                                              |
| `awb`         | assigned                                                                                      |
| `pickup`      | `asked`, `refused` or `not due`; with `pickup_date`, `pickup_token` or `pickup_error`          |
| `label`       | the URL, or `none`                                                                            |
| `taken`, `tracked`, `page` | where a search stands                                                            |
| `nameless`    | a search saw an order without its reference, which may be ours                                |
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Account,
    Ask,
    Booked,
    BookingResult,
    Brought,
    Direction,
    Goal,
    Job,
    Label,
    NotFound,
    Ordered,
    Progress,
    RefusalKind,
    Refused,
    Unauthorized,
    Unknown,
    Working,
)
from rms.aggregators.reading import mapping, text, whole
from rms.aggregators.shiprocket import booking
from rms.aggregators.shiprocket.account import Settings
from rms.aggregators.shiprocket.answers import (
    Class,
    Failure,
    awb_of,
    body_of,
    failure_of,
    no,
    number,
    read_label,
    yes,
)
from rms.aggregators.shiprocket.statuses import BEFORE_PICKUP, CANCELLED, CANCELLING
from rms.platform.http import HttpAnswer, NoAnswer

MOST_PAGES: Final = 200
"""Pages after which a search gives up and leaves the booking to a person."""

_DEAREST: Final = Decimal("Infinity")
_SUCCESS: Final = range(200, 300)
_OK: Final = 200
_NOT_FOUND: Final = 404
_NEW: Final = {Direction.FORWARD: 1, Direction.RETURN: 21}
"""`status_code` of what was created just now; any other is that of something older."""

_SEARCHED: Final = frozenset({"taken", "tracked", "page", "code", "words"})
"""What only a search needs to know."""

type Reading = Brought | BookingResult | NotFound | Unauthorized


# ── which call is next ──────────────────────────────────────────────────────────────


def book(account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
    """See `Aggregator.book`."""
    if "order_id" not in progress:
        return _begin(account, job, progress, now)
    if "unread" in progress:
        return Ask("show", booking.show(account, progress["order_id"]))
    if job.goal is Goal.ORDER:
        known = {name: value for name, value in progress.items() if name not in _SEARCHED}
        return Ordered(progress["order_id"], progress["shipment_id"], known)
    return _finish(account, job, progress) if "awb" in progress else _ask_for_awb(account, job, progress)


def _begin(account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
    if "tracked" in progress:
        return Ask("track", booking.track_reference(account, job.reference))
    if "taken" in progress:
        page = int(progress.get("page", "1"))
        return Ask("search", booking.search(account, job, page, booking.WIDE_WINDOW, now))
    refused = booking.problem_with(Settings.of(account), job)
    return refused or Ask("create", booking.create(account, job, now))


def _ask_for_awb(account: Account, job: Job, progress: Progress) -> Ask:
    if "courier_id" not in progress:
        return Ask("serviceability", booking.serviceability(account, job))
    return Ask("assign", booking.assign(account, job, progress["shipment_id"], progress["courier_id"]))


def _finish(account: Account, job: Job, progress: Progress) -> Ask | BookingResult:
    if job.direction is Direction.FORWARD and "label" not in progress:
        return Ask("label", booking.label(account, progress["shipment_id"]))
    if "pickup" not in progress and (job.direction is Direction.RETURN or Settings.of(account).request_pickup):
        return Ask("pickup", booking.pickup(account, progress["shipment_id"]))
    return _booked(progress)


def find(account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
    """See `Aggregator.find`."""
    if "order_id" in progress:
        return Ask("show", booking.show(account, progress["order_id"]))
    page = int(progress.get("page", "1"))
    return Ask("search", booking.search(account, job, page, booking.USUAL_WINDOW, now))


def found(progress: Progress) -> bool:
    """See `Aggregator.found`."""
    return "order_id" in progress and "unread" not in progress


def _booked(progress: Progress) -> Booked:
    kept = {
        booking.SHIPMENT_ID: "shipment_id",
        "Courier Id": "courier_id",
        "Pickup Date": "pickup_date",
        "Pickup Token": "pickup_token",
        "Pickup Error": "pickup_error",
    }
    return Booked(
        awb=progress["awb"],
        courier=progress.get("courier") or "Shiprocket",
        order_id=progress["order_id"],
        label_url=None if progress.get("label", "none") == "none" else progress["label"],
        metadata={name: progress[key] for name, key in kept.items() if progress.get(key)},
    )


# ── what an answer means ────────────────────────────────────────────────────────────


def read(job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress) -> Reading:
    """See `Aggregator.read`."""
    body = mapping(body_of(answer)) if isinstance(answer, HttpAnswer) and answer.status in _SUCCESS else {}
    return _READERS[ask.name](job, answer, body, progress)


def _created(job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    ids = {"order_id": number(body.get("order_id")), "shipment_id": number(body.get("shipment_id"))}
    if all(ids.values()):
        fresh = whole(body.get("status_code")) == _NEW[job.direction] and not awb_of(body.get("awb_code"))
        return Brought({**progress, **ids} if fresh else {**progress, **ids, "unread": "older"})
    if yes(body.get("success")):
        return Unknown("Shiprocket took the order in and names no ids")
    match failure_of(answer, "create"):
        case Failure(Class.TAKEN, refusal):
            return Brought({**progress, "taken": "yes", "code": refusal.code, "words": refusal.words})
        case Failure(Class.CALLER, Refused(code="500") as refusal):
            return replace(refusal, burnt=True)  # PHP stumbled, perhaps only after it had kept something
        case failure:
            return _judged(failure)


def _judged(failure: Failure | Unknown, *, burnt: bool = False) -> Refused | Unknown | Unauthorized:
    if isinstance(failure, Unknown):
        return failure
    return Unauthorized() if failure.kind is Class.RENEW else replace(failure.refusal, burnt=burnt)


# ── searching ───────────────────────────────────────────────────────────────────────


def _searched(job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    rows = body.get("data")
    if isinstance(rows, list) and not all(text(mapping(row).get("channel_order_id")) for row in rows):
        progress = {**progress, "nameless": "yes"}
    if not isinstance(rows, list):
        beyond = isinstance(answer, HttpAnswer) and answer.status == _NOT_FOUND and isinstance(body_of(answer), dict)
        return _not_there(progress) if beyond else _not_read(answer)
    ours = [row for row in rows if text(mapping(row).get("channel_order_id")) == job.reference]
    if len(ours) > 1:
        return Unknown("Shiprocket holds several orders under this reference")
    if ours:
        return _hit(ours[0], progress)
    page, last = int(progress.get("page", "1")), _last_page(body)
    if not rows or (last is not None and page >= last):
        return _not_there(progress)
    if page >= MOST_PAGES:
        return Unknown(f"not among the newest {MOST_PAGES} pages at Shiprocket")
    return Brought({**progress, "page": str(page + 1)})


def _hit(row: Mapping[str, Any], progress: Progress) -> Reading:
    order_id, shipment_id = number(row.get("id")), number(row.get("shipment_id"))
    shipment_id = shipment_id or number(_only(row.get("shipments")).get("id"))
    if not order_id:
        return Unknown("Shiprocket lists this reference without an order id")
    found_ids = {"order_id": order_id, **({"shipment_id": shipment_id} if shipment_id else {})}
    return Brought({**progress, **found_ids, "unread": "search"})


def _last_page(body: Mapping[str, Any]) -> int | None:
    return whole(mapping(mapping(body.get("meta")).get("pagination")).get("total_pages"))


def _only(shipments: object) -> Mapping[str, Any]:
    # A list in lists of orders, an object where one order is shown.
    return mapping(shipments[0] if isinstance(shipments, list) and shipments else shipments)


def _not_there(progress: Progress) -> Reading:
    # Shiprocket said that the reference is taken: by its AWB it may still be found.
    if "taken" in progress:
        return Brought({**progress, "tracked": "yes"})
    return Unknown("Shiprocket lists an order without its reference") if "nameless" in progress else NotFound()


def _tracked(_job: Job, answer: HttpAnswer | NoAnswer, _body: Mapping[str, Any], progress: Progress) -> Reading:
    if not isinstance(answer, HttpAnswer) or answer.status not in {*_SUCCESS, _NOT_FOUND}:
        return _not_read(answer)
    body = body_of(answer)
    if not isinstance(body, list | dict):
        return _not_read(answer)
    tracked = (mapping(mapping(each).get("tracking_data")) for each in (body if isinstance(body, list) else [body]))
    for data in tracked:
        track = _only(data.get("shipment_track"))
        order_id, shipment_id = number(track.get("order_id")), number(track.get("shipment_id"))
        if yes(data.get("track_status")) and order_id and shipment_id:
            return Brought({**progress, "order_id": order_id, "shipment_id": shipment_id, "unread": "search"})
    return Refused(RefusalKind.CALLER, progress["code"], progress["words"], burnt=True)


def _not_read(answer: HttpAnswer | NoAnswer) -> Unknown | Unauthorized:
    # That we are not let look says nothing about what is there.
    match failure_of(answer, "search"):
        case Failure(Class.RENEW):
            return Unauthorized()
        case Failure(_, refusal):
            return Unknown(text(f"Shiprocket does not let us look ({refusal.code}): {refusal.words}", MAX_WORDS))
        case unknown:
            return unknown


def _shown(job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    data = mapping(body.get("data"))
    if not data:
        return _not_read(answer)
    if text(data.get("channel_order_id")) != job.reference:
        return Unknown("Shiprocket shows another order under this id")
    shipment, status = _only(data.get("shipments")), whole(data.get("status_code"))
    shipment_id = number(shipment.get("id")) or progress.get("shipment_id", "")
    awb = awb_of(shipment.get("awb")) or awb_of(mapping(data.get("awb_data")).get("awb"))
    if status in CANCELLED:
        return Refused(RefusalKind.CALLER, str(status), "this order is cancelled at Shiprocket", burnt=True)
    if status in CANCELLING or not shipment_id:
        return Unknown("this order is being cancelled at Shiprocket" if shipment_id else "an order without a shipment")
    if not awb:
        return _without_awb(progress, shipment_id)
    known = {name: value for name, value in progress.items() if name not in {"unread", "code", "words"}}
    courier = {"courier": text(shipment.get("courier")), "courier_id": number(shipment.get("courier_id"))}
    known |= {"shipment_id": shipment_id, "awb": awb, **{name: value for name, value in courier.items() if value}}
    return Brought(known if status is None or status in BEFORE_PICKUP else {**known, "pickup": "not due"})


def _without_awb(progress: Progress, shipment_id: str) -> Reading:
    match progress.get("unread"):
        case "accepted":
            return Working("Shiprocket is still assigning an AWB")
        case "assigned":
            return Refused(RefusalKind.CALLER, progress["code"], progress["words"], burnt=True)
    known = {name: value for name, value in progress.items() if name not in {"unread", "code", "words"}}
    return Brought({**known, "shipment_id": shipment_id})


# ── courier and AWB ─────────────────────────────────────────────────────────────────


def _served(job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    data = mapping(body.get("data"))
    listed = data.get("available_courier_companies")
    if whole(body.get("status")) != _OK or not isinstance(listed, list):
        return _judged(failure_of(answer, "serviceability"), burnt=True)
    able = [courier for courier in map(mapping, listed) if _can(courier, job)]
    if not able:
        return Refused(RefusalKind.SERVICEABILITY, "NO_COURIER", _nobody(job, listed), burnt=True)
    advised = number(data.get("recommended_courier_company_id"))
    best = min(able, key=lambda courier: (number(courier.get("courier_company_id")) != advised, _rate(courier)))
    chosen = {"courier_id": number(best.get("courier_company_id")), "courier": text(best.get("courier_name"))}
    return Brought({**progress, **chosen})


def _can(courier: Mapping[str, Any], job: Job) -> bool:
    unfit = (
        yes(courier.get("blocked")),
        booking.wants_qc(job) and no(courier.get("qc_courier")),
        booking.wants_cash(job) and no(courier.get("cod")),
    )
    return bool(number(courier.get("courier_company_id"))) and not any(unfit)


def _nobody(job: Job, listed: list[object]) -> str:
    ends = f"from {_pincode(job, 'pickup')} to {_pincode(job, 'drop')}"
    if listed and booking.wants_qc(job):
        return f"no courier checks at the door {ends}"
    return f"no courier {ends}"


def _pincode(job: Job, end: str) -> str:
    place = job.order.pickup if end == "pickup" else job.order.drop
    return str(booking.pincode(place)) if place else "?"


def _rate(courier: Mapping[str, Any]) -> Decimal:
    try:
        rate = Decimal(str(courier.get("rate")))
    except InvalidOperation:
        return _DEAREST
    return rate if rate.is_finite() else _DEAREST


def _assigned(_job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    data = mapping(mapping(body.get("response")).get("data"))
    awb, flag = awb_of(data.get("awb_code")), body.get("awb_assign_status")
    if yes(flag) and awb:
        return _with_awb(data, awb, progress)
    if awb or yes(flag):
        return Unknown("Shiprocket's answer about the AWB contradicts itself")
    if yes(body.get("success")):
        return Brought({**progress, "unread": "accepted"})
    match failure_of(answer, "assign"):
        case Failure(Class.ASSIGNED, refusal) | Failure(_, Refused(code="500") as refusal):
            # Perhaps it has one: whoever reads the order knows.
            return Brought({**progress, "unread": "assigned", "code": refusal.code, "words": refusal.words})
        case Unknown() if no(flag) and isinstance(answer, HttpAnswer):
            return Refused(RefusalKind.CALLER, str(answer.status), "no AWB, no reason given", burnt=True)
        case failure:
            return _judged(failure, burnt=True)


def _with_awb(data: Mapping[str, Any], awb: str, progress: Progress) -> Reading:
    if number(data.get("shipment_id")) not in {"", progress["shipment_id"]}:
        return Unknown("Shiprocket assigned an AWB to another shipment")
    assigned = {
        "courier_id": number(data.get("courier_company_id")),
        "courier": text(data.get("courier_name")),
        "pickup_date": text(data.get("pickup_scheduled_date")),
    }
    return Brought({**progress, "awb": awb, **{name: value for name, value in assigned.items() if value}})


# ── what follows an AWB: from here on there is a booking, and no refusal can undo it ─────


def _picked_up(_job: Job, answer: HttpAnswer | NoAnswer, body: Mapping[str, Any], progress: Progress) -> Reading:
    response = mapping(body.get("response"))
    if yes(body.get("pickup_status")):
        told = {
            "pickup_date": text(response.get("pickup_scheduled_date")),
            "pickup_token": text(response.get("pickup_token_number")),
        }
        return Brought({**progress, "pickup": "asked", **{name: value for name, value in told.items() if value}})
    match failure_of(answer, "pickup"):
        case Unknown() as unknown:
            return unknown
        case Failure(Class.RENEW):
            return Unauthorized()
        case Failure(Class.DUPLICATE):
            return Brought({**progress, "pickup": "asked"})
        case failure:
            return Brought({**progress, "pickup": "refused", "pickup_error": failure.refusal.words})


def _labelled(_job: Job, answer: HttpAnswer | NoAnswer, _body: Mapping[str, Any], progress: Progress) -> Reading:
    match read_label(answer):
        case Unauthorized() as unauthorized:
            return unauthorized
        case Label(url):
            return Brought({**progress, "label": url})
        case _:
            return Brought({**progress, "label": "none"})  # it can be made at any time


_READERS: Final[Mapping[str, Callable[[Job, HttpAnswer | NoAnswer, Mapping[str, Any], Progress], Reading]]] = {
    "create": _created,
    "search": _searched,
    "track": _tracked,
    "show": _shown,
    "serviceability": _served,
    "assign": _assigned,
    "pickup": _picked_up,
    "label": _labelled,
}
"""Who reads the answer to each call: the job, the answer, its body where it is a 2xx, what is known."""
