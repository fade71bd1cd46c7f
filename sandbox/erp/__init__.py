"""A client's ERP: `ErpSandbox` speaks HTTP, `ErpEngine` is the same behaviour without sockets."""

from sandbox.erp.engine import ErpEngine
from sandbox.erp.sandbox import ErpSandbox

__all__ = ["ErpEngine", "ErpSandbox"]
