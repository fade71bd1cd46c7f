"""Clickpost's webhooks: scans of parcels and events of return requests, one shape for both.

What decides (status code, event, AWB) must be readable, or the whole webhook goes to a person. What only informs may be
absent, null or of an odd type. Source: ClickPost guide, sections 13 to 17.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rms.aggregators.clickpost.answers import COURIER_ID, MAX_AWB
from rms.aggregators.clickpost.couriers import COURIERS
from rms.aggregators.clickpost.statuses import (
    CODES,
    EVENT_OF_CODE,
    EVENTS,
    PICKUP_FAILED,
    PLACED,
    REQUEST_EVENTS,
    RESCHEDULED,
    RESCHEDULED_NPR,
    UNNAMED,
    Names,
)
from rms.aggregators.clickpost.times import read_time
from rms.aggregators.contract import (
    MAX_WORDS,
    AnnouncedItem,
    AnnouncedReturn,
    RawStatus,
    ShipmentUpdate,
    Sighting,
    UnreadableWebhookError,
)
from rms.aggregators.reading import mapping, text, whole
from rms.model.notification_type import NotificationType
from rms.platform.json import BadJsonError, parse_json

_MAX_UNITS: Final = 1000
_MAX_CODE: Final = 255
_CODE: Final = "clickpost_status_code"
_DESCRIPTION: Final = "clickpost_status_description"


def read_webhook(body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
    """The updates in a webhook, oldest first: one, or one for each of a list.

    Raises:
        UnreadableWebhookError: one of them is not what Clickpost sends; its text holds nothing of the body.
    """
    try:
        sent = parse_json(body)
    except BadJsonError as error:
        raise UnreadableWebhookError(error.problem) from None
    hooks = sent if isinstance(sent, list) else [sent]
    if not hooks:
        raise UnreadableWebhookError("must hold at least one webhook")
    return sorted((_update(hook, received_at) for hook in hooks), key=lambda update: update.scan.occurred_at)


def read_scan(told: Mapping[str, Any], received_at: datetime) -> ShipmentUpdate:
    """The update in one scan that says which parcel it is of, in a webhook's words.

    Raises:
        UnreadableWebhookError: as above.
    """
    return _update(told, received_at)


@dataclass(frozen=True, slots=True)
class _Hook:
    """One webhook out of its wrapper, with the parts that are asked for again and again."""

    outer: Mapping[str, Any]
    additional: Mapping[str, Any]
    latest: Mapping[str, Any]
    event: int | None

    @classmethod
    def of(cls, sent: object) -> "_Hook":
        if not isinstance(sent, dict):
            raise UnreadableWebhookError("must be an object")
        outer = mapping(sent["payload"]) if isinstance(sent.get("payload"), dict) else sent
        additional = mapping(outer.get("additional"))
        latest = mapping(additional.get("latest_status"))
        events = (
            additional.get("notification_event_id"),
            outer.get("notification_event_id"),
            outer.get("notification_event"),
            mapping(sent.get("internal")).get("notification_event"),
        )
        return cls(
            outer if text(outer.get(_CODE)) else {**outer, **latest},
            additional,
            latest,
            event=next((event for each in events if (event := whole(each)) is not None), None),
        )

    def first(self, *names: str) -> str:
        """The first text under any of these names, in `additional` or outside it; "" when there is none."""
        places = ((name, part.get(name)) for name in names for part in (self.additional, self.outer))
        return next((found for name, value in places if (found := _whole_text(value, name))), "")

    @property
    def request_event(self) -> int | None:
        """The event of a return request that this is, named or told by its code; None for a parcel's scan."""
        event = self.event if self.event is not None else EVENT_OF_CODE.get(whole(self.outer.get(_CODE)) or 0)
        return event if event in REQUEST_EVENTS else None


def _update(sent: object, received_at: datetime) -> ShipmentUpdate:
    hook = _Hook.of(sent)
    awb = _awb(hook.outer.get("waybill"))
    references, forward_references = _references(hook), _forward_references(hook)
    if awb is None and not references and not forward_references:
        raise UnreadableWebhookError("must name a waybill, a return reference or a forward order")
    npr = whole(hook.additional.get("npr_status_code"))
    scan = _scan(hook, npr, received_at)
    return ShipmentUpdate(
        event_id=_event_id(hook, awb, scan),
        awb=awb,
        scan=scan,
        current=_current(hook, scan),
        is_return=_is_return(hook),
        references=references,
        forward_references=forward_references,
        courier=_courier(hook),
        announces=_announced(hook, awb) if hook.request_event == PLACED else None,
        failure_code=_failure_code(hook, npr),
        metadata=_metadata(hook, scan),
        booked_with=_booked_with(hook),
    )


def _awb(waybill: object) -> str | None:
    if waybill is None:
        return None
    awb = _whole_text(waybill, "waybill", MAX_AWB)
    if not awb and not isinstance(waybill, str):
        raise UnreadableWebhookError("waybill: must be text")
    return awb or None


def _whole_text(value: object, name: str, limit: int = _MAX_CODE) -> str:
    # What names a thing is never cut: the rest of it would name another.
    found = text(value, limit + 1)
    if len(found) > limit:
        raise UnreadableWebhookError(f"{name}: must have at most {limit} characters")
    return found


# ── statuses ────────────────────────────────────────────────────────────────────────


def _scan(hook: _Hook, npr: int | None, received_at: datetime) -> Sighting:
    if not text(hook.outer.get(_CODE)) and hook.event is None:
        raise UnreadableWebhookError(f"{_CODE}: may not be missing")
    names = _names(whole(hook.outer.get(_CODE)), hook.event, npr)
    occurred_at = _occurred_at(hook) or received_at
    return _sighting(hook.outer, names, occurred_at)


def _names(code: int | None, event: int | None, npr: int | None) -> Names:
    if event in EVENTS:
        return EVENTS[event], EVENTS[event]
    if code == PICKUP_FAILED and npr == RESCHEDULED_NPR:
        return RESCHEDULED
    return UNNAMED if code is None else CODES.get(code, UNNAMED)


def _occurred_at(hook: _Hook) -> datetime | None:
    # A request's own time is when it is sent to us, again and again; when it was placed stands beside it.
    placed = read_time(hook.outer.get("request_placed_time")) if hook.request_event == PLACED else None
    return placed or read_time(hook.outer.get("timestamp"))


def _sighting(fields: Mapping[str, Any], names: Names, occurred_at: datetime) -> Sighting:
    raw = RawStatus(
        code=text(fields.get(_CODE)),
        text=text(fields.get(_DESCRIPTION)) or text(fields.get("status")),
        remark=text(fields.get("remark"), MAX_WORDS),
        location=text(fields.get("location")) or text(fields.get("clickpost_city")),
    )
    return Sighting(raw, occurred_at, when_forward=names[0], when_return=names[1])


def _current(hook: _Hook, scan: Sighting) -> Sighting | None:
    if not text(hook.latest.get(_CODE)):
        return None
    if all(_same(hook, name) for name in (_CODE, "status", "timestamp")):
        return scan  # event and failure reason are said of the scan, and this is the scan
    occurred_at = read_time(hook.latest.get("timestamp"))
    if occurred_at is None:
        return None
    return _sighting(hook.latest, _names(whole(hook.latest.get(_CODE)), None, None), occurred_at)


def _same(hook: _Hook, name: str) -> bool:
    outer, latest = hook.outer.get(name), hook.latest.get(name)
    if name == "timestamp" and hook.request_event is not None:
        return True  # both are the time of sending, microseconds apart
    return text(outer) == text(latest)


# ── who and what ────────────────────────────────────────────────────────────────────


def _references(hook: _Hook) -> tuple[str, ...]:
    latest = _whole_text(hook.latest.get("reference_number"), "reference_number")
    found = (latest, hook.first("return_reference_number"), hook.first("reference_number"))
    return tuple(dict.fromkeys(each for each in found if each))


def _forward_references(hook: _Hook) -> tuple[str, ...]:
    found = (hook.first(name) for name in ("forward_awb", "forward_reference_number", "forward_order_id"))
    return tuple(dict.fromkeys(each for each in found if each))


def _is_return(hook: _Hook) -> bool | None:
    claim = hook.additional.get("is_rvp")
    if isinstance(claim, bool):
        return claim
    stated = {"true": True, "false": False}.get(text(claim).lower())
    return True if stated is None and hook.request_event is not None else stated


def _courier(hook: _Hook) -> str | None:
    courier = whole(hook.outer.get("cp_id"))
    return hook.first("courier_name", "cp_name") or COURIERS.get(courier or 0)


def _booked_with(hook: _Hook) -> dict[str, str]:
    courier = whole(hook.outer.get("cp_id"))  # -1 before a return is booked
    return {COURIER_ID: str(courier)} if courier is not None and courier > 0 else {}


def _failure_code(hook: _Hook, npr: int | None) -> str | None:
    ndr = whole(hook.additional.get("ndr_status_code"))
    reasons = [f"{kind} {code}" for kind, code in (("NPR", npr), ("NDR", ndr)) if code is not None]
    if not reasons:
        return None
    return reasons[0] if whole(hook.outer.get(_CODE)) == PICKUP_FAILED else reasons[-1]


def _announced(hook: _Hook, awb: str | None) -> AnnouncedReturn | None:
    forward = hook.first("forward_order_id", "forward_reference_number", "forward_awb")
    if not forward and awb:
        return None  # a booked return's status, told late; it is found by its AWB
    if not forward:
        raise UnreadableWebhookError("additional.forward_order_id: a placed return must name its forward order")
    return AnnouncedReturn(hook.first("return_reference_number") or None, forward, tuple(_items(hook)))


def _items(hook: _Hook) -> Iterator[AnnouncedItem]:
    listed = hook.additional.get("item_info")
    for index, given in enumerate(listed if isinstance(listed, list) else ()):
        item = mapping(given)
        sku, quantity = _whole_text(item.get("sku"), "sku"), whole(item.get("quantity"))
        if not sku:
            raise UnreadableWebhookError(f"additional.item_info[{index}].sku: may not be empty")
        if quantity is None or not 1 <= quantity <= _MAX_UNITS:
            raise UnreadableWebhookError(f"additional.item_info[{index}].quantity: must be from 1 to {_MAX_UNITS}")
        reasons = (text(item.get("return_reason")), text(item.get("return_sub_reason")))
        yield AnnouncedItem(
            sku=sku,
            quantity=quantity,
            item_id=text(item.get("id")) or None,
            reason=": ".join(reason for reason in reasons if reason) or None,
            name=text(item.get("description")) or None,
            image_url=_first_url(item.get("images")),
        )


def _first_url(images: object) -> str | None:
    # Several stand in one string, separated by commas; a comma inside a URL is escaped.
    url = images.split(",")[0].strip() if isinstance(images, str) else ""
    return url if url.startswith(("https://", "http://")) else None


def _metadata(hook: _Hook, scan: Sighting) -> dict[str, str]:
    found = {"Account Code": hook.first("account_code"), "Security Key": hook.first("security_key")}
    if NotificationType.OTHER in {scan.when_forward, scan.when_return}:
        found |= {
            "Status Code": scan.raw.code,
            "Status Description": scan.raw.text,
            "Status": text(hook.outer.get("status")),
            "Notification Event": "" if hook.event is None else str(hook.event),
        }
    return {name: value for name, value in found.items() if value}


# ── identity ────────────────────────────────────────────────────────────────────────


def _event_id(hook: _Hook, awb: str | None, scan: Sighting) -> str:
    """The same for the same news, however and however often it is sent."""
    if hook.request_event is not None:
        about = awb or hook.first("return_reference_number") or list(_forward_references(hook))
        parts: list[object] = ["request", about, hook.request_event, _units(hook)]
    else:
        about = awb or [*_references(hook), *_forward_references(hook)]
        # A scan may come twice, with an event and without: only an event that changes the meaning is part of it.
        event = hook.event if hook.event in EVENTS or not scan.raw.code else None
        when = read_time(hook.outer.get("timestamp"))
        # One scan may come with microseconds in one place and without in another.
        stamp = when.replace(microsecond=0).isoformat() if when else text(hook.outer.get("timestamp"))
        parts = ["scan", about, scan.raw.code, stamp, text(hook.outer.get("status")), event]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _units(hook: _Hook) -> list[list[str]]:
    listed = hook.additional.get("item_info")
    items = [mapping(item) for item in listed] if isinstance(listed, list) else []
    return sorted([text(item.get("sku")), text(item.get("quantity"))] for item in items)
