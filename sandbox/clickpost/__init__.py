"""A simulated Clickpost: `ClickpostSandbox` speaks HTTP, `ClickpostEngine` is the same behaviour without sockets."""

from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.sandbox import ClickpostSandbox
from sandbox.clickpost.settings import Settings

__all__ = ["ClickpostEngine", "ClickpostSandbox", "Settings"]
