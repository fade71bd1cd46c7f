"""POST /forward/web-shop-labels: the client's own system gives AWB and label; RMS keeps both and follows the parcel."""

from typing import Any, Final

import pytest

from rms.clients import administration
from rms.clients.administration import NewLabelSource
from rms.journal.keys import client_pk
from rms.platform.table import EXISTING, Delete, Key
from sandbox.faults import Fault, Then
from sandbox.receiver.engine import awb_of_shop
from tests.builders import a_channel_booked_body, a_label_question, a_shipment_body, an_invoice_body
from tests.fakes.http import answer, no_answer
from tests.unit.forward.shipping import LABELLED
from tests.webhooks import a_scan, receive
from tests.world import CLIENT, RECEIVER_HOST, World

CODE: Final = "SH-70055"
AWB: Final = awb_of_shop(CODE)
SOURCE: Final = f"https://{RECEIVER_HOST}/label-source/own"
CREDENTIALS: Final = f"https://{RECEIVER_HOST}/credentials/own"
FAULTS: Final = "label-source/own"


@pytest.fixture
def world() -> World:
    world = World()
    give(world)
    return world


def give(world: World, **changes: Any) -> None:
    """From here on the client's own system gives labels."""
    facts: dict[str, Any] = {"url": SOURCE, "headers": {"x-shop": "7"}, "credential_url": CREDENTIALS}
    administration.put_label_source(world.core, CLIENT, NewLabelSource(**facts | changes))


def asked(world: World) -> list[Any]:
    """The calls that reached the client's label API."""
    return world.http.sent_to(SOURCE)


def label(world: World, code: str = CODE) -> Any:
    return world.read_shipment(code).body["label"]


# ── a good day ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("inline", [False, True], ids=["a link", "base64"])
def test_awb_and_label_are_kept_and_told(world: World, *, inline: bool) -> None:
    world.receiver.set_endpoint("own", inline_labels=inline)

    reply = world.ask_for_label(a_label_question())

    found = reply.body
    assert reply.status == 200
    assert (found["orderNumber"], found["shipmentCode"], found["awb"]) == ("SO-70055", CODE, AWB)
    assert (found["carrierName"], found["orderId"]) == ("Own Fleet", None)
    assert world.files.opened(found["shippingLabelUrl"])[0] == 200
    world.settle()
    assert world.heard(CODE) == LABELLED


def test_the_clients_system_is_asked_in_its_own_words_and_under_its_own_headers(world: World) -> None:
    world.ask_for_label(a_label_question())

    [request] = asked(world)
    assert request.method == "GET"
    assert request.query == {
        "orderCode": "SO-70055",
        "shipmentId": "70055",
        "shipmentCode": CODE,
        "locationCode": "BLR-2",
        "arePackBoxLabelsRequired": "false",
    }
    assert request.headers["x-shop"] == "7"
    assert request.trusted is False


def test_what_is_not_known_is_not_asked_and_what_the_url_asks_stays(world: World) -> None:
    give(world, url=f"{SOURCE}?shop=7")

    world.ask_for_label({"orderCode": "SO-70055", "shipmentCode": CODE})

    [request] = asked(world)
    assert request.query == {
        "shop": "7",
        "orderCode": "SO-70055",
        "shipmentCode": CODE,
        "arePackBoxLabelsRequired": "false",
    }


def test_labels_of_single_boxes_are_passed_on_when_they_are_asked_for(world: World) -> None:
    first = world.ask_for_label(a_label_question(arePackBoxLabelsRequired=True)).body
    again = world.ask_for_label(a_label_question(arePackBoxLabelsRequired=True)).body

    boxes = [{"boxCode": "1", "labelUrl": f"https://{RECEIVER_HOST}/labels/{AWB}-1.pdf"}]
    assert first["boxLabelDetails"] == again["boxLabelDetails"] == boxes
    assert "boxLabelDetails" not in world.ask_for_label(a_label_question(shipmentCode="SH-2")).body


def test_the_parcel_is_followed_from_then_on(world: World) -> None:
    world.ask_for_label(a_label_question())

    receive(world, a_scan(AWB, 5, world.clock()), a_scan(AWB, 8, world.clock()))
    world.settle()

    assert world.heard(CODE) == [*LABELLED, "IN_TRANSIT", "DELIVERED"]
    news = world.deliveries()[-1]
    assert (news["forwardOrderCode"], news["forwardShipmentCode"], news["forwardAwb"]) == ("SO-70055", CODE, AWB)
    assert (news["warehouseCode"], news["items"], news["returnOrderInfo"]) == ("BLR-2", None, None)


def test_a_scan_that_was_quicker_than_the_question_is_not_lost(world: World) -> None:
    receive(world, a_scan(AWB, 5, world.clock()))

    world.ask_for_label(a_label_question())
    world.settle()

    assert world.heard(CODE) == [*LABELLED, "IN_TRANSIT"]


def test_asked_again_it_answers_what_it_has_and_asks_nobody(world: World) -> None:
    first, again = (world.ask_for_label(a_label_question()).body for _ in range(2))

    assert first | {"shippingLabelUrl": ""} == again | {"shippingLabelUrl": ""}
    assert len(asked(world)) == 1
    world.settle()
    assert world.heard(CODE) == LABELLED


# ── credentials ─────────────────────────────────────────────────────────────────────


def test_a_401_is_answered_with_fresh_headers_once_and_they_are_kept(world: World) -> None:
    world.receiver.set_endpoint("own", expected_headers={"Authorization": "Bearer fresh"})

    first = world.ask_for_label(a_label_question())
    second = world.ask_for_label(a_label_question(shipmentCode="SH-2"))

    assert (first.status, second.status) == (200, 200)
    state = world.receiver.state()["endpoints"]["own"]
    assert (state["credential_calls"], state["label_calls"]) == (1, 3)


def test_a_second_401_is_a_failure_that_is_tried_again_later(world: World) -> None:
    world.receiver.set_endpoint("own", expected_headers={"x-shop": "7"})
    world.receiver.fail(FAULTS, Fault(Then.STATUS, status=401), times=2)

    reply = world.ask_for_label(a_label_question())

    assert (reply.status, reply.body["labelStatus"]) == (202, "PENDING")
    assert len(asked(world)) == 2
    world.settle()
    assert world.heard(CODE) == LABELLED


def test_without_a_credential_api_a_401_is_a_failure(world: World) -> None:
    give(world, credential_url=None)
    world.receiver.fail(FAULTS, Fault(Then.STATUS, status=401))

    assert world.ask_for_label(a_label_question()).status == 202
    assert len(asked(world)) == 1


@pytest.mark.parametrize("said", [b"", b"[]", b'{"Host": "evil"}', b'{"a": 1}'])
def test_headers_that_cannot_be_used_are_not_kept(world: World, said: bytes) -> None:
    world.receiver.set_endpoint("own", expected_headers={"Authorization": "Bearer fresh"})
    world.http.on(CREDENTIALS, lambda _: answer(200, said))
    before = world.core.table.get(Key(client_pk(CLIENT), "LABELSOURCE"))

    assert world.ask_for_label(a_label_question()).status == 202
    assert world.core.table.get(Key(client_pk(CLIENT), "LABELSOURCE")) == before


# ── what the client's system may say ────────────────────────────────────────────────

PDF: Final = "JVBERi0xLjQKJSVFT0YK"
WRONG: Final = {
    "an error": answer(500, {"error": "x"}),
    "nothing found": answer(404, {}),
    "a web page": answer(200, b"<html>"),
    "a list": answer(200, []),
    "no AWB": answer(200, {"shippingLabel": PDF, "transporter": "X"}),
    "an AWB of no kind": answer(200, {"shippingLabel": PDF, "transporter": "X", "awbNumber": {"a": 1}}),
    "no transporter": answer(200, {"shippingLabel": PDF, "awbNumber": "A1"}),
    "no label": answer(200, {"awbNumber": "A1", "transporter": "X"}),
    "no base64": answer(200, {"awbNumber": "A1", "transporter": "X", "shippingLabel": "?"}),
    "base64 of a web page": answer(200, {"awbNumber": "A1", "transporter": "X", "shippingLabel": "PGh0bWw+"}),
    "half a PDF": answer(200, {"awbNumber": "A1", "transporter": "X", "shippingLabel": "JVBERi0xLjQK"}),
    "a silence": no_answer(),
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_label_is_asked_for_again_and_held_at_last(world: World, said: Any) -> None:
    world.http.on(SOURCE, lambda _: said)

    reply = world.ask_for_label(a_label_question())

    assert (reply.status, reply.body["labelStatus"]) == (202, "PENDING")
    world.settle()
    assert label(world)["state"] == "HELD"
    assert len(label(world)["reason"]) > 5
    assert world.rows_of(CODE, kind="S")["LABEL"]["due_shard"] == "held"
    assert world.heard(CODE) == []
    assert world.files.kept == {}


def test_a_held_question_is_asked_again_by_whoever_asks_again(world: World) -> None:
    world.receiver.fail(FAULTS, Fault(Then.STATUS, status=404), times=100)
    world.ask_for_label(a_label_question())
    world.settle()
    world.receiver.clear_faults()

    assert world.ask_for_label(a_label_question()).status == 200
    world.settle()
    assert world.heard(CODE) == LABELLED


def test_a_label_whose_link_does_not_work_leaves_the_awb_known_and_told(world: World) -> None:
    world.receiver.fail("label-file", Fault(Then.STATUS, status=404), times=100)

    reply = world.ask_for_label(a_label_question())

    assert (reply.status, reply.body["awb"], reply.body["labelStatus"]) == (202, AWB, "PENDING")
    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED"]
    assert label(world)["state"] == "HELD"
    receive(world, a_scan(AWB, 5, world.clock()))
    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED", "IN_TRANSIT"]


def test_another_awb_than_before_is_left_to_a_person(world: World) -> None:
    world.receiver.fail("label-file", Fault(Then.STATUS, status=404))
    world.ask_for_label(a_label_question())
    other = {"awbNumber": "OTHER-1", "transporter": "X", "shippingLabel": PDF}
    world.http.on(SOURCE, lambda _: answer(200, other))

    world.settle()

    assert (label(world)["state"], label(world)["reason"]) == (
        "HELD",
        "the client's system names another AWB than before",
    )


def test_the_awb_of_another_parcel_is_left_to_a_person(world: World) -> None:
    world.create_return(a_channel_booked_body(awbNumber=AWB))

    reply = world.ask_for_label(a_label_question())

    assert reply.status == 202
    assert label(world)["reason"] == "the client's system names the AWB of another parcel"
    assert world.read_shipment(CODE).body["awb"] is None


# ── whose label it is ───────────────────────────────────────────────────────────────


def test_a_client_without_such_a_system_is_told_so() -> None:
    reply = World().ask_for_label(a_label_question())

    assert reply.status == 400
    assert reply.body["description"] == "[labelSource: no system of the client is set up to give labels]"


def test_a_source_that_is_gone_meanwhile_leaves_the_label_to_a_person(world: World) -> None:
    world.receiver.fail(FAULTS, Fault(Then.STATUS, status=503))
    world.ask_for_label(a_label_question())
    world.core.table.write(Delete(Key(client_pk(CLIENT), "LABELSOURCE"), EXISTING))

    world.settle()

    assert label(world)["reason"] == "the client has no source of labels any more"


def test_a_parcel_that_rms_ships_with_an_aggregator_is_not_asked_for(world: World) -> None:
    world.ship(a_shipment_body(**{"orderDetails.orderNumber": "SO-70055", "orderDetails.shipmentCode": CODE}))

    reply = world.ask_for_label(a_label_question())

    assert (reply.status, reply.body["code"]) == (409, "CONFLICT")
    assert asked(world) == []


def test_a_parcel_of_the_clients_own_system_is_not_shipped_with_an_aggregator(world: World) -> None:
    world.ask_for_label(a_label_question())

    reply = world.ship(a_shipment_body(**{"orderDetails.orderNumber": "SO-70055", "orderDetails.shipmentCode": CODE}))

    assert (reply.status, reply.body["description"]) == (
        409,
        "[shipmentCode: its label is asked of the client's own system]",
    )
    assert world.clickpost.bookings == {}


def test_the_same_shipment_of_another_order_is_a_conflict(world: World) -> None:
    world.ask_for_label(a_label_question())

    assert world.ask_for_label(a_label_question(orderCode="SO-1")).status == 409


def test_a_parcel_that_is_known_from_its_invoice_gets_its_label_and_its_warehouse(world: World) -> None:
    world.invoice(an_invoice_body(forwardOrderCode="SO-70055", forwardShipmentCode=CODE))

    reply = world.ask_for_label(a_label_question())

    assert (reply.status, reply.body["awb"]) == (200, AWB)
    world.settle()
    assert world.heard(CODE) == ["INVOICE_GENERATED", *LABELLED]
    assert world.read_shipment(CODE).body["locationCode"] == "BLR-2"


def test_what_is_wrong_with_the_question_is_said_at_once(world: World) -> None:
    reply = world.ask_for_label({"arePackBoxLabelsRequired": 1})

    assert reply.body["description"] == (
        "[orderCode: may not be null, shipmentCode: may not be null, arePackBoxLabelsRequired: must be true or false]"
    )
