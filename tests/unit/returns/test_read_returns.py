"""Reading returns: one with its timeline, pages, by AWB; and nothing of anybody else's."""

from datetime import timedelta
from typing import Any

import pytest

from rms.clients import administration
from tests.builders import a_channel_booked_body, a_return_order_body
from tests.fakes.table import FakeTable
from tests.webhooks import NOON, a_scan, receive
from tests.world import World

CODE = "RET-70044-1"
AWB = "9977001122"


@pytest.fixture
def world() -> World:
    world = World()
    world.create_return(a_channel_booked_body())
    world.settle()
    return world


# ── one ─────────────────────────────────────────────────────────────────────────────


def test_a_return_shows_where_it_stands_what_happened_and_who_has_heard(world: World) -> None:
    world.clock.advance(hours=2)
    receive(world, a_scan(AWB, 4, NOON + timedelta(hours=1)))

    shown = world.read_return(CODE).body

    assert shown == {
        "returnOrderCode": CODE,
        "forwardOrderCode": "SO-70044",
        "locationCode": "BLR-2",
        "orderType": "CUSTOMER_RETURN",
        "status": "RETURN_PICKED_UP",
        "statusText": "Status4",
        "returnAwb": AWB,
        "carrierName": "Quickship",
        "logisticAggregatorName": "CLICKPOST",
        "createdAt": "2026-03-02T06:30:00.000Z",
        "sequence": 2,
        "orderItems": [{"itemCode": "70044-1", "channelSkuCode": "CAP-RED"}],
        "booking": None,
        "cancellation": None,
        "timeline": [
            {
                "sequence": 1,
                "kind": "PLACED",
                "notificationType": "RETURN_ORDER_PLACED",
                "occurredAt": "2026-03-02T06:30:00.000Z",
                "receivedAt": "2026-03-02T06:30:00.000Z",
                "facts": {"aggregator": "CLICKPOST", "awb": AWB, "courier": "Quickship"},
            },
            {
                "sequence": 2,
                "kind": "TRACKED",
                "notificationType": "RETURN_PICKED_UP",
                "occurredAt": "2026-03-02T07:30:00.000Z",
                "receivedAt": "2026-03-02T08:30:00.000Z",
                "facts": {
                    "aggregator": "CLICKPOST",
                    "awb": AWB,
                    "courier": "Delhivery",
                    "location": "Hosur_Hub",
                    "raw_code": "4",
                    "raw_text": "Status4",
                },
            },
        ],
        "notifications": [
            {
                "endpoint": "shop",
                "state": "QUIET",
                "acknowledged": 2,
                "latest": 2,
                "failedTries": 0,
                "waitingSince": None,
                "waitingBecause": None,
                "nextTryAt": None,
                "stalled": False,
            }
        ],
    }


def test_a_booking_that_is_not_settled_says_why_and_when_it_is_looked_at_again(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())

    booking = world.read_return("RET-70031-1").body["booking"]

    assert (booking["state"], booking["logisticAccountAlias"], booking["lookUps"]) == ("UNKNOWN", "main", 0)
    assert "no answer" in booking["reason"]
    assert booking["nextLookUpAt"] > "2026-03-02T06:30:00.000Z"


def test_a_long_timeline_is_shown_from_its_beginning(world: World) -> None:
    world.clock.advance(days=30)
    scans = [a_scan(AWB, 5, NOON + timedelta(hours=number)) for number in range(220)]
    world.webhook(b"[" + b",".join(scans) + b"]")
    world.work("inbound")

    timeline = world.read_return(CODE).body["timeline"]

    assert [event["sequence"] for event in timeline] == list(range(1, 222))


@pytest.mark.parametrize("code", ["RET-0", "%00", "RET-70044-1 ", "ret-70044-1"])
def test_a_code_that_does_not_exist_is_not_found(world: World, code: str) -> None:
    answer = world.read_return(code)

    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


def test_another_clients_return_answers_exactly_as_an_absent_one(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")

    assert world.read_return(CODE, client="poppy") == world.read_return("RET-0", client="poppy")
    assert search(world, {"awbNumber": AWB}, client="poppy") == search(world, {"awbNumber": "0"}, client="poppy")
    assert page(world, client="poppy") == ([], None)


# ── pages ───────────────────────────────────────────────────────────────────────────


def test_returns_are_listed_newest_first_a_page_at_a_time() -> None:
    world = World()
    codes = [f"RET-{number:03}" for number in range(120)]
    for number, code in enumerate(codes):
        world.create_return(a_channel_booked_body(returnOrderCode=code, awbNumber=f"AWB-{number}"))
        world.clock.advance(seconds=1)

    seen: list[str] = []
    sizes: list[int] = []
    token = None
    while True:
        listed, token = page(world, token)
        sizes.append(len(listed))
        seen.extend(each["returnOrderCode"] for each in listed)
        if token is None:
            break

    assert seen == codes[::-1]
    assert sizes == [50, 50, 20]


def test_returns_that_came_in_the_same_millisecond_are_all_listed() -> None:
    world = World()
    for number in range(60):
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number}", awbNumber=f"AWB-{number}"))

    first, token = page(world)
    second, end = page(world, token)

    assert len({each["returnOrderCode"] for each in first + second}) == 60
    assert end is None


def test_a_list_shows_what_stands_in_a_summary(world: World) -> None:
    (listed,), _ = page(world)

    shown = world.read_return(CODE).body
    assert listed == {name: shown[name] for name in listed}
    assert listed["status"] == "RETURN_ORDER_PLACED"


@pytest.mark.parametrize("token", ["", "x", "e30=", "🚚", "A" * 2048, "A" * 2049])
def test_a_page_that_no_answer_named_is_bad_data(world: World, token: str) -> None:
    answer = world.call("read_returns", "GET", "/return/return-orders", query={"page": token})

    assert answer.status == (200 if token == "" else 400)


def test_a_page_token_of_another_client_shows_nothing_of_theirs(world: World) -> None:
    for number in range(60):
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number}", awbNumber=f"AWB-{number}"))
    _, token = page(world)
    administration.create_client(world.core, "poppy", "Poppy Shoes")

    answer = world.call("read_returns", "GET", "/return/return-orders", query={"page": str(token)}, client="poppy")

    assert answer.status in {200, 400}
    assert answer.body.get("returnOrders", []) == []


def test_a_list_copes_with_an_index_that_lags_behind(world: World) -> None:
    table: FakeTable = world.table
    table.index_lag = 5
    world.create_return(a_channel_booked_body(returnOrderCode="RET-2", awbNumber="AWB-2"))

    listed, _ = page(world)

    assert CODE in [each["returnOrderCode"] for each in listed]


# ── by AWB ──────────────────────────────────────────────────────────────────────────


def test_a_return_is_found_by_its_awb_by_its_code_and_by_both(world: World) -> None:
    by_awb = search(world, {"awbNumber": AWB})

    assert by_awb == [
        {
            "orderCode": "SO-70044",
            "returnOrderCode": CODE,
            "trackingCode": AWB,
            "transporter": "Quickship",
            "locationCode": "BLR-2",
            "returnOrderType": "CUSTOMER_RETURN",
            "returnLineItems": [
                {
                    "channelReturnItemCode": "70044-1",
                    "subOrderCode": None,
                    "channelSkuCode": "CAP-RED",
                    "reasonForReturn": "Other colour",
                    "price": None,
                }
            ],
            "channelReturnOrderStatus": None,
            "omniReturnOrderStatus": None,
            "expectedDate": None,
            "isSyncedToOms": False,
        }
    ]
    assert search(world, {"returnOrderCode": CODE}) == by_awb
    assert search(world, {"returnOrderCode": CODE, "awbNumber": AWB, "transporter": "Quickship"}) == by_awb


@pytest.mark.parametrize(
    "wanted",
    [
        {"awbNumber": "0"},
        {"returnOrderCode": "RET-0"},
        {"awbNumber": AWB, "returnOrderCode": "RET-0"},
        {"awbNumber": AWB, "transporter": "Slowship"},
    ],
    ids=str,
)
def test_what_does_not_match_is_an_empty_list(world: World, wanted: dict[str, str]) -> None:
    assert search(world, wanted) == []


def test_an_awb_under_which_events_only_wait_is_nobodys(world: World) -> None:
    receive(world, a_scan("AWB-9", 4))

    assert search(world, {"awbNumber": "AWB-9"}) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "[awbNumber: may not be null unless returnOrderCode is given]"),
        ({"awbNumber": "  ", "returnOrderCode": ""}, "[awbNumber: may not be null unless returnOrderCode is given]"),
        ({"awbNumber": 5, "transporter": []}, "[awbNumber: must be text, transporter: must be text]"),
        ({"awbNumber": "a" * 256}, "[awbNumber: may have at most 255 characters]"),
        ([], "[body: must be a JSON object]"),
        (b"", "[body: may not be empty]"),
    ],
    ids=str,
)
def test_a_search_for_nothing_says_what_it_needs(world: World, body: object, says: str) -> None:
    answer = world.call("read_returns", "POST", "/return/get/awb", body)

    assert (answer.status, answer.body["code"], answer.body["description"]) == (400, "BAD_DATA", says)


def page(world: World, token: str | None = None, **options: Any) -> tuple[list[dict[str, Any]], str | None]:
    query = {"page": token} if token else None
    answer = world.call("read_returns", "GET", "/return/return-orders", query=query, **options)
    assert answer.status == 200
    return answer.body["returnOrders"], answer.body["nextPage"]


def search(world: World, body: object, **options: Any) -> list[dict[str, Any]]:
    answer = world.call("read_returns", "POST", "/return/get/awb", body, **options)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.body["returnOrderDetailsList"]
    return found
