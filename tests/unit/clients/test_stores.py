"""A client's Shopify stores: set up by operators, and whose webhooks are let in. Nothing of a secret is ever shown."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from rms.clients import administration, stores
from rms.platform.errors import NotFoundError
from tests.fakes.calls import Fault
from tests.logs import counted, rms_log
from tests.partners import EXCHANGES, a_store, open_shop
from tests.world import CLIENT, HttpReply, Shop, World

PATH = f"/clients/{CLIENT}/shopify-stores/web"
SECRETS = {"access_token": "shop-token-0001", "webhook_secret": "client-secret-0001"}
OPTIONS = {"shop": "lotus.myshopify.com"}
BODY = json.dumps({"id": 5600000000001, "tags": "", "note_attributes": []}).encode()


@pytest.fixture
def world() -> World:
    return World()


def put(world: World, path: str = PATH, **body: Any) -> HttpReply:
    given = {"options": OPTIONS, "secrets": SECRETS, "settings": dict(EXCHANGES)} | body
    return world.call("administer_clients", "PUT", path, given, client="rms", roles="operator")


def signed(body: bytes, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"X-Shopify-Hmac-SHA256": base64.b64encode(digest).decode(), "X-Shopify-Topic": "orders/updated"}


def takes(world: World, headers: dict[str, str], body: bytes = BODY, **where: str) -> bool:
    shop: Any = None
    status = world.shop_notice(shop, body, headers, **{"alias": "web", **where})
    assert status in {200, 401}
    return status == 200


# ── set up ──────────────────────────────────────────────────────────────────────────


def test_a_store_is_set_up_and_shown_without_its_secrets(world: World) -> None:
    answer = put(world)

    assert answer.body == {"alias": "web", "webhookPath": f"/rms/in/api/shopify/notify/{CLIENT}/web"}
    shown = world.call("administer_clients", "GET", f"/clients/{CLIENT}", client="rms", roles="operator")
    assert shown.body["shopifyStores"] == [{"alias": "web", "options": OPTIONS, "settings": dict(EXCHANGES)}]
    [row] = [row for row in world.table.rows() if row["SK"] == "STORE#web"]
    for text in (shown.text, answer.text, str(row)):
        assert not any(secret in text for secret in SECRETS.values())


def test_a_store_that_says_nothing_of_exchanges_edits_none(world: World) -> None:
    assert put(world, settings={}).status == 200


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"options": {}}, "options.shop: must be the shop's own domain, name.myshopify.com"),
        ({"options": OPTIONS | {"base_url": "http://shop.example"}}, "options.base_url: must be https"),
        ({"options": OPTIONS | {"password": "x"}}, "options.password: is not known here"),
        ({"secrets": {"access_token": "shop-token-0001"}}, "secrets.webhook_secret: must be printable ASCII"),
        ({"secrets": SECRETS | {"another": "x"}}, "secrets.another: is not known here"),
        ({"secrets": SECRETS | {"webhook_secret": "x" * 3000}}, "secrets: must not have more than 4096 bytes"),
        ({"settings": {"edits_orders": "on"}}, "settings.exchange_tag: may not be empty"),
        ({"settings": {"editsOrders": "on"}}, "settings.editsOrders: is not known here"),
        ({"setting": {}}, "setting: is not known here"),
    ],
)
def test_what_is_wrong_with_it_is_named_and_no_secret_quoted(world: World, body: dict[str, Any], problem: str) -> None:
    answer = put(world, **body)

    assert answer.status == 400
    assert problem in answer.body["description"]
    assert "shop-token-0001" not in answer.text
    assert not [row for row in world.table.rows() if row["SK"] == "STORE#web"]


def test_an_alias_is_a_plain_name_and_a_client_must_be_there(world: World) -> None:
    assert put(world, path=f"/clients/{CLIENT}/shopify-stores/a b").status == 400
    with pytest.raises(NotFoundError):
        stores.put_store(world.core, "nobody", a_store())


def test_only_operators_set_stores_up(world: World) -> None:
    assert world.call("administer_clients", "PUT", PATH, {"options": OPTIONS, "secrets": SECRETS}).status == 403


# ── whose webhooks are let in ───────────────────────────────────────────────────────


def test_a_body_that_its_store_has_signed_is_let_in_whole(world: World) -> None:
    put(world)

    assert takes(world, signed(BODY, SECRETS["webhook_secret"]) | {"X-Shopify-Event-Id": "event-1", "X-Other": "x"})

    message: Any = world.queues.messages("inbound")[0]
    assert base64.b64decode(message["body"]) == BODY
    assert (message["task"], message["client"], message["alias"]) == ("shop_notice", CLIENT, "web")
    assert message["headers"] == {"x-shopify-topic": "orders/updated", "x-shopify-event-id": "event-1"}


def test_nothing_else_is_let_in_and_all_refusals_are_alike(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    put(world)
    right = signed(BODY, SECRETS["webhook_secret"])
    wrong: list[tuple[dict[str, str], bytes, dict[str, str]]] = [
        ({}, BODY, {}),
        ({"X-Shopify-Hmac-SHA256": ""}, BODY, {}),
        ({"X-Shopify-Hmac-SHA256": "not base64!"}, BODY, {}),
        (signed(BODY, "another"), BODY, {}),
        (signed(BODY, ""), BODY, {}),
        (right, BODY + b" ", {}),
        (right, b"", {}),
        (right, BODY, {"alias": "other"}),
        (right, BODY, {"client": "fern"}),
        (right, BODY, {"client": f"{CLIENT}#R#x"}),
        (right, BODY, {"alias": "web#x"}),
    ]

    assert [takes(world, headers, body, **where) for headers, body, where in wrong] == [False] * len(wrong)
    assert world.queues.messages("inbound") == []
    assert counted(capsys, "WebhookUnauthorized") == len(wrong)


def test_a_store_of_another_client_signs_nothing_of_this_one(world: World) -> None:
    put(world)
    administration.create_client(world.core, "fern", "Fern and Sons")
    secrets = SECRETS | {"webhook_secret": "ferns"}
    assert put(world, path="/clients/fern/shopify-stores/web", secrets=secrets).status == 200

    assert not takes(world, signed(BODY, "ferns"))
    assert takes(world, signed(BODY, "ferns"), client="fern")


def test_a_replaced_webhook_secret_counts_on_for_an_hour(world: World) -> None:
    put(world)
    for _ in range(2):  # the same call again changes nothing of it
        put(world, secrets=SECRETS | {"webhook_secret": "client-secret-0002"})
    world.clock.advance(minutes=59)

    assert takes(world, signed(BODY, "client-secret-0001"))
    assert takes(world, signed(BODY, "client-secret-0002"))

    world.clock.advance(minutes=2)
    assert not takes(world, signed(BODY, "client-secret-0001"))
    assert takes(world, signed(BODY, "client-secret-0002"))


def test_a_table_that_does_not_answer_lets_nobody_in_and_the_shop_sends_again(world: World) -> None:
    put(world)
    world.core = world.another_environment()
    world.calls.plan = lambda call: Fault.THROTTLED if call.port == "table" else None

    shop: Any = None
    assert world.shop_notice(shop, BODY, signed(BODY, SECRETS["webhook_secret"]), alias="web") == 500


def test_no_secret_and_no_body_comes_into_the_log(world: World) -> None:
    shop: Shop = open_shop(world)
    with rms_log() as log:
        shop.engine.place(tags=["Exchange"], attributes={"rms_return_code": "RET-SECRET-CODE"})
        world.settle()

    assert "RET-SECRET-CODE" not in log.text
    assert "sandbox-client-secret" not in log.text
    assert "sandbox-shop-token" not in log.text
