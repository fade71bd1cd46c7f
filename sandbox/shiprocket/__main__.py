"""`python -m sandbox.shiprocket`: run a simulated Shiprocket until it is stopped."""

from sandbox.commands import options, serve
from sandbox.shiprocket.sandbox import ShiprocketSandbox
from sandbox.shiprocket.settings import Settings


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("shiprocket", "A simulated Shiprocket.", usual)
    parser.add_argument("--email", default=usual.email)
    parser.add_argument("--password", default=usual.password)
    parser.add_argument(
        "--pickup-location",
        dest="pickup_locations",
        action="append",
        metavar="NICKNAME",
        help="of a warehouse that exists",
    )
    parser.add_argument("--webhook-token", default=usual.webhook_token)
    parser.add_argument("--webhook-token-header", choices=usual.choices()["webhook_token_header"], default="x-api-key")
    serve(ShiprocketSandbox, parser)


if __name__ == "__main__":
    main()
