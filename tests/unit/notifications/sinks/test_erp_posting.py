"""The posting to an ERP: each of its 143 fields, what must be there, and what its answers mean."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from rms.notifications.judgement import Blame, Delivered, Gone, Refused, RetryLater, Unauthorized, Verdict
from rms.notifications.sinks import erp_posting
from rms.notifications.sinks.erp_fields import FIELDS
from rms.notifications.sinks.erp_values import (
    BundledChildItem,
    BundledSku,
    CustomerAddress,
    ItemStatus,
    PaymentMethod,
    PostedItem,
    Posting,
    ReturnType,
    Shipment,
    ShipmentItem,
    ShipmentStatus,
    Tax,
    TaxLine,
)
from rms.notifications.sinks.fields import Need, paths
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.platform.http import HttpAnswer, NoAnswer
from tests.unit.notifications.sinks.examples import (
    NOW,
    SECRET,
    TORN,
    WHOLE,
    a_plain_posting,
    a_posting,
    a_target,
    event,
    without_sequence,
)

# path, type in the contract, the first value in events/erp_posting/full.request.json (...: an object or a list of them)
SENT: Final[tuple[tuple[str, str, Any], ...]] = (
    ("partnerCode", "String", "CUST-118"),
    ("locationCode", "String", "HOS-2"),
    ("partnerLocationCode", "String", "CUST-118-TRZ"),
    ("channelName", "String", "MAGENTO"),
    ("returnOrderCode", "String", "KL-4471-R1"),
    ("forwardOrderCode", "String", "KL-4471"),
    ("forwardParentOrderCode", "String", "KL-4471-P"),
    ("returnCreationTime", "ZonedDateTime", "2026-03-01T14:52:28.500Z"),
    ("returnGateEntryCreationTime", "ZonedDateTime", "2026-03-09T08:15:00.000Z"),
    ("messageId", "Long", 8320374278395218944),
    ("paymentMethod", "String", "NCOD"),
    ("returnOrderType", "String", "CUSTOMER_RETURN"),
    ("eventTime", "ZonedDateTime", "2026-03-09T10:41:07.250Z"),
    ("consignmentNumber", "String", "CN-5501"),
    ("awbNumber", "String", "5277100004418"),
    ("items", "Object[]", ...),
    ("items.itemCode", "String", "KL-4471-1"),
    ("items.returnReason", "String", "Seam came undone"),
    ("items.channelSkuCode", "String", "KURTA-INDIGO-M"),
    ("items.returnOrderItemStatus", "String", "RECEIVED"),
    ("items.channelDiscount", "Double", Decimal("12.25")),
    ("items.sellerDiscount", "Double", 50),
    ("items.giftChargePerUnit", "Double", Decimal("9.9")),
    ("items.qcStatus", "String", "FAIL"),
    ("items.qcReason", "String", "BROKEN_STITCH_DAMAGE"),
    (
        "items.imageUrls",
        "String[]",
        ["https://dock.kaveri-looms.example/qc/1.jpg", "https://dock.kaveri-looms.example/qc/2.jpg"],
    ),
    ("items.sellingPricePerUnit", "Double", Decimal("1249.5")),
    ("items.isExcess", "Boolean", False),
    ("items.virtualSkuChildItemReturnPostings", "Object[]", ...),
    ("items.virtualSkuChildItemReturnPostings.omsReturnItemId", "Long", 9007199254740993),
    ("items.virtualSkuChildItemReturnPostings.returnOrderItemStatus", "String", "RECEIVED"),
    ("items.virtualSkuChildItemReturnPostings.channelSkuCode", "String", "KURTA-INDIGO-M-V"),
    ("items.virtualSkuChildItemReturnPostings.qcStatus", "String", "FAIL"),
    ("items.virtualSkuChildItemReturnPostings.qcReason", "String", "BROKEN_STITCH_DAMAGE"),
    ("items.virtualSkuChildItemReturnPostings.barcode", "String", "8901000000017"),
    ("items.virtualSkuChildItemReturnPostings.clientSkuCode", "String", "KL-KI-M"),
    ("items.bundledSkuChildItemReturnPostings", "Object[]", ...),
    ("items.bundledSkuChildItemReturnPostings.omsReturnItemId", "Long", 77001),
    ("items.bundledSkuChildItemReturnPostings.returnOrderItemStatus", "String", "PARTIAL_MISSING_COMBO"),
    ("items.bundledSkuChildItemReturnPostings.channelSkuCode", "String", "CARDAMOM-50"),
    ("items.bundledSkuChildItemReturnPostings.qcStatus", "String", "FAIL"),
    ("items.bundledSkuChildItemReturnPostings.qcReason", "String", "PRODUCT_MISSING"),
    ("items.bundledSkuChildItemReturnPostings.barcode", "String", "8901000000031"),
    ("items.bundledSkuChildItemReturnPostings.clientSkuCode", "String", "KL-CA-50"),
    ("shipments", "Object[]", ...),
    ("shipments.shipmentCode", "String", "KL-4471-S1"),
    ("shipments.locationCode", "String", "HOS-1"),
    ("shipments.generatedInvoiceId", "String", "KLI-90031"),
    ("shipments.generatedInvoiceDate", "ZonedDateTime", "2026-02-20T09:05:00.000Z"),
    ("shipments.externalInvoiceId", "String", "MG-3310"),
    ("shipments.externalInvoiceDate", "ZonedDateTime", "2026-02-20T09:06:00.000Z"),
    ("shipments.invoiceDocumentUrl", "String", "https://files.kaveri-looms.example/KLI-90031.pdf"),
    ("shipments.irn", "String", "5f0c7be1d2"),
    ("shipments.qrCode", "String", "eyJxciI6MX0"),
    ("shipments.shippingLabelDocumentUrl", "String", "https://files.kaveri-looms.example/KL-4471-S1.pdf"),
    ("shipments.shipmentStatus", "String", "DELIVERED"),
    ("shipments.shipmentItems", "Object[]", ...),
    ("shipments.shipmentItems.channelSkuCode", "String", "KURTA-INDIGO-M"),
    ("shipments.shipmentItems.orderItemCode", "String", "KL-4471-1"),
    ("shipments.shipmentItems.channelDiscount", "Double", Decimal("12.25")),
    ("shipments.shipmentItems.netTaxAmountPerUnit", "Double", Decimal("59.5")),
    ("shipments.shipmentItems.netTaxAmountTotal", "Double", 119),
    ("shipments.shipmentItems.baseSellingPricePerUnit", "Double", 1190),
    ("shipments.shipmentItems.baseSellingPriceTotal", "Double", 2380),
    ("shipments.shipmentItems.sellingPricePerUnit", "Double", Decimal("1249.5")),
    ("shipments.shipmentItems.sellingPriceTotal", "Double", 2499),
    ("shipments.shipmentItems.quantity", "Integer", 2),
    ("shipments.shipmentItems.shippingChargePerUnit", "Double", Decimal("4.5")),
    ("shipments.shipmentItems.taxItems", "Object[]", ...),
    ("shipments.shipmentItems.taxItems.type", "String", "SGST"),
    ("shipments.shipmentItems.taxItems.rate", "Double", Decimal("2.5")),
    ("shipments.shipmentItems.taxItems.taxPerUnit", "Double", Decimal("29.75")),
    ("shipments.shipmentItems.taxItems.taxTotal", "Double", Decimal("59.5")),
    ("virtualSkuDefinitions", "Object[]", ...),
    ("virtualSkuDefinitions.virtualParentChannelSkuId", "String", "KURTA-INDIGO-M"),
    ("virtualSkuDefinitions.virtualParentBarcode", "String", "8901000000016"),
    ("virtualSkuDefinitions.virtualParentClientSkuCode", "String", "KL-KURTA"),
    ("virtualSkuDefinitions.childSkus", "Object[]", ...),
    ("virtualSkuDefinitions.childSkus.channelSkuCode", "String", "KURTA-INDIGO-M-V"),
    ("virtualSkuDefinitions.childSkus.qty", "Integer", 1),
    ("virtualSkuDefinitions.childSkus.barcode", "String", "8901000000017"),
    ("virtualSkuDefinitions.childSkus.clientSkuCode", "String", "KL-KI-M"),
    ("bundledSkuDefinitions", "Object[]", ...),
    ("bundledSkuDefinitions.bundledParentChannelSkuId", "String", "GIFT-BOX-SPICES"),
    ("bundledSkuDefinitions.bundledParentBarcode", "String", "8901000000030"),
    ("bundledSkuDefinitions.bundledParentClientSkuCode", "String", "KL-GIFT"),
    ("bundledSkuDefinitions.childSkus", "Object[]", ...),
    ("bundledSkuDefinitions.childSkus.channelSkuCode", "String", "CARDAMOM-50"),
    ("bundledSkuDefinitions.childSkus.qty", "Integer", 2),
    ("bundledSkuDefinitions.childSkus.barcode", "String", "8901000000031"),
    ("bundledSkuDefinitions.childSkus.clientSkuCode", "String", "KL-CA-50"),
    ("shippingAddress", "Object", ...),
    ("shippingAddress.name", "String", "Revathi Subramaniam"),
    ("shippingAddress.line1", "String", "3/14 East Car Street"),
    ("shippingAddress.line2", "String", "Near the old post office"),
    ("shippingAddress.line3", "String", "Srirangam"),
    ("shippingAddress.city", "String", "Tiruchirappalli"),
    ("shippingAddress.state", "String", "Tamil Nadu"),
    ("shippingAddress.zip", "String", "620006"),
    ("shippingAddress.country", "String", "INDIA"),
    ("shippingAddress.email", "String", "revathi@mail.example"),
    ("shippingAddress.phone", "String", "9000000417"),
    ("billingAddress", "Object", ...),
    ("billingAddress.name", "String", "Subramaniam Textiles"),
    ("billingAddress.line1", "String", "9 North Mada Street"),
    ("billingAddress.line2", "String", "First floor"),
    ("billingAddress.line3", "String", "Mylapore"),
    ("billingAddress.city", "String", "Chennai"),
    ("billingAddress.state", "String", "Tamil Nadu"),
    ("billingAddress.zip", "String", "600004"),
    ("billingAddress.country", "String", "INDIA"),
    ("billingAddress.email", "String", "books@subramaniam.example"),
    ("billingAddress.phone", "String", "9000000418"),
    ("orderCustomAttributes", "Object", ...),
    ("orderCustomAttributes.attribute1", "String", "order 1"),
    ("orderCustomAttributes.attribute2", "String", "order 2"),
    ("orderCustomAttributes.attribute3", "String", "order 3"),
    ("orderCustomAttributes.attribute4", "String", "order 4"),
    ("orderCustomAttributes.attribute5", "String", "order 5"),
    ("orderCustomAttributes.attribute6", "String", "order 6"),
    ("orderCustomAttributes.attribute7", "String", "order 7"),
    ("orderCustomAttributes.attribute8", "String", "order 8"),
    ("orderCustomAttributes.attribute9", "String", "order 9"),
    ("orderCustomAttributes.attribute10", "String", "order 10"),
    ("orderCustomAttributes.channelMetaData", "Object", {"rate": Decimal("0.1"), "shop": "தமிழ்", "store": 4}),
    ("orderCustomAttributes.currency", "String", "INR"),
    ("orderItemCustomAttributes", "Object[]", ...),
    ("orderItemCustomAttributes.barcode", "String", "8901000000016"),
    ("orderItemCustomAttributes.clientSkuCode", "String", "KL-KURTA"),
    ("orderItemCustomAttributes.channelSkuCode", "String", "KURTA-INDIGO-M"),
    ("orderItemCustomAttributes.orderItemCode", "String", "KL-4471-1"),
    ("orderItemCustomAttributes.orderItemCustomAttributes", "Object", ...),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute1", "String", "item 1"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute2", "String", "item 2"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute3", "String", "item 3"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute4", "String", "item 4"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute5", "String", "item 5"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute6", "String", "item 6"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute7", "String", "item 7"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute8", "String", "item 8"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute9", "String", "item 9"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.attribute10", "String", "item 10"),
    ("orderItemCustomAttributes.orderItemCustomAttributes.channelMetaData", "Object", {"gift": True}),
)

IS_OF_TYPE: Final[Mapping[str, Any]] = {
    "String": lambda value: type(value) is str and value,
    "Double": lambda value: type(value) in {int, Decimal},
    "Long": lambda value: type(value) is int and abs(value) < 2**63,
    "Integer": lambda value: type(value) is int,
    "Boolean": lambda value: type(value) is bool,
    "ZonedDateTime": lambda value: datetime.fromisoformat(value).tzinfo is not None,
    "Object": lambda value: type(value) is dict and value,
    "Object[]": lambda value: type(value) is list and all(type(each) is dict for each in value),
    "String[]": lambda value: type(value) is list and all(type(each) is str for each in value),
}


def body_of(posting: Posting) -> bytes:
    return erp_posting.build(a_target(), posting, NOW).body or b""


def read(raw: bytes) -> Any:
    """With the standard parser: ours takes no whole number as long as a messageId may be."""
    return json.loads(raw, parse_float=Decimal)


def sent(posting: Posting) -> Any:
    return read(body_of(posting))


def values_at(path: str, held: Any) -> list[Any]:
    """Every value at a path, through all lists on the way."""
    if isinstance(held, list):
        return [value for each in held for value in values_at(path, each)]
    name, _, rest = path.partition(".")
    if not isinstance(held, dict) or name not in held:
        return []
    return values_at(rest, held[name]) if rest else [held[name]]


def members_of(held: Any, before: str = "") -> set[str]:
    """The path of every member; a channel's own object counts as one."""
    if isinstance(held, list):
        return {path for each in held for path in members_of(each, before)}
    if not isinstance(held, dict) or before.endswith("channelMetaData."):
        return set()
    return {f"{before}{name}" for name in held} | {
        path for name, each in held.items() for path in members_of(each, f"{before}{name}.")
    }


def test_a_full_posting_is_the_example() -> None:
    assert sent(a_posting()) == read(event("erp_posting/full.request.json"))


def test_a_posting_with_what_rms_holds_is_the_example() -> None:
    assert sent(a_plain_posting()) == read(event("erp_posting/plain.request.json"))


@pytest.mark.parametrize(("path", "kind", "first"), SENT, ids=[path for path, *_ in SENT])
def test_every_field_is_sent_with_its_type_and_value(path: str, kind: str, first: Any) -> None:
    values = values_at(path, sent(a_posting()))

    assert values
    assert all(IS_OF_TYPE[kind](value) for value in values)
    assert first is ... or (values[0], type(values[0])) == (first, type(first))


def test_the_table_is_what_is_sent_and_nothing_else_is() -> None:
    assert [(path, field.kind) for path, field in paths(FIELDS, Posting)] == [(path, kind) for path, kind, _ in SENT]
    assert members_of(sent(a_posting())) == {path for path, *_ in SENT} | {"sequence"}
    assert len(SENT) == 143


def test_every_value_of_a_posting_is_told() -> None:
    sent_otherwise = {"id", "sequence", "taxes"}  # a header, the last member, and as lines of tax
    held = {(kind, each.name) for kind in FIELDS if kind is not TaxLine for each in fields(kind)}
    told = {(kind, field.attribute.partition(".")[0]) for kind, shape in FIELDS.items() for field in shape}

    assert {name for _, name in held - told} == sent_otherwise


@pytest.mark.parametrize("path", [path for path, field in paths(FIELDS, Posting) if field.need is Need.MAY])
def test_what_need_not_be_there_is_left_out(path: str) -> None:
    assert values_at(path, sent(a_plain_posting())) == []


def test_an_unexpected_return_has_a_creation_time_of_null() -> None:
    assert b'"returnCreationTime":null' in body_of(a_posting(created_at=None))


def test_no_bundle_is_an_empty_list() -> None:
    assert b'"bundledSkuDefinitions":[]' in body_of(a_posting(bundled_skus=()))


def test_a_unit_that_passed_has_neither_reason_nor_pictures() -> None:
    passed = replace(TORN, qc_status=QcStatus.PASS)

    (item,) = sent(a_plain_posting(items=(PostedItem(passed, ItemStatus.RECEIVED, Decimal(1)),)))["items"]

    assert (item["qcStatus"], "qcReason" in item, "imageUrls" in item) == ("PASS", False, False)


@pytest.mark.parametrize("status", ItemStatus)
def test_every_item_status_can_be_told(status: ItemStatus) -> None:
    (item,) = sent(a_plain_posting(items=(PostedItem(WHOLE, status, Decimal(1)),)))["items"]

    assert item["returnOrderItemStatus"] == status.value


@pytest.mark.parametrize("status", ShipmentStatus)
def test_every_shipment_status_can_be_told(status: ShipmentStatus) -> None:
    parcel = Shipment((ShipmentItem("S-1", "I-1", 1, Decimal(1), ()),), status=status)

    assert sent(a_plain_posting(shipments=(parcel,)))["shipments"][0]["shipmentStatus"] == status.value


@pytest.mark.parametrize("kind", ReturnType)
@pytest.mark.parametrize("paid", PaymentMethod)
def test_every_return_type_and_payment_can_be_told(kind: ReturnType, paid: PaymentMethod) -> None:
    told = sent(a_plain_posting(return_type=kind, payment_method=paid))

    assert (told["returnOrderType"], told["paymentMethod"]) == (kind.value, paid.value)


# ── amounts ─────────────────────────────────────────────────────────────────────────

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=4)


@given(AMOUNTS, st.integers(min_value=1, max_value=10_000), st.lists(AMOUNTS, max_size=4))
def test_the_amounts_of_a_shipment_item_agree(price: Decimal, quantity: int, taxes: list[Decimal]) -> None:
    line = ShipmentItem("S-1", "I-1", quantity, price, tuple(Tax("GST", Decimal(5), each) for each in taxes))

    (told,) = sent(a_plain_posting(shipments=(Shipment((line,)),)))["shipments"][0]["shipmentItems"]

    assert sum(tax["taxTotal"] for tax in told["taxItems"]) == told["netTaxAmountTotal"]
    assert told["baseSellingPricePerUnit"] + told["netTaxAmountPerUnit"] == told["sellingPricePerUnit"] == price
    for amount in ("netTaxAmount", "baseSellingPrice", "sellingPrice"):
        assert told[f"{amount}Total"] == told[f"{amount}PerUnit"] * quantity


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0.1", b"0.1"),
        ("1249.50", b"1249.5"),
        ("100", b"100"),
        ("1E+3", b"1000"),
        ("0.00", b"0"),
        ("1234567890123456.789", b"1234567890123456.789"),
        ("0.1000000000000000055511151231257827", b"0.1000000000000000055511151231257827"),
    ],
)
def test_money_is_written_to_the_last_digit(amount: str, written: bytes) -> None:
    posting = a_plain_posting(items=(PostedItem(WHOLE, ItemStatus.RECEIVED, Decimal(amount)),))

    assert b'"sellingPricePerUnit":' + written + b"}" in body_of(posting)


# ── what must be there ──────────────────────────────────────────────────────────────

MANDATORY: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("partnerCode: may not be null", {"partner_code": None}),
    ("partnerCode: may not be empty", {"partner_code": ""}),
    ("partnerLocationCode: may not be null", {"partner_location_code": None}),
    ("locationCode: may not be null", {"location_code": None}),
    ("channelName: may not be null", {"channel": None}),
    ("forwardOrderCode: may not be empty", {"forward_order_code": ""}),
    ("paymentMethod: may not be null", {"payment_method": None}),
    ("returnOrderType: may not be null", {"return_type": None}),
    ("items: may not be empty", {"items": ()}),
    ("shippingAddress: may not be null", {"shipping_address": None}),
    ("billingAddress: may not be null", {"billing_address": None}),
    ("shippingAddress.zip: may not be null", {"shipping_address": CustomerAddress(None, "INDIA")}),
    ("billingAddress.country: may not be null", {"billing_address": CustomerAddress("620006", None)}),
    (
        "items[1].qcStatus: may not be null",
        {
            "items": (
                PostedItem(WHOLE, ItemStatus.RECEIVED, Decimal(1)),
                PostedItem(ProcessedItem("I-2", "S-2", None), ItemStatus.RECEIVED, Decimal(1)),
            )
        },
    ),
    ("items[0].returnOrderItemStatus: may not be null", {"items": (PostedItem(WHOLE, None, Decimal(1)),)}),
    ("items[0].sellingPricePerUnit: may not be null", {"items": (PostedItem(WHOLE, ItemStatus.RECEIVED, None),)}),
    (
        "items[0].channelSkuCode: may not be null",
        {"items": (PostedItem(replace(WHOLE, sku=None), ItemStatus.RECEIVED, Decimal(1)),)},
    ),
    (
        "items[0].bundledSkuChildItemReturnPostings[0].omsReturnItemId: may not be null",
        {
            "items": (
                PostedItem(
                    WHOLE,
                    ItemStatus.RECEIVED,
                    Decimal(1),
                    bundled_children=(BundledChildItem(status=ItemStatus.RECEIVED, qc_status=QcStatus.PASS),),
                ),
            )
        },
    ),
    ("bundledSkuDefinitions[0].bundledParentChannelSkuId: may not be null", {"bundled_skus": (BundledSku(None, ()),)}),
    ("bundledSkuDefinitions[0].childSkus: may not be empty", {"bundled_skus": (BundledSku("B-1", ()),)}),
    ("shipments[0].shipmentItems: may not be empty", {"shipments": (Shipment(()),)}),
    (
        "shipments[0].shipmentItems[0].taxItems: may not be null",
        {"shipments": (Shipment((ShipmentItem("S-1", "I-1", 1, Decimal(1), None),)),)},
    ),
    (
        "shipments[0].shipmentItems[0].baseSellingPricePerUnit: may not be null",
        {"shipments": (Shipment((ShipmentItem("S-1", "I-1", 1, None, ()),)),)},
    ),
)


@pytest.mark.parametrize(("problem", "change"), MANDATORY, ids=[problem for problem, _ in MANDATORY])
def test_a_posting_waits_for_what_is_mandatory(problem: str, change: dict[str, Any]) -> None:
    posting = a_plain_posting(**change)

    assert problem in erp_posting.problems(posting)
    with pytest.raises(ValueError, match="may not be"):
        erp_posting.build(a_target(), posting, NOW)


def test_all_that_is_missing_is_said_at_once() -> None:
    posting = a_plain_posting(partner_code=None, partner_location_code=None, billing_address=None)

    assert erp_posting.problems(posting) == [
        "partnerCode: may not be null",
        "partnerLocationCode: may not be null",
        "billingAddress: may not be null",
    ]


@pytest.mark.parametrize("posting", [a_posting(), a_plain_posting()], ids=["full", "plain"])
def test_a_complete_posting_has_no_problems(posting: Posting) -> None:
    assert erp_posting.problems(posting) == []


# ── the call ────────────────────────────────────────────────────────────────────────


def test_it_is_a_signed_post_with_the_clients_own_headers() -> None:
    now = datetime.now(UTC)  # the library that verifies looks at the real clock

    request = erp_posting.build(a_target(url="https://erp.kaveri-looms.example/in?tenant=7"), a_posting(), now)

    assert (request.method, request.url, request.query) == (
        "POST",
        "https://erp.kaveri-looms.example/in",
        {"tenant": "7"},
    )
    assert (request.headers["X-Api-Key"], request.headers["Content-Type"]) == ("k-1", "application/json")
    assert not request.trusted
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_a_retry_repeats_body_and_ids() -> None:
    first, second = (erp_posting.build(a_target(), a_posting(), NOW + timedelta(hours=wait)) for wait in (0, 5))

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_stored_metadata_may_come_back_in_any_order() -> None:
    attributes = a_posting().order_attributes
    assert attributes is not None
    turned = dict(reversed(list((attributes.channel_metadata or {}).items())))

    assert body_of(a_posting(order_attributes=replace(attributes, channel_metadata=turned))) == body_of(a_posting())


def test_sequence_comes_last_and_can_be_switched_off() -> None:
    assert body_of(a_posting()).endswith(b',"sequence":9}')
    assert "sequence" not in json.loads(erp_posting.build(without_sequence(), a_posting(), NOW).body or b"")


def test_any_language_goes_through_and_half_a_character_becomes_a_question_mark() -> None:
    address = CustomerAddress("620006", "INDIA", name="ரேவதி 😀 \ud83d", line1='3/14 "East"\n\x00')

    told = sent(a_posting(shipping_address=address))["shippingAddress"]

    assert (told["name"], told["line1"]) == ("ரேவதி 😀 ?", '3/14 "East"\n\x00')


def test_five_hundred_units_are_posted_whole() -> None:
    units = tuple(
        PostedItem(ProcessedItem(f"I-{number}", "S-1", QcStatus.PASS), ItemStatus.RECEIVED, Decimal("0.1"))
        for number in range(500)
    )

    told = sent(a_posting(items=units))

    assert [item["itemCode"] for item in told["items"]] == [f"I-{number}" for number in range(500)]


def test_the_customer_is_not_shown() -> None:
    shown = repr(a_posting())

    for secret in ("Revathi", "620006", "9000000417", "revathi@mail.example", "East Car Street", "order 1", "item 1"):
        assert secret not in shown


# ── messageId ───────────────────────────────────────────────────────────────────────


def test_a_message_id_never_changes() -> None:
    """An ERP has stored these: a change of the recipe would post every return once more."""
    assert erp_posting.message_id("kaveri", "KL-4471-R1", 9) == 8320374278395218944
    assert erp_posting.message_id("acme", "RET-1", 1) == 6534822041995069923


@given(st.text(), st.text(), st.integers(min_value=0))
def test_a_message_id_is_a_positive_long(client: str, code: str, sequence: int) -> None:
    assert 1 <= erp_posting.message_id(client, code, sequence) < 2**63


def test_every_event_has_its_own_message_id() -> None:
    events = [
        ("a", "b", 1),
        ("a", "b", 2),
        ("ab", "", 1),
        ("", "ab", 1),
        ("a", "b1", 1),
        ("a1", "b", 1),
        ("a", "b", 11),
    ]

    assert len({erp_posting.message_id(*each) for each in events}) == len(events)


# ── answers ─────────────────────────────────────────────────────────────────────────


def an_answer(body: bytes, status: int = 200, *, truncated: bool = False) -> HttpAnswer:
    return HttpAnswer(status, {}, body, 12, truncated=truncated)


SAID_NO = "answered 200 with hasError: true"
ANSWERS: Final[tuple[tuple[HttpAnswer | NoAnswer, Verdict], ...]] = (
    (an_answer(b'{"hasError":false,"errorMessage":"Sample error message"}'), Delivered(200)),
    (an_answer(b'{"hasError":false}'), Delivered(200)),
    (an_answer(b'\xef\xbb\xbf {"hasError" : false, "extra": [1.5]}\r\n', 201), Delivered(201)),
    (an_answer(b""), Delivered(200)),
    (an_answer(b" \r\n"), Delivered(200)),
    (an_answer(b"", 204), Delivered(204)),
    (an_answer(b'{"hasError":true,"errorMessage":"Ledger closed"}'), Refused(SAID_NO, "Ledger closed")),
    (an_answer(b'{"hasError":true}'), Refused(SAID_NO)),
    (an_answer(b'{"hasError":true,"errorMessage":{"a":1}}'), Refused(SAID_NO)),
    (an_answer(b'{"hasError":true,"errorMessage":404}'), Refused(SAID_NO, "404")),
    (an_answer(b'{"hasError":true,"errorMessage":" a\\n\\u0000b  c "}'), Refused(SAID_NO, "a b c")),
    (an_answer(b'{"hasError":true,"errorMessage":"' + b"x" * 900 + b'"}'), Refused(SAID_NO, "x" * 500)),
    (
        an_answer(b'{"errorMessage":"odd"}'),
        RetryLater("answered 200 without hasError true or false", blame=Blame.MESSAGE, words="odd"),
    ),
    *(
        (an_answer(body), RetryLater("answered 200 without hasError true or false", blame=Blame.MESSAGE))
        for body in (b"{}", b'{"hasError":null}', b'{"hasError":"false"}', b'{"hasError":0}', b'{"hasError":1}')
    ),
    *(
        (an_answer(body), RetryLater("answered 200 with a body that is no JSON object"))
        for body in (
            b"\xff\xfe not json",
            b"<html>log in</html>",
            b"[]",
            b"true",
            b'{"hasError":false',
            b'{"hasError":false,"hasError":true}',
            b"[" * 60_000,
        )
    ),
    (
        an_answer(b'{"hasError":false}', truncated=True),
        RetryLater("answered 200 with a body that is too long"),
    ),
    (
        an_answer(b'{"hasError":false}', 302),
        RetryLater("answered 302: redirects are not followed, register the new URL"),
    ),
    (an_answer(b"", 400), RetryLater("answered 400", blame=Blame.MESSAGE)),
    (an_answer(b"", 401), Unauthorized()),
    (an_answer(b"", 410), Gone()),
    (an_answer(b'{"hasError":false}', 500), RetryLater("answered 500: fault at the receiver")),
    (NoAnswer("timed out after 10.0 s", sent=True, elapsed_ms=10_001), RetryLater("timed out after 10.0 s")),
)


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS, ids=[ascii(answer)[:80] for answer, _ in ANSWERS])
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, verdict: Verdict) -> None:
    assert erp_posting.judge(answer, NOW) == verdict


def test_the_words_of_a_refusal_are_kept_and_not_shown() -> None:
    verdict = erp_posting.judge(an_answer(b'{"hasError":true,"errorMessage":"No customer Revathi"}'), NOW)

    assert isinstance(verdict, Refused)
    assert verdict.words == "No customer Revathi"
    assert "Revathi" not in repr(verdict)
