"""Loads that delivery has to bear, each with what came of it. Tests hold them against bounds, the bench prints them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rms.clients.endpoints import resume_endpoint
from rms.journal.events import maybe_text
from rms.model.event_filter import EventFilter
from rms.model.notification_type import NotificationType
from rms.platform.times import from_text
from tests.simulations.endpoints import (
    Behaviour,
    SimulatedEndpoint,
    answers_well,
    hangs,
    refuses_connections,
    until,
)
from tests.simulations.world import DAY, HOUR, MINUTE, percentile, simulation

LOADED: Final = 15 * MINUTE
"""How long a load goes on."""

ENDS: Final = LOADED + 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Delays:
    """From the journal to the endpoint's 200, in seconds."""

    events: int
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, delays: list[float]) -> "Delays":
        """Of so many notifications."""
        return cls(len(delays), percentile(delays, 50), percentile(delays, 99), max(delays))


# ── one of a hundred ────────────────────────────────────────────────────────────────

BUSY_EVERY: Final = 0.25
"""Seconds between the orders of the client whose endpoint dies.

For as long as its first tries take to time out these take up one worker each, and all but a few at this rate. Any more
and the others wait during those ten seconds: see the bench.
"""


CLIENTS: Final = (
    *((f"large{number}", 20, 20.0) for number in range(4)),
    *((f"small{number}", 1, 10.0) for number in range(18)),
)
"""All other clients, how many endpoints each has, and the seconds between their orders."""


@dataclass(frozen=True, slots=True)
class OneOfAHundred:
    """What 99 endpoints of 22 clients noticed of the hundredth; `neighbour` shares its client."""

    others: Delays
    neighbour: Delays
    one: SimulatedEndpoint
    invocations: int
    """The most that ran at once."""


def one_of_a_hundred(behave: Behaviour, *, busy_every: float = BUSY_EVERY, seed: int = 0) -> OneOfAHundred:
    """A steady load on a hundred endpoints, of which one behaves so; all others answer well."""
    with simulation(seed=seed) as rms:
        for client, endpoints, every in [*CLIENTS, ("busy", 2, busy_every)]:
            rms.client(client)
            for number in range(endpoints):
                rms.endpoint(client, f"e{number}", answers_well(len(rms.endpoints)))
            rms.has_orders(client, every, LOADED)
        one = rms.endpoints["busy", "e0"]
        one.behave = behave
        rms.run(ENDS)
        others = [name for name in rms.endpoints if name[0] != "busy"]
        return OneOfAHundred(
            others=Delays.of([delay for name in others for delay in rms.delays(*name)]),
            neighbour=Delays.of(rms.delays("busy", "e1")),
            one=one,
            invocations=rms.queue.most_invocations,
        )


# ── ten thousand waiting ────────────────────────────────────────────────────────────

COMES_BACK: Final = 12 * MINUTE
"""When the endpoint that was down answers again; its breaker learns that from the next probe, at about 18 minutes."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What became of many events that waited for one endpoint, while another client's had its usual load."""

    waited: int
    shop: SimulatedEndpoint
    quiet: Delays
    """Of what happened while the backlog was told."""
    left_at: float
    """When the last of the backlog was taken."""

    @property
    def found_at(self) -> float:
        """When the endpoint was found to be back."""
        return self.shop.taken[0].ended

    @property
    def seconds(self) -> float:
        """From the first that was taken to the last."""
        return self.left_at - self.found_at


def backlog(returns: int, events: int, *, seed: int = 0) -> Backlog:
    """So many returns with so many events each happen within ten minutes, while their endpoint is down."""
    with simulation(seed=seed) as rms:
        rms.client("down")
        rms.client("quiet")
        shop = rms.endpoint("down", "shop", until(COMES_BACK, refuses_connections, answers_well(1)))
        rms.endpoint("quiet", "shop", answers_well(2))
        each = 10 * MINUTE / events
        rms.has_orders("down", each / returns, each)
        for later in range(1, events):
            since, ends = later * each, (later + 1) * each
            rms.every(each / returns, ends, lambda number: rms.goes_on("down", f"RET-{number}"), since=since)
        rms.has_orders("quiet", 2.0, 50 * MINUTE)
        while len(shop.taken) < returns * events and rms.timeline.seconds < 2 * HOUR:
            rms.run(rms.timeline.seconds + MINUTE)
        waits = rms.delays("quiet", "shop", since=shop.taken[0].at)
        waited = sum(client == "down" for client, _, _ in rms.happened)
        return Backlog(waited, shop, Delays.of(waits), shop.taken[-1].ended)


# ── dead for days ───────────────────────────────────────────────────────────────────

ORDERS: Final = 60
RESUMED: Final = 6 * DAY


@dataclass(frozen=True, slots=True)
class DeadForDays:
    """An endpoint that takes nothing for days while orders come in, and is resumed after that."""

    shop: SimulatedEndpoint
    opened_at: float
    """When the third of its first tries had failed."""
    disabled_at: float | None
    notices: SimulatedEndpoint
    happened: Mapping[tuple[str, str, int], float]
    resumed_at: float = RESUMED


def dead_for_days(behave: Behaviour = hangs, *, seed: int = 0) -> DeadForDays:
    """Orders come every two hours, the first twenty at once, and each goes on a day later."""
    with simulation(seed=seed) as rms:
        rms.client("lotus")
        notices = rms.endpoint(
            "lotus", "ops", answers_well(1), filter=EventFilter(types=frozenset({NotificationType.LOST}))
        )
        shop = rms.endpoint("lotus", "shop", until(RESUMED, behave, answers_well(2)), notice_endpoint="ops")
        for number in range(ORDERS):
            at = max(0.0, number - 20) * 2 * HOUR + number * 0.5
            rms.timeline.at(at, partial(rms.appears, "lotus", f"RET-{number}"))
            rms.timeline.at(at + DAY, partial(rms.goes_on, "lotus", f"RET-{number}"))
        rms.run(RESUMED)
        opened_at = sorted(each.ended for each in shop.tries)[2]
        row = rms.row("lotus", "ENDPOINT#shop")
        disabled = maybe_text(row or {}, "disabled_at")
        rms.timeline.at(RESUMED, lambda: resume_endpoint(rms.core, "lotus", "shop"))
        rms.run(RESUMED + 10 * MINUTE)
        disabled_at = rms.timeline.seconds_of(from_text(disabled)) if disabled else None
        return DeadForDays(shop, opened_at, disabled_at, notices, dict(rms.happened))


# ── slow, narrow, paced ─────────────────────────────────────────────────────────────

SLOW_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Held:
    """An endpoint with more to hear than it takes, and what the others noticed."""

    shop: SimulatedEndpoint
    others: Delays


def held(
    behave: Behaviour, every: float, *, refused: frozenset[str] = frozenset(), seed: int = 0, **wishes: Any
) -> Held:
    """An order every so many seconds for one endpoint, for a quarter of an hour; others have their usual load.

    The endpoint never takes the returns that are `refused`.
    """
    with simulation(seed=seed) as rms:
        rms.client("lotus")
        shop = rms.endpoint("lotus", "shop", behave, **wishes)
        shop.refused = refused
        rms.has_orders("lotus", every, LOADED)
        for client in range(5):
            rms.client(f"other{client}")
            rms.endpoint(f"other{client}", "shop", answers_well(client))
            rms.has_orders(f"other{client}", 5.0, LOADED)
        rms.run(LOADED)
        return Held(shop, Delays.of([d for client in range(5) for d in rms.delays(f"other{client}", "shop")]))
