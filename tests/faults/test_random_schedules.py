"""20,000 seeded schedules of several faults; `python -m tests.faults.schedules --seed N` tells one again."""

import pytest

from tests.faults.schedules import BOOKS, CHUNK, CI_SCHEDULES, PLAYED, Schedule, broken


@pytest.mark.parametrize("first", range(0, CI_SCHEDULES, CHUNK))
def test_no_schedule_of_several_faults_breaks_a_promise(first: int) -> None:
    assert [what for seed in range(first, first + CHUNK) for what in broken(seed)] == []


@pytest.mark.parametrize("books", PLAYED)
def test_a_seed_tells_the_same_story_every_time(books: str) -> None:
    stories = []
    for _ in range(2):
        schedule = Schedule(4_800 + BOOKS.index(books))
        schedule.play()
        calls = [(call.port, call.operation) for call in schedule.run.calls.made]
        stories.append((schedule.books, schedule.log, calls))

    assert stories[0] == stories[1]
    assert stories[0][0] == books
