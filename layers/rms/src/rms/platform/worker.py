"""The wrapper of every queue worker: each message on its own, the failed ones given back by name.

Not Powertools' batch processor: what is left of it here are a dozen lines, and its import costs every cold start a
fifth of all that Lambda's init pays for.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rms.platform.events import Event, at_init, observed
from rms.platform.observability import logger

type Message = dict[str, Any]


class BadMessageError(Exception):
    """A message that no worker of ours wrote; it ends in the dead-letter queue, whole."""


def queue_worker[Core](core: Callable[[], Core], task: Callable[[Core, Message], None]) -> Callable[[Event, Any], Any]:
    """A handler that gives each message to `task`. One that raises comes again, and at last is dead-lettered."""
    at_init(core)

    def done(record: Mapping[str, Any]) -> bool:
        try:
            message = _message(record["body"])
        except BadMessageError:
            logger.exception("message unreadable", message_id=record["messageId"])
            return False
        with observed("message", message.get("correlation")) as keys:
            keys["receives"] = record["attributes"]["ApproximateReceiveCount"]
            try:
                task(core(), message)
            except Exception:  # noqa: BLE001 - whatever it is, no other message of the batch may suffer for it
                logger.exception("message failed")
                return False
        return True

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        # A standard queue hands a batch over in any order; within it, what was sent first is worked first.
        batch = sorted(event["Records"], key=lambda record: record["attributes"].get("SentTimestamp", ""))
        failed = [record["messageId"] for record in batch if not done(record)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def _message(body: str) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessageError("not an object")
    return message
