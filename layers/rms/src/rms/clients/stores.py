"""A client's Shopify stores: set up by operators, opened for whoever calls them, asked who signed a webhook.

Shopify's adapter and the rules of exchanges are loaded by the calls that need them: few of those who import this do.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rms.clients.configuration import SHOPIFY, ConfiguredStore, secret_context, store_from, store_key
from rms.clients.records import SLUG, client_key, unchanged, version_of, write_record
from rms.core import Core
from rms.platform.errors import BadDataError
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import EXISTING, Check, Item, Put, Value
from rms.platform.times import to_text

if TYPE_CHECKING:
    from rms.exchanges.settings import ExchangeSettings
    from rms.partners import shopify

ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")

OLD_SECRET_COUNTS_ON: Final = timedelta(hours=1)
"""How long webhooks may still be signed with the secret that was replaced. Source: Shopify guide, section 3.2."""

_SECRETS: Final = frozenset({"access_token", "webhook_secret"})
_OPTIONS: Final = frozenset({"shop", "api_version", "base_url"})


@dataclass(frozen=True, slots=True)
class NewStore:
    """A store as an operator gives it, secrets in the clear. `settings` are those of `rms.exchanges.settings`."""

    alias: str
    options: Mapping[str, str]
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """The client and the store whose webhook it is."""

    client: str
    alias: str


def put_store(core: Core, client: str, store: NewStore) -> None:
    """Set up or replace a store, secrets included. A webhook secret that is replaced counts on for an hour.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: somebody changed this store meanwhile.
    """
    problems = list(_problems(store))
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = store_key(client, store.alias)
    before = core.table.get(key)
    context = secret_context(client, key.sk)
    secrets, until = _with_the_old_one(core, before, store, context)
    item: dict[str, Value] = {
        "platform": SHOPIFY,
        "options": store.options,
        "settings": store.settings,
        "sealed_secrets": core.secrets.seal(json.dumps(secrets), context),
        "version": version_of(before) + 1,
        **({"old_secret_until": until} if until else {}),
    }
    write_record(core, client, [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)])
    core.memory.forget(_remembered(client, store.alias))


def open_store(core: Core, client: str, store: ConfiguredStore) -> "shopify.Settings":
    """The connection to a store, secrets in the clear, for an adapter."""
    from rms.partners import shopify  # noqa: PLC0415 - see the top
    from rms.partners.results import Connection  # noqa: PLC0415 - see the top

    context = secret_context(client, store_key(client, store.alias).sk)
    secrets: dict[str, str] = json.loads(core.secrets.unseal(store.sealed_secrets, context))
    if (store.old_secret_until or "") <= to_text(core.clock()):
        secrets.pop("old_webhook_secret", None)
    return shopify.Settings.of(Connection(client, store.alias, secrets, store.options))


def exchange_settings(store: ConfiguredStore) -> "ExchangeSettings":
    """What the client says of the exchanges in this store."""
    from rms.exchanges.settings import ExchangeSettings  # noqa: PLC0415 - see the top

    return ExchangeSettings.of(store.settings)


def webhook_signer(core: Core, path: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Signer | None:
    """Whose webhook it is: the store that the path names, if the body is signed with its secret; else None.

    No such store, no signature, another's signature: all the same answer.
    """
    from rms.partners import shopify  # noqa: PLC0415 - see the top

    client, alias = path.get("client") or "", path.get("alias") or ""
    if not SLUG.fullmatch(client) or not ALIAS.fullmatch(alias):
        return None
    store = _store(core, client, alias)
    if store is None:
        return None
    secrets = open_store(core, client, store).webhook_secrets
    signed = shopify.proves_sender(secrets, headers.get(shopify.SIGNATURE, ""), body)
    return Signer(client, alias) if signed else None


def _store(core: Core, client: str, alias: str) -> ConfiguredStore | None:
    """By itself, and not with all the rest of the configuration: nobody has proven yet who calls."""
    kept = core.memory.recall(_remembered(client, alias))
    if isinstance(kept, ConfiguredStore):
        return kept
    row = core.table.get(store_key(client, alias))
    if row is None:
        return None
    store = store_from(row)
    core.memory.keep(_remembered(client, alias), store)
    return store


def _remembered(client: str, alias: str) -> str:
    return f"store:{client}:{alias}"


def _with_the_old_one(
    core: Core, before: Item | None, store: NewStore, context: Mapping[str, str]
) -> tuple[dict[str, str], str | None]:
    """The secrets to seal, with the webhook secret that they replace, and how long that counts."""
    secrets = dict(store.secrets)
    if before is None:
        return secrets, None
    kept = store_from(before)
    old: dict[str, str] = json.loads(core.secrets.unseal(kept.sealed_secrets, context))
    now = core.clock()
    if old["webhook_secret"] != secrets["webhook_secret"]:
        return {**secrets, "old_webhook_secret": old["webhook_secret"]}, to_text(now + OLD_SECRET_COUNTS_ON)
    if (kept.old_secret_until or "") > to_text(now):  # the same call again, while the old one counts
        return {**secrets, "old_webhook_secret": old["old_webhook_secret"]}, kept.old_secret_until
    return secrets, None


def _problems(store: NewStore) -> Iterator[str]:
    from rms.exchanges.settings import check_settings  # noqa: PLC0415 - see the top
    from rms.partners import shopify  # noqa: PLC0415 - see the top

    if not ALIAS.fullmatch(store.alias):
        yield "alias: must be 1 to 40 letters, digits, _ or -"
    yield from shopify.check_connection(store.options, store.secrets)
    for kind, given, known in (("options", store.options, _OPTIONS), ("secrets", store.secrets, _SECRETS)):
        for name in sorted(given.keys() - known):
            yield f"{kind}.{name}: is not known here"
    for problem in check_settings(store.settings):
        yield f"settings.{problem}"
    # Two webhook secrets may have to fit: the one that is given and the one that it replaces.
    if len(json.dumps({**store.secrets, "old": store.secrets.get("webhook_secret", "")}).encode()) > MAX_PLAIN_BYTES:
        yield f"secrets: must not have more than {MAX_PLAIN_BYTES} bytes in all, the webhook secret counted twice"
