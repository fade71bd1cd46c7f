"""What an environment remembers: for a short while, a bounded number of things, safely under threads."""

from concurrent.futures import ThreadPoolExecutor

from rms.core import REMEMBERED, Memory
from tests.fakes.clock import FakeClock


def test_what_is_kept_is_recalled_for_a_short_while() -> None:
    memory = Memory(clock := FakeClock())
    memory.keep("name", "value")

    clock.advance_to(clock() + REMEMBERED / 2)
    assert memory.recall("name") == "value"
    clock.advance_to(clock() + REMEMBERED / 2)
    assert memory.recall("name") is None


def test_what_is_forgotten_is_read_anew() -> None:
    memory = Memory(FakeClock())
    memory.keep("name", "value")

    memory.forget("name")
    memory.forget("name")

    assert memory.recall("name") is None


def test_the_oldest_goes_first() -> None:
    memory = Memory(FakeClock())
    for number in range(1001):
        memory.keep(str(number), number)

    assert (memory.recall("0"), memory.recall("1"), memory.recall("1000")) == (None, 1, 1000)


def test_threads_share_it() -> None:
    memory = Memory(FakeClock())

    def use(thread: int) -> None:
        for number in range(2000):
            memory.keep(f"{thread}:{number}", number)
            memory.forget(f"{thread}:{number - 5}")
            assert memory.recall(f"{thread}:{number}") in {number, None}

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(use, range(20)))

    assert 0 < len(memory._kept) <= 1000
