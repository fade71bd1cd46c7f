"""Shopify's adapter and the simulated shop, both held to the bodies in `events/shopify`."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from rms.partners import shopify
from rms.partners.results import Absent, Blame, Busy, Connection, Refused, Unknown, UnreadableNoticeError
from rms.partners.shopify import operations
from rms.partners.shopify.answers import CalculatedLine, CancelTaken, Done, Edit
from rms.partners.shopify.order import FulfilmentOrder, Hold, LineItem, Order
from rms.partners.shopify.webhook import SIGNATURE, Topic
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.shopify import Settings as ShopSettings
from sandbox.shopify import ShopifyEngine
from tests.contract.partner_files import Files, answered, missing

FILES = Files("shopify")
OPTIONS = {"shop": "kaveri-looms.myshopify.com"}
SECRETS = {"access_token": "shptok-test-1", "webhook_secret": "client-secret-1"}
SHOP = shopify.Settings.of(Connection("kaveri-looms", "shop", SECRETS, OPTIONS))
ORDER = "gid://shopify/Order/6120044710031"
FULFILMENT_ORDER = "gid://shopify/FulfillmentOrder/7200000000051"
HOLD = "gid://shopify/FulfillmentHold/880000000011"
EDIT = "gid://shopify/CalculatedOrder/770000000001"
LINE = "gid://shopify/CalculatedLineItem/15500000000102"
NOTE = "RMS: QC of return KLR-70031 failed"

REQUESTS: dict[str, HttpRequest] = {
    "order": shopify.read_order_again(SHOP, ORDER),
    "tags_add": shopify.add_tag(SHOP, ORDER, "QC-passed"),
    "tags_remove": shopify.remove_tag(SHOP, "6120044710031", "Hold-QC"),
    "hold": shopify.hold(SHOP, FULFILMENT_ORDER, "rms-KLR-70031"),
    "release": shopify.release_holds(SHOP, FULFILMENT_ORDER, [HOLD]),
    "cancel": shopify.cancel_order(SHOP, ORDER, reason="OTHER", restock=True, note=NOTE),
    "edit_begin": shopify.begin_edit(SHOP, ORDER),
    "edit_set_quantity": shopify.set_quantity(SHOP, EDIT, LINE, 1, restock=True),
    "edit_commit": shopify.commit_edit(SHOP, EDIT, NOTE),
    "subscribe": shopify.subscribe(SHOP, Topic.ORDERS_UPDATED, "https://rms.example/shopify/k/notify"),
}

type Read = Callable[[HttpAnswer | NoAnswer], object]


def _order(answer: HttpAnswer | NoAnswer) -> object:
    return shopify.read_order(answer, ORDER)


def _written(operation: operations.Operation) -> Read:
    return lambda answer: shopify.read_written(answer, operation)


READS: dict[str, Read] = {
    "order": _order,
    "tags_add": _written(operations.ADD_TAGS),
    "tags_remove": _written(operations.REMOVE_TAGS),
    "hold": shopify.read_hold,
    "release": _written(operations.RELEASE),
    "cancel": shopify.read_cancelled,
    "edit_begin": shopify.read_edit,
    "edit_set_quantity": _written(operations.EDIT_SET_QUANTITY),
    "edit_commit": _written(operations.EDIT_COMMIT),
    "subscribe": _written(operations.SUBSCRIBE),
}

ANSWERS: dict[tuple[str, str, int], object] = {
    ("order", "order.absent", 200): Absent(),
    ("order", "throttled", 200): Busy(2.0),
    ("tags_remove", "throttled", 200): Busy(2.0),
    ("order", "too_costly", 200): Blame.CONFIGURATION,
    ("tags_remove", "access_denied", 200): Blame.CONFIGURATION,
    ("order", "wrong_token_401", 401): Blame.CONFIGURATION,
    ("cancel", "wrong_token_401", 401): Blame.CONFIGURATION,
    ("cancel", "internal_error", 200): Unknown,
    ("order", "internal_error", 200): Unknown,
    ("tags_add", "tags_add.done", 200): Done(),
    ("tags_remove", "tags_remove.done", 200): Done(),
    ("tags_remove", "tags_remove.user_error", 200): Blame.DATA,
    ("hold", "hold.done", 200): Done(),
    ("hold", "hold.held_before", 200): Done(),
    ("release", "release.done", 200): Done(),
    ("release", "release.gone", 200): Blame.DATA,
    ("cancel", "cancel.taken", 200): CancelTaken("gid://shopify/Job/0aa1f0de-0000-4000-8000-000000000002", done=False),
    ("cancel", "cancel.refused", 200): Blame.DATA,
    ("edit_begin", "edit_begin", 200): Edit(
        EDIT,
        (
            CalculatedLine("gid://shopify/CalculatedLineItem/15500000000101", "KL-KURTA-TEAL-L", 1),
            CalculatedLine(LINE, "KL-STOLE-PLUM", 2),
        ),
        whole=True,
    ),
    ("edit_begin", "edit_begin.refused", 200): Blame.DATA,
    ("edit_set_quantity", "edit_set_quantity.done", 200): Done(),
    ("edit_commit", "edit_commit.done", 200): Done(),
    ("subscribe", "subscribe.done", 200): Done(),
}

WEBHOOKS = ("webhook.orders_create.json", "webhook.orders_updated.json", "webhook.orders_cancelled.json")


def sent(request: HttpRequest) -> dict[str, Any]:
    assert request.body is not None
    body: dict[str, Any] = json.loads(request.body)
    return body


def signed(body: bytes, secret: str = SECRETS["webhook_secret"]) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers(topic: str = "orders/updated", **more: str) -> dict[str, str]:
    named = {"x-shopify-topic": topic, "x-shopify-shop-domain": "kaveri-looms.myshopify.com"}
    return named | {f"x-shopify-{name.replace('_', '-')}": value for name, value in more.items()}


# ── requests ────────────────────────────────────────────────────────────────────────


def _listed() -> dict[str, str]:
    text = (FILES.folder / "operations.graphql").read_text()
    found = re.split(r"\n(?=(?:query|mutation) )", text)
    return {match[1]: each for each in found if (match := re.match(r"(?:query|mutation) (\w+)", each))}


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w$!.\"]+|[{}()\[\]:,]", re.sub(r"(?m)^#.*$", "", text))).replace(" ,", "")


@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_one_of_those_that_were_checked(operation: operations.Operation) -> None:
    assert _plain(operation.text) == _plain(_listed()[operation.name])
    assert re.search(rf"\b{operation.field}\b", operation.text)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_names_its_operation_and_its_variables(name: str) -> None:
    request = REQUESTS[name]
    body = sent(request)

    assert {key: body[key] for key in ("operationName", "variables")} == FILES.json(f"{name}.request.json")
    assert f"{body['operationName']}(" in body["query"]
    assert request.url == "https://kaveri-looms.myshopify.com/admin/api/2026-07/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shptok-test-1"
    assert request.method == "POST"
    assert request.trusted


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_gives_exactly_the_variables_that_its_operation_declares(name: str) -> None:
    body = sent(REQUESTS[name])
    declared = dict(re.findall(r"\$(\w+): ([\w\[\]!]+)", body["query"].partition("{")[0]))
    must = {variable for variable, kind in declared.items() if kind.endswith("!")}

    assert must <= body["variables"].keys() <= declared.keys()


def test_no_hold_is_ever_released_without_its_id() -> None:
    with pytest.raises(ValueError, match="all apps"):
        shopify.release_holds(SHOP, FULFILMENT_ORDER, [])


@pytest.mark.parametrize("order", ["", "0", "12a", "gid://shopify/Customer/1", "1/../2", "#1"])
def test_what_is_no_order_id_is_not_asked_for(order: str) -> None:
    with pytest.raises(ValueError, match="number"):
        shopify.order_gid(order)


def test_ids_reasons_topics_and_handles_are_checked_before_they_are_sent() -> None:
    with pytest.raises(ValueError, match="global id"):
        shopify.set_quantity(SHOP, EDIT, "7", 0, restock=False)
    with pytest.raises(ValueError, match="cancel reason"):
        shopify.cancel_order(SHOP, ORDER, reason="BECAUSE", restock=False, note="")
    with pytest.raises(ValueError, match="topic"):
        shopify.subscribe(SHOP, Topic.OTHER, "https://rms.example/")
    with pytest.raises(ValueError, match="handle"):
        shopify.hold(SHOP, FULFILMENT_ORDER, "x" * 65)


def test_a_note_is_cut_to_what_shopify_takes() -> None:
    assert len(sent(shopify.commit_edit(SHOP, EDIT, "n" * 400))["variables"]["staffNote"]) == 255


# ── answers ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "file", "status"), ANSWERS)
def test_an_answer_means_what_it_says(name: str, file: str, status: int) -> None:
    result = READS[name](FILES.answer(f"{file}.response.json", status))

    match ANSWERS[name, file, status]:
        case Blame() as blame:
            assert isinstance(result, Refused)
            assert (result.blame, bool(result.words)) == (blame, True)
        case type() as kind:
            assert isinstance(result, kind)
        case value:
            assert result == value


def test_an_order_is_read_with_its_tags_lines_and_holds() -> None:
    order = _order(FILES.answer("order.replacement.response.json"))

    assert isinstance(order, Order)
    assert order.whole
    assert not order.is_cancelled
    assert order.has_tag("EXCHANGE")
    assert order.attributes["rms_return_code"] == "KLR-70031"
    assert order.lines[1] == LineItem("gid://shopify/LineItem/15500000000102", "KL-STOLE-PLUM", 2, 2, 2)
    assert order.fulfilment_orders == (
        FulfilmentOrder(
            FULFILMENT_ORDER,
            "ON_HOLD",
            frozenset({"RELEASE_HOLD", "HOLD"}),
            (
                Hold(HOLD, "rms-KLR-70031", "AWAITING_RETURN_ITEMS", by_us=True),
                Hold("gid://shopify/FulfillmentHold/880000000012", "fraud-check", "HIGH_RISK_OF_FRAUD", by_us=False),
            ),
        ),
    )


def test_shopifys_own_returns_are_read_with_their_exchange_lines() -> None:
    own = shopify.read_order(FILES.answer("order.with_exchange.response.json"), "gid://shopify/Order/6110044710000")

    assert isinstance(own, Order)
    assert [(each.status, len(each.exchange_lines)) for each in own.returns] == [
        ("OPEN", 1),
        ("CANCELED", 1),
        ("OPEN", 0),
    ]


def test_another_order_than_the_one_asked_for_proves_nothing() -> None:
    assert isinstance(_order(FILES.answer("order.with_exchange.response.json")), Unknown)


def test_an_order_that_fills_a_page_is_not_read_whole() -> None:
    body = FILES.json("order.replacement.response.json")
    body["data"]["order"]["lineItems"]["nodes"] *= 50
    order = _order(answered(body))

    assert isinstance(order, Order)
    assert not order.whole


@pytest.mark.parametrize("name", READS)
def test_an_answer_that_is_none_proves_nothing(name: str) -> None:
    useless: list[HttpAnswer | NoAnswer] = [
        NoAnswer("timed out", sent=True, elapsed_ms=10_000),
        answered(b""),
        answered(b"<html></html>"),
        answered({}),
        answered({"data": None}),
        answered({"data": {}}),
        answered([]),
        answered({"data": {operations.CANCEL.field: []}}),
        *(answered({"errors": []}, status) for status in (500, 502, 503, 504, 302, 408, 409)),
        answered({"errors": [{"message": "who knows"}]}),
        answered({"errors": [{"message": "?", "extensions": {"code": "NEW"}}], "data": {}}),
    ]

    assert [type(READS[name](answer)) for answer in useless] == [Unknown] * len(useless)


@pytest.mark.parametrize("name", [name for name in READS if name != "order"])
def test_an_answer_that_does_not_list_user_errors_is_no_success(name: str) -> None:
    operation = next(each for each in operations.OPERATIONS if each.name == sent(REQUESTS[name])["operationName"])

    assert isinstance(READS[name](answered({"data": {operation.field: {}}})), Unknown)
    assert isinstance(READS[name](answered({"data": {operation.field: {"userErrors": None}}})), Unknown)
    assert isinstance(READS[name](answered({"data": {operation.field: None}})), Unknown)


@pytest.mark.parametrize("name", READS)
def test_an_error_beside_data_may_have_come_after_the_deed(name: str) -> None:
    body = FILES.json("access_denied.response.json") | {"data": {"anything": {"done": True}}}

    assert isinstance(READS[name](answered(body)), Unknown)


def test_throttling_says_how_long_until_the_call_can_be_paid_for() -> None:
    def wait(wanted: float, there: float, rate: float, most: float = 1000.0) -> object:
        status = {"maximumAvailable": most, "currentlyAvailable": there, "restoreRate": rate}
        cost = {"requestedQueryCost": wanted, "actualQueryCost": None, "throttleStatus": status}
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        return _order(answered({"errors": errors, "extensions": {"cost": cost}}))

    assert wait(500, 100, 50) == Busy(8.0)
    assert wait(101, 100, 100) == Busy(1.0)
    assert wait(100, 100, 100) == Busy(1.0)
    assert wait(900, 0, 1) == Busy(60.0)
    assert wait(100, 0, 0) == Busy(2.0)
    assert isinstance(wait(1001, 0, 100), Refused)


def test_throttling_without_numbers_waits_the_usual_time_and_429_what_it_says() -> None:
    errors = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}

    assert _order(answered(errors)) == Busy(2.0)
    assert _order(answered({}, 429)) == Busy(2.0)
    assert _order(answered({}, 429, **{"retry-after": "7.5"})) == Busy(7.5)
    assert _order(answered({}, 429, **{"retry-after": "soon"})) == Busy(2.0)


def test_a_refusal_quotes_shopify_and_says_where() -> None:
    result = READS["tags_remove"](FILES.answer("tags_remove.user_error.response.json"))

    assert result == Refused(Blame.DATA, "USER_ERROR", "id: Order does not exist")


# ── webhooks ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "topic", "cancelled", "updated_at"),
    [
        (WEBHOOKS[0], Topic.ORDERS_CREATE, False, datetime(2026, 2, 10, 3, 30, tzinfo=UTC)),
        (WEBHOOKS[1], Topic.ORDERS_UPDATED, False, datetime(2026, 2, 14, 5, 12, 44, tzinfo=UTC)),
        (WEBHOOKS[2], Topic.ORDERS_CANCELLED, True, datetime(2026, 2, 15, 5, 30, 1, tzinfo=UTC)),
    ],
)
def test_a_webhook_names_its_order(file: str, topic: Topic, updated_at: datetime, *, cancelled: bool) -> None:
    notice = shopify.read_webhook(headers(topic.value), FILES.raw(file))

    assert (notice.topic, notice.raw_topic, notice.order_id) == (topic, topic.value, "6120044710031")
    assert (notice.is_cancelled, notice.updated_at, notice.shop) == (cancelled, updated_at, OPTIONS["shop"])
    assert notice.attributes == {"rms_return_code": "KLR-70031"}
    assert notice.tags == (() if cancelled else ("Exchange", "Hold-QC", "prepaid"))


def test_a_topic_that_nobody_reads_is_kept_as_it_came() -> None:
    notice = shopify.read_webhook(headers("Orders/Paid"), FILES.raw(WEBHOOKS[1]))

    assert (notice.topic, notice.raw_topic) == (Topic.OTHER, "Orders/Paid")


def test_one_event_in_one_topic_is_one_piece_of_news_however_often_it_comes() -> None:
    def event(topic: str = "orders/updated", **more: str) -> str:
        return shopify.read_webhook(headers(topic, **more), FILES.raw(WEBHOOKS[1])).event_id

    first = event(event_id="e-1", webhook_id="w-1")

    assert event(event_id="e-1", webhook_id="w-2") == first
    assert event(event_id="e-2", webhook_id="w-1") != first
    assert event("orders/create", event_id="e-1", webhook_id="w-1") != first
    assert event(webhook_id="w-1") == event(webhook_id="w-1") != event(webhook_id="w-2")
    assert event() == event()


@pytest.mark.parametrize("file", WEBHOOKS)
def test_a_signature_over_the_raw_bytes_proves_the_sender(file: str) -> None:
    body = FILES.raw(file)

    assert shopify.proves_sender(SHOP.webhook_secrets, signed(body), body)
    assert not shopify.proves_sender(SHOP.webhook_secrets, signed(body), body + b" ")
    assert not shopify.proves_sender(SHOP.webhook_secrets, signed(body, "other"), body)
    assert "X-Shopify-Hmac-SHA256".lower() == SIGNATURE


@pytest.mark.parametrize("signature", ["", "!", "aGVsbG8=", "é", "\x00", "=" * 44, "sha256=" + signed(b"{}")])
def test_what_is_no_signature_proves_nothing(signature: str) -> None:
    assert not shopify.proves_sender(SHOP.webhook_secrets, signature, b"{}")


def test_without_a_secret_nothing_is_proven() -> None:
    assert not shopify.proves_sender((), signed(b"{}", ""), b"{}")
    assert not shopify.proves_sender(("",), signed(b"{}", ""), b"{}")


def test_for_an_hour_after_a_rotation_either_secret_proves_the_sender() -> None:
    both = shopify.Settings.of(Connection("c", "s", {**SECRETS, "old_webhook_secret": "client-secret-0"}, OPTIONS))

    assert shopify.proves_sender(both.webhook_secrets, signed(b"{}", "client-secret-0"), b"{}")
    assert shopify.proves_sender(both.webhook_secrets, signed(b"{}"), b"{}")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": "x1"}', b'{"id": null}', b'{"id": 1.5}', b"\xff"])
def test_a_body_that_names_no_order_stays_for_a_person(body: bytes) -> None:
    with pytest.raises(UnreadableNoticeError):
        shopify.read_webhook(headers(), body)


# ── connections ─────────────────────────────────────────────────────────────────────


def test_a_connection_that_is_well_has_no_problems() -> None:
    assert shopify.check_connection(OPTIONS, SECRETS) == []
    assert shopify.check_connection({**OPTIONS, "api_version": "2026-01"}, SECRETS) == []


@pytest.mark.parametrize(
    ("options", "secrets", "named"),
    [
        ({"shop": "kaveri.example"}, {}, "options.shop"),
        ({"shop": "a.myshopify.com.evil.example"}, {}, "options.shop"),
        ({"shop": ""}, {}, "options.shop"),
        ({"api_version": "2026-02"}, {}, "options.api_version"),
        ({"api_version": "unstable"}, {}, "options.api_version"),
        ({"base_url": "http://shop.example"}, {}, "options.base_url"),
        ({}, {"access_token": ""}, "secrets.access_token"),
        ({}, {"access_token": "two words"}, "secrets.access_token"),
        ({}, {"webhook_secret": ""}, "secrets.webhook_secret"),
        ({}, {"old_webhook_secret": "a\n"}, "secrets.old_webhook_secret"),
    ],
)
def test_what_is_wrong_with_a_connection_is_named_without_a_secret(
    options: Mapping[str, str], secrets: Mapping[str, str], named: str
) -> None:
    (problem,) = shopify.check_connection({**OPTIONS, **options}, {**SECRETS, **secrets})

    assert problem.startswith(f"{named}: ")
    assert "two words" not in problem


def test_secrets_are_in_no_representation() -> None:
    assert "shptok" not in repr(SHOP)
    assert "client-secret" not in repr(SHOP)


# ── the simulated shop ──────────────────────────────────────────────────────────────


def test_the_simulated_shop_answers_in_the_same_shapes() -> None:
    shop = ShopifyEngine(ShopSettings())
    order = shop.place(lines=[{"sku": "A"}, {"sku": "B", "quantity": 2}], tags=["Exchange"], attributes={"a": "b"})
    shop.hold(order.number, "rms-KLR-70031")

    def ask(name: str, **variables: Any) -> Any:
        body = sent(REQUESTS[name])
        body["variables"] = {**body["variables"], **variables}
        proof = {"x-shopify-access-token": shop.settings.access_token}
        reply: Any = shop.handle("POST", "/admin/api/2026-07/graphql.json", {}, proof, json.dumps(body).encode())
        return json.loads(reply.body)

    begun = ask("edit_begin", id=order.gid)
    edit = begun["data"]["orderEditBegin"]["calculatedOrder"]
    line = edit["lineItems"]["nodes"][1]["id"]
    answers = {
        "order.replacement": ask("order", id=order.gid),
        "order.absent": ask("order"),
        "edit_begin": begun,
        "edit_set_quantity.done": ask("edit_set_quantity", id=edit["id"], lineItemId=line),
        "edit_commit.done": ask("edit_commit", id=edit["id"]),
        "tags_add.done": ask("tags_add", id=order.gid),
        "tags_remove.done": ask("tags_remove", id=order.gid),
        "tags_remove.user_error": ask("tags_remove"),
        "hold.held_before": ask("hold", id=order.fulfilment_order),
        "release.done": ask("release", id=order.fulfilment_order, holdIds=[order.holds[0].gid]),
        "release.gone": ask("release", id=order.fulfilment_order),
        "hold.done": ask("hold", id=order.fulfilment_order),
        "subscribe.done": ask("subscribe"),
        "cancel.taken": ask("cancel", orderId=order.gid),
        "cancel.refused": ask("cancel", orderId=order.gid),
        "edit_begin.refused": ask("edit_begin", id=order.gid),
    }

    assert {name: missing(FILES.json(f"{name}.response.json"), answer) for name, answer in answers.items()} == {
        name: [] for name in answers
    }
    shop.change({"denies": ("tags-remove",), "bucket": 100.0, "restore_rate": 0.0})
    assert missing(FILES.json("throttled.response.json")["extensions"], ask("order")["extensions"]) == []
    assert ask("tags_remove", id=order.gid)["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    webhook = shop.claim_webhook()
    assert webhook is not None
    assert missing(FILES.json(WEBHOOKS[1]), json.loads(webhook.body)) == []


def test_every_example_is_used() -> None:
    answers = {f"{file}.response.json" for _, file, _ in ANSWERS}
    orders = {"order.replacement.response.json", "order.with_exchange.response.json"}

    assert FILES.names() == answers | orders | set(WEBHOOKS) | {f"{name}.request.json" for name in REQUESTS}
