"""The aggregators that RMS speaks to, by name. A new one is one line in `_ADAPTERS`."""

from collections.abc import Mapping
from typing import Final

from rms.aggregators import clickpost
from rms.aggregators.contract import Aggregator

_ADAPTERS: Final[tuple[Aggregator, ...]] = (
    clickpost.Clickpost(),
)  # fmt: skip

AGGREGATORS: Final[Mapping[str, Aggregator]] = {adapter.name: adapter for adapter in _ADAPTERS}
"""Adapter by name, as in `logisticAggregatorName`."""
