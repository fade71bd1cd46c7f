"""How configuration records are written: each has a version, and each write says which one it replaces."""

import re
from collections.abc import Sequence
from typing import Final

from rms.core import Core
from rms.journal.events import number
from rms.journal.keys import client_pk
from rms.platform.errors import ConflictError, NotFoundError
from rms.platform.table import AbsentOr, ConditionFailedError, Equals, Item, Key, Put, Update, Write

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""How clients and endpoints may be called."""

CHANGED_MEANWHILE: Final = "[version: was changed by somebody else meanwhile; read it and try again]"


def client_key(client: str) -> Key:
    """The record of the client itself."""
    return Key(client_pk(client), "CLIENT")


def version_of(row: Item | None) -> int:
    """The version of a record; 0 when there is none."""
    return number(row, "version") if row else 0


def unchanged(before: Item | None) -> dict[str, AbsentOr | Equals]:
    """The record is as it was read, or still absent."""
    return {"version": Equals(version_of(before))} if before else {"version": AbsentOr(Equals(0))}


def write_record(core: Core, client: str, writes: Sequence[Write], taken: str = "") -> None:
    """Write a client's record, the first of these writes, and what goes with it; the second may check the client.

    Raises:
        NotFoundError: no such client.
        ConflictError: the record was changed meanwhile; or another write was refused, which `taken` explains.
    """
    try:
        core.table.transact(writes)
    except ConditionFailedError as failed:
        if _is_ours(writes[0], failed.current(0)):
            return  # the reply to a first try was lost
        if failed.refused(1):
            raise NotFoundError("No such client") from failed
        if failed.refused(0):
            raise ConflictError(CHANGED_MEANWHILE) from failed
        raise ConflictError(taken) from failed
    finally:
        core.memory.forget(f"configuration:{client}")


def _is_ours(write: Write, there: Item | None) -> bool:
    """Whether a record holds all that we wanted to write. Sealed texts and fences are never alike twice."""
    wanted = write.item if isinstance(write, Put) else write.set if isinstance(write, Update) else None
    return there is not None and wanted is not None and all(there.get(name) == value for name, value in wanted.items())
