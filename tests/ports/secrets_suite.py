"""What the Secrets port promises, as examples for every implementation and every engine behind it."""

from collections.abc import Callable
from typing import ClassVar

import pytest

from rms.platform.secrets import Secrets, SecretUnavailableError

CONTEXT = {"client": "acme", "kind": "endpoint"}


class SecretsSuite:
    """Subclasses name their `engine` and provide the fixture `secrets`."""

    engine: ClassVar[str]

    @pytest.mark.parametrize("plain", ["s3cr3t", "नमस्ते 🚚 \x00", "x" * 4096], ids=len)
    def test_a_sealed_text_opens_under_its_context(self, secrets: Secrets, plain: str) -> None:
        sealed = secrets.seal(plain, CONTEXT)

        assert plain not in sealed
        assert sealed.isascii()
        assert secrets.unseal(sealed, dict(reversed(CONTEXT.items()))) == plain
        assert secrets.unseal(sealed, CONTEXT) == plain

    @pytest.mark.parametrize(
        "context", [{}, {"client": "acme"}, {**CONTEXT, "client": "globex"}, {**CONTEXT, "more": "x"}], ids=repr
    )
    def test_a_sealed_text_opens_under_no_other_context(self, secrets: Secrets, context: dict[str, str]) -> None:
        sealed = secrets.seal("s3cr3t", CONTEXT)
        assert secrets.unseal(sealed, CONTEXT) == "s3cr3t"

        with pytest.raises(SecretUnavailableError):
            secrets.unseal(sealed, context)

    def test_one_text_sealed_twice_looks_different(self, secrets: Secrets) -> None:
        assert secrets.seal("s3cr3t", CONTEXT) != secrets.seal("s3cr3t", CONTEXT)

    @pytest.mark.parametrize(
        "change",
        [
            lambda _: "",
            lambda _: "s3cr3t",
            lambda sealed: sealed[sealed.index(":") + 1 :],
            lambda sealed: sealed + "é",
        ],
        ids=["nothing", "plain text", "without its version", "more"],
    )
    def test_what_was_not_sealed_does_not_open(self, secrets: Secrets, change: Callable[[str], str]) -> None:
        sealed = change(secrets.seal("s3cr3t", CONTEXT))

        with pytest.raises(SecretUnavailableError):
            secrets.unseal(sealed, CONTEXT)

    def test_a_damaged_text_does_not_open(self, secrets: Secrets) -> None:
        sealed = secrets.seal("s3cr3t", CONTEXT)

        with pytest.raises(SecretUnavailableError):
            secrets.unseal(sealed[:-8], CONTEXT)

    @pytest.mark.parametrize("plain", ["", "x" * 4097, "é" * 2049], ids=len)
    def test_nothing_and_more_than_4096_bytes_are_refused(self, secrets: Secrets, plain: str) -> None:
        with pytest.raises(ValueError, match="1 to 4096 bytes"):
            secrets.seal(plain, CONTEXT)
