"""Returns Processing Update: tells the returns partner the QC result, so that it refunds, or ends an exchange's hold.

Both partners take the same body; they differ in the code by which they know the return, and in how they may say no.
Sent once, when every unit of the return is checked. Source: RMS API contract, section 18; ClickPost guide, section 19;
Returns Prime guide, sections 1 and 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rms.model.endpoint_kind import Partner
from rms.notifications import judgement
from rms.notifications.judgement import Blame, Delivered, Judgement, RetryLater, words_of
from rms.notifications.sinks.fields import Field, Kind, Need, Shapes, body, missing
from rms.notifications.sinks.processed import ProcessedItem
from rms.notifications.sinks.webhook import Endpoint, signed
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.json import BadJsonError, JsonObject, parse_object

__all__ = ["Judgement", "Partner", "ProcessingUpdate", "build", "judge", "problems"]


@dataclass(frozen=True, slots=True)
class ProcessingUpdate:
    """A return that the warehouse has processed. `id` comes from `signing.message_id`.

    `partner_reference` is Clickpost's own return reference number: without it Clickpost does not know the return.
    Returns Prime knows it by `return_code`, which it gave itself.
    """

    id: str
    sequence: int
    partner: Partner
    return_code: str
    forward_order_code: str
    items: tuple[ProcessedItem, ...]
    location_code: str | None = None
    partner_reference: str | None = None

    @property
    def code_at_partner(self) -> str | None:
        """What the partner calls this return."""
        return self.partner_reference if self.partner is Partner.CLICKPOST else self.return_code


_FIELDS: Final[Shapes] = {
    ProcessingUpdate: (
        Field("returnOrderCode", "code_at_partner", Kind.STRING, Need.MUST),
        Field("forwardOrderCode", "forward_order_code", Kind.STRING, Need.MUST),
        Field("locationCode", "location_code", Kind.STRING, Need.MAY),
        Field("orderItems", "items", Kind.OBJECTS, Need.MUST),
    ),
    ProcessedItem: (
        Field("itemCode", "item_code", Kind.STRING, Need.MUST),
        Field("channelSkuCode", "sku", Kind.STRING, Need.MUST),
        Field("qcStatus", "qc_status", Kind.STRING, Need.MUST),
        Field("qcReason", "why_failed", Kind.STRING, Need.NULL),
        Field("imageUrls", "pictures", Kind.STRINGS, Need.NULL),
    ),
}


def problems(message: ProcessingUpdate) -> list[str]:
    """What must be known before the update can be sent, field by field; empty: send it."""
    return missing(_FIELDS, message)


def build(target: Endpoint, message: ProcessingUpdate, now: datetime) -> HttpRequest:
    """The signed request for this try.

    Raises:
        ValueError: something mandatory is missing: see `problems`.
    """
    return signed("POST", target, message.id, body(_FIELDS, message, target.preferences), now)


def judge(answer: HttpAnswer | NoAnswer, now: datetime) -> Judgement:
    """What an answer means. HTTP 200 is success, unless its body says in the partner's own way that it is none.

    Neither partner publishes the body of this answer, but both are known to say no under HTTP 200: Returns Prime with
    `status: false`, Clickpost with a `meta.status` that is no success.
    """
    judged = judgement.judge(answer, now)
    if not isinstance(judged, Delivered) or isinstance(answer, NoAnswer):
        return judged
    try:
        said = parse_object(answer.body)
    except BadJsonError:
        return judged
    return _denial(said, judged.status) or judged


def _denial(said: JsonObject, status: int) -> RetryLater | None:
    meta = said.get("meta")
    told = meta if isinstance(meta, Mapping) else {}
    if said.get("status") is False:
        words = words_of(said.get("messageCode"), said.get("message"))
        return RetryLater(f"answered {status} with status: false", blame=Blame.MESSAGE, words=words)
    code = told.get("status")
    if isinstance(code, int) and not 200 <= code < 300:  # noqa: PLR2004 - the successes
        words = words_of(told.get("message"))
        return RetryLater(f"answered {status} with meta.status {code}", blame=Blame.MESSAGE, words=words)
    return None
