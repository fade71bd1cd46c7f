"""What each function may do: what it needs in the flows, written by hand, and nothing besides."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.fakes.calls import Call
from tests.infrastructure.stack import as_list, folder_of, functions, of_type, target
from tests.infrastructure.usage import Use, used, uses_of

NAMES: Final = sorted(functions())

ACTIONS: Final = {
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:ConditionCheckItem",
    "sqs:SendMessage",
    "kms:Encrypt",
    "kms:Decrypt",
    "s3:PutObject",
    "s3:GetObject",
}

EXPLAINED: Final[Mapping[str, Mapping[Use, str]]] = {}
"""Permissions that no flow uses, by folder, each with its reason."""


def _role(name: str) -> Any:
    return of_type("AWS::IAM::Role")[f"{name}Role"]


def _statements(name: str) -> list[Any]:
    return [statement for policy in _role(name)["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def _granted(name: str) -> set[Use]:
    return {
        (action, target(resource))
        for statement in _statements(name)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


@pytest.mark.parametrize("name", NAMES)
def test_statements_name_their_actions_and_resources(name: str) -> None:
    statements = _statements(name)

    assert statements
    for statement in statements:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        assert set(as_list(statement["Action"])) <= ACTIONS
    named = [[statement["Action"], statement["Resource"]] for statement in statements]
    # Files are named by whoever keeps them: a statement can only say of which bucket they are.
    assert "*" not in str(named).replace("${Labels.Arn}/*", "${Labels.Arn}")


@pytest.mark.parametrize("name", NAMES)
def test_a_function_needs_everything_it_may_do(name: str) -> None:
    folder = folder_of(name)

    assert _granted(name) - used()[folder] == set(EXPLAINED.get(folder, {}))


@pytest.mark.parametrize("name", NAMES)
def test_a_function_may_do_everything_it_needs(name: str) -> None:
    assert used()[folder_of(name)] - _granted(name) == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_sam_adds_is_logs_traces_and_the_queue_that_calls(name: str) -> None:
    expected = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}
    if any(target(each["FunctionName"]) == name for each in of_type("AWS::Lambda::EventSourceMapping").values()):
        expected.add("AWSLambdaSQSQueueExecutionRole")

    assert {arn.rpartition("/")[2] for arn in _role(name)["ManagedPolicyArns"]} == expected


def test_each_function_has_a_role_of_its_own() -> None:
    roles = [target(function["Role"]) for function in functions().values()]

    assert sorted(roles) == sorted({f"{name}Role" for name in NAMES})


def test_nobody_may_scan_the_table() -> None:
    assert "Scan" not in str([_statements(name) for name in NAMES])


def test_a_call_that_nobody_mapped_to_a_permission_is_noticed() -> None:
    with pytest.raises(AssertionError, match="do not know"):
        uses_of(Call(1, "mailbox", "send", ()))
