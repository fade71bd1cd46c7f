"""20,000 seeded schedules of several faults; `python -m tests.faults.schedules --seed N` tells one again."""

import pytest

from tests.faults.schedules import CHUNK, CI_SCHEDULES, Schedule, broken


@pytest.mark.parametrize("first", range(0, CI_SCHEDULES, CHUNK))
def test_no_schedule_of_several_faults_breaks_a_promise(first: int) -> None:
    assert [what for seed in range(first, first + CHUNK) for what in broken(seed)] == []


def test_a_seed_tells_the_same_story_every_time() -> None:
    stories = []
    for _ in range(2):
        schedule = Schedule(4_711)
        schedule.play()
        calls = [(call.port, call.operation) for call in schedule.run.calls.made]
        stories.append((schedule.log, calls))

    assert stories[0] == stories[1]
