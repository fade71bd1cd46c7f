"""Aggregator accounts with their secrets in the clear, for adapters. Apart, because few functions call aggregators."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Final

from rms.aggregators.contract import Account
from rms.clients.configuration import ConfiguredAccount, secret_context
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import client_pk
from rms.platform.table import Item, Key
from rms.platform.times import to_text

BEARER: Final = "token"
"""The name under which an account's secrets hold the token of a login."""


def open_account(core: Core, client: str, account: ConfiguredAccount) -> Account:
    """The account with its secrets in the clear, for an adapter; with the token of its last login if that lives."""
    plain = core.secrets.unseal(account.sealed_secrets, secret_context(client, f"ACCOUNT#{account.alias}"))
    opened = Account(
        client=client,
        alias=account.alias,
        aggregator=account.aggregator,
        secrets=json.loads(plain),
        options=account.options,
        required_fields=account.required_fields,
    )
    sealed = live_token(account.token, core.clock()) if account.token is not None else None
    if sealed is None:
        return opened
    return with_token(opened, core.secrets.unseal(sealed, token_context(client, account.alias)))


def with_token(account: Account, token: str) -> Account:
    """The account, logged in."""
    return replace(account, secrets={**account.secrets, BEARER: token})


def token_key(client: str, alias: str) -> Key:
    """The row of an account's token."""
    return Key(client_pk(client), f"TOKEN#{alias}")


def token_context(client: str, alias: str) -> dict[str, str]:
    """What an account's token is bound to."""
    return secret_context(client, f"TOKEN#{alias}")


def live_token(row: Item, now: datetime) -> str | None:
    """The sealed token in a TOKEN row; None when it has none, or none that lives."""
    sealed = maybe_text(row, "sealed_token")
    return sealed if sealed is not None and text(row, "expires_at") > to_text(now) else None
