"""Every minute: send whatever is due to its queue. What makes a crash anywhere harmless."""

from typing import Any

from rms.composition import core
from rms.journal.due import sweep_due_work
from rms.platform.events import Event, at_init, observed

at_init(core)


def handler(event: Event, _context: Any) -> dict[str, int]:
    """How many messages each queue got."""
    with observed("sweep", event.get("id")):
        sent = sweep_due_work(core().table, core().queues, core().clock)
        return {str(queue): messages for queue, messages in sent.items()}
