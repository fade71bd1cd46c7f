from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from rms.platform.queues import QueueName, QueueUnavailableError
from rms.platform.sqs import SqsQueues


class ScriptedSqs:
    """Takes batches; refuses entries as scripted, by message body, once per script entry."""

    def __init__(self, *script: dict[str, bool] | Exception) -> None:
        self.script = list(script)
        self.calls: list[dict[str, Any]] = []

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        refused = self.script.pop(0) if self.script else {}
        if isinstance(refused, Exception):
            raise refused
        failed = [
            {"Id": entry["Id"], "Code": "Fault", "SenderFault": refused[entry["MessageBody"]]}
            for entry in request["Entries"]
            if entry["MessageBody"] in refused
        ]
        return {"Failed": failed}


def _queues(client: ScriptedSqs) -> SqsQueues:
    anything: Any = client
    urls: dict[QueueName, str] = {"bookings": "https://sqs/bookings", "deliveries": "https://sqs/deliveries"}
    return SqsQueues(anything, urls, sleep=lambda _: None)


def _bodies(call: dict[str, Any]) -> list[str]:
    return [entry["MessageBody"] for entry in call["Entries"]]


def test_ten_messages_are_one_call_and_none_are_no_call() -> None:
    client = ScriptedSqs()

    _queues(client).send("bookings", [{"n": number} for number in range(10)])
    _queues(client).send("bookings", [])

    assert len(client.calls) == 1
    assert client.calls[0]["QueueUrl"] == "https://sqs/bookings"
    assert _bodies(client.calls[0]) == [f'{{"n":{number}}}' for number in range(10)]


def test_a_batch_has_at_most_a_megabyte() -> None:
    client = ScriptedSqs()

    _queues(client).send("bookings", [{"body": "x" * 400_000} for _ in range(5)])

    assert [len(call["Entries"]) for call in client.calls] == [2, 2, 1]


def test_only_entries_that_were_not_taken_go_again() -> None:
    client = ScriptedSqs({'{"n":1}': False, '{"n":2}': False}, {'{"n":2}': False})

    _queues(client).send("bookings", [{"n": number} for number in range(3)])

    assert [_bodies(call) for call in client.calls] == [
        ['{"n":0}', '{"n":1}', '{"n":2}'],
        ['{"n":1}', '{"n":2}'],
        ['{"n":2}'],
    ]


def test_entries_that_are_never_taken_make_the_queue_unavailable() -> None:
    client = ScriptedSqs(*[{'{"n":1}': False}] * 3)

    with pytest.raises(QueueUnavailableError, match="1 messages"):
        _queues(client).send("bookings", [{"n": 0}, {"n": 1}])

    assert len(client.calls) == 3


def test_an_entry_refused_for_good_is_not_sent_again() -> None:
    client = ScriptedSqs({'{"n":1}': True})

    with pytest.raises(ValueError, match="for good"):
        _queues(client).send("bookings", [{"n": 1}])

    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="https://sqs"),
        ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessageBatch"),
    ],
    ids=str,
)
def test_no_answer_makes_the_queue_unavailable(fault: Exception) -> None:
    with pytest.raises(QueueUnavailableError):
        _queues(ScriptedSqs(fault)).send("bookings", [{"n": 1}])


def test_a_queue_that_the_function_was_not_given_cannot_be_sent_to() -> None:
    with pytest.raises(KeyError):
        _queues(ScriptedSqs()).send("inbound", [{"n": 1}])


def test_a_delay_stands_on_every_entry() -> None:
    client = ScriptedSqs()

    _queues(client).send("bookings", [{"n": 1}, {"n": 2}], delay_seconds=7)

    assert [entry["DelaySeconds"] for entry in client.calls[0]["Entries"]] == [7, 7]


def test_a_wake_up_of_an_endpoint_is_in_the_group_of_that_endpoint_also_when_it_goes_again() -> None:
    refused = '{"client":"acme","endpoint":"erp"}'
    client = ScriptedSqs({refused: False})

    _queues(client).send("deliveries", [{"client": "acme", "endpoint": name} for name in ("shop", "erp")])

    groups = [[entry["MessageGroupId"] for entry in call["Entries"]] for call in client.calls]
    assert groups == [["acme#shop", "acme#erp"], ["acme#erp"]]


@pytest.mark.parametrize("message", [{"client": "acme"}, {"client": "acme", "endpoint": None}, {}])
def test_a_message_that_does_not_say_whose_it_is_has_no_group(message: dict[str, str | None]) -> None:
    client = ScriptedSqs()

    _queues(client).send("deliveries", [message])
    _queues(client).send("bookings", [{"client": "acme", "endpoint": "shop"}])

    assert [set(call["Entries"][0]) for call in client.calls] == [{"Id", "MessageBody"}] * 2
