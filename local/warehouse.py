"""The flow behind the parcel: the warehouse checks what came back, and channel, books and warehouse system hear of it.

Source: RMS API contract, sections 7, 16, 17 and 19.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from local.bodies import a_processed_return, a_return_of_two
from local.onboarding import Api
from local.partners import Partner
from local.steps import FlowFailed, say

WAREHOUSE: Final = "SLM-4"
"""The only warehouse of which these systems want to hear, so that no other flow reaches them."""

PATIENCE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.5

BOOKS: Final = "books"

ENDPOINTS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "channel": ("channel", {"kind": "RETURN_ACK"}),
    BOOKS: (
        "erp",
        {
            "kind": "ERP_POSTING",
            "settings": {"partnerCode": "CUST-118", "partnerLocationCode": "CUST-118-PNQ"},
        },
    ),
    "warehouse": ("wms", {"kind": "RETURN_EXPECTATION"}),
}
"""What the client registers: the endpoint's name, the partner behind it, and what it is for."""


def join(api: Api, partners: Mapping[str, Partner]) -> None:
    """Register channel, books and warehouse system, and try each with a sample."""
    for name, (partner, what) in ENDPOINTS.items():
        system = partners[partner]
        body = {"endpoint": name, "url": system.urls["inbox"], "filter": {"locationCodes": [WAREHOUSE]}, **what}
        made = api.expect(201, "POST", "/endpoints", body)
        system.control.post("proof", {"secrets": [made["signingSecret"]]})
        tried = api.expect(200, "POST", f"/endpoints/{name}/test", {})
        if not tried["delivered"]:
            raise FlowFailed(f"{name}: a sample is {tried['reason']}")
        say(f"   POST /endpoints: {name} is told {what['kind']}; a sample of it is {tried['reason']}")


def checks(api: Api, warehouse: Api, partners: Mapping[str, Partner], arrives: Callable[[str, str], None]) -> None:
    """A return comes back and is checked; the books refuse it first and take it under the same messageId.

    `arrives` lets the parcel of a return, by its AWB, travel to the warehouse.
    """
    join(api, partners)
    erp, now = partners["erp"], datetime.now(UTC)
    code, awb = f"KL-{now:%H%M%S}-QC", f"QC{now:%H%M%S}"
    erp.control.post("refuse", {"message": "period 2026-02 is closed", "return_code": code})
    api.expect(200, "POST", "/return/return-orders", a_return_of_two(code, awb, WAREHOUSE))
    arrives(code, awb)
    warehouse.expect(200, "POST", "/usp/return", a_processed_return(code, WAREHOUSE))
    say("   POST /usp/return: one saree passed, one failed")

    acked = until(lambda: one(partners["channel"].control.get(f"processed/{code}")), "the channel hears nothing")
    say(f"   Return Order Ack: the channel knows {acked['results']}")
    stalled = until(lambda: _stalled(api, code), "no posting stands still")
    say(f"   the books answered hasError: true, so that the posting waits for a person: {stalled['because']}")
    refused = _message_ids(erp, code)
    erp.control.post("accept")
    replay = {"endpoint": BOOKS, "afterSequence": stalled["sequence"] - 1}
    api.expect(200, "POST", f"/return/return-orders/{code}/replay", replay)
    posted = until(lambda: one(erp.control.get(f"postings/{code}")), "nothing is posted")
    if {posted["message_id"]} != refused:
        raise FlowFailed(f"{code}: refused as {refused}, posted as {posted['message_id']}")
    say(f"   POST …/replay: posted, under the messageId that was refused, {posted['message_id']}")

    expected = until(lambda: _completed(partners["wms"], code), "the warehouse system does not close the return")
    say(f"   return expectation: {', '.join(expected['heard'])}")
    for name in ("channel", "erp", "wms"):
        if violations := partners[name].control.get("violations"):
            raise FlowFailed(f"{name} complains: {violations}")


def until[T](look: Callable[[], T | None], failed: str) -> T:
    """What a look shows, as soon as it shows something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > end:
            raise FlowFailed(failed)
        time.sleep(POLL_SECONDS)
    return found


def one(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first of them, if there is any."""
    return rows[0] if rows else None


def _stalled(api: Api, code: str) -> dict[str, Any] | None:
    """The posting that waits for a person: its place in the journal, and why."""
    shown = api.expect(200, "GET", f"/return/return-orders/{code}")
    [cursor] = [each for each in shown["notifications"] if each["endpoint"] == BOOKS] or [None]
    if cursor is None or not cursor["stalled"]:
        return None
    return {"sequence": cursor["latest"], "because": cursor["waitingBecause"]}


def _completed(wms: Partner, code: str) -> dict[str, Any] | None:
    expected = one(wms.control.get(f"expectations/{code}"))
    return expected if expected is not None and expected["status"] == "COMPLETED" else None


def _message_ids(erp: Partner, code: str) -> set[int]:
    """The messageIds under which the ERP was told of a return."""
    return {json.loads(call["body"])["messageId"] for call in erp.control.get("calls") if call["about"] == code}
