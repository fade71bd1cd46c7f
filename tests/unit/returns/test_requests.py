"""POST /return/return-orders and /return/create: what is read from a body, and all that is found wrong with one."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rms.clients.choice import Lane, lane_of
from rms.model.documents import content_digest, from_document, to_document
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder, SubTax
from rms.platform.json import BadJsonError
from rms.platform.problems import InvalidRequestError, Problem
from rms.returns.requests import read_return_order, read_return_with_awb
from rms.returns.rules import COURIER_FIELDS, AccountProblem, BookingTerms, lane_in
from tests.builders import (
    ABSENT,
    a_channel_booked_body,
    a_return_create_body,
    a_return_order_body,
    an_item_body,
    as_bytes,
)

EVENTS = Path(__file__).parents[3] / "events" / "returns"
CLICKPOST = BookingTerms(demands_client_fields=True)
SHIPROCKET = BookingTerms(demands_client_fields=False)


def order(body: object, terms: BookingTerms | None = CLICKPOST) -> ReturnOrder:
    return read_return_order(as_bytes(body), lambda _: terms)


def created(body: object, terms: BookingTerms | AccountProblem = CLICKPOST) -> ReturnOrder:
    return read_return_with_awb(as_bytes(body), lambda _alias, _lane: terms)


def refusal(read: Callable[..., ReturnOrder], *arguments: object) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read(*arguments)
    return caught.value.description


# ── both shapes in full ─────────────────────────────────────────────────────────────


def test_every_field_of_a_return_order_is_read() -> None:
    taxes = tuple(SubTax(name, Decimal(9), Decimal("228.73"), Decimal("228.73")) for name in ("CGST", "SGST"))
    shoe = ReturnItem(
        item_code="70031-1",
        sku="TRAIL-42-BLK",
        reason="Too small",
        doorstep_qc=True,
        name="Trail shoe",
        brand="Northpeak",
        color="Black",
        category="Footwear",
        sub_category="Running",
        serial_number="NP-5520",
        price=Decimal(2999),
        final_amount_paid=Decimal("2749.5"),
        image_url="https://shop.example/img/trail-42.jpg",
        store_credits_used=Decimal("249.5"),
        taxes=taxes,
    )

    assert order(a_return_order_body(orderType="RETURN_TO_ORIGIN")) == ReturnOrder(
        code="RET-70031-1",
        forward_order_code="SO-70031",
        items=(shoe, replace(shoe, item_code="70031-2")),
        location_code="BLR-2",
        placed_at=datetime(2026, 2, 11, 3, 45, 30, 250_000, tzinfo=UTC),
        channel_status="RETURN_CREATED",
        expected_at=datetime(2026, 2, 18, 18, 0, tzinfo=UTC),
        order_type="RETURN_TO_ORIGIN",
        currency="INR",
        region="INDIAN",
        reason="Too small",
        seller_gstin="27AAECR4512K1Z3",
        consignee_gstin="29AAGCB1286Q1Z8",
        parcel=Parcel(length_cm=Decimal(34), breadth_cm=Decimal(22), height_cm=Decimal("12.5"), weight_g=Decimal(940)),
        drop=Address(
            name="Returns desk",
            line1="Plot 14, Hoskote Industrial Area",
            line2="Gate 3",
            line3="Dock B",
            city="Bengaluru",
            state="Karnataka",
            zip="562114",
            country="INDIA",
            email="returns@warehouse.example",
            phone="8045550101",
        ),
        pickup=Address(
            name="Asha Menon",
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
        forward=ForwardOrder(
            cod_value=Decimal(0),
            is_cod=False,
            invoice_value=Decimal(5998),
            invoice_number="INV-26-8841",
            invoice_time=datetime(2026, 2, 2, 6, 10, tzinfo=UTC),
            shipment_number="SH-70031",
        ),
    )


def test_the_least_that_a_channel_which_booked_must_send() -> None:
    assert order(a_channel_booked_body(), None) == ReturnOrder(
        code="RET-70044-1",
        forward_order_code="SO-70044",
        items=(ReturnItem("70044-1", "CAP-RED", "Other colour"),),
        location_code="BLR-2",
        awb="9977001122",
        courier="Quickship",
    )


def test_every_field_of_a_return_with_awb_is_read() -> None:
    mug = ReturnItem(
        item_code="MUG-BLUE_1",
        sku="MUG-BLUE",
        reason="Chipped",
        doorstep_qc=True,
        name="Blue mug",
        brand="Kiln",
        color="Blue",
        category="Kitchen",
        sub_category="Mugs",
        serial_number="K-77",
        price=Decimal(450),
        final_amount_paid=Decimal(425),
        image_url="https://shop.example/img/mug-blue.jpg",
        store_credits_used=Decimal(25),
    )
    tray = ReturnItem(
        "TRAY-OAK_1", "TRAY-OAK", None, name="Oak tray", price=Decimal(999), final_amount_paid=Decimal(999)
    )

    assert created(a_return_create_body()) == ReturnOrder(
        code="RET-70100-1",
        forward_order_code="SO-70100",
        items=(mug, replace(mug, item_code="MUG-BLUE_2"), tray),
        account_alias="west",
        currency="INR",
        region="INDIAN",
        reason="Arrived late",
        seller_gstin="27AAECR4512K1Z3",
        consignee_gstin="29AAGCB1286Q1Z8",
        parcel=Parcel(length_cm=Decimal("25.4"), breadth_cm=Decimal(18), height_cm=Decimal(6), weight_g=Decimal(610)),
        drop=Address(
            name="Returns and repairs desk",
            line1="Plot 14, Hoskote Industrial Area",
            line2="Gate 3",
            line3="Dock B",
            city="Bengaluru",
            state="Karnataka",
            zip="562114",
            country="INDIA",
            email="returns@warehouse.example",
            phone="8045550101",
        ),
        pickup=Address(
            name="Ravi K Iyer",
            line1="31 Temple Street",
            line2="First floor",
            line3="Mylapore",
            city="Chennai",
            state="Tamil Nadu",
            zip="600004",
            country="INDIA",
            email="ravi.iyer@mail.example",
            phone="9840055502",
        ),
        forward=ForwardOrder(
            cod_value=Decimal(1899),
            is_cod=True,
            invoice_value=Decimal(1899),
            invoice_number="INV-26-9120",
            invoice_time=datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
            shipment_number="SH-70100",
            order_time=datetime(2026, 2, 27, 15, 35, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize("name", ["return_order.rms_books", "return_order.channel_booked"])
def test_recorded_return_orders_are_read_and_kept(name: str) -> None:
    read = read_return_order((EVENTS / f"{name}.json").read_bytes(), lambda _: CLICKPOST)

    assert from_document(to_document(read)) == read


def test_an_order_from_abroad_needs_no_indian_fields_where_the_aggregator_asks_for_none() -> None:
    raw = (EVENTS / "return_order.international.json").read_bytes()

    assert read_return_order(raw, lambda _: SHIPROCKET).items[0].final_amount_paid == Decimal("127.457500000001")
    assert refusal(read_return_order, raw, lambda _: CLICKPOST) == (
        "[sellerGstin: may not be null, orderDetails.invoiceNumber: may not be null,"
        " orderDetails.invoiceTime: may not be null]"
    )


def test_recorded_returns_with_awb_are_read_and_kept() -> None:
    full = read_return_with_awb((EVENTS / "return_create.json").read_bytes(), lambda _alias, _lane: CLICKPOST)
    least = read_return_with_awb((EVENTS / "return_create.minimal.json").read_bytes(), lambda _alias, _lane: SHIPROCKET)

    assert [from_document(to_document(read)) for read in (full, least)] == [full, least]
    assert least.account_alias is None


def test_a_shopper_may_have_one_name_only() -> None:
    body = a_return_create_body(**{"pickupAddress.middleName": None, "pickupAddress.lastName": ABSENT})

    assert (pickup := created(body).pickup)
    assert pickup.name == "Ravi"


def test_units_are_numbered_on_where_a_sku_has_several_lines() -> None:
    read = read_return_with_awb((EVENTS / "return_create.json").read_bytes(), lambda _alias, _lane: CLICKPOST)

    assert [(item.item_code, item.reason) for item in read.items] == [
        ("PAN-28_1", "Handle is loose"),
        ("PAN-28_2", "Handle is loose"),
        ("LID-28_1", None),
        ("PAN-28_3", None),
    ]


# ── all that is wrong, at once ──────────────────────────────────────────────────────


def test_all_mistakes_are_named_at_once_in_the_contracts_order() -> None:
    raw = (EVENTS / "return_order.mistakes.json").read_bytes()

    terms = replace(CLICKPOST, required_fields=("orderItems.brand",))

    assert refusal(read_return_order, raw, lambda _: terms) == (
        "[forwardOrderCode: may not be empty,"
        " returnOrderCode: must be text,"
        " locationCode: may not be null,"
        " orderItems[0].enableDoorStepQc: must be true or false,"
        " orderItems[0].channelSkuCode: may not be null,"
        " orderItems[0].name: may not be null,"
        " orderItems[0].brand: may not be null,"
        " orderItems[0].price: must be at least 0,"
        " orderItems[0].finalAmountPaid: must be a number,"
        " orderItems[1].itemCode: must be unique in the return order,"
        " orderItems[1].reason: may not be null,"
        " orderItems[1].brand: may not be null,"
        " orderType: must be one of SELF_SHIP, CUSTOMER_RETURN, RETURN_TO_ORIGIN,"
        " returnReason: may not be null,"
        " sellerGstin: may not be null,"
        " shipmentDimension.height: may not be null,"
        " dropAddress: may not be null,"
        " pickupAddress: may not be null,"
        " orderDetails.codValue: must be above 0 when isCod is true,"
        " orderDetails.invoiceNumber: may not be null,"
        " orderDetails.invoiceTime: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30,"
        " tenantId: may not be set by a client]"
    )


def test_an_empty_return_with_awb_lacks_all_that_is_always_mandatory_and_its_account() -> None:
    assert refusal(created, {}, AccountProblem("may not be null")) == (
        "[logisticAccountAlias: may not be null, currencyCode: may not be null, regionType: may not be null,"
        " returnReason: may not be null, shipmentDimension: may not be null, dropAddress: may not be null,"
        " pickupAddress: may not be null, orderDetails: may not be null]"
    )


def test_the_members_of_objects_that_are_there_are_mandatory() -> None:
    body = a_return_create_body(dropAddress={}, shipmentDimension={}, orderDetails={})

    assert refusal(created, body).removeprefix("[").removesuffix("]").split(", ") == [
        *(f"shipmentDimension.{name}: may not be null" for name in ("breadth", "height", "length", "weight")),
        *(
            f"dropAddress.{name}: may not be null"
            for name in ("firstName", "street1", "city", "state", "zip", "country", "email", "phone")
        ),
        *(
            f"orderDetails.{name}: may not be null"
            for name in (
                "codValue",
                "invoiceNumber",
                "invoiceTime",
                "invoiceValue",
                "isCod",
                "orderDate",
                "orderNumber",
                "forwardOrderNumber",
                "orderLineItemList",
            )
        ),
    ]


def test_a_line_lacks_its_own_mandatory_members() -> None:
    body = a_return_create_body(**{"orderDetails.orderLineItemList": [{}]})

    assert refusal(created, body) == "[{}]".format(
        ", ".join(
            f"orderDetails.orderLineItemList[0].{name}: may not be null"
            for name in ("clientSkuId", "name", "price", "quantity", "finalAmountPaid")
        )
    )


def test_the_description_stays_short_enough_to_send() -> None:
    description = refusal(order, a_return_order_body(orderItems=[{}] * 500))

    assert description.endswith(", and 2000 more]")


def test_no_text_of_the_request_is_repeated() -> None:
    secret = "Q9-SECRET"
    body = a_return_order_body(
        **{"orderItems[0].price": secret, "regionType": secret, "returnOrderTime": secret, "orderItems[1]": secret}
    )
    body[secret] = secret

    assert secret not in refusal(order, body)


# ── who books ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("terms", [None, SHIPROCKET, replace(CLICKPOST, required_fields=COURIER_FIELDS)])
def test_a_return_that_the_channel_booked_needs_no_booking_fields(terms: BookingTerms | None) -> None:
    assert order(a_channel_booked_body(), terms).booked_by_channel


def test_what_a_channel_that_booked_sends_must_still_be_whole() -> None:
    body = a_channel_booked_body(pickupAddress={"name": "Asha"}, **{"orderItems[0].subTaxItemData": [{"rate": 5}]})

    assert refusal(order, body, None).startswith(
        "[orderItems[0].subTaxItemData[0].type: may not be null,"
        " orderItems[0].subTaxItemData[0].taxPerUnit: may not be null,"
        " orderItems[0].subTaxItemData[0].taxTotal: may not be null,"
        " pickupAddress.line1: may not be null, "
    )


@pytest.mark.parametrize(("given", "missing"), [("awbNumber", "transporter"), ("transporter", "awbNumber")])
@pytest.mark.parametrize("terms", [None, CLICKPOST])
def test_of_awb_and_transporter_one_alone_is_refused(given: str, missing: str, terms: BookingTerms | None) -> None:
    body = a_channel_booked_body(awbNumber=ABSENT, transporter=ABSENT) | {given: "X1"}

    assert refusal(order, body, terms) == f"[{missing}: may not be null]"
    assert refusal(order, body | {missing: " "}, terms) == f"[{missing}: may not be empty]"


def test_without_an_account_the_channel_must_have_booked() -> None:
    assert refusal(order, a_return_order_body(), None) == "[awbNumber: may not be null, transporter: may not be null]"
    assert refusal(order, a_return_order_body(awbNumber="", returnOrderCode=None), None) == (
        "[returnOrderCode: may not be null, awbNumber: may not be empty, transporter: may not be null]"
    )


BOOKING = (
    "orderItems[1].name",
    "orderItems[1].price",
    "orderItems[1].finalAmountPaid",
    "currencyCode",
    "regionType",
    "returnReason",
    "shipmentDimension",
    "dropAddress",
    "pickupAddress",
    "orderDetails",
)


@pytest.mark.parametrize("path", BOOKING)
def test_a_booking_field_is_mandatory_when_rms_books(path: str) -> None:
    assert refusal(order, a_return_order_body(**{path: None}), SHIPROCKET) == f"[{path}: may not be null]"
    assert refusal(order, a_return_order_body(**{path: ABSENT}), SHIPROCKET) == f"[{path}: may not be null]"


@pytest.mark.parametrize("path", ["sellerGstin", "orderDetails.invoiceNumber", "orderDetails.invoiceTime"])
def test_client_fields_are_mandatory_only_for_an_aggregator_that_demands_them(path: str) -> None:
    for read, body in ((order, a_return_order_body), (created, a_return_create_body)):
        assert refusal(read, body(**{path: ABSENT}), CLICKPOST) == f"[{path}: may not be null]"
        read(body(**{path: ABSENT}), SHIPROCKET)


OPTIONAL_WHEN_RMS_BOOKS = (
    "returnOrderTime",
    "returnOrderStatus",
    "expectedDate",
    "orderType",
    "consigneeGstin",
    "orderItems[0].enableDoorStepQc",
    "orderItems[0].brand",
    "orderItems[0].color",
    "orderItems[0].category",
    "orderItems[0].subCategory",
    "orderItems[0].serialNumber",
    "orderItems[0].imageUrl",
    "orderItems[0].storeCreditsUsed",
    "orderItems[0].subTaxItemData",
    "dropAddress.line2",
    "pickupAddress.line3",
    "orderDetails.forwardShipmentNumber",
)


@pytest.mark.parametrize("path", OPTIONAL_WHEN_RMS_BOOKS)
def test_an_optional_field_may_be_absent_null_or_empty_and_says_the_same(path: str) -> None:
    absent = order(a_return_order_body(**{path: ABSENT}))
    null = order(a_return_order_body(**{path: None}))

    assert content_digest(absent) == content_digest(null)
    if not path.endswith("subTaxItemData"):
        assert order(a_return_order_body(**{path: "  "})) == absent


@pytest.mark.parametrize("name", COURIER_FIELDS)
def test_a_couriers_field_is_mandatory_only_where_the_account_says_so(name: str) -> None:
    path = name.replace("orderItems.", "orderItems[1].")
    body = a_return_order_body(**{path: ABSENT})

    assert refusal(order, body, replace(SHIPROCKET, required_fields=(name,))) == f"[{path}: may not be null]"
    order(body, replace(SHIPROCKET, required_fields=tuple(set(COURIER_FIELDS) - {name})))


def test_an_empty_list_of_taxes_counts_as_missing_where_taxes_are_asked_for() -> None:
    body = a_return_order_body(**{"orderItems[0].subTaxItemData": []})

    assert order(body).items[0].taxes == ()
    assert refusal(order, body, replace(CLICKPOST, required_fields=("orderItems.subTaxItemData",))) == (
        "[orderItems[0].subTaxItemData: may not be empty]"
    )


@pytest.mark.parametrize("flag", [False, "false", None, ABSENT])
def test_without_doorstep_qc_an_image_is_optional_even_where_the_account_asks_for_one(flag: object) -> None:
    body = a_return_order_body(**{"orderItems[0].imageUrl": ABSENT, "orderItems[0].enableDoorStepQc": flag})

    assert order(body, replace(CLICKPOST, required_fields=("orderItems.imageUrl",))).items[0].image_url is None


def test_a_couriers_fields_are_asked_of_lines_too() -> None:
    terms = replace(CLICKPOST, required_fields=COURIER_FIELDS)

    assert refusal(created, a_return_create_body(consigneeGstin=""), terms) == (
        "[consigneeGstin: may not be empty,"
        " orderDetails.orderLineItemList[1].brand: may not be null,"
        " orderDetails.orderLineItemList[1].color: may not be null,"
        " orderDetails.orderLineItemList[1].category: may not be null,"
        " orderDetails.orderLineItemList[1].subCategory: may not be null,"
        " orderDetails.orderLineItemList[1].serialNumber: may not be null]"
    )


# ── the account of /return/create ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("alias", "asked"), [("west", "west"), (" west ", "west"), ("", None), (None, None), (ABSENT, None)]
)
def test_the_account_is_chosen_by_its_alias(alias: object, asked: str | None) -> None:
    aliases: list[str | None] = []

    def terms_for(alias: str | None, _: Lane) -> BookingTerms:
        aliases.append(alias)
        return CLICKPOST

    read = read_return_with_awb(as_bytes(a_return_create_body(logisticAccountAlias=alias)), terms_for)

    assert aliases == [asked]
    assert read.account_alias == asked


@pytest.mark.parametrize(
    "changes", [{}, {"pickupAddress.zip": " 411 014 "}, {"orderDetails.isCod": False, "orderDetails.codValue": 0}]
)
def test_accounts_are_chosen_by_what_the_order_then_says(changes: dict[str, object]) -> None:
    lanes: list[Lane] = []

    def terms_for(_: str | None, lane: Lane) -> BookingTerms:
        lanes.append(lane)
        return CLICKPOST

    read = read_return_with_awb(as_bytes(a_return_create_body(**changes)), terms_for)
    also = read_return_order(
        as_bytes(a_return_order_body(**{key: value for key, value in changes.items() if "zip" in key})),
        lambda lane: terms_for(None, lane),
    )

    assert [replace(lane, categories=tuple(dict.fromkeys(lane.categories))) for lane in lanes] == [
        lane_of(read),
        lane_of(also),
    ]


@pytest.mark.parametrize("odd", [None, 7, [], {}, "", {"zip": 7, "isCod": "yes"}])
def test_what_accounts_are_chosen_by_may_be_of_any_type(odd: object) -> None:
    body = {"pickupAddress": odd, "orderDetails": odd, "orderItems": [odd, {"category": odd}]}

    assert lane_in(body) == Lane()  # type: ignore[arg-type]  # a body as a client might send it


def test_an_unknown_account_is_reported_with_all_else() -> None:
    assert refusal(created, a_return_create_body(currencyCode=None), AccountProblem("is not one of your accounts")) == (
        "[logisticAccountAlias: is not one of your accounts, currencyCode: may not be null]"
    )


@pytest.mark.parametrize("alias", [7, "x" * 256, "a\nb", ["west"]])
def test_a_malformed_alias_is_never_looked_up(alias: object) -> None:
    raw = as_bytes(a_return_create_body(logisticAccountAlias=alias))

    assert refusal(read_return_with_awb, raw, lambda _: pytest.fail("looked up")).startswith("[logisticAccountAlias: m")


# ── values ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("returnOrderCode", 12, "must be text"),
        ("returnOrderCode", "x" * 256, "may have at most 255 characters"),
        ("returnOrderCode", "\U0001f45f" * 255, "may have at most 900 bytes in UTF-8"),
        ("returnOrderCode", "a\u0000b", "may not hold control characters"),
        ("locationCode", "a\nb", "may not hold control characters"),
        ("returnReason", "x" * 1001, "may have at most 1000 characters"),
        ("orderItems[0].imageUrl", "x" * 2049, "may have at most 2048 characters"),
        ("orderItems", {}, "must be a list"),
        ("orderItems", [], "may not be empty"),
        ("orderItems", "", "may not be empty"),
        ("orderItems", "many", "must be a list"),
        ("orderDetails", [{}], "must be an object"),
        ("orderItems[0]", 1, "must be an object"),
        ("orderItems[0]", None, "may not be null"),
        ("orderItems[0].subTaxItemData", [{}] * 11, "may have at most 10 elements"),
        ("orderItems[0].price", "5", "must be a number"),
        ("orderItems[0].price", True, "must be a number"),
        ("orderItems[0].price", [1], "must be a number"),
        ("orderItems[0].price", -0.01, "must be at least 0"),
        ("orderItems[0].price", 1e12 + 1, "may be at most 1000000000000"),
        ("orderItems[0].storeCreditsUsed", -1, "must be at least 0"),
        ("orderItems[0].enableDoorStepQc", 1, "must be true or false"),
        ("orderItems[0].enableDoorStepQc", "yes", "must be true or false"),
        ("regionType", "indian", "must be one of INDIAN, INTERNATIONAL"),
        ("orderType", 5, "must be one of SELF_SHIP, CUSTOMER_RETURN, RETURN_TO_ORIGIN"),
        ("shipmentDimension", [1], "must be an object"),
        ("shipmentDimension.weight", -1, "must be at least 0"),
        ("dropAddress.zip", 560076, "must be text"),
        ("orderDetails.isCod", "false", "must be true or false"),
        ("orderDetails.isCod", 0, "must be true or false"),
        ("orderDetails.codValue", 5, "must be 0 when isCod is false"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_was_expected(path: str, value: object, text: str) -> None:
    assert refusal(order, a_return_order_body(**{path: value})) == f"[{path}: {text}]"


@pytest.mark.parametrize(
    "time",
    [
        1_678_949_844,
        "1678949844",
        "2026-02-11",
        "2026-02-11T09:15:30",
        "2026-02-11 09:15:30Z",
        "2026-13-11T09:15:30Z",
        "2026-02-30T09:15:30Z",
        "2026-02-11T25:15:30Z",
        "2026-02-11T09:15:30+99:99",
        "20260211T091530Z",
        "2026-W07-3T09:15:30Z",
        "\u0662026-02-11T09:15:30Z",
        "11/02/2026",
        {"date": "2026-02-11"},
    ],
)
def test_a_time_without_zone_or_in_another_form_is_refused(time: object) -> None:
    assert refusal(order, a_return_order_body(expectedDate=time)) == (
        "[expectedDate: must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00+05:30]"
    )


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-05:00", "1969-12-31T23:59:59Z"])
def test_a_time_that_nobody_means_is_refused(time: str) -> None:
    assert refusal(order, a_return_order_body(expectedDate=time)) == (
        "[expectedDate: must lie between the years 1970 and 2199]"
    )


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-11T09:15:30+05:30",
        "2026-02-11T09:15:30.000+05:30",
        "2026-02-11T09:15:30+0530",
        "2026-02-11T03:45:30Z",
        "2026-02-11T03:45:30.000000Z",
        "2026-02-10T22:45:30-05:00",
    ],
)
def test_a_time_is_the_same_in_every_zone(time: str) -> None:
    assert order(a_return_order_body(expectedDate=time)).expected_at == datetime(2026, 2, 11, 3, 45, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("flag", "meant"),
    [(True, True), (False, False), ("true", True), ("FALSE", False), (" True ", True), (None, False), ("", False)],
)
def test_doorstep_qc_may_be_a_boolean_or_its_name(flag: object, meant: bool) -> None:  # noqa: FBT001  # the example
    assert order(a_return_order_body(**{"orderItems[0].enableDoorStepQc": flag})).items[0].doorstep_qc is meant


def test_cash_on_delivery_needs_its_value_and_nothing_else_has_one() -> None:
    assert refusal(created, a_return_create_body(**{"orderDetails.codValue": 0.0})) == (
        "[orderDetails.codValue: must be above 0 when isCod is true]"
    )
    assert refusal(created, a_return_create_body(**{"orderDetails.isCod": False})) == (
        "[orderDetails.codValue: must be 0 when isCod is false]"
    )


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (0, "must be at least 1"),
        (-1, "must be at least 1"),
        (1.5, "must be a whole number"),
        (True, "must be a whole number"),
        ("2", "must be a whole number"),
    ],
)
def test_a_quantity_is_a_whole_number_from_one(quantity: object, text: str) -> None:
    path = "orderDetails.orderLineItemList[1].quantity"

    assert refusal(created, a_return_create_body(**{path: quantity})) == f"[{path}: {text}]"


def test_a_whole_quantity_may_be_written_with_a_point() -> None:
    assert len(created(a_return_create_body(**{"orderDetails.orderLineItemList[1].quantity": 2.0})).items) == 4


def test_lines_may_not_come_to_more_units_than_an_order_holds() -> None:
    lines = "orderDetails.orderLineItemList"

    assert len(created(a_return_create_body(**{f"{lines}[0].quantity": 499})).items) == 500
    assert refusal(created, a_return_create_body(**{f"{lines}[0].quantity": 500})) == (
        f"[{lines}: may come to at most 500 units]"
    )
    assert refusal(created, a_return_create_body(**{f"{lines}[0].quantity": 10**17})) == (
        f"[{lines}: may come to at most 500 units, {lines}[0].quantity: may be at most 500]"
    )
    assert refusal(
        created, a_return_create_body(**{f"{lines}[0].quantity": 400, f"{lines}[0].clientSkuId": "é" * 250})
    ) == (f"[{lines}: comes to more item codes than fit: send fewer units in one return]")


def test_more_items_than_an_order_holds_are_refused_as_one_mistake() -> None:
    assert refusal(order, a_return_order_body(orderItems=[{}] * 501)) == "[orderItems: may have at most 500 elements]"


def test_the_largest_orders_fit_a_stored_item() -> None:
    lines = "orderDetails.orderLineItemList"
    many = a_return_create_body(
        **{f"{lines}[0].quantity": 499, f"{lines}[0].imageUrl": "u" * 2048, f"{lines}[0].reason": "\u0915" * 1000}
    )
    large = a_return_order_body(orderItems=[an_item_body(str(number)) for number in range(480)])

    assert len(as_bytes(large)) > 240_000
    for read in (created(many), order(large)):
        assert len(to_document(read).encode()) < 300_000


def test_weights_are_kept_in_grams() -> None:
    body = a_return_order_body(**{"shipmentDimension.weight": 0.94})
    channel = a_channel_booked_body(shipmentDimension={"length": 1, "breadth": 1, "height": 1, "weight": 1.5})

    assert order(body, CLICKPOST).parcel == replace(order(a_return_order_body()).parcel, weight_g=Decimal("0.94"))  # type: ignore[type-var]  # it has one
    kilograms = replace(CLICKPOST, weight_unit="KG")
    assert order(body, kilograms).parcel == order(a_return_order_body()).parcel
    assert read_return_order(as_bytes(channel), lambda _: None, "KG").parcel == Parcel(
        Decimal(1), Decimal(1), Decimal(1), Decimal(1500)
    )


def test_text_is_trimmed() -> None:
    assert order(a_return_order_body(returnOrderCode="  RET-70031-1\t")) == order(a_return_order_body())


def test_item_codes_are_compared_trimmed() -> None:
    assert refusal(order, a_return_order_body(**{"orderItems[1].itemCode": " 70031-1 "})) == (
        "[orderItems[1].itemCode: must be unique in the return order]"
    )


# ── members that are unknown, or ours ───────────────────────────────────────────────


def test_unknown_members_are_left_out() -> None:
    body = a_return_order_body(giftWrap=True, **{"orderItems[0].shade": {"a": [1]}, "dropAddress.status": "open"})

    assert order(body) == order(a_return_order_body())


@pytest.mark.parametrize(
    "name", ["status", "sequence", "client", "clientId", "client_id", "Tenant", "organisationId", "orgId", "awbStatus",
             "awbOwner", "shipmentStatus", "bookingState", "authDomainName"]
)  # fmt: skip
def test_members_that_would_set_something_of_ours_are_refused(name: str) -> None:
    assert refusal(order, a_return_order_body(**{name: "x"})) == f"[{name}: may not be set by a client]"
    assert refusal(created, a_return_create_body(**{name: "x"})) == f"[{name}: may not be set by a client]"


# ── idempotency ─────────────────────────────────────────────────────────────────────


def test_the_same_said_otherwise_has_the_same_digest() -> None:
    body = a_return_order_body()
    other = dict(reversed(body.items())) | {
        "returnOrderTime": "2026-02-11T03:45:30.25Z",
        "shipmentDimension": {"weight": 940.0, "length": 34.00, "height": 12.5, "breadth": 22},
        "orderType": None,
        "awbNumber": "",
        "note": "for the courier",
    }

    assert content_digest(order(other)) == content_digest(order(body))


def test_an_order_without_its_time_takes_none_from_the_clock() -> None:
    assert order(a_return_order_body(returnOrderTime=ABSENT)).placed_at is None


# ── whatever is sent ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"orderItems": NaN}',
        b'{"orderItems": 1' + b"0" * 5000 + b"}",
        b'{"returnOrderCode": "\\ud83d"}',
        b'{"returnOrderCode": "\xff"}',
        b'{"returnOrderCode": "a", "returnOrderCode": "b"}',
        b'{"orderItems":' * 5000,
    ],
)
def test_what_is_not_strict_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadJsonError):
        read_return_order(raw, lambda _: CLICKPOST)
    with pytest.raises(BadJsonError):
        read_return_with_awb(raw, lambda _alias, _lane: CLICKPOST)


NAMES = sorted(
    {*a_return_order_body(), *an_item_body("1"), *a_return_create_body()}
    | {*a_return_create_body()["orderDetails"], "clientSkuId", "quantity", "awbNumber", "transporter", "status", "type"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20, allow_subnormal=False)
    | st.sampled_from(
        ["", " ", "true", "INDIAN", "2026-02-11T09:15:30Z", "0001-01-01T00:00:00+14:00", "\x00", "9" * 300]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(NAMES), children, max_size=6),
    max_leaves=15,
)
PATHS = st.sampled_from([*BOOKING, *OPTIONAL_WHEN_RMS_BOOKS, "orderItems", "orderItems[0]", "dropAddress.zip"])
TERMS = st.sampled_from([None, CLICKPOST, SHIPROCKET, replace(CLICKPOST, required_fields=COURIER_FIELDS)])


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=8), TERMS)
def test_no_object_raises_anything_but_what_is_wrong_with_it(body: dict[str, Any], terms: BookingTerms | None) -> None:
    raw = as_bytes(body)
    with suppress(InvalidRequestError, BadJsonError):
        read_return_order(raw, lambda _: terms)
    with suppress(InvalidRequestError, BadJsonError):
        read_return_with_awb(raw, lambda _alias, _lane: terms or AccountProblem("may not be null"))


@settings(max_examples=150)
@given(PATHS, ANYTHING, TERMS)
def test_a_good_body_with_one_value_changed_is_read_or_refused_in_one_way(
    path: str, value: object, terms: BookingTerms | None
) -> None:
    raw = as_bytes(a_return_order_body(**{path: value}))
    outcomes: list[ReturnOrder | list[Problem]] = []
    for _ in range(2):
        try:
            outcomes.append(read_return_order(raw, lambda _: terms))
        except BadJsonError:
            return
        except InvalidRequestError as error:
            outcomes.append(error.problems)

    assert outcomes[0] == outcomes[1]
    if isinstance(outcomes[0], ReturnOrder):
        assert from_document(to_document(outcomes[0])) == outcomes[0]
    else:
        fields = [problem.field for problem in outcomes[0]]
        assert len(fields) == len(set(fields)) > 0
        json.dumps([str(problem) for problem in outcomes[0]]).encode()
