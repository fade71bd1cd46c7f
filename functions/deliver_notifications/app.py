"""Queue `deliveries`: tell an endpoint what is new about a return; look after an endpoint, or a replay to it."""

from typing import Any

from rms import notifications
from rms.composition import core
from rms.core import Core
from rms.journal import AggregateId
from rms.notifications import attend_endpoint, deliver_notifications
from rms.platform.worker import queue_worker


def deliver(rms: Core, message: dict[str, Any]) -> None:
    """One message: the endpoint and the return, the endpoint alone, or a replay to it."""
    client, endpoint = message["client"], message["endpoint"]
    match message.get("task"):
        case "endpoint":
            attend_endpoint(rms, client, endpoint)
        case "replay":
            # Named through the package, which loads it now: few wake-ups are about a replay.
            notifications.continue_replay(rms, client, endpoint, message["replay"])
        case None:
            deliver_notifications(rms, AggregateId(client, message["kind"], message["code"]), endpoint)


handler = queue_worker(core, deliver, at_once=lambda rms: rms.at_once)
