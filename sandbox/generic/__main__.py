"""`python -m sandbox.generic`: run a simulated aggregator of the generic contract until it is stopped."""

from sandbox.commands import options, serve
from sandbox.generic.engine import Settings
from sandbox.generic.sandbox import GenericSandbox


def main() -> None:
    """Serve; print one JSON line with the URLs when ready."""
    usual = Settings()
    parser = options("generic", "A simulated generic aggregator.", usual)
    parser.add_argument("--name", default=usual.name, help="the name under which it is registered at RMS")
    parser.add_argument("--key", default=usual.key, help="what RMS must send as X-Api-Key")
    parser.add_argument("--auth-username", default=usual.auth_username)
    parser.add_argument("--auth-password", default=usual.auth_password)
    parser.add_argument("--auth-domain", default=usual.auth_domain)
    serve(GenericSandbox, parser)


if __name__ == "__main__":
    main()
