"""Valid things for tests, which say only what they are about.

A change is named by its path, as in our error texts: `a_return_order_body(**{"orderItems[0].price": 5})`. `ABSENT`
takes the member away.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder


class _Absent:
    """Named alike in every process, because a test's name may show it."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


def as_bytes(body: object) -> bytes:
    """The body as a client sends it."""
    return json.dumps(body).encode()


def a_return_order_body(**changes: object) -> dict[str, Any]:
    """POST /return/return-orders: two shoes, for which RMS is to book the courier. Every optional field is set."""
    body: dict[str, Any] = {
        "forwardOrderCode": "SO-70031",
        "returnOrderCode": "RET-70031-1",
        "locationCode": "BLR-2",
        "returnOrderTime": "2026-02-11T09:15:30.250+05:30",
        "returnOrderStatus": "RETURN_CREATED",
        "expectedDate": "2026-02-18T18:00:00Z",
        "orderItems": [an_item_body("70031-1"), an_item_body("70031-2")],
        "orderType": "CUSTOMER_RETURN",
        "currencyCode": "INR",
        "regionType": "INDIAN",
        "returnReason": "Too small",
        "sellerGstin": "27AAECR4512K1Z3",
        "consigneeGstin": "29AAGCB1286Q1Z8",
        "shipmentDimension": {"breadth": 22, "height": 12.5, "length": 34, "weight": 940},
        "dropAddress": {
            "name": "Returns desk",
            "line1": "Plot 14, Hoskote Industrial Area",
            "line2": "Gate 3",
            "line3": "Dock B",
            "city": "Bengaluru",
            "state": "Karnataka",
            "zip": "562114",
            "country": "INDIA",
            "email": "returns@warehouse.example",
            "phone": "8045550101",
        },
        "pickupAddress": {
            "name": "Asha Menon",
            "line1": "7 Lake View Road",
            "line2": "Flat 2A",
            "line3": "Opposite the library",
            "city": "Pune",
            "state": "Maharashtra",
            "zip": "411014",
            "country": "INDIA",
            "email": "asha.menon@mail.example",
            "phone": "9820055501",
        },
        "orderDetails": {
            "codValue": 0,
            "invoiceNumber": "INV-26-8841",
            "invoiceTime": "2026-02-02T11:40:00+05:30",
            "invoiceValue": 5998.0,
            "isCod": False,
            "forwardShipmentNumber": "SH-70031",
        },
    }
    return _changed(body, changes)


def an_item_body(code: str, **changes: object) -> dict[str, Any]:
    """One of `orderItems`."""
    item: dict[str, Any] = {
        "itemCode": code,
        "reason": "Too small",
        "enableDoorStepQc": "true",
        "channelSkuCode": "TRAIL-42-BLK",
        "name": "Trail shoe",
        "brand": "Northpeak",
        "color": "Black",
        "category": "Footwear",
        "subCategory": "Running",
        "serialNumber": "NP-5520",
        "price": 2999.0,
        "finalAmountPaid": 2749.5,
        "imageUrl": "https://shop.example/img/trail-42.jpg",
        "storeCreditsUsed": 249.5,
        "subTaxItemData": [
            {"type": "CGST", "rate": 9, "taxPerUnit": 228.73, "taxTotal": 228.73},
            {"type": "SGST", "rate": 9, "taxPerUnit": 228.73, "taxTotal": 228.73},
        ],
    }
    return _changed(item, changes)


def a_channel_booked_body(**changes: object) -> dict[str, Any]:
    """POST /return/return-orders for which the channel has booked the courier: the least that is taken."""
    body: dict[str, Any] = {
        "forwardOrderCode": "SO-70044",
        "returnOrderCode": "RET-70044-1",
        "locationCode": "BLR-2",
        "orderItems": [{"itemCode": "70044-1", "reason": "Other colour", "channelSkuCode": "CAP-RED"}],
        "awbNumber": "9977001122",
        "transporter": "Quickship",
    }
    return _changed(body, changes)


def an_items_body(**changes: object) -> dict[str, Any]:
    """PUT /return/update-return-order/item: one more unit for the return of `a_channel_booked_body`."""
    body: dict[str, Any] = {
        "locationCode": "BLR-2",
        "orderCode": "SO-70044",
        "returnOrderCode": "RET-70044-1",
        "returnLineItems": [
            {
                "channelReturnItemCode": "70044-2",
                "channelSkuCode": "SCARF-GREY",
                "price": 499.5,
                "reasonForReturn": "Not needed",
                "subOrderCode": "SO-70044-B",
            }
        ],
    }
    return _changed(body, changes)


def a_processed_body(**changes: object) -> dict[str, Any]:
    """POST /usp/return: both shoes of `a_return_order_body`, one of which failed."""
    body: dict[str, Any] = {
        "channelName": "LOTUS-WEB",
        "awbNumber": "5277100004418",
        "transporter": "Quickship",
        "returnOrderCode": "RET-70031-1",
        "forwardOrderCode": "SO-70031",
        "locationCode": "BLR-2",
        "orderItems": [a_result_body("70031-1"), a_failure_body("70031-2")],
    }
    return _changed(body, changes)


def a_result_body(code: str, **changes: object) -> dict[str, Any]:
    """One of `orderItems` of POST /usp/return: it passed."""
    item: dict[str, Any] = {"returnItemCode": code, "channelSkuCode": "TRAIL-42-BLK", "qcStatus": "PASS"}
    return _changed(item, changes)


def a_failure_body(code: str, **changes: object) -> dict[str, Any]:
    """One of `orderItems` of POST /usp/return: it failed."""
    failed = {"qcStatus": "FAIL", "qcReason": "USED_PRODUCT", "imageUrls": ["https://img.warehouse.example/sole.jpg"]}
    return _changed(a_result_body(code) | failed, changes)


def a_return_create_body(**changes: object) -> dict[str, Any]:
    """POST /return/create: two lines, three units. Every optional field is set."""
    body: dict[str, Any] = {
        "logisticAccountAlias": "west",
        "currencyCode": "INR",
        "regionType": "INDIAN",
        "returnReason": "Arrived late",
        "sellerGstin": "27AAECR4512K1Z3",
        "consigneeGstin": "29AAGCB1286Q1Z8",
        "shipmentDimension": {"breadth": 18, "height": 6, "length": 25.4, "weight": 610},
        "dropAddress": {
            "firstName": "Returns",
            "middleName": "and repairs",
            "lastName": "desk",
            "street1": "Plot 14, Hoskote Industrial Area",
            "street2": "Gate 3",
            "street3": "Dock B",
            "city": "Bengaluru",
            "state": "Karnataka",
            "zip": "562114",
            "country": "INDIA",
            "email": "returns@warehouse.example",
            "phone": "8045550101",
        },
        "pickupAddress": {
            "firstName": "Ravi",
            "middleName": "K",
            "lastName": "Iyer",
            "street1": "31 Temple Street",
            "street2": "First floor",
            "street3": "Mylapore",
            "city": "Chennai",
            "state": "Tamil Nadu",
            "zip": "600004",
            "country": "INDIA",
            "email": "ravi.iyer@mail.example",
            "phone": "9840055502",
        },
        "orderDetails": {
            "codValue": 1899.0,
            "invoiceNumber": "INV-26-9120",
            "invoiceTime": "2026-03-01T10:00:00Z",
            "invoiceValue": 1899.0,
            "isCod": True,
            "orderDate": "2026-02-27T21:05:00+05:30",
            "orderNumber": "RET-70100-1",
            "forwardOrderNumber": "SO-70100",
            "forwardShipmentNumber": "SH-70100",
            "orderLineItemList": [
                {
                    "clientSkuId": "MUG-BLUE",
                    "name": "Blue mug",
                    "price": 450.0,
                    "quantity": 2,
                    "finalAmountPaid": 425.0,
                    "imageUrl": "https://shop.example/img/mug-blue.jpg",
                    "storeCreditsUsed": 25.0,
                    "brand": "Kiln",
                    "color": "Blue",
                    "category": "Kitchen",
                    "subCategory": "Mugs",
                    "serialNumber": "K-77",
                    "enableDoorStepQc": True,
                    "reason": "Chipped",
                },
                {"clientSkuId": "TRAY-OAK", "name": "Oak tray", "price": 999, "quantity": 1, "finalAmountPaid": 999},
            ],
        },
    }
    return _changed(body, changes)


def a_shipment_body(**changes: object) -> dict[str, Any]:
    """POST /forward/orders and /forward/shipping-labels: a paid parcel of two SKUs. Every optional field is set."""
    body: dict[str, Any] = {
        "logisticAccountAlias": "main",
        "currencyCode": "INR",
        "locationCode": "BLR-2",
        "sellerGstin": "27AAECR4512K1Z3",
        "shipmentDimension": {"breadth": 22, "height": 12.5, "length": 34, "weight": 1310},
        "pickupAddress": {
            "firstName": "Dispatch",
            "middleName": "and packing",
            "lastName": "desk",
            "addressLine1": "Plot 14, Hoskote Industrial Area",
            "addressLine2": "Gate 1",
            "addressLine3": "Dock A",
            "city": "Bengaluru",
            "state": "Karnataka",
            "zip": "562114",
            "country": "INDIA",
            "email": "dispatch@warehouse.example",
            "phone": "8045550102",
        },
        "dropAddress": {
            "firstName": "Asha",
            "middleName": "R",
            "lastName": "Menon",
            "addressLine1": "7 Lake View Road",
            "addressLine2": "Flat 2A",
            "addressLine3": "Opposite the library",
            "city": "Pune",
            "state": "Maharashtra",
            "zip": "411014",
            "country": "INDIA",
            "email": "asha.menon@mail.example",
            "phone": "9820055501",
        },
        "billingAddress": {
            "firstName": "Asha",
            "middleName": "R",
            "lastName": "Menon",
            "addressLine1": "Unit 9, Software Park",
            "addressLine2": "Tower 2",
            "addressLine3": "Reception",
            "city": "Pune",
            "state": "Maharashtra",
            "zip": "411057",
            "country": "INDIA",
            "email": "accounts.menon@mail.example",
            "phone": "9820055509",
        },
        "orderDetails": {
            "orderNumber": "SO-70031",
            "shipmentCode": "SH-70031",
            "paymentType": "PREPAID",
            "orderAmount": 6448.0,
            "orderDate": "2026-02-01T19:10:00Z",
            "invoiceNumber": "INV-26-8841",
            "invoiceTime": "2026-02-02T11:40:00+05:30",
            "orderLineItems": [
                {
                    "itemCode": "70031-1",
                    "sku": "TRAIL-42-BLK",
                    "name": "Trail shoe",
                    "quantity": 2,
                    "price": 2999.5,
                    "discount": 250,
                    "taxPercent": 18,
                    "hsn": "64041110",
                    "category": "Footwear",
                },
                {"sku": "SOCK-M", "name": "Wool sock", "quantity": 1, "price": 949},
            ],
        },
    }
    return _changed(body, changes)


def an_invoice_body(**changes: object) -> dict[str, Any]:
    """POST /forward/invoices. Every optional field is set."""
    body: dict[str, Any] = {
        "forwardOrderCode": "SO-70031",
        "forwardShipmentCode": "SH-70031",
        "invoiceData": {
            "invoiceId": "INV-26-8841",
            "documentUrl": "https://documents.shop.example/INV-26-8841.pdf",
            "invoiceStatus": "CREATED",
            "documentType": "INVOICE",
            "irn": "5f1c77ae90",
            "ackName": "112610031",
            "ackDate": "2026-02-02 11:41:07",
        },
    }
    return _changed(body, changes)


def a_label_question(**changes: object) -> dict[str, Any]:
    """POST /forward/web-shop-labels. Every optional field is set."""
    body: dict[str, Any] = {
        "orderCode": "SO-70055",
        "shipmentId": "70055",
        "shipmentCode": "SH-70055",
        "locationCode": "BLR-2",
        "arePackBoxLabelsRequired": False,
    }
    return _changed(body, changes)


def a_return(**changes: Any) -> ReturnOrder:
    """A return order for which RMS is to book the courier.

    Paths go down with dots: `a_return(code="RET-9")`, `a_return(**{"forward.is_cod": True, "items[0].sku": "X"})`.
    """
    order = ReturnOrder(
        code="RET-70031-1",
        forward_order_code="SO-70031",
        items=(
            ReturnItem(
                item_code="70031-1",
                sku="TRAIL-42-BLK",
                reason="Too small",
                name="Trail shoe",
                brand="Northpeak",
                price=Decimal(2999),
                final_amount_paid=Decimal("2749.5"),
            ),
        ),
        location_code="BLR-2",
        placed_at=datetime(2026, 2, 11, 3, 45, 30, tzinfo=UTC),
        currency="INR",
        region="INDIAN",
        reason="Too small",
        seller_gstin="27AAECR4512K1Z3",
        parcel=Parcel(length_cm=Decimal(34), breadth_cm=Decimal(22), height_cm=Decimal("12.5"), weight_g=Decimal(940)),
        drop=an_address(name="Returns desk", line2="Gate 3", city="Bengaluru", state="Karnataka", zip="562114"),
        pickup=an_address(),
        forward=ForwardOrder(
            cod_value=Decimal(0),
            is_cod=False,
            invoice_value=Decimal(2999),
            invoice_number="INV-26-8841",
            invoice_time=datetime(2026, 2, 2, 6, 10, tzinfo=UTC),
            shipment_number="SH-70031",
        ),
    )
    return changed(order, **changes)


def changed[Order: (ReturnOrder, ForwardShipment)](order: Order, **changes: Any) -> Order:
    """The order with other values at these paths."""
    for path, value in changes.items():
        order = _replaced(order, _steps(path), value)
    return order


def a_shipment(**changes: Any) -> ForwardShipment:
    """A forward parcel for which RMS is to book the courier: a paid pair of shoes. Paths as in `a_return`."""
    shipment = ForwardShipment(
        code="SO-70031",
        shipment_code="SH-70031",
        items=(
            ForwardItem(
                item_code="SO-70031-1",
                sku="TRAIL-42-BLK",
                name="Trail shoe",
                quantity=2,
                price=Decimal("2999.5"),
                discount=Decimal(250),
                tax_percent=Decimal(18),
                hsn="64041110",
            ),
        ),
        pickup=an_address(name="Dispatch", line2="Gate 1", city="Bengaluru", state="Karnataka", zip="562114"),
        drop=an_address(),
        parcel=Parcel(length_cm=Decimal(34), breadth_cm=Decimal(22), height_cm=Decimal("12.5"), weight_g=Decimal(940)),
        amount=Decimal(5499),
        ordered_at=datetime(2026, 2, 1, 19, 10, tzinfo=UTC),
        location_code="BLR-2",
        invoice_number="INV-26-8841",
        invoice_time=datetime(2026, 2, 2, 6, 10, tzinfo=UTC),
        seller_gstin="27AAECR4512K1Z3",
    )
    return changed(shipment, **changes)


def an_address(**changes: Any) -> Address:
    """A shopper's address."""
    address = Address(
        name="Asha Menon",
        line1="7 Lake View Road",
        line2=None,
        line3=None,
        city="Pune",
        state="Maharashtra",
        zip="411014",
        country="INDIA",
        email="asha.menon@mail.example",
        phone="9820055501",
    )
    return replace(address, **changes)


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]


def _changed(body: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    for path, value in changes.items():
        *way, last = _steps(path)
        held: Any = body
        for step in way:
            held = held[step]
        if value is ABSENT:
            del held[last]
        else:
            held[last] = value
    return body


def _replaced(held: Any, steps: list[str | int], value: object) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        return (*held[:step], _replaced(held[step], rest, value), *held[step + 1 :])
    if not is_dataclass(held) or step not in {field.name for field in fields(held)}:
        raise KeyError(step)
    return replace(held, **{step: _replaced(getattr(held, step), rest, value)})  # type: ignore[type-var]  # a frozen instance
