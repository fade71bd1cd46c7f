"""`python -m sandbox.shopify`: run a simulated Shopify shop until it is stopped."""

from sandbox.commands import options, serve
from sandbox.shopify.engine import Settings
from sandbox.shopify.sandbox import ShopifySandbox


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("shopify", "A simulated Shopify shop.", usual)
    parser.add_argument("--shop", default=usual.shop, help="the shop's own domain")
    parser.add_argument("--access-token", default=usual.access_token)
    parser.add_argument("--webhook-secret", default=usual.webhook_secret, help="the app's client secret")
    serve(ShopifySandbox, parser)


if __name__ == "__main__":
    main()
