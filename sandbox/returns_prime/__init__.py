"""A simulated Returns Prime: `ReturnsPrimeSandbox` speaks HTTP, `ReturnsPrimeEngine` is the same without sockets."""

from sandbox.returns_prime.engine import ReturnsPrimeEngine, Settings
from sandbox.returns_prime.sandbox import ReturnsPrimeSandbox

__all__ = ["ReturnsPrimeEngine", "ReturnsPrimeSandbox", "Settings"]
