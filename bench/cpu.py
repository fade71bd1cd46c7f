"""Processor time of RMS's own code, warm: what it computes above its ports.

What happens behind the ports (the fakes, the simulated partners) is taken out, call by call; so is what AWS's library
would take to make each call. Logs are kept from WARNING on and metrics go nowhere, so that writing is not measured.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any, Final

from bench.flows import Run, create_booked_by_channel, create_booked_by_rms, webhook_to_delivered
from bench.installations import Installation, quiet
from rms.core import Core

PORTS: Final = ("table", "queues", "secrets", "files", "http")


@dataclass(frozen=True, slots=True)
class Work:
    """Processor time of one piece of work, in milliseconds, by function."""

    title: str
    milliseconds: dict[str, float]

    @property
    def total(self) -> float:
        """All functions together."""
        return sum(self.milliseconds.values())


class _Stopwatch(Installation):
    """An installation that notes what each function computes by itself."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._outside = 0.0
        super().__init__()

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function's handler; its time counts, less what the ports took."""
        self._outside = 0.0
        started = process_time()
        try:
            return super().invoke(function, event)
        finally:
            took = process_time() - started - self._outside
            self.spent[function] = self.spent.get(function, 0.0) + took

    def new_environment(self) -> Core:
        """A core whose ports stop the watch."""
        core = super().new_environment()
        ports: dict[str, Any] = {name: _Paused(getattr(core, name), self._pause) for name in PORTS}
        return Core.on(**ports, clock=core.clock, fences=core.fences, local=core.local)

    @contextmanager
    def _pause(self) -> Iterator[None]:
        started = process_time()
        try:
            yield
        finally:
            self._outside += process_time() - started


class _Paused:
    """A port whose methods do not count."""

    def __init__(self, port: object, pause: Callable[[], Any]) -> None:
        self._port = port
        self._pause = pause

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._port, name)

        def paused(*arguments: object, **named: object) -> object:
            with self._pause():
                answer: object = method(*arguments, **named)
            return answer

        return paused


def measure(runs: int = 300) -> list[Work]:
    """The median of so many runs of each."""
    return [
        _median("one webhook, to delivered", webhook_to_delivered, runs),
        _median("one create, RMS books", create_booked_by_rms, runs),
        _median("one create, channel booked", create_booked_by_channel, runs),
    ]


def _median(title: str, prepare: Callable[[Installation, int], Run], runs: int) -> Work:
    rms = _Stopwatch()
    spent: list[dict[str, float]] = []
    with quiet():
        for number in range(runs + 20):
            run = prepare(rms, number)
            rms.spent.clear()
            run()
            spent.append(dict(rms.spent))
    warm = spent[20:]
    return Work(title, {name: median(each[name] for each in warm) * 1000 for name in warm[0]})
