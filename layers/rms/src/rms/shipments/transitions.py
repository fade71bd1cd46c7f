"""How a shipment's state follows from its sightings, whatever order and however often they arrive.

The state is the greatest sighting by (settled, event time, rank). Taking the maximum is what makes every order of
arrival end alike; `settled` is how the exceptions to "latest wins" stay part of one total order.
"""

from datetime import datetime
from typing import Final

from rms.model.notification_type import NotificationType as N
from rms.platform.times import to_text

RANKS: Final[dict[N, int]] = {
    name: rank
    for rank, names in enumerate(
        (
            (N.RETURN_ORDER_PLACED, N.PAYMENT_FAILED, N.UNFULFILLABLE),
            (N.INVOICED, N.READY_TO_SHIP, N.SHIPPING_LABEL_GENERATED, N.AWB_GENERATED),
            (N.PICKUP_QUEUE, N.PICKUP_SCHEDULED, N.PICKUP_ERROR, N.PICKUP_RESCHEDULED, N.CANCELLATION_REQUESTED),
            (N.OUT_FOR_PICKUP,),
            (N.PICKUP_CANCELLED,),
            (N.PICKED_UP, N.RETURN_PICKED_UP, N.EXCHANGE_PICKUP),
            (N.SHIPPED, N.IN_TRANSIT, N.DELAYED, N.MISROUTED),
            (N.REACHED_DESTINATION_HUB,),
            (N.OUT_FOR_DELIVERY,),
            (N.FAILED_DELIVERY, N.UNDELIVERED),
            (N.LOST, N.DAMAGED, N.DESTROYED, N.CANCELLED),
            (N.PARTIAL_DELIVERED,),
            (N.DELIVERED, N.EXCHANGE_DELIVERED, N.FULFILLED),
            (N.RTO,),
            (N.RTO_DELIVERED,),
            (N.RTO_ACKNOWLEDGED,),
        )
    )
    for name in names
}
"""Progress, for sightings that bear the same time. Types without a rank say something of a parcel without moving it:
OTHER, SHIPMENT_STUCK, SLA_BREACHED, INVOICE_GENERATED."""

SETTLED: Final = frozenset({N.DELIVERED, N.EXCHANGE_DELIVERED, N.RTO, N.RTO_DELIVERED, N.RTO_ACKNOWLEDGED})
"""Once sighted, only another of these changes the state: a parcel that was handed over does not move on its own."""

WITH_THE_COURIER: Final = frozenset(name for name, rank in RANKS.items() if rank >= RANKS[N.RETURN_PICKED_UP]) - {
    N.CANCELLED,
    N.DELAYED,
}
"""Collected, or beyond: too late to cancel. DELAYED is not among them, because Shipway says so of a pick-up, too."""

ENDED: Final = frozenset(
    {
        N.DELIVERED,
        N.EXCHANGE_DELIVERED,
        N.RTO_DELIVERED,
        N.RTO_ACKNOWLEDGED,
        N.CANCELLED,
        N.DESTROYED,
        N.FULFILLED,
    }
)
"""Where a parcel's life ends, but for what its carrier corrects. Not RTO, which goes on to RTO_DELIVERED; not LOST,
DAMAGED or PICKUP_CANCELLED, after which carriers go on."""

# state              sighted later         becomes             why
_ROWS: Final = """
  DELIVERED          OUT_FOR_DELIVERY      =                   a scan that overtook us; the parcel is already there
  DELIVERED          IN_TRANSIT            =                   a hub's late scan; the parcel is already there
  DELIVERED          LOST                  =                   a claim about a handed-over parcel is news, not a state
  DELIVERED          RTO                   RTO                 the carrier corrected itself
  DELIVERED          RTO_DELIVERED         RTO_DELIVERED       the carrier corrected itself and is done
  RTO                OUT_FOR_DELIVERY      =                   the last leg back to the origin
  RTO                IN_TRANSIT            =                   on its way back
  RTO                DELIVERED             DELIVERED           the carrier tried once more and handed it over
  RTO_DELIVERED      DELIVERED             DELIVERED           the carrier corrected itself
  OUT_FOR_PICKUP     PICKUP_QUEUE          PICKUP_QUEUE        pick-up is tried again; states go back and forth here
  PICKUP_CANCELLED   OUT_FOR_PICKUP        OUT_FOR_PICKUP      a failed pick-up is not final
  CANCELLED          RETURN_PICKED_UP      RETURN_PICKED_UP    the carrier came all the same
  LOST               IN_TRANSIT            IN_TRANSIT          found again
  IN_TRANSIT         OTHER                 =                   what we cannot name does not move a parcel
  IN_TRANSIT         SLA_BREACHED          =                   lateness is news, not a place
  IN_TRANSIT         SHIPMENT_STUCK        =                   standing still is news, not a place
"""


def state_key(name: N, occurred_at: datetime) -> str | None:
    """Text that sorts as states do, the greatest being current; None for what moves nothing."""
    rank = RANKS.get(name)
    # The name last: two of one rank at one moment must not be decided by which of them came first.
    return None if rank is None else f"{int(name in SETTLED)}#{to_text(occurred_at)}#{rank:02}#{name}"


def exceptions() -> list[tuple[N, N, N | None, str]]:
    """The rows above: state, what is sighted later, the state then (None: the same), and why."""
    rows = []
    for line in _ROWS.strip().splitlines():
        state, sighted, then, why = line.split(maxsplit=3)
        rows.append((N(state), N(sighted), None if then == "=" else N(then), why))
    return rows
