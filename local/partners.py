"""The simulated partners of `sandbox/`, each a process of its own on a free port of loopback."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from local.processes import Process
from sandbox.client import SandboxClient

START_SECONDS: Final = 15.0
CALLERS: Final = ("clickpost", "shiprocket", "shipway", "generic", "returns_prime", "shopify")
RECEIVERS: Final = ("receiver", "erp", "channel", "wms")


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner that answers.

    Attributes:
        urls: what it said about itself: `url`, and `base_url` (Clickpost), `hooks` (receiver) or `inbox` (a system that
            takes one kind of call).
        control: steers it and looks into it.
    """

    urls: Mapping[str, str]
    control: SandboxClient


@contextmanager
def partner(name: str, *arguments: str, folder: Path) -> Iterator[Partner]:
    """`python -m sandbox.<name>` with its log in the folder, until the end of the block.

    Raises:
        DidNotStart: it ended or did not say where it listens; with its log.
    """
    log = folder / f"{name}.log"
    environment = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
    command = [sys.executable, "-m", f"sandbox.{name}", "--port", "0", *arguments]
    with Process(f"the simulated {name}", command, log=log, env=environment) as process:
        process.wait_until(lambda: _announced(log) is not None, START_SECONDS)
        urls = _announced(log)
        assert urls is not None
        yield Partner(urls, SandboxClient(urls["url"]))


@contextmanager
def partners(folder: Path) -> Iterator[Mapping[str, Partner]]:
    """Every aggregator, a returns app, a web shop, and a client's own systems, by name."""
    # Webhooks follow one another quickly here; the pause between the tries of a refused one stays.
    quick = ("--webhook-spacing", "2")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(partner(name, *(quick if name in CALLERS else ()), folder=folder))
            for name in (*CALLERS, *RECEIVERS)
        }


def _announced(log: Path) -> Mapping[str, str] | None:
    """The line of JSON that a partner prints once it listens."""
    for line in log.read_text(errors="replace").splitlines():
        try:
            urls = json.loads(line)
        except ValueError:
            continue
        if isinstance(urls, dict) and "url" in urls:
            return cast("Mapping[str, str]", urls)
    return None
