"""What every sink promises: the request it builds, and how it reads the answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from rms.model.notification_type import NotificationType
from rms.notifications.payloads import (
    DocumentType,
    ForwardNotification,
    InvoiceNotification,
    Notification,
    Preferences,
    ReturnNotification,
    payload,
)
from rms.notifications.signing import message_id, new_secret
from rms.notifications.sinks import webhook
from rms.platform.http import HttpAnswer, NoAnswer

SECRET = new_secret(b"contract tests, first secret ...")
OLD_SECRET = new_secret(b"contract tests, older secret ...")
HEARD = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

RETURN = ReturnNotification(
    sequence=3,
    notification_type=NotificationType.IN_TRANSIT,
    received_at=HEARD,
    forward_order_code="F-2002",
    return_code="RET-2002",
    returned_at=HEARD,
    aggregator="CLICKPOST",
    metadata={"Account Code": "acme-main", "Security Key": "hush"},
)
FORWARD = ForwardNotification(
    sequence=1,
    notification_type=NotificationType.DELIVERED,
    received_at=HEARD,
    forward_order_code="F-2002",
    aggregator="SHIPROCKET",
)
INVOICE = InvoiceNotification(
    sequence=2,
    received_at=HEARD,
    forward_order_code="F-2002",
    forward_shipment_code="S-1",
    invoice_id="77",
    document_url="https://files.acme-store.com/77.pdf",
    invoice_status="CREATED",
    document_type=DocumentType.INVOICE,
)


def an_endpoint(**changes: Any) -> webhook.Endpoint:
    return replace(webhook.Endpoint("https://hooks.acme-store.com/rms", [SECRET]), **changes)


def a_message(notification: Notification = RETURN) -> webhook.Message:
    return webhook.Message(message_id("acme", "R#RET-2002", notification.sequence, "main"), notification)


def now() -> datetime:
    """The library that verifies looks at the real clock."""
    return datetime.now(UTC)


@pytest.mark.parametrize("notification", [RETURN, FORWARD, INVOICE])
def test_every_payload_is_a_signed_json_post_that_receivers_can_verify(notification: Notification) -> None:
    request = webhook.build(an_endpoint(), a_message(notification), now())

    assert (request.method, request.url, request.query) == ("POST", "https://hooks.acme-store.com/rms", {})
    assert request.body == payload(notification)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "RMS/1"
    assert (request.connect_seconds, request.total_seconds) == (3.0, 10.0)
    assert Webhook(SECRET).verify(request.body, dict(request.headers))


def test_an_endpoint_is_never_trusted() -> None:
    assert not webhook.build(an_endpoint(), a_message(), now()).trusted
    assert not webhook.ask_for_headers("https://hooks.acme-store.com/credentials").trusted


def test_both_secrets_verify_during_a_rotation() -> None:
    request = webhook.build(an_endpoint(secrets=[SECRET, OLD_SECRET]), a_message(), now())

    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(request.body or b"", dict(request.headers))


def test_a_retry_repeats_body_and_id() -> None:
    first = webhook.build(an_endpoint(), a_message(), HEARD)
    second = webhook.build(an_endpoint(), a_message(), now())

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_the_clients_own_headers_go_along() -> None:
    request = webhook.build(
        an_endpoint(headers={"Authorization": "Bearer abc", "user-agent": "Acme gate"}), a_message(), now()
    )

    assert request.headers["Authorization"] == "Bearer abc"
    assert [value for name, value in request.headers.items() if name.lower() == "user-agent"] == ["Acme gate"]


@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "content-type",
        "HOST",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "Upgrade",
        "Proxy-Authorization",
        "Webhook-Id",
        "WEBHOOK-SIGNATURE",
        "webhook-timestamp",
        "webhook-x",
    ],
)
def test_a_clients_header_cannot_take_the_place_of_ours(name: str) -> None:
    request = webhook.build(an_endpoint(headers={name: "forged"}), a_message(), now())

    assert "forged" not in request.headers.values()
    assert webhook.check_headers({name: "forged"}) == f"must not set {name.lower()}"


def test_a_query_is_kept_apart_from_the_url_that_logs_show() -> None:
    request = webhook.build(
        an_endpoint(url="https://hooks.acme-store.com/rms?token=hush&a%20b=c%2Bd&flag"), a_message(), now()
    )

    assert request.url == "https://hooks.acme-store.com/rms"
    assert request.query == {"token": "hush", "a b": "c+d", "flag": ""}


def test_what_the_client_switched_off_is_not_sent() -> None:
    preferences = Preferences(with_sequence=False, dropped_metadata=frozenset({"Security Key"}))

    request = webhook.build(an_endpoint(preferences=preferences), a_message(), now())

    assert b"hush" not in (request.body or b"")
    assert "sequence" not in json.loads(request.body or b"")
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_an_endpoint_does_not_show_its_secrets() -> None:
    shown = repr(an_endpoint(url="https://hooks.acme-store.com/rms?token=hush", headers={"Authorization": "hush"}))

    assert "hush" not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (HttpAnswer(200, {}, b"", 9), webhook.Delivered),
        (HttpAnswer(204, {}, b"", 9), webhook.Delivered),
        (HttpAnswer(302, {"location": "https://x.acme-store.com"}, b"", 9), webhook.RetryLater),
        (HttpAnswer(400, {}, b"no such order", 9), webhook.RetryLater),
        (HttpAnswer(401, {}, b"", 9), webhook.Unauthorized),
        (HttpAnswer(410, {}, b"", 9), webhook.Gone),
        (HttpAnswer(429, {"retry-after": "9"}, b"", 9), webhook.RetryLater),
        (HttpAnswer(500, {}, b"", 9), webhook.RetryLater),
        (NoAnswer("timed out after 10.0 s", sent=True, elapsed_ms=10_001), webhook.RetryLater),
    ],
)
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, judged: type[webhook.Judgement]) -> None:
    assert isinstance(webhook.judge(answer, HEARD), judged)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer a.b-c"},
        {"X-Api-Key": "k"},
        {"X-A": "two words\tand a tab"},
        {f"X-{n}": "1" for n in range(20)},
    ],
)
def test_ordinary_headers_may_be_registered(headers: dict[str, str]) -> None:
    assert webhook.check_headers(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Evil: 1"},
        {"X-A": "b\n"},
        {"X-A": " b"},
        {"X-A": ""},
        {"X-A": "\u20ac"},
        {"X-A": "\x00"},
        {"X-A": "b" * 4097},
        {"X A": "b"},
        {"X-A:": "b"},
        {"X-A\r\n": "b"},
        {"": "b"},
        {"X-A": "1", "x-a": "2"},
        {f"X-{n}": "1" for n in range(21)},
    ],
    ids=lambda headers: ascii(headers)[:40],
)
def test_headers_that_cannot_be_sent_are_refused(headers: dict[str, str]) -> None:
    assert webhook.check_headers(headers) is not None


def test_credentials_are_asked_for_with_an_empty_post() -> None:
    request = webhook.ask_for_headers("https://hooks.acme-store.com/credentials?client=rms")

    assert (request.method, request.url, request.query, request.body) == (
        "POST",
        "https://hooks.acme-store.com/credentials",
        {"client": "rms"},
        None,
    )


def test_fetched_credentials_are_the_headers_from_now_on() -> None:
    body = b'{"Authorization":"Bearer new","X-Store":"7","Content-Type":"application/json"}'

    assert webhook.read_headers(HttpAnswer(200, {}, body, 9)) == {"Authorization": "Bearer new", "X-Store": "7"}


@pytest.mark.parametrize(
    "answer",
    [
        NoAnswer("connection refused", sent=False, elapsed_ms=2),
        HttpAnswer(401, {}, b'{"Authorization":"x"}', 9),
        HttpAnswer(302, {}, b'{"Authorization":"x"}', 9),
        HttpAnswer(200, {}, b'{"Authorization":"x"}', 9, truncated=True),
        HttpAnswer(200, {}, b"", 9),
        HttpAnswer(200, {}, b"<html>", 9),
        HttpAnswer(200, {}, b"[]", 9),
        HttpAnswer(200, {}, b"{}", 9),
        HttpAnswer(200, {}, b'{"token":{"a":"b"}}', 9),
        HttpAnswer(200, {}, b'{"expires":3600}', 9),
        HttpAnswer(200, {}, b'{"X-A":"b\\r\\nX-Evil: 1"}', 9),
        HttpAnswer(200, {}, b'{"Host":"x"}', 9),
        HttpAnswer(200, {}, b"\xff\xfe", 9),
        HttpAnswer(200, {}, b"[" * 60_000, 9),
    ],
    ids=lambda answer: ascii(answer)[:60],
)
def test_an_answer_without_usable_credentials_gives_none(answer: HttpAnswer | NoAnswer) -> None:
    assert webhook.read_headers(answer) is None
