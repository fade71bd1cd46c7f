"""Due work: rows that say when to look at them, and the sweep that sends what is due to its queue."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from rms.journal.events import text
from rms.journal.keys import aggregate_of, all_due_shards
from rms.platform.observability import count, logger
from rms.platform.queues import Message, QueueName, Queues
from rms.platform.table import Item, Table
from rms.platform.times import to_text

PER_SHARD: Final = 1000
"""Rows sent per shard and sweep; what is left is due in the next one, a minute later."""


def sweep_due_work(table: Table, queues: Queues, clock: Callable[[], datetime]) -> dict[QueueName, int]:
    """Send whatever is due to its queue; answers how many messages each got.

    Rows are not changed: whoever works on one moves its time. A row that is still due at the next sweep is sent
    again, and of two messages for one row the second finds nothing to do.
    """
    now = to_text(clock())
    sent: dict[QueueName, int] = {"inbound": 0, "bookings": 0, "deliveries": 0}
    for shard in all_due_shards():
        after: str | None = None
        swept = 0
        while swept < PER_SHARD:
            page = table.query_due(shard, until=now, after=after)
            by_queue: dict[QueueName, list[Message]] = {}
            for row in page.items:
                queue, message = _message(row)
                by_queue.setdefault(queue, []).append(message)
            for queue, messages in by_queue.items():
                queues.send(queue, messages)
                sent[queue] += len(messages)
            swept += len(page.items)
            after = page.next
            if after is None:
                break
    count("DueWorkSwept", sum(sent.values()))
    logger.info("swept", inbound=sent["inbound"], bookings=sent["bookings"], deliveries=sent["deliveries"])
    return sent


def _message(row: Item) -> tuple[QueueName, Message]:
    pk, sk = text(row, "PK"), text(row, "SK")
    if sk == "SHIPMENT":
        _, client, _, awb = pk.split("#", 3)
        return "inbound", {"task": "drain", "client": client, "awb": awb}
    if sk == "HEALTH" or sk.startswith("REPLAY#"):
        _, client, _, endpoint = pk.split("#", 3)
        task = {"task": "endpoint"} if sk == "HEALTH" else {"task": "replay", "replay": sk.removeprefix("REPLAY#")}
        return "deliveries", {**task, "client": client, "endpoint": endpoint}
    aggregate = aggregate_of(pk)
    about = {"client": aggregate.client, "kind": aggregate.kind, "code": aggregate.code}
    if sk in {"BOOKING", "CANCELLATION", "LABEL"}:
        return "bookings", about
    if sk == "WRITEBACK":
        return "bookings", {"task": "write_back", **about}
    if sk == "EXCHANGE":
        return "bookings", {"task": "exchange", **about}
    return "deliveries", {**about, "endpoint": sk.removeprefix("CURSOR#")}
