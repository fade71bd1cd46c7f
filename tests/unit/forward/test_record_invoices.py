"""POST /forward/invoices: told once for each status of an invoice, whether RMS has its parcel yet or not."""

from typing import Any, Final

import pytest

from tests.builders import a_shipment_body, an_invoice_body
from tests.unit.forward.shipping import CODE, LABELLED
from tests.world import World


@pytest.fixture
def world() -> World:
    return World()


INVOICED: Final = "INVOICE_GENERATED"


def told(world: World) -> list[Any]:
    return [body for body in world.deliveries() if body["notificationType"] == INVOICED]


def test_the_invoice_of_a_parcel_is_told_in_its_own_shape(world: World) -> None:
    world.ship(a_shipment_body())

    answer = world.invoice(an_invoice_body())

    assert (answer.status, answer.text) == (200, "")
    world.settle()
    assert world.heard(CODE) == [*LABELLED, INVOICED]
    [body] = told(world)
    assert body == {
        "sequence": 4,
        "forwardOrderCode": "SO-70031",
        "forwardShipmentCode": CODE,
        "notificationType": INVOICED,
        "notificationUpdateTime": body["notificationUpdateTime"],
        "invoiceData": an_invoice_body()["invoiceData"],
    }


def test_the_same_invoice_again_is_not_told_again(world: World) -> None:
    for _ in range(3):
        assert world.invoice(an_invoice_body()).status == 200
        world.settle()

    assert len(told(world)) == 1


def test_a_link_that_was_signed_anew_makes_no_new_invoice(world: World) -> None:
    world.invoice(an_invoice_body())
    world.invoice(an_invoice_body(**{"invoiceData.documentUrl": "https://documents.shop.example/x?signature=2"}))

    world.settle()

    assert len(told(world)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"invoiceData.invoiceStatus": "CANCELLED"},
        {"invoiceData.invoiceId": "INV-26-8842"},
        {"invoiceData.documentType": "CREDIT_NOTE"},
    ],
    ids=str,
)
def test_another_status_or_document_is_told_as_well(world: World, changes: dict[str, object]) -> None:
    world.invoice(an_invoice_body())
    world.invoice(an_invoice_body(**changes))

    world.settle()

    assert len(told(world)) == 2


def test_an_invoice_that_is_made_before_the_label_is_told_and_the_parcel_goes_on_from_there(world: World) -> None:
    world.invoice(an_invoice_body())
    world.settle()

    answer = world.ship(a_shipment_body())

    assert answer.status == 200
    world.settle()
    assert world.heard(CODE) == [INVOICED, *LABELLED]
    shown = world.read_shipment(CODE).body
    assert (shown["locationCode"], len(shown["items"]), shown["awb"]) == ("BLR-2", 2, answer.body["awb"])
    assert world.ship(a_shipment_body()).body["awb"] == answer.body["awb"]


def test_until_then_its_code_alone_is_not_enough_for_a_label(world: World) -> None:
    world.invoice(an_invoice_body())

    answer = world.ship({"shipmentCode": CODE})

    assert (answer.status, answer.body["code"]) == (400, "BAD_DATA")
    assert "orderDetails" in answer.body["description"]
    assert world.read_shipment(CODE).body["status"] == "CREATED"
    assert world.read_label(CODE).body["awb"] is None


def test_an_invoice_of_another_order_is_refused(world: World) -> None:
    world.ship(a_shipment_body())

    answer = world.invoice(an_invoice_body(forwardOrderCode="SO-1"))

    assert answer.status == 400
    assert answer.body["description"] == "[forwardOrderCode: must be the order of the forward shipment]"


def test_a_parcel_of_another_order_than_its_invoice_is_a_conflict(world: World) -> None:
    world.invoice(an_invoice_body(forwardOrderCode="SO-1"))

    assert world.ship(a_shipment_body()).status == 409


def test_an_invoice_moves_no_parcel(world: World) -> None:
    awb = world.ship(a_shipment_body()).body["awb"]
    world.clickpost.advance(awb, steps=None)
    world.settle()

    world.invoice(an_invoice_body())
    world.settle()

    assert world.read_shipment(CODE).body["status"] == "DELIVERED"


def test_what_is_wrong_with_it_is_said_at_once(world: World) -> None:
    answer = world.invoice({"forwardOrderCode": "SO-1"})

    assert (answer.status, answer.body["code"]) == (400, "BAD_DATA")
    assert answer.body["description"] == "[forwardShipmentCode: may not be null, invoiceData: may not be null]"


def test_another_clients_parcel_is_another_parcel(world: World) -> None:
    from rms.clients import administration

    administration.create_client(world.core, "iris", "Iris Shoes")
    world.ship(a_shipment_body())

    assert world.invoice(an_invoice_body(forwardOrderCode="SO-9"), client="iris").status == 200
    world.settle()
    assert world.heard(CODE) == LABELLED
