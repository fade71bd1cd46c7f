"""An aggregator of the generic contract as a server."""

from collections.abc import Mapping
from typing import Any, override

from sandbox.generic.engine import GenericEngine, Settings
from sandbox.partner import PartnerSandbox


class GenericSandbox(PartnerSandbox[GenericEngine]):
    """A simulated aggregator of the generic contract on 127.0.0.1, which pushes to RMS's own API.

    Keyword arguments besides these are those of `Settings`.
    """

    partner = "generic"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        super().__init__(GenericEngine(Settings().changed(settings)), port=port, verbose=verbose, senders=senders)

    @property
    @override
    def ready(self) -> Mapping[str, str]:
        """What a caller in another process needs to know: the URLs that an account's options name, too."""
        return {**super().ready, "name": self.engine.settings.name, **self.options}

    @property
    def options(self) -> Mapping[str, str]:
        """The options of an account at this aggregator."""
        return {
            "generate_return_awb_url": f"{self.base_url}/generate",
            "get_return_awb_url": f"{self.base_url}/shipments",
            "generate_shipping_label_url": f"{self.base_url}/generate",
            "get_shipping_label_url": f"{self.base_url}/shipments",
            "get_couriers_url": f"{self.base_url}/couriers",
            "answers_repeats": "yes",
        }
