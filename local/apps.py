"""Returns Prime, as a client of the local stack has it: connected, and booking its parcels at Shiprocket by itself."""

from collections.abc import Mapping
from typing import Any

import requests

from local.onboarding import SECONDS, Api, Client
from local.partners import Partner
from local.stack import Stack

WAREHOUSE = "CJB-1"


def join_returns_prime(stack: Stack, client: Client, simulated: Partner) -> None:
    """Connect the client to Returns Prime, write-back on, and tell that where its webhooks go.

    Raises:
        CallRefused: RMS did not take the call.
    """
    key = f"{client.webhook_key}-returns-prime"
    connection = {
        "secrets": {"token": "sandbox-rp-token"},
        "options": {
            "location_code": WAREHOUSE,
            "account": "shiprocket",
            "base_url": simulated.urls["base_url"],
            "write_back": "both",
        },
        "webhookKey": key,
    }
    Api(stack.api_url, client.operator).expect(200, "PUT", f"/clients/{client.name}/returns-prime", connection)
    simulated.control.post("settings", {"webhook_url": f"{stack.api_url}/rms/in/api/returns-prime/notify/{key}"})


def books_at_shiprocket(shiprocket: Partner, request: Mapping[str, Any]) -> str:
    """What Returns Prime does at Shiprocket for a request, under the brand's account; answers the AWB."""
    place, [line] = request["customer"]["address"], request["line_items"]
    token = _call(shiprocket, "auth/login", {"email": "api@sandbox.example", "password": "sandbox-password"})["token"]
    shopper = {
        "customer_name": request["customer"]["name"],
        "address": place["address_line_1"],
        "city": place["city"],
        "state": place["province"],
        "country": place["country"],
        "pincode": int(place["postal_code"]),
        "email": request["customer"]["email"],
        "phone": "9812300045",
    }
    desk = {
        "customer_name": "Returns desk",
        "address": "Plot 7, Textile Park",
        "city": "Coimbatore",
        "pincode": 641014,
    }
    order = {
        "order_id": request["request_number"],
        "order_date": request["created_at"][:10],
        **{f"pickup_{name}": value for name, value in shopper.items()},
        **{
            f"shipping_{name}": value
            for name, value in (shopper | desk | {"state": "Tamil Nadu", "phone": 9812300046}).items()
        },
        "order_items": [
            {
                "name": line["original_product"]["title"],
                "sku": line["original_product"]["sku"],
                "units": line["quantity"],
                "selling_price": 1890,
            }
        ],
        "payment_method": "Prepaid",
        "sub_total": 1890,
        "length": 30,
        "breadth": 24,
        "height": 6,
        "weight": 0.6,
    }
    made = _call(shiprocket, "orders/create/return", order, token)
    assigned = _call(shiprocket, "courier/assign/awb", {"shipment_id": made["shipment_id"], "is_return": 1}, token)
    return str(assigned["response"]["data"]["awb_code"])


def _call(shiprocket: Partner, path: str, body: Mapping[str, Any], token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{shiprocket.urls['base_url']}/{path}"
    answer = requests.post(url, json=body, headers=headers, timeout=SECONDS)
    answer.raise_for_status()
    return answer.json()
