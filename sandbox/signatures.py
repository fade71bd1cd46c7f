"""Verifies Standard Webhooks signatures with the standard library alone, so that it shares no code with the sender."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

TOLERANCE_SECONDS: Final = 300


class Verification(StrEnum):
    """What became of a signature check."""

    VALID = "valid"
    UNCHECKED = "unchecked"
    """The endpoint has no secret to check with."""
    UNSIGNED = "unsigned"
    """A `webhook-…` header is missing."""
    STALE = "stale timestamp"
    """The timestamp is unreadable or more than five minutes from now."""
    WRONG = "bad signature"


def verify(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> Verification:
    """Check a body against any of the secrets (`whsec_` and base64); header names are in lower case."""
    keys = [_key(secret) for secret in secrets]
    if not keys:
        return Verification.UNCHECKED
    given = [headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")]
    if not all(given):
        return Verification.UNSIGNED
    message_id, timestamp, signatures = given
    if not (timestamp.isascii() and timestamp.isdigit() and abs(int(timestamp) - now.timestamp()) <= TOLERANCE_SECONDS):
        return Verification.STALE
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    for signature in signatures.split(" "):
        version, _, value = signature.partition(",")
        if version == "v1" and any(hmac.compare_digest(value.encode(), right.encode()) for right in expected):
            return Verification.VALID
    return Verification.WRONG


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as problem:
        raise ValueError("a secret is whsec_ and base64") from problem
