"""Bodies about forward parcels: what is read from one, and all that is found wrong with it at once."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.forward.requests import read_invoice, read_label_question, read_label_request, read_order
from rms.forward.values import Invoice, LabelQuestion
from rms.model.documents import content_digest
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address, Parcel
from rms.platform.errors import BadDataError
from rms.platform.json import BadJsonError
from rms.platform.problems import InvalidRequestError
from tests.builders import ABSENT, a_label_question, a_shipment_body, an_invoice_body, as_bytes

READS: list[tuple[Callable[[bytes], object], Callable[..., dict[str, Any]]]] = [
    (lambda raw: read_order(raw, "G"), a_shipment_body),
    (lambda raw: read_label_request(raw, "G"), a_shipment_body),
    (read_invoice, an_invoice_body),
    (read_label_question, a_label_question),
]
each_body = pytest.mark.parametrize(("read", "body"), READS)


def shipment(**changes: object) -> ForwardShipment:
    return read_order(as_bytes(a_shipment_body(**changes)), "G")


def refusal(read: Callable[[bytes], object], body: object) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read(as_bytes(body))
    return caught.value.description


def wrong(**changes: object) -> str:
    return refusal(lambda raw: read_order(raw, "G"), a_shipment_body(**changes))


# ── in full ─────────────────────────────────────────────────────────────────────────


def test_every_field_of_a_parcel_is_read() -> None:
    assert shipment() == ForwardShipment(
        code="SO-70031",
        shipment_code="SH-70031",
        items=(
            ForwardItem(
                item_code="70031-1",
                sku="TRAIL-42-BLK",
                name="Trail shoe",
                quantity=2,
                price=Decimal("2999.5"),
                discount=Decimal(250),
                tax_percent=Decimal(18),
                hsn="64041110",
                category="Footwear",
            ),
            ForwardItem(item_code="SOCK-M_2", sku="SOCK-M", name="Wool sock", quantity=1, price=Decimal(949)),
        ),
        pickup=Address(
            name="Dispatch and packing desk",
            line1="Plot 14, Hoskote Industrial Area",
            line2="Gate 1",
            line3="Dock A",
            city="Bengaluru",
            state="Karnataka",
            zip="562114",
            country="INDIA",
            email="dispatch@warehouse.example",
            phone="8045550102",
        ),
        drop=Address(
            name="Asha R Menon",
            line1="7 Lake View Road",
            line2="Flat 2A",
            line3="Opposite the library",
            city="Pune",
            state="Maharashtra",
            zip="411014",
            country="INDIA",
            email="asha.menon@mail.example",
            phone="9820055501",
        ),
        parcel=Parcel(Decimal(34), Decimal(22), Decimal("12.5"), Decimal(1310)),
        amount=Decimal(6448),
        ordered_at=datetime(2026, 2, 1, 19, 10, tzinfo=UTC),
        cash_on_delivery=False,
        billing=Address(
            name="Asha R Menon",
            line1="Unit 9, Software Park",
            line2="Tower 2",
            line3="Reception",
            city="Pune",
            state="Maharashtra",
            zip="411057",
            country="INDIA",
            email="accounts.menon@mail.example",
            phone="9820055509",
        ),
        currency="INR",
        location_code="BLR-2",
        account_alias="main",
        invoice_number="INV-26-8841",
        invoice_time=datetime(2026, 2, 2, 6, 10, tzinfo=UTC),
        seller_gstin="27AAECR4512K1Z3",
    )


def test_what_is_optional_may_be_left_out_or_null_or_empty() -> None:
    optional = (
        "logisticAccountAlias",
        "locationCode",
        "sellerGstin",
        "billingAddress",
        "pickupAddress.middleName",
        "pickupAddress.lastName",
        "dropAddress.addressLine2",
        "dropAddress.addressLine3",
        "orderDetails.invoiceNumber",
        "orderDetails.invoiceTime",
        "orderDetails.orderLineItems[0].itemCode",
        "orderDetails.orderLineItems[0].discount",
        "orderDetails.orderLineItems[0].taxPercent",
        "orderDetails.orderLineItems[0].hsn",
        "orderDetails.orderLineItems[0].category",
    )

    left_out, null, empty = (shipment(**dict.fromkeys(optional, value)) for value in (ABSENT, None, ""))

    assert left_out == null == empty
    assert left_out.items[0].item_code == "TRAIL-42-BLK_1"
    assert left_out.pickup.name == "Dispatch"


def test_a_client_who_weighs_in_kilograms_is_understood() -> None:
    body = as_bytes(a_shipment_body(**{"shipmentDimension.weight": 1.31}))

    assert read_order(body, "KG").parcel.weight_g == Decimal(1310)


def test_cash_on_delivery_is_read() -> None:
    assert shipment(**{"orderDetails.paymentType": "COD"}).cash_on_delivery is True


def test_a_code_alone_names_a_parcel_that_rms_has() -> None:
    assert read_label_request(as_bytes({"shipmentCode": " SH-1 ", "shipmentDate": "2026-01-01"}), "G") == "SH-1"


def test_every_field_of_an_invoice_is_read() -> None:
    assert read_invoice(as_bytes(an_invoice_body())) == Invoice(
        order_code="SO-70031",
        shipment_code="SH-70031",
        invoice_id="INV-26-8841",
        document_url="https://documents.shop.example/INV-26-8841.pdf",
        status="CREATED",
        document_type="INVOICE",
        irn="5f1c77ae90",
        ack_name="112610031",
        ack_date="2026-02-02 11:41:07",
    )


def test_an_invoice_may_be_numbered_by_a_number() -> None:
    """As in the vendor's own sample; it is told as text."""
    assert read_invoice(as_bytes(an_invoice_body(**{"invoiceData.invoiceId": 123}))).invoice_id == "123"


def test_every_field_of_a_question_is_read() -> None:
    asked = read_label_question(as_bytes(a_label_question(arePackBoxLabelsRequired="TRUE")))

    assert asked == LabelQuestion("SO-70055", "SH-70055", "70055", "BLR-2", box_labels=True)


# ── what is wrong ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        "currencyCode",
        "shipmentDimension",
        "shipmentDimension.weight",
        "pickupAddress",
        "pickupAddress.firstName",
        "pickupAddress.addressLine1",
        "dropAddress",
        "dropAddress.zip",
        "dropAddress.email",
        "orderDetails.orderNumber",
        "orderDetails.shipmentCode",
        "orderDetails.paymentType",
        "orderDetails.orderAmount",
        "orderDetails.orderDate",
        "orderDetails.orderLineItems",
        "orderDetails.orderLineItems[0].sku",
        "orderDetails.orderLineItems[0].name",
        "orderDetails.orderLineItems[0].quantity",
        "orderDetails.orderLineItems[0].price",
    ],
)
def test_what_is_missing_is_named_by_its_path(path: str) -> None:
    assert wrong(**{path: ABSENT}) == f"[{path}: may not be null]"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"orderDetails.paymentType": "CARD"}, "orderDetails.paymentType: must be one of PREPAID, COD"),
        (
            {"orderDetails.paymentType": "COD", "orderDetails.orderAmount": 0},
            "orderDetails.orderAmount: must be above 0 when paymentType is COD",
        ),
        ({"orderDetails.orderAmount": -1}, "orderDetails.orderAmount: must be at least 0"),
        ({"orderDetails.orderAmount": "6448"}, "orderDetails.orderAmount: must be a number"),
        ({"orderDetails.orderLineItems": []}, "orderDetails.orderLineItems: may not be empty"),
        ({"orderDetails.orderLineItems[1].quantity": 0}, "orderDetails.orderLineItems[1].quantity: must be at least 1"),
        (
            {"orderDetails.orderLineItems[1].taxPercent": 101},
            "orderDetails.orderLineItems[1].taxPercent: must be a number from 0 to 100",
        ),
        (
            {"orderDetails.orderLineItems[0].discount": 3000},
            "orderDetails.orderLineItems[0].discount: may be at most the price",
        ),
        (
            {"orderDetails.orderLineItems[1].itemCode": "70031-1"},
            (
                "orderDetails.orderLineItems[0].itemCode: must be unique in the parcel, "
                "orderDetails.orderLineItems[1].itemCode: must be unique in the parcel"
            ),
        ),
        ({"orderDetails.shipmentCode": "é" * 451}, "orderDetails.shipmentCode: may have at most 255 characters"),
        ({"orderDetails.shipmentCode": "a\x07"}, "orderDetails.shipmentCode: may not hold control characters"),
        (
            {"orderDetails.orderDate": "01/02/2026"},
            "orderDetails.orderDate: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30",
        ),
        ({"pickupAddress": "Bengaluru"}, "pickupAddress: must be an object"),
        ({"billingAddress.city": ABSENT}, "billingAddress.city: may not be null"),
        ({"shipmentCode": "SH-2"}, "shipmentCode: must be that of orderDetails"),
        ({"status": "DELIVERED"}, "status: may not be set by a client"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_with_what_was_expected(changes: dict[str, object], problem: str) -> None:
    assert wrong(**changes) == f"[{problem}]"


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_body() -> None:
    changes = {"currencyCode": None, "dropAddress.zip": "", "orderDetails.orderAmount": -5, "tenantId": "iris"}

    assert wrong(**changes) == (
        "[currencyCode: may not be null, dropAddress.zip: may not be empty, "
        "orderDetails.orderAmount: must be at least 0, tenantId: may not be set by a client]"
    )


@pytest.mark.parametrize("body", [{}, {"orderDetails": {}}, {"shipmentCode": ""}, {"shipmentCode": None}])
def test_without_details_or_a_code_everything_is_missing(body: object) -> None:
    said = refusal(lambda raw: read_label_request(raw, "G"), body)

    assert "currencyCode: may not be null" in said
    assert "orderDetails" in said


@pytest.mark.parametrize(("code", "problem"), [(7, "must be text"), ("x" * 256, "may have at most 255 characters")])
def test_a_code_that_is_none_is_refused(code: object, problem: str) -> None:
    assert refusal(lambda raw: read_label_request(raw, "G"), {"shipmentCode": code}) == f"[shipmentCode: {problem}]"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"forwardOrderCode": ABSENT}, "forwardOrderCode: may not be null"),
        ({"forwardShipmentCode": ""}, "forwardShipmentCode: may not be empty"),
        ({"invoiceData": ABSENT}, "invoiceData: may not be null"),
        ({"invoiceData.invoiceId": True}, "invoiceData.invoiceId: must be text of at most 255 characters"),
        ({"invoiceData.documentType": "BILL"}, "invoiceData.documentType: must be one of INVOICE, CREDIT_NOTE"),
        ({"invoiceData.documentUrl": ABSENT}, "invoiceData.documentUrl: may not be null"),
        ({"sequence": 7}, "sequence: may not be set by a client"),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_invoice_is_named(changes: dict[str, object], problem: str) -> None:
    assert refusal(read_invoice, an_invoice_body(**changes)) == f"[{problem}]"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"orderCode": ABSENT}, "orderCode: may not be null"),
        ({"shipmentCode": None}, "shipmentCode: may not be null"),
        ({"arePackBoxLabelsRequired": "perhaps"}, "arePackBoxLabelsRequired: must be true or false"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_question_is_named(changes: dict[str, object], problem: str) -> None:
    assert refusal(read_label_question, a_label_question(**changes)) == f"[{problem}]"


@each_body
@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a": NaN}', b"\xff"])
def test_what_is_no_json_object_is_refused(
    read: Callable[[bytes], object], body: Callable[..., object], raw: bytes
) -> None:
    assert body is not None
    with pytest.raises(BadJsonError):
        read(raw)


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@each_body
@given(data=st.data())
def test_whatever_stands_in_a_field_is_read_or_refused_and_nothing_else(
    read: Callable[[bytes], object], body: Callable[..., dict[str, Any]], data: Any
) -> None:
    sent = body()
    sent[data.draw(st.sampled_from(sorted(sent)))] = data.draw(_JSON)

    with suppress(BadDataError):
        read(as_bytes(sent))


def test_the_same_parcel_written_otherwise_is_the_same() -> None:
    other = a_shipment_body(**{
        "orderDetails.orderDate": "2026-02-02T00:40:00+05:30",
        "orderDetails.orderAmount": 6448,
        "shipmentDimension.weight": 1310.0,
    })  # fmt: skip
    reordered = dict(reversed(other.items()))

    assert content_digest(read_order(as_bytes(reordered), "G")) == content_digest(shipment())
