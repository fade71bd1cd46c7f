"""What every use case is handed: the ports and the journal on them. Built by `rms.composition`, or by a test."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from rms.journal.cursors import Cursors
from rms.journal.journal import Journal
from rms.platform.files import Files
from rms.platform.http import Http
from rms.platform.queues import Queues
from rms.platform.secrets import Secrets
from rms.platform.table import Table

REMEMBERED: Final = timedelta(seconds=10)
"""How long an environment may go on with configuration it has read; how late a change may take hold."""

SILENCE: Final = timedelta(hours=24)
"""How long nothing may be heard of a parcel before it is asked for, unless it is set otherwise."""


@dataclass(slots=True)
class Memory:
    """What this environment remembers between invocations: small, and never older than REMEMBERED.

    Threads may share it.
    """

    clock: Callable[[], datetime]
    _kept: dict[str, tuple[datetime, object]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def recall(self, name: str) -> object | None:
        """What was kept under this name, if it is fresh."""
        kept = self._kept.get(name)
        return kept[1] if kept is not None and self.clock() - kept[0] < REMEMBERED else None

    def keep(self, name: str, value: object) -> None:
        """Keep a value; a thousand names at most, the oldest forgotten first."""
        now = self.clock()
        with self._lock:
            if len(self._kept) >= 1000:  # noqa: PLR2004 - a bound, explained by the line above
                del self._kept[next(iter(self._kept))]
            self._kept.pop(name, None)
            self._kept[name] = (now, value)

    def forget(self, name: str) -> None:
        """Read it anew next time."""
        with self._lock:
            self._kept.pop(name, None)


@dataclass(frozen=True, slots=True)
class Core:
    """Everything that a use case may touch. `pause` waits so many seconds; `local` is true on the local stage only.

    `silence` is how long nothing may be heard of a parcel before its aggregator is asked for it. `at_once` is how many
    messages of a batch a worker may work at the same time, if it is one that does.
    """

    table: Table
    queues: Queues
    secrets: Secrets
    files: Files
    http: Http
    clock: Callable[[], datetime]
    fences: Callable[[], str]
    journal: Journal
    cursors: Cursors
    memory: Memory
    pause: Callable[[float], None] = time.sleep
    local: bool = False
    silence: timedelta = SILENCE
    at_once: int = 1

    @classmethod
    def on(  # noqa: PLR0913 - one argument per port
        cls,
        table: Table,
        queues: Queues,
        secrets: Secrets,
        files: Files,
        http: Http,
        *,
        clock: Callable[[], datetime],
        fences: Callable[[], str],
        pause: Callable[[float], None] = time.sleep,
        local: bool = False,
        silence: timedelta = SILENCE,
        at_once: int = 1,
    ) -> "Core":
        """A core on these ports."""
        return cls(
            table=table,
            queues=queues,
            secrets=secrets,
            files=files,
            http=http,
            clock=clock,
            fences=fences,
            journal=Journal(table, clock, fences),
            cursors=Cursors(table, clock, fences),
            memory=Memory(clock),
            pause=pause,
            local=local,
            silence=silence,
            at_once=at_once,
        )
