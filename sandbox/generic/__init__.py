"""An aggregator of the generic contract: `GenericSandbox` speaks HTTP, `GenericEngine` does without sockets."""

from sandbox.generic.engine import GenericEngine, Settings
from sandbox.generic.sandbox import GenericSandbox

__all__ = ["GenericEngine", "GenericSandbox", "Settings"]
