"""Every aggregator besides Clickpost on the deployed stack: book, be told, tell on. Each has a client of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from local.partners import Partner, partner
from tests.e2e.installation import Installation, Shop, eventually, soon

KEY: Final = "key-of-an-aggregator-in-e2e"


@dataclass(frozen=True, slots=True)
class Kind:
    """An aggregator: its account at RMS, and what its simulation has to know of RMS."""

    name: str
    account: Callable[[str], Mapping[str, Any]]
    settings: Callable[[Shop], Mapping[str, Any]]
    life: str
    told: tuple[str, ...] = ("AWB_GENERATED", "RETURN_PICKED_UP", "DELIVERED")
    awb_comes_later: bool = False
    """It takes a return in and has its AWB only when it is asked again."""

    confirms: str | None = None
    """The call at which it is asked whether a webhook is true; none where a webhook proves its sender."""


def _shiprocket(url: str) -> Mapping[str, Any]:
    options = {"email": "api@sandbox.example", "pickup_location": "Primary", "base_url": f"{url}/v1/external"}
    return {"aggregator": "SHIPROCKET", "secrets": {"password": "sandbox-password"}, "options": options}


def _shipway(url: str) -> Mapping[str, Any]:
    options = {
        "email": "sandbox@shipway.example",
        "carrier_id": "3400",
        "warehouse_id": "60417",
        "returns": "on",
        "base_url": f"{url}/api",
    }
    return {"aggregator": "SHIPWAY", "secrets": {"licence_key": "sandbox-licence-key"}, "options": options}


def _generic(url: str) -> Mapping[str, Any]:
    options = {
        "generate_return_awb_url": f"{url}/api/generate",
        "get_return_awb_url": f"{url}/api/shipments",
        "get_couriers_url": f"{url}/api/couriers",
        "answers_repeats": "yes",
    }
    return {"aggregator": "SANDBOX", "secrets": {"X-Api-Key": "sandbox-generic-key"}, "options": options}


def _posts_with_token(shop: Shop) -> Mapping[str, Any]:
    return {"webhook_url": f"{shop.stack.api_url}/rms/in/api/st/notify", "webhook_token": f"{KEY}-{shop.name}"}


def _posts_to_its_own_path(shop: Shop) -> Mapping[str, Any]:
    path = f"/rms/in/api/shipway/notify/{KEY}-{shop.name}"
    return {"webhook_url": f"{shop.stack.api_url}{path}", "return_awb_after": 0}


def _pushes_with_credential(shop: Shop) -> Mapping[str, Any]:
    path = f"/clients/{shop.name}/credentials"
    issued = shop.operator.expect(201, "POST", path, {"username": "aggregator", "roles": ["aggregator"]})
    return {
        "webhook_url": f"{shop.stack.api_url}/rms-magic/notification/push",
        "auth_username": issued["authUsername"],
        "auth_password": issued["authPassword"],
        "auth_domain": issued["authDomainName"],
    }


KINDS: Final = (
    Kind("shiprocket", _shiprocket, _posts_with_token, "delivered"),
    Kind("shipway", _shipway, _posts_to_its_own_path, "returned", awb_comes_later=True, confirms="tracking"),
    Kind("generic", _generic, _pushes_with_credential, "returned"),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def booked(request: pytest.FixtureRequest, installation: Installation) -> Iterator[tuple[Kind, Shop, Partner]]:
    """A client whose returns are booked at that aggregator."""
    kind: Kind = request.param
    shop = installation.new_shop(f"with-{kind.name}")
    with partner(kind.name, "--webhook-spacing", "1", folder=shop.stack.folder / shop.name) as simulated:
        account = {**kind.account(simulated.urls["url"]), "webhookKey": f"{KEY}-{shop.name}"}
        shop.operator.expect(200, "PUT", f"/clients/{shop.name}/accounts/a-{kind.name}", account)
        simulated.control.post("settings", dict(kind.settings(shop)))
        yield kind, shop, simulated


def test_a_return_is_booked_once_and_its_whole_life_is_told(
    booked: tuple[Kind, Shop, Partner], installation: Installation
) -> None:
    kind, shop, simulated = booked
    code = f"EV-{kind.name}-1"
    body = shop.a_body(code, logisticAccountAlias=f"a-{kind.name}")

    answer = shop.call("POST", "/return/create", body)
    again = shop.call("POST", "/return/create", body)

    assert answer.status_code == (202 if kind.awb_comes_later else 200), answer.text
    assert again.json() == answer.json()
    awb = soon(installation.sweeping(lambda: shop.get(code).json()["returnAwb"]), seconds=180)
    assert kind.awb_comes_later or awb == answer.json()["returnAwb"]
    simulated.control.post(f"shipments/{awb}/advance", {"life": kind.life, "steps": "all"})
    eventually(lambda: shop.status(code), "DELIVERED", seconds=90)
    eventually(lambda: set(kind.told) <= set(shop.heard(code)), wanted=True, seconds=60)
    assert shop.violations() == []
    [booking] = simulated.control.get("bookings")["bookings"]
    assert booking["parcels"] == 1
    assert kind.confirms in {None, *(request["operation"] for request in simulated.control.get("requests"))}
