"""POST /usp/return, from the request to the answer, and what readers find of it later. RMS API contract, section 7."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from rms.clients import administration
from rms.journal.keys import return_id
from rms.model.processing import Found, Verdict
from rms.returns import process
from rms.returns.results import judged_items
from tests.builders import (
    ABSENT,
    a_channel_booked_body,
    a_failure_body,
    a_processed_body,
    a_result_body,
    a_return_order_body,
    an_item_body,
    an_items_body,
)
from tests.fakes.calls import Call, Fault, ProcessKilledError, at
from tests.fakes.table import row_bytes
from tests.webhooks import a_request, a_scan, receive
from tests.world import CLIENT, HttpReply, World

CODE = "RET-70031-1"
FIRST, SECOND = "70031-1", "70031-2"


@pytest.fixture
def world() -> World:
    world = World()
    world.create_return(a_return_order_body())
    world.settle()
    return world


def test_what_the_warehouse_found_is_kept_and_shown_item_by_item(world: World) -> None:
    answer = world.process(a_processed_body())

    assert (answer.status, answer.text) == (200, "")
    shown = world.read_return(CODE).body
    assert shown["omniReturnOrderStatus"] == "PROCESSED"
    passed, failed = shown["orderItems"]
    assert (passed["itemCode"], passed["qcStatus"], passed["returnOrderItemStatus"]) == (FIRST, "PASS", "RECEIVED")
    assert failed == {
        "itemCode": SECOND,
        "channelSkuCode": "TRAIL-42-BLK",
        "returnOrderItemStatus": "RECEIVED",
        "qcStatus": "FAIL",
        "qcReason": "USED_PRODUCT",
        "imageUrls": ["https://img.warehouse.example/sole.jpg"],
        "remark": None,
        "locationCode": "BLR-2",
        "processedAt": "2026-03-02T06:30:00.000Z",
        "processedBy": "integration",
    }


def test_the_timeline_counts_what_was_found_and_says_where_the_rest_stands_and_subscribers_do_not_hear_of_it(
    world: World,
) -> None:
    heard = world.heard(CODE)
    world.process(a_processed_body())
    world.settle()

    *_, event = world.read_return(CODE).body["timeline"]
    assert (event["kind"], event["notificationType"]) == ("PROCESSED", None)
    assert event["facts"] == {
        "units": "2",
        "passed": "1",
        "failed": "1",
        "by": "integration",
        "order_state": "PROCESSED",
        "qc": "1",
        "brought": "PROCESSED",
    }
    assert world.heard(CODE) == heard


def test_an_event_stays_small_however_many_items_it_is_about_and_its_row_holds_them_all() -> None:
    world = World()
    codes = [f"item-{number:04}-{'x' * 100}" for number in range(250)]
    world.create_return(a_return_order_body(orderItems=[an_item_body(code) for code in codes]))
    remarks = [a_failure_body(code, remark=f"{code}: the sole is worn. " * 3) for code in codes]

    assert world.process(a_processed_body(orderItems=remarks)).status == 200

    event = world.journal(CODE)[-1]
    assert event["kind"] == "PROCESSED"
    assert row_bytes(world.table._partitions[str(event["PK"])][str(event["SK"])]) < 1024
    known = judged_items(world.core, return_id(CLIENT, CODE), 1)
    assert list(known) == codes
    assert known[codes[7]].result.remark == f"{codes[7]}: the sole is worn. " * 2 + f"{codes[7]}: the sole is worn."


# ── in pieces ───────────────────────────────────────────────────────────────────────


def test_a_return_is_processed_in_pieces_and_whole_with_the_last(world: World) -> None:
    assert world.process(a_processed_body(orderItems=[a_failure_body(SECOND)])).status == 200
    assert state(world) == "PARTLY_PROCESSED"
    waiting, failed = world.read_return(CODE).body["orderItems"]
    assert (waiting["returnOrderItemStatus"], failed["qcStatus"]) == ("PROCESSING", "FAIL")

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST)])).status == 200

    assert state(world) == "PROCESSED"
    assert [event["facts"]["qc"] for event in processed(world)] == ["1", "2"]
    assert [event["facts"]["order_state"] for event in processed(world)] == ["PARTLY_PROCESSED", "PROCESSED"]


def test_of_known_and_new_results_only_the_new_ones_are_news(world: World) -> None:
    world.process(a_processed_body(orderItems=[a_failure_body(SECOND)]))

    world.process(a_processed_body())

    assert [event["facts"]["units"] for event in processed(world)] == ["1", "1"]
    assert state(world) == "PROCESSED"


def test_the_same_call_again_is_no_news_and_gets_the_same_answer(world: World) -> None:
    world.process(a_processed_body())
    before = world.rows_of(CODE)
    world.clock.advance(days=2)

    again = world.process(a_processed_body(aMemberWeDoNotKnow=1))

    assert (again.status, again.text) == (200, "")
    assert world.rows_of(CODE) == before


# ── corrections ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"qcReason": "STAIN_DAMAGE"},
        {"qcReason": ABSENT},
        {"imageUrls": ["https://img.warehouse.example/other.jpg"]},
        {"remark": "Worn at least a week"},
        {"returnOrderItemStatus": "PARTIAL_MISSING_COMBO"},
    ],
    ids=str,
)
def test_what_is_said_otherwise_is_a_correction_and_the_last_word_counts(
    world: World, change: dict[str, object]
) -> None:
    world.process(a_processed_body())
    other = a_failure_body(SECOND, **change)

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST), other])).status == 200

    event = world.journal(CODE)[-1]
    assert (event["kind"], event["facts"]["units"], event["facts"]["corrected"]) == ("PROCESSING_CORRECTED", "1", "1")
    assert state(world) == "PROCESSED"
    shown = world.read_return(CODE).body["orderItems"][1]
    assert all(shown[name] == (None if value is ABSENT else value) for name, value in change.items())


def test_goods_that_turn_out_to_be_elsewhere_are_a_correction(world: World) -> None:
    world.process(a_processed_body())

    world.process(a_processed_body(locationCode="DEL-9"))

    assert world.journal(CODE)[-1]["kind"] == "PROCESSING_CORRECTED"
    assert {item["locationCode"] for item in world.read_return(CODE).body["orderItems"]} == {"DEL-9"}


def test_a_flaw_that_is_found_later_makes_a_passed_item_fail(world: World) -> None:
    world.process(a_processed_body())

    assert world.process(a_processed_body(orderItems=[a_failure_body(FIRST)])).status == 200

    assert world.read_return(CODE).body["orderItems"][0]["qcStatus"] == "FAIL"


def test_what_failed_cannot_pass_and_keeps_out_the_whole_call(world: World) -> None:
    world.process(a_processed_body(orderItems=[a_failure_body(SECOND)]))
    before = world.rows_of(CODE)

    answer = world.process(a_processed_body(orderItems=[a_result_body(FIRST), a_result_body(SECOND)]))

    said = "[orderItems[1].qcStatus: has failed before and cannot pass any more]"
    assert envelope(answer) == (409, "CONFLICT", said)
    assert world.rows_of(CODE) == before


def test_a_correction_and_its_correction_are_both_told(world: World) -> None:
    for reason in ("USED_PRODUCT", "STAIN_DAMAGE", "USED_PRODUCT"):
        world.process(a_processed_body(orderItems=[a_failure_body(SECOND, qcReason=reason)]))

    assert [event["kind"] for event in processed(world)] == ["PROCESSED"] + ["PROCESSING_CORRECTED"] * 2
    assert world.read_return(CODE).body["orderItems"][1]["qcReason"] == "USED_PRODUCT"


def test_nobody_corrects_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_CALLS", 1)
    world.process(a_processed_body())

    assert world.process(a_processed_body()).status == 200, "a repeat is no news"
    other = a_processed_body(orderItems=[a_failure_body(FIRST)])
    assert envelope(world.process(other)) == (400, "BAD_DATA", "[returnOrderCode: was processed too often]")


def test_what_was_said_in_more_calls_than_one_read_holds_is_all_known() -> None:
    world = World()
    codes = [f"item-{number:03}" for number in range(105)]
    world.create_return(a_return_order_body(orderItems=[an_item_body(code) for code in codes]))

    for code in codes:
        assert world.process(a_processed_body(orderItems=[a_result_body(code)])).status == 200

    assert state(world) == "PROCESSED"
    assert len(judged_items(world.core, return_id(CLIENT, CODE), 105)) == 105


# ── when ────────────────────────────────────────────────────────────────────────────


def test_goods_are_checked_before_any_scan_says_that_they_arrived_and_the_scan_is_told_all_the_same(
    world: World,
) -> None:
    awb = world.read_return(CODE).body["returnAwb"]
    assert world.process(a_processed_body()).status == 200
    assert world.read_return(CODE).body["status"] == "AWB_GENERATED", "the parcel's state is what was sighted"

    world.clock.advance(hours=1)
    receive(world, a_scan(awb, 8))

    shown = world.read_return(CODE).body
    assert (shown["status"], shown["omniReturnOrderStatus"]) == ("DELIVERED", "PROCESSED")
    assert world.heard(CODE)[-1] == "DELIVERED"


def test_goods_are_checked_though_nothing_was_ever_booked() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001"}))

    assert world.process(a_processed_body()).status == 200

    again = world.create_return(a_return_order_body())
    assert envelope(again) == (400, "BAD_DATA", "[returnOrderCode: already received]"), "no courier for goods at hand"
    booked = world.create_return(a_return_order_body(awbNumber="A1", transporter="Quickship"))
    assert envelope(booked)[2] == "[returnOrderCode: already received]"
    assert world.generate_awb(CODE).status == 400
    assert world.clickpost.bookings == {}


def test_goods_of_a_cancelled_return_come_back_under_another_code(world: World) -> None:
    world.cancel(CODE)
    before = world.rows_of(CODE)

    answer = world.process(a_processed_body())

    assert envelope(answer) == (409, "CONFLICT", "[returnOrderCode: is cancelled]")
    assert world.rows_of(CODE) == before


def test_a_cancelled_return_whose_courier_came_all_the_same_is_processed() -> None:
    world = World()
    world.create_return(a_channel_booked_body())
    world.cancel("RET-70044-1")
    world.clock.advance(hours=2)
    body = a_processed_body(
        returnOrderCode="RET-70044-1",
        forwardOrderCode="SO-70044",
        orderItems=[a_result_body("70044-1", channelSkuCode="CAP-RED")],
    )
    assert world.process(body).status == 409

    receive(world, a_scan("9977001122", 4, world.clock()))

    assert world.process(body).status == 200


def test_a_return_that_is_processed_is_no_longer_cancelled_extended_or_shortened(world: World) -> None:
    world.process(a_processed_body(orderItems=[a_result_body(FIRST)]))

    cancelled = world.cancel(CODE)
    assert (cancelled.status, cancelled.body["code"]) == (409, "CANCEL_REFUSED")
    assert cancelled.body["description"] == "the parcel is PARTLY_PROCESSED already"
    assert world.cancel(CODE, body={"orderItems": [{"itemCode": SECOND}]}).status == 409
    more = an_items_body(returnOrderCode=CODE, orderCode="SO-70031")
    added = world.call("add_return_items", "PUT", "/return/update-return-order/item", more)
    assert envelope(added) == (400, "BAD_DATA", "[returnOrderCode: already received]")


def test_a_wish_to_cancel_that_waits_is_refused_once_the_goods_are_checked() -> None:
    world = World()
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())
    assert world.cancel(CODE).status == 202
    assert world.process(a_processed_body()).status == 200

    world.settle()

    shown = world.read_return(CODE).body
    assert shown["omniReturnOrderStatus"] == "PROCESSED"
    assert shown["cancellation"]["refusal"] == "the parcel is PROCESSED already"


# ── which return, which items ───────────────────────────────────────────────────────


def test_a_return_that_nobody_knows_or_another_client_has_is_bad_data(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")
    says = (400, "BAD_DATA", "[returnOrderCode: no such return order]")

    assert envelope(world.process(a_processed_body(returnOrderCode="RET-0"))) == says
    assert envelope(world.process(a_processed_body(), client="poppy")) == says
    assert processed(world) == []


def test_only_a_warehouse_may_say_what_it_found(world: World) -> None:
    for roles in ("client", "aggregator", "operator"):
        assert world.process(a_processed_body(), roles=roles).status == 403
    assert world.process(a_processed_body(), roles="client,warehouse").status == 200


def test_all_that_does_not_belong_to_the_return_is_named_at_once_and_nothing_is_kept(world: World) -> None:
    world.create_return(a_channel_booked_body())
    before = world.rows_of(CODE)
    items = [
        a_result_body(FIRST),
        a_result_body("70044-1", channelSkuCode="CAP-RED"),
        a_result_body(SECOND, channelSkuCode="TRAIL-43-BLK"),
        a_result_body("nowhere"),
    ]

    answer = world.process(a_processed_body(forwardOrderCode="SO-1", orderItems=items))

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert envelope(answer)[2].strip("[]").split(", ") == [
        "forwardOrderCode: must be the forward order of the return order",
        "orderItems[1].returnItemCode: is no item of the return order",
        "orderItems[2].channelSkuCode: must be the SKU of that item",
        "orderItems[3].returnItemCode: is no item of the return order",
    ]
    assert world.rows_of(CODE) == before


def test_a_return_that_its_aggregator_announced_is_processed_like_any_other(world: World) -> None:
    receive(world, a_request(11, "RE-1"))
    items = [a_result_body("7001_1", channelSkuCode="KURTA-TEAL")]

    assert (
        world.process(a_processed_body(returnOrderCode="RE-1", forwardOrderCode="SO-1001", orderItems=items)).status
        == 200
    )
    assert state(world, "RE-1") == "PROCESSED"


# ── excess, missing, parts ──────────────────────────────────────────────────────────


def test_what_nobody_expected_is_kept_beside_the_items_and_does_not_complete_the_return(world: World) -> None:
    extra = a_failure_body("BLR-2/found/17", channelSkuCode="CAP-RED", qcReason="PRODUCT_MISMATCH", isExcess="true")

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST), extra])).status == 200

    shown = world.read_return(CODE).body
    assert shown["omniReturnOrderStatus"] == "PARTLY_PROCESSED"
    assert [(each["itemCode"], each["channelSkuCode"], each["qcStatus"]) for each in shown["excessItems"]] == [
        ("BLR-2/found/17", "CAP-RED", "FAIL")
    ]
    assert world.journal(CODE)[-1]["facts"]["excess"] == "1"


def test_an_expected_item_is_not_excess_and_there_are_at_most_500_that_are(world: World) -> None:
    expected = world.process(a_processed_body(orderItems=[a_result_body(FIRST, isExcess=True)]))
    assert envelope(expected)[2] == "[orderItems[0].isExcess: must be false for an item of the return order]"
    many = [a_result_body(f"x-{number}", isExcess=True) for number in range(500)]
    assert world.process(a_processed_body(orderItems=many)).status == 200

    one_more = world.process(a_processed_body(orderItems=[a_result_body("x-500", isExcess=True)]))

    assert envelope(one_more)[2] == "[orderItems: a return order may come to at most 500 excess items]"


@pytest.mark.parametrize("said", [{"qcReason": "PRODUCT_MISSING"}, {"returnOrderItemStatus": "MISSING"}], ids=str)
def test_an_item_that_was_not_in_the_parcel_is_missing(world: World, said: dict[str, object]) -> None:
    world.process(a_processed_body(orderItems=[a_result_body(FIRST), a_failure_body(SECOND, imageUrls=[], **said)]))

    shown = world.read_return(CODE).body["orderItems"][1]
    assert (shown["returnOrderItemStatus"], shown["qcStatus"], shown["imageUrls"]) == ("MISSING", "FAIL", [])
    assert state(world) == "PROCESSED"
    assert world.journal(CODE)[-1]["facts"]["missing"] == "1"


def test_parts_of_virtual_and_bundled_skus_are_kept_with_their_own_results(world: World) -> None:
    lace = {"channelSkuCode": "LACE-BLK", "qcStatus": "PASS", "qty": 2}
    sole = {
        "channelSkuCode": "SOLE-42",
        "clientSkuCode": "C-SOLE-42",
        "barcode": "8901",
        "omsReturnItemId": 124430001,
        "qcStatus": "FAIL",
        "qcReason": "PART_MISSING",
        "returnOrderItemStatus": "MISSING",
    }
    item = a_failure_body(
        SECOND,
        qcReason="VIRTUAL_COMBO_FAIL",
        returnOrderItemStatus="PARTIAL_MISSING_COMBO",
        virtualSkuChildItemReturnPostings=[lace, sole],
        bundledSkuChildItemReturnPostings=[{"barcode": "8902", "qcStatus": "PASS"}],
    )

    world.process(a_processed_body(orderItems=[item]))

    result = judged_items(world.core, return_id(CLIENT, CODE), 1)[SECOND].result
    assert (result.found, result.verdict) == (Found.PARTIAL_MISSING_COMBO, Verdict.FAIL)
    assert [(part.sku, part.quantity) for part in result.virtual_parts] == [("LACE-BLK", 2), ("SOLE-42", 1)]
    shown = world.read_return(CODE).body["orderItems"][1]
    assert shown["virtualSkuChildItemReturnPostings"][1] == sole | {"qty": 1}
    assert shown["bundledSkuChildItemReturnPostings"][0]["barcode"] == "8902"


# ── what is wrong with a request ────────────────────────────────────────────────────


def test_all_that_is_wrong_is_named_at_once(world: World) -> None:
    items = [
        a_result_body(FIRST, qcStatus="MAYBE", channelSkuCode=None),
        a_failure_body(FIRST, imageUrls=["http://img.warehouse.example/1.jpg", 7], isExcess="perhaps"),
        a_result_body(SECOND, qcReason="PRODUCT_MISSING"),
    ]
    body = a_processed_body(channelName=" ", locationCode=5, orderItems=items, status="RECEIVED")
    del body["forwardOrderCode"]

    answer = world.process(body)

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert envelope(answer)[2].strip("[]").split(", ") == [
        "channelName: may not be empty",
        "forwardOrderCode: may not be null",
        "locationCode: must be text",
        "orderItems[0].channelSkuCode: may not be null",
        "orderItems[0].qcStatus: must be one of PASS",
        "FAIL",
        "orderItems[1].returnItemCode: must be unique in the return order",
        "orderItems[1].imageUrls[0]: must use https",
        "orderItems[1].imageUrls[1]: must be text",
        "orderItems[1].isExcess: must be true or false",
        "orderItems[2].qcStatus: must be FAIL for an item that is missing",
        "status: may not be set by a client",
    ]
    assert processed(world) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://img.warehouse.example/1.jpg", "must use https"),
        ("ftp://img.warehouse.example/1.jpg", "must use https"),
        ("javascript:alert(1)", "must be a full URL: https://host/path"),
        ("https://10.0.0.7/1.jpg", "must not lead to an address that is not public"),
        ("https://169.254.169.254/latest/meta-data", "must not lead to an address that is not public"),
        ("https://[fd00:ec2::254]/", "must not lead to an address that is not public"),
        ("https://127.1/1.jpg", "must write an IPv4 address as four decimal numbers"),
        ("https://localhost/1.jpg", "must have a full, public host name"),
        ("https://camera.local/1.jpg", "must have a full, public host name"),
        ("https://user:word@img.example/1.jpg", "must not hold a user name or password"),
        ("https://img.example/" + "a" * 2048, "may have at most 2048 characters"),
    ],
)
def test_an_image_leads_to_the_public_internet_and_no_name_is_looked_up(world: World, url: str, says: str) -> None:
    answer = world.process(a_processed_body(orderItems=[a_failure_body(FIRST, imageUrls=[url])]))

    assert envelope(answer) == (400, "BAD_DATA", f"[orderItems[0].imageUrls[0]: {says}]")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"qty": -1}, "qty: must be at least 1"),
        ({"qty": 0}, "qty: must be at least 1"),
        ({"qty": 501}, "qty: may be at most 500"),
        ({"qty": 1.5}, "qty: must be a whole number"),
        ({"qty": "2"}, "qty: must be a whole number"),
        ({"omsReturnItemId": -7}, "omsReturnItemId: must be at least 0"),
        ({"omsReturnItemId": "oms_1"}, "omsReturnItemId: must be a whole number"),
        ({"qcStatus": "OK"}, "qcStatus: must be one of PASS, FAIL"),
    ],
    ids=str,
)
def test_amounts_are_held_to_what_can_be(world: World, part: dict[str, object], says: str) -> None:
    item = a_failure_body(FIRST, bundledSkuChildItemReturnPostings=[part])

    answer = world.process(a_processed_body(orderItems=[item]))

    assert envelope(answer)[2] == f"[orderItems[0].bundledSkuChildItemReturnPostings[0].{says}]"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"orderItems": []}, "[orderItems: may not be empty]"),
        ({"orderItems": ABSENT}, "[orderItems: may not be null]"),
        ({"orderItems": [{}] * 10_000}, "[orderItems: may have at most 500 elements]"),
        (
            {"orderItems[0].imageUrls": ["https://img.example/1.jpg"] * 21},
            "[orderItems[0].imageUrls: may have at most 20 elements]",
        ),
        ({"orderItems[0].remark": "a" * 1001}, "[orderItems[0].remark: may have at most 1000 characters]"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_request_is_held_to_limits_and_nothing_of_it_is_kept(
    world: World, changes: Mapping[str, object], says: str
) -> None:
    before = world.rows_of(CODE)

    assert envelope(world.process(a_processed_body(**changes))) == (400, "BAD_DATA", says)

    assert world.rows_of(CODE) == before


def test_ten_thousand_whole_items_are_more_than_a_body_holds_and_none_of_them_is_kept(world: World) -> None:
    answer = world.process(a_processed_body(orderItems=[a_result_body(f"i-{number}") for number in range(10_000)]))

    assert envelope(answer)[:2] == (413, "TOO_LARGE")
    assert processed(world) == []


# ── crashes and races ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", Fault)
def test_whatever_happens_to_a_call_a_repeat_leaves_its_results_there_once(fault: Fault) -> None:
    calm = World()
    calm.create_return(a_return_order_body())
    calm.calls.made.clear()
    calm.process(a_processed_body())
    for number in range(1, len(calm.calls.made) + 1):
        world = World()
        world.create_return(a_return_order_body())
        world.calls.made.clear()
        world.calls.plan = at(number, fault)
        with suppress(ProcessKilledError):
            world.process(a_processed_body())
        world.calls.plan = lambda _: None
        world.calls.land()

        assert world.process(a_processed_body()).status == 200

        assert len(processed(world)) == 1
        assert state(world) == "PROCESSED"


def test_two_pieces_at_once_are_both_there_and_complete_the_return(world: World) -> None:
    other = a_processed_body(orderItems=[a_failure_body(SECOND)])
    meanwhile(world, lambda: world.process(other))

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST)])).status == 200

    assert [event["facts"]["qc"] for event in processed(world)] == ["1", "2"]
    assert state(world) == "PROCESSED"


def test_the_same_call_twice_at_once_is_one_event(world: World) -> None:
    meanwhile(world, lambda: world.process(a_processed_body()))

    assert world.process(a_processed_body()).status == 200

    assert len(processed(world)) == 1


def test_a_pass_that_meets_a_failure_at_once_is_refused(world: World) -> None:
    meanwhile(world, lambda: world.process(a_processed_body(orderItems=[a_failure_body(FIRST)])))

    assert world.process(a_processed_body(orderItems=[a_result_body(FIRST)])).status == 409

    assert len(processed(world)) == 1


def test_a_scan_that_comes_at_once_costs_another_look_and_loses_nothing(world: World) -> None:
    awb = world.read_return(CODE).body["returnAwb"]
    meanwhile(world, lambda: receive(world, a_scan(awb, 8)))

    assert world.process(a_processed_body()).status == 200

    shown = world.read_return(CODE).body
    assert (shown["status"], shown["omniReturnOrderStatus"]) == ("DELIVERED", "PROCESSED")


def test_a_return_that_is_cancelled_at_once_is_not_processed(world: World) -> None:
    meanwhile(world, lambda: world.cancel(CODE))

    assert envelope(world.process(a_processed_body()))[2] == "[returnOrderCode: is cancelled]"

    assert processed(world) == []


def test_goods_that_are_checked_while_their_return_is_cancelled_are_at_hand() -> None:
    world = World()
    world.create_return(a_channel_booked_body(returnOrderCode=CODE, forwardOrderCode="SO-70031"))
    checked = a_processed_body(orderItems=[a_result_body("70044-1", channelSkuCode="CAP-RED")])
    meanwhile(world, lambda: world.process(checked))

    answer = world.cancel(CODE)

    assert envelope(answer) == (409, "CANCEL_REFUSED", "the parcel is PROCESSED already")
    assert [event["kind"] for event in world.journal(CODE)] == ["PLACED", "PROCESSED"]


def test_an_item_that_is_added_at_once_is_still_to_be_checked(world: World) -> None:
    more = an_items_body(returnOrderCode=CODE, orderCode="SO-70031")
    meanwhile(world, lambda: world.call("add_return_items", "PUT", "/return/update-return-order/item", more))

    assert world.process(a_processed_body()).status == 200

    assert state(world) == "PARTLY_PROCESSED"


# ── helpers ─────────────────────────────────────────────────────────────────────────


def state(world: World, code: str = CODE) -> str:
    return str(world.read_return(code).body["omniReturnOrderStatus"])


def processed(world: World) -> list[Mapping[str, Any]]:
    return [event for event in world.journal(CODE) if str(event["kind"]).startswith("PROCESS")]


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
