"""`python -m sandbox.clickpost`: run a simulated Clickpost until it is stopped."""

import argparse

from sandbox.clickpost.sandbox import ClickpostSandbox
from sandbox.clickpost.settings import Settings
from sandbox.server import serve_until_stopped


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox.clickpost", description="A simulated Clickpost.")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--username", default=usual.username)
    parser.add_argument("--key", default=usual.key)
    parser.add_argument("--base-path", default=usual.base_path, help="stands for /api of the live host")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--webhook-url", default="", help="where webhooks go; they wait until it is set")
    parser.add_argument("--webhook-key", default=usual.webhook_key)
    parser.add_argument("--webhook-authorization", default="", help="sent as Authorization instead of the key")
    parser.add_argument("--webhook-header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--webhook-shape", choices=("all", "selected"), default="all")
    parser.add_argument("--webhook-tries", type=int, default=usual.webhook_tries)
    parser.add_argument("--webhook-spacing", type=float, default=usual.webhook_spacing_seconds, help="seconds")
    parser.add_argument("--senders", type=int, default=1, help="webhooks under way at a time; 1 keeps their order")
    parser.add_argument("--async", dest="asynchronous", action="store_true", help="book asynchronously")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with ClickpostSandbox(
        port=given.port,
        verbose=given.verbose,
        senders=given.senders,
        username=given.username,
        key=given.key,
        base_path=given.base_path,
        seed=given.seed,
        webhook_url=given.webhook_url,
        webhook_key=given.webhook_key,
        webhook_authorization=given.webhook_authorization,
        webhook_headers=dict(header.split("=", 1) for header in given.webhook_header),
        webhook_shape=given.webhook_shape,
        webhook_tries=given.webhook_tries,
        webhook_spacing_seconds=given.webhook_spacing,
        asynchronous=given.asynchronous,
    ) as clickpost:
        serve_until_stopped(clickpost.ready)


if __name__ == "__main__":
    main()
