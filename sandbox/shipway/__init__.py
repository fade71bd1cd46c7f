"""A simulated Shipway: `ShipwaySandbox` speaks HTTP, `ShipwayEngine` is the same behaviour without sockets."""

from sandbox.shipway.engine import Settings, ShipwayEngine
from sandbox.shipway.sandbox import ShipwaySandbox

__all__ = ["Settings", "ShipwayEngine", "ShipwaySandbox"]
