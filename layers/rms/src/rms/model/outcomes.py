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
class AwbFound:
    """The AWB that was asked for. `label_url` is the aggregator's, and None where it gave none."""

    order_id: str
    code: str
    awb: str
    courier: str
    label_url: str | None


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


@dataclass(frozen=True, slots=True)
class VerdictsStand:
    """Nothing changed: the items at these places of the request failed before and cannot pass, or are cancelled."""

    failed: tuple[int, ...]
    cancelled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IsCancelled:
    """Nothing changed: what was asked about was cancelled before, for good."""

    code: str


@dataclass(frozen=True, slots=True)
class CancelDone:
    """It is cancelled and nobody will collect it, save where `remark` says what is left to do."""

    code: str
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class CancelPending:
    """The wish is kept and is being seen to in the background."""

    code: str


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """Nothing is cancelled, for this reason: the aggregator's words, or ours."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class TooLateToCancel:
    """Nothing is cancelled: the parcel is on its way already. `state` is where it stands."""

    code: str
    state: str


@dataclass(frozen=True, slots=True)
class ItemsCancelled:
    """These items of a return are cancelled; the others are still to come."""

    code: str
    item_codes: tuple[str, ...]


type CancelOutcome = CancelDone | CancelPending | CancelRefused | TooLateToCancel | ItemsCancelled

type CreateOutcome = Accepted | AwbBooked | OrderTaken | AwbRefused | AwbPending | OtherContent | AwbTaken | IsCancelled
