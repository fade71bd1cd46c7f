"""Times: one fixed width in UTC, so that the order of the text is the order of time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.platform.times import from_text, to_epoch, to_text

INDIA = timezone(timedelta(hours=5, minutes=30))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(min_value=timedelta(days=-30_000), max_value=timedelta(days=60_000)).map(EPOCH.__add__)


def test_a_time_is_stored_in_utc_with_milliseconds() -> None:
    assert to_text(datetime(2026, 1, 31, 13, 45, 30, 125_999, tzinfo=INDIA)) == "2026-01-31T08:15:30.125Z"
    assert to_text(datetime(2026, 1, 31, tzinfo=UTC)) == "2026-01-31T00:00:00.000Z"


@given(MOMENTS)
def test_a_stored_time_comes_back_to_the_millisecond(moment: datetime) -> None:
    back = from_text(to_text(moment))

    assert back.utcoffset() == timedelta(0)
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


@given(MOMENTS, MOMENTS)
def test_the_order_of_the_texts_is_the_order_of_the_times(one: datetime, other: datetime) -> None:
    texts = [to_text(each) for each in sorted([one, other])]

    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {24}


def test_notifications_carry_whole_seconds() -> None:
    assert to_epoch(datetime(2023, 3, 16, 3, 24, 4, 999_999, tzinfo=UTC)) == 1_678_937_044


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_text(text)
