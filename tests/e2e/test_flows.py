"""The two flows, and what a client can ask about a return."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import a_channel_booked_body, a_return_order_body
from tests.e2e.installation import ABSENT, Installation, Shop, code_of, eventually, soon

pytestmark = pytest.mark.e2e

LIFE = ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]


def test_rms_books_a_return_and_the_client_hears_its_whole_life_signed_and_in_order(shop: Shop) -> None:
    booked = shop.asks_to_book("RET-FLOW-2")
    assert booked.status_code == 200
    assert set(booked.json()) == {"orderId", "orderNumber", "returnAwb", "carrierName"}

    shop.parcel_travels(booked.json()["returnAwb"])

    eventually(lambda: sorted(shop.heard("RET-FLOW-2")), sorted(LIFE))
    heard = [each for each in shop.deliveries("RET-FLOW-2") if each["accepted"]]
    assert {each["verification"] for each in heard} == {"valid"}
    assert [each["sequence"] for each in heard] == [2, 3, 4, 5, 6, 7]
    assert shop.violations() == []

    found = shop.get("RET-FLOW-2").json()
    assert (found["status"], found["returnAwb"]) == ("DELIVERED", booked.json()["returnAwb"])
    assert [event["sequence"] for event in found["timeline"]] == [1, 2, 3, 4, 5, 6, 7]
    assert shop.told("RET-FLOW-2") == shop.heard("RET-FLOW-2")
    eventually(lambda: shop.cursor("RET-FLOW-2")["acknowledged"], 7)
    assert shop.parcels("RET-FLOW-2") == 1


def test_scans_one_by_one_are_told_in_the_order_of_the_parcels_life(shop: Shop) -> None:
    awb = shop.books("RET-STEPS")
    for count in range(1, len(LIFE)):
        eventually(lambda: shop.heard("RET-STEPS"), LIFE[:count])
        shop.parcel_travels(awb, steps=1)
    eventually(lambda: shop.heard("RET-STEPS"), LIFE)


def test_the_same_order_again_gets_the_same_answer_and_another_is_a_conflict(shop: Shop) -> None:
    body = shop.a_body("RET-AGAIN")
    first = shop.call("POST", "/return/create", body)
    again = shop.call("POST", "/return/create", body)
    other = shop.call("POST", "/return/create", body | {"returnReason": "Another reason"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert code_of(other) == (409, "CONFLICT")
    assert shop.parcels("RET-AGAIN") == 1


def test_four_copies_of_one_call_at_once_book_one_parcel(shop: Shop) -> None:
    body = shop.a_body("RET-AT-ONCE")
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: shop.call("POST", "/return/create", body), range(4)))

    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["returnAwb"] for answer in answers if answer.status_code == 200}) == 1
    assert shop.parcels("RET-AT-ONCE") == 1


def test_another_clients_return_answers_exactly_as_one_that_does_not_exist(shop: Shop, stranger: Shop) -> None:
    awb = shop.books("RET-PRIVATE")

    there, nowhere = stranger.get("RET-PRIVATE"), stranger.get(ABSENT)
    assert code_of(there) == code_of(nowhere) == (404, "NOT_FOUND")
    assert there.text == nowhere.text
    assert stranger.replays("RET-PRIVATE").text == stranger.replays(ABSENT).text
    for question in ({"awbNumber": awb}, {"returnOrderCode": "RET-PRIVATE"}):
        answer = stranger.call("POST", "/return/get/awb", question)
        assert (answer.status_code, answer.json()) == (200, {"returnOrderDetailsList": []})
    # The code is free for the stranger's own use.
    assert stranger.asks_to_book("RET-PRIVATE").status_code == 200


def test_a_return_that_the_channel_booked_is_taken_with_an_empty_answer_and_followed(shop: Shop) -> None:
    body = a_channel_booked_body(returnOrderCode="RET-CHANNEL", awbNumber="4400112201")
    taken, again = shop.tells_of(body), shop.tells_of(body)
    assert [(answer.status_code, answer.content) for answer in (taken, again)] == [(200, b""), (200, b"")]
    assert code_of(shop.tells_of(body | {"transporter": "Slowship"})) == (409, "CONFLICT")

    shop.clickpost.control.post("shipments", {"awb": "4400112201", "courier": 25, "is_return": True})
    shop.parcel_travels("4400112201", steps=2)

    eventually(lambda: sorted(shop.heard("RET-CHANNEL")), ["OUT_FOR_PICKUP", "RETURN_ORDER_PLACED", "RETURN_PICKED_UP"])
    assert shop.status("RET-CHANNEL") == "RETURN_PICKED_UP"


def test_return_orders_books_too_when_the_channel_has_not(shop: Shop) -> None:
    answer = shop.tells_of(a_return_order_body(returnOrderCode="RET-ORDERS"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["orderNumber"] == "RET-ORDERS"
    eventually(lambda: shop.heard("RET-ORDERS"), ["AWB_GENERATED"])


def test_a_return_is_found_by_its_awb(shop: Shop) -> None:
    awb = shop.books("RET-BY-AWB")
    for question in ({"awbNumber": awb}, {"returnOrderCode": "RET-BY-AWB"}):
        [found] = shop.found("/return/get/awb", question)["returnOrderDetailsList"]
        assert (found["returnOrderCode"], found["trackingCode"]) == ("RET-BY-AWB", awb)


def test_a_refusal_tells_the_aggregators_words_and_can_be_corrected_under_the_same_code(shop: Shop) -> None:
    body = shop.a_body("RET-REFUSED")
    far = body | {"pickupAddress": body["pickupAddress"] | {"zip": "990001"}}
    refused = shop.call("POST", "/return/create", far)
    assert code_of(refused) == (400, "AWB_REFUSED")
    assert "pincode" in refused.json()["description"].lower(), refused.text

    corrected = shop.call("POST", "/return/create", body)
    assert corrected.status_code == 200, corrected.text
    assert shop.parcels("RET-REFUSED") == 1


def test_returns_are_listed_newest_first_page_by_page(installation: Installation) -> None:
    shop = installation.new_shop("lister")
    bodies = [a_channel_booked_body(returnOrderCode=f"RET-L{n:02}", awbNumber=f"70{n:02}") for n in range(60)]
    with ThreadPoolExecutor(2) as callers:
        assert {answer.status_code for answer in callers.map(shop.tells_of, bodies)} == {200}

    listed, page, pages = [], "", 0
    while page is not None:
        answer = shop.found(f"/return/return-orders?page={page}")
        listed += answer["returnOrders"]
        page, pages = answer["nextPage"], pages + 1

    assert pages == 2
    assert sorted(each["returnOrderCode"] for each in listed) == [body["returnOrderCode"] for body in bodies]
    created = [each["createdAt"] for each in listed]
    assert created == sorted(created, reverse=True)


def test_a_return_placed_at_clickpost_becomes_a_return_here_and_its_scans_follow(shop: Shop) -> None:
    placed = {
        "return_reference_number": "RE-FLOW-1",
        "forward_order_id": "SO-8120",
        "forward_awb": "99180012",
        "items": [{"sku": "STOLE-RUST", "quantity": 2, "return_reason": "Too thin"}],
        "approval": "manual",
    }
    shop.clickpost.control.post("returns", placed)
    eventually(lambda: shop.heard("RE-FLOW-1"), ["RETURN_ORDER_PLACED"])
    assert shop.get("RE-FLOW-1").json()["returnAwb"] is None

    shop.clickpost.control.post("returns/RE-FLOW-1/approve")
    awb = soon(lambda: shop.get("RE-FLOW-1").json()["returnAwb"])
    soon(lambda: "AWB_GENERATED" in shop.heard("RE-FLOW-1"))
    shop.parcel_travels(awb, life="second_attempt")

    soon(lambda: "DELIVERED" in shop.heard("RE-FLOW-1"))
    eventually(lambda: shop.heard("RE-FLOW-1"), shop.told("RE-FLOW-1"))
    assert len(shop.get("RE-FLOW-1").json()["orderItems"]) == 2
    assert shop.violations() == []


def test_scans_of_an_awb_that_nobody_knows_yet_wait_for_its_return(shop: Shop, installation: Installation) -> None:
    shop.clickpost.control.post("shipments", {"awb": "4400112299", "courier": 25, "is_return": True})
    shop.parcel_travels("4400112299", steps=3)
    eventually(lambda: shop.clickpost.control.get("state")["webhooks_waiting"], 0)
    soon(installation.is_idle)  # all three are parked
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    body = a_channel_booked_body(returnOrderCode="RET-LATE", awbNumber="4400112299", returnOrderTime=two_days_ago)
    assert shop.tells_of(body).status_code == 200

    eventually(
        lambda: shop.heard("RET-LATE"), ["RETURN_ORDER_PLACED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT"]
    )
    assert shop.status("RET-LATE") == "IN_TRANSIT"
