"""The flows that RMS carries, played end to end on the local stack, each notification printed as it arrives."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import requests

from local.aggregators import CLICKPOST_BACK, CLICKPOST_OUT, OTHERS, Aggregator, Life
from local.apps import WAREHOUSE, books_at_shiprocket
from local.bodies import a_channel_booked_return, a_return, a_shipment, an_exchanged_return, qc_results
from local.onboarding import EXCHANGE_TAG, HOLD_TAG, SECONDS, Api, CallRefused, Client
from local.partners import Partner
from local.stack import Stack
from local.steps import FlowFailed, say
from local.warehouse import checks
from rms.platform.dynamodb import DynamoTable

PATIENCE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
SWEEP_SECONDS: Final = 2.0
ACKNOWLEDGED_SECONDS: Final = 10.0
ERP_WAREHOUSE: Final = "MDU-2"
ERP_RETURNS: Final = 3
EXCHANGED: Final[Mapping[str, tuple[Sequence[str], Mapping[str, Any]]]] = {
    "passes": (("PASS", "PASS"), {"cancelled": False, "held": False, "left": 2}),
    "fails": (("FAIL", "FAIL"), {"cancelled": True, "held": True, "left": 0}),
    "is mixed": (("PASS", "FAIL"), {"cancelled": False, "held": False, "left": 1}),
}
"""What the warehouse says of two items, and what becomes of the replacement order."""


_FIRST_SCANS: Final = tuple(told for told in CLICKPOST_BACK.told[:2] if told)


@dataclass(slots=True)
class Watch:
    """What the client's endpoint hears about one return or parcel, printed as it comes."""

    receiver: Partner
    hook: str
    about: str
    started: float = field(default_factory=time.monotonic)
    seen: int = 0
    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """A line with the time since the flow began."""
        say(f"   +{time.monotonic() - self.started:5.1f} s  {line}")

    def until(self, *expected: str) -> None:
        """Print what arrives until these types have been heard after all that was expected before.

        `OTHER` may come in between: Clickpost tells more of a return than there are names for.

        Raises:
            FlowFailed: something else was heard, or nothing for too long.
        """
        self.expected += expected
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._look()
            named = self._named()
            if named[: len(self.expected)] != self.expected[: len(named)]:
                raise FlowFailed(f"{self.about}: heard {named}, expected {self.expected}")
            if len(named) >= len(self.expected):
                return
            if time.monotonic() > end:
                raise FlowFailed(f"{self.about}: heard {named} and no more, expected {self.expected}")
            time.sleep(POLL_SECONDS)

    def _named(self) -> list[str]:
        return [kind for kind in self.heard if kind != "OTHER"]

    def _look(self) -> None:
        deliveries: Sequence[Mapping[str, Any]] = self.receiver.control.get(f"deliveries?endpoint={self.hook}")
        mine = [delivery for delivery in deliveries if delivery["aggregate"] == self.about]
        for delivery in mine[self.seen :]:
            kind = str(delivery["notification_type"])
            outcome = "delivered" if delivery["accepted"] else f"answered {delivery['answered']}"
            signature = f"signature {delivery['verification']}"
            self.say(f"{kind:<24} sequence {delivery['sequence']}  {outcome}, {signature}")
            if delivery["accepted"] and not delivery["accepted_before"]:
                self.heard.append(kind)
        self.seen = len(mine)


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a flow is played with."""

    stack: Stack
    partners: Mapping[str, Partner]
    client: Client

    @property
    def api(self) -> Api:
        """The client's own calls."""
        return Api(self.stack.api_url, self.client.headers)

    def watch(self, code: str) -> Watch:
        """What the client hears about this from now on."""
        return Watch(self.partners["receiver"], self.client.name, code)

    def travels(self, watch: Watch, partner: str, awb: str, life: Life) -> None:
        """Let the parcel go its way, scan by scan, and hear of each."""
        for told in life.told:
            self.partners[partner].control.post(f"shipments/{awb}/advance", {"life": life.name, "steps": 1})
            watch.until(*([told] if told is not None else []))

    def sweep(self) -> None:
        """What the schedule does every minute, now."""
        self.stack.client("lambda").invoke(FunctionName=self.stack.outputs["SweepDueWorkFunction"], Payload=b"{}")


def play(stack: Stack, partners: Mapping[str, Partner], client: Client) -> bool:
    """Play the flows; answers whether all of them ended well."""
    stage = Stage(stack, partners, client)
    later: list[tuple[str, Callable[[], None]]] = []
    flows: list[tuple[str, Callable[[], None]]] = [
        ("Flow 1: the shopper places a return at Clickpost, RMS hears of it by webhook", partial(_placed, stage)),
        ("Flow 2: the client calls RMS, RMS books the AWB at Clickpost", partial(_booked_at_clickpost, stage)),
    ]
    for each in OTHERS:
        title = f"Flow 2 at {each.name}"
        if each.awb_comes_later:
            flows.insert(
                0, (f"{title} begins: its AWB is there when RMS asks again", partial(_begun, stage, each, later))
            )
        else:
            flows.append((title, partial(_booked, stage, each)))
    flows.insert(0, ("An endpoint dies: its breaker opens, everything waits for it", partial(_dies, stage, later)))
    flows += [
        (
            "Flow 7: the shopper asks in Returns Prime, QC is written back there",
            partial(_asked_in_returns_prime, stage),
        ),
        ("Flow 3: the client books past RMS; later it tells of the return", partial(_booked_past_rms, stage)),
        ("A forward parcel with its label at Clickpost, and its invoice", partial(_shipped_at_clickpost, stage)),
        *((f"A forward parcel with its label at {each.name}", partial(_shipped, stage, each)) for each in OTHERS),
        ("A parcel whose label the client's web shop gives", partial(_labelled_by_the_shop, stage)),
        ("The warehouse checks a return; channel, books and warehouse system hear of it", partial(_checked, stage)),
        *(
            (f"Flow 6, without Clickpost: an exchange, QC {what}", partial(_exchanged, stage, verdicts, state))
            for what, (verdicts, state) in EXCHANGED.items()
        ),
    ]
    failed = [title for title, flow in flows if not _played(title, flow)]
    failed += [title for title, flow in later if not _played(title, flow)]
    if violations := partners["receiver"].control.get("violations"):
        say(f"   FAILED: the receiver complains: {violations}")
    return not failed and not violations


def _played(title: str, flow: Callable[[], None]) -> bool:
    say(f"== {title}")
    try:
        flow()
    except (FlowFailed, CallRefused) as failure:
        say(f"   FAILED: {failure}")
        return False
    return True


# ── returns ─────────────────────────────────────────────────────────────────────────


def _placed(stage: Stage) -> None:
    """Source: the flows, section 1."""
    code, clickpost = f"KL-{_now():%H%M%S}-1", stage.partners["clickpost"]
    watch = stage.watch(code)
    clickpost.control.post(
        "returns",
        {
            "return_reference_number": code,
            "forward_order_id": "KL-48213",
            "items": [{"sku": "IKAT-SAREE-RED", "quantity": 1, "return_reason": "Colour differs from the picture"}],
            "account_code": f"{stage.client.name}-reverse",
            "approval": "manual",
        },
    )
    watch.say("the shopper placed the return on Clickpost's page")
    watch.until("RETURN_ORDER_PLACED")
    clickpost.control.post(f"returns/{code}/approve")
    watch.say("the brand approved it there, Clickpost made the AWB")
    watch.until("AWB_GENERATED")
    awb = _awb_at_clickpost(clickpost, code)
    stage.travels(watch, "clickpost", awb, CLICKPOST_BACK)
    _compare_return(stage, watch, awb)


def _booked_at_clickpost(stage: Stage) -> None:
    """Source: the flows, section 2."""
    watch, awb = _books(stage, "main")
    stage.travels(watch, "clickpost", awb, CLICKPOST_BACK)
    if several := stage.partners["clickpost"].control.get("bookings")["duplicate_parcels"]:
        raise FlowFailed(f"Clickpost holds more than one parcel for {several}")
    _compare_return(stage, watch, awb)


def _booked(stage: Stage, aggregator: Aggregator) -> None:
    watch, awb = _books(stage, aggregator.alias)
    _goes_back(stage, aggregator, watch, awb)


def _begun(stage: Stage, aggregator: Aggregator, later: list[tuple[str, Callable[[], None]]]) -> None:
    """A return whose AWB is not there at once: the rest of it is played when it is."""
    code = f"KL-{_now():%H%M%S}-{aggregator.alias}"
    watch = stage.watch(code)
    answered = stage.api.expect(202, "POST", "/return/create", a_return(code, aggregator.alias))
    watch.say(f"POST /return/create answered: {answered['awbStatus']}")
    later.append((f"Flow 2 at {aggregator.name} goes on", partial(_found, stage, aggregator, watch)))


def _found(stage: Stage, aggregator: Aggregator, watch: Watch) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not (awb := stage.api.expect(200, "GET", f"/return/return-orders/{watch.about}")["returnAwb"]):
        if time.monotonic() > end:
            raise FlowFailed(f"{watch.about}: {aggregator.name} has no AWB for it")
        stage.sweep()
        time.sleep(SWEEP_SECONDS)
    watch.until("AWB_GENERATED")
    _goes_back(stage, aggregator, watch, str(awb))


def _books(stage: Stage, alias: str) -> tuple[Watch, str]:
    code = f"KL-{_now():%H%M%S}-{alias}"
    watch, body = stage.watch(code), a_return(code, alias)
    booked = stage.api.expect(200, "POST", "/return/create", body)
    watch.say(f"POST /return/create answered: AWB {booked['returnAwb']} with {booked['carrierName']}")
    again = stage.api.expect(200, "POST", "/return/create", body)
    if again != booked:
        raise FlowFailed(f"the same call again was answered {again} instead of {booked}")
    watch.say("the same call again: the same answer, no second AWB")
    watch.until("AWB_GENERATED")
    return watch, str(booked["returnAwb"])


def _goes_back(stage: Stage, aggregator: Aggregator, watch: Watch, awb: str) -> None:
    if aggregator.sends_for_the_courier:
        watch.until("PICKUP_SCHEDULED")
    stage.travels(watch, aggregator.partner, awb, aggregator.back)
    _compare_return(stage, watch, awb)


def _booked_past_rms(stage: Stage) -> None:
    """Source: the flows, section 3."""
    code, clickpost = f"KL-{_now():%H%M%S}-3", stage.partners["clickpost"]
    watch, awb = stage.watch(code), f"OWN{_now():%H%M%S}"
    clickpost.control.post("shipments", {"awb": awb, "courier": 25, "order_id": "KL-48901", "is_return": True})
    clickpost.control.post(f"shipments/{awb}/advance", {"life": CLICKPOST_BACK.name, "steps": 2})
    watch.say(f"the client booked AWB {awb} at Clickpost itself; Clickpost tells RMS of it all the same")
    _until_parked(stage, awb, 2)
    if watch.heard:
        raise FlowFailed(f"{watch.heard} was told of a return that RMS does not know")
    watch.say("RMS keeps what it hears of that AWB, unmatched, and tells nobody")
    stage.api.expect(200, "POST", "/return/return-orders", a_channel_booked_return(code, awb))
    watch.say("POST /return/return-orders with AWB and transporter: now RMS knows whose it is")
    watch.until("RETURN_ORDER_PLACED", *(told for told in CLICKPOST_BACK.told[:2] if told))
    stage.travels(watch, "clickpost", awb, Life(CLICKPOST_BACK.name, CLICKPOST_BACK.told[2:]))
    _compare_return(stage, watch, awb)


def _checked(stage: Stage) -> None:
    """A return that its channel has booked is checked once it is delivered."""

    def arrives(code: str, awb: str) -> None:
        watch = stage.watch(code)
        watch.until("RETURN_ORDER_PLACED")
        stage.partners["clickpost"].control.post("shipments", {"awb": awb, "courier": 25, "is_return": True})
        stage.travels(watch, "clickpost", awb, CLICKPOST_BACK)

    checks(stage.api, Api(stage.stack.api_url, stage.client.warehouse), stage.partners, arrives)


def _asked_in_returns_prime(stage: Stage) -> None:
    """Source: the flows, section 7, with webhooks and write-back. Its call into RMS comes too, and makes no second."""
    prime, shiprocket = stage.partners["returns_prime"], stage.partners["shiprocket"]
    request = prime.control.post("asked", {"lines": [{"sku": "IKAT-SAREE-RED", "id": 71}]})
    code, order = str(request["request_number"]), str(request["order"]["id"])
    watch = stage.watch(code)
    watch.say("the shopper asked for a return in Returns Prime")
    awb = books_at_shiprocket(shiprocket, request)
    prime.control.post(f"asked/{request['id']}/ship", {"awb": awb})
    watch.say(f"Returns Prime got AWB {awb} from Shiprocket; its webhook has RMS read the request")
    watch.until("RETURN_ORDER_PLACED")
    item = {"itemCode": "71_1", "reason": "Size too large", "channelSkuCode": "IKAT-SAREE-RED"}
    call = a_channel_booked_return(code, awb) | {"forwardOrderCode": order, "orderItems": [item]}
    stage.api.expect(200, "POST", "/return/return-orders", call)
    watch.say("its call to POST /return/return-orders comes as well: 200, the same return")
    prime.control.post(f"asked/{request['id']}/advance", {"status": "approved"})
    stage.travels(watch, "shiprocket", awb, OTHERS[0].back)
    result = {
        "returnItemCode": "71_1",
        "channelSkuCode": "IKAT-SAREE-RED",
        "qcStatus": "FAIL",
        "qcReason": "STAIN_DAMAGE",
    }
    found = {"channelName": "WEB", "returnOrderCode": code, "forwardOrderCode": order, "locationCode": WAREHOUSE}
    stage.api.expect(200, "POST", "/usp/return", {**found, "orderItems": [result]})
    watch.say("POST /usp/return: the warehouse says FAIL")
    asked = f"asked/{request['id']}"
    told: Mapping[str, Any] = _until(
        lambda: shown if (shown := prime.control.get(asked))["status"] == "inspected" else None,
        f"{code}: QC is not written back",
    )
    watch.say(f"Returns Prime shows: received and inspected, {told['inspected']['comment']}; the refund is up to it")
    if (written := prime.control.get("state")["written"]) != 2:  # noqa: PLR2004 - received, inspected
        raise FlowFailed(f"{code}: {written} calls were written back, not 2")
    _compare_return(stage, watch, awb)


# ── forward parcels ─────────────────────────────────────────────────────────────────


def _shipped_at_clickpost(stage: Stage) -> None:
    watch, awb = _ships(stage, "main", in_two_steps=False)
    invoice = {
        "forwardOrderCode": f"SO-{watch.about}",
        "forwardShipmentCode": watch.about,
        "invoiceData": {
            "invoiceId": f"INV-{watch.about}",
            "documentUrl": f"https://documents.example.com/INV-{watch.about}.pdf",
            "invoiceStatus": "CREATED",
            "documentType": "INVOICE",
        },
    }
    stage.api.expect(200, "POST", "/forward/invoices", invoice)
    watch.say("POST /forward/invoices: the OMS has made the invoice")
    watch.until("INVOICE_GENERATED")
    stage.travels(watch, "clickpost", awb, CLICKPOST_OUT)
    _compare_parcel(stage, watch, awb)


def _shipped(stage: Stage, aggregator: Aggregator) -> None:
    """Source: the flows, section 4."""
    watch, awb = _ships(stage, aggregator.alias, in_two_steps=aggregator.takes_orders)
    stage.travels(watch, aggregator.partner, awb, aggregator.out)
    _compare_parcel(stage, watch, awb)


def _ships(stage: Stage, alias: str, *, in_two_steps: bool) -> tuple[Watch, str]:
    code = f"KL-{_now():%H%M%S}-{alias}-OUT"
    watch, body = stage.watch(code), a_shipment(code, alias)
    if in_two_steps:
        ordered = stage.api.expect(200, "POST", "/forward/orders", body)
        watch.say(f"POST /forward/orders answered: order {ordered['orderId']}, no AWB yet")
    shipped = stage.api.expect(200, "POST", "/forward/shipping-labels", body)
    watch.say(f"POST /forward/shipping-labels answered: AWB {shipped['awb']} with {shipped['carrierName']}")
    _look_at_label(watch, shipped["shippingLabelUrl"])
    again = stage.api.expect(200, "POST", "/forward/shipping-labels", {"shipmentCode": code})
    if again["awb"] != shipped["awb"]:
        raise FlowFailed(f"the same parcel again was answered {again} instead of {shipped}")
    watch.say("the same parcel again: the same AWB, a fresh link")
    watch.until("AWB_GENERATED", "SHIPPING_LABEL_GENERATED")
    return watch, str(shipped["awb"])


def _labelled_by_the_shop(stage: Stage) -> None:
    """Source: RMS API contract, section 21."""
    code, receiver = f"KL-{_now():%H%M%S}-SHOP-OUT", stage.partners["receiver"]
    watch, source = stage.watch(code), {"url": f"{receiver.urls['label_source']}{stage.client.name}-shop"}
    operator = Api(stage.stack.api_url, stage.client.operator)
    operator.expect(200, "PUT", f"/clients/{stage.client.name}/label-source", source)
    question = {"orderCode": f"SO-{code}", "shipmentCode": code, "locationCode": "PNQ-1"}
    given = stage.api.expect(200, "POST", "/forward/web-shop-labels", question)
    watch.say(f"POST /forward/web-shop-labels answered: AWB {given['awb']} with {given['carrierName']}")
    _look_at_label(watch, given["shippingLabelUrl"])
    watch.until("AWB_GENERATED", "SHIPPING_LABEL_GENERATED")
    _compare_parcel(stage, watch, given["awb"])


def _look_at_label(watch: Watch, link: str) -> None:
    found = requests.get(link, timeout=SECONDS)
    if found.status_code != requests.codes.ok or not found.content.startswith(b"%PDF-"):
        raise FlowFailed(f"{watch.about}: its label's link answers {found.status_code} and no PDF")
    watch.say(f"our copy of its label: {len(found.content)} bytes of PDF, by a link that runs out")


# ── exchanges ───────────────────────────────────────────────────────────────────────


def _exchanged(stage: Stage, verdicts: Sequence[str], wanted: Mapping[str, Any]) -> None:
    """Source: the flows, section 6."""
    code, shop = f"KL-{_now():%H%M%S}-{'-'.join(verdicts)}", stage.partners["shopify"]
    watch, path = stage.watch(code), f"/return/return-orders/{code}"
    stage.api.expect(200, "POST", "/return/return-orders", an_exchanged_return(code, f"EXC{_now():%H%M%S%f}"))
    replacement = {
        "lines": [{"sku": "IKAT-SAREE-BLUE"}, {"sku": "IKAT-STOLE-BLUE"}],
        "tags": [EXCHANGE_TAG, HOLD_TAG],
        "attributes": {
            "rms_return_code": code,
            "rms_exchange_items": f"{code}-1=IKAT-SAREE-BLUE; {code}-2=IKAT-STOLE-BLUE",
        },
    }
    number = shop.control.post("orders", replacement)["number"]
    shop.control.post(f"orders/{number}/hold", {"handle": f"rms-{code}"})
    _until(lambda: stage.api.expect(200, "GET", path)["exchange"], f"{code}: RMS does not hear of order {number}")
    watch.say(f"replacement order {number} waits at Shopify, tagged {EXCHANGE_TAG} and {HOLD_TAG}; RMS has linked it")
    stage.api.expect(200, "POST", "/usp/return", qc_results(code, *verdicts))
    watch.say(f"POST /usp/return: the warehouse says {' and '.join(verdicts)}")
    done = _until(partial(_exchange_ended, stage, path), f"{code}: its exchange does not end")
    order = shop.control.get(f"orders/{number}")
    for step in order["history"]:
        watch.say(f"Shopify: {step}")
    left = {line["sku"]: line["current"] for line in order["lines"]}
    shown = {"cancelled": order["cancelled"], "held": HOLD_TAG in order["tags"], "left": sum(left.values())}
    if done["state"] != "DONE" or shown != wanted or len(set(order["history"])) < len(order["history"]):
        raise FlowFailed(f"{code}: the exchange is {done}, its order {order}")
    watch.say(f"the exchange is {done['state']} by {done['decision']}: {shown}")
    watch.until("RETURN_ORDER_PLACED")


def _exchange_ended(stage: Stage, path: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] = stage.api.expect(200, "GET", path)["exchange"]
    return found if found["state"] in {"DONE", "HELD"} else None


# ── an endpoint in trouble ──────────────────────────────────────────────────────────


def _dies(stage: Stage, later: list[tuple[str, Callable[[], None]]]) -> None:
    """A second endpoint, which hears of one warehouse only, answers 503; it is mended at once, which RMS finds out."""
    receiver, hook = stage.partners["receiver"], f"{stage.client.name}-erp"
    endpoint = {
        "endpoint": "erp",
        "url": f"{receiver.urls['hooks']}{hook}",
        "filter": {"locationCodes": [ERP_WAREHOUSE]},
        "noticeEndpoint": stage.client.endpoint,
    }
    made = stage.api.expect(201, "POST", "/endpoints", endpoint)
    receiver.control.post(f"endpoints/{hook}", {"secrets": [made["signingSecret"]]})
    tried = stage.api.expect(200, "POST", "/endpoints/erp/test", {"notificationType": "DELIVERED"})
    say(
        f"   POST /endpoints/erp/test: a sample is {tried['reason']}, status {tried['status']}, {tried['elapsedMs']} ms"
    )
    receiver.control.post("faults", {"endpoint": hook, "then": "status", "status": 503, "times": 1000})
    watches = [Watch(receiver, hook, f"KL-{_now():%H%M%S}-ERP-{number}") for number in range(1, ERP_RETURNS + 1)]
    for number, watch in enumerate(watches):
        awb = f"ERP{_now():%H%M%S}{number}"
        body = a_channel_booked_return(watch.about, awb) | {"locationCode": ERP_WAREHOUSE}
        stage.api.expect(200, "POST", "/return/return-orders", body)
        stage.partners["clickpost"].control.post("shipments", {"awb": awb, "courier": 25, "is_return": True})
    failing = _until(partial(_health, stage, "failing"), "the breaker of the endpoint erp does not open")
    watches[0].say(f"the breaker is open: {failing['reason']}; the next probe is due at {failing['nextProbeAt']}")
    receiver.control.post("faults/clear")
    for watch in watches:
        _goes_on_unheard(stage, watch.about)
    watches[0].say(f"the ERP is mended; {len(watches)} returns go on, and what is to be told of them waits")
    later.append(("The endpoint that died is told everything, in order", partial(_catches_up, stage, watches)))


def _catches_up(stage: Stage, watches: Sequence[Watch]) -> None:
    for watch in watches:
        watch.until("RETURN_ORDER_PLACED", *_FIRST_SCANS)
    _until(partial(_health, stage, "healthy"), "the endpoint erp does not become healthy")
    waiting = _until(partial(_nothing_waits, stage), "something still waits for the endpoint erp")
    watches[0].say(f"the endpoint erp is healthy, {len(watches)} returns told in order, {len(waiting['waiting'])} wait")


def _goes_on_unheard(stage: Stage, code: str) -> None:
    """The parcel is scanned, one scan at a time, so that RMS learns of them in this order."""
    path = f"/return/return-orders/{code}"
    awb = stage.api.expect(200, "GET", path)["returnAwb"]
    for number, scan in enumerate(_FIRST_SCANS):
        step = {"life": CLICKPOST_BACK.name, "steps": 1}
        stage.partners["clickpost"].control.post(f"shipments/{awb}/advance", step)
        _until(
            partial(_recorded, stage, path, number + 2),
            f"{code}: RMS does not record {scan}",
        )


def _recorded(stage: Stage, path: str, events: int) -> bool | None:
    return len(stage.api.expect(200, "GET", path)["timeline"]) >= events or None


def _health(stage: Stage, wanted: str) -> Mapping[str, Any] | None:
    health: Mapping[str, Any] = stage.api.expect(200, "GET", "/endpoints/erp")["health"]
    return health if health["state"] == wanted else None


def _nothing_waits(stage: Stage) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] = stage.api.expect(200, "GET", "/endpoints/erp/waiting")
    return found if not found["waiting"] else None


def _until[T](look: Callable[[], T | None], failed: str) -> T:
    """What a look shows, as soon as it shows something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > end:
            raise FlowFailed(failed)
        time.sleep(POLL_SECONDS * 5)
    return found


# ── looking ─────────────────────────────────────────────────────────────────────────


def _now() -> datetime:
    return datetime.now(UTC)


def _awb_at_clickpost(clickpost: Partner, reference: str) -> str:
    for placed in clickpost.control.get("returns"):
        if placed["return_reference_number"] == reference and placed["awb"]:
            return str(placed["awb"])
    raise FlowFailed(f"Clickpost has no AWB for {reference}")


def _until_parked(stage: Stage, awb: str, updates: int) -> None:
    """Wait until so many updates wait under an AWB that nobody knows."""
    table = DynamoTable(stage.stack.client("dynamodb"), stage.stack.outputs["TableName"])
    end = time.monotonic() + PATIENCE_SECONDS
    while len(table.query(f"C#{stage.client.name}#A#{awb}", prefix="PARKED#").items) < updates:
        if time.monotonic() > end:
            raise FlowFailed(f"{awb}: RMS does not keep what it hears of it")
        time.sleep(POLL_SECONDS)


def _compare_return(stage: Stage, watch: Watch, awb: str) -> None:
    _compare(stage, watch, f"/return/return-orders/{watch.about}", "returnAwb", awb)


def _compare_parcel(stage: Stage, watch: Watch, awb: str) -> None:
    _compare(stage, watch, f"/forward/shipments/{watch.about}", "awb", awb)


def _compare(stage: Stage, watch: Watch, path: str, name: str, awb: str) -> None:
    """RMS's own account must be what the client heard, all of it acknowledged."""
    end = time.monotonic() + ACKNOWLEDGED_SECONDS
    while True:  # the receiver has the last notification a moment before RMS has noted its answer
        found = stage.api.expect(200, "GET", path)
        mine = [cursor for cursor in found["notifications"] if cursor["endpoint"] == stage.client.endpoint]
        behind = [cursor for cursor in mine if cursor["acknowledged"] < cursor["latest"]]
        if not behind:
            break
        if time.monotonic() > end:
            raise FlowFailed(f"{watch.about}: not everything is acknowledged: {behind}")
        time.sleep(POLL_SECONDS)
    timeline = [event["notificationType"] for event in found["timeline"] if event["notificationType"]]
    moving = [told for told in watch.heard if told != "INVOICE_GENERATED"]
    if (found[name], found["status"], timeline) != (awb, moving[-1], watch.heard):
        raise FlowFailed(f"{watch.about}: RMS says {found['status']}, AWB {found[name]}, {timeline}")
    watch.say(
        f"{watch.about} is {found['status']}, AWB {awb}: {len(timeline)} notifications, all acknowledged, in order"
    )
