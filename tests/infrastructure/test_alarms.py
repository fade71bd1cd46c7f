"""Alarms: one for everything that waits for a person, on metrics that exist, each explained in the guide."""

import ast
import re
from typing import Any, Final

import pytest

from tests.infrastructure.imports import core_modules
from tests.infrastructure.stack import ROOT, of_type, routes, target
from tests.template import QUEUE_IDS, resolved, template

ALARMS: Final = of_type("AWS::CloudWatch::Alarm")
GUIDE: Final = (ROOT / "docs" / "operations.md").read_text()

WAITS_FOR_A_PERSON: Final = {
    "HeldBookingAlarm": "BookingHeld",
    "HeldCancellationAlarm": "CancellationHeld",
    "HeldWriteBackAlarm": "WriteBackHeld",
    "WriteBackOffAlarm": "WriteBackTurnedOff",
    "HeldExchangeAlarm": "ExchangeHeld",
    "StalledCursorAlarm": "CursorStalled",
    "EndpointDisabledAlarm": "EndpointDisabled",
    "ConfigurationRefusalAlarm": "BookingRefusedByConfiguration",
    "UnmatchedUpdateAlarm": "UnmatchedUpdate",
    "WebhookRefusedAlarm": "WebhookUnauthorized",
}

AWS_METRICS: Final = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/ApiGateway", "5XXError"): {"ApiName", "Stage"},
    ("AWS/Lambda", "Invocations"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
}
"""Metrics of AWS's own that alarms look at, with the dimensions under which they are published."""


def _counted() -> set[str]:
    """Every metric that the code counts."""
    names = set()
    for module in core_modules().values():
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name(id="count"), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
                case ast.Call(func=ast.Name(id="count")) if module.name != "rms.platform.observability":
                    raise AssertionError(f"{module.name} counts something without a fixed name")
    return names


def _dimensions(alarm: Any) -> dict[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_looks_at_a_metric_that_is_published(name: str) -> None:
    alarm = ALARMS[name]

    if alarm["Namespace"] == "RMS":
        assert alarm["MetricName"] in _counted()
        assert _dimensions(alarm) == {"service": "rms"}
    else:
        assert set(_dimensions(alarm)) == AWS_METRICS[alarm["Namespace"], alarm["MetricName"]]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_says_what_it_means_and_rings_at_the_topic_if_there_is_one(name: str) -> None:
    actions = template()["Resources"][name]["Properties"]["AlarmActions"]

    assert len(ALARMS[name]["AlarmDescription"]) > 10
    assert ALARMS[name]["TreatMissingData"] in {"breaching", "notBreaching"}
    assert resolved([actions], template(), {"AlarmTopicArn": "arn:topic"}) == [["arn:topic"]]
    assert resolved([actions], template(), {"AlarmTopicArn": ""}) == []


@pytest.mark.parametrize("queue", sorted(QUEUE_IDS.values()))
def test_a_dead_letter_and_a_queue_that_is_late_ring(queue: str) -> None:
    dead, age = ALARMS[f"{queue}DeadAlarm"], ALARMS[f"{queue}AgeAlarm"]

    assert target(_dimensions(dead)["QueueName"]) == f"{queue}Dead"
    assert (dead["MetricName"], dead["Threshold"], dead["EvaluationPeriods"]) == (
        "ApproximateNumberOfMessagesVisible",
        0,
        1,
    )
    assert target(_dimensions(age)["QueueName"]) == queue
    assert age["MetricName"] == "ApproximateAgeOfOldestMessage"


@pytest.mark.parametrize("name", sorted(WAITS_FOR_A_PERSON))
def test_what_waits_for_a_person_rings_within_a_minute(name: str) -> None:
    alarm = ALARMS[name]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("RMS", WAITS_FOR_A_PERSON[name])
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)


def test_a_sweeper_that_does_not_run_rings_although_nothing_is_published_then() -> None:
    missing, failing = ALARMS["SweeperAlarm"], ALARMS["SweeperFaultAlarm"]

    assert missing["TreatMissingData"] == "breaching"
    assert missing["ComparisonOperator"] == "LessThanThreshold"
    assert (
        target(_dimensions(missing)["FunctionName"]) == target(_dimensions(failing)["FunctionName"]) == "SweepDueWork"
    )


def test_the_api_alarm_looks_at_this_api_under_the_name_that_sam_gives_it() -> None:
    [api] = of_type("AWS::ApiGateway::RestApi").values()

    assert routes()
    assert _dimensions(ALARMS["ApiFaultAlarm"])["ApiName"] == api["Body"]["info"]["title"]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_the_guide_has_a_paragraph_for_the_alarm(name: str) -> None:
    [paragraph] = re.findall(rf"^### `{name}`\n\n(.+?)(?=\n#|\Z)", GUIDE, re.MULTILINE | re.DOTALL)

    for part in ("**Means**", "**Look**", "**Do**"):
        assert part in paragraph


def test_the_guide_explains_no_alarm_that_is_gone() -> None:
    assert set(re.findall(r"^### `(\w+Alarm)`$", GUIDE, re.MULTILINE)) == set(ALARMS)


def test_the_guide_explains_every_metric_that_is_counted() -> None:
    assert [name for name in sorted(_counted()) if f"`{name}`" not in GUIDE] == []
