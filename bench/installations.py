"""RMS as the bench runs it: each function in an environment of its own, as Lambda has it, with every AWS call counted.

On the fakes, which price reads and writes as DynamoDB does; and on the real adapters in front of moto, where the calls
are counted by botocore itself.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

from moto import mock_aws

from rms.core import Core
from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from rms.platform.kms import KmsSecrets
from rms.platform.observability import logger
from rms.platform.queues import Message, QueueName, Queues
from rms.platform.secrets import Secrets
from rms.platform.sqs import SqsQueues
from rms.platform.table import Delete, Put, Table, Update
from tests.fakes.calls import Call
from tests.template import create_queues, create_table, port_urls
from tests.world import World

_READS: Final = {"get": "GetItem", "get_many": "BatchGetItem"}
_WRITES: Final = {Put: "PutItem", Update: "UpdateItem", Delete: "DeleteItem"}


class Installation(World):
    """RMS on the fakes."""

    def __init__(self) -> None:
        self._environments: dict[str, Core] = {}
        super().__init__()

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function's handler in its own environment."""
        if function not in self._environments:
            self._environments[function] = self.new_environment()
        self.core = self._environments[function]
        return super().invoke(function, event)

    def new_environment(self) -> Core:
        """A core that remembers nothing."""
        return self._core_on(self.table, self.queues, _Remembering(self.secrets))

    def forget(self) -> None:
        """Every function starts cold again."""
        self._environments.clear()

    def start_counting(self) -> None:
        """Count from here."""
        self.calls.made.clear()

    @property
    def counted(self) -> Counter[str]:
        """AWS calls since then, by service and operation."""
        return Counter(name for call in self.calls.made if (name := _aws_name(call)))

    def _core_on(self, table: Table, queues: Queues, secrets: Secrets) -> Core:
        core = self.core
        return Core.on(
            table, queues, secrets, core.files, core.http, clock=core.clock, fences=core.fences, local=core.local
        )


class OnMoto(Installation):
    """RMS on its real adapters. Messages also go into the fake queues, which hand them to the workers."""

    def __init__(self) -> None:
        super().__init__()
        self._counted: Counter[str] = Counter()
        dynamodb, sqs, kms = open_client("dynamodb"), open_client("sqs"), open_client("kms")
        for client in (dynamodb, sqs, kms):
            client.meta.events.register("before-call", self._note)
        create_table(dynamodb, "rms-bench")
        self._real_table = DynamoTable(dynamodb, "rms-bench")
        self._real_queues = _Both(SqsQueues(sqs, port_urls(create_queues(sqs, "rms-bench"))), self.queues)
        self._kms, self._key = kms, kms.create_key()["KeyMetadata"]["KeyId"]
        self.core = self.new_environment()
        self._onboard()

    def new_environment(self) -> Core:
        """A core that remembers nothing."""
        return self._core_on(self._real_table, self._real_queues, KmsSecrets(lambda: self._kms, self._key))

    def start_counting(self) -> None:
        """Count from here."""
        self._counted.clear()

    @property
    def counted(self) -> Counter[str]:
        """AWS calls since then, by service and operation."""
        return Counter(self._counted)

    def _note(self, model: Any, **_: object) -> None:
        self._counted[f"{_SERVICES[model.service_model.service_name]} {model.name}"] += 1


_SERVICES: Final = {"dynamodb": "DynamoDB", "sqs": "SQS", "kms": "KMS"}


@contextmanager
def on_moto() -> Iterator[OnMoto]:
    """An installation on moto, which is gone afterwards."""
    with mock_aws():
        yield OnMoto()


@contextmanager
def quiet() -> Iterator[None]:
    """No log lines below WARNING meanwhile, and metrics go nowhere."""
    level = logger.log_level
    logger.setLevel("WARNING")
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield
    finally:
        logger.setLevel(level)


class _Remembering:
    """Secrets that keep what was opened, as the real ones do for the life of an environment."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._opened: dict[str, str] = {}

    def seal(self, plain: str, context: Mapping[str, str]) -> str:
        """See the port."""
        return self._secrets.seal(plain, context)

    def unseal(self, sealed: str, context: Mapping[str, str]) -> str:
        """See the port."""
        if sealed not in self._opened:
            self._opened[sealed] = self._secrets.unseal(sealed, context)
        return self._opened[sealed]


class _Both:
    """Sends to SQS, where the call is counted, and to the fake, from which the workers are fed."""

    def __init__(self, real: Queues, fake: Queues) -> None:
        self._queues = (real, fake)

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """See the port."""
        for each in self._queues:
            each.send(queue, messages, delay_seconds=delay_seconds)


_OTHERS: Final = {
    ("secrets", "seal"): "KMS Encrypt",
    ("secrets", "unseal"): "KMS Decrypt",
    ("files", "keep"): "S3 PutObject",  # a link is signed here, without a call
}


def _aws_name(call: Call) -> str | None:
    """The AWS call that the real adapter makes for a call of a port; None for what is not AWS."""
    match call.port, call.operation:
        case "table", "write":
            return f"DynamoDB {_WRITES[type(call.arguments[0])]}"
        case "table", "transact":
            return "DynamoDB TransactWriteItems"
        case "table", operation:
            return f"DynamoDB {_READS.get(operation, 'Query')}"
        case "queues", _:
            return "SQS SendMessageBatch"
        case other:
            return _OTHERS.get(other)
