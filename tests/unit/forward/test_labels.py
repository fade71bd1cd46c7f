"""Labels: fetched at once, kept, told once; what cannot be fetched is asked for again and then left to a person."""

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import pytest

from rms.clients import administration
from rms.platform.http import HttpAnswer, HttpRequest
from rms.platform.table import EXISTING, Delete, Key
from sandbox.faults import Fault, Then
from tests.builders import a_return_order_body, a_shipment_body
from tests.fakes.calls import Call, ProcessKilledError
from tests.fakes.calls import Fault as CallFault
from tests.fakes.http import answer, no_answer
from tests.partners import SANDBOX
from tests.unit.forward.shipping import CODE, LABELLED, Dispatch, dispatch
from tests.world import CLIENT, World, a_clickpost_account

LABELS: Final = "https://clickpost.test:443/labels/"
PDF: Final = b"%PDF-1.4\nlabel\n%%EOF\n"
WRONG: Final = {
    "404": Fault(Then.STATUS, status=404),
    "503": Fault(Then.STATUS, status=503),
    "a web page": Fault(Then.HTML),
    "no text": Fault(Then.GARBAGE),
    "nothing": Fault(Then.EMPTY),
    "half": Fault(Then.TRUNCATED),
    "too much": Fault(Then.ENORMOUS, size=6 * 1024 * 1024),
    "a redirect": Fault(Then.REDIRECT),
    "silence": Fault(Then.HANGS),
    "a closed line": Fault(Then.CLOSES),
}
wrong = pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG.keys())


def states(sent: Dispatch) -> tuple[Any, Any]:
    shown = sent.world.read_label(CODE).body
    return shown["awbStatus"], shown["labelStatus"]


# ── what is no label ────────────────────────────────────────────────────────────────


@wrong
def test_what_is_no_whole_label_is_not_kept_and_fetched_again(fault: Fault) -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", fault, times=2)

    answered = sent.ships()

    assert (answered.status, answered.body["labelStatus"]) == (202, "PENDING")
    assert [answered.body["awb"]] == sent.parcels()
    assert sent.world.files.kept == {}
    assert sent.world.heard(CODE) == []
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert states(sent) == ("BOOKED", "KEPT")
    assert sent.world.read_label(CODE).body["shippingLabelUrl"] is not None


@wrong
def test_one_that_never_comes_is_held_with_its_awb_and_where_it_was_looked_for(fault: Fault) -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", fault, times=100)
    awb = sent.ships().body["awb"]

    sent.world.settle()

    assert sent.world.heard(CODE) == ["AWB_GENERATED"]
    assert (sent.label()["state"], sent.label()["lookedForAt"]) == ("HELD", f"{LABELS}{awb}.pdf")
    assert len(sent.label()["reason"]) > 5
    assert sent.world.rows_of(CODE, kind="S")["LABEL"]["due_shard"] == "held"
    assert sent.world.due_rows() == []
    shown = sent.world.read_label(CODE).body
    assert (shown["awb"], shown["shippingLabelUrl"], shown["labelStatus"]) == (awb, None, "HELD")
    assert [event["kind"] for event in sent.world.journal(CODE, kind="S")] == ["PLACED", "AWB_BOOKED", "LABEL_HELD"]


def test_pauses_between_two_tries_grow_for_an_hour() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=404), times=100)
    times = []
    asked = sent.world.http.on("https://", sent.world._hosts.send).handler
    assert asked is not None

    def noting(request: HttpRequest) -> Any:
        if request.url.startswith(LABELS):
            times.append(sent.world.clock())
        return asked(request)

    sent.world.http.on("https://", noting)
    sent.ships()
    sent.world.settle()

    pauses = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert 3000 < sum(pauses) < 4500


def test_a_held_label_is_fetched_when_somebody_asks_for_it_again() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=404), times=100)
    awb = sent.ships().body["awb"]
    sent.world.settle()
    sent.engine.clear_faults()

    again = sent.world.ship({"shipmentCode": CODE})

    assert (again.status, again.body["awb"]) == (200, awb)
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert sent.parcels() == [awb]


def test_one_that_is_still_not_there_then_is_held_again_after_an_hour() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=404), times=100)
    sent.ships()
    sent.world.settle()

    again = sent.ships()

    assert (again.status, again.body["labelStatus"]) == (202, "PENDING")
    sent.world.settle()
    assert sent.label()["state"] == "HELD"


# ── where it is ─────────────────────────────────────────────────────────────────────


def test_the_first_try_is_the_link_of_the_booking_and_the_next_one_a_fresh_link() -> None:
    """Links run out: the aggregator is asked for another one."""
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=403))
    asked = sent.world._hosts.send

    def with_fresh_link(request: HttpRequest) -> Any:
        found = asked(request)
        if "shippinglabel" in request.url and isinstance(found, HttpAnswer):
            return replace(found, body=found.body.replace(b"/labels/", b"/labels/fresh-"))
        return found

    sent.world.http.on("https://", with_fresh_link)

    awb = sent.ships().body["awb"]
    sent.world.settle()

    assert sent.fetched() == [f"{LABELS}{awb}.pdf", f"{LABELS}fresh-{awb}.pdf"]
    assert sent.world.heard(CODE) == LABELLED


def test_a_label_that_did_not_come_with_the_booking_is_asked_for() -> None:
    sent = dispatch("CLICKPOST")
    asked = sent.world._hosts.send

    def without_link(request: HttpRequest) -> Any:
        found = asked(request)
        if "create-order" in request.url and isinstance(found, HttpAnswer):
            return replace(found, body=found.body.replace(b'"label": "https', b'"label": null, "other": "https'))
        return found

    sent.world.http.on("https://", without_link)

    assert sent.ships().status == 200
    assert len(sent.fetched()) == 1


def test_a_link_to_a_private_address_is_never_followed() -> None:
    """It comes from an aggregator's answer: nobody of ours has checked it, so the Http port must."""
    sent = dispatch("CLICKPOST")

    sent.ships()

    [request] = [each for each in sent.world.http.requests if each.url.startswith(LABELS)]
    assert request.trusted is False
    assert request.method == "GET"
    assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}


def test_what_a_link_has_behind_its_question_mark_stays_out_of_the_url_that_logs_show() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.change({"label_base": "https://clickpost.test:443/labels/x?token=secret&file="})

    sent.ships()

    [request] = [each for each in sent.world.http.requests if each.url.startswith(LABELS)]
    assert request.url == f"{LABELS}x"
    assert request.query["token"] == "secret"


def test_an_account_that_is_gone_leaves_the_link_that_is_known() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=503), times=3)
    sent.ships()
    sent.world.core.table.write(Delete(Key(f"C#{CLIENT}", "ACCOUNT#main"), EXISTING))

    sent.world.settle()

    assert sent.world.heard(CODE) == LABELLED


def test_a_return_travels_without_a_label() -> None:
    world = World()
    world.create_return(a_return_order_body())
    world.settle()

    assert "LABEL" not in world.rows_of("RET-70031-1")
    assert world.files.kept == {}


# ── our own store ───────────────────────────────────────────────────────────────────


def test_a_store_that_does_not_answer_is_tried_again() -> None:
    sent = dispatch("CLICKPOST")
    failing = [CallFault.THROTTLED, CallFault.REPLY_LOST]
    sent.world.calls.plan = lambda call: failing.pop() if failing and call.port == "files" else None

    first = sent.ships()

    assert (first.status, first.body["labelStatus"]) == (202, "PENDING")
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert len(sent.world.files.kept) == 1


def test_our_copy_stands_under_a_name_that_tells_nothing() -> None:
    sent = dispatch("CLICKPOST")

    sent.ships()

    [name] = sent.world.files.kept
    assert name.startswith(f"labels/{CLIENT}/")
    assert CODE not in name
    assert sent.parcels()[0] not in name


def test_two_clients_with_the_same_codes_have_two_labels() -> None:
    world = World()
    world.ship(a_shipment_body())
    administration.create_client(world.core, "iris", "Iris Shoes")
    administration.put_account(world.core, "iris", a_clickpost_account(webhook_key="another-key-of-iris-01"))

    world.ship(a_shipment_body(), client="iris")

    assert sorted(name.split("/")[1] for name in world.files.kept) == ["iris", CLIENT]


# ── who fetches ─────────────────────────────────────────────────────────────────────


def test_a_crash_at_any_call_costs_no_second_awb_even_where_a_label_is_given_once_only() -> None:
    """At Shipway, whose answer has the label's link once. What happens elsewhere is in tests/faults."""
    calm = dispatch("SHIPWAY")
    before = len(calm.world.calls.made)
    calm.ships()
    calls = calm.world.calls.made[before:]

    for place in range(len(calls)):
        for fault in (CallFault.KILLED_BEFORE, CallFault.KILLED_AFTER, CallFault.REPLY_LOST):
            sent = dispatch("SHIPWAY")
            sent.world.calls.plan = _at(len(sent.world.calls.made) + place + 1, fault)
            _tried(sent)
            sent.world.calls.plan = _at(-1, fault)
            sent.world.settle()
            sent.ships()  # the client sends it again, as every client does
            sent.world.settle()

            about = f"{fault} at {calls[place].port}.{calls[place].operation}"
            heard = [each for _, each in sent.world.receiver.heard("shop", CODE)]
            assert len(sent.parcels()) == 1, about
            assert heard == (LABELLED[:1] if sent.label()["state"] == "HELD" else LABELLED), about


def _at(number: int, fault: CallFault) -> Any:
    return lambda call: fault if call.number == number else None


def _tried(sent: Dispatch) -> None:
    try:
        sent.ships()
    except ProcessKilledError:
        return


def test_of_two_who_fetch_at_once_one_tells() -> None:
    sent = dispatch("CLICKPOST")
    rivals: list[int] = []

    def another_worker_comes(call: Call) -> None:
        if call.port == "files" and not rivals:
            rivals.append(1)
            sent.world.clock.advance(minutes=3)  # our right to it has run out
            sent.world.sweep()
            sent.world.work_all()

    sent.world.calls.before = another_worker_comes

    answered = sent.ships()

    assert answered.status == 200
    sent.world.settle()
    assert sent.world.heard(CODE) == LABELLED
    assert len([event for event in sent.world.journal(CODE, kind="S") if event["kind"] == "LABELLED"]) == 1


def test_a_label_says_nothing_of_where_the_parcel_is_however_late_it_comes() -> None:
    sent = dispatch("CLICKPOST")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=404), times=5)
    awb = sent.ships().body["awb"]
    sent.engine.advance(awb, life="delivered", steps=3)

    sent.world.settle()

    assert "SHIPPING_LABEL_GENERATED" in sent.world.heard(CODE)
    assert sent.world.read_shipment(CODE).body["status"] == "IN_TRANSIT"


def test_news_of_the_label_from_the_aggregator_is_kept_and_not_told() -> None:
    sent = dispatch("CLICKPOST")
    awb = sent.ships().body["awb"]

    sent.engine.scan(awb, 1)
    sent.world.settle()

    assert sent.world.heard(CODE) == LABELLED
    assert [event["kind"] for event in sent.world.journal(CODE, kind="S")][-1] == "TRACKED"


def test_a_generic_aggregator_whose_label_comes_later_is_asked_until_it_does() -> None:
    sent = dispatch(SANDBOX, pending_gets=3)

    assert sent.ships().status == 202
    sent.world.settle()

    assert sent.world.heard(CODE) == LABELLED
    assert len(sent.parcels()) == 1


def test_what_comes_in_place_of_an_answer_of_the_label_call_changes_nothing_for_good() -> None:
    sent = dispatch("SHIPROCKET")
    sent.engine.fail("label-file", Fault(Then.STATUS, status=404), times=2)
    sent.engine.fail("label", Fault(Then.ANSWERS))
    sent.engine.fail("label", Fault(Then.HTML))

    sent.ships()
    sent.world.settle()

    assert sent.world.heard(CODE) == LABELLED


def test_a_label_port_may_be_silent_without_the_awb_being_lost() -> None:
    world = World()
    world.http.on(LABELS, script=(no_answer(), no_answer(), no_answer(), answer(200, PDF)))

    first = world.ship(a_shipment_body())

    assert (first.status, first.body["labelStatus"]) == (202, "PENDING")
    world.settle()
    assert world.heard(CODE) == LABELLED
