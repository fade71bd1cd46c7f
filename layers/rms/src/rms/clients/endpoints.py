"""Endpoints: where a client's notifications go. For the client itself and for operators; every write is conditional."""

import json
import secrets as randomness
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from, secret_context
from rms.clients.records import CHANGED_MEANWHILE, SLUG, client_key, unchanged, version_of, write_record
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import client_pk, due_shard, endpoint_key, health_key
from rms.model.endpoint_kind import SETTINGS, EndpointKind
from rms.model.event_filter import EVERYTHING, EventFilter
from rms.notifications.signing import new_secret
from rms.notifications.sinks.webhook import check_headers
from rms.platform.addresses import check_url
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import (
    EXISTING,
    NEW,
    Absent,
    AbsentOr,
    Check,
    Condition,
    ConditionFailedError,
    Delete,
    Equals,
    Item,
    Put,
    Update,
    Value,
    Write,
)
from rms.platform.times import to_text
from rms.shipments.wake import wake_endpoint

MAX_ENDPOINTS: Final = 20
"""Endpoints of a client: each has a cursor in the transaction that appends an event."""

OLD_SECRET_SIGNS_ON: Final = timedelta(hours=24)
"""How long a rotated signing secret goes on signing beside the new one, unless it is said otherwise."""

MOST_OLD_SECRETS: Final = 4
"""Secrets that sign on beside the newest, the youngest of them kept."""

MASK: Final = "***"
"""What is shown of a header's value. A change that holds it in place of a value keeps the value that is sealed."""

NO_TROUBLE: Final = ("failing", "failing_since", "opened", "probe", "reason", "stragglers")
"""What an endpoint that is given another chance sheds of its health: what failed before counts no more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be said of an endpoint, header values in the clear. `headers` None: those that are sealed already."""

    url: str = ""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    credential_url: str | None = None
    kind: EndpointKind = EndpointKind.NOTIFICATION
    settings: Mapping[str, str] = field(default_factory=dict)
    filter: EventFilter = EVERYTHING
    sequence: bool = True
    dropped_metadata: tuple[str, ...] = ()
    max_concurrency: int | None = None
    rate_per_minute: int | None = None
    notice_endpoint: str | None = None


type Change = Callable[[Settings], Settings]
"""From the settings as they stand to those that are wanted; what it leaves alone keeps its value."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of setting an endpoint up or changing it. `secret` is the signing secret of a new one, shown once.

    `resumed`: it had been disabled, and is told again what waited meanwhile.
    """

    secret: str | None = field(default=None, repr=False)
    resumed: bool = False


# ── use cases ───────────────────────────────────────────────────────────────────────


def create_endpoint(core: Core, client: str, endpoint: str, settings: Settings) -> Stored:
    """Make an endpoint. It hears what RMS learns from now on.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: there is one of that name.
    """
    _refuse_if([*_name_problems(endpoint), *_problems(core, client, endpoint, settings)])
    key, health = endpoint_key(client, endpoint), health_key(client, endpoint)
    names = {text(row, "SK").removeprefix("ENDPOINT#") for row in _rows(core, client)}
    if endpoint in names:
        raise ConflictError("[endpoint: exists already]")
    if len(names) >= MAX_ENDPOINTS:
        raise BadDataError(f"[endpoint: a client may have at most {MAX_ENDPOINTS}]")
    context = secret_context(client, key.sk)
    secret = new_secret(randomness.token_bytes(32))
    item: dict[str, Value] = {
        **{name: value for name, value in _attributes(settings).items() if value is not None},
        "sealed_headers": core.secrets.seal(json.dumps(dict(settings.headers or {})), context),
        "sealed_secrets": core.secrets.seal(json.dumps([{"secret": secret, "until": None}]), context),
        "created_at": to_text(core.clock()),
        "version": 1,
    }
    writes: list[Write] = [
        Put(key, item, NEW),
        Check(client_key(client), EXISTING),
        # Of an endpoint of that name that was deleted while a delivery to it was under way.
        Delete(health, {"endpoint": AbsentOr(Equals(endpoint))}),
        *_notice_check(client, settings),
    ]
    write_record(core, client, writes, taken=_NO_NOTICE)
    return Stored(secret)


def change_endpoint(core: Core, client: str, endpoint: str, change: Change) -> Stored:
    """Change an endpoint's settings; what is not given stays. One that was disabled is enabled again.

    Raises:
        NotFoundError: no such endpoint.
        BadDataError: what is wrong with it, all at once; its kind stays.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    before = _row(core, client, endpoint)
    now = endpoint_from(before)
    settings = change(_settings_of(now))
    if settings.kind is not now.kind:
        raise BadDataError(f"[kind: is {now.kind} and cannot be changed; register another endpoint]")
    context = secret_context(client, text(before, "SK"))
    if settings.headers is not None and MASK in settings.headers.values():
        sealed: Mapping[str, str] = json.loads(core.secrets.unseal(now.sealed_headers, context))
        kept = {name: sealed.get(name, value) if value == MASK else value for name, value in settings.headers.items()}
        settings = replace(settings, headers=kept)
    _refuse_if([*_problems(core, client, endpoint, settings)])
    attributes = _attributes(settings)
    written = {name: value for name, value in attributes.items() if value is not None}
    if settings.headers is not None:
        written["sealed_headers"] = core.secrets.seal(json.dumps(dict(settings.headers)), context)
    gone = [name for name, value in attributes.items() if value is None]
    checks = _notice_check(client, settings)
    if now.disabled:
        _give_another_chance(core, client, before, written, [*gone, *_DISABLED], checks, told=not now.paused)
    else:
        _write(core, client, before, written, gone, checks)
    return Stored(resumed=now.disabled)


def put_endpoint(core: Core, client: str, endpoint: str, change: Change) -> Stored:
    """Set up or change an endpoint.

    Raises:
        NotFoundError: no such client.
        BadDataError: what is wrong with it, all at once.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    if core.table.get(endpoint_key(client, endpoint)) is None:
        return create_endpoint(core, client, endpoint, change(Settings()))
    return change_endpoint(core, client, endpoint, change)


def rotate_endpoint_secret(core: Core, client: str, endpoint: str, overlap: timedelta = OLD_SECRET_SIGNS_ON) -> str:
    """Give an endpoint a new signing secret; until the overlap is over the old one signs beside it.

    So does what was rotated out before and still signs: whoever lost our answer rotates again, and its receiver knows
    the first secret only. Without an overlap none of them signs any more.

    Raises:
        NotFoundError: no such endpoint.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    before = _row(core, client, endpoint)
    context = secret_context(client, text(before, "SK"))
    now = core.clock()
    until = to_text(now + overlap)
    secret = new_secret(randomness.token_bytes(32))
    signing = [
        {"secret": each["secret"], "until": each["until"] or until}
        for each in json.loads(core.secrets.unseal(text(before, "sealed_secrets"), context))
        if each["until"] is None or each["until"] > to_text(now)
    ]
    old = signing[:MOST_OLD_SECRETS] if overlap else []
    sealed = core.secrets.seal(json.dumps([{"secret": secret, "until": None}, *old]), context)
    facts = {"sealed_secrets": sealed, "rotated_at": to_text(now), "old_secret_until": until}
    _write(core, client, before, facts, ())
    return secret


def pause_endpoint(core: Core, client: str, endpoint: str) -> None:
    """Tell an endpoint nothing until it is resumed; what happens meanwhile waits. Again changes nothing.

    Raises:
        NotFoundError: no such endpoint.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    before = _row(core, client, endpoint)
    if not endpoint_from(before).paused:
        _write(core, client, before, {"paused_at": to_text(core.clock())}, ())


def resume_endpoint(core: Core, client: str, endpoint: str) -> bool:
    """Tell an endpoint what waited, those first that waited longest; whether it had been paused or disabled.

    One that does not answer is tried at once, without waiting for its next probe.

    Raises:
        NotFoundError: no such endpoint.
        ConflictError: somebody changed this endpoint meanwhile.
    """
    before = _row(core, client, endpoint)
    _give_another_chance(core, client, before, {}, [*_DISABLED, "paused_at"], (), told=True)
    now = endpoint_from(before)
    return now.paused or now.disabled


def delete_endpoint(core: Core, client: str, endpoint: str) -> None:
    """Remove an endpoint: it is told nothing more, and what waited for it never.

    Raises:
        NotFoundError: no such endpoint.
        ConflictError: another endpoint names it as the one to be told; or somebody changed it meanwhile.
    """
    before = _row(core, client, endpoint)
    others = [endpoint_from(row).id for row in _rows(core, client) if row.get("notice_endpoint") == endpoint]
    if others:
        raise ConflictError(f"[endpoint: is the noticeEndpoint of {', '.join(others)}]")
    writes: list[Write] = [
        Delete(endpoint_key(client, endpoint), unchanged(before)),
        Delete(health_key(client, endpoint), {"endpoint": AbsentOr(Equals(endpoint))}),
    ]
    try:
        core.table.transact(writes)
    except ConditionFailedError as failed:
        if failed.current(0) is not None:
            raise ConflictError(CHANGED_MEANWHILE) from failed
        # It is gone: by this very write, whose reply was lost, or by somebody else's.
    finally:
        core.memory.forget(f"configuration:{client}")


def describe_endpoint(core: Core, client: str, endpoint: str) -> dict[str, object]:
    """An endpoint and how it fares, without secrets: of its headers the names.

    Raises:
        NotFoundError: no such endpoint.
    """
    key, health = endpoint_key(client, endpoint), health_key(client, endpoint)
    rows = core.table.get_many([key, health])
    if key not in rows:
        raise NotFoundError(_NOT_FOUND)
    sealed = text(rows[key], "sealed_headers")
    headers: Mapping[str, str] = json.loads(core.secrets.unseal(sealed, secret_context(client, key.sk)))
    return _described(core, rows[key], rows.get(health)) | {"headers": dict.fromkeys(headers, MASK)}


def list_endpoints(core: Core, client: str) -> list[dict[str, object]]:
    """The client's endpoints by name, as `describe_endpoint` shows each, save the headers."""
    rows = {text(row, "SK").removeprefix("ENDPOINT#"): row for row in _rows(core, client)}
    if not rows:
        return []
    healths = core.table.get_many([health_key(client, name) for name in rows])
    return [_described(core, row, healths.get(health_key(client, name))) for name, row in rows.items()]


# ── what a client may type ──────────────────────────────────────────────────────────


def url_problems(core: Core, url: str, credential_url: str | None) -> Iterator[str]:
    """What is wrong with URLs that a client typed."""
    for name, typed in (("url", url), ("credentialUrl", credential_url)):
        if typed is None:
            continue
        problem = check_url(typed, allow_loopback_http=core.local) or core.http.problem_with(typed)
        if problem:
            yield f"{name}: {problem}"


def header_problems(headers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with headers that a client typed."""
    problem = check_headers(headers)
    if problem:
        yield f"headers: {problem}"
    elif not can_be_sealed(headers):
        yield f"headers: must not have more than {MAX_PLAIN_BYTES} bytes in all"


def can_be_sealed(texts: Mapping[str, str]) -> bool:
    """Whether these fit into what the key service encrypts in one call."""
    return len(json.dumps(dict(texts))) <= MAX_PLAIN_BYTES


def _name_problems(endpoint: str) -> Iterator[str]:
    if not SLUG.fullmatch(endpoint):
        yield "endpoint: must be 1 to 40 lower-case letters, digits or hyphens"


def _problems(core: Core, client: str, endpoint: str, settings: Settings) -> Iterator[str]:
    if settings.url:
        yield from url_problems(core, settings.url, settings.credential_url)
    else:
        yield "url: may not be null"
    headers = settings.headers or {}
    yield from header_problems(headers)
    masked = [name for name, value in headers.items() if value == MASK]
    if masked:
        yield f"headers: has no value to keep: {', '.join(masked)}"
    yield from _kind_problems(settings)
    yield from _notice_problems(core, client, endpoint, settings.notice_endpoint)


def _kind_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with what an endpoint of this kind is told, setting by setting."""
    kind, known = settings.kind, SETTINGS[settings.kind]
    for name, setting in known.items():
        given = settings.settings.get(name)
        if given is None and setting.must:
            yield f"settings.{name}: may not be null"
        elif given is not None and setting.one_of and given not in setting.one_of:
            yield f"settings.{name}: must be one of {', '.join(setting.one_of)}"
    for name in sorted(settings.settings.keys() - known.keys()):
        yield f"settings.{name}: is no setting of an endpoint of kind {kind}"
    if kind is EndpointKind.NOTIFICATION:
        return
    wish, only = settings.filter, f"is for endpoints of kind {EndpointKind.NOTIFICATION}"
    wishes = {
        "notificationTypes": wish.types,
        "direction": wish.direction,
        "logisticAggregators": wish.aggregators,
    }
    for name in (name for name, wished in wishes.items() if wished):
        yield f"filter.{name}: {only}"
    if settings.dropped_metadata:
        yield f"droppedMetadataKeys: {only}"


def _notice_problems(core: Core, client: str, endpoint: str, notice: str | None) -> Iterator[str]:
    if notice is None:
        return
    if notice == endpoint:
        yield "noticeEndpoint: must be another endpoint"
        return
    row = core.table.get(endpoint_key(client, notice))
    if row is None:
        yield "noticeEndpoint: no such endpoint"
    elif endpoint_from(row).kind is not EndpointKind.NOTIFICATION:
        yield f"noticeEndpoint: must be of kind {EndpointKind.NOTIFICATION}"


def _refuse_if(problems: Sequence[str]) -> None:
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")


# ── rows ────────────────────────────────────────────────────────────────────────────

_NOT_FOUND: Final = "No such endpoint"
_NO_NOTICE: Final = "[noticeEndpoint: no such endpoint]"
_DISABLED: Final = ("disabled_at", "disabled_because")


def _row(core: Core, client: str, endpoint: str) -> Item:
    row = core.table.get(endpoint_key(client, endpoint))
    if row is None:
        raise NotFoundError(_NOT_FOUND)
    return row


def _rows(core: Core, client: str) -> Sequence[Item]:
    return core.table.query(client_pk(client), prefix="ENDPOINT#").items


def _settings_of(endpoint: Endpoint) -> Settings:
    return Settings(
        url=endpoint.url,
        credential_url=endpoint.credential_url,
        kind=endpoint.kind,
        settings=endpoint.settings,
        filter=endpoint.filter,
        sequence=endpoint.sequence,
        dropped_metadata=endpoint.dropped_metadata,
        max_concurrency=endpoint.max_concurrency,
        rate_per_minute=endpoint.rate_per_minute,
        notice_endpoint=endpoint.notice_endpoint,
    )


def _attributes(settings: Settings) -> dict[str, Value]:
    """As stored, save what is sealed; None: the row has no such attribute."""
    wish = settings.filter
    return {
        "url": settings.url,
        "credential_url": settings.credential_url,
        "kind": settings.kind.value,
        "settings": dict(settings.settings) or None,
        "filter": None
        if wish == EVERYTHING
        else {
            "types": sorted(wish.types),
            "direction": wish.direction,
            "aggregators": sorted(wish.aggregators),
            "locations": sorted(wish.locations),
        },
        "sequence_on": settings.sequence,
        "dropped_metadata": list(settings.dropped_metadata),
        "max_concurrency": settings.max_concurrency,
        "rate_per_minute": settings.rate_per_minute,
        "notice_endpoint": settings.notice_endpoint,
    }


def _notice_check(client: str, settings: Settings) -> list[Write]:
    """That the endpoint which is to be told is still there when the record is written."""
    notice = settings.notice_endpoint
    return [Check(endpoint_key(client, notice), EXISTING)] if notice else []


def _write(
    core: Core, client: str, before: Item, change: Mapping[str, Value], gone: Sequence[str], also: Sequence[Write] = ()
) -> None:
    """Change an endpoint's row as it was read; nobody may have disabled it meanwhile, either."""
    disabled_at = maybe_text(before, "disabled_at")
    expect: dict[str, Condition] = {
        **unchanged(before),
        "disabled_at": Equals(disabled_at) if disabled_at else Absent(),
    }
    key = endpoint_key(client, endpoint_from(before).id)
    # The fence tells this write from another that says the same, but whose other half is somebody else's.
    said = {**change, "version": version_of(before) + 1, "fence": core.fences()}
    update = Update(key, expect, set=said, remove=tuple(gone))
    write_record(core, client, [update, Check(client_key(client), EXISTING), *also], taken=_NO_NOTICE)


def _give_another_chance(  # noqa: PLR0913 - a write has this many parts
    core: Core,
    client: str,
    before: Item,
    change: Mapping[str, Value],
    gone: Sequence[str],
    also: Sequence[Write],
    *,
    told: bool,
) -> None:
    """Change an endpoint's row so that it is active, or at least no longer disabled.

    With `told`, what is parked is due now: both are one transaction, because nobody else would come to look.
    """
    now, name = to_text(core.clock()), endpoint_from(before).id
    stood_still = any(attribute in before for attribute in (*_DISABLED, "paused_at"))
    written = {**change, **({"resumed_at": now} if stood_still else {})}
    if not told:
        _write(core, client, before, written, gone, also)
        return
    key = health_key(client, name)
    health = Update(
        key,
        {"endpoint": AbsentOr(Equals(name))},
        set={"endpoint": name, "mode": "QUEUED", "due_at": now, "due_shard": due_shard(key.pk)},
        remove=NO_TROUBLE,
    )
    _write(core, client, before, written, gone, [*also, health])
    wake_endpoint(core, client, name)


# ── what is shown ───────────────────────────────────────────────────────────────────


def _described(core: Core, row: Item, health: Item | None) -> dict[str, object]:
    endpoint = endpoint_from(row)
    wish = endpoint.filter
    return {
        "endpoint": endpoint.id,
        "kind": endpoint.kind.value,
        "settings": dict(endpoint.settings),
        "url": endpoint.url,
        "credentialUrl": endpoint.credential_url,
        "filter": {
            "notificationTypes": sorted(wish.types),
            "direction": wish.direction,
            "logisticAggregators": sorted(wish.aggregators),
            "locationCodes": sorted(wish.locations),
        },
        "sequence": endpoint.sequence,
        "droppedMetadataKeys": list(endpoint.dropped_metadata),
        "maxConcurrency": endpoint.max_concurrency,
        "ratePerMinute": endpoint.rate_per_minute,
        "noticeEndpoint": endpoint.notice_endpoint,
        "createdAt": to_text(endpoint.created_at),
        **_state(row),
        "signingSecret": _secret(core, row),
        "health": _health(health or {}),
    }


def _state(row: Item) -> dict[str, object]:
    """Whether it is told, since when, and why not."""
    if (disabled_at := maybe_text(row, "disabled_at")) is not None:
        return {"state": "DISABLED", "since": disabled_at, "reason": maybe_text(row, "disabled_because")}
    if (paused_at := maybe_text(row, "paused_at")) is not None:
        return {"state": "PAUSED", "since": paused_at, "reason": None}
    return {"state": "ACTIVE", "since": maybe_text(row, "resumed_at") or text(row, "created_at"), "reason": None}


def _secret(core: Core, row: Item) -> dict[str, object]:
    until = maybe_text(row, "old_secret_until")
    signs_on = until is not None and until > to_text(core.clock())
    return {"rotatedAt": maybe_text(row, "rotated_at"), "oldSignsUntil": until if signs_on else None}


def _health(row: Item) -> dict[str, object]:
    """How delivery fares: it fails and is probed now and then, it is told what had to wait, or all is well."""
    mode = maybe_text(row, "mode")
    failing = mode == "OPEN"
    return {
        "state": "failing" if failing else "recovering" if mode else "healthy",
        "reason": maybe_text(row, "reason"),
        "failingSince": maybe_text(row, "failing_since"),
        "nextProbeAt": maybe_text(row, "due_at") if failing else None,
    }
