"""The story that the events of four sinks tell: two kurtas and a gift box come back to Kaveri Looms."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder, SubTax
from rms.notifications.payloads import Preferences
from rms.notifications.signing import message_id, new_secret
from rms.notifications.sinks import erp_posting
from rms.notifications.sinks.erp_values import (
    Attributes,
    BundledChildItem,
    BundledSku,
    ChildSku,
    CustomerAddress,
    ItemAttributes,
    ItemStatus,
    OrderAttributes,
    PaymentMethod,
    PostedItem,
    Posting,
    ReturnType,
    Shipment,
    ShipmentItem,
    ShipmentStatus,
    Tax,
    VirtualChildItem,
    VirtualSku,
)
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.notifications.sinks.processing_update import Partner, ProcessingUpdate
from rms.notifications.sinks.return_ack import ReturnAck
from rms.notifications.sinks.return_expectation import Expectation, ExpectationEvent
from rms.notifications.sinks.webhook import Endpoint

EVENTS = Path(__file__).parents[4] / "events"
SECRET = new_secret(b"unit tests of sinks, one secret.")
INDIA = timezone(timedelta(hours=5, minutes=30))
NOW = datetime(2026, 3, 9, 11, 0, tzinfo=UTC)

TORN = ProcessedItem(
    "KL-4471-1",
    "KURTA-INDIGO-M",
    QcStatus.FAIL,
    "BROKEN_STITCH_DAMAGE",
    ("https://dock.kaveri-looms.example/qc/1.jpg", "https://dock.kaveri-looms.example/qc/2.jpg"),
)
WHOLE = ProcessedItem("KL-4471-2", "KURTA-INDIGO-M", QcStatus.PASS)
LOST = ProcessedItem("KL-4471-3", "GIFT-BOX-SPICES", QcStatus.FAIL, "PRODUCT_MISSING")
FOUND = (TORN, WHOLE, LOST)


def event(name: str) -> bytes:
    """A file of `events/`."""
    return (EVENTS / name).read_bytes()


def a_target(**changes: Any) -> Endpoint:
    return replace(Endpoint("https://in.kaveri-looms.example/rms", [SECRET], {"X-Api-Key": "k-1"}), **changes)


def without_sequence() -> Endpoint:
    return a_target(preferences=Preferences(with_sequence=False))


def an_id(endpoint: str) -> str:
    return message_id("kaveri", "R#KL-4471-R1", 9, endpoint)


def an_ack(**changes: Any) -> ReturnAck:
    known = ReturnAck(
        id=an_id("ack"),
        sequence=9,
        return_code="KL-4471-R1",
        forward_order_code="KL-4471",
        location_code="HOS-2",
        items=FOUND,
    )
    return replace(known, **changes)


def an_update(**changes: Any) -> ProcessingUpdate:
    known = ProcessingUpdate(
        id=an_id("returns-app"),
        sequence=9,
        partner=Partner.CLICKPOST,
        return_code="KL-4471-R1",
        forward_order_code="KL-4471",
        items=FOUND,
        location_code="HOS-2",
        partner_reference="CPR-220914",
    )
    return replace(known, **changes)


REVATHI = Address(
    name="Revathi Subramaniam",
    line1="3/14 East Car Street",
    line2="Near the old post office",
    line3="Srirangam",
    city="Tiruchirappalli",
    state="Tamil Nadu",
    zip="620006",
    country="INDIA",
    email="revathi@mail.example",
    phone="9000000417",
)
DOCK = Address(
    name="Dock Two",
    line1="Survey 88, Warehouse Lane",
    line2=None,
    line3=None,
    city="Hosur",
    state="Tamil Nadu",
    zip="635109",
    country="INDIA",
    email="dock2@kaveri-looms.example",
    phone="9000000200",
)


def an_order(**changes: Any) -> ReturnOrder:
    kurta = ReturnItem(
        item_code="KL-4471-1",
        sku="KURTA-INDIGO-M",
        reason="Seam came undone",
        doorstep_qc=True,
        name="Kurta, indigo, M (நீலம்)",
        brand="Kaveri",
        color="Indigo",
        category="Clothing",
        sub_category="Kurtas",
        serial_number="KI-0007",
        price=Decimal("1249.50"),
        final_amount_paid=Decimal("1199.50"),
        image_url="https://shop.kaveri-looms.example/kurta-indigo.jpg",
        store_credits_used=Decimal(50),
        taxes=(
            SubTax("SGST", Decimal("2.5"), Decimal("29.75"), Decimal("29.75")),
            SubTax("CGST", Decimal("2.5"), Decimal("29.75"), Decimal("29.75")),
        ),
    )
    known = ReturnOrder(
        code="KL-4471-R1",
        forward_order_code="KL-4471",
        items=(
            kurta,
            replace(kurta, item_code="KL-4471-2", reason="Too wide", serial_number=None, image_url=None, taxes=()),
            ReturnItem("KL-4471-3", "GIFT-BOX-SPICES", None),
        ),
        location_code="HOS-2",
        placed_at=datetime(2026, 3, 1, 20, 22, 28, 500_000, INDIA),
        channel_status="RETURN_CREATED",
        expected_at=datetime(2026, 3, 8, 18, 30, tzinfo=UTC),
        currency="INR",
        region="INDIAN",
        reason="Seam came undone",
        seller_gstin="33AAKCK4471L1Z5",
        consignee_gstin="33AAKCK4471L2Z4",
        parcel=Parcel(Decimal(38), Decimal(30), Decimal("6.5"), Decimal(850)),
        drop=DOCK,
        pickup=REVATHI,
        forward=ForwardOrder(
            cod_value=Decimal(0),
            is_cod=False,
            invoice_value=Decimal("2499.00"),
            invoice_number="KLI-90031",
            invoice_time=datetime(2026, 2, 20, 9, 5, tzinfo=UTC),
            shipment_number="KL-4471-S1",
        ),
    )
    return replace(known, **changes)


def an_expectation(kind: ExpectationEvent = ExpectationEvent.CREATE, **changes: Any) -> Expectation:
    known = Expectation(
        id=an_id("wms"),
        sequence=1,
        event=kind,
        order=an_order(),
        awb="5277100004418",
        courier="Delhivery",
        bundled=frozenset({"KL-4471-3"}),
    )
    return replace(known, **changes)


TAXES = (Tax("SGST", Decimal("2.5"), Decimal("29.75")), Tax("CGST", Decimal("2.5"), Decimal("29.75")))
HOME = CustomerAddress(**{each.name: getattr(REVATHI, each.name) for each in fields(Address)})


def _ten(word: str) -> dict[str, str]:
    return {f"attribute{number}": f"{word} {number}" for number in range(1, 11)}


def a_posting(**changes: Any) -> Posting:
    """A posting with every field that there is."""
    known = Posting(
        id=an_id("erp"),
        sequence=9,
        message_id=erp_posting.message_id("kaveri", "KL-4471-R1", 9),
        partner_code="CUST-118",
        partner_location_code="CUST-118-TRZ",
        location_code="HOS-2",
        channel="MAGENTO",
        forward_order_code="KL-4471",
        return_code="KL-4471-R1",
        payment_method=PaymentMethod.NCOD,
        return_type=ReturnType.CUSTOMER_RETURN,
        occurred_at=datetime(2026, 3, 9, 10, 41, 7, 250_000, UTC),
        created_at=datetime(2026, 3, 1, 20, 22, 28, 500_000, INDIA),
        items=(
            PostedItem(
                found=TORN,
                status=ItemStatus.RECEIVED,
                selling_price=Decimal("1249.50"),
                return_reason="Seam came undone",
                channel_discount=Decimal("12.25"),
                seller_discount=Decimal(50),
                gift_charge=Decimal("9.90"),
                excess=False,
                virtual_children=(
                    VirtualChildItem(
                        oms_return_item_id=9_007_199_254_740_993,
                        status=ItemStatus.RECEIVED,
                        sku="KURTA-INDIGO-M-V",
                        qc_status=QcStatus.FAIL,
                        qc_reason="BROKEN_STITCH_DAMAGE",
                        barcode="8901000000017",
                        client_sku="KL-KI-M",
                    ),
                ),
            ),
            PostedItem(WHOLE, ItemStatus.RECEIVED, Decimal("1249.50")),
            PostedItem(
                LOST,
                ItemStatus.MISSING,
                Decimal(499),
                bundled_children=(
                    BundledChildItem(
                        oms_return_item_id=77_001,
                        status=ItemStatus.PARTIAL_MISSING_COMBO,
                        sku="CARDAMOM-50",
                        qc_status=QcStatus.FAIL,
                        qc_reason="PRODUCT_MISSING",
                        barcode="8901000000031",
                        client_sku="KL-CA-50",
                    ),
                ),
            ),
        ),
        shipping_address=HOME,
        billing_address=CustomerAddress(
            zip="600004",
            country="INDIA",
            name="Subramaniam Textiles",
            line1="9 North Mada Street",
            line2="First floor",
            line3="Mylapore",
            city="Chennai",
            state="Tamil Nadu",
            email="books@subramaniam.example",
            phone="9000000418",
        ),
        parent_order_code="KL-4471-P",
        gate_entry_at=datetime(2026, 3, 9, 8, 15, tzinfo=UTC),
        consignment_number="CN-5501",
        awb="5277100004418",
        shipments=(
            Shipment(
                items=(
                    ShipmentItem(
                        "KURTA-INDIGO-M", "KL-4471-1", 2, Decimal("1249.50"), TAXES, Decimal("12.25"), Decimal("4.5")
                    ),
                    ShipmentItem("GIFT-BOX-SPICES", "KL-4471-3", 1, Decimal(499), ()),
                ),
                code="KL-4471-S1",
                generated_invoice_id="KLI-90031",
                generated_invoice_at=datetime(2026, 2, 20, 9, 5, tzinfo=UTC),
                invoice_url="https://files.kaveri-looms.example/KLI-90031.pdf",
                label_url="https://files.kaveri-looms.example/KL-4471-S1.pdf",
                external_invoice_id="MG-3310",
                external_invoice_at=datetime(2026, 2, 20, 9, 6, tzinfo=UTC),
                irn="5f0c7be1d2",
                qr_code="eyJxciI6MX0",
                status=ShipmentStatus.DELIVERED,
                location_code="HOS-1",
            ),
        ),
        virtual_skus=(
            VirtualSku(
                "KURTA-INDIGO-M",
                "8901000000016",
                "KL-KURTA",
                (ChildSku("KURTA-INDIGO-M-V", 1, "8901000000017", "KL-KI-M"),),
            ),
        ),
        bundled_skus=(
            BundledSku(
                "GIFT-BOX-SPICES",
                (ChildSku("CARDAMOM-50", 2, "8901000000031", "KL-CA-50"),),
                "8901000000030",
                "KL-GIFT",
            ),
        ),
        order_attributes=OrderAttributes(
            **_ten("order"), channel_metadata={"shop": "தமிழ்", "store": 4, "rate": Decimal("0.10")}, currency="INR"
        ),
        item_attributes=(
            ItemAttributes(
                attributes=Attributes(**_ten("item"), channel_metadata={"gift": True}),
                order_item_code="KL-4471-1",
                sku="KURTA-INDIGO-M",
                barcode="8901000000016",
                client_sku="KL-KURTA",
            ),
        ),
    )
    return replace(known, **changes)


def a_plain_posting(**changes: Any) -> Posting:
    """A posting with what RMS itself holds of a return that a channel booked, and nothing else."""
    known = Posting(
        id=an_id("erp"),
        sequence=9,
        message_id=erp_posting.message_id("kaveri", "KL-4471-R1", 9),
        partner_code="CUST-118",
        partner_location_code="CUST-118-TRZ",
        location_code="HOS-2",
        channel="MAGENTO",
        forward_order_code="KL-4471",
        return_code="KL-4471-R1",
        payment_method=PaymentMethod.COD,
        return_type=ReturnType.RETURN_TO_ORIGIN,
        occurred_at=datetime(2026, 3, 9, 10, 41, 7, tzinfo=UTC),
        created_at=None,
        items=(PostedItem(WHOLE, ItemStatus.RECEIVED, Decimal("1249.50")),),
        shipping_address=CustomerAddress("620006", "INDIA"),
        billing_address=CustomerAddress("620006", "INDIA"),
    )
    return replace(known, **changes)
