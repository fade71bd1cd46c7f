"""What a Shopify store tells of its orders: which of them replaces goods of a return, and which is cancelled.

A change that concerns no exchange is counted and goes no further: in the vendor's flow it goes from Shopify to the OMS
through the Shopify integration, past RMS. Source: flows, section 6, steps 6 and 7.

The same news again changes nothing: an order is linked once and cancelled once, and the event of each bears its number.
"""

from collections.abc import Mapping
from typing import Final

from rms.clients.configuration import ConfiguredStore, configuration_of
from rms.clients.stores import exchange_settings
from rms.core import Core
from rms.exchanges import named_items, named_return
from rms.partners.shopify import OrderNotice, Topic, read_webhook
from rms.platform.observability import count, logger
from rms.returns.replacing import Replacement, link_exchange, note_cancelled

BY_SHOP: Final = "SHOPIFY"
_TOPICS: Final = frozenset(topic.value for topic in Topic if topic is not Topic.OTHER)


def take_shop_notice(core: Core, client: str, alias: str, headers: Mapping[str, str], body: bytes) -> None:
    """Act on a webhook whose sender is proven; header names in lower case.

    Raises:
        UnreadableNoticeError: it is about an order and cannot be read; it stays whole in the dead-letter queue.
        TableContendedError: others kept changing the return: the queue brings it again.
    """
    if headers.get("x-shopify-topic", "").strip().lower() not in _TOPICS:
        count("ShopNoticeUnused")
        return
    store = _store(core, client, alias)
    if store is None:
        logger.warning("shop notice of a store that is gone", client=client, store=alias)
        return
    notice = read_webhook(headers, body)
    concerns = _links(core, client, store, notice)
    if notice.is_cancelled:
        # By what is signed, and not by the topic, which is not.
        note_cancelled(core, client, alias, notice.order_id)
    if not (concerns or notice.is_cancelled):
        count("ShopNoticeUnused")


def _links(core: Core, client: str, store: ConfiguredStore, notice: OrderNotice) -> bool:
    settings = exchange_settings(store)
    code = named_return(settings.exchange_tag, settings.link_attribute, notice.tags, notice.attributes)
    if not code:
        return False
    items = named_items(settings.items_attribute, notice.attributes)
    link_exchange(core, client, code, Replacement(notice.order_id, BY_SHOP, store.alias, items))
    return True


def _store(core: Core, client: str, alias: str) -> ConfiguredStore | None:
    """The store; read anew where what is remembered may be older than it."""
    store = configuration_of(core, client).stores.get(alias)
    if store is None:
        core.memory.forget(f"configuration:{client}")
        store = configuration_of(core, client).stores.get(alias)
    return store
