"""What nothing proves: which news tracking is asked about, how often, and what happens when it says nothing."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import pytest

from rms.clients import administration
from rms.returns import create_announced_return
from rms.shipments import Webhook, record_shipment_events
from rms.shipments.confirming import ENOUGH_TIME, UnconfirmedUpdateError
from sandbox.partner import Parcel
from tests.builders import a_channel_booked_body
from tests.partners import KINDS, onboard
from tests.world import CLIENT, Partner, World

CODES: Final = ("RET-1", "RET-2", "RET-3")


@pytest.fixture
def world() -> World:
    """Three returns that the channel has booked with Shipway's parcels, told of and half a day old."""
    world = World()
    shipway = onboard(world, "SHIPWAY").engine
    for place, code in enumerate(CODES):
        awb = awb_of(place)
        shipway.add_parcel(
            Parcel(
                awb=awb,
                reference=code,
                forward_order=f"SO-{place}",
                is_return=True,
                courier="Carrier 3400",
                booked_at=world.clock(),
                about={"number": place},
            )
        )
        assert world.create_return(a_channel_booked_body(returnOrderCode=code, awbNumber=awb)).status == 200
    world.work_all()
    world.clock.advance(hours=12)
    return world


def awb_of(place: int) -> str:
    return f"6600001234{place}"


def shipway(world: World) -> Partner:
    return world.others[0]


def a_webhook(world: World, body: object) -> Webhook:
    return Webhook(CLIENT, "SHIPWAY", "a-sw", json.dumps(body).encode(), world.clock())


def a_feed(places: Sequence[int], status: str) -> object:
    proof = hashlib.md5(b"sandbox@shipway.example:sandbox-licence-key", usedforsecurity=False).hexdigest()
    return {"hash": proof, "status_feed": [news(place, status) for place in places]}


def news(place: int, status: str) -> dict[str, str]:
    return {"awbno": awb_of(place), "reverse_tracking_number": awb_of(place), "current_status": status}


def record(world: World, body: object) -> None:
    record_shipment_events(world.core, a_webhook(world, body), create_announced_return)


def questions(world: World) -> list[str]:
    """The AWBs of each call to tracking."""
    asked = shipway(world).engine.requests()
    return [request["query"]["awb_numbers"] for request in asked if request["operation"] == "tracking"]


@pytest.mark.parametrize("status", ["RDEL", "DEL", "RPKP", "RCAN", "CAN", "PCAN"])
def test_what_a_client_acts_on_is_asked_about(world: World, status: str) -> None:
    with pytest.raises(UnconfirmedUpdateError):
        record(world, news(0, status))

    assert questions(world) == [awb_of(0)]
    assert len(world.journal(CODES[0])) == 1


@pytest.mark.parametrize("status", ["RSCH", "ROOP", "RINT", "RPF", "ONH"])
def test_other_news_is_taken_at_its_word(world: World, status: str) -> None:
    record(world, news(0, status))

    assert questions(world) == []
    assert len(world.journal(CODES[0])) == 2


def test_all_parcels_of_a_feed_are_asked_about_in_one_call(world: World) -> None:
    for place in range(3):
        shipway(world).engine.scan(awb_of(place), "RPKP")

    record(world, a_feed(range(3), "RPKP"))

    assert questions(world) == [",".join(awb_of(place) for place in range(3))]
    assert [world.journal(code)[-1]["notification"] for code in CODES] == ["RETURN_PICKED_UP"] * 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_confirmed_in_a_feed_is_kept_and_known_when_the_feed_comes_again(
    world: World, order: Sequence[int]
) -> None:
    shipway(world).engine.scan(awb_of(0), "RPKP")
    feed = a_feed(order, "RPKP")
    with pytest.raises(UnconfirmedUpdateError):
        record(world, feed)
    assert [len(world.journal(code)) for code in CODES] == [2, 1, 1]
    shipway(world).engine.scan(awb_of(1), "RPKP")

    record(world, feed)

    assert [len(world.journal(code)) for code in CODES] == [2, 2, 1]


def test_a_parcel_of_nobody_is_not_asked_about_as_long_as_its_news_is_parked(world: World) -> None:
    record(world, news(7, "RDEL"))

    assert questions(world) == []


def test_news_under_an_account_that_is_gone_is_not_believed(world: World) -> None:
    webhook = Webhook(CLIENT, "SHIPWAY", "gone", json.dumps(news(0, "RDEL")).encode(), world.clock())

    with pytest.raises(UnconfirmedUpdateError, match="no longer"):
        record_shipment_events(world.core, webhook, create_announced_return)


def test_tracking_gets_no_more_time_than_the_batch_can_spare(world: World) -> None:
    with pytest.raises(UnconfirmedUpdateError):
        record(world, news(0, "RDEL"))

    [asked] = world.http.sent_to("https://shipway.test/api/tracking")
    assert asked.total_seconds == ENOUGH_TIME.total_seconds()


def test_wrong_credentials_for_tracking_are_no_confirmation(world: World) -> None:
    account = KINDS["SHIPWAY"].account
    shipway(world).engine.scan(awb_of(0), "RDEL")
    shipway(world).engine.change({"licence_key": "changed-in-the-panel"})

    with pytest.raises(UnconfirmedUpdateError, match="could not be asked"):
        record(world, news(0, "RDEL"))

    shipway(world).engine.change({"licence_key": account.secrets["licence_key"]})
    administration.put_account(world.core, CLIENT, account)
    record(world, news(0, "RDEL"))
    assert world.journal(CODES[0])[-1]["notification"] == "DELIVERED"
