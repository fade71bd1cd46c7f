"""Queue `deliveries`: tell an endpoint, in order, what is new about a return; look after an endpoint that needs it."""

from typing import Any

from rms.composition import core
from rms.core import Core
from rms.journal import AggregateId
from rms.notifications import attend_endpoint, deliver_notifications
from rms.platform.worker import queue_worker


def deliver(rms: Core, message: dict[str, Any]) -> None:
    """One message: the endpoint and the return, or the endpoint alone."""
    client, endpoint = message["client"], message["endpoint"]
    match message.get("task"):
        case "endpoint":
            attend_endpoint(rms, client, endpoint)
        case None:
            deliver_notifications(rms, AggregateId(client, message["kind"], message["code"]), endpoint)


handler = queue_worker(core, deliver, at_once=lambda rms: rms.at_once)
