"""Each call of a scenario, struck by each fault, one at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rms.platform.http import HttpRequest
from tests.fakes.calls import ALL_FAULTS, Call, Fault, at
from tests.faults.invariants import Breach, Kind, breaches, other_ends
from tests.faults.partners import speaking_to
from tests.faults.run import Late, Run
from tests.faults.scenarios import Scenario

FAULTS: Final = (*ALL_FAULTS, Fault.REPEATED)

_EXAMPLES: Final = 8


@dataclass(slots=True)
class Tally:
    """What came of striking one scenario everywhere."""

    name: str
    calls: int = 0
    runs: int = 0
    breaches: Counter[Kind] = field(default_factory=Counter)
    spoilt: Counter[Kind] = field(default_factory=Counter)
    """Runs with at least one breach of a kind."""
    examples: list[str] = field(default_factory=list)

    def add(self, strike: str, found: list[Breach]) -> None:
        """Count one run."""
        self.runs += 1
        self.breaches.update(breach.kind for breach in found)
        self.spoilt.update({breach.kind for breach in found})
        self.examples += [f"{strike}: {breach.kind}: {breach.what}" for breach in found]
        del self.examples[_EXAMPLES:]


def strike_everywhere(scenario: Scenario) -> Tally:
    """Play a scenario once without faults, then once for each of its calls and each fault."""
    tally = Tally(scenario.name)
    with speaking_to(scenario.clickpost):
        calm = scenario.start()
        tally.add("no fault", _found(scenario, calm))
        made = list(calm.calls.made)
        tally.calls = len(made)
        for call in made:
            for fault, late in variants(call, past_settling=scenario.clickpost.refuses_duplicates):
                run = scenario.start(plan=at(call.number, fault), late=late)
                tally.add(_words(call, fault, late), _found(scenario, run))
    return tally


def variants(call: Call, *, past_settling: bool = True) -> Iterator[tuple[Fault, Late]]:
    """The faults of one call; a late effect at each of the times at which it may come.

    A request to an endpoint is not on its way for hours. One to an aggregator may be taken in much later, and then
    only a partner that refuses duplicates itself can be struck so: see `SETTLE` in `rms.shipments.booking`.
    """
    for fault in FAULTS:
        if fault is Fault.REPEATED and call.port == "http":
            continue  # our HTTP client repeats nothing by itself, AWS's does
        if fault is not Fault.LATE:
            yield fault, Late.SOON
            continue
        for late in Late:
            request = call.arguments[0] if call.port == "http" else None
            outside = isinstance(request, HttpRequest) and not (request.trusted and past_settling)
            if not (late is Late.LAST and outside):
                yield fault, late


def _found(scenario: Scenario, run: Run) -> list[Breach]:
    try:
        scenario.play(run)
    except AssertionError as problem:
        return [Breach(Kind.OTHER, str(problem))]
    also = [Breach(Kind.OTHER, what) for what in scenario.also(run)]
    return [*breaches(run), *other_ends(run, scenario.ends), *also]


def _words(call: Call, fault: Fault, late: Late) -> str:
    when = f" ({late.value})" if fault is Fault.LATE else ""
    return f"call {call.number} ({call.port}, {call.operation}) {fault.name}{when}"
