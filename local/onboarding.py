"""Makes a client ready on the local stack, by the very API calls that an operator makes."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from local.operator import make_operator
from local.partners import Partner
from local.stack import Stack
from rms.platform.dynamodb import DynamoTable

SECONDS: Final = 30.0
EXCHANGE_TAG: Final = "Exchange"
HOLD_TAG: Final = "Hold-QC"


class CallRefused(RuntimeError):  # noqa: N818 - reads as the sentence it is
    """RMS answered a call with something else than success; the text has its words."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client that can place returns and hears of them.

    Attributes:
        name: its id, which is its `authDomainName`.
        headers: what it sends with each call.
        operator: what its operator sends.
        warehouse: what its warehouse sends with the results of its checks.
        endpoint: the name of its endpoint at RMS; at the simulated receiver it is called as the client is.
        webhook_key: what Clickpost's webhooks carry.
    """

    name: str
    headers: Mapping[str, str]
    operator: Mapping[str, str]
    warehouse: Mapping[str, str]
    endpoint: str
    webhook_key: str


@dataclass(frozen=True, slots=True)
class Api:
    """Calls to RMS's API under somebody's credentials."""

    url: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        """The answer, whatever it is."""
        return requests.request(
            method, f"{self.url}{path}", json=body, headers=dict(self.headers), timeout=SECONDS, allow_redirects=False
        )

    def expect(self, status: int, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON.

        Raises:
            CallRefused: it has another status.
        """
        answer = self.call(method, path, body)
        if answer.status_code != status:
            raise CallRefused(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None


def onboard(stack: Stack, clickpost: Partner, receiver: Partner, *, client: str, name: str) -> Client:
    """Create the client with a credential, a Clickpost account and an endpoint, and tell both partners.

    Raises:
        CallRefused: RMS did not take one of the calls.
    """
    table = DynamoTable(stack.client("dynamodb"), stack.outputs["TableName"])
    operator = make_operator(table, f"demo-{secrets.token_hex(3)}")
    api = Api(stack.api_url, operator)
    webhook_key = secrets.token_urlsafe(24)
    api.expect(201, "POST", "/clients", {"client": client, "name": name})
    shop, warehouse = (
        api.expect(201, "POST", f"/clients/{client}/credentials", {"username": username, "roles": roles})
        for username, roles in (("shop", ["client", "warehouse"]), ("warehouse", ["warehouse"]))
    )
    account = {
        "aggregator": "CLICKPOST",
        "secrets": {"key": "sandbox-api-key"},
        "options": {
            "username": "sandbox-test",
            "courier_partner": "25",
            "account_code": f"{client}-reverse",
            "forward_courier_partner": "4",
            "forward_account_code": f"{client}-forward",
            "base_url": clickpost.urls["base_url"],
        },
        "webhookKey": webhook_key,
    }
    api.expect(200, "PUT", f"/clients/{client}/accounts/main", account)
    endpoint = {"url": f"{receiver.urls['hooks']}{client}", "headers": {"x-shop": "from-rms"}}
    made = api.expect(200, "PUT", f"/clients/{client}/endpoints/shop", endpoint)
    expected = {"secrets": [made["signingSecret"]], "expected_headers": endpoint["headers"]}
    receiver.control.post(f"endpoints/{client}", expected)
    webhook_url = f"{stack.api_url}/rms/in/api/clickpost/notify"
    clickpost.control.post("settings", {"webhook_url": webhook_url, "webhook_key": webhook_key})
    return Client(client, shop, operator, warehouse, endpoint="shop", webhook_key=webhook_key)


def open_shop(stack: Stack, client: Client, shopify: Partner) -> None:
    """Set up the client's Shopify store, where RMS releases and cancels replacement orders, and tell the shop of RMS.

    Raises:
        CallRefused: RMS did not take the call.
    """
    store = {
        "options": {"shop": "sandbox-looms.myshopify.com", "base_url": shopify.urls["base_url"]},
        "secrets": {"access_token": "sandbox-shop-token", "webhook_secret": "sandbox-client-secret"},
        "settings": {"edits_orders": "on", "exchange_tag": EXCHANGE_TAG, "hold_tag": HOLD_TAG},
    }
    api = Api(stack.api_url, client.operator)
    made = api.expect(200, "PUT", f"/clients/{client.name}/shopify-stores/web", store)
    shopify.control.post("settings", {"webhook_url": f"{stack.api_url}{made['webhookPath']}"})
