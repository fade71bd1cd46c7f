import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from standardwebhooks import Webhook

from rms.clients import administration
from rms.clients.endpoints import rotate_endpoint_secret
from rms.journal import AggregateId
from rms.journal.cursors import LEASE
from rms.model.notification_type import NotificationType
from rms.notifications.delivery import ANSWER_KEPT, Later, Nothing, Parked, Told, Unfinished
from rms.notifications.schedule import DELAYS, JITTER
from rms.platform.http import HttpRequest
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import EXISTING, Check, Key, TableUnavailableError, Update
from sandbox.faults import Fault as Trouble
from sandbox.faults import Then, answers_status, hangs
from sandbox.signatures import Verification, verify
from tests.builders import a_channel_booked_body, as_bytes
from tests.fakes.calls import Call, Fault, ProcessKilledError, no_faults
from tests.fakes.http import Answer, answer, json_of, no_answer
from tests.unit.notifications.telling import (
    CREDENTIALS,
    DELIVERED,
    HOOK,
    IN_TRANSIT,
    PICKED_UP,
    a_journal,
    answers,
    as_usual,
    attempts,
    cursor,
    due_at,
    happens,
    register,
    sent,
    sequences,
    shown,
    tell,
    webhook_ids,
)
from tests.world import CLIENT, RECEIVER_HOST, World

OUT: NotificationType = NotificationType.OUT_FOR_PICKUP


# ── order, identity, signature ──────────────────────────────────────────────────────


def test_an_endpoint_hears_of_a_return_in_order() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP, IN_TRANSIT, DELIVERED)

    assert tell(world, aggregate) == Told()

    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "DELIVERED"]
    assert sequences(world) == [1, 2, 3, 4]
    assert world.receiver.violations() == []


def test_what_is_told_is_not_told_again() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    tell(world, aggregate)

    assert tell(world, aggregate) == Nothing("nothing to tell")

    assert len(sent(world)) == 1
    assert not {"due_at", "due_shard", "fence"} & cursor(world, aggregate).keys()


def test_a_wake_up_for_nobody_does_nothing() -> None:
    world = World()

    assert tell(world, AggregateId(CLIENT, "R", "RET-0")) == Nothing("no cursor")


def test_nothing_overtakes_what_is_refused() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(500))

    assert isinstance(tell(world, aggregate), Later)
    happens(world, aggregate, PICKED_UP)
    world.settle()

    assert sequences(world) == [1, 1, 2]
    assert world.receiver.violations() == []


def test_the_signature_library_takes_the_very_bytes_that_reached_the_receiver() -> None:
    world = World()
    world.clock.now = datetime.now(UTC)  # the library goes by the machine's clock
    secret = register(world, "signed")
    assert secret is not None
    aggregate = a_journal(world, OUT, PICKED_UP)

    tell(world, aggregate, "signed")

    for request in sent(world, f"https://{RECEIVER_HOST}/hooks/signed"):
        assert request.body is not None
        read = Webhook(secret).verify(request.body, dict(request.headers))
        assert read["returnOrderInfo"]["returnOrderId"] == "RET-1"


def test_a_retry_and_a_replay_bring_the_same_id_and_body_under_a_new_timestamp() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(503))
    tell(world, aggregate)
    world.settle()
    world.clock.advance(hours=5)

    world.replay("RET-1")
    world.settle()

    requests = sent(world)
    assert len(requests) == 3
    assert len(set(webhook_ids(requests))) == 1
    assert len({request.body for request in requests}) == 1
    assert len({request.headers["webhook-timestamp"] for request in requests}) == 3
    assert world.receiver.violations() == []


def test_two_endpoints_and_two_returns_share_no_id() -> None:
    world = World(endpoints=2)
    for code in ("RET-1", "RET-2"):
        aggregate = a_journal(world, OUT, PICKED_UP, code=code)
        tell(world, aggregate, "shop")
        tell(world, aggregate, "shop1")

    ids = webhook_ids(sent(world, "https://"))
    assert len(ids) == len(set(ids)) == 8


# ── tries and the schedule ──────────────────────────────────────────────────────────


def test_what_is_refused_is_tried_at_the_published_times_for_75_hours_and_then_stands_still() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    began = world.clock()
    answers(world, then=lambda _: answer(500))
    waits: list[float] = []

    while isinstance(result := tell(world, aggregate), Later) and result.at is not None:
        assert tell(world, aggregate) == Nothing("not due yet")
        waits.append((result.at - world.clock()).total_seconds())
        world.clock.advance_to(result.at)

    assert result == Later(None)
    assert waits == list(DELAYS)
    assert timedelta(hours=75) < world.clock() - began < timedelta(hours=77)
    assert len(sent(world)) == len(DELAYS) + 1


def test_on_the_deployed_path_every_try_is_within_its_jitter() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, then=lambda _: answer(500))

    world.settle()

    times = [datetime.fromisoformat(attempt["at"]) for attempt in attempts(world, aggregate)]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(waits) == len(DELAYS)
    for wait, published in zip(waits, DELAYS, strict=True):
        assert abs(wait - published) <= JITTER * published + 1  # the sweep of this world comes a second late at most


def test_a_stalled_endpoint_is_seen_when_the_return_is_read_and_a_replay_moves_it_on() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    answers(world, *[answer(500)] * (len(DELAYS) + 1))
    world.settle()

    about = shown(world, aggregate)
    assert about["stalled"] is True
    assert about["waitingBecause"] == "answered 500: fault at the receiver"
    assert about["nextTryAt"] is None
    assert (about["acknowledged"], about["latest"], about["failedTries"]) == (0, 2, 12)

    world.replay("RET-1", {"endpoint": "shop"})
    world.settle()

    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert shown(world, aggregate)["stalled"] is False


def test_news_does_not_wake_a_stalled_endpoint_but_is_told_after_the_replay() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, *[answer(500)] * (len(DELAYS) + 1))
    world.settle()

    happens(world, aggregate, PICKED_UP)
    world.settle()
    assert world.heard("RET-1") == []

    world.replay("RET-1", {"afterSequence": 0})
    world.settle()
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]


def test_after_a_success_the_schedule_starts_anew() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    answers(world, answer(500), answer(500), answer(200), answer(500))
    for _ in range(2):
        world.clock.advance_to(due_at(world, aggregate))
        tell(world, aggregate)
    world.clock.advance_to(due_at(world, aggregate))

    result = tell(world, aggregate)

    assert result == Later(world.clock() + timedelta(seconds=DELAYS[0]))
    assert shown(world, aggregate)["failedTries"] == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_gets_it(status: int) -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(status, retry_after="7200"))

    assert tell(world, aggregate) == Later(world.clock() + timedelta(hours=2))


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Trouble(Then.REDIRECT, does_the_work=False), "answered 302: redirects are not followed, register the new URL"),
        (answers_status(400, does_the_work=False), "answered 400"),
        (answers_status(404, does_the_work=False), "answered 404: nothing at this URL"),
        (answers_status(429, does_the_work=False), "answered 429: too many requests"),
        (answers_status(500, does_the_work=True), "answered 500: fault at the receiver"),
        (answers_status(503, does_the_work=False), "answered 503: service unavailable"),
        (hangs(does_the_work=True), "timed out"),
        (Trouble(Then.CLOSES), "connection closed"),
        (Trouble(Then.TRUNCATED), "connection closed within the body"),
    ],
)
def test_whatever_goes_wrong_at_the_receiver_is_tried_again(trouble: Trouble, reason: str) -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    world.receiver.fail("shop", trouble)

    assert tell(world, aggregate) == Later(world.clock() + timedelta(seconds=DELAYS[0]))
    assert shown(world, aggregate)["waitingBecause"] == reason

    world.settle()
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP"]
    assert world.receiver.violations() == []


@pytest.mark.parametrize(
    "reason", ["certificate has expired", "name does not resolve", "connection refused", "no connection within 3.0 s"]
)
def test_a_receiver_that_cannot_be_reached_is_tried_again(reason: str) -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, no_answer(reason, sent=False))

    assert tell(world, aggregate) == Later(world.clock() + timedelta(seconds=DELAYS[0]))

    [attempt] = attempts(world, aggregate)
    assert attempt["outcome"] == reason
    assert "status" not in attempt
    world.settle()
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP"]


# ── who waits for whom ──────────────────────────────────────────────────────────────


def test_an_event_that_is_refused_again_and_again_holds_up_its_return_at_that_endpoint_only() -> None:
    world = World(endpoints=2)

    def refuses_one(request: HttpRequest) -> Answer:
        refused = request.url == HOOK and b"RET-1" in (request.body or b"")
        return answer(400) if refused else as_usual(world, request)

    answers(world, then=refuses_one)
    for code in ("RET-1", "RET-2"):
        a_journal(world, OUT, PICKED_UP, code=code)

    world.settle()

    assert world.heard("RET-1", "shop") == []
    assert world.heard("RET-2", "shop") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert world.heard("RET-1", "shop1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert world.heard("RET-2", "shop1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]


def test_events_that_are_nobodys_business_are_passed_over() -> None:
    world = World()
    aggregate = a_journal(world, None, OUT, None, None, PICKED_UP, None)

    assert tell(world, aggregate) == Told()

    assert sequences(world) == [2, 5]
    assert tell(world, aggregate) == Nothing("nothing to tell")


def test_a_return_of_which_nobody_is_told_has_no_cursor() -> None:
    world = World()
    a_journal(world, None, None)

    world.settle()

    assert sent(world) == []
    assert not [sk for sk in world.rows_of("RET-1") if sk.startswith("CURSOR#")]


def test_a_late_subscriber_hears_what_happens_from_its_registration_on() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    world.clock.advance(hours=1)
    world.add_endpoint("late")
    world.clock.advance(hours=1)
    happens(world, aggregate, IN_TRANSIT)
    happens(world, aggregate, DELIVERED)

    assert tell(world, aggregate, "late") == Told()

    assert world.heard("RET-1", "late") == ["IN_TRANSIT", "DELIVERED"]


def test_a_replay_tells_a_late_subscriber_everything() -> None:
    world = World()
    a_journal(world, OUT, PICKED_UP)
    world.clock.advance(hours=1)
    world.add_endpoint("late")

    world.replay("RET-1", {"endpoint": "late"})
    world.settle()

    assert world.heard("RET-1", "late") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]


def test_a_late_subscriber_to_a_return_that_ended_before_has_nothing_to_hear() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    world.clock.advance(hours=1)
    world.add_endpoint("late")
    world.clock.advance(hours=1)
    happens(world, aggregate, None)
    world.settle()

    assert world.heard("RET-1", "late") == []


def test_a_status_without_a_name_is_told_unless_the_client_switched_that_off() -> None:
    for wanted, heard in ((True, ["OTHER"]), (False, [])):
        world = World()
        world.table.write(Update(Key(f"C#{CLIENT}", "CLIENT"), EXISTING, set={"push_other": wanted}))
        world.clock.advance(seconds=11)
        world.create_return(a_channel_booked_body(returnOrderCode="RET-1", awbNumber="5550001"))
        world.settle()
        update = {
            "waybill": "5550001",
            "clickpost_status_code": 4711,
            "clickpost_status_description": "Held by a dragon",
            "timestamp": "2026-03-02T12:10:00",
            "additional": {"is_rvp": True},
        }

        assert world.webhook(as_bytes(update)) == 200
        world.settle()

        assert [name for name in world.heard("RET-1") if name == "OTHER"] == heard
        assert world.journal("RET-1")[-1]["kind"] == "TRACKED"


# ── leases ──────────────────────────────────────────────────────────────────────────


def test_of_many_workers_one_tells() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP, IN_TRANSIT)
    together = Barrier(8)

    def worker(_: int) -> object:
        core = world.another_environment()
        together.wait(timeout=10)
        return tell(world, aggregate, core=core)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(worker, range(8)))

    assert results.count(Told()) == 1
    assert sequences(world) == [1, 2, 3]


def test_while_one_tells_another_finds_the_lease_taken() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    meanwhile: list[object] = []

    def slowly(request: HttpRequest) -> Answer:
        meanwhile.append(tell(world, aggregate, core=world.another_environment()))
        return as_usual(world, request)

    answers(world, slowly)

    assert tell(world, aggregate) == Told()
    assert meanwhile == [Nothing("leased")]
    assert sequences(world) == [1]


def test_what_happens_while_an_endpoint_is_told_is_told_as_well() -> None:
    world = World()
    aggregate = a_journal(world, OUT)

    def news_comes(request: HttpRequest) -> Answer:
        happens(world, aggregate, PICKED_UP)
        happens(world, aggregate, None)
        return as_usual(world, request)

    answers(world, news_comes)

    assert tell(world, aggregate) == Told()
    assert sequences(world) == [1, 2]
    assert world.due_rows() == []


def test_after_a_crash_the_lease_runs_out_and_the_same_is_sent_again() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    world.calls.plan = lambda call: Fault.KILLED_AFTER if call.port == "http" else None
    with pytest.raises(ProcessKilledError):
        tell(world, aggregate)
    world.calls.plan = no_faults

    assert tell(world, aggregate) == Nothing("leased")
    world.clock.advance(LEASE.total_seconds())
    assert tell(world, aggregate) == Told()

    assert sequences(world) == [1, 1, 2]
    assert len(set(webhook_ids(sent(world)))) == 2
    assert world.receiver.violations() == []


def test_a_worker_that_was_too_slow_stops_where_another_took_over() -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    other: list[object] = []

    def far_too_slowly(request: HttpRequest) -> Answer:
        world.clock.advance(LEASE.total_seconds() + 1)
        other.append(tell(world, aggregate, core=world.another_environment()))
        return as_usual(world, request)

    answers(world, far_too_slowly)

    assert tell(world, aggregate) == Nothing("lease lost")
    assert other == [Told()]
    assert cursor(world, aggregate)["acked"] == 2
    assert len(attempts(world, aggregate)) == 2
    assert world.due_rows() == []


@pytest.mark.parametrize("operation", ["write", "get_many", "transact"])
@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.LATE, Fault.THROTTLED, Fault.REPEATED])
def test_a_table_that_fails_once_loses_and_disorders_nothing(operation: str, fault: Fault) -> None:
    world = World()
    aggregate = a_journal(world, OUT, PICKED_UP)
    world.queues.send("deliveries", [{"client": CLIENT, "kind": "R", "code": "RET-1", "endpoint": "shop"}])
    struck: list[Call] = []

    def once(call: Call) -> Fault | None:
        if struck or call.operation != operation:
            return None
        struck.append(call)
        return fault

    world.calls.plan, world.calls.late_by = once, 3
    world.settle()

    assert struck
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert world.receiver.violations() == []
    assert cursor(world, aggregate)["acked"] == 2


def test_time_that_is_up_leaves_the_rest_for_the_next_worker() -> None:
    world = World()
    aggregate = a_journal(world, *[IN_TRANSIT] * 6)

    def in_nine_seconds(request: HttpRequest) -> Answer:
        world.clock.advance(9)
        return as_usual(world, request)

    answers(world, then=in_nine_seconds)

    assert tell(world, aggregate) == Unfinished()
    assert sequences(world) == [1, 2, 3]
    assert len(world.due_rows()) == 1

    assert tell(world, aggregate) == Told()
    assert sequences(world) == [1, 2, 3, 4, 5, 6]


def test_more_events_than_one_read_brings_are_told_in_one_go() -> None:
    world = World()
    names = [None if number % 3 == 0 else IN_TRANSIT for number in range(1, 96)]
    aggregate = a_journal(world, *names)

    assert tell(world, aggregate) == Told()

    assert sequences(world) == [number for number, name in enumerate(names, start=1) if name]
    assert world.due_rows() == []


def test_hundreds_of_events_that_are_nobodys_business_are_passed_over() -> None:
    world = World()
    aggregate = a_journal(world, OUT, *[None] * 100, PICKED_UP)

    assert tell(world, aggregate) == Told()

    assert sequences(world) == [1, 102]


# ── 410 and enabling again ──────────────────────────────────────────────────────────


def test_410_disables_the_endpoint_and_nothing_more_is_sent() -> None:
    world = World()
    first, second = (a_journal(world, OUT, code=code) for code in ("RET-1", "RET-2"))
    answers(world, answer(410))

    assert tell(world, first) == Parked("answered 410: the endpoint is gone")
    assert tell(world, second) == Parked("the endpoint is disabled")
    happens(world, first, PICKED_UP)
    world.settle()

    assert len(sent(world)) == 1
    assert administration.describe_client(world.core, CLIENT)["endpoints"] == [
        {"endpoint": "shop", "url": HOOK, "sequence": True, "droppedMetadata": [], "disabled": True}
    ]
    for aggregate, reason in ((first, "answered 410: the endpoint is gone"), (second, "the endpoint is disabled")):
        about = shown(world, aggregate)
        assert about["waitingBecause"] == reason
        assert about["nextTryAt"] is None
        assert about["stalled"] is False


def test_a_disabled_endpoint_that_is_registered_again_hears_everything_that_waited() -> None:
    world = World()
    first, second = (a_journal(world, OUT, code=code) for code in ("RET-1", "RET-2"))
    answers(world, answer(410))
    tell(world, first)
    tell(world, second)
    happens(world, first, PICKED_UP)

    reply = world.call(
        "administer_clients", "PUT", f"/clients/{CLIENT}/endpoints/shop", {"url": HOOK}, roles="operator"
    )

    assert reply.body == {"endpoint": "shop", "resumed": True}
    world.settle()
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert world.heard("RET-2") == ["OUT_FOR_PICKUP"]
    assert world.receiver.violations() == []
    assert shown(world, first)["waitingBecause"] is None


def test_a_410_from_a_registration_that_is_past_disables_nothing() -> None:
    world = World()
    aggregate = a_journal(world, OUT)

    def gone_but_just_registered_again(_: HttpRequest) -> Answer:
        register(world)
        return answer(410)

    answers(world, gone_but_just_registered_again)

    assert tell(world, aggregate) == Later(world.clock())
    world.settle()

    assert world.heard("RET-1") == ["OUT_FOR_PICKUP"]


@pytest.mark.parametrize("already_disabled", [True, False])
def test_a_cursor_that_is_parked_while_its_endpoint_is_enabled_is_not_forgotten(already_disabled: bool) -> None:  # noqa: FBT001 - a parameter of the test
    world = World()
    aggregate, other = (a_journal(world, OUT, code=code) for code in ("RET-1", "RET-2"))
    answers(world, answer(410))
    if already_disabled:
        tell(world, other)

    def enabled_just_before(call: Call) -> None:
        if call.operation == "transact" and isinstance(call.arguments[0], Check):
            world.calls.before = no_faults
            register(world)

    world.calls.before = enabled_just_before
    assert tell(world, aggregate) == Later(world.clock())
    world.settle()

    assert world.heard("RET-1") == ["OUT_FOR_PICKUP"]


def test_a_worker_that_lost_its_lease_parks_nothing() -> None:
    world = World()
    aggregate = a_journal(world, OUT)

    def gone_after_a_replay(_: HttpRequest) -> Answer:
        world.core.cursors.replay(aggregate, "shop", after=0, last=1)
        return answer(410)

    answers(world, gone_after_a_replay)

    assert tell(world, aggregate) == Nothing("lease lost")


def parks(call: Call) -> bool:
    return call.operation == "transact" and isinstance(call.arguments[0], Check)


def test_parking_whose_reply_was_lost_is_parking() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(410))
    world.calls.plan = lambda call: Fault.REPLY_LOST if parks(call) else None

    with pytest.raises(TableUnavailableError):
        tell(world, aggregate)
    world.calls.plan = no_faults

    assert tell(world, aggregate) == Nothing("not due yet")
    assert len(attempts(world, aggregate)) == 1
    register(world)
    world.settle()
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP"]


# ── credentials of the client ───────────────────────────────────────────────────────


def a_world_behind_credentials(expected: str = "Bearer second") -> World:
    world = World()
    register(world, headers={"Authorization": "Bearer first"}, credential_url=f"{CREDENTIALS}?app=rms")
    world.receiver.set_endpoint("shop", expected_headers={"Authorization": expected})
    return world


def test_a_401_is_answered_with_headers_from_the_credential_api_once() -> None:
    world = a_world_behind_credentials()
    aggregate = a_journal(world, OUT, PICKED_UP)

    assert tell(world, aggregate) == Told()

    assert [request.headers["Authorization"] for request in sent(world)] == [
        "Bearer first",
        "Bearer second",
        "Bearer second",
    ]
    [call] = sent(world, CREDENTIALS)
    assert (call.method, call.body, dict(call.query)) == ("POST", None, {"app": "rms"})
    assert len(set(webhook_ids(sent(world)))) == 2
    assert len(attempts(world, aggregate)) == 2
    assert world.heard("RET-1") == ["OUT_FOR_PICKUP", "RETURN_PICKED_UP"]


def test_fetched_headers_are_kept_sealed_for_the_next_time() -> None:
    world = a_world_behind_credentials()
    tell(world, a_journal(world, OUT))

    assert "Bearer" not in str(world.table.rows())
    tell(world, a_journal(world, OUT, code="RET-2"))
    assert len(sent(world, CREDENTIALS)) == 1


def test_a_second_401_is_a_failure_like_any_other() -> None:
    world = a_world_behind_credentials()
    aggregate = a_journal(world, OUT)
    answers(world, then=lambda _: answer(401))

    assert tell(world, aggregate) == Later(world.clock() + timedelta(seconds=DELAYS[0]))

    assert len(sent(world)) == 2
    assert len(sent(world, CREDENTIALS)) == 1
    assert shown(world, aggregate)["waitingBecause"] == "answered 401: the credentials are not accepted"
    assert shown(world, aggregate)["failedTries"] == 1


@pytest.mark.parametrize(
    "said",
    [
        no_answer(),
        answer(500),
        answer(200, b"<html>"),
        answer(200, {"Authorization": 5}),
        answer(200, {}),
        answer(200, {"Content-Length": "0"}),
        answer(200, {f"X-{number}": "v" * 1000 for number in range(MAX_PLAIN_BYTES // 1000 + 1)}),
    ],
)
def test_a_credential_api_that_gives_nothing_usable_leaves_the_headers_as_they_are(said: Answer) -> None:
    world = a_world_behind_credentials()
    aggregate = a_journal(world, OUT)
    world.http.on(CREDENTIALS, lambda _: said)

    assert tell(world, aggregate) == Later(world.clock() + timedelta(seconds=DELAYS[0]))

    assert [request.headers["Authorization"] for request in sent(world)] == ["Bearer first"]


def test_without_a_credential_api_a_401_is_a_failure_like_any_other() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(401))

    assert tell(world, aggregate) == Later(world.clock() + timedelta(seconds=DELAYS[0]))
    assert len(sent(world, "https://")) == 1


def test_headers_that_another_delivery_has_fetched_meanwhile_are_taken_without_another_call() -> None:
    world = a_world_behind_credentials()
    first, second = (a_journal(world, OUT, code=code) for code in ("RET-1", "RET-2"))

    def while_another_is_told(request: HttpRequest) -> Answer:
        assert tell(world, second, core=world.another_environment()) == Told()
        return as_usual(world, request)

    answers(world, while_another_is_told)

    assert tell(world, first) == Told()
    assert tell(world, a_journal(world, OUT, code="RET-3")) == Told()
    assert len(sent(world, CREDENTIALS)) == 1


# ── secrets, switches, what is kept ─────────────────────────────────────────────────


def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_only() -> None:
    world = World()
    old = world.receiver._endpoints["shop"].secrets
    new = (rotate_endpoint_secret(world.core, CLIENT, "shop"),)
    world.receiver.set_endpoint("shop", secrets=())
    verdicts: list[tuple[Verification, Verification]] = []

    for wait in (timedelta(0), timedelta(hours=23, minutes=59), timedelta(minutes=2)):
        world.clock.advance(wait.total_seconds())
        tell(world, a_journal(world, OUT, code=f"RET-{len(verdicts)}"))
        request = sent(world)[-1]
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.body or b""
        verdicts.append((verify(old, headers, body, world.clock()), verify(new, headers, body, world.clock())))

    both, new_only = (Verification.VALID, Verification.VALID), (Verification.WRONG, Verification.VALID)
    assert verdicts == [both, both, new_only]


def test_a_client_that_lost_the_new_secret_and_rotates_again_still_knows_us_by_the_first() -> None:
    world = World()
    first = world.receiver._endpoints["shop"].secrets
    for _ in range(3):
        world.clock.advance(60)
        rotate_endpoint_secret(world.core, CLIENT, "shop")

    tell(world, a_journal(world, OUT))

    request = sent(world)[-1]
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert verify(first, headers, request.body or b"", world.clock()) is Verification.VALID
    assert headers["webhook-signature"].count("v1,") == 4


def test_a_rotation_without_an_overlap_ends_all_that_signed_before() -> None:
    world = World()
    rotate_endpoint_secret(world.core, CLIENT, "shop")
    rotate_endpoint_secret(world.core, CLIENT, "shop", timedelta(0))
    world.receiver.set_endpoint("shop", secrets=())

    tell(world, a_journal(world, OUT))

    assert sent(world)[-1].headers["webhook-signature"].count("v1,") == 1


def test_sequence_and_single_keys_of_the_metadata_can_be_switched_off() -> None:
    world = World()
    register(world, sequence=False, dropped_metadata=("Account Code",))
    aggregate = a_journal(world, OUT)
    happens(world, aggregate, IN_TRANSIT, {"metadata": {"Account Code": "lotus-main", "Remark": "left the hub"}})

    tell(world, aggregate)

    _, second = map(json_of, sent(world))
    assert "sequence" not in second
    assert second["logisticAggregatorInfo"] == {
        "logisticAggregatorName": "NONE",
        "logisticAggregatorMetaData": {"Remark": "left the hub"},
    }


def test_every_attempt_is_kept_with_status_latency_and_the_start_of_the_answer() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(500, b"x" * 5000), answer(200, "thank you ☺".encode()))
    tell(world, aggregate)
    world.settle()

    failed, delivered = attempts(world, aggregate)

    assert (failed["sequence"], failed["status"], failed["elapsed_ms"]) == (1, 500, 12)
    assert failed["outcome"] == "answered 500: fault at the receiver"
    assert failed["answer"] == "x" * ANSWER_KEPT
    assert (delivered["status"], delivered["outcome"], delivered["answer"]) == (200, "delivered", "thank you ☺")
    kept_for = timedelta(seconds=delivered["expires_at"]) - timedelta(seconds=world.clock().timestamp())
    assert abs(kept_for - timedelta(days=30)) < timedelta(minutes=2)


def test_an_answer_that_is_no_text_is_kept_all_the_same() -> None:
    world = World()
    aggregate = a_journal(world, OUT)
    answers(world, answer(200, b"\xff\x00" * 1000))

    assert tell(world, aggregate) == Told()
    assert attempts(world, aggregate)[0]["answer"] == "\ufffd\x00" * (ANSWER_KEPT // 2)


def test_headers_of_the_client_go_with_every_call() -> None:
    world = World()
    register(world, url=f"{HOOK}?from=rms", headers={"X-Shop": "lotus", "user-agent": "lotus/2"})
    tell(world, a_journal(world, OUT))

    [request] = sent(world)
    assert (request.url, dict(request.query)) == (HOOK, {"from": "rms"})
    assert (request.headers["X-Shop"], request.headers["user-agent"]) == ("lotus", "lotus/2")
    assert request.headers["Content-Type"] == "application/json"
    assert request.trusted is False
    assert json.loads(request.body or b"")["notificationType"] == "OUT_FOR_PICKUP"
