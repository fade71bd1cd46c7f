"""Flow 7, steps 7 and 8, by Returns Prime's own API: what QC found is told by a look and a call."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from rms.clients import returns_prime
from rms.journal.keys import return_id
from rms.platform.http import HttpRequest
from rms.returns import settle_write_back
from rms.returns.writing_back import PAUSES
from sandbox.faults import Fault, Then
from sandbox.returns_prime import ReturnsPrimeEngine
from tests.apps import PRIME_KEY, PRIME_OPTIONS, checked_body, connect_returns_prime, engine_of
from tests.builders import a_channel_booked_body
from tests.fakes.calls import Call, ProcessKilledError, no_faults
from tests.fakes.calls import Fault as AwsFault
from tests.world import CLIENT, World


@pytest.fixture
def world() -> World:
    return World()


class Shop:
    """A shop whose returns Returns Prime keeps, one of them asked for and on its way."""

    def __init__(self, world: World, options: Mapping[str, str], lines: Sequence[Mapping[str, Any]]) -> None:
        self.world = world
        self.prime: ReturnsPrimeEngine = engine_of(connect_returns_prime(world, options))
        self.request = self.prime.place({"lines": lines})
        self.code = str(self.request["request_number"])
        self.id = str(self.request["id"])

    def ship(self, awb: str = "5270001", lines: Sequence[str] | None = None) -> None:
        self.prime.ship(self.id, awb, lines)
        self.world.settle()

    def checks(self, *failed: str) -> None:
        """The warehouse checks all of it."""
        answer = self.world.process(checked_body(self.code, self.request, *failed))
        assert answer.status == 200, answer.text

    def written(self) -> list[str]:
        """What Returns Prime was told, in order."""
        calls = [(each["operation"], each["body"]) for each in self.prime.written]
        return [body["status"] if operation == "write-status" else "inspected" for operation, body in calls]

    def row(self) -> Mapping[str, Any]:
        return self.world.rows_of(self.code)["WRITEBACK"]

    def kinds(self) -> list[str]:
        return [str(event["kind"]) for event in self.world.journal(self.code)]


type Opens = Callable[..., Shop]


@pytest.fixture
def a_shop(world: World) -> Opens:
    def build(lines: Sequence[Mapping[str, Any]] = ({"sku": "KURTA-M", "id": 71},), **options: str) -> Shop:
        return Shop(world, {"write_back": "both", **options}, lines)

    return build


def test_what_qc_found_is_written_back_once(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks("71_1")
    world.settle()

    assert shop.written() == ["received", "inspected"]
    told = shop.prime.written[1]["body"]
    assert (told["condition"], told["notes"]) == ("FAIL", "71_1: STAIN_DAMAGE")
    assert (shop.row()["state"], "due_at" in shop.row()) == ("TOLD", False)
    events = [event for event in world.journal(shop.code) if event["kind"] == "WRITTEN_BACK"]
    assert [event["facts"] for event in events] == [{"calls": "RECEIVED, INSPECTED"}]


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"write_back": "off"}, []),
        ({"write_back": "status"}, ["received"]),
        ({"write_back": "inspection"}, ["inspected"]),
        ({"write_back": "both"}, ["received", "inspected"]),
        ({"write_back": "both", "rejects_failed": "yes"}, ["received", "inspected", "rejected"]),
    ],
)
def test_a_connection_says_what_is_written(
    world: World, a_shop: Opens, options: dict[str, str], written: list[str]
) -> None:
    shop = a_shop(**options)
    shop.ship()
    shop.checks("71_1")
    world.settle()

    assert shop.written() == written
    assert ("WRITEBACK" in world.rows_of(shop.code)) is bool(written)


def test_a_connection_without_a_word_of_it_writes_nothing(world: World) -> None:
    shop = Shop(world, {}, [{"sku": "KURTA-M", "id": 71}])
    shop.ship()
    shop.checks()
    world.settle()

    assert shop.written() == []
    assert "WRITEBACK" not in world.rows_of(shop.code)


def test_half_of_a_return_is_not_told(world: World, a_shop: Opens) -> None:
    shop = a_shop([{"sku": "KURTA-M", "id": 71, "quantity": 2}])
    shop.ship()
    whole = checked_body(shop.code, shop.request)
    world.process(whole | {"orderItems": whole["orderItems"][:1]})
    world.settle()
    assert (shop.written(), shop.row()["state"]) == ([], "WAITING")

    world.process(whole | {"orderItems": whole["orderItems"][1:]})
    world.settle()
    assert shop.written() == ["received", "inspected"]


def test_a_request_in_two_parcels_is_told_when_both_are_checked(world: World, a_shop: Opens) -> None:
    shop = a_shop([{"sku": "A", "id": 1}, {"sku": "B", "id": 2}])
    shop.ship("5270001", ["1"])
    shop.ship("5270002", ["2"])
    whole = checked_body(shop.code, shop.request, "2_1")
    second = whole | {"returnOrderCode": f"{shop.code}-2", "orderItems": whole["orderItems"][1:]}
    assert world.process(second).status == 200
    world.settle()
    assert (shop.written(), shop.row()["state"]) == ([], "WAITING")

    assert world.process(whole | {"orderItems": whole["orderItems"][:1]}).status == 200
    world.settle()
    assert shop.written() == ["received", "inspected"]
    assert shop.prime.written[1]["body"]["notes"] == "2_1: STAIN_DAMAGE"
    assert "WRITEBACK" not in world.rows_of(f"{shop.code}-2")


def test_a_parcel_that_was_cancelled_is_not_waited_for(world: World, a_shop: Opens) -> None:
    shop = a_shop([{"sku": "A", "id": 1}, {"sku": "B", "id": 2}])
    shop.ship("5270001", ["1"])
    shop.ship("5270002", ["2"])
    assert world.cancel(f"{shop.code}-2").status == 200
    whole = checked_body(shop.code, shop.request)
    world.process(whole | {"orderItems": whole["orderItems"][:1]})
    world.settle()

    assert shop.written() == ["received", "inspected"]


def test_what_was_in_the_parcel_besides_is_not_told(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    body = checked_body(shop.code, shop.request)
    excess = {"returnItemCode": "X-1", "channelSkuCode": "CAP", "qcStatus": "FAIL", "qcReason": "r", "isExcess": True}
    assert world.process(body | {"orderItems": [*body["orderItems"], excess]}).status == 200
    world.settle()

    assert shop.prime.written[1]["body"] == {**shop.prime.written[1]["body"], "condition": "PASS", "notes": "QC passed"}


def test_a_return_of_the_call_alone_is_found_by_its_number(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    body = a_channel_booked_body(
        returnOrderCode=shop.code,
        forwardOrderCode=str(shop.request["order"]["id"]),
        orderItems=[{"itemCode": "71_1", "reason": "r", "channelSkuCode": "KURTA-M"}],
    )
    assert world.create_return(body).status == 200
    shop.checks()
    world.settle()

    assert shop.written() == ["received", "inspected"]


def test_a_return_that_is_not_theirs_is_let_be(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    assert world.create_return(a_channel_booked_body()).status == 200
    shop.code = "RET-70044-1"
    item = {"returnItemCode": "70044-1", "channelSkuCode": "CAP-RED", "qcStatus": "PASS"}
    body = checked_body(shop.code, shop.request) | {"forwardOrderCode": "SO-70044", "orderItems": [item]}
    assert world.process(body).status == 200
    world.settle()

    assert (shop.written(), shop.row()["state"]) == ([], "NOT_THEIRS")


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_what_the_merchant_has_ticked_off_is_not_written_again(world: World, a_shop: Opens, steps: int) -> None:
    shop = a_shop()
    shop.ship()
    for _ in range(steps):
        shop.prime.advance(shop.id)
    shop.checks()
    world.settle()

    assert shop.written() == (["inspected"] if steps == 2 else [])
    assert shop.row()["state"] == "TOLD"


@pytest.mark.parametrize("end", ["rejected", "archived"])
def test_a_request_at_its_end_is_not_opened_again(world: World, a_shop: Opens, end: str) -> None:
    shop = a_shop()
    world.clickpost.add_parcel({"awb": "5270001", "courier": 25, "is_return": True})
    shop.ship()
    world.clickpost.advance("5270001", steps=2)
    world.settle()
    shop.prime.advance(shop.id, end)
    shop.checks()
    world.settle()

    assert (shop.written(), shop.row()["state"]) == ([], "TOLD")


# ── corrections ─────────────────────────────────────────────────────────────────────


def test_a_correction_is_told_once_more(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()
    world.settle()
    shop.checks("71_1")
    world.settle()
    shop.checks("71_1")
    world.settle()

    assert shop.written() == ["received", "inspected", "inspected"]
    assert shop.prime.written[2]["body"]["condition"] == "FAIL"


def test_a_correction_after_the_refund_is_for_a_person(
    world: World, a_shop: Opens, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()
    world.settle()
    shop.prime.advance(shop.id, "refunded")
    shop.checks("71_1")
    world.settle()

    assert (shop.row()["state"], shop.row()["due_shard"]) == ("HELD", "held")
    assert shop.kinds()[-1] == "WRITE_BACK_HELD"
    assert "WriteBackHeld" in capsys.readouterr().out


# ── trouble ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("does_the_work", [True, False])
@pytest.mark.parametrize("operation", ["write-status", "write-inspection"])
@pytest.mark.parametrize("then", [Then.HANGS, Then.CLOSES, Then.HTML])
def test_a_call_without_an_answer_is_looked_up_before_it_is_made_again(
    world: World, a_shop: Opens, operation: str, then: Then, *, does_the_work: bool
) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.fail(operation, Fault(then, does_the_work=does_the_work))
    shop.checks()
    world.settle()

    assert shop.written() == ["received", "inspected"]


def test_a_call_that_lands_late_is_not_made_twice(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.fail("write-status", Fault(Then.HANGS, late_seconds=60.0))
    shop.checks()
    world.settle()

    assert shop.written() == ["received", "inspected"]


@pytest.mark.parametrize("operation", ["get-request", "write-status", "write-inspection"])
def test_while_returns_prime_is_busy_what_is_owed_waits(world: World, a_shop: Opens, operation: str) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.fail(operation, Fault(Then.STATUS, does_the_work=False, status=429), times=3)
    shop.checks()
    world.settle()

    assert shop.written() == ["received", "inspected"]


@pytest.mark.parametrize("status", [404, 405])
def test_calls_that_are_not_offered_are_turned_off_and_an_operator_told(
    world: World, a_shop: Opens, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.fail("write-status", Fault(Then.STATUS, does_the_work=False, status=status), times=9)
    shop.checks()
    world.settle()

    assert (shop.written(), shop.row()["state"], "due_at" in shop.row()) == ([], "OFF", False)
    shown = world.call("administer_clients", "GET", "/clients/lotus", client="rms", roles="operator").body
    assert shown["returnsPrime"]["writeBackTurnedOff"].startswith(f"answered {status}")
    assert "WriteBackTurnedOff" in capsys.readouterr().out
    calls = len(shop.prime.requests())
    shop.checks("71_1")
    world.settle()
    assert len(shop.prime.requests()) == calls


def test_write_back_is_on_again_once_the_connection_is_set_up_anew(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.change({"takes_write_back": False})
    shop.checks()
    world.settle()
    shop.prime.change({"takes_write_back": True})
    again = returns_prime.NewConnection(
        {"token": shop.prime.settings.token}, {**PRIME_OPTIONS, "write_back": "both"}, PRIME_KEY
    )
    returns_prime.put_returns_prime(world.core, CLIENT, again)
    shop.checks("71_1")
    world.settle()

    assert shop.written() == ["received", "inspected"]


def test_a_refusal_is_for_a_person_and_the_next_result_starts_over(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.fail("write-status", Fault(Then.STATUS, does_the_work=False, status=422))
    shop.checks()
    world.settle()
    assert (shop.written(), shop.row()["state"]) == ([], "HELD")
    assert [row["SK"] for row in world.due_rows()] == []

    shop.checks("71_1")
    world.settle()
    assert (shop.written(), shop.row()["state"], "due_shard" in shop.row()) == (
        ["received", "inspected"],
        "TOLD",
        False,
    )


def test_a_token_that_is_not_accepted_is_tried_for_a_day_and_then_held(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.prime.change({"token": "another"})
    began = world.clock()
    shop.checks()
    world.settle()

    assert (shop.row()["state"], shop.row()["tries"]) == ("HELD", len(PAUSES) + 1)
    assert 20 * 3600 < (world.clock() - began).total_seconds() < 30 * 3600


def test_a_connection_that_was_switched_off_meanwhile_is_told_nothing(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()
    silent = returns_prime.NewConnection({"token": shop.prime.settings.token}, PRIME_OPTIONS, PRIME_KEY)
    returns_prime.put_returns_prime(world.core, CLIENT, silent)
    world.settle()

    assert (shop.written(), shop.row()["state"]) == ([], "OFF")


# ── several at once ─────────────────────────────────────────────────────────────────


def test_of_two_workers_one_writes(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()

    def another_worker(call: Call) -> None:
        if call.port == "http":
            world.calls.before = no_faults
            assert settle_write_back(world.another_environment(), return_id(CLIENT, shop.code)) is None

    world.calls.before = another_worker
    world.settle()

    assert shop.written() == ["received", "inspected"]


def test_a_result_that_comes_while_another_is_told_is_told_after_it(world: World, a_shop: Opens) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()

    def corrected(call: Call) -> None:
        request = call.arguments[0] if call.port == "http" else None
        if isinstance(request, HttpRequest) and request.method == "PUT":
            world.calls.before = no_faults
            here, world.core = world.core, world.another_environment()
            shop.checks("71_1")
            world.core = here

    world.calls.before = corrected
    world.settle()

    assert shop.written() == ["received", "inspected", "inspected"]
    assert shop.row()["state"] == "TOLD"


@pytest.mark.parametrize("place", range(1, 12))
@pytest.mark.parametrize("fault", [AwsFault.KILLED_BEFORE, AwsFault.KILLED_AFTER, AwsFault.REPLY_LOST])
def test_whatever_breaks_off_on_the_way_nothing_is_written_twice(
    world: World, a_shop: Opens, place: int, fault: AwsFault
) -> None:
    shop = a_shop()
    shop.ship()
    shop.checks()
    world.calls.made.clear()
    world.calls.plan = lambda call: fault if call.number == place else None
    with suppress(ProcessKilledError):
        world.settle()
    world.settle()

    assert shop.written() == ["received", "inspected"]
    assert shop.row()["state"] == "TOLD"
    assert shop.kinds().count("WRITTEN_BACK") == 1
