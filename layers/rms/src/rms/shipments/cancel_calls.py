"""What an aggregator says to a cancel: asked for by a call or, once it has taken it in hand, by tracking first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rms.aggregators.contract import (
    Account,
    Aggregator,
    Cancelled,
    Direction,
    RefusalKind,
    Refused,
    Shipment,
    ShipmentUpdate,
    Unauthorized,
    Unknown,
)
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text, text
from rms.model.notification_type import NotificationType
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.table import Item
from rms.shipments.transitions import WITH_THE_COURIER, state_key
from rms.shipments.walk import LEAST_SECONDS, call

type _InTime = Callable[[HttpRequest], HttpRequest]


def shipment_of(aggregate: AggregateId, booking: Item) -> Shipment:
    """The shipment that a BOOKING row is about; its AWB is empty where only an order was made."""
    metadata = booking.get("metadata", {})
    assert isinstance(metadata, Mapping)
    return Shipment(
        direction=Direction.RETURN if aggregate.kind == "R" else Direction.FORWARD,
        reference=text(booking, "reference"),
        awb=maybe_text(booking, "awb") or "",
        courier=maybe_text(booking, "courier") or "",
        order_id=text(booking, "order_id"),
        metadata={name: str(value) for name, value in metadata.items()},
    )


def answer_to_cancel(
    core: Core, aggregator: Aggregator, account: Account, shipment: Shipment, until: datetime, *, accepted: bool
) -> Cancelled | Refused | Unknown:
    """Cancelled or not, as far as the aggregator can say. Asking again does no harm.

    `accepted`: it has taken the cancel in hand, so that tracking may know more than another call brings. A call gets
    what is left until then at most, and a few seconds at least.
    """

    def in_time(request: HttpRequest) -> HttpRequest:
        left = max((until - core.clock()).total_seconds(), LEAST_SECONDS)
        return replace(request, total_seconds=min(request.total_seconds, left))

    where = _tracked(core, aggregator, account, shipment, in_time) if accepted and shipment.awb else None
    if where is NotificationType.CANCELLED:
        return Cancelled()
    if where in WITH_THE_COURIER:
        return Refused(RefusalKind.CALLER, "TOO_LATE", f"the parcel is {where} already")

    def asked(opened: Account) -> HttpRequest | Refused:
        request = aggregator.cancel(opened, shipment)
        return request if isinstance(request, Refused) else in_time(request)

    def read(answer: HttpAnswer | NoAnswer) -> Cancelled | Refused | Unknown | Unauthorized:
        return aggregator.read_cancel(shipment, answer)

    result: Cancelled | Refused | Unknown = call(core, aggregator, account, asked, read)
    return result


def _tracked(
    core: Core, aggregator: Aggregator, account: Account, shipment: Shipment, in_time: _InTime
) -> NotificationType | None:
    """Where tracking has the parcel now; None where it cannot be asked or does not say."""
    if aggregator.tracked_at_once == 0:
        return None

    def read(answer: HttpAnswer | NoAnswer) -> Sequence[ShipmentUpdate] | Refused | Unknown | Unauthorized:
        return aggregator.read_tracking(answer, core.clock())

    updates: Sequence[ShipmentUpdate] | Refused | Unknown = call(
        core, aggregator, account, lambda opened: in_time(aggregator.track(opened, [shipment])), read
    )
    if isinstance(updates, Refused | Unknown):
        return None
    best, where = "", None
    for update in updates:
        for sighting in (update.scan, update.current):
            if sighting is None or update.awb != shipment.awb:
                continue
            name = sighting.when_return if shipment.direction is Direction.RETURN else sighting.when_forward
            key = state_key(name, sighting.occurred_at)
            if key is not None and key > best:
                best, where = key, name
    return where
