"""POST /return/return-orders and /return/create, from the request to the answer. RMS API contract, sections 3 and 4."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rms.aggregators.contract import Direction
from rms.aggregators.registry import aggregator_of
from rms.clients import administration
from rms.journal.keys import client_pk
from rms.platform.table import EXISTING, Delete, Key
from sandbox.clickpost.settings import Settings
from tests.builders import ABSENT, a_channel_booked_body, a_return_create_body, a_return_order_body
from tests.fakes.calls import Call
from tests.fakes.http import answer as http_answer
from tests.world import CLICKPOST_HOST, CLIENT, HttpReply, World, a_clickpost_account

CODE = "RET-70031-1"
CREATED = "RET-70100-1"
UNSERVED = {"pickupAddress.zip": "990001"}
PENDING = {"orderNumber": CODE, "awbStatus": "PENDING"}


@pytest.fixture
def world() -> World:
    return World()


def a_create_body(**changes: object) -> dict[str, Any]:
    """POST /return/create for the account that the world has."""
    return a_return_create_body(**{"logisticAccountAlias": "main", **changes})


# ── the channel has booked the courier ──────────────────────────────────────────────


def test_a_return_that_the_channel_booked_is_kept_with_an_empty_answer(world: World) -> None:
    answer = world.create_return(a_channel_booked_body())

    assert (answer.status, answer.text) == (200, "")
    assert world.read_return("RET-70044-1").body["returnAwb"] == "9977001122"
    assert world.clickpost.requests() == []


def test_subscribers_hear_that_it_was_placed(world: World) -> None:
    world.create_return(a_channel_booked_body())
    world.settle()

    assert world.heard("RET-70044-1") == ["RETURN_ORDER_PLACED"]


def test_a_channel_that_books_itself_needs_no_account(world: World) -> None:
    without_accounts(world)

    assert world.create_return(a_channel_booked_body()).status == 200


def test_the_same_channel_booked_return_again_gets_the_same_answer_and_has_no_second_effect(world: World) -> None:
    world.create_return(a_channel_booked_body())
    before = world.rows_of("RET-70044-1")

    again = world.create_return(a_channel_booked_body())

    assert (again.status, again.text) == (200, "")
    assert world.rows_of("RET-70044-1") == before


def test_an_awb_of_another_return_is_a_conflict_that_writes_nothing(world: World) -> None:
    world.create_return(a_channel_booked_body())

    answer = world.create_return(a_channel_booked_body(returnOrderCode="RET-2"))

    assert envelope(answer) == (409, "CONFLICT", "[awbNumber: belongs to another return order]")
    assert world.read_return("RET-2").status == 404
    assert world.rows_of("RET-2") == {}


# ── RMS books ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/return/return-orders", "/return/create"])
def test_rms_books_and_answers_with_the_awb_within_the_call(world: World, path: str) -> None:
    body, code = (a_return_order_body(), CODE) if path.endswith("orders") else (a_create_body(), CREATED)

    answer = world.create_return(body, path)

    (parcel,) = world.clickpost.parcels()
    assert answer.status == 200
    assert answer.body == {
        "orderId": str(parcel.clickpost_order_id),
        "orderNumber": code,
        "returnAwb": parcel.awb,
        "carrierName": "Delhivery",
    }
    world.settle()
    assert world.heard(code) == ["AWB_GENERATED"]


@pytest.mark.parametrize("path", ["/return/return-orders", "/return/create"])
def test_the_same_body_again_gets_the_same_answer_and_books_nothing_more(world: World, path: str) -> None:
    body = a_return_order_body() if path.endswith("orders") else a_create_body()
    first = world.create_return(body, path)

    again = world.create_return(body, path)

    assert again == first
    assert len(world.clickpost.parcels()) == 1
    assert len(world.clickpost.requests()) == 1


def test_the_same_content_written_differently_is_the_same_return(world: World) -> None:
    first = world.create_return(a_return_order_body())

    again = world.create_return(
        a_return_order_body(
            **{
                "returnOrderTime": "2026-02-11T03:45:30.25Z",
                "orderItems[0].price": 2999,
                "orderItems[0].enableDoorStepQc": True,
                "aMemberWeDoNotKnow": {"x": 1},
            }
        )
    )

    assert again == first


@pytest.mark.parametrize("change", [{"orderItems[0].price": 3000}, {"pickupAddress.zip": "411015"}])
def test_the_same_code_with_other_content_is_a_conflict_that_changes_nothing(
    world: World, change: Mapping[str, object]
) -> None:
    world.create_return(a_return_order_body())
    before = world.rows_of(CODE)

    answer = world.create_return(a_return_order_body(**change))

    assert envelope(answer) == (409, "CONFLICT", "[returnOrderCode: already exists with other content]")
    assert world.rows_of(CODE) == before
    assert len(world.clickpost.parcels()) == 1


def test_a_return_that_rms_booked_is_not_the_channels_to_book_again(world: World) -> None:
    world.create_return(a_return_order_body())

    answer = world.create_return(a_channel_booked_body(returnOrderCode=CODE))

    assert envelope(answer)[:2] == (409, "CONFLICT")


def test_our_reference_at_the_aggregator_is_the_same_for_every_try_and_differs_between_clients(world: World) -> None:
    adapter = aggregator_of("CLICKPOST")

    def refer(client: str, code: str, generation: int) -> str:
        return adapter.booking_reference(client, code, generation, Direction.RETURN)

    assert refer("lotus", CODE, 0) == refer("lotus", CODE, 0)
    others = [("lotus", CODE, 0), ("poppy", CODE, 0), ("lotus", "RET-2", 0), ("lotus", CODE, 1)]
    assert len({refer(*each) for each in others}) == 4
    world.create_return(a_return_order_body())
    assert list(world.clickpost.bookings) == [refer(CLIENT, CODE, 0)]


# ── refused ─────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_told_in_the_aggregators_words_and_the_return_is_kept(world: World) -> None:
    answer = world.create_return(a_return_order_body(**UNSERVED))

    status, code, words = envelope(answer)
    assert (status, code) == (400, "AWB_REFUSED")
    assert "990001" in words or "serviceable" in words.lower()
    shown = world.read_return(CODE).body
    assert (shown["returnAwb"], shown["booking"]["state"], shown["booking"]["refusal"]) == (None, "REFUSED", words)
    world.settle()
    assert world.heard(CODE) == []


def test_a_corrected_repeat_under_the_same_code_is_booked(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))

    answer = world.create_return(a_return_order_body())

    assert answer.status == 200
    assert answer.body["returnAwb"] == world.clickpost.parcels()[0].awb
    assert [event["kind"] for event in world.journal(CODE)] == ["PLACED", "AWB_REFUSED", "CORRECTED", "AWB_BOOKED"]
    assert world.create_return(a_return_order_body()) == answer, "and then it is the order that counts"
    assert world.create_return(a_return_order_body(**UNSERVED)).status == 409


def test_what_the_caller_got_wrong_stays_refused_without_another_call(world: World) -> None:
    clickpost_says(world, 328, "Mandatory field pickup_phone is missing")
    first = world.create_return(a_return_order_body())
    assert envelope(first) == (400, "AWB_REFUSED", "Mandatory field pickup_phone is missing")
    calls = len(world.http.requests)

    again = world.create_return(a_return_order_body())

    assert again == first
    assert len(world.http.requests) == calls


@pytest.mark.parametrize("status", [301, 319], ids=["the account is wrong", "the carrier does not collect there"])
def test_what_may_have_been_mended_meanwhile_is_tried_again_by_the_same_body(world: World, status: int) -> None:
    clickpost_says(world, status, "Not now")
    assert envelope(world.create_return(a_return_order_body()))[:2] == (400, "AWB_REFUSED")

    again = world.create_return(a_return_order_body())

    assert (again.status, len(world.clickpost.parcels())) == (200, 1)


def test_a_refusal_after_a_refusal_is_told_in_the_newest_words(world: World) -> None:
    clickpost_says(world, 328, "Phone is missing")
    world.create_return(a_return_order_body())
    clickpost_says(world, 328, "Pincode is missing")

    answer = world.create_return(a_return_order_body(**{"pickupAddress.phone": "9820055502"}))

    assert envelope(answer) == (400, "AWB_REFUSED", "Pincode is missing")
    assert world.read_return(CODE).body["booking"]["refusal"] == "Pincode is missing"


# ── the outcome is not known ────────────────────────────────────────────────────────


def test_a_time_out_at_the_aggregator_is_pending_and_the_awb_follows(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")

    first = world.create_return(a_return_order_body())
    repeat = world.create_return(a_return_order_body())
    assert [(each.status, each.body) for each in (first, repeat)] == [(202, PENDING)] * 2
    assert len(world.clickpost.requests()) == 1, "nothing is sent again before the settle time"

    world.settle()

    (parcel,) = world.clickpost.parcels()
    assert world.create_return(a_return_order_body()).body["returnAwb"] == parcel.awb
    assert world.read_return(CODE).body["returnAwb"] == parcel.awb
    assert world.heard(CODE) == ["AWB_GENERATED"]


@pytest.mark.parametrize("does_the_work", [True, False], ids=["booked all the same", "not booked"])
@pytest.mark.parametrize(
    "then",
    [{"then": "hangs"}, {"then": "closes"}, {"then": "garbage"}, {"then": "html"}, {"then": "truncated"}]
    + [{"then": "status", "status": status} for status in (429, 500, 502, 504)],
    ids=str,
)
def test_whatever_goes_wrong_at_the_aggregator_one_parcel_is_booked_in_the_end(
    world: World, then: dict[str, Any], *, does_the_work: bool
) -> None:
    world.clickpost.next_booking(does_the_work=does_the_work, **then)

    assert world.create_return(a_return_order_body()).status == 202
    world.settle()

    assert world.create_return(a_return_order_body()).status == 200
    assert len(world.clickpost.parcels()) == 1
    assert world.heard(CODE) == ["AWB_GENERATED"]


def test_a_repeat_while_the_first_call_is_still_being_made_is_pending_and_books_nothing(world: World) -> None:
    repeats: list[HttpReply] = []

    def repeat(call: Call) -> None:
        if call.port == "http":
            world.calls.before = lambda _: None
            repeats.append(world.create_return(a_return_order_body()))

    world.calls.before = repeat
    first = world.create_return(a_return_order_body())

    assert [(each.status, each.body) for each in repeats] == [(202, PENDING)]
    assert (first.status, len(world.clickpost.requests())) == (200, 1)


def test_two_corrections_at_once_book_one_parcel(world: World) -> None:
    world.create_return(a_return_order_body(**UNSERVED))
    others: list[HttpReply] = []

    def correct_too(call: Call) -> None:
        if call.operation == "transact" and "CORRECTED" in str(call.arguments):
            world.calls.before = lambda _: None
            others.append(world.create_return(a_return_order_body()))

    world.calls.before = correct_too
    first = world.create_return(a_return_order_body())
    world.settle()

    assert (others[0].status, first.status) == (200, 202), "who comes second is not sure yet"
    assert len(world.clickpost.parcels()) == 1
    assert world.create_return(a_return_order_body()).status == 200


def test_a_booking_that_takes_effect_late_is_adopted_and_not_doubled(world: World) -> None:
    world.clickpost.next_booking(does_the_work=False, then="hangs", late_seconds=60)

    world.create_return(a_return_order_body())
    world.settle()

    assert len(world.clickpost.parcels()) == 1
    assert world.read_return(CODE).body["returnAwb"] == world.clickpost.parcels()[0].awb


@pytest.mark.parametrize("ends", [200, 323])
def test_an_asynchronous_aggregator_is_asked_again_until_it_has_the_awb(ends: int) -> None:
    world = World(clickpost=Settings(asynchronous=True, async_processing=3, async_seconds=200, async_ends=ends))

    assert world.create_return(a_return_order_body()).status == 202
    world.settle()

    assert world.create_return(a_return_order_body()).body["returnAwb"] == world.clickpost.parcels()[0].awb
    assert world.heard(CODE) == ["AWB_GENERATED"]


def test_an_asynchronous_refusal_is_told_by_a_repeat_and_can_be_corrected() -> None:
    world = World(clickpost=Settings(asynchronous=True, async_ends=420, async_words="No such pick-up address"))
    world.create_return(a_return_order_body())
    world.settle()
    assert envelope(world.create_return(a_return_order_body())) == (400, "AWB_REFUSED", "No such pick-up address")

    world.clickpost.change({"asynchronous": False})
    corrected = world.create_return(a_return_order_body(**{"pickupAddress.line1": "8 Lake View Road"}))

    assert corrected.status == 200


def test_after_an_hour_without_certainty_the_booking_is_held_for_a_person(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    silence(world)
    began = world.clock()
    world.create_return(a_return_order_body())
    world.settle()

    booking = world.read_return(CODE).body["booking"]
    assert booking["state"] == "HELD"
    assert timedelta(minutes=55) < world.clock() - began < timedelta(minutes=75)
    assert "BookingHeld" in capsys.readouterr().out
    assert world.due_rows() == [], "nobody goes on asking"


def test_sending_a_held_return_again_starts_another_look_up(world: World) -> None:
    silence(world)
    world.create_return(a_return_order_body())
    world.settle()
    world.clickpost.clear_faults()

    assert world.create_return(a_return_order_body()).status == 202
    world.settle()

    assert world.create_return(a_return_order_body()).status == 200
    assert len(world.clickpost.parcels()) == 1
    assert world.heard(CODE) == ["AWB_GENERATED"]


def test_an_aggregator_that_gives_another_returns_awb_is_not_believed(world: World) -> None:
    first = world.create_return(a_return_order_body()).body["returnAwb"]
    clickpost_says(world, 200, "SUCCESS", result={"waybill": first, "courier_name": "Delhivery"})

    answer = world.create_return(a_return_order_body(returnOrderCode="RET-2"))

    assert answer.status == 202
    assert world.read_return("RET-2").body["booking"]["state"] == "HELD"
    assert world.read_return("RET-2").body["returnAwb"] is None
    world.settle()
    assert world.heard(CODE) == ["AWB_GENERATED"]
    assert world.heard("RET-2") == []


def test_a_booking_whose_account_is_gone_is_held(world: World) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    world.create_return(a_return_order_body())
    without_accounts(world)

    world.settle()

    assert world.read_return(CODE).body["booking"]["state"] == "HELD"


# ── which account ───────────────────────────────────────────────────────────────────


def test_without_an_account_a_return_order_must_bring_its_courier(world: World) -> None:
    without_accounts(world)

    answer = world.create_return(a_return_order_body())

    assert envelope(answer) == (400, "BAD_DATA", "[awbNumber: may not be null, transporter: may not be null]")
    assert world.rows_of(CODE) == {}


def test_without_an_account_nothing_can_be_created_with_an_awb(world: World) -> None:
    without_accounts(world)

    answer = world.create_return(a_create_body(), "/return/create")

    assert envelope(answer)[:2] == (400, "BAD_DATA")
    assert "logisticAccountAlias" in envelope(answer)[2]


def test_the_alias_may_be_left_out_while_there_is_one_account(world: World) -> None:
    assert world.create_return(a_create_body(logisticAccountAlias=ABSENT), "/return/create").status == 200


def test_with_two_accounts_the_request_must_choose(world: World) -> None:
    second_account(world)

    unsaid = world.create_return(a_create_body(logisticAccountAlias=ABSENT), "/return/create")
    unknown = world.create_return(a_create_body(logisticAccountAlias="north"), "/return/create")
    chosen = world.create_return(a_create_body(logisticAccountAlias="west"), "/return/create")

    assert envelope(unsaid)[2] == "[logisticAccountAlias: may not be null: must be one of main, west]"
    assert envelope(unknown)[2] == "[logisticAccountAlias: must be one of main, west]"
    assert chosen.status == 200
    assert world.clickpost.parcels()[0].courier == 28


def test_a_return_order_goes_to_the_first_account_by_alias(world: World) -> None:
    second_account(world)

    assert world.create_return(a_return_order_body()).body["carrierName"] == "Delhivery"


# ── tenants ─────────────────────────────────────────────────────────────────────────


def test_another_client_may_use_the_same_code_and_neither_sees_the_others(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes")
    world.create_return(a_channel_booked_body())

    assert world.read_return("RET-70044-1", client="poppy").status == 404
    other = a_channel_booked_body(locationCode="DEL-9")
    assert world.create_return(other, client="poppy").status == 200

    assert world.read_return("RET-70044-1").body["locationCode"] == "BLR-2"
    assert world.read_return("RET-70044-1", client="poppy").body["locationCode"] == "DEL-9"
    world.settle()
    assert world.heard("RET-70044-1") == ["RETURN_ORDER_PLACED"]


@pytest.mark.parametrize(
    "code", ["RET#1", "RET/1 #DOCUMENT", "वापसी-१", "C#poppy#R#X", "🚚", "a" * 255], ids=lambda code: code[:16]
)
def test_a_code_may_hold_anything_and_never_reaches_another_return(world: World, code: str) -> None:
    world.create_return(a_channel_booked_body())
    before = world.rows_of("RET-70044-1")

    answer = world.create_return(a_channel_booked_body(returnOrderCode=code, awbNumber="AWB-2"))

    assert answer.status == 200
    assert world.rows_of("RET-70044-1") == before
    found = world.call("read_returns", "POST", "/return/get/awb", {"returnOrderCode": code}).body
    assert [each["trackingCode"] for each in found["returnOrderDetailsList"]] == ["AWB-2"]


# ── helpers ─────────────────────────────────────────────────────────────────────────


def envelope(answer: HttpReply) -> tuple[int, str, str]:
    assert answer.body.keys() == {"code", "message", "description"}
    return answer.status, answer.body["code"], answer.body["description"]


def clickpost_says(world: World, status: int, message: str, result: object = None) -> None:
    """The next call to Clickpost gets this answer and does nothing."""
    meta = {"meta": {"status": status, "success": status == 200, "message": message}, "result": result}
    partners = world.http._routes["https://"].handler
    world.http.on(f"https://{CLICKPOST_HOST}", partners, script=(http_answer(200, meta),))


def silence(world: World) -> None:
    """Clickpost answers nobody until its faults are cleared."""
    for _ in range(50):
        world.clickpost.next_booking(does_the_work=False, then="hangs")


def without_accounts(world: World) -> None:
    world.core.table.write(Delete(Key(client_pk(CLIENT), "ACCOUNT#main"), EXISTING))
    world.core.memory.forget(f"configuration:{CLIENT}")


def second_account(world: World) -> None:
    options = {**a_clickpost_account().options, "courier_partner": "28"}
    account = a_clickpost_account(alias="west", options=options, webhook_key="another-key-from-the-dashboard")
    administration.put_account(world.core, CLIENT, account)
