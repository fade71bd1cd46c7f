"""What stands behind the ports in the shared suites: the fakes, or a client of something that speaks AWS."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from rms.platform.dynamodb import DynamoTable
from rms.platform.kms import KmsSecrets
from rms.platform.queues import Message, QueueName
from rms.platform.s3 import S3Files
from rms.platform.sqs import SqsQueues
from tests.fakes.calls import Call, Fault, no_faults
from tests.fakes.files import FakeFiles
from tests.fakes.queues import FakeQueues
from tests.fakes.table import FakeTable
from tests.template import create_queues, port_urls

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class FakeEngine:
    """The fake, whose client's retry is a fault of its own."""

    table: FakeTable

    @contextmanager
    def lost_reply(self) -> Iterator[None]:
        self.table.calls.plan = _repeat_writes
        try:
            yield
        finally:
            self.table.calls.plan = no_faults


class OneAtATime:
    """A client whose calls take turns, for an engine that is not atomic under threads."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self._turn = Lock()

    def __getattr__(self, operation: str) -> Any:
        call = getattr(self._client, operation)

        def in_turn(**request: object) -> object:
            with self._turn:
                return call(**request)

        return in_turn


@dataclass(frozen=True, slots=True)
class ClientEngine:
    """The real adapter on a botocore client: the client itself is made to believe that no reply came."""

    client: "DynamoDBClient"
    table: DynamoTable

    @contextmanager
    def lost_reply(self) -> Iterator[None]:
        events = self.client.meta.events
        events.register_first("needs-retry.dynamodb", _retry_once)
        try:
            yield
        finally:
            events.unregister("needs-retry.dynamodb", _retry_once)


def _repeat_writes(call: Call) -> Fault | None:
    return Fault.REPEATED if call.operation in {"write", "transact"} else None


def _retry_once(attempts: int, **_: object) -> Any:
    """botocore's question whether to try again: yes, after 0 seconds, once, whatever the answer was."""
    return 0 if attempts == 1 else None


@dataclass(frozen=True, slots=True)
class FakeQueuesEngine:
    """The fake, read as its consumer would."""

    queues: FakeQueues

    def received(self, queue: QueueName) -> list[Message]:
        """As the suite wants it."""
        return [one.message for one in self.queues.receive(queue, limit=1000)]

    def groups(self, queue: QueueName) -> list[str | None]:
        """As the suite wants it."""
        return [one.group for one in self.queues.receive(queue, limit=1000)]


@dataclass(frozen=True, slots=True)
class SqsEngine:
    """The real adapter, its queues read with the same client."""

    client: "SQSClient"
    urls: Mapping[QueueName, str]
    queues: SqsQueues

    def received(self, queue: QueueName) -> list[Message]:
        """As the suite wants it."""
        return [json.loads(one["Body"]) for one in self._taken(queue)]

    def groups(self, queue: QueueName) -> list[str | None]:
        """As the suite wants it."""
        return [one.get("Attributes", {}).get("MessageGroupId") for one in self._taken(queue)]

    def _taken(self, queue: QueueName) -> "list[MessageTypeDef]":
        """Every message, taken out; two empty answers running mean that there is nothing more."""
        messages: list[MessageTypeDef] = []
        empty = 0
        while empty < 2:
            answer = self.client.receive_message(
                QueueUrl=self.urls[queue], MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
            )
            taken = answer.get("Messages", [])
            empty = 0 if taken else empty + 1
            messages += taken
            for one in taken:
                self.client.delete_message(QueueUrl=self.urls[queue], ReceiptHandle=one["ReceiptHandle"])
        return messages


def sqs_engine(client: "SQSClient") -> SqsEngine:
    """The template's queues, freshly made under names of their own."""
    urls = port_urls(create_queues(client, f"rms-{uuid4().hex[:8]}"))
    return SqsEngine(client, urls, SqsQueues(client, urls))


def kms_secrets(client: "KMSClient") -> KmsSecrets:
    """The real adapter with a key of its own."""
    return KmsSecrets(lambda: client, client.create_key()["KeyMetadata"]["KeyId"])


@dataclass(frozen=True, slots=True)
class FakeFilesEngine:
    """The fake, its links followed by itself."""

    files: FakeFiles

    def opened(self, link: str) -> tuple[int, bytes, str]:
        """As the suite wants it."""
        return self.files.opened(link)


@dataclass(frozen=True, slots=True)
class S3Engine:
    """The real adapter, its links followed over HTTP by somebody without credentials."""

    files: S3Files

    def opened(self, link: str) -> tuple[int, bytes, str]:
        """As the suite wants it."""
        answer = requests.get(link, timeout=30)
        return answer.status_code, answer.content, answer.headers.get("Content-Type", "")


def s3_engine(client: Any) -> S3Engine:
    """A bucket of its own."""
    bucket = f"rms-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    return S3Engine(S3Files(lambda: client, bucket))
