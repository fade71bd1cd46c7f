"""The flows of RMS, each as one scenario: what stands before it, what happens, and what it ends in on a good day."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from rms.clients import account_rules, administration
from rms.exchanges import handle_of
from rms.journal.keys import endpoint_key, health_key, replay_key, replaying_key
from rms.notifications.schedule import DELAYS
from rms.platform.table import EXISTING, Update
from rms.platform.times import to_text
from sandbox.clickpost.settings import Settings
from sandbox.faults import Fault, Then, answers_status
from sandbox.returns_prime import ReturnsPrimeEngine
from tests.apps import checked_body, connect_returns_prime, engine_of
from tests.builders import (
    a_channel_booked_body,
    a_failure_body,
    a_label_question,
    a_processed_body,
    a_result_body,
    a_return_create_body,
    a_return_order_body,
    a_shipment_body,
    an_invoice_body,
    an_items_body,
)
from tests.faults.run import Late, Request, Run
from tests.partners import SANDBOX, WITHOUT_QC
from tests.world import CLIENT, RECEIVER_HOST

CODE: Final = "RET-70031-1"
PARCEL: Final = "SH-70031"
CHANNEL_CODE: Final = "RET-70044-1"
CHANNEL_AWB: Final = "9977001122"
PRIME_CODE: Final = "RET1000001"
PRIME_AWB: Final = "5270001"
DOWN_CODES: Final = ("RET-DOWN-1", "RET-DOWN-2", "RET-DOWN-3")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One flow. `before` is not struck. `ends` is, per return: its state and what every endpoint hears, sorted."""

    name: str
    flow: Callable[[Run], None]
    ends: dict[str, tuple[str, tuple[str, ...]]]
    before: Callable[[Run], None] = lambda run: None  # noqa: ARG005 - nothing stands before most
    also: Callable[[Run], Iterator[str]] = lambda run: iter(())  # noqa: ARG005 - nothing more to ask of most
    clickpost: Settings = field(default_factory=Settings)
    endpoints: int = 1
    client_repeats: bool = True
    """Whether the client calls again when it gets no answer."""
    watches: bool = False
    """Whether time goes on until nobody watches a parcel any more."""

    def start(self, **options: Any) -> Run:
        """A run of it that has everything before it behind it."""
        run = Run(clickpost=self.clickpost, endpoints=self.endpoints, client_repeats=self.client_repeats, **options)
        self.before(run)
        run.live()
        run.watches = self.watches
        run.strike()
        return run

    def play(self, run: Run) -> Run:
        """The flow, and whatever follows from it."""
        self.flow(run)
        run.end()
        return run


def _books(run: Run) -> None:
    run.post(a_return_order_body())


def _joins(name: str) -> Callable[[Run], None]:
    """From here on another aggregator books."""

    def before(run: Run) -> None:
        run.onboard(name)

    return before


def _joins_first(run: Run) -> None:
    """Shiprocket is asked first, and has nobody who checks at the door; Clickpost is asked when it cannot."""
    run.onboard("SHIPROCKET", couriers_check=False)
    account_rules.put_account_rules(run.world.core, CLIENT, [], ["a-st", "main"])
    run.neighbours = run.rows_of_others()


def _one_parcel_in_all(run: Run) -> Iterator[str]:
    parcels = [parcel.awb for partner in run.world.others for parcel in partner.engine.parcels()]
    parcels += [awb for booking in run.world.clickpost.bookings.values() for awb in booking.awbs]
    if len(parcels) != 1:
        yield f"{len(parcels)} parcels at all aggregators"


def _books_without_qc(run: Run) -> None:
    run.post(a_return_order_body(**WITHOUT_QC))


def _ships(alias: str) -> Callable[[Run], None]:
    def flow(run: Run) -> None:
        run.ship(a_shipment_body(logisticAccountAlias=alias))

    return flow


def _ships_with_a_late_label(run: Run) -> None:
    run.world.clickpost.fail("label-file", Fault(Then.STATUS, status=404), times=2)
    _ships("main")(run)


def _gives_labels_itself(run: Run) -> None:
    """From here on the client's own system gives labels, under headers that it gives when asked."""
    own = f"https://{RECEIVER_HOST}"
    source = administration.NewLabelSource(f"{own}/label-source/own", {}, f"{own}/credentials/own")
    administration.put_label_source(run.world.core, CLIENT, source)
    run.world.receiver.set_endpoint("own", expected_headers={"Authorization": "Bearer fresh"})
    run.neighbours = run.rows_of_others()


def _asks_the_shop(run: Run) -> None:
    question = a_label_question()
    run.request("POST /forward/web-shop-labels", lambda: run.world.ask_for_label(question), question["shipmentCode"])


def _invoiced(run: Run) -> None:
    body = an_invoice_body()
    run.request("POST /forward/invoices", lambda: run.world.invoice(body), body["forwardShipmentCode"])


def _channel_booked(run: Run) -> None:
    run.post(a_channel_booked_body())


def _booked_and_picked_up(run: Run) -> None:
    _books(run)
    run.live()
    run.world.clickpost.advance(_awb(run), steps=2)


def _awb(run: Run) -> str:
    awb = next(iter(run.world.clickpost.bookings.values())).awb
    assert awb is not None
    return awb


def _moves(*, steps: int | None, life: str = "delivered") -> Callable[[Run], None]:
    def flow(run: Run) -> None:
        run.world.clickpost.advance(_awb(run), life=life, steps=steps)

    return flow


def _announced(run: Run) -> None:
    placed = run.world.clickpost.place_return(
        {"return_reference_number": "PORTAL-5", "forward_order_id": "SO-60011", "forward_awb": "FW600110"}
    )
    run.live()
    assert placed.awb is not None
    run.world.clickpost.advance(placed.awb, life="pickup_failed", steps=None)


def _announced_in_a_rush(run: Run) -> None:
    """The announcement, its AWB and its scans all come at once."""
    placed = run.world.clickpost.place_return(
        {"return_reference_number": "PORTAL-6", "forward_order_id": "SO-60012", "forward_awb": "FW600120"}
    )
    assert placed.awb is not None
    run.world.clickpost.advance(placed.awb, life="pickup_failed", steps=None)


def _scanned_before_known(run: Run) -> None:
    run.world.clickpost.add_parcel({"awb": CHANNEL_AWB, "courier": 25, "is_return": True, "order_id": "SO-70044"})
    run.world.clickpost.advance(CHANNEL_AWB, steps=2)
    run.busy()
    run.post(a_channel_booked_body())


def _refused_then_corrected(run: Run) -> None:
    run.post(a_return_create_body(**{"logisticAccountAlias": "main", "pickupAddress.zip": "990001"}), "/return/create")
    run.live()
    run.post(a_return_create_body(logisticAccountAlias="main"), "/return/create")


def _unknown(**fault: Any) -> Callable[[Run], None]:
    def flow(run: Run) -> None:
        run.world.clickpost.next_booking(**fault)
        _books(run)

    return flow


def _cancels(run: Run) -> None:
    run.cancel(CODE)


def _cancels_before_the_label(run: Run) -> None:
    """The label is not there, and is asked for from time to time."""
    run.world.clickpost.fail("label-file", Fault(Then.STATUS, status=404), times=20)
    run.until_answered(run.ship(a_shipment_body(logisticAccountAlias="main")))
    run.cancel(PARCEL, "/forward/shipments")


def _cancels_the_parcel(run: Run) -> None:
    run.cancel(PARCEL, "/forward/shipments")


def _booked_at(name: str) -> Callable[[Run], None]:
    """Another aggregator has booked."""

    def before(run: Run) -> None:
        _joins(name)(run)
        _books_without_qc(run)
        run.live()

    return before


def _booked_by_the_channel(run: Run) -> None:
    _channel_booked(run)
    run.live()


def _cancels_the_channels(run: Run) -> None:
    run.cancel(CHANNEL_CODE)


def _cancels_while_unknown(run: Run) -> None:
    """Nobody answers for a while, and the parcel is there all the same."""
    run.world.clickpost.fail("create-order", Fault(Then.HANGS, does_the_work=True))
    run.world.clickpost.fail("create-order", Fault(Then.HANGS, does_the_work=False), times=2)
    run.until_answered(run.post(a_return_order_body()))
    run.cancel(CODE)


def _adds_items(run: Run) -> None:
    """Before the parcel's next scan, which tells them."""
    run.until_answered(run.add_items(an_items_body(returnOrderCode=CODE, orderCode="SO-70031")))
    _moves(steps=1)(run)


def _has_them_once(run: Run) -> Iterator[str]:
    shown = run.world.read_return(CODE).body
    codes = [item["itemCode"] for item in shown["orderItems"]]
    added = [event["kind"] for event in shown["timeline"]].count("ITEMS_ADDED")
    if (codes, added) != (["70031-1", "70031-2", "70044-2"], 1):
        yield f"items {codes}, added {added} times"
    last = run.world.deliveries()[-1]
    if [item["itemId"] for item in last["items"]] != codes:
        yield f"{last['notificationType']} told {last['items']}"


def _checks_in_two_pieces(run: Run) -> None:
    """The first piece is answered before the second is sent, and the parcel's last scan comes behind them."""
    body = a_processed_body()
    passed, failed = body["orderItems"]
    run.until_answered(run.process(body | {"orderItems": [passed]}))
    run.process(body | {"orderItems": [failed]})
    run.world.clickpost.advance(_awb(run), steps=1)


def _checked_once(run: Run) -> Iterator[str]:
    shown = run.world.read_return(CODE).body
    verdicts = [item.get("qcStatus") for item in shown["orderItems"]]
    events = [event["facts"].get("qc") for event in shown["timeline"] if event["kind"].startswith("PROCESS")]
    rows = [sk for sk in run.world.rows_of(CODE) if sk.startswith("QC#")]
    if (verdicts, shown["omniReturnOrderStatus"]) != (["PASS", "FAIL"], "PROCESSED"):
        yield f"{verdicts}, the return is {shown['omniReturnOrderStatus']}"
    if (events, len(rows)) != (["1", "2"], 2):
        yield f"events {events}, rows {rows}"


def _books_with_sinks(run: Run) -> None:
    run.join_sinks()
    _books(run)
    run.sinks.erp.refuse("the period is closed")


def _posted_after_a_refusal(run: Run) -> None:
    """The ERP refuses the first posting that it gets; a person sees that it stands still, mends it, and replays."""
    run.until_answered(run.process(a_processed_body()))
    run.live()
    last = len(run.world.journal(CODE))
    run.replay(CODE, {"endpoint": "erp", "afterSequence": last - 1})


def _heard_by_all(run: Run) -> Iterator[str]:
    """Posted once under one messageId, which no refusal and no retry has changed; acknowledged; complete."""
    results = {"70031-1": "PASS", "70031-2": "FAIL"}
    events = [event["facts"].get("qc") for event in run.world.read_return(CODE).body["timeline"]]
    if [number for number in events if number] != ["1"]:
        yield f"QC events {events}"
    told = [json.loads(call.body)["messageId"] for call in run.sinks.erp.calls()]
    posted = [posting["message_id"] for posting in run.sinks.erp.postings()]
    if len(set(told)) != 1 or posted != told[:1]:
        yield f"posted {posted}, told {told}"
    if [known["results"] for known in run.sinks.channel.processed()] != [results]:
        yield f"the channel heard {run.sinks.channel.processed()}"
    expected = [known["heard"] for known in run.sinks.wms.expectations()]
    if expected != [["RETURN_ORDER_CREATE", "RETURN_ORDER_UPDATE", "RETURN_ORDER_COMPLETE"]]:
        yield f"the warehouse heard {expected}"
    yield from run.sinks.violations()


def _has_a_shop(run: Run) -> None:
    run.open_shop()
    _books(run)


def _exchanged(*verdicts: str) -> Callable[[Run], None]:
    """The shop tells of a replacement order, and the warehouse says what it found of the two items."""

    def flow(run: Run) -> None:
        _replaced(run)
        run.process(_found(*verdicts))

    return flow


def _exchanged_backwards(run: Run) -> None:
    """The warehouse is quicker than the shop."""
    run.until_answered(run.process(_found("PASS", "FAIL")))
    _replaced(run)


def _exchanged_and_corrected(run: Run) -> None:
    """The warehouse takes a verdict back while the order is released, or before."""
    _replaced(run)
    run.until_answered(run.process(_found("PASS", "PASS")))
    run.work("bookings")
    run.process(_found("PASS", "FAIL"))


def _replaced(run: Run) -> None:
    shop = run.world.shops[0].engine
    order = shop.place(
        lines=[{"sku": "KURTA-L"}, {"sku": "STOLE-PLUM"}],
        tags=["Exchange", "Hold-QC"],
        attributes={"rms_return_code": CODE, "rms_exchange_items": "70031-1=KURTA-L; 70031-2=STOLE-PLUM"},
    )
    shop.hold(order.number, handle_of(CODE))


def _found(*verdicts: str) -> dict[str, Any]:
    items = zip(("70031-1", "70031-2"), verdicts, strict=True)
    results = [a_result_body(code) if verdict == "PASS" else a_failure_body(code) for code, verdict in items]
    return a_processed_body(orderItems=results)


_RELEASED: Final = [f"hold {handle_of(CODE)} released", "tag Hold-QC removed"]
_MIXED: Final = ["STOLE-PLUM set from 1 to 0", *_RELEASED]


def _ends_as(*history: str) -> Callable[[Run], Iterator[str]]:
    """What was done to the replacement order, all of it and once."""

    def also(run: Run) -> Iterator[str]:
        [order] = run.world.shops[0].engine.orders()
        state = run.world.rows_of(CODE)["EXCHANGE"]["state"]
        if (state, order.history) != ("DONE", list(history)):
            yield f"the exchange is {state}, and was {order.history}"

    return also


def _corrected_or_held(run: Run) -> Iterator[str]:
    """What was begun on the first verdict is a person's; what was not is done on the second."""
    [order] = run.world.shops[0].engine.orders()
    state = run.world.rows_of(CODE)["EXCHANGE"]["state"]
    if state != "HELD" and (state, order.history) != ("DONE", _MIXED):
        yield f"the exchange is {state}, and was {order.history}"


def _refused(run: Run) -> None:
    run.world.clickpost.change({"account_codes": ("another-code",)})
    run.post(a_return_order_body())
    run.world.clickpost.change({"account_codes": ()})


def _generates(run: Run) -> None:
    run.generate_awb(CODE)


def _replayed(run: Run) -> None:
    run.marks["delivered before"] = len(run.world.receiver.deliveries())
    run.replay(CODE)


def _told_again(run: Run) -> Iterator[str]:
    since = run.world.receiver.deliveries()[run.marks["delivered before"] :]
    again = {delivery.sequence for delivery in since if delivery.accepted}
    first = {delivery.sequence for delivery in run.world.receiver.deliveries()}
    if again != first:
        yield f"replay told {again} of {first}"


def _two_are_told(run: Run) -> None:
    _booked_and_picked_up(run)
    _channel_booked(run)
    run.live()


def _replayed_since_a_time(run: Run) -> None:
    run.marks["delivered before"] = len(run.world.receiver.deliveries())
    begin = to_text(run.world.clock() - timedelta(days=7))
    run.repair("replay", {"since": begin, "replayId": "again"})


def _replayed_in_full(run: Run) -> Iterator[str]:
    """Each order was moved once, whatever happened, and everything was told again."""
    row: Any = run.world.table.get(replay_key(CLIENT, "shop", "again")) or {}
    came_to = [row.get(name) for name in ("state", "looked", "replayed", "events")]
    if came_to != ["DONE", 2, 2, 4]:
        yield f"the replay came to {came_to}"
    if run.world.table.get(replaying_key(CLIENT, "shop")) is not None:
        yield "another replay could not begin"
    yield from _told_again(run)
    yield from _is_well(run)


def _one_event_again(run: Run) -> None:
    run.marks["delivered before"] = len(run.world.receiver.deliveries())
    run.repair("replay", {"returnOrderCode": CODE, "sequence": 2})


def _that_event_again(run: Run) -> Iterator[str]:
    since = run.world.receiver.deliveries()[run.marks["delivered before"] :]
    again = {delivery.sequence for delivery in since if delivery.accepted}
    if again != {2}:
        yield f"told again: {again}"


def _one_is_refused_for_good(run: Run) -> None:
    """The endpoint refuses what comes after the AWB until its order stands still; more has happened since."""
    _books(run)
    run.live()
    run.world.receiver.fail("shop", answers_status(422, does_the_work=False), times=len(DELAYS) + 1)
    run.world.clickpost.advance(_awb(run), steps=2)


def _skipped(run: Run) -> None:
    run.repair("skip", {"returnOrderCode": CODE, "sequence": 3})


def _skipped_once(run: Run) -> Iterator[str]:
    rows = run.world.rows_of(CODE)
    skipped = [row["sequence"] for row in rows.values() if str(row.get("outcome", "")).startswith("skipped by")]
    if skipped != [3]:
        yield f"skipped: {skipped}"


def _endpoint_is_down(run: Run) -> None:
    run.world.receiver.fail("shop", answers_status(503, does_the_work=False), times=3)
    run.world.clickpost.advance(_awb(run), steps=3)


def _three_more(run: Run) -> None:
    """Returns that are told one thing each."""
    for code in DOWN_CODES:
        run.post(a_channel_booked_body(returnOrderCode=code, awbNumber=f"99{code[-1]}7001122"))


def _endpoint_is_dead(run: Run) -> None:
    """Three orders in trouble open its breaker, one probe fails, the next gets through."""
    run.world.receiver.fail("shop", answers_status(503, does_the_work=False), times=4)
    _three_more(run)


def _is_well(run: Run) -> Iterator[str]:
    """Nobody has to look after the endpoint any more. What failed may stand in its row until it takes something."""
    row = run.world.table.get(health_key(CLIENT, "shop")) or {}
    ill = sorted(name for name in row if name in {"mode", "due_at", "opened"})
    if ill:
        yield f"the endpoint's health still says {ill}"


def _changed_meanwhile(run: Run) -> None:
    """Three returns come while the endpoint is paused; its secret is rotated, and it is resumed."""
    run.reconfigures = True
    run.neighbours = run.rows_of_others()
    for what in ("pause", "rotate"):
        run.until_answered(_of_the_endpoint(run, what))
    _three_more(run)
    run.until_answered(_of_the_endpoint(run, "resume"))


def _of_the_endpoint(run: Run, what: str) -> Request:
    path = f"/endpoints/shop/{what}"
    return run.request(f"POST {path}", lambda: run.world.call("manage_endpoints", "POST", path, {}))


def _one_at_a_time(run: Run) -> None:
    """The endpoint takes one event at a time."""
    run.world.table.write(Update(endpoint_key(CLIENT, "shop"), EXISTING, set={"max_concurrency": 1}))
    run.neighbours = run.rows_of_others()


def _under_way_at(name: str, code: object) -> Callable[[Run], None]:
    """A return of this aggregator that it has told one scan of."""

    def before(run: Run) -> None:
        if name != "CLICKPOST":
            _joins(name)(run)
        _books_without_qc(run)
        run.live()
        _scanned(run, code)

    return before


def _scanned(run: Run, code: object) -> None:
    run.world.clock.advance(hours=1)
    engine: Any = next(engine for engine in run.world.engines.values() if engine.parcels())
    engine.scan(engine.parcels()[0].awb, code)


def _back_unheard(code: object) -> Callable[[Run], None]:
    """The parcel is back, and the webhook that says so is lost: RMS has to ask."""

    def flow(run: Run) -> None:
        _scanned(run, code)
        run.world.clock.advance(minutes=1)
        assert run.world.lose_webhooks() == 1

    return flow


def _joins_returns_prime(run: Run) -> None:
    """From here on shoppers ask for their returns in Returns Prime, which is told what QC found."""
    connect_returns_prime(run.world, {"write_back": "both"})
    run.neighbours = run.rows_of_others()


def _requested(run: Run) -> None:
    """A shopper asks, Returns Prime books and the merchant approves, all of which is told at once."""
    prime = prime_of(run)
    request = prime.place({"lines": [{"sku": "KURTA-M", "quantity": 2}]})
    prime.ship(request["id"], PRIME_AWB)
    prime.advance(request["id"])


def _requested_before(run: Run) -> None:
    _joins_returns_prime(run)
    _requested(run)
    run.live()


def prime_of(run: Run) -> ReturnsPrimeEngine:
    """The simulated Returns Prime of a run."""
    return engine_of(run.world.apps[0])


def _noted_once(run: Run) -> Iterator[str]:
    kinds = Counter(str(event["kind"]) for event in run.world.journal(PRIME_CODE))
    last = run.world.journal(PRIME_CODE)[-1]["facts"].get("request_status")
    if (kinds["PLACED"], last) != (1, "approved") or kinds["REQUEST_CHANGED"] > len(("pending", "shipped", "approved")):
        yield f"{dict(kinds)}, the request is {last}"


def _request_is_rejected(run: Run) -> None:
    prime = prime_of(run)
    prime.advance(prime.described()[0]["id"], "rejected")


def _checks_what_was_requested(run: Run) -> None:
    request = prime_of(run).described()[0]
    run.process(checked_body(PRIME_CODE, request, f"{request['line_items'][0]['id']}_2"))


def _written_back_once(run: Run) -> Iterator[str]:
    """Two calls; more only where one of them took effect after everybody had given it up for hours."""
    written = [each["operation"] for each in prime_of(run).written]
    late = run.late is Late.LAST and len(written) > len(set(written))
    if sorted(set(written)) != ["write-inspection", "write-status"] or (len(written) != len(set(written)) and not late):
        yield f"Returns Prime was told {written}"
    if (state := run.world.rows_of(PRIME_CODE)["WRITEBACK"]["state"]) != "TOLD":
        yield f"what is owed is {state}"


def _told(*names: str) -> tuple[str, ...]:
    return tuple(sorted(names))


_LABELLED: Final = _told("AWB_GENERATED", "SHIPPING_LABEL_GENERATED")
_PORTAL_LIFE: Final = _told("RETURN_ORDER_PLACED", "AWB_GENERATED", "OUT_FOR_PICKUP", "PICKUP_CANCELLED")

SCENARIOS: Final = (
    Scenario(
        "create, RMS books",
        _books,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
    ),
    Scenario(
        "create, RMS books at Shiprocket",
        _books_without_qc,
        {CODE: ("PICKUP_SCHEDULED", _told("AWB_GENERATED", "PICKUP_SCHEDULED"))},
        before=_joins("SHIPROCKET"),
    ),
    Scenario(
        "create, RMS books at Shipway",
        _books_without_qc,
        {CODE: ("PICKUP_SCHEDULED", _told("AWB_GENERATED", "PICKUP_SCHEDULED"))},
        before=_joins("SHIPWAY"),
    ),
    Scenario(
        "create, RMS books at a generic aggregator",
        _books_without_qc,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_joins(SANDBOX),
    ),
    Scenario(
        "refused by one aggregator, booked by the second",
        _books,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_joins_first,
        also=_one_parcel_in_all,
    ),
    Scenario(
        "a forward parcel with its label",
        _ships("main"),
        {PARCEL: ("SHIPPING_LABEL_GENERATED", _LABELLED)},
    ),
    Scenario(
        "a forward parcel at Shiprocket",
        _ships("a-st"),
        {PARCEL: ("SHIPPING_LABEL_GENERATED", _LABELLED)},
        before=_joins("SHIPROCKET"),
    ),
    Scenario(
        "a forward parcel at Shipway",
        _ships("a-sw"),
        {PARCEL: ("SHIPPING_LABEL_GENERATED", _LABELLED)},
        before=_joins("SHIPWAY"),
        # Nobody knows what Shipway does with an order that comes twice, so the simulated one books both.
        clickpost=Settings(refuses_duplicates=False),
    ),
    Scenario(
        "a forward parcel at a generic aggregator",
        _ships("a-sandbox"),
        {PARCEL: ("SHIPPING_LABEL_GENERATED", _LABELLED)},
        before=_joins(SANDBOX),
    ),
    Scenario(
        "a forward parcel whose label comes late",
        _ships_with_a_late_label,
        {PARCEL: ("SHIPPING_LABEL_GENERATED", _LABELLED)},
    ),
    Scenario(
        "a label of the client's own system",
        _asks_the_shop,
        {"SH-70055": ("SHIPPING_LABEL_GENERATED", _LABELLED)},
        before=_gives_labels_itself,
    ),
    Scenario(
        "an invoice",
        _invoiced,
        {PARCEL: ("CREATED", _told("INVOICE_GENERATED"))},
    ),
    Scenario(
        "create, channel booked",
        _channel_booked,
        {CHANNEL_CODE: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED"))},
    ),
    Scenario(
        "one scan, recorded and told",
        _moves(steps=1),
        {CODE: ("OUT_FOR_PICKUP", _told("AWB_GENERATED", "OUT_FOR_PICKUP"))},
        before=_books,
    ),
    Scenario(
        "announced, then AWB, then scans",
        _announced,
        {"PORTAL-5": ("PICKUP_CANCELLED", _PORTAL_LIFE)},
    ),
    Scenario(
        "announced, all at once",
        _announced_in_a_rush,
        {"PORTAL-6": ("PICKUP_CANCELLED", _PORTAL_LIFE)},
    ),
    Scenario(
        "scans before the AWB is known",
        _scanned_before_known,
        {CHANNEL_CODE: ("RETURN_PICKED_UP", _told("RETURN_ORDER_PLACED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"))},
    ),
    Scenario(
        "refused, then corrected",
        _refused_then_corrected,
        {"RET-70100-1": ("AWB_GENERATED", _told("AWB_GENERATED"))},
    ),
    Scenario(
        "booked without an answer",
        _unknown(does_the_work=True, then="hangs"),
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
    ),
    Scenario(
        "booked a minute late, without an answer",
        _unknown(does_the_work=True, then="hangs", late_seconds=60.0),
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
    ),
    Scenario(
        "booked asynchronously",
        _books,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        clickpost=Settings(asynchronous=True, async_seconds=45.0),
    ),
    Scenario(
        "replay",
        _replayed,
        {CODE: ("RETURN_PICKED_UP", _told("AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"))},
        before=_booked_and_picked_up,
        also=_told_again,
    ),
    Scenario(
        "replay of everything since a time",
        _replayed_since_a_time,
        {
            CODE: ("RETURN_PICKED_UP", _told("AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP")),
            CHANNEL_CODE: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED")),
        },
        before=_two_are_told,
        also=_replayed_in_full,
    ),
    Scenario(
        "replay of one event",
        _one_event_again,
        {CODE: ("RETURN_PICKED_UP", _told("AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"))},
        before=_booked_and_picked_up,
        also=_that_event_again,
    ),
    Scenario(
        "an event that is refused for good, skipped",
        _skipped,
        {CODE: ("RETURN_PICKED_UP", _told("AWB_GENERATED", "RETURN_PICKED_UP"))},
        before=_one_is_refused_for_good,
        also=_skipped_once,
    ),
    Scenario(
        "cancelled",
        _cancels,
        {CODE: ("CANCELLED", _told("AWB_GENERATED", "CANCELLED"))},
        before=_books,
    ),
    Scenario(
        "cancelled by a carrier in its own time",
        _cancels,
        {CODE: ("CANCELLED", _told("AWB_GENERATED", "CANCELLED"))},
        before=_books,
        clickpost=Settings(cancels_later=True, async_seconds=600.0, sends_cancelled_scan=False),
    ),
    Scenario(
        "cancelled at Shiprocket",
        _cancels,
        {CODE: ("CANCELLED", _told("AWB_GENERATED", "PICKUP_SCHEDULED", "CANCELLATION_REQUESTED", "CANCELLED"))},
        before=_booked_at("SHIPROCKET"),
    ),
    Scenario(
        "cancelled at Shipway",
        _cancels,
        {CODE: ("CANCELLED", _told("AWB_GENERATED", "PICKUP_SCHEDULED", "CANCELLED"))},
        before=_booked_at("SHIPWAY"),
    ),
    Scenario(
        "cancelled, a forward parcel",
        _cancels_the_parcel,
        {PARCEL: ("CANCELLED", _told("AWB_GENERATED", "SHIPPING_LABEL_GENERATED", "CANCELLED"))},
        before=_ships("main"),
    ),
    Scenario(
        "cancelled before its label came",
        _cancels_before_the_label,
        {PARCEL: ("CANCELLED", _told("AWB_GENERATED", "CANCELLED"))},
    ),
    Scenario(
        "cancelled, channel booked",
        _cancels_the_channels,
        {CHANNEL_CODE: ("CANCELLED", _told("RETURN_ORDER_PLACED", "CANCELLED"))},
        before=_booked_by_the_channel,
    ),
    Scenario(
        "cancelled while nobody knows whether it is booked",
        _cancels_while_unknown,
        {CODE: ("CANCELLED", _told("AWB_GENERATED", "CANCELLED"))},
    ),
    Scenario(
        "items added, then told by a scan",
        _adds_items,
        {CODE: ("OUT_FOR_PICKUP", _told("AWB_GENERATED", "OUT_FOR_PICKUP"))},
        before=_books,
        also=_has_them_once,
    ),
    Scenario(
        "QC in two pieces",
        _checks_in_two_pieces,
        {CODE: ("OUT_FOR_PICKUP", _told("AWB_GENERATED", "OUT_FOR_PICKUP"))},
        before=_books,
        also=_checked_once,
    ),
    Scenario(
        "QC, acknowledged and posted to an ERP that first refuses",
        _posted_after_a_refusal,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_books_with_sinks,
        also=_heard_by_all,
    ),
    Scenario(
        "an exchange, QC passes",
        _exchanged("PASS", "PASS"),
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_has_a_shop,
        also=_ends_as(*_RELEASED),
    ),
    Scenario(
        "an exchange, QC fails",
        _exchanged("FAIL", "FAIL"),
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_has_a_shop,
        also=_ends_as("cancelled"),
    ),
    Scenario(
        "an exchange, QC is mixed",
        _exchanged("PASS", "FAIL"),
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_has_a_shop,
        also=_ends_as(*_MIXED),
    ),
    Scenario(
        "an exchange that the shop tells of after QC",
        _exchanged_backwards,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_has_a_shop,
        also=_ends_as(*_MIXED),
    ),
    Scenario(
        "an exchange, QC corrects itself",
        _exchanged_and_corrected,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_has_a_shop,
        also=_corrected_or_held,
    ),
    Scenario(
        "refused, then its AWB is asked for",
        _generates,
        {CODE: ("AWB_GENERATED", _told("AWB_GENERATED"))},
        before=_refused,
    ),
    Scenario(
        "a return of Returns Prime, by webhook",
        _requested,
        {PRIME_CODE: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED"))},
        before=_joins_returns_prime,
        also=_noted_once,
    ),
    Scenario(
        "a return of Returns Prime, rejected there",
        _request_is_rejected,
        {PRIME_CODE: ("CANCELLED", _told("RETURN_ORDER_PLACED", "CANCELLED"))},
        before=_requested_before,
    ),
    Scenario(
        "QC, written back to Returns Prime",
        _checks_what_was_requested,
        {PRIME_CODE: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED"))},
        before=_requested_before,
        also=_written_back_once,
    ),
    Scenario(
        "a lost webhook, found by tracking",
        _back_unheard(8),
        {CODE: ("DELIVERED", _told("AWB_GENERATED", "OUT_FOR_PICKUP", "DELIVERED"))},
        before=_under_way_at("CLICKPOST", 25),
        watches=True,
    ),
    Scenario(
        "a lost webhook, found by tracking at Shiprocket",
        _back_unheard("delivered"),
        {CODE: ("DELIVERED", _told("AWB_GENERATED", "PICKUP_SCHEDULED", "OUT_FOR_PICKUP", "DELIVERED"))},
        before=_under_way_at("SHIPROCKET", "out_for_pickup"),
        watches=True,
    ),
    Scenario(
        "a lost webhook, found by tracking at Shipway",
        _back_unheard("RDEL"),
        {CODE: ("DELIVERED", _told("AWB_GENERATED", "PICKUP_SCHEDULED", "OUT_FOR_PICKUP", "DELIVERED"))},
        before=_under_way_at("SHIPWAY", "ROOP"),
        watches=True,
    ),
    Scenario(
        "an endpoint dies, its breaker opens, it recovers",
        _endpoint_is_dead,
        {code: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED")) for code in DOWN_CODES},
        also=_is_well,
    ),
    Scenario(
        "an endpoint is paused, its secret rotated, and resumed",
        _changed_meanwhile,
        {code: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED")) for code in DOWN_CODES},
        also=_is_well,
    ),
    Scenario(
        "three returns for an endpoint that takes one at a time",
        _three_more,
        {code: ("RETURN_ORDER_PLACED", _told("RETURN_ORDER_PLACED")) for code in DOWN_CODES},
        before=_one_at_a_time,
        also=_is_well,
    ),
    Scenario(
        "an endpoint is down, then up; another is not",
        _endpoint_is_down,
        {CODE: ("IN_TRANSIT", _told("AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT"))},
        before=_books,
        endpoints=2,
    ),
)
