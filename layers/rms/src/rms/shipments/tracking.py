"""Tracking: what an aggregator's webhook says becomes an event of the right return, once, in any order of arrival."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rms.aggregators import registry
from rms.aggregators.contract import ShipmentUpdate, Sighting
from rms.clients.configuration import Configuration, configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import maybe_text, text
from rms.journal.hearing import BROUGHT
from rms.journal.keys import forward_key, parked_key, shipment_key
from rms.model.notification_type import NotificationType
from rms.platform.observability import correlation_id, count, logger
from rms.platform.table import (
    EXISTING,
    NEW,
    Check,
    ConditionFailedError,
    Delete,
    Item,
    Key,
    Put,
    TableContendedError,
    Value,
    Write,
)
from rms.platform.times import from_text, to_text
from rms.shipments.claims import Claims, nothing_waits, owner_of, waiting_write, watch_for
from rms.shipments.confirming import Confirmation, UnconfirmedUpdateError, confirmation_for
from rms.shipments.order_states import OrderState, is_new, sighted
from rms.shipments.transitions import state_key
from rms.shipments.wake import wake_tellers

SKEW: Final = timedelta(minutes=5)
"""How far an aggregator's clock may run ahead of ours before its time is taken as ours."""

NAMELESS: Final = "-"
"""Where updates are kept that name no parcel at all; an operator finds them there."""

_LONGEST: Final = 200
"""Longest raw text kept in an event, in characters: an event stays under 1 KB."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook body as it came in, with what was known of it then."""

    client: str
    aggregator: str
    alias: str
    body: bytes
    received_at: datetime

    @property
    def source(self) -> "Source":
        """Whose word it is."""
        return Source(self.aggregator, self.alias, self.received_at)


@dataclass(frozen=True, slots=True)
class Source:
    """Whose word an update is, and since when RMS has it. `asked`: RMS had to ask for it, nobody had told."""

    aggregator: str
    alias: str
    received_at: datetime
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event is in the journal."""


@dataclass(frozen=True, slots=True)
class Known:
    """A named no-op: this very event was recorded or parked before."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Nobody knows the AWB yet; the event waits under it."""


type Recording = Recorded | Known | Parked


@dataclass(frozen=True, slots=True)
class Announcement:
    """News of a return that was placed at an aggregator."""

    webhook: Webhook
    update: ShipmentUpdate


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Nobody's parcel yet: those of its names that were free when we looked.

    Waiting under them is refused once somebody has claimed one meanwhile; reading them anew would miss that.
    """

    names: tuple[str, ...]


type Announce = Callable[[Core, Configuration, Announcement], Recording | AggregateId | None]
"""Creates the return that was announced, or says which one it is news of; None: look again.

Given by the caller, because returns know of shipments and not the other way round.
"""


def record_shipment_events(core: Core, webhook: Webhook, announce: Announce) -> list[Recording]:
    """Record every update in a webhook body.

    Raises:
        UnreadableWebhookError: the body is not this aggregator's; nothing was recorded.
        UnconfirmedUpdateError, TableContendedError, TableUnavailableError: record it again; what was recorded is a
            no-op then.
    """
    aggregator = registry.aggregator_of(webhook.aggregator)
    updates = aggregator.read_webhook(webhook.body, webhook.received_at)
    configuration = configuration_of(core, webhook.client)
    confirmation = confirmation_for(core, configuration, aggregator, webhook.alias, webhook.body, updates)
    recordings: list[Recording] = []
    unconfirmed: list[UnconfirmedUpdateError] = []
    for update in updates:
        try:
            recordings.append(_record(core, configuration, webhook, update, announce, confirmation))
        except UnconfirmedUpdateError as error:  # the others need not wait for this one
            unconfirmed.append(error)
    if unconfirmed:
        raise unconfirmed[0]
    return recordings


def drain_parked(core: Core, client: str, awb: str) -> int:
    """Apply the events that waited for an AWB that is known now; answers how many there were.

    Stopping half-way is harmless: what is left is still parked, and its row still due.
    """
    row = core.table.get(shipment_key(client, awb))
    aggregate = owner_of(client, row)
    if row is None or aggregate is None:
        return 0  # not known yet after all: the events go on waiting
    configuration = configuration_of(core, client)
    applied = 0
    while parked := core.table.query(shipment_key(client, awb).pk, prefix="PARKED#").items:
        unproved = [item for item in parked if registry.aggregator_of(text(item, "aggregator")).confirms_webhooks]
        # Those come in once more, now that their parcel is known: one that is never confirmed holds up nothing here.
        for item in unproved:
            core.queues.send("inbound", [_as_it_came(client, item)])
        for webhook, update in sorted(_unparked(client, [each for each in parked if each not in unproved]), key=_when):
            claims = _claims(core, webhook, update)
            if isinstance(claims, Unclaimed) and update.awb in {None, awb}:
                claims = Claims(aggregate, None, ())
            if isinstance(claims, Claims):  # otherwise another parcel's: it waits under its own AWB too
                recording = record_update(core, configuration, webhook.source, update, claims)
                if recording is None:
                    raise TableContendedError("a parcel's names changed hands")
        for item in parked:
            core.table.write(Delete(Key(text(item, "PK"), text(item, "SK")), EXISTING))
        applied += len(parked)
    nothing_waits(core, aggregate, awb, row)
    return applied


def _unparked(client: str, parked: Sequence[Item]) -> list[tuple[Webhook, ShipmentUpdate]]:
    """Parked rows, read anew, so that a fix to an adapter reaches what came in before it."""
    read: list[tuple[Webhook, ShipmentUpdate]] = []
    for item in parked:
        webhook = Webhook(
            client=client,
            aggregator=text(item, "aggregator"),
            alias=text(item, "alias"),
            body=base64.b64decode(text(item, "body")),
            received_at=from_text(text(item, "received_at")),
        )
        updates = registry.aggregator_of(webhook.aggregator).read_webhook(webhook.body, webhook.received_at)
        same = [update for update in updates if update.event_id == text(item, "event_id")]
        read.extend((webhook, update) for update in same or updates)
    return read


def _as_it_came(client: str, item: Item) -> dict[str, str | int | None]:
    """A parked row as the message that its webhook was."""
    kept = {name: text(item, name) for name in ("aggregator", "alias", "body", "received_at")}
    return {"task": "record", "client": client, **kept, "correlation": correlation_id()}


def _when(parked: tuple[Webhook, ShipmentUpdate]) -> datetime:
    return parked[1].scan.occurred_at


def _record(
    core: Core,
    configuration: Configuration,
    webhook: Webhook,
    update: ShipmentUpdate,
    announce: Announce,
    confirmation: Confirmation | None,
) -> Recording:
    for _ in range(5):
        claims = _claims(core, webhook, update)
        recording: Recording | AggregateId | None = None
        if isinstance(claims, Unclaimed) and update.announces is not None:
            recording = announce(core, configuration, Announcement(webhook, update))
        elif isinstance(claims, Unclaimed):
            recording = _park(core, webhook, update, claims)
        if isinstance(recording, AggregateId):
            watch = watch_for(core, webhook.aggregator, update.awb)
            claims = Claims(recording, webhook.aggregator, [update.awb] if update.awb else [], watch)
        if isinstance(claims, Claims):
            if confirmation is not None:
                confirmation.demand(claims.aggregate, update)
            recording = record_update(core, configuration, webhook.source, update, claims)
        if recording is not None and not isinstance(recording, AggregateId):
            return recording
        # Somebody claimed a name between our read and our write: look again.
    raise TableContendedError("a parcel's names kept changing hands")


def record_update(
    core: Core,
    configuration: Configuration,
    source: Source,
    update: ShipmentUpdate,
    claims: Claims,
) -> Recorded | Known | None:
    """Make an update an event of the claims' aggregate, whatever is known of it; None when a name is another's.

    Raises:
        TableContendedError, TableUnavailableError: record it again; it is a no-op if it was recorded.
    """
    aggregate = claims.aggregate
    is_return = aggregate.kind == "R"  # our own record decides the direction, not the webhook's claim
    name = update.scan.when_return if is_return else update.scan.when_forward
    if name is NotificationType.OTHER:
        count("UnknownStatus")
        logger.info("status without a name", aggregator=source.aggregator, status_code=update.scan.raw.code)
    told = name if _is_news(configuration, aggregate, name) else None

    def event(status: Item) -> Event:
        by_rms = status.get("state") == NotificationType.CANCELLED and "cancelled_at" in status
        told_now = None if name is NotificationType.CANCELLED and by_rms else told
        moved = _moved(aggregate, status, update, source.received_at)
        return _event(update, source, name, told_now, _brought(aggregate, status, moved))

    def change(status: Item) -> Mapping[str, Value]:
        moved = _moved(aggregate, status, update, source.received_at) | last_heard(status, update, source)
        # A state may come from what a webhook says besides: only this says that CANCELLED was told.
        return {**moved, "cancelled_told": True} if told is NotificationType.CANCELLED else moved

    # Asked for before it was told: the scan is in the journal, under the id that it has in tracking.
    not_found = [Check(aggregate.seen(event_id), NEW) for event_id in update.tracked_as]
    also: list[Write] = [*claims.writes, *not_found]
    match core.journal.append(aggregate, event, change, readers=configuration.readers, also=also):
        case Appended(readers=readers):
            wake_tellers(core, aggregate, readers)
            claims.wake(core)
            return Recorded()
        case Duplicate():
            # Aggregators send again whenever they doubt our answer; people resend by hand.
            return Known()
        case Blocked(index=index) if index >= len(also) - len(not_found):
            return Known()
        case Blocked(index=index, current=current):
            if not claims.give_way(index, current):
                return None
            return record_update(core, configuration, source, update, claims)


def _event(
    update: ShipmentUpdate,
    source: Source,
    name: NotificationType,
    told: NotificationType | None,
    brought: Mapping[str, Value],
) -> Event:
    """An update as it is recorded; `told` is what subscribers hear, and what nobody hears of stands beside."""
    return Event(
        event_id=update.event_id,
        kind=EventKind.TRACKED,
        occurred_at=update.scan.occurred_at,
        received_at=source.received_at,
        notification=told,
        facts=_facts(update, source) | ({"untold": name.value} if told is None else {}) | dict(brought),
    )


def _brought(aggregate: AggregateId, status: Item, moved: Mapping[str, Value]) -> dict[str, Value]:
    """What an update brings about in a return: that it will not come after all, or its AWB."""
    if is_new(aggregate, status, moved, OrderState.CANCELLED):
        return {BROUGHT: OrderState.CANCELLED.value}
    return {BROUGHT: "AWB"} if aggregate.kind == "R" and "awb" in moved else {}


def _is_news(configuration: Configuration, aggregate: AggregateId, name: NotificationType) -> bool:
    """Whether subscribers hear of a status. Of what RMS tells by itself they hear once: when RMS knows it."""
    if name is NotificationType.OTHER:
        return configuration.push_other
    return not (
        aggregate.kind == "S" and name in {NotificationType.AWB_GENERATED, NotificationType.SHIPPING_LABEL_GENERATED}
    )


def _moved(aggregate: AggregateId, status: Item, update: ShipmentUpdate, received_at: datetime) -> dict[str, Value]:
    """What an update changes on the STATUS row: both states if a sighting is greater, the AWB if it had none."""
    changes: dict[str, Value] = {}
    best = maybe_text(status, "state_key") or ""
    for sighting in (update.scan, update.current):
        if sighting is None:
            continue
        name = sighting.when_return if aggregate.kind == "R" else sighting.when_forward
        key = state_key(name, _clamped(sighting, status, received_at))
        if key is None:
            continue
        changes |= sighted(aggregate, {**status, **changes}, name, key)
        if key > best:
            best = key
            changes |= {"state": name.value, "state_key": key, "state_text": sighting.raw.text[:_LONGEST]}
    if update.awb and maybe_text(status, "awb") is None:
        changes["awb"] = update.awb
        if update.courier:
            changes["courier"] = update.courier
    return changes


def last_heard(status: Item, update: ShipmentUpdate, source: Source) -> dict[str, Value]:
    """What the STATUS row keeps for whoever watches the parcel: when news of it last came, and how to ask for it.

    A parcel that RMS booked has its account and all that was booked with it already.
    """
    changes: dict[str, Value] = {"heard_at": max(to_text(source.received_at), maybe_text(status, "heard_at") or "")}
    if maybe_text(status, "account") is None:
        changes["heard_from"] = source.alias
        if update.booked_with:
            changes["booked_with"] = dict(update.booked_with)
    return changes


def _clamped(sighting: Sighting, status: Item, received_at: datetime) -> datetime:
    """The time of a sighting, no later than its arrival plus SKEW, no earlier than the AWB can have existed."""
    at = min(sighting.occurred_at, received_at + SKEW)
    since = maybe_text(status, "awb_since")
    return max(at, from_text(since)) if since else at


def _facts(update: ShipmentUpdate, source: Source) -> dict[str, Value]:
    raw = update.scan.raw
    facts: dict[str, str | None] = {
        "aggregator": source.aggregator,
        "found_by": "tracking" if source.asked else None,
        "awb": update.awb,
        "courier": update.courier,
        "raw_code": raw.code[:_LONGEST],
        "raw_text": raw.text[:_LONGEST],
        "raw_remark": raw.remark[:_LONGEST],
        "location": raw.location[:_LONGEST],
        "failure_code": update.failure_code,
    }
    metadata = {name: value[:_LONGEST] for name, value in list(update.metadata.items())[:10]}
    return {name: value for name, value in facts.items() if value} | ({"metadata": metadata} if metadata else {})


def _claims(core: Core, webhook: Webhook, update: ShipmentUpdate) -> Claims | Unclaimed:
    """Whose parcel this is: by its AWB, else by a reference, else by the forward parcel it comes back from.

    Found without its AWB, the AWB is to be claimed: that of a return, say, that was announced before it had one.
    """
    names = list(dict.fromkeys(name for name in (update.awb, *update.references) if name))
    rows = core.table.get_many([shipment_key(webhook.client, name) for name in names]) if names else {}
    owners = [owner_of(webhook.client, rows.get(shipment_key(webhook.client, name))) for name in names]
    # News of a request waits under all its names; whoever finds its parcel by one of them takes the others along.
    waiting = [
        name
        for name, owner in zip(names, owners, strict=True)
        if owner is None and shipment_key(webhook.client, name) in rows
    ]
    if update.awb and owners[0] is not None:
        return Claims(owners[0], webhook.aggregator, waiting)
    candidate = next((owner for owner in owners if owner), None) or _announced_for(core, webhook.client, update)
    unclaimed = Unclaimed(tuple(name for name, owner in zip(names, owners, strict=True) if owner is None))
    if candidate is None or update.awb is None:
        return Claims(candidate, webhook.aggregator, waiting) if candidate else unclaimed
    # A reference may stand on more than one parcel, an AWB on one only: a return that has its AWB is not this one.
    if update.is_return is False and candidate.kind == "R":
        return unclaimed
    status = core.journal.status(candidate)
    if status is None or maybe_text(status, "awb") not in {None, update.awb}:
        return unclaimed
    watch = watch_for(core, webhook.aggregator, update.awb)
    return Claims(candidate, webhook.aggregator, [update.awb, *waiting], watch)


def _announced_for(core: Core, client: str, update: ShipmentUpdate) -> AggregateId | None:
    """The one return announced for this forward parcel; None when there is none, or more than one to choose from.

    One forward parcel may come back in several returns: an announcement is never news of another return, and what
    names its own return reference only goes to one that was announced without.
    """
    if update.is_return is not True or update.announces is not None:
        return None
    for reference in update.forward_references:
        page = core.table.query(forward_key(client, reference, "").pk, prefix="R#", limit=2)
        if len(page.items) == 1 and (page.items[0].get("unnamed") or not update.references):
            return AggregateId(client, "R", text(page.items[0], "SK").removeprefix("R#"))
    return None


def _park(core: Core, webhook: Webhook, update: ShipmentUpdate, unclaimed: Unclaimed) -> Recording | None:
    """Keep an update until its parcel is known; None when it became known while we looked."""
    names = _waits_under(update, unclaimed)
    if names == (NAMELESS,):
        count("UnmatchedUpdate")
        logger.warning("update names no parcel", aggregator=webhook.aggregator, status_code=update.scan.raw.code)
    received_at = to_text(webhook.received_at)
    item = {
        "event_id": update.event_id,
        "aggregator": webhook.aggregator,
        "alias": webhook.alias,
        "body": base64.b64encode(webhook.body).decode(),
        "received_at": received_at,
    }
    waits: list[Write] = [waiting_write(webhook.client, name, received_at) for name in names]
    keeps: list[Write] = [Put(parked_key(webhook.client, name, update.event_id), item, NEW) for name in names]
    try:
        core.table.transact([*waits, *keeps])
    except ConditionFailedError as failed:
        if any(failed.refused(index) for index in range(len(waits))):
            return None
        return Known()  # parked before, and still waiting
    count("ParkedUpdate")
    return Parked()


def _waits_under(update: ShipmentUpdate, unclaimed: Unclaimed) -> Sequence[str]:
    """The names under which an update waits: its AWB, and where it is news of a return request, that one's reference.

    News of a request may come before the news that it was placed, which knows its reference and not its AWB.
    """
    request = update.is_return and update.forward_references
    return (unclaimed.names if request else unclaimed.names[:1]) or (NAMELESS,)
