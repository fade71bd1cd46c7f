"""A return of which RMS holds everything, told to each kind of system: every field's presence, type and value.

The examples in `events/` have the contract's shapes; what is composed of a return that went through RMS must have them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rms.model.endpoint_kind import EndpointKind
from rms.notifications.sinks.erp_fields import FIELDS
from rms.notifications.sinks.erp_posting import message_id
from rms.notifications.sinks.erp_values import Posting
from rms.notifications.sinks.fields import Kind, paths
from tests.builders import (
    a_failure_body,
    a_processed_body,
    a_result_body,
    a_return_order_body,
    a_shipment_body,
    an_invoice_body,
    an_item_body,
)
from tests.fakes.http import answer, json_of
from tests.sinks import CHANNEL, ERP, WMS, Sinks, register
from tests.world import CLIENT, World

EVENTS: Final = Path(__file__).parents[2] / "events"
CODE: Final = "RET-70031-1"
APP: Final = "https://app.test/updates"

VIRTUAL: Final = {
    "channelSkuCode": "TRAIL-42-BLK-LEFT",
    "clientSkuCode": "NP-LEFT",
    "barcode": "8901000000017",
    "omsReturnItemId": 9_007_199_254_740_993,
    "qcStatus": "FAIL",
    "qcReason": "PAIR_MISMATCH",
    "returnOrderItemStatus": "RECEIVED",
}
BUNDLED: Final = {
    "channelSkuCode": "SOCK-M-GREY",
    "clientSkuCode": "NP-SOCK",
    "barcode": "8901000000031",
    "omsReturnItemId": 77_001,
    "qcStatus": "FAIL",
    "qcReason": "PRODUCT_MISSING",
    "returnOrderItemStatus": "MISSING",
    "qty": 2,
}
SHOES: Final = a_failure_body(
    "70031-1", returnOrderItemStatus="PARTIAL_MISSING_COMBO", virtualSkuChildItemReturnPostings=[VIRTUAL]
)
SOCKS: Final = a_result_body("70031-2", channelSkuCode="SOCK-M", bundledSkuChildItemReturnPostings=[BUNDLED])
TAXES: Final[list[dict[str, Any]]] = [
    {"type": "CGST", "rate": 9, "taxPerUnit": 228.73, "taxTotal": 228.73},
    {"type": "SGST", "rate": 9, "taxPerUnit": 228.73, "taxTotal": 228.73},
]
HOME: Final = {
    "name": "Asha R Menon",
    "line1": "7 Lake View Road",
    "line2": "Flat 2A",
    "line3": "Opposite the library",
    "city": "Pune",
    "state": "Maharashtra",
    "zip": "411014",
    "country": "INDIA",
    "email": "asha.menon@mail.example",
    "phone": "9820055501",
}
OFFICE: Final = HOME | {
    "line1": "Unit 9, Software Park",
    "line2": "Tower 2",
    "line3": "Reception",
    "zip": "411057",
    "email": "accounts.menon@mail.example",
    "phone": "9820055509",
}


@pytest.fixture(scope="module")
def world() -> World:
    """A parcel went out with its invoice, a pair of shoes and socks of it came back, and were checked."""
    world = World()
    sinks = Sinks(world)
    sinks.join()
    world.http.on(APP, lambda _: answer(200))
    world.answer_at("app.test", world.receiver.handle)
    register(world, "app", EndpointKind.PROCESSING_UPDATE, APP, settings={"partner": "RETURNS_PRIME"})
    parcel = a_shipment_body(**{"orderDetails.orderLineItems[1].discount": 49})
    assert world.ship(parcel).status == 200
    assert world.invoice(an_invoice_body()).status == 200
    world.settle()
    [awb] = [parcel.awb for parcel in world.clickpost.parcels()]
    world.clickpost.advance(awb, steps=None)
    items = [an_item_body("70031-1"), an_item_body("70031-2", channelSkuCode="SOCK-M", price=949)]
    assert world.create_return(a_return_order_body(orderItems=items)).status == 200
    world.settle()
    assert world.process(a_processed_body(orderItems=[SHOES, SOCKS])).status == 200
    world.settle()
    assert sinks.violations() == []
    return world


def told(world: World, name: str) -> list[dict[str, Any]]:
    """What a system was told, in order."""
    return [dict(json_of(request)) for request in world.http.sent_to(f"https://{name}.test/")]


def posting(world: World) -> dict[str, Any]:
    [body] = told(world, ERP)
    return body


def test_the_erp_is_told_all_that_rms_holds_and_nothing_else(world: World) -> None:
    sequence = world.journal(CODE)[-1]["sequence"]
    assert isinstance(sequence, int)

    assert posting(world) == {
        "partnerCode": "CUST-118",
        "locationCode": "BLR-2",
        "partnerLocationCode": "CUST-118-PNQ",
        "channelName": "LOTUS-WEB",
        "returnOrderCode": CODE,
        "forwardOrderCode": "SO-70031",
        "returnCreationTime": "2026-02-11T03:45:30.250Z",
        "messageId": message_id(CLIENT, CODE, sequence),
        "paymentMethod": "NCOD",
        "returnOrderType": "CUSTOMER_RETURN",
        "eventTime": world.journal(CODE)[-1]["occurred_at"],
        "awbNumber": world.read_return(CODE).body["returnAwb"],
        "items": [
            {
                "itemCode": "70031-1",
                "returnReason": "Too small",
                "channelSkuCode": "TRAIL-42-BLK",
                "returnOrderItemStatus": "PARTIAL_MISSING_COMBO",
                "sellerDiscount": 250,
                "qcStatus": "FAIL",
                "qcReason": "USED_PRODUCT",
                "imageUrls": ["https://img.warehouse.example/sole.jpg"],
                "sellingPricePerUnit": 2999,
                "isExcess": False,
                "virtualSkuChildItemReturnPostings": [VIRTUAL],
            },
            {
                "itemCode": "70031-2",
                "returnReason": "Too small",
                "channelSkuCode": "SOCK-M",
                "returnOrderItemStatus": "RECEIVED",
                "sellerDiscount": 49,
                "qcStatus": "PASS",
                "sellingPricePerUnit": 949,
                "isExcess": False,
                "bundledSkuChildItemReturnPostings": [{name: BUNDLED[name] for name in BUNDLED if name != "qty"}],
            },
        ],
        "shipments": [
            {
                "shipmentCode": "SH-70031",
                "locationCode": "BLR-2",
                "generatedInvoiceId": "INV-26-8841",
                "generatedInvoiceDate": invoiced_at(world),
                "externalInvoiceId": "INV-26-8841",
                "externalInvoiceDate": "2026-02-02T06:10:00.000Z",
                "invoiceDocumentUrl": "https://documents.shop.example/INV-26-8841.pdf",
                "irn": "5f1c77ae90",
                "shipmentStatus": "DELIVERED",
                "shipmentItems": [
                    _shipped("TRAIL-42-BLK", "70031-1", 2, 2999.5, tax=457.46),
                    _shipped("SOCK-M", "SOCK-M_2", 1, 949, tax=457.46),
                ],
            }
        ],
        "virtualSkuDefinitions": [
            {
                "virtualParentChannelSkuId": "TRAIL-42-BLK",
                "childSkus": [
                    {
                        "channelSkuCode": "TRAIL-42-BLK-LEFT",
                        "qty": 1,
                        "barcode": "8901000000017",
                        "clientSkuCode": "NP-LEFT",
                    }
                ],
            }
        ],
        "bundledSkuDefinitions": [
            {
                "bundledParentChannelSkuId": "SOCK-M",
                "childSkus": [
                    {
                        "channelSkuCode": "SOCK-M-GREY",
                        "qty": 2,
                        "barcode": "8901000000031",
                        "clientSkuCode": "NP-SOCK",
                    }
                ],
            }
        ],
        "shippingAddress": HOME,
        "billingAddress": OFFICE,
        "orderCustomAttributes": {"currency": "INR"},
        "sequence": sequence,
    }


def invoiced_at(world: World) -> Any:
    return next(row["occurred_at"] for row in world.journal("SH-70031", kind="S") if row["kind"] == "INVOICED")


def _shipped(sku: str, code: str, quantity: int, price: float, *, tax: float) -> dict[str, Any]:
    base = round(price - tax, 2)
    return {
        "channelSkuCode": sku,
        "orderItemCode": code,
        "netTaxAmountPerUnit": tax,
        "netTaxAmountTotal": round(tax * quantity, 2),
        "baseSellingPricePerUnit": base,
        "baseSellingPriceTotal": round(base * quantity, 2),
        "sellingPricePerUnit": price,
        "sellingPriceTotal": price * quantity,
        "quantity": quantity,
        "taxItems": [line | {"taxTotal": round(line["taxPerUnit"] * quantity, 2)} for line in TAXES],
    }


def test_every_field_whose_source_rms_has_is_there_and_every_other_is_not(world: World) -> None:
    not_held = "RMS does not hold it"
    held = {
        path
        for path, field in paths(FIELDS, Posting)
        if not field.source.startswith(not_held) and "orderItemCustomAttributes" not in path
    }

    assert {path for path, _ in _members(posting(world))} - {"sequence"} == held


def test_every_field_has_the_contracts_type(world: World) -> None:
    kinds = {path: field.kind for path, field in paths(FIELDS, Posting)}
    wrong = [
        (path, value) for path, value in _members(posting(world)) if path != "sequence" and not _is(kinds[path], value)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (ERP, "erp_posting/full.request.json"),
        (CHANNEL, "return_ack/ack.request.json"),
        ("app", "processing_update/clickpost.request.json"),
        (WMS, "return_expectation/create.request.json"),
    ],
)
def test_what_is_composed_has_the_members_and_types_of_the_example(world: World, name: str, example: str) -> None:
    shape = _shape(json.loads((EVENTS / example).read_bytes()))
    # The dock of the example has but one line; an address is an address.
    shape |= {path.replace("pickup", "drop"): types for path, types in shape.items() if path.startswith("pickup")}
    body = told(world, name)[0]

    for path, types in _shape(body).items():
        assert types <= shape.get(path, {"missing in the example"}) | {"null"}, path
    unknown = {path.split(".")[0] for path in shape} - set(body)
    # What one return, or one of its events, does not hold: the parent order, an AWB before it is booked, and the like.
    assert unknown <= {
        "forwardParentOrderCode",
        "returnGateEntryCreationTime",
        "consignmentNumber",
        "orderItemCustomAttributes",
        "awbNumber",
        "transporter",
        "sequence",
    }


def test_the_channel_and_the_returns_app_are_told_the_same_units(world: World) -> None:
    [ack], [update] = told(world, CHANNEL), told(world, "app")

    assert [item["itemCode"] for item in ack["orderItems"]] == ["70031-1", "70031-2"]
    assert update["orderItems"] == [{"qcReason": None, "imageUrls": None} | item for item in ack["orderItems"]]
    assert {name: ack[name] for name in ("returnOrderCode", "forwardOrderCode", "locationCode")} == {
        "returnOrderCode": CODE,
        "forwardOrderCode": "SO-70031",
        "locationCode": "BLR-2",
    }


def test_the_warehouse_is_told_the_return_as_it_was_sent(world: World) -> None:
    create, update, complete = told(world, WMS)
    sent = a_return_order_body()

    assert (create["eventType"], create["status"]) == ("RETURN_ORDER_CREATE", "CREATE")
    assert (update["eventType"], update["status"]) == ("RETURN_ORDER_UPDATE", "CREATE")
    assert (complete["eventType"], complete["status"]) == ("RETURN_ORDER_COMPLETE", "COMPLETED")
    for name in ("dropAddress", "pickupAddress", "shipmentDimension", "currencyCode", "regionType", "sellerGstin"):
        assert create[name] == sent[name], name
    assert create["orderItems"][0] == an_item_body("70031-1") | {"enableDoorStepQc": True, "subTaxItemData": TAXES}
    assert update["awbNumber"] == world.read_return(CODE).body["returnAwb"]


def _members(held: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of a body with its path, those of lists' elements under one path."""
    for name, value in held.items():
        path = f"{before}{name}"
        yield path, value
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _members(each, f"{path}.")


def _shape(body: dict[str, Any]) -> dict[str, set[str]]:
    shape: dict[str, set[str]] = {}
    for path, value in _members(body):
        shape.setdefault(path, set()).add(_type(value))
    return shape


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def _is(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.STRING | Kind.TIME:
            return isinstance(value, str)
        case Kind.LONG | Kind.INTEGER:
            return type(value) is int
        case Kind.DOUBLE:
            return type(value) in {int, float}
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.OBJECTS | Kind.STRINGS:
            return isinstance(value, list)
