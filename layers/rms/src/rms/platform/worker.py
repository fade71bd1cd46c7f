"""The wrapper of every queue worker: each message on its own, the failed ones given back by name.

Not Powertools' batch processor: what is left of it here are a few dozen lines, and its import costs every cold start a
fifth of all that Lambda's init pays for.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rms.platform.events import Event, at_init, logged
from rms.platform.observability import logger, publish_counts

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

type Message = dict[str, Any]


class BadMessageError(Exception):
    """A message that no worker of ours wrote; it ends in the dead-letter queue, whole."""


@dataclass(frozen=True, slots=True)
class _Received:
    """A message as it came: its id on the queue, how often it was received, and what it says."""

    id: str
    receives: str
    message: Message

    @property
    def correlation(self) -> str | None:
        """Under which id it was sent."""
        return self.message.get("correlation")

    @property
    def says(self) -> str:
        """All of it but who caused it."""
        return json.dumps({**self.message, "correlation": None}, sort_keys=True)


def queue_worker[Core](
    core: Callable[[], Core], task: Callable[[Core, Message], None], *, at_once: Callable[[Core], int] | None = None
) -> Callable[[Event, Any], Any]:
    """A handler that gives each message to `task`. One that raises comes again, and at last is dead-lettered.

    Args:
        core: builds the core, at the first call.
        task: works one message.
        at_once: for a queue of wake-ups, how many of a batch are worked at the same time, by threads. Of messages that
            say the same only the first is worked, and the others share its fate. Without it all are worked in turn.
    """
    at_init(core)

    def work(alike: Sequence[_Received]) -> bool:
        first, *doubles = alike
        done = True
        with logged("message", first.correlation) as keys:
            keys["receives"] = first.receives
            try:
                task(core(), first.message)
            except Exception:  # noqa: BLE001 - whatever it is, no other message of the batch may suffer for it
                logger.exception("message failed")
                done = False
        for double in doubles:
            with logged("message", double.correlation) as keys:
                keys |= {"receives": double.receives, "worked_under": first.correlation}
        return done

    def threads() -> int:
        try:
            return at_once(core()) if at_once is not None else 1
        except Exception:  # noqa: BLE001 - no core: each message will say so
            return 1

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        # A standard queue hands a batch over in any order; within it, what was sent first is worked first.
        batch = sorted(event["Records"], key=lambda record: record["attributes"].get("SentTimestamp", ""))
        received = [found for record in batch if (found := _read(record)) is not None]
        pieces = _alike(received) if at_once is not None else [[each] for each in received]
        try:
            done = _all(work, pieces, threads())
        finally:
            publish_counts()
        worked = {each.id for piece, well in zip(pieces, done, strict=True) if well for each in piece}
        failed = [record["messageId"] for record in batch if record["messageId"] not in worked]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def _all[Piece](work: Callable[[Piece], bool], pieces: Sequence[Piece], threads: int) -> list[bool]:
    """Work all of them, so many at a time; what kills one of them comes out here when the others have ended."""
    if threads == 1 or len(pieces) <= 1:
        return [work(piece) for piece in pieces]
    from concurrent.futures import wait  # noqa: PLC0415 - a function that starts has nothing to share out yet

    futures = [_pool(threads).submit(work, piece) for piece in pieces]
    wait(futures)
    return [future.result() for future in futures]


@cache
def _pool(threads: int) -> "ThreadPoolExecutor":
    """The threads of this environment, which wait for the next batch."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

    return ThreadPoolExecutor(threads, thread_name_prefix="worker")


def _alike(received: Iterable[_Received]) -> list[list[_Received]]:
    """Messages by what they say, in the order in which each was first said."""
    found: dict[str, list[_Received]] = {}
    for each in received:
        found.setdefault(each.says, []).append(each)
    return list(found.values())


def _read(record: Mapping[str, Any]) -> _Received | None:
    """A record that can be read, or None."""
    try:
        message = _message(record["body"])
    except BadMessageError:
        logger.exception("message unreadable", message_id=record["messageId"])
        return None
    return _Received(record["messageId"], record["attributes"]["ApproximateReceiveCount"], message)


def _message(body: str) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessageError("not an object")
    return message
