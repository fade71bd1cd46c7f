"""Checks of an account's options and secrets that adapters share. Each answers what is wrong, never with the value."""

import re
from typing import Final

# Not urllib.parse: its import is dear on a cold start, and these URLs are simple.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[^\s?#@]*)?"
)
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def url_problem(url: str) -> str | None:
    """What is wrong with a URL that calls with credentials go to; None if nothing is."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return "must be an https URL without credentials, query or fragment"
    if parts["scheme"] == "http" and parts["host"] not in _THIS_MACHINE:
        return "must be https, because credentials travel with each call"
    return None
