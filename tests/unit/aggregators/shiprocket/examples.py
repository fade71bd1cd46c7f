"""An account, orders and answers for Shiprocket's tests."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rms.aggregators.contract import Account, Ask, Brought, Direction, Job, Progress
from rms.aggregators.shiprocket import Shiprocket
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.return_order import Address, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpAnswer

NOW = datetime(2026, 5, 6, 20, 0, tzinfo=UTC)
"""01:30 on the next day in India."""

ADAPTER = Shiprocket()
OPTIONS = {"email": "api@malabar.example", "base_url": "https://sr.example/v1", "pickup_location": "Main"}
ACCOUNT = Account("malabar", "main", "SHIPROCKET", {"password": "pw-91", "token": "t-91"}, OPTIONS)

SHOPPER = Address("Anil", "7 Beach Rd", None, None, "Calicut", "Kerala", "673001", "IN", "a@m.example", "+919000000001")
DOCK = Address("Dock", "Shed 4", None, None, "Salem", "Tamil Nadu", "636001", "IN", "d@m.example", "09000000002")
UNIT = ReturnItem("U-1", "MUG-1", "Cracked", name="Mug", price=Decimal(300), image_url="https://i.example/mug.png")
PARCEL = Parcel(Decimal(12), Decimal(12), Decimal("0.4"), Decimal(350))

RETURN = ReturnOrder(
    "R-1", "O-1", (UNIT,), location_code="SLM", reason="Cracked", parcel=PARCEL, drop=DOCK, pickup=SHOPPER
)
FORWARD = ForwardShipment(
    code="O-1",
    shipment_code="O-1-1",
    items=(ForwardItem("I-1", "MUG-1", "Mug", 2, Decimal("299.50")),),
    pickup=DOCK,
    drop=SHOPPER,
    parcel=PARCEL,
    amount=Decimal("599.00"),
    ordered_at=NOW,
)


def an_account(**options: str) -> Account:
    return replace(ACCOUNT, options={**OPTIONS, **options})


def a_job(order: ReturnOrder | ForwardShipment = RETURN) -> Job:
    direction = Direction.RETURN if isinstance(order, ReturnOrder) else Direction.FORWARD
    return Job(ADAPTER.booking_reference("malabar", "R-1", 1, direction), order)


def answered(body: object, status: int = 200) -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {}, raw, elapsed_ms=5)


def sent(ask: object) -> dict[str, Any]:
    """The JSON body of a call."""
    assert isinstance(ask, Ask), ask
    body: dict[str, Any] = json.loads(ask.request.body or b"{}")
    return body


def next_call(progress: Progress, job: Job | None = None, account: Account = ACCOUNT) -> object:
    return ADAPTER.book(account, job or a_job(), progress, NOW)


def read(
    progress: Mapping[str, str], body: object, status: int = 200, *, job: Job | None = None, searching: bool = False
) -> object:
    """What the answer to the next call means; the progress itself where there is some."""
    going = job or a_job()
    ask = (ADAPTER.find if searching else ADAPTER.book)(ACCOUNT, going, progress, NOW)
    assert isinstance(ask, Ask), ask
    result = ADAPTER.read(going, ask, answered(body, status), progress)
    return result.progress if isinstance(result, Brought) else result
