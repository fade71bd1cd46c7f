"""A Shopify shop as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from typing import Any

from sandbox.partner import steered_calls
from sandbox.server import Control, newest
from sandbox.serving import AggregatorSandbox
from sandbox.shopify.engine import Settings, ShopifyEngine


class ShopifySandbox(AggregatorSandbox[ShopifyEngine]):
    """A simulated shop on 127.0.0.1; `base_url` stands for `https://{shop}`.

    Keyword arguments besides these are those of `Settings`.
    """

    partner = "shopify"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        engine = ShopifyEngine(Settings().changed(settings))
        super().__init__(engine, control(engine), port=port, verbose=verbose, senders=senders)


def control(engine: ShopifyEngine) -> Control:
    """The control API of one shop."""
    return steered_calls(
        engine,
        {
            "GET orders": lambda values: newest([order.describe() for order in engine.orders()], values),
            "GET orders/*": lambda number, _: engine.order(number).describe(),
            "POST orders": lambda values: engine.place(**values).describe(),
            "POST orders/*/ship": lambda number, values: engine.ship(number, values.get("sku")),
            "POST orders/*/tags": lambda number, values: engine.tag(number, [str(tag) for tag in values["tags"]]),
            "POST orders/*/hold": lambda number, values: engine.hold(
                number, str(values["handle"]), by_us=values.get("by_us") is not False
            ),
            "POST orders/*/cancel": lambda number, _: engine.cancel(number),
        },
    )
