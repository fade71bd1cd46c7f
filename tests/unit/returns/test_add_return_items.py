"""PUT /return/update-return-order/item, from the request to the answer. RMS API contract, section 5."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from rms.clients import administration
from tests.builders import (
    ABSENT,
    a_channel_booked_body,
    a_return_create_body,
    a_return_order_body,
    an_item_body,
    an_items_body,
)
from tests.fakes.calls import Call, Fault, ProcessKilledError, at
from tests.webhooks import a_scan, receive
from tests.world import HttpReply, World

CODE = "RET-70044-1"
AWB = "9977001122"


@pytest.fixture
def world() -> World:
    world = World()
    world.create_return(a_channel_booked_body())
    world.settle()
    return world


def test_added_items_are_found_with_their_forward_items_next_to_the_first_ones(world: World) -> None:
    answer = add(world, an_items_body())

    assert (answer.status, answer.text) == (200, "")
    first, added = found(world)
    assert (first["channelReturnItemCode"], first["subOrderCode"]) == ("70044-1", None)
    assert added == {
        "channelReturnItemCode": "70044-2",
        "subOrderCode": "SO-70044-B",
        "channelSkuCode": "SCARF-GREY",
        "reasonForReturn": "Not needed",
        "price": 499.5,
    }
    assert [item["itemCode"] for item in world.read_return(CODE).body["orderItems"]] == ["70044-1", "70044-2"]


def test_the_timeline_tells_what_was_added_and_subscribers_only_hear_of_it_with_the_next_news(world: World) -> None:
    add(world, an_items_body())
    world.settle()
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED"]

    *_, event = world.read_return(CODE).body["timeline"]
    assert (event["kind"], event["notificationType"]) == ("ITEMS_ADDED", None)
    assert event["facts"] == {"units": "1", "item_codes": "70044-2"}
    receive(world, a_scan(AWB, 4))
    world.settle()
    body = json.loads(world.receiver.deliveries()[-1].body)
    assert [item["itemId"] for item in body["items"]] == ["70044-1", "70044-2"]


def test_the_same_again_changes_nothing(world: World) -> None:
    add(world, an_items_body())
    before = world.rows_of(CODE)

    again = add(world, an_items_body(**{"returnLineItems[0].price": 499.50, "aMemberWeDoNotKnow": 1}))

    assert (again.status, again.text) == (200, "")
    assert world.rows_of(CODE) == before


def test_of_old_and_new_items_the_new_ones_are_added(world: World) -> None:
    add(world, an_items_body())
    body = an_items_body()
    body["returnLineItems"].append({**body["returnLineItems"][0], "channelReturnItemCode": "70044-3"})

    assert add(world, body).status == 200

    assert [item["channelReturnItemCode"] for item in found(world)] == ["70044-1", "70044-2", "70044-3"]
    assert world.journal(CODE)[-1]["facts"]["item_codes"] == "70044-3"


@pytest.mark.parametrize(
    "change",
    [
        {"channelSkuCode": "SCARF-BLUE"},
        {"price": 499},
        {"reasonForReturn": "Too long"},
        {"subOrderCode": "SO-70044-C"},
        {"channelReturnItemCode": "70044-1"},
    ],
    ids=str,
)
def test_a_code_that_is_in_use_with_other_content_is_a_conflict_that_adds_nothing(
    world: World, change: dict[str, Any]
) -> None:
    add(world, an_items_body())
    before = world.rows_of(CODE)
    body = an_items_body()
    new = {**body["returnLineItems"][0], "channelReturnItemCode": "70044-3"}
    body["returnLineItems"] = [new, body["returnLineItems"][0] | change]

    answer = add(world, body)

    said = "[returnLineItems[1].channelReturnItemCode: already used with other content]"
    assert envelope(answer) == (409, "CONFLICT", said)
    assert world.rows_of(CODE) == before


# ── until it is received ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [4, 5, 6, 3], ids=["picked up", "in transit", "out for delivery", "not picked up"])
def test_items_are_added_while_the_parcel_is_on_its_way(world: World, status: int) -> None:
    receive(world, a_scan(AWB, status))

    assert add(world, an_items_body()).status == 200


def test_nothing_is_added_to_a_return_that_was_received_but_what_is_there_may_be_sent_again(world: World) -> None:
    add(world, an_items_body())
    receive(world, a_scan(AWB, 8))

    late = an_items_body(**{"returnLineItems[0].channelReturnItemCode": "70044-3"})
    assert envelope(add(world, late)) == (400, "BAD_DATA", "[returnOrderCode: already received]")
    assert add(world, an_items_body()).status == 200, "a repeat whose first answer was lost"


def test_a_return_that_is_received_while_items_are_added_is_received_without_them(world: World) -> None:
    meanwhile(world, lambda: receive(world, a_scan(AWB, 8)))

    assert envelope(add(world, an_items_body()))[2] == "[returnOrderCode: already received]"

    assert len(found(world)) == 1
    assert [event["kind"] for event in world.journal(CODE)] == ["PLACED", "TRACKED"]


# ── which return ────────────────────────────────────────────────────────────────────


def test_a_return_that_nobody_knows_or_another_client_has_is_bad_data(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")
    says = (400, "BAD_DATA", "[returnOrderCode: no such return order]")

    assert envelope(add(world, an_items_body(returnOrderCode="RET-0"))) == says
    assert envelope(add(world, an_items_body(), client="poppy")) == says
    assert len(found(world)) == 1


def test_a_return_of_another_order_or_warehouse_is_not_the_one_that_is_meant(world: World) -> None:
    answer = add(world, an_items_body(orderCode="SO-1", locationCode="DEL-9"))

    wrong = ["locationCode: must be the warehouse", "orderCode: must be the forward order"]
    assert envelope(answer) == (400, "BAD_DATA", f"[{', '.join(f'{each} of the return order' for each in wrong)}]")


def test_a_return_that_came_without_a_warehouse_takes_any(world: World) -> None:
    world.create_return(a_return_create_body(logisticAccountAlias="main"), "/return/create")

    assert add(world, an_items_body(returnOrderCode="RET-70100-1", orderCode="SO-70100")).status == 200


# ── what is wrong with a request ────────────────────────────────────────────────────


def test_all_that_is_wrong_is_named_at_once(world: World) -> None:
    line = an_items_body()["returnLineItems"][0]
    body = {
        "locationCode": " ",
        "orderCode": 5,
        "returnLineItems": [
            {**line, "price": -1, "channelSkuCode": None},
            {"channelReturnItemCode": "70044-2"},
        ],
        "status": "RECEIVED",
    }

    answer = add(world, body)

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert envelope(answer)[2].strip("[]").split(", ") == [
        "locationCode: may not be empty",
        "orderCode: must be text",
        "returnOrderCode: may not be null",
        "returnLineItems[0].channelSkuCode: may not be null",
        "returnLineItems[0].price: must be at least 0",
        "returnLineItems[1].channelReturnItemCode: must be unique in the return order",
        "returnLineItems[1].channelSkuCode: may not be null",
        "returnLineItems[1].price: may not be null",
        "returnLineItems[1].reasonForReturn: may not be null",
        "returnLineItems[1].subOrderCode: may not be null",
        "status: may not be set by a client",
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"returnLineItems": []}, "[returnLineItems: may not be empty]"),
        ({"returnLineItems": ABSENT}, "[returnLineItems: may not be null]"),
        (
            {"returnLineItems[0].channelReturnItemCode": "a" * 256},
            "[returnLineItems[0].channelReturnItemCode: may have at most 255 characters]",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_request_is_held_to_the_limits_of_a_creation(world: World, changes: Mapping[str, object], says: str) -> None:
    assert envelope(add(world, an_items_body(**changes))) == (400, "BAD_DATA", says)


def test_a_return_comes_to_500_units_at_most(world: World) -> None:
    assert add(world, many(499)).status == 200
    before = world.rows_of(CODE)

    answer = add(world, an_items_body())

    said = "[returnLineItems: the return order may come to at most 500 units]"
    assert envelope(answer) == (400, "BAD_DATA", said)
    assert world.rows_of(CODE) == before


def test_a_return_holds_no_more_text_than_fits_a_row(world: World) -> None:
    assert add(world, many(200, reason="Too long. " * 95)).status == 200

    answer = add(world, many(200, prefix="b", reason="Too long. " * 95))

    said = "[returnLineItems: comes to more text than fits with what the return order holds]"
    assert envelope(answer) == (400, "BAD_DATA", said)


# ── crashes and races ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", Fault)
def test_whatever_happens_to_a_call_a_repeat_leaves_the_items_there_once(fault: Fault) -> None:
    calm = World()
    calm.create_return(a_channel_booked_body())
    calm.calls.made.clear()
    add(calm, an_items_body())
    for number in range(1, len(calm.calls.made) + 1):
        world = World()
        world.create_return(a_channel_booked_body())
        world.calls.made.clear()
        world.calls.plan = at(number, fault)
        with suppress(ProcessKilledError):
            add(world, an_items_body())
        world.calls.plan = lambda _: None
        world.calls.land()

        assert add(world, an_items_body()).status == 200

        assert len(found(world)) == 2
        assert [event["kind"] for event in world.journal(CODE)] == ["PLACED", "ITEMS_ADDED"]


def test_two_additions_at_once_are_both_there(world: World) -> None:
    other = an_items_body(**{"returnLineItems[0].channelReturnItemCode": "70044-9"})
    meanwhile(world, lambda: add(world, other))

    assert add(world, an_items_body()).status == 200

    assert [item["channelReturnItemCode"] for item in found(world)] == ["70044-1", "70044-9", "70044-2"]


def test_one_code_with_two_contents_at_once_is_added_once_and_a_conflict(world: World) -> None:
    other = an_items_body(**{"returnLineItems[0].price": 1})
    meanwhile(world, lambda: add(world, other))

    assert envelope(add(world, an_items_body()))[:2] == (409, "CONFLICT")

    assert [item["price"] for item in found(world)] == [None, 1]


# ── the return's own request again ──────────────────────────────────────────────────


def test_the_request_that_created_the_return_gets_the_same_answer_as_before(world: World) -> None:
    add(world, an_items_body())

    assert world.create_return(a_channel_booked_body()).status == 200
    assert world.create_return(a_channel_booked_body(locationCode="DEL-9")).status == 409
    assert len(found(world)) == 2


# ── a booking under way ─────────────────────────────────────────────────────────────

BOOKED = "RET-70031-1"
MORE = {"returnOrderCode": BOOKED, "orderCode": "SO-70031"}


def test_a_booking_under_way_is_looked_up_with_the_items_that_it_was_begun_with() -> None:
    world = World()
    world.clickpost.next_booking(does_the_work=False, then="hangs")
    assert world.create_return(a_return_order_body()).status == 202

    assert add(world, an_items_body(**MORE)).status == 200
    world.settle()

    (first, second) = [sent_items(request) for request in world.clickpost.requests()]
    assert first == second == {"TRAIL-42-BLK": 2}
    assert world.read_return(BOOKED).body["booking"]["state"] == "BOOKED"
    assert len(found(world, BOOKED)) == 3


def test_a_corrected_return_is_booked_with_what_was_added_to_it() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001"}))
    add(world, an_items_body(**MORE))

    assert world.create_return(a_return_order_body()).status == 200

    assert sent_items(world.clickpost.requests()[-1]) == {"TRAIL-42-BLK": 2, "SCARF-GREY": 1}
    assert len(found(world, BOOKED)) == 3
    assert world.create_return(a_return_order_body()).status == 200, "and then it is the order that counts"


def test_an_added_item_that_the_correction_holds_itself_is_the_corrections() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001"}))
    add(world, an_items_body(**MORE))
    whole = a_return_order_body()
    whole["orderItems"].append(an_item_body("70044-2", channelSkuCode="SCARF-GREY"))

    assert world.create_return(whole).status == 200

    assert [item["subOrderCode"] for item in found(world, BOOKED)] == [None] * 3
    assert world.create_return(whole).status == 200


def test_a_correction_that_no_longer_fits_with_what_was_added_is_bad_data() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001"}))
    add(world, many(200, **MORE, reason="Too long. " * 95))
    items = [an_item_body(f"c-{number}", reason=f"Too small {number}" * 60) for number in range(160)]

    answer = world.create_return(a_return_order_body(orderItems=items))

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert "items that were added" in envelope(answer)[2]


# ── helpers ─────────────────────────────────────────────────────────────────────────


def add(world: World, body: object, **options: Any) -> HttpReply:
    return world.call("add_return_items", "PUT", "/return/update-return-order/item", body, **options)


def many(units: int, prefix: str = "a", reason: str = "Too long", **changes: object) -> dict[str, Any]:
    body = an_items_body(**changes)
    (line,) = body["returnLineItems"]
    body["returnLineItems"] = [
        {**line, "channelReturnItemCode": f"{prefix}-{n}", "reasonForReturn": f"{reason} {n}"} for n in range(units)
    ]
    return body


def found(world: World, code: str = CODE) -> list[dict[str, Any]]:
    answer = world.call("read_returns", "POST", "/return/get/awb", {"returnOrderCode": code})
    (only,) = answer.body["returnOrderDetailsList"]
    items: list[dict[str, Any]] = only["returnLineItems"]
    return items


def sent_items(request: dict[str, Any]) -> dict[str, int]:
    """The units of each SKU in a booking that reached Clickpost."""
    items = json.loads(request["body"])["shipment_details"]["items"]
    return {item["sku"]: item["quantity"] for item in items}


def meanwhile(world: World, act: Callable[[], object]) -> None:
    """Do this just before the next transaction."""

    def before(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = lambda _: None
            act()

    world.calls.before = before


def envelope(answer: HttpReply) -> tuple[int, str, str]:
    assert answer.body.keys() == {"code", "message", "description"}
    return answer.status, answer.body["code"], answer.body["description"]
