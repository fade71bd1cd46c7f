"""A lost webhook heals by itself: parcels that nobody reports on, through the real handlers, adapters and partners."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from rms.clients import administration
from rms.clients.configuration import configuration_of
from rms.journal import Event, EventKind
from rms.journal.keys import shipment_id, shipment_key
from rms.model.notification_type import NotificationType
from rms.model.outcomes import AwbBooked
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.table import NEW, Put
from rms.platform.times import to_text
from rms.shipments.silence import CORRECTIONS, WATCHED_FOR
from rms.shipments.starting import Wanted, create_and_book
from sandbox.faults import Fault, Then
from tests.builders import a_channel_booked_body, a_return_create_body, a_return_order_body, a_shipment
from tests.fakes.calls import Fault as TableFault
from tests.fakes.calls import ProcessKilledError, no_faults
from tests.logs import counted
from tests.partners import KINDS, SANDBOX, onboard
from tests.world import CLICKPOST_HOST, CLIENT, Partner, World, a_clickpost_account

CODE: Final = "RET-70031-1"
WITHOUT_QC: Final[Mapping[str, object]] = {f"orderItems[{place}].enableDoorStepQc": "false" for place in (0, 1)}
DAY: Final = timedelta(days=1)
TRACK_ORDER: Final = f"https://{CLICKPOST_HOST}/api/v2/track-order/"
NAMES: Final = ("CLICKPOST", "SHIPROCKET", "SHIPWAY")

each_aggregator = pytest.mark.parametrize("name", NAMES)


class Parcels:
    """A world with one aggregator, and what its parcels do."""

    def __init__(self, name: str) -> None:
        self.world = World()
        self.name = name
        self.partner: Partner | None = onboard(self.world, name) if name != "CLICKPOST" else None
        if self.partner is None:
            options = a_clickpost_account().options
            forward = {"forward_courier_partner": "4", "forward_account_code": "lotus-forward"}
            administration.put_account(self.world.core, CLIENT, a_clickpost_account(options={**options, **forward}))
            self.world.core.memory.forget(f"configuration:{CLIENT}")

    @property
    def engine(self) -> Any:
        """The aggregator's simulation."""
        return self.partner.engine if self.partner else self.world.clickpost

    def booked(self, code: str = CODE) -> str:
        """A return that RMS has booked; answers its AWB."""
        known = {parcel.awb for parcel in self.engine.parcels()}
        items = {f"orderItems[{place}].itemCode": f"{code}-{place}" for place in (0, 1)}
        skus = {f"orderItems[{place}].channelSkuCode": f"SKU-{code}" for place in (0, 1)}
        body = a_return_order_body(returnOrderCode=code, forwardOrderCode=f"SO-{code}", **items, **skus, **WITHOUT_QC)
        answer = self.world.create_return(body)
        assert answer.status in {200, 202}, answer.text
        self.world.settle()
        [awb] = {parcel.awb for parcel in self.engine.parcels()} - known
        return str(awb)

    def sent(self, code: str = "SH-70031") -> str:
        """A forward parcel that RMS has booked; answers its AWB."""
        core, now = self.world.core, self.world.clock()
        configuration = configuration_of(core, CLIENT)
        order = a_shipment(shipment_code=code)
        wanted = Wanted(shipment_id(CLIENT, code), order, [configuration.accounts[self.account]])
        status = {"state": NotificationType.READY_TO_SHIP.value, "created_at": to_text(now)}
        booked = create_and_book(core, configuration, wanted, Event("PLACED", EventKind.PLACED, now, now), status)
        assert isinstance(booked, AwbBooked), booked
        self.world.settle()
        return booked.awb

    @property
    def account(self) -> str:
        """The alias of its account."""
        return KINDS[self.name].account.alias if self.partner else "main"

    def moves_unheard(self, awb: str, steps: int = 1) -> None:
        """The parcel is scanned, an hour apart, and its webhooks are lost."""
        for _ in range(steps):
            self.world.clock.advance(hours=1)
            self.engine.advance(awb)
            self.world.clock.advance(seconds=30)
            assert self.world.lose_webhooks() == 1

    def moves(self, awb: str, steps: int = 1) -> None:
        """The parcel is scanned, an hour apart, and its webhooks come."""
        for _ in range(steps):
            self.world.clock.advance(hours=1)
            self.engine.advance(awb)
            self.world.settle()

    def asked(self) -> list[Any]:
        """The calls to tracking so far."""
        return [
            each for each in self.engine.requests() if each["operation"] in {"track-order", "track-awbs", "tracking"}
        ]

    def row(self, awb: str) -> Mapping[str, Any]:
        """The row of an AWB."""
        row = self.world.core.table.get(shipment_key(CLIENT, awb))
        assert row is not None
        return row

    def names(self, code: str = CODE) -> list[str]:
        """The notification types in a return's journal."""
        return [str(event["notification"]) for event in self.world.journal(code) if "notification" in event]

    def names_of_parcel(self, code: str = "SH-70031") -> list[NotificationType | None]:
        """The notification types in a forward parcel's journal."""
        history = self.world.core.journal.history(shipment_id(CLIENT, code))
        return [each.event.notification for each in history if each.event.kind is EventKind.TRACKED]

    def fall_silent(self, name: str = "days", number: float = 1) -> dict[str, Any]:
        """Nothing is heard for a while; then RMS looks for what is silent."""
        self.world.clock.advance(**{name: number})
        return self.world.watch()


# ── it heals ────────────────────────────────────────────────────────────────────────


@each_aggregator
def test_a_scan_whose_webhook_is_lost_is_found_recorded_and_told_after_a_day(name: str) -> None:
    parcels = Parcels(name)
    awb = parcels.booked()
    parcels.moves(awb)
    known = parcels.names()
    parcels.moves_unheard(awb)
    parcels.world.clock.advance(hours=22)

    before = parcels.world.watch()
    parcels.world.clock.advance(hours=3)
    after = parcels.world.watch()
    parcels.world.settle()

    assert (before["asked"], after["asked"], after["found"]) == (0, 1, 1)
    assert parcels.names()[: len(known)] == known
    assert len(parcels.names()) == len(known) + 1
    assert parcels.world.journal(CODE)[-1]["facts"]["found_by"] == "tracking"
    assert parcels.world.heard(CODE) == parcels.names()
    assert parcels.world.read_return(CODE).body["status"] == parcels.names()[-1]
    assert parcels.world.receiver.violations() == []


@each_aggregator
def test_a_forward_parcels_lost_scans_are_found_too(name: str) -> None:
    parcels = Parcels(name)
    awb = parcels.sent()
    parcels.moves_unheard(awb, steps=3)

    done = parcels.fall_silent()

    parcels.world.settle()
    shown = parcels.world.core.journal.status(shipment_id(CLIENT, "SH-70031"))
    assert shown is not None
    assert done["found"] == len(parcels.names_of_parcel())
    assert done["found"] >= 2
    assert shown["state"] == parcels.names_of_parcel()[-1]
    assert "OTHER" not in parcels.names_of_parcel()
    assert parcels.world.heard("SH-70031")[-done["found"] :] == parcels.names_of_parcel()


@each_aggregator
def test_a_whole_life_of_which_only_every_other_webhook_came_is_told_once_each(name: str) -> None:
    heard, half = Parcels(name), Parcels(name)
    awb = heard.booked()
    for _ in range(8):
        heard.moves(awb)
    awb = half.booked()
    for step in range(8):
        if half.engine.parcel(awb) and step % 2:
            half.moves(awb)
        elif _has_more(half, awb):
            half.moves_unheard(awb)

    done = half.fall_silent("days", 6)
    half.world.settle()

    assert done["found"] > 0
    assert sorted(half.names()) == sorted(heard.names())
    assert half.world.read_return(CODE).body["status"] == "DELIVERED"


@each_aggregator
def test_what_webhooks_told_is_not_recorded_again(name: str) -> None:
    parcels = Parcels(name)
    awb = parcels.booked()
    parcels.moves(awb, steps=3)
    before = parcels.world.journal(CODE)

    done = parcels.fall_silent()

    assert (done["asked"], done["found"]) == (1, 0)
    assert parcels.world.journal(CODE) == before


@each_aggregator
def test_a_webhook_that_comes_after_all_is_no_news(name: str) -> None:
    parcels = Parcels(name)
    awb = parcels.booked()
    parcels.world.clock.advance(hours=1)
    parcels.engine.advance(awb)
    late = _held_back(parcels)
    assert parcels.fall_silent("days", 2)["found"] == 1
    status = parcels.world.read_return(CODE).body["status"]

    for body in late:
        assert _post(parcels, body) == 200
    parcels.world.work_all()

    assert parcels.world.read_return(CODE).body["status"] == status
    assert parcels.names().count(status) == 1


def _has_more(parcels: Parcels, awb: str) -> bool:
    parcel = parcels.engine.parcel(awb)
    return bool(not parcel.life or parcel.steps) if parcels.partner else parcel.next_step() is not None


def _held_back(parcels: Parcels) -> list[bytes]:
    bodies = []
    while (webhook := parcels.engine.claim_webhook()) is not None:
        bodies.append(webhook.body)
        parcels.engine.webhook_answered(webhook, 200)
    return bodies


def _post(parcels: Parcels, body: bytes) -> int:
    return parcels.world.notify(parcels.partner, body) if parcels.partner else parcels.world.webhook(body)


# ── how often it is asked ───────────────────────────────────────────────────────────


def test_a_parcel_that_is_reported_on_is_never_asked_for_and_costs_a_write_a_day() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()
    for _ in range(4):
        parcels.world.clock.advance(hours=20)
        parcels.moves(awb)
        parcels.world.watch()

    assert parcels.asked() == []
    assert parcels.row(awb)["due_at"] > to_text(parcels.world.clock())


def test_the_pauses_grow_while_nothing_is_found_and_begin_anew_with_news() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()
    start = parcels.world.clock()

    days = _days_of_asking(parcels, until=start + 12 * DAY)
    parcels.moves(awb)
    heard = parcels.world.clock()
    again = _days_of_asking(parcels, until=heard + 5 * DAY)

    assert days == [1, 2, 4, 7, 10]
    # Due three days after the last look; from there on it is as if it had never been silent.
    assert again == [1, 2, 4]


def _days_of_asking(parcels: Parcels, *, until: Any) -> list[int]:
    start, asked = parcels.world.clock(), []
    while parcels.world.clock() < until:
        parcels.world.clock.advance(minutes=15)
        before = len(parcels.asked())
        parcels.world.watch()
        if len(parcels.asked()) > before:
            asked.append(round((parcels.world.clock() - start) / DAY))
    return asked


def test_a_parcel_that_is_back_is_asked_for_once_more_and_then_left_alone() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()
    parcels.moves(awb, steps=5)
    assert parcels.names()[-1] == "DELIVERED"

    asked = _days_of_asking(parcels, until=parcels.world.clock() + 10 * DAY)

    assert asked == [CORRECTIONS.days]
    assert "due_at" not in parcels.row(awb)
    assert parcels.world.next_silent() is None


def test_a_carrier_that_corrects_itself_after_the_end_is_heard() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.sent()
    parcels.moves(awb, steps=5)
    assert parcels.names_of_parcel()[-1] == "DELIVERED"
    parcels.engine.scan(awb, 12)
    parcels.world.clock.advance(minutes=1)
    assert parcels.world.lose_webhooks() == 1

    parcels.fall_silent("days", CORRECTIONS.days)
    parcels.fall_silent("days", CORRECTIONS.days)

    assert parcels.names_of_parcel()[-1] == "RTO"
    assert parcels.row(awb)["due_shard"].startswith("silent#")  # a parcel that turns back has not ended


def test_nobody_asks_for_a_parcel_for_ever() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()

    for _ in range(40):
        parcels.fall_silent("days", 2)

    assert "due_at" not in parcels.row(awb)
    assert 10 < len(parcels.asked()) < WATCHED_FOR / (3 * DAY) + 3


@pytest.mark.parametrize(("hours", "asked"), [(1, 0), (3, 1)])
def test_how_long_a_silence_may_last_is_set(hours: int, asked: int) -> None:
    parcels = Parcels("SHIPWAY")
    parcels.world.core = replace(parcels.world.core, silence=timedelta(hours=2))
    parcels.booked()

    assert parcels.fall_silent("hours", hours)["asked"] == asked


# ── an operator's wish ──────────────────────────────────────────────────────────────


def test_an_operator_has_everything_asked_for_after_an_outage_of_webhooks() -> None:
    parcels = Parcels("SHIPROCKET")
    quiet, lively = parcels.booked("RET-1"), parcels.booked("RET-2")
    parcels.moves_unheard(quiet)
    parcels.moves(lively)

    done = parcels.world.watch(silentForHours=0.5)

    assert (done["asked"], done["found"], done["left"]) == (1, 1, 0)
    assert "OUT_FOR_PICKUP" in parcels.names("RET-1")
    assert parcels.world.watch(silentForHours=0)["asked"] == 2


def test_an_operator_may_name_one_client() -> None:
    parcels = Parcels("CLICKPOST")
    parcels.booked()

    assert parcels.world.watch(silentForHours=0, client="fern")["due"] == 0
    assert parcels.world.watch(silentForHours=0, client=CLIENT)["asked"] == 1


@pytest.mark.parametrize("wish", [{"silentForHours": -1}, {"silentForHours": "2"}, {"silentForHours": True}])
def test_a_wish_that_is_none_is_refused(wish: Mapping[str, Any]) -> None:
    with pytest.raises(BadDataError, match="silentForHours: must be a number of hours"):
        World().watch(**wish)


# ── who is asked ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "calls"), [("CLICKPOST", 3), ("SHIPROCKET", 1), ("SHIPWAY", 1)])
def test_many_parcels_share_a_call_as_far_as_the_aggregator_allows(name: str, calls: int) -> None:
    parcels = Parcels(name)
    awbs = [parcels.booked(f"RET-{number}") for number in range(11)]
    for awb in awbs:
        parcels.engine.advance(awb)
    parcels.world.clock.advance(hours=1)
    assert parcels.world.lose_webhooks() == 11

    done = parcels.fall_silent()

    assert (done["asked"], done["found"], done["left"]) == (11, 11, 0)
    assert len(parcels.asked()) == calls


def test_no_account_is_asked_more_than_five_times_a_second() -> None:
    parcels = Parcels("CLICKPOST")
    for number in range(11):
        parcels.booked(f"RET-{number}")

    parcels.fall_silent()

    first, *others = (datetime.fromisoformat(each["at"]) for each in parcels.asked())
    assert [(at - first).total_seconds() for at in others] == [0.2, 0.4]


def test_one_call_names_one_carrier_and_one_direction() -> None:
    parcels = Parcels("CLICKPOST")
    back, forth = parcels.booked(), parcels.sent()

    parcels.fall_silent()

    assert {(each["query"]["cp_id"], each["query"]["waybill"]) for each in parcels.asked()} == {
        ("25", back),
        ("4", forth),
    }


def test_an_aggregator_that_cannot_be_asked_is_never_watched() -> None:
    world = World()
    onboard(world, SANDBOX)
    assert world.create_return(a_return_order_body(**WITHOUT_QC)).status == 200

    assert world.next_silent() is None


def test_a_return_that_the_channel_booked_is_watched_where_the_carrier_is_known() -> None:
    parcels = Parcels("CLICKPOST")
    parcels.engine.add_parcel({"awb": "9977001122", "courier": 25, "is_return": True})
    parcels.world.create_return(a_channel_booked_body(transporter="delhivery"))
    parcels.world.create_return(a_channel_booked_body(returnOrderCode="RET-2", awbNumber="9977001123"))
    parcels.moves_unheard("9977001122")

    done = parcels.fall_silent()

    assert (done["asked"], done["found"]) == (1, 1)
    assert parcels.names("RET-70044-1") == ["RETURN_ORDER_PLACED", "OUT_FOR_PICKUP"]
    # Quickship is no carrier of this account: a webhook may name it yet.
    assert parcels.row("9977001123")["due_at"] > to_text(parcels.world.clock())


def test_a_webhook_says_which_carrier_has_a_parcel_that_the_channel_booked() -> None:
    parcels = Parcels("CLICKPOST")
    parcels.engine.add_parcel({"awb": "9977001122", "courier": 41, "is_return": True})
    parcels.world.create_return(a_channel_booked_body())
    parcels.moves("9977001122")
    parcels.moves_unheard("9977001122")

    assert parcels.fall_silent("days", 2)["found"] == 1
    assert parcels.asked()[-1]["query"]["cp_id"] == "41"


def test_a_return_announced_by_the_aggregator_is_watched_once_it_has_an_awb() -> None:
    parcels = Parcels("CLICKPOST")
    placed = parcels.engine.place_return({"return_reference_number": "PORTAL-5"})
    parcels.world.settle()
    assert placed.awb is not None
    parcels.moves_unheard(placed.awb)

    assert parcels.fall_silent()["found"] == 1
    assert parcels.names("PORTAL-5")[-1] == "OUT_FOR_PICKUP"


def test_an_awb_under_which_news_waited_is_watched_when_that_is_applied() -> None:
    parcels = Parcels("CLICKPOST")
    parcels.engine.add_parcel({"awb": "9977001122", "courier": 25, "is_return": True})
    parcels.moves("9977001122")
    assert parcels.row("9977001122")["due_shard"] == "unmatched"
    parcels.world.create_return(a_channel_booked_body())
    assert parcels.row("9977001122")["due_shard"].startswith("due#")

    parcels.world.settle()

    assert parcels.row("9977001122")["due_shard"].startswith("silent#")
    parcels.moves_unheard("9977001122")
    assert parcels.fall_silent()["found"] == 1


def test_a_drain_that_comes_late_does_not_bring_a_parcel_back_under_watch() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()
    parcels.moves(awb, steps=5)
    _days_of_asking(parcels, until=parcels.world.clock() + 6 * DAY)
    assert "due_at" not in parcels.row(awb)

    parcels.world.core.queues.send("inbound", [{"task": "drain", "client": CLIENT, "awb": awb}])
    parcels.world.work_all()

    assert "due_at" not in parcels.row(awb)


# ── what goes wrong ─────────────────────────────────────────────────────────────────

TURNED_AWAY: Final = (
    Fault(Then.STATUS, does_the_work=False, status=401),
    Fault(Then.HANGS, does_the_work=False),
    Fault(Then.STATUS, does_the_work=False, status=502),
    Fault(Then.HTML, does_the_work=False),
)


@each_aggregator
@pytest.mark.parametrize("fault", TURNED_AWAY, ids=lambda fault: f"{fault.then} {fault.status}")
def test_an_account_that_cannot_be_asked_costs_one_call_a_run_and_heals_by_itself(name: str, fault: Fault) -> None:
    parcels = Parcels(name)
    awbs = [parcels.booked(f"RET-{number}") for number in range(7)]
    for awb in awbs:
        parcels.engine.advance(awb)
    parcels.world.clock.advance(hours=1)
    parcels.world.lose_webhooks()
    parcels.engine.fail("*", fault, times=1000)

    done = parcels.fall_silent()

    assert (done["failed"], done["found"], done["left"]) == (1, 0, 0)
    assert len(parcels.asked()) <= 2  # a token that is not accepted is renewed once
    assert parcels.world.watch()["due"] == 0
    parcels.engine.clear_faults()
    found = sum(parcels.fall_silent("hours", 1)["found"] for _ in range(3))
    assert found == 7


def test_an_account_that_cannot_be_asked_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    parcels = Parcels("CLICKPOST")
    parcels.booked()
    parcels.engine.fail("track-order", TURNED_AWAY[1])

    parcels.fall_silent()

    assert counted(capsys, "TrackingFailed") == 1


def test_an_account_that_cannot_be_asked_keeps_no_other_waiting() -> None:
    parcels = Parcels("SHIPWAY")
    world = parcels.world
    parcels.booked("RET-1")
    parcels.engine.fail("*", TURNED_AWAY[1], times=1000)
    for number in range(12):
        body = a_return_create_body(logisticAccountAlias="main", **{"orderDetails.orderNumber": f"RET-C{number}"})
        assert world.create_return(body, "/return/create").status == 200
    for parcel in world.clickpost.parcels():
        world.clickpost.advance(parcel.awb)
    world.clock.advance(hours=1)
    world.lose_webhooks()

    done = parcels.fall_silent()

    assert (done["failed"], done["found"], done["asked"]) == (1, 12, 13)


def test_one_parcel_that_spoils_a_call_does_not_take_its_neighbours_along_for_ever() -> None:
    parcels = Parcels("SHIPROCKET")
    awbs = [parcels.booked(f"RET-{number}") for number in range(4)]
    for awb in awbs:
        parcels.engine.advance(awb)
    parcels.world.clock.advance(hours=1)
    parcels.world.lose_webhooks()
    spoilt = awbs[1]
    answer = parcels.world.http
    answer.on("https://shiprocket.test/v1/external/courier/track/awbs", _spoils(parcels, spoilt))

    found = [parcels.fall_silent()["found"], *(parcels.fall_silent("hours", 1)["found"] for _ in range(4))]

    assert sum(found) == 3
    assert "OUT_FOR_PICKUP" not in parcels.names("RET-1")


def _spoils(parcels: Parcels, awb: str) -> Any:
    def send(request: HttpRequest) -> HttpAnswer | NoAnswer:
        if awb.encode() in (request.body or b""):
            return HttpAnswer(500, {}, b"<html>Whoops</html>", 5)
        return parcels.world._hosts.send(request)

    return send


# ── two at once, too little time, our own faults ────────────────────────────────────


def test_while_one_run_is_at_it_another_does_nothing() -> None:
    parcels = Parcels("CLICKPOST")
    parcels.booked()
    second: list[dict[str, Any]] = []

    def meanwhile(request: HttpRequest) -> HttpAnswer | NoAnswer:
        second.append(parcels.world.watch())
        return parcels.world._hosts.send(request)

    parcels.world.http.on(TRACK_ORDER, meanwhile)

    assert parcels.fall_silent()["asked"] == 1
    assert [(each["busy"], each["asked"]) for each in second] == [(True, 0)]
    assert len(parcels.asked()) == 1


def test_a_run_that_died_keeps_the_next_one_from_nothing() -> None:
    parcels = Parcels("CLICKPOST")
    awb = parcels.booked()
    parcels.moves_unheard(awb)
    world = parcels.world
    world.clock.advance(days=1)
    world.calls.plan = lambda call: TableFault.KILLED_AFTER if call.port == "http" else None
    with pytest.raises(ProcessKilledError):
        world.watch()
    world.calls.plan = no_faults

    at_once = world.watch()
    world.clock.advance(minutes=15)

    assert at_once["busy"]
    assert world.watch()["found"] == 1


def test_clients_take_turns_and_what_no_time_is_left_for_is_due_still() -> None:
    """Each call takes 18 seconds here: twenty for lotus are more than a run may make, and fern wants one."""
    world = World()
    administration.create_client(world.core, "fern", "Fern and Sons")
    key = {"webhook_key": "key-of-fern-at-clickpost"}
    administration.put_account(world.core, "fern", a_clickpost_account(**key))
    for number in range(105):
        body = a_return_order_body(returnOrderCode=f"RET-{number}")
        assert world.create_return(body, client=CLIENT if number < 100 else "fern").status == 200
    world.clock.advance(days=1)
    asked: list[str] = []

    def slow(request: HttpRequest) -> HttpAnswer | NoAnswer:
        asked.append(request.query["waybill"])
        world.clock.advance(18)
        return world._hosts.send(request)

    world.http.on(TRACK_ORDER, slow)

    done = world.watch()

    fern = {row["PK"] for row in world.table.rows() if str(row["PK"]).startswith("C#fern#A#")}
    place = next(place for place, awbs in enumerate(asked) if f"C#fern#A#{awbs.split(',')[0]}" in fern)
    assert place <= 1
    assert done["due"] == 105
    assert (done["asked"], done["left"]) == (5 * len(asked), 105 - 5 * len(asked))
    assert 12 <= len(asked) <= 13
    assert world.watch()["due"] == done["left"]


def test_a_fault_of_ours_with_one_client_stops_no_other_and_is_seen() -> None:
    parcels = Parcels("CLICKPOST")
    world = parcels.world
    awb = parcels.booked()
    parcels.moves_unheard(awb)
    world.core.table.write(
        Put(
            shipment_key("gone", "1"), {"code": "RET-1", "watched_since": "2026-03-02T06:30:00.000Z", **_due_now()}, NEW
        )
    )

    with pytest.raises(NotFoundError):
        parcels.fall_silent()

    assert parcels.names()[-1] == "OUT_FOR_PICKUP"


def _due_now() -> Mapping[str, str]:
    return {"due_shard": "silent#0", "due_at": "2026-03-02T06:30:00.000Z"}


NOBODYS: Final = ({"watched_since": "2026-03-02T06:30:00.000Z"}, {"code": "RET-NOBODY"})


@pytest.mark.parametrize("row", NOBODYS, ids=str)
def test_a_row_that_is_nobodys_parcel_is_passed_over(row: Mapping[str, str]) -> None:
    world = World()
    world.core.table.write(Put(shipment_key(CLIENT, "1"), {**row, **_due_now()}, NEW))

    assert world.watch() == {"due": 1, "asked": 0, "found": 0, "failed": 0, "left": 0, "busy": False}
