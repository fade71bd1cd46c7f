"""What goes out to an endpoint, whatever its kind: who composes it, how a try is built, and what an answer means.

Each kind has a module that composes, out of an event and what it is told with, the message of one of the `sinks`. It
is loaded by the functions that tell such endpoints, when they do: a cold start pays for every module.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Final, Protocol

from rms.clients.configuration import Endpoint
from rms.journal import AggregateId, RecordedEvent
from rms.model.endpoint_kind import EndpointKind
from rms.notifications.background import Background
from rms.notifications.compose import compose
from rms.notifications.judgement import Verdict
from rms.notifications.signing import message_id
from rms.notifications.sinks import webhook
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.table import Item

type Build = Callable[[webhook.Endpoint, datetime], HttpRequest]
type Judge = Callable[[HttpAnswer | NoAnswer, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for one endpoint. `about` is what attempts call it, `problems` what must be known before it can go.

    A test, which is no event, says what it is.
    """

    id: str
    about: str
    build: Build = field(repr=False)
    judge: Judge = field(repr=False)
    problems: Sequence[str] = ()
    test: bool = False


class Composer(Protocol):
    """What the module of a kind offers."""

    def outgoing(self, told: "Telling") -> Outgoing | None:
        """The message of an event; None when it turns out to be nothing that this endpoint is told."""
        ...

    def sample(self, endpoint: Endpoint, message: str, now: datetime) -> Outgoing:
        """A message as it could have been, about a return that is nobody's."""
        ...


@dataclass(frozen=True, slots=True)
class Telling:
    """An event that an endpoint is to be told, with all that it is told with."""

    aggregate: AggregateId
    endpoint: Endpoint
    document: Item = field(repr=False)
    recorded: RecordedEvent
    background: Background = field(repr=False)

    @property
    def message_id(self) -> str:
        """The `webhook-id`, the same on every try and every replay."""
        return id_of(self.aggregate, self.recorded.sequence, self.endpoint.id)

    @property
    def about(self) -> str:
        """What attempts call it."""
        return about_event(self.endpoint.kind, self.recorded)


COMPOSERS: Final[Mapping[EndpointKind, str]] = {
    EndpointKind.RETURN_ACK: "checked",
    EndpointKind.PROCESSING_UPDATE: "updating",
    EndpointKind.ERP_POSTING: "posting",
    EndpointKind.RETURN_EXPECTATION: "expecting",
}
"""The module of each kind but that of notifications, which every function that tells anything needs."""


def outgoing(told: Telling) -> Outgoing | None:
    """The message that tells an endpoint an event; None when it is nothing that this endpoint is told."""
    if told.endpoint.kind is EndpointKind.NOTIFICATION:
        notification = compose(told.aggregate, told.document, told.recorded)
        return notify(webhook.Message(told.message_id, notification), told.about)
    return composer_of(told.endpoint.kind).outgoing(told)


def notify(message: webhook.Message, about: str) -> Outgoing:
    """A notification on its way."""
    return Outgoing(message.id, about, lambda target, now: webhook.build(target, message, now), webhook.judge)


def composer_of(kind: EndpointKind) -> Composer:
    """The module that composes what endpoints of this kind are told."""
    composer: Composer = import_module(f"rms.notifications.{COMPOSERS[kind]}")
    return composer


def id_of(aggregate: AggregateId, sequence: int, endpoint: str) -> str:
    """The `webhook-id` of an event for an endpoint."""
    return message_id(aggregate.client, f"{aggregate.kind}#{aggregate.code}", sequence, endpoint)


def about_event(kind: EndpointKind, recorded: RecordedEvent) -> str:
    """What attempts call an event: the notification's type, or what kind of thing happened."""
    event = recorded.event
    if kind is EndpointKind.NOTIFICATION:
        return event.notification.value if event.notification else ""
    return event.kind.value
