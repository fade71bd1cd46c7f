"""Shiprocket as a server."""

from typing import Any

from sandbox.partner import PartnerSandbox
from sandbox.shiprocket.engine import ShiprocketEngine
from sandbox.shiprocket.settings import Settings


class ShiprocketSandbox(PartnerSandbox[ShiprocketEngine]):
    """A simulated Shiprocket on 127.0.0.1; `base_url` stands for `https://apiv2.shiprocket.in/v1/external`.

    Keyword arguments besides these are those of `Settings`.
    """

    partner = "shiprocket"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        super().__init__(ShiprocketEngine(Settings().changed(settings)), port=port, verbose=verbose, senders=senders)
