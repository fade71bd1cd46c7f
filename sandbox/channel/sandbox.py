"""A sales channel as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from typing import Any

from sandbox.channel.engine import ChannelEngine
from sandbox.posting import InboxSandbox
from sandbox.server import newest


class ChannelSandbox(InboxSandbox[ChannelEngine]):
    """A channel on 127.0.0.1: `with ChannelSandbox() as channel:`, acknowledgements to `channel.inbox`."""

    NAME = "channel"

    def __init__(self, *, port: int = 0, verbose: bool = False, **options: Any) -> None:
        engine = ChannelEngine(**options)
        super().__init__(
            engine,
            {
                "GET processed": lambda values: newest(engine.processed(), values),
                "GET processed/*": lambda code, _: [row for row in engine.processed() if row["return_code"] == code],
            },
            port=port,
            verbose=verbose,
        )
