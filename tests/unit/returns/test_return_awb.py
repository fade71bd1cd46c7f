"""POST and GET /return/return-orders/{code}/awb, from the request to the answer. Contract, sections 10 and 11."""

from typing import Any

import pytest

from rms.clients import administration
from rms.journal import Event, EventKind
from rms.journal.keys import return_id
from rms.returns.create import first_status
from rms.shipments.starting import listed_document
from sandbox.clickpost.settings import Settings
from tests.builders import ABSENT, a_channel_booked_body, a_return, a_return_order_body, an_items_body
from tests.fakes.calls import Call
from tests.partners import SANDBOX, onboard
from tests.webhooks import a_request, a_scan, receive
from tests.world import CLIENT, HttpReply, World, a_clickpost_account

CODE = "RET-70031-1"
UNSERVED = {"pickupAddress.zip": "990001"}
WITHOUT_QC = {f"orderItems[{place}].enableDoorStepQc": "false" for place in (0, 1)}
PENDING = (202, {"orderNumber": CODE, "awbStatus": "PENDING"})


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def refused(world: World) -> World:
    """With a return that Clickpost has refused, for a reason that is gone by now."""
    world.clickpost.change({"account_codes": ("another-code",)})
    assert world.create_return(a_return_order_body()).status == 400
    world.clickpost.change({"account_codes": ()})
    return world


# ── generate ────────────────────────────────────────────────────────────────────────


def test_a_return_that_was_refused_is_booked_when_somebody_asks_for_its_awb(refused: World) -> None:
    answer = refused.generate_awb(CODE)

    (parcel,) = refused.clickpost.parcels()
    assert (answer.status, answer.body) == (
        200,
        {
            "orderId": str(parcel.clickpost_order_id),
            "orderNumber": CODE,
            "returnAwb": parcel.awb,
            "carrierName": "Delhivery",
        },
    )
    refused.settle()
    assert refused.heard(CODE) == ["AWB_GENERATED"]


def test_asked_again_it_answers_the_same_and_so_does_the_creation(refused: World) -> None:
    first = refused.generate_awb(CODE)

    assert refused.generate_awb(CODE) == first
    assert refused.create_return(a_return_order_body()) == first
    assert len(refused.clickpost.parcels()) == 1


def test_what_the_aggregator_refuses_again_is_told_in_its_words(world: World) -> None:
    first = world.create_return(a_return_order_body(**UNSERVED))

    assert world.generate_awb(CODE) == first
    assert len(world.clickpost.requests()) == 2, "it was asked, whoever was to blame"


def test_the_body_may_name_another_account(world: World) -> None:
    world.clickpost.change({"account_codes": ("another-code",)})
    assert world.create_return(a_return_order_body(**WITHOUT_QC)).status == 400
    onboard(world, SANDBOX)

    answer = world.generate_awb(CODE, {"logisticAccountAlias": "a-sandbox"})

    assert answer.status == 200
    assert world.read_return(CODE).body["logisticAggregatorName"] == SANDBOX
    assert world.read_return(CODE).body["booking"]["logisticAccountAlias"] == "a-sandbox"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"logisticAccountAlias": "north"}, "[logisticAccountAlias: must be one of main]"),
        ({"logisticAccountAlias": 5}, "[logisticAccountAlias: must be text]"),
        ([], "[body: must be a JSON object]"),
    ],
    ids=str,
)
def test_an_account_that_is_not_there_books_nothing(refused: World, body: object, says: str) -> None:
    assert envelope(refused.generate_awb(CODE, body)) == (400, "BAD_DATA", says)
    assert refused.clickpost.parcels() == []


def test_without_any_account_nothing_is_booked(refused: World) -> None:
    administration.put_account(refused.core, CLIENT, a_clickpost_account(books_returns=False))

    says = "[logisticAccountAlias: no aggregator account is set up to book returns]"
    assert envelope(refused.generate_awb(CODE)) == (400, "BAD_DATA", says)


def test_what_the_account_asks_for_and_the_return_lacks_is_named_at_once(world: World) -> None:
    onboard(world, SANDBOX)
    lacking = {"sellerGstin": ABSENT, "orderDetails.invoiceNumber": ABSENT, "orderDetails.invoiceTime": ABSENT}
    lacking |= {"orderItems[1].brand": ABSENT, "consigneeGstin": ABSENT, "orderItems[0].imageUrl": ABSENT}
    administration.put_account(world.core, CLIENT, a_clickpost_account(books_returns=False))
    refused = world.create_return(
        a_return_order_body(**{**lacking, **UNSERVED, "orderItems[1].enableDoorStepQc": False})
    )
    assert refused.status == 400, refused.text
    wants = ("orderItems.brand", "consigneeGstin", "orderItems.imageUrl")
    administration.put_account(world.core, CLIENT, a_clickpost_account(required_fields=wants))

    answer = world.generate_awb(CODE, {"logisticAccountAlias": "main"})

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert envelope(answer)[2].strip("[]").split(", ") == [
        "orderItems[0].imageUrl: may not be null",
        "orderItems[1].brand: may not be null",
        "sellerGstin: may not be null",
        "orderDetails.invoiceNumber: may not be null",
        "orderDetails.invoiceTime: may not be null",
        "consigneeGstin: may not be null",
    ]
    assert world.clickpost.requests() == []


def test_it_is_booked_for_all_the_items_that_the_return_has_by_now(refused: World) -> None:
    more = an_items_body(returnOrderCode=CODE, orderCode="SO-70031")
    assert refused.call("add_return_items", "PUT", "/return/update-return-order/item", more).status == 200

    assert refused.generate_awb(CODE).status == 200

    assert '"SCARF-GREY"' in refused.clickpost.requests()[-1]["body"]
    assert refused.create_return(a_return_order_body()).status == 200, "the creation is still the same"


def test_a_booking_that_is_not_settled_is_pending_and_books_nothing_more(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())

    assert said(world.generate_awb(CODE)) == PENDING
    world.settle()

    assert world.generate_awb(CODE).body["returnAwb"] == world.clickpost.parcels()[0].awb


def test_an_aggregator_that_does_not_answer_is_pending_and_the_awb_follows(refused: World) -> None:
    refused.clickpost.next_booking(does_the_work=True, then="hangs")

    assert said(refused.generate_awb(CODE)) == PENDING
    refused.settle()

    assert refused.heard(CODE) == ["AWB_GENERATED"]
    assert len(refused.clickpost.parcels()) == 1


def test_a_booking_that_is_held_is_looked_up_once_more(world: World) -> None:
    for _ in range(50):
        world.clickpost.next_booking(does_the_work=False, then="hangs")
    world.create_return(a_return_order_body())
    world.settle()
    assert world.read_return(CODE).body["booking"]["state"] == "HELD"
    world.clickpost.clear_faults()

    assert said(world.generate_awb(CODE)) == PENDING
    world.settle()

    assert world.generate_awb(CODE).status == 200


def test_two_at_once_book_one_parcel(refused: World) -> None:
    others: list[HttpReply] = []

    def ask_too(call: Call) -> None:
        if call.operation == "transact":
            refused.calls.before = lambda _: None
            others.append(refused.generate_awb(CODE))

    refused.calls.before = ask_too
    answer = refused.generate_awb(CODE)

    assert (others[0].status, answer.status) == (200, 202)
    assert len(refused.clickpost.parcels()) == 1


# ── returns that others booked, or placed ───────────────────────────────────────────


def test_a_return_that_the_channel_booked_has_its_awb(world: World) -> None:
    world.create_return(a_channel_booked_body())

    answer = world.generate_awb("RET-70044-1")

    awb = {"orderId": "9977001122", "orderNumber": "RET-70044-1", "returnAwb": "9977001122"}
    assert (answer.status, answer.body) == (200, awb | {"carrierName": "Quickship"})
    assert world.clickpost.requests() == []


def test_a_return_that_was_placed_at_the_aggregator_lacks_what_a_booking_takes(world: World) -> None:
    receive(world, a_request(11, "RE-1"))

    status, code, says = envelope(world.generate_awb("RE-1"))

    assert (status, code) == (400, "BAD_DATA")
    assert says.startswith("[orderItems[0].name: may not be null, orderItems[0].price: may not be null")
    assert "pickupAddress: may not be null" in says
    assert said(world.read_awb("RE-1")) == (202, {"orderNumber": "RE-1", "awbStatus": "PENDING"})
    receive(world, a_request(9, "RE-1", awb="4410001"), a_scan("4410001", 4))
    assert world.generate_awb("RE-1").body["returnAwb"] == "4410001"


def test_a_return_without_any_booking_that_lacks_nothing_is_booked(world: World) -> None:
    aggregate, now = return_id(CLIENT, CODE), world.clock()
    placed = Event("PLACED", EventKind.PLACED, now, now)
    document, status = listed_document(world.core, aggregate, a_return()), first_status(world.core, aggregate)
    world.core.journal.create(aggregate, document, status, placed)

    answer = world.generate_awb(CODE)

    assert answer.status == 200
    assert world.read_return(CODE).body["booking"]["state"] == "BOOKED"


@pytest.mark.parametrize("ask", [World.generate_awb, World.read_awb])
def test_a_return_that_was_cancelled_gets_none_and_one_that_is_not_there_is_not_found(refused: World, ask: Any) -> None:
    administration.create_client(refused.core, "poppy", "Poppy Shoes")
    refused.cancel(CODE)

    assert envelope(ask(refused, CODE)) == (409, "CONFLICT", "[returnOrderCode: is cancelled]")
    assert ask(refused, "RET-0").status == 404
    assert ask(refused, CODE, client="poppy") == ask(refused, "RET-0")


# ── get ─────────────────────────────────────────────────────────────────────────────


def test_an_awb_is_shown_with_its_courier_and_its_label(world: World) -> None:
    world.create_return(a_return_order_body())

    answer = world.read_awb(CODE)

    (parcel,) = world.clickpost.parcels()
    assert (answer.status, answer.body) == (
        200,
        {
            "orderId": str(parcel.clickpost_order_id),
            "orderNumber": CODE,
            "awb": parcel.awb,
            "carrierName": "Delhivery",
            "shippingLabelUrl": parcel.label,
        },
    )


def test_the_awb_of_a_channel_is_shown_without_a_label(world: World) -> None:
    world.create_return(a_channel_booked_body())

    shown = world.read_awb("RET-70044-1").body

    assert (shown["awb"], shown["carrierName"], shown["shippingLabelUrl"]) == ("9977001122", "Quickship", None)


def test_a_return_that_was_refused_and_then_booked_by_the_channel_shows_the_channels(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))
    world.create_return(a_channel_booked_body(returnOrderCode=CODE))

    assert world.read_awb(CODE).body["awb"] == "9977001122"
    assert world.generate_awb(CODE).body["returnAwb"] == "9977001122"


def test_what_is_pending_or_refused_is_told_as_the_creation_tells_it(world: World) -> None:
    world = World(clickpost=Settings(asynchronous=True, async_ends=420, async_words="No such pick-up address"))
    world.create_return(a_return_order_body())
    assert said(world.read_awb(CODE)) == PENDING

    world.settle()

    assert envelope(world.read_awb(CODE)) == (400, "AWB_REFUSED", "No such pick-up address")


# ── helpers ─────────────────────────────────────────────────────────────────────────


def said(answer: HttpReply) -> tuple[int, Any]:
    return answer.status, answer.body


def envelope(answer: HttpReply) -> tuple[int, str, str]:
    assert answer.body.keys() == {"code", "message", "description"}
    return answer.status, answer.body["code"], answer.body["description"]
