"""The aggregators that RMS speaks to, by name. A new adapter is one line in `_ADAPTERS`.

Any other name is that of an aggregator of the generic contract: to set up an account there is all that it takes.
"""

import re
from collections.abc import Mapping
from typing import Final

from rms.aggregators import clickpost, generic, shiprocket, shipway
from rms.aggregators.contract import Aggregator

_ADAPTERS: Final[tuple[Aggregator, ...]] = (
    clickpost.Clickpost(),
    shiprocket.Shiprocket(),
    shipway.Shipway(),
)

AGGREGATORS: Final[Mapping[str, Aggregator]] = {adapter.name: adapter for adapter in _ADAPTERS}
"""Adapter by name, as in `logisticAggregatorName`."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


def aggregator_of(name: str) -> Aggregator:
    """The adapter of that name, or one of the generic contract."""
    return AGGREGATORS.get(name) or generic.GenericAggregator(name)


def check_name(name: str) -> list[str]:
    """What is wrong with an aggregator's name, as `field: problem`; empty when all is well."""
    if _NAME.fullmatch(name):
        return []
    known = ", ".join(AGGREGATORS)
    return [f"aggregator: must be one of {known}, or 2 to 40 capital letters, digits or _ for a generic one"]
