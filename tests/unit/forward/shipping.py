"""A world in which forward parcels go out, whichever aggregator takes them."""

from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.builders import a_shipment_body
from tests.partners import KINDS, SANDBOX, onboard
from tests.world import HttpReply, World

AGGREGATORS: Final = ("CLICKPOST", "SHIPROCKET", "SHIPWAY", SANDBOX)
TAKE_ORDERS: Final = ("SHIPROCKET", "SHIPWAY")
CODE: Final = "SH-70031"
LABELLED: Final = ["AWB_GENERATED", "SHIPPING_LABEL_GENERATED"]
"""What is told of a parcel that has its AWB and its label."""

each_aggregator = pytest.mark.parametrize("name", AGGREGATORS)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A client who ships with one aggregator."""

    name: str
    world: World
    engine: Any
    alias: str

    def body(self, **changes: object) -> dict[str, Any]:
        """A parcel for this aggregator."""
        return a_shipment_body(**{"logisticAccountAlias": self.alias, **changes})

    def ships(self, **changes: object) -> HttpReply:
        """POST /forward/shipping-labels."""
        return self.world.ship(self.body(**changes))

    def orders(self, **changes: object) -> HttpReply:
        """POST /forward/orders."""
        return self.world.ship(self.body(**changes), "/forward/orders")

    def fetched(self) -> list[str]:
        """The labels' files that were asked for, by URL."""
        return [request.url for request in self.world.http.requests if "/labels/" in request.url]

    def label(self, code: str = CODE) -> Any:
        """What RMS shows of a parcel's label."""
        return self.world.read_shipment(code).body["label"]

    def parcels(self) -> list[str]:
        """The AWBs that the aggregator has given."""
        return [parcel.awb for parcel in self.engine.parcels()]


def dispatch(name: str, **settings: Any) -> Dispatch:
    """Such a client; every setting of the aggregator's simulation may be given."""
    world = World()
    if name == "CLICKPOST":
        world.clickpost.change(settings)
        return Dispatch(name, world, world.clickpost, "main")
    return Dispatch(name, world, onboard(world, name, **settings).engine, KINDS[name].account.alias)
