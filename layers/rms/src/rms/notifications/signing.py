"""Signatures of notifications: a receiver knows who sent one and which are repeats. Source: Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
"""Bounds of a secret's random bytes in the Standard Webhooks specification."""


def new_secret(random_bytes: bytes) -> str:
    """An endpoint's signing secret, made from 24 to 64 random bytes: `whsec_` and their base64.

    Raises:
        ValueError: too few or too many bytes.
    """
    if not MIN_SECRET_BYTES <= len(random_bytes) <= MAX_SECRET_BYTES:
        raise ValueError(f"a signing secret takes {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")
    return PREFIX + base64.b64encode(random_bytes).decode()


def message_id(client: str, aggregate: str, sequence: int, endpoint: str) -> str:
    """The `webhook-id` of one event for one endpoint: the same on every try and every replay, and telling nothing."""
    parts = (client, aggregate, str(sequence), endpoint)
    # Each part with its length, so that no two different events can run together into one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def sign(secrets: Sequence[str], message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers that go with a body, with one signature for each active secret.

    During a rotation both secrets are active and the receiver may check with either.

    Raises:
        ValueError: no secret, or one that `new_secret` did not make.
    """
    if not secrets:
        raise ValueError("a notification is never sent unsigned: the endpoint has no active secret")
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = (hmac.digest(_key(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    """The bytes that a secret stands for. Errors do not repeat the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError("a signing secret is not of the form whsec_<base64 of 24 to 64 bytes>")
    return key
