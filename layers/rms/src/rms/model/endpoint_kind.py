"""What an endpoint is for. Which events it hears, and as what, follows from it; see `rms.journal.hearing`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class EndpointKind(StrEnum):
    """What is told to an endpoint. Source: RMS API contract, sections 15 to 19."""

    NOTIFICATION = "NOTIFICATION"
    """What happens to parcels, to whoever subscribes."""
    RETURN_ACK = "RETURN_ACK"
    """How a return was processed, to the channel that it came from."""
    ERP_POSTING = "ERP_POSTING"
    """A processed return with all that is known of it, to the books."""
    PROCESSING_UPDATE = "PROCESSING_UPDATE"
    """The QC result, to the returns app that refunds or exchanges."""
    RETURN_EXPECTATION = "RETURN_EXPECTATION"
    """Which return to expect, to the warehouse."""


class Partner(StrEnum):
    """A returns app that waits for QC results."""

    CLICKPOST = "CLICKPOST"
    RETURNS_PRIME = "RETURNS_PRIME"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that an endpoint of a kind has: whether it must, and what it may be, if not any text."""

    must: bool = True
    one_of: tuple[str, ...] = ()


SETTINGS: Final[Mapping[EndpointKind, Mapping[str, Setting]]] = {
    EndpointKind.NOTIFICATION: {},
    EndpointKind.RETURN_ACK: {},
    EndpointKind.ERP_POSTING: {
        # The client's own codes, which no other system tells to RMS. The QC result names the channel.
        "partnerCode": Setting(),
        "partnerLocationCode": Setting(),
        "channelName": Setting(must=False),
    },
    EndpointKind.PROCESSING_UPDATE: {"partner": Setting(one_of=tuple(Partner))},
    # Where a return goes that names no warehouse: section 4 has no such field, and a shopper knows none.
    EndpointKind.RETURN_EXPECTATION: {"locationCode": Setting(must=False)},
}
"""What only its client can say of an endpoint, by kind and by the name that it has in the API."""
