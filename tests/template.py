"""The table and the queues of template.yaml, so that tests run on what is deployed and not on a copy of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import yaml

from rms.platform.queues import QueueName

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"

QUEUE_IDS: Final[Mapping[QueueName, str]] = {name: str(name).capitalize() for name in get_args(QueueName.__value__)}
"""The port's queue names and their logical ids: `inbound` is the resource `Inbound`."""

_TABLE_PROPERTIES: Final = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "BillingMode",
)
_LOCAL_PARAMETERS: Final = {"Stage": "local"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is read as {"Ref": "X"}, `!Sub x` as {"Fn::Sub": "x"}."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    content: object
    match node:
        case yaml.ScalarNode():
            content = loader.construct_scalar(node)
        case yaml.SequenceNode():
            content = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            content = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(content, str):
        content = content.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": content}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as the template says: attributes for `create_queue`, and where messages end after how many receives."""

    attributes: Mapping[str, str]
    dead_letter_id: str | None = None
    max_receives: int | None = None


@cache
def template() -> Mapping[str, Any]:
    """The whole template, short forms written out, nothing resolved."""
    return parsed(TEMPLATE.read_text())


def parsed(text: str) -> Mapping[str, Any]:
    """A template's text as data."""
    content = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    assert isinstance(content, dict)
    return content


def resolved(value: Any, source: Mapping[str, Any], parameters: Mapping[str, str] = _LOCAL_PARAMETERS) -> Any:
    """A value of the template with parameters and conditions put in.

    What only a deployment knows (`GetAtt`, a `Ref` to a resource) stays as it is.
    """
    match value:
        case {"Ref": str(name)} if name in source.get("Parameters", {}):
            return parameters.get(name, source["Parameters"][name].get("Default"))
        case {"Fn::If": [condition, yes, no]}:
            chosen = yes if _true(source["Conditions"][condition], source, parameters) else no
            return resolved(chosen, source, parameters)
        case dict():
            inner = {name: resolved(part, source, parameters) for name, part in value.items()}
            return {name: part for name, part in inner.items() if part != {"Ref": "AWS::NoValue"}}
        case list():
            parts = [resolved(part, source, parameters) for part in value]
            return [part for part in parts if part != {"Ref": "AWS::NoValue"}]
        case _:
            return value


def _true(condition: Any, source: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    match condition:
        case {"Fn::Equals": [left, right]}:
            return bool(resolved(left, source, parameters) == resolved(right, source, parameters))
        case {"Fn::Not": [inner]}:
            return not _true(inner, source, parameters)
        case {"Fn::And": [*inner]}:
            return all(_true(one, source, parameters) for one in inner)
        case {"Fn::Or": [*inner]}:
            return any(_true(one, source, parameters) for one in inner)
        case {"Condition": str(name)}:
            return _true(source["Conditions"][name], source, parameters)
    raise AssertionError(f"not a condition: {condition}")


def table_definition(
    table_name: str, logical_id: str = "State", source: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Arguments of `create_table` for the template's table."""
    source = source or template()
    properties = resolved(source["Resources"][logical_id]["Properties"], source)
    return {"TableName": table_name} | {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}


def ttl_attribute(logical_id: str = "State", source: Mapping[str, Any] | None = None) -> str:
    """The attribute whose time DynamoDB removes rows by."""
    source = source or template()
    return str(source["Resources"][logical_id]["Properties"]["TimeToLiveSpecification"]["AttributeName"])


def queue_definitions(source: Mapping[str, Any] | None = None) -> Mapping[str, Queue]:
    """Every queue of the template by logical id."""
    source = source or template()
    return {
        logical_id: _queue(resolved(resource.get("Properties", {}), source))
        for logical_id, resource in source["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }


def _queue(properties: Mapping[str, Any]) -> Queue:
    attributes = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in properties.items()
        if name not in {"QueueName", "RedrivePolicy", "Tags"}
    }
    match properties.get("RedrivePolicy"):
        case {"deadLetterTargetArn": {"Fn::GetAtt": [str(dead), "Arn"]}, "maxReceiveCount": count}:
            return Queue(attributes, dead, int(count))
    return Queue(attributes)


def create_table(client: "DynamoDBClient", table_name: str) -> None:
    """Create the template's table under this name and wait until it can be used."""
    client.create_table(**table_definition(table_name))
    client.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def create_queues(client: "SQSClient", prefix: str) -> Mapping[str, str]:
    """Create the template's queues, dead-letter queues first; answers URLs by logical id."""
    queues = queue_definitions()
    urls: dict[str, str] = {}
    for logical_id, queue in sorted(queues.items(), key=lambda named: named[1].dead_letter_id is not None):
        attributes = dict(queue.attributes)
        if queue.dead_letter_id is not None:
            dead = client.get_queue_attributes(QueueUrl=urls[queue.dead_letter_id], AttributeNames=["QueueArn"])
            attributes["RedrivePolicy"] = (
                f'{{"deadLetterTargetArn":"{dead["Attributes"]["QueueArn"]}","maxReceiveCount":{queue.max_receives}}}'
            )
        created = client.create_queue(QueueName=f"{prefix}-{logical_id}", Attributes=attributes)  # type: ignore[arg-type]  # names from the template
        urls[logical_id] = created["QueueUrl"]
    return urls


def port_urls(urls: Mapping[str, str]) -> Mapping[QueueName, str]:
    """URLs by the port's queue names, out of URLs by logical id."""
    return {name: urls[logical_id] for name, logical_id in QUEUE_IDS.items()}
