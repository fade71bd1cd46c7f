"""The simulated Shopify shop, spoken to by RMS's own adapter."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from rms.partners import shopify
from rms.partners.results import Absent, Blame, Busy, Connection, Refused, Unknown
from rms.partners.shopify import operations
from rms.partners.shopify.answers import CancelTaken, Done, Edit
from rms.partners.shopify.order import Order
from rms.partners.shopify.webhook import SIGNATURE, Topic
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.client import SandboxClient, call
from sandbox.faults import Fault, Then, WebhookFault, WebhookThen
from sandbox.in_process import InProcessHttp
from sandbox.receiver import ReceiverSandbox
from sandbox.shopify import Settings, ShopifyEngine, ShopifySandbox
from tests.unit.sandbox.conftest import Clock

SECRETS = {"access_token": "sandbox-shop-token", "webhook_secret": "sandbox-client-secret"}
OPTIONS = {"shop": "sandbox-looms.myshopify.com", "base_url": "https://shop.example"}
SHOP = shopify.Settings.of(Connection("kaveri-looms", "shop", SECRETS, OPTIONS))


class Shop:
    """The shop and what RMS sees of it."""

    def __init__(self, engine: ShopifyEngine) -> None:
        self.engine = engine
        self.http = InProcessHttp({"shop.example": engine.handle})

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        return self.http.send(request)

    def done(self, request: HttpRequest, operation: operations.Operation) -> object:
        return shopify.read_written(self.send(request), operation)

    def read(self, order: str) -> Order:
        found = shopify.read_order(self.send(shopify.read_order_again(SHOP, order)), order)
        assert isinstance(found, Order), found
        return found

    def webhooks(self) -> list[tuple[dict[str, str], bytes]]:
        """Every webhook that is due now, taken at the first try, with its headers in lower case."""
        told = []
        while webhook := self.engine.claim_webhook():
            headers = {name.lower(): value for name, value in self.engine.headers_of(webhook).items()}
            told.append((headers, webhook.body))
            self.engine.webhook_answered(webhook, 202)
        return told


@pytest.fixture
def a_shop(clock: Clock) -> Callable[..., Shop]:
    def build(**settings: Any) -> Shop:
        return Shop(ShopifyEngine(Settings().changed(settings), clock=clock))

    return build


@pytest.fixture
def shop(a_shop: Callable[..., Shop]) -> Shop:
    return a_shop()


def test_tags_are_added_and_removed_once_however_often_they_are_sent(shop: Shop) -> None:
    order = shop.engine.place(tags=["Exchange"])
    for _ in range(2):
        assert shop.done(shopify.add_tag(SHOP, order.gid, "Hold-QC"), operations.ADD_TAGS) == Done()
    assert shop.read(order.gid).tags == ("Exchange", "Hold-QC")
    for _ in range(2):
        assert shop.done(shopify.remove_tag(SHOP, order.gid, "hold-qc"), operations.REMOVE_TAGS) == Done()

    assert order.history == ["tag Hold-QC added", "tag hold-qc removed"]


def test_a_hold_is_set_once_per_handle_and_released_by_its_id(shop: Shop) -> None:
    order = shop.engine.place()
    for _ in range(2):
        assert shopify.read_hold(shop.send(shopify.hold(SHOP, order.fulfilment_order, "rms-1"))) == Done()
    shop.engine.hold(order.number, "theirs", by_us=False)
    (held,) = shop.read(order.gid).fulfilment_orders
    assert [(hold.handle, hold.by_us) for hold in held.holds] == [("rms-1", True), ("theirs", False)]

    release = shopify.release_holds(SHOP, held.id, [held.holds[0].id])
    assert shop.done(release, operations.RELEASE) == Done()
    assert isinstance(shop.done(release, operations.RELEASE), Refused)
    assert [hold.handle for hold in order.holds] == ["theirs"]
    assert shop.read(order.gid).fulfilment_orders[0].status == "ON_HOLD"


def test_an_app_holds_a_fulfilment_order_ten_times_at_most(shop: Shop) -> None:
    order = shop.engine.place()
    results = [shopify.read_hold(shop.send(shopify.hold(SHOP, order.fulfilment_order, f"rms-{n}"))) for n in range(11)]

    assert results[:10] == [Done()] * 10
    assert isinstance(results[10], Refused)
    assert results[10].code == "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED"


def test_an_edit_changes_nothing_before_it_is_committed_and_is_committed_once(shop: Shop) -> None:
    order = shop.engine.place(lines=[{"sku": "A", "quantity": 2}])
    edit = shopify.read_edit(shop.send(shopify.begin_edit(SHOP, order.gid)))
    assert isinstance(edit, Edit)
    shop.done(shopify.set_quantity(SHOP, edit.id, edit.lines[0].id, 1, restock=True), operations.EDIT_SET_QUANTITY)
    assert shop.read(order.gid).lines[0].current == 2

    commit = shopify.commit_edit(SHOP, edit.id, "note")
    assert shop.done(commit, operations.EDIT_COMMIT) == Done()
    assert isinstance(shop.done(commit, operations.EDIT_COMMIT), Refused)
    line = shop.read(order.gid).lines[0]
    assert (line.quantity, line.current, line.unfulfilled) == (2, 1, 1)


def test_what_was_shipped_cannot_be_taken_out_or_cancelled(shop: Shop) -> None:
    order = shop.engine.place(lines=[{"sku": "A"}, {"sku": "B"}])
    shop.engine.ship(order.number, "A")
    edit = shopify.read_edit(shop.send(shopify.begin_edit(SHOP, order.gid)))
    assert isinstance(edit, Edit)

    def set_to_none(line: int) -> object:
        request = shopify.set_quantity(SHOP, edit.id, edit.lines[line].id, 0, restock=True)
        return shop.done(request, operations.EDIT_SET_QUANTITY)

    cancel = shopify.cancel_order(SHOP, order.gid, reason="OTHER", restock=True, note="")
    assert isinstance(set_to_none(0), Refused)
    assert set_to_none(1) == Done()
    assert isinstance(shopify.read_cancelled(shop.send(cancel)), Refused)


def test_a_cancel_is_carried_out_in_its_own_time(a_shop: Callable[..., Shop], clock: Clock) -> None:
    shop = a_shop(cancel_seconds=30.0)
    order = shop.engine.place()
    cancel = shopify.cancel_order(SHOP, order.gid, reason="OTHER", restock=True, note="")

    assert isinstance(shopify.read_cancelled(shop.send(cancel)), CancelTaken)
    assert not shop.read(order.gid).is_cancelled
    clock.pass_seconds(30)
    assert shop.read(order.gid).is_cancelled
    assert isinstance(shopify.read_cancelled(shop.send(cancel)), Refused)


def test_what_is_not_there_is_absent_or_refused(shop: Shop) -> None:
    nobody = "gid://shopify/Order/1"

    assert shopify.read_order(shop.send(shopify.read_order_again(SHOP, nobody)), nobody) == Absent()
    assert isinstance(shop.done(shopify.add_tag(SHOP, nobody, "t"), operations.ADD_TAGS), Refused)
    assert isinstance(shopify.read_edit(shop.send(shopify.begin_edit(SHOP, nobody))), Refused)


def test_points_are_spent_and_come_back(a_shop: Callable[..., Shop], clock: Clock) -> None:
    shop = a_shop(bucket=150.0, restore_rate=10.0)
    order = shop.engine.place()
    again = shopify.read_order_again(SHOP, order.gid)

    shop.read(order.gid)
    assert shopify.read_order(shop.send(again), order.gid) == Busy(13.0)
    clock.pass_seconds(12)
    assert shopify.read_order(shop.send(again), order.gid) == Busy(1.0)
    clock.pass_seconds(1)
    shop.read(order.gid)


def test_a_wrong_token_a_missing_scope_and_a_wrong_version_are_for_an_operator(a_shop: Callable[..., Shop]) -> None:
    order = "gid://shopify/Order/1"
    wrong = shopify.Settings.of(Connection("c", "s", {**SECRETS, "access_token": "other"}, OPTIONS))
    old = shopify.Settings.of(Connection("c", "s", SECRETS, {**OPTIONS, "api_version": "2024-01"}))
    shop, denying = a_shop(), a_shop(denies=("order",))

    results = [
        shopify.read_order(shop.send(shopify.read_order_again(wrong, order)), order),
        shopify.read_order(shop.send(shopify.read_order_again(old, order)), order),
        shopify.read_order(denying.send(shopify.read_order_again(SHOP, order)), order),
    ]

    for result in results:
        assert isinstance(result, Refused)
        assert result.blame is Blame.CONFIGURATION


@pytest.mark.parametrize("body", [b"", b"[]", b'{"operationName": 7}', b'{"operationName": "TagsAdd", "query": "x"}'])
def test_what_is_no_known_operation_does_nothing(shop: Shop, body: bytes) -> None:
    reply: Any = shop.engine.handle(
        "POST", "/admin/api/2026-07/graphql.json", {}, {"x-shopify-access-token": "sandbox-shop-token"}, body
    )

    assert json.loads(reply.body)["errors"][0]["extensions"]["code"] == "undefinedField"


@pytest.mark.parametrize("does_the_work", [True, False])
def test_a_lost_answer_proves_nothing_and_the_order_shows_what_was_done(shop: Shop, *, does_the_work: bool) -> None:
    order = shop.engine.place(tags=["Hold-QC"])
    shop.engine.fail("tags-remove", Fault(Then.HANGS, does_the_work=does_the_work))

    remove = shopify.remove_tag(SHOP, order.gid, "Hold-QC")
    assert isinstance(shop.done(remove, operations.REMOVE_TAGS), Unknown)
    assert shop.read(order.gid).has_tag("Hold-QC") is not does_the_work


def test_webhooks_are_signed_and_tell_each_change(shop: Shop) -> None:
    order = shop.engine.place(attributes={"rms_return_code": "R-1"})
    shop.engine.tag(order.number, ["Exchange", "VIP"])
    shop.engine.cancel(order.number)

    told = shop.webhooks()

    notices = [shopify.read_webhook(headers, body) for headers, body in told]
    assert [notice.topic for notice in notices] == [
        Topic.ORDERS_CREATE,
        Topic.ORDERS_UPDATED,
        Topic.ORDERS_CANCELLED,
        Topic.ORDERS_UPDATED,
    ]
    assert {notice.order_id for notice in notices} == {str(order.number)}
    assert notices[1].tags == ("Exchange", "VIP")
    assert notices[0].attributes == {"rms_return_code": "R-1"}
    assert len({notice.event_id for notice in notices}) == 4
    assert all(shopify.proves_sender(SHOP.webhook_secrets, headers[SIGNATURE], body) for headers, body in told)
    assert not shopify.proves_sender(SHOP.webhook_secrets, told[0][0][SIGNATURE], told[1][1])


def test_a_doubled_webhook_is_one_piece_of_news(shop: Shop) -> None:
    shop.engine.webhook_faults.next("webhook", WebhookFault(WebhookThen.DUPLICATE, copies=3))
    shop.engine.place()

    told = shop.webhooks()

    assert len(told) == 3
    assert len({shopify.read_webhook(headers, body).event_id for headers, body in told}) == 1


def test_any_success_is_taken_for_an_answer_and_anything_else_sent_again(shop: Shop, clock: Clock) -> None:
    shop.engine.place()
    refused = shop.engine.claim_webhook()
    assert refused is not None
    shop.engine.webhook_answered(refused, 500)
    assert shop.webhooks() == []
    clock.pass_seconds(5)

    ((headers, _),) = shop.webhooks()
    assert headers["x-shopify-webhook-id"] == refused.about["webhook_id"]


@pytest.mark.enable_socket
def test_it_speaks_http_and_can_be_steered() -> None:
    with ReceiverSandbox() as receiver, ShopifySandbox(webhook_url=receiver.hook("rms")) as shop:
        control = SandboxClient(shop.url)
        placed = control.post("orders", {"tags": ["Exchange"], "lines": [{"sku": "A"}, {"sku": "B"}]})
        number = placed["number"]
        control.post(f"orders/{number}/hold", {"handle": "rms-1"})
        control.post(f"orders/{number}/tags", {"tags": ["Exchange", "Hold-QC"]})
        control.post(f"orders/{number}/ship", {"sku": "A"})
        request = shopify.read_order_again(
            shopify.Settings.of(Connection("c", "s", SECRETS, {**OPTIONS, "base_url": shop.base_url})), placed["id"]
        )
        answer = call("POST", request.url, headers=request.headers, body=request.body)
        order = shopify.read_order(HttpAnswer(answer.status, {}, answer.body, 1), placed["id"])
        control.post(f"orders/{number}/cancel")

        assert isinstance(order, Order)
        assert [line.unfulfilled for line in order.lines] == [0, 1]
        assert control.get(f"orders/{number}")["cancelled"]
        assert len(control.get("orders")) == control.get("state")["orders"] == 1
        assert "sandbox-shop-token" not in json.dumps(control.get("requests"))
        control.post("reset")
        assert control.get("orders") == []
