"""Clickpost under the aggregator suite. Its bodies are told in `events/clickpost/README.md`."""

import json
from collections.abc import Mapping
from typing import Final

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.contract import (
    Booked,
    Cancelled,
    Direction,
    Label,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.model.notification_type import NotificationType as To
from tests.contract.adapters import (
    FORWARD,
    FORWARD_COD,
    FORWARD_PLAIN,
    ORDER,
    ORDER_WITH_QC,
    About,
    Adapter,
    Call,
    Expected,
    Reading,
    Step,
    Walk,
    an_account,
)

_REFERENCE: Final = "RMS-UTYGB72CFFLI3HVS"
_FORWARD_REFERENCE: Final = "RMF-W5VUQILYMBQ5PD6S"
_AWB: Final = "5277100004418"
_FORWARD_AWB: Final = "77120098314"
_REQUEST: Final = "RE40000000000007719"
_UNITS: Final = (("KL-KURTA-TEAL-M", 1), ("KL-STOLE-RUST", 2))
_FORWARD_OF_REQUEST: Final = ("77120088102", "KLF-4471-1", "KL-4471")
_SECURITY_KEY: Final = "6b0f3c1e-52d7-4f0a-9d55-0c2f7a1be901"
_FORWARD_SECURITY_KEY: Final = "c41d7a90-3f1b-4d0a-8a37-6e51f09b2c44"
_KEYS: Final = {"username": "kaveri-test", "key": "test-api-key-31c7"}
_BASE: Final = "https://clickpost.example/api"

_ACCOUNT: Final = an_account(
    "CLICKPOST",
    {"key": "test-api-key-31c7"},
    base_url=f"{_BASE}/",
    username="kaveri-test",
    courier_partner="25",
    account_code="kaveri-reverse",
    forward_courier_partner="4",
    forward_account_code="kaveri-forward",
    qc_params="brand, COLOR,IMAGES",
    channel_name="web",
)

# ── walks ───────────────────────────────────────────────────────────────────────────

_BOOKED: Final = Booked(
    awb=_AWB,
    courier="Delhivery",
    order_id="208855431",
    metadata={
        "Account Code": "kaveri-reverse",
        "Courier Partner Id": "25",
        "Security Key": _SECURITY_KEY,
        "Sort Code": "BLR/KRG",
        "Tracking Id": "731400112",
    },
)
_BOOKED_BEFORE: Final = Booked(
    awb=_AWB,
    courier="Delhivery",
    order_id="208855431",
    label_url="https://labels.example.net/delhivery/5277100004418.pdf",
    metadata={
        "Account Code": "kaveri-reverse",
        "Courier Partner Id": "25",
        "Security Key": _SECURITY_KEY,
        "Tracking Id": "731400112",
    },
)
_BOOKED_FORWARD: Final = Booked(
    awb=_FORWARD_AWB,
    courier="Delhivery",
    order_id="208861907",
    label_url="https://labels.example.net/delhivery/77120098314.pdf",
    metadata={
        "Account Code": "kaveri-forward",
        "Courier Partner Id": "4",
        "Security Key": _FORWARD_SECURITY_KEY,
        "Sort Code": "MAA/KCH",
        "Tracking Id": "731455820",
    },
)


def _create(body: str, answer: str, name: str = "create-order") -> tuple[Step, ...]:
    return (Step(name, Call("POST", f"{_BASE}/v3/create-order/", _KEYS, body=body), answer),)


_REVERSE: Final = "booking.request.json"
_FORWARD: Final = "forward.request.json"
_WALKS: Final = {
    "return": Walk(ORDER, _create(_REVERSE, "booking.booked.response.json"), _BOOKED),
    "return with doorstep QC": Walk(
        ORDER_WITH_QC, _create("booking.doorstep_qc.request.json", "booking.booked.response.json"), _BOOKED
    ),
    "return booked before": Walk(ORDER, _create(_REVERSE, "booking.duplicate_323.response.json"), _BOOKED_BEFORE),
    "search finds": Walk(
        ORDER,
        _create(_REVERSE, "booking.duplicate_323.response.json", "create-order-again"),
        _BOOKED_BEFORE,
        searching=True,
    ),
    "search books": Walk(
        ORDER, _create(_REVERSE, "booking.booked.response.json", "create-order-again"), _BOOKED, searching=True
    ),
    "forward": Walk(FORWARD, _create(_FORWARD, "forward.booked.response.json"), _BOOKED_FORWARD),
    "forward cash on delivery": Walk(
        FORWARD_COD, _create("forward.cod.request.json", "forward.booked.response.json"), _BOOKED_FORWARD
    ),
    "forward with the least": Walk(
        FORWARD_PLAIN, _create("forward.plain.request.json", "forward.booked.response.json"), _BOOKED_FORWARD
    ),
    "forward search": Walk(
        FORWARD,
        _create(_FORWARD, "forward.booked.response.json", "create-order-again"),
        _BOOKED_FORWARD,
        searching=True,
    ),
}
_ANY_STATUS: Final = (200, 400, 500)
_NOT_SERVED: Final = Refused(RefusalKind.SERVICEABILITY, "319", "Reverse pickup not available from pincode 793119")
_BAD_REQUEST: Final = Refused(
    RefusalKind.CALLER, "400", '{"pickup_info": {"pickup_pincode": ["Ensure this field has 6 digits."]}}'
)
_WRONG_KEY: Final = Refused(RefusalKind.CONFIGURATION, "301", "Username or key is invalid")
_READINGS: Final = (
    *(
        Reading(walk, 0, answer, Working)
        for walk in ("return", "search finds", "forward")
        for answer in ("booking.queued_202.response.json", "booking.processing_102.response.json")
    ),
    Reading("return", 0, "booking.refused_by_carrier_319.response.json", _NOT_SERVED, _ANY_STATUS),
    Reading("return", 0, "booking.bad_request_400.response.json", _BAD_REQUEST, _ANY_STATUS),
    Reading("return", 0, "booking.wrong_key_301.response.json", _WRONG_KEY, _ANY_STATUS),
    Reading("forward", 0, "booking.wrong_key_301.response.json", _WRONG_KEY, _ANY_STATUS),
    # A search believes only refusals that prove that nothing is booked.
    Reading("search finds", 0, "booking.refused_by_carrier_319.response.json", _NOT_SERVED),
    Reading("search finds", 0, "booking.bad_request_400.response.json", _BAD_REQUEST),
    Reading("search finds", 0, "booking.wrong_key_301.response.json", Unknown),
)

# ── after the booking ───────────────────────────────────────────────────────────────

_RETURNED: Final = Shipment(Direction.RETURN, _REFERENCE, _AWB, "Delhivery", "208855431", {"Courier Partner Id": "25"})
_SENT: Final = Shipment(
    Direction.FORWARD, _FORWARD_REFERENCE, _FORWARD_AWB, "Delhivery", "208861907", {"Courier Partner Id": "4"}
)
_SENT_TOO: Final = Shipment(Direction.FORWARD, "RMF-OTHER", "77120098329", "Delhivery", "208861911")


def _cancel(awb: str, courier: str, account: str) -> Call:
    query = {**_KEYS, "waybill": awb, "cp_id": courier, "account_code": account}
    return Call("GET", f"{_BASE}/v1/cancel-order/", query)


# ── webhooks and scans ──────────────────────────────────────────────────────────────


_scan: Final = About(_AWB, is_return=True, references=(_REFERENCE,), current=True).says
_request: Final = About(
    is_return=True, references=(_REQUEST,), forward_references=_FORWARD_OF_REQUEST, current=True
).says
_pulled: Final = About(_AWB).says
_pulled_forward: Final = About(_FORWARD_AWB).says

_WEBHOOKS: Final[Mapping[str, Expected | tuple[Expected, ...]]] = {
    "webhook.order_placed.json": _scan(To.SHIPPING_LABEL_GENERATED, To.AWB_GENERATED, "2026-02-03T18:41:07", "1"),
    "webhook.out_for_pickup_selected.json": _scan(To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, "2026-02-04T09:12:44", "25"),
    "webhook.pickup_rescheduled_npr6.json": _scan(
        To.PICKUP_CANCELLED, To.PICKUP_RESCHEDULED, "2026-02-04T13:30:05", "3", failure="NPR 6"
    ),
    "webhook.pickup_qc_failed_npr3.json": _scan(
        To.PICKUP_CANCELLED, To.PICKUP_CANCELLED, "2026-02-05T11:02:59", "3", failure="NPR 3"
    ),
    "webhook.picked_up.json": _scan(
        To.PICKED_UP,
        To.RETURN_PICKED_UP,
        "2026-02-05T15:48:31",
        "4",
        is_return=None,
        metadata={"Account Code": "kaveri-reverse"},
    ),
    "webhook.in_transit.json": _scan(
        To.IN_TRANSIT,
        To.IN_TRANSIT,
        "2026-02-06T02:15:10.482913",
        "5",
        is_return=None,
        references=(),
        current=None,
        metadata={"Account Code": "kaveri-reverse"},
    ),
    "webhook.late_in_transit.json": _scan(
        To.IN_TRANSIT, To.IN_TRANSIT, "2026-02-06T04:40:00", "5", current=To.DELIVERED
    ),
    "webhook.delivered_selected.json": _scan(
        To.DELIVERED,
        To.DELIVERED,
        "2026-02-07T10:05:36",
        "8",
        metadata={"Account Code": "kaveri-reverse", "Security Key": _SECURITY_KEY},
    ),
    "webhook.forward_delivery_failed_ndr2.json": _scan(
        To.FAILED_DELIVERY,
        To.FAILED_DELIVERY,
        "2026-01-22T17:20:48",
        "9",
        awb=_FORWARD_AWB,
        is_return=False,
        references=("KLF-4502-1",),
        failure="NDR 2",
    ),
    "webhook.forward_rto.json": _scan(
        To.RTO,
        To.OTHER,
        "2026-01-23T08:01:00",
        "12",
        awb=_FORWARD_AWB,
        is_return=False,
        references=("KLF-4502-1",),
        metadata={"Status Code": "12", "Status Description": "RTO", "Status": "RTO", "Notification Event": "6"},
    ),
    "webhook.stuck_event17.json": _scan(To.SHIPMENT_STUCK, To.SHIPMENT_STUCK, "2026-02-06T02:15:10", "5"),
    "webhook.sla_breached_event18.json": _scan(To.SLA_BREACHED, To.SLA_BREACHED, "2026-02-11T08:30:00", "6"),
    "webhook.unknown_code.json": _scan(
        To.OTHER,
        To.OTHER,
        "2026-02-06T21:07:55",
        "1006",
        references=(),
        current=None,
        metadata={"Status Code": "1006", "Status Description": "LinehaulDeparted", "Status": "Line haul"},
    ),
    "webhook.numbers_and_texts.json": _scan(
        To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY, "2026-02-07T07:44:02", "6", references=(), current=None
    ),
    "webhook.return_placed.json": _request(
        To.RETURN_ORDER_PLACED,
        To.RETURN_ORDER_PLACED,
        "2026-02-02T11:18:03",
        "101",
        announces=(_REQUEST, "KL-4471", _UNITS),
    ),
    "webhook.return_placed_2020.json": _request(
        To.RETURN_ORDER_PLACED,
        To.RETURN_ORDER_PLACED,
        "2026-02-02T11:20:41.118204",
        "101",
        references=(),
        forward_references=("77120088102", "KLF-4471-1"),
        announces=("", "KLF-4471-1", _UNITS),
    ),
    "webhook.return_approved_wrapped.json": _request(
        To.OTHER,
        To.OTHER,
        "2026-02-02T19:05:12.704411",
        "102",
        metadata={
            "Status Code": "102",
            "Status Description": "Return Request Approved",
            "Status": "Return Request Approved",
            "Notification Event": "22",
        },
    ),
    "webhook.awb_generated_event9.json": _request(
        To.AWB_GENERATED,
        To.AWB_GENERATED,
        "2026-02-03T18:41:09",
        "101",
        awb=_AWB,
        metadata={"Account Code": "kaveri-reverse"},
    ),
}

_TRACKED_RETURN: Final = (
    _pulled(To.SHIPPING_LABEL_GENERATED, To.AWB_GENERATED, "2026-02-03T18:41:07", "1"),
    _pulled(To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, "2026-02-04T09:12:44", "25"),
    _pulled(To.PICKED_UP, To.RETURN_PICKED_UP, "2026-02-05T15:48:31", "4"),
    _pulled(To.DELIVERED, To.DELIVERED, "2026-02-07T10:05:36", "8"),
)

ADAPTER: Final = Adapter(
    adapter=Clickpost(),
    folder="clickpost",
    account=_ACCOUNT,
    walks=_WALKS,
    readings=_READINGS,
    door={
        401: RefusalKind.CONFIGURATION,
        403: RefusalKind.CONFIGURATION,
        404: RefusalKind.CALLER,
        405: RefusalKind.CALLER,
        406: RefusalKind.CALLER,
    },
    label_call=Call(
        "GET",
        f"{_BASE}/v1/fetch/shippinglabel/",
        {**_KEYS, "waybill": _FORWARD_AWB, "cp_id": "4", "regenerate": "false"},
    ),
    labels={
        ("label.found.response.json", 200): Label("https://labels.example.net/delhivery/77120098314.pdf"),
        ("label.not_yet.response.json", 200): Working,
        ("booking.wrong_key_301.response.json", 200): RefusalKind.CONFIGURATION,
        ("label.failed_500.response.json", 200): Unknown,
    },
    cancel_calls={
        Direction.RETURN: _cancel(_AWB, "25", "kaveri-reverse"),
        Direction.FORWARD: _cancel(_FORWARD_AWB, "4", "kaveri-forward"),
    },
    cancels={
        ("cancel.done_600.response.json", 200): Cancelled(),
        ("cancel.later_202.response.json", 200): Cancelled(later=True),
        ("cancel.later_202.response.json", 202): Cancelled(later=True),
        ("cancel.too_late_350.response.json", 400): RefusalKind.CALLER,
        ("booking.wrong_key_301.response.json", 200): RefusalKind.CONFIGURATION,
    },
    shipments={Direction.RETURN: _RETURNED, Direction.FORWARD: _SENT},
    track_call=Call(
        "GET",
        f"{_BASE}/v2/track-order/",
        {**_KEYS, "waybill": f"{_FORWARD_AWB},77120098329", "cp_id": "4"},
    ),
    tracked=(_SENT, _SENT_TOO),
    tracking={
        "track.return.response.json": _TRACKED_RETURN,
        "track.one_of_two.response.json": (
            _pulled_forward(To.FAILED_DELIVERY, To.FAILED_DELIVERY, "2026-01-22T17:20:48", "9", failure="NDR 2"),
            _pulled_forward(
                To.RTO,
                To.OTHER,
                "2026-01-23T08:01:00",
                "12",
                metadata={"Status Code": "12", "Status Description": "RTO", "Status": "RTO"},
            ),
        ),
        "track.nothing_known.response.json": (),
    },
    webhooks=_WEBHOOKS,
    same_scans={
        "webhook.order_placed.json": "track.return.response.json",
        "webhook.out_for_pickup_selected.json": "track.return.response.json",
        "webhook.picked_up.json": "track.return.response.json",
        "webhook.delivered_selected.json": "track.return.response.json",
        "webhook.forward_delivery_failed_ndr2.json": "track.one_of_two.response.json",
        "webhook.forward_rto.json": "track.one_of_two.response.json",
    },
    unknown_status=json.dumps({"waybill": _AWB, "clickpost_status_code": 4077, "status": "Zeppelin left"}).encode(),
    unknown_status_code="4077",
    takes_lists=True,
    typed=frozenset({"status", "order_id"}),
    repeats_safely=True,
)
