"""Credentials: who may call. Only a salted hash is stored; a password is shown once, when it is made."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rms.core import Core
from rms.journal.events import text
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.table import NEW, Absent, ConditionFailedError, Equals, Key, Put, Update
from rms.platform.times import to_text

ROLES: Final = ("client", "warehouse", "aggregator", "operator")
AGGREGATOR: Final = "aggregator"
"""The role of an aggregator of the generic contract, which may report on parcels; never one of several."""

OPERATORS: Final = "rms"
"""The domain of RMS's own people; no client can be called so, and only here can the role `operator` be given."""

USERNAME: Final = re.compile(r"[A-Za-z0-9._@-]{3,64}")
_SCRYPT_COST: Final = 2**12
_NOBODY: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who is calling, as the authorizer established it."""

    client: str
    username: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """A credential as it is shown, once."""

    domain: str
    username: str
    password: str


def issue_credential(core: Core, client: str, username: str, roles: Sequence[str]) -> IssuedCredential:
    """Make a credential with a new password.

    Raises:
        BadDataError: user name or roles.
        ConflictError: the user name is taken.
    """
    problems = []
    if not USERNAME.fullmatch(username):
        problems.append("username: must be 3 to 64 letters, digits or . _ @ -")
    allowed = ROLES if client == OPERATORS else tuple(role for role in ROLES if role != "operator")
    if not roles or not set(roles) <= set(allowed):
        problems.append(f"roles: must be one or more of {', '.join(allowed)}")
    elif AGGREGATOR in roles and len(set(roles)) > 1:
        problems.append(f"roles: {AGGREGATOR} must stand alone, because an aggregator may do nothing else")
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    password = secrets.token_urlsafe(32)
    salt = os.urandom(16)
    try:
        core.table.write(
            Put(
                _key(client, username),
                {
                    "client": client,
                    "username": username,
                    "roles": sorted(roles),
                    "salt": salt,
                    "hash": _hash(password, salt),
                    "created_at": to_text(core.clock()),
                },
                NEW,
            )
        )
    except ConditionFailedError as failed:
        # Also when this very write's reply was lost: the password never left, so rotating gives a usable one.
        raise ConflictError("[username: is in use; rotate it for a new password]") from failed
    return IssuedCredential(client, username, password)


def rotate_credential(core: Core, client: str, username: str) -> IssuedCredential:
    """Give a credential a new password; the old one stops working.

    Raises:
        NotFoundError: no such credential, or it is revoked.
    """
    password = secrets.token_urlsafe(32)
    salt = os.urandom(16)
    try:
        core.table.write(
            Update(
                _key(client, username),
                expect={"client": Equals(client), "revoked_at": Absent()},
                set={"salt": salt, "hash": _hash(password, salt), "rotated_at": to_text(core.clock())},
            )
        )
    except ConditionFailedError as failed:
        raise NotFoundError("No such credential") from failed
    return IssuedCredential(client, username, password)


def revoke_credential(core: Core, client: str, username: str) -> None:
    """Stop a credential for good; revoking it again changes nothing.

    Raises:
        NotFoundError: no such credential.
    """
    try:
        core.table.write(
            Update(
                _key(client, username),
                expect={"client": Equals(client)},
                set_if_absent={"revoked_at": to_text(core.clock())},
                remove=("hash", "salt"),
            )
        )
    except ConditionFailedError as failed:
        raise NotFoundError("No such credential") from failed


def authenticate(core: Core, domain: str, username: str, password: str) -> Tenant | None:
    """Who this is, or None. Takes as long for an unknown user as for a wrong password."""
    row = core.table.get(_key(domain, username)) if _plausible(domain, username) else None
    salt, stored = (row.get("salt"), row.get("hash")) if row else (None, None)
    known = isinstance(salt, bytes) and isinstance(stored, bytes)
    given = _hash(password, salt if isinstance(salt, bytes) else _NOBODY)
    right = hmac.compare_digest(given, stored if isinstance(stored, bytes) else _NOBODY)
    if row is None or not known or not right or text(row, "client") != domain:
        return None
    roles = row.get("roles")
    assert isinstance(roles, list)
    return Tenant(domain, username, tuple(str(role) for role in roles))


def _key(domain: str, username: str) -> Key:
    return Key(f"AUTH#{domain}#{username}", "CREDENTIAL")


def _plausible(domain: str, username: str) -> bool:
    """Whether the two could name a credential at all; `#` would let one name another's row."""
    possible = 0 < len(domain) <= 64 and domain.isascii() and "#" not in domain  # noqa: PLR2004 - wider than any slug
    return possible and USERNAME.fullmatch(username) is not None


def _hash(password: str, salt: bytes) -> bytes:
    # Passwords are ours: 256 random bits. The cost guards a stolen table; 4 MB and ~10 ms are enough for that.
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=_SCRYPT_COST, r=8, p=1, dklen=32)
