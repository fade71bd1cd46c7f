from collections.abc import Collection, Sequence

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.queues import FakeQueues, Received


def _queues(**options: int) -> FakeQueues:
    return FakeQueues(FakeClock(), **options)  # type: ignore[arg-type]  # all options are whole numbers


def _works(_: Sequence[Received]) -> Collection[str]:
    return ()


def _fails(batch: Sequence[Received]) -> Collection[str]:
    return [received.message_id for received in batch]


def test_messages_come_in_an_order_that_the_seed_decides() -> None:
    def order(seed: int) -> list[object]:
        queues = _queues(seed=seed)
        queues.send("inbound", [{"n": number} for number in range(10)])
        return [received.message["n"] for received in queues.receive("inbound")]

    assert order(1) == order(1)
    assert sorted(str(number) for number in order(1)) == [str(number) for number in range(10)]
    assert len({tuple(order(seed)) for seed in range(20)}) > 1


def test_a_message_that_was_worked_is_gone() -> None:
    queues = _queues()
    queues.send("inbound", [{"n": 1}])

    assert queues.deliver("inbound", _works) == 1
    queues.clock.advance(days=1)
    assert queues.deliver("inbound", _works) == 0


def test_a_message_that_failed_comes_again_after_its_visibility_time_out() -> None:
    queues = _queues(visibility_seconds=180)
    queues.send("inbound", [{"n": 1}])
    queues.deliver("inbound", _fails)

    assert queues.deliver("inbound", _works) == 0
    queues.clock.advance(179)
    assert queues.deliver("inbound", _works) == 0
    queues.clock.advance(1)
    assert queues.deliver("inbound", _works) == 1


def test_a_crash_fails_the_whole_batch() -> None:
    queues = _queues()
    queues.send("inbound", [{"n": 1}, {"n": 2}])

    def crash(_: Sequence[Received]) -> Collection[str]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        queues.deliver("inbound", crash)

    assert len(queues.messages("inbound")) == 2


def test_a_poisoned_message_ends_whole_in_its_dead_letter_queue_and_can_be_redriven() -> None:
    queues = _queues(max_receives=5)
    queues.send("inbound", [{"poison": "☠"}])
    queues.send("inbound", [{"good": 1}])

    def work(batch: Sequence[Received]) -> Collection[str]:
        return [received.message_id for received in batch if "poison" in received.message]

    tries = 0
    while (at := queues.next_visible_at()) is not None:
        queues.clock.advance_to(at)
        tries += queues.deliver("inbound", work, batch_size=1)

    assert tries == 6
    assert [(dead.message, dead.receives) for dead in queues.dead["inbound"]] == [({"poison": "☠"}, 5)]

    assert queues.redrive("inbound") == 1
    assert queues.receive("inbound")[0].receives == 1
    assert queues.dead["inbound"] == []


def test_a_delayed_message_waits_for_its_time() -> None:
    queues = _queues()
    queues.send("bookings", [{"n": 1}], delay_seconds=45)

    assert queues.receive("bookings") == []
    queues.clock.advance(45)
    assert len(queues.receive("bookings")) == 1


def test_a_finished_message_may_come_once_more() -> None:
    queues = _queues()
    queues.send("inbound", [{"n": 1}])
    queues.duplicates = 1.0
    queues.deliver("inbound", _works)

    queues.duplicates = 0.0
    assert queues.deliver("inbound", _works) == 1
    assert queues.deliver("inbound", _works) == 0


def test_duplicates_come_on_demand() -> None:
    queues = _queues()
    queues.send("inbound", [{"n": 1}])

    queues.duplicate("inbound")

    assert [received.message for received in queues.receive("inbound")] == [{"n": 1}, {"n": 1}]


def test_a_fair_queue_lets_a_quiet_endpoint_pass_a_noisy_one() -> None:
    queues = _queues(fair=True)
    queues.send("deliveries", [{"client": "acme", "endpoint": "noisy", "n": number} for number in range(50)])
    queues.send("deliveries", [{"client": "acme", "endpoint": "quiet"}])

    first, second = queues.receive("deliveries"), queues.receive("deliveries")

    assert "acme#quiet" in [received.group for received in first]
    assert {received.group for received in second} == {"acme#noisy"}


def test_what_is_in_flight_counts_and_what_is_done_with_does_not() -> None:
    queues = _queues(fair=True)
    queues.send("deliveries", [{"client": "acme", "endpoint": "first", "n": number} for number in range(4)])
    in_flight = queues.receive("deliveries", limit=2)
    queues.send("deliveries", [{"client": "acme", "endpoint": "second", "n": number} for number in range(4)])

    assert [received.group for received in queues.receive("deliveries", limit=2)] == ["acme#second"] * 2

    for received in in_flight:
        queues.delete("deliveries", received.message_id)
    assert [received.group for received in queues.receive("deliveries", limit=2)] == ["acme#first"] * 2
