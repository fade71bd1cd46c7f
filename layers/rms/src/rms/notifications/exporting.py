"""Exporting: attempts as JSON Lines, a page a call, for whoever wants to count or keep them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
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
from rms.platform.table import Item, Page
from rms.platform.table_rules import page_token
from rms.shipments.showing import Json

ATTEMPTS: Final = 200
"""Attempts in a page of an order."""

ENOUGH: Final = 500
"""Attempts after which a page of an endpoint ends: it has fewer than that and ATTEMPTS more, each 1 KB and a half."""

ORDERS: Final = 25
"""Orders of which a page of an endpoint reads the attempts: one call of AWS for each, and five more at most."""

type Line = dict[str, Json]


def export_order(
    core: Core, order: AggregateId, endpoint: str | None, page: str | None
) -> tuple[Sequence[Line], str | None]:
    """The attempts at one order, to one endpoint or to all, and where the next page begins.

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
    """The attempts at an endpoint, order by order, and where the next page begins.

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
    page = _listed(core, client, endpoint, since, place)
    if not page.items and place.side == "waiting":
        place = _Place("quiet")
        page = _listed(core, client, endpoint, since, place)
    lines, following = _attempts(core, endpoint, place, page)
    if following is None and page.next is not None:
        following = _Place(place.side, page.next)
    if following is None and place.side == "waiting":
        following = _Place("quiet")
    return lines, page_token(name, astuple(following)) if following is not None else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an export stands: on which side, in which page of its listing, at which order of it, after which try."""

    side: str
    page: str = START
    order: str = START
    attempt: str = START


def _listed(core: Core, client: str, endpoint: str, since: str | None, place: _Place) -> Page:
    after = place.page if place.page != START else None
    try:
        listing = SIDES[place.side](client, endpoint)
        return core.table.query_listing(listing, since=since, after=after, limit=ORDERS, backwards=False)
    except ValueError as error:
        raise BadDataError(f"[{BAD_PAGE}]") from error


def _attempts(core: Core, endpoint: str, place: _Place, page: Page) -> tuple[list[Line], _Place | None]:
    """The attempts at the orders of a page from a place on, and where they go on, if that were too many."""
    orders = [aggregate_of(text(row, "PK")) for row in page.items]
    marks = [_mark(order) for order in orders]
    # One that has gone from the page since: once more from its beginning.
    begin = marks.index(place.order) if place.order in marks else 0
    after = place.attempt if place.order in marks and place.attempt != START else None
    lines: list[Line] = []
    for number, order in enumerate(orders[begin:], begin):
        while True:
            if len(lines) >= ENOUGH:
                return lines, replace(place, order=marks[number], attempt=after or START)
            found = order_attempts(core, order, endpoint, after, ATTEMPTS)
            lines += _lines(order, found.items)
            after = found.next
            if after is None:
                break
    return lines, None


def _mark(order: AggregateId) -> str:
    """A short name of an order, for a token that has to fit into a query."""
    return hashlib.sha256(order.pk.encode()).hexdigest()[:12]


def _lines(order: AggregateId, rows: Sequence[Item]) -> list[Line]:
    return [{**called(order), **attempt_shown(row)} for row in rows]
