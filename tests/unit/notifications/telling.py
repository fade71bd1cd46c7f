"""What tests of delivery share: returns with a given history, one worker's run, and a look at what came of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rms.clients.configuration import configuration_of
from rms.clients.endpoints import Settings, put_endpoint
from rms.core import Core
from rms.journal import AggregateId, Appended, Created, Event, EventKind
from rms.model.documents import to_document
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.notifications import deliver_notifications
from rms.notifications.delivery import Delivery
from rms.platform.http import HttpRequest
from rms.platform.table import Item, Value
from rms.platform.times import to_text
from tests.builders import a_return
from tests.fakes.http import Answer, Handler, json_of
from tests.world import CLIENT, RECEIVER_HOST, World

HOOK: Final = f"https://{RECEIVER_HOST}/hooks/shop"
CREDENTIALS: Final = f"https://{RECEIVER_HOST}/credentials/shop"

PICKED_UP: Final = NotificationType.RETURN_PICKED_UP
IN_TRANSIT: Final = NotificationType.IN_TRANSIT
DELIVERED: Final = NotificationType.DELIVERED


def a_journal(
    world: World, *names: NotificationType | None, code: str = "RET-1", order: ReturnOrder | None = None
) -> AggregateId:
    """A return of the client whose journal holds one event for each name; None is an event that nobody is told."""
    aggregate = AggregateId(CLIENT, "R", code)
    first, *later = names
    created = world.core.journal.create(
        aggregate,
        {"body": to_document(order or a_return(code=code)), "received_at": to_text(world.clock())},
        {"state": "RETURN_ORDER_PLACED", "created_at": to_text(world.clock())},
        an_event(world, f"{code}:1", first),
        readers=configuration_of(world.core, CLIENT).readers,
    )
    assert created == Created()
    for name in later:
        happens(world, aggregate, name)
    return aggregate


def happens(
    world: World, aggregate: AggregateId, name: NotificationType | None, facts: Mapping[str, Value] | None = None
) -> int:
    """One thing more happens to the return; answers its place in the journal."""
    status = world.core.journal.status(aggregate)
    assert status is not None
    event = an_event(world, f"{aggregate.code}:{int(str(status['sequence'])) + 1}", name, facts)
    appended = world.core.journal.append(
        aggregate, event, lambda _: {}, readers=configuration_of(world.core, aggregate.client).readers
    )
    assert isinstance(appended, Appended)
    return appended.sequence


def an_event(
    world: World, event_id: str, name: NotificationType | None, facts: Mapping[str, Value] | None = None
) -> Event:
    return Event(event_id, EventKind.TRACKED, world.clock(), world.clock(), name, facts or {})


def tell(world: World, aggregate: AggregateId, endpoint: str = "shop", core: Core | None = None) -> Delivery:
    """What one worker does with one wake-up; its retries come exactly when the schedule says."""
    return deliver_notifications(core or world.core, aggregate, endpoint, jitter=lambda: 0.5)


def answers(world: World, *script: Answer | Handler, then: Callable[[HttpRequest], Answer] | None = None) -> None:
    """Let the endpoint `shop` answer so, one each; then as told, or as the receiver does."""
    usual = world.http._routes["https://"].play
    world.http.on(HOOK, then or usual, script=script)


def as_usual(world: World, request: HttpRequest) -> Answer:
    """What the receiver makes of a request."""
    return world.http._routes["https://"].play(request)


def register(world: World, name: str = "shop", url: str | None = None, **facts: Any) -> str | None:
    """Register an endpoint, new or again: what is not given is as nobody had ever said anything of it."""
    settings = Settings(**({"url": url or f"https://{RECEIVER_HOST}/hooks/{name}", "headers": {}} | facts))
    return put_endpoint(world.core, CLIENT, name, lambda _: settings).secret


def cursor(world: World, aggregate: AggregateId, endpoint: str = "shop") -> Item:
    """The cursor's row."""
    return world.rows_of(aggregate.code)[f"CURSOR#{endpoint}"]


def attempts(world: World, aggregate: AggregateId, endpoint: str = "shop") -> list[Mapping[str, Any]]:
    """All attempts, in the order in which they were made."""
    rows = world.rows_of(aggregate.code)
    found = [row for sk, row in rows.items() if sk.startswith(f"ATTEMPT#{endpoint}#")]
    return sorted(found, key=lambda row: str(row["SK"]).rpartition("#")[2])


def sent(world: World, prefix: str = HOOK) -> list[HttpRequest]:
    """The requests that reached the endpoint."""
    return world.http.sent_to(prefix)


def sequences(world: World) -> list[object]:
    """The sequence numbers that reached the endpoint, repeats included."""
    return [json_of(request)["sequence"] for request in sent(world)]


def webhook_ids(requests: Sequence[HttpRequest]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def shown(world: World, aggregate: AggregateId) -> Mapping[str, Any]:
    """What reading the return tells of the endpoint `shop`."""
    [about] = [each for each in world.read_return(aggregate.code).body["notifications"] if each["endpoint"] == "shop"]
    assert isinstance(about, dict)
    return about


def due_at(world: World, aggregate: AggregateId) -> datetime:
    return datetime.fromisoformat(str(cursor(world, aggregate)["due_at"]))
