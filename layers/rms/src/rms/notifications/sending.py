"""Sending: one message to one endpoint, signed, and what its answer means. Keeps nothing."""

import json
from dataclasses import dataclass, replace

from rms.clients.configuration import Endpoint, secret_context
from rms.core import Core
from rms.notifications.credentials import fresh_headers
from rms.notifications.judgement import Unauthorized, Verdict
from rms.notifications.outgoing import Outgoing
from rms.notifications.payloads import Preferences
from rms.notifications.sinks import webhook
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.times import to_text


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it. `endpoint` has the headers that were used last: the client may have given us fresh ones."""

    answer: HttpAnswer | NoAnswer
    judgement: Verdict
    endpoint: Endpoint


def send(core: Core, client: str, endpoint: Endpoint, message: Outgoing) -> Sent:
    """Send a message; where the client offers a credential API, a 401 is answered with fresh headers, once."""
    sent = _send(core, client, endpoint, message)
    if isinstance(sent.judgement, Unauthorized) and endpoint.credential_url is not None:
        fresh = fresh_headers(core, client, endpoint)
        if fresh is not None:
            return _send(core, client, fresh, message)
    return sent


def _send(core: Core, client: str, endpoint: Endpoint, message: Outgoing) -> Sent:
    request = message.build(_opened(core, client, endpoint), core.clock())
    if message.test:
        request = replace(request, headers={**request.headers, "webhook-test": "true"})
    answer = core.http.send(request)
    return Sent(answer, message.judge(answer, core.clock()), endpoint)


def _opened(core: Core, client: str, endpoint: Endpoint) -> webhook.Endpoint:
    """The endpoint with its secrets in the clear. A secret that was rotated out signs on until its time is up."""
    context = secret_context(client, f"ENDPOINT#{endpoint.id}")
    now = to_text(core.clock())
    secrets = json.loads(core.secrets.unseal(endpoint.sealed_secrets, context))
    return webhook.Endpoint(
        url=endpoint.url,
        secrets=[each["secret"] for each in secrets if each["until"] is None or each["until"] > now],
        headers=json.loads(core.secrets.unseal(endpoint.sealed_headers, context)),
        preferences=Preferences(with_sequence=endpoint.sequence, dropped_metadata=frozenset(endpoint.dropped_metadata)),
    )
