"""Flow 7: a return that a shopper asked for in Returns Prime is created and followed by Returns Prime's webhooks.

A webhook proves nothing. It says which request is meant; what is acted on is what Returns Prime's API says of it then,
so that webhooks may come late, doubled and in any order. Source: Returns Prime guide, sections 4, 6 and 8.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rms.clients.configuration import Configuration, configuration_of
from rms.clients.returns_prime import SENDER, open_returns_prime
from rms.core import Core
from rms.journal import AggregateId, Event, EventKind, Exists
from rms.journal.events import maybe_text, text
from rms.journal.keys import shipment_key
from rms.model.documents import from_document
from rms.partners.results import Absent, Busy, Refused, Unknown
from rms.partners.returns_prime import (
    COURSES,
    Notice,
    Request,
    Settings,
    Stage,
    Topic,
    ask_again,
    read_request,
    read_webhook,
    return_orders,
)
from rms.platform.observability import count, logger
from rms.platform.table import Item, Key, TableContendedError, Value
from rms.platform.times import to_text
from rms.returns.create import place_booked
from rms.shipments.cancelling import cancel_shipment
from rms.shipments.claims import owner_of

_ROUNDS: Final = 5
_LONGEST: Final = 200
"""Longest raw text kept in an event, in characters."""

_AT_ONCE: Final = 100
"""Rows in one read."""


class UnreadRequestError(Exception):
    """Returns Prime does not show the request now: the message comes again, and at last waits for a person."""


@dataclass(frozen=True, slots=True)
class _News:
    """A request as Returns Prime shows it, and the webhook that led to it."""

    request: Request
    notice: Notice
    received_at: datetime

    def event(self, awbs: frozenset[str]) -> Event:
        """What it says of the return with these AWBs. The same again is the same event, whatever webhook brings it."""
        request, mark = self.request, self.request.mark
        words = sorted({line.shipment_status for line in request.lines if line.awb in awbs and line.shipment_status})
        at = mark.at if mark is not None else None
        said = [request.id, request.status.lower(), to_text(at) if at else "", *words]
        facts = {
            "partner": SENDER,
            "request": request.id,
            "request_status": request.status,
            "topic": self.notice.raw_topic,
            "shipment_status": ", ".join(words),
            "exchange_order_id": request.exchange_order_id or "",
        }
        return Event(
            event_id=f"REQUEST:{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]}",
            kind=EventKind.REQUEST_CHANGED,
            occurred_at=min(at or self.received_at, self.received_at),
            received_at=self.received_at,
            facts={name: value[:_LONGEST] for name, value in facts.items() if value},
        )


def record_request(core: Core, client: str, body: bytes, received_at: datetime) -> tuple[AggregateId, ...]:
    """Read the request that a webhook names, create its returns, note how it stands; answers its returns.

    Doing it again changes nothing. What is written back after QC goes by what is noted here.

    Raises:
        UnreadableNoticeError: the webhook names no request.
        UnreadRequestError, TableContendedError, TableUnavailableError: do it again.
    """
    notice = read_webhook(body)
    configuration = configuration_of(core, client)
    if configuration.returns_prime is None:
        raise UnreadRequestError("the client has no connection to Returns Prime")
    settings = open_returns_prime(core, client, configuration.returns_prime)
    found = read_request(core.http.send(ask_again(settings, notice.request_id)), notice.request_id)
    if not isinstance(found, Request):
        raise UnreadRequestError(_why(found))
    _count_what_has_no_name(found, notice)
    news = _News(found, notice, received_at)
    returns = _returns_of(core, configuration, settings, found)
    for aggregate, awbs in returns.items():
        _note(core, aggregate, news.event(frozenset(awbs)), found)
    return tuple(returns)


def _why(failure: Refused | Absent | Busy | Unknown) -> str:
    """Without the partner's own words, which may quote a shopper."""
    match failure:
        case Absent():
            return "Returns Prime does not know the request"
        case Busy(seconds):
            return f"Returns Prime is busy for {seconds:.0f} s"
        case Refused(blame, code):
            return f"Returns Prime refused ({blame}): {code}"
        case Unknown():
            return "Returns Prime did not answer, or not so that it can be read"


def _count_what_has_no_name(request: Request, notice: Notice) -> None:
    if notice.topic is Topic.OTHER and notice.raw_topic:
        count("UnknownStatus")
        logger.info("topic without a name", aggregator=SENDER, status_code=notice.raw_topic)
    if request.stage is Stage.OTHER:
        count("UnknownStatus")
        logger.info("status without a name", aggregator=SENDER, status_code=request.status)


def _returns_of(
    core: Core, configuration: Configuration, settings: Settings, request: Request
) -> dict[AggregateId, list[str]]:
    """The returns of a request with their AWBs, those that are new created.

    An AWB says whose parcel it is, whoever told of it first: the call into RMS's API and the webhook make one return.

    Raises:
        TableContendedError: somebody kept coming in between.
    """
    known: dict[str, str] = {}
    taken: set[str] = set()
    adopted: dict[str, str] = {}
    kept: dict[str, Value] = {"request": request.id, "request_number": request.number}
    for _ in range(_ROUNDS):
        owners = owners_of(core, configuration.client, request)
        known = adopted | {awb: owner.code for awb, owner in owners.items()}
        new = [order for order in return_orders(settings, request, known, taken).orders if order.awb not in known]
        if not new:
            return _by_return(configuration.client, owners, adopted)
        for order in new:
            match place_booked(core, configuration, order, kept):
                case Exists(document):
                    taken.add(order.code)
                    # One for which RMS was to book the courier is the same return, not another of the same goods.
                    if order.code == request.number and not from_document(text(document, "body")).booked_by_channel:
                        adopted[order.awb or ""] = order.code
                case _:
                    pass  # it is there now, or its AWB is somebody's: the next look shows whose
    raise TableContendedError("the returns of a request kept changing")


def owners_of(core: Core, client: str, request: Request) -> dict[str, AggregateId]:
    """Whose the AWBs of a request are, as far as RMS knows them."""
    keys = {line.awb: shipment_key(client, line.awb) for line in request.lines if line.awb}
    wanted = list(keys.values())
    rows: dict[Key, Item] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows |= core.table.get_many(wanted[start : start + _AT_ONCE])
    found = {awb: owner_of(client, rows.get(key)) for awb, key in keys.items()}
    return {awb: owner for awb, owner in found.items() if owner is not None}


def _by_return(client: str, owners: dict[str, AggregateId], adopted: dict[str, str]) -> dict[AggregateId, list[str]]:
    returns: dict[AggregateId, list[str]] = {}
    for awb, owner in {**{awb: AggregateId(client, "R", code) for awb, code in adopted.items()}, **owners}.items():
        if owner.kind == "R":
            returns.setdefault(owner, []).append(awb)
    return returns


def _note(core: Core, aggregate: AggregateId, event: Event, request: Request) -> None:
    """Append how the request stands now and, where that is the end of it, cancel what the courier has not collected.

    What RMS has booked itself is not the app's to cancel.
    """
    status = core.table.get(aggregate.status)
    linked: dict[str, Value] = {"request": request.id, "request_number": request.number}
    core.journal.append(aggregate, event, lambda _: linked, status=status)
    if COURSES[request.stage].cancels and status is not None and maybe_text(status, "account") is None:
        cancel_shipment(core, aggregate, left_to_do=None)
