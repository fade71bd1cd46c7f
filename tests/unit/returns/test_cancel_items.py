"""POST …/cancel with items in its body: single items need not come back, the others still do."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from rms.clients import administration
from tests.builders import (
    a_channel_booked_body,
    a_processed_body,
    a_result_body,
    a_return_order_body,
    an_item_body,
    an_items_body,
)
from tests.fakes.calls import Call, Fault, ProcessKilledError, at
from tests.webhooks import a_scan, receive
from tests.world import HttpReply, World

CODE = "RET-70031-1"
FIRST, SECOND = "70031-1", "70031-2"


@pytest.fixture
def world() -> World:
    world = World()
    world.create_return(a_return_order_body())
    world.settle()
    return world


def test_a_cancelled_item_is_shown_as_such_and_the_return_goes_on_with_the_others(world: World) -> None:
    answer = cancel(world, SECOND)

    assert answer.status == 200
    assert answer.body == {"orderNumber": CODE, "cancelStatus": "PARTLY_CANCELLED", "itemCodes": [SECOND]}
    shown = world.read_return(CODE).body
    assert [item["returnOrderItemStatus"] for item in shown["orderItems"]] == ["CREATED", "CANCELLED"]
    assert shown["omniReturnOrderStatus"] == "CREATED"
    event = shown["timeline"][-1]
    assert (event["kind"], event["notificationType"]) == ("ITEMS_CANCELLED", None)
    assert event["facts"] == {"units": "1", "item_codes": SECOND}


def test_the_same_again_gets_the_same_answer_and_changes_nothing(world: World) -> None:
    first = cancel(world, SECOND)
    before = world.rows_of(CODE)

    assert cancel(world, SECOND) == first
    assert world.rows_of(CODE) == before


def test_a_body_that_names_no_items_means_the_whole_return(world: World) -> None:
    answer = world.cancel(CODE, body={"why": "changed my mind"})

    assert answer.body == {"orderNumber": CODE, "cancelStatus": "CANCELLED"}
    assert cancel(world, SECOND).body == {"orderNumber": CODE, "cancelStatus": "CANCELLED"}
    assert {item["returnOrderItemStatus"] for item in world.read_return(CODE).body["orderItems"]} == {"CANCELLED"}


def test_all_that_is_left_is_cancelled_only_with_the_return(world: World) -> None:
    says = (400, "BAD_DATA", "[orderItems: are all that is to come back: cancel the return order itself]")

    assert envelope(cancel(world, FIRST, SECOND)) == says
    cancel(world, SECOND)
    assert envelope(cancel(world, FIRST)) == says


def test_nothing_is_taken_out_of_a_parcel_that_the_courier_has(world: World) -> None:
    receive(world, a_scan(world.read_return(CODE).body["returnAwb"], 4))

    answer = cancel(world, SECOND)

    assert envelope(answer) == (409, "CANCEL_REFUSED", "the parcel is IN_TRANSIT already")


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([], "[orderItems: must be a list of 1 to 500 items]"),
        ("70031-1", "[orderItems: must be a list of 1 to 500 items]"),
        ([{"itemCode": "x"}] * 501, "[orderItems: must be a list of 1 to 500 items]"),
        (
            [{}, {"itemCode": 5}, {"itemCode": FIRST}, "x", {"itemCode": "a" * 256}],
            ", ".join(f"orderItems[{place}].itemCode: must be text of 1 to 255 characters" for place in (0, 1, 3, 4)),
        ),
        ([{"itemCode": FIRST}, {"itemCode": "70044-1"}], "[orderItems[1].itemCode: is no item of the return order]"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_wrong_is_named_and_nothing_is_cancelled(world: World, items: object, says: str) -> None:
    world.create_return(a_channel_booked_body())

    answer = world.cancel(CODE, body={"orderItems": items})

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert envelope(answer)[2].strip("[]") == says.strip("[]")
    assert world.journal(CODE)[-1]["kind"] != "ITEMS_CANCELLED"


def test_a_return_that_nobody_knows_or_another_client_has_is_not_found(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")

    assert cancel(world, SECOND, code="RET-0").status == 404
    assert cancel(world, SECOND, client="poppy") == cancel(world, SECOND, code="RET-0")


# ── what follows ────────────────────────────────────────────────────────────────────


def test_a_return_is_processed_whole_without_its_cancelled_items(world: World) -> None:
    cancel(world, SECOND)

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST)])).status == 200

    assert world.read_return(CODE).body["omniReturnOrderStatus"] == "PROCESSED"


def test_a_cancelled_item_that_came_all_the_same_is_excess(world: World) -> None:
    cancel(world, SECOND)

    refused = world.process(a_processed_body())
    extra = a_result_body("found-1", isExcess=True)

    assert envelope(refused) == (409, "CONFLICT", "[orderItems[1].returnItemCode: is cancelled]")
    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST), extra])).status == 200


def test_the_request_that_created_the_return_gets_the_same_answer_as_before(world: World) -> None:
    first = world.read_return(CODE).body["returnAwb"]
    cancel(world, SECOND)

    assert world.create_return(a_return_order_body()).body["returnAwb"] == first
    assert world.create_return(a_return_order_body(locationCode="DEL-9")).status == 409


def test_a_booking_under_way_is_looked_up_with_what_it_was_begun_with() -> None:
    world = World()
    world.clickpost.next_booking(does_the_work=False, then="hangs")
    assert world.create_return(a_return_order_body()).status == 202

    assert cancel(world, SECOND).status == 200
    world.settle()

    first, second = [sent_units(request) for request in world.clickpost.requests()]
    assert first == second == 2
    assert world.read_return(CODE).body["booking"]["state"] == "BOOKED"


def test_a_booking_that_is_begun_later_is_made_without_them_and_with_what_was_added() -> None:
    world = World()
    world.clickpost.change({"account_codes": ("another-code",)})
    world.create_return(a_return_order_body())
    world.clickpost.change({"account_codes": ()})
    more = an_items_body(returnOrderCode=CODE, orderCode="SO-70031")
    world.call("add_return_items", "PUT", "/return/update-return-order/item", more)
    cancel(world, FIRST)
    world.clickpost.next_booking(does_the_work=False, then="hangs")

    assert world.generate_awb(CODE).status == 202
    world.settle()

    begun, looked_up = [sent_units(request) for request in world.clickpost.requests()][-2:]
    assert begun == looked_up == 2


def test_an_item_that_was_cancelled_stays_so_in_a_corrected_return() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001"}))
    cancel(world, SECOND)
    items = [an_item_body(FIRST), an_item_body(SECOND), an_item_body("70031-3")]

    assert world.create_return(a_return_order_body(orderItems=items)).status == 200

    assert sent_units(world.clickpost.requests()[-1]) == 2
    assert world.create_return(a_return_order_body(orderItems=items)).status == 200
    statuses = [item["returnOrderItemStatus"] for item in world.read_return(CODE).body["orderItems"]]
    assert statuses == ["CREATED", "CANCELLED", "CREATED"]


# ── crashes and races ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", Fault)
def test_whatever_happens_to_a_call_a_repeat_leaves_the_item_cancelled_once(fault: Fault) -> None:
    calm = World()
    calm.create_return(a_return_order_body())
    calm.calls.made.clear()
    cancel(calm, SECOND)
    for number in range(1, len(calm.calls.made) + 1):
        world = World()
        world.create_return(a_return_order_body())
        world.calls.made.clear()
        world.calls.plan = at(number, fault)
        with suppress(ProcessKilledError):
            cancel(world, SECOND)
        world.calls.plan = lambda _: None
        world.calls.land()

        assert cancel(world, SECOND).status == 200

        assert [event["kind"] for event in world.journal(CODE)].count("ITEMS_CANCELLED") == 1


def test_a_return_that_is_picked_up_at_once_keeps_its_items(world: World) -> None:
    awb = world.read_return(CODE).body["returnAwb"]
    meanwhile(world, lambda: receive(world, a_scan(awb, 4)))

    assert cancel(world, SECOND).status == 409


def test_two_items_that_are_cancelled_at_once_leave_one(world: World) -> None:
    meanwhile(world, lambda: cancel(world, FIRST))

    assert cancel(world, SECOND).status == 400, "it would have been the last"


# ── helpers ─────────────────────────────────────────────────────────────────────────


def cancel(world: World, *items: str, code: str = CODE, **options: Any) -> HttpReply:
    return world.cancel(code, body={"orderItems": [{"itemCode": item} for item in items]}, **options)


def sent_units(request: dict[str, Any]) -> int:
    """How many units a booking that reached Clickpost is of."""
    return sum(item["quantity"] for item in json.loads(request["body"])["shipment_details"]["items"])


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
