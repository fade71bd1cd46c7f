"""POST /rms/in/api/returns-prime/notify/{secret}: take Returns Prime's webhooks, whole, for the key's client."""

from rms.clients.webhooks import webhook_sender
from rms.composition import core
from rms.platform.webhook import aggregator_webhook

# Returns Prime signs nothing, so the key is the last part of the URL that it is given, and a webhook only says which
# request to read through its API. Source: Returns Prime guide, section 4.
handler = aggregator_webhook(core, "RETURNS_PRIME", (), webhook_sender, key_parameter="secret", task="request")
