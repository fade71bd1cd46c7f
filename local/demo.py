"""The two flows that RMS carries, played end to end on the local stack, each notification printed as it arrives."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.onboarding import Api, CallRefused, Client
from local.partners import Partner
from local.stack import Stack
from local.steps import say

PATIENCE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
ACKNOWLEDGED_SECONDS: Final = 10.0
JOURNEY: Final = ("OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED")


class FlowFailed(Exception):  # noqa: N818 - reads as the sentence it is
    """The flow did not end as it must; the text says where."""


@dataclass(slots=True)
class Watch:
    """What the client's endpoint hears about one return, printed as it comes."""

    receiver: Partner
    hook: str
    about: str
    started: float = field(default_factory=time.monotonic)
    seen: int = 0
    heard: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """A line with the time since the flow began."""
        say(f"   +{time.monotonic() - self.started:5.1f} s  {line}")

    def until(self, *expected: str) -> None:
        """Print what arrives until these types, in this order, have been heard as the newest.

        `OTHER` may come in between: Clickpost tells more of a return than there are names for.

        Raises:
            FlowFailed: something else was heard, or nothing for too long.
        """
        wanted = [*self._named(), *expected]
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._look()
            named = self._named()
            if named[: len(wanted)] != wanted[: len(named)]:
                raise FlowFailed(f"{self.about}: heard {named}, expected {wanted}")
            if len(named) >= len(wanted):
                return
            if time.monotonic() > end:
                raise FlowFailed(f"{self.about}: heard {named} and no more, expected {wanted}")
            time.sleep(POLL_SECONDS)

    def _named(self) -> list[str]:
        return [kind for kind in self.heard if kind != "OTHER"]

    def _look(self) -> None:
        deliveries: Sequence[Mapping[str, Any]] = self.receiver.control.get(f"deliveries?endpoint={self.hook}")
        mine = [delivery for delivery in deliveries if delivery["aggregate"] == self.about]
        for delivery in mine[self.seen :]:
            kind = str(delivery["notification_type"])
            outcome = "delivered" if delivery["accepted"] else f"answered {delivery['answered']}"
            signature = f"signature {delivery['verification']}"
            self.say(f"{kind:<24} sequence {delivery['sequence']}  {outcome}, {signature}")
            if delivery["accepted"] and not delivery["accepted_before"]:
                self.heard.append(kind)
        self.seen = len(mine)


def play(stack: Stack, clickpost: Partner, receiver: Partner, client: Client) -> bool:
    """Play the flows; answers whether all of them ended well."""
    well = True
    for title, flow in (
        ("Flow 1: the shopper places a return at Clickpost, RMS hears of it by webhook", placed_at_clickpost),
        ("Flow 2: the client calls RMS, RMS books the AWB at Clickpost", booked_by_rms),
    ):
        say(f"== {title}")
        try:
            flow(stack, clickpost, receiver, client)
        except (FlowFailed, CallRefused) as failure:
            say(f"   FAILED: {failure}")
            well = False
    if violations := receiver.control.get("violations"):
        say(f"   FAILED: the receiver complains: {violations}")
        well = False
    return well


def placed_at_clickpost(stack: Stack, clickpost: Partner, receiver: Partner, client: Client) -> None:
    """Source: the flows, section 1.

    Raises:
        FlowFailed: see there.
    """
    code = f"KL-{_now():%H%M%S}-1"
    watch = Watch(receiver, client.name, code)
    clickpost.control.post(
        "returns",
        {
            "return_reference_number": code,
            "forward_order_id": "KL-48213",
            "items": [{"sku": "IKAT-SAREE-RED", "quantity": 1, "return_reason": "Colour differs from the picture"}],
            "account_code": f"{client.name}-reverse",
            "approval": "manual",
        },
    )
    watch.say("the shopper placed the return on Clickpost's page")
    watch.until("RETURN_ORDER_PLACED")
    clickpost.control.post(f"returns/{code}/approve")
    watch.say("the brand approved it there, Clickpost made the AWB")
    watch.until("AWB_GENERATED")
    awb = _awb_at_clickpost(clickpost, code)
    _travel(watch, clickpost, awb)
    _compare(stack, client, watch, awb)


def booked_by_rms(stack: Stack, clickpost: Partner, receiver: Partner, client: Client) -> None:
    """Source: the flows, section 2.

    Raises:
        FlowFailed: see there.
        CallRefused: RMS did not take the return.
    """
    code = f"KL-{_now():%H%M%S}-2"
    watch = Watch(receiver, client.name, code)
    api = Api(stack.api_url, client.headers)
    body = a_return(code)
    booked = api.expect(200, "POST", "/return/create", body)
    watch.say(f"POST /return/create answered: AWB {booked['returnAwb']} with {booked['carrierName']}")
    again = api.expect(200, "POST", "/return/create", body)
    if again != booked:
        raise FlowFailed(f"the same call again was answered {again} instead of {booked}")
    watch.say("the same call again: the same answer, no second AWB")
    watch.until("AWB_GENERATED")
    _travel(watch, clickpost, booked["returnAwb"])
    if several := clickpost.control.get("bookings")["duplicate_parcels"]:
        raise FlowFailed(f"Clickpost holds more than one parcel for {several}")
    _compare(stack, client, watch, booked["returnAwb"])


def a_return(code: str) -> dict[str, Any]:
    """A body for POST /return/create."""
    bought = (_now() - timedelta(days=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    shopper = {
        "firstName": "Meera",
        "lastName": "Nambiar",
        "street1": "14 Lotus Court",
        "street2": "Hill Road",
        "city": "Pune",
        "state": "Maharashtra",
        "zip": "411014",
        "country": "INDIA",
        "email": "meera@example.com",
        "phone": "9812300045",
    }
    warehouse = shopper | {
        "firstName": "Returns",
        "lastName": "Desk",
        "street1": "Plot 7, Textile Park",
        "city": "Coimbatore",
        "state": "Tamil Nadu",
        "zip": "641014",
        "email": "returns@example.com",
    }
    return {
        "currencyCode": "INR",
        "regionType": "INDIAN",
        "returnReason": "Colour differs from the picture",
        "sellerGstin": "33AAKFK4821R1ZP",
        "shipmentDimension": {"length": 32, "breadth": 24, "height": 6, "weight": 640},
        "pickupAddress": shopper,
        "dropAddress": warehouse,
        "orderDetails": {
            "isCod": False,
            "codValue": 0,
            "invoiceNumber": "KL-INV-7719",
            "invoiceTime": bought,
            "invoiceValue": 4250.0,
            "orderDate": bought,
            "orderNumber": code,
            "forwardOrderNumber": "KL-48377",
            "orderLineItemList": [
                {
                    "clientSkuId": "IKAT-SAREE-RED",
                    "name": "Ikat saree, red",
                    "price": 4250.0,
                    "quantity": 1,
                    "finalAmountPaid": 4250.0,
                }
            ],
        },
    }


def _now() -> datetime:
    return datetime.now(UTC)


def _awb_at_clickpost(clickpost: Partner, reference: str) -> str:
    for placed in clickpost.control.get("returns"):
        if placed["return_reference_number"] == reference and placed["awb"]:
            return str(placed["awb"])
    raise FlowFailed(f"Clickpost has no AWB for {reference}")


def _travel(watch: Watch, clickpost: Partner, awb: str) -> None:
    """Let the parcel go its way, scan by scan, and hear of each."""
    for expected in JOURNEY:
        clickpost.control.post(f"shipments/{awb}/advance", {"life": "delivered", "steps": 1})
        watch.until(expected)


def _compare(stack: Stack, client: Client, watch: Watch, awb: str) -> None:
    """RMS's own account of the return must be what the client heard, all of it acknowledged."""
    api = Api(stack.api_url, client.headers)
    end = time.monotonic() + ACKNOWLEDGED_SECONDS
    while True:  # the receiver has the last notification a moment before RMS has noted its answer
        found = api.expect(200, "GET", f"/return/return-orders/{watch.about}")
        behind = [cursor for cursor in found["notifications"] if cursor["acknowledged"] < cursor["latest"]]
        if not behind:
            break
        if time.monotonic() > end:
            raise FlowFailed(f"{watch.about}: not everything is acknowledged: {behind}")
        time.sleep(POLL_SECONDS)
    timeline = [event["notificationType"] for event in found["timeline"] if event["notificationType"]]
    if (found["returnAwb"], found["status"], timeline) != (awb, watch.heard[-1], watch.heard):
        raise FlowFailed(f"{watch.about}: RMS says {found['status']}, AWB {found['returnAwb']}, {timeline}")
    watch.say(
        f"{watch.about} is {found['status']}, AWB {awb}: {len(timeline)} notifications, all acknowledged, in order"
    )
