"""What the row of an exchange becomes after a walk."""

from datetime import timedelta

import pytest

from rms.exchanges import After, Ended, ExchangeState, Finished, Held, Working, after
from rms.exchanges.booking import PATIENCE, SETTLE
from rms.partners.results import Blame, Busy, Unknown


def test_a_finished_walk_is_done_with() -> None:
    assert after(Finished(), 1) == After(ExchangeState.DONE)


@pytest.mark.parametrize("blame", Blame)
def test_a_walk_that_is_held_waits_for_a_person_or_an_operator(blame: Blame) -> None:
    done = after(Held("the scope is missing", blame), 1)

    assert done == After(ExchangeState.HELD, None, "the scope is missing", blame is Blame.CONFIGURATION)


@pytest.mark.parametrize("ended", [Unknown("timed out"), Working("not shown yet")])
def test_an_uncertain_walk_is_followed_by_another_once_no_call_can_land_any_more(ended: Ended) -> None:
    pauses = [after(ended, walk).pause for walk in range(1, len(PATIENCE) + 1)]

    assert pauses == list(PATIENCE)
    assert all(pause is not None and pause >= SETTLE for pause in pauses)


@pytest.mark.parametrize("ended", [Unknown("timed out"), Working("not shown yet")])
def test_patience_ends_with_a_person(ended: Ended) -> None:
    assert after(ended, len(PATIENCE) + 1).state is ExchangeState.HELD


@pytest.mark.parametrize("walks", [1, 6, 60])
def test_who_is_asked_to_come_back_comes_back_then_and_loses_no_patience(walks: int) -> None:
    done = after(Busy(3.0), walks)

    assert (done.state, done.pause, done.counts) == (ExchangeState.UNKNOWN, timedelta(seconds=3), False)
