"""What the demo's client sends: returns and forward parcels of one saree."""

from datetime import UTC, datetime, timedelta
from typing import Any


def a_return(code: str, alias: str | None = None) -> dict[str, Any]:
    """A body for POST /return/create; the account must be named where there are several."""
    bought = (datetime.now(UTC) - timedelta(days=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    shopper = {
        "firstName": "Meera",
        "lastName": "Nambiar",
        "street1": "14 Lotus Court",
        "street2": "Hill Road",
        "city": "Pune",
        "state": "Maharashtra",
        "zip": "411014",
        "country": "INDIA",
        "email": "meera@example.com",
        "phone": "9812300045",
    }
    warehouse = shopper | {
        "firstName": "Returns",
        "lastName": "Desk",
        "street1": "Plot 7, Textile Park",
        "city": "Coimbatore",
        "state": "Tamil Nadu",
        "zip": "641014",
        "email": "returns@example.com",
    }
    return {
        **({} if alias is None else {"logisticAccountAlias": alias}),
        "currencyCode": "INR",
        "regionType": "INDIAN",
        "returnReason": "Colour differs from the picture",
        "sellerGstin": "33AAKFK4821R1ZP",
        "shipmentDimension": {"length": 32, "breadth": 24, "height": 6, "weight": 640},
        "pickupAddress": shopper,
        "dropAddress": warehouse,
        "orderDetails": {
            "isCod": False,
            "codValue": 0,
            "invoiceNumber": "KL-INV-7719",
            "invoiceTime": bought,
            "invoiceValue": 4250.0,
            "orderDate": bought,
            "orderNumber": code,
            "forwardOrderNumber": "KL-48377",
            "orderLineItemList": [
                {
                    "clientSkuId": "IKAT-SAREE-RED",
                    "name": "Ikat saree, red",
                    "price": 4250.0,
                    "quantity": 1,
                    "finalAmountPaid": 4250.0,
                }
            ],
        },
    }


def a_channel_booked_return(code: str, awb: str) -> dict[str, Any]:
    """A body for POST /return/return-orders: the client has booked its courier itself."""
    return {
        "forwardOrderCode": "KL-48901",
        "returnOrderCode": code,
        "locationCode": "CJB-1",
        "orderItems": [{"itemCode": f"{code}-1", "reason": "Too small", "channelSkuCode": "IKAT-SAREE-RED"}],
        "awbNumber": awb,
        "transporter": "Sandbox Courier",
    }


def a_return_of_two(code: str, awb: str, location: str) -> dict[str, Any]:
    """The same for two sarees, with all that books want to know of them."""
    item = {
        "reason": "Too small",
        "channelSkuCode": "IKAT-SAREE-RED",
        "name": "Ikat saree, red",
        "price": 4250.0,
        "finalAmountPaid": 4250.0,
    }
    shopper = {
        "name": "Meera Nambiar",
        "line1": "14 Lotus Court",
        "line2": "Hill Road",
        "city": "Pune",
        "state": "Maharashtra",
        "zip": "411014",
        "country": "INDIA",
        "email": "meera@example.com",
        "phone": "9812300045",
    }
    return a_channel_booked_return(code, awb) | {
        "locationCode": location,
        "currencyCode": "INR",
        "orderItems": [{**item, "itemCode": f"{code}-{number}"} for number in (1, 2)],
        "pickupAddress": shopper,
        "orderDetails": {"codValue": 0, "invoiceValue": 8500.0, "isCod": False},
    }


def a_processed_return(code: str, location: str) -> dict[str, Any]:
    """A body for POST /usp/return: of the two sarees one has a stain."""
    passed = {"returnItemCode": f"{code}-1", "channelSkuCode": "IKAT-SAREE-RED", "qcStatus": "PASS"}
    failed = passed | {
        "returnItemCode": f"{code}-2",
        "qcStatus": "FAIL",
        "qcReason": "STAIN_DAMAGE",
        "imageUrls": [f"https://images.example.com/{code}-2.jpg"],
    }
    return {
        "channelName": "KAVERI-WEB",
        "returnOrderCode": code,
        "forwardOrderCode": "KL-48901",
        "locationCode": location,
        "orderItems": [passed, failed],
    }


def an_exchanged_return(code: str, awb: str) -> dict[str, Any]:
    """The same with two items, for each of which the shopper wants another one."""
    body = a_channel_booked_return(code, awb)
    second = {"itemCode": f"{code}-2", "reason": "Too small", "channelSkuCode": "IKAT-STOLE-RED"}
    return body | {"orderItems": [*body["orderItems"], second]}


def qc_results(code: str, *verdicts: str) -> dict[str, Any]:
    """A body for POST /usp/return: what the warehouse found of such a return's items."""
    skus = ("IKAT-SAREE-RED", "IKAT-STOLE-RED")
    failed = {"qcReason": "USED_PRODUCT", "imageUrls": ["https://images.example.com/worn.jpg"]}
    return {
        "channelName": "WEB",
        "returnOrderCode": code,
        "forwardOrderCode": "KL-48901",
        "locationCode": "CJB-1",
        "orderItems": [
            {
                "returnItemCode": f"{code}-{number}",
                "channelSkuCode": sku,
                "qcStatus": verdict,
                **(failed if verdict == "FAIL" else {}),
            }
            for number, (sku, verdict) in enumerate(zip(skus, verdicts, strict=True), start=1)
        ],
    }


def a_shipment(code: str, alias: str | None = None) -> dict[str, Any]:
    """A body for POST /forward/orders and POST /forward/shipping-labels."""
    shopper = {
        "firstName": "Meera",
        "lastName": "Nambiar",
        "addressLine1": "14 Lotus Court",
        "addressLine2": "Hill Road",
        "city": "Pune",
        "state": "Maharashtra",
        "zip": "411014",
        "country": "INDIA",
        "email": "meera@example.com",
        "phone": "9812300045",
    }
    warehouse = shopper | {
        "firstName": "Dispatch",
        "lastName": "Desk",
        "addressLine1": "Plot 7, Textile Park",
        "city": "Coimbatore",
        "state": "Tamil Nadu",
        "zip": "641014",
        "email": "dispatch@example.com",
    }
    return {
        **({} if alias is None else {"logisticAccountAlias": alias}),
        "currencyCode": "INR",
        "locationCode": "CJB-1",
        "sellerGstin": "33AAKFK4821R1ZP",
        "shipmentDimension": {"length": 32, "breadth": 24, "height": 6, "weight": 640},
        "pickupAddress": warehouse,
        "dropAddress": shopper,
        "orderDetails": {
            "orderNumber": f"SO-{code}",
            "shipmentCode": code,
            "paymentType": "PREPAID",
            "orderAmount": 4250.0,
            "orderDate": "2026-01-05T09:30:00Z",
            "orderLineItems": [{"sku": "IKAT-SAREE-RED", "name": "Ikat saree, red", "quantity": 1, "price": 4250.0}],
        },
    }
