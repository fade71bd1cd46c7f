"""A client's configuration as use cases read it: settings, aggregator accounts, endpoints. One read, remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, cast

from rms.core import Core
from rms.journal import Reader
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import client_pk
from rms.platform.errors import NotFoundError
from rms.platform.table import Item, Key, Value
from rms.platform.times import from_text, to_text

RULES: Final = "RULES"
"""Sort key of the row that says which account books what."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client hears of its returns. What is sealed is opened only to send."""

    id: str
    url: str
    created_at: datetime
    sealed_headers: str = field(repr=False)
    sealed_secrets: str = field(repr=False)
    sequence: bool = True
    dropped_metadata: tuple[str, ...] = ()
    credential_url: str | None = None
    disabled: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where a client's own system gives labels. Source: RMS API contract, section 21."""

    url: str
    sealed_headers: str = field(repr=False)
    credential_url: str | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredAccount:
    """An aggregator account, its secrets sealed, and the row of its token, where it has one."""

    alias: str
    aggregator: str
    options: Mapping[str, str]
    required_fields: tuple[str, ...]
    books_returns: bool
    ships_forward: bool
    sealed_secrets: str = field(repr=False)
    token: Item | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Which accounts book the parcels that are all of this; what is not given, any parcel is.

    `direction` is FORWARD or RETURN, `payment` COD or PREPAID. Of `pins`, one that ends in `*` means all that begin so;
    of `pins` and `categories` one is enough. See `rms.clients.choice`.
    """

    accounts: tuple[str, ...]
    direction: str | None = None
    pins: tuple[str, ...] = ()
    payment: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything RMS knows of a client's wishes."""

    client: str
    weight_unit: Literal["G", "KG"]
    push_other: bool
    accounts: Mapping[str, ConfiguredAccount]
    endpoints: Mapping[str, Endpoint]
    account_rules: tuple[AccountRule, ...] = ()
    default_accounts: tuple[str, ...] = ()
    label_source: LabelSource | None = None

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The endpoints that must hear. A disabled one too: its cursors wait until it is enabled again."""
        return tuple(Reader(endpoint.id, to_text(endpoint.created_at)) for endpoint in self.endpoints.values())


def configuration_of(core: Core, client: str) -> Configuration:
    """A client's configuration, at most `rms.core.REMEMBERED` old.

    Raises:
        NotFoundError: no such client.
    """
    name = f"configuration:{client}"
    kept = core.memory.recall(name)
    if isinstance(kept, Configuration):
        return kept
    rows: list[Item] = []
    page = core.table.query(client_pk(client))
    rows.extend(page.items)
    while page.next is not None:
        page = core.table.query(client_pk(client), after=page.next)
        rows.extend(page.items)
    configuration = _read(client, rows)
    core.memory.keep(name, configuration)
    return configuration


def label_source_key(client: str) -> Key:
    """The row that says where a client's own system gives labels."""
    return Key(client_pk(client), "LABELSOURCE")


def secret_context(client: str, record: str) -> dict[str, str]:
    """What a secret is bound to: it opens only for this client and this record."""
    return {"client": client, "record": record}


def endpoint_from(row: Item) -> Endpoint:
    """An ENDPOINT row, read."""
    return Endpoint(
        id=text(row, "SK").removeprefix("ENDPOINT#"),
        url=text(row, "url"),
        created_at=from_text(text(row, "created_at")),
        sealed_headers=text(row, "sealed_headers"),
        sealed_secrets=text(row, "sealed_secrets"),
        sequence=bool(row.get("sequence_on", True)),
        dropped_metadata=_texts(row, "dropped_metadata"),
        credential_url=maybe_text(row, "credential_url"),
        disabled=maybe_text(row, "disabled_at") is not None,
        version=number(row, "version"),
    )


def _label_source(row: Item | None) -> LabelSource | None:
    if row is None:
        return None
    return LabelSource(text(row, "url"), text(row, "sealed_headers"), maybe_text(row, "credential_url"))


def _read(client: str, rows: list[Item]) -> Configuration:
    by_sk = {text(row, "SK"): row for row in rows}
    settings = by_sk.get("CLIENT")
    if settings is None:
        raise NotFoundError("No such client")
    return Configuration(
        client=client,
        weight_unit="KG" if settings.get("weight_unit") == "KG" else "G",
        push_other=bool(settings.get("push_other", True)),
        accounts={
            sk.removeprefix("ACCOUNT#"): ConfiguredAccount(
                alias=sk.removeprefix("ACCOUNT#"),
                aggregator=text(row, "aggregator"),
                options=cast("Mapping[str, str]", row["options"]),
                required_fields=_texts(row, "required_fields"),
                books_returns=bool(row["books_returns"]),
                ships_forward=bool(row.get("ships_forward", True)),
                sealed_secrets=text(row, "sealed_secrets"),
                token=by_sk.get(sk.replace("ACCOUNT#", "TOKEN#", 1)),
            )
            for sk, row in by_sk.items()
            if sk.startswith("ACCOUNT#")
        },
        endpoints={
            sk.removeprefix("ENDPOINT#"): endpoint_from(row) for sk, row in by_sk.items() if sk.startswith("ENDPOINT#")
        },
        account_rules=_rules(by_sk.get(RULES, {})),
        default_accounts=_texts(by_sk.get(RULES, {}), "default_accounts"),
        label_source=_label_source(by_sk.get("LABELSOURCE")),
    )


def _rules(row: Item) -> tuple[AccountRule, ...]:
    listed = row.get("rules", [])
    assert isinstance(listed, list)
    return tuple(_rule(each) for each in listed if isinstance(each, Mapping))


def _rule(stored: Mapping[str, Value]) -> AccountRule:
    return AccountRule(
        accounts=_texts(stored, "accounts"),
        direction=maybe_text(stored, "direction"),
        pins=_texts(stored, "pins"),
        payment=maybe_text(stored, "payment"),
        categories=_texts(stored, "categories"),
    )


def _texts(row: Item, name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    assert isinstance(value, list)
    return tuple(str(element) for element in value)
