"""What the simulations stand on: threads that wait in virtual time, and a queue that hands out as Lambda and SQS do."""

from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from rms.platform.queues import Message
from tests.fakes.queues import Received
from tests.simulations.queue import BATCH, CONCURRENCY, VISIBILITY_SECONDS, DeliveryQueue
from tests.simulations.timeline import START, Timeline

WORK: Final = 10.0


@pytest.fixture
def timeline() -> Iterator[Timeline]:
    timeline = Timeline()
    yield timeline
    timeline.close()


def test_threads_take_turns_as_their_times_come(timeline: Timeline) -> None:
    seen: list[tuple[str, float]] = []

    def walk(name: str, pace: float) -> None:
        for _ in range(3):
            timeline.wait(pace)
            seen.append((name, timeline.seconds))

    timeline.at(0, lambda: walk("hare", 2))
    timeline.at(1, lambda: walk("tortoise", 3))
    timeline.run(8)

    assert seen == [("hare", 2), ("tortoise", 4), ("hare", 4), ("hare", 6), ("tortoise", 7)]
    assert (timeline.clock() - START).total_seconds() == 8


def test_what_goes_wrong_in_a_thread_goes_wrong_in_the_test(timeline: Timeline) -> None:
    def stumble() -> None:
        timeline.wait(1)
        raise LookupError("a root")

    timeline.at(0, stumble)

    with pytest.raises(LookupError, match="a root"):
        timeline.run(2)


def test_no_more_invocations_run_at_once_than_the_template_allows(timeline: Timeline) -> None:
    started: list[float] = []

    def work(_: object) -> list[str]:
        started.append(timeline.seconds)
        timeline.wait(WORK)
        return []

    queue = DeliveryQueue(timeline, work)
    queue.send("deliveries", [about(f"c{number}", number) for number in range(CONCURRENCY * BATCH + 1)])
    timeline.run(3 * WORK)

    assert queue.most_invocations == CONCURRENCY
    assert [sum(at < WORK for at in started), sum(at >= WORK for at in started)] == [CONCURRENCY * BATCH, 1]


def test_a_batch_ends_with_the_last_of_its_messages(timeline: Timeline) -> None:
    def work(received: object) -> list[str]:
        timeline.wait(WORK if "slow" in str(received) else 0.1)
        return []

    queue = DeliveryQueue(timeline, work)
    queue.send("deliveries", [about("slow", 1), about("quick", 1)])
    timeline.run(2 * WORK)

    assert queue.most_invocations == 1
    assert queue.longest == WORK


def test_whoever_has_much_in_flight_comes_after_the_others(timeline: Timeline) -> None:
    started: dict[str, float] = {}

    def work(received: Sequence[Received]) -> list[str]:
        for each in received:
            started[f"{each.message['client']}#{each.message['code']}"] = timeline.seconds
        timeline.wait(WORK)
        return []

    queue = DeliveryQueue(timeline, work)
    queue.send("deliveries", [about("loud", number) for number in range(2 * CONCURRENCY * BATCH)])
    timeline.run(1)
    queue.send("deliveries", [about("quiet", number) for number in range(5)])
    timeline.run(4 * WORK)

    # Not before a worker is free, but then before all else that waits.
    assert {round(started[f"quiet#RET-{number}"]) for number in range(5)} == {WORK}


def test_messages_that_say_the_same_are_worked_once_and_a_failed_one_comes_again(timeline: Timeline) -> None:
    worked: list[tuple[float, list[str]]] = []

    def work(received: Sequence[Received]) -> list[str]:
        ids = [each.message_id for each in received]
        worked.append((timeline.seconds, ids))
        return ids if len(worked) == 1 else []

    queue = DeliveryQueue(timeline, work)
    queue.send("deliveries", [about("lotus", 1), about("lotus", 1)])
    timeline.run(2 * VISIBILITY_SECONDS)

    assert [(round(at), sorted(ids)) for at, ids in worked] == [(0, ["m1", "m2"]), (VISIBILITY_SECONDS, ["m1", "m2"])]
    assert queue.waiting == []


def about(client: str, number: int) -> Message:
    return {"client": client, "kind": "R", "code": f"RET-{number}", "endpoint": "shop", "correlation": None}
