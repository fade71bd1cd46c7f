"""A client's configuration as use cases read it: settings, aggregator accounts, endpoints. One read, remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, cast

from rms.core import Core
from rms.journal import Reader
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import client_pk
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import EVERYTHING, Direction, EventFilter
from rms.model.notification_type import NotificationType
from rms.platform.errors import NotFoundError
from rms.platform.table import Item, Key, Value
from rms.platform.times import from_text, to_text

RETURNS_PRIME: Final = "RETURNSPRIME"
"""Sort key of the row with a client's connection to Returns Prime."""

RULES: Final = "RULES"
"""Sort key of the row that says which account books what."""

SHOPIFY: Final = "SHOPIFY"
"""What a web shop runs on, as its row says it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client hears of its returns. What is sealed is opened only to send.

    `kind` says what it is for, and `settings` what only the client can say for that: see `rms.model.endpoint_kind`.
    `filter` says what it wants to hear. `max_concurrency` orders at most are told at a time, `rate_per_minute`
    notifications at most a minute; None is as many as it takes. A paused one is told nothing until it is resumed, a
    disabled one (it answered 410, or nothing for days) until it is enabled. `notice_endpoint` is the endpoint that
    hears when this one is disabled.
    """

    id: str
    url: str
    created_at: datetime
    sealed_headers: str = field(repr=False)
    sealed_secrets: str = field(repr=False)
    sequence: bool = True
    dropped_metadata: tuple[str, ...] = ()
    credential_url: str | None = None
    kind: EndpointKind = EndpointKind.NOTIFICATION
    settings: Mapping[str, str] = field(default_factory=dict)
    filter: EventFilter = EVERYTHING
    max_concurrency: int | None = None
    rate_per_minute: int | None = None
    notice_endpoint: str | None = None
    paused_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    version: int = 0

    @property
    def paused(self) -> bool:
        """Whether the client itself wants nothing told for now."""
        return self.paused_at is not None

    @property
    def disabled(self) -> bool:
        """Whether RMS gave it up until it is enabled again."""
        return self.disabled_at is not None

    @property
    def reader(self) -> Reader:
        """Who hears of the client's events, as the journal marks them."""
        wish = None if self.filter == EVERYTHING else self.filter
        return Reader(self.id, to_text(self.created_at), wish, self.kind)


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where a client's own system gives labels. Source: RMS API contract, section 21."""

    url: str
    sealed_headers: str = field(repr=False)
    credential_url: str | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredPartner:
    """A client's connection to a returns app, its secrets sealed. `turned_off` says why nothing is written back."""

    options: Mapping[str, str]
    sealed_secrets: str = field(repr=False)
    turned_off: str | None = None
    version: int = 0

    @property
    def writes_back(self) -> bool:
        """Whether it is told what QC found by its own API: only where its options say so, and it has such calls."""
        return self.turned_off is None and self.options.get("write_back", "off") not in {"", "off"}


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
class ConfiguredStore:
    """A Shopify store, its secrets sealed. `settings` say what RMS does with replacement orders there."""

    alias: str
    options: Mapping[str, str]
    settings: Mapping[str, str]
    sealed_secrets: str = field(repr=False)
    old_secret_until: str | None = None


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
    returns_prime: ConfiguredPartner | None = None
    stores: Mapping[str, ConfiguredStore] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The endpoints that hear. A disabled or paused one too: its cursors wait until it takes something again."""
        return tuple(endpoint.reader for endpoint in self.endpoints.values())


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


def store_key(client: str, alias: str) -> Key:
    """The row of a web shop."""
    return Key(client_pk(client), f"STORE#{alias}")


def store_from(row: Item) -> ConfiguredStore:
    """A STORE row, read."""
    return ConfiguredStore(
        alias=text(row, "SK").removeprefix("STORE#"),
        options=cast("Mapping[str, str]", row["options"]),
        settings=cast("Mapping[str, str]", row["settings"]),
        sealed_secrets=text(row, "sealed_secrets"),
        old_secret_until=maybe_text(row, "old_secret_until"),
    )


def secret_context(client: str, record: str) -> dict[str, str]:
    """What a secret is bound to: it opens only for this client and this record."""
    return {"client": client, "record": record}


def endpoint_from(row: Item) -> Endpoint:
    """An ENDPOINT row, read. What one that was written before lacks is as it was then."""
    return Endpoint(
        id=text(row, "SK").removeprefix("ENDPOINT#"),
        url=text(row, "url"),
        created_at=from_text(text(row, "created_at")),
        sealed_headers=text(row, "sealed_headers"),
        sealed_secrets=text(row, "sealed_secrets"),
        sequence=bool(row.get("sequence_on", True)),
        dropped_metadata=_texts(row, "dropped_metadata"),
        credential_url=maybe_text(row, "credential_url"),
        kind=EndpointKind(maybe_text(row, "kind") or EndpointKind.NOTIFICATION),
        settings=_settings(row),
        filter=_filter(row),
        max_concurrency=_maybe_number(row, "max_concurrency"),
        rate_per_minute=_maybe_number(row, "rate_per_minute"),
        notice_endpoint=maybe_text(row, "notice_endpoint"),
        paused_at=_maybe_time(row, "paused_at"),
        disabled_at=_maybe_time(row, "disabled_at"),
        disabled_because=maybe_text(row, "disabled_because"),
        version=number(row, "version"),
    )


def _label_source(row: Item | None) -> LabelSource | None:
    if row is None:
        return None
    return LabelSource(text(row, "url"), text(row, "sealed_headers"), maybe_text(row, "credential_url"))


def _partner(row: Item | None) -> ConfiguredPartner | None:
    if row is None:
        return None
    return ConfiguredPartner(
        options=cast("Mapping[str, str]", row["options"]),
        sealed_secrets=text(row, "sealed_secrets"),
        turned_off=maybe_text(row, "turned_off"),
        version=number(row, "version"),
    )


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
        returns_prime=_partner(by_sk.get(RETURNS_PRIME)),
        stores={
            sk.removeprefix("STORE#"): store_from(row)
            for sk, row in by_sk.items()
            if sk.startswith("STORE#") and row.get("platform") == SHOPIFY
        },
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


def _settings(row: Item) -> Mapping[str, str]:
    stored = row.get("settings", {})
    assert isinstance(stored, Mapping)
    return {name: str(value) for name, value in stored.items()}


def _filter(row: Item) -> EventFilter:
    stored = row.get("filter", {})
    assert isinstance(stored, Mapping)
    return EventFilter(
        types=frozenset(NotificationType(name) for name in _texts(stored, "types")),
        direction=cast("Direction | None", maybe_text(stored, "direction")),
        aggregators=frozenset(_texts(stored, "aggregators")),
        locations=frozenset(_texts(stored, "locations")),
    )


def _maybe_number(row: Item, name: str) -> int | None:
    return number(row, name) if name in row else None


def _maybe_time(row: Item, name: str) -> datetime | None:
    kept = maybe_text(row, name)
    return from_text(kept) if kept else None


def _texts(row: Item, name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    assert isinstance(value, list)
    return tuple(str(element) for element in value)
