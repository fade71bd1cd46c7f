"""Flow 1: a return that a shopper placed at the aggregator is created from the aggregator's webhook."""

import hashlib
from collections.abc import Sequence

from rms.aggregators.contract import AnnouncedReturn
from rms.clients.configuration import Configuration
from rms.core import Core
from rms.journal import AggregateId, Blocked, Created, Event, EventKind, Exists
from rms.journal.keys import forward_key, return_id
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnItem, ReturnOrder
from rms.platform.table import NEW, Put, Value, Write
from rms.returns.create import first_status
from rms.shipments.claims import Claims, watch_for
from rms.shipments.starting import listed_document
from rms.shipments.tracking import Announcement, Recorded, Recording, last_heard
from rms.shipments.wake import wake_tellers


def create_announced_return(
    core: Core, configuration: Configuration, announcement: Announcement
) -> Recording | AggregateId | None:
    """Create the return that a webhook announces.

    The return, when there is one of that code already: the news is one of its events. None when somebody claimed its
    names meanwhile: look again.

    Source: flows, section 1; ClickPost guide, section 17.
    """
    update, webhook = announcement.update, announcement.webhook
    assert update.announces is not None
    order = _order(update.announces, update.forward_references)
    aggregate = return_id(configuration.client, order.code)
    facts: dict[str, Value] = {"aggregator": webhook.aggregator, "raw_code": update.scan.raw.code}
    first = Event(
        event_id=update.event_id,
        kind=EventKind.PLACED,
        occurred_at=min(update.scan.occurred_at, webhook.received_at),
        received_at=webhook.received_at,
        notification=NotificationType.RETURN_ORDER_PLACED,
        facts=facts | ({"metadata": dict(update.metadata)} if update.metadata else {}),
    )
    status: dict[str, Value] = first_status(core) | {"aggregator": webhook.aggregator}
    if update.awb:
        status |= {"awb": update.awb, **last_heard(status, update, webhook.source)}
    names = [known for known in (update.awb, *update.references, order.code) if known]
    claims = Claims(aggregate, webhook.aggregator, names, watch_for(core, webhook.aggregator, update.awb))
    forwards: list[Write] = [
        Put(
            forward_key(configuration.client, reference, order.code),
            {"code": order.code, "unnamed": update.announces.code is None},
            NEW,
        )
        for reference in dict.fromkeys(update.forward_references)
    ]
    while True:
        match core.journal.create(
            aggregate,
            listed_document(core, aggregate, order),
            status,
            first,
            readers=configuration.readers,
            also=[*claims.writes, *forwards],
        ):
            case Created(readers=readers):
                wake_tellers(core, aggregate, readers)
                claims.wake(core)
                return Recorded()
            case Exists():
                return aggregate
            case Blocked(index=index, current=current):
                if index >= len(names) or not claims.give_way(index, current):
                    return None


def _order(announced: AnnouncedReturn, forward_references: Sequence[str]) -> ReturnOrder:
    """One unit per item, as everywhere in RMS; codes run on so that each is unique in the return."""
    items = tuple(
        ReturnItem(
            item_code=f"{line.item_id or line.sku}_{number}",
            sku=line.sku,
            reason=line.reason,
            name=line.name,
            image_url=line.image_url,
        )
        for line in announced.items
        for number in range(1, line.quantity + 1)
    )
    code = announced.code or _derived_code(announced, forward_references)
    return ReturnOrder(code=code, forward_order_code=announced.forward_order_code, items=items)


def _derived_code(announced: AnnouncedReturn, forward_references: Sequence[str]) -> str:
    """A code for older webhooks that carry none: the same forward parcel and SKUs always give the same."""
    told = "\n".join([announced.forward_order_code, *forward_references, *(line.sku for line in announced.items)])
    return f"ANN-{hashlib.sha256(told.encode()).hexdigest()[:16].upper()}"
