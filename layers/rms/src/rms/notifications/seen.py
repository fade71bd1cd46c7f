"""Seen: what endpoints have heard, try by try, and what waits for them. Nothing of another client is ever seen."""

from collections.abc import Mapping, Sequence
from typing import Final

from rms.clients.configuration import Endpoint, configuration_of, endpoint_from
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import (
    aggregate_of,
    endpoint_key,
    health_key,
    parked_shard,
    quiet_listing,
    stalled_shard,
    waiting_listing,
)
from rms.notifications.health import Health, Mode, health_of
from rms.notifications.wishes import called
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.table import Item, Key, Page
from rms.platform.table_rules import page_token, parts_of
from rms.platform.times import TIME_EXPECTED, YEARS, from_text, stated_time, to_text
from rms.shipments.showing import CursorState, Json, cursor_shown, cursor_state

ORDERS: Final = 25
"""Orders in a page of an endpoint. With each its last attempt: four calls of AWS for a page at most."""

ATTEMPTS: Final = 100
"""Attempts in a page of an order: three calls of AWS, four when nothing was found."""

SIDES: Final = {"waiting": waiting_listing, "quiet": quiet_listing}
"""The two listings of an endpoint, in the order in which they are shown."""

START: Final = "-"
"""A place at the beginning, where a place may not be empty."""

BAD_PAGE: Final = "page: must be the nextPage of an earlier answer"


# ── one order ───────────────────────────────────────────────────────────────────────


def order_deliveries(core: Core, order: AggregateId, endpoint: str | None, page: str | None) -> dict[str, Json]:
    """How far each endpoint has heard an order, and each try at telling it, by endpoint, event and try.

    Raises:
        NotFoundError: no such order, or another client's; or no such endpoint.
        BadDataError: `page` is not what an earlier answer gave.
    """
    if core.table.get(order.status) is None:
        raise NotFoundError("No such return order or forward shipment")
    attempts = order_attempts(core, order, endpoint, page, ATTEMPTS)
    if endpoint is None:
        cursors = core.table.query(order.pk, prefix="CURSOR#").items
    else:
        row = core.table.get(order.cursor(endpoint))
        cursors = [row] if row is not None else []
        if not cursors and not attempts.items and endpoint not in configuration_of(core, order.client).endpoints:
            raise NotFoundError("No such endpoint")
    return {
        **called(order),
        "endpoints": [cursor_shown(row) for row in cursors],
        "attempts": [attempt_shown(row) for row in attempts.items],
        "nextPage": attempts.next,
    }


def order_attempts(core: Core, order: AggregateId, endpoint: str | None, page: str | None, limit: int) -> Page:
    """The rows of tries at telling an order, to one endpoint or to all.

    Raises:
        BadDataError: `page` is not what an earlier answer gave.
    """
    prefix = f"ATTEMPT#{endpoint}#" if endpoint is not None else "ATTEMPT#"
    try:
        return core.table.query(order.pk, prefix=prefix, after=page, limit=limit)
    except ValueError as error:
        raise BadDataError(f"[{BAD_PAGE}]") from error


def attempt_shown(row: Item) -> dict[str, Json]:
    """One try: what was sent and when, and what came of it. `delaySeconds` is how long after RMS had learned of it."""
    at, learned_at, status = text(row, "at"), maybe_text(row, "learned_at"), row.get("status")
    delay = (from_text(at) - from_text(learned_at)).total_seconds() if learned_at else None
    return {
        "endpoint": text(row, "SK").split("#")[1],
        "sequence": number(row, "sequence"),
        "notificationType": maybe_text(row, "notification"),
        "webhookId": maybe_text(row, "message"),
        "at": at,
        "outcome": text(row, "outcome"),
        "status": status if isinstance(status, int) else None,
        "elapsedMs": number(row, "elapsed_ms"),
        "answer": text(row, "answer"),
        "delaySeconds": delay,
    }


# ── one endpoint ────────────────────────────────────────────────────────────────────


def endpoint_deliveries(core: Core, client: str, endpoint: str, query: Mapping[str, str]) -> dict[str, Json]:
    """An endpoint's orders, newest event first, each with its cursor and its last try: first those that wait.

    `query` may have `state` (waiting or quiet: those only), `since` (a time: those with later news) and `page`. An
    order that changes sides between two pages may come twice, or not at all.

    Raises:
        NotFoundError: no such endpoint, or another client's.
        BadDataError: everything that is wrong with the query.
    """
    problems: list[str] = []
    state = _one_of(query, "state", tuple(SIDES), problems)
    since = time_since(query, problems)
    name = ("deliveries", client, endpoint, state or "", since or "")
    side, after = place_of(query.get("page"), name, 2, problems) or (state or next(iter(SIDES)), START)
    if side not in SIDES and not problems:
        problems.append(BAD_PAGE)
    raise_all(problems)
    listing = SIDES[side](client, endpoint)
    try:
        found = core.table.query_listing(listing, since=since, after=after if after != START else None, limit=ORDERS)
    except ValueError as error:
        raise BadDataError(f"[{BAD_PAGE}]") from error
    doing, cursors = _read(core, client, endpoint, found.items)
    tries = _last_tries(core, cursors)
    following = (side, found.next) if found.next else ("quiet", START) if (side, state) == ("waiting", None) else None
    return {
        **doing,
        "orders": [
            {
                **called(aggregate_of(text(row, "PK"))),
                **cursor_shown(row),
                "newestAt": maybe_text(row, "listing_sk"),
                "lastAttempt": tries.get(text(row, "PK")),
            }
            for row in cursors
        ],
        "nextPage": page_token(name, following) if following is not None else None,
    }


def endpoint_waiting(core: Core, client: str, endpoint: str, query: Mapping[str, str]) -> dict[str, Json]:
    """What waits for an endpoint: since when, why, until when.

    `query` may have `state` (all; parked: for the endpoint itself; stalled: for a person) and `page`. All come by
    their newest event, oldest first; parked and stalled ones by how long they have stood still, longest first.

    Raises:
        NotFoundError: no such endpoint, or another client's.
        BadDataError: everything that is wrong with the query.
    """
    problems: list[str] = []
    state = _one_of(query, "state", ("all", "parked", "stalled"), problems) or "all"
    raise_all(problems)
    page, now = query.get("page"), to_text(core.clock())
    try:
        if state == "all":
            listing = waiting_listing(client, endpoint)
            found = core.table.query_listing(listing, after=page, limit=ORDERS, backwards=False)
        else:
            shard = {"parked": parked_shard, "stalled": stalled_shard}[state](client, endpoint)
            found = core.table.query_due(shard, until=now, after=page, limit=ORDERS)
    except ValueError as error:
        raise BadDataError(f"[{BAD_PAGE}]") from error
    doing, cursors = _read(core, client, endpoint, found.items)
    # The indexes may be late: what they still show is gone on by now.
    still = [row for row in cursors if cursor_state(row) is not CursorState.QUIET]
    if state != "all":
        still = [row for row in still if cursor_state(row).value.lower() == state]
    return {
        **doing,
        "waiting": [{**called(aggregate_of(text(row, "PK"))), **cursor_shown(row)} for row in still],
        "nextPage": found.next,
    }


def time_since(query: Mapping[str, str], problems: list[str]) -> str | None:
    """The parameter `since`, in stored form."""
    if "since" not in query:
        return None
    since = stated_time(query["since"])
    if since is None or since.year not in YEARS:
        problems.append(f"since: {TIME_EXPECTED}")
        return None
    return to_text(since)


def place_of(page: str | None, name: Sequence[str], parts: int, problems: list[str]) -> Sequence[str] | None:
    """Where a page begins, as `page_token` wrote it under this name."""
    if page is None:
        return None
    try:
        return parts_of(page, name, parts)
    except ValueError:
        problems.append(BAD_PAGE)
        return None


def raise_all(problems: Sequence[str]) -> None:
    """Say everything that is wrong with a request at once, if anything is."""
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")


def _one_of(query: Mapping[str, str], name: str, values: Sequence[str], problems: list[str]) -> str | None:
    value = query.get(name)
    if value is not None and value not in values:
        problems.append(f"{name}: must be one of {', '.join(values)}")
        return None
    return value


def _read(core: Core, client: str, endpoint: str, listed: Sequence[Item]) -> tuple[dict[str, Json], list[Item]]:
    """An endpoint, how it is doing, and the cursors that an index has listed, in that order."""
    configured, health = endpoint_key(client, endpoint), health_key(client, endpoint)
    keys = [Key(text(row, "PK"), text(row, "SK")) for row in listed]
    rows = core.table.get_many([configured, health, *keys])
    if configured not in rows:
        raise NotFoundError("No such endpoint")
    doing = _doing(endpoint_from(rows[configured]), health_of(client, endpoint, rows.get(health)))
    return doing, [rows[key] for key in keys if key in rows]


def _doing(endpoint: Endpoint, health: Health) -> dict[str, Json]:
    """How an endpoint is doing, as far as it bears on what waits for it; by the names of GET /endpoints."""
    dark = health.mode is Mode.OPEN
    return {
        "endpoint": endpoint.id,
        "state": "DISABLED" if endpoint.disabled else "PAUSED" if endpoint.paused else "ACTIVE",
        "health": {
            "state": "failing" if dark else "recovering" if health.mode else "healthy",
            "reason": health.reason,
            "failingSince": to_text(health.failing_since) if health.failing_since else None,
            "nextProbeAt": to_text(health.due_at) if dark and health.due_at else None,
        },
    }


def _last_tries(core: Core, cursors: Sequence[Item]) -> dict[str, Json]:
    """The last try of each cursor of which one is known, by the order's partition."""
    keys = [
        aggregate_of(text(row, "PK")).attempt(text(row, "endpoint"), number(row, "tried"), number(row, "tries") - 1)
        for row in cursors
        if "tried" in row
    ]
    return {key.pk: attempt_shown(row) for key, row in (core.table.get_many(keys) if keys else {}).items()}
