"""A sales channel: `ChannelSandbox` speaks HTTP, `ChannelEngine` is the same behaviour without sockets."""

from sandbox.channel.engine import ChannelEngine
from sandbox.channel.sandbox import ChannelSandbox

__all__ = ["ChannelEngine", "ChannelSandbox"]
