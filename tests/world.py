"""A whole RMS in memory: the real handlers on fakes of the ports, with the simulated partners at the other end.

Time stands still unless a test moves it, and everything that production has to recover by is here: redelivery, the
sweeper, the client's own retry.
"""

import base64
import importlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast

from rms import composition
from rms.clients import administration, credentials, endpoints
from rms.core import Core
from rms.platform.queues import QueueName
from rms.platform.table import TableUnavailableError
from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.settings import Settings
from sandbox.in_process import InProcessHttp
from sandbox.in_process import Partner as Handle
from sandbox.partner import AccountEngine, CallEngine, PartnerEngine
from sandbox.receiver.engine import ReceiverEngine
from sandbox.shopify.engine import ShopifyEngine
from tests.fakes.calls import Calls, ProcessKilledError
from tests.fakes.clock import FakeClock
from tests.fakes.files import FakeFiles
from tests.fakes.http import FakeHttp
from tests.fakes.queues import FakeQueues, Received
from tests.fakes.secrets import FakeSecrets
from tests.fakes.table import FakeTable

CLIENT: Final = "lotus"
WEBHOOK_KEY: Final = "key-made-on-the-dashboard-01"
CLICKPOST_HOST: Final = "clickpost.test:443"
RECEIVER_HOST: Final = "hooks.lotus.test"
SWEEP: Final = timedelta(minutes=1)

_WORKERS: Final[Mapping[QueueName, str]] = {
    "inbound": "record_shipment_events",
    "bookings": "book_shipments",
    "deliveries": "deliver_notifications",
}


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What an API caller gets."""

    status: int
    text: str

    @property
    def body(self) -> Any:
        """The JSON body."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Partner:
    """An aggregator besides Clickpost: its simulation, and the function and path that take its webhooks."""

    name: str
    engine: PartnerEngine[Any]
    function: str
    path: str
    key_in_path: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """A partner that is no aggregator, such as a returns app: its simulation, and where its webhooks go."""

    name: str
    engine: CallEngine[Any]
    function: str
    path: str
    key_in_path: str | None = None


@dataclass(frozen=True, slots=True)
class Shop:
    """A Shopify store of the client's: its simulation, and where its webhooks go."""

    engine: ShopifyEngine
    alias: str


class World:
    """RMS, its client `lotus` with one endpoint `shop` and one Clickpost account `main`, and the partners."""

    def __init__(
        self, *, seed: int = 0, calls: Calls | None = None, clickpost: Settings | None = None, endpoints: int = 1
    ) -> None:
        self.clock = FakeClock()
        self.calls = calls or Calls()
        quiet = Calls()
        numbers = count(1)
        self.table = FakeTable(quiet)
        self.queues = FakeQueues(self.clock, quiet, seed=seed)
        self.clickpost = ClickpostEngine(clickpost or Settings(), clock=self.clock)
        self.clickpost.change({
            "webhook_url": "https://rms.test/clickpost",
            "webhook_key": WEBHOOK_KEY,
            "label_base": f"https://{CLICKPOST_HOST}/labels",
        })  # fmt: skip
        self.receiver = ReceiverEngine(clock=self.clock)
        self.receiver.label_base = f"https://{RECEIVER_HOST}/labels"
        self.http = FakeHttp(quiet)
        self.others: list[Partner] = []
        """The aggregators that have joined: see `tests.partners.onboard`."""
        self.apps: list[App] = []
        """The other partners that have joined: see `tests.apps`."""
        self.shops: list[Shop] = []
        """The client's Shopify stores: see `tests.partners.open_shop`."""
        self._hosts = InProcessHttp({CLICKPOST_HOST: self.clickpost.handle, RECEIVER_HOST: self.receiver.handle})
        self.http.on("https://", self._hosts.send)
        self.secrets = FakeSecrets(quiet)
        self.files = FakeFiles(quiet)
        self.core = Core.on(
            self.table,
            self.queues,
            self.secrets,
            self.files,
            self.http,
            clock=self.clock,
            fences=lambda: f"fence-{next(numbers)}",
            pause=self.clock.wait,
        )
        self.core = self.another_environment()
        self.endpoints = [f"shop{number or ''}" for number in range(endpoints)]
        self._onboard()
        # Faults strike the flow under test, not the onboarding.
        for port in (self.table, self.queues, self.http, self.secrets, self.files):
            port.calls = self.calls

    # ── calling RMS ─────────────────────────────────────────────────────────────────

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function's handler as Lambda does. A killed process loses what it remembered."""
        handler = importlib.import_module(f"functions.{function}.app").handler
        try:
            with composition.using(self.core):
                return handler(event, _Context())
        except ProcessKilledError:
            self.core = self.another_environment()
            raise

    def call(  # noqa: PLR0913 - an HTTP request has this many parts
        self,
        function: str,
        method: str,
        path: str,
        body: object = None,
        *,
        client: str | None = CLIENT,
        roles: str = "client",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        host: str = "api.rms.test",
    ) -> HttpReply:
        """A request past the authorizer; `client=None` is one that the authorizer let through without a tenant."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        identity = {"client": client, "username": "integration", "roles": roles} if client else {}
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json"} if headers is None else dict(headers),
            "multiValueHeaders": {},
            "queryStringParameters": dict(query) if query else None,
            "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
            "pathParameters": None,
            "requestContext": {
                "requestId": "request-1",
                "authorizer": identity,
                "identity": {},
                "domainName": host,
            },
            "body": base64.b64encode(raw).decode() if raw else None,
            "isBase64Encoded": bool(raw),
        }
        answer = self.invoke(function, event)
        return HttpReply(answer["statusCode"], answer["body"] or "")

    def create_return(self, body: object, path: str = "/return/return-orders", **options: Any) -> HttpReply:
        """POST a return order."""
        return self.call("create_return", "POST", path, body, **options)

    def read_return(self, code: str, **options: Any) -> HttpReply:
        """GET one return."""
        return self.call("read_returns", "GET", f"/return/return-orders/{code}", **options)

    def generate_awb(self, code: str, body: object = None, **options: Any) -> HttpReply:
        """POST the wish for an AWB."""
        return self.call("generate_return_awb", "POST", f"/return/return-orders/{code}/awb", body, **options)

    def read_awb(self, code: str, **options: Any) -> HttpReply:
        """GET a return's AWB."""
        return self.call("read_returns", "GET", f"/return/return-orders/{code}/awb", **options)

    def cancel(self, code: str, path: str = "/return/return-orders", **options: Any) -> HttpReply:
        """POST the wish to cancel a return (with `body`: items of it) or, under its own path, a forward parcel."""
        return self.call("cancel_shipments", "POST", f"{path}/{code}/cancel", **options)

    def process(self, body: object, **options: Any) -> HttpReply:
        """POST what a warehouse found in a parcel."""
        return self.call("process_return", "POST", "/usp/return", body, **{"roles": "warehouse", **options})

    def ship(self, body: object, path: str = "/forward/shipping-labels", **options: Any) -> HttpReply:
        """POST a forward parcel, or the code of one, to have its label generated."""
        return self.call("ship_forward", "POST", path, body, **options)

    def ask_for_label(self, body: object, **options: Any) -> HttpReply:
        """POST a question for a label to the client's own system."""
        return self.call("ask_web_shop_labels", "POST", "/forward/web-shop-labels", body, **options)

    def invoice(self, body: object, **options: Any) -> HttpReply:
        """POST an invoice."""
        return self.call("record_invoices", "POST", "/forward/invoices", body, **options)

    def read_shipment(self, code: str, **options: Any) -> HttpReply:
        """GET one forward parcel."""
        return self.call("read_forward", "GET", f"/forward/shipments/{code}", **options)

    def read_label(self, code: str, **options: Any) -> HttpReply:
        """GET a forward parcel's label."""
        return self.call("read_forward", "GET", f"/forward/shipping-labels/{code}", **options)

    def replay(self, code: str, body: object = None) -> HttpReply:
        """POST a replay."""
        return self.call("replay_notifications", "POST", f"/return/return-orders/{code}/replay", body or {})

    def webhook(self, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        """POST a Clickpost webhook, with the right key unless told otherwise; answers the status."""
        event = {
            "headers": {"webhook_key": WEBHOOK_KEY} if headers is None else dict(headers),
            "requestContext": {"requestId": "webhook-1"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        status = self.invoke("clickpost_webhook", event)["statusCode"]
        assert isinstance(status, int)
        return status

    def notify(
        self, partner: Partner | App, body: bytes, headers: Mapping[str, str] | None = None, *, key: str | None = None
    ) -> int:
        """POST another partner's webhook, with its own proof unless told otherwise; answers the status."""
        given = partner.engine.webhook_headers() if headers is None else dict(headers)
        try:
            caller = self._let_in(partner, given)
        except TableUnavailableError:
            return 500  # the authorizer failed, and the gateway says so
        if caller is None:
            return 403  # the gateway's own answer
        event = {
            "resource": partner.path,
            "path": partner.path,
            "httpMethod": "POST",
            "headers": given,
            "pathParameters": {"secret": key or partner.key_in_path} if partner.key_in_path else None,
            "requestContext": {"requestId": "webhook-1", "authorizer": caller, "identity": {}},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        status = self.invoke(partner.function, event)["statusCode"]
        assert isinstance(status, int)
        return status

    def shop_notice(
        self, shop: Shop, body: bytes, headers: Mapping[str, str], *, client: str = CLIENT, alias: str | None = None
    ) -> int:
        """POST a shop's webhook; answers the status."""
        event = {
            "resource": "/rms/in/api/shopify/notify/{client}/{alias}",
            "httpMethod": "POST",
            "headers": dict(headers),
            "pathParameters": {"client": client, "alias": alias or shop.alias},
            "requestContext": {"requestId": "webhook-1", "identity": {}},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        status = self.invoke("shopify_webhook", event)["statusCode"]
        assert isinstance(status, int)
        return status

    def _let_in(self, partner: Partner | App, headers: Mapping[str, str]) -> dict[str, str] | None:
        """What the authorizer says of a caller; nothing where the route is open to all."""
        if partner.function != "push_notification":
            return {}
        arn = "arn:aws:execute-api:ap-south-1:000000000000:api/prod/POST" + partner.path
        answer = self.invoke("authorize", {"methodArn": arn, "headers": dict(headers), "requestContext": {}})
        context = answer.get("context")
        return dict(context) if context else None

    def sweep(self) -> None:
        """What EventBridge does every minute."""
        self.invoke("sweep_due_work", {"id": "tick"})

    def watch(self, **wish: Any) -> dict[str, Any]:
        """What EventBridge does every 15 minutes; `wish` is what an operator puts into the event."""
        done = self.invoke("track_silent_shipments", {"id": "tick", **wish})
        assert isinstance(done, dict)
        return done

    def work(self, queue: QueueName, *, batch: int = 4) -> int:
        """Let Lambda hand one batch of a queue to its worker."""

        def consumer(received: Sequence[Received]) -> Collection[str]:
            return self.hand_over(queue, received)

        return self.queues.deliver(queue, consumer, batch_size=batch)

    def hand_over(self, queue: QueueName, received: Sequence[Received]) -> list[str]:
        """Invoke a queue's worker with these messages; answers the ids of those that failed."""
        answer = self.invoke(_WORKERS[queue], sqs_event(received))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def work_all(self) -> None:
        """Let the workers run until no message is visible."""
        while any([self.work("inbound"), self.work("bookings"), self.work("deliveries")]):
            pass

    # ── time and partners ───────────────────────────────────────────────────────────

    def post_webhooks(self) -> int:
        """Let the aggregators post whatever webhooks are due; answers how many tries that took."""
        posted = 0
        while (webhook := self.clickpost.claim_webhook()) is not None:
            posted += 1
            status = self.webhook(webhook.body, self.clickpost.webhook_headers())
            self.clickpost.webhook_answered(webhook, status)
        for partner in self.posting:
            while (sent := partner.engine.claim_webhook()) is not None:
                posted += 1
                partner.engine.webhook_answered(sent, self.notify(partner, sent.body))
        for shop in self.shops:
            while (told := shop.engine.claim_webhook()) is not None:
                posted += 1
                status = self.shop_notice(shop, told.body, shop.engine.headers_of(told))
                shop.engine.webhook_answered(told, status)
        return posted

    def lose_webhooks(self) -> int:
        """Let the aggregators post whatever webhooks are due, and let none arrive; answers how many that were."""
        lost = 0
        for engine in self.engines.values():
            engine.run_due()
            while (webhook := engine.claim_webhook()) is not None:
                engine.webhook_answered(webhook, 200)
                lost += 1
        return lost

    def settle(self, *, minutes: int = 6000) -> None:
        """Let time pass until nothing is due any more: partners, queues, sweeper, whatever recovers by itself."""
        for _ in range(minutes):
            self.clickpost.run_due()
            for partner in self.posting:
                partner.engine.run_due()
            for shop in self.shops:
                shop.engine.run_due()
            self.post_webhooks()
            self.work_all()
            following = self._next_moment()
            if following is None:
                return
            self.clock.advance_to(max(following, self.clock() + timedelta(seconds=1)))
            self.sweep()
        raise AssertionError(f"not settled after {minutes} rounds")

    def due_rows(self) -> list[Mapping[str, Any]]:
        """Rows that the sweeper will act on, now or later."""
        rows = [cast("Mapping[str, Any]", row) for row in self.table.rows()]
        return [row for row in rows if str(row.get("due_shard", "")).startswith("due#")]

    def next_due(self) -> datetime | None:
        """When the sweeper next has something to send, or None."""
        return self._earliest("due#")

    def next_silent(self) -> datetime | None:
        """When the next parcel has been silent for long enough to be looked at, or None."""
        return self._earliest("silent#")

    def _earliest(self, shards: str) -> datetime | None:
        entries = self.table._indexes["due"].values()
        return min((datetime.fromisoformat(at) for shard, at, *_ in entries if shard.startswith(shards)), default=None)

    def _next_moment(self) -> datetime | None:
        moments = (
            self.next_due(),
            self.queues.next_visible_at(),
            *(engine.next_due() for engine in self.engines.values()),
            *(app.engine.next_due() for app in self.apps),
            *(shop.engine.next_due() for shop in self.shops),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def engines(self) -> Mapping[str, AccountEngine[Any, Any, Any]]:
        """The simulated aggregators, by name."""
        return {"CLICKPOST": self.clickpost, **{partner.name: partner.engine for partner in self.others}}

    @property
    def posting(self) -> Sequence[Partner | App]:
        """Who posts webhooks besides Clickpost and the shops."""
        return [*self.others, *self.apps]

    # ── looking inside ──────────────────────────────────────────────────────────────

    def deliveries(self, endpoint: str = "shop") -> list[Any]:
        """The bodies that an endpoint took in, in order."""
        return [json.loads(each.body) for each in self.receiver.deliveries(endpoint) if each.accepted]

    def heard(self, code: str, endpoint: str = "shop") -> list[str]:
        """The notification types that an endpoint has taken in for a return, in order, repeats left out."""
        seen: list[tuple[int | None, str | None]] = []
        for each in self.receiver.heard(endpoint, code):
            if each not in seen:
                seen.append(each)
        return [str(name) for _, name in seen]

    def rows_of(self, code: str, client: str = CLIENT, kind: str = "R") -> dict[str, Mapping[str, Any]]:
        """All rows of a return, or of a forward parcel (kind S), by their SK."""
        pk = f"C#{client}#{kind}#{code}"
        return {str(row["SK"]): cast("Mapping[str, Any]", row) for row in self.table.rows() if row["PK"] == pk}

    def journal(self, code: str, client: str = CLIENT, kind: str = "R") -> list[Mapping[str, Any]]:
        """The events of a return, or of a forward parcel, in order."""
        rows = self.rows_of(code, client, kind)
        return [rows[sk] for sk in sorted(rows) if sk.startswith("EVENT#")]

    def another_environment(self) -> Core:
        """A new process: the same table, queues and partners, nothing remembered. It never sleeps."""
        core = self.core
        fresh = Core.on(
            core.table,
            core.queues,
            core.secrets,
            core.files,
            core.http,
            clock=core.clock,
            fences=core.fences,
            pause=core.pause,
            local=core.local,
        )
        fresh.journal._pause = lambda _: None
        return fresh

    def answer_at(self, host: str, handle: Handle) -> None:
        """Let a simulated system answer at a host."""
        self._hosts.partners[host] = handle

    def join(self, host: str, partner: Partner | App) -> None:
        """Let another partner answer at a host, and its time pass with everybody's."""
        self._hosts.partners[host] = partner.engine.handle
        if isinstance(partner, App):
            self.apps.append(partner)
        else:
            self.others.append(partner)

    def open_shop(self, host: str, shop: Shop) -> None:
        """Let a Shopify store answer at a host, and its time pass with everybody's."""
        self._hosts.partners[host] = shop.engine.handle
        self.shops.append(shop)

    def _onboard(self) -> None:
        administration.create_client(self.core, CLIENT, "Lotus Clothing")
        administration.put_account(self.core, CLIENT, a_clickpost_account())
        for endpoint in self.endpoints:
            self.add_endpoint(endpoint)

    def add_endpoint(self, name: str) -> None:
        """Register an endpoint at the receiver and let it know its signing secret."""
        url = f"https://{RECEIVER_HOST}/hooks/{name}"
        secret = endpoints.create_endpoint(self.core, CLIENT, name, endpoints.Settings(url)).secret
        assert secret is not None
        self.receiver.set_endpoint(name, secrets=(secret,))


def a_clickpost_account(**changes: Any) -> administration.NewAccount:
    """The account `main` at the simulated Clickpost."""
    facts: dict[str, Any] = {
        "alias": "main",
        "aggregator": "CLICKPOST",
        "secrets": {"key": "sandbox-api-key"},
        "options": {
            "username": "sandbox-test",
            "courier_partner": "25",
            "account_code": "lotus-reverse",
            "forward_courier_partner": "4",
            "forward_account_code": "lotus-forward",
            "base_url": f"https://{CLICKPOST_HOST}/api",
        },
        "webhook_key": WEBHOOK_KEY,
    }
    return administration.NewAccount(**(facts | changes))


def an_operator(world: World) -> credentials.IssuedCredential:
    """A credential of RMS's own people."""
    return credentials.issue_credential(world.core, credentials.OPERATORS, "operator", ["operator"])


def sqs_event(received: Sequence[Received]) -> dict[str, Any]:
    """What Lambda hands to a queue worker."""
    return {
        "Records": [
            {
                "messageId": one.message_id,
                "receiptHandle": "handle",
                "body": one.body,
                "attributes": {
                    "ApproximateReceiveCount": str(one.receives),
                    **({"MessageGroupId": one.group} if one.group else {}),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-south-1:000000000000:queue",
                "awsRegion": "ap-south-1",
            }
            for one in received
        ]
    }


class _Context:
    """What Powertools wants of Lambda's context object."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-south-1:000000000000:function:function"
    aws_request_id = "request"
