"""Forward parcels on the deployed stack: AWB, our copy of the label, a life, invoices, a web shop's own label."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests

from local.aggregators import CLICKPOST_OUT, OTHERS, Aggregator, Life
from local.bodies import a_shipment
from local.partners import Partner, partner
from tests.e2e.installation import ANSWER_SECONDS, Installation, Shop, code_of, eventually

pytestmark = pytest.mark.e2e

LABELLED: Final = ["AWB_GENERATED", "SHIPPING_LABEL_GENERATED"]


@pytest.fixture(scope="module")
def sender(installation: Installation) -> Iterator[tuple[Shop, dict[str, Partner]]]:
    """A client that ships with every aggregator."""
    shop = installation.new_shop("sender")
    folder = shop.stack.folder / shop.name
    with (
        partner("shiprocket", "--webhook-spacing", "1", folder=folder) as shiprocket,
        partner("shipway", "--webhook-spacing", "1", folder=folder) as shipway,
        partner("generic", "--webhook-spacing", "1", folder=folder) as generic,
    ):
        simulated = {"clickpost": shop.clickpost, "shiprocket": shiprocket, "shipway": shipway, "generic": generic}
        for each in OTHERS:
            each.join(shop.stack, shop.client, simulated[each.partner])
        yield shop, simulated


def ships(shop: Shop, code: str, alias: str, **changes: Any) -> requests.Response:
    """POST /forward/shipping-labels."""
    return shop.call("POST", "/forward/shipping-labels", a_shipment(code, alias) | changes)


def shown(shop: Shop, code: str) -> Any:
    return shop.found(f"/forward/shipments/{code}")


def pdf_at(link: str) -> bytes:
    """What somebody gets who has nothing but a link."""
    answer = requests.get(link, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.content


def lives(shop: Shop, simulated: Partner, code: str, awb: str, life: Life) -> None:
    """Scan by scan, so that no two recorders race."""
    heard = list(LABELLED)
    for told in life.told:
        simulated.control.post(f"shipments/{awb}/advance", {"life": life.name, "steps": 1})
        heard += [told] if told is not None else []
        eventually(lambda: shop.heard(code), heard)


def test_a_parcel_at_clickpost_gets_its_awb_and_a_label_that_anybody_with_the_link_can_print(
    sender: tuple[Shop, dict[str, Partner]],
) -> None:
    shop, simulated = sender

    answer = ships(shop, "OUT-CP", "main")
    again = shop.call("POST", "/forward/shipping-labels", {"shipmentCode": "OUT-CP"})

    assert answer.status_code == 200, answer.text
    awb = answer.json()["awb"]
    assert again.json()["awb"] == awb
    for link in (answer.json()["shippingLabelUrl"], shop.found("/forward/shipping-labels/OUT-CP")["shippingLabelUrl"]):
        assert awb.encode() in pdf_at(link)
    refused = requests.get(answer.json()["shippingLabelUrl"].partition("?")[0], timeout=ANSWER_SECONDS)
    assert refused.status_code == 403
    eventually(lambda: shop.heard("OUT-CP"), LABELLED)
    lives(shop, simulated["clickpost"], "OUT-CP", awb, CLICKPOST_OUT)
    assert shown(shop, "OUT-CP")["status"] == "DELIVERED"
    assert shop.violations() == []


@pytest.mark.parametrize("aggregator", OTHERS, ids=lambda each: each.partner)
def test_a_parcel_is_shipped_and_followed_at_every_other_aggregator(
    sender: tuple[Shop, dict[str, Partner]], aggregator: Aggregator
) -> None:
    shop, simulated = sender
    code = f"OUT-{aggregator.partner}"
    if aggregator.takes_orders:
        ordered = shop.call("POST", "/forward/orders", a_shipment(code, aggregator.alias))
        assert (ordered.status_code, ordered.json()["shipmentCode"]) == (200, code)

    answer = ships(shop, code, aggregator.alias)

    assert answer.status_code == 200, answer.text
    awb = answer.json()["awb"]
    assert awb.encode() in pdf_at(answer.json()["shippingLabelUrl"])
    eventually(lambda: shop.heard(code), LABELLED)
    lives(shop, simulated[aggregator.partner], code, awb, aggregator.out)
    assert shown(shop, code)["status"] == "DELIVERED"
    assert simulated[aggregator.partner].control.get("bookings")["duplicate_parcels"] == 0
    assert shop.violations() == []


def test_a_label_that_is_not_there_yet_comes_by_itself(
    sender: tuple[Shop, dict[str, Partner]], installation: Installation
) -> None:
    shop, simulated = sender
    simulated["generic"].control.post("faults", {"operation": "label-file", "then": "html"})

    answer = ships(shop, "OUT-LATE", "sandbox")

    assert (answer.status_code, answer.json()["labelStatus"]) == (202, "PENDING")
    waiting = shown(shop, "OUT-LATE")["label"]
    assert (waiting["state"], waiting["reason"]) == ("WANTED", "what came in place of a label is no PDF")
    eventually(installation.sweeping(lambda: shop.heard("OUT-LATE")), LABELLED)
    assert shop.found("/forward/shipping-labels/OUT-LATE")["labelStatus"] == "KEPT"


def test_a_label_whose_link_leads_into_our_own_network_is_not_fetched(
    sender: tuple[Shop, dict[str, Partner]],
) -> None:
    shop, simulated = sender
    simulated["shipway"].control.post("settings", {"label_base": "http://169.254.169.254/latest"})
    try:
        answer = ships(shop, "OUT-SSRF", "shipway")
    finally:
        simulated["shipway"].control.post("settings", {"label_base": f"{simulated['shipway'].urls['url']}/labels"})

    assert (answer.status_code, answer.json()["labelStatus"]) == (202, "PENDING")
    assert shown(shop, "OUT-SSRF")["label"]["reason"].startswith("no answer: URL refused")


def test_an_invoice_is_told_before_and_after_the_label(sender: tuple[Shop, dict[str, Partner]]) -> None:
    shop, _ = sender
    data = {"invoiceId": "INV-1", "documentUrl": "https://example.com/1.pdf", "documentType": "INVOICE"}
    invoice = {"forwardOrderCode": "SO-OUT-INV", "forwardShipmentCode": "OUT-INV"}

    for status in ("CREATED", "CREATED", "CANCELLED"):
        body = invoice | {"invoiceData": data | {"invoiceStatus": status}}
        assert shop.call("POST", "/forward/invoices", body).status_code == 200
        if status == "CREATED":
            eventually(lambda: shop.heard("OUT-INV")[:1], ["INVOICE_GENERATED"])

    eventually(lambda: shop.heard("OUT-INV"), ["INVOICE_GENERATED", "INVOICE_GENERATED"])
    assert ships(shop, "OUT-INV", "main").status_code == 200
    eventually(lambda: shop.heard("OUT-INV"), ["INVOICE_GENERATED", "INVOICE_GENERATED", *LABELLED])


def test_a_web_shops_own_label_is_asked_for_with_fresh_headers(sender: tuple[Shop, dict[str, Partner]]) -> None:
    shop, receiver = sender[0], sender[0].receiver
    name = f"{shop.name}-labels"
    base = receiver.urls["url"]
    source = {"url": f"{base}/label-source/{name}", "credentialUrl": f"{base}/credentials/{name}"}
    shop.operator.expect(200, "PUT", f"/clients/{shop.name}/label-source", source)
    receiver.control.post(f"endpoints/{name}", {"expected_headers": {"x-token": "of-today"}, "inline_labels": True})

    question = {"orderCode": "SO-OUT-SHOP", "shipmentCode": "OUT-SHOP", "arePackBoxLabelsRequired": True}
    answer = shop.call("POST", "/forward/web-shop-labels", question)

    assert answer.status_code == 200, answer.text
    assert answer.json()["awb"].encode() in pdf_at(answer.json()["shippingLabelUrl"])
    assert answer.json()["boxLabelDetails"]
    eventually(lambda: shop.heard("OUT-SHOP"), LABELLED)
    state = receiver.control.get("state")["endpoints"][name]
    assert (state["credential_calls"], state["label_calls"]) == (1, 2)


def test_what_is_wrong_with_a_parcel_is_said_in_our_envelope(sender: tuple[Shop, dict[str, Partner]]) -> None:
    shop, _ = sender

    assert code_of(ships(shop, "OUT-CP", "main", currencyCode="USD")) == (409, "CONFLICT")
    assert code_of(ships(shop, "OUT-BAD", "nobody")) == (400, "BAD_DATA")
    assert code_of(shop.call("POST", "/forward/orders", a_shipment("OUT-NO", "main"))) == (400, "BAD_DATA")
    assert code_of(shop.call("GET", "/forward/shipments/OUT-NOBODY")) == (404, "NOT_FOUND")
    assert code_of(shop.call("GET", "/forward/shipping-labels/OUT-NOBODY")) == (404, "NOT_FOUND")
