from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.notifications.schedule import DELAYS, next_try, next_try_at, retry_after

NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
MIDDLE = 0.5
"""The random number that changes nothing."""


@pytest.mark.parametrize(
    ("attempts_made", "seconds"),
    [
        (1, 5),
        (2, 30),
        (3, 120),
        (4, 600),
        (5, 1800),
        (6, 7200),
        (7, 18_000),
        (8, 36_000),
        (9, 50_400),
        (10, 72_000),
        (11, 86_400),
    ],
)
def test_the_schedule_is_the_published_one(attempts_made: int, seconds: float) -> None:
    assert next_try(attempts_made, MIDDLE) == seconds


@pytest.mark.parametrize("attempts_made", [12, 13, 1000])
def test_after_the_last_try_there_is_none(attempts_made: int) -> None:
    assert next_try(attempts_made, MIDDLE) is None
    assert next_try_at(NOW, attempts_made, MIDDLE, NOW + timedelta(hours=1)) is None


def test_what_was_never_tried_is_due_now() -> None:
    assert next_try(0, MIDDLE) == 0


def test_the_whole_schedule_lasts_about_75_hours() -> None:
    assert 75 * 3600 < sum(DELAYS) < 76 * 3600


@given(attempts_made=st.integers(1, 11), jitter=st.floats(0, 1))
def test_jitter_moves_a_try_by_at_most_a_tenth(attempts_made: int, jitter: float) -> None:
    delay = DELAYS[attempts_made - 1]
    seconds = next_try(attempts_made, jitter)

    assert seconds is not None
    assert abs(seconds - delay) <= delay * 0.1 + 1e-9


def test_the_receivers_wish_counts_when_it_is_later() -> None:
    wish = NOW + timedelta(minutes=3)

    assert next_try_at(NOW, 1, MIDDLE, wish) == wish


def test_the_schedule_counts_when_the_receivers_wish_is_earlier() -> None:
    wish = NOW + timedelta(seconds=10)

    assert next_try_at(NOW, 2, MIDDLE, wish) == NOW + timedelta(seconds=30)
    assert next_try_at(NOW, 2, MIDDLE, None) == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1),
        ("120", 120),
        (" 60 ", 60),
        ("86400", 86_400),
        ("86401", 86_400),
        ("99999999", 86_400),
        ("9" * 5000, 86_400),
        ("Wed, 04 Mar 2026 12:05:00 GMT", 300),
        ("Wednesday, 04-Mar-26 12:05:00 GMT", 300),
        ("Wed Mar  4 12:05:00 2026", 300),
        ("Fri, 06 Mar 2026 12:05:00 GMT", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date_at_most_a_day_away(value: str, seconds: int) -> None:
    assert retry_after({"retry-after": value}, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "-5",
        "1.5",
        "soon",
        "\u0663",
        "\u00b2",
        "1e3",
        "Wed, 04 Mar 2026 11:59:59 GMT",
        "Wed, 04 Mar 2026",
        "Wed, 99 Mar 2026 12:05:00 GMT",
    ],
    ids=ascii,
)
def test_a_retry_after_that_says_nothing_useful_is_left_aside(value: str) -> None:
    assert retry_after({"retry-after": value}, NOW) is None


def test_no_retry_after_is_no_wish() -> None:
    assert retry_after({}, NOW) is None


@given(st.text(max_size=60))
def test_any_retry_after_is_read_without_a_fault(value: str) -> None:
    wish = retry_after({"retry-after": value}, NOW)

    assert wish is None or NOW < wish <= NOW + timedelta(hours=24)
