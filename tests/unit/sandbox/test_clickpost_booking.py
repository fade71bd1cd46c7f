from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clickpost import ClickpostEngine
from sandbox.faults import Answer, NoReply, Then, answers_status, hangs
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.examples import Caller, an_order

type Make = Callable[..., Caller]


def test_a_reverse_order_gets_an_awb_and_no_label(clickpost: Caller) -> None:
    answer = clickpost.create()

    assert answer["http"] == 200
    assert answer["meta"]["status"] == 200
    assert answer["result"]["waybill"]
    assert answer["result"]["label"] is None
    assert answer["result"]["courier_name"] == "Delhivery"


def test_a_fresh_answer_carries_our_order_id_inside_and_clickposts_on_top(clickpost: Caller) -> None:
    answer = clickpost.create()

    assert answer["result"]["order_id"] == "TO-501"
    assert isinstance(answer["order_id"], int)


def test_the_same_reference_again_is_323_with_the_first_awb(clickpost: Caller) -> None:
    first = clickpost.create()
    second = clickpost.create()

    assert second["meta"]["status"] == 323
    assert second["result"]["waybill"] == first["result"]["waybill"]
    assert second["result"]["order_id"] == first["order_id"]
    assert clickpost.engine.bookings["TEST-REF-1"].calls == 2
    assert clickpost.engine.describe_bookings()["parcels"] == 1


def test_a_partner_that_takes_duplicates_shows_them_in_the_truth(a_clickpost: Make) -> None:
    clickpost = a_clickpost(refuses_duplicates=False)
    clickpost.create()
    clickpost.create()

    truth = clickpost.engine.describe_bookings()

    assert truth["duplicate_parcels"] == 1
    assert len(truth["orders_with_several_parcels"]["TO-501"]) == 2


def test_a_wrong_key_is_301_with_http_200(clickpost: Caller) -> None:
    answer = clickpost.create(key="guess")

    assert (answer["http"], answer["meta"]["status"]) == (200, 301)
    assert not clickpost.engine.bookings


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (328, {"pickup_info__pickup_name": None}),
        (328, {"pickup_info__email": None}),
        (328, {"shipment_details__invoice_date": None}),
        (302, {"shipment_details__courier_partner": "25"}),
        (302, {"shipment_details__courier_partner": 999}),
        (307, {"shipment_details__order_type": "FREE"}),
        (308, {"additional__priority": "SOON"}),
        (309, {"shipment_details__delivery_type": "BACK", "additional__delivery_type": "BACK"}),
        (309, {"additional__delivery_type": None}),
        (310, {"additional__rvp_reason": None}),
        (310, {"shipment_details__rvp_reason": "x" * 501, "additional__rvp_reason": "x" * 501}),
        (311, {"shipment_details__courier_partner": 4}),
        (312, {"shipment_details__items": []}),
        (313, {"shipment_details__items": "TS-9"}),
        (314, {"shipment_details__items": [{"sku": "TS-9"}]}),
        (315, {"shipment_details__cod_value": 10}),
        (315, {"shipment_details__order_type": "COD"}),
        (319, {"pickup_info__pickup_pincode": "990001"}),
        (400, {"pickup_info__pickup_phone": "12345"}),
        (400, {"shipment_details__weight": 300.5}),
        (400, {"reference": "R" * 51}),
        (400, {"reference": "lower-case"}),
        (400, {"reference": "R" * 21, "shipment_details__courier_partner": 28}),
    ],
)
def test_an_order_against_the_rules_is_refused_with_clickposts_code(
    clickpost: Caller, status: int, change: dict[str, Any]
) -> None:
    answer = clickpost.create(an_order(**change))

    assert answer["meta"]["status"] == status
    assert "result" not in answer
    assert answer["http"] == 200
    assert not clickpost.engine.bookings


def test_an_account_code_that_does_not_exist_is_351(a_clickpost: Make) -> None:
    assert a_clickpost(account_codes=["other"]).create()["meta"]["status"] == 351


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": NaN}', b"\xff"])
def test_a_body_that_is_no_json_object_is_http_400(clickpost: Caller, body: bytes) -> None:
    answer = clickpost.ask("POST", "/api/v3/create-order/", body=body)

    assert (answer["http"], answer["meta"]["status"]) == (400, 400)


def test_a_refused_order_may_be_corrected_under_the_same_reference(clickpost: Caller) -> None:
    clickpost.create(an_order(pickup_info__pickup_pincode="990001"))

    assert clickpost.create()["meta"]["status"] == 200


def test_an_asynchronous_order_is_queued_then_processed_then_has_its_awb(a_clickpost: Make, clock: Clock) -> None:
    clickpost = a_clickpost(asynchronous=True, async_processing=1, async_seconds=30)

    answers = [clickpost.create(), clickpost.create()]
    early = clickpost.create()
    clock.pass_seconds(30)
    done = clickpost.create()

    assert [answer["meta"]["status"] for answer in [*answers, early]] == [202, 102, 102]
    assert answers[0]["result"]["waybill"] is None
    assert done["meta"]["status"] == 323
    assert done["result"]["waybill"] == clickpost.engine.bookings["TEST-REF-1"].awb


def test_an_asynchronous_order_can_fail_and_says_so_as_often_as_asked(a_clickpost: Make) -> None:
    clickpost = a_clickpost(async_couriers=[25], async_processing=0, async_ends=319)

    clickpost.create()
    failed, again = clickpost.create(), clickpost.create()
    corrected = clickpost.create(an_order(shipment_details__weight=350))

    assert failed["meta"]["status"] == again["meta"]["status"] == 319
    assert failed["reference_number"] == "TEST-REF-1"
    assert "result" not in failed
    assert corrected["meta"]["status"] == 202


def test_an_order_is_found_by_awb_and_courier_or_by_reference(clickpost: Caller) -> None:
    awb = clickpost.book()

    by_awb = clickpost.ask("GET", "/api/v3/create-order/", {"awb": awb, "cp_id": "25"})
    by_reference = clickpost.ask("GET", "/api/v3/create-order/", {"reference_number": "TEST-REF-1"})
    unknown = clickpost.ask("GET", "/api/v3/create-order/", {"awb": awb, "cp_id": "28"})

    assert by_awb["result"]["waybill"] == by_reference["result"]["waybill"] == awb
    assert unknown["meta"]["status"] == 321


def test_a_cancel_before_pick_up_is_600_and_so_is_the_next(clickpost: Caller) -> None:
    awb = clickpost.book()

    assert clickpost.cancel(awb)["meta"]["status"] == 600
    assert clickpost.cancel(awb)["meta"]["status"] == 600
    assert clickpost.engine.parcel(awb).cancelled


def test_a_cancel_after_pick_up_or_of_an_unknown_awb_is_350_with_http_400(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb, steps=2)

    for answer in (clickpost.cancel(awb), clickpost.cancel("NOBODYS")):
        assert (answer["http"], answer["meta"]["status"]) == (400, 350)


def test_a_carrier_that_cancels_later_answers_202_and_does_it(a_clickpost: Make, clock: Clock) -> None:
    clickpost = a_clickpost(cancels_later=True, async_seconds=60)
    awb = clickpost.book()

    answer = clickpost.cancel(awb)

    assert (answer["http"], answer["meta"]["status"]) == (202, 202)
    assert not clickpost.engine.parcel(awb).cancelled
    clock.pass_seconds(60)
    clickpost.engine.run_due()
    assert clickpost.engine.parcel(awb).cancelled


def test_tracking_lists_scans_newest_first_and_marks_unknown_awbs(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb, steps=2)

    answer = clickpost.ask("GET", "/api/v2/track-order/", {"waybill": f"{awb},NOBODYS", "cp_id": "25"})
    nothing = clickpost.ask("GET", "/api/v2/track-order/", {"waybill": "NOBODYS", "cp_id": "25"})

    codes = [scan["clickpost_status_code"] for scan in answer["result"][awb]["scans"]]
    assert codes == [4, 25]
    assert answer["result"]["NOBODYS"] == {"valid": False}
    assert (nothing["meta"]["status"], nothing["result"]) == (200, None)


def test_tracking_times_are_indias_and_record_times_are_utc(clickpost: Caller) -> None:
    awb = clickpost.book()
    clickpost.engine.advance(awb)

    scan = clickpost.ask("GET", "/api/v2/track-order/", {"waybill": awb, "cp_id": "25"})["result"][awb]["scans"][0]

    assert scan["timestamp"] == "2026-03-04 12:00:00"
    assert scan["created_at"] == "2026-03-04 06:30:00"


def test_a_forward_parcel_has_a_label_and_a_reverse_one_has_none(clickpost: Caller) -> None:
    forward = an_order(
        reference="FWD-1",
        shipment_details__delivery_type="FORWARD",
        additional__delivery_type="FORWARD",
        shipment_details__courier_partner=4,
    )
    there = clickpost.create(forward)["result"]["waybill"]
    back = clickpost.book()

    label = clickpost.ask("GET", "/api/v1/fetch/shippinglabel/", {"waybill": there, "cp_id": "4"})
    none = clickpost.ask("GET", "/api/v1/fetch/shippinglabel/", {"waybill": back, "cp_id": "25"})

    assert label["result"]["shipping_label"].endswith(f"{there}.pdf")
    assert none["result"] is None


def test_a_hang_after_the_work_leaves_a_parcel_that_the_next_call_finds(clickpost: Caller) -> None:
    clickpost.engine.next_booking(does_the_work=True, then="hangs")

    lost = clickpost.send("POST", "/api/v3/create-order/", body=an_order())

    assert lost == NoReply(did_the_work=True)
    assert clickpost.create()["meta"]["status"] == 323
    assert len(clickpost.engine.bookings) == 1


def test_a_hang_before_the_work_leaves_nothing(clickpost: Caller) -> None:
    clickpost.engine.fail("create-order", hangs(does_the_work=False))

    clickpost.send("POST", "/api/v3/create-order/", body=an_order())

    assert not clickpost.engine.bookings
    assert clickpost.engine.describe_bookings()["bookings"][0]["create_calls"] == 1


def test_late_work_happens_when_its_time_has_come(clickpost: Caller, clock: Clock) -> None:
    clickpost.engine.fail("create-order", hangs(does_the_work=True, late_seconds=40))
    clickpost.send("POST", "/api/v3/create-order/", body=an_order())

    assert not clickpost.engine.bookings
    clock.pass_seconds(40)
    assert clickpost.engine.bookings["TEST-REF-1"].awb


@pytest.mark.parametrize("works", [True, False])
def test_a_server_error_tells_nothing_about_the_work(clickpost: Caller, works: bool) -> None:  # noqa: FBT001 - a parameter
    clickpost.engine.fail("create-order", answers_status(503, does_the_work=works))

    reply = clickpost.send("POST", "/api/v3/create-order/", body=an_order())

    assert isinstance(reply, Answer)
    assert reply.status == 503
    assert bool(clickpost.engine.bookings) is works


@pytest.mark.parametrize("then", [then for then in Then if then not in {Then.HANGS, Then.CLOSES}])
def test_every_kind_of_bad_answer_comes_after_the_work_was_done(clickpost: Caller, then: Then) -> None:
    clickpost.engine.next_booking(does_the_work=True, then=then)

    reply = clickpost.send("POST", "/api/v3/create-order/", body=an_order())

    assert isinstance(reply, Answer)
    assert clickpost.engine.bookings


def test_the_record_of_requests_holds_everything_but_the_key(clickpost: Caller) -> None:
    clickpost.create()

    (request,) = clickpost.engine.requests()

    assert request["operation"] == "create-order"
    assert request["meta_status"] == 200
    assert "sandbox-api-key" not in str(request)


def test_the_record_of_requests_is_bounded(a_clickpost: Make) -> None:
    clickpost = a_clickpost(keeps=3)
    for number in range(5):
        clickpost.book(f"REF-{number}")

    assert [request["number"] for request in clickpost.engine.requests()] == [3, 4, 5]


def test_a_path_outside_the_base_path_is_404(a_clickpost: Make) -> None:
    clickpost = a_clickpost(base_path="/live/api")

    assert clickpost.ask("POST", "/live/api/v3/create-order/", body=an_order())["http"] == 200
    reply = clickpost.send("POST", "/api/v3/create-order/", body=an_order())
    assert isinstance(reply, Answer)
    assert reply.status == 404


PLACES = [
    (section, field)
    for section, fields in an_order().items()
    for field in fields
    if section != "shipment_details" or field != "items"
]
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers())
ANY_JSON = VALUES | st.dictionaries(st.text(), VALUES) | st.just(10**400)


@given(place=st.sampled_from(PLACES), value=ANY_JSON)
def test_whatever_stands_in_a_field_is_answered(place: tuple[str, str], value: object) -> None:
    order = an_order()
    order[place[0]][place[1]] = value

    assert Caller(ClickpostEngine()).create(order)["meta"]["status"]


@given(items=ANY_JSON | st.lists(st.dictionaries(st.sampled_from(["sku", "quantity", "price", "weight"]), VALUES)))
def test_whatever_stands_for_items_is_answered(items: object) -> None:
    order = an_order()
    order["shipment_details"]["items"] = items

    assert Caller(ClickpostEngine()).create(order)["meta"]["status"]
