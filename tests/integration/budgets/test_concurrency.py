"""A batch of wake-ups is told in hardly more time than one, and at no higher price."""

from bench import concurrency
from bench.budgets import CALLS_PER_EVENT, LEAST_GAIN

PATIENCE = 5


def test_a_batch_for_slow_endpoints_is_told_many_times_faster_than_in_series_and_costs_no_call_more() -> None:
    telling = concurrency.measure()
    for _ in range(PATIENCE):
        if telling.gain >= LEAST_GAIN:
            break
        telling = telling.and_then(concurrency.measure(rounds=5))

    assert telling.gain >= LEAST_GAIN
    assert telling.calls_per_event == CALLS_PER_EVENT
