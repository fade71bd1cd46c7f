"""Shipway's webhooks in their three shapes, and the scans in its tracking answers.

The panel's shape says most, twice over; the older feed holds a list of orders and codes; the plain one a single pair.
They are told apart by their keys. Anybody can post them, so they are confirmed by tracking before they are believed.
Source: Shipway guide, sections 4, 6 and 8.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rms.aggregators.contract import (
    MAX_WORDS,
    Account,
    RawStatus,
    ShipmentUpdate,
    Sighting,
    Unknown,
    UnreadableWebhookError,
)
from rms.aggregators.reading import mapping, text
from rms.aggregators.shipway.account import Settings
from rms.aggregators.shipway.answers import MAX_AWB, listed
from rms.aggregators.shipway.statuses import CODE_OF_WORDS, status_of
from rms.aggregators.shipway.times import read_time
from rms.model.notification_type import NotificationType
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.json import BadJsonError, parse_json

_MAX_REFERENCE: Final = 255
_MAX_CODE: Final = 50
_FEED: Final = "status_feed"


def read_webhook(body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
    """The updates in a webhook, oldest first; none in an empty feed, which is the panel's test of the address.

    Raises:
        UnreadableWebhookError: it is not what Shipway sends; its text holds nothing of the body.
    """
    sent = _parsed(body)
    if not isinstance(sent, dict):
        raise UnreadableWebhookError("must be an object")
    if _FEED in sent:
        feed = sent[_FEED]
        if not isinstance(feed, list):
            raise UnreadableWebhookError(f"{_FEED}: must be a list")
        hooks = [_Hook(mapping(entry), {}) for entry in feed]
    else:
        hooks = [_Hook(sent, mapping(sent.get("api_input")))]
    told = [[*_references(hook), text(hook.outer.get("current_status"))] for hook in hooks]
    updates = (_update(hook, received_at, json.dumps(told)) for hook in hooks)
    return tuple(sorted(updates, key=lambda update: update.scan.occurred_at))


def proves_sender(account: Account, body: bytes) -> bool:
    """Whether a feed's hash is this account's; True for the other shapes, which carry no proof at all."""
    try:
        sent = mapping(_parsed(body))
    except UnreadableWebhookError:
        return True  # whoever reads it says so
    if _FEED not in sent:
        return True
    settings = Settings.of(account)
    proof = f"{settings.feed_username}:{settings.licence_key}".encode()
    known = hashlib.md5(proof, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(text(sent.get("hash")).lower().encode(), known.encode())


def read_tracking(answer: HttpAnswer | NoAnswer, received_at: datetime) -> Sequence[ShipmentUpdate] | Unknown:
    """The scans in a tracking answer, oldest first.

    A history holds words, and only Shipway's own words have a code, and so a meaning and the event id of a webhook.
    What a carrier says in between is left out; what it says last is the shipment's status, whose code stands beside.
    """
    elements = listed(answer)
    if isinstance(elements, Unknown):
        return elements
    updates = [update for element in elements for update in _tracked(element, received_at)]
    return tuple(sorted(updates, key=lambda update: update.scan.occurred_at))


# ── webhooks ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Hook:
    """One webhook: what stands outside, and the same again inside `api_input`."""

    outer: Mapping[str, Any]
    inner: Mapping[str, Any]

    def first(self, name: str, limit: int = _MAX_REFERENCE) -> str:
        """The first text of this name; "" when there is none. What names a thing is never cut."""
        for part in (self.outer, self.inner):
            found = text(part.get(name), limit + 1)
            if len(found) > limit:
                raise UnreadableWebhookError(f"{name}: must have at most {limit} characters")
            if found:
                return found
        return ""

    def time(self, *names: str) -> datetime | None:
        """The first of these that is a time."""
        values = (part.get(name) for name in names for part in (self.outer, self.inner))
        return next((moment for value in values if (moment := read_time(value))), None)


def _parsed(body: bytes) -> object:
    try:
        return parse_json(body)
    except BadJsonError as error:
        raise UnreadableWebhookError(error.problem) from None


def _update(hook: _Hook, received_at: datetime, told: str) -> ShipmentUpdate:
    code = hook.first("current_status", _MAX_CODE)
    if not code:
        raise UnreadableWebhookError("current_status: may not be missing")
    reverse = status_of(code).reverse
    forward_awb, return_awb = hook.first("awbno", MAX_AWB), hook.first("reverse_tracking_number", MAX_AWB)
    awb = (return_awb or forward_awb) if reverse else forward_awb
    references = _references(hook)
    if not awb and not references:
        raise UnreadableWebhookError("must name an AWB or an order")
    stated = hook.time("status_time", "scans_current_status_time")
    latest = _latest_scan(hook)
    said = hook.first("scans_current_status", MAX_WORDS) or text(latest.get("status"), MAX_WORDS)
    scan = _sighting(
        code,
        stated or received_at,
        described=text(hook.inner.get("current_status_desc")),
        remark=said,
        location=text(latest.get("location")),
    )
    return ShipmentUpdate(
        event_id=_event_id(awb or references, code, stated, told),
        awb=awb or None,
        scan=scan,
        current=scan,
        is_return=True if reverse else None,
        references=() if reverse else references,
        forward_references=references if reverse else (),
        courier=hook.first("carrier") or None,
        metadata=_metadata(scan),
    )


def _references(hook: _Hook) -> tuple[str, ...]:
    # The outer one may be Shipway's own number; which of them is ours, our records know.
    extra = _Hook(mapping(hook.inner.get("extra_fields")), {})
    found = (
        _Hook(hook.outer, {}).first("order_id"),
        _Hook(hook.inner, {}).first("order_id"),
        extra.first("ReferenceNo"),
    )
    return tuple(dict.fromkeys(each for each in found if each))


def _latest_scan(hook: _Hook) -> Mapping[str, Any]:
    for part in (hook.inner, hook.outer):
        held = part.get("scans")
        scans = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list) else []
        timed = [(moment, scan) for each in scans if (moment := read_time((scan := mapping(each)).get("time")))]
        if timed:
            return max(timed, key=lambda pair: pair[0])[1]
    return {}


# ── tracking ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Seen:
    """One row of a history, under either of its names."""

    at: datetime
    said: str
    remark: str
    location: str

    def code(self, *, reverse: bool) -> str | None:
        """Shipway's code, where the row is one or has Shipway's own words for one.

        Words like "Pickup Scheduled" are a carrier's as well, and said of forward parcels too: they are a return's only
        where its status is.
        """
        if status_of(self.said).meaning:
            return self.said.upper()
        known = CODE_OF_WORDS.get(self.said.casefold())
        return known if known and (reverse or not status_of(known).reverse) else None


def _tracked(element: Mapping[str, Any], received_at: datetime) -> Iterator[ShipmentUpdate]:
    awb = text(element.get("awb"), MAX_AWB + 1)
    details = mapping(element.get("tracking_details"))
    status = text(details.get("shipment_status"), _MAX_CODE)
    if not 0 < len(awb) <= MAX_AWB or not details:
        return
    facts = details.get("shipment_details")
    about = mapping(facts[0] if isinstance(facts, list) and facts else facts)
    history = sorted(_history(details), key=lambda seen: seen.at)
    sightings = [
        _sighting(code, seen.at, described="", remark=seen.remark or seen.said, location=seen.location)
        for seen in history
        if (code := seen.code(reverse=status_of(status).reverse)) is not None
    ]
    ends: datetime | None = None
    told = len(sightings)
    if status and (not sightings or sightings[-1].raw.code.upper() != status.upper()):
        ends = read_time(about.get("delivered_date")) if status.upper() == "DEL" else None
        latest = history[-1] if history else None
        sightings.append(
            _sighting(
                status,
                ends or (latest.at if latest else received_at),
                described="",
                remark=(latest.remark or latest.said) if latest else text(about.get("current_status"), MAX_WORDS),
                location=latest.location if latest else "",
            )
        )
    timed = bool(history)
    order_id = text(about.get("order_id"), _MAX_REFERENCE)
    for place, scan in enumerate(sightings):
        code, reverse = scan.raw.code, status_of(scan.raw.code).reverse
        # Without a history nothing tells one day's status from the next day's, so that each status comes once.
        yield ShipmentUpdate(
            event_id=_event_id(awb, code, scan.occurred_at if timed else None, "tracked"),
            awb=awb,
            scan=scan,
            current=scan if place == len(sightings) - 1 else None,
            is_return=True if reverse else None,
            references=(order_id,) if order_id and not reverse else (),
            forward_references=(order_id,) if order_id and reverse else (),
            courier=text(about.get("courier_name")) or None,
            metadata=_metadata(scan),
            # A carrier's own later scan may be all that dates a status that came long before it.
            timed=place < told or ends is not None,
        )


def _history(details: Mapping[str, Any]) -> Iterator[_Seen]:
    for name in ("shipment_track_activities", "tracking_history"):
        rows = details.get(name)
        for each in rows if isinstance(rows, list) else ():
            row = mapping(each)
            at = read_time(row.get("date")) or read_time(row.get("timestamp"))
            said = text(row.get("activity"), MAX_WORDS) or text(row.get("status"), MAX_WORDS)
            if at is not None and said:
                yield _Seen(at, said, text(row.get("remarks"), MAX_WORDS), text(row.get("location")))


# ── both ────────────────────────────────────────────────────────────────────────────


def _sighting(code: str, at: datetime, *, described: str, remark: str, location: str) -> Sighting:
    status = status_of(code)
    raw = RawStatus(code=code, text=described or status.meaning or code, remark=remark, location=location)
    return Sighting(raw, at, when_forward=status.forward, when_return=status.returned)


def _metadata(scan: Sighting) -> dict[str, str]:
    if NotificationType.OTHER not in {scan.when_forward, scan.when_return}:
        return {}
    found = {"Status Code": scan.raw.code, "Status Description": scan.raw.text, "Status": text(scan.raw.remark)}
    return {name: value for name, value in found.items() if value}


def _event_id(about: object, code: str, at: datetime | None, told: str) -> str:
    """The same for the same parcel, code and time; where no time is stated, for all that its body tells."""
    parts = [about, code.upper(), at.isoformat() if at else told]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
