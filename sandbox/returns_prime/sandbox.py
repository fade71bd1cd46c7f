"""Returns Prime as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from collections.abc import Mapping
from typing import Any

from sandbox.partner import steered_calls
from sandbox.returns_prime.engine import ReturnsPrimeEngine, Settings
from sandbox.server import Control, newest
from sandbox.serving import AggregatorSandbox


class ReturnsPrimeSandbox(AggregatorSandbox[ReturnsPrimeEngine]):
    """A simulated Returns Prime on 127.0.0.1; `base_url` stands for `https://admin.returnprime.com`.

    Keyword arguments besides these are those of `Settings`.
    """

    partner = "returns_prime"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        engine = ReturnsPrimeEngine(Settings().changed(settings))
        super().__init__(engine, control(engine), port=port, verbose=verbose, senders=senders)


def control(engine: ReturnsPrimeEngine) -> Control:
    """The control API of one account."""
    return steered_calls(
        engine,
        {
            "GET asked": lambda values: newest(engine.described(), values),
            "GET asked/*": lambda found, _: engine.request(found),
            "POST asked": engine.place,
            "POST asked/*/advance": lambda found, values: _advance(engine, found, values),
            "POST asked/*/ship": lambda found, values: _ship(engine, found, values),
            "POST asked/*/tell": lambda found, values: engine.tell(found, str(values["topic"])),
        },
    )


def _advance(engine: ReturnsPrimeEngine, found: str, values: Mapping[str, Any]) -> Any:
    return engine.advance(found, None if values.get("status") is None else str(values["status"]))


def _ship(engine: ReturnsPrimeEngine, found: str, values: Mapping[str, Any]) -> Any:
    lines = values.get("lines")
    return engine.ship(found, str(values["awb"]), None if lines is None else [str(line) for line in lines])
