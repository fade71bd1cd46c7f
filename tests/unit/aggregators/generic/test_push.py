"""Push Notification: what is refused with a 400, and what becomes an event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.aggregators.contract import ShipmentUpdate, UnreadableWebhookError
from rms.aggregators.generic import GenericAggregator, problems_with
from rms.model.notification_type import ALIASES, NotificationType

RECEIVED_AT = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)
BACK = {"returnOrderId": "RET-1", "returnAwb": "R-1", "carrierName": "Fast"}


def a_push(**changes: Any) -> dict[str, Any]:
    return {
        "forwardOrderCode": "SO-1",
        "forwardAwb": "F-1",
        "notificationType": "IN_TRANSIT",
        "shipmentType": "FORWARD",
        "logisticAggregatorName": "TREE",
        "returnOrderInfo": None,
        **changes,
    }


def a_return_push(**changes: Any) -> dict[str, Any]:
    return a_push(shipmentType="RETURN", returnOrderInfo=BACK, **changes)


def read(body: object, name: str = "TREE") -> ShipmentUpdate:
    (update,) = GenericAggregator(name).read_webhook(json.dumps(body).encode(), RECEIVED_AT)
    return update


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"forwardOrderCode": None}, "forwardOrderCode: may not be null"),
        ({"notificationType": " "}, "notificationType: may not be empty"),
        ({"logisticAggregatorName": {}}, "logisticAggregatorName: may not be empty"),
        ({"forwardOrderCode": "x" * 256}, "forwardOrderCode: must have at most 255 characters"),
        ({"forwardAwb": "x" * 101}, "forwardAwb: must have at most 100 characters"),
        ({"shipmentType": None}, "shipmentType: may not be null"),
        ({"shipmentType": "SIDEWAYS"}, "shipmentType: must be FORWARD or RETURN"),
        ({"returnOrderInfo": BACK}, "returnOrderInfo: must be null when shipmentType is FORWARD"),
        ({"shipmentType": "RETURN"}, "returnOrderInfo: may not be null when shipmentType is RETURN"),
        ({"shipmentType": "RETURN", "returnOrderInfo": "RET-1"}, "returnOrderInfo: must be an object"),
        (
            {"shipmentType": "RETURN", "returnOrderInfo": {**BACK, "returnAwb": ""}},
            "returnOrderInfo.returnAwb: may not be empty",
        ),
        ({"items": {"sku": "S"}}, "items: must be a list"),
        ({"items": [{"sku": "S", "quantity": 0}]}, "items[0].quantity: must be an integer of at least 1"),
        ({"lineItems": [{"quantity": 1}]}, "lineItems[0].sku: may not be null"),
    ],
)
def test_a_body_that_breaks_a_rule_is_named_with_its_field(change: Mapping[str, Any], problem: str) -> None:
    body = a_push(**change)

    assert problems_with(body) == [problem]
    with pytest.raises(UnreadableWebhookError) as caught:
        read(body)
    assert str(caught.value) == problem


def test_all_problems_are_named_at_once() -> None:
    assert len(problems_with({})) == 4
    assert problems_with([]) == ["body: must be an object"]


@pytest.mark.parametrize(
    "body",
    [
        a_push(),
        a_push(returnOrderInfo={}),
        a_push(returnOrderInfo={"returnOrderId": None, "returnAwb": None}),
        a_push(forwardOrderCode=17, items=None, lineItems=[{"sku": 8, "quantity": "2"}]),
        a_push(items=[{"sku": "S", "quantity": 1}], lineItems="ignored, because items wins"),
        a_return_push(forwardAwb=None, extra={"deep": [1]}),
    ],
)
def test_what_the_contract_allows_is_taken(body: object) -> None:
    assert problems_with(body) == []


@pytest.mark.parametrize("name", [*sorted(set(NotificationType) - {NotificationType.INVOICE_GENERATED}), *ALIASES])
def test_every_name_and_alias_is_read_in_any_case_with_spaces_or_hyphens(name: str) -> None:
    spelled = {read(a_push(notificationType=each)).scan.when_forward for each in (name, name.lower(), name.title())}
    spaced = {read(a_push(notificationType=name.replace("_", each))).scan.when_forward for each in " -"}

    assert spelled == spaced == {ALIASES.get(name) or NotificationType(name)}


def test_an_invoice_is_not_an_aggregators_news_and_kept_as_it_was_told() -> None:
    update = read(a_push(notificationType="invoice generated"))

    assert update.scan.when_forward is update.scan.when_return is NotificationType.OTHER
    assert (update.scan.raw.code, update.metadata["Status"]) == ("invoice generated", "invoice generated")


def test_it_happened_when_it_came_because_no_time_is_told() -> None:
    assert read(a_push()).scan.occurred_at == RECEIVED_AT


def test_a_repeat_of_a_type_for_an_awb_is_the_same_event_whatever_else_it_tells() -> None:
    same = {
        read(a_push()).event_id,
        read(a_push(notificationType="in transit", carrierName="Other", items=[{"sku": "S", "quantity": 1}])).event_id,
        read(a_push(forwardOrderCode="SO-2")).event_id,
    }
    aliases = {read(a_return_push(notificationType=each)).event_id for each in ("RETURN_PICKUP", "return-picked-up")}

    assert len(same) == len(aliases) == 1


def test_another_type_parcel_direction_or_aggregator_is_another_event() -> None:
    events = [
        read(a_push()).event_id,
        read(a_push(notificationType="DELIVERED")).event_id,
        read(a_push(notificationType="Held at gate")).event_id,
        read(a_push(notificationType="Held at dock")).event_id,
        read(a_push(forwardAwb="F-2")).event_id,
        read(a_push(forwardAwb=None)).event_id,
        read(a_push(forwardAwb=None, forwardShipmentCode="2")).event_id,
        read(a_return_push()).event_id,
        read(a_push(logisticAggregatorName="SHRUB"), "SHRUB").event_id,
    ]

    assert len(set(events)) == len(events)


def test_another_aggregators_push_is_not_read() -> None:
    with pytest.raises(UnreadableWebhookError, match="logisticAggregatorName"):
        read(a_push(logisticAggregatorName="SHRUB"))


def test_the_couriers_of_both_directions_are_told_apart() -> None:
    assert read(a_push(carrierName="Out")).courier == "Out"
    assert read(a_return_push(carrierName="Out")).courier == "Fast"
