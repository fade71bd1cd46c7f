"""Clickpost webhooks for tests, which say only what they are about. Times are given in UTC and sent as India's."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.clock import FakeClock
from tests.world import World

NOON: Final = FakeClock()()
"""When a `World` begins."""

_INDIA: Final = timedelta(hours=5, minutes=30)


def a_scan(awb: str, code: int, at: datetime = NOON, **more: Any) -> bytes:
    """A scan of a parcel. `more` replaces outer members; `additional` is merged into the one that is there."""
    additional = {"is_rvp": None, "account_code": "lotus-reverse", **more.pop("additional", {})}
    return json.dumps(
        {
            "waybill": awb,
            "cp_id": 25,
            "clickpost_status_code": code,
            "clickpost_status_description": f"Status{code}",
            "status": f"Carrier status {code}",
            "remark": "",
            "location": "Hosur_Hub",
            "timestamp": as_clickpost(at),
            "additional": additional,
            **more,
        }
    ).encode()


def a_request(event: int, code: str | None, at: datetime = NOON, **more: Any) -> bytes:
    """News of a return that was placed at Clickpost: 11 placed, 9 its AWB (`awb=`), 22 approved, 23 rejected."""
    forward: dict[str, Any] = {
        "forward_awb": "FWD-1001",
        "forward_reference_number": "SH-1001",
        "forward_order_id": "SO-1001",
        **more.pop("forward", {}),
    }
    items: Sequence[dict[str, Any]] = more.pop("items", [{"sku": "KURTA-TEAL", "quantity": 1, "id": "7001"}])
    return a_scan(
        more.pop("awb", ""),
        {9: 1, 11: 101, 22: 102, 23: 103}[event],
        at,
        additional={
            "is_rvp": True,
            "notification_event_id": event,
            "item_info": items,
            **forward,
            **({"return_reference_number": code} if code else {}),
        },
        **more,
    )


def as_clickpost(at: datetime) -> str:
    """India's time with a Z behind it, as Clickpost writes."""
    return (at + _INDIA).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def receive(world: World, *bodies: bytes) -> None:
    """Take these webhooks in, one after the other, and let the workers do what follows, but no time pass."""
    for body in bodies:
        assert world.webhook(body) == 200
        world.work_all()
