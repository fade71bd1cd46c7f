"""The simulated Returns Prime, spoken to by RMS's own adapter."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from rms.partners import returns_prime
from rms.partners.results import Absent, Blame, Connection, Refused, Unknown
from rms.partners.returns_prime import NotOffered, Request, Stage, Topic, Verdict, Write, Written
from rms.partners.returns_prime.answers import Page
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.client import CallFailedError, SandboxClient, call
from sandbox.faults import Fault, Then
from sandbox.in_process import InProcessHttp
from sandbox.receiver import ReceiverSandbox
from sandbox.returns_prime import ReturnsPrimeEngine, ReturnsPrimeSandbox, Settings
from tests.unit.sandbox.conftest import Clock

OPTIONS = {"location_code": "HOSUR-1", "base_url": "https://rp.example", "write_back": "both"}


TOKEN = "sandbox-rp-token"


def settings(*, token: str = TOKEN, **options: str) -> returns_prime.Settings:
    return returns_prime.Settings.of(Connection("kaveri-looms", "rp", {"token": token}, {**OPTIONS, **options}))


class App:
    """The app and what RMS sees of it."""

    def __init__(self, engine: ReturnsPrimeEngine) -> None:
        self.engine = engine
        self.http = InProcessHttp({"rp.example": engine.handle})

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        return self.http.send(request)

    def ask(self, found: str) -> object:
        return returns_prime.read_request(self.send(returns_prime.ask_again(settings(), found)), found)

    def read(self, found: str) -> Request:
        request = self.ask(found)
        assert isinstance(request, Request), request
        return request

    def write(self, found: str, verdicts: Sequence[Verdict], **options: str) -> list[object]:
        calls = returns_prime.write_back(settings(**options), found, verdicts, self.engine.clock())
        return [returns_prime.read_written(self.send(request)) for _, request in calls]

    def notices(self) -> list[returns_prime.Notice]:
        """Every webhook that is due now, taken at the first try."""
        told = []
        while webhook := self.engine.claim_webhook():
            told.append(returns_prime.read_webhook(webhook.body, str(webhook.about["topic"])))
            self.engine.webhook_answered(webhook, 200)
        return told


@pytest.fixture
def an_app(clock: Clock) -> Callable[..., App]:
    def build(**given: Any) -> App:
        return App(ReturnsPrimeEngine(Settings().changed(given), clock=clock))

    return build


@pytest.fixture
def app(an_app: Callable[..., App]) -> App:
    return an_app()


@pytest.mark.parametrize("shape", ["request", "data", "bare"])
def test_a_life_is_told_by_webhooks_that_lead_to_what_the_api_says(an_app: Callable[..., App], shape: str) -> None:
    app = an_app(webhook_shape=shape)
    placed = app.engine.place({})
    app.engine.ship(placed["id"], "5270001")
    for _ in range(4):
        app.engine.advance(placed["id"])

    notices = app.notices()

    assert [notice.topic for notice in notices] == [
        *(Topic.CREATED, Topic.UPDATED, Topic.APPROVED),
        *(Topic.RECEIVED, Topic.INSPECTED, Topic.REFUNDED),
    ]
    assert {notice.request_id for notice in notices} == {placed["id"]}
    assert app.read(placed["id"]).stage is Stage.REFUNDED


def test_a_forged_webhook_leads_to_nothing_or_to_the_truth(app: App) -> None:
    placed = app.engine.place({})
    forged = json.dumps({"request": {**placed, "status": "refunded"}}).encode()

    assert app.read(returns_prime.read_webhook(forged).request_id).stage is Stage.PENDING
    assert app.ask("nobody") == Absent()


def test_a_request_is_a_return_once_it_has_an_awb(app: App) -> None:
    placed = app.engine.place({"lines": [{"sku": "A", "quantity": 2}, {"sku": "B"}], "order": {"name": "#1"}})
    first, second = (line["id"] for line in placed["line_items"])

    def made() -> returns_prime.Made:
        return returns_prime.return_orders(settings(), app.read(placed["id"]), {})

    assert made() == returns_prime.Made((), (first, second))
    app.engine.ship(placed["id"], "5270001", [first])
    assert (made().orders[0].awb, len(made().orders[0].items), made().waiting) == ("5270001", 2, (second,))
    app.engine.ship(placed["id"], "5270001")
    assert len(made().orders[0].items) == 3


def test_an_exchange_names_its_replacement_order(app: App) -> None:
    line = {"sku": "A", "exchange_sku": "B"}
    placed = app.engine.place({"request_type": "exchange", "lines": [line], "exchange_order": {"id": 77}})
    request = app.read(placed["id"])

    assert (request.is_exchange, request.exchange_order_id, request.lines[0].exchange_sku) == (True, "77", "B")


def test_lost_webhooks_are_found_page_by_page(app: App, clock: Clock) -> None:
    placed = [app.engine.place({})["id"] for _ in range(25)]

    def page(number: int, since: timedelta = timedelta(hours=1)) -> Page:
        asked = returns_prime.ask_for_page(settings(), number, clock.now - since, clock.now)
        found = returns_prime.read_page(app.send(asked))
        assert isinstance(found, Page)
        return found

    assert not page(1).is_last
    assert page(2).is_last
    assert [request.id for request in (*page(1).requests, *page(2).requests)] == placed
    clock.pass_seconds(7200)
    assert page(1).requests == ()


def test_what_is_written_back_shows_in_the_request(app: App) -> None:
    placed = app.engine.place({})
    verdict = Verdict("i_1", passed=False, reason="STAIN_DAMAGE")

    assert app.write(placed["id"], [verdict], rejects_failed="yes") == [Written(), Written(), Written()]
    request = app.read(placed["id"])
    assert request.stage is Stage.REJECTED
    assert all(returns_prime.told_already(write, request) for write in Write)
    assert [entry["body"].get("status") for entry in app.engine.written] == ["received", None, "rejected"]


def test_an_app_without_write_back_says_so(an_app: Callable[..., App]) -> None:
    app = an_app(takes_write_back=False)
    placed = app.engine.place({})

    assert app.write(placed["id"], [Verdict("i_1", passed=True)]) == [NotOffered(404), NotOffered(404)]
    assert app.engine.written == []


def test_a_write_back_that_makes_no_sense_is_refused(app: App) -> None:
    placed = app.engine.place({})

    def put(found: str, body: object) -> object:
        url = f"https://rp.example/return-exchange/v2/{found}/status"
        headers = {"x-rp-token": "sandbox-rp-token"}
        return returns_prime.read_written(
            app.send(HttpRequest("PUT", url, headers=headers, body=json.dumps(body).encode()))
        )

    assert isinstance(put(placed["id"], {"status": "teleported"}), Refused)
    assert isinstance(put("nobody", {"status": "received"}), Refused)
    assert isinstance(put(placed["id"], []), Refused)


@pytest.mark.parametrize("does_the_work", [True, False])
def test_a_lost_write_back_is_looked_up(app: App, *, does_the_work: bool) -> None:
    placed = app.engine.place({})
    app.engine.fail("write-inspection", Fault(Then.CLOSES, does_the_work=does_the_work))

    (result,) = app.write(placed["id"], [Verdict("i_1", passed=True)], write_back="inspection")

    assert isinstance(result, Unknown)
    assert returns_prime.told_already(Write.INSPECTED, app.read(placed["id"])) is does_the_work


def test_a_wrong_token_is_for_an_operator(app: App) -> None:
    placed = app.engine.place({})
    asked = returns_prime.ask_again(settings(token="other"), placed["id"])
    result = returns_prime.read_request(app.send(asked), placed["id"])

    assert isinstance(result, Refused)
    assert result.blame is Blame.CONFIGURATION


def test_webhooks_are_subscribed_to(app: App) -> None:
    asked = returns_prime.subscribe(settings(), "https://rms.example/rp/k", [Topic.RECEIVED])
    answer = app.send(asked)
    again = app.send(HttpRequest("GET", asked.url, headers=asked.headers))

    assert isinstance(answer, HttpAnswer)
    assert isinstance(again, HttpAnswer)
    (known,) = json.loads(again.body)["data"]["list"]
    assert (known["url"], known["topics"]) == ("https://rms.example/rp/k", ["request/received"])


@pytest.mark.enable_socket
def test_it_speaks_http_and_can_be_steered() -> None:
    with ReceiverSandbox() as receiver, ReturnsPrimeSandbox(webhook_url=receiver.hook("rms")) as app:
        control = SandboxClient(app.url)
        placed = control.post("asked", {"lines": [{"sku": "A"}]})
        control.post(f"asked/{placed['id']}/ship", {"awb": "527"})
        control.post(f"asked/{placed['id']}/advance")
        control.post(f"asked/{placed['id']}/advance", {"status": "archived"})
        control.post(f"asked/{placed['id']}/tell", {"topic": "request/refunded"})
        request = returns_prime.ask_again(settings(base_url=app.base_url), placed["id"])
        answer = call("GET", request.url, headers=request.headers)
        read = returns_prime.read_request(HttpAnswer(answer.status, {}, answer.body, 1), placed["id"])

        assert isinstance(read, Request)
        assert (read.stage, read.lines[0].awb) == (Stage.ARCHIVED, "527")
        assert control.get(f"asked/{placed['id']}")["status"] == "archived"
        assert len(control.get("asked")) == control.get("state")["asked"] == 1
        assert "sandbox-rp-token" not in json.dumps(control.get("requests"))
        with pytest.raises(CallFailedError, match="no such request"):
            control.post("asked/nobody/advance")
