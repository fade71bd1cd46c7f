"""Attending: what an endpoint needs that does not take everything at once. See `rms.notifications.health`."""

import random
from collections.abc import Callable
from typing import Final

from rms.clients.configuration import Endpoint
from rms.core import Core
from rms.journal import NotDue
from rms.journal.cursors import CLOCK_SKEW
from rms.journal.events import text
from rms.journal.keys import aggregate_of, parked_shard
from rms.notifications.delivery import Turn, barred, drain, read_endpoint, recovered, tell_all
from rms.notifications.health import (
    LOOKED_AFTER,
    Health,
    Mode,
    elect_prober,
    looked_after,
    no_stragglers,
    queue_up,
    shut,
    take_lane,
)
from rms.platform.times import to_text

PROBED: Final = 10
"""Parked cursors that a probe looks at, until one has something to tell."""


def attend_endpoint(core: Core, client: str, endpoint_id: str, jitter: Callable[[], float] = random.random) -> None:
    """Probe an endpoint that does not answer, or tell one in a lane what is parked for it.

    Raises:
        TableContendedError, TableUnavailableError: come back later; what was sent may be sent again, under the same id.
    """
    endpoint, health = read_endpoint(core, client, endpoint_id)
    if endpoint is None or barred(client, endpoint_id, endpoint) is not None:
        shut(core, health)
        return
    turn = Turn(core, jitter, core.clock())
    match health.mode:
        case Mode.OPEN:
            _probe(turn, health)
        case Mode.QUEUED:
            _drain(turn, endpoint, health)
        case None if health.stragglers:
            _look_for_stragglers(turn, endpoint, health)
        case None:
            return  # a named no-op: it is well


def _probe(turn: Turn, health: Health) -> None:
    core, now, fence = turn.core, turn.core.clock(), turn.core.fences()
    if not _is_due(core, health) or not elect_prober(core, health, fence):
        return  # a named no-op: not yet, or another is the prober
    turn.probe = fence
    shard = parked_shard(health.client, health.endpoint)
    for row in core.table.query_due(shard, until=to_text(now), limit=PROBED).items:
        lease = core.cursors.lease_parked(aggregate_of(text(row, "PK")), health.endpoint)
        if isinstance(lease, NotDue):
            continue
        tell_all(turn, lease)
        if turn.probed:
            return
    # Nothing waits that could be a probe: what happens next is.
    recovered(turn, health)


def _drain(turn: Turn, endpoint: Endpoint, health: Health) -> None:
    core = turn.core
    if _is_due(core, health):
        looked_after(core, health, core.clock() + LOOKED_AFTER)
    turn.lane = take_lane(core, endpoint, health)
    if turn.lane is not None:
        drain(turn, health.client, health.endpoint)


def _look_for_stragglers(turn: Turn, endpoint: Endpoint, health: Health) -> None:
    core = turn.core
    if not _is_due(core, health):
        return  # a named no-op: too early, the index may be as late as it was
    shard = parked_shard(health.client, health.endpoint)
    if core.table.query_due(shard, until=to_text(core.clock()), limit=1).items:
        queue_up(core, health)
        _drain(turn, endpoint, health)
    else:
        no_stragglers(core, health)


def _is_due(core: Core, health: Health) -> bool:
    return health.due_at is not None and health.due_at <= core.clock() + CLOCK_SKEW
