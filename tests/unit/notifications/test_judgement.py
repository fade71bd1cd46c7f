from datetime import UTC, datetime, timedelta

import pytest

from rms.notifications.judgement import Blame, Delivered, Gone, RetryLater, Unauthorized, judge
from rms.platform.http import HttpAnswer, NoAnswer

NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def an_answer(status: int, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", 12)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert judge(an_answer(status), NOW) == Delivered(status)


def test_a_2xx_with_any_body_is_delivered() -> None:
    assert judge(HttpAnswer(200, {}, b"\xff not json", 12), NOW) == Delivered(200)


def test_a_2xx_with_a_flood_of_a_body_is_a_failure() -> None:
    judged = judge(HttpAnswer(200, {}, b"x" * 65536, 12, truncated=True), NOW)

    assert judged == RetryLater("answered 200 with a body that is too long")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure(status: int) -> None:
    judged = judge(an_answer(status, location="https://elsewhere.acme-store.com/"), NOW)

    assert judged == RetryLater(f"answered {status}: redirects are not followed, register the new URL")


def test_410_is_gone() -> None:
    assert judge(an_answer(410, retry_after="60"), NOW) == Gone()


def test_401_asks_for_new_credentials() -> None:
    assert judge(an_answer(401), NOW) == Unauthorized()


def test_401_after_new_credentials_is_a_failure_like_any_other() -> None:
    assert Unauthorized().failure == RetryLater("answered 401: the credentials are not accepted")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_may_say_when_to_come_back(status: int) -> None:
    judged = judge(an_answer(status, retry_after="90"), NOW)

    assert isinstance(judged, RetryLater)
    assert judged.not_before == NOW + timedelta(seconds=90)
    assert judged.blame is Blame.ENDPOINT


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_need_not_say_when_to_come_back(status: int) -> None:
    judged = judge(an_answer(status), NOW)

    assert isinstance(judged, RetryLater)
    assert judged.not_before is None


@pytest.mark.parametrize("status", [302, 400, 404, 500, 502])
def test_nobody_else_may(status: int) -> None:
    judged = judge(an_answer(status, retry_after="90"), NOW)

    assert isinstance(judged, RetryLater)
    assert judged.not_before is None


@pytest.mark.parametrize("status", [400, 406, 409, 411, 412, 413, 415, 417, 418, 422, 451])
def test_a_refusal_of_the_body_is_tried_again_and_not_held_against_the_endpoint(status: int) -> None:
    judged = judge(an_answer(status), NOW)

    assert isinstance(judged, RetryLater)
    assert judged.blame is Blame.MESSAGE


@pytest.mark.parametrize(
    "status", [100, 101, 402, 403, 404, 405, 407, 408, 421, 425, 426, 429, 500, 501, 502, 503, 504, 520, 599, 600, 999]
)
def test_all_else_is_tried_again_and_held_against_the_endpoint(status: int) -> None:
    judged = judge(an_answer(status), NOW)

    assert isinstance(judged, RetryLater)
    assert judged.blame is Blame.ENDPOINT
    assert str(status) in judged.reason


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("timed out after 10.0 s", True),
        ("connection closed before an answer", True),
        ("certificate has expired", False),
        ("TLS failed", False),
        ("name does not resolve", False),
        ("address refused: the host leads to an address that is not public", False),
    ],
)
def test_no_answer_is_tried_again_whether_it_was_sent_or_not(reason: str, sent: bool) -> None:  # noqa: FBT001 - a column above
    assert judge(NoAnswer(reason, sent, 10_000), NOW) == RetryLater(reason, None, Blame.ENDPOINT)


def test_every_status_is_judged() -> None:
    assert all(judge(an_answer(status), NOW) for status in range(100, 1000))
