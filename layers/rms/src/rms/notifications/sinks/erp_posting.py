"""Return Order Posting: tells the client's ERP everything about a return that the warehouse has processed.

A POST, sent only after the return is received and every unit of it checked. The ERP drops repeats by `messageId`. Its
answer has a body, and only `hasError: false` there is success. Which value comes from where is said in
`rms.notifications.sinks.erp_fields` and, for people, in docs/erp-posting.md.
Source: RMS API contract, sections 1.5 and 17.
"""

import hashlib
from datetime import datetime
from typing import Final

from rms.notifications import judgement
from rms.notifications.judgement import Blame, Delivered, Judgement, Refused, RetryLater, Verdict, words_of
from rms.notifications.sinks.erp_fields import FIELDS
from rms.notifications.sinks.erp_values import Posting
from rms.notifications.sinks.fields import body, missing
from rms.notifications.sinks.webhook import Endpoint, signed
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import BadJsonError, parse_object

__all__ = ["Judgement", "Posting", "Verdict", "build", "judge", "message_id", "problems"]

_MOST: Final = (1 << 63) - 1
"""The largest Long."""


def message_id(client: str, return_code: str, sequence: int) -> int:
    """The `messageId` of one event of one return: 1 to 2^63 - 1, the same on every try, replay and endpoint.

    It does not depend on the endpoint, so that an ERP registered anew still knows what it has posted.
    """
    # Each part with its length, so that no two different events can run together into one text.
    text = "".join(f"{len(part)}:{part}" for part in ("erp", client, return_code, str(sequence)))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest) % _MOST + 1


def problems(message: Posting) -> list[str]:
    """What must be known before the return can be posted, field by field; empty: post it."""
    return missing(FIELDS, message)


def build(target: Endpoint, message: Posting, now: datetime) -> HttpRequest:
    """The signed request for this try.

    Raises:
        ValueError: something mandatory is missing: see `problems`.
    """
    return signed("POST", target, message.id, body(FIELDS, message, target.preferences), now)


def judge(answer: HttpAnswer | NoAnswer, now: datetime) -> Verdict:
    """What an answer means. `hasError` true is a refusal that no repeat changes; its text is kept for an operator.

    A success without a body counts; one whose body does not say `hasError` proves nothing, and is tried again under
    the same `messageId`.
    """
    judged = judgement.judge(answer, now)
    if not isinstance(judged, Delivered) or isinstance(answer, NoAnswer) or not answer.body.strip():
        return judged
    try:
        said = parse_object(answer.body)
    except BadJsonError:
        return RetryLater(f"answered {judged.status} with a body that is no JSON object")
    match said.get("hasError"):
        case False:
            return judged
        case True:
            return Refused(f"answered {judged.status} with hasError: true", words_of(said.get("errorMessage")))
        case _:
            reason = f"answered {judged.status} without hasError true or false"
            return RetryLater(reason, blame=Blame.MESSAGE, words=words_of(said.get("errorMessage")))
