"""What forward requests say and what comes of them, as values: no request library, no HTTP."""

from dataclasses import dataclass
from typing import Literal

from rms.model.outcomes import AwbBooked, AwbPending, AwbRefused, IsCancelled, OrderTaken, OtherContent


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or credit note that the OMS has made. Source: RMS API contract, section 15.2."""

    order_code: str
    shipment_code: str
    invoice_id: str
    document_url: str
    status: str
    document_type: Literal["INVOICE", "CREDIT_NOTE"]
    irn: str | None = None
    ack_name: str | None = None
    ack_date: str | None = None


@dataclass(frozen=True, slots=True)
class LabelQuestion:
    """What the client's own system is asked for. Source: RMS API contract, section 21."""

    order_code: str
    shipment_code: str
    shipment_id: str | None = None
    location_code: str | None = None
    box_labels: bool = False


@dataclass(frozen=True, slots=True)
class Shipped:
    """A parcel with its AWB and a link to our copy of its label.

    `link` is None while there is no copy; `held` says why a person has to look at it. `order_id` is the aggregator's.
    """

    order_id: str | None
    order_code: str
    shipment_code: str
    awb: str
    courier: str
    link: str | None = None
    held: str | None = None
    boxes: str | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """The aggregator has the order of a parcel."""

    order_code: str
    shipment_code: str
    order_id: str
    shipment_id: str | None


@dataclass(frozen=True, slots=True)
class OtherSource:
    """Nothing changed: the parcel's label comes from elsewhere, as these words say."""

    words: str


type ShipOutcome = Shipped | Ordered | AwbRefused | AwbPending | IsCancelled | OtherContent | OtherSource
"""What came of a request to order, ship or label a forward parcel."""

type Booking = AwbBooked | OrderTaken | AwbRefused | AwbPending | IsCancelled
