"""`python -m sandbox.clickpost`: run a simulated Clickpost until it is stopped."""

from sandbox.clickpost.sandbox import ClickpostSandbox
from sandbox.clickpost.settings import Settings
from sandbox.commands import options, serve


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("clickpost", "A simulated Clickpost.", usual)
    parser.add_argument("--username", default=usual.username)
    parser.add_argument("--key", default=usual.key)
    parser.add_argument("--base-path", default=usual.base_path, help="stands for /api of the live host")
    parser.add_argument("--webhook-key", default=usual.webhook_key)
    parser.add_argument("--webhook-authorization", default="", help="sent as Authorization instead of the key")
    parser.add_argument("--webhook-shape", choices=("all", "selected"), default="all")
    parser.add_argument("--webhook-tries", type=int, default=usual.webhook_tries)
    parser.add_argument("--async", dest="asynchronous", action="store_true", help="book asynchronously")
    serve(ClickpostSandbox, parser)


if __name__ == "__main__":
    main()
