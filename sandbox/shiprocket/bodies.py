"""Shiprocket's JSON: answers and webhook bodies, in the shapes that its guide shows. All times are India's.

Source: Shiprocket guide, sections 4 to 6 and 8 to 10.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from sandbox.partner import Parcel, Scan
from sandbox.shiprocket.orders import Order, ids_of
from sandbox.shiprocket.settings import Settings
from sandbox.shiprocket.statuses import QC_IMAGE, QC_REASON, STATUSES, Courier

type Json = dict[str, Any]

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
_YEAR_FIRST: Final = "%Y-%m-%d %H:%M:%S"
_DAY_FIRST: Final = "%d %m %Y %H:%M:%S"
_LISTED: Final = "%d %b %Y, %I:%M %p"
NOT_SCANNED: Final = "Aahh! There is no activities found in our DB. Please have some patience it will be updated soon."


def complaint(message: str, status: int) -> Json:
    """An error with a text."""
    return {"message": message, "status_code": status}


def invalid(errors: dict[str, list[str]]) -> Json:
    """An error with a field map."""
    return {"message": "Oops! Invalid Data.", "errors": errors, "status_code": 422}


def created(order: Order) -> Json:
    """The answer to create order and create return."""
    code, text = order.status
    answer = {"order_id": order.order_id, "shipment_id": order.shipment_id, "status": text, "status_code": code}
    if order.is_return:
        return {**answer, "company_name": "Sandbox Retail"}
    return {**answer, "onboarding_completed_now": 0, "awb_code": order.awb or None, "courier_name": None}


def served(couriers: Sequence[Courier]) -> Json:
    """The answer to serviceability: the first courier is the recommended one."""
    return {
        "currency": "INR",
        "status": 200,
        "data": {
            "available_courier_companies": [
                {
                    "courier_company_id": courier.id,
                    "courier_name": courier.name,
                    "rate": courier.rate,
                    "cod": int(courier.cod),
                    "qc_courier": int(courier.qc),
                    "blocked": 0,
                    "etd": "Jul 03, 2026",
                    "estimated_delivery_days": "4",
                    "rating": 4.2,
                    "suppression_dates": None,
                }
                for courier in couriers
            ],
            "blocked_courier_companies": [],
            "recommended_courier_company_id": couriers[0].id if couriers else None,
        },
    }


def assigned(order: Order, at: datetime) -> Json:
    """The answer to assign AWB."""
    data = {
        "courier_company_id": order.courier.id if order.courier else None,
        "awb_code": order.awb,
        "order_id": order.order_id,
        "shipment_id": order.shipment_id,
        "awb_code_status": 1,
        "assigned_date_time": {
            "date": in_india(at, f"{_YEAR_FIRST}.%f"),
            "timezone_type": 3,
            "timezone": "Asia/Kolkata",
        },
        "applied_weight": 0.5,
        "courier_name": order.courier_name,
        "pickup_scheduled_date": in_india(at + timedelta(days=1), _YEAR_FIRST),
        "routing_code": "",
    }
    return {"awb_assign_status": 1, "response": {"data": data}}


def not_assigned(order: Order, words: str) -> Json:
    """No AWB, under HTTP 200."""
    data = {"awb_assign_error": words, "awb_code": "", "order_id": order.order_id, "shipment_id": order.shipment_id}
    return {"awb_assign_status": 0, "response": {"data": data}}


def picked(order: Order, at: datetime) -> Json:
    """The answer to pickup."""
    return {
        "pickup_status": 1,
        "response": {
            "pickup_scheduled_date": in_india(at + timedelta(days=1), _YEAR_FIRST),
            "pickup_token_number": f"Reference No: SBX_{order.shipment_id}",
            "status": 3,
            "others": '{"tier_id":5}',
            "data": f"Pickup is confirmed For AWB :- {order.awb}",
        },
    }


def labelled(order: Order, base: str) -> Json:
    """The answer to generate label."""
    return {
        "label_created": 1,
        "label_url": f"{base}/shipping-label-{order.shipment_id}-{order.awb}.pdf",
        "response": "Label has been created and uploaded successfully!",
        "not_created": [],
    }


def page(orders: Sequence[Order], number: int, size: int) -> Json:
    """One page of a list, newest first as given. `shipments` is a list here."""
    rows = [_row(order) for order in orders[(number - 1) * size : number * size]]
    pagination = {
        "total": len(orders),
        "count": len(rows),
        "per_page": size,
        "current_page": number,
        "total_pages": -(-len(orders) // size),
        "links": {},
    }
    return {"data": rows, "meta": {"pagination": pagination}}


def _row(order: Order) -> Json:
    code, text = order.status
    row: Json = {
        "id": order.order_id,
        "channel_id": order.channel_id,
        "channel_order_id": order.reference,
        "status": text,
        "status_code": code,
        "payment_method": "prepaid",
        "created_at": in_india(order.created_at, _LISTED),
        "shipments": [{"awb": order.awb, "courier": order.courier_name}],
    }
    if order.is_return:
        return {**row, "shipment_id": order.shipment_id}
    row["shipments"][0]["id"] = order.shipment_id
    return row


def shown(order: Order) -> Json:
    """One order. `shipments` is an object here."""
    code, text = order.status
    image, reason = _qc(order, order.parcel.latest if order.parcel else None)
    return {
        "data": {
            "id": order.order_id,
            "channel_id": order.channel_id,
            "channel_order_id": order.reference,
            "status": text,
            "status_code": code,
            "is_return": int(order.is_return),
            "shipments": {
                "id": order.shipment_id,
                "order_id": order.order_id,
                "awb": order.awb or None,
                "awb_assign_date": None,
                "courier": order.courier_name,
                "courier_id": order.courier.id if order.courier else "",
                "status": "PENDING",
            },
            "awb_data": {"awb": order.awb},
            "qc_status": "",
            "qc_reason": reason,
            "qc_image": image,
            "delivered_date": "0000-00-00 00:00:00",
        }
    }


def tracked(order: Order) -> Json:
    """One AWB's entry in an answer of tracking, newest scan first."""
    newest = order.parcel.latest if order.parcel else None
    if order.parcel is None or newest is None:
        return {"tracking_data": {"track_status": 0, "error": NOT_SCANNED}}
    status, text = ids_of(newest.code, newest, is_return=order.is_return)[1]
    image, reason = _qc(order, newest)
    track = {
        "awb_code": order.awb,
        "courier_company_id": order.courier.id if order.courier else None,
        "shipment_id": order.shipment_id,
        "order_id": order.order_id,
        "current_status": text,
        "courier_name": order.courier_name,
        "pickup_date": None,
        "delivered_date": None,
        "edd": None,
    }
    return {
        "tracking_data": {
            "track_status": 1,
            "shipment_status": status,
            "shipment_track": [track],
            "shipment_track_activities": _activities(order, order.parcel.scans)[::-1],
            "track_url": f"https://track.example/{order.awb}",
            "etd": in_india(order.created_at + timedelta(days=4), _YEAR_FIRST),
            "qc_response": {"qc_image": image, "qc_failed_reason": reason},
        }
    }


def _activities(order: Order, scans: Iterable[Scan]) -> list[Json]:
    return [_activity(order, scan) for scan in sorted(scans, key=lambda scan: scan.at)]


def _activity(order: Order, scan: Scan) -> Json:
    number, text = ids_of(scan.code, scan, is_return=order.is_return)[1]
    return {
        "date": in_india(scan.at, _YEAR_FIRST),
        "status": STATUSES[scan.code].courier_code if scan.code in STATUSES else "OTH",
        "activity": scan.words,
        "location": scan.location,
        "sr-status": "NA" if number is None else str(number),
        "sr-status-label": "NA" if number is None else text,
    }


def _qc(order: Order, scan: Scan | None) -> tuple[str, str]:
    if scan is None or scan.code != "qc_failed":
        return "", ""
    return QC_IMAGE.format(awb=order.awb), QC_REASON


def webhook(order: Order, parcel: Parcel, scan: Scan, settings: Settings) -> Json:
    """The webhook for a scan, with all scans up to it, oldest first."""
    sent = scan.at + timedelta(seconds=settings.webhook_lag_seconds)
    in_orders, in_shipments = ids_of(scan.code, scan, is_return=order.is_return)
    image, reason = _qc(order, scan)
    suffix = f"_{order.order_id}" if settings.suffixes_references else ""
    direction = {"is_return": int(order.is_return)} if settings.states_is_return else {}
    return {
        "awb": parcel.awb,
        "courier_name": order.courier_name,
        "current_status": in_orders[1],
        "current_status_id": in_orders[0],
        "shipment_status": in_shipments[1],
        "shipment_status_id": in_shipments[0],
        "current_timestamp": in_india(sent, _DAY_FIRST),
        "order_id": order.reference + suffix,
        "sr_order_id": order.order_id,
        "awb_assigned_date": in_india(parcel.booked_at, _YEAR_FIRST),
        "pickup_scheduled_date": in_india(parcel.booked_at + timedelta(days=1), _YEAR_FIRST),
        "etd": in_india(order.created_at + timedelta(days=4), _YEAR_FIRST),
        "scans": _activities(order, (each for each in parcel.scans if each.at <= scan.at)),
        **direction,
        "channel_id": order.channel_id,
        "pod_status": "",
        "pod": "Not Available",
        "qc_image": image,
        "qc_failure_reason": reason,
    }


def in_india(moment: datetime, form: str) -> str:
    """A moment as India's clocks show it."""
    return moment.astimezone(IST).strftime(form)
