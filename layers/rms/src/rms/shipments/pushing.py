"""Push Notification: what an aggregator of the generic contract reports, checked and queued like a webhook.

Source: RMS API contract, section 12.
"""

import base64

from rms.aggregators import registry
from rms.aggregators.generic.push import problems_with
from rms.clients.configuration import configuration_of
from rms.core import Core
from rms.platform.errors import BadDataError
from rms.platform.json import parse_object
from rms.platform.observability import correlation_id
from rms.platform.times import to_text


def take_push(core: Core, client: str, body: bytes) -> None:
    """Take one report, whole, for the client whose aggregator sent it.

    Raises:
        BadDataError: all that is wrong with it.
        QueueUnavailableError: not taken; the aggregator sends it again.
    """
    sent = parse_object(body)
    problems = problems_with(sent)
    name = sent.get("logisticAggregatorName")
    accounts = configuration_of(core, client).accounts.values()
    alias = min((account.alias for account in accounts if account.aggregator == name), default=None)
    if isinstance(name, str) and name and (alias is None or name in registry.KNOWN):
        problems.append("logisticAggregatorName: must be an aggregator of the generic contract with an account here")
    if problems or alias is None:
        raise BadDataError(f"[{', '.join(problems)}]")
    message = {
        "task": "record",
        "client": client,
        "alias": alias,
        "aggregator": str(name),
        "received_at": to_text(core.clock()),
        "body": base64.b64encode(body).decode(),
        "correlation": correlation_id(),
    }
    core.queues.send("inbound", [message])
