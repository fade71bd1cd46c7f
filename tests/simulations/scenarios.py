"""Loads that delivery has to bear, each with what came of it. Tests hold them against bounds, the bench prints them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.simulations.endpoints import (
    Behaviour,
    SimulatedEndpoint,
    answers_well,
    hangs,
    refuses_connections,
    until,
)
from tests.simulations.world import DAY, HOUR, MINUTE, Simulation, percentile, simulation

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

BUSY_EVERY: Final = 0.2
"""Seconds between the orders of the client whose endpoint dies: left to itself, that would take up every worker."""


@dataclass(frozen=True, slots=True)
class OneOfAHundred:
    """What 99 endpoints of 24 clients noticed of the hundredth; `neighbour` shares its client."""

    others: Delays
    neighbour: Delays
    one: SimulatedEndpoint
    invocations: int
    """The most that ran at once."""


def one_of_a_hundred(behave: Behaviour, *, seed: int = 0) -> OneOfAHundred:
    """A steady load on a hundred endpoints, of which one behaves so; all others answer well."""
    with simulation(seed=seed) as rms:
        for client, endpoints, every in _clients():
            rms.client(client)
            for number in range(endpoints):
                rms.endpoint(client, f"e{number}", answers_well(len(rms.endpoints)))
            rms.every(every, LOADED, lambda number, client=client: rms.appears(client, f"RET-{number}"))
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


def _clients() -> list[tuple[str, int, float]]:
    """Clients, how many endpoints each has, and the seconds between their orders."""
    large = [(f"large{number}", 20, 20.0) for number in range(4)]
    small = [(f"small{number}", 1, 10.0) for number in range(18)]
    return [*large, *small, ("busy", 2, BUSY_EVERY)]
