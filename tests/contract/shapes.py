"""The bodies of `events/`, each with who reads it, and the other shapes in which it may come."""

import json
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from rms.aggregators.contract import (
    Direction,
    Refused,
    Unauthorized,
    Unknown,
    UnreadableWebhookError,
)
from tests.contract.adapters import RECEIVED_AT, Adapter, answered
from tests.contract.walking import Place, place

type Way = tuple[str | int, ...]
"""From the whole of a body to one of its members."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A webhook that was not read, so that it stays whole for a person."""


@dataclass(frozen=True, slots=True)
class Body:
    """One body of an aggregator's, as what it came, and who reads it."""

    partner: Adapter
    kind: str
    """`walk`, `label`, `cancel`, `tracking`, `login` or `webhook`."""

    name: str
    sent: Any
    of: Callable[[bytes], object]
    place: Place | None = None
    """Of an answer to a walk's call: where it comes in."""

    @property
    def file(self) -> str:
        """Its file in `events/`."""
        return next(part for part in self.name.split("/") if part.endswith(".json"))

    @property
    def reader(self) -> str:
        """Names what reads it, so that members of one name are read alike."""
        return f"{self.place.ask.name} {self.place.job.direction}" if self.place else ""

    def read(self, body: Any) -> object:
        """What a body means in this one's place."""
        return self.of(json.dumps(body).encode())


def bodies(partner: Adapter) -> list[Body]:
    """All bodies of an aggregator's, each once in each place where it is read otherwise."""
    return [*_of_walks(partner), *_of_calls(partner), *_of_webhooks(partner)]


def _of_walks(partner: Adapter) -> Iterator[Body]:
    steps = [
        (name, number, step.answer, step.status)
        for name, walk in partner.walks.items()
        for number, step in enumerate(walk.steps)
    ]
    steps += [(reading.walk, reading.step, reading.answer, reading.statuses[0]) for reading in partner.readings]
    seen: list[tuple[object, ...]] = []
    for name, number, file, status in steps:
        here = place(partner, name, number)
        again = (here.ask.name, here.searching, here.job.direction, dict(here.progress), file, status)
        if again not in seen:
            seen.append(again)
            sent = json.loads(partner.file(file))
            yield Body(partner, "walk", f"{name}/{number}/{file}", sent, _walked(here, status), here)


def _walked(here: Place, status: int) -> Callable[[bytes], object]:
    return lambda body: here.read(answered(body, status))


def _of_calls(partner: Adapter) -> Iterator[Body]:
    def read(kind: str, file: str, status: int, reader: Callable[..., object]) -> Body:
        sent = json.loads(partner.file(file))
        return Body(partner, kind, f"{file}/{status}", sent, lambda body: reader(answered(body, status)))

    adapter, shipment = partner.adapter, partner.shipments[Direction.RETURN]
    yield from (read("label", *example, adapter.read_label) for example in partner.labels)
    yield from (
        read("cancel", *example, lambda answer: adapter.read_cancel(shipment, answer)) for example in partner.cancels
    )
    yield from (
        read("tracking", file, 200, lambda answer: adapter.read_tracking(answer, RECEIVED_AT))
        for file in partner.tracking
    )
    if partner.login is not None:
        yield from (read("login", *example, adapter.read_login) for example in partner.login.answers)


def _of_webhooks(partner: Adapter) -> Iterator[Body]:
    def read(body: bytes) -> object:
        try:
            return partner.adapter.read_webhook(body, RECEIVED_AT)
        except UnreadableWebhookError:
            return Unreadable()

    for file in partner.webhooks:
        yield Body(partner, "webhook", file, json.loads(partner.file(file)), read)


def gist(result: object) -> object:
    """What an answer means, without the words in which it says so."""
    if isinstance(result, Refused):
        return result.kind, result.code, result.burnt
    return type(result) if isinstance(result, Unknown | Unauthorized) else result


# ── other shapes ────────────────────────────────────────────────────────────────────


def reordered(value: Any) -> Any:
    """The same with the members of every object the other way round."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


def widened(value: Any) -> Any:
    """The same with members that nobody knows in every object, except where the names themselves are data."""
    if isinstance(value, dict):
        inner = {name: widened(each) for name, each in value.items()}
        is_data = bool(inner) and all(name.isdigit() for name in inner)
        return inner if is_data else {"zz_new": {"deep": [1, None]}, **inner, "Zz-new": "x"}
    return [widened(each) for each in value] if isinstance(value, list) else value


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """The ways to every member, the whole included."""
    yield way
    held: Any = ()
    if isinstance(value, dict | list):
        held = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in held:
        yield from ways(inner, (*way, name))


def at(value: Any, way: Way) -> Any:
    """The member that a way leads to."""
    for name in way:
        value = value[name]
    return value


def replaced(value: Any, way: Way, new: object) -> Any:
    """The same with another member there."""
    if not way:
        return new
    changed = copy(value)
    changed[way[0]] = replaced(value[way[0]], way[1:], new)
    return changed


def without(value: Any, way: Way) -> Any:
    """The same without the member there."""
    outer = copy(at(value, way[:-1]))
    del outer[way[-1]]
    return replaced(value, way[:-1], outer)


def respelt(value: object) -> object:
    """A whole number as text, digits as a number; all else as it is."""
    match value:
        case int() if not isinstance(value, bool):
            return str(value)
        case str() if value.isascii() and value.isdigit() and str(int(value)) == value:
            return int(value)
        case _:
            return value


ODD: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    7,
    10**30,
    1.5,
    "",
    " ",
    "7",
    "null",
    "\x00",
    "x" * 600,
    [],
    {},
    [[]],
    [None, 7],
    {"7": {}},
)
"""What stands nowhere in the guides, and in somebody's answer one day."""
