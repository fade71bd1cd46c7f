"""Which scans in a tracking answer are news: what the journal holds already is recognised, however it was told.

Pure. Where a scan in tracking has its webhook's event id, that settles it. Where not, a scan is known by its name and
time: a webhook's time is never before that of the scan that it tells of, and one webhook tells of one scan.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from rms.aggregators.contract import ShipmentUpdate
from rms.journal import EventKind, RecordedEvent
from rms.model.notification_type import NotificationType


def news_among(
    updates: Sequence[ShipmentUpdate], recorded: Sequence[RecordedEvent], *, is_return: bool, by_event_id: bool
) -> list[ShipmentUpdate]:
    """The updates that the journal does not hold yet, oldest first.

    `updates` are the scans of one parcel, `recorded` its whole journal.
    """
    ids = {each.event.event_id for each in recorded}
    if by_event_id:
        # The same scan may have come with an event of the aggregator's own, which makes its id another one.
        scans = {(each.fact("raw_code"), _second(each.event.occurred_at)) for each in recorded}
        return [
            update
            for update in updates
            if update.event_id not in ids and (update.scan.raw.code, _second(update.scan.occurred_at)) not in scans
        ]
    return _by_name(updates, recorded, ids, is_return=is_return)


def _by_name(
    updates: Sequence[ShipmentUpdate], recorded: Sequence[RecordedEvent], ids: set[str], *, is_return: bool
) -> list[ShipmentUpdate]:
    def name_of(update: ShipmentUpdate) -> NotificationType:
        return update.scan.when_return if is_return else update.scan.when_forward

    asked_for = {update.event_id for update in updates}
    told: dict[NotificationType, list[datetime]] = defaultdict(list)
    for each in recorded:
        # Those that were found in tracking before are known by their id, and stand for no other scan.
        name = _name_in(each)
        if name is not None and each.event.event_id not in asked_for:
            told[name].append(each.event.occurred_at)
    for times in told.values():
        times.sort()
    booked_by_us = any(each.event.kind is EventKind.AWB_BOOKED for each in recorded)
    recorded_names = {_name_in(each) for each in recorded}
    timed = [update for update in updates if update.timed]
    untimed = [update for update in updates if not update.timed]
    # Several scans of one status on end are one status: no webhook needs to have told of each.
    first_of_each = [next(run) for _, run in groupby(timed, key=name_of)]
    news = [update for update in untimed if update.event_id not in ids and name_of(update) not in recorded_names]
    # From the last one backwards, each with the first webhook that can have told of it: so none is taken for another's.
    for update in reversed(first_of_each):
        name, times = name_of(update), told[name_of(update)]
        place = bisect_left(times, _second(update.scan.occurred_at))
        if update.event_id in ids or (name is NotificationType.AWB_GENERATED and booked_by_us):
            continue
        if place < len(times):
            del times[place]
        else:
            news.append(update)
    return sorted(news, key=lambda update: update.scan.occurred_at)


def _name_in(recorded: RecordedEvent) -> NotificationType | None:
    """What an event says of the parcel, whether or not anybody was told."""
    untold = recorded.fact("untold")
    return NotificationType(untold) if untold else recorded.event.notification


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
