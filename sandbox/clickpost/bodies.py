"""Clickpost's JSON: answers and webhook bodies, in the shapes that its guide and examples show.

Tracking times are India's although they end in Z; `created_at` is UTC. Both are Clickpost's own peculiarities.
Source: ClickPost guide, sections 5 to 8, 13 and 17.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from sandbox.clickpost.parcels import Parcel, PortalReturn, Scan
from sandbox.clickpost.settings import Settings, TimeForm
from sandbox.clickpost.statuses import DELIVERY_FAILURES, PICKUP_FAILURES, STATUSES

type Json = dict[str, Any]

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
_TIME_FORMS: Final[Mapping[TimeForm, str]] = {
    "zulu": "%Y-%m-%dT%H:%M:%SZ",
    "space": "%Y-%m-%d %H:%M:%S",
    "microseconds": "%Y-%m-%d %H:%M:%S.%f",
}
_RETURN_BUCKET: Final = 8
AWB_GENERATED_EVENT: Final = 9
RETURN_EVENTS: Final = {
    11: (101, "Return Request Placed"),
    22: (102, "Return Request Approved"),
    23: (103, "Return Request Rejected"),
}
"""Portal events with their status code and text. 103 is invented: Clickpost publishes no code for a rejection."""


# ── answers ─────────────────────────────────────────────────────────────────────────


def meta(status: int, message: object, *, success: bool | None = None) -> Json:
    """An answer of `meta` only, as errors are."""
    usual = status in {200, 600}
    return {"meta": {"status": status, "success": usual if success is None else success, "message": message}}


def fresh_booking(parcel: Parcel) -> Json:
    """Answer 200 to create order: `result.order_id` is the caller's, the top-level one is Clickpost's."""
    return {
        **meta(200, "Order Placed Successfully"),
        "result": {
            "reference_number": parcel.reference,
            "label": parcel.label,
            "waybill": parcel.awb,
            "sort_code": "SBX/HUB",
            "courier_partner_id": parcel.courier,
            "courier_name": parcel.courier_name,
            "order_id": parcel.order_id,
            "security_key": parcel.security_key,
        },
        "order_id": parcel.clickpost_order_id,
        "tracking_id": parcel.tracking_id,
    }


def known_booking(parcel: Parcel, status: int, message: str) -> Json:
    """Answer 323 to create order and 200 to get order: here both ids are Clickpost's and stand in `result`."""
    return {
        **meta(status, message, success=True),
        "result": {
            "label": parcel.label,
            "waybill": parcel.awb,
            "reference_number": parcel.reference,
            "security_key": parcel.security_key,
            "sort_code": None,
            "courier_name": parcel.courier_name,
            "courier_partner_id": parcel.courier,
            "order_id": parcel.clickpost_order_id,
            "tracking_id": parcel.tracking_id,
        },
    }


def queued_booking(reference: str, clickpost_order_id: int, *, processing: bool) -> Json:
    """Answer 202 or 102 to create order: no AWB yet."""
    head = (
        meta(102, "We are processing your order", success=False)
        if processing
        else meta(202, "Order Placed Successfully", success=True)
    )
    return {
        **head,
        "order_id": clickpost_order_id,
        "result": {"reference_number": reference, "waybill": None, "label": None, "sort_code": None},
    }


def tracked(parcel: Parcel) -> Json:
    """One parcel's entry in the answer of track order, newest scan first."""
    scans = [_pulled(parcel, scan) for scan in reversed(parcel.scans)]
    order = parcel.order
    failure = next((scan.ndr for scan in reversed(parcel.scans) if scan.ndr is not None), None)
    return {
        "latest_status": {key: scans[0][key] for key in scans[0] if key not in {"checkpoint_id", "tracking_id"}}
        if scans
        else None,
        "scans": scans,
        "valid": True,
        "additional": {
            "is_stuck": False,
            "order_id": parcel.order_id,
            "sku": list(order.skus) if order else [],
            "edd": {"max_sla": 4, "min_sla": 2, "exact_sla": None},
            "invoice_number": order.invoice_number if order else "",
            "pickup_city": order.pickup_city if order else "",
            "drop_city": order.drop_city if order else "",
            "cod_value": order.cod_value if order else 0,
            "currency_code": "INR",
            "courier_partner_edd": None,
            "channel_name": None,
            "qc_images": [],
            "ndr": {
                "ndr_bucket_code": failure,
                "ndr_description": None if failure is None else DELIVERY_FAILURES.get(failure, "Other"),
            },
            "courier_partner_id": parcel.courier,
            "courier_partner_name": parcel.courier_name,
        },
    }


def _pulled(parcel: Parcel, scan: Scan) -> Json:
    return {
        "timestamp": _in_india(scan.at, "space"),
        "location": scan.location,
        "remark": scan.remark,
        "status": scan.words,
        "clickpost_status_code": scan.code,
        "checkpoint_id": scan.number,
        "tracking_id": parcel.tracking_id,
        "created_at": scan.seen_at.astimezone(UTC).strftime(_TIME_FORMS["space"]),
        "clickpost_status_description": scan.description,
        **_bucket(scan.code),
    }


# ── webhooks ────────────────────────────────────────────────────────────────────────


def scan_webhook(parcel: Parcel, scan: Scan, settings: Settings) -> Json:
    """The webhook for a scan. `latest_status` is what the parcel's status is when this is built."""
    body = _status(scan, settings)
    latest = parcel.latest or scan
    extra: Json = {
        "order_id": parcel.order_id,
        "courier_partner_edd": None,
        "latest_status": {
            **_status(latest, settings),
            **_bucket(latest.code),
            "reference_number": parcel.reference,
        },
    }
    if settings.is_rvp != "absent":
        extra["is_rvp"] = parcel.is_return if settings.is_rvp == "stated" else None
    event = event_of(scan.code)
    if settings.webhook_shape == "selected" and event is not None:
        extra["notification_event_id"] = event
    if scan.npr is not None:
        extra["npr_status_code"] = scan.npr
        extra["npr_status_description"] = PICKUP_FAILURES.get(scan.npr, "Other")
    if scan.ndr is not None:
        extra["ndr_status_code"] = scan.ndr
        extra["ndr_status_description"] = DELIVERY_FAILURES.get(scan.ndr, "Other")
    return {
        "waybill": parcel.awb,
        "cp_id": parcel.courier,
        **body,
        "account_code": parcel.account_code or None,
        "additional": extra,
    }


def return_webhook(placed: PortalReturn, event: int, occurred_at: datetime, settings: Settings) -> Json:
    """The webhook of a portal return: placed 11, approved 22, rejected 23. No AWB, courier -1."""
    code, text = RETURN_EVENTS[event]
    at = _in_india(occurred_at, settings.time_form)
    status = {
        "status": text,
        "location": "",
        "clickpost_status_code": code,
        "clickpost_status_description": text,
        "clickpost_status_bucket": _RETURN_BUCKET,
        "clickpost_status_bucket_description": text if event == 11 else event,  # noqa: PLR2004 - as in its examples
        "remark": text,
        "timestamp": at,
    }
    body: Json = {
        "waybill": "",
        "cp_id": -1,
        **status,
        "notification_event": event,
        "account_code": "",
        "additional": {"latest_status": dict(status), **_of_return(placed, event)},
    }
    return {"payload": body, "internal": {"notification_event": event, "is_custom": True}} if settings.wrapped else body


def awb_webhook(parcel: Parcel, placed: PortalReturn, settings: Settings) -> Json:
    """The webhook of event 9: a portal return got its AWB. Its body is not published; this is our reading."""
    status = STATUSES[1]
    at = _in_india(parcel.booked_at, settings.time_form)
    now: Json = {
        "status": "AWB Generated",
        "location": "",
        "remark": "AWB generated for return request",
        "clickpost_status_code": status.code,
        "clickpost_status_description": status.description,
        "timestamp": at,
    }
    return {
        "waybill": parcel.awb,
        "cp_id": parcel.courier,
        **now,
        "notification_event": AWB_GENERATED_EVENT,
        "account_code": parcel.account_code or None,
        "additional": {
            "order_id": parcel.order_id,
            "latest_status": {**now, **_bucket(status.code), "reference_number": parcel.reference},
            **_of_return(placed, AWB_GENERATED_EVENT),
        },
    }


def event_of(code: int) -> int | None:
    """The notification event that a scan's code fires, or None."""
    status = STATUSES.get(code)
    return status.event if status else None


def _of_return(placed: PortalReturn, event: int) -> Json:
    return {
        "is_rvp": True,
        "forward_awb": placed.forward_awb,
        "forward_reference_number": placed.forward_reference,
        "forward_order_id": placed.forward_order_id,
        "notification_event_id": event,
        "self_shipped": False,
        "source": None,
        "item_info": [dict(item) for item in placed.items],
        "return_reference_number": placed.reference,
    }


def _status(scan: Scan, settings: Settings) -> Json:
    return {
        "status": scan.words,
        "location": scan.location,
        "remark": scan.remark,
        "clickpost_status_code": scan.code,
        "clickpost_status_description": scan.description,
        "timestamp": _in_india(scan.at, settings.time_form),
    }


def _bucket(code: int) -> Json:
    status = STATUSES.get(code)
    return {
        "clickpost_status_bucket": status.bucket if status else None,
        "clickpost_status_bucket_description": status.bucket_description if status else None,
    }


def _in_india(moment: datetime, form: TimeForm) -> str:
    return moment.astimezone(IST).strftime(_TIME_FORMS[form])
