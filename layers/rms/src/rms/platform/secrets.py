"""The Secrets port: seals what clients and aggregators trust us with before it is stored."""

from collections.abc import Mapping
from typing import Final, Protocol

MAX_PLAIN_BYTES: Final = 4096
"""Longest text that `seal` takes, in bytes of UTF-8: what the key service encrypts in one call."""


class SecretUnavailableError(Exception):
    """The key service did not answer, or this text was not sealed by it under this context."""


class Secrets(Protocol):
    """Envelope encryption bound to a context, so that a sealed text copied to another client's row does not open."""

    def seal(self, plain: str, context: Mapping[str, str]) -> str:
        """Cipher text, safe to store."""

    def unseal(self, sealed: str, context: Mapping[str, str]) -> str:
        """The plain text again; kept in memory for the life of the environment.

        Raises:
            SecretUnavailableError: see there.
        """
