"""A simulated Shiprocket: `ShiprocketSandbox` speaks HTTP, `ShiprocketEngine` is the same behaviour without sockets."""

from sandbox.shiprocket.engine import ShiprocketEngine
from sandbox.shiprocket.sandbox import ShiprocketSandbox
from sandbox.shiprocket.settings import Settings

__all__ = ["Settings", "ShiprocketEngine", "ShiprocketSandbox"]
