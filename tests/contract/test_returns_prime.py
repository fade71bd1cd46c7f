"""Returns Prime's adapter and the simulated one, both held to the bodies in `events/returns_prime`."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rms.model.notification_type import NotificationType as To
from rms.model.return_order import Address, Parcel
from rms.partners import returns_prime
from rms.partners.results import Absent, Blame, Busy, Connection, Refused, Unknown, UnreadableNoticeError
from rms.partners.returns_prime import Mark, NotOffered, Request, Stage, Topic, Verdict, Write, Written
from rms.partners.returns_prime.answers import Page
from rms.partners.returns_prime.statuses import SHIPMENTS, STAGES
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.returns_prime import ReturnsPrimeEngine
from sandbox.returns_prime import Settings as SandboxSettings
from tests.contract.partner_files import Files, answered, missing

FILES = Files("returns_prime")
OPTIONS = {"location_code": "HOSUR-1"}
SECRETS = {"token": "rp-token-test-1"}
RETURN, EXCHANGE = "65f0a1kl70031", "65f0a1kl70040"
PROCESSED_AT = datetime(2026, 2, 14, 5, 30, tzinfo=UTC)
FAILED = Verdict("15500000000101_1", passed=False, reason="STAIN_DAMAGE")
TO_TELL = returns_prime.Standing.TO_TELL
PASSED = Verdict("15500000000102_1", passed=True)


def settings(**options: str) -> returns_prime.Settings:
    return returns_prime.Settings.of(Connection("kaveri-looms", "rp", SECRETS, {**OPTIONS, **options}))


def read(file: str, found: str) -> Request:
    request = returns_prime.read_request(FILES.answer(file), found)
    assert isinstance(request, Request), request
    return request


def the_return() -> Request:
    return read("request.return.response.json", RETURN)


def the_exchange() -> Request:
    return read("request.exchange.response.json", EXCHANGE)


def sent(request: HttpRequest) -> Any:
    return None if request.body is None else json.loads(request.body)


# ── webhooks ────────────────────────────────────────────────────────────────────────

WEBHOOKS = {
    "webhook.received.json": (RETURN, Topic.OTHER, ""),
    "webhook.refunded_wrapped.json": (RETURN, Topic.REFUNDED, "request/refunded"),
    "webhook.id_in_data.json": (RETURN, Topic.CREATED, "request/created"),
    "webhook.only_an_id.json": (RETURN, Topic.OTHER, "request/merged"),
}


@pytest.mark.parametrize("file", WEBHOOKS)
def test_a_webhook_says_which_request_to_read_again_and_no_more(file: str) -> None:
    notice = returns_prime.read_webhook(FILES.raw(file))

    assert (notice.request_id, notice.topic, notice.raw_topic) == WEBHOOKS[file]


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.OTHER])
def test_the_topic_may_come_from_where_the_webhook_came_in(topic: Topic) -> None:
    assert returns_prime.read_webhook(FILES.raw("webhook.received.json"), topic.value.upper()).topic is topic


def test_the_same_body_is_the_same_news_and_another_is_not() -> None:
    def event(file: str, topic: str = "") -> str:
        return returns_prime.read_webhook(FILES.raw(file), topic).event_id

    assert event("webhook.received.json") == event("webhook.received.json")
    assert len({event(file) for file in WEBHOOKS}) == len(WEBHOOKS)
    assert event("webhook.received.json", "request/received") != event("webhook.received.json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"request": {}}',
        b'{"id": "../../v2/webhook"}',
        b'{"id": "a/status"}',
        b'{"id": "a?x=1"}',
        b'{"id": "a b"}',
        json.dumps({"id": "x" * 65}).encode(),
    ],
)
def test_a_webhook_that_names_no_request_stays_for_a_person(body: bytes) -> None:
    with pytest.raises(UnreadableNoticeError):
        returns_prime.read_webhook(body)


# ── calls ───────────────────────────────────────────────────────────────────────────


def test_a_request_is_read_again_with_the_token_in_a_header() -> None:
    asked = returns_prime.ask_again(settings(), RETURN)

    assert (asked.method, asked.url) == ("GET", f"https://admin.returnprime.com/return-exchange/v2/{RETURN}")
    assert asked.headers["x-rp-token"] == "rp-token-test-1"
    assert asked.query == {}
    assert asked.trusted


def test_what_is_no_id_never_becomes_a_path() -> None:
    with pytest.raises(ValueError, match="letters"):
        returns_prime.ask_again(settings(), "../v2/webhook")


def test_a_page_is_asked_for_between_two_times() -> None:
    since, until = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
    asked = returns_prime.ask_for_page(settings(base_url="https://api.returnprime.co/"), 3, since, until)

    assert asked.url == "https://api.returnprime.co/return-exchange/v2"
    assert asked.query == {
        "page": "3",
        "created_at_min": "2026-02-01T00:00:00.000Z",
        "created_at_max": "2026-02-02T00:00:00.000Z",
    }


def test_a_request_is_looked_for_by_the_number_that_shoppers_know() -> None:
    asked = returns_prime.ask_for_number(settings(), "RET70031")

    assert asked.query == {"page": "1", "request_number": "RET70031"}
    found = returns_prime.read_numbered(FILES.answer("list.response.json"), "RET70031")
    assert isinstance(found, Request)
    assert found.id == RETURN
    assert isinstance(returns_prime.read_numbered(FILES.answer("list.response.json"), "RET1"), Unknown)
    assert returns_prime.read_numbered(FILES.answer("list.last.response.json"), "RET1") == Absent()
    assert isinstance(returns_prime.read_numbered(FILES.answer("failed_200.response.json"), "RET1"), Refused)


def test_topics_are_subscribed_to_with_one_url() -> None:
    asked = returns_prime.subscribe(settings(), "https://rms.example/rp/k", [Topic.CREATED, Topic.RECEIVED])

    assert (asked.method, asked.url) == ("POST", "https://admin.returnprime.com/v2/webhook/")
    assert sent(asked) == {"url": "https://rms.example/rp/k", "topics": ["request/created", "request/received"]}


# ── answers ─────────────────────────────────────────────────────────────────────────


def test_a_return_is_read_as_the_api_says_it() -> None:
    request = the_return()

    assert (request.number, request.is_exchange, request.stage) == ("RET70031", False, Stage.APPROVED)
    assert (request.order_id, request.order_name) == ("6110044710000", "#KL4471")
    assert request.created_at == datetime(2026, 2, 10, 4, 10, 11, 250_000, tzinfo=UTC)
    assert request.received is request.inspected is request.rejected is None
    assert [(line.sku, line.quantity, line.price) for line in request.lines] == [
        ("KL-KURTA-TEAL-M", 1, Decimal("1890.50")),
        ("KL-STOLE-RUST", 2, Decimal(640)),
    ]


def test_an_exchange_says_what_is_wanted_and_names_the_replacement_order() -> None:
    request = the_exchange()

    assert request.is_exchange
    assert request.stage is Stage.INSPECTED
    assert request.exchange_order_id == "6120044710031"
    assert [line.exchange_sku for line in request.lines] == ["KL-KURTA-TEAL-L", "KL-STOLE-PLUM", None]
    assert [line.awb for line in request.lines] == ["5277100004420", "5277100004421", None]
    assert request.inspected is not None
    assert request.inspected.comment == "Looks worn"


def test_a_page_is_read_with_what_could_not_be_read_counted() -> None:
    page = returns_prime.read_page(FILES.answer("list.response.json"))
    last = returns_prime.read_page(FILES.answer("list.last.response.json"))

    assert isinstance(page, Page)
    assert ([each.id for each in page.requests], page.unreadable, page.is_last) == ([RETURN, EXCHANGE], 1, False)
    assert last == Page((), 0, is_last=True)


@pytest.mark.parametrize(
    ("file", "status", "meaning"),
    [
        ("failed_200.response.json", 200, Refused(Blame.DATA, "REQUEST_NOT_LOADED", "Request could not be loaded")),
        ("failed_200.response.json", 422, Refused(Blame.DATA, "REQUEST_NOT_LOADED", "Request could not be loaded")),
        ("wrong_token_401.response.json", 401, Refused(Blame.CONFIGURATION, "UNAUTHORIZED", "Invalid token")),
        ("wrong_token_401.response.json", 403, Refused(Blame.CONFIGURATION, "UNAUTHORIZED", "Invalid token")),
        ("not_found_404.response.json", 404, Absent()),
        ("failed_200.response.json", 429, Busy(0.4)),
    ],
)
def test_a_failure_is_a_status_or_a_false_one(file: str, status: int, meaning: object) -> None:
    assert returns_prime.read_request(FILES.answer(file, status), RETURN) == meaning
    assert returns_prime.read_page(FILES.answer(file, status)) == meaning


def test_an_answer_that_is_none_proves_nothing() -> None:
    useless: list[HttpAnswer | NoAnswer] = [
        NoAnswer("timed out", sent=True, elapsed_ms=10_000),
        answered(b""),
        answered(b"<html></html>"),
        answered([]),
        answered({}),
        answered({"status": True, "data": {}}),
        answered({"status": True, "data": {"request": {"id": RETURN}}}),
        answered({"status": "true", "data": {}}),
        *(answered({"status": False}, status) for status in (500, 502, 503, 302, 408, 409)),
        FILES.answer("request.exchange.response.json"),
    ]

    assert [type(returns_prime.read_request(answer, RETURN)) for answer in useless] == [Unknown] * len(useless)


def test_an_account_number_is_read_nowhere_and_cut_from_the_copy_that_is_kept() -> None:
    body = FILES.json("request.return.response.json")
    kept = returns_prime.without_bank(body)

    assert "000011112222" not in repr(the_return())
    assert "000011112222" not in json.dumps(kept)
    assert kept["data"]["request"]["customer"]["name"] == "Revathi Menon"
    assert "bank" in body["data"]["request"]["customer"]


# ── statuses ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", STAGES)
def test_a_request_status_is_known_in_any_case(status: str) -> None:
    assert returns_prime.stage_of(f" {status.title()} ") is STAGES[status]


@pytest.mark.parametrize("words", SHIPMENTS)
def test_a_parcels_status_is_known_in_any_case_and_spelling(words: str) -> None:
    assert returns_prime.shipment_status(words.upper().replace(" ", "_")) is SHIPMENTS[words]


def test_a_status_that_no_table_has_is_kept_as_it_came() -> None:
    line = the_exchange().lines[1]

    assert returns_prime.stage_of("escalated") is Stage.OTHER
    assert (returns_prime.shipment_status(line.shipment_status), line.shipment_status) == (
        To.OTHER,
        "Rider could not be assigned",
    )


# ── return orders ───────────────────────────────────────────────────────────────────


def test_a_request_with_one_parcel_is_one_return_of_single_units() -> None:
    made = returns_prime.return_orders(settings(), the_return(), {})

    (order,) = made.orders
    assert made.waiting == ()
    assert (order.code, order.forward_order_code, order.location_code) == ("RET70031", "6110044710000", "HOSUR-1")
    assert (order.awb, order.courier, order.booked_by_channel) == ("5277100004418", "Delhivery Surface", True)
    assert [(item.item_code, item.sku, item.price) for item in order.items] == [
        ("15500000000101_1", "KL-KURTA-TEAL-M", Decimal("1890.50")),
        ("15500000000102_1", "KL-STOLE-RUST", Decimal(640)),
        ("15500000000102_2", "KL-STOLE-RUST", Decimal(640)),
    ]
    assert (order.order_type, order.currency, order.reason) == ("CUSTOMER_RETURN", "INR", "Size too large")
    assert order.parcel == Parcel(Decimal(1), Decimal(1), Decimal(1), Decimal(200))
    assert order.placed_at == datetime(2026, 2, 10, 4, 10, 11, 250_000, tzinfo=UTC)
    assert order.pickup == Address(
        "Revathi Menon",
        "14 Lake View Road",
        "Second floor",
        None,
        "Kochi",
        "Kerala",
        "682036",
        "India",
        "revathi@mail.example",
        "+919000004471",
    )
    assert order.drop is None


def test_each_parcel_is_a_return_and_a_line_without_one_waits() -> None:
    made = returns_prime.return_orders(settings(courier="Shiprocket"), the_exchange(), {})

    assert [(order.code, order.awb, order.courier) for order in made.orders] == [
        ("EXC70040", "5277100004420", "Delhivery Surface"),
        ("EXC70040-2", "5277100004421", "Shiprocket"),
    ]
    assert made.waiting == ("15500000000103",)


def test_items_that_are_exchanged_say_what_stands_for_them_in_the_replacement_order() -> None:
    request = the_exchange()
    two = replace(request, lines=(request.lines[0], replace(request.lines[1], quantity=2), request.lines[2]))

    assert returns_prime.wanted_skus(the_return()) == {}
    assert returns_prime.wanted_skus(two) == {
        "15500000000101_1": "KL-KURTA-TEAL-L",
        "15500000000102_1": "KL-STOLE-PLUM",
        "15500000000102_2": "KL-STOLE-PLUM",
    }


def test_an_awb_that_comes_late_moves_no_number() -> None:
    whole = the_exchange()
    early = replace(whole, lines=(replace(whole.lines[0], awb=None), *whole.lines[1:]))
    first = returns_prime.return_orders(settings(), early, {})
    known = {order.awb: order.code for order in first.orders if order.awb}

    assert known == {"5277100004421": "EXC70040"}
    later = returns_prime.return_orders(settings(), whole, known)
    assert {order.awb: order.code for order in later.orders} == {**known, "5277100004420": "EXC70040-2"}


def test_a_rejected_request_makes_no_new_return_and_keeps_the_old_one() -> None:
    rejected = replace(the_exchange(), stage=Stage.REJECTED)

    assert returns_prime.return_orders(settings(), rejected, {}).orders == ()
    (kept,) = returns_prime.return_orders(settings(), rejected, {"5277100004421": "EXC70040-2"}).orders
    assert kept.code == "EXC70040-2"


def test_the_forward_order_may_be_called_by_its_name_and_the_warehouse_have_an_address() -> None:
    names = ("name", "line1", "city", "state", "zip", "country", "email", "phone")
    drop = {f"drop_{name}": name.title() for name in names}
    (order,) = returns_prime.return_orders(settings(forward_order_code="name", **drop), the_return(), {}).orders

    assert order.forward_order_code == "#KL4471"
    assert order.drop is not None
    assert (order.drop.name, order.drop.zip, order.drop.line2) == ("Name", "Zip", None)


# ── write-back ──────────────────────────────────────────────────────────────────────


def calls(*verdicts: Verdict, **options: str) -> dict[Write, HttpRequest]:
    return dict(returns_prime.write_back(settings(**options), RETURN, verdicts, PROCESSED_AT))


def test_nothing_is_written_back_unless_configured() -> None:
    assert calls(FAILED) == {}
    assert calls(write_back="both") == {}


def test_what_is_written_back_is_as_configured() -> None:
    both = calls(FAILED, PASSED, write_back="both")
    rejecting = calls(FAILED, write_back="status", rejects_failed="yes")

    assert list(both) == [Write.RECEIVED, Write.INSPECTED]
    assert list(calls(FAILED, write_back="inspection")) == [Write.INSPECTED]
    assert list(rejecting) == [Write.RECEIVED, Write.REJECTED]
    assert list(calls(FAILED, PASSED, write_back="status", rejects_failed="yes")) == [Write.RECEIVED]
    url = f"https://admin.returnprime.com/return-exchange/v2/{RETURN}"
    assert (both[Write.RECEIVED].method, both[Write.RECEIVED].url) == ("PUT", f"{url}/status")
    assert both[Write.INSPECTED].url == f"{url}/inspection"
    assert rejecting[Write.REJECTED].url == f"{url}/status"
    for write, request in (*both.items(), (Write.REJECTED, rejecting[Write.REJECTED])):
        assert sent(request) == FILES.json(f"write_back.{write.lower()}.request.json")


def test_a_passed_return_is_in_the_condition_that_the_connection_names() -> None:
    written = sent(calls(PASSED, write_back="status", pass_condition="good")[Write.RECEIVED])

    assert (written["condition"], written["notes"]) == ("good", "QC passed")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (FILES.answer("written.response.json"), Written()),
        (FILES.answer("not_found_404.response.json", 404), NotOffered(404)),
        (FILES.answer("not_found_404.response.json", 405), NotOffered(405)),
        (
            FILES.answer("wrong_token_401.response.json", 401),
            Refused(Blame.CONFIGURATION, "UNAUTHORIZED", "Invalid token"),
        ),
        (
            FILES.answer("failed_200.response.json"),
            Refused(Blame.DATA, "REQUEST_NOT_LOADED", "Request could not be loaded"),
        ),
        (answered({}, 429), Busy(0.4)),
    ],
)
def test_a_write_back_was_taken_or_says_who_can_help(answer: HttpAnswer, meaning: object) -> None:
    assert returns_prime.read_written(answer) == meaning


def test_a_write_back_without_an_answer_proves_nothing() -> None:
    assert isinstance(returns_prime.read_written(NoAnswer("timed out", sent=True, elapsed_ms=1)), Unknown)
    assert isinstance(returns_prime.read_written(answered({}, 500)), Unknown)


def test_what_was_told_already_shows_in_the_request() -> None:
    before, after = the_return(), the_exchange()

    assert [write for write in Write if returns_prime.told_already(write, before)] == []
    assert [write for write in Write if returns_prime.told_already(write, after)] == [Write.RECEIVED, Write.INSPECTED]
    assert returns_prime.told_already(Write.REJECTED, replace(before, stage=Stage.REJECTED))
    assert returns_prime.told_already(Write.RECEIVED, replace(before, stage=Stage.REFUNDED))


# ── connections ─────────────────────────────────────────────────────────────────────


def test_a_connection_that_is_well_has_no_problems() -> None:
    assert returns_prime.check_connection(OPTIONS, SECRETS) == []


@pytest.mark.parametrize(
    ("options", "secrets", "named"),
    [
        ({"location_code": " "}, {}, "options.location_code"),
        ({"forward_order_code": "number"}, {}, "options.forward_order_code"),
        ({"write_back": "on"}, {}, "options.write_back"),
        ({"rejects_failed": "yes"}, {}, "options.rejects_failed"),
        ({"drop_line2": "x"}, {}, "options.drop_name"),
        ({"base_url": "http://rp.example"}, {}, "options.base_url"),
        ({}, {"token": "with space"}, "secrets.token"),
        ({}, {"token": ""}, "secrets.token"),
    ],
)
def test_what_is_wrong_with_a_connection_is_named_without_a_secret(
    options: Mapping[str, str], secrets: Mapping[str, str], named: str
) -> None:
    problems = returns_prime.check_connection({**OPTIONS, **options}, {**SECRETS, **secrets})

    assert problems[0].startswith(f"{named}: ")
    assert "with space" not in " ".join(problems)
    assert "rp-token" not in repr(settings())


# ── the simulated one ───────────────────────────────────────────────────────────────


def test_the_simulated_one_answers_in_the_same_shapes() -> None:
    engine = ReturnsPrimeEngine(SandboxSettings())

    def ask(method: str, path: str, body: object = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        reply: Any = engine.handle(method, f"/return-exchange/v2{path}", {}, {"x-rp-token": "sandbox-rp-token"}, raw)
        return json.loads(reply.body)

    placed = engine.place({"request_type": "exchange", "lines": [{"sku": "A", "awb": "1", "exchange_sku": "B"}]})
    shown = ask("GET", f"/{placed['id']}")
    request = returns_prime.read_request(answered(shown), placed["id"])

    assert isinstance(request, Request)
    assert (request.lines[0].exchange_sku, request.lines[0].awb) == ("B", "1")
    read_by_us = {
        *("id", "request_number", "request_type", "status", "created_at", "order", "customer", "line_items"),
        *("received", "inspected", "rejected"),
    }
    example = FILES.json("request.return.response.json")["data"]["request"]
    lacking = missing({name: example[name] for name in read_by_us}, shown["data"]["request"])
    assert [name for name in lacking if name.count(".") == 1] == []
    assert missing(FILES.json("list.last.response.json"), ask("GET", "")) == []
    assert missing(FILES.json("not_found_404.response.json"), ask("GET", "/nobody")) == []
    assert (
        missing(FILES.json("written.response.json"), ask("PUT", f"/{placed['id']}/status", {"status": "received"}))
        == []
    )


def test_every_example_is_used() -> None:
    text = Path(__file__).read_text()
    written = {f"write_back.{write.lower()}.request.json" for write in Write}

    assert {name for name in FILES.names() - written if name not in text} == set()


# ── what is left of a write-back ────────────────────────────────────────────────────


def _calls(*verdicts: Verdict, **options: str) -> dict[Write, HttpRequest]:
    wanted = {"write_back": "both", "rejects_failed": "yes", **options}
    return dict(returns_prime.write_back(settings(**wanted), RETURN, verdicts, PROCESSED_AT))


def _at(stage: Stage, **marks: Any) -> Request:
    return replace(the_return(), stage=stage, **marks)


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        (Stage.PENDING, {Write.RECEIVED, Write.INSPECTED, Write.REJECTED}),
        (Stage.APPROVED, {Write.RECEIVED, Write.INSPECTED, Write.REJECTED}),
        (Stage.OTHER, {Write.RECEIVED, Write.INSPECTED, Write.REJECTED}),
        (Stage.RECEIVED, {Write.INSPECTED, Write.REJECTED}),
        (Stage.INSPECTED, {Write.REJECTED}),
        (Stage.REFUNDED, {Write.REJECTED}),
        (Stage.REJECTED, set()),
        (Stage.ARCHIVED, set()),
    ],
)
def test_what_a_request_shows_as_done_is_not_told(stage: Stage, left: set[Write]) -> None:
    calls = _calls(FAILED)

    assert {
        write for write, call in calls.items() if returns_prime.standing(write, call, _at(stage), None) is TO_TELL
    } == left


def test_what_we_have_told_is_told_whatever_the_request_shows() -> None:
    for write, call in _calls(FAILED).items():
        digest = returns_prime.body_digest(call)
        assert returns_prime.standing(write, call, _at(Stage.APPROVED), digest) is returns_prime.Standing.TOLD


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        (Stage.INSPECTED, returns_prime.Standing.TO_TELL),
        (Stage.RECEIVED, returns_prime.Standing.TO_TELL),
        (Stage.REFUNDED, returns_prime.Standing.TOO_LATE),
        (Stage.REJECTED, returns_prime.Standing.TOO_LATE),
        (Stage.ARCHIVED, returns_prime.Standing.TOO_LATE),
    ],
)
def test_only_an_inspection_is_corrected_until_the_request_has_come_to_its_end(
    stage: Stage, left: returns_prime.Standing
) -> None:
    for write, call in _calls(FAILED).items():
        expected = left if write is Write.INSPECTED else returns_prime.Standing.TOLD
        assert returns_prime.standing(write, call, _at(stage), "of-another-body") is expected


def test_a_correction_that_the_request_shows_is_told() -> None:
    call = _calls(FAILED)[Write.INSPECTED]
    shown = _at(Stage.REFUNDED, inspected=Mark(None, sent(call)["notes"]))

    assert returns_prime.standing(Write.INSPECTED, call, shown, "of-another-body") is returns_prime.Standing.TOLD


def test_the_same_result_later_is_the_same_and_another_is_not() -> None:
    later = dict(returns_prime.write_back(settings(write_back="both"), RETURN, [FAILED], datetime.now(UTC)))
    first, other = _calls(FAILED), _calls(PASSED)

    for write, call in later.items():
        assert returns_prime.body_digest(call) == returns_prime.body_digest(first[write])
        assert returns_prime.body_digest(call) != returns_prime.body_digest(other[write])


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_says_what_becomes_of_its_returns(stage: Stage) -> None:
    course = returns_prime.COURSES[stage]

    assert course.cancels is not course.makes
    assert course.cancels is (stage in {Stage.REJECTED, Stage.ARCHIVED})


@pytest.mark.parametrize("stage", [Stage.REJECTED, Stage.ARCHIVED])
def test_a_request_at_its_end_makes_no_new_return_and_keeps_those_it_has(stage: Stage) -> None:
    awb = the_return().lines[0].awb
    assert awb is not None

    assert returns_prime.return_orders(settings(), _at(stage), {}).orders == ()
    assert [each.code for each in returns_prime.return_orders(settings(), _at(stage), {awb: "R-1"}).orders] == ["R-1"]


def test_a_code_that_is_taken_is_passed_over() -> None:
    made = returns_prime.return_orders(settings(), the_return(), {}, {"RET70031", "RET70031-2"})

    assert [order.code for order in made.orders] == ["RET70031-3"]


def test_the_account_of_a_connection_stands_in_its_returns() -> None:
    made = returns_prime.return_orders(settings(account="shiprocket"), the_return(), {})

    assert {order.account_alias for order in made.orders} == {"shiprocket"}


def test_a_request_says_when_it_came_to_where_it_stands() -> None:
    mark = the_return().mark
    assert mark is not None
    assert mark.at == datetime(2026, 2, 10, 5, 0, tzinfo=UTC)
    assert _at(Stage.PENDING).mark is None
