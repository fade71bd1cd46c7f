"""Shipway's answers and accounts, beyond what the aggregator suite holds every adapter to."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    Cancelled,
    Direction,
    Goal,
    Job,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.shipway import Shipway, check_account
from rms.aggregators.shipway.answers import read_find, read_find_return, read_push, success
from rms.platform.http import HttpAnswer
from tests.builders import a_return, a_shipment

NOW = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
OPTIONS = {"email": "ops@shop.example", "carrier_id": "5120", "warehouse_id": "7"}
SECRETS = {"licence_key": "k-1"}
ACCOUNT = Account("shop", "main", "SHIPWAY", SECRETS, OPTIONS)
RETURNS_ON = replace(ACCOUNT, options={**OPTIONS, "returns": "on"})


def http(body: object, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(body).encode(), elapsed_ms=300)


@pytest.mark.parametrize("yes", [True, 1, "1", "true", "True", "success", "Success", " SUCCESS "])
def test_every_spelling_of_yes_is_a_yes(yes: object) -> None:
    assert success(yes)


@pytest.mark.parametrize("no", [False, 0, 2, -1, "0", "false", "Failed", "Error", "", None, {}, [], ["1"], "yes"])
def test_all_else_is_a_no(no: object) -> None:
    assert not success(no)


@pytest.mark.parametrize("inner", [None, [], "AWB", {}, {"success": True}, {"success": True, "AWB": ""}])
def test_outer_success_alone_never_books(inner: object) -> None:
    assert isinstance(read_push(http({"success": True, "awb_response": inner})), Unknown)


def test_an_inner_no_beside_an_awb_is_looked_up() -> None:
    answer = http({"success": True, "awb_response": {"success": False, "AWB": "77", "error": "odd"}})

    assert isinstance(read_push(answer), Unknown)


def test_an_awb_too_long_to_be_one_is_looked_up() -> None:
    assert isinstance(read_push(http({"success": 1, "awb_response": {"success": 1, "AWB": "7" * 101}})), Unknown)


def test_a_full_page_of_others_does_not_prove_that_ours_is_not_there() -> None:
    rows = [{"order_id": f"X-{number}", "tracking_number": "1"} for number in range(100)]

    assert isinstance(read_find(http({"success": 1, "message": rows}), "ORDER-1"), Unknown)


@pytest.mark.parametrize("nameless", [{"order_id": None}, {"order_id": ""}, {"tracking_number": "1"}, None])
def test_a_row_that_names_no_order_may_be_ours_so_that_ours_is_not_known_to_be_absent(nameless: object) -> None:
    assert isinstance(read_find(http({"message": [{"order_id": "X-1"}, nameless]}), "ORDER-1"), Unknown)
    found = read_find(http({"message": [nameless, {"order_id": "ORDER-1", "tracking_number": "88"}]}), "ORDER-1")
    assert found == Booked("88", "Shipway")


def test_of_two_rows_of_ours_the_one_with_an_awb_counts() -> None:
    rows = [{"order_id": "ORDER-1"}, {"order_id": "ORDER-1", "tracking_number": 88, "carrier_title": "Fast"}]

    assert read_find(http({"message": rows}), "ORDER-1") == Booked("88", "Fast")


def find_return(*rows: dict[str, Any]) -> object:
    return read_find_return(http({"message": list(rows)}), a_return(), "SO-70031")


def a_row(**changes: Any) -> dict[str, Any]:
    return {"order_id": "SO-70031", "shipment_status": "RSCH", "tracking_number": "R-1", "name": "Fast", **changes}


def test_a_returns_awb_may_stand_on_the_forward_row() -> None:
    row = a_row(shipment_status="DEL", tracking_number="F-1", reverse_tracking_number="R-9")

    assert find_return(row) == Booked("R-9", "Fast")


def test_two_returns_that_could_both_be_ours_are_for_a_person() -> None:
    assert isinstance(find_return(a_row(), a_row(tracking_number="R-2")), Unknown)


def test_a_return_of_other_items_is_not_ours() -> None:
    assert isinstance(find_return(a_row(products=[{"product_code": "ELSE"}])), Unknown)
    assert find_return(a_row(products=[{"product_code": "TRAIL-42-BLK"}])) == Booked("R-1", "Fast")


def test_a_return_without_an_awb_is_in_work() -> None:
    assert isinstance(find_return(a_row(tracking_number="")), Working)


def test_returns_are_refused_unless_the_account_switches_them_on() -> None:
    shipway, job = Shipway(), Job("RMS-1", a_return())
    off = shipway.book(ACCOUNT, job, {}, NOW)

    assert isinstance(off, Refused)
    assert (off.kind, off.code, off.burnt) == (RefusalKind.CONFIGURATION, "RETURNS_OFF", False)
    assert isinstance(shipway.book(RETURNS_ON, job, {}, NOW), Ask)


def test_a_doorstep_check_is_refused_so_that_another_account_may_do_it() -> None:
    order = a_return(**{"items[0].doorstep_qc": True})
    result = Shipway().book(RETURNS_ON, Job("RMS-1", order), {}, NOW)

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.SERVICEABILITY


def test_a_return_names_the_forward_order_or_its_shipment_and_a_reason_or_its_id() -> None:
    account = replace(
        RETURNS_ON, options={**RETURNS_ON.options, "returns_refer_to": "shipment", "return_reason_id": "4"}
    )
    asked = [Shipway().book(each, Job("RMS-1", a_return()), {}, NOW) for each in (RETURNS_ON, account)]
    plain, special = (json.loads(each.request.body or b"") for each in asked if isinstance(each, Ask))

    assert (plain["order_id"], plain["reason"]) == ("SO-70031", "Too small")
    assert (special["order_id"], special["return_reason_id"]) == ("SH-70031", 4)
    assert "reason" not in special


def test_a_shipments_code_is_its_order_id_where_that_can_be() -> None:
    refer = Shipway().booking_reference

    assert refer("shop", "SH-1_a", 0, Direction.FORWARD) == "SH-1_a"
    assert refer("shop", "SH 1/ü", 0, Direction.FORWARD).startswith("RMS-")
    assert refer("shop", "S" * 51, 0, Direction.FORWARD).startswith("RMS-")
    assert len(refer("shop", "S" * 49, 3, Direction.FORWARD)) <= 50
    assert refer("shop", "SH-1", 0, Direction.RETURN).startswith("RMS-")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": " "}, "options.email"),
        ({"email": "a:b"}, "options.email"),
        ({"carrier_id": "fast"}, "options.carrier_id"),
        ({"warehouse_id": ""}, "options.warehouse_id"),
        ({"return_warehouse_id": "x"}, "options.return_warehouse_id"),
        ({"return_reason_id": "x"}, "options.return_reason_id"),
        ({"returns": "yes"}, "options.returns"),
        ({"returns_refer_to": "awb"}, "options.returns_refer_to"),
        ({"return_status": "X"}, "options.return_status"),
        ({"base_url": "http://shipway.example"}, "options.base_url"),
        ({"base_url": "https://u:p@shipway.example"}, "options.base_url"),
    ],
)
def test_a_wrong_option_is_named(change: dict[str, str], field: str) -> None:
    (problem,) = check_account({**OPTIONS, **change}, SECRETS)

    assert problem.startswith(f"{field}: ")


def test_a_missing_key_is_named_and_this_machine_needs_no_tls() -> None:
    assert check_account(OPTIONS, {}) == ["secrets.licence_key: may not be empty"]
    assert check_account({**OPTIONS, "base_url": "http://127.0.0.1:9/api"}, SECRETS) == []


# ── orders without an AWB ───────────────────────────────────────────────────────────

STORED = Shipment(Direction.FORWARD, "ORDER-1", "", "", "ORDER-1")


def test_an_order_without_an_awb_is_cancelled_by_its_id() -> None:
    request = Shipway().cancel(ACCOUNT, STORED)

    assert (request.url, request.body) == (
        "https://app.shipway.com/api/Cancelorders/",
        b'{"order_ids": ["ORDER-1"]}',
    )


def verdict(**facts: Any) -> dict[str, Any]:
    return {"order_id": "ORDER-1", "error": False, "success": True, "message": "Order cancelled"} | facts


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ([verdict()], Cancelled()),
        ([verdict(order_id="ORDER-2", success=False), verdict()], Cancelled()),
        ([verdict(success=False, error=True, message="Order is already cancelled")], Cancelled()),
        (
            [verdict(success=0, error="Not in New state")],
            Refused(RefusalKind.CALLER, "NOT_CANCELLED", "Not in New state"),
        ),
    ],
)
def test_the_verdict_about_our_order_decides(body: object, meaning: object) -> None:
    assert Shipway().read_cancel(STORED, http(body)) == meaning


@pytest.mark.parametrize(
    "body", [[], {}, {"success": True}, [verdict(order_id="ORDER-2")], [verdict(), verdict()], [verdict(success=None)]]
)
def test_without_one_verdict_about_our_order_nobody_knows(body: object) -> None:
    assert isinstance(Shipway().read_cancel(STORED, http(body)), Unknown)


def test_an_order_that_is_only_to_be_stored_names_no_carrier_and_no_warehouse() -> None:
    asked = Shipway().book(ACCOUNT, Job("ORDER-1", a_shipment(), Goal.ORDER), {}, NOW)

    assert isinstance(asked, Ask)
    sent = json.loads(asked.request.body or b"")
    assert not {"carrier_id", "warehouse_id", "return_warehouse_id"} & sent.keys()
    assert sent["order_id"] == "ORDER-1"
