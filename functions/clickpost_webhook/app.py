"""POST /rms/in/api/clickpost/notify: take Clickpost's webhooks, whole, for the account whose key they carry."""

from rms.clients.webhooks import webhook_sender
from rms.composition import core
from rms.platform.webhook import aggregator_webhook

# The key comes in `webhook_key`; or in `Authorization`, exactly as typed into Clickpost's dashboard. Proxies drop
# header names with underscores, hence the twin. Source: ClickPost guide, section 13.
handler = aggregator_webhook(core, "CLICKPOST", ("webhook_key", "webhook-key", "authorization"), webhook_sender)
