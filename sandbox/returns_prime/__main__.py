"""`python -m sandbox.returns_prime`: run a simulated Returns Prime until it is stopped."""

from sandbox.commands import options, serve
from sandbox.returns_prime.engine import Settings
from sandbox.returns_prime.sandbox import ReturnsPrimeSandbox


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("returns_prime", "A simulated Returns Prime.", usual)
    parser.add_argument("--token", default=usual.token, help="what must come as x-rp-token")
    parser.add_argument("--no-write-back", dest="takes_write_back", action="store_false", help="404 to status calls")
    serve(ReturnsPrimeSandbox, parser)


if __name__ == "__main__":
    main()
