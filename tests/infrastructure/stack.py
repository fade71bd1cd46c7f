"""The template as CloudFormation gets it: transformed by SAM's own translator, in process, with nothing deployed."""

import copy
import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

from tests.template import resolved, template

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = ROOT / "functions"
PARAMETERS: Final = {"Stage": "prod", "AlarmTopicArn": "arn:aws:sns:ap-south-1:000000000000:alarms"}

type Resource = Mapping[str, Any]


@cache
def transformed() -> Mapping[str, Resource]:
    """Every resource of the stack, by logical id; intrinsic functions stay as they are."""
    from samtranslator.translator.transform import transform  # type: ignore[import-untyped]  # it has no types

    source = copy.deepcopy(dict(template()))
    for resource in source["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in resource["Properties"]:  # what `sam package` puts there
                resource["Properties"][place] = "s3://artifacts/code"
    defaults = {name: str(parameter["Default"]) for name, parameter in source["Parameters"].items()}
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "ap-south-1"}):
        answer = transform(source, {**defaults, **PARAMETERS}, _ManagedPolicies())
    resources = answer["Resources"]
    assert isinstance(resources, dict)
    return resources


def of_type(kind: str) -> dict[str, Any]:
    """The properties of every resource of a type, by logical id, parameters and conditions put in."""
    return {
        logical_id: resolved(resource.get("Properties", {}), template(), {**PARAMETERS})
        for logical_id, resource in transformed().items()
        if resource["Type"] == kind
    }


def functions() -> dict[str, Any]:
    """Every function's properties, by logical id."""
    return of_type("AWS::Lambda::Function")


def folder_of(function: str) -> str:
    """The folder of a function: `CreateReturn` lives in `create_return`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function).removeprefix("_")


def routes() -> dict[tuple[str, str], Any]:
    """Every route of the API by path and method."""
    [api] = of_type("AWS::ApiGateway::RestApi").values()
    return {
        (path, method): route for path, methods in api["Body"]["paths"].items() for method, route in methods.items()
    }


def api_functions() -> set[str]:
    """The functions that the API waits for: those behind a route, and the authorizer."""
    behind = {
        route["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].rpartition("{")[2].partition(".")[0]
        for route in routes().values()
    }
    return behind | {"Authorize"}


def target(value: Any) -> str:
    """The logical id that a `Ref` or an `Arn` leads to; with its index, for an index of the table."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)} if text.startswith("${State.Arn}/index/"):
            return text.replace("${State.Arn}", "State")
        case {"Fn::Sub": "${Labels.Arn}/*"}:  # its files, which have no other common name
            return "Labels"
    raise AssertionError(f"leads nowhere that the tests know: {value}")


def as_list(value: Any) -> list[Any]:
    """What IAM lets stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


class _ManagedPolicies:
    """What SAM otherwise asks IAM for."""

    def load(self) -> Mapping[str, str]:
        return {}
