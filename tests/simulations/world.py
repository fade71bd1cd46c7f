"""RMS delivering in virtual time: the real functions, many at once, on ports that take time.

Every invocation runs the handler that is deployed. What Lambda, SQS and EventBridge do around it is simulated; see
`tests.simulations.queue`.
"""

import importlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Final
from unittest import mock

from rms import composition
from rms.clients import administration, endpoints
from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Created, Event, EventKind
from rms.journal.keys import all_due_shards
from rms.model.documents import to_document
from rms.model.notification_type import NotificationType
from rms.platform.observability import metrics
from rms.platform.table import Item
from rms.platform.times import to_text
from rms.shipments.wake import wake_tellers
from tests.builders import a_return
from tests.fakes.calls import Calls
from tests.fakes.files import FakeFiles
from tests.fakes.queues import Received
from tests.faults.run import quiet
from tests.simulations.endpoints import Behaviour, SimulatedEndpoint, Try
from tests.simulations.ports import RememberingSecrets, TimedHttp, TimedTable
from tests.simulations.queue import TIME_OUT, DeliveryQueue
from tests.simulations.timeline import Timeline
from tests.world import sqs_event

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

TELLING: Final = (
    NotificationType.AWB_GENERATED,
    NotificationType.RETURN_PICKED_UP,
    NotificationType.IN_TRANSIT,
    NotificationType.OUT_FOR_DELIVERY,
    NotificationType.DELIVERED,
)


_CODE: Final = "RET-OF-EVERYBODY"
_DOCUMENT: Final = to_document(a_return(code=_CODE))
"""Every return has the same content: writing it down anew each time would take longer than telling it."""


class _Environments(list[Core]):
    """What the composition root has built: another core in each environment, which is where the calling thread runs."""

    def __init__(self, first: Core) -> None:
        super().__init__([first])
        self.here = threading.local()
        self.here.core = first

    def __getitem__(self, index: Any) -> Any:
        return getattr(self.here, "core", None) or super().__getitem__(index)


@dataclass(slots=True)
class Simulation:
    """RMS with clients and endpoints in virtual time. Use `simulation()`."""

    timeline: Timeline
    table: TimedTable
    queue: DeliveryQueue
    http: TimedHttp
    core: Core
    environments: _Environments
    endpoints: dict[tuple[str, str], SimulatedEndpoint] = field(default_factory=dict)
    happened: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """When each event was in the journal: client, return, sequence."""

    # ── clients ─────────────────────────────────────────────────────────────────────

    def client(self, name: str) -> None:
        """Another client."""
        administration.create_client(self.core, name, name.title())

    def endpoint(self, client: str, name: str, behave: Behaviour, **wishes: Any) -> SimulatedEndpoint:
        """Another endpoint of a client; `wishes` are of `endpoints.Settings`."""
        host = f"{name}.{client}.test"
        endpoint = self.endpoints[client, name] = SimulatedEndpoint(self.timeline, behave)
        self.http.hosts[host] = endpoint.receive
        settings = endpoints.Settings(url=f"https://{host}/hook", headers={}, **wishes)
        endpoints.put_endpoint(self.core, client, name, lambda _: settings)
        return endpoint

    # ── what happens ────────────────────────────────────────────────────────────────

    def every(self, seconds: float, until: float, happening: Callable[[int], object], *, since: float = 0.0) -> None:
        """Let something happen again and again; it is told how often it has happened before."""
        for number in range(int((until - since) / seconds)):
            self.timeline.at(since + (number + 0.5) * seconds, partial(happening, number))

    def has_orders(self, client: str, seconds: float, until: float) -> None:
        """Let returns be placed at a client, one every so many seconds: RET-0, RET-1, …"""
        self.every(seconds, until, lambda number: self.appears(client, f"RET-{number}"))

    def appears(self, client: str, code: str) -> None:
        """A return is placed: the first event of its journal. To be called in virtual time."""
        now = self.timeline.clock()
        created = self.core.journal.create(
            AggregateId(client, "R", code),
            {"body": _DOCUMENT.replace(_CODE, code), "received_at": to_text(now)},
            {"state": "NEW", "created_at": to_text(now)},
            self._event(code, 1, TELLING[0]),
            readers=configuration_of(self.core, client).readers,
        )
        assert isinstance(created, Created)
        self._has_happened(client, code, 1, created)

    def goes_on(self, client: str, code: str) -> None:
        """One more thing happens to a return. To be called in virtual time."""
        aggregate = AggregateId(client, "R", code)
        status = self.core.journal.status(aggregate)
        assert status is not None
        sequence = int(str(status["sequence"])) + 1
        appended = self.core.journal.append(
            aggregate,
            self._event(code, sequence, TELLING[sequence % len(TELLING)]),
            lambda _: {},
            readers=configuration_of(self.core, client).readers,
            status=status,
        )
        assert isinstance(appended, Appended)
        self._has_happened(client, code, appended.sequence, appended)

    def run(self, until: float) -> None:
        """Let time pass up to this moment."""
        self.timeline.run(until)

    # ── what came of it ─────────────────────────────────────────────────────────────

    def delays(self, client: str, name: str, since: float = 0.0) -> list[float]:
        """For each event that an endpoint took: from the journal to its 200, in seconds; without what came before."""
        taken = self.endpoints[client, name].taken
        return [self.delay(client, each) for each in taken if self.happened[client, each.code, each.sequence] >= since]

    def delay(self, client: str, told: Try) -> float:
        """From the journal to the end of a try."""
        return told.ended - self.happened[client, told.code, told.sequence]

    def row(self, client: str, sk: str, *, pk: str | None = None) -> Item | None:
        """A row of a client's configuration, or of another partition."""
        return next((row for row in self.table.rows() if row["PK"] == (pk or f"C#{client}") and row["SK"] == sk), None)

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _event(self, code: str, sequence: int, name: NotificationType) -> Event:
        now = self.timeline.clock()
        return Event(f"{code}:{sequence}", EventKind.TRACKED, now, now, name, {})

    def _has_happened(self, client: str, code: str, sequence: int, outcome: Created | Appended) -> None:
        self.happened[client, code, sequence] = self.timeline.seconds
        wake_tellers(self.core, AggregateId(client, "R", code), outcome.readers)

    def start_sweeping(self) -> None:
        """The sweeper comes every minute. Where it would find nothing it is not called, which comes to the same."""
        self.timeline.at(self.timeline.seconds + MINUTE, self._sweep)

    def _sweep(self) -> None:
        self.start_sweeping()
        due = self.table.next_due(all_due_shards())
        if due is not None and datetime.fromisoformat(due) <= self.timeline.clock():
            self.invoke("sweep_due_work", {"id": "tick"}, self.core)

    def invoke(self, function: str, event: Mapping[str, Any], core: Core) -> Any:
        """Call a function's handler in an environment."""
        self.environments.here.core = core
        return importlib.import_module(f"functions.{function}.app").handler(event, None)


@contextmanager
def simulation(*, seed: int = 0) -> Iterator[Simulation]:
    """RMS without clients, at the start of virtual time."""
    random.seed(seed)  # delivery's jitter
    timeline = Timeline()
    table, http, secrets = TimedTable(timeline), TimedHttp(), RememberingSecrets()
    numbers = count(1)

    def work(received: Sequence[Received]) -> list[str]:
        core = free.pop() if free else environment()
        answer = simulated.invoke("deliver_notifications", sqs_event(received), core)
        free.append(core)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    queue = DeliveryQueue(timeline, work, seed=seed)

    def environment() -> Core:
        core = Core.on(
            table,
            queue,
            secrets,
            FakeFiles(Calls()),
            http,
            clock=timeline.clock,
            fences=lambda: f"fence-{next(numbers)}",
            pause=timeline.wait,
        )
        core.journal._pause = timeline.wait
        return core

    free: list[Core] = []
    core = environment()
    environments = _Environments(core)
    simulated = Simulation(timeline, table, queue, http, core, environments)
    try:
        with (
            quiet(),
            mock.patch.object(metrics, "add_metric", _not_counted),
            mock.patch.object(composition, "_built", environments),
        ):
            simulated.start_sweeping()
            yield simulated
            timeline.close()
    finally:
        if not timeline.over:
            timeline.close()
    assert not queue.dead, "a message was given up"
    assert queue.longest < TIME_OUT, "Lambda would have ended an invocation"


def _not_counted(**_: object) -> None:
    """What metrics make of a count here."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]
