"""Webhooks that nothing proves: what matters in them is believed only once the aggregator's own tracking says it too.

A forged "delivered" would have a client pay the refund, so such news is asked for at the aggregator itself. Not
confirmed, or nobody could be asked, is an error: the message comes again, by then tracking has caught up, and what is
never confirmed ends whole in the dead-letter queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from rms.aggregators.contract import (
    Account,
    Aggregator,
    Direction,
    Refused,
    Shipment,
    ShipmentUpdate,
    Sighting,
    Unauthorized,
    Unknown,
    UnreadableWebhookError,
)
from rms.clients.accounts import open_account
from rms.clients.configuration import Configuration
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text
from rms.model.notification_type import NotificationType
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.shipments.walk import call

ENOUGH_TIME: Final = timedelta(seconds=3)
"""How long the tracking calls for one message may take: other messages of its batch wait meanwhile."""

DECISIVE: Final = frozenset(
    {
        NotificationType.DELIVERED,
        NotificationType.RTO_DELIVERED,
        NotificationType.PICKED_UP,
        NotificationType.RETURN_PICKED_UP,
        NotificationType.CANCELLED,
        NotificationType.PICKUP_CANCELLED,
    }
)
"""What a client acts on: it refunds, sends again, or gives a parcel up."""


class UnconfirmedUpdateError(Exception):
    """Tracking does not say what a webhook says, or could not be asked; nothing of the update was recorded."""


@dataclass(slots=True)
class Confirmation:
    """What tracking says about the parcels of one message, asked once for each."""

    core: Core
    aggregator: Aggregator
    account: Account
    others: Sequence[str] = ()
    """AWBs that are asked for in the same call, because the message is about them too."""

    _until: datetime = field(init=False)
    _seen: dict[str, list[ShipmentUpdate]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The time runs from the beginning."""
        self._until = self.core.clock() + ENOUGH_TIME

    def demand(self, aggregate: AggregateId, update: ShipmentUpdate) -> None:
        """Go on only if the update needs no confirmation, or has it.

        Raises:
            UnconfirmedUpdateError: see there.
        """
        is_return = aggregate.kind == "R"
        said = {_named(sighting, is_return=is_return) for sighting in (update.scan, update.current) if sighting}
        if not said & DECISIVE:
            return
        awb = update.awb or self._awb_of(aggregate)
        if awb is None:
            raise UnconfirmedUpdateError("its parcel has no AWB to ask for")
        if awb not in self._seen:
            self._ask(aggregate, awb)
        tracked = {_named(each.scan, is_return=is_return) for each in self._seen[awb]}
        if not said & DECISIVE <= tracked:
            raise UnconfirmedUpdateError("tracking does not say so")

    def _awb_of(self, aggregate: AggregateId) -> str | None:
        status = self.core.journal.status(aggregate)
        return maybe_text(status, "awb") if status is not None else None

    def _ask(self, aggregate: AggregateId, awb: str) -> None:
        left = (self._until - self.core.clock()).total_seconds()
        if left <= 0:
            raise UnconfirmedUpdateError("no time was left to ask for it")
        direction = Direction.RETURN if aggregate.kind == "R" else Direction.FORWARD
        awbs = list(dict.fromkeys([awb, *self.others]))[: self.aggregator.tracked_at_once]
        shipments = [Shipment(direction, "", each, "", "") for each in awbs]

        def asked(account: Account) -> HttpRequest:
            return replace(self.aggregator.track(account, shipments), total_seconds=left)

        def read(answer: HttpAnswer | NoAnswer) -> Sequence[ShipmentUpdate] | Refused | Unknown | Unauthorized:
            return self.aggregator.read_tracking(answer, self.core.clock())

        result: Sequence[ShipmentUpdate] | Refused | Unknown = call(
            self.core, self.aggregator, self.account, asked, read
        )
        if isinstance(result, Refused | Unknown):
            raise UnconfirmedUpdateError("tracking could not be asked")
        self._seen |= {each: [] for each in awbs}
        for each in result:
            if each.awb in self._seen:
                self._seen[each.awb].append(each)


def confirmation_for(
    core: Core,
    configuration: Configuration,
    aggregator: Aggregator,
    alias: str,
    body: bytes,
    updates: Sequence[ShipmentUpdate],
) -> Confirmation | None:
    """What has to confirm the updates of this webhook; None where its key has proved the sender.

    Raises:
        UnconfirmedUpdateError: the account is gone, so that nobody can be asked.
        UnreadableWebhookError: its own proof is not that of the account.
    """
    if not aggregator.confirms_webhooks:
        return None
    configured = configuration.accounts.get(alias)
    if configured is None:
        raise UnconfirmedUpdateError("its account is no longer there")
    account = open_account(core, configuration.client, configured)
    if not aggregator.proves_sender(account, body):
        raise UnreadableWebhookError("its proof is not that of the account")
    return Confirmation(core, aggregator, account, tuple(update.awb for update in updates if update.awb))


def _named(sighting: Sighting, *, is_return: bool) -> NotificationType:
    return sighting.when_return if is_return else sighting.when_forward
