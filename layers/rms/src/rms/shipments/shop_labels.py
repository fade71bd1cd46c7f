"""Labels that the client's own system gives: it is asked for one, and says with it which AWB the parcel has.

Source: RMS API contract, sections 1.2 and 21.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from rms.clients.configuration import Configuration, LabelSource, label_source_key, secret_context
from rms.core import Core
from rms.journal import Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import maybe_text, text
from rms.model.notification_type import NotificationType
from rms.notifications.sinks.webhook import USER_AGENT, ask_for_headers, read_headers
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import BadJsonError, parse_object
from rms.platform.observability import logger
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import ConditionFailedError, Equals, Item, Update, Value
from rms.platform.times import from_text
from rms.shipments.claims import Claims, watch_for
from rms.shipments.label_files import (
    MAX_LABEL,
    Content,
    Never,
    NotYet,
    Place,
    Wanted,
    in_time,
    problem_with_content,
)
from rms.shipments.transitions import state_key
from rms.shipments.wake import wake_tellers

PARAMETERS: Final = ("orderCode", "shipmentId", "shipmentCode", "locationCode", "arePackBoxLabelsRequired")
"""What the client's system is asked with."""

MAX_BOXES: Final = 64 * 1024
"""Longest text of the labels of single boxes that is kept, in bytes: they are passed on as they came."""

_MOST_BYTES: Final = MAX_LABEL * 4 // 3 + 2 * MAX_BOXES
_MAX_AWB: Final = 255
_OK: Final = 200
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class ShopLabel:
    """What the client's system says of a parcel."""

    awb: str
    courier: str
    label: Place | Content
    boxes: str | None = None
    """The labels of single boxes, as JSON."""


def label_of_shop(core: Core, configuration: Configuration, wanted: Wanted) -> Place | Content | NotYet | Never:
    """Ask the client's system for a label and note the AWB that it names; the AWB is known from then on."""
    source = configuration.label_source
    if source is None:
        return Never("the client has no source of labels any more")
    given = read_answer(_ask(core, configuration.client, source, wanted))
    if not isinstance(given, ShopLabel):
        return given
    return _note(core, configuration, wanted, given) or given.label


def read_answer(answer: HttpAnswer | NoAnswer) -> ShopLabel | NotYet:
    """What the client's system answered. Texts hold nothing of it."""
    if isinstance(answer, NoAnswer):
        return NotYet(f"the client's system gave no answer: {answer.reason}")
    if answer.status != _OK:
        return NotYet(f"the client's system answered HTTP {answer.status} in place of a label")
    try:
        body: Mapping[str, Any] = {} if answer.truncated else parse_object(answer.body)
    except BadJsonError:
        body = {}
    awb, courier = _word(body.get("awbNumber")), _word(body.get("transporter"))
    if awb is None or courier is None:
        return NotYet("the client's system names no awbNumber and transporter")
    label = _label(body)
    if isinstance(label, NotYet):
        return label
    boxes = body.get("boxLabelDetails")
    written = json.dumps(boxes, default=float) if isinstance(boxes, list) and boxes else None
    return ShopLabel(awb, courier, label, written if written and len(written) <= MAX_BOXES else None)


def _label(body: Mapping[str, Any]) -> Place | Content | NotYet:
    url, inline = body.get("shippingLabelUrl"), body.get("shippingLabel")
    if isinstance(url, str) and url.strip():
        return Place(url.strip())
    if not isinstance(inline, str) or not inline.strip():
        return NotYet("the client's system gives neither shippingLabelUrl nor shippingLabel")
    try:
        content = b64decode("".join(inline.split()), validate=True)
    except (binascii.Error, ValueError):
        return NotYet("the client's shippingLabel is not base64")
    if len(content) > MAX_LABEL:
        return NotYet(f"the label has more than {MAX_LABEL // 1024 // 1024} MB")
    problem = problem_with_content(content)
    return NotYet(problem) if problem is not None else Content(content)


def _word(value: object) -> str | None:
    """A text of one line, or a number as text; None for anything else."""
    found = " ".join(str(value).split()) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return found if 0 < len(found) <= _MAX_AWB and found.isprintable() else None


def _ask(core: Core, client: str, source: LabelSource, wanted: Wanted) -> HttpAnswer | NoAnswer:
    """The answer to Get Shipping Label; a 401 is answered with fresh headers, once."""
    headers = json.loads(core.secrets.unseal(source.sealed_headers, _context(client)))
    answer = core.http.send(in_time(core, wanted, _request(source, wanted, headers)))
    if not isinstance(answer, HttpAnswer) or answer.status != _UNAUTHORIZED or source.credential_url is None:
        return answer
    fresh = read_headers(core.http.send(in_time(core, wanted, ask_for_headers(source.credential_url))))
    if fresh is None or len(json.dumps(dict(fresh))) > MAX_PLAIN_BYTES:
        return answer
    _keep_headers(core, client, source, fresh)
    return core.http.send(in_time(core, wanted, _request(source, wanted, fresh)))


def _request(source: LabelSource, wanted: Wanted, headers: Mapping[str, str]) -> HttpRequest:
    asked = wanted.row["ask"]
    assert isinstance(asked, Mapping)
    url, _, query = source.url.partition("?")
    return HttpRequest(
        "GET",
        url,
        query={**dict(parse_qsl(query, keep_blank_values=True)), **{name: str(asked[name]) for name in asked}},
        headers={"User-Agent": USER_AGENT, **headers, "Accept": "application/json"},
        most_bytes=_MOST_BYTES,
    )


def _keep_headers(core: Core, client: str, source: LabelSource, headers: Mapping[str, str]) -> None:
    """Have the next call find these headers as well."""
    sealed = core.secrets.seal(json.dumps(dict(headers)), _context(client))
    unchanged = {"sealed_headers": Equals(source.sealed_headers)}
    try:
        core.table.write(Update(label_source_key(client), unchanged, set={"sealed_headers": sealed}))
    except ConditionFailedError:
        logger.info("another call fetched headers first")
    core.memory.forget(f"configuration:{client}")


def _context(client: str) -> dict[str, str]:
    return secret_context(client, label_source_key(client).sk)


def _note(core: Core, configuration: Configuration, wanted: Wanted, given: ShopLabel) -> NotYet | Never | None:
    """Note the AWB, its owner and the event in one transaction, unless it is known; None when all is well."""
    aggregate, now = wanted.aggregate, core.clock()
    status = core.journal.status(aggregate)
    assert status is not None, "a label is wanted of a parcel that is there"
    known = maybe_text(status, "awb")
    if known == given.awb:
        return None
    if known is not None:
        return Never("the client's system names another AWB than before")
    event = Event(
        event_id=f"AWB_BOOKED:{wanted.reference}",
        kind=EventKind.AWB_BOOKED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.AWB_GENERATED,
        facts={"awb": given.awb, "courier": given.courier},
    )
    aggregator = _only_aggregator(configuration)
    claims = Claims(aggregate, aggregator, [given.awb], watch_for(core, aggregator, given.awb))
    boxes = Update(aggregate.label, {"fence": Equals(wanted.fence)}, set={"boxes": given.boxes or ""})
    while True:
        also = [boxes, *claims.writes]
        match core.journal.append(
            aggregate, event, partial(_booked, given), readers=configuration.readers, also=also, status=status
        ):
            case Appended(readers=readers):
                wake_tellers(core, aggregate, readers)
                claims.wake(core)
                return None
            case Duplicate():
                return None
            case Blocked(index=0):
                return NotYet("somebody else is at it")
            case Blocked(index=index, current=current):
                if not claims.give_way(index - 1, current):
                    return Never("the client's system names the AWB of another parcel")


def _only_aggregator(configuration: Configuration) -> str | None:
    """Whom the client's own system can have booked with; None where that is anybody's guess."""
    names = {account.aggregator for account in configuration.accounts.values()}
    return names.pop() if len(names) == 1 else None


def _booked(given: ShopLabel, status: Item) -> Mapping[str, Value]:
    """What the AWB changes on the STATUS row. It is as old as the parcel is to us, however late we hear of it."""
    facts: dict[str, Value] = {"awb": given.awb, "courier": given.courier}
    key = state_key(NotificationType.AWB_GENERATED, from_text(text(status, "created_at")))
    if key is not None and key > (maybe_text(status, "state_key") or ""):
        facts |= {"state": NotificationType.AWB_GENERATED.value, "state_key": key}
    return facts
