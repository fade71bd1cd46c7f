"""A client's connection to its Shopify shop: its options read, and checked when it is set up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.options import url_problem
from rms.partners.results import Connection

VERSION: Final = "2026-07"
_SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com")
_VERSION: Final = re.compile(r"20[2-9][0-9]-(01|04|07|10)")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """A connection's options, each with its type. `webhook_secrets` are those that a webhook may be signed with."""

    shop: str
    url: str
    access_token: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, connection: Connection) -> "Settings":
        """The settings of a connection that `check_connection` has no objection to.

        Raises:
            KeyError: the connection was never checked.
        """
        options, secrets = connection.options, connection.secrets
        return cls(
            shop=options["shop"],
            url=f"{_base_url(options)}/admin/api/{options.get('api_version') or VERSION}/graphql.json",
            access_token=secrets["access_token"],
            webhook_secrets=tuple(
                found for name in ("webhook_secret", "old_webhook_secret") if (found := secrets.get(name))
            ),
        )


def check_connection(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return list(_problems(options, secrets))


def _problems(options: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[str]:
    if not _SHOP.fullmatch(options.get("shop") or ""):
        yield "options.shop: must be the shop's own domain, name.myshopify.com"
    elif problem := url_problem(_base_url(options)):
        yield f"options.base_url: {problem}"
    if (version := options.get("api_version")) and not _VERSION.fullmatch(version):
        yield "options.api_version: must be a quarter, such as 2026-07"
    for name in ("access_token", "webhook_secret"):
        if not _PRINTABLE.fullmatch(secrets.get(name) or ""):
            yield f"secrets.{name}: must be printable ASCII without spaces"
    if (old := secrets.get("old_webhook_secret")) and not _PRINTABLE.fullmatch(old):
        yield "secrets.old_webhook_secret: must be printable ASCII without spaces"


def _base_url(options: Mapping[str, str]) -> str:
    return (options.get("base_url") or f"https://{options['shop']}").rstrip("/")
