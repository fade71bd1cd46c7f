"""Queue `inbound`: raw webhooks become events of the returns they are about; parked ones are applied."""

import base64
from typing import Any

from rms import returns
from rms.composition import core
from rms.core import Core
from rms.platform.times import from_text
from rms.platform.worker import BadMessageError, queue_worker
from rms.returns import create_announced_return
from rms.shipments import Webhook, drain_parked, record_shipment_events


def record(rms: Core, message: dict[str, Any]) -> None:
    """One message: a webhook of an aggregator, a returns app or a shop, or an AWB whose events wait."""
    match message:  # what few clients have is loaded when one of them needs it
        case {"task": "record", "client": client, "alias": alias, "aggregator": aggregator}:
            body, received_at = base64.b64decode(message["body"]), from_text(message["received_at"])
            webhook = Webhook(client, aggregator, alias, body, received_at)
            record_shipment_events(rms, webhook, create_announced_return)
        case {"task": "request", "client": client}:
            body, received_at = base64.b64decode(message["body"]), from_text(message["received_at"])
            returns.record_request(rms, client, body, received_at)
        case {"task": "shop_notice", "client": client, "alias": alias, "headers": headers}:
            returns.take_shop_notice(rms, client, alias, headers, base64.b64decode(message["body"]))
        case {"task": "drain", "client": client, "awb": awb}:
            drain_parked(rms, client, awb)
        case _:
            raise BadMessageError("neither a webhook nor an AWB")


handler = queue_worker(core, record)
