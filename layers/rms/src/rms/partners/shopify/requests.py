"""The calls that RMS makes to Shopify: each a named operation with its variables. Source: guide, section 2.1."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from rms.partners.reading import json_request
from rms.partners.shopify.connection import Settings
from rms.partners.shopify.operations import (
    ADD_TAGS,
    CANCEL,
    EDIT_BEGIN,
    EDIT_COMMIT,
    EDIT_SET_QUANTITY,
    HOLD,
    ORDER,
    RELEASE,
    REMOVE_TAGS,
    SUBSCRIBE,
    Operation,
)
from rms.partners.shopify.webhook import Topic
from rms.platform.http import HttpRequest

MAX_HANDLE: Final = 64
MAX_STAFF_NOTE: Final = 255
MAX_TAG: Final = 40
_MOST_BYTES: Final = 1024 * 1024
_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
_GID: Final = re.compile(r"gid://shopify/[A-Za-z]+/[A-Za-z0-9-]+")
CANCEL_REASONS: Final = ("CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF")
_TOPICS: Final = {
    Topic.ORDERS_CREATE: "ORDERS_CREATE",
    Topic.ORDERS_UPDATED: "ORDERS_UPDATED",
    Topic.ORDERS_CANCELLED: "ORDERS_CANCELLED",
}


def order_gid(order_id: str) -> str:
    """An order's global id, from that or from its number.

    Raises:
        ValueError: it is neither.
    """
    number = order_id.removeprefix("gid://shopify/Order/")
    if not _ID.fullmatch(number):
        raise ValueError("an order's id at Shopify is a number")
    return f"gid://shopify/Order/{number}"


def read_order_again(settings: Settings, order: str) -> HttpRequest:
    """The call that reads an order with its lines, tags, holds and returns."""
    return replace(_call(settings, ORDER, {"id": order_gid(order)}), most_bytes=_MOST_BYTES)


def add_tag(settings: Settings, order: str, tag: str) -> HttpRequest:
    """The call that puts a tag on an order. One that is there already stays one."""
    return _call(settings, ADD_TAGS, {"id": order_gid(order), "tags": [tag]})


def remove_tag(settings: Settings, order: str, tag: str) -> HttpRequest:
    """The call that takes a tag off an order. One that is not there is no error."""
    return _call(settings, REMOVE_TAGS, {"id": order_gid(order), "tags": [tag]})


def hold(settings: Settings, fulfilment_order: str, handle: str) -> HttpRequest:
    """The call that holds a fulfilment order until the returned items came. The handle makes a second one an error.

    Raises:
        ValueError: the handle is longer than Shopify takes.
    """
    if not 0 < len(handle) <= MAX_HANDLE:
        raise ValueError(f"a hold's handle has 1 to {MAX_HANDLE} characters")
    reason = {"reason": "AWAITING_RETURN_ITEMS", "handle": handle, "notifyMerchant": False}
    return _call(settings, HOLD, {"id": _gid(fulfilment_order), "h": reason})


def release_holds(settings: Settings, fulfilment_order: str, hold_ids: Sequence[str]) -> HttpRequest:
    """The call that releases these holds and no others.

    Raises:
        ValueError: none is named: Shopify would release the holds of all apps.
    """
    if not hold_ids:
        raise ValueError("without hold ids the holds of all apps would be released")
    named = [_gid(each) for each in hold_ids]
    return _call(settings, RELEASE, {"id": _gid(fulfilment_order), "holdIds": named})


def cancel_order(settings: Settings, order: str, *, reason: str, restock: bool, note: str) -> HttpRequest:
    """The call that cancels an order for good. No money moves: what was paid is the merchant's to give back.

    Raises:
        ValueError: Shopify knows no such reason.
    """
    if reason not in CANCEL_REASONS:
        raise ValueError(f"a cancel reason is one of {', '.join(CANCEL_REASONS)}")
    variables = {"orderId": order_gid(order), "reason": reason, "restock": restock, "staffNote": note[:MAX_STAFF_NOTE]}
    return _call(settings, CANCEL, variables)


def begin_edit(settings: Settings, order: str) -> HttpRequest:
    """The call that starts an edit. Until it is committed the order stays as it is."""
    return _call(settings, EDIT_BEGIN, {"id": order_gid(order)})


def set_quantity(settings: Settings, edit: str, line: str, quantity: int, *, restock: bool) -> HttpRequest:
    """The call that sets how many units of a line an edit leaves. Both ids are those of the calculated order."""
    variables = {"id": _gid(edit), "lineItemId": _gid(line), "quantity": quantity, "restock": restock}
    return _call(settings, EDIT_SET_QUANTITY, variables)


def commit_edit(settings: Settings, edit: str, note: str) -> HttpRequest:
    """The call that makes an edit the order."""
    return _call(settings, EDIT_COMMIT, {"id": _gid(edit), "staffNote": note[:MAX_STAFF_NOTE]})


def subscribe(settings: Settings, topic: Topic, url: str) -> HttpRequest:
    """The call that has webhooks of one topic sent to a URL of ours.

    Raises:
        ValueError: RMS does not read this topic.
    """
    if topic not in _TOPICS:
        raise ValueError(f"a topic is one of {', '.join(_TOPICS)}")
    return _call(settings, SUBSCRIBE, {"topic": _TOPICS[topic], "w": {"uri": url, "format": "JSON"}})


def _gid(value: str) -> str:
    if not _GID.fullmatch(value):
        raise ValueError("must be a global id of Shopify's")
    return value


def _call(settings: Settings, operation: Operation, variables: dict[str, Any]) -> HttpRequest:
    body = {"operationName": operation.name, "query": operation.text.strip(), "variables": variables}
    return json_request("POST", settings.url, {"X-Shopify-Access-Token": settings.access_token}, body)
