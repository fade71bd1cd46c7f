"""An order as Shopify holds it, with its fulfilment orders, holds and returns. Source: Shopify guide, section 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rms.aggregators.reading import mapping, text, whole
from rms.partners.reading import MAX_CODE, code, rows

_PAGES: Final = {"lineItems": 100, "fulfillmentOrders": 20, "returns": 20}
"""How many of each the operation asks for: when as many come, there may be more."""

_LINES_OF_A_FULFILMENT_ORDER: Final = 50


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line: `quantity` as it was ordered, `current` what is left of it, `unfulfilled` what was not shipped yet."""

    id: str
    sku: str
    quantity: int
    current: int
    unfulfilled: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a fulfilment order. `by_us`: this app has set it; the handle is only told apart within an app."""

    id: str
    handle: str
    reason: str
    by_us: bool


@dataclass(frozen=True, slots=True)
class FulfilmentOrder:
    """What one location is to ship of an order. `actions` are what Shopify lets us do with it."""

    id: str
    status: str
    actions: frozenset[str]
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """Units that a return's shopper wants instead."""

    id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShopReturn:
    """A return as Shopify has it, which may bring an exchange with it."""

    id: str
    name: str
    status: str
    exchange_lines: tuple[ExchangeLine, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `whole` False: it is larger than what was read of it, so that nothing may be done on its strength."""

    id: str
    number: str
    name: str
    tags: tuple[str, ...]
    is_cancelled: bool
    attributes: Mapping[str, str]
    lines: tuple[LineItem, ...]
    fulfilment_orders: tuple[FulfilmentOrder, ...]
    returns: tuple[ShopReturn, ...]
    whole: bool

    def has_tag(self, tag: str) -> bool:
        """Whether the order bears a tag. Shopify does not tell upper case from lower case in tags."""
        return tag.strip().casefold() in {each.casefold() for each in self.tags}


def read(sent: Mapping[str, Any]) -> Order | str:
    """The order in a JSON object, or what is wrong with it."""
    found = code(sent.get("id"))
    if not found or not isinstance(sent.get("tags"), list):
        return "the order has no id or no tags"
    lines = [_line(each) for each in _nodes(sent, "lineItems")]
    fulfilment_orders = [_fulfilment_order(each) for each in _nodes(sent, "fulfillmentOrders")]
    # A list that is missing would look like one with nothing left in it to do.
    listed = all(isinstance(mapping(sent.get(name)).get("nodes"), list) for name in _PAGES)
    if "cancelledAt" not in sent or not listed or not all(lines) or not all(fulfilment_orders):
        return "the order does not say all that was asked for"
    return Order(
        id=found,
        number=code(sent.get("legacyResourceId")),
        name=text(sent.get("name")),
        tags=tuple(text(each, MAX_CODE) for each in sent["tags"]),
        is_cancelled=sent["cancelledAt"] is not None,
        attributes={
            text(pair.get("key"), MAX_CODE): text(pair.get("value"), MAX_CODE)
            for pair in map(mapping, rows(sent.get("customAttributes")))
        },
        lines=tuple(line for line in lines if line),
        fulfilment_orders=tuple(each for each in fulfilment_orders if each),
        returns=tuple(_return(each) for each in _nodes(sent, "returns")),
        whole=all(len(_nodes(sent, name)) < most for name, most in _PAGES.items())
        and all(
            len(_nodes(each, "lineItems")) < _LINES_OF_A_FULFILMENT_ORDER for each in _nodes(sent, "fulfillmentOrders")
        ),
    )


def _nodes(sent: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [mapping(each) for each in rows(mapping(sent.get(name)).get("nodes"))]


def _line(sent: Mapping[str, Any]) -> LineItem | None:
    counts = [whole(sent.get(name)) for name in ("quantity", "currentQuantity", "unfulfilledQuantity")]
    found = code(sent.get("id"))
    if not found or any(count is None or count < 0 for count in counts):
        return None
    quantity, current, unfulfilled = (count or 0 for count in counts)
    return LineItem(found, code(sent.get("sku")), quantity, current, unfulfilled)


def _fulfilment_order(sent: Mapping[str, Any]) -> FulfilmentOrder | None:
    if not isinstance(sent.get("fulfillmentHolds"), list):
        return None
    held = [mapping(each) for each in sent["fulfillmentHolds"]]
    holds = tuple(
        Hold(code(each.get("id")), text(each.get("handle")), text(each.get("reason")), by_us)
        for each in held
        if isinstance(by_us := each.get("heldByRequestingApp"), bool) and code(each.get("id"))
    )
    found = code(sent.get("id"))
    if not found or len(holds) < len(held):
        return None
    actions = frozenset(text(mapping(each).get("action")) for each in rows(sent.get("supportedActions")))
    return FulfilmentOrder(found, text(sent.get("status")), actions, holds)


def _return(sent: Mapping[str, Any]) -> ShopReturn:
    lines = tuple(
        ExchangeLine(code(each.get("id")), whole(each.get("quantity")) or 0)
        for each in _nodes(sent, "exchangeLineItems")
    )
    return ShopReturn(code(sent.get("id")), text(sent.get("name")), text(sent.get("status")), lines)
