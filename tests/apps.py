"""Partners of a `World` that are no aggregators: a returns app."""

from collections.abc import Mapping
from typing import Any, Final, cast

from rms.clients import returns_prime
from sandbox.returns_prime import ReturnsPrimeEngine
from sandbox.returns_prime import Settings as ReturnsPrimeSettings
from tests.builders import a_processed_body, a_result_body
from tests.world import CLIENT, App, World

PRIME_KEY: Final = "last-part-of-the-returns-prime-url"
PRIME_HOST: Final = "returns-prime.test"
PRIME_PATH: Final = "/rms/in/api/returns-prime/notify/{secret}"
PRIME_OPTIONS: Final[Mapping[str, str]] = {"location_code": "BLR-2", "base_url": f"https://{PRIME_HOST}"}


def connect_returns_prime(world: World, options: Mapping[str, str] | None = None, **settings: Any) -> App:
    """Let the client use Returns Prime, with these options besides the usual; `settings` are of its simulation."""
    engine = ReturnsPrimeEngine(ReturnsPrimeSettings(), clock=world.clock)
    engine.change({"webhook_url": f"https://rms.test{PRIME_PATH}", **settings})
    app = App("RETURNS_PRIME", engine, "returns_prime_webhook", PRIME_PATH, PRIME_KEY)
    world.join(PRIME_HOST, app)
    options = {**PRIME_OPTIONS, **(options or {})}
    connection = returns_prime.NewConnection({"token": engine.settings.token}, options, PRIME_KEY)
    returns_prime.put_returns_prime(world.core, CLIENT, connection)
    return app


def engine_of(app: App) -> ReturnsPrimeEngine:
    """The simulated Returns Prime."""
    return cast("ReturnsPrimeEngine", app.engine)


def checked_body(code: str, request: Mapping[str, Any], *failed: str) -> dict[str, Any]:
    """POST /usp/return: all units of a request's lines under one return, of which those named failed."""
    units = [
        (f"{line['id']}_{number}", line["original_product"]["sku"])
        for line in request["line_items"]
        for number in range(1, line["quantity"] + 1)
    ]
    items = [
        a_result_body(
            unit,
            channelSkuCode=sku,
            **({"qcStatus": "FAIL", "qcReason": "STAIN_DAMAGE"} if unit in failed else {}),
        )
        for unit, sku in units
    ]
    return a_processed_body(returnOrderCode=code, forwardOrderCode=str(request["order"]["id"]), orderItems=items)
