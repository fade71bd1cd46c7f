"""POST /forward/orders and /forward/shipping-labels at every aggregator: ordered, booked, labelled, followed, told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from rms.clients import administration
from sandbox.faults import Fault, Then
from tests.builders import a_shipment_body
from tests.partners import SANDBOX
from tests.unit.forward.shipping import CODE, LABELLED, TAKE_ORDERS, Dispatch, dispatch, each_aggregator
from tests.world import CLIENT, World, a_clickpost_account

TOLD: Final[Mapping[str, Sequence[str]]] = {
    "CLICKPOST": ("OUT_FOR_PICKUP", "PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"),
    "SHIPROCKET": (
        "OUT_FOR_PICKUP",
        "PICKED_UP",
        "IN_TRANSIT",
        "OUT_FOR_DELIVERY",
        "DELIVERED",
    ),
    "SHIPWAY": ("IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"),
    SANDBOX: ("PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"),
}
"""What an endpoint hears of a parcel's usual life, once it has its label."""

ANOTHER: Final = {"orderDetails.shipmentCode": "SH-2"}
UNSERVED: Final = {"dropAddress.zip": "990001"}


def live(sent: Dispatch, awb: str, life: str = "delivered") -> None:
    """The parcel's life, a scan an hour."""
    sent.world.clock.advance(hours=1)
    while sent.engine.advance(awb, life=life):
        sent.world.clock.advance(hours=1)
        sent.world.settle()


# ── a good day ──────────────────────────────────────────────────────────────────────


@each_aggregator
def test_a_parcel_gets_its_awb_and_a_link_to_our_copy_of_its_label_in_one_call(name: str) -> None:
    sent = dispatch(name)

    answer = sent.ships()

    [awb] = sent.parcels()
    assert answer.status == 200
    assert set(answer.body) == {"orderId", "orderNumber", "shipmentCode", "awb", "carrierName", "shippingLabelUrl"}
    assert (answer.body["orderNumber"], answer.body["shipmentCode"], answer.body["awb"]) == ("SO-70031", CODE, awb)
    status, content, kind = sent.world.files.opened(answer.body["shippingLabelUrl"])
    assert (status, kind) == (200, "application/pdf")
    assert awb.encode() in content


@each_aggregator
def test_it_is_followed_and_told_until_it_is_delivered(name: str) -> None:
    sent = dispatch(name)
    awb = sent.ships().body["awb"]
    sent.world.settle()

    live(sent, awb)

    shown = sent.world.read_shipment(CODE).body
    assert sent.world.heard(CODE) == [*LABELLED, *TOLD[name]]
    assert (shown["status"], shown["awb"]) == ("DELIVERED", awb)
    assert shown["logisticAggregatorName"] == name
    assert sent.world.receiver.violations() == []


@each_aggregator
def test_one_that_nobody_takes_goes_back_and_that_is_told(name: str) -> None:
    sent = dispatch(name)
    awb = sent.ships().body["awb"]

    live(sent, awb, "rto")

    heard = sent.world.heard(CODE)
    assert "RTO" in heard
    assert sent.world.read_shipment(CODE).body["status"] == heard[-1] == "RTO_DELIVERED"


@each_aggregator
def test_its_news_have_the_forward_shape(name: str) -> None:
    sent = dispatch(name)
    awb = sent.ships().body["awb"]

    live(sent, awb)

    told = [sent.world.deliveries()[-1], sent.world.deliveries()[0]]
    items = [
        {"itemId": "70031-1", "sku": "TRAIL-42-BLK", "quantity": 2},
        {"itemId": "SOCK-M_2", "sku": "SOCK-M", "quantity": 1},
    ]
    for each in told:
        assert each["returnOrderInfo"] is None
        assert (each["forwardOrderCode"], each["forwardShipmentCode"]) == ("SO-70031", CODE)
        assert (each["forwardAwb"], each["warehouseCode"]) == (awb, "BLR-2")
        assert each["logisticAggregatorInfo"]["logisticAggregatorName"] == name
        assert each["items"] == (None if name == "SHIPROCKET" else items)


# ── two steps, where the aggregator takes orders ────────────────────────────────────


@pytest.mark.parametrize("name", TAKE_ORDERS)
def test_an_order_is_made_without_an_awb(name: str) -> None:
    sent = dispatch(name)

    answer = sent.orders()

    assert answer.status == 200
    assert set(answer.body) == {"orderCode", "shipmentCode", "orderId", "shipmentId"}
    assert (answer.body["orderCode"], answer.body["shipmentCode"]) == ("SO-70031", CODE)
    assert sent.parcels() == []
    sent.world.settle()
    assert sent.world.heard(CODE) == []
    assert sent.orders().body == answer.body


def test_its_label_is_generated_afterwards_by_its_code_alone() -> None:
    sent = dispatch("SHIPROCKET")
    ordered = sent.orders().body

    answer = sent.world.ship({"shipmentCode": CODE})

    assert (answer.status, answer.body["orderId"]) == (200, ordered["orderId"])
    assert [answer.body["awb"]] == sent.parcels()
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert sent.orders().body == ordered


def test_at_shipway_a_stored_order_waits_for_a_carrier_in_its_panel() -> None:
    sent = dispatch("SHIPWAY")
    sent.orders()

    answer = sent.ships()

    assert (answer.status, answer.body["code"]) == (400, "AWB_REFUSED")
    assert "panel" in answer.body["description"]


@pytest.mark.parametrize("name", ["CLICKPOST", SANDBOX])
def test_elsewhere_an_order_without_a_label_is_refused_naming_the_account(name: str) -> None:
    answer = dispatch(name).orders()

    assert (answer.status, answer.body["code"]) == (400, "BAD_DATA")
    assert answer.body["description"].startswith(
        "[logisticAccountAlias: must be an account whose aggregator takes orders"
    )


# ── the same parcel again, another one, a corrected one ─────────────────────────────


@each_aggregator
def test_the_same_parcel_again_gets_the_same_awb_and_no_second_one(name: str) -> None:
    sent = dispatch(name)
    first = sent.ships().body

    again = [sent.ships(), sent.world.ship({"shipmentCode": CODE})]

    sent.world.settle()
    for answer in again:
        found = answer.body
        assert (answer.status, sent.world.files.opened(found["shippingLabelUrl"])[0]) == (200, 200)
        assert found | {"shippingLabelUrl": ""} == first | {"shippingLabelUrl": ""}
    assert sent.parcels() == [first["awb"]]
    assert sent.world.heard(CODE) == LABELLED
    assert len(sent.fetched()) == 1


@each_aggregator
def test_the_same_code_with_other_content_is_a_conflict(name: str) -> None:
    sent = dispatch(name)
    sent.ships()

    answer = sent.ships(**{"orderDetails.orderAmount": 1})

    assert (answer.status, answer.body["code"]) == (409, "CONFLICT")
    assert answer.body["description"] == "[shipmentCode: already exists with other content]"
    assert len(sent.parcels()) == 1


@each_aggregator
def test_one_that_the_aggregator_refused_may_be_corrected(name: str) -> None:
    sent = dispatch(name)

    refused, corrected = sent.ships(**UNSERVED), sent.ships()

    assert (refused.status, refused.body["code"]) == (400, "AWB_REFUSED")
    assert corrected.status == 200
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert len(sent.parcels()) == 1


def test_two_parcels_of_one_order_are_told_apart() -> None:
    sent = dispatch("CLICKPOST")

    first, second = sent.ships().body, sent.ships(**ANOTHER).body

    sent.world.settle()
    assert first["awb"] != second["awb"]
    assert sent.world.heard(CODE) == sent.world.heard("SH-2") == LABELLED
    rows = [row for row in sent.world.table.rows() if row["PK"] == f"C#{CLIENT}#F#SO-70031"]
    assert [row["SK"] for row in rows] == ["S#SH-2", f"S#{CODE}"]


def test_a_code_that_nobody_shipped_is_not_found() -> None:
    answer = dispatch("CLICKPOST").world.ship({"shipmentCode": "SH-NOBODY"})

    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


def test_another_clients_parcel_answers_like_none() -> None:
    world = dispatch("CLICKPOST").world
    world.ship(a_shipment_body())
    administration.create_client(world.core, "iris", "Iris Shoes")
    administration.put_account(world.core, "iris", a_clickpost_account(webhook_key="another-key-of-iris-01"))

    for answer in (
        world.ship({"shipmentCode": CODE}, client="iris"),
        world.read_label(CODE, client="iris"),
        world.read_shipment(CODE, client="iris"),
    ):
        assert answer.status == 404


# ── accounts ────────────────────────────────────────────────────────────────────────


def test_an_account_that_does_not_ship_forward_is_not_one_to_name() -> None:
    world = World()
    administration.put_account(world.core, CLIENT, a_clickpost_account(ships_forward=False))

    answer = world.ship(a_shipment_body())

    assert answer.status == 400
    assert answer.body["description"] == "[logisticAccountAlias: no aggregator account is set up to ship forward]"


def test_a_wrong_alias_is_told_which_there_are() -> None:
    answer = World().ship(a_shipment_body(logisticAccountAlias="moon"))

    assert answer.body["description"] == "[logisticAccountAlias: must be one of main]"


# ── what is not known in time ───────────────────────────────────────────────────────


@each_aggregator
def test_a_call_that_hangs_after_its_work_is_pending_and_found_again(name: str) -> None:
    sent = dispatch(name)
    sent.engine.next_booking(does_the_work=True, then="hangs")

    answer = sent.ships()

    assert (answer.status, answer.body) == (
        202,
        {"shipmentCode": CODE, "awbStatus": "PENDING", "labelStatus": "PENDING"},
    )
    sent.world.settle()
    assert sent.world.heard(CODE) == (LABELLED[:1] if name == "SHIPWAY" else LABELLED)
    assert len(sent.parcels()) == 1
    again = sent.ships()
    assert [again.body["awb"]] == sent.parcels()


def test_at_shipway_the_label_of_a_lost_answer_is_left_to_a_person() -> None:
    """Its link comes with the push, once: whoever finds the AWB afterwards finds no label."""
    sent = dispatch("SHIPWAY")
    sent.engine.next_booking(does_the_work=True, then="hangs")
    sent.ships()

    sent.world.settle()

    assert sent.label()["state"] == "HELD"
    assert "print it in its panel" in sent.label()["reason"]
    assert sent.world.heard(CODE) == ["AWB_GENERATED"]


def test_a_booking_that_takes_all_the_time_leaves_the_label_to_the_worker() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("create-order", Fault(Then.ANSWERS, seconds=19))
    asked = sent.world.http.send

    def slowly(request: Any) -> Any:
        answered = asked(request)
        sent.world.clock.advance(seconds=answered.elapsed_ms / 1000 + (2 if "create-order" in request.url else 0))
        return answered

    sent.world.http.send = slowly  # type: ignore[method-assign]  # time passes while partners answer

    answer = sent.ships()

    assert (answer.status, answer.body["labelStatus"]) == (202, "PENDING")
    assert [answer.body["awb"]] == sent.parcels()
    assert sent.fetched() == []
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED


def test_only_clients_may_ship() -> None:
    assert World().ship(a_shipment_body(), roles="warehouse").status == 403


# ── cancelled ───────────────────────────────────────────────────────────────────────


def cancels(sent: Dispatch) -> Any:
    return sent.world.cancel(CODE, "/forward/shipments").body


@pytest.mark.parametrize("name", ["CLICKPOST", "SHIPROCKET", "SHIPWAY"])
def test_a_parcel_that_is_cancelled_stays_so(name: str) -> None:
    sent = dispatch(name)
    sent.ships()

    cancels(sent)
    sent.world.settle()

    assert sent.world.read_shipment(CODE).body["status"] == "CANCELLED"
    heard = [told for told in sent.world.heard(CODE) if told != "CANCELLATION_REQUESTED"]  # Shiprocket says so, too
    assert heard == [*LABELLED, "CANCELLED"]
    for answer in (
        sent.ships(),
        sent.ships(**{"orderDetails.orderAmount": 1}),
        sent.world.ship({"shipmentCode": CODE}),
    ):
        assert (answer.status, answer.body["description"]) == (409, "[shipmentCode: is cancelled]")
    assert len(sent.parcels()) == 1


def test_the_label_of_a_parcel_that_was_cancelled_meanwhile_is_wanted_no_more() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=503))
    sent.ships()

    cancels(sent)
    sent.world.settle()

    assert (sent.label()["state"], sent.label()["reason"]) == ("WANTED", "the parcel is not booked")
    assert sent.world.due_rows() == []
    assert "SHIPPING_LABEL_GENERATED" not in sent.world.heard(CODE)
