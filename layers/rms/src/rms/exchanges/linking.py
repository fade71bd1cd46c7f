"""Which return a replacement order belongs to. Source: flows, section 6, step 2a.

Nobody publishes how a replacement order names its return, so that the name of the attribute is a setting. A shopper can
write attributes into a cart, but no tags: without the exchange tag an attribute is not believed. Shopify's own
exchanges need no link, they stand in the order itself; Returns Prime names the replacement order in its request.

Which items of the return are exchanged, and for which SKU, may stand in an attribute of its own, as
`ITEM=SKU; ITEM=SKU`. Where it does not, or cannot be read, all items of the return count as exchanged, for nobody knows
which SKU.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from rms.partners.reading import MAX_CODE
from rms.partners.shopify.order import Order, ShopReturn

LINK_ATTRIBUTE: Final = "rms_return_code"
"""The attribute that names the return, unless the client says otherwise."""

ITEMS_ATTRIBUTE: Final = "rms_exchange_items"
"""The attribute that says which items are exchanged for what, unless the client says otherwise."""

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
    return _attribute(link_attribute, attributes) if marked else ""


def named_items(items_attribute: str, attributes: Mapping[str, str]) -> dict[str, str] | None:
    """The SKUs for which items are exchanged, by item code; None where nobody says, or not so that it can be read."""
    told = _attribute(items_attribute, attributes)
    if not told or len(told) >= MAX_CODE:  # one that is as long may have been cut
        return None
    named: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in told.split(";"))):
        item_code, separator, sku = (part.strip() for part in pair.partition("="))
        if not item_code or not separator or not sku or item_code in named:
            return None
        named[item_code] = sku
    return named or None


def exchange_returns(order: Order) -> tuple[ShopReturn, ...]:
    """The returns of an order, as Shopify has them, in which something is exchanged and which are not called off."""
    return tuple(each for each in order.returns if each.exchange_lines and each.status not in _OVER)


def _attribute(wanted: str, attributes: Mapping[str, str]) -> str:
    found = (value for name, value in attributes.items() if name.casefold() == wanted.casefold())
    return next(found, "").strip()
