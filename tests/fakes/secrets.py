"""Sealed texts without a key service: readable by a test, but only under their own context, as the real ones."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

from rms.platform.secrets import SecretUnavailableError
from tests.fakes.calls import Calls, raising

_PREFIX = "fake:"


class FakeSecrets:
    """The Secrets port; see `rms.platform.kms`. Unlike it, keeps nothing in memory: each unsealing is a call."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._sealed = 0

    def seal(self, plain: str, context: Mapping[str, str]) -> str:
        if not 0 < len(plain.encode()) <= 4096:
            raise ValueError("a secret has 1 to 4096 bytes")

        def effect() -> str:
            self._sealed += 1  # the same text sealed twice looks different, as it does at the key service
            content = json.dumps([self._sealed, plain, sorted(context.items())])
            return _PREFIX + b64encode(content.encode()).decode()

        return self.calls.run("secrets", "seal", (context,), effect, raising(SecretUnavailableError))

    def unseal(self, sealed: str, context: Mapping[str, str]) -> str:
        def effect() -> str:
            try:
                _, plain, bound = json.loads(b64decode(sealed.removeprefix(_PREFIX), validate=True))
            except ValueError as error:
                raise SecretUnavailableError("this text was not sealed here") from error
            if not sealed.startswith(_PREFIX) or bound != [list(pair) for pair in sorted(context.items())]:
                raise SecretUnavailableError("sealed under another context")
            return str(plain)

        return self.calls.run("secrets", "unseal", (sealed, context), effect, raising(SecretUnavailableError))
