"""What a client's endpoint meets: proof, patience, replays, and an end to it when it says so."""

import pytest
from standardwebhooks import Webhook

from tests.e2e.installation import Installation, Shop, eventually, soon

pytestmark = pytest.mark.e2e


def test_every_delivery_can_be_verified_with_the_public_library(shop: Shop) -> None:
    rotated = shop.operator.expect(200, "POST", f"/clients/{shop.name}/endpoints/{shop.client.endpoint}/rotate")
    shop.books("RET-SIGNED")
    eventually(lambda: shop.heard("RET-SIGNED"), ["AWB_GENERATED"])

    [delivery] = shop.deliveries("RET-SIGNED")
    # The receiver knows the old secret only, which signs on beside the new one.
    assert delivery["verification"] == "valid"
    body = Webhook(rotated["signingSecret"]).verify(delivery["body"], delivery["headers"])
    assert body["sequence"] == delivery["sequence"]
    assert delivery["headers"]["x-shop"] == "from-rms"


def test_a_replay_tells_everything_again_in_order_under_the_same_ids(shop: Shop) -> None:
    awb = shop.books("RET-REPLAYED")
    shop.parcel_travels(awb, steps=2)
    eventually(lambda: shop.get("RET-REPLAYED").json()["notifications"][0]["acknowledged"], 4)
    before = shop.deliveries("RET-REPLAYED")

    answer = shop.replays("RET-REPLAYED")
    assert (answer.status_code, answer.json()["endpoints"]) == (200, [shop.client.endpoint])

    eventually(lambda: len(shop.deliveries("RET-REPLAYED")), 2 * len(before))
    again = shop.deliveries("RET-REPLAYED")[len(before) :]
    assert [each["webhook_id"] for each in again] == [each["webhook_id"] for each in before]
    assert [each["body"] for each in again] == [each["body"] for each in before]
    assert all(each["accepted_before"] for each in again)

    assert shop.replays("RET-REPLAYED", endpoint=shop.client.endpoint, afterSequence=3).status_code == 200
    eventually(lambda: [each["sequence"] for each in shop.deliveries("RET-REPLAYED")], [2, 3, 4, 2, 3, 4, 4])
    assert shop.violations() == []


def test_an_endpoint_that_answers_410_is_called_no_more_until_it_is_enabled_and_replayed(
    installation: Installation,
) -> None:
    shop = installation.new_shop("leaving")
    shop.endpoint_fails("status", status=410)
    awb = shop.books("RET-GONE")
    eventually(lambda: [each["answered"] for each in shop.deliveries("RET-GONE")], [410])
    endpoints = f"/clients/{shop.name}/endpoints/{shop.client.endpoint}"

    def disabled() -> bool:
        [endpoint] = shop.operator.expect(200, "GET", f"/clients/{shop.name}")["endpoints"]
        return bool(endpoint["disabled"])

    soon(disabled)
    # One scan at a time: the order told is that in which RMS learned them, and its recorders race.
    for count in (2, 3):
        shop.parcel_travels(awb, steps=1)
        eventually(lambda: len(shop.told("RET-GONE")), count)
    installation.sweep()
    soon(installation.is_idle)
    assert len(shop.deliveries("RET-GONE")) == 1

    again = {"url": f"{shop.receiver.urls['hooks']}{shop.name}", "headers": {"x-shop": "from-rms"}}
    shop.operator.expect(200, "PUT", endpoints, again)
    assert not disabled()
    eventually(lambda: shop.replays("RET-GONE").status_code, 200)
    eventually(lambda: shop.heard("RET-GONE"), ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"])
    assert shop.violations() == []


def test_an_endpoint_in_trouble_holds_up_nobody_else(shop: Shop, installation: Installation) -> None:
    neighbour = installation.new_shop("neighbour")
    neighbour.endpoint_fails("hangs", does_the_work=False)
    neighbour.books("RET-HANGING")

    shop.books("RET-QUICK")
    eventually(lambda: shop.heard("RET-QUICK"), ["AWB_GENERATED"], seconds=30)
    assert neighbour.heard("RET-HANGING") == []
    eventually(installation.sweeping(lambda: neighbour.heard("RET-HANGING")), ["AWB_GENERATED"])
