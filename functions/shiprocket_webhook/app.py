"""POST /rms/in/api/st/notify: take Shiprocket's webhooks, whole, for the account whose key they carry."""

from rms.clients.webhooks import webhook_sender
from rms.composition import core
from rms.platform.webhook import aggregator_webhook

# Typed into Shiprocket's panel as a token, it comes in `x-api-key`; some integrations meet the misspelt twin. The path
# holds none of the words that Shiprocket refuses in a URL. Source: Shiprocket guide, section 8.
handler = aggregator_webhook(core, "SHIPROCKET", ("x-api-key", "anx-api-key"), webhook_sender)
