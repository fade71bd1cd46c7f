"""The commercial state of a return: how far its goods are. Where its parcel is, is another matter.

It stands on the STATUS row beside the state of the parcel and follows from two things: what was sighted of the parcel,
and what the warehouse has checked. Of the sightings that say something of the goods the greatest counts, by the same
key as the parcel's state, so that every order of arrival ends alike. A check of the goods themselves outweighs them
all, and is never taken back. The row is listed under its commercial state, by the time of its creation.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from rms.journal import AggregateId
from rms.journal.events import maybe_text, text
from rms.journal.keys import listing_pk
from rms.model.notification_type import NotificationType as N
from rms.platform.errors import BadDataError
from rms.platform.table import Item, Value
from rms.shipments.transitions import WITH_THE_COURIER


class OrderState(StrEnum):
    """How far the goods are. Section 6 shows it as `omniReturnOrderStatus`."""

    CREATED = "CREATED"
    IN_TRANSIT = "IN_TRANSIT"
    RECEIVED = "RECEIVED"
    PARTLY_PROCESSED = "PARTLY_PROCESSED"
    PROCESSED = "PROCESSED"
    CANCELLED = "CANCELLED"


class Checked(StrEnum):
    """How much of a return the warehouse has checked."""

    SOME_CHECKED = "SOME_CHECKED"
    ALL_CHECKED = "ALL_CHECKED"


AT_HAND: Final = frozenset({OrderState.PARTLY_PROCESSED, OrderState.PROCESSED})
"""The warehouse has had the goods in its hands."""

ENDED: Final = {
    OrderState.RECEIVED: "already received",
    OrderState.PARTLY_PROCESSED: "already received",
    OrderState.PROCESSED: "already received",
    OrderState.CANCELLED: "is cancelled",
}
"""Where a return takes no change any more, in words that fit after `returnOrderCode`."""

SAYS: Final[dict[N, OrderState]] = {
    **dict.fromkeys(WITH_THE_COURIER, OrderState.IN_TRANSIT),
    **dict.fromkeys((N.DELIVERED, N.EXCHANGE_DELIVERED, N.FULFILLED), OrderState.RECEIVED),
    N.CANCELLED: OrderState.CANCELLED,
}
"""What a sighting of the parcel says of the goods. What is sighted before the pick-up says nothing of them."""

# the return is      and then              it is               why
_ROWS: Final = """
  CREATED            OUT_FOR_PICKUP        =                   the shopper still has the goods
  CREATED            PICKUP_CANCELLED      =                   a failed pick-up is not final
  CREATED            RETURN_PICKED_UP      IN_TRANSIT          the courier has the goods
  CREATED            EXCHANGE_PICKUP       IN_TRANSIT          the courier has the goods
  CREATED            DELAYED               =                   it may be the pick-up that is late
  CREATED            DELIVERED             RECEIVED            the scans in between were lost
  CREATED            CANCELLED             CANCELLED           nobody will collect it
  CREATED            SOME_CHECKED          PARTLY_PROCESSED    whoever has checked the goods has them
  CREATED            ALL_CHECKED           PROCESSED           whoever has checked the goods has them
  IN_TRANSIT         OUT_FOR_DELIVERY      =                   on the way is on the way
  IN_TRANSIT         DELAYED               =                   lateness is news, not a place
  IN_TRANSIT         LOST                  =                   found again or never: not received
  IN_TRANSIT         CANCELLED             CANCELLED           the carrier says that it does not come
  IN_TRANSIT         DELIVERED             RECEIVED            the goods are at the warehouse
  IN_TRANSIT         EXCHANGE_DELIVERED    RECEIVED            the old item is at the warehouse
  IN_TRANSIT         SOME_CHECKED          PARTLY_PROCESSED    the warehouse is quicker than the carrier's scan
  IN_TRANSIT         ALL_CHECKED           PROCESSED           the warehouse is quicker than the carrier's scan
  RECEIVED           IN_TRANSIT            =                   a hub's late scan
  RECEIVED           CANCELLED             =                   what was handed over cannot be cancelled
  RECEIVED           SOME_CHECKED          PARTLY_PROCESSED    it comes in pieces
  RECEIVED           ALL_CHECKED           PROCESSED           all is checked
  PARTLY_PROCESSED   DELIVERED             =                   a scan that comes behind the goods
  PARTLY_PROCESSED   CANCELLED             =                   the goods are at hand, whatever is said of the parcel
  PARTLY_PROCESSED   SOME_CHECKED          =                   there is more to come
  PARTLY_PROCESSED   ALL_CHECKED           PROCESSED           the last piece
  PROCESSED          DELIVERED             =                   a scan that comes behind the goods
  PROCESSED          IN_TRANSIT            =                   a scan that comes behind the goods
  PROCESSED          ALL_CHECKED           =                   a correction
  CANCELLED          PICKUP_QUEUE          =                   a pick-up that is planned brings no goods
  CANCELLED          RETURN_PICKED_UP      IN_TRANSIT          the courier came all the same
  CANCELLED          DELIVERED             RECEIVED            the courier came all the same
  CANCELLED          ALL_CHECKED           =                   refused: it comes back under another code
"""


def rows() -> list[tuple[OrderState, N | Checked, OrderState, str]]:
    """The rows above: state, what happens then, the state afterwards, and why."""
    read = []
    for line in _ROWS.strip().splitlines():
        state, then, after, why = line.split(maxsplit=3)
        happening = Checked(then) if then in Checked.__members__ else N(then)
        read.append((OrderState(state), happening, OrderState(state if after == "=" else after), why))
    return read


def order_state(status: Item) -> OrderState:
    """The state on a STATUS row; one that was written before there were such states says it by its parcel."""
    known = maybe_text(status, "order_state")
    return OrderState(known) if known else SAYS.get(N(text(status, "state")), OrderState.CREATED)


def created(aggregate: AggregateId, created_at: str) -> dict[str, Value]:
    """What the STATUS row of a new return holds of this."""
    return _stands(aggregate, created_at, OrderState.CREATED)


def sighted(aggregate: AggregateId, status: Item, name: N, key: str) -> dict[str, Value]:
    """What a sighting of the parcel, with its `state_key`, changes on the STATUS row."""
    says = SAYS.get(name)
    if aggregate.kind != "R" or says is None or order_state(status) in AT_HAND:
        return {}
    if key <= (maybe_text(status, "order_key") or ""):
        return {}
    return {"order_key": key, **_stands(aggregate, text(status, "created_at"), says)}


def checked(aggregate: AggregateId, status: Item, much: Checked) -> dict[str, Value]:
    """What a check of the goods changes on the STATUS row. A cancelled return must have been refused before."""
    return _stands(aggregate, text(status, "created_at"), checked_state(much))


def checked_state(much: Checked) -> OrderState:
    """The state of a return that is checked as much."""
    return OrderState.PROCESSED if much is Checked.ALL_CHECKED else OrderState.PARTLY_PROCESSED


def is_new(aggregate: AggregateId, status: Item, changes: Mapping[str, Value], state: OrderState) -> bool:
    """Whether these changes of the STATUS row bring a return into a state in which it is not yet."""
    return aggregate.kind == "R" and changes.get("order_state") == state and order_state(status) is not state


def refuse_if_ended(status: Item) -> None:
    """Refuse to change what comes back in a return that has come back, or will not.

    Raises:
        BadDataError: saying which.
    """
    ended = ENDED.get(order_state(status))
    if ended is not None:
        raise BadDataError(f"[returnOrderCode: {ended}]")


def refuse_if_at_hand(status: Item) -> None:
    """Refuse to send a courier for goods that the warehouse has checked.

    Raises:
        BadDataError: it has.
    """
    if order_state(status) in AT_HAND:
        raise BadDataError("[returnOrderCode: already received]")


def _stands(aggregate: AggregateId, created_at: str, state: OrderState) -> dict[str, Value]:
    return {
        "order_state": state.value,
        "listing_pk": listing_pk(aggregate.client, aggregate.kind, state),
        "listing_sk": f"{created_at}#{aggregate.code}",
    }
