"""Returns Prime's webhooks: unsigned, so that one only says which request is to be read again through the API.

Source: Returns Prime guide, section 4.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rms.aggregators.reading import mapping, text
from rms.partners.results import UnreadableNoticeError
from rms.platform.json import BadJsonError, parse_object

# An id goes into a path: nothing that nobody has signed may lead a call with our token elsewhere.
ID: Final = re.compile("[A-Za-z0-9_-]{1,64}")


class Topic(StrEnum):
    """What a webhook says happened."""

    CREATED = "request/created"
    APPROVED = "request/approved"
    RECEIVED = "request/received"
    INSPECTED = "request/inspected"
    REFUNDED = "request/refunded"
    REJECTED = "request/rejected"
    ARCHIVED = "request/archived"
    UPDATED = "request/updated"
    OTHER = "OTHER"
    """Not in the list, or not said; `raw_topic` has what came."""


_TOPICS: Final = {topic.value: topic for topic in Topic if topic is not Topic.OTHER}


@dataclass(frozen=True, slots=True)
class Notice:
    """One webhook: the request to read again. Nothing else in it is believed.

    `event_id` is the same however often the same body comes.
    """

    request_id: str
    topic: Topic
    raw_topic: str
    event_id: str


def read_webhook(body: bytes, topic: str = "") -> Notice:
    """The notice in a webhook body. `topic` is what the intake knows of it, such as a part of its path.

    Raises:
        UnreadableNoticeError: it names no request, or two; its text holds nothing of the body.
    """
    try:
        sent = parse_object(body)
    except BadJsonError as error:
        raise UnreadableNoticeError(error.problem) from None
    data = mapping(sent.get("data"))
    places = (
        mapping(data.get("request")).get("id"),
        mapping(sent.get("request")).get("id"),
        data.get("id"),
        sent.get("id"),
    )
    # A request's own id goes before one beside it, which may be that of the webhook.
    found = next((said for place in places if (said := text(place, 65))), "")
    if not ID.fullmatch(found):
        raise UnreadableNoticeError("id: must be the id of a request")
    raw = text(topic) or text(sent.get("topic")) or text(sent.get("event"))
    named = _TOPICS.get(raw.lower(), Topic.OTHER)
    same = json.dumps([found, raw.lower(), hashlib.sha256(body).hexdigest()])
    return Notice(found, named, raw, hashlib.sha256(same.encode()).hexdigest()[:32])
