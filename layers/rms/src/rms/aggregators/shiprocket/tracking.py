"""Where shipments are, asked for at most 50 at a time. Source: Shiprocket guide, section 9.

A scan has no order id here, and its time is the scan's own, while a webhook carries the time at which it was sent. So
an event id here is never that of a webhook, and one scan always has the same one. Told already or not is settled by
time: a webhook's time is never before that of the scan that it tells of. The other way round a webhook may hold the
scan it tells of, and so knows what id that has here.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Account,
    RawStatus,
    Shipment,
    ShipmentUpdate,
    Sighting,
    Unauthorized,
    Unknown,
)
from rms.aggregators.reading import mapping, text, whole
from rms.aggregators.shiprocket.account import Settings
from rms.aggregators.shiprocket.answers import Class, Failure, awb_of, body_of, failure_of, yes
from rms.aggregators.shiprocket.booking import post
from rms.aggregators.shiprocket.statuses import meanings
from rms.aggregators.shiprocket.times import read_time
from rms.aggregators.shiprocket.webhook import code_of, event_id_of, qc_of, tracked_id
from rms.aggregators.shiprocket.webhook import failure_of as qc_failure_of
from rms.model.notification_type import NotificationType
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import JsonValue

TRACKED_AT_ONCE: Final = 50
_SUCCESS: Final = range(200, 300)


def track(account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
    """The call that asks where these shipments are."""
    return post(Settings.of(account), "/courier/track/awbs", {"awbs": [shipment.awb for shipment in shipments]})


def read_tracking(
    answer: HttpAnswer | NoAnswer, received_at: datetime
) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
    """The scans of all shipments in the answer, oldest first. One that is not known, or not scanned yet, has none."""
    body = body_of(answer) if isinstance(answer, HttpAnswer) and answer.status in _SUCCESS else None
    tracked = _tracked(body)
    if tracked is None:
        return _not_read(answer)
    updates = (update for awb, data in tracked.items() for update in _updates(awb, data, received_at))
    return tuple(sorted(updates, key=lambda update: update.scan.occurred_at))


def _tracked(body: JsonValue) -> Mapping[str, Mapping[str, Any]] | None:
    """Tracking data by AWB; None when the body is no map of them. PHP writes an empty map as a list, too."""
    maps = body if isinstance(body, list) else [body]
    if not all(isinstance(each, dict) for each in maps):
        return None
    pairs = [(awb_of(key), mapping(value)) for each in maps for key, value in mapping(each).items()]
    found = {awb: mapping(value.get("tracking_data")) or value for awb, value in pairs if awb}
    complains = [awb for awb, data in found.items() if "track_status" not in data]
    return None if complains else found


def _not_read(answer: HttpAnswer | NoAnswer) -> Unknown | Unauthorized:
    match failure_of(answer, "track"):
        case Failure(Class.RENEW):
            return Unauthorized()
        case Failure(_, refusal):
            return Unknown(text(f"Shiprocket does not track ({refusal.code}): {refusal.words}", MAX_WORDS))
        case unknown:
            return unknown


def _updates(awb: str, data: Mapping[str, Any], received_at: datetime) -> Iterator[ShipmentUpdate]:
    if not yes(data.get("track_status")):
        return
    tracks = data.get("shipment_track")
    courier = text(mapping(tracks[0] if isinstance(tracks, list) and tracks else {}).get("courier_name")) or None
    listed = data.get("shipment_track_activities")
    scans = [mapping(scan) for scan in listed] if isinstance(listed, list) else []
    timed = [(at, scan) for scan in scans if (at := read_time(scan.get("date"))) is not None]
    named = [(at, scan, whole(scan.get("sr-status"))) for at, scan in timed]
    for at, scan, status in named:
        if status is not None:
            yield _update(awb, status, at, scan, data, courier)
    # Scans may lack their status: then only the shipment's own one says how far it is, as of the newest scan.
    now = whole(data.get("shipment_status"))
    if now is not None and now not in {status for _, _, status in named}:
        newest = max((at for at, _ in timed), default=None)
        stamp = newest.isoformat() if newest else ""
        event_id = event_id_of("tracking", awb, now, stamp)
        yield _update(awb, now, newest or received_at, {}, data, courier, event_id)


def _update(  # noqa: PLR0913, PLR0917 - one scan, whole
    awb: str,
    status: int,
    at: datetime,
    scan: Mapping[str, Any],
    data: Mapping[str, Any],
    courier: str | None,
    event_id: str | None = None,
) -> ShipmentUpdate:
    said = text(scan.get("sr-status-label"))
    named = meanings(None, status, (said,))
    # The courier's own words, `activity`, may name who delivers, so that they are not passed on.
    raw = RawStatus(code_of(None, status), said, location=text(scan.get("location")))
    found = mapping(data.get("qc_response"))
    is_result = any(meaning.qc for meaning in named)
    reason, image = (found.get("qc_failed_reason"), found.get("qc_image")) if is_result else (None, None)
    checked = qc_of(named, said, reason, image)
    is_other = NotificationType.OTHER in {meaning.name for meaning in named}
    return ShipmentUpdate(
        event_id=event_id or tracked_id(awb, status, at),
        awb=awb,
        scan=Sighting(raw, at, named[0].name, named[1].name),
        courier=courier,
        failure_code=qc_failure_of(checked),
        metadata={**checked, **({"Status Code": raw.code, "Shipment Status": said} if is_other else {})},
        timed=event_id is None,
    )
