"""Queue `inbound`: raw webhooks become events of the returns they are about; parked ones are applied."""

import base64
from typing import Any

from rms.composition import core
from rms.core import Core
from rms.platform.times import from_text
from rms.platform.worker import BadMessageError, queue_worker
from rms.returns import create_announced_return, take_shop_notice
from rms.shipments import Webhook, drain_parked, record_shipment_events


def record(rms: Core, message: dict[str, Any]) -> None:
    """One message: a webhook of an aggregator or a shop to record, or an AWB whose waiting events are to be applied."""
    match message:
        case {"task": "record", "client": client, "alias": alias, "aggregator": aggregator}:
            body, received_at = base64.b64decode(message["body"]), from_text(message["received_at"])
            webhook = Webhook(client, aggregator, alias, body, received_at)
            record_shipment_events(rms, webhook, create_announced_return)
        case {"task": "shop_notice", "client": client, "alias": alias, "headers": headers}:
            take_shop_notice(rms, client, alias, headers, base64.b64decode(message["body"]))
        case {"task": "drain", "client": client, "awb": awb}:
            drain_parked(rms, client, awb)
        case _:
            raise BadMessageError("neither a webhook nor an AWB")


handler = queue_worker(core, record)
