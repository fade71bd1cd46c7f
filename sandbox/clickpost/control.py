"""Clickpost's control API, `/sandbox/…`: JSON in, JSON out. What the calls are for is in sandbox/README.md."""

from collections.abc import Mapping
from typing import Any

from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.statuses import LIVES
from sandbox.partner import moment_of, steered
from sandbox.server import Control, ControlError, newest

type Values = Mapping[str, Any]


def control(engine: ClickpostEngine) -> Control:
    """The control API of one engine."""
    return steered(
        engine,
        {
            "GET returns": lambda values: newest([placed.describe() for placed in engine.returns()], values),
            "GET lives": lambda _: {name: [step.code for step in steps] for name, steps in LIVES.items()},
            "POST returns": lambda values: _place_return(engine, values),
            "POST returns/*/approve": lambda reference, _: engine.approve_return(reference).describe(),
            "POST returns/*/reject": lambda reference, _: engine.reject_return(reference).describe(),
            "POST shipments": lambda values: engine.add_parcel(values).describe(),
            "POST shipments/*/scan": lambda awb, values: _scan(engine, awb, dict(values)),
        },
    )


def _place_return(engine: ClickpostEngine, values: Values) -> Any:
    approval = values.get("approval", "auto")
    if approval not in {"auto", "manual"}:
        raise ControlError(400, "approval: must be auto or manual")
    placed = engine.place_return(values, approval=approval)
    if values.get("life") is not None and placed.awb is not None:
        engine.advance(placed.awb, life=values["life"], steps=None)
    return placed.describe()


def _scan(engine: ClickpostEngine, awb: str, values: dict[str, Any]) -> Any:
    if "code" not in values:
        raise ControlError(400, "code: is missing")
    at = moment_of(values)
    code = int(values.pop("code"))
    if unknown := values.keys() - {"words", "remark", "location", "npr", "ndr"}:
        raise ControlError(400, f"{', '.join(sorted(unknown))}: not known")
    engine.scan(awb, code, at=at, **values)
    return engine.parcel(awb).describe()
