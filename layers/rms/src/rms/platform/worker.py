"""The wrapper of every queue worker: each message on its own, the failed ones given back by name."""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from rms.platform.events import Event, at_init, observed
from rms.platform.observability import logger

type Message = dict[str, Any]


class BadMessageError(Exception):
    """A message that no worker of ours wrote; it ends in the dead-letter queue, whole."""


def queue_worker[Core](core: Callable[[], Core], task: Callable[[Core, Message], None]) -> Callable[[Event, Any], Any]:
    """A handler that gives each message to `task`. One that raises comes again, and at last is dead-lettered."""
    at_init(core)
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def work(record: SQSRecord) -> None:
        message = _message(record)
        with observed("message", message.get("correlation")) as keys:
            keys["receives"] = record.attributes.approximate_receive_count
            try:
                task(core(), message)
            except Exception:
                logger.exception("message failed")
                raise

    def handler(event: Event, context: Any) -> Any:
        # A standard queue hands a batch over in any order; within it, what was sent first is worked first.
        batch = {"Records": sorted(event["Records"], key=lambda record: record["attributes"].get("SentTimestamp", ""))}
        return process_partial_response(event=batch, record_handler=work, processor=processor, context=context)

    return handler


def _message(record: SQSRecord) -> Message:
    try:
        message = json.loads(record.body)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessageError("not an object")
    return message
