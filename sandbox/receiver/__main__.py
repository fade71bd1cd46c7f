"""`python -m sandbox.receiver`: run a client's endpoints until stopped."""

import argparse

from sandbox.receiver.sandbox import ReceiverSandbox
from sandbox.server import serve_until_stopped


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.receiver", description="A client's endpoints.")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--secret", action="append", default=[], metavar="ENDPOINT=whsec_…", help="check signatures")
    parser.add_argument("--expect-header", action="append", default=[], metavar="ENDPOINT:NAME=VALUE", help="else 401")
    parser.add_argument("--verbose", action="store_true", help="one line per request, without personal data")
    given = parser.parse_args()
    with ReceiverSandbox(port=given.port, verbose=given.verbose) as receiver:
        secrets: dict[str, list[str]] = {}
        for pair in given.secret:
            name, _, secret = pair.partition("=")
            secrets.setdefault(name, []).append(secret)
        for name, found in secrets.items():
            receiver.engine.set_endpoint(name, secrets=tuple(found))
        expected: dict[str, dict[str, str]] = {}
        for pair in given.expect_header:
            name, _, header = pair.partition(":")
            key, _, value = header.partition("=")
            expected.setdefault(name, {})[key] = value
        for name, headers in expected.items():
            receiver.engine.set_endpoint(name, expected_headers=headers)
        serve_until_stopped(receiver.ready)


if __name__ == "__main__":
    main()
