"""A warehouse system as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from typing import Any

from sandbox.posting import InboxSandbox
from sandbox.server import newest
from sandbox.wms.engine import WmsEngine


class WmsSandbox(InboxSandbox[WmsEngine]):
    """A warehouse on 127.0.0.1: `with WmsSandbox() as wms:`, return expectations to `wms.inbox`."""

    NAME = "wms"

    def __init__(self, *, port: int = 0, verbose: bool = False, **options: Any) -> None:
        engine = WmsEngine(**options)
        super().__init__(
            engine,
            {
                "GET expectations": lambda values: newest(engine.expectations(), values),
                "GET expectations/*": lambda code, _: [
                    row for row in engine.expectations() if row["return_code"] == code
                ],
            },
            port=port,
            verbose=verbose,
        )
