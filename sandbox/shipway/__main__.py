"""`python -m sandbox.shipway`: run a simulated Shipway until it is stopped."""

import argparse

from sandbox.server import serve_until_stopped
from sandbox.shipway.engine import Settings
from sandbox.shipway.sandbox import ShipwaySandbox


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox.shipway", description="A simulated Shipway.")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--email", default=usual.email)
    parser.add_argument("--licence-key", default=usual.licence_key)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--webhook-url", default="", help="where webhooks go; they wait until it is set")
    parser.add_argument("--webhook-header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--webhook-shape", choices=usual.choices()["webhook_shape"], default=usual.webhook_shape)
    parser.add_argument("--webhook-spacing", type=float, default=usual.webhook_spacing_seconds, help="seconds")
    parser.add_argument("--senders", type=int, default=1, help="webhooks under way at a time; 1 keeps their order")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with ShipwaySandbox(
        port=given.port,
        verbose=given.verbose,
        senders=given.senders,
        email=given.email,
        licence_key=given.licence_key,
        seed=given.seed,
        webhook_url=given.webhook_url,
        webhook_headers=dict(header.split("=", 1) for header in given.webhook_header),
        webhook_shape=given.webhook_shape,
        webhook_spacing_seconds=given.webhook_spacing,
    ) as shipway:
        serve_until_stopped(shipway.ready)


if __name__ == "__main__":
    main()
