"""Queue `deliveries`: tell an endpoint, in order, what is new about a return; of a batch, many at the same time."""

from typing import Any

from rms.composition import core
from rms.core import Core
from rms.journal import AggregateId
from rms.notifications import deliver_notifications
from rms.platform.worker import queue_worker


def deliver(rms: Core, message: dict[str, Any]) -> None:
    """One message: the endpoint and the return."""
    aggregate = AggregateId(message["client"], message["kind"], message["code"])
    deliver_notifications(rms, aggregate, message["endpoint"])


handler = queue_worker(core, deliver, at_once=lambda rms: rms.at_once)
