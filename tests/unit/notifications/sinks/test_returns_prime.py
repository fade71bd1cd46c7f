import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from rms.notifications.judgement import Blame, Delivered, Gone, Judgement, RetryLater, Unauthorized
from rms.notifications.sinks import returns_prime
from rms.notifications.sinks.processed import ProcessedItem, QcStatus
from rms.notifications.sinks.returns_prime import Step, WriteBack
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.unit.notifications.sinks.examples import FOUND, NOW, SECRET, TORN, WHOLE, a_target, an_id, event


def a_write_back(**changes: Any) -> WriteBack:
    known = WriteBack(
        an_id("returns-prime"), Step.INSPECTED, "6613f0aa", FOUND, datetime(2026, 3, 9, 10, 41, tzinfo=UTC)
    )
    return replace(known, **changes)


def call(write_back: WriteBack, now: datetime = NOW) -> HttpRequest:
    target = a_target(url="https://rp.kaveri-looms.example/", headers={"x-rp-token": "invented"})
    return returns_prime.build(target, write_back, now)


@pytest.mark.parametrize(("step", "path"), [(Step.RECEIVED, "status"), (Step.INSPECTED, "inspection")])
def test_a_step_is_a_put_of_its_own(step: Step, path: str) -> None:
    now = datetime.now(UTC)  # the library that verifies looks at the real clock

    request = call(a_write_back(step=step), now)

    assert (request.method, request.url) == (
        "PUT",
        f"https://rp.kaveri-looms.example/return-exchange/v2/6613f0aa/{path}",
    )
    assert request.headers["x-rp-token"] == "invented"
    assert not request.trusted
    assert json.loads(request.body or b"") == json.loads(event(f"returns_prime/{path}.request.json"))
    assert Webhook(SECRET).verify(request.body or b"", dict(request.headers))


def test_an_id_cannot_lead_to_another_path() -> None:
    assert call(a_write_back(request_id="../a?b")).url.endswith("/v2/..%2Fa%3Fb/inspection")


def test_a_return_passes_when_every_unit_does() -> None:
    assert json.loads(call(a_write_back(items=(WHOLE,))).body or b"") == {
        "condition": "PASS",
        "notes": "KL-4471-2 PASS",
        "inspected_at": "2026-03-09T10:41:00.000Z",
    }


def test_five_hundred_units_are_noted_as_far_as_they_fit() -> None:
    units = tuple(ProcessedItem(f"KL-{number:04d}", "S-1", QcStatus.PASS) for number in range(500))

    notes = json.loads(call(a_write_back(items=units)).body or b"")["notes"]

    assert notes.endswith("; and 358 more")
    assert notes.count(" PASS") == 142
    assert len(notes) < 2020


@pytest.mark.parametrize(
    ("problem", "change"),
    [
        ("id: may not be null", {"request_id": None}),
        ("items: may not be empty", {"items": ()}),
        ("items[1].qcStatus: may not be null", {"items": (TORN, replace(WHOLE, qc_status=None))}),
    ],
)
def test_it_waits_for_what_is_mandatory(problem: str, change: dict[str, Any]) -> None:
    assert returns_prime.problems(a_write_back(**change)) == [problem]
    with pytest.raises(ValueError, match="may not be"):
        call(a_write_back(**change))


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (HttpAnswer(200, {}, b'{"status":true}', 9), Delivered(200)),
        (
            HttpAnswer(200, {}, b'{"status":false,"message":"Archived"}', 9),
            RetryLater("answered 200 with status: false", blame=Blame.MESSAGE, words="Archived"),
        ),
        (HttpAnswer(401, {}, b"", 9), Unauthorized()),
        (HttpAnswer(404, {}, b"", 9), Gone("answered 404: Returns Prime does not offer this call")),
        (HttpAnswer(405, {}, b"", 9), Gone("answered 405: Returns Prime does not offer this call")),
        (HttpAnswer(500, {}, b"", 9), RetryLater("answered 500: fault at the receiver")),
        (NoAnswer("connection refused", sent=False, elapsed_ms=1), RetryLater("connection refused")),
    ],
)
def test_an_answer_is_judged(answer: HttpAnswer | NoAnswer, judged: Judgement) -> None:
    assert returns_prime.judge(answer, NOW) == judged
