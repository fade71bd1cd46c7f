"""A client's endpoint: `ReceiverSandbox` speaks HTTP, `ReceiverEngine` is the same behaviour without sockets."""

from sandbox.receiver.engine import Delivery, ReceiverEngine
from sandbox.receiver.sandbox import ReceiverSandbox

__all__ = ["Delivery", "ReceiverEngine", "ReceiverSandbox"]
