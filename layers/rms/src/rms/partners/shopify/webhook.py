"""Shopify's order webhooks: signed over their raw bytes, sent again and again, and in no promised order.

The signature covers the body alone: what the headers say is a hint, and what is acted on is read again through the
API. Source: Shopify guide, section 3.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rms.aggregators.reading import mapping, text
from rms.partners.reading import MAX_CODE, code, moment, rows
from rms.partners.results import UnreadableNoticeError
from rms.platform.json import BadJsonError, parse_object

SIGNATURE: Final = "x-shopify-hmac-sha256"
"""Name of the header with the signature, in lower case, as all headers here."""


class Topic(StrEnum):
    """What a webhook says happened to an order."""

    ORDERS_CREATE = "orders/create"
    ORDERS_UPDATED = "orders/updated"
    ORDERS_CANCELLED = "orders/cancelled"
    OTHER = "OTHER"
    """Not subscribed to by RMS; `raw_topic` has what came."""


_TOPICS: Final = {topic.value: topic for topic in Topic if topic is not Topic.OTHER}


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """One webhook about an order.

    `event_id` is the same for every delivery of one event in one topic. `shop` is empty where no header says it.
    `updated_at` tells which of two webhooks is the later; `attributes` are the order's notes by name.
    """

    event_id: str
    topic: Topic
    raw_topic: str
    shop: str
    order_id: str
    name: str
    tags: tuple[str, ...]
    attributes: Mapping[str, str]
    updated_at: datetime | None
    is_cancelled: bool


def proves_sender(secrets: Sequence[str], signature: str, body: bytes) -> bool:
    """Whether a body was signed with one of the app's secrets; False for want of a secret or a readable signature.

    Every secret is tried whatever the others say, so that the time taken tells nothing.
    """
    try:
        given = base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    right = [hmac.compare_digest(given, hmac.digest(secret.encode(), body, "sha256")) for secret in secrets if secret]
    return any(right)


def read_webhook(headers: Mapping[str, str], body: bytes) -> OrderNotice:
    """The notice in a webhook whose sender is proven; header names in lower case.

    Raises:
        UnreadableNoticeError: it is not about an order; its text holds nothing of the body.
    """
    try:
        sent: Mapping[str, Any] = parse_object(body)
    except BadJsonError as error:
        raise UnreadableNoticeError(error.problem) from None
    order_id = code(sent.get("id"))
    if not order_id.isascii() or not order_id.isdigit():
        raise UnreadableNoticeError("id: must be the number of an order")
    raw = text(headers.get("x-shopify-topic"))
    return OrderNotice(
        event_id=_event_id(raw, headers, body),
        topic=_TOPICS.get(raw.lower(), Topic.OTHER),
        raw_topic=raw,
        shop=text(headers.get("x-shopify-shop-domain")).lower(),
        order_id=order_id,
        name=text(sent.get("name")),
        tags=_tags(sent.get("tags")),
        attributes={
            text(pair.get("name"), MAX_CODE): text(pair.get("value"), MAX_CODE)
            for pair in map(mapping, rows(sent.get("note_attributes")))
        },
        updated_at=moment(sent.get("updated_at")),
        is_cancelled=sent.get("cancelled_at") is not None,
    )


def _event_id(topic: str, headers: Mapping[str, str], body: bytes) -> str:
    """One event comes in several topics, and its id with each: only both together name one piece of news."""
    named = text(headers.get("x-shopify-event-id")) or text(headers.get("x-shopify-webhook-id"))
    same = [topic.lower(), named or hashlib.sha256(body).hexdigest()]
    return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32]


def _tags(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    return tuple(tag for each in listed if (tag := text(each, MAX_CODE)))
