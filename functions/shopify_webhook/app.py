"""POST /rms/in/api/shopify/notify/{client}/{alias}: take a shop's webhooks, whole, if that shop has signed them."""

from rms.clients.stores import webhook_signer
from rms.composition import core
from rms.platform.webhook import signed_webhook

# Nothing of the headers is signed: they are hints. Source: Shopify guide, section 3.
handler = signed_webhook(
    core, "shop_notice", webhook_signer, ("x-shopify-topic", "x-shopify-event-id", "x-shopify-webhook-id")
)
