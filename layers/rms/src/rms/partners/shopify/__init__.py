"""Shopify's GraphQL Admin API, as far as the exchange flow needs it, and its order webhooks. Source: Shopify guide.

A connection, as configuration (`Connection.options`, all text):

| option        | must | what                                                                         |
| ------------- | ---- | ---------------------------------------------------------------------------- |
| `shop`        | yes  | the shop's own domain: `name.myshopify.com`                                  |
| `api_version` | no   | a quarter, such as `2026-07`, which is meant unless given                    |
| `base_url`    | no   | `https://{shop}` unless given; for tests                                     |

`Connection.secrets` holds `access_token`, `webhook_secret` (the app's client secret) and, for an hour after that was
rotated, `old_webhook_secret`. `check_connection` says what is wrong with a connection before it is saved.
"""

from rms.partners.shopify.answers import (
    CalculatedLine,
    CancelTaken,
    Done,
    Edit,
    read_cancelled,
    read_edit,
    read_hold,
    read_order,
    read_written,
)
from rms.partners.shopify.connection import Settings, check_connection
from rms.partners.shopify.order import ExchangeLine, FulfilmentOrder, Hold, LineItem, Order, ShopReturn
from rms.partners.shopify.requests import (
    add_tag,
    begin_edit,
    cancel_order,
    commit_edit,
    hold,
    order_gid,
    read_order_again,
    release_holds,
    remove_tag,
    set_quantity,
    subscribe,
)
from rms.partners.shopify.webhook import SIGNATURE, OrderNotice, Topic, proves_sender, read_webhook

__all__ = [
    "SIGNATURE",
    "CalculatedLine",
    "CancelTaken",
    "Done",
    "Edit",
    "ExchangeLine",
    "FulfilmentOrder",
    "Hold",
    "LineItem",
    "Order",
    "OrderNotice",
    "Settings",
    "ShopReturn",
    "Topic",
    "add_tag",
    "begin_edit",
    "cancel_order",
    "check_connection",
    "commit_edit",
    "hold",
    "order_gid",
    "proves_sender",
    "read_cancelled",
    "read_edit",
    "read_hold",
    "read_order",
    "read_order_again",
    "read_webhook",
    "read_written",
    "release_holds",
    "remove_tag",
    "set_quantity",
    "subscribe",
]
