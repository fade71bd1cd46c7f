"""`python -m sandbox.shipway`: run a simulated Shipway until it is stopped."""

from sandbox.commands import options, serve
from sandbox.shipway.engine import Settings
from sandbox.shipway.sandbox import ShipwaySandbox


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("shipway", "A simulated Shipway.", usual)
    parser.add_argument("--email", default=usual.email)
    parser.add_argument("--licence-key", default=usual.licence_key)
    parser.add_argument("--webhook-shape", choices=usual.choices()["webhook_shape"], default=usual.webhook_shape)
    serve(ShipwaySandbox, parser)


if __name__ == "__main__":
    main()
