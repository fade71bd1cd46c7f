"""`make run` and `make demo`: RMS on a local AWS, with simulated partners and a client that is ready to go."""

import argparse
import json
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from typing import Final

from local.aggregators import OTHERS
from local.apps import join_returns_prime
from local.bodies import a_return
from local.demo import play
from local.onboarding import CallRefused, Client, onboard, open_shop
from local.partners import Partner, partners
from local.processes import DidNotStart
from local.stack import DeployFailed, Stack, local_stack
from local.steps import say, step

CLIENT: Final = "kaveri-looms"


def main() -> int:
    """Bring everything up; then play the flows and leave (`--demo`), or stay until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="play the flows, then stop")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        with local_stack("demo" if given.demo else "run") as stack, partners(stack.folder) as simulated:
            with step("Making a client ready, by the operator's API calls"):
                clickpost, receiver = simulated["clickpost"], simulated["receiver"]
                client = onboard(stack, clickpost, receiver, client=CLIENT, name="Kaveri Looms")
                for aggregator in OTHERS:
                    aggregator.join(stack, client, simulated[aggregator.partner])
                join_returns_prime(stack, client, simulated["returns_prime"])
                open_shop(stack, client, simulated["shopify"])
            well = play(stack, simulated, client)
            if not well:
                stack.print_logs()
            if given.demo:
                say(f"== {'All flows ended well' if well else 'FAILED'} after {time.monotonic() - started:.0f} s")
                return 0 if well else 1
            _stay(stack, simulated, client)
    except KeyboardInterrupt:
        say("\n== Stopped")
        return 0 if not given.demo else 130
    except (DidNotStart, DeployFailed, CallRefused) as failure:
        say(f"== FAILED: {failure}")
        return 1
    return 0


def _stay(stack: Stack, simulated: Mapping[str, Partner], client: Client) -> None:
    credentials = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in client.headers.items())
    body = stack.folder / "return.json"
    body.write_text(json.dumps(a_return("MY-1", "main"), indent=2))
    say("")
    say("== RMS is up. Ctrl-C ends it.")
    say(f"   API        {stack.api_url}")
    say(f"   AWS        {stack.endpoint_url}   (any service, any credentials)")
    for name, partner in simulated.items():
        what = "what the client heard: /sandbox/returns" if name == "receiver" else "steer it: sandbox/README.md"
        say(f"   {name.title():<10} {partner.urls['url']}   ({what})")
    for who, headers in ((f"client {client.name}", client.headers), ("operator", client.operator)):
        say(f"   As the {who}:")
        for name, value in headers.items():
            say(f"     {name}: {value}")
    say("   Place a return, then read it with its timeline:")
    call = f"curl -sS {credentials} -H 'content-type: application/json'"
    say(f"     {call} -d @{body} {stack.api_url}/return/create")
    say(f"     curl -sS {credentials} {stack.api_url}/return/return-orders/MY-1")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
