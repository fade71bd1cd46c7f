"""A simulated Shopify shop: `ShopifySandbox` speaks HTTP, `ShopifyEngine` is the same behaviour without sockets."""

from sandbox.shopify.engine import Settings, ShopifyEngine
from sandbox.shopify.sandbox import ShopifySandbox

__all__ = ["Settings", "ShopifyEngine", "ShopifySandbox"]
