"""What the aggregator suite must know of each adapter. A new aggregator is one more `Adapter` in `ADAPTERS`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from rms.aggregators.contract import Account, Booked, RefusalKind
from rms.model.notification_type import NotificationType as To
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpAnswer

EVENTS: Final = Path(__file__).parents[2] / "events"
NOW: Final = datetime(2026, 2, 3, 13, 10, 58, 250_000, tzinfo=UTC)
REFERENCE_CLIENT: Final = "kaveri-looms"

ORDER: Final = ReturnOrder(
    code="KLR-70031",
    forward_order_code="KL-4471",
    items=(
        ReturnItem(
            item_code="KLR-70031-1",
            sku="KL-KURTA-TEAL-M",
            reason="Size too large",
            name="Handloom kurta, teal, M",
            brand="Kaveri Looms",
            color="Teal",
            category="Apparel",
            sub_category="Kurta",
            price=Decimal("1890.50"),
            final_amount_paid=Decimal("1690.50"),
            image_url="https://img.kaverilooms.example/kurta-teal-1.jpg",
            store_credits_used=Decimal(200),
        ),
        ReturnItem(
            item_code="KLR-70031-2",
            sku="KL-STOLE-RUST",
            reason="Changed my mind",
            name="Cotton stole, rust",
            price=Decimal(640),
        ),
        ReturnItem(
            item_code="KLR-70031-3",
            sku="KL-STOLE-RUST",
            reason="Changed my mind",
            name="Cotton stole, rust",
            price=Decimal(640),
        ),
    ),
    location_code="HOSUR-1",
    currency="INR",
    region="INDIAN",
    reason="Size too large",
    seller_gstin="33AAKCK9021M1Z7",
    parcel=Parcel(
        length_cm=Decimal("30.2"), breadth_cm=Decimal(24), height_cm=Decimal("6.5"), weight_g=Decimal("820.4")
    ),
    drop=Address(
        name="Returns desk",
        line1="Plot 31, SIPCOT Phase 2",
        line2="Gate 2",
        line3=None,
        city="Hosur",
        state="Tamil Nadu",
        zip="635 109",
        country="India",
        email="returns@kaverilooms.example",
        phone="04344 900010",
    ),
    pickup=Address(
        name="Revathi Menon",
        line1="14 Lake View Road",
        line2="Second floor",
        line3="Panampilly Nagar",
        city="Kochi",
        state="Kerala",
        zip="682036",
        country="INDIA",
        email="revathi@mail.example",
        phone="+91 90000 04471",
    ),
    forward=ForwardOrder(
        cod_value=Decimal("3170.50"),
        is_cod=True,
        invoice_value=Decimal("3170.50"),
        invoice_number="KL/26/00871",
        # 01:15 on the next day in India
        invoice_time=datetime(2026, 1, 19, 19, 45, tzinfo=UTC),
        order_time=datetime(2026, 1, 18, 6, 0, tzinfo=UTC),
    ),
)
"""Three units, two of them alike, paid on delivery, no doorstep QC."""

ORDER_WITH_QC: Final = replace(
    ORDER,
    items=(replace(ORDER.items[0], doorstep_qc=True, serial_number="KL-SR-5520"),),
)
"""One unit that the courier is to check at the door."""


@dataclass(frozen=True)
class Expected:
    """What a webhook says, told apart from how the aggregator says it."""

    forward: To
    returned: To
    occurred_at: datetime
    awb: str | None = None
    is_return: bool | None = None
    code: str | None = None
    references: tuple[str, ...] = ()
    forward_references: tuple[str, ...] = ()
    current: To | None = None
    failure: str | None = None
    announces: tuple[str, str, tuple[tuple[str, int], ...]] | None = None
    """Return code, forward order and (SKU, quantity) pairs; an empty code stands for none."""

    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapter:
    """An adapter's examples: files under `events/{folder}`, and what each of them means."""

    name: str
    folder: str
    account: Account
    good_options: Mapping[str, str]
    good_secrets: Mapping[str, str]
    bookings: Mapping[str, ReturnOrder]
    """Request body by file, with the order that it books."""

    booking_url: str
    booking_query: Mapping[str, str]
    cancel_url: str
    cancel_query: Mapping[str, str]
    booked: Mapping[str, Booked]
    working: tuple[str, ...]
    refused: Mapping[str, tuple[RefusalKind, str, str]]
    """Kind, code and words by file."""

    door_refusals: Mapping[int, RefusalKind]
    """HTTP statuses that prove by themselves that nothing was booked."""

    lookup_shows: tuple[str, ...]
    """Refusals that, as the answer to a lookup, still prove that nothing is booked."""

    cancelled: Mapping[str, bool]
    """Whether the carrier does it later, by file."""

    not_cancelled: Mapping[str, tuple[RefusalKind, str]]
    webhooks: Mapping[str, Expected]
    unknown_status: bytes
    """A webhook with a status that no table has."""

    unknown_status_code: str

    def file(self, name: str) -> bytes:
        """An example's bytes."""
        return (EVENTS / self.folder / name).read_bytes()

    def answer(self, name: str, status: int = 200) -> HttpAnswer:
        """An example as an answer."""
        return answered(self.file(name), status)


def answered(body: bytes, status: int = 200, *, truncated: bool = False) -> HttpAnswer:
    """An answer with this body."""
    return HttpAnswer(status, {"content-type": "application/json"}, body, elapsed_ms=412, truncated=truncated)


def ist(text: str) -> datetime:
    """A moment in UTC, from India's clocks."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=5, minutes=30)


_REFERENCE: Final = "RMS-UTYGB72CFFLI3HVS"
_AWB: Final = "5277100004418"
_FORWARD_AWB: Final = "77120098314"
_REQUEST: Final = "RE40000000000007719"
_UNITS: Final = (("KL-KURTA-TEAL-M", 1), ("KL-STOLE-RUST", 2))
_FORWARD_OF_REQUEST: Final = ("77120088102", "KLF-4471-1", "KL-4471")
_SECURITY_KEY: Final = "6b0f3c1e-52d7-4f0a-9d55-0c2f7a1be901"


def _scan(forward: To, returned: To, at: str, code: str, **more: object) -> Expected:
    about: dict[str, object] = {"awb": _AWB, "is_return": True, "references": (_REFERENCE,), "current": returned}
    return Expected(forward, returned, ist(at), code=code, **(about | more))  # type: ignore[arg-type]  # by name


def _request(name: To, at: str, code: str, **more: object) -> Expected:
    about: dict[str, object] = {
        "is_return": True,
        "references": (_REQUEST,),
        "forward_references": _FORWARD_OF_REQUEST,
        "current": name,
    }
    return Expected(name, name, ist(at), code=code, **(about | more))  # type: ignore[arg-type]  # by name


_CLICKPOST_ACCOUNT: Final = Account(
    client=REFERENCE_CLIENT,
    alias="main",
    aggregator="CLICKPOST",
    secrets={"key": "test-api-key-31c7"},
    options={
        "base_url": "https://clickpost.example/api/",
        "username": "kaveri-test",
        "courier_partner": "25",
        "account_code": "kaveri-reverse",
        "qc_params": "brand, COLOR,IMAGES",
        "channel_name": "web",
    },
)

CLICKPOST: Final = Adapter(
    name="CLICKPOST",
    folder="clickpost",
    account=_CLICKPOST_ACCOUNT,
    good_options=_CLICKPOST_ACCOUNT.options,
    good_secrets=_CLICKPOST_ACCOUNT.secrets,
    bookings={"booking.request.json": ORDER, "booking.doorstep_qc.request.json": ORDER_WITH_QC},
    booking_url="https://clickpost.example/api/v3/create-order/",
    booking_query={"username": "kaveri-test", "key": "test-api-key-31c7"},
    cancel_url="https://clickpost.example/api/v1/cancel-order/",
    cancel_query={
        "username": "kaveri-test",
        "key": "test-api-key-31c7",
        "waybill": _AWB,
        "cp_id": "25",
        "account_code": "kaveri-reverse",
    },
    booked={
        "booking.booked.response.json": Booked(
            awb=_AWB,
            courier="Delhivery",
            order_id="208855431",
            metadata={
                "Account Code": "kaveri-reverse",
                "Security Key": _SECURITY_KEY,
                "Sort Code": "BLR/KRG",
                "Tracking Id": "731400112",
            },
        ),
        "booking.duplicate_323.response.json": Booked(
            awb=_AWB,
            courier="Clickpost",
            order_id="208855431",
            label_url="https://labels.example.net/delhivery/5277100004418.pdf",
            metadata={"Security Key": _SECURITY_KEY, "Tracking Id": "731400112"},
        ),
    },
    working=("booking.queued_202.response.json", "booking.processing_102.response.json"),
    refused={
        "booking.refused_by_carrier_319.response.json": (
            RefusalKind.SERVICEABILITY,
            "319",
            "Reverse pickup not available from pincode 793119",
        ),
        "booking.bad_request_400.response.json": (
            RefusalKind.CALLER,
            "400",
            '{"pickup_info": {"pickup_pincode": ["Ensure this field has 6 digits."]}}',
        ),
        "booking.wrong_key_301.response.json": (RefusalKind.CONFIGURATION, "301", "Username or key is invalid"),
    },
    door_refusals={
        401: RefusalKind.CONFIGURATION,
        403: RefusalKind.CONFIGURATION,
        404: RefusalKind.CALLER,
        405: RefusalKind.CALLER,
        406: RefusalKind.CALLER,
    },
    lookup_shows=("booking.refused_by_carrier_319.response.json", "booking.bad_request_400.response.json"),
    cancelled={"cancel.done_600.response.json": False, "cancel.later_202.response.json": True},
    not_cancelled={"cancel.too_late_350.response.json": (RefusalKind.CALLER, "350")},
    webhooks={
        "webhook.order_placed.json": _scan(To.SHIPPING_LABEL_GENERATED, To.AWB_GENERATED, "2026-02-03T18:41:07", "1"),
        "webhook.out_for_pickup_selected.json": _scan(
            To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, "2026-02-04T09:12:44", "25"
        ),
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
            To.RETURN_ORDER_PLACED, "2026-02-02T11:18:03", "101", announces=(_REQUEST, "KL-4471", _UNITS)
        ),
        "webhook.return_placed_2020.json": _request(
            To.RETURN_ORDER_PLACED,
            "2026-02-02T11:20:41.118204",
            "101",
            references=(),
            forward_references=("77120088102", "KLF-4471-1"),
            announces=("", "KLF-4471-1", _UNITS),
        ),
        "webhook.return_approved_wrapped.json": _request(
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
            "2026-02-03T18:41:09",
            "101",
            awb=_AWB,
            metadata={"Account Code": "kaveri-reverse"},
        ),
    },
    unknown_status=json.dumps({"waybill": _AWB, "clickpost_status_code": 4077, "status": "Zeppelin left"}).encode(),
    unknown_status_code="4077",
)

ADAPTERS: Final = (CLICKPOST,)
