"""Aggregator accounts with their secrets in the clear, for adapters. Apart, because few functions call aggregators."""

import json

from rms.aggregators.contract import Account
from rms.clients.configuration import ConfiguredAccount, secret_context
from rms.core import Core


def open_account(core: Core, client: str, account: ConfiguredAccount) -> Account:
    """The account with its secrets in the clear, for an adapter."""
    plain = core.secrets.unseal(account.sealed_secrets, secret_context(client, f"ACCOUNT#{account.alias}"))
    return Account(
        client=client,
        alias=account.alias,
        aggregator=account.aggregator,
        secrets=json.loads(plain),
        options=account.options,
        required_fields=account.required_fields,
    )
