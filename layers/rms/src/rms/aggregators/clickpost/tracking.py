"""Clickpost's answer to track-order: the scans of parcels, each with the id that its webhook has.

Source: ClickPost guide, section 8.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rms.aggregators.clickpost.answers import asked_for
from rms.aggregators.clickpost.statuses import DELIVERY_FAILED
from rms.aggregators.clickpost.times import read_time
from rms.aggregators.clickpost.webhook import read_scan
from rms.aggregators.contract import ShipmentUpdate, Unknown, UnreadableWebhookError
from rms.aggregators.reading import mapping, text, whole
from rms.platform.http import HttpAnswer, NoAnswer

_CODE: Final = "clickpost_status_code"


def read_tracking(answer: HttpAnswer | NoAnswer, received_at: datetime) -> Sequence[ShipmentUpdate] | Unknown:
    """The scans of all parcels in an answer, oldest first. A parcel that Clickpost does not know has none.

    A scan without a code or a time is left out: it could not be told apart from the others.
    """
    body = asked_for(answer)
    if isinstance(body, Unknown):
        return body
    updates = {
        update.event_id: update
        for awb, entry in mapping(body["result"]).items()
        for update in _updates(awb, mapping(entry), received_at)
    }
    return tuple(sorted(updates.values(), key=lambda update: update.scan.occurred_at))


def _updates(awb: str, entry: Mapping[str, Any], received_at: datetime) -> Iterator[ShipmentUpdate]:
    additional, scans = mapping(entry.get("additional")), entry.get("scans")
    if entry.get("valid") is False or not isinstance(scans, list):
        return
    courier = {
        "cp_id": additional.get("courier_partner_id"),
        "courier_name": additional.get("courier_partner_name") or additional.get("courier_name"),
    }
    # What the whole parcel's entry says of a failed delivery was said of the newest one; scans come newest first.
    ndr = {"ndr_status_code": mapping(additional.get("ndr")).get("ndr_bucket_code")}
    listed = [mapping(scan) for scan in scans]
    failed = next((scan for scan in listed if whole(scan.get(_CODE)) == DELIVERY_FAILED), None)
    for scan in reversed(listed):
        if text(scan.get(_CODE)) and read_time(scan.get("timestamp")) is not None:
            told = {**courier, **scan, "waybill": awb, "additional": ndr if scan is failed else {}}
            try:
                yield read_scan(told, received_at)
            except UnreadableWebhookError:
                continue  # an AWB, say, that is too long to be one
