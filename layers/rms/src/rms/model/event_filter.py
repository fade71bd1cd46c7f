"""What an endpoint wants to hear of all that happens to a client's parcels. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from rms.model.notification_type import NotificationType

type Direction = Literal["FORWARD", "RETURN"]

DIRECTIONS: Final[dict[str, Direction]] = {"R": "RETURN", "S": "FORWARD"}
"""Which way the parcels of an aggregate of this kind go. An endpoint's own journal (`E`) goes neither way."""

NO_AGGREGATOR: Final = "NONE"
"""`logisticAggregatorName` of a return that its channel booked, for a client without any aggregator account."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The events that are all of this; of each list one is enough, and what is not given, any event is.

    `aggregators` and `locations` hold an event to what RMS knows of its parcel: one that has no location is not of a
    wished one. An invoice has no aggregator, so a wish for aggregators does not speak of it. Notices of an endpoint's
    own (kind `E`) are for whoever was named to hear them, and no wish keeps them out.
    """

    types: frozenset[NotificationType] = frozenset()
    direction: Direction | None = None
    aggregators: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()

    def may_want(self, kind: str, notification: NotificationType, aggregator: str | None) -> bool:
        """Whether it can want the event, as far as that is known before the order itself is read.

        `kind` is the aggregate's, `aggregator` None where the event names none.
        """
        if kind not in DIRECTIONS:
            return True
        return (
            (not self.types or notification in self.types)
            and self.direction in {None, DIRECTIONS[kind]}
            and (
                not self.aggregators
                or notification is NotificationType.INVOICE_GENERATED
                or (aggregator or NO_AGGREGATOR) in self.aggregators
            )
        )

    def wants(self, kind: str, notification: NotificationType, aggregator: str | None, location: str | None) -> bool:
        """Whether it wants the event; `location` is the code of the order's warehouse or store, None without one."""
        may = self.may_want(kind, notification, aggregator)
        return may and (kind not in DIRECTIONS or not self.locations or location in self.locations)


EVERYTHING: Final = EventFilter()
"""The filter of an endpoint that named no wish."""
