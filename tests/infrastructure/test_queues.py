"""Queues and their consumers: nothing is dropped, nothing is worked twice at once, nothing waits for a batch-mate."""

from math import ceil
from typing import Any, Final

import pytest

from rms import composition
from rms.aggregators.clickpost.booking import TOTAL_SECONDS
from rms.journal.cursors import LEASE
from rms.journal.journal import ROUNDS
from rms.notifications.delivery import ENOUGH_TIME
from rms.platform.http import HttpRequest
from rms.platform.queues import FAIR_BY
from rms.shipments import watching
from rms.shipments.booking import SETTLE
from rms.shipments.confirming import ENOUGH_TIME as CONFIRMING
from tests.infrastructure.stack import FUNCTIONS, folder_of, functions, of_type, target
from tests.template import QUEUE_IDS

TWO_WEEKS: Final = 14 * 24 * 3600
QUEUES: Final = sorted(QUEUE_IDS.values())
AWS_SECONDS: Final = 3.0
"""What a message's calls to DynamoDB, SQS and KMS take together on a bad day, retries included."""

PER_MESSAGE: Final = {
    # An append that is beaten to its place in every round waits 10 ms longer on average each time, up to 100 ms.
    # What nothing proves is confirmed by tracking before.
    "RecordShipmentEvents": sum(0.01 * min(number, 10) for number in range(1, ROUNDS + 1))
    + 0.5
    + CONFIRMING.total_seconds(),
    # The look-up, and the call where nothing was found.
    "BookShipments": 2 * TOTAL_SECONDS + AWS_SECONDS,
    # Sends for so long, and the last one may need the notification, fresh headers and the notification once more.
    "DeliverNotifications": ENOUGH_TIME.total_seconds() + 3 * HttpRequest("POST", "").total_seconds + AWS_SECONDS,
}
"""Seconds that the worst message takes."""

AT_ONCE: Final = {"DeliverNotifications": composition.AT_ONCE}
"""How many messages of a batch are worked at the same time; elsewhere in turn."""


def _sources() -> dict[str, Any]:
    """The SQS sources by their queue."""
    return {target(source["EventSourceArn"]): source for source in of_type("AWS::Lambda::EventSourceMapping").values()}


def test_each_queue_of_the_port_has_one_consumer() -> None:
    assert sorted(_sources()) == QUEUES


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_stays_hidden_for_six_times_its_consumers_time_out(queue: str) -> None:
    consumer = functions()[target(_sources()[queue]["FunctionName"])]

    assert of_type("AWS::SQS::Queue")[queue]["VisibilityTimeout"] >= 6 * consumer["Timeout"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_is_tried_five_times_and_then_kept_whole_for_two_weeks(queue: str) -> None:
    queues = of_type("AWS::SQS::Queue")
    redrive = queues[queue]["RedrivePolicy"]
    dead = queues[target(redrive["deadLetterTargetArn"])]

    assert target(redrive["deadLetterTargetArn"]) == f"{queue}Dead"
    assert redrive["maxReceiveCount"] >= 5
    assert dead["MessageRetentionPeriod"] == TWO_WEEKS
    # Time spent in the first queue counts: a shorter life there leaves room to be dead in.
    assert queues[queue]["MessageRetentionPeriod"] <= TWO_WEEKS
    assert dead.get("MaximumMessageSize") == queues[queue].get("MaximumMessageSize")


@pytest.mark.parametrize("queue", sorted(of_type("AWS::SQS::Queue")))
def test_messages_are_encrypted_at_rest(queue: str) -> None:
    assert of_type("AWS::SQS::Queue")[queue]["SqsManagedSseEnabled"] is True


def test_the_largest_webhook_fits_into_its_queue() -> None:
    largest = 256 * 1024 * 4 // 3 + 1024  # base64, and the envelope

    assert of_type("AWS::SQS::Queue")["Inbound"]["MaximumMessageSize"] >= largest


@pytest.mark.parametrize("queue", QUEUES)
def test_a_failed_message_takes_no_other_with_it(queue: str) -> None:
    assert _sources()[queue]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_batch_of_the_worst_messages_ends_before_the_time_out(queue: str) -> None:
    source = _sources()[queue]
    consumer = target(source["FunctionName"])

    rounds = ceil(source["BatchSize"] / AT_ONCE.get(consumer, 1))
    assert rounds * PER_MESSAGE[consumer] < functions()[consumer]["Timeout"]


@pytest.mark.parametrize("queue", QUEUES)
def test_no_message_waits_for_a_batch_to_be_full(queue: str) -> None:
    assert "MaximumBatchingWindowInSeconds" not in _sources()[queue]


def test_messages_are_worked_at_the_same_time_where_a_batch_says_so_and_as_many_as_it_has() -> None:
    sources = {target(source["FunctionName"]): source for source in _sources().values()}
    codes = {name: (FUNCTIONS / folder_of(name) / "app.py").read_text() for name in sources}

    assert {name for name, code in codes.items() if "at_once=" in code} == set(AT_ONCE)
    assert {name: sources[name]["BatchSize"] for name in AT_ONCE} == AT_ONCE


def test_fair_queues_are_standard_queues() -> None:
    for queue in FAIR_BY:
        assert "FifoQueue" not in of_type("AWS::SQS::Queue")[QUEUE_IDS[queue]]


def test_creating_a_return_ends_before_the_gateway_gives_up() -> None:
    assert functions()["CreateReturn"]["Timeout"] > TOTAL_SECONDS + AWS_SECONDS


def test_a_lease_and_a_claim_outlive_whoever_holds_them() -> None:
    assert LEASE.total_seconds() > functions()["DeliverNotifications"]["Timeout"]
    for name in ("BookShipments", "CreateReturn"):
        assert SETTLE.total_seconds() > functions()[name]["Timeout"]


def test_no_consumer_takes_the_whole_account() -> None:
    for source in _sources().values():
        assert 2 <= source["ScalingConfig"]["MaximumConcurrency"] <= 100


def test_the_sweeper_runs_every_minute_and_never_beside_itself() -> None:
    assert _rates()["SweepDueWork"] == "rate(1 minute)"
    assert functions()["SweepDueWork"]["Timeout"] < 60


def test_silent_parcels_are_looked_for_every_quarter_of_an_hour_by_one_run_at_a_time() -> None:
    """The lease of a run that died has run out before the next; one that lives ends before it is cut off."""
    timeout = functions()["TrackSilentShipments"]["Timeout"]

    assert _rates()["TrackSilentShipments"] == "rate(15 minutes)"
    assert (watching.BUDGET + watching.TO_FINISH).total_seconds() < timeout < watching.LEASE.total_seconds() < 15 * 60


def test_nothing_else_runs_by_the_clock() -> None:
    assert set(_rates()) == {"SweepDueWork", "TrackSilentShipments"}


def _rates() -> dict[str, str]:
    """The schedule of every function that has one."""
    rules = of_type("AWS::Events::Rule").values()
    return {target(each["Arn"]): rule["ScheduleExpression"] for rule in rules for each in rule["Targets"]}


def test_queue_workers_use_the_wrapper_that_gives_failures_back_by_name() -> None:
    for source in _sources().values():
        code = (FUNCTIONS / folder_of(target(source["FunctionName"])) / "app.py").read_text()
        assert "handler = queue_worker(core," in code
