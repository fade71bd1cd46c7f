"""Every aggregator besides Clickpost on the deployed stack: book, be told, tell on. Each has a client of its own."""

from collections.abc import Iterator
from typing import Final

import pytest

from local.aggregators import OTHERS, Aggregator
from local.partners import Partner, partner
from tests.e2e.installation import Installation, Shop, eventually, soon

TOLD: Final = {"AWB_GENERATED", "RETURN_PICKED_UP", "DELIVERED"}


@pytest.fixture(params=OTHERS, ids=lambda each: each.partner)
def booked(request: pytest.FixtureRequest, installation: Installation) -> Iterator[tuple[Aggregator, Shop, Partner]]:
    """A client whose returns are booked at that aggregator."""
    aggregator: Aggregator = request.param
    shop = installation.new_shop(f"with-{aggregator.partner}")
    with partner(aggregator.partner, "--webhook-spacing", "1", folder=shop.stack.folder / shop.name) as simulated:
        aggregator.join(shop.stack, shop.client, simulated)
        yield aggregator, shop, simulated


def test_a_return_is_booked_once_and_its_whole_life_is_told(
    booked: tuple[Aggregator, Shop, Partner], installation: Installation
) -> None:
    aggregator, shop, simulated = booked
    code = f"EV-{aggregator.partner}-1"
    body = shop.a_body(code, logisticAccountAlias=aggregator.alias)

    answer = shop.call("POST", "/return/create", body)
    again = shop.call("POST", "/return/create", body)

    assert answer.status_code == (202 if aggregator.awb_comes_later else 200), answer.text
    assert again.json() == answer.json()
    awb = soon(installation.sweeping(lambda: shop.get(code).json()["returnAwb"]), seconds=180)
    assert aggregator.awb_comes_later or awb == answer.json()["returnAwb"]
    simulated.control.post(f"shipments/{awb}/advance", {"life": aggregator.back.name, "steps": "all"})
    eventually(lambda: shop.status(code), "DELIVERED", seconds=90)
    eventually(lambda: set(shop.heard(code)) >= TOLD, wanted=True, seconds=60)
    assert shop.violations() == []
    [booking] = simulated.control.get("bookings")["bookings"]
    assert booking["parcels"] == 1
    if aggregator.name == "SHIPWAY":  # whose webhooks prove nothing
        assert "tracking" in {request["operation"] for request in simulated.control.get("requests")}
