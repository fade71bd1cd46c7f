"""`python -m sandbox.generic`: run a simulated aggregator of the generic contract until it is stopped."""

import argparse

from sandbox.generic.engine import Settings
from sandbox.generic.sandbox import GenericSandbox
from sandbox.server import serve_until_stopped


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox.generic", description="A simulated generic aggregator.")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--name", default=usual.name, help="the name under which it is registered at RMS")
    parser.add_argument("--key", default=usual.key, help="what RMS must send as X-Api-Key")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--webhook-url", default="", help="RMS's Push Notification; pushes wait until it is set")
    parser.add_argument("--webhook-header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--auth-username", default=usual.auth_username)
    parser.add_argument("--auth-password", default=usual.auth_password)
    parser.add_argument("--auth-domain", default=usual.auth_domain)
    parser.add_argument("--webhook-spacing", type=float, default=usual.webhook_spacing_seconds, help="seconds")
    parser.add_argument("--senders", type=int, default=1, help="pushes under way at a time; 1 keeps their order")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with GenericSandbox(
        port=given.port,
        verbose=given.verbose,
        senders=given.senders,
        name=given.name,
        key=given.key,
        seed=given.seed,
        webhook_url=given.webhook_url,
        webhook_headers=dict(header.split("=", 1) for header in given.webhook_header),
        auth_username=given.auth_username,
        auth_password=given.auth_password,
        auth_domain=given.auth_domain,
        webhook_spacing_seconds=given.webhook_spacing,
    ) as generic:
        serve_until_stopped(generic.ready)


if __name__ == "__main__":
    main()
