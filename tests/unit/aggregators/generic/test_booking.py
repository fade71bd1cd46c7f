"""Walks of the generic contract, beyond what the aggregator suite holds every adapter to."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import Account, Ask, Direction, Job, RefusalKind, Refused, Shipment, Unknown
from rms.aggregators.generic import GenericAggregator, check_account
from rms.aggregators.generic.answers import Courier, read_couriers
from rms.platform.http import HttpAnswer
from tests.builders import a_return, an_address

NOW = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
RETURN_URLS = {
    "generate_return_awb_url": "https://tree.example/generate",
    "get_return_awb_url": "https://tree.example/get",
}
OPTIONS = {**RETURN_URLS, "answers_repeats": "yes"}
SECRETS = {"X-Tree-User": "brand", "X-Tree-Key": "k-1"}
ACCOUNT = Account("shop", "main", "TREE", SECRETS, OPTIONS)
TREE = GenericAggregator("TREE")


def http(body: object, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(body).encode(), elapsed_ms=300)


def generated(**changes: Any) -> dict[str, Any]:
    asked = TREE.book(ACCOUNT, Job("RET-1", a_return(**changes)), {}, NOW)
    assert isinstance(asked, Ask)
    body: dict[str, Any] = json.loads(asked.request.body or b"")
    return body


def test_the_account_headers_and_the_registered_name_go_with_each_call() -> None:
    asked = TREE.book(ACCOUNT, Job("RET-1", a_return()), {}, NOW)

    assert isinstance(asked, Ask)
    assert asked.request.headers.items() >= SECRETS.items()
    assert generated()["logisticAggregatorName"] == "TREE"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Asha", ("Asha", None, None)),
        ("Asha Menon", ("Asha", None, "Menon")),
        ("Asha Kumari Devi Menon", ("Asha", "Kumari Devi", "Menon")),
    ],
)
def test_a_name_is_split_into_first_middle_and_last(name: str, parts: tuple[str | None, ...]) -> None:
    address = generated(pickup=an_address(name=name))["pickupAddress"]

    assert tuple(address[f"{part}Name"] for part in ("first", "middle", "last")) == parts


def test_a_return_names_its_forward_order_and_is_prepaid() -> None:
    details = generated(**{"forward.is_cod": True})["orderDetails"]

    assert (details["orderNumber"], details["forwardOrderNumber"]) == ("RET-1", "SO-70031")
    assert (details["forwardShipmentNumber"], details["paymentType"]) == ("SH-70031", "PREPAID")


def test_the_order_number_is_the_orders_own_until_it_is_booked_anew() -> None:
    refer = TREE.booking_reference

    assert refer("shop", "RET-1", 0, Direction.RETURN) == "RET-1"
    assert refer("shop", "RET-1", 1, Direction.RETURN).startswith("RET-1-")
    assert len(refer("shop", "R" * 255, 1, Direction.RETURN)) <= 255


@pytest.mark.parametrize(
    ("couriers", "chosen"),
    [
        ([{"courierId": 1, "priority": 2}, {"courierId": 2, "priority": 1}], Courier(2, "")),
        ([{"courierId": 1, "priority": 0}, {"courierId": 2, "priority": 1}], Courier(1, "")),
        ([{"courierId": 1}, {"courierId": "2", "priority": "9", "courierName": "Slow"}], Courier(2, "Slow")),
        ([{"courierId": 1, "priority": 3}, {"courierId": 2, "priority": 3}], Courier(1, "")),
        ([{"courierName": "nameless", "priority": 1}, {"courierId": 2, "priority": 5}], Courier(2, "")),
    ],
)
def test_the_smallest_priority_number_wins(couriers: object, chosen: Courier) -> None:
    assert read_couriers(http({"couriers": couriers})) == chosen


def test_couriers_without_an_id_leave_it_open() -> None:
    assert isinstance(read_couriers(http({"couriers": [{}, None, 7]})), Unknown)


def test_a_direction_without_urls_is_for_an_operator() -> None:
    other = replace(ACCOUNT, options={"answers_repeats": "yes"})
    job = Job("RET-1", a_return())
    result = TREE.book(other, job, {}, NOW)

    assert isinstance(result, Refused)
    assert (result.kind, result.code) == (RefusalKind.CONFIGURATION, "NO_URL")
    assert isinstance(TREE.find(other, job, {}, NOW), Unknown)


def test_a_doorstep_check_is_refused_so_that_another_account_may_do_it() -> None:
    result = TREE.book(ACCOUNT, Job("RET-1", a_return(**{"items[0].doorstep_qc": True})), {}, NOW)

    assert isinstance(result, Refused)
    assert result.kind is RefusalKind.SERVICEABILITY


def test_nothing_is_cancelled_or_tracked_through_this_contract() -> None:
    shipment = Shipment(Direction.RETURN, "RET-1", "R-1", "Fast", "T-1")
    refusal = TREE.cancel(ACCOUNT, shipment)

    assert isinstance(refusal, Refused)
    assert "cannot be cancelled through the generic contract" in refusal.words
    assert TREE.tracked_at_once == 0
    with pytest.raises(ValueError, match="no tracking"):
        TREE.track(ACCOUNT, [shipment])


def test_a_good_account_has_one_direction_at_least_and_the_promise() -> None:
    forward = {
        "generate_shipping_label_url": "https://tree.example/label",
        "get_shipping_label_url": "http://localhost:8080/label",
    }

    assert check_account(OPTIONS, SECRETS) == []
    assert check_account({**forward, "answers_repeats": "yes"}, SECRETS) == []
    assert check_account({**OPTIONS, **forward, "get_couriers_url": "https://tree.example/c"}, SECRETS) == []


@pytest.mark.parametrize(
    ("options", "secrets", "field"),
    [
        ({"answers_repeats": "no"}, {}, "options.answers_repeats"),
        ({"get_return_awb_url": ""}, {}, "options.get_return_awb_url"),
        ({"get_return_awb_url": "https://tree.example/get?x=1"}, {}, "options.get_return_awb_url"),
        ({"get_couriers_url": "http://tree.example"}, {}, "options.get_couriers_url"),
        ({}, {"bad header": "x"}, "secrets.bad header"),
        ({}, {"Host": "else"}, "secrets.Host"),
        ({}, {"X-Key": "one\r\nX-More: two"}, "secrets.X-Key"),
        ({}, {"X-Key": ""}, "secrets.X-Key"),
    ],
)
def test_a_wrong_account_is_named_by_its_field(options: dict[str, str], secrets: dict[str, str], field: str) -> None:
    (problem,) = check_account({**OPTIONS, **options}, {**SECRETS, **secrets})

    assert problem.startswith(f"{field}: ")
