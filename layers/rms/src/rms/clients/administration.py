"""Clients and what they configure: accounts at aggregators and endpoints. For operators; every write is conditional."""

import json
import re
import secrets as randomness
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rms.aggregators import registry
from rms.clients.account_rules import described_rules
from rms.clients.accounts import token_key
from rms.clients.configuration import configuration_of, label_source_key, secret_context
from rms.clients.credentials import OPERATORS
from rms.clients.records import SLUG, client_key, unchanged, version_of, write_record
from rms.clients.webhooks import webhook_digest, webhook_key
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import client_pk
from rms.notifications.signing import new_secret
from rms.notifications.sinks.webhook import check_headers
from rms.platform.addresses import check_url
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
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
MIN_WEBHOOK_KEY: Final = 16
"""Shortest webhook key, in characters: the key alone says whose webhook it is, so it must not be guessed."""

MAX_ENDPOINTS: Final = 20
"""Endpoints of a client: each has a cursor in the transaction that appends an event."""

OLD_SECRET_SIGNS_ON: Final = timedelta(hours=24)
"""How long a rotated signing secret goes on signing beside the new one."""


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
class NewEndpoint:
    """An endpoint as an operator gives it, header values in the clear."""

    id: str
    url: str
    headers: Mapping[str, str]
    sequence: bool = True
    dropped_metadata: tuple[str, ...] = ()
    credential_url: str | None = None


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


def put_endpoint(core: Core, client: str, endpoint: NewEndpoint) -> str | None:
    """Set up, replace or enable again an endpoint. Answers its signing secret when it is new: it is shown once.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with the endpoint, all at once.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    problems = _endpoint_problems(core, endpoint)
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = Key(client_pk(client), f"ENDPOINT#{endpoint.id}")
    context = secret_context(client, key.sk)
    before = core.table.get(key)
    if before is None and len(core.table.query(key.pk, prefix="ENDPOINT#").items) >= MAX_ENDPOINTS:
        raise BadDataError(f"[endpoint: a client may have at most {MAX_ENDPOINTS}]")
    secret = None if before else new_secret(randomness.token_bytes(32))
    item: dict[str, Value] = {
        "url": endpoint.url,
        "sealed_headers": core.secrets.seal(json.dumps(dict(endpoint.headers)), context),
        "sealed_secrets": text(before, "sealed_secrets")
        if before
        else core.secrets.seal(json.dumps([{"secret": secret, "until": None}]), context),
        "sequence_on": endpoint.sequence,
        "dropped_metadata": list(endpoint.dropped_metadata),
        "created_at": text(before, "created_at") if before else to_text(core.clock()),
        "version": version_of(before) + 1,
        **({"credential_url": endpoint.credential_url} if endpoint.credential_url else {}),
    }
    write_record(core, client, [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)])
    return secret


def put_label_source(core: Core, client: str, source: NewLabelSource) -> None:
    """Say where the client's own system gives labels, in the place of what was said before.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: somebody changed it meanwhile.
    """
    problems = [*_url_problems(core, source.url, source.credential_url), *_header_problems(source.headers)]
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


def rotate_endpoint_secret(core: Core, client: str, endpoint: str) -> str:
    """Give an endpoint a new signing secret; the old one signs beside it for a day.

    Raises:
        NotFoundError: no such endpoint.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    key = Key(client_pk(client), f"ENDPOINT#{endpoint}")
    context = secret_context(client, key.sk)
    before = core.table.get(key)
    if before is None:
        raise NotFoundError("No such endpoint")
    until = to_text(core.clock() + OLD_SECRET_SIGNS_ON)
    secret = new_secret(randomness.token_bytes(32))
    newest = json.loads(core.secrets.unseal(text(before, "sealed_secrets"), context))[0]
    kept = [{"secret": secret, "until": None}, {"secret": newest["secret"], "until": until}]
    item = {name: value for name, value in before.items() if name not in {"PK", "SK"}}
    item |= {"sealed_secrets": core.secrets.seal(json.dumps(kept), context), "version": version_of(before) + 1}
    write_record(core, client, [Put(key, item, unchanged(before))])
    return secret


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
        "labelSource": {"url": source.url, "credentialUrl": source.credential_url} if source else None,
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
    if not _can_be_sealed(account.secrets):
        problems.append(f"secrets: must not have more than {MAX_PLAIN_BYTES} bytes in all")
    return problems


def _endpoint_problems(core: Core, endpoint: NewEndpoint) -> list[str]:
    problems = []
    if not SLUG.fullmatch(endpoint.id):
        problems.append("endpoint: must be 1 to 40 lower-case letters, digits or hyphens")
    return [*problems, *_url_problems(core, endpoint.url, endpoint.credential_url), *_header_problems(endpoint.headers)]


def _url_problems(core: Core, url: str, credential_url: str | None) -> Iterator[str]:
    """What is wrong with URLs that a client typed."""
    for field, typed in (("url", url), ("credentialUrl", credential_url)):
        if typed is None:
            continue
        problem = check_url(typed, allow_loopback_http=core.local) or core.http.problem_with(typed)
        if problem:
            yield f"{field}: {problem}"


def _header_problems(headers: Mapping[str, str]) -> Iterator[str]:
    problem = check_headers(headers)
    if problem:
        yield f"headers: {problem}"
    elif not _can_be_sealed(headers):
        yield f"headers: must not have more than {MAX_PLAIN_BYTES} bytes in all"


def _can_be_sealed(texts: Mapping[str, str]) -> bool:
    return len(json.dumps(dict(texts))) <= MAX_PLAIN_BYTES
