"""Prints what RMS loses or doubles when each of its calls fails in each way: nothing, or this ends with exit code 1.

Beside it the same flow guarded by Powertools' idempotency decorator alone. Run by `make faults`.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from sandbox.clickpost.settings import Settings
from tests.faults.invariants import Kind
from tests.faults.partners import BOOKS_EVERY_REPEAT, REFUSES_DUPLICATES
from tests.faults.powertools_only import strike_decorated
from tests.faults.run import quiet
from tests.faults.scenarios import SCENARIOS
from tests.faults.schedules import CI_SCHEDULES, play_schedules
from tests.faults.strikes import FAULTS, Tally, strike_everywhere

COMPARED: Final = SCENARIOS[0]
_WIDTH: Final = 46


def say(line: str = "") -> None:
    """One line, at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def struck(index: int) -> Tally:
    """One scenario of RMS, struck everywhere."""
    with quiet():
        return strike_everywhere(SCENARIOS[index])


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in which RMS and the decorator are compared."""

    name: str
    partner: Settings
    client_repeats: bool = True


SETTINGS: Final = (
    Setting("the partner answers 323 to a repeat", REFUSES_DUPLICATES),
    Setting("the same, and the client calls only once", REFUSES_DUPLICATES, client_repeats=False),
    Setting("the partner books every repeat", BOOKS_EVERY_REPEAT),
)


def compared(setting: Setting) -> tuple[Tally, Tally]:
    """RMS and the decorator, in one setting."""
    ours = replace(COMPARED, name="  RMS", clickpost=setting.partner, client_repeats=setting.client_repeats)
    with quiet():
        return (
            strike_everywhere(ours),
            strike_decorated(setting.partner, "  decorator", client_repeats=setting.client_repeats),
        )


def lines(tallies: Sequence[Tally]) -> Iterable[str]:
    """A table of breaches, one row per tally and their total."""
    heads = ["calls", "runs", *Kind]
    yield " " * _WIDTH + "  ".join(heads)
    rows = [(tally.name, [tally.calls, tally.runs, *(tally.breaches[kind] for kind in Kind)]) for tally in tallies]
    rows.append(("all", [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)]))
    for name, numbers in rows:
        cells = (f"{number:>{len(head)},}" for head, number in zip(heads, numbers, strict=True))
        yield f"{name:<{_WIDTH}}" + "  ".join(cells)


def comparison(beside: Sequence[tuple[Tally, Tally]]) -> Iterable[str]:
    """How many runs went wrong, ours above theirs."""
    heads = ["calls", "runs", *Kind]
    yield " " * _WIDTH + "  ".join(heads)
    for setting, tallies in zip(SETTINGS, beside, strict=True):
        yield setting.name
        for tally in tallies:
            numbers = [tally.calls, tally.runs, *(tally.spoilt[kind] for kind in Kind)]
            cells = (f"{number:>{len(head)},}" for head, number in zip(heads, numbers, strict=True))
            yield f"{tally.name:<{_WIDTH}}" + "  ".join(cells)


def main(arguments: Sequence[str] | None = None) -> int:
    """Strike, print, and answer 1 if RMS broke any promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.table", description=__doc__)
    parser.add_argument("--schedules", type=int, default=16_000, help="random schedules to play, with seeds CI has not")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    started = time.monotonic()
    ours: list[Tally] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for tally in pool.map(struck, range(len(SCENARIOS))):
            ours.append(tally)
            say(f"  {tally.runs:>5} runs  {tally.name}  ({time.monotonic() - started:.0f} s)")
        beside = list(pool.map(compared, SETTINGS))
    say()
    say(f"One fault per run: each call x {', '.join(fault.name for fault in FAULTS)}")
    say()
    for line in lines(ours):
        say(line)
    say()
    say("Create, book, store, notify: how many runs had what. Decorator: guarded by Powertools' idempotency alone.")
    say("A partner that books every repeat can at least be searched by our reference, which RMS does.")
    say()
    for line in comparison(beside):
        say(line)
    say()
    failed = play_schedules(options.schedules, options.processes, say, first=CI_SCHEDULES)
    wrong = [example for tally in [*ours, *(rms for rms, _ in beside)] for example in tally.examples]
    for example in wrong:
        say(f"BROKEN {example}")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
