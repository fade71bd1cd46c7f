"""The ports in virtual time: every call takes a while, and whatever else is due happens meanwhile."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, override

from rms.platform.http import HttpRequest
from rms.platform.table import Item, Key, Page
from rms.platform.table_rules import check_limit, page_token, position_of
from tests.fakes.calls import Calls, Fault
from tests.fakes.http import Answer
from tests.fakes.secrets import FakeSecrets
from tests.fakes.table import INDEXES, FakeTable, Row
from tests.simulations.timeline import Timeline

TABLE_SECONDS: Final = 0.005
"""What a call to the table takes; the queues and the key service answer at once."""

INDEX_SECONDS: Final = 0.1
"""How long a change takes to be seen in the indexes."""

type Place = tuple[str, str, str]
"""Sort key of the index, PK, SK."""


@dataclass(slots=True)
class Delays(Calls):
    """Calls that take time and are not recorded; none goes wrong."""

    wait: Callable[[float], None] | None = None
    seconds: float = 0.0

    @override
    def run[T](
        self,
        port: str,
        operation: str,
        arguments: tuple[object, ...],
        effect: Callable[[], T],
        no_answer: Callable[[Fault], T],
    ) -> T:
        if self.wait is not None:
            self.wait(self.seconds)
        return effect()


class TimedTable(FakeTable):
    """The table. Its indexes lag by a while of virtual time, and are sorted, so that long ones are read fast."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(Delays(wait=timeline.wait, seconds=TABLE_SECONDS), index_lag=1_000_000_000)
        self._timeline = timeline
        self._changed_at: list[float] = []
        self._sorted: dict[tuple[str, str], list[Place]] = defaultdict(list)

    @override
    def query_due(self, shard: str, *, until: str, after: str | None = None, limit: int = 100) -> Page:
        check_limit(limit)
        name = ("due", shard)
        start = tuple(position_of(after, name, 3)) if after is not None else None

        def effect() -> Page:
            self._catch_up_by_time()
            places = self._sorted["due", shard]
            first = bisect_right(places, start) if start is not None else 0
            found = [place for place in places[first : first + limit + 1] if place[0] <= until]
            page = found[:limit]
            rows = [Key(pk, sk) for _, pk, sk in page]
            items: list[Item] = [
                {"PK": key.pk, "SK": key.sk, "due_shard": shard, "due_at": at}
                for key, (at, _, _) in zip(rows, page, strict=True)
            ]
            return Page(items, page_token(name, page[-1]) if len(found) > limit else None)

        return self._read("query_due", (shard, until, after, limit), effect)

    def next_due(self, shards: Sequence[str]) -> str | None:
        """When the first row of these shards is due, or None; what is too new for the index is not seen."""
        self._catch_up_by_time()
        firsts = [self._sorted["due", shard][0][0] for shard in shards if self._sorted["due", shard]]
        return min(firsts, default=None)

    @override
    def _store(self, key: Key, new: Row | None) -> None:
        super()._store(key, new)
        self._changed_at += [self._timeline.seconds] * (len(self._behind) - len(self._changed_at))

    @override
    def _index_rows(self, name: str, partition: str) -> Iterator[tuple[tuple[str, ...], Row]]:
        self._catch_up_by_time()
        hash_name, range_name = INDEXES[name]
        for place in self._sorted[name, partition]:
            entry = {"PK": place[1], "SK": place[2], hash_name: partition, range_name: place[0]}
            yield place, {attribute: {"S": text} for attribute, text in entry.items()}

    def _catch_up_by_time(self) -> None:
        count = bisect_right(self._changed_at, self._timeline.seconds - INDEX_SECONDS)
        if not count:
            return
        for name, key, entry in self._behind[:count]:
            before = self._indexes[name].get(key)
            if before is not None:
                places = self._sorted[name, before[0]]
                del places[bisect_left(places, before[1:])]
            if entry is not None:
                insort(self._sorted[name, entry[0]], entry[1:])
                self._indexes[name][key] = entry
            else:
                self._indexes[name].pop(key, None)
        del self._behind[:count]
        del self._changed_at[:count]


class RememberingSecrets(FakeSecrets):
    """The key service, each answer of which is kept, as an environment does."""

    def __init__(self) -> None:
        super().__init__(Delays())
        self._kept: dict[tuple[str, frozenset[tuple[str, str]]], str] = {}

    @override
    def unseal(self, sealed: str, context: Mapping[str, str]) -> str:
        name = (sealed, frozenset(context.items()))
        if name not in self._kept:
            self._kept[name] = super().unseal(sealed, context)
        return self._kept[name]


@dataclass(slots=True)
class TimedHttp:
    """The Http port: whoever has a host answers there, in its own time."""

    hosts: dict[str, Callable[[HttpRequest], Answer]] = field(default_factory=dict)

    def send(self, request: HttpRequest) -> Answer:
        host = request.url.split("/", 3)[2]
        return self.hosts[host](request)

    def problem_with(self, url: str) -> str | None:
        host = url.split("/", 3)[2]
        return None if host in self.hosts else "no such host"
