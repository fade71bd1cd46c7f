"""One run of RMS under a plan of faults, with everything that production recovers by, and nothing more.

That is: the client sends its call again until it hears a 2xx or 4xx, Clickpost its webhook until it hears 200, SQS
hands a message out again, the sweeper looks at what is due, and time passes. Requests that come in are calls too: they
may be lost, doubled, late, or left without their answer.
"""

import hashlib
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final
from unittest import mock

from rms.clients import administration, credentials
from rms.journal.keys import watch_lease_key
from rms.platform.observability import logger, metrics
from rms.platform.queues import QueueName, QueueUnavailableError
from rms.platform.secrets import SecretUnavailableError
from rms.platform.table import TableContendedError, TableUnavailableError
from sandbox.clickpost.settings import Settings
from tests.builders import a_channel_booked_body
from tests.fakes import table
from tests.fakes.calls import Calls, Plan, ProcessKilledError, no_faults
from tests.fakes.queues import QUEUES, Received
from tests.partners import onboard, open_shop
from tests.sinks import Sinks
from tests.world import CLIENT, SWEEP, HttpReply, Partner, World

NEIGHBOUR: Final = "fern"
"""Another client, with a return and an AWB of the same names: nothing of it may change."""

RETRY: Final = timedelta(seconds=3)
"""How long a client waits before it sends a call again."""

QUARTER: Final = timedelta(minutes=15)
"""How often silent parcels are looked for."""

UNDER_WAY: Final = timedelta(seconds=20)
"""How long a late effect is on its way at most, unless it is to be the last thing that happens."""

TRIES: Final = 60
ROUNDS: Final = 3000


class Late(Enum):
    """When an effect happens that its caller has given up on."""

    SOON = "two calls later"
    NEXT = "when time next passes"
    LAST = "after everything has settled"


@dataclass(slots=True)
class Request:
    """A call of the client's, sent until it is answered 2xx or 4xx."""

    name: str
    send: Callable[[], HttpReply]
    code: str | None = None
    replies: list[HttpReply | None] = field(default_factory=list)
    again_at: datetime | None = None

    @property
    def answer(self) -> HttpReply | None:
        """The answer that the client took as final."""
        return next((reply for reply in self.replies if reply is not None and _final(reply)), None)


class Run:
    """A world, the plan of its faults, and the people outside it."""

    def __init__(
        self,
        plan: Plan = no_faults,
        *,
        late: Late = Late.SOON,
        seed: int = 0,
        clickpost: Settings | None = None,
        endpoints: int = 1,
        client_repeats: bool = True,
    ) -> None:
        random.seed(seed)  # delivery's jitter
        self.watches = False
        """Whether time passes until no parcel is watched any more: that takes weeks of it."""
        self.reconfigures = False
        """Whether the client changes its endpoints on the way."""
        self.calls = Calls()
        self.world = World(seed=seed, calls=self.calls, clickpost=clickpost, endpoints=endpoints)
        self.sinks = Sinks(self.world)
        self.plan, self.late = plan, late
        self.faulty = plan is not no_faults
        """Whether anything may go wrong at all."""
        self.client_repeats = client_repeats
        self.requests: list[Request] = []
        self.taken: list[tuple[str, bytes, datetime]] = []
        """Webhooks that RMS answered 200: whose, and when."""
        self.marks: dict[str, int] = {}
        """What a scenario notes for its own check."""
        self._under_way: list[Callable[[], object]] = []
        self._swept_at = self.world.clock() - SWEEP
        self._watched_at = self.world.clock() - QUARTER
        self._settle_neighbour()

    def strike(self) -> None:
        """From here on calls are counted from 1 and struck as planned."""
        self.calls.made.clear()
        self.calls.plan = self.plan
        self.calls.late_by = 2 if self.late is Late.SOON else None

    def onboard(self, name: str, **settings: Any) -> None:
        """From here on another aggregator books."""
        onboard(self.world, name, **settings)
        self.neighbours = self.rows_of_others()

    def join_sinks(self) -> None:
        """From here on an ERP, a channel and a warehouse are told of returns."""
        self.sinks.join()
        self.neighbours = self.rows_of_others()

    def open_shop(self) -> None:
        """From here on the client has a Shopify store whose replacement orders RMS edits."""
        open_shop(self.world)
        self.neighbours = self.rows_of_others()

    # ── what people and partners do ─────────────────────────────────────────────────

    def post(self, body: Mapping[str, Any], path: str = "/return/return-orders") -> Request:
        """The client posts a return order."""
        code = body.get("returnOrderCode") or body["orderDetails"]["orderNumber"]
        return self.request(f"POST {path}", lambda: self.world.create_return(dict(body), path), code)

    def ship(self, body: Mapping[str, Any]) -> Request:
        """The client has a forward parcel labelled."""
        code = body["orderDetails"]["shipmentCode"]
        return self.request("POST /forward/shipping-labels", lambda: self.world.ship(dict(body)), code)

    def replay(self, code: str, body: Mapping[str, Any] | None = None) -> Request:
        """The client asks for a replay."""
        return self.request("POST replay", lambda: self.world.replay(code, dict(body or {})))

    def repair(self, what: str, body: Mapping[str, Any], endpoint: str = "shop") -> Request:
        """The client has an endpoint told again, or never told: `replay` or `skip`."""
        path = f"/endpoints/{endpoint}/{what}"
        send = lambda: self.world.call("replay_notifications", "POST", path, dict(body))  # noqa: E731 - as all others here
        return self.request(f"POST {what}", send)

    def cancel(self, code: str, path: str = "/return/return-orders") -> Request:
        """The client wants a return cancelled or, under its own path, a forward parcel."""
        return self.request("POST cancel", lambda: self.world.cancel(code, path), code)

    def add_items(self, body: Mapping[str, Any]) -> Request:
        """The client adds items to a return."""
        path = "/return/update-return-order/item"
        send = lambda: self.world.call("add_return_items", "PUT", path, dict(body))  # noqa: E731 - as all others here
        return self.request("PUT items", send, body["returnOrderCode"])

    def process(self, body: Mapping[str, Any]) -> Request:
        """The warehouse says what it found."""
        return self.request("POST /usp/return", lambda: self.world.process(dict(body)), body["returnOrderCode"])

    def generate_awb(self, code: str) -> Request:
        """The client wants an AWB for a return that has none."""
        return self.request("POST awb", lambda: self.world.generate_awb(code), code)

    def until_answered(self, request: Request) -> None:
        """Let as little time pass as the client's repeats take."""
        while request.again_at is not None:
            self.busy()
            if request.again_at is not None:
                self.world.clock.advance_to(request.again_at)
                self.pass_time()

    def request(self, name: str, send: Callable[[], HttpReply], code: str | None = None) -> Request:
        """The client calls, and goes on calling."""
        request = Request(name, send, code)
        self.requests.append(request)
        self._try(request)
        return request

    def arrives[T](self, what: str, request: Callable[[], T]) -> T | None:
        """A request from outside comes to RMS, unless it is struck on its way; None: no answer comes back."""
        in_time = True

        def effect() -> T | None:
            if in_time:
                return _unless_killed(request)
            self._under_way.append(lambda: _unless_killed(request))
            return None

        try:
            return self.calls.run("intake", what, (), effect, lambda _: None)
        except ProcessKilledError:
            return None
        finally:
            in_time = False

    # ── what production does by itself ──────────────────────────────────────────────

    def live(self) -> None:
        """Let time pass until nothing is due, waiting, hidden or under way."""
        for _ in range(ROUNDS):
            self.busy()
            following = self._next_moment()
            if following is None:
                return
            clock = self.world.clock
            clock.advance_to(max(following, clock() + timedelta(seconds=1)))
            self.pass_time()
        raise AssertionError("never comes to rest")

    def end(self) -> None:
        """Let everything settle, what is late included."""
        self.live()
        self.calls.plan = no_faults
        while self._land():
            self.live()

    def busy(self) -> None:
        """Do what can be done without time passing."""
        while any([self._retry(), self._post_webhooks(), *(self.work(queue) for queue in QUEUES)]):
            pass

    def pass_time(self) -> None:
        """What happens because the clock was moved on: late effects, and the sweep once a minute."""
        if self.late is not Late.LAST:
            self._land()
        now, due = self.world.clock(), self.world.next_due()
        if due is not None and due <= now and now >= self._swept_at + SWEEP:
            self._swept_at = now
            self.arrives("tick", self._sweep)
        silent = self._next_silent()
        if silent is not None and silent <= now:
            self._watched_at = now
            self.arrives("quarter", self._watch)

    def work(self, queue: QueueName, batch: int = 4) -> int:
        """Let Lambda hand one batch of a queue to its worker; answers how many messages that was."""

        def consumer(received: Sequence[Received]) -> Collection[str]:
            failed = self.arrives(f"batch of {queue}", lambda: self.world.hand_over(queue, received))
            if failed is None:
                raise _BatchLostError
            return failed

        try:
            return self.world.queues.deliver(queue, consumer, batch_size=batch)
        except _BatchLostError:
            return 1

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _sweep(self) -> None:
        try:
            self.world.sweep()
        except (TableUnavailableError, QueueUnavailableError):
            return  # the function failed; the next tick comes in a minute

    def _watch(self) -> None:
        try:
            self.world.watch()
        except (TableUnavailableError, TableContendedError, QueueUnavailableError, SecretUnavailableError):
            return  # as above, in a quarter of an hour

    def _next_silent(self) -> datetime | None:
        due = self.world.next_silent() if self.watches else None
        return max(due, self._watched_at + QUARTER) if due is not None else None

    def _try(self, request: Request) -> None:
        reply = self.arrives(request.name, request.send)
        request.replies.append(reply)
        answered = reply is not None and _final(reply)
        done = answered or not self.client_repeats or len(request.replies) >= TRIES
        request.again_at = None if done else self.world.clock() + RETRY

    def _retry(self) -> bool:
        now = self.world.clock()
        due = [request for request in self.requests if request.again_at is not None and request.again_at <= now]
        for request in due:
            self._try(request)
        return bool(due)

    def _post_webhooks(self) -> bool:
        partner, posted = self.world.clickpost, False
        partner.run_due()
        while (webhook := partner.claim_webhook()) is not None:
            posted, take = True, partial(self.world.webhook, webhook.body, partner.webhook_headers())
            status = self.arrives("webhook", take)
            if status == 200:
                self.taken.append(("CLICKPOST", webhook.body, self.world.clock()))
            partner.webhook_answered(webhook, status)
        for other in self.world.posting:
            other.engine.run_due()
            while (sent := other.engine.claim_webhook()) is not None:
                posted = True
                status = self.arrives("webhook", partial(self.world.notify, other, sent.body))
                if status == 200 and isinstance(other, Partner):
                    self.taken.append((other.name, sent.body, self.world.clock()))
                other.engine.webhook_answered(sent, status)
        for shop in self.world.shops:
            shop.engine.run_due()
            while (told := shop.engine.claim_webhook()) is not None:
                posted, headers = True, shop.engine.headers_of(told)
                status = self.arrives("webhook", partial(self.world.shop_notice, shop, told.body, headers))
                shop.engine.webhook_answered(told, status)
        return posted

    def _land(self) -> bool:
        waiting = bool(self.calls._late or self._under_way)
        self.calls.land()
        under_way, self._under_way = self._under_way, []
        for request in under_way:
            request()
        return waiting

    def _next_moment(self) -> datetime | None:
        world = self.world
        world.table.catch_up()  # the indexes lag for less than the second that passes now
        moments = [request.again_at for request in self.requests]
        moments += [world.queues.next_visible_at(), *(engine.next_due() for engine in world.engines.values())]
        moments += [app.engine.next_due() for app in world.apps]
        moments += [shop.engine.next_due() for shop in world.shops]
        due = world.next_due()
        moments.append(max(due, self._swept_at + SWEEP) if due is not None else None)
        moments.append(self._next_silent())
        if self.late is not Late.LAST and (self.calls._late or self._under_way):
            moments.append(world.clock() + UNDER_WAY)
        return min((moment for moment in moments if moment is not None), default=None)

    def _settle_neighbour(self) -> None:
        world = self.world
        calm, self.world.core = self.world.core, self.world.another_environment()
        administration.create_client(world.core, NEIGHBOUR, "Fern and Sons")
        reply = world.create_return(a_channel_booked_body(), client=NEIGHBOUR)
        assert reply.status == 200, reply
        world.core = calm
        self.neighbours = self.rows_of_others()

    def rows_of_others(self) -> list[Mapping[str, Any]]:
        """Every row that is not of the client under test; what is fetched anew, or who watches, is nobody's either."""
        own = (*(f"C#{CLIENT}#{kind}#" for kind in "RSAFEX"), watch_lease_key().pk)
        rows = self.world.table.rows()
        fetched = ("TOKEN#", "LABELSOURCE", *(["ENDPOINT#"] if self.reconfigures else []))
        return [row for row in rows if not str(row["PK"]).startswith(own) and not str(row["SK"]).startswith(fetched)]


class _BatchLostError(Exception):
    """Lambda never learned what became of a batch."""


def _final(reply: HttpReply) -> bool:
    return reply.status < 500 and reply.status != 429


def _unless_killed[T](request: Callable[[], T]) -> T | None:
    try:
        return request()
    except ProcessKilledError:
        return None


def _weightless(_row: object) -> int:
    return 0


def _cheap_hash(password: str, salt: bytes) -> bytes:
    return hashlib.sha256(salt + password.encode()).digest()


@contextmanager
def quiet() -> Iterator[None]:
    """Without what thousands of runs need not have: log lines, metrics, prices of rows, and hashes made to be slow."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        with (
            mock.patch.object(metrics, "flush_metrics", metrics.clear_metrics),
            mock.patch.object(table, "row_bytes", _weightless),
            mock.patch.object(credentials, "_hash", _cheap_hash),
        ):
            yield
    finally:
        logger.setLevel(level)
