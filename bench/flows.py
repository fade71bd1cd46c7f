"""The flows that are billed, each from the call that starts it to the last thing that RMS does for it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench.installations import Installation
from rms.clients import credentials
from rms.journal.events import text
from rms.journal.keys import all_silent_shards
from rms.model.endpoint_kind import EndpointKind
from rms.notifications.seen import ORDERS
from rms.platform.table import EXISTING, Key, Update
from rms.platform.times import to_text
from rms.returns.read import PAGE
from sandbox.faults import Answer
from tests.builders import a_channel_booked_body, a_processed_body, a_return_order_body
from tests.sinks import CHANNEL, ERP, WMS, Sinks, register
from tests.world import CLIENT

SINKS: Final = (ERP, CHANNEL, WMS, "app")

SCAN: Final = Path(__file__).parents[1] / "events/clickpost/webhook.in_transit.json"

type Run = Callable[[], object]
"""The flow itself, which is counted."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow: `prepare` brings about what it starts from, for the nth time, and answers what to run."""

    title: str
    prepare: Callable[[Installation, int], Run]
    most_calls: int | None = None
    """The aim, in AWS calls with warm caches."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What one run of a flow cost. A call that Lambda makes for us (receiving, deleting a message) is not ours."""

    calls: Counter[str]
    write_units: float
    read_units: float

    @property
    def total(self) -> int:
        """All AWS calls."""
        return self.calls.total()


def bill(flow: Flow, rms: Installation, *, warm: bool) -> Bill:
    """Run a flow and say what it cost: in environments that have just run it, or in new ones."""
    if warm:
        rms.forget()
        flow.prepare(rms, 1)()
    run = flow.prepare(rms, 2 if warm else 3)
    if not warm:
        rms.forget()
    units = rms.table.units
    written, read = units.write, units.read
    rms.start_counting()
    run()
    return Bill(rms.counted, units.write - written, units.read - read)


def _create(rms: Installation, body: dict[str, Any]) -> Any:
    reply = rms.create_return(body)
    assert reply.status == 200, reply  # noqa: PLR2004 - taken, and booked where that is to do
    return reply.body if reply.text else None


def _a_booked_return(rms: Installation, number: int) -> tuple[str, str]:
    """A return whose client has been told of its AWB: its code and AWB."""
    code = f"RET-{number}"
    answer = _create(rms, a_return_order_body(returnOrderCode=code))
    rms.work_all()
    return code, answer["returnAwb"]


def _a_scan(rms: Installation, awb: str, minutes: int = 0) -> bytes:
    """A webhook of a parcel that moves."""
    scan = json.loads(SCAN.read_bytes())
    at = rms.clock().replace(minute=minutes)
    return json.dumps(scan | {"waybill": awb, "timestamp": at.isoformat(), "additional": {}}).encode()


def _take(rms: Installation, webhook: bytes) -> None:
    status = rms.webhook(webhook)
    assert status == 200, status  # noqa: PLR2004 - taken
    rms.work_all()


def create_booked_by_rms(rms: Installation, number: int) -> Run:
    """The call, in which the AWB is booked at the aggregator."""
    body = a_return_order_body(returnOrderCode=f"RET-{number}")
    return lambda: _create(rms, body)


def create_booked_by_channel(rms: Installation, number: int) -> Run:
    """The call; the AWB is in it."""
    body = a_channel_booked_body(returnOrderCode=f"RET-{number}", awbNumber=f"99770011{number:04}")
    return lambda: _create(rms, body)


def webhook_to_delivered(rms: Installation, number: int) -> Run:
    """A scan of a parcel on its way: webhook, queue, journal, wake-up, the client's endpoint."""
    code, awb = _a_booked_return(rms, number)

    def run() -> None:
        heard = len(rms.heard(code))
        _take(rms, _a_scan(rms, awb))
        assert len(rms.heard(code)) == heard + 1

    return run


def webhook_again(rms: Installation, number: int) -> Run:
    """The same webhook once more: aggregators send again when they doubt our answer."""
    _, awb = _a_booked_return(rms, number)
    scan = _a_scan(rms, awb)
    _take(rms, scan)
    return lambda: _take(rms, scan)


def replay(rms: Installation, number: int) -> Run:
    """A return with three notifications is told again, from the first."""
    code, awb = _a_booked_return(rms, number)
    for minute in (1, 2):
        _take(rms, _a_scan(rms, awb, minute))

    def run() -> None:
        before = len(rms.receiver.deliveries("shop"))
        assert rms.replay(code).status == 200  # noqa: PLR2004 - accepted
        rms.work_all()
        assert len(rms.receiver.deliveries("shop")) == before + 3

    return run


def replay_since(rms: Installation, number: int) -> Run:
    """Everything since a time, told again through the endpoint's lanes: ORDERS orders with one notification each."""
    begin = _orders_told(rms, number, ORDERS)

    def run() -> None:
        before = len(rms.receiver.deliveries("shop"))
        wish = {"since": begin, "replayId": f"again-{number}"}
        answer = rms.call("replay_notifications", "POST", "/endpoints/shop/replay", wish)
        assert answer.status == 202, answer  # noqa: PLR2004 - a job
        rms.work_all()
        assert len(rms.receiver.deliveries("shop")) == before + ORDERS

    return run


def deliveries_page(rms: Installation, number: int) -> Run:
    """A full page of an endpoint's orders, each with its last attempt."""
    begin = _orders_told(rms, number, ORDERS + 1)

    def run() -> None:
        query = {"state": "quiet", "since": begin}
        answer = rms.call("read_deliveries", "GET", "/endpoints/shop/deliveries", query=query).body
        assert all(order["lastAttempt"]["status"] == 200 for order in answer["orders"])  # noqa: PLR2004 - taken
        assert len(answer["orders"]) == ORDERS
        assert answer["nextPage"]

    return run


def _orders_told(rms: Installation, number: int, count: int) -> str:
    """So many returns, of which the endpoint has heard; answers since when."""
    rms.clock.advance(hours=1)
    rms.work_all()  # what an earlier run has left for later
    begin = to_text(rms.clock())
    for each in range(count):
        code, awb = f"D{number}-{each:03}", f"97{number:04}{each:04}"
        _create(rms, a_channel_booked_body(returnOrderCode=code, awbNumber=awb))
    rms.work_all()
    return begin


def list_page(rms: Installation, number: int) -> Run:
    """A full page of returns."""
    if not rms.call("read_returns", "GET", "/return/return-orders").body["returnOrders"]:
        for each in range(PAGE + 1):
            code, awb = f"P{number}-{each:03}", f"98{number:04}{each:04}"
            _create(rms, a_channel_booked_body(returnOrderCode=code, awbNumber=awb))

    def run() -> None:
        answer = rms.call("read_returns", "GET", "/return/return-orders").body
        assert len(answer["returnOrders"]) == PAGE
        assert answer["nextPage"]

    return run


def read_one(rms: Installation, number: int) -> Run:
    """One return with its booking, its timeline of four events and what the endpoint has heard."""
    code, awb = _a_booked_return(rms, number)
    for minute in (1, 2):
        _take(rms, _a_scan(rms, awb, minute))

    def run() -> None:
        assert len(rms.read_return(code).body["timeline"]) == 4  # noqa: PLR2004 - as the docstring says

    return run


def process(rms: Installation, number: int) -> Run:
    """A warehouse's call about both items of a return, the first of which it has spoken of before."""
    code, _ = _a_booked_return(rms, number)
    body = a_processed_body(returnOrderCode=code)
    assert rms.process(body | {"orderItems": body["orderItems"][:1]}).status == 200  # noqa: PLR2004 - taken

    def run() -> None:
        assert rms.process(body).status == 200  # noqa: PLR2004 - taken

    return run


def process_to_all_sinks(rms: Installation, number: int) -> Run:
    """A warehouse's one call about a return, until channel, books, returns app and warehouse have heard of it."""
    if number != 2:  # noqa: PLR2004 - the second run of warm environments
        _sinks_join(rms)
    code, _ = _a_booked_return(rms, number)

    def run() -> None:
        told = {name: len(rms.http.sent_to(f"https://{name}.test/")) for name in SINKS}
        assert rms.process(a_processed_body(returnOrderCode=code)).status == 200  # noqa: PLR2004 - taken
        rms.work_all()
        assert all(len(rms.http.sent_to(f"https://{name}.test/")) == told[name] + 1 for name in SINKS)

    return run


def _sinks_join(rms: Installation) -> None:
    Sinks(rms).join()
    rms.answer_at("app.test", lambda *_: Answer(200, {}, b""))
    partner = {"partner": "RETURNS_PRIME"}
    register(rms, "app", EndpointKind.PROCESSING_UPDATE, "https://app.test/updates", settings=partner)


def authorize(rms: Installation, number: int) -> Run:
    """The authorizer, for a call whose credential API Gateway does not remember."""
    issued = credentials.issue_credential(rms.core, CLIENT, f"shop-{number}", ["client"])
    event = {
        "methodArn": "arn:aws:execute-api:ap-south-1:000000000000:api/prod/GET/return/return-orders",
        "headers": {
            "authUsername": issued.username,
            "authPassword": issued.password,
            "authDomainName": issued.domain,
        },
        "requestContext": {"requestId": "request-1"},
    }

    def run() -> None:
        statement = rms.invoke("authorize", event)["policyDocument"]["Statement"][0]
        assert statement["Effect"] == "Allow"

    return run


def sweep(rms: Installation, _number: int) -> Run:
    """The sweep of a minute in which nothing is due."""
    return rms.sweep


def look_for_silence(rms: Installation, _number: int) -> Run:
    """The look for silent parcels when there is none."""
    _nobody_is_watched(rms)
    return rms.watch


def five_are_silent(rms: Installation, number: int) -> Run:
    """Five parcels of which nothing was heard for a day, and one scan whose webhook was lost."""
    _nobody_is_watched(rms)
    awbs = [_a_booked_return(rms, 10 * number + each)[1] for each in range(5)]
    rms.clickpost.advance(awbs[0])
    rms.clock.advance(minutes=1)
    assert rms.lose_webhooks() == 1
    rms.clock.advance(days=1)

    def run() -> None:
        done = rms.watch()
        assert (done["asked"], done["found"]) == (5, 1), done

    return run


def _nobody_is_watched(rms: Installation) -> None:
    far = to_text(rms.clock() + timedelta(days=366))
    for shard in all_silent_shards():
        for row in rms.core.table.query_due(shard, until=far).items:
            key = Key(text(row, "PK"), text(row, "SK"))
            rms.core.table.write(Update(key, EXISTING, remove=("due_shard", "due_at")))


FLOWS: Final = (
    Flow("create, RMS books the AWB", create_booked_by_rms, most_calls=3),
    Flow("create, booked by the channel", create_booked_by_channel, most_calls=2),
    Flow("tracking event, webhook to delivered", webhook_to_delivered, most_calls=8),
    Flow("the same webhook again", webhook_again, most_calls=4),
    Flow("replay of one return, 3 notifications", replay),
    Flow("replay everything since a time, 25 orders", replay_since),
    Flow("read what an endpoint has heard, a page", deliveries_page),
    Flow("list, a page of 50", list_page),
    Flow("read one return", read_one),
    Flow("the warehouse's results of one return", process, most_calls=3),
    Flow("QC call to all sinks", process_to_all_sinks, most_calls=20),
    Flow("authorize", authorize, most_calls=1),
    Flow("sweep, nothing due", sweep),
    Flow("look for silent parcels, none", look_for_silence, most_calls=6),
    Flow("five silent parcels, one lost webhook", five_are_silent),
)
