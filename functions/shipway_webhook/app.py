"""POST /rms/in/api/shipway/notify/{secret}: take Shipway's webhooks, whole, for the account whose key is in the URL."""

from rms.clients.webhooks import webhook_sender
from rms.composition import core
from rms.platform.webhook import aggregator_webhook

# Nothing is known that Shipway could be made to send as proof, so the key is the last part of the URL that it is given,
# and what it says is confirmed by tracking before it is believed. Source: Shipway guide, section 8.
handler = aggregator_webhook(core, "SHIPWAY", (), webhook_sender, key_parameter="secret")
