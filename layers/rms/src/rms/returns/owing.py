"""What a returns app is owed once a warehouse has spoken: a row, due at once.

It is settled in `rms.returns.writing_back`. Apart from that, because a warehouse's call only leaves word.
"""

from enum import StrEnum

from rms.clients.configuration import Configuration
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text
from rms.journal.keys import due_shard, return_id
from rms.platform.table import AbsentOr, Equals, Item, Update, Value
from rms.platform.times import to_text


class WriteBackState(StrEnum):
    """Where what is owed stands."""

    WANTED = "WANTED"
    """Due: by a warehouse's results, or because a try came to nothing."""
    WAITING = "WAITING"
    """For the other returns of the request, or the rest of this one; the warehouse's next results make it due."""
    TOLD = "TOLD"
    NOT_THEIRS = "NOT_THEIRS"
    """Returns Prime knows no request of this number: the return came from elsewhere."""
    OFF = "OFF"
    """Nothing is written back, or not any more."""
    HELD = "HELD"
    """Nothing helped: a person looks at it. The warehouse's next results start over."""


def wanted_after(core: Core, configuration: Configuration, aggregate: AggregateId, status: Item) -> list[Update]:
    """The write that makes a warehouse's results due to be told, for the transaction that keeps them."""
    connection = configuration.returns_prime
    if connection is None or not connection.writes_back:
        return []
    now, key = to_text(core.clock()), first_of(aggregate, status).write_back
    due: dict[str, Value] = {"due_at": now, "due_shard": due_shard(key.pk), "state": WriteBackState.WANTED.value}
    facts: dict[str, Value] = {**due, "processed": aggregate.code, "tries": 0}
    # Whatever stands there, this is wanted too.
    return [Update(key, {"PK": AbsentOr(Equals(key.pk))}, set=facts, add={"wanted": 1})]


def first_of(aggregate: AggregateId, status: Item) -> AggregateId:
    """The return under which what is owed to a return's request stands: all returns of a request have the same."""
    return return_id(aggregate.client, maybe_text(status, "request_number") or aggregate.code)
