"""A warehouse system: `WmsSandbox` speaks HTTP, `WmsEngine` is the same behaviour without sockets."""

from sandbox.wms.engine import WmsEngine
from sandbox.wms.sandbox import WmsSandbox

__all__ = ["WmsEngine", "WmsSandbox"]
