"""Whatever a caller sends: a clear 4xx in our envelope, never a 5xx."""

import json
from typing import Final
from urllib.parse import quote

import pytest
import requests

from tests.builders import a_channel_booked_body, a_return_order_body
from tests.e2e.installation import ANSWER_SECONDS, Shop, code_of

pytestmark = pytest.mark.e2e

UNREADABLE: Final = {
    "half an object": b'{"returnOrderCode": "RET-',
    "a list": b"[]",
    "a text": b'"RET-1"',
    "null": b"null",
    "no UTF-8": b'{"returnOrderCode": "RET-\xff\xfe"}',
    "UTF-16": '{"returnOrderCode": "RET-1"}'.encode("utf-16"),
    "a NUL": b"\x00",
    "deep lists": b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "deep objects": b'{"a": ' * 200 + b"1" + b"}" * 200,
    "NaN": b'{"codValue": NaN}',
    "Infinity": b'{"codValue": -Infinity}',
    "a huge integer": b'{"codValue": ' + b"9" * 5_000 + b"}",
    "a huge power": b'{"codValue": 1e999}',
    "half a surrogate pair": b'{"returnOrderCode": "RET-\\ud800"}',
    "the same key twice": b'{"returnOrderCode": "RET-1", "returnOrderCode": "RET-2"}',
}

POSTS: Final = {
    "return-orders": "/return/return-orders",
    "create": "/return/create",
    "search": "/return/get/awb",
    "replay": "/return/return-orders/RET-BAD-INPUT/replay",
}


@pytest.fixture(scope="module", autouse=True)
def _a_return(shop: Shop) -> None:
    assert shop.tells_of(a_channel_booked_body(returnOrderCode="RET-BAD-INPUT", awbNumber="661100")).status_code == 200


@pytest.mark.parametrize("path", POSTS.values(), ids=POSTS)
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_with_words(raw: bytes, path: str, shop: Shop) -> None:
    assert code_of(shop.post(path, raw)) == (400, "BAD_DATA")


@pytest.mark.parametrize("path", [path for name, path in POSTS.items() if name != "replay"])
def test_no_body_is_bad_data(path: str, shop: Shop) -> None:
    assert code_of(shop.post(path, b"")) == (400, "BAD_DATA")


@pytest.mark.parametrize("path", POSTS.values(), ids=POSTS)
def test_a_body_over_256_kb_is_too_large(path: str, shop: Shop) -> None:
    raw = json.dumps({"returnReason": "x" * 256 * 1024}).encode()
    assert code_of(shop.post(path, raw)) == (413, "TOO_LARGE")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json", ""])
def test_another_content_type_is_refused(kind: str, shop: Shop) -> None:
    raw = json.dumps(a_channel_booked_body(returnOrderCode="RET-KIND")).encode()
    assert code_of(shop.post("/return/return-orders", raw, **{"Content-Type": kind})) == (400, "BAD_DATA")


def test_all_failing_fields_are_named_at_once(shop: Shop) -> None:
    body = a_return_order_body(
        **{
            "returnOrderCode": "",
            "orderItems[0].price": -1,
            "orderItems[1].name": None,
            "shipmentDimension.weight": "heavy",
            "pickupAddress.zip": 5,
        }
    )
    answer = shop.tells_of(body)
    assert code_of(answer) == (400, "BAD_DATA")
    for field in ("returnOrderCode", "orderItems[0].price", "orderItems[1].name", "shipmentDimension.weight"):
        assert f"{field}: " in answer.json()["description"]


@pytest.mark.parametrize("name", ["status", "tenant", "client", "sequence", "awbOwner"])
def test_what_is_ours_to_say_may_not_be_set(name: str, shop: Shop) -> None:
    answer = shop.tells_of(a_channel_booked_body(returnOrderCode="RET-OURS") | {name: "mine"})
    assert code_of(answer) == (400, "BAD_DATA")


@pytest.mark.parametrize(
    "code",
    ["RET-NONE", "x" * 3_000, "C#stranger#R#RET-1", "a b", "ä€😀", "..", "%00", "'; --", "${jndi:ldap://x}"],
    ids=lambda code: code[:20],
)
def test_a_code_that_names_no_return_is_not_found(code: str, shop: Shop) -> None:
    assert code_of(shop.get(code))[0] in {400, 404}
    assert code_of(shop.replays(code))[0] in {400, 404}


def test_a_code_with_odd_signs_is_a_code_like_any_other(shop: Shop) -> None:
    code = "RÜCK #7 €+%41"
    assert shop.tells_of(a_channel_booked_body(returnOrderCode=code, awbNumber="661177")).status_code == 200
    assert shop.get(code).json()["returnOrderCode"] == code


@pytest.mark.parametrize("page", ["nonsense", "e30=", "x" * 3_000, "%00", "[]"], ids=lambda page: page[:20])
def test_a_page_that_no_answer_gave_is_bad_data(page: str, shop: Shop) -> None:
    assert code_of(shop.call("GET", f"/return/return-orders?page={quote(page)}")) == (400, "BAD_DATA")


@pytest.mark.parametrize(
    "body",
    [{"afterSequence": -1}, {"afterSequence": 99}, {"afterSequence": "1"}, {"endpoint": "nobody"}, {"endpoint": 7}],
    ids=str,
)
def test_a_replay_that_makes_no_sense_is_bad_data(body: dict[str, object], shop: Shop) -> None:
    assert code_of(shop.replays("RET-BAD-INPUT", **body)) == (400, "BAD_DATA")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing/here"),
        ("GET", "/"),
        ("DELETE", "/return/return-orders"),
        ("PUT", "/return/create"),
        ("POST", "/return/return-orders/RET-BAD-INPUT"),
    ],
)
def test_an_unknown_path_or_method_is_told_in_our_envelope(method: str, path: str, shop: Shop) -> None:
    assert code_of(shop.call(method, path))[0] in {403, 404}


@pytest.mark.parametrize("path", ["/clients", "/clients/kaveri/credentials"])
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_operators_are_told_as_clearly(raw: bytes, path: str, shop: Shop) -> None:
    headers = {"Content-Type": "application/json", **shop.client.operator}
    answer = requests.post(f"{shop.stack.api_url}{path}", data=raw, headers=headers, timeout=ANSWER_SECONDS)
    assert code_of(answer) == (400, "BAD_DATA")


@pytest.mark.parametrize(
    "endpoint",
    [
        {"url": "http://203.0.113.9/hook"},
        {"url": "https://169.254.169.254/latest/meta-data"},
        {"url": "https://10.0.0.8/hook"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user:word@hooks.example/x"},
        {"url": "https://hooks.example/x", "headers": {"webhook-signature": "mine"}},
        {"url": "https://hooks.example/x", "headers": {"x": "a\r\nb: c"}},
    ],
    ids=lambda endpoint: str(endpoint)[:60],
)
def test_an_endpoint_that_rms_must_not_call_cannot_be_registered(endpoint: dict[str, object], shop: Shop) -> None:
    answer = shop.operator.call("PUT", f"/clients/{shop.name}/endpoints/inside", endpoint)
    assert code_of(answer) == (400, "BAD_DATA")
