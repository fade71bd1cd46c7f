"""How a booking at Shiprocket goes on when something is there already, or nobody knows. Whole walks: contract suite."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import Ask, Booked, NotFound, RefusalKind, Refused, Unauthorized, Unknown, Working
from rms.platform.http import NoAnswer
from tests.unit.aggregators.shiprocket.examples import (
    ACCOUNT,
    ADAPTER,
    FORWARD,
    NOW,
    RETURN,
    a_job,
    an_account,
    next_call,
    read,
)

REFERENCE = a_job().reference
CREATED = {"order_id": "61", "shipment_id": "71"}
CHOSEN = {**CREATED, "courier_id": "5", "courier": "Reverse Five"}
ASSIGNED = {**CHOSEN, "awb": "AWB9"}
TAKEN = {"message": "Oops! Invalid Data.", "errors": {"order_id": ["The order id has already been taken."]}}
NOTHING: dict[str, Any] = {"data": [], "meta": {"pagination": {"total_pages": 1}}}


def a_row(**changes: object) -> dict[str, object]:
    return {"id": 61, "channel_order_id": REFERENCE, "shipments": [{"id": 71, "awb": ""}]} | changes


def shown(awb: object = None, status: object = 21, **changes: object) -> dict[str, Any]:
    shipment = {"id": 71, "awb": awb, "courier": "Reverse Five", "courier_id": 5}
    return {"data": {"channel_order_id": REFERENCE, "status_code": status, "shipments": shipment} | changes}


def called(progress: dict[str, str]) -> str:
    ask = next_call(progress)
    assert isinstance(ask, Ask)
    return ask.name


# ── a reference that is taken ───────────────────────────────────────────────────────


@pytest.mark.parametrize("errors", ["errors", "message"])
@pytest.mark.parametrize("texts", [["The order id has already been taken."], "The Order Id has ALREADY BEEN TAKEN"])
def test_a_taken_reference_is_searched_for_whatever_else_the_answer_says(errors: str, texts: object) -> None:
    body = {"message": "Oops!", errors: {"order_id": texts, "pickup_city": ["is required"]}, "status_code": 422}
    progress = read({}, body, 422)

    assert isinstance(progress, dict)
    assert called(progress) == "search"


def test_what_is_found_under_a_taken_reference_is_read_and_gone_on_with() -> None:
    progress = read({}, TAKEN, 422)
    progress = read(progress, {"data": [a_row()]})  # type: ignore[arg-type]  # a dict, as asserted below
    assert isinstance(progress, dict)
    assert called(progress) == "show"
    progress = read(progress, shown())

    assert progress == {"taken": "yes", **CREATED}
    assert called(progress) == "serviceability"


def test_a_taken_reference_that_no_list_has_is_looked_for_by_its_awb() -> None:
    progress = read(read({}, TAKEN, 422), NOTHING)  # type: ignore[arg-type]  # as above
    assert isinstance(progress, dict)
    assert called(progress) == "track"
    track = {"track_status": "1", "shipment_track": [{"order_id": 61, "shipment_id": "71", "awb_code": "AWB9"}]}
    progress = read(progress, [{"tracking_data": track}])
    assert isinstance(progress, dict)
    progress = read(progress, shown("AWB9", 28))
    assert isinstance(progress, dict)

    result = next_call(progress)

    assert isinstance(result, Booked)
    assert (result.awb, result.order_id) == ("AWB9", "61")


@pytest.mark.parametrize(
    ("body", "status"),
    [([], 200), ([{"tracking_data": {"track_status": 0, "error": "none"}}], 200), ({"message": "No"}, 404)],
)
def test_a_taken_reference_that_is_found_nowhere_is_burnt(body: object, status: int) -> None:
    progress = read(read({}, TAKEN, 422), NOTHING)  # type: ignore[arg-type]  # as above
    result = read(progress, body, status)  # type: ignore[arg-type]  # as above

    assert result == Refused(
        RefusalKind.CALLER, "422", "Oops! Invalid Data.: order_id: The order id has already been taken.", burnt=True
    )


def test_a_taken_reference_is_searched_for_further_back_than_an_unclear_one() -> None:
    usual = ADAPTER.find(ACCOUNT, a_job(), {}, NOW)
    wide = next_call({"taken": "yes"})
    assert isinstance(usual, Ask)
    assert isinstance(wide, Ask)

    assert (usual.request.query["from"], usual.request.query["to"]) == ("2026-04-29", "2026-05-08")
    assert wide.request.query["from"] == "2026-03-07"


def test_a_search_begins_the_day_before_the_return_was_placed_and_never_too_long_ago() -> None:
    placed = [datetime(2026, 4, 20, 6, 0, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)]
    asks = [ADAPTER.find(ACCOUNT, a_job(replace(RETURN, placed_at=each)), {}, NOW) for each in placed]

    assert [ask.request.query["from"] for ask in asks if isinstance(ask, Ask)] == ["2026-04-19", "2026-03-07"]


# ── searching ───────────────────────────────────────────────────────────────────────


def test_pages_are_counted_and_the_links_of_the_answer_not_followed() -> None:
    page: dict[str, Any] = {"data": [a_row(channel_order_id="OTHER")], "meta": {"pagination": {"total_pages": "3"}}}
    page["meta"]["pagination"]["links"] = {"next": "https://elsewhere.example/?page=9"}
    progress = read({}, page, searching=True)
    assert progress == {"page": "2"}
    ask = ADAPTER.find(ACCOUNT, a_job(), {"page": "2"}, NOW)

    assert isinstance(ask, Ask)
    assert (ask.request.url, ask.request.query["page"]) == ("https://sr.example/v1/orders/processing/return", "2")
    assert isinstance(read({"page": "3"}, page, searching=True), NotFound)


def test_without_a_page_count_an_empty_page_is_the_last() -> None:
    assert read({}, {"data": [a_row(channel_order_id="OTHER")]}, searching=True) == {"page": "2"}
    assert isinstance(read({"page": "2"}, {"data": []}, searching=True), NotFound)


@pytest.mark.parametrize("nameless", [{"channel_order_id": None}, {"channel_order_id": ""}, {"channel_order_id": {}}])
def test_a_row_that_names_no_order_may_be_ours_so_that_ours_is_not_known_to_be_absent(
    nameless: dict[str, object],
) -> None:
    first = read({}, {"data": [a_row(**nameless)], "meta": {"pagination": {"total_pages": 2}}}, searching=True)
    assert isinstance(first, dict)

    assert isinstance(read(first, NOTHING, searching=True), Unknown)
    assert isinstance(read({}, {**NOTHING, "data": [a_row(**nameless)]}, searching=True), Unknown)
    assert isinstance(read(first, {"message": "No page"}, 404, searching=True), Unknown)
    assert read(first, {"data": [a_row(), a_row(**nameless)]}, searching=True) == {
        **first,
        **CREATED,
        "unread": "search",
    }


def test_a_search_without_end_is_left_to_a_person() -> None:
    page = {"data": [a_row(channel_order_id="OTHER")], "meta": {"pagination": {"total_pages": 100_000}}}

    assert isinstance(read({"page": "200"}, page, searching=True), Unknown)


def test_several_orders_under_one_reference_are_left_to_a_person() -> None:
    assert isinstance(read({}, {"data": [a_row(), a_row(id=62)]}, searching=True), Unknown)


def test_a_reference_that_is_only_like_ours_is_not_ours() -> None:
    rows = [a_row(channel_order_id=f"{REFERENCE}-2"), a_row(channel_order_id=REFERENCE.lower())]

    assert read({}, {"data": rows}, searching=True) == {"page": "2"}


@pytest.mark.parametrize("shipments", [[{"id": 71}], {"id": "71"}])
def test_shipments_may_be_a_list_or_an_object(shipments: object) -> None:
    assert read({}, {"data": [a_row(shipments=shipments)]}, searching=True) == {**CREATED, "unread": "search"}


def test_an_order_found_is_gone_on_with_only_when_it_has_been_read() -> None:
    assert not ADAPTER.found({**CREATED, "unread": "search"})
    assert ADAPTER.found(CREATED)


@pytest.mark.parametrize(("body", "status"), [({"message": "x"}, 403), ({"message": "x"}, 400), (b"<html>", 404)])
def test_not_being_let_look_does_not_mean_that_nothing_is_there(body: object, status: int) -> None:
    assert isinstance(read({}, body, status, searching=True), Unknown)
    assert isinstance(read({**CREATED, "unread": "search"}, body, status, searching=True), Unknown)


def test_an_order_that_is_shown_under_another_reference_is_not_adopted() -> None:
    assert isinstance(read({**CREATED, "unread": "older"}, shown("AWB9", channel_order_id="OTHER")), Unknown)


@pytest.mark.parametrize(("status", "kind"), [(5, Refused), ("27", Refused), (18, Unknown), (29, Unknown)])
def test_a_cancelled_order_burns_its_reference_and_one_being_cancelled_waits(status: object, kind: type) -> None:
    result = read({**CREATED, "unread": "search"}, shown("AWB9", status), searching=True)

    assert isinstance(result, kind)
    assert not isinstance(result, Refused) or result.burnt


def test_an_awb_may_stand_in_awb_data_alone() -> None:
    body = shown("", 28, awb_data={"awb": "AWB9"})
    progress = read({**CREATED, "unread": "search"}, body, searching=True)

    assert isinstance(progress, dict)
    assert progress["awb"] == "AWB9"


# ── creating ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        {"order_id": 61, "shipment_id": 71, "status_code": 26},
        {"order_id": 61, "shipment_id": 71},
        {"order_id": "61", "shipment_id": "71", "status_code": "21", "awb_code": "AWB9"},
    ],
)
def test_an_older_order_that_comes_back_is_read_before_anything_else(body: dict[str, object]) -> None:
    progress = read({}, body)

    assert progress == {**CREATED, "unread": "older"}


def test_a_new_order_is_not_read_first() -> None:
    assert read({}, {"order_id": "61", "shipment_id": 71, "status_code": "21"}) == CREATED
    assert read({}, {"order_id": 61, "shipment_id": 71, "status_code": 1}, job=a_job(FORWARD)) == CREATED


def test_an_order_taken_in_without_ids_may_exist() -> None:
    assert isinstance(read({}, {"success": True, "message": "We are processing your request"}), Unknown)


def test_a_lost_create_is_unknown_whether_or_not_it_left() -> None:
    ask = next_call({})
    assert isinstance(ask, Ask)
    for left in (True, False):
        assert isinstance(ADAPTER.read(a_job(), ask, NoAnswer("gone", sent=left, elapsed_ms=1), {}), Unknown)


# ── courier ─────────────────────────────────────────────────────────────────────────


def served(*couriers: Mapping[str, object], advised: object = None) -> dict[str, object]:
    data = {"available_courier_companies": list(couriers), "recommended_courier_company_id": advised}
    return {"status": 200, "data": data}


def chosen(body: object, order: Any = RETURN) -> object:
    progress = read(CREATED, body, job=a_job(order))
    return progress["courier_id"] if isinstance(progress, dict) else progress


A, B, C = ({"courier_company_id": number, "rate": rate} for number, rate in ((1, 70), (2, "55.5"), (3, None)))


def test_the_recommended_courier_comes_first_then_the_cheapest() -> None:
    assert chosen(served(C, A, B, advised="1")) == "1"
    assert chosen(served(C, A, B, advised=99)) == "2"
    assert chosen(served(C)) == "3"


def test_a_blocked_courier_or_one_that_cannot_check_at_the_door_is_not_chosen() -> None:
    checked = replace(RETURN, items=(replace(RETURN.items[0], doorstep_qc=True),))

    assert chosen(served({**B, "blocked": "1"}, A)) == "1"
    assert chosen(served({**B, "qc_courier": 0}, {**A, "qc_courier": "1"}), checked) == "1"
    refused = chosen(served({**B, "qc_courier": 0}), checked)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.burnt) == (RefusalKind.SERVICEABILITY, True)
    assert "at the door" in refused.words


def test_cash_is_collected_by_a_courier_that_does() -> None:
    cash = replace(FORWARD, cash_on_delivery=True)

    assert chosen(served({**B, "cod": 0}, {**A, "cod": 1}), cash) == "1"
    assert chosen(served({**B, "cod": 0}, {**A, "cod": 1}), FORWARD) == "2"


@pytest.mark.parametrize("rate", ["NaN", "Infinity", [], True, "1e999999999", "cheap"])
def test_a_rate_that_is_none_is_the_dearest(rate: object) -> None:
    assert chosen(served({**A, "rate": rate}, B)) == "2"


# ── AWB ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"message": "AWB is ALREADY ASSIGNED to this shipment", "status_code": 400}, 400),
        ({"awb_assign_status": 0, "response": {"data": {"awb_assign_error": "Assigned already"}}}, 200),
        ({"message": "Oops! Cannot reassign courier for this shipment.", "status_code": 400}, 400),
        ({"message": "Trying to get property of non-object", "status_code": 500}, 500),
    ],
)
def test_an_awb_that_may_be_there_is_read_and_only_its_absence_is_a_refusal(body: object, status: int) -> None:
    progress = read(CHOSEN, body, status)
    assert isinstance(progress, dict)
    assert called(progress) == "show"

    there, absent = read(progress, shown("AWB9", 22)), read(progress, shown(None, 21))

    assert there == ASSIGNED
    assert isinstance(absent, Refused)
    assert (absent.kind, absent.burnt) == (RefusalKind.CALLER, True)


def test_an_assignment_taken_in_hand_is_read_and_not_asked_for_again() -> None:
    progress = read(CHOSEN, {"success": "1", "message": "We are processing your request"})
    assert isinstance(progress, dict)
    assert called(progress) == "show"

    assert isinstance(read(progress, shown("")), Working)
    assert read(progress, shown("AWB9", 22)) == ASSIGNED


@pytest.mark.parametrize(
    "body",
    [
        {"awb_assign_status": 1, "response": {"data": {"awb_code": ""}}},
        {"awb_assign_status": 0, "response": {"data": {"awb_code": "AWB9"}}},
        {"awb_assign_status": 1, "response": {"data": {"awb_code": "AWB9", "shipment_id": 999}}},
    ],
)
def test_an_awb_that_contradicts_itself_is_unknown(body: object) -> None:
    assert isinstance(read(CHOSEN, body), Unknown)


def test_no_awb_and_no_reason_is_a_refusal_all_the_same() -> None:
    assert read(CHOSEN, {"awb_assign_status": 0}) == Refused(
        RefusalKind.CALLER, "200", "no AWB, no reason given", burnt=True
    )


@pytest.mark.parametrize("flag", [1, "1", True, "true"])
def test_flags_come_in_every_type(flag: object) -> None:
    progress = read(CHOSEN, {"awb_assign_status": flag, "response": {"data": {"awb_code": 99, "shipment_id": "71"}}})

    assert isinstance(progress, dict)
    assert progress["awb"] == "99"


# ── after the AWB no refusal undoes the booking ─────────────────────────────────────


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
def test_a_refused_pickup_leaves_a_booking_that_says_so(status: int) -> None:
    progress = read(ASSIGNED, {"message": "Pickup is not possible"}, status)
    assert isinstance(progress, dict)
    result = next_call(progress)

    assert isinstance(result, Booked)
    assert result.metadata["Pickup Error"] == "Pickup is not possible"


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (429, Unknown), (500, Unknown), (502, Unknown)])
def test_an_unclear_pickup_is_unknown_and_a_token_is_renewed(status: int, kind: type) -> None:
    assert isinstance(read(ASSIGNED, {"message": "Duplicate entry"}, status), kind)


def test_a_label_that_cannot_be_made_now_leaves_a_booking_without_one() -> None:
    job = a_job(FORWARD)
    progress = read(ASSIGNED, b"", 502, job=job)
    assert isinstance(progress, dict)
    result = next_call(progress, job)

    assert isinstance(result, Booked)
    assert result.label_url is None


def test_a_forward_parcel_is_collected_only_if_the_account_says_so() -> None:
    job, progress = a_job(FORWARD), {**ASSIGNED, "label": "none"}

    assert isinstance(next_call(progress, job), Booked)
    ask = next_call(progress, job, an_account(request_pickup="yes"))
    assert isinstance(ask, Ask)
    assert ask.name == "pickup"


@pytest.mark.parametrize("status", [3, 21, 22, "62", None])
def test_a_found_return_without_a_pickup_gets_one(status: object) -> None:
    progress = read({**CREATED, "unread": "search"}, shown("AWB9", status), searching=True)

    assert isinstance(progress, dict)
    assert called(progress) == "pickup"


@pytest.mark.parametrize("status", [23, 24, 25, 26, 28, 32, 47, 12])
def test_a_found_return_that_is_further_is_not_collected_again(status: int) -> None:
    progress = read({**CREATED, "unread": "search"}, shown("AWB9", status), searching=True)

    assert isinstance(progress, dict)
    assert isinstance(next_call(progress), Booked)
