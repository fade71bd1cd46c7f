"""The systems besides its shop that a client has RMS tell: ERP, channel, warehouse, returns app, in a `World`."""

from collections.abc import Mapping
from typing import Any, Final

from rms.clients import endpoints
from rms.model.endpoint_kind import EndpointKind
from sandbox.channel import ChannelEngine
from sandbox.erp import ErpEngine
from sandbox.inbox import Inbox
from sandbox.wms import WmsEngine
from tests.world import CLIENT, World

ERP: Final = "erp"
CHANNEL: Final = "channel"
WMS: Final = "wms"

SETTINGS: Final[Mapping[EndpointKind, Mapping[str, str]]] = {
    EndpointKind.ERP_POSTING: {"partnerCode": "CUST-118", "partnerLocationCode": "CUST-118-PNQ"},
}


class Sinks:
    """An ERP, a channel and a warehouse that have joined a world, each as an endpoint of its kind."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.erp = ErpEngine(clock=world.clock)
        self.channel = ChannelEngine(clock=world.clock)
        self.wms = WmsEngine(clock=world.clock)
        self.all: Mapping[str, Inbox] = {ERP: self.erp, CHANNEL: self.channel, WMS: self.wms}

    def join(self, *names: str) -> None:
        """Register these; all of them unless any is named."""
        for name in names or self.all:
            engine = self.all[name]
            self.world.answer_at(f"{name}.test", engine.handle)
            secret = register(self.world, name, KINDS[name], f"https://{name}.test{engine.PATH}")
            engine.set_proof(secrets=(secret,))

    def violations(self) -> list[str]:
        """What RMS did wrong at any of them."""
        return [f"{name}: {found['kind']}" for name, engine in self.all.items() for found in engine.violations()]


KINDS: Final[Mapping[str, EndpointKind]] = {
    ERP: EndpointKind.ERP_POSTING,
    CHANNEL: EndpointKind.RETURN_ACK,
    WMS: EndpointKind.RETURN_EXPECTATION,
}


def register(world: World, name: str, kind: EndpointKind, url: str, **facts: Any) -> str:
    """Register an endpoint of a kind, with what such a one must have; its signing secret."""
    given = {"settings": SETTINGS.get(kind, {})} | facts
    secret = endpoints.create_endpoint(world.core, CLIENT, name, endpoints.Settings(url, kind=kind, **given)).secret
    assert secret is not None
    return secret
