"""GET forward parcels: one with its timeline, a page of them, a fresh link to a label."""

from datetime import timedelta

import pytest

from rms.clients import administration
from sandbox.faults import Fault, Then
from tests.builders import a_shipment_body, an_invoice_body
from tests.unit.forward.shipping import CODE
from tests.world import World


@pytest.fixture
def world() -> World:
    return World()


def ship(world: World, code: str) -> str:
    answer = world.ship(a_shipment_body(**{"orderDetails.shipmentCode": code}))
    assert answer.status == 200, answer.text
    return str(answer.body["awb"])


def test_a_parcel_is_shown_with_all_that_happened_to_it(world: World) -> None:
    awb = ship(world, CODE)
    world.clickpost.advance(awb, steps=1)
    world.settle()

    shown = world.read_shipment(CODE).body

    assert (shown["orderNumber"], shown["shipmentCode"], shown["awb"]) == ("SO-70031", CODE, awb)
    assert shown["items"][0] == {"itemCode": "70031-1", "sku": "TRAIL-42-BLK", "quantity": 2}
    assert shown["booking"]["state"] == "BOOKED"
    assert shown["label"]["state"] == "KEPT"
    assert [event["kind"] for event in shown["timeline"]] == ["PLACED", "AWB_BOOKED", "LABELLED", "TRACKED"]
    [cursor] = shown["notifications"]
    assert (cursor["acknowledged"], cursor["latest"]) == (4, 4)


def test_nothing_of_the_shopper_is_shown(world: World) -> None:
    ship(world, CODE)

    shown = world.read_shipment(CODE).text + world.call("read_forward", "GET", "/forward/shipments").text

    for personal in ("Menon", "Lake View", "9820055501", "asha.menon"):
        assert personal not in shown


def test_each_look_at_a_label_gives_a_fresh_link(world: World) -> None:
    ship(world, CODE)

    first, second = (world.read_label(CODE).body["shippingLabelUrl"] for _ in range(2))

    assert first != second
    assert world.files.opened(first)[0] == world.files.opened(second)[0] == 200


def test_a_parcel_without_an_awb_yet_says_so(world: World) -> None:
    world.clickpost.fail("create-order", Fault(Then.HANGS, does_the_work=False))
    world.ship(a_shipment_body())

    shown = world.read_label(CODE).body

    assert shown == {
        "orderId": None,
        "orderNumber": "SO-70031",
        "shipmentCode": CODE,
        "awb": None,
        "carrierName": None,
        "shippingLabelUrl": None,
        "awbStatus": "UNKNOWN",
        "labelStatus": None,
    }


def test_a_wish_to_cancel_is_shown(world: World) -> None:
    ship(world, CODE)
    world.cancel(CODE, "/forward/shipments")
    world.settle()

    assert world.read_shipment(CODE).body["cancellation"]["state"] == "CANCELLED"


def test_what_nobody_shipped_is_not_found(world: World) -> None:
    for answer in (world.read_shipment("SH-NOBODY"), world.read_label("SH-NOBODY")):
        assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


def test_parcels_are_listed_newest_first_a_page_at_a_time(world: World) -> None:
    for number in range(53):
        world.invoice(an_invoice_body(forwardShipmentCode=f"SH-{number:02}"))
        world.clock.advance_to(world.clock() + timedelta(seconds=1))

    first = world.call("read_forward", "GET", "/forward/shipments").body
    second = world.call("read_forward", "GET", "/forward/shipments", query={"page": first["nextPage"]}).body

    codes = [each["shipmentCode"] for page in (first, second) for each in page["forwardShipments"]]
    assert codes == [f"SH-{number:02}" for number in reversed(range(53))]
    assert second["nextPage"] is None


def test_returns_and_other_clients_parcels_are_not_among_them(world: World) -> None:
    administration.create_client(world.core, "iris", "Iris Shoes")
    ship(world, CODE)

    assert world.call("read_forward", "GET", "/forward/shipments", client="iris").body["forwardShipments"] == []
    assert world.call("read_returns", "GET", "/return/return-orders").body["returnOrders"] == []


def test_a_page_that_no_answer_gave_is_refused(world: World) -> None:
    answer = world.call("read_forward", "GET", "/forward/shipments", query={"page": "moon"})

    assert (answer.status, answer.body["description"]) == (400, "[page: must be the nextPage of an earlier answer]")


def test_everything_told_of_a_parcel_can_be_told_again(world: World) -> None:
    ship(world, CODE)
    world.settle()
    before = len(world.deliveries())

    answer = world.call("replay_notifications", "POST", f"/forward/shipments/{CODE}/replay", {"afterSequence": 2})
    world.settle()

    assert answer.body == {"shipmentCode": CODE, "endpoints": ["shop"], "afterSequence": 2}
    assert [body["notificationType"] for body in world.deliveries()[before:]] == ["SHIPPING_LABEL_GENERATED"]
