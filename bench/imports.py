"""Start-up time of each function, as a ratio to the least that a function like ours can start in.

Each start is a Python of its own, `-I`, with everything compiled before; the starts of all take turns, so that a
moment in which the machine is busy strikes all alike. What counts is processor time, the machine's other work aside.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

ROOT: Final = Path(__file__).parents[1]

FLOOR: Final = """
import boto3
from aws_lambda_powertools import Logger
Logger(service="floor")
boto3.client("dynamodb")
"""
"""What any function on this platform pays: Python, one AWS client, Powertools' logger."""

_FUNCTION: Final = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "layers/rms/src")!r}]
import functions.NAME.app
"""

_CALLS_OUT: Final = """
import rms.platform.outbound
from rms.platform.aws import open_client
open_client("kms")
"""
"""What the first invocation adds in a function that calls partners."""

CALL_OUT: Final = frozenset(
    {
        "ask_web_shop_labels",
        "book_shipments",
        "cancel_shipments",
        "create_return",
        "deliver_notifications",
        "generate_return_awb",
        "record_shipment_events",
        "ship_forward",
    }
)
"""The functions that call partners; the recorder only where an aggregator's webhooks are to be confirmed."""

_ENVIRONMENT: Final = {
    "PATH": os.environ.get("PATH", ""),
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "ap-south-1",
    "RMS_STAGE": "bench",
    "RMS_TABLE": "rms",
    "RMS_INBOUND_QUEUE": "https://sqs.ap-south-1.amazonaws.com/000000000000/inbound",
    "RMS_BOOKINGS_QUEUE": "https://sqs.ap-south-1.amazonaws.com/000000000000/bookings",
    "RMS_DELIVERIES_QUEUE": "https://sqs.ap-south-1.amazonaws.com/000000000000/deliveries",
    "RMS_SECRETS_KEY": "alias/rms",
    "RMS_LABELS_BUCKET": "rms-labels",
    "RMS_SILENCE_HOURS": "24",
}
_FLOOR_CASE: Final = ("floor", "")
_AT_INIT: Final = _ENVIRONMENT | {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


@dataclass(frozen=True, slots=True)
class Start:
    """How long something takes to start, in milliseconds of processor time."""

    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The usual."""
        return median(self.times)

    @property
    def least(self) -> float:
        """The best, which other work on the machine disturbs least."""
        return min(self.times)

    def and_then(self, more: "Start") -> "Start":
        """These times and those of another run."""
        return Start(self.times + more.times)


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts of one run.

    `init` is what Lambda's init does, clients opened; `module` the import alone; `calling` is init and what the first
    call to a partner adds, for the functions that make such calls.
    """

    floor: Start
    init: Mapping[str, Start]
    module: Mapping[str, Start]
    calling: Mapping[str, Start]

    def and_then(self, more: "Starts") -> "Starts":
        """These and those of another run, which may have been of some functions only."""
        return Starts(
            floor=self.floor.and_then(more.floor),
            init=_joined(self.init, more.init),
            module=_joined(self.module, more.module),
            calling=_joined(self.calling, more.calling),
        )


def functions() -> list[str]:
    """Every function of RMS."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def measure(names: Sequence[str], rounds: int = 9, *, only_init: bool = False) -> Starts:
    """Start each function `rounds` times, in turns, and the floor before and after each turn."""
    code = {name: _FUNCTION.replace("NAME", name) for name in names}
    cases = {
        _FLOOR_CASE: (FLOOR, _ENVIRONMENT),
        **{("init", name): (code[name], _AT_INIT) for name in names},
    }
    if not only_init:
        cases |= {("module", name): (code[name], _ENVIRONMENT) for name in names}
        cases |= {("calling", name): (code[name] + _CALLS_OUT, _AT_INIT) for name in names if name in CALL_OUT}
    for program, environment in cases.values():  # compiles, and warms the disk
        _start(program, environment)
    times: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in (*cases, _FLOOR_CASE):
            times[case].append(_start(*cases[case]))
    starts = {case: Start(tuple(taken)) for case, taken in times.items()}
    return Starts(
        floor=starts[_FLOOR_CASE],
        init=_of("init", starts.items()),
        module=_of("module", starts.items()),
        calling=_of("calling", starts.items()),
    )


def _of(kind: str, starts: Iterable[tuple[tuple[str, str], Start]]) -> Mapping[str, Start]:
    return {name: start for (its_kind, name), start in starts if its_kind == kind}


def _joined(some: Mapping[str, Start], more: Mapping[str, Start]) -> Mapping[str, Start]:
    return {name: start.and_then(more[name]) if name in more else start for name, start in some.items()}


def _start(program: str, environment: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-c", program], env=environment, check=True)  # noqa: S603 - our own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
