"""Channels, books, returns apps and warehouses are endpoints of kinds of their own: what each hears, when, as what."""

import json
from datetime import timedelta
from typing import Any, Final

import pytest

from rms.journal.keys import return_id
from rms.model.endpoint_kind import EndpointKind
from rms.notifications.schedule import DELAYS
from rms.platform.http import HttpRequest
from rms.platform.times import to_text
from sandbox.faults import answers_status
from tests.builders import (
    ABSENT,
    a_channel_booked_body,
    a_failure_body,
    a_processed_body,
    a_result_body,
    a_return_order_body,
    a_shipment_body,
    an_invoice_body,
    an_items_body,
)
from tests.fakes.http import answer, json_of
from tests.sinks import CHANNEL, ERP, WMS, Sinks, register
from tests.unit.notifications.telling import attempts, cursor
from tests.webhooks import a_scan
from tests.world import CLIENT, World

CODE: Final = "RET-70031-1"
FIRST: Final = "70031-1"
SECOND: Final = "70031-2"
APP: Final = "https://app.test/updates"
UNPRICED: Final = {"orderItems[1].price": ABSENT, "awbNumber": "9977001122", "transporter": "Quickship"}
"""A return that its channel has booked: one without a price is taken."""


def a_world(*names: str, **changes: Any) -> tuple[World, Sinks]:
    """A return of two shoes that RMS has booked, and the systems that have joined before."""
    world = World()
    sinks = Sinks(world)
    sinks.join(*names)
    assert world.create_return(a_return_order_body(**changes)).status == 200
    world.settle()
    return world, sinks


def process(world: World, *items: dict[str, Any], **changes: object) -> None:
    """The warehouse's word on these items; on both, one of which failed, unless any is given."""
    body = a_processed_body(**changes)
    reply = world.process(body | ({"orderItems": list(items)} if items else {}))
    assert reply.status == 200, reply
    world.work_all()


def taken(sinks: Sinks, name: str) -> list[dict[str, Any]]:
    """The bodies that a system took in, repeats included."""
    return [json.loads(call.body) for call in sinks.all[name].calls() if call.taken]


# ── the channel ─────────────────────────────────────────────────────────────────────


def test_the_channel_hears_how_a_return_was_processed() -> None:
    world, sinks = a_world(CHANNEL)

    process(world)

    [ack] = taken(sinks, CHANNEL)
    assert ack == {
        "returnOrderCode": CODE,
        "forwardOrderCode": "SO-70031",
        "locationCode": "BLR-2",
        "orderItems": [
            {"itemCode": FIRST, "channelSkuCode": "TRAIL-42-BLK", "qcStatus": "PASS"},
            {
                "itemCode": SECOND,
                "channelSkuCode": "TRAIL-42-BLK",
                "qcStatus": "FAIL",
                "qcReason": "USED_PRODUCT",
                "imageUrls": ["https://img.warehouse.example/sole.jpg"],
            },
        ],
        "sequence": world.journal(CODE)[-1]["sequence"],
    }
    assert sinks.violations() == []


def test_nothing_is_acknowledged_before_every_unit_is_checked() -> None:
    world, sinks = a_world(CHANNEL, ERP)

    process(world, a_result_body(FIRST))
    world.settle()
    assert (sinks.channel.calls(), sinks.erp.calls()) == ([], [])

    process(world, a_failure_body(SECOND))
    assert sinks.channel.processed()[0]["results"] == {FIRST: "PASS", SECOND: "FAIL"}
    assert len(sinks.erp.postings()) == 1


def test_a_correction_is_told_as_the_whole_return_once_more() -> None:
    world, sinks = a_world(CHANNEL, ERP)
    process(world)
    world.clock.advance(minutes=5)

    process(world, a_failure_body(FIRST))

    assert [[item["qcStatus"] for item in ack["orderItems"]] for ack in taken(sinks, CHANNEL)] == [
        ["PASS", "FAIL"],
        ["FAIL", "FAIL"],
    ]
    first, second = taken(sinks, ERP)
    assert first["messageId"] != second["messageId"]
    assert sinks.violations() == []


def test_each_tells_what_was_known_when_it_happened_however_late_it_is_told() -> None:
    world, sinks = a_world(CHANNEL)
    sinks.channel.fail(answers_status(503, does_the_work=False), times=2)
    process(world)
    process(world, a_failure_body(FIRST))

    world.settle()

    results = [[item["qcStatus"] for item in ack["orderItems"]] for ack in taken(sinks, CHANNEL)]
    assert results == [["PASS", "FAIL"], ["FAIL", "FAIL"]]
    assert sinks.violations() == []


def test_excess_is_for_the_books_and_not_for_the_channel() -> None:
    world, sinks = a_world(CHANNEL, ERP)
    process(world)

    # The shop has sold one like it, so that its price is known.
    assert world.ship(a_shipment_body()).status == 200
    process(world, a_result_body("WH-1", channelSkuCode="SOCK-M", isExcess=True))

    assert len(taken(sinks, CHANNEL)) == 1
    *_, posting = taken(sinks, ERP)
    assert {item["itemCode"]: item["isExcess"] for item in posting["items"]} == {
        FIRST: False,
        SECOND: False,
        "WH-1": True,
    }


def test_a_cancelled_item_is_neither_waited_for_nor_told() -> None:
    world, sinks = a_world(CHANNEL, ERP, WMS)
    assert world.cancel(CODE, body={"orderItems": [{"itemCode": SECOND}]}).status == 200

    process(world, a_result_body(FIRST))

    assert [item["itemCode"] for item in taken(sinks, CHANNEL)[0]["orderItems"]] == [FIRST]
    assert [item["itemCode"] for item in taken(sinks, ERP)[0]["items"]] == [FIRST]
    assert sinks.wms.expectations()[0]["cancelled"] == [SECOND]
    assert sinks.violations() == []


# ── the books ───────────────────────────────────────────────────────────────────────


def test_an_erp_that_says_hasError_is_not_asked_again_until_a_person_has_looked() -> None:  # noqa: N802 - its word
    world, sinks = a_world(ERP)
    sinks.erp.refuse("period 2026-02 is closed")
    process(world)
    world.settle()

    [waiting] = world.call("read_deliveries", "GET", "/endpoints/erp/waiting", query={"state": "stalled"}).body[
        "waiting"
    ]
    assert "hasError: true: period 2026-02 is closed" in str(waiting)
    assert sinks.erp.postings() == []
    [refused] = attempts(world, return_id(CLIENT, CODE), ERP)
    assert (refused["status"], refused["outcome"]) == (
        200,
        "answered 200 with hasError: true: period 2026-02 is closed",
    )

    after = {"endpoint": "erp", "afterSequence": refused["sequence"] - 1}
    assert world.replay(CODE, after).status == 200
    world.work_all()

    before, again = taken(sinks, ERP)
    assert (again["messageId"], again) == (before["messageId"], before)
    assert [posting["message_id"] for posting in sinks.erp.postings()] == [again["messageId"]]
    assert sinks.violations() == []


def test_a_refusal_says_that_the_erp_is_there() -> None:
    world, sinks = a_world(ERP)
    sinks.erp.fail(answers_status(503, does_the_work=False))
    sinks.erp.refuse("period 2026-02 is closed")
    process(world)
    assert "failing" in health(world)

    world.settle()

    assert "failing" not in health(world)
    assert cursor(world, return_id(CLIENT, CODE), ERP)["due_shard"] == f"stalled#{CLIENT}#erp"


def test_a_posting_waits_for_a_price_that_is_not_known_and_asks_nobody() -> None:
    world, sinks = a_world(ERP, **UNPRICED)
    process(world)

    [attempt] = attempts(world, return_id(CLIENT, CODE), ERP)
    assert attempt["outcome"] == "cannot be posted yet: items[1].sellingPricePerUnit: may not be null"
    assert (attempt["notification"], "status" in attempt) == ("PROCESSED", False)
    assert (sinks.erp.calls(), health(world)) == ([], {})


def test_a_posting_goes_as_soon_as_what_was_missing_is_known() -> None:
    world, sinks = a_world(ERP, **UNPRICED)
    process(world)
    assert world.ship(a_shipment_body()).status == 200

    world.settle()

    [posting] = taken(sinks, ERP)
    assert [item["sellingPricePerUnit"] for item in posting["items"]] == [2999, 2999.5]
    assert sinks.violations() == []


def test_a_posting_that_can_never_go_stands_still_when_the_schedule_is_used_up_and_says_why() -> None:
    world, sinks = a_world(ERP, **UNPRICED)
    process(world)
    began = world.clock()

    world.settle()

    row = cursor(world, return_id(CLIENT, CODE), ERP)
    assert row["due_shard"] == f"stalled#{CLIENT}#erp"
    assert "items[1].sellingPricePerUnit" in str(row["reason"])
    assert len(attempts(world, return_id(CLIENT, CODE), ERP)) == len(DELAYS) + 1
    assert world.clock() - began > timedelta(hours=60)
    assert (sinks.erp.calls(), health(world)) == ([], {})


def test_what_waits_for_one_return_holds_up_no_other() -> None:
    world, sinks = a_world(ERP, **UNPRICED)
    world.create_return(a_return_order_body(returnOrderCode="RET-2", forwardOrderCode="SO-2"))
    process(world)

    process(world, returnOrderCode="RET-2", forwardOrderCode="SO-2")

    assert [posting["return_code"] for posting in sinks.erp.postings()] == ["RET-2"]


def health(world: World) -> dict[str, Any]:
    """The row of the ERP's health; empty when all is well."""
    rows = [row for row in world.table.rows() if (row["PK"], row["SK"]) == (f"C#{CLIENT}#E#erp", "HEALTH")]
    return dict(rows[0]) if rows else {}


# ── the warehouse ───────────────────────────────────────────────────────────────────


def test_the_warehouse_hears_of_a_return_of_its_awb_and_of_its_end() -> None:
    world, sinks = a_world(WMS)
    process(world, a_result_body(FIRST))
    process(world, a_failure_body(SECOND))
    process(world, a_failure_body(FIRST))

    [expected] = sinks.wms.expectations()
    assert expected["heard"] == ["RETURN_ORDER_CREATE", "RETURN_ORDER_UPDATE", "RETURN_ORDER_COMPLETE"]
    create, update, _ = taken(sinks, WMS)
    assert ("awbNumber" in create, update["awbNumber"]) == (False, world.read_return(CODE).body["returnAwb"])
    assert update["transporter"] == world.read_return(CODE).body["carrierName"]
    assert (create["locationCode"], create["shipmentDimension"]["weight"]) == ("BLR-2", 940)
    assert sinks.violations() == []


def test_the_warehouse_hears_of_items_that_are_added_and_that_will_not_come() -> None:
    world = World()
    sinks = Sinks(world)
    sinks.join(WMS)
    world.create_return(a_channel_booked_body())
    code = "RET-70044-1"
    world.call("add_return_items", "PUT", "/return/update-return-order/item", an_items_body())
    world.cancel(code, body={"orderItems": [{"itemCode": "70044-2"}]})
    world.cancel(code)
    world.settle()

    [expected] = sinks.wms.expectations()
    assert expected["heard"] == [
        "RETURN_ORDER_CREATE",
        "RETURN_ORDER_UPDATE",
        "RETURN_ORDER_PARTIAL_CANCEL",
        "RETURN_ORDER_CANCEL",
    ]
    create, update, *_ = taken(sinks, WMS)
    assert [item["itemCode"] for item in create["orderItems"]] == ["70044-1"]
    assert (create["awbNumber"], create["transporter"]) == ("9977001122", "Quickship")
    assert [item["itemCode"] for item in update["orderItems"]] == ["70044-1", "70044-2"]
    assert sinks.violations() == []


def test_a_carrier_that_says_that_it_will_not_come_is_told_once() -> None:
    world, sinks = a_world(WMS)
    awb = world.read_return(CODE).body["returnAwb"]
    assert world.webhook(a_scan(awb, 10)) == 200
    world.cancel(CODE)
    world.settle()

    [expected] = sinks.wms.expectations()
    assert expected["heard"].count("RETURN_ORDER_CANCEL") == 1
    assert sinks.violations() == []


def test_a_return_without_a_warehouse_goes_to_the_one_that_the_endpoint_names() -> None:
    world, sinks = a_world(WMS)
    named = {"settings": {"locationCode": "PNQ-1"}}
    assert world.call("manage_endpoints", "PUT", "/endpoints/wms", named).status == 200
    _announced(world, "CP-REF-9")

    assert taken(sinks, WMS)[-1]["locationCode"] == "PNQ-1"
    assert taken(sinks, WMS)[-1]["returnOrderCode"] == "CP-REF-9"


def test_without_any_warehouse_nothing_is_expected_yet() -> None:
    world, _ = a_world(WMS)
    _announced(world, "CP-REF-9")

    attempt, *_ = attempts(world, return_id(CLIENT, "CP-REF-9"), WMS)
    assert attempt["outcome"] == "cannot be posted yet: locationCode: may not be null"


# ── the returns app ─────────────────────────────────────────────────────────────────


def joins(world: World, partner: str) -> None:
    world.http.on(APP, lambda _: answer(200))
    world.answer_at("app.test", world.receiver.handle)  # so that the name resolves
    register(world, "app", EndpointKind.PROCESSING_UPDATE, APP, settings={"partner": partner})


def updates(world: World) -> list[HttpRequest]:
    return world.http.sent_to(APP)


def test_clickpost_hears_of_a_return_from_its_own_page_by_its_own_reference() -> None:
    world = World()
    joins(world, "CLICKPOST")
    item = _announced(world, "CP-REF-9")

    process(
        world,
        a_failure_body(item["itemCode"], channelSkuCode=item["channelSkuCode"]),
        returnOrderCode="CP-REF-9",
        forwardOrderCode="SO-9",
    )

    [update] = map(json_of, updates(world))
    assert update == {
        "returnOrderCode": "CP-REF-9",
        "forwardOrderCode": "SO-9",
        "locationCode": "BLR-2",
        "orderItems": [
            {
                "itemCode": item["itemCode"],
                "channelSkuCode": item["channelSkuCode"],
                "qcStatus": "FAIL",
                "qcReason": "USED_PRODUCT",
                "imageUrls": ["https://img.warehouse.example/sole.jpg"],
            }
        ],
        "sequence": world.journal("CP-REF-9")[-1]["sequence"],
    }


@pytest.mark.parametrize(("partner", "told"), [("CLICKPOST", []), ("RETURNS_PRIME", [CODE])])
def test_a_return_that_was_sent_to_rms_is_one_of_returns_prime_and_none_of_clickposts_page(
    partner: str, told: list[str]
) -> None:
    world = World()
    joins(world, partner)
    world.create_return(a_return_order_body())
    world.settle()

    process(world)

    assert [json_of(update)["returnOrderCode"] for update in updates(world)] == told
    row = cursor(world, return_id(CLIENT, CODE), "app")
    assert (row["acked"], "due_at" in row) == (row["head"], False)


def test_an_announced_return_is_none_of_returns_primes() -> None:
    world = World()
    joins(world, "RETURNS_PRIME")
    item = _announced(world, "CP-REF-9")

    process(
        world,
        a_result_body(item["itemCode"], channelSkuCode=item["channelSkuCode"]),
        returnOrderCode="CP-REF-9",
        forwardOrderCode="SO-9",
    )

    assert updates(world) == []


def _announced(world: World, code: str) -> dict[str, Any]:
    """A shopper places a return on Clickpost's page; answers its item."""
    item = {"sku": "CAP-RED", "quantity": 1, "return_reason": "Too small"}
    placed = {"return_reference_number": code, "forward_order_id": "SO-9", "items": [item]}
    world.clickpost.place_return(placed)
    world.settle(minutes=60)
    [item] = world.read_return(code).body["orderItems"]
    assert isinstance(item, dict)
    return item


# ── who hears what ──────────────────────────────────────────────────────────────────


def test_no_kind_hears_what_is_another_kinds_business() -> None:
    world, sinks = a_world()
    world.clickpost.advance(world.read_return(CODE).body["returnAwb"])
    world.settle()
    process(world)
    world.settle()

    assert world.heard(CODE) == ["AWB_GENERATED", "OUT_FOR_PICKUP"]
    assert [len(sinks.all[name].calls()) for name in (ERP, CHANNEL, WMS)] == [1, 1, 3]
    assert set(world.rows_of(CODE)) >= {f"CURSOR#{name}" for name in ("shop", ERP, CHANNEL, WMS)}


def test_a_forward_parcel_is_nobodys_business_but_the_shops() -> None:
    world, _ = a_world()
    assert world.ship(a_shipment_body()).status == 200
    assert world.invoice(an_invoice_body()).status == 200
    world.settle()

    cursors = [sk for sk in world.rows_of("SH-70031", kind="S") if sk.startswith("CURSOR#")]
    assert cursors == ["CURSOR#shop"]


def test_a_warehouse_hears_of_its_own_returns_only() -> None:
    world, sinks = a_world()
    for name in (ERP, CHANNEL, WMS):
        wish = {"filter": {"locationCodes": ["DEL-1"]}}
        assert world.call("manage_endpoints", "PUT", f"/endpoints/{name}", wish).status == 200
    before = [len(sinks.all[name].calls()) for name in (ERP, CHANNEL, WMS)]

    process(world)
    world.settle()

    assert [len(sinks.all[name].calls()) for name in (ERP, CHANNEL, WMS)] == before


def test_one_event_is_told_again_and_a_refused_one_skipped_as_with_notifications() -> None:
    world, sinks = a_world(ERP)
    sinks.erp.refuse("period 2026-02 is closed")
    process(world)
    world.clock.advance(minutes=5)
    process(world, a_failure_body(FIRST))
    world.settle()
    first, second = (event["sequence"] for event in world.journal(CODE) if "QC" in event["event_id"])

    wish = {"returnOrderCode": CODE, "sequence": first}
    assert world.call("replay_notifications", "POST", "/endpoints/erp/skip", wish).status == 200
    world.work_all()
    assert [posting["items"] for posting in sinks.erp.postings()] == [2]
    assert attempts(world, return_id(CLIENT, CODE), ERP)[-1]["sequence"] == second

    again = {"returnOrderCode": CODE, "sequence": second}
    assert world.call("replay_notifications", "POST", "/endpoints/erp/replay", again).status in {200, 202}
    world.work_all()
    assert sinks.erp.state()["repeats"] == 1
    assert sinks.violations() == []


# ── samples ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [ERP, CHANNEL, WMS])
def test_a_sample_is_one_of_the_endpoints_own_kind(name: str) -> None:
    world, sinks = a_world(name)
    before = len(sinks.all[name].calls())

    reply = world.call("manage_endpoints", "POST", f"/endpoints/{name}/test", {})

    assert (reply.status, reply.body["delivered"]) == (200, True)
    *_, call = sinks.all[name].calls()
    assert len(sinks.all[name].calls()) == before + 1
    assert (call.headers["webhook-test"], call.about) == ("true", "SAMPLE-RETURN-1")
    assert sinks.violations() == []


def test_a_refused_sample_shows_the_erps_words() -> None:
    world, sinks = a_world(ERP)
    sinks.erp.refuse("unknown customer CUST-118")

    shown = world.call("manage_endpoints", "POST", "/endpoints/erp/test", {}).body

    assert (shown["delivered"], shown["status"]) == (False, 200)
    assert shown["reason"] == "answered 200 with hasError: true: unknown customer CUST-118"


def test_a_returns_app_can_be_tried_too() -> None:
    world = World()
    joins(world, "CLICKPOST")

    assert world.call("manage_endpoints", "POST", "/endpoints/app/test", {}).body["delivered"] is True
    [update] = map(json_of, updates(world))
    assert update["returnOrderCode"] == "SAMPLE-RETURN-1"


def test_an_event_waits_no_longer_than_it_is_late() -> None:
    world, _ = a_world(CHANNEL)
    process(world)

    [attempt] = attempts(world, return_id(CLIENT, CODE), CHANNEL)
    assert attempt["learned_at"] == to_text(world.clock())
