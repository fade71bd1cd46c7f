"""What the adapter makes of DynamoDB's answers that no emulator gives at will."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from rms.platform.dynamodb import DynamoTable
from rms.platform.table import (
    EXISTING,
    NEW,
    Check,
    ConditionFailedError,
    Key,
    Put,
    TableContendedError,
    TableUnavailableError,
    Update,
    Write,
)

KEY = Key("P", "S")
PUT = Put(KEY, {"fence": 1}, NEW)
TWO: list[Write] = [PUT, Check(Key("P", "T"), EXISTING)]
ROW = {"PK": {"S": "P"}, "SK": {"S": "S"}, "fence": {"N": "1"}}


class ScriptedClient:
    """Answers calls one after the other with what it was given, the last one for ever."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**request: Any) -> dict[str, Any]:
            self.requests.append((operation, request))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Waits(list[float]):
    """The pauses that were made, none of them in real time."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def _table(*answers: dict[str, Any] | Exception) -> tuple[DynamoTable, ScriptedClient, Waits]:
    client, waits = ScriptedClient(*answers), Waits()
    anything: Any = client
    return DynamoTable(anything, "rms", sleep=waits, jitter=lambda: 0.5), client, waits


def _error(code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "in words"}, **more}
    return ClientError(response, "Operation")


def _cancelled(*codes: str | tuple[str, dict[str, Any]]) -> ClientError:
    reasons = [{"Code": code} if isinstance(code, str) else {"Code": code[0], "Item": code[1]} for code in codes]
    return _error("TransactionCanceledException", CancellationReasons=reasons)


def test_rows_held_by_another_transaction_are_tried_again_with_jitter() -> None:
    table, client, waits = _table(_cancelled("TransactionConflict", "None"), _cancelled("None", "ThrottlingError"), {})

    table.transact(TWO)

    assert len(client.requests) == 3
    assert waits == [0.0125, 0.025]


def test_each_own_attempt_has_a_token_of_its_own() -> None:
    table, client, _ = _table(_cancelled("TransactionConflict", "None"), {})

    table.transact(TWO)

    assert len({request["ClientRequestToken"] for _, request in client.requests}) == 2


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_rows_that_stay_held_are_contended(code: str) -> None:
    table, client, waits = _table(_cancelled("None", code))

    with pytest.raises(TableContendedError):
        table.transact(TWO)

    assert len(client.requests) == 5
    assert sum(waits) < 0.4


def test_a_single_write_waits_for_a_transaction_too() -> None:
    table, client, _ = _table(_error("TransactionConflictException"), {})
    assert table.write(PUT) == {"PK": "P", "SK": "S", "fence": 1}
    assert len(client.requests) == 2

    table, _, _ = _table(_error("TransactionConflictException"))
    with pytest.raises(TableContendedError):
        table.write(PUT)


def test_an_answer_that_leaves_rows_unjudged_is_asked_for_again() -> None:
    table, _, _ = _table(
        _cancelled("ConditionalCheckFailed", "TransactionConflict"),
        _cancelled(("ConditionalCheckFailed", ROW), "ConditionalCheckFailed"),
    )

    with pytest.raises(ConditionFailedError) as failed:
        table.transact(TWO)

    assert [refusal.index for refusal in failed.value.refusals] == [0, 1]


def test_refusals_are_certain_even_if_other_rows_stay_unjudged() -> None:
    table, client, _ = _table(_cancelled(("ConditionalCheckFailed", ROW), "TransactionConflict"))

    with pytest.raises(ConditionFailedError) as failed:
        table.transact(TWO)

    assert failed.value.current(0) == {"PK": "P", "SK": "S", "fence": 1}
    assert not failed.value.refused(1)
    assert len(client.requests) == 5


def test_a_transaction_that_stays_in_progress_may_yet_happen() -> None:
    table, client, _ = _table(_error("TransactionInProgressException"))

    with pytest.raises(TableUnavailableError, match="in progress"):
        table.transact(TWO)

    assert len(client.requests) == 5


@pytest.mark.parametrize(
    "fault",
    [
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        _error("InternalServerError"),
        _error("ThrottlingException"),
        _error("ProvisionedThroughputExceededException"),
        _error("AccessDeniedException"),
        _error("ResourceNotFoundException"),
        _cancelled("AccessDenied", "None"),
    ],
    ids=str,
)
def test_every_other_fault_is_a_table_that_is_not_available(fault: Exception) -> None:
    table, _, _ = _table(fault)

    for attempt in (
        lambda: table.get(KEY),
        lambda: table.get_many([KEY]),
        lambda: table.query("P"),
        lambda: table.query_due("P", until="9"),
        lambda: table.query_listing("P"),
        lambda: table.write(PUT),
        lambda: table.transact(TWO),
    ):
        with pytest.raises(TableUnavailableError):
            attempt()


@pytest.mark.parametrize("fault", [_error("ValidationException"), _cancelled("ValidationError", "None")], ids=str)
def test_what_can_never_succeed_is_a_value_error(fault: Exception) -> None:
    table, client, _ = _table(fault)

    with pytest.raises(ValueError, match="for good"):
        table.transact(TWO)

    assert len(client.requests) == 1


def test_rows_left_unread_are_asked_for_again() -> None:
    other = {"PK": {"S": "P"}, "SK": {"S": "T"}}
    table, client, waits = _table(
        {"Responses": {"rms": [ROW]}, "UnprocessedKeys": {"rms": {"Keys": [other]}}},
        {"Responses": {"rms": [other]}, "UnprocessedKeys": {}},
    )

    found = table.get_many([KEY, Key("P", "T")])

    assert set(found) == {KEY, Key("P", "T")}
    assert client.requests[1][1]["RequestItems"]["rms"] == {"Keys": [other], "ConsistentRead": True}
    assert len(waits) == 1


def test_rows_that_stay_unread_are_not_taken_for_absent() -> None:
    key = {"PK": {"S": "P"}, "SK": {"S": "S"}}
    table, client, _ = _table({"Responses": {}, "UnprocessedKeys": {"rms": {"Keys": [key]}}})

    with pytest.raises(TableUnavailableError, match="unread"):
        table.get_many([KEY])

    assert len(client.requests) == 5


def test_every_row_is_read_consistently_and_every_refusal_brings_its_row() -> None:
    table, client, _ = _table({"Items": [], "Responses": {}})
    table.get(KEY)
    table.query("P")
    table.write(PUT)
    table.write(Update(KEY, EXISTING, set={"x": 1}))
    table.transact(TWO)

    requests = dict(client.requests)
    assert requests["get_item"]["ConsistentRead"] is True
    assert requests["query"]["ConsistentRead"] is True
    singles = [requests["put_item"], requests["update_item"]]
    transacted = [write for item in requests["transact_write_items"]["TransactItems"] for write in item.values()]
    assert all(write["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" for write in singles + transacted)


def test_a_transaction_of_one_costs_one_write() -> None:
    table, client, _ = _table({})

    table.transact([PUT])

    assert [operation for operation, _ in client.requests] == ["put_item"]


def test_a_page_that_dynamodb_cut_short_continues() -> None:
    table, _, _ = _table({"Items": [ROW], "LastEvaluatedKey": {"PK": {"S": "P"}, "SK": {"S": "S"}}})

    first = table.query("P", limit=10)

    assert first.next is not None
    assert len(first.items) == 1


def test_importing_the_adapter_loads_no_client_code() -> None:
    code = (
        "import sys, rms.platform.dynamodb, rms.platform.sqs, rms.platform.kms\n"
        "print([name for name in ('boto3', 'botocore.session', 'botocore.client') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert done.stdout.strip() == "[]"
