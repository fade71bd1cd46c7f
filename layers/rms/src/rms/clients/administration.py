"""Clients, their accounts at aggregators and their label sources. For operators; every write is conditional."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rms.aggregators import registry
from rms.clients.account_rules import described_rules
from rms.clients.accounts import token_key
from rms.clients.configuration import configuration_of, label_source_key, secret_context
from rms.clients.credentials import OPERATORS
from rms.clients.endpoints import can_be_sealed, header_problems, url_problems
from rms.clients.records import SLUG, client_key, unchanged, version_of, write_record
from rms.clients.returns_prime import described_connection
from rms.clients.webhooks import MIN_WEBHOOK_KEY, webhook_digest, webhook_key
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import client_pk
from rms.platform.errors import BadDataError, ConflictError
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import (
    EXISTING,
    NEW,
    AbsentOr,
    Check,
    ConditionFailedError,
    Delete,
    Equals,
    Key,
    Put,
    Value,
    Write,
)
from rms.platform.times import to_text

ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An aggregator account as an operator gives it, secrets in the clear."""

    alias: str
    aggregator: str
    secrets: Mapping[str, str]
    options: Mapping[str, str]
    required_fields: tuple[str, ...] = ()
    webhook_key: str | None = None
    books_returns: bool = True
    ships_forward: bool = True


@dataclass(frozen=True, slots=True)
class NewLabelSource:
    """Where a client's own system gives labels, as an operator says it, header values in the clear."""

    url: str
    headers: Mapping[str, str]
    credential_url: str | None = None


def create_client(core: Core, client: str, name: str, weight_unit: str = "G", *, push_other: bool = True) -> None:
    """Make a client; the same again changes nothing.

    Raises:
        BadDataError: the id is no slug, or the weight unit is unknown.
        ConflictError: the client exists with other settings.
    """
    problems = []
    if not SLUG.fullmatch(client) or client == OPERATORS:
        problems.append("client: must be 1 to 40 lower-case letters, digits or hyphens, and free")
    if weight_unit not in {"G", "KG"}:
        problems.append("weightUnit: must be one of G, KG")
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    item: dict[str, Value] = {"name": name, "weight_unit": weight_unit, "push_other": push_other}
    try:
        core.table.write(Put(client_key(client), {**item, "created_at": to_text(core.clock())}, NEW))
    except ConditionFailedError as failed:
        there = failed.current(0) or {}
        if any(there.get(key) != value for key, value in item.items()):
            raise ConflictError("[client: exists with other settings]") from failed


def put_account(core: Core, client: str, account: NewAccount) -> None:
    """Set up or replace an aggregator account. Its webhook key says whose webhooks are whose, so it is unique.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with the account, all at once.
        ConflictError: another account uses that webhook key, or somebody changed this account meanwhile.
    """
    problems = _account_problems(account)
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = Key(client_pk(client), f"ACCOUNT#{account.alias}")
    before = core.table.get(key)
    digest = webhook_digest(account.webhook_key) if account.webhook_key else None
    item: dict[str, Value] = {
        "aggregator": account.aggregator,
        "options": account.options,
        "required_fields": list(account.required_fields),
        "books_returns": account.books_returns,
        "ships_forward": account.ships_forward,
        "sealed_secrets": core.secrets.seal(json.dumps(dict(account.secrets)), secret_context(client, key.sk)),
        "version": version_of(before) + 1,
        **({"webhook_digest": digest} if digest else {}),
    }
    writes: list[Write] = [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)]
    hook = webhook_key(account.aggregator, digest) if digest else None
    if hook:
        owner = {"client": client, "alias": account.alias, "aggregator": account.aggregator}
        mine = {name: AbsentOr(Equals(value)) for name, value in owner.items()}
        writes.append(Put(hook, owner, mine))
    old = maybe_text(before, "webhook_digest") if before else None
    old_hook = webhook_key(text(before, "aggregator"), old) if before and old else None
    if old_hook is not None and old_hook != hook:
        writes.append(Delete(old_hook, EXISTING))
    if before:
        # A token of the credentials that were would go on acting in their name, and a refused login be remembered.
        token = token_key(client, account.alias)
        writes.append(Delete(token, {"PK": AbsentOr(Equals(token.pk))}))
    write_record(core, client, writes, taken="[webhookKey: is in use by another account; make a new one]")


def webhook_warning(aggregator: str, host: str) -> str | None:
    """What stands in the way of an aggregator's webhooks when the API is called under this name; None if nothing."""
    if aggregator != "SHIPROCKET":
        return None
    from rms.aggregators.shiprocket import webhook_url_problem  # noqa: PLC0415 - the one aggregator that minds

    problem = webhook_url_problem(host)
    return f"{problem}, and {host} does: give the API a custom domain name without" if problem else None


def put_label_source(core: Core, client: str, source: NewLabelSource) -> None:
    """Say where the client's own system gives labels, in the place of what was said before.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: somebody changed it meanwhile.
    """
    problems = [*url_problems(core, source.url, source.credential_url), *header_problems(source.headers)]
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = label_source_key(client)
    before = core.table.get(key)
    item: dict[str, Value] = {
        "url": source.url,
        "sealed_headers": core.secrets.seal(json.dumps(dict(source.headers)), secret_context(client, key.sk)),
        "version": version_of(before) + 1,
        **({"credential_url": source.credential_url} if source.credential_url else {}),
    }
    write_record(core, client, [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)])


def describe_client(core: Core, client: str) -> dict[str, object]:
    """A client's configuration without secrets.

    Raises:
        NotFoundError: no such client.
    """
    core.memory.forget(f"configuration:{client}")
    configuration = configuration_of(core, client)
    source = configuration.label_source
    return {
        "client": client,
        "weightUnit": configuration.weight_unit,
        "pushOther": configuration.push_other,
        "accounts": [
            {
                "alias": account.alias,
                "aggregator": account.aggregator,
                "options": dict(account.options),
                "requiredFields": list(account.required_fields),
                "booksReturns": account.books_returns,
                "shipsForward": account.ships_forward,
            }
            for account in configuration.accounts.values()
        ],
        **described_rules(configuration.account_rules, configuration.default_accounts),
        "endpoints": [
            {
                "endpoint": endpoint.id,
                "url": endpoint.url,
                "sequence": endpoint.sequence,
                "droppedMetadata": list(endpoint.dropped_metadata),
                "disabled": endpoint.disabled,
            }
            for endpoint in configuration.endpoints.values()
        ],
        "shopifyStores": [
            {"alias": store.alias, "options": dict(store.options), "settings": dict(store.settings)}
            for store in configuration.stores.values()
        ],
        "labelSource": {"url": source.url, "credentialUrl": source.credential_url} if source else None,
        "returnsPrime": described_connection(configuration.returns_prime),
    }


def _account_problems(account: NewAccount) -> list[str]:
    problems = []
    if not ALIAS.fullmatch(account.alias):
        problems.append("alias: must be 1 to 40 letters, digits, _ or -")
    wrong_name = registry.check_name(account.aggregator)
    problems.extend(wrong_name)
    if not wrong_name:
        adapter = registry.aggregator_of(account.aggregator)
        problems.extend(adapter.check_account(account.options, account.secrets))
    if account.webhook_key is not None and len(account.webhook_key) < MIN_WEBHOOK_KEY:
        problems.append(f"webhookKey: must have at least {MIN_WEBHOOK_KEY} characters")
    if not can_be_sealed(account.secrets):
        problems.append(f"secrets: must not have more than {MAX_PLAIN_BYTES} bytes in all")
    return problems
