"""What the harness says of an RMS that lacks one of its safeguards: a harness that finds nothing proves little."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import count

import pytest

from rms.aggregators.contract import Cancelled
from rms.journal import AggregateId, RecordedEvent
from rms.journal.events import Event, to_item
from rms.notifications import delivery
from rms.notifications.judgement import Delivered
from rms.notifications.sinks import webhook
from rms.platform.table import Item
from rms.shipments import cancelling
from tests.fakes.calls import Fault, at
from tests.faults.invariants import Kind, breaches
from tests.faults.partners import BOOKS_EVERY_REPEAT
from tests.faults.run import Run
from tests.faults.scenarios import SCENARIOS
from tests.faults.strikes import strike_everywhere

NAMED = {scenario.name: scenario for scenario in SCENARIOS}


def test_a_wake_up_that_is_lost_while_nobody_sweeps_is_a_lost_notification(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = NAMED["create, channel booked"]
    calls = scenario.play(scenario.start()).calls.made
    wake_up = next(call.number for call in calls if call.operation == "send deliveries")
    monkeypatch.setattr(Run, "_sweep", lambda _: None)
    monkeypatch.setattr("tests.faults.run.ROUNDS", 50)

    run = scenario.start(plan=at(wake_up, Fault.KILLED_BEFORE))
    with pytest.raises(AssertionError, match="never comes to rest"):
        scenario.play(run)

    assert Kind.LOST_NOTIFICATION in {breach.kind for breach in breaches(run)}


def test_a_look_up_that_sends_the_order_again_doubles_parcels_at_a_partner_that_lets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.faults.strikes.speaking_to", lambda _: nullcontext())

    tally = strike_everywhere(replace(NAMED["create, RMS books"], clickpost=BOOKS_EVERY_REPEAT))

    assert tally.breaches[Kind.DUPLICATE_AWB] > 0


def test_a_journal_that_does_not_know_what_it_has_seen_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)

    def forgetful(event: Event, sequence: int, fence: str) -> Item:
        return to_item(replace(event, event_id=f"{event.event_id}-{next(numbers)}"), sequence, fence)

    monkeypatch.setattr("rms.journal.journal.to_item", forgetful)
    scenario = NAMED["one scan, recorded and told"]

    assert Kind.OTHER in {breach.kind for breach in breaches(scenario.play(scenario.start()))}


def test_going_on_to_the_next_event_after_a_refusal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "judge", lambda *_: Delivered(200))
    scenario = NAMED["an endpoint is down, then up; another is not"]

    found = breaches(scenario.play(scenario.start()))

    assert {Kind.MISORDERED, Kind.LOST_NOTIFICATION} <= {breach.kind for breach in found}


def test_a_cursor_that_moves_past_what_was_not_told_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = delivery._Batch.to_tell

    def all_but_the_first(batch: delivery._Batch, aggregate: AggregateId, since: str) -> list[RecordedEvent]:
        return honest(batch, aggregate, since)[1:]

    monkeypatch.setattr(delivery._Batch, "to_tell", all_but_the_first)
    scenario = NAMED["create, channel booked"]

    found = breaches(scenario.play(scenario.start()))

    assert Kind.LOST_NOTIFICATION in {breach.kind for breach in found}


def test_an_endpoint_whose_breaker_is_never_probed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rms.notifications.attending.elect_prober", lambda *_: False)
    monkeypatch.setattr("tests.faults.run.ROUNDS", 200)
    scenario = NAMED["an endpoint dies, its breaker opens, it recovers"]

    run = scenario.start()
    with pytest.raises(AssertionError, match="never comes to rest"):
        scenario.play(run)

    assert Kind.LOST_NOTIFICATION in {breach.kind for breach in breaches(run)}


def test_what_no_lane_comes_by_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rms.notifications.attending.drain", lambda *_: None)
    monkeypatch.setattr("rms.notifications.delivery.drain", lambda *_: None)
    monkeypatch.setattr("tests.faults.run.ROUNDS", 200)
    scenario = NAMED["an endpoint dies, its breaker opens, it recovers"]

    run = scenario.start()
    with pytest.raises(AssertionError, match="never comes to rest"):
        scenario.play(run)

    assert Kind.LOST_NOTIFICATION in {breach.kind for breach in breaches(run)}


def test_a_parcel_that_is_cancelled_without_asking_its_aggregator_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "answer_to_cancel", lambda *_, **__: Cancelled())
    scenario = NAMED["cancelled"]

    assert Kind.STILL_COMING in {breach.kind for breach in breaches(scenario.play(scenario.start()))}


def test_a_wish_that_nobody_goes_on_with_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.book_shipments.app.settle_cancellation", lambda *_: None)
    monkeypatch.setattr("tests.faults.run.ROUNDS", 50)
    scenario = NAMED["cancelled while nobody knows whether it is booked"]

    run = scenario.start()
    with pytest.raises(AssertionError, match="never comes to rest"):
        scenario.play(run)

    assert "the wish to cancel is WANTED" in str(breaches(run))


def test_a_cancel_that_is_told_by_its_scan_and_by_rms_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = cancelling._moved
    monkeypatch.setattr(
        cancelling, "_moved", lambda *args: {name: v for name, v in honest(*args).items() if name != "cancelled_at"}
    )
    scenario = NAMED["cancelled"]

    assert "CANCELLED told 2 times" in str(breaches(scenario.play(scenario.start())))
