"""The wrapper of every webhook: size, then authentication over the raw bytes, then into the queue, then 200.

It parses nothing, so that no mistake of ours can make an aggregator drop an event. It imports no resolver: one route.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from rms.platform.errors import TooLargeError
from rms.platform.events import Event, at_init, body_of, header, observed
from rms.platform.observability import count, logger
from rms.platform.queues import Queues
from rms.platform.times import to_text

type Handler = Callable[[Event, Any], dict[str, Any]]


class Intake(Protocol):
    """What taking a webhook needs of the core."""

    @property
    def queues(self) -> Queues:
        """Where it goes."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """When it came."""


class Sender(Protocol):
    """Whose webhook it is."""

    @property
    def client(self) -> str:
        """The client."""

    @property
    def alias(self) -> str:
        """The client's account at the aggregator."""


MAX_HEADER: Final = 255
"""How much of a header goes along with a signed webhook, in characters."""

REFUSED: Final = '{"code":"UNAUTHORIZED","message":"Wrong or missing webhook key","description":"No event was taken"}'
TOO_LARGE: Final = '{"code":"TOO_LARGE","message":"Body too large","description":"A body may have at most 256 KB"}'
NOT_TAKEN: Final = '{"code":"INTERNAL_ERROR","message":"Fault inside RMS","description":"Not taken: send it again"}'


def aggregator_webhook[Core: Intake](
    core: Callable[[], Core],
    aggregator: str,
    key_headers: Sequence[str],
    whose: Callable[[Core, str, Sequence[str]], Sender | None],
    *,
    key_parameter: str | None = None,
    task: str = "record",
) -> Handler:
    """A handler that takes the webhooks of an aggregator, or of a partner that is named as if it were one.

    Args:
        core: builds the core, at the first call.
        aggregator: as in `logisticAggregatorName`.
        key_headers: the headers that may hold the webhook key, in lower case.
        whose: from the core, the aggregator and the keys that came to whose webhook it is; None: nobody's.
        key_parameter: the part of the path that may hold the key, for an aggregator that can send no header.
        task: what the worker of the queue is to do with them.
    """
    at_init(core)

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        request = event.get("requestContext") or {}
        with observed("webhook", request.get("requestId")) as keys:
            keys["aggregator"] = aggregator
            status, answer = _take(
                core(),
                event,
                lambda core, _: whose(core, aggregator, _keys(event, key_headers, key_parameter)),
                {"task": task, "aggregator": aggregator, "correlation": request.get("requestId")},
            )
            keys["status"] = status
        return _answered(status, answer)

    return handler


def signed_webhook[Core: Intake](
    core: Callable[[], Core],
    task: str,
    whose: Callable[[Core, Mapping[str, str], Mapping[str, str], bytes], Sender | None],
    kept: Sequence[str],
) -> Handler:
    """A handler that takes webhooks whose body is signed.

    Args:
        core: builds the core, at the first call.
        task: what the worker of `inbound` is to do with them.
        whose: from the core, the parts of the path, the headers (names in lower case) and the body to whose webhook it
            is; None: nobody's.
        kept: the headers that go along, in lower case. A signature is none of them.
    """
    at_init(core)

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        request = event.get("requestContext") or {}
        with observed("webhook", request.get("requestId")) as keys:
            keys["task"] = task
            headers = {
                name.lower(): value for name, value in (event.get("headers") or {}).items() if isinstance(value, str)
            }
            status, answer = _take(
                core(),
                event,
                lambda core, body: whose(core, event.get("pathParameters") or {}, headers, body),
                {
                    "task": task,
                    "correlation": request.get("requestId"),
                    "headers": {name: headers[name][:MAX_HEADER] for name in kept if name in headers},
                },
            )
            keys["status"] = status
        return _answered(status, answer)

    return handler


def _answered(status: int, answer: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": answer, "isBase64Encoded": False}


def _keys(event: Event, headers: Sequence[str], parameter: str | None) -> list[str]:
    keys = [header(event, name) or "" for name in headers]
    if parameter is not None:
        keys.append((event.get("pathParameters") or {}).get(parameter) or "")
    return keys


def _take[Core: Intake](
    core: Core, event: Event, sender_of: Callable[[Core, bytes], Sender | None], envelope: Mapping[str, Any]
) -> tuple[int, str]:
    try:
        body = body_of(event)
        sender = sender_of(core, body)
        if sender is None:
            count("WebhookUnauthorized")
            return 401, REFUSED
        message = {
            **envelope,
            "client": sender.client,
            "alias": sender.alias,
            "received_at": to_text(core.clock()),
            "body": base64.b64encode(body).decode(),
        }
        core.queues.send("inbound", [message])
    except TooLargeError:
        return 413, TOO_LARGE
    except Exception:  # noqa: BLE001 - whatever it is, it is ours: not 200, so that the aggregator sends it again
        logger.exception("webhook not taken")
        return 500, NOT_TAKEN
    return 200, ""
