"""Shipway as a server."""

from typing import Any

from sandbox.partner import PartnerSandbox
from sandbox.shipway.engine import Settings, ShipwayEngine


class ShipwaySandbox(PartnerSandbox[ShipwayEngine]):
    """A simulated Shipway on 127.0.0.1; `base_url` stands for `https://app.shipway.com/api`.

    Keyword arguments besides these are those of `Settings`.
    """

    partner = "shipway"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        super().__init__(ShipwayEngine(Settings().changed(settings)), port=port, verbose=verbose, senders=senders)
