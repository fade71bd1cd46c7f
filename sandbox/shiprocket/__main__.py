"""`python -m sandbox.shiprocket`: run a simulated Shiprocket until it is stopped."""

import argparse

from sandbox.server import serve_until_stopped
from sandbox.shiprocket.sandbox import ShiprocketSandbox
from sandbox.shiprocket.settings import Settings


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox.shiprocket", description="A simulated Shiprocket.")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--email", default=usual.email)
    parser.add_argument("--password", default=usual.password)
    parser.add_argument("--pickup-location", action="append", metavar="NICKNAME", help="of a warehouse that exists")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--webhook-url", default="", help="where webhooks go; they wait until it is set")
    parser.add_argument("--webhook-token", default=usual.webhook_token)
    parser.add_argument("--webhook-token-header", choices=usual.choices()["webhook_token_header"], default="x-api-key")
    parser.add_argument("--webhook-header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--webhook-spacing", type=float, default=usual.webhook_spacing_seconds, help="seconds")
    parser.add_argument("--senders", type=int, default=1, help="webhooks under way at a time; 1 keeps their order")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with ShiprocketSandbox(
        port=given.port,
        verbose=given.verbose,
        senders=given.senders,
        email=given.email,
        password=given.password,
        pickup_locations=tuple(given.pickup_location or usual.pickup_locations),
        seed=given.seed,
        webhook_url=given.webhook_url,
        webhook_token=given.webhook_token,
        webhook_token_header=given.webhook_token_header,
        webhook_headers=dict(header.split("=", 1) for header in given.webhook_header),
        webhook_spacing_seconds=given.webhook_spacing,
    ) as shiprocket:
        serve_until_stopped(shiprocket.ready)


if __name__ == "__main__":
    main()
