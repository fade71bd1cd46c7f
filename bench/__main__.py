"""Prints what RMS costs, each figure beside its aim: `make bench`."""

import os
import sys
from collections.abc import Sequence

from bench import concurrency, cpu, imports, simulations
from bench.budgets import BUDGETS, CALLS_PER_EVENT, LEAST_GAIN, START_AIM, START_LIMIT, START_LIMITS
from bench.flows import FLOWS, Flow, bill
from bench.installations import Installation, on_moto, quiet
from rms.composition import AT_ONCE

_AWS: dict[str, str] = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "ap-south-1",
}


def main() -> int:
    """Measure everything; 1 when a flow costs more than its budget or moto counts other calls than the fakes."""
    os.environ.update(_AWS)
    broken = [*_flows(), *_concurrency(), *_starts()]
    _cpu()
    _simulations()
    for each in broken:
        print(f"OVER BUDGET: {each}")
    return 1 if broken else 0


def _flows() -> list[str]:
    print("AWS calls and units of one flow. Cold: no function of it has run yet. Warm: each has, within 10 s.")
    print("Calls are counted on the fakes and, by botocore, in front of moto; units are priced as DynamoDB bills.\n")
    rows: list[tuple[str, ...]] = [
        ("flow", "cold", "warm", "aim", "write units", "read units", "on moto", "warm calls")
    ]
    broken: list[str] = []
    for flow in FLOWS:
        with quiet():
            cold, warm = bill(flow, Installation(), warm=False), bill(flow, Installation(), warm=True)
            same = _on_moto(flow) == warm.calls
        budget = BUDGETS[flow.title]
        aim = "" if flow.most_calls is None else f"<= {flow.most_calls}"
        called = ", ".join(f"{count} {name}" for name, count in sorted(warm.calls.items()))
        units = (f"{warm.write_units:g}", f"{warm.read_units:g}")
        moto = "the same" if same else "NOT the same"
        rows.append((flow.title, str(cold.total), str(warm.total), aim, *units, moto, called))
        over = cold.total > budget.cold or warm.total > sum(budget.warm.values())
        over = over or warm.write_units > budget.write_units or warm.read_units > budget.read_units
        if over or not same:
            broken.append(flow.title)
    _table(rows)
    return broken


def _on_moto(flow: Flow) -> object:
    with on_moto() as rms:
        return bill(flow, rms, warm=True).calls


def _concurrency() -> list[str]:
    telling = concurrency.measure()
    milliseconds = concurrency.ANSWERS_AFTER * 1000
    print(f"\nOne event for {telling.events} endpoints that each take {milliseconds:.0f} ms: deliver_notifications")
    print(f"with a message at a time, and with all in one batch, {AT_ONCE} of them worked at the same time.\n")
    _table(
        [
            ("", "events per second", "aim", "AWS calls per event", "aim"),
            ("in series", f"{telling.events / telling.in_series:.1f}", "", "", ""),
            (
                "in one batch",
                f"{telling.events / telling.at_once:.1f}, {telling.gain:.1f} times as many",
                f">= {LEAST_GAIN:g} times",
                f"{telling.calls_per_event:g}",
                f"<= {CALLS_PER_EVENT}",
            ),
        ]
    )
    broken = ["gain of a batch"] if telling.gain < LEAST_GAIN else []
    return broken + (["AWS calls per event of a batch"] if telling.calls_per_event > CALLS_PER_EVENT else [])


def _starts() -> list[str]:
    rounds = 9
    print(f"\nStart of each function as a ratio to the floor, in processor time of {rounds} starts that took turns.")
    print("Floor: Python, boto3.client('dynamodb'), Powertools' Logger. init: as Lambda does it, clients opened;")
    print("module: import alone; calling: init and what the first call to a partner adds (HTTP library, KMS client).\n")
    starts = imports.measure(imports.functions(), rounds)
    floor = starts.floor
    rows: list[tuple[str, ...]] = [
        ("function", "init, best", "init, median", "aim", "init, best ms", "module, best", "calling, best"),
        ("(floor)", "1.00", "1.00", "", f"{floor.least:.0f}", "", ""),
    ]
    broken: list[str] = []
    for name, start in starts.init.items():
        best = start.least / floor.least
        calling = starts.calling.get(name)
        rows.append(
            (
                name,
                f"{best:.2f}",
                f"{start.median / floor.median:.2f}",
                f"<= {START_AIM}" + ("" if best <= START_AIM else " MISSED"),
                f"{start.least:.0f}",
                f"{starts.module[name].least / floor.least:.2f}",
                f"{calling.least / floor.least:.2f}" if calling else "",
            )
        )
        if best > START_LIMITS.get(name, START_LIMIT):
            broken.append(f"start of {name}")
    _table(rows)
    return broken


def _cpu() -> None:
    runs = 300
    print(f"\nProcessor time of RMS's own code above its ports, warm, median of {runs} runs; the fakes and the")
    print("simulated partners taken out, logs from WARNING on. What AWS's library computes per call is not in it.\n")
    rows: list[tuple[str, ...]] = [("work", "ms", "by function")]
    for work in cpu.measure(runs):
        parts = ", ".join(f"{name} {milliseconds:.2f}" for name, milliseconds in work.milliseconds.items())
        rows.append((work.title, f"{work.total:.2f}", parts))
    _table(rows)


def _simulations() -> None:
    print(
        "\nDelivery in virtual time: from the journal to the endpoint's 200, where an endpoint takes 0.05 to 0.2 s and"
    )
    print("a call to the table 5 ms. 50 invocations of up to 10 messages at once, no cold starts.\n")
    _table([simulations.HEAD, *simulations.rows()])


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


if __name__ == "__main__":
    sys.exit(main())
