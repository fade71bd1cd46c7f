"""Push Notification: what an aggregator of the generic contract tells us. Source: RMS API contract, section 12."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rms.aggregators.contract import Direction, RawStatus, ShipmentUpdate, Sighting, UnreadableWebhookError
from rms.aggregators.generic.answers import MAX_AWB
from rms.aggregators.reading import mapping, text, whole
from rms.model.notification_type import NotificationType, notification_type
from rms.platform.json import BadJsonError, parse_json

_MAX_CODE: Final = 255
_MUST: Final = ("forwardOrderCode", "notificationType", "shipmentType", "logisticAggregatorName")
_MAY: Final = {"forwardShipmentCode": _MAX_CODE, "forwardAwb": MAX_AWB, "carrierName": _MAX_CODE}
_RETURN_MUST: Final = {"returnOrderId": _MAX_CODE, "returnAwb": MAX_AWB, "carrierName": _MAX_CODE}
_ITEMS: Final = ("items", "lineItems")


def problems_with(body: object) -> list[str]:
    """What is wrong with a pushed body, one `field: problem` each, for a 400; empty when it can be taken.

    Whether the aggregator is registered is not for here to know.
    """
    if not isinstance(body, dict):
        return ["body: must be an object"]
    return [*_field_problems(body), *_direction_problems(body), *_item_problems(body)]


def read_push(name: str, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
    """The one update in a pushed body. It has no time of its own, so that it happened when it came.

    Raises:
        UnreadableWebhookError: the body is not one that the API takes, or another aggregator's.
    """
    try:
        sent = parse_json(body)
    except BadJsonError as error:
        raise UnreadableWebhookError(error.problem) from None
    if problems := problems_with(sent):
        raise UnreadableWebhookError(", ".join(problems))
    pushed = mapping(sent)
    if text(pushed["logisticAggregatorName"], _MAX_CODE) != name:
        raise UnreadableWebhookError("logisticAggregatorName: must be the aggregator's own")
    return [_update(name, pushed, received_at)]


def _update(name: str, pushed: Mapping[str, Any], received_at: datetime) -> ShipmentUpdate:
    is_return = text(pushed["shipmentType"]).upper() == Direction.RETURN
    about = mapping(pushed.get("returnOrderInfo"))
    order_code, forward_awb = _code(pushed["forwardOrderCode"]), _code(pushed.get("forwardAwb"))
    reference = _code(about.get("returnOrderId")) if is_return else order_code
    awb = _code(about.get("returnAwb")) if is_return else forward_awb
    raw = text(pushed["notificationType"])
    named = _named(raw)
    forward_references = tuple(each for each in (forward_awb, order_code) if each) if is_return else ()
    return ShipmentUpdate(
        event_id=_event_id(name, pushed, awb or reference, raw, named),
        awb=awb or None,
        scan=Sighting(RawStatus(code=raw, text=raw), received_at, when_forward=named, when_return=named),
        is_return=is_return,
        references=(reference,),
        forward_references=forward_references,
        courier=(text(about.get("carrierName")) if is_return else "") or text(pushed.get("carrierName")) or None,
        metadata=_metadata(pushed, raw, named),
    )


def _named(raw: str) -> NotificationType:
    """What a pushed type is called. An invoice is our client's own news: without its data no reader could take it."""
    named = notification_type(raw)
    return NotificationType.OTHER if named is NotificationType.INVOICE_GENERATED else named


def _event_id(name: str, pushed: Mapping[str, Any], about: str, raw: str, named: NotificationType) -> str:
    """One for each type of each parcel: a repeat of a type is no news. Unknown types are told apart by their text."""
    direction = text(pushed["shipmentType"]).upper()
    kind = named.value if named is not NotificationType.OTHER else " ".join(raw.upper().split())
    parcel = _code(pushed.get("forwardShipmentCode")) if direction == Direction.FORWARD else ""
    parts = [name, direction, about, parcel if about == _code(pushed["forwardOrderCode"]) else "", kind]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _metadata(pushed: Mapping[str, Any], raw: str, named: NotificationType) -> dict[str, str]:
    found = {
        "Warehouse Code": text(pushed.get("warehouseCode")),
        "Status": raw if named is NotificationType.OTHER else "",
    }
    return {name: value for name, value in found.items() if value}


def _code(value: object) -> str:
    return text(value, _MAX_CODE)


# ── checks ──────────────────────────────────────────────────────────────────────────


def _field_problems(body: Mapping[str, Any]) -> Iterator[str]:
    for name in _MUST:
        yield from _text_problems(name, body.get(name), _MAX_CODE)
    for name, limit in _MAY.items():
        if body.get(name) is not None and text(body[name], limit + 1) != "":
            yield from _text_problems(name, body[name], limit)


def _text_problems(name: str, value: object, limit: int) -> Iterator[str]:
    found = text(value, limit + 1)
    if not found:
        yield f"{name}: may not be {'null' if value is None else 'empty'}"
    elif len(found) > limit:
        yield f"{name}: must have at most {limit} characters"


def _direction_problems(body: Mapping[str, Any]) -> Iterator[str]:
    info = body.get("returnOrderInfo")
    # Some serialisers write an object of nulls where they mean none.
    given = info is not None and not (isinstance(info, dict) and all(value is None for value in info.values()))
    match text(body.get("shipmentType")).upper():
        case Direction.FORWARD:
            if given:
                yield "returnOrderInfo: must be null when shipmentType is FORWARD"
        case Direction.RETURN:
            if not given:
                yield "returnOrderInfo: may not be null when shipmentType is RETURN"
            elif not isinstance(info, dict):
                yield "returnOrderInfo: must be an object"
            else:
                for name, limit in _RETURN_MUST.items():
                    yield from _text_problems(f"returnOrderInfo.{name}", info.get(name), limit)
        case "":
            pass
        case _:
            yield "shipmentType: must be FORWARD or RETURN"


def _item_problems(body: Mapping[str, Any]) -> Iterator[str]:
    name = next((each for each in _ITEMS if body.get(each) is not None), None)
    if name is None:
        return
    listed = body[name]
    if not isinstance(listed, list):
        yield f"{name}: must be a list"
        return
    for index, given in enumerate(listed):
        item = mapping(given)
        yield from _text_problems(f"{name}[{index}].sku", item.get("sku"), _MAX_CODE)
        quantity = whole(item.get("quantity"))
        if quantity is None or quantity < 1:
            yield f"{name}[{index}].quantity: must be an integer of at least 1"
