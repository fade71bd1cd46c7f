"""Which return a replacement order belongs to. Source: flows, section 6, step 2a.

Nobody publishes how a replacement order names its return, so that the name of the attribute is a setting. A shopper can
write attributes into a cart, but no tags: without the exchange tag an attribute is not believed. Shopify's own
exchanges need no link, they stand in the order itself; Returns Prime names the replacement order in its request.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from rms.partners.shopify.order import Order, ShopReturn

LINK_ATTRIBUTE: Final = "rms_return_code"
"""The attribute that names the return, unless the client says otherwise."""

_OVER: Final = frozenset({"DECLINED", "CANCELED"})


def named_return(exchange_tag: str, link_attribute: str, tags: Iterable[str], attributes: Mapping[str, str]) -> str:
    """The code of the return that an order replaces goods of; "" for an order that is no exchange or names none.

    Args:
        exchange_tag: custom tag 1; where there is none, no order is an exchange.
        link_attribute: the attribute that holds the code, in any case.
        tags: those of the order, or of a webhook about it.
        attributes: the same.
    """
    marked = bool(exchange_tag) and exchange_tag.casefold() in {tag.casefold() for tag in tags}
    named = (value for name, value in attributes.items() if name.casefold() == link_attribute.casefold())
    return next(named, "").strip() if marked else ""


def exchange_returns(order: Order) -> tuple[ShopReturn, ...]:
    """The returns of an order, as Shopify has them, in which something is exchanged and which are not called off."""
    return tuple(each for each in order.returns if each.exchange_lines and each.status not in _OVER)
