"""`python -m sandbox.<partner>`: what the command lines of the simulated aggregators share."""

import argparse
from collections.abc import Callable
from typing import Any

from sandbox.partner import PartnerSettings
from sandbox.server import serve_until_stopped
from sandbox.serving import AggregatorSandbox


def options(partner: str, description: str, usual: PartnerSettings) -> argparse.ArgumentParser:
    """The options that every aggregator has. A further one is a setting of the aggregator's, by its name."""
    parser = argparse.ArgumentParser(prog=f"python -m sandbox.{partner}", description=description)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: a free port")
    add("--seed", type=int, default=usual.seed)
    add("--webhook-url", default="", help="where webhooks go; they wait until it is set")
    add("--webhook-header", dest="webhook_headers", action="append", default=[], metavar="NAME=VALUE")
    add("--webhook-spacing", dest="webhook_spacing_seconds", type=float, default=usual.webhook_spacing_seconds)
    add("--senders", type=int, default=1, help="webhooks under way at a time; 1 keeps their order")
    add("--verbose", action="store_true", help="one line per request, without personal data")
    return parser


def serve(sandbox: Callable[..., AggregatorSandbox[Any]], parser: argparse.ArgumentParser) -> None:
    """Serve with what the command line says, until stopped; print one JSON line with the URLs when ready."""
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    given["webhook_headers"] = dict(header.split("=", 1) for header in given["webhook_headers"])
    with sandbox(**given) as partner:
        serve_until_stopped(partner.ready)
