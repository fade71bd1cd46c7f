"""Shiprocket's webhooks: one status of one shipment each, with all its scans so far.

What decides (AWB or a reference, and a status) must be readable, or the whole webhook goes to a person. What only
informs may be absent, null, of an odd type. Source: Shiprocket guide, sections 7, 10 and 11.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rms.aggregators.contract import MAX_WORDS, RawStatus, ShipmentUpdate, Sighting, UnreadableWebhookError
from rms.aggregators.reading import mapping, text, whole
from rms.aggregators.shiprocket.answers import MAX_AWB, no, yes
from rms.aggregators.shiprocket.statuses import QC_PASSED, Meaning, meanings, plain
from rms.aggregators.shiprocket.times import read_time
from rms.model.notification_type import NotificationType
from rms.platform.json import BadJsonError, parse_json

_MAX_REFERENCE: Final = 255
_NONE: Final = "-"


def read_webhook(body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
    """The updates in a webhook, oldest first: one, or one for each of a list.

    Raises:
        UnreadableWebhookError: one of them is not what Shiprocket sends; its text holds nothing of the body.
    """
    try:
        sent = parse_json(body)
    except BadJsonError as error:
        raise UnreadableWebhookError(error.problem) from None
    hooks = sent if isinstance(sent, list) else [sent]
    if not hooks:
        raise UnreadableWebhookError("must hold at least one webhook")
    return sorted((_update(hook, received_at) for hook in hooks), key=lambda update: update.scan.occurred_at)


def _update(sent: object, received_at: datetime) -> ShipmentUpdate:
    if not isinstance(sent, dict):
        raise UnreadableWebhookError("must be an object")
    awb = _whole_text(sent.get("awb"), "awb", MAX_AWB) or None
    references = _references(sent)
    if awb is None and not references:
        raise UnreadableWebhookError("must name an awb, sr_order_id or order_id")
    order_id, shipment_id = whole(sent.get("current_status_id")), whole(sent.get("shipment_status_id"))
    texts = tuple(said for name in ("shipment_status", "current_status") if (said := text(sent.get(name))))
    if order_id is None and shipment_id is None and not texts:
        raise UnreadableWebhookError("current_status: may not be missing")
    named = meanings(order_id, shipment_id, texts)
    newest = _newest(sent.get("scans"))
    occurred_at = read_time(sent.get("current_timestamp")) or read_time(newest.get("date")) or received_at
    raw = RawStatus(code_of(order_id, shipment_id), (texts or ("",))[-1], location=text(newest.get("location")))
    checked = qc_of(named, raw.text, sent.get("qc_failure_reason"), sent.get("qc_image"))
    return ShipmentUpdate(
        event_id=_event_id(sent, awb, references),
        awb=awb,
        scan=Sighting(raw, occurred_at, named[0].name, named[1].name),
        is_return=_is_return(sent.get("is_return")),
        references=references,
        courier=text(sent.get("courier_name")) or None,
        failure_code=failure_of(checked),
        metadata={**checked, **_of_other(sent, named, raw)},
        tracked_as=_tracked_as(awb, shipment_id, sent.get("scans")),
    )


def code_of(order_id: int | None, shipment_id: int | None) -> str:
    """Both ids as one code, order before shipment, because the same number means two things: `26/7`, `-/18`."""
    return "/".join(_NONE if each is None else str(each) for each in (order_id, shipment_id))


def qc_of(named: tuple[Meaning, Meaning], said: str, reason: object, image: object) -> dict[str, str]:
    """What a doorstep QC found, as metadata; empty when there was none."""
    why, picture = text(reason, MAX_WORDS), text(image, MAX_WORDS)
    if plain(said) == QC_PASSED:
        return {"QC Result": "PASS"}
    if not any(meaning.qc for meaning in named) and not why:
        return {}
    found = {"QC Result": "FAIL", "QC Failure Reason": why, "QC Image": picture}
    return {name: value for name, value in found.items() if value}


def failure_of(checked: Mapping[str, str]) -> str | None:
    """The failure code of a doorstep QC that failed: `QC FAILED: reason`."""
    if checked.get("QC Result") != "FAIL":
        return None
    return ": ".join(("QC FAILED", *([checked["QC Failure Reason"]] if "QC Failure Reason" in checked else [])))


def _of_other(sent: Mapping[str, Any], named: tuple[Meaning, Meaning], raw: RawStatus) -> dict[str, str]:
    if NotificationType.OTHER not in {meaning.name for meaning in named}:
        return {}
    kept = {
        "Status Code": raw.code,
        "Status": text(sent.get("current_status")),
        "Shipment Status": text(sent.get("shipment_status")),
    }
    return {name: value for name, value in kept.items() if value}


def _references(sent: Mapping[str, Any]) -> tuple[str, ...]:
    theirs = _whole_text(sent.get("sr_order_id"), "sr_order_id", _MAX_REFERENCE)
    ours = _whole_text(sent.get("order_id"), "order_id", _MAX_REFERENCE)
    # Ours may have grown a suffix: 1373900_150876814.
    found = (theirs, ours, ours.rpartition("_")[0])
    return tuple(dict.fromkeys(each for each in found if each))


def _whole_text(value: object, name: str, limit: int) -> str:
    # What names a thing is never cut: the rest of it would name another.
    found = text(value, limit + 1)
    if len(found) > limit:
        raise UnreadableWebhookError(f"{name}: must have at most {limit} characters")
    return found


def _is_return(value: object) -> bool | None:
    return True if yes(value) else False if no(value) else None


def _newest(scans: object) -> Mapping[str, Any]:
    listed = [mapping(scan) for scan in scans] if isinstance(scans, list) else []
    timed = [(at, scan) for scan in listed if (at := read_time(scan.get("date"))) is not None]
    return max(timed, key=lambda pair: pair[0])[1] if timed else {}


def tracked_id(awb: str, shipment_id: int, scanned_at: datetime) -> str:
    """The event id of a scan in tracking."""
    return event_id_of("tracking", awb, shipment_id, scanned_at.isoformat())


def _tracked_as(awb: str | None, shipment_id: int | None, scans: object) -> tuple[str, ...]:
    listed = [mapping(scan) for scan in scans] if isinstance(scans, list) else []
    timed = [
        at for scan in listed if whole(scan.get("sr-status")) == shipment_id and (at := read_time(scan.get("date")))
    ]
    return (tracked_id(awb, shipment_id, max(timed)),) if awb and shipment_id is not None and timed else ()


def event_id_of(*parts: object) -> str:
    """An id that is the same for the same parts."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:32]


def _event_id(sent: Mapping[str, Any], awb: str | None, references: Sequence[str]) -> str:
    names = ("shipment_status_id", "current_status_id", "current_timestamp")
    parts = [text(sent.get(name)) for name in names]
    when = read_time(sent.get("current_timestamp"))
    if awb and all(parts) and when:
        return event_id_of(awb, *parts[:2], when.isoformat())
    # Not the bytes: a repeat may order its keys otherwise, and know more of them.
    said = [text(sent.get(name)) for name in (*names, "shipment_status", "current_status")]
    return event_id_of("body", awb, list(references), said, _told(sent.get("scans")))


def _told(scans: object) -> list[list[str]]:
    names = ("date", "status", "activity", "location", "sr-status", "sr-status-label")
    listed = [mapping(scan) for scan in scans] if isinstance(scans, list) else []
    return [[text(scan.get(name)) for name in names] for scan in listed]
