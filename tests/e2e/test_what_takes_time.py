"""Stories that began with the run: RMS recovers by itself, with nothing but its schedule."""

from typing import Any

import pytest

from tests.e2e.installation import Installation, eventually, soon
from tests.e2e.slow_stories import BOOKINGS, FAILING, SlowStories, is_refused

pytestmark = pytest.mark.e2e

SETTLED_SECONDS = 240


def test_revoked_credentials_stop_working_within_the_minute_that_api_gateway_remembers(
    slow_stories: SlowStories,
) -> None:
    assert slow_stories.revoked.answered_before == 200
    soon(lambda: is_refused(slow_stories.deaf, slow_stories.revoked), seconds=75)


@pytest.mark.parametrize("code", BOOKINGS)
def test_a_booking_that_clickpost_never_answers_ends_as_one_parcel(
    code: str, slow_stories: SlowStories, installation: Installation
) -> None:
    shop = slow_stories.patient

    def asked_again() -> tuple[int, Any]:
        answer = shop.call("POST", "/return/create", slow_stories.bodies[code])
        return answer.status_code, answer.json().get("returnAwb") if answer.status_code == 200 else None

    first = slow_stories.first_answers[code]
    assert (first.status_code, first.json()) == (202, {"orderNumber": code, "awbStatus": "PENDING"})

    eventually(installation.sweeping(lambda: asked_again()[0]), 200, seconds=SETTLED_SECONDS)

    [told] = shop.told(code)
    assert told == "AWB_GENERATED"
    eventually(lambda: shop.heard(code), ["AWB_GENERATED"])
    assert shop.parcels(code) == 1
    assert asked_again() == (200, shop.get(code).json()["returnAwb"])


def test_an_endpoint_that_failed_three_times_hears_everything_in_order_once_it_is_back(
    slow_stories: SlowStories, installation: Installation
) -> None:
    shop = slow_stories.deaf
    eventually(installation.sweeping(lambda: shop.heard(FAILING)), ["AWB_GENERATED"], seconds=SETTLED_SECONDS)

    tries = shop.deliveries(FAILING)
    assert [each["answered"] for each in tries] == [500, 500, 500, 200]
    assert len({each["webhook_id"] for each in tries}) == 1
    eventually(lambda: shop.cursor(FAILING)["failedTries"], 0)
    assert shop.violations() == []


def test_the_sweeper_runs_by_its_schedule_too(slow_stories: SlowStories) -> None:
    # Our own calls of it carry no event id; the schedule's do.
    lines = [line for line in slow_stories.rms.stack.logs() if line.startswith("sweep_due_work:")]
    assert any('"message":"sweep"' in line and '"correlation_id":"' in line for line in lines)
