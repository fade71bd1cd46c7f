"""Clickpost's control API, `/sandbox/…`: JSON in, JSON out. What the calls are for is in sandbox/README.md."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.clickpost.engine import OPERATIONS, ClickpostEngine, UnknownThingError
from sandbox.clickpost.statuses import LIVES
from sandbox.faults import ANY_OPERATION, BadFaultError, Fault, WebhookFault, plan_fault
from sandbox.outbox import OPERATION as WEBHOOK
from sandbox.server import Control, ControlError, newest, routes

type Values = Mapping[str, Any]


def control(engine: ClickpostEngine) -> Control:
    """The control API of one engine."""
    return routes(
        {
            "GET state": lambda _: engine.state(),
            "GET bookings": lambda _: engine.describe_bookings(),
            "GET shipments": lambda values: newest([parcel.describe() for parcel in engine.parcels()], values),
            "GET shipments/*": lambda awb, _: engine.parcel(awb).describe(),
            "GET returns": lambda values: newest([placed.describe() for placed in engine.returns()], values),
            "GET requests": lambda values: newest(engine.requests(), values),
            "GET webhooks": lambda values: newest(engine.webhooks(), values),
            "GET faults": lambda _: engine.state()["faults"],
            "GET lives": lambda _: {name: [step.code for step in steps] for name, steps in LIVES.items()},
            "POST reset": lambda _: engine.reset(),
            "POST settings": engine.change,
            "POST faults": lambda values: _plan(engine, dict(values)),
            "POST faults/clear": lambda _: engine.clear_faults(),
            "POST webhooks/flush": lambda _: engine.flush_webhooks(),
            "POST webhooks/*/resend": lambda number, _: engine.resend_webhook(int(number)),
            "POST returns": lambda values: _place_return(engine, values),
            "POST returns/*/approve": lambda reference, _: engine.approve_return(reference).describe(),
            "POST returns/*/reject": lambda reference, _: engine.reject_return(reference).describe(),
            "POST shipments": lambda values: engine.add_parcel(values).describe(),
            "POST shipments/*/advance": lambda awb, values: _advance(engine, awb, values),
            "POST shipments/*/scan": lambda awb, values: _scan(engine, awb, dict(values)),
        },
        absent=UnknownThingError,
    )


def _place_return(engine: ClickpostEngine, values: Values) -> Any:
    approval = values.get("approval", "auto")
    if approval not in {"auto", "manual"}:
        raise ControlError(400, "approval: must be auto or manual")
    placed = engine.place_return(values, approval=approval)
    if values.get("life") is not None and placed.awb is not None:
        engine.advance(placed.awb, life=values["life"], steps=None)
    return placed.describe()


def _advance(engine: ClickpostEngine, awb: str, values: Values) -> Any:
    steps = values.get("steps", 1)
    engine.advance(awb, life=values.get("life"), steps=None if steps == "all" else int(steps))
    return engine.parcel(awb).describe()


def _scan(engine: ClickpostEngine, awb: str, values: dict[str, Any]) -> Any:
    if "code" not in values:
        raise ControlError(400, "code: is missing")
    at = datetime.fromisoformat(values.pop("at")) if values.get("at") else None
    if at is not None and at.tzinfo is None:
        raise ControlError(400, "at: must name its zone")
    code = int(values.pop("code"))
    if unknown := values.keys() - {"words", "remark", "location", "npr", "ndr"}:
        raise ControlError(400, f"{', '.join(sorted(unknown))}: not known")
    engine.scan(awb, code, at=at, **values)
    return engine.parcel(awb).describe()


def _plan(engine: ClickpostEngine, values: dict[str, Any]) -> None:
    operation = values.pop("operation", ANY_OPERATION)
    if operation == WEBHOOK:
        plan_fault(engine.webhook_faults, operation, values, WebhookFault.read)
    elif operation in {*OPERATIONS, ANY_OPERATION}:
        plan_fault(engine.faults, operation, values, Fault.read)
    else:
        raise BadFaultError(f"operation: must be one of {', '.join((*OPERATIONS, ANY_OPERATION, WEBHOOK))}")
