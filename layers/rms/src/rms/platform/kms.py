"""The Secrets port on KMS: what clients and aggregators entrust to RMS is encrypted by the key itself, never by us."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from rms.platform.aws import open_client
from rms.platform.secrets import MAX_PLAIN_BYTES, SecretUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

CACHED: Final = 1000
VERSION: Final = "kms1:"
"""Stands before the cipher text, so that another way of sealing can live next to this one."""

type _Sealed = tuple[str, frozenset[tuple[str, str]]]


def open_secrets(key_id: str, *, region: str | None = None, endpoint_url: str | None = None) -> "KmsSecrets":
    """Secrets whose client is opened by the first call that is not answered from memory."""
    return KmsSecrets(lambda: open_client("kms", region=region, endpoint_url=endpoint_url), key_id)


class KmsSecrets:
    """Encrypt and Decrypt with the context as KMS's encryption context; see `rms.platform.secrets.Secrets`.

    Threads may share it. Two that want the same text for the first time may each ask for it.

    Args:
        open_client: answers a low-level KMS client; called once, when first needed, because most invocations find
            the secret in memory and opening a client costs them for nothing.
        key_id: the key's id, ARN or alias. Decrypt names it as well, so that a text sealed by another key, which its
            owner might let us use, does not open.
        cached: how many unsealed texts are kept, the longest unused dropped first.
    """

    def __init__(self, open_client: Callable[[], "KMSClient"], key_id: str, *, cached: int = CACHED) -> None:
        self._open_client = open_client
        self._key_id = key_id
        self._cached = cached
        self._client: KMSClient | None = None
        self._unsealed: dict[_Sealed, str] = {}
        self._remembering = Lock()
        self._opening = Lock()

    def seal(self, plain: str, context: Mapping[str, str]) -> str:
        """Cipher text, safe to store.

        Raises:
            SecretUnavailableError: the key service did not answer.
            ValueError: more than 4096 bytes, nothing, or text that UTF-8 cannot carry.
        """
        secret = plain.encode()
        if not 0 < len(secret) <= MAX_PLAIN_BYTES:
            raise ValueError(f"a secret has 1 to {MAX_PLAIN_BYTES} bytes")
        try:
            answer = self._kms().encrypt(KeyId=self._key_id, Plaintext=secret, EncryptionContext=context)
        except (BotoCoreError, ClientError) as error:
            raise SecretUnavailableError(_reason(error)) from error
        return VERSION + b64encode(answer["CiphertextBlob"]).decode()

    def unseal(self, sealed: str, context: Mapping[str, str]) -> str:
        """The plain text again; kept in memory for the life of the environment.

        Raises:
            SecretUnavailableError: the key service did not answer, or this text was not sealed by it under this
                context.
        """
        kept = (sealed, frozenset(context.items()))
        plain = self._unsealed.get(kept)
        if plain is None:
            plain = self._decrypt(sealed, context)
        with self._remembering:
            self._unsealed.pop(kept, None)
            self._unsealed[kept] = plain  # back at the end: a dict's order is the order of use
            if len(self._unsealed) > self._cached:
                self._unsealed.pop(next(iter(self._unsealed)))
        return plain

    def _decrypt(self, sealed: str, context: Mapping[str, str]) -> str:
        if not sealed.startswith(VERSION):
            raise SecretUnavailableError("this text was not sealed here")
        try:
            blob = b64decode(sealed.removeprefix(VERSION), validate=True)
            answer = self._kms().decrypt(CiphertextBlob=blob, KeyId=self._key_id, EncryptionContext=context)
            return answer["Plaintext"].decode()
        except (ValueError, BotoCoreError, ClientError) as error:
            raise SecretUnavailableError(_reason(error)) from error

    def _kms(self) -> "KMSClient":
        with self._opening:
            if self._client is None:
                self._client = self._open_client()
            return self._client


def _reason(error: Exception) -> str:
    """A fault's code or kind, never its words: they may quote the context."""
    if isinstance(error, ClientError):
        return f"KMS answered {error.response.get('Error', {}).get('Code')}"
    return type(error).__name__
