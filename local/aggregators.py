"""The aggregators besides Clickpost, as a client of the local stack has them: accounts, webhooks, lives of parcels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.onboarding import Api, Client
from local.partners import Partner
from local.stack import Stack

type Steps = Sequence[str | None]
"""What is told of each scan, one after the other; None where a scan is no news to subscribers."""


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a parcel: its name at the simulated aggregator, and what is told of it after its AWB."""

    name: str
    told: Steps


@dataclass(frozen=True, slots=True)
class Aggregator:
    """One aggregator. `partner` is its simulation; `alias` that of the client's account."""

    partner: str
    name: str
    alias: str
    back: Life
    out: Life
    account: Callable[[Partner], Mapping[str, Any]]
    settings: Callable[[Stack, str, str], Mapping[str, Any]]
    """From stack, client and webhook key: where its webhooks go, and how they prove themselves."""

    sends_for_the_courier: bool = False
    """It tells by itself that a return's pick-up is scheduled."""

    takes_orders: bool = False
    awb_comes_later: bool = False
    """It takes a return in, and has its AWB only when it is asked again."""

    def join(self, stack: Stack, client: Client, simulated: Partner) -> None:
        """Give the client an account here, and tell the aggregator where its webhooks go.

        Raises:
            CallRefused: RMS did not take one of the calls.
        """
        api, key = Api(stack.api_url, client.operator), f"{client.webhook_key}-{self.partner}"
        body = {**self.account(simulated), "webhookKey": key}
        api.expect(200, "PUT", f"/clients/{client.name}/accounts/{self.alias}", body)
        settings = dict(self.settings(stack, client.name, key))
        if self.name == "SANDBOX":
            path = f"/clients/{client.name}/credentials"
            issued = api.expect(201, "POST", path, {"username": "aggregator", "roles": ["aggregator"]})
            settings |= {
                "auth_username": issued["authUsername"],
                "auth_password": issued["authPassword"],
                "auth_domain": issued["authDomainName"],
            }
        simulated.control.post("settings", settings)


def _shiprocket(simulated: Partner) -> Mapping[str, Any]:
    options = {
        "email": "api@sandbox.example",
        "pickup_location": "Primary",
        "base_url": simulated.urls["base_url"],
    }
    return {"aggregator": "SHIPROCKET", "secrets": {"password": "sandbox-password"}, "options": options}


def _shipway(simulated: Partner) -> Mapping[str, Any]:
    options = {
        "email": "sandbox@shipway.example",
        "carrier_id": "3400",
        "warehouse_id": "60417",
        "returns": "on",
        "base_url": simulated.urls["base_url"],
    }
    return {"aggregator": "SHIPWAY", "secrets": {"licence_key": "sandbox-licence-key"}, "options": options}


def _generic(simulated: Partner) -> Mapping[str, Any]:
    base = simulated.urls["base_url"]
    options = {
        "generate_return_awb_url": f"{base}/generate",
        "get_return_awb_url": f"{base}/shipments",
        "generate_shipping_label_url": f"{base}/generate",
        "get_shipping_label_url": f"{base}/shipments",
        "get_couriers_url": f"{base}/couriers",
        "answers_repeats": "yes",
    }
    return {"aggregator": "SANDBOX", "secrets": {"X-Api-Key": "sandbox-generic-key"}, "options": options}


def _posts_with_token(stack: Stack, _client: str, key: str) -> Mapping[str, Any]:
    return {"webhook_url": f"{stack.api_url}/rms/in/api/st/notify", "webhook_token": key}


def _posts_to_its_own_path(stack: Stack, _client: str, key: str) -> Mapping[str, Any]:
    return {"webhook_url": f"{stack.api_url}/rms/in/api/shipway/notify/{key}", "return_awb_after": 0}


def _pushes(stack: Stack, _client: str, _key: str) -> Mapping[str, Any]:
    return {"webhook_url": f"{stack.api_url}/rms-magic/notification/push"}


_ON_ITS_WAY: Final = ("IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED")

CLICKPOST_BACK: Final = Life("delivered", ("OUT_FOR_PICKUP", "RETURN_PICKED_UP", *_ON_ITS_WAY))
CLICKPOST_OUT: Final = Life("delivered", ("OUT_FOR_PICKUP", "PICKED_UP", *_ON_ITS_WAY))

OTHERS: Final = (
    Aggregator(
        "shiprocket",
        "SHIPROCKET",
        "shiprocket",
        back=Life("delivered", ("OUT_FOR_PICKUP", "RETURN_PICKED_UP", *_ON_ITS_WAY)),
        out=Life("delivered", ("OUT_FOR_PICKUP", "PICKED_UP", *_ON_ITS_WAY)),
        account=_shiprocket,
        settings=_posts_with_token,
        sends_for_the_courier=True,
        takes_orders=True,
    ),
    Aggregator(
        "shipway",
        "SHIPWAY",
        "shipway",
        back=Life("returned", ("OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "DELIVERED")),
        out=Life("delivered", (None, *_ON_ITS_WAY)),
        account=_shipway,
        settings=_posts_to_its_own_path,
        sends_for_the_courier=True,
        awb_comes_later=True,
    ),
    Aggregator(
        "generic",
        "SANDBOX",
        "sandbox",
        back=Life("returned", ("OUT_FOR_PICKUP", "RETURN_PICKED_UP", *_ON_ITS_WAY)),
        out=Life("delivered", ("PICKED_UP", *_ON_ITS_WAY)),
        account=_generic,
        settings=_pushes,
    ),
)
"""In the order in which the demo plays them."""
