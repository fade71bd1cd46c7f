"""The Queues port on SQS."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rms.platform.aws import open_client
from rms.platform.queues import MAX_DELAY_SECONDS, Message, QueueName, QueueUnavailableError, group_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH_MESSAGES: Final = 10
BATCH_BYTES: Final = 1024 * 1024
MESSAGE_BYTES: Final = 1024 * 1024

ENTRY_ATTEMPTS: Final = 3
ENTRY_BASE_SECONDS: Final = 0.05


def open_queues(
    urls: Mapping[QueueName, str], *, region: str | None = None, endpoint_url: str | None = None
) -> "SqsQueues":
    """The queues with a client of their own; None means what the environment says."""
    return SqsQueues(open_client("sqs", region=region, endpoint_url=endpoint_url), urls)


class SqsQueues:
    """Standard SQS queues, some of them fair; see `rms.platform.queues.Queues`.

    A call may carry 1 MiB in ten messages: batches are cut by both. Entries that SQS gives back as its own fault go
    again, 3 times in all; an entry that is refused for good is a ValueError, and so is a message above 1 MiB, which
    is found before anything is sent. A repeat after a lost reply doubles messages, as the port allows.

    Args:
        client: a low-level SQS client.
        urls: where each queue is. A queue that is not named cannot be sent to (KeyError): the function has no
            business with it.
        sleep: waits so many seconds.
        jitter: answers from 0 up to 1.
    """

    def __init__(
        self,
        client: "SQSClient",
        urls: Mapping[QueueName, str],
        *,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._urls = urls
        self._sleep = sleep
        self._jitter = jitter

    def send(self, queue: QueueName, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Send any number of messages, ten to a call. No messages: no call.

        Raises:
            QueueUnavailableError: not every message was taken, or no answer came.
            ValueError: a message or a delay that SQS never takes; nothing was sent if we could tell beforehand.
        """
        if not 0 <= delay_seconds <= MAX_DELAY_SECONDS:
            raise ValueError(f"a message waits 0 to {MAX_DELAY_SECONDS} seconds, not {delay_seconds}")
        url = self._urls[queue]
        delay = {"DelaySeconds": delay_seconds} if delay_seconds else {}
        for batch in _batches([_entry(queue, message) for message in messages]):
            self._send_batch(url, [{"Id": str(place)} | entry | delay for place, entry in enumerate(batch)])

    def _send_batch(self, url: str, entries: Sequence[dict[str, Any]]) -> None:
        for attempt in range(ENTRY_ATTEMPTS):
            if attempt:
                self._sleep(ENTRY_BASE_SECONDS * 2 ** (attempt - 1) * self._jitter())
            failed = self._failed(url, entries)
            if not failed:
                return
            entries = [entry for entry in entries if entry["Id"] in failed]
        raise QueueUnavailableError(f"{len(entries)} messages were not taken")

    def _failed(self, url: str, entries: Sequence[dict[str, Any]]) -> set[str]:
        """Ids of the entries that are worth another attempt."""
        try:
            answer: Any = self._client.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]  # plain dicts
        except ClientError as error:
            raise QueueUnavailableError(f"SQS answered {error.response.get('Error', {}).get('Code')}") from error
        except BotoCoreError as error:
            raise QueueUnavailableError(type(error).__name__) from error
        failed = answer.get("Failed", [])
        if refused := [entry["Code"] for entry in failed if entry["SenderFault"]]:
            raise ValueError(f"SQS refuses these for good: {refused}")
        return {entry["Id"] for entry in failed}


def body_of(message: Message) -> str:
    """A message's text on the queue: compact JSON, all ASCII, because SQS refuses some characters that JSON allows.

    Raises:
        ValueError: larger than any message may be.
    """
    body = json.dumps(message, separators=(",", ":"), allow_nan=False)
    if len(body) > MESSAGE_BYTES:
        raise ValueError(f"a message has at most {MESSAGE_BYTES} bytes")
    return body


def _entry(queue: QueueName, message: Message) -> dict[str, Any]:
    entry = {"MessageBody": body_of(message)}
    group = group_of(queue, message)
    # On a standard queue a group orders nothing and holds nothing up: it makes the queue a fair one.
    return entry if group is None else entry | {"MessageGroupId": group}


def _batches(entries: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    room = BATCH_BYTES
    for entry in entries:
        size = len(entry["MessageBody"])
        if batch and (size > room or len(batch) == BATCH_MESSAGES):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch
