"""The aggregators that RMS speaks to, by name. A new one is one line here."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from rms.aggregators import clickpost
from rms.aggregators.contract import Aggregator

type AccountCheck = Callable[[Mapping[str, str], Mapping[str, str]], list[str]]


class _Entry(NamedTuple):
    adapter: Aggregator
    check_account: AccountCheck


_BY_NAME: Final[Mapping[str, _Entry]] = {
    "CLICKPOST": _Entry(clickpost.Clickpost(), clickpost.check_account),
}

AGGREGATORS: Final = tuple(_BY_NAME)
"""The names, as in `logisticAggregatorName`."""


class UnknownAggregatorError(LookupError):
    """No adapter has this name."""


def aggregator(name: str) -> Aggregator:
    """The adapter of that name, in any case.

    Raises:
        UnknownAggregatorError: there is none.
    """
    return _entry(name).adapter


def check_account(name: str, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account at that aggregator, one `field: problem` each; empty when all is well.

    Raises:
        UnknownAggregatorError: no such aggregator.
    """
    return _entry(name).check_account(options, secrets)


def _entry(name: str) -> _Entry:
    entry = _BY_NAME.get(name.strip().upper())
    if entry is None:
        raise UnknownAggregatorError(f"no aggregator of that name; known are {', '.join(AGGREGATORS)}")
    return entry
