"""A client's connection to Returns Prime: set up by operators, opened by whoever calls there.

Its webhooks come to a URL of which the last part is a key; only the key's digest is kept. See `rms.clients.webhooks`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rms.clients.configuration import RETURNS_PRIME, ConfiguredPartner, secret_context
from rms.clients.endpoints import can_be_sealed
from rms.clients.records import client_key, unchanged, version_of, write_record
from rms.clients.webhooks import MIN_WEBHOOK_KEY, webhook_digest, webhook_key
from rms.core import Core
from rms.journal.events import maybe_text
from rms.journal.keys import client_pk
from rms.platform.errors import BadDataError
from rms.platform.observability import count, logger
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import (
    EXISTING,
    AbsentOr,
    Check,
    ConditionFailedError,
    Delete,
    Equals,
    Key,
    Put,
    Update,
    Value,
    Write,
)

if TYPE_CHECKING:
    from rms.partners.returns_prime import Settings

SENDER: Final = "RETURNS_PRIME"
"""Whose webhooks come under the key, as aggregators are named for theirs."""

ALIAS: Final = "returns-prime"
"""What the connection is called where an aggregator account has its alias: a client has one."""


@dataclass(frozen=True, slots=True)
class NewConnection:
    """The connection as an operator gives it, secrets in the clear."""

    secrets: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str]
    webhook_key: str | None = field(default=None, repr=False)


def put_returns_prime(core: Core, client: str, wanted: NewConnection) -> None:
    """Set up the connection, or replace it whole; write-back that was turned off is on again as the options say.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: another client uses that webhook key, or somebody changed the connection meanwhile.
    """
    from rms.partners.returns_prime import check_connection  # noqa: PLC0415 - of many calls one needs it

    problems = check_connection(wanted.options, wanted.secrets)
    if wanted.webhook_key is not None and len(wanted.webhook_key) < MIN_WEBHOOK_KEY:
        problems.append(f"webhookKey: must have at least {MIN_WEBHOOK_KEY} characters")
    if not can_be_sealed(wanted.secrets):
        problems.append(f"secrets: must not have more than {MAX_PLAIN_BYTES} bytes in all")
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = connection_key(client)
    before = core.table.get(key)
    digest = webhook_digest(wanted.webhook_key) if wanted.webhook_key else None
    item: dict[str, Value] = {
        "options": wanted.options,
        "sealed_secrets": core.secrets.seal(json.dumps(dict(wanted.secrets)), secret_context(client, key.sk)),
        "version": version_of(before) + 1,
        **({"webhook_digest": digest} if digest else {}),
    }
    writes: list[Write] = [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)]
    hook = webhook_key(SENDER, digest) if digest else None
    if hook:
        owner = {"client": client, "alias": ALIAS, "aggregator": SENDER}
        writes.append(Put(hook, owner, {name: AbsentOr(Equals(value)) for name, value in owner.items()}))
    old = maybe_text(before, "webhook_digest") if before else None
    if old is not None and old != digest:
        writes.append(Delete(webhook_key(SENDER, old), EXISTING))
    write_record(core, client, writes, taken="[webhookKey: is in use by another client; make a new one]")


def open_returns_prime(core: Core, client: str, connection: ConfiguredPartner) -> "Settings":
    """The connection with its token in the clear."""
    from rms.partners.results import Connection  # noqa: PLC0415 - as above
    from rms.partners.returns_prime import Settings  # noqa: PLC0415 - as above

    plain = core.secrets.unseal(connection.sealed_secrets, secret_context(client, RETURNS_PRIME))
    return Settings.of(Connection(client, ALIAS, json.loads(plain), connection.options))


def turn_off_write_back(core: Core, client: str, connection: ConfiguredPartner, reason: str) -> None:
    """Write nothing back any more until the connection is set up anew, and let an operator know."""
    off = Update(connection_key(client), {"version": Equals(connection.version)}, set={"turned_off": reason})
    try:
        core.table.write(off)
    except ConditionFailedError:
        return  # set up anew meanwhile: that one has its own try
    finally:
        core.memory.forget(f"configuration:{client}")
    count("WriteBackTurnedOff")
    logger.error("write-back turned off", client=client, partner=SENDER, reason=reason)


def described_connection(connection: ConfiguredPartner | None) -> dict[str, object] | None:
    """The connection as the API shows it: without its secrets."""
    if connection is None:
        return None
    return {"options": dict(connection.options), "writeBackTurnedOff": connection.turned_off}


def connection_key(client: str) -> Key:
    """The row of the connection."""
    return Key(client_pk(client), RETURNS_PRIME)
