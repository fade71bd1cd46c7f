"""Exporting: attempts as JSON Lines, a page a call, for whoever wants to count or keep them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import text
from rms.journal.keys import aggregate_of, endpoint_key
from rms.notifications.seen import (
    BAD_PAGE,
    SIDES,
    START,
    attempt_shown,
    order_attempts,
    place_of,
    raise_all,
    time_since,
)
from rms.notifications.wishes import called
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.table import Item
from rms.platform.table_rules import page_token
from rms.shipments.showing import Json

ATTEMPTS: Final = 200
"""Attempts in a page of an order."""

AT_LEAST: Final = 500
"""Attempts after which a page of an endpoint ends; it has fewer than AT_LEAST + ATTEMPTS, each with 1 KB of answer."""

ORDERS: Final = 25
"""Orders of which a page of an endpoint reads the attempts: one call of AWS each, and about as many again at most."""

type Line = dict[str, Json]


def export_order(
    core: Core, order: AggregateId, endpoint: str | None, page: str | None
) -> tuple[Sequence[Line], str | None]:
    """The attempts of one order, to one endpoint or to all, and where the next page begins.

    Raises:
        NotFoundError: no such order, or another client's.
        BadDataError: `page` is not what an earlier answer gave.
    """
    if core.table.get(order.status) is None:
        raise NotFoundError("No such return order or forward shipment")
    found = order_attempts(core, order, endpoint, page, ATTEMPTS)
    return _lines(order, found.items), found.next


def export_deliveries(
    core: Core, client: str, endpoint: str, query: Mapping[str, str]
) -> tuple[Sequence[Line], str | None]:
    """All attempts at an endpoint, order by order, and where the next page begins.

    Those orders first that wait, then the quiet ones, oldest news first; `query` may have `since` (a time: orders with
    later news, with all their attempts) and `page`. Of an order that changes sides meanwhile, attempts may come twice
    or not at all.

    Raises:
        NotFoundError: no such endpoint, or another client's.
        BadDataError: everything that is wrong with the query.
    """
    problems: list[str] = []
    since = time_since(query, problems)
    name = ("export", client, endpoint, since or "")
    given = place_of(query.get("page"), name, 4, problems)
    place = _Place(*given) if given is not None else _Place(next(iter(SIDES)))
    if place.side not in SIDES and not problems:
        problems.append(BAD_PAGE)
    raise_all(problems)
    if core.table.get(endpoint_key(client, endpoint)) is None:
        raise NotFoundError("No such endpoint")
    lines: list[Line] = []
    orders = 0
    ahead: _Place | None = place
    while ahead is not None and orders < ORDERS and len(lines) < AT_LEAST:
        # A place is where the last order stands; the walk to it passes those with news at the same moment.
        for row in _listed(core, client, endpoint, since, ahead):
            order = aggregate_of(text(row, "PK"))
            found = order_attempts(core, order, endpoint, _after(ahead, row), ATTEMPTS)
            lines += _lines(order, found.items)
            orders += 1
            ahead = _Place(ahead.side, text(row, "listing_sk"), order.pk, found.next or _ALL)
            if orders >= ORDERS or len(lines) >= AT_LEAST:
                break
        else:
            ahead = _Place("quiet") if ahead.side == "waiting" else None
    return lines, page_token(name, ahead.parts) if ahead is not None else None
