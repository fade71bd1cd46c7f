"""Whose webhook is it: the key an aggregator sends is looked up by its digest and compared in constant time."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rms.core import Core
from rms.journal.events import text
from rms.platform.table import Key

MIN_WEBHOOK_KEY: Final = 16
"""Shortest webhook key, in characters: the key alone says whose webhook it is, so it must not be guessed."""


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """The client and account that a webhook key belongs to."""

    client: str
    alias: str


def webhook_sender(core: Core, aggregator: str, keys: Sequence[str]) -> WebhookSender | None:
    """The account whose webhook key is among these header values, or None.

    No key, no such key, no such client: all the same answer. Without a configured key nothing is ever let in.
    """
    for key in keys:
        if not key:
            continue
        digest = webhook_digest(key)
        name = f"webhook:{aggregator}:{digest}"
        kept = core.memory.recall(name)
        if isinstance(kept, WebhookSender):
            return kept
        row = core.table.get(webhook_key(aggregator, digest))
        if row is None or not hmac.compare_digest(text(row, "PK").rpartition("#")[2], digest):
            continue
        sender = WebhookSender(client=text(row, "client"), alias=text(row, "alias"))
        core.memory.keep(name, sender)
        return sender
    return None


def webhook_digest(key: str) -> str:
    """What is stored of a webhook key: enough to know it again, not enough to use it."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def webhook_key(aggregator: str, digest: str) -> Key:
    """The row that says whose webhooks come under a key."""
    return Key(f"WEBHOOK#{aggregator}#{digest}", "ACCOUNT")
