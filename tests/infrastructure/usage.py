"""What each function really asks of AWS: flows are run through the handlers, each call is noted as an action."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from rms.aggregators.clickpost.adapter import Clickpost
from rms.aggregators.contract import Direction
from rms.platform.table import Check, Delete, Put, Update
from rms.platform.times import to_text
from sandbox.faults import Fault, Then
from sandbox.receiver.engine import awb_of_shop
from tests.apps import PRIME_OPTIONS, checked_body, connect_returns_prime, engine_of
from tests.builders import (
    a_channel_booked_body,
    a_label_question,
    a_processed_body,
    a_result_body,
    a_return_create_body,
    a_return_order_body,
    a_shipment_body,
    an_invoice_body,
    an_items_body,
)
from tests.fakes.calls import Call, Calls
from tests.partners import SANDBOX, a_store, onboard, open_shop
from tests.sinks import Sinks
from tests.template import QUEUE_IDS
from tests.world import CLIENT, RECEIVER_HOST, World, a_clickpost_account, an_operator

type Use = tuple[str, str]
"""An IAM action and the logical id of what it is done to: ("dynamodb:Query", "State/index/due")."""

_TABLE: Final[Mapping[str, Use]] = {
    "get": ("dynamodb:GetItem", "State"),
    "get_many": ("dynamodb:BatchGetItem", "State"),
    "query": ("dynamodb:Query", "State"),
    "query_due": ("dynamodb:Query", "State/index/due"),
    "query_listing": ("dynamodb:Query", "State/index/listing"),
}
_WRITES: Final[Mapping[type, str]] = {
    Put: "dynamodb:PutItem",
    Update: "dynamodb:UpdateItem",
    Delete: "dynamodb:DeleteItem",
    Check: "dynamodb:ConditionCheckItem",
}
_FILES: Final[Mapping[str, Use]] = {
    "keep": ("s3:PutObject", "Labels"),
    "link": ("s3:GetObject", "Labels"),  # a link may do what whoever signed it may
}
_SECRETS: Final[Mapping[str, Use]] = {
    "seal": ("kms:Encrypt", "SecretsKey"),
    "unseal": ("kms:Decrypt", "SecretsKey"),
}
WITHOUT_QC: Final[Mapping[str, object]] = {f"orderItems[{place}].enableDoorStepQc": "false" for place in (0, 1)}
UNKNOWN_TO_RMS: Final = "5550001112"
EVENTS: Final = Path(__file__).parents[2] / "events" / "clickpost"


def uses_of(call: Call) -> set[Use]:
    """The permissions that one call of a port needs."""
    match call.port, call.operation:
        case "table", "write" | "transact":
            return {(_WRITES[type(write)], "State") for write in call.arguments}
        case "table", operation:
            return {_TABLE[operation]}
        case "secrets", operation:
            return {_SECRETS[operation]}
        case "queues", operation:
            return {("sqs:SendMessage", logical) for name, logical in QUEUE_IDS.items() if operation == f"send {name}"}
        case "files", operation:
            return {_FILES[operation]}
        case "http", "send":
            return set()
    raise AssertionError(f"a call that the tests do not know: {call.port}.{call.operation}")


@cache
def used() -> Mapping[str, frozenset[Use]]:
    """By function folder: everything it needed in all flows of `_FLOWS`."""
    uses: dict[str, set[Use]] = {}
    for flow in _FLOWS:
        world = _Watched()
        flow(world)
        for function, needed in world.uses.items():
            uses.setdefault(function, set()).update(needed)
    return {function: frozenset(needed) for function, needed in uses.items()}


class _Watched(World):
    """A world that notes who calls what. Each invocation is a fresh environment, which remembers nothing."""

    def __init__(self, *, endpoints: int = 1) -> None:
        self.uses: dict[str, set[Use]] = {}
        self._running: list[str] = []
        super().__init__(calls=Calls(before=self._note), endpoints=endpoints)

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        self.core = self.another_environment()
        self._running.append(function)
        self.uses.setdefault(function, set())
        try:
            return super().invoke(function, event)
        finally:
            self._running.pop()

    def _note(self, call: Call) -> None:
        if self._running:
            self.uses[self._running[-1]] |= uses_of(call)

    def administer(self, method: str, path: str, body: object = None) -> Any:
        answer = self.call("administer_clients", method, path, body, client="rms", roles="operator")
        assert answer.status < 300, answer.text
        return answer.body if answer.text else None

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """A client's call about its endpoints; the path is the template's with a name in it."""
        answer = self.call("manage_endpoints", method, path, body)
        assert answer.status < 300, answer.text
        return answer.body if answer.text else None

    def booked(self, code: str) -> str:
        """A return that RMS booked at Clickpost; answers its AWB."""
        answer = self.create_return(a_return_order_body(returnOrderCode=code))
        assert answer.status == 200, answer.text
        return str(answer.body["returnAwb"])


def _a_return_from_order_to_delivery(world: _Watched) -> None:
    awb = world.booked("RET-1")
    world.clickpost.advance(awb, steps=None)
    world.settle()
    assert "DELIVERED" in world.heard("RET-1")
    assert world.read_return("RET-1").status == 200
    assert world.call("read_returns", "GET", "/return/return-orders").status == 200
    assert world.call("read_returns", "POST", "/return/get/awb", {"awbNumber": awb}).status == 200
    assert world.replay("RET-1").status == 200
    world.settle()
    assert world.create_return(a_channel_booked_body()).status == 200
    assert world.call("add_return_items", "PUT", "/return/update-return-order/item", an_items_body()).status == 200


def _a_return_that_the_warehouse_checks(world: _Watched) -> None:
    """In pieces, after one of three items was cancelled; what is known of it is read with every call."""
    Sinks(world).join()
    three = a_return_order_body(returnOrderCode="RET-23")
    three["orderItems"].append({**three["orderItems"][0], "itemCode": "70031-3"})
    assert world.create_return(three).status == 200
    assert world.cancel("RET-23", body={"orderItems": [{"itemCode": "70031-3"}]}).status == 200
    for place in (0, 1):
        body = a_processed_body(returnOrderCode="RET-23")
        assert world.process(body | {"orderItems": body["orderItems"][place : place + 1]}).status == 200
    assert world.read_return("RET-23").body["omniReturnOrderStatus"] == "PROCESSED"
    body = an_items_body(returnOrderCode="RET-24", orderCode="SO-70031")
    assert world.create_return(a_return_order_body(returnOrderCode="RET-24")).status == 200
    assert world.call("add_return_items", "PUT", "/return/update-return-order/item", body).status == 200
    world.settle()
    assert world.call("read_returns", "POST", "/return/get/awb", {"orderCode": "SO-70031"}).status == 200


def _bookings_that_do_not_settle_at_once(world: _Watched) -> None:
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    assert world.create_return(a_return_order_body(returnOrderCode="RET-2")).status == 202
    world.settle()
    # Refused until the account is mended.
    wanted = a_return_order_body(returnOrderCode="RET-3")
    world.clickpost.change({"account_codes": ("another-code",)})
    assert world.create_return(wanted).status == 400
    world.clickpost.change({"account_codes": ()})
    assert world.create_return(wanted).status == 200
    # Never settled, held for a person, and wanted again.
    world.clickpost.fail("create-order", Fault(Then.STATUS, does_the_work=False, status=502), times=100)
    body = a_return_order_body(returnOrderCode="RET-4")
    assert world.create_return(body).status == 202
    world.settle()
    assert world.rows_of("RET-4")["BOOKING"]["state"] == "HELD"
    world.clickpost.clear_faults()
    assert world.create_return(body).status == 202
    world.settle()
    assert world.create_return(body).status == 200
    assert world.create_return(a_return_create_body(logisticAccountAlias="main"), path="/return/create").status == 200


def _returns_that_are_cancelled(world: _Watched) -> None:
    world.booked("RET-15")
    assert world.cancel("RET-15").status == 200
    # Nobody has booked it, and then nobody knows.
    assert world.create_return(a_channel_booked_body(returnOrderCode="RET-16")).status == 200
    assert world.cancel("RET-16").status == 200
    world.booked("RET-17")
    world.clickpost.fail("cancel-order", Fault(Then.STATUS, does_the_work=False, status=502), times=100)
    assert world.cancel("RET-17").status == 202
    world.settle()
    assert world.rows_of("RET-17")["CANCELLATION"]["state"] == "HELD"
    world.clickpost.clear_faults()
    # The booking is looked up once more, because somebody wants it cancelled.
    world.clickpost.fail("create-order", Fault(Then.STATUS, does_the_work=False, status=502), times=100)
    assert world.create_return(a_return_order_body(returnOrderCode="RET-18")).status == 202
    world.settle()
    world.clickpost.clear_faults()
    assert world.cancel("RET-18").status == 202
    world.settle()
    assert "CANCELLED" in world.heard("RET-18")


def _returns_that_are_cancelled_at_shiprocket(world: _Watched) -> None:
    """The token is no longer accepted: whoever cancels logs in."""
    shiprocket = onboard(world, "SHIPROCKET").engine
    assert world.create_return(a_return_order_body(returnOrderCode="RET-19", **WITHOUT_QC)).status == 200
    world.settle()
    shiprocket.change({"token_generation": 2})
    assert world.cancel("RET-19").status == 202
    world.settle()
    assert "CANCELLED" in world.heard("RET-19")


def _returns_that_get_their_awb_later(world: _Watched) -> None:
    """Refused until the account is mended; a scan of the parcel is there before RMS knows its AWB."""
    _refuse(world)
    twin = World()
    _refuse(twin)
    awb = str(twin.generate_awb("RET-20").body["returnAwb"])
    waiting = json.loads((EVENTS / "webhook.picked_up.json").read_bytes())
    assert world.webhook(json.dumps(waiting | {"waybill": awb, "additional": {}}).encode()) == 200
    world.work_all()
    assert world.read_awb("RET-20").status == 400
    assert world.generate_awb("RET-20").body["returnAwb"] == awb
    assert world.read_awb("RET-20").status == 200
    # Held, and wanted again.
    world.clickpost.fail("create-order", Fault(Then.STATUS, does_the_work=False, status=502), times=100)
    assert world.create_return(a_return_order_body(returnOrderCode="RET-21")).status == 202
    world.settle()
    world.clickpost.clear_faults()
    assert world.generate_awb("RET-21").status == 202
    world.settle()
    assert world.generate_awb("RET-21").status == 200
    # At another aggregator, where nobody has logged in yet.
    _refuse(world, "RET-22")
    onboard(world, "SHIPROCKET")
    assert world.generate_awb("RET-22", {"logisticAccountAlias": "a-st"}).status == 200


def _refuse(world: World, code: str = "RET-20") -> None:
    """A return that Clickpost refuses, for a reason that is gone afterwards."""
    world.clickpost.change({"account_codes": ("another-code",)})
    assert world.create_return(a_return_order_body(returnOrderCode=code, **WITHOUT_QC)).status == 400
    world.clickpost.change({"account_codes": ()})


def _events_that_come_before_their_awb(world: _Watched) -> None:
    parcel = world.clickpost.add_parcel({"awb": UNKNOWN_TO_RMS, "courier": 25, "is_return": True})
    world.clickpost.advance(parcel.awb, steps=2)
    world.post_webhooks()
    world.work_all()
    channel = a_channel_booked_body(returnOrderCode="RET-5", awbNumber=UNKNOWN_TO_RMS)
    assert world.create_return(channel).status == 200
    world.sweep()  # as if the wake-up had been lost
    world.settle()
    assert len(world.heard("RET-5")) > 1
    # The same while the booking that will bring the AWB is not settled: the worker finds the events waiting.
    world.clickpost.next_booking(does_the_work=True, then="hangs")
    assert world.create_return(a_return_order_body(returnOrderCode="RET-6")).status == 202
    [awb] = world.clickpost.bookings[Clickpost().booking_reference(CLIENT, "RET-6", 0, Direction.RETURN)].awbs
    waiting = json.loads((EVENTS / "webhook.picked_up.json").read_bytes())
    assert world.webhook(json.dumps(waiting | {"waybill": awb, "additional": {}}).encode()) == 200
    world.work_all()
    world.settle()
    assert "AWB_GENERATED" in world.heard("RET-6")


def _a_return_announced_by_the_aggregator(world: _Watched) -> None:
    world.clickpost.place_return({"return_reference_number": "PORTAL-1"}, approval="auto")
    world.settle()
    assert world.heard("PORTAL-1")
    # A scan of its parcel comes before the news of it: whoever creates the return wakes what waits.
    world.clickpost.place_return({"return_reference_number": "PORTAL-2"}, approval="auto")
    news = _taken(world)
    world.clickpost.advance(world.clickpost.parcels()[-1].awb, steps=2)
    scans = _taken(world)
    assert news
    assert scans
    for body in (*scans, *news):
        assert world.webhook(body) == 200
        world.work_all()
    world.settle()
    assert len(world.heard("PORTAL-2")) > 1


def _returns_at_shiprocket(world: _Watched) -> None:
    """The token of the first booking is made in the call, that of the next by the worker that looks for it."""
    shiprocket = onboard(world, "SHIPROCKET").engine
    booked = a_return_order_body(returnOrderCode="RET-11", **WITHOUT_QC)
    assert world.create_return(booked).status == 200
    world.settle()
    shiprocket.next_booking(does_the_work=True, then="hangs")
    assert world.create_return(booked | {"returnOrderCode": "RET-12"}).status == 202
    shiprocket.change({"token_generation": 2})
    world.settle()
    assert "AWB_GENERATED" in world.heard("RET-12")
    shiprocket.advance(shiprocket.parcels()[0].awb, steps=None)
    world.settle()
    assert "DELIVERED" in world.heard("RET-11")


def _a_return_that_the_second_account_books(world: _Watched) -> None:
    shiprocket = onboard(world, "SHIPROCKET", couriers_check=False).engine
    rules = {"rules": [{"when": {"pinCodes": ["4110*"]}, "accounts": ["a-st", "main"]}], "defaultAccounts": ["main"]}
    world.administer("PUT", f"/clients/{CLIENT}/account-rules", rules)
    assert world.create_return(a_return_order_body(returnOrderCode="RET-15")).status == 200
    # The same where the worker learns of the refusal.
    shiprocket.fail("create-return", Fault(Then.HANGS, does_the_work=True))
    assert world.create_return(a_return_order_body(returnOrderCode="RET-16")).status == 202
    world.settle()
    assert [world.rows_of(code)["BOOKING"]["account"] for code in ("RET-15", "RET-16")] == ["main", "main"]


def _returns_at_shipway(world: _Watched) -> None:
    shipway = onboard(world, "SHIPWAY").engine
    body = a_return_order_body(returnOrderCode="RET-13", **WITHOUT_QC)
    assert world.create_return(body).status in {200, 202}
    world.settle()
    shipway.advance(shipway.parcels()[0].awb, steps=None)
    world.settle()
    assert "DELIVERED" in world.heard("RET-13")


def _returns_that_returns_prime_tells_of(world: _Watched) -> None:
    """Asked for there, checked here, written back; one is rejected; one of the call alone comes from elsewhere."""
    app = connect_returns_prime(world, {"write_back": "both"})
    prime = engine_of(app)
    secrets = {"token": prime.settings.token}
    for key in ("another-key-of-the-url", str(app.key_in_path)):
        body = {"secrets": secrets, "options": {**PRIME_OPTIONS, "write_back": "both"}, "webhookKey": key}
        world.administer("PUT", f"/clients/{CLIENT}/returns-prime", body)
    # A scan comes before the news of the return.
    scanned = json.loads((EVENTS / "webhook.picked_up.json").read_bytes())
    assert world.webhook(json.dumps(scanned | {"waybill": "5270001", "additional": {}}).encode()) == 200
    world.work_all()
    first, second = (prime.place({"lines": [{"sku": "KURTA-M"}]}) for _ in range(2))
    prime.ship(first["id"], "5270001")
    prime.ship(second["id"], "5270002")
    world.settle()
    prime.advance(second["id"], "rejected")
    world.settle()
    assert "CANCELLED" in world.heard(second["request_number"])
    assert world.process(checked_body(first["request_number"], first)).status == 200
    world.settle()
    assert len(prime.written) == 2
    # Not offered any more; and a result that the end of its request has overtaken.
    prime.change({"takes_write_back": False})
    failed = f"{first['line_items'][0]['id']}_1"
    assert world.process(checked_body(first["request_number"], first, failed)).status == 200
    world.settle()
    assert world.rows_of(first["request_number"])["WRITEBACK"]["state"] == "OFF"


def _returns_at_a_generic_aggregator(world: _Watched) -> None:
    generic = onboard(world, SANDBOX).engine
    assert world.create_return(a_return_order_body(returnOrderCode="RET-14", **WITHOUT_QC)).status == 200
    generic.advance(generic.parcels()[0].awb, steps=None)
    world.settle()
    assert "DELIVERED" in world.heard("RET-14")


def _parcels_that_fall_silent(world: _Watched) -> None:
    """At Clickpost, and at Shiprocket, where the token has run out meanwhile."""
    awb = world.booked("RET-15")
    world.clickpost.advance(awb, steps=2)
    assert world.lose_webhooks()
    shiprocket = onboard(world, "SHIPROCKET").engine
    assert world.create_return(a_return_order_body(returnOrderCode="RET-16", **WITHOUT_QC)).status == 200
    shiprocket.change({"token_generation": 2})
    shiprocket.advance(shiprocket.parcels()[0].awb, steps=2)
    assert world.lose_webhooks()
    world.clock.advance(days=1)
    assert world.watch()["found"] > 2
    world.settle()
    assert "RETURN_PICKED_UP" in world.heard("RET-15")
    assert "RETURN_PICKED_UP" in world.heard("RET-16")


def _endpoints_that_refuse(world: _Watched) -> None:
    url = f"https://{RECEIVER_HOST}/hooks/shop"
    credentials = f"https://{RECEIVER_HOST}/credentials/shop"
    world.administer("PUT", f"/clients/{CLIENT}/endpoints/shop", {"url": url, "credentialUrl": credentials})
    world.receiver.set_endpoint("shop", expected_headers={"Authorization": "Bearer fresh"})
    world.booked("RET-7")
    world.settle()
    assert world.heard("RET-7") == ["AWB_GENERATED"]
    world.receiver.fail("shop", Fault(Then.STATUS, does_the_work=False, status=500), times=20)
    world.booked("RET-8")
    world.settle()
    assert world.rows_of("RET-8")["CURSOR#shop"]["due_shard"] == f"stalled#{CLIENT}#shop"
    world.receiver.fail("shop", Fault(Then.STATUS, does_the_work=False, status=410), times=1)
    world.booked("RET-9")
    world.settle()
    assert str(world.rows_of("RET-9")["CURSOR#shop"]["due_shard"]).startswith("parked#")
    world.booked("RET-10")
    world.settle()
    world.administer("PUT", f"/clients/{CLIENT}/endpoints/shop", {"url": url})
    world.settle()


def _what_endpoints_heard_looked_at_and_repaired(world: _Watched) -> None:
    begin = to_text(world.clock())
    for code in ("RET-30", "RET-31"):
        world.booked(code)
    world.settle()
    shop = "/endpoints/shop"
    replay = {"since": begin, "replayId": "again"}
    assert world.call("replay_notifications", "POST", f"{shop}/replay", replay).status == 202
    world.settle()
    assert world.call("replay_notifications", "GET", f"{shop}/replays/again").body["ordersReplayed"] == 2
    assert world.call("replay_notifications", "POST", f"{shop}/replay", {"since": begin}).status == 202
    [running] = [str(row["SK"]).removeprefix("REPLAY#") for row in world.due_rows() if "REPLAY#" in str(row["SK"])]
    assert world.call("replay_notifications", "DELETE", f"{shop}/replays/{running}").body["state"] == "CANCELLED"
    world.settle()
    # One event, before its order stands still and after.
    told = world.read_return("RET-30").body["notifications"][0]["acknowledged"]
    wish = {"returnOrderCode": "RET-30", "sequence": told}
    assert world.call("replay_notifications", "POST", f"{shop}/replay", wish).status == 200
    world.settle()
    world.receiver.fail("shop", Fault(Then.STATUS, does_the_work=False, status=422), times=1)
    assert world.call("replay_notifications", "POST", f"{shop}/replay", wish).status == 200
    world.work_all()
    assert world.call("replay_notifications", "POST", f"{shop}/skip", wish).status == 200
    world.settle()
    for path in (
        "/return/return-orders/RET-30/deliveries",
        "/return/return-orders/RET-30/deliveries/export",
        f"{shop}/deliveries",
        f"{shop}/waiting",
        f"{shop}/export",
    ):
        assert world.call("read_deliveries", "GET", path).status == 200, path
    assert world.call("read_deliveries", "GET", f"{shop}/waiting", query={"state": "stalled"}).status == 200


def _endpoints_by_the_clients_own_hand(world: _Watched) -> None:
    credentials = f"https://{RECEIVER_HOST}/credentials/erp"
    erp = {"endpoint": "erp", "url": f"https://{RECEIVER_HOST}/hooks/erp", "headers": {"X-Key": "first"}}
    world.manage("POST", "/endpoints", erp | {"noticeEndpoint": "shop"})
    world.manage("PUT", "/endpoints/erp", {"headers": {"X-Key": "***", "X-App": "rms"}, "credentialUrl": credentials})
    assert len(world.manage("GET", "/endpoints")["endpoints"]) == 2
    world.receiver.set_endpoint("erp", expected_headers={"Authorization": "Bearer fresh"})
    assert world.manage("POST", "/endpoints/erp/test")["delivered"] is True
    world.manage("POST", "/endpoints/erp/rotate")
    world.manage("POST", "/endpoints/erp/pause")
    world.booked("RET-30")
    world.settle()
    assert world.heard("RET-30", "erp") == []
    assert world.manage("POST", "/endpoints/erp/resume")["resumed"] is True
    world.settle()
    assert world.heard("RET-30", "erp") == ["AWB_GENERATED"]
    world.receiver.fail("erp", Fault(Then.STATUS, does_the_work=False, status=410), times=1)
    world.booked("RET-31")
    world.settle()
    assert world.manage("GET", "/endpoints/erp")["state"] == "DISABLED"
    world.manage("DELETE", "/endpoints/erp")


def _everything_an_operator_does(world: _Watched) -> None:
    credential = an_operator(world)
    allowed = world.invoke(
        "authorize",
        {
            "methodArn": "arn:aws:execute-api:ap-south-1:000000000000:api/prod/GET/clients/lotus",
            "headers": {
                "authDomainName": credential.domain,
                "authUsername": credential.username,
                "authPassword": credential.password,
            },
            "requestContext": {},
        },
    )
    assert allowed["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    world.administer("POST", "/clients", {"client": "iris", "name": "Iris Shoes"})
    world.administer("POST", "/clients/iris/credentials", {"username": "shop", "roles": ["client"]})
    world.administer("POST", "/clients/iris/credentials/shop/rotate")
    world.administer("DELETE", "/clients/iris/credentials/shop")
    main = a_clickpost_account()
    account = {"aggregator": main.aggregator, "secrets": main.secrets, "options": main.options}
    for key in ("iris-webhook-key-first", "iris-webhook-key-second"):
        world.administer("PUT", "/clients/iris/accounts/main", account | {"webhookKey": key})
    world.administer("PUT", "/clients/iris/endpoints/erp", {"url": "https://erp.iris.test/rms"})
    world.administer("POST", "/clients/iris/endpoints/erp/rotate")
    world.administer("GET", "/clients/iris")


def _forward_parcels(world: _Watched) -> None:
    """At several aggregators; with labels that come in the call, that the worker fetches, and that nobody gives."""
    shiprocket, shipway = onboard(world, "SHIPROCKET").engine, onboard(world, "SHIPWAY").engine
    order = a_shipment_body(logisticAccountAlias="a-st")
    assert world.ship(order, "/forward/orders").status == 200
    shiprocket.change({"token_generation": 2})
    assert world.ship(order).status == 200
    assert world.ship({"shipmentCode": "SH-70031"}).status == 200
    shipway.fail("label-file", Fault(Then.HTML), times=3)
    late = a_shipment_body(**{"logisticAccountAlias": "a-sw", "orderDetails.shipmentCode": "SH-2"})
    assert world.ship(late).status == 202
    world.settle()
    assert world.ship(late).status == 200
    # A scan is quicker than the answer that brings the AWB, which is the one that a first parcel gets anywhere.
    body = a_shipment_body(**{"orderDetails.shipmentCode": "SH-3"})
    scanned = json.loads((EVENTS / "webhook.in_transit.json").read_bytes())
    waiting = scanned | {"waybill": World().ship(body).body["awb"], "additional": {}}
    assert world.webhook(json.dumps(waiting).encode()) == 200
    world.work_all()
    world.clickpost.fail("label-file", Fault(Then.STATUS, status=404), times=20)
    assert world.ship(body).status == 202
    world.settle()
    assert "IN_TRANSIT" in world.heard("SH-3")
    assert world.rows_of("SH-3", kind="S")["LABEL"]["state"] == "HELD"
    world.clickpost.clear_faults()
    assert world.ship(body).status == 200
    shiprocket.advance(shiprocket.parcels()[0].awb, steps=None)
    world.settle()
    assert "DELIVERED" in world.heard("SH-70031")
    assert world.read_shipment("SH-70031").status == 200
    assert world.read_label("SH-70031").body["shippingLabelUrl"]
    assert world.call("read_forward", "GET", "/forward/shipments").status == 200
    assert world.call("replay_notifications", "POST", "/forward/shipments/SH-70031/replay", {}).status == 200


def _forward_bookings_that_do_not_settle_at_once(world: _Watched) -> None:
    generic = onboard(world, SANDBOX).engine
    body = a_shipment_body(logisticAccountAlias="a-sandbox")
    generic.fail("generate", Fault(Then.STATUS, does_the_work=False, status=502), times=100)
    assert world.ship(body).status == 202
    world.settle()
    assert world.rows_of("SH-70031", kind="S")["BOOKING"]["state"] == "HELD"
    generic.clear_faults()
    assert world.ship(body).status == 202
    world.settle()
    assert world.heard("SH-70031") == ["AWB_GENERATED", "SHIPPING_LABEL_GENERATED"]


def _invoices(world: _Watched) -> None:
    for status in ("CREATED", "CANCELLED"):
        body = an_invoice_body(**{"invoiceData.invoiceStatus": status})
        assert world.call("record_invoices", "POST", "/forward/invoices", body).status == 200
    world.settle()
    assert world.heard("SH-70031") == ["INVOICE_GENERATED", "INVOICE_GENERATED"]


def _labels_of_the_clients_own_system(world: _Watched) -> None:
    url = f"https://{RECEIVER_HOST}/label-source/own"
    credentials = f"https://{RECEIVER_HOST}/credentials/own"
    world.administer("PUT", f"/clients/{CLIENT}/label-source", {"url": url, "credentialUrl": credentials})
    world.receiver.set_endpoint("own", expected_headers={"Authorization": "Bearer fresh"})
    # A scan is quicker than the question.
    scanned = json.loads((EVENTS / "webhook.in_transit.json").read_bytes())
    waiting = scanned | {"waybill": awb_of_shop("SH-70055"), "additional": {}}
    assert world.webhook(json.dumps(waiting).encode()) == 200
    world.work_all()
    for _ in range(2):
        assert world.ask_for_label(a_label_question()).status == 200
    world.settle()
    assert world.heard("SH-70055") == ["AWB_GENERATED", "SHIPPING_LABEL_GENERATED", "IN_TRANSIT"]
    world.receiver.fail("label-source/own", Fault(Then.STATUS, status=404), times=20)
    assert world.ask_for_label(a_label_question(shipmentCode="SH-70056")).status == 202
    world.settle()
    assert world.rows_of("SH-70056", kind="S")["LABEL"]["state"] == "HELD"
    world.receiver.clear_faults()
    assert world.ask_for_label(a_label_question(shipmentCode="SH-70056")).status == 200


def _exchanges_on_shopify(world: _Watched) -> None:
    """Told of ahead, or after QC; held, and tried again; cancelled by the shop at last."""
    shop, store = open_shop(world).engine, a_store()
    for _ in range(2):
        body = {"options": store.options, "secrets": store.secrets, "settings": store.settings}
        world.administer("PUT", f"/clients/{CLIENT}/shopify-stores/web", body)
    first, both = [a_result_body("70031-1")], [a_result_body("70031-1"), a_result_body("70031-2")]
    orders = []
    for code in ("RET-40", "RET-41", "RET-42"):
        late = code == "RET-41"
        if not late:
            orders.append(shop.place(tags=["Exchange", "Hold-QC"], attributes={"rms_return_code": code}))
        world.settle()
        assert world.create_return(a_return_order_body(returnOrderCode=code)).status == 200
        shop.change({"denies": ("tags-remove",) if code == "RET-42" else ()})
        for results in (first, both):
            assert world.process(a_processed_body(returnOrderCode=code, orderItems=results)).status == 200
        if late:
            orders.append(shop.place(tags=["Exchange", "Hold-QC"], attributes={"rms_return_code": code}))
        world.settle()
    assert world.read_return("RET-42").body["exchange"]["state"] == "HELD"
    shop.change({"denies": ()})
    assert world.process(a_processed_body(returnOrderCode="RET-42", orderItems=both)).status == 200
    world.settle()
    for order in orders:
        shop.cancel(order.number)
    world.settle()
    for code in ("RET-40", "RET-41", "RET-42"):
        assert world.read_return(code).body["exchange"]["state"] == "DONE"


_FLOWS: Final = (
    _a_return_from_order_to_delivery,
    _a_return_that_the_warehouse_checks,
    _exchanges_on_shopify,
    _bookings_that_do_not_settle_at_once,
    _returns_that_get_their_awb_later,
    _returns_that_are_cancelled,
    _returns_that_are_cancelled_at_shiprocket,
    _events_that_come_before_their_awb,
    _a_return_announced_by_the_aggregator,
    _returns_at_shiprocket,
    _a_return_that_the_second_account_books,
    _returns_at_shipway,
    _returns_that_returns_prime_tells_of,
    _returns_at_a_generic_aggregator,
    _forward_parcels,
    _forward_bookings_that_do_not_settle_at_once,
    _invoices,
    _labels_of_the_clients_own_system,
    _parcels_that_fall_silent,
    _endpoints_that_refuse,
    _what_endpoints_heard_looked_at_and_repaired,
    _endpoints_by_the_clients_own_hand,
    _everything_an_operator_does,
)


def _taken(world: World) -> list[bytes]:
    """The bodies of the webhooks that wait at Clickpost, taken out of its hands."""
    bodies = []
    world.clock.advance(minutes=1)
    world.clickpost.run_due()
    while (webhook := world.clickpost.claim_webhook()) is not None:
        bodies.append(webhook.body)
        world.clickpost.webhook_answered(webhook, 200)
    return bodies
