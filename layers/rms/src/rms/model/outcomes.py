"""What came of a request to create or book something, as values that one `match` turns into an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """Kept; the channel has booked its courier itself."""


@dataclass(frozen=True, slots=True)
class AwbBooked:
    """Kept and booked. `order_id` is the aggregator's, or the AWB where it gives none."""

    order_id: str
    code: str
    awb: str
    courier: str


@dataclass(frozen=True, slots=True)
class AwbRefused:
    """Kept without an AWB: the aggregator refused, in these words. A corrected repeat is welcome."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class AwbPending:
    """Kept; whether it is booked is not known yet and is being settled in the background."""

    code: str


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """Kept, and the aggregator has the order, without an AWB. `order_id` and `shipment_id` are its own."""

    order_id: str
    code: str
    shipment_id: str | None


@dataclass(frozen=True, slots=True)
class OtherContent:
    """Nothing changed: this code was created before with other content."""

    code: str


@dataclass(frozen=True, slots=True)
class AwbTaken:
    """Nothing changed: this AWB belongs to another return of the client."""

    awb: str


@dataclass(frozen=True, slots=True)
class ItemCodesTaken:
    """Nothing changed: the codes at these places of the request are in use with other content."""

    places: tuple[int, ...]


type CreateOutcome = Accepted | AwbBooked | OrderTaken | AwbRefused | AwbPending | OtherContent | AwbTaken
