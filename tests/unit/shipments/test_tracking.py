"""What webhooks make of a return: one event each, in any order of arrival, for the right parcel only."""

import base64
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.contract import ShipmentUpdate
from rms.clients import administration
from rms.journal.keys import client_pk
from rms.platform.table import EXISTING, Key, Update
from tests.builders import a_channel_booked_body, a_return_order_body
from tests.logs import counted
from tests.webhooks import NOON, a_scan, as_clickpost, receive
from tests.world import CLIENT, World

CODE = "RET-70044-1"
AWB = "9977001122"
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    """A return with an AWB that has been told of, half a day ago."""
    world = World()
    assert world.create_return(a_channel_booked_body()).status == 200
    world.work_all()
    world.clock.advance(hours=12)
    return world


# ── one event each ──────────────────────────────────────────────────────────────────


def test_a_scan_becomes_an_event_of_the_return_whose_awb_it_names(world: World) -> None:
    receive(world, a_scan(AWB, 4, NOON + HOUR))

    event = world.journal(CODE)[-1]
    assert (event["sequence"], event["notification"]) == (2, "RETURN_PICKED_UP")
    assert (event["occurred_at"], event["received_at"]) == ("2026-03-02T07:30:00.000Z", "2026-03-02T18:30:00.000Z")
    assert world.read_return(CODE).body["status"] == "RETURN_PICKED_UP"
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]


def test_the_same_scan_again_is_a_no_op(world: World) -> None:
    receive(world, a_scan(AWB, 4, NOON + HOUR))
    before = world.rows_of(CODE)

    receive(world, a_scan(AWB, 4, NOON + HOUR), a_scan(AWB, 4, NOON + HOUR, remark="sent again by hand"))

    assert world.rows_of(CODE) == before
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]


def test_the_same_status_at_another_time_is_another_event(world: World) -> None:
    receive(world, a_scan(AWB, 5, NOON + HOUR), a_scan(AWB, 5, NOON + 2 * HOUR))

    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "IN_TRANSIT", "IN_TRANSIT"]


def test_a_late_scan_is_kept_and_told_with_its_own_time_and_moves_nothing_back(world: World) -> None:
    receive(world, a_scan(AWB, 8, NOON + 5 * HOUR), a_scan(AWB, 6, NOON + 4 * HOUR), a_scan(AWB, 4, NOON + HOUR))

    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "DELIVERED", "OUT_FOR_DELIVERY", "RETURN_PICKED_UP"]
    assert world.journal(CODE)[-1]["occurred_at"] == "2026-03-02T07:30:00.000Z"


def test_the_latest_status_beside_a_late_scan_moves_the_state_and_is_no_event(world: World) -> None:
    latest = {
        "clickpost_status_code": 8,
        "clickpost_status_description": "Delivered",
        "status": "Delivered",
        "timestamp": as_clickpost(NOON + 5 * HOUR),
    }

    receive(world, a_scan(AWB, 5, NOON + HOUR, additional={"latest_status": latest}))

    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "IN_TRANSIT"]


HISTORY = [a_scan(AWB, code, NOON + hours * HOUR) for hours, code in enumerate((25, 3, 25, 4, 5, 18, 5, 6, 8), start=1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=6))
def test_any_order_of_arrival_with_duplicates_ends_in_one_state_and_tells_each_event_once(
    arrivals: Sequence[bytes], again: Sequence[bytes]
) -> None:
    world = World()
    world.create_return(a_channel_booked_body())
    world.clock.advance(hours=12)

    for body in [*arrivals, *again]:
        assert world.webhook(body) == 200
    world.settle()

    told = [(each.sequence, each.notification_type) for each in world.receiver.deliveries("shop")]
    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert [sequence for sequence, _ in told] == list(range(1, 11))
    assert sorted(str(name) for _, name in told[1:]) == [
        "DELAYED",
        "DELIVERED",
        "IN_TRANSIT",
        "IN_TRANSIT",
        "OUT_FOR_DELIVERY",
        "OUT_FOR_PICKUP",
        "OUT_FOR_PICKUP",
        "PICKUP_CANCELLED",
        "RETURN_PICKED_UP",
    ]
    assert world.receiver.violations() == []


# ── statuses without a name ─────────────────────────────────────────────────────────


def test_a_code_nobody_knows_is_kept_as_other_with_its_words_and_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    receive(world, a_scan(AWB, 1006, NOON + HOUR, status="Sorted by drone", clickpost_status_description="Drone"))

    event = world.journal(CODE)[-1]
    assert event["notification"] == "OTHER"
    assert (event["facts"]["raw_code"], event["facts"]["raw_text"]) == ("1006", "Drone")
    assert world.read_return(CODE).body["status"] == "RETURN_ORDER_PLACED"
    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "OTHER"]
    assert counted(capsys, "UnknownStatus") == 1


def test_a_client_who_wants_no_other_hears_none_and_finds_it_in_the_timeline(world: World) -> None:
    world.core.table.write(Update(Key(client_pk(CLIENT), "CLIENT"), EXISTING, set={"push_other": False}))
    world.clock.advance(minutes=1)

    receive(world, a_scan(AWB, 1006, NOON + HOUR), a_scan(AWB, 4, NOON + 2 * HOUR))

    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]
    timeline = world.read_return(CODE).body["timeline"]
    assert [(each["notificationType"], each["facts"].get("raw_code")) for each in timeline[1:]] == [
        (None, "1006"),
        ("RETURN_PICKED_UP", "4"),
    ]


def test_our_own_record_says_that_it_is_a_return_whatever_the_webhook_claims(world: World) -> None:
    receive(world, a_scan(AWB, 4, NOON + HOUR, additional={"is_rvp": False}), a_scan(AWB, 12, NOON + 2 * HOUR))

    assert world.heard(CODE)[1:] == ["RETURN_PICKED_UP", "OTHER"]


# ── times ───────────────────────────────────────────────────────────────────────────


def test_a_clock_that_runs_years_ahead_does_not_stop_the_state_from_moving(world: World) -> None:
    receive(world, a_scan(AWB, 5, NOON + timedelta(days=3650)))
    world.clock.advance(hours=1)

    receive(world, a_scan(AWB, 6, world.clock()))

    assert world.read_return(CODE).body["status"] == "OUT_FOR_DELIVERY"


def test_a_scan_from_before_the_awb_existed_counts_from_when_it_did() -> None:
    world = World()
    awb = str(world.create_return(a_return_order_body()).body["returnAwb"])

    receive(world, a_scan(awb, 4, NOON - timedelta(days=400)))

    assert world.read_return("RET-70031-1").body["status"] == "RETURN_PICKED_UP"


def test_the_time_that_is_told_is_the_aggregators_own_even_where_the_state_distrusts_it(world: World) -> None:
    receive(world, a_scan(AWB, 5, NOON + timedelta(days=3650)))

    assert world.journal(CODE)[-1]["occurred_at"].startswith("2036-02-28")


# ── whose parcel ────────────────────────────────────────────────────────────────────


def test_an_event_for_one_awb_never_touches_another(world: World) -> None:
    other = {"returnOrderCode": "RET-2", "awbNumber": f"{AWB}0"}
    world.create_return(a_channel_booked_body(**other))
    world.work_all()
    before = world.rows_of(CODE)

    receive(world, a_scan(f"{AWB}0", 8, NOON + HOUR), a_scan("8", 8, NOON + HOUR), a_scan(AWB[:-1], 8, NOON + HOUR))

    assert world.rows_of(CODE) == before
    assert world.read_return("RET-2").body["status"] == "DELIVERED"


def test_another_clients_parcel_with_the_same_awb_is_another_parcel(world: World) -> None:
    key = another_client(world)
    before = world.rows_of(CODE)

    world.webhook(a_scan(AWB, 8, NOON + HOUR), {"webhook_key": key})
    world.work_all()

    assert world.rows_of(CODE) == before
    assert [row["PK"] for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")] == [f"C#poppy#A#{AWB}"]


# ── before the AWB is known ─────────────────────────────────────────────────────────


def test_events_for_an_awb_nobody_knows_wait_and_are_applied_in_time_order_once_it_is_known() -> None:
    world = World()
    world.clock.advance(hours=12)
    receive(world, a_scan(AWB, 8, NOON + 3 * HOUR), a_scan(AWB, 4, NOON + HOUR), a_scan(AWB, 5, NOON + 2 * HOUR))
    assert world.due_rows() == [], "what nobody can do anything about is not swept"

    world.create_return(a_channel_booked_body())
    world.settle()

    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP", "IN_TRANSIT", "DELIVERED"]
    assert world.read_return(CODE).body["status"] == "DELIVERED"
    assert [row for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")] == []
    assert world.due_rows() == []


def test_events_that_waited_for_an_awb_follow_the_news_of_its_booking() -> None:
    world = World()
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    assert world.create_return(a_return_order_body()).status == 202
    (parcel,) = world.clickpost.parcels()
    world.clickpost.advance(parcel.awb, life="delivered", steps=2)
    world.post_webhooks()
    world.work_all()

    world.settle()

    assert world.heard("RET-70031-1") == ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert world.read_return("RET-70031-1").body["status"] == "RETURN_PICKED_UP"


def test_the_same_event_waits_once_however_often_it_comes() -> None:
    world = World()

    receive(world, *[a_scan(AWB, 4, NOON)] * 3)

    assert len([row for row in world.table.rows() if str(row["SK"]).startswith("PARKED#")]) == 1


def test_more_events_than_a_page_holds_are_all_applied() -> None:
    world = World()
    world.clock.advance(days=20)
    scans = [a_scan(AWB, 5, NOON + number * HOUR) for number in range(130)]
    assert world.webhook(b"[" + b",".join(scans) + b"]") == 200
    world.work_all()

    world.create_return(a_channel_booked_body())
    world.settle()

    assert world.read_return(CODE).body["sequence"] == 131
    assert world.due_rows() == []


def test_an_event_that_comes_while_the_awb_becomes_known_is_not_left_behind() -> None:
    """The webhook finds no owner, the return is created, and only then the webhook would park its event."""
    world = World()

    def create_meanwhile(call: object) -> None:
        if "PARKED#" in str(call):
            world.calls.before = lambda _: None
            assert world.create_return(a_channel_booked_body()).status == 200

    world.calls.before = create_meanwhile
    receive(world, a_scan(AWB, 4, NOON))
    world.settle()

    assert world.heard(CODE) == ["RETURN_ORDER_PLACED", "RETURN_PICKED_UP"]


# ── bodies ──────────────────────────────────────────────────────────────────────────


def test_a_body_may_be_wrapped_or_hold_several_webhooks(world: World) -> None:
    wrapped = json.dumps({"payload": json.loads(a_scan(AWB, 25, NOON + HOUR)), "internal": {}}).encode()
    several = b"[" + a_scan(AWB, 5, NOON + 3 * HOUR) + b"," + a_scan(AWB, 4, NOON + 2 * HOUR) + b"]"

    receive(world, wrapped, several)

    assert world.heard(CODE)[1:] == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT"]


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00\x81",
        b"[]",
        b"[1]",
        b"null",
        b"{}",
        b'{"waybill": NaN}',
        b'{"waybill": 1e999}',
        b'{"waybill": "A", "waybill": "B", "clickpost_status_code": 4}',
        b'{"waybill": "\\ud800", "clickpost_status_code": 4}',
        b"[" * 5000 + b"]" * 5000,
        a_scan("A" * 101, 4),
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_a_poisoned_webhook_ends_whole_in_the_dead_letter_queue_after_five_tries_and_delays_nobody(
    world: World, poison: bytes
) -> None:
    assert world.webhook(a_scan(AWB, 4, NOON + HOUR)) == 200
    assert world.webhook(poison) == 200
    assert world.webhook(a_scan(AWB, 5, NOON + 2 * HOUR)) == 200

    world.work_all()
    assert sorted(world.heard(CODE)[1:]) == ["IN_TRANSIT", "RETURN_PICKED_UP"]

    for _ in range(6):
        world.clock.advance(minutes=4)
        world.work_all()
    (dead,) = world.queues.dead["inbound"]
    assert dead.receives == 5
    assert base64.b64decode(str(dead.message["body"])) == poison
    assert world.queues.messages("inbound") == []


def test_what_was_dead_lettered_is_worked_when_it_is_redriven_after_a_fix(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> Sequence[ShipmentUpdate]:
        raise KeyError("a mistake of ours")

    with monkeypatch.context() as broken:
        broken.setattr(Clickpost, "read_webhook", stumble)
        receive(world, a_scan(AWB, 4, NOON + HOUR))
        for _ in range(6):
            world.clock.advance(minutes=4)
            world.work_all()
    assert len(world.queues.dead["inbound"]) == 1

    assert world.queues.redrive("inbound") == 1
    world.work_all()

    assert world.heard(CODE)[1:] == ["RETURN_PICKED_UP"]


@pytest.mark.parametrize("body", ["not json", "[]", "3", "{}", '{"task": "dance"}', '{"task": "record"}'])
def test_a_message_that_no_part_of_rms_wrote_is_given_back_and_nothing_else(world: World, body: str) -> None:
    record = {"messageId": "m-1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}

    answer = world.invoke("record_shipment_events", {"Records": [record]})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


def another_client(world: World) -> str:
    """The client `poppy` with a Clickpost account; answers its webhook key."""
    key = "another-dashboard-key-77"
    administration.create_client(world.core, "poppy", "Poppy Shoes")
    options = {"username": "poppy", "courier_partner": "25", "account_code": "poppy-1"}
    account = administration.NewAccount("main", "CLICKPOST", {"key": "k"}, options, webhook_key=key)
    administration.put_account(world.core, "poppy", account)
    return key
