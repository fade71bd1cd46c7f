"""Reading returns: one with its timeline, pages, by AWB; and nothing of anybody else's."""

from datetime import timedelta
from typing import Any

import pytest

from rms.clients import administration
from tests.builders import a_channel_booked_body, a_return_order_body
from tests.fakes.table import FakeTable
from tests.webhooks import NOON, a_request, a_scan, receive
from tests.world import CLIENT, World

CODE = "RET-70044-1"
AWB = "9977001122"
ONE_OF_THEM = "must be one of CREATED, IN_TRANSIT, RECEIVED, PARTLY_PROCESSED, PROCESSED, CANCELLED"
A_TIME = "must be an ISO 8601 time with its zone, like 2026-01-31T18:05:00Z"
NOTHING_ASKED = "[awbNumber: may not be null unless returnOrderCode or orderCode is given]"


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
        "omniReturnOrderStatus": "IN_TRANSIT",
        "status": "RETURN_PICKED_UP",
        "statusText": "Status4",
        "returnAwb": AWB,
        "carrierName": "Quickship",
        "logisticAggregatorName": "CLICKPOST",
        "createdAt": "2026-03-02T06:30:00.000Z",
        "sequence": 2,
        "orderItems": [{"itemCode": "70044-1", "channelSkuCode": "CAP-RED", "returnOrderItemStatus": "CREATED"}],
        "excessItems": [],
        "booking": None,
        "exchange": None,
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


# ── by state and time ───────────────────────────────────────────────────────────────


def test_returns_are_listed_by_how_far_their_goods_are_newest_first_a_page_at_a_time() -> None:
    world = World()
    for number in range(70):
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number:03}", awbNumber=f"AWB-{number}"))
        world.clock.advance(seconds=1)
    for number in range(0, 70, 10):
        receive(world, a_scan(f"AWB-{number}", 4, world.clock()))

    on_the_way, end = page(world, state="IN_TRANSIT")
    first, token = page(world, state="CREATED")
    second, _ = page(world, token, state="CREATED")

    assert ([each["returnOrderCode"] for each in on_the_way], end) == (
        [f"RET-0{ten}0" for ten in range(6, -1, -1)],
        None,
    )
    assert {each["omniReturnOrderStatus"] for each in on_the_way} == {"IN_TRANSIT"}
    others = [each["returnOrderCode"] for each in first + second]
    assert others == [f"RET-{number:03}" for number in range(69, -1, -1) if number % 10]
    assert page(world, state="PROCESSED") == ([], None)


def test_returns_are_listed_by_the_span_in_which_they_were_created_with_a_state_or_without(world: World) -> None:
    for number in range(1, 6):
        world.clock.advance(hours=1)
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number}", awbNumber=f"AWB-{number}"))
    receive(world, a_scan("AWB-3", 8, world.clock()))

    span = {"from": "2026-03-02T13:00:00+05:30", "to": "2026-03-02T10:30:00Z"}

    assert codes(world, **span) == ["RET-3", "RET-2", "RET-1"], "from is in it, to is not"
    assert codes(world, state="RECEIVED", **span) == ["RET-3"]
    assert codes(world, **{"from": span["to"]}) == ["RET-5", "RET-4"]
    assert codes(world, to="2026-03-02T06:30:00.000Z") == []
    assert codes(world, to="2026-03-02T06:30:00.001Z") == [CODE]


def test_a_return_that_has_just_left_a_state_is_not_listed_in_it(world: World) -> None:
    world.table.index_lag = 1000
    receive(world, a_scan(AWB, 4))

    assert codes(world, state="CREATED") == []
    world.table.catch_up()
    assert codes(world, state="IN_TRANSIT") == [CODE]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"state": "created"}, f"[state: {ONE_OF_THEM}]"),
        (
            {"state": "X", "from": "yesterday", "to": "2026-03-02T06:30:00"},
            f"[state: {ONE_OF_THEM}, from: {A_TIME}, to: {A_TIME}]",
        ),
        ({"from": "2026-03-02T06:30:00Z", "to": "2026-03-02T06:29:59Z"}, "[to: must not be before from]"),
        ({"from": "0001-01-01T00:00:00+14:00"}, f"[from: {A_TIME}]"),
    ],
    ids=str,
)
def test_a_list_of_what_cannot_be_says_what_can(world: World, query: dict[str, str], says: str) -> None:
    answer = world.call("read_returns", "GET", "/return/return-orders", query=query)

    assert (answer.status, answer.body["description"]) == (400, says)


def test_a_page_of_one_question_is_no_page_of_another() -> None:
    world = World()
    for number in range(60):
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number}", awbNumber=f"AWB-{number}"))
    _, token = page(world, state="CREATED")

    for query in ({}, {"state": "CANCELLED"}, {"state": "CREATED", "from": "2026-03-02T06:30:00Z"}):
        answer = world.call("read_returns", "GET", "/return/return-orders", query={"page": str(token), **query})
        assert answer.status == 400


def test_another_client_lists_nothing_of_ours_whatever_the_state(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")

    assert page(world, client="poppy", state="CREATED") == ([], None)
    assert search(world, {"orderCode": "SO-70044"}, client="poppy") == []


# ── by forward order ────────────────────────────────────────────────────────────────


def test_all_returns_of_a_forward_order_are_found_whoever_created_them(world: World) -> None:
    world.create_return(a_channel_booked_body(returnOrderCode="RET-70044-2", awbNumber="AWB-2"))
    world.create_return(a_return_order_body(returnOrderCode="RET-70044-3", forwardOrderCode="SO-70044"))
    receive(world, a_request(11, "RE-1", forward={"forward_order_id": "SO-70044"}))

    found = search(world, {"orderCode": "SO-70044"})

    assert {each["orderCode"] for each in found} == {"SO-70044"}
    assert [each["returnOrderCode"] for each in found] == ["RE-1", CODE, "RET-70044-2", "RET-70044-3"]
    assert [each["returnOrderCode"] for each in search(world, {"orderCode": "SO-70044", "awbNumber": "AWB-2"})] == [
        "RET-70044-2"
    ]
    assert search(world, {"orderCode": "SO-1", "awbNumber": "AWB-2"}) == []
    assert search(world, {"orderCode": "SO-1", "returnOrderCode": CODE}) == []
    assert search(world, {"orderCode": "SO-1"}) == []


def test_a_corrected_return_is_found_by_the_order_that_it_names_now() -> None:
    world = World()
    world.create_return(a_return_order_body(**{"pickupAddress.zip": "990001", "forwardOrderCode": "SO-1"}))
    assert world.create_return(a_return_order_body(forwardOrderCode="SO-2")).status == 200

    assert search(world, {"orderCode": "SO-1"}) == []
    assert [each["returnOrderCode"] for each in search(world, {"orderCode": "SO-2"})] == ["RET-70031-1"]


def test_the_returns_of_one_order_are_shown_up_to_a_hundred() -> None:
    world = World()
    for number in range(103):
        world.create_return(a_channel_booked_body(returnOrderCode=f"RET-{number:03}", awbNumber=f"AWB-{number}"))

    found = search(world, {"orderCode": "SO-70044"})

    assert [each["returnOrderCode"] for each in found] == [f"RET-{number:03}" for number in range(100)]


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
            "omniReturnOrderStatus": "CREATED",
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
        ({}, NOTHING_ASKED),
        ({"awbNumber": "  ", "returnOrderCode": ""}, NOTHING_ASKED),
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


def page(
    world: World, token: str | None = None, *, client: str = CLIENT, **wanted: str
) -> tuple[list[dict[str, Any]], str | None]:
    query = wanted | ({"page": token} if token else {})
    answer = world.call("read_returns", "GET", "/return/return-orders", query=query, client=client)
    assert answer.status == 200
    return answer.body["returnOrders"], answer.body["nextPage"]


def codes(world: World, **wanted: str) -> list[str]:
    return [each["returnOrderCode"] for each in page(world, **wanted)[0]]


def search(world: World, body: object, **options: Any) -> list[dict[str, Any]]:
    answer = world.call("read_returns", "POST", "/return/get/awb", body, **options)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.body["returnOrderDetailsList"]
    return found
