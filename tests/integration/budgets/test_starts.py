"""How long functions take to start, against the floor of the same minute on the same machine."""

from bench import imports
from bench.budgets import START_LIMIT, START_LIMITS

PATIENCE = 6


def test_no_function_takes_much_longer_to_start_than_any_must() -> None:
    names = imports.functions()
    starts = imports.measure(names, rounds=1, only_init=True)
    for _ in range(PATIENCE):
        late = _late(starts)
        if not late:
            break
        # Their best of more tries: other work on the machine can only make a start slower, never faster.
        starts = starts.and_then(imports.measure(sorted(late), rounds=3, only_init=True))

    assert _late(starts) == {}


def test_every_limit_is_that_of_a_function() -> None:
    assert START_LIMITS.keys() <= set(imports.functions())


def _late(starts: imports.Starts) -> dict[str, float]:
    ratios = {name: start.least / starts.floor.least for name, start in starts.init.items()}
    return {name: ratio for name, ratio in ratios.items() if ratio > START_LIMITS.get(name, START_LIMIT)}
