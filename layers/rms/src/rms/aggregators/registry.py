"""The aggregators that RMS speaks to, by name. A new adapter is a name in `KNOWN` and a case in `_load`.

Any other name is that of an aggregator of the generic contract: to set up an account there is all that it takes. An
adapter is loaded by the first who asks for it, because a function seldom speaks to more than one.
"""

import re
from typing import Final

from rms.aggregators.contract import Aggregator

KNOWN: Final = ("CLICKPOST", "SHIPROCKET", "SHIPWAY")
"""The names, as in `logisticAggregatorName`, that have an adapter of their own."""

LOADED: Final[dict[str, Aggregator]] = {}
"""The adapters in use, by name. Tests put their own in."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


def aggregator_of(name: str) -> Aggregator:
    """The adapter of that name, or one of the generic contract."""
    adapter = LOADED.get(name)
    if adapter is None:
        adapter = _load(name)
        if name in KNOWN:
            LOADED[name] = adapter
    return adapter


def tracks(name: str) -> bool:
    """Whether this aggregator can be asked where a parcel is; says so without loading it."""
    return name in KNOWN


def check_name(name: str) -> list[str]:
    """What is wrong with an aggregator's name, as `field: problem`; empty when all is well."""
    if _NAME.fullmatch(name):
        return []
    known = ", ".join(KNOWN)
    return [f"aggregator: must be one of {known}, or 2 to 40 capital letters, digits or _ for a generic one"]


def _load(name: str) -> Aggregator:
    match name:
        case "CLICKPOST":
            from rms.aggregators import clickpost  # noqa: PLC0415 - loaded by who asks

            return clickpost.Clickpost()
        case "SHIPROCKET":
            from rms.aggregators import shiprocket  # noqa: PLC0415 - as above

            return shiprocket.Shiprocket()
        case "SHIPWAY":
            from rms.aggregators import shipway  # noqa: PLC0415 - as above

            return shipway.Shipway()
        case _:
            from rms.aggregators import generic  # noqa: PLC0415 - as above

            return generic.GenericAggregator(name)
