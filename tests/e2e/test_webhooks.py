"""What Clickpost posts: who may, what is taken, and what many at once make of a return."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.builders import a_channel_booked_body
from tests.e2e.installation import ANSWER_SECONDS, NOTIFY, Installation, Shop, a_scan, code_of, eventually, soon

pytestmark = pytest.mark.e2e

SENDERS = 16
EVENTS = 100
LIMIT = 256 * 1024


def a_known_parcel(shop: Shop, code: str, awb: str) -> datetime:
    """A return that the channel booked three days ago; answers when."""
    began = datetime.now(UTC) - timedelta(days=3)
    body = a_channel_booked_body(returnOrderCode=code, awbNumber=awb, returnOrderTime=began.isoformat())
    assert shop.tells_of(body).status_code == 200
    return began


def is_taken(shop: Shop, raw: bytes) -> bool:
    """Post a webhook as Clickpost does: again and again, until it is answered with 200."""
    for _ in range(10):
        try:
            if shop.notifies(raw).status_code == 200:
                return True
        except requests.ConnectionError:
            continue
    return False


@pytest.mark.parametrize("header", ["webhook_key", "webhook-key", "Authorization"])
def test_the_key_opens_in_either_header(header: str, shop: Shop) -> None:
    began = a_known_parcel(shop, f"RET-KEY-{header}", f"55001-{header}")
    raw = a_scan(f"55001-{header}", 25, began + timedelta(hours=1))

    assert shop.notifies(raw, **{header: shop.client.webhook_key}).status_code == 200
    eventually(lambda: shop.status(f"RET-KEY-{header}"), "OUT_FOR_PICKUP")


def test_without_the_right_key_nothing_is_taken_whatever_is_wrong_with_it(shop: Shop) -> None:
    began = a_known_parcel(shop, "RET-NO-KEY", "5500200")
    raw = a_scan("5500200", 25, began + timedelta(hours=1))
    wrong = [
        {"x-nothing": "at all"},
        {"webhook_key": ""},
        {"webhook_key": "a-key-that-nobody-was-ever-given"},
        {"webhook_key": shop.client.webhook_key[:-1]},
        {"webhook_key": shop.client.webhook_key + " and more"},
        {"Authorization": f"Bearer {shop.client.webhook_key}"},
        {"Authorization": "Basic c2hvcDpzaG9w"},
        {"X-Api-Key": shop.client.webhook_key},
    ]
    answers = [shop.notifies(raw, **headers) for headers in wrong]

    assert {code_of(answer) for answer in answers} == {(401, "UNAUTHORIZED")}
    assert len({answer.text for answer in answers}) == 1
    assert shop.status("RET-NO-KEY") == "RETURN_ORDER_PLACED"


def test_another_clients_key_says_nothing_of_this_clients_parcels(shop: Shop, stranger: Shop) -> None:
    began = a_known_parcel(shop, "RET-FOREIGN-KEY", "5500300")
    raw = a_scan("5500300", 8, began + timedelta(hours=1))

    assert stranger.notifies(raw).status_code == 200
    assert shop.notifies(a_scan("5500300", 25, began + timedelta(hours=2))).status_code == 200

    eventually(lambda: shop.status("RET-FOREIGN-KEY"), "OUT_FOR_PICKUP")
    assert len(shop.timeline("RET-FOREIGN-KEY")) == 2


def test_a_webhook_of_256_kb_is_taken_and_one_byte_more_is_not(shop: Shop) -> None:
    began = a_known_parcel(shop, "RET-LARGE", "5500400")
    raw = a_scan("5500400", 25, began + timedelta(hours=1), filler="")
    raw = raw.replace(b'"filler": ""', b'"filler": "' + b"x" * (LIMIT - len(raw)) + b'"')
    assert len(raw) == LIMIT

    assert code_of(shop.notifies(raw + b" ")) == (413, "TOO_LARGE")
    assert shop.notifies(raw).status_code == 200
    eventually(lambda: shop.status("RET-LARGE"), "OUT_FOR_PICKUP")


def test_a_webhook_of_256_kb_about_an_unknown_awb_waits_for_its_return(shop: Shop) -> None:
    at = datetime.now(UTC) - timedelta(days=1)
    raw = a_scan("5500450", 25, at, filler="")
    raw = raw.replace(b'"filler": ""', b'"filler": "' + b"x" * (LIMIT - len(raw)) + b'"')

    assert shop.notifies(raw).status_code == 200
    a_known_parcel(shop, "RET-LARGE-LATE", "5500450")
    eventually(lambda: shop.status("RET-LARGE-LATE"), "OUT_FOR_PICKUP")


def test_only_posts_are_webhooks(shop: Shop) -> None:
    url = f"{shop.stack.api_url}{NOTIFY}"
    answer = requests.get(url, headers={"webhook_key": shop.client.webhook_key}, timeout=ANSWER_SECONDS)
    assert code_of(answer)[0] in {403, 404, 405}


def test_a_late_scan_is_told_but_never_moves_the_state_back(shop: Shop) -> None:
    began = a_known_parcel(shop, "RET-LATE-SCAN", "5500500")
    assert shop.notifies(a_scan("5500500", 8, began + timedelta(hours=9))).status_code == 200
    eventually(lambda: shop.status("RET-LATE-SCAN"), "DELIVERED")

    assert shop.notifies(a_scan("5500500", 5, began + timedelta(hours=5))).status_code == 200
    eventually(lambda: shop.heard("RET-LATE-SCAN"), ["RETURN_ORDER_PLACED", "DELIVERED", "IN_TRANSIT"])
    assert shop.status("RET-LATE-SCAN") == "DELIVERED"


def test_a_code_that_nobody_knows_is_kept_and_told_as_other(shop: Shop) -> None:
    began = a_known_parcel(shop, "RET-UNKNOWN", "5500600")
    assert shop.notifies(a_scan("5500600", 987, began + timedelta(hours=1))).status_code == 200

    eventually(lambda: shop.heard("RET-UNKNOWN"), ["RETURN_ORDER_PLACED", "OTHER"])
    assert shop.timeline("RET-UNKNOWN")[-1]["facts"]["raw_code"] == "987"
    assert shop.status("RET-UNKNOWN") == "RETURN_ORDER_PLACED"


def test_duplicates_and_shuffles_end_in_the_true_state_with_every_event_once(shop: Shop) -> None:
    awb = shop.books("RET-SHUFFLED")
    shop.clickpost.control.post("faults", {"operation": "webhook", "then": "shuffle", "size": 5, "times": 5})
    shop.parcel_travels(awb)
    eventually(lambda: len(shop.told("RET-SHUFFLED")), 6)
    shop.clickpost.control.post("faults", {"operation": "webhook", "then": "duplicate", "copies": 3, "times": 3})
    for code in (19, 20, 18):
        shop.clickpost.control.post(f"shipments/{awb}/scan", {"code": code})

    eventually(lambda: shop.clickpost.control.get("state")["webhooks_waiting"], 0)
    eventually(lambda: len(shop.told("RET-SHUFFLED")), 9)
    eventually(lambda: shop.heard("RET-SHUFFLED"), shop.told("RET-SHUFFLED"))
    assert shop.status("RET-SHUFFLED") == "DELIVERED"
    assert shop.violations() == []


def test_a_lost_webhook_heals_by_itself_and_is_no_news_if_it_comes_after_all(
    shop: Shop, installation: Installation
) -> None:
    awb = shop.books("RET-UNHEARD")
    settings = shop.clickpost.control
    settings.post("settings", {"webhook_url": ""})
    shop.parcel_travels(awb, steps=2)

    done = soon(lambda: None if (watched := installation.watch(shop))["busy"] else watched)
    told = ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP"]
    assert done["found"] >= 2
    eventually(lambda: shop.heard("RET-UNHEARD"), told)

    settings.post("settings", {"webhook_url": f"{shop.stack.api_url}{NOTIFY}"})
    shop.parcel_travels(awb, steps=1)
    eventually(lambda: settings.get("state")["webhooks_waiting"], 0)
    eventually(lambda: shop.heard("RET-UNHEARD"), [*told, "IN_TRANSIT"])
    assert shop.told("RET-UNHEARD") == [*told, "IN_TRANSIT"]


def test_a_hundred_events_of_one_awb_from_sixteen_senders_become_one_order(shop: Shop) -> None:
    began = a_known_parcel(shop, "RET-HUNDRED", "5500700")
    a_known_parcel(shop, "RET-BESIDE", "55007001")
    codes = [25, 4, *[5] * (EVENTS - 3), 6]
    scans = [a_scan("5500700", code, began + timedelta(minutes=minute)) for minute, code in enumerate(codes, start=1)]
    random.Random(7).shuffle(scans)  # noqa: S311 - an order, no secret

    with ThreadPoolExecutor(SENDERS) as senders:
        taken = list(senders.map(lambda raw: is_taken(shop, raw), scans + scans[:20]))
    assert all(taken)

    eventually(lambda: len(shop.timeline("RET-HUNDRED")), EVENTS + 1, seconds=300)
    timeline = shop.timeline("RET-HUNDRED")
    assert [event["sequence"] for event in timeline] == list(range(1, EVENTS + 2))
    assert len({event["occurredAt"] for event in timeline}) == EVENTS + 1
    assert shop.status("RET-HUNDRED") == "OUT_FOR_DELIVERY"

    eventually(lambda: shop.cursor("RET-HUNDRED")["acknowledged"], EVENTS + 1, seconds=120)
    accepted = [each for each in shop.deliveries("RET-HUNDRED") if each["accepted"] and not each["accepted_before"]]
    assert [each["sequence"] for each in accepted] == list(range(1, EVENTS + 2))
    assert shop.heard("RET-HUNDRED") == shop.told("RET-HUNDRED")
    assert shop.violations() == []

    assert shop.status("RET-BESIDE") == "RETURN_ORDER_PLACED"
    assert len(shop.timeline("RET-BESIDE")) == 1
