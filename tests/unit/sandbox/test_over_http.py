"""The sandbox over real sockets on 127.0.0.1. Nothing sleeps: each wait ends with what it waits for."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rms.notifications.sinks import erp_posting, return_expectation
from sandbox.clickpost import ClickpostSandbox
from sandbox.client import CallFailedError, Received, SandboxClient, call
from sandbox.erp import ErpSandbox
from sandbox.receiver import ReceiverSandbox
from sandbox.wms import WmsSandbox
from tests.unit.notifications.sinks.examples import NOW, a_plain_posting, a_target, an_expectation
from tests.unit.sandbox.examples import a_notification, an_order

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[3]
CREDENTIALS = "?username=sandbox-test&key=sandbox-api-key"


@pytest.fixture
def receiver() -> Iterator[ReceiverSandbox]:
    with ReceiverSandbox() as running:
        yield running


@pytest.fixture
def clickpost() -> Iterator[ClickpostSandbox]:
    with ClickpostSandbox(webhook_spacing_seconds=0.01) as running:
        yield running


def create(clickpost: ClickpostSandbox, reference: str = "TEST-REF-1", *, seconds: float = 10) -> dict[str, Any]:
    url = f"{clickpost.base_url}/v3/create-order/{CREDENTIALS}"
    answer = call("POST", url, body=json.dumps(an_order(reference=reference)).encode(), seconds=seconds)
    document: dict[str, Any] = json.loads(answer.body)
    return document


def until(found: Callable[[], bool], clickpost: ClickpostSandbox) -> None:
    """Wait for what a webhook's answer brings about."""
    changed = threading.Event()
    wake = clickpost.engine.on_change

    def tell() -> None:
        wake()
        changed.set()

    clickpost.engine.on_change = tell
    try:
        while not found():
            assert changed.wait(10)
            changed.clear()
    finally:
        clickpost.engine.on_change = wake


def all_sent(clickpost: ClickpostSandbox) -> Callable[[], bool]:
    return lambda: clickpost.engine.state()["webhooks_waiting"] == 0


def test_an_order_is_booked_over_http(clickpost: ClickpostSandbox) -> None:
    assert create(clickpost)["meta"]["status"] == 200
    assert create(clickpost)["meta"]["status"] == 323


def test_sixteen_callers_with_one_reference_get_one_parcel(clickpost: ClickpostSandbox) -> None:
    with ThreadPoolExecutor(16) as callers:
        awbs = {answer["result"]["waybill"] for answer in callers.map(lambda _: create(clickpost), range(16))}

    assert len(awbs) == 1
    assert clickpost.engine.bookings["TEST-REF-1"].calls == 16


def test_webhooks_arrive_in_order_with_the_key(clickpost: ClickpostSandbox, receiver: ReceiverSandbox) -> None:
    awb = create(clickpost)["result"]["waybill"]
    control = SandboxClient(clickpost.url)
    control.post("settings", {"webhook_url": receiver.hook("rms"), "webhook_key": "K-77"})

    control.post(f"shipments/{awb}/advance", {"life": "delivered", "steps": "all"})
    until(all_sent(clickpost), clickpost)

    deliveries = receiver.engine.deliveries()
    assert [json.loads(delivery.body)["clickpost_status_code"] for delivery in deliveries] == [25, 4, 5, 6, 8]
    assert {delivery.headers["webhook_key"] for delivery in deliveries} == {"K-77"}


def test_webhooks_wait_until_they_have_somewhere_to_go(clickpost: ClickpostSandbox, receiver: ReceiverSandbox) -> None:
    clickpost.engine.place_return({})
    assert receiver.engine.deliveries() == []

    clickpost.engine.change({"webhook_url": receiver.hook("rms")})
    until(all_sent(clickpost), clickpost)

    assert len(receiver.engine.deliveries()) == 2


def test_a_refused_webhook_comes_again(clickpost: ClickpostSandbox, receiver: ReceiverSandbox) -> None:
    SandboxClient(receiver.url).post("faults", {"endpoint": "rms", "then": "status", "status": 500, "times": 2})
    clickpost.engine.change({"webhook_url": receiver.hook("rms")})

    clickpost.engine.place_return({}, approval="manual")
    until(all_sent(clickpost), clickpost)

    assert [attempt["status"] for attempt in clickpost.engine.webhooks()[0]["attempts"]] == [500, 500, 200]


def test_a_hang_ends_when_the_caller_gives_up(clickpost: ClickpostSandbox) -> None:
    clickpost.engine.next_booking(does_the_work=True, then="hangs")

    with pytest.raises(CallFailedError):
        create(clickpost, seconds=0.2)

    assert create(clickpost)["meta"]["status"] == 323


def test_late_work_is_done_although_nobody_calls_again(clickpost: ClickpostSandbox) -> None:
    clickpost.engine.next_booking(does_the_work=True, then="closes", late_seconds=0.05)
    with pytest.raises(CallFailedError):
        create(clickpost)

    for _ in range(1000):
        if clickpost.engine.parcels():
            break
        threading.Event().wait(0.005)

    assert clickpost.engine.parcels()


def test_a_dropped_connection_and_a_truncated_body_are_no_answers(clickpost: ClickpostSandbox) -> None:
    for then in ("closes", "truncated"):
        clickpost.engine.next_booking(does_the_work=True, then=then)
        with pytest.raises(CallFailedError):
            create(clickpost)


def test_a_slow_answer_arrives_after_its_time(clickpost: ClickpostSandbox) -> None:
    clickpost.engine.next_booking(does_the_work=True, then="answers", seconds=0.05)

    assert create(clickpost)["meta"]["status"] == 200


def test_closing_does_not_wait_for_a_hanging_call() -> None:
    with ClickpostSandbox() as clickpost, ThreadPoolExecutor(1) as caller:
        clickpost.engine.next_booking(does_the_work=True, then="hangs")
        lost = caller.submit(create, clickpost)
        until(lambda: len(clickpost.engine.requests()) == 1, clickpost)
        clickpost.__exit__(None, None, None)
        assert isinstance(lost.exception(10), CallFailedError)


def test_the_control_api_refuses_nonsense_with_a_reason(clickpost: ClickpostSandbox, receiver: ReceiverSandbox) -> None:
    control = SandboxClient(clickpost.url)

    for path, values in (
        ("nowhere", {}),
        ("shipments/NOBODYS/advance", {}),
        ("faults", {"operation": "teleport", "then": "hangs"}),
        ("faults", {"operation": "webhook", "then": "hangs"}),
        ("settings", {"colour": "blue"}),
        ("settings", {"is_rvp": "maybe"}),
        ("settings", {"webhook_tries": "ten"}),
        ("returns", {"approval": "perhaps"}),
    ):
        with pytest.raises(CallFailedError, match="error"):
            control.post(path, values)
    with pytest.raises(CallFailedError, match="whsec_"):
        SandboxClient(receiver.url).post("endpoints/shop", {"secrets": ["whsec_?"]})


def test_everything_can_be_steered_from_another_process(clickpost: ClickpostSandbox) -> None:
    control = SandboxClient(clickpost.url)
    control.post("faults", {"operation": "create-order", "then": "html", "does_the_work": True, "times": 1})
    control.post("faults", {"operation": "webhook", "then": "duplicate", "probability": 1})
    with pytest.raises(json.JSONDecodeError):
        create(clickpost)
    placed = control.post("returns", {"approval": "manual", "items": [{"sku": "S", "quantity": 1}]})
    approved = control.post(f"returns/{placed['return_reference_number']}/approve")
    moved = control.post(f"shipments/{approved['awb']}/advance", {"steps": 2})
    scanned = control.post(f"shipments/{approved['awb']}/scan", {"code": 18, "at": "2026-03-04T12:00:00+05:30"})

    assert control.get("bookings")["parcels"] == 1
    assert [scan["code"] for scan in moved["scans"]] == [25, 4]
    assert len(scanned["scans"]) == 3
    assert len(control.get("webhooks?limit=2")) == 2
    assert control.get("requests")[0]["fault"] == "html"
    assert control.get("lives")["delivered"] == [25, 4, 5, 6, 8]
    control.post("reset")
    assert control.get("state")["parcels"] == 0
    assert control.get("faults") == []


def test_the_receiver_tells_what_it_heard(receiver: ReceiverSandbox) -> None:
    control = SandboxClient(receiver.url)
    for sequence in (2, 1):
        call("POST", receiver.hook("shop"), headers={"webhook-id": f"m{sequence}"}, body=a_notification(sequence))

    (heard,) = control.get("returns/RET-8")
    assert [row["sequence"] for row in heard["heard"]] == [2, 1]
    assert [violation["kind"] for violation in control.get("violations")] == ["out of order"]
    assert [row["sequence"] for row in control.get("deliveries?endpoint=shop")] == [2, 1]


def test_an_erp_is_steered_and_tells_what_it_posted() -> None:
    posting = erp_posting.build(a_target(), a_plain_posting(), NOW).body
    with ErpSandbox() as erp:
        control = SandboxClient(erp.url)
        control.post("proof", {"secrets": [], "expected_headers": {"X-Api-Key": "k-1"}})
        control.post("refuse", {"message": "Ledger closed"})
        control.post("faults", {"then": "garbage"})
        control.post("settings", {"deduplicates": False})
        answers = [call("POST", erp.inbox, headers={"X-Api-Key": "k-1"}, body=posting) for _ in range(3)]

        # The first call meets both; the ERP refuses it, and garbage is what the caller sees.
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert [json.loads(answer.body)["hasError"] for answer in answers[1:]] == [False, False]
        assert control.get("state")["refused"] == 1
        assert [row["repeats"] for row in control.get("postings/KL-4471-R1")] == [1]
        assert control.get("doubles") == [{"return_code": "KL-4471-R1", "times": 2}]
        assert [row["fault"] for row in control.get("calls")] == ["garbage", None, None]
        control.post("refuse", {"message": "no", "return_code": "KL-4471-R1"})
        control.post("accept")
        control.post("faults/clear")
        assert control.get("violations") == control.get("faults") == []
        control.post("reset")
        assert control.get("postings") == []


def test_a_warehouse_is_steered_and_tells_what_it_expects() -> None:
    expectation = return_expectation.build(a_target(), an_expectation(), NOW).body
    with WmsSandbox() as wms:
        control = SandboxClient(wms.url)
        control.post("faults", {"then": "status", "status": 503})
        answers = [call("POST", wms.inbox, body=expectation).status for _ in range(2)]

        assert answers == [503, 200]
        assert [row["status"] for row in control.get("expectations/KL-4471-R1")] == ["CREATE"]
        assert len(control.get("expectations")) == 1
        assert control.get("violations") == []


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("proof", {"password": "x"}),
        ("refuse", {"code": 7}),
        ("refuse", {"times": 0}),
        ("settings", {"deduplicates": 1}),
        ("settings", {"colour": True}),
        ("faults", {"then": "sings"}),
    ],
)
def test_what_an_erp_does_not_know_is_refused(path: str, values: dict[str, Any]) -> None:
    with ErpSandbox() as erp, pytest.raises(CallFailedError, match="400"):
        SandboxClient(erp.url).post(path, values)


def test_a_redirect_is_shown_and_not_followed_by_webhooks(
    clickpost: ClickpostSandbox, receiver: ReceiverSandbox
) -> None:
    clickpost.engine.change({"webhook_url": receiver.hook("rms"), "webhook_tries": 1})
    SandboxClient(receiver.url).post("faults", {"endpoint": "rms", "then": "redirect", "location": receiver.hook("x")})

    clickpost.engine.place_return({}, approval="manual")
    until(all_sent(clickpost), clickpost)

    assert [delivery.endpoint for delivery in receiver.engine.deliveries()] == ["rms"]


def test_a_label_can_be_fetched(clickpost: ClickpostSandbox) -> None:
    assert call("GET", f"{clickpost.url}/labels/1.pdf").body.startswith(b"%PDF")


def test_one_connection_serves_many_calls(clickpost: ClickpostSandbox) -> None:
    port = int(clickpost.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/sandbox/state")
        assert connection.getresponse().read()
    connection.close()


def raw(url: str, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as line:
        line.sendall(request)
        return line.recv(4096)


def test_a_body_too_large_or_of_no_stated_length_is_refused_unread(receiver: ReceiverSandbox) -> None:
    huge = raw(receiver.url, b"POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    chunked = raw(receiver.url, b"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")

    assert huge.startswith(b"HTTP/1.1 413")
    assert chunked.startswith(b"HTTP/1.1 411")


COMMON = "--seed 7 --webhook-url http://127.0.0.1:9/ --webhook-header Host=rms --webhook-spacing 2.5 --senders 2"


@pytest.mark.parametrize(
    ("partner", "options"),
    [
        (
            "clickpost",
            f"{COMMON} --username u --key k --webhook-key w --webhook-shape selected --webhook-tries 3 --async",
        ),
        ("shiprocket", f"{COMMON} --email e --password p --pickup-location A --pickup-location B --webhook-token t"),
        ("shipway", f"{COMMON} --email e --licence-key k --webhook-shape feed"),
        ("generic", f"{COMMON} --name TREE --key k --auth-username u --auth-password p --auth-domain d"),
        ("returns_prime", f"{COMMON} --token t --no-write-back"),
        ("shopify", f"{COMMON} --shop a.myshopify.com --access-token t --webhook-secret s"),
        ("receiver", ""),
        ("erp", "--secret whsec_AAAA --expect-header X-Api-Key=k"),
        ("wms", "--secret whsec_AAAA --expect-header X-Api-Key=k"),
    ],
)
def test_it_runs_as_a_process_that_says_where_it_listens_and_nothing_else(partner: str, options: str) -> None:
    command = [sys.executable, "-m", f"sandbox.{partner}", "--port", "0", *options.split()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        answer: Received = call("GET", f"{ready['control']}/state")
        process.terminate()
        rest = process.stdout.read()
        assert process.wait(10) == 0

    assert ready["partner"] == partner
    assert answer.status == 200
    assert rest == b""
