"""The aggregators that RMS speaks to, by name. A new one is one line in `_ADAPTERS`."""

from collections.abc import Callable, Mapping
from typing import Final

from rms.aggregators import clickpost
from rms.aggregators.contract import Aggregator

type AccountCheck = Callable[[Mapping[str, str], Mapping[str, str]], list[str]]

_ADAPTERS: Final[tuple[tuple[Aggregator, AccountCheck], ...]] = (
    (clickpost.Clickpost(), clickpost.check_account),
)  # fmt: skip

AGGREGATORS: Final[Mapping[str, Aggregator]] = {adapter.name: adapter for adapter, _ in _ADAPTERS}
"""Adapter by name, as in `logisticAggregatorName`."""

_CHECKS: Final = {adapter.name: check for adapter, check in _ADAPTERS}


def check_account(name: str, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account at the aggregator of that name, one `field: problem` each; empty when all is well.

    `options` and `secrets` are those of `contract.Account`; each adapter's package says which it needs.
    """
    check = _CHECKS.get(name)
    if check is None:
        return [f"aggregator: must be one of {', '.join(AGGREGATORS)}"]
    return check(options, secrets)
