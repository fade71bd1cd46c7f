"""What the journal, the cursors and the sweep promise, as examples that run on every engine behind the table.

No engine is known to differ here. Two things they do differently are hidden from the journal on purpose: moto is not
atomic under threads, so there its calls take turns (`OneAtATime`), and it ignores ClientRequestToken, so a repeated
transaction meets its own write, which the journal recognises by the fence.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from rms.journal import (
    AggregateId,
    Appended,
    Attempt,
    Blocked,
    Created,
    Cursors,
    Duplicate,
    Event,
    EventKind,
    Exists,
    Journal,
    Lease,
    LeaseLostError,
    NoAggregateError,
    NotDue,
    Reader,
)
from rms.journal.cursors import CLOCK_SKEW, LEASE
from rms.journal.due import sweep_due_work
from rms.journal.events import number
from rms.journal.keys import (
    due_shard,
    health_key,
    parked_key,
    parked_shard,
    quiet_listing,
    shipment_key,
    stalled_shard,
    waiting_listing,
)
from rms.model.notification_type import NotificationType
from rms.platform.queues import QueueName, QueueUnavailableError
from rms.platform.table import EXISTING, NEW, Check, Item, Key, Put, Table, TableContendedError, Update, Value, Write
from rms.platform.times import to_text
from tests.fakes.calls import Calls, Fault, at
from tests.fakes.clock import FakeClock
from tests.fakes.queues import FakeQueues
from tests.ports.table_suite import TableUnderTest

WRITERS = 16
SHOP = Reader("shop", "2026-01-01T00:00:00.000Z")
ERP = Reader("erp", "2026-01-01T00:00:00.000Z")


class JournalSuite:
    """Subclasses name their `engine` and provide the fixture `under_test`."""

    engine: ClassVar[str]
    scans: ClassVar[int] = 100
    """How many events the sixteen senders send between them."""

    @pytest.fixture
    def table(self, under_test: TableUnderTest) -> Table:
        return under_test.table

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def fences(self) -> Callable[[], str]:
        mine, numbers = uuid4().hex, count(1)
        return lambda: f"{mine}-{next(numbers)}"

    @pytest.fixture
    def journal(self, table: Table, clock: FakeClock, fences: Callable[[], str]) -> Journal:
        return Journal(table, clock, fences)

    @pytest.fixture
    def cursors(self, table: Table, clock: FakeClock, fences: Callable[[], str]) -> Cursors:
        return Cursors(table, clock, fences)

    @pytest.fixture
    def client(self) -> str:
        """A client of its own for each test, because engines are shared."""
        return f"client-{uuid4().hex[:16]}"

    @pytest.fixture
    def a_return(self, client: str) -> AggregateId:
        return AggregateId(client, "R", "RET-5")

    @pytest.fixture
    def placed(self, journal: Journal, a_return: AggregateId) -> AggregateId:
        """A return that is in the journal, with nobody to hear of it."""
        assert create(journal, a_return) == Created()
        return a_return

    @pytest.fixture
    def heard(self, journal: Journal, a_return: AggregateId) -> AggregateId:
        """A return whose first event the endpoint `shop` must hear."""
        assert create(journal, a_return, readers=[SHOP]) == Created()
        return a_return

    # ── creating ────────────────────────────────────────────────────────────────────

    def test_a_new_aggregate_has_its_document_its_status_and_its_first_event(
        self, journal: Journal, table: Table, a_return: AggregateId
    ) -> None:
        first = an_event("PLACED")

        created = journal.create(a_return, {"body": "{}"}, {"state": "PLACED"}, first)

        assert created == Created()
        assert (table.get(a_return.document) or {})["body"] == "{}"
        assert journal.status(a_return) == {**key_of(a_return.status), "state": "PLACED", "sequence": 1}
        assert [(each.sequence, each.event) for each in journal.events(a_return)] == [(1, first)]

    def test_creating_again_changes_nothing_and_says_what_is_there(
        self, journal: Journal, table: Table, a_return: AggregateId
    ) -> None:
        create(journal, a_return, body="first")
        before = rows_of(table, a_return)

        again = create(journal, a_return, body="second", readers=[SHOP])

        assert isinstance(again, Exists)
        assert again.document["body"] == "first"
        assert rows_of(table, a_return) == before

    def test_a_creation_whose_reply_was_lost_is_known_for_ones_own(
        self, under_test: TableUnderTest, journal: Journal, a_return: AggregateId
    ) -> None:
        with under_test.lost_reply():
            created = create(journal, a_return, readers=[SHOP])

        assert created == Created()

    def test_of_sixteen_who_create_the_same_one_succeeds_and_all_see_its_document(
        self, journal: Journal, a_return: AggregateId
    ) -> None:
        outcomes = all_at_once(
            [partial(patiently, partial(create, journal, a_return, body=str(n))) for n in range(WRITERS)]
        )

        winners = [n for n, outcome in enumerate(outcomes) if outcome == Created()]
        assert len(winners) == 1
        assert {str(seen.document["body"]) for seen in outcomes if isinstance(seen, Exists)} == {str(winners[0])}

    def test_a_creation_that_a_write_of_the_callers_blocks_leaves_nothing_behind(
        self, journal: Journal, table: Table, client: str, a_return: AggregateId
    ) -> None:
        free, taken = shipment_key(client, "AWB-1"), shipment_key(client, "AWB-2")
        table.write(Put(taken, {"code": "RET-1"}, NEW))

        blocked = create(journal, a_return, readers=[SHOP], also=[Put(free, {}, NEW), Put(taken, {}, NEW)])

        assert blocked == Blocked(1, {**key_of(taken), "code": "RET-1"})
        assert rows_of(table, a_return) == []
        assert table.get(free) is None

    def test_what_the_caller_writes_beside_a_creation_is_written_with_it(
        self, journal: Journal, table: Table, client: str, a_return: AggregateId
    ) -> None:
        awb = shipment_key(client, "AWB-1")

        assert create(journal, a_return, also=[Put(awb, {"code": "RET-5"}, NEW)]) == Created()

        assert (table.get(awb) or {})["code"] == "RET-5"

    # ── appending ───────────────────────────────────────────────────────────────────

    def test_an_event_gets_the_next_number_and_changes_the_status(self, journal: Journal, placed: AggregateId) -> None:
        first = journal.append(placed, an_event("a"), lambda _: {"state": "IN_TRANSIT"})
        second = journal.append(placed, an_event("b"), lambda _: {"state": "DELIVERED"})

        assert (first, second) == (Appended(2), Appended(3))
        status = journal.status(placed) or {}
        assert (status["sequence"], status["state"]) == (3, "DELIVERED")

    def test_an_event_comes_back_as_it_was_told(self, journal: Journal, placed: AggregateId) -> None:
        told = Event(
            event_id="scan#4/ü",
            kind=EventKind.TRACKED,
            occurred_at=FakeClock()() - timedelta(days=2, milliseconds=7),
            received_at=FakeClock()(),
            notification=NotificationType.RETURN_PICKED_UP,
            facts={"awb": "77#01", "raw_text": "उठाया गया", "metadata": {"Security Key": "k-1"}},
        )

        journal.append(placed, told, unchanged)

        assert journal.events(placed, after=1)[0].event == told

    def test_the_same_event_again_is_a_duplicate_that_changes_nothing(
        self, journal: Journal, table: Table, placed: AggregateId
    ) -> None:
        journal.append(placed, an_event("a"), lambda _: {"state": "IN_TRANSIT"}, readers=[SHOP])
        before = rows_of(table, placed)

        again = journal.append(
            placed,
            replace(an_event("a"), facts={"remark": "told in other words"}),
            lambda _: {"state": "LOST"},
            readers=[SHOP, ERP],
            also=[Put(placed.booking, {}, NEW)],
        )

        assert again == Duplicate()
        assert rows_of(table, placed) == before

    def test_the_first_event_told_again_is_a_duplicate(self, journal: Journal, placed: AggregateId) -> None:
        assert journal.append(placed, an_event("PLACED"), unchanged) == Duplicate()

    def test_an_append_whose_reply_was_lost_is_known_for_ones_own(
        self, under_test: TableUnderTest, journal: Journal, placed: AggregateId
    ) -> None:
        with under_test.lost_reply():
            appended = journal.append(placed, an_event("a"), unchanged, readers=[SHOP])

        assert appended == Appended(2)
        assert [each.event.event_id for each in journal.events(placed)] == ["PLACED", "a"]

    def test_nothing_is_appended_to_what_was_never_created(
        self, journal: Journal, table: Table, a_return: AggregateId
    ) -> None:
        with pytest.raises(NoAggregateError):
            journal.append(a_return, an_event("a"), unchanged)

        assert rows_of(table, a_return) == []

    def test_an_append_that_a_write_of_the_callers_blocks_leaves_nothing_behind(
        self, journal: Journal, table: Table, placed: AggregateId
    ) -> None:
        table.write(Put(placed.booking, {"fence": "theirs"}, NEW))
        before = rows_of(table, placed)

        blocked = journal.append(
            placed, an_event("a"), lambda _: {"state": "LOST"}, readers=[SHOP], also=[Put(placed.booking, {}, NEW)]
        )

        assert blocked == Blocked(0, {**key_of(placed.booking), "fence": "theirs"})
        assert rows_of(table, placed) == before

    def test_a_blocked_append_of_a_known_event_is_still_a_duplicate(
        self, journal: Journal, placed: AggregateId
    ) -> None:
        also: list[Write] = [Put(placed.booking, {}, NEW)]
        assert journal.append(placed, an_event("a"), unchanged, also=also) == Appended(2)

        assert journal.append(placed, an_event("a"), unchanged, also=also) == Duplicate()

    def test_an_event_for_one_aggregate_never_touches_another(
        self, journal: Journal, table: Table, client: str, placed: AggregateId
    ) -> None:
        others = [
            AggregateId(client, "R", "RET-5#1"),
            AggregateId(client, "S", "RET-5"),
            AggregateId(f"{client}-2", "R", "RET-5"),
        ]
        for other in others:
            create(journal, other, readers=[SHOP])
        before = [rows_of(table, other) for other in others]

        journal.append(placed, an_event("a"), lambda _: {"state": "LOST"}, readers=[SHOP])

        assert [rows_of(table, other) for other in others] == before

    def test_events_are_read_in_order_from_any_place(self, journal: Journal, placed: AggregateId) -> None:
        for name in "bcdef":
            journal.append(placed, an_event(name), unchanged)

        assert [each.sequence for each in journal.events(placed)] == [1, 2, 3, 4, 5, 6]
        assert [each.event.event_id for each in journal.events(placed, after=2, limit=2)] == ["c", "d"]
        assert journal.events(placed, after=6) == []
        assert list(journal.history(placed)) == list(journal.events(placed))

    def test_a_hundred_events_sent_by_sixteen_at_once_are_all_there_in_one_order_with_the_right_status(
        self, journal: Journal, table: Table, placed: AggregateId
    ) -> None:
        def greatest(name: str, status: Item) -> Mapping[str, Value]:
            return {"state": max(str(status["state"]), name), "changes": number(status, "changes") + 1}

        def send(name: str) -> Appended | Duplicate | Blocked:
            return patiently(
                partial(journal.append, placed, an_event(name), partial(greatest, name), readers=[SHOP, ERP])
            )

        names = [f"scan-{number:03}" for number in range(self.scans)]

        with ThreadPoolExecutor(WRITERS) as senders:
            outcomes = list(senders.map(send, names))

        events = [*journal.events(placed), *journal.events(placed, after=100)]
        status = journal.status(placed) or {}
        assert [each.sequence for each in events] == list(range(1, self.scans + 2))
        assert {each.event.event_id for each in events} == {"PLACED", *names}
        assert {each.event.event_id: Appended(each.sequence) for each in events[1:]} == dict(
            zip(names, outcomes, strict=True)
        )
        assert (status["sequence"], status["state"], status["changes"]) == (self.scans + 1, names[-1], self.scans)
        assert [(table.get(placed.cursor(name)) or {})["head"] for name in ("shop", "erp")] == [self.scans + 1] * 2

    def test_of_sixteen_who_tell_the_same_news_at_once_one_is_first(
        self, journal: Journal, placed: AggregateId
    ) -> None:
        outcomes = all_at_once(
            [partial(patiently, partial(journal.append, placed, an_event("a"), unchanged))] * WRITERS
        )

        assert sorted(outcomes, key=str) == [Appended(2), *[Duplicate()] * (WRITERS - 1)]
        assert len(journal.events(placed)) == 2

    # ── who must hear ───────────────────────────────────────────────────────────────

    def test_an_event_that_somebody_must_hear_makes_the_cursor_of_each_endpoint_due(
        self, journal: Journal, table: Table, clock: FakeClock, placed: AggregateId
    ) -> None:
        journal.append(placed, an_event("a"), unchanged, readers=[SHOP, ERP])

        for reader in (SHOP, ERP):
            assert table.get(placed.cursor(reader.endpoint)) == {
                **key_of(placed.cursor(reader.endpoint)),
                "endpoint": reader.endpoint,
                "since": reader.since,
                "head": 2,
                "acked": 0,
                "attempts": 0,
                "tries": 0,
                "due_at": to_text(clock()),
                "due_shard": due_shard(placed.pk),
                "waiting_since": to_text(clock()),
                "listing_pk": quiet_listing(placed.client, reader.endpoint),
                "listing_sk": to_text(clock()),
            }

    def test_an_event_that_is_nobodys_business_makes_no_cursor_due(
        self, journal: Journal, table: Table, placed: AggregateId
    ) -> None:
        journal.append(placed, replace(an_event("a"), notification=None), unchanged, readers=[SHOP])

        assert table.get(placed.cursor("shop")) is None

    def test_an_idle_cursor_becomes_due_by_the_next_event(
        self, journal: Journal, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        assert cursors.told(leased(cursors, heard), an_attempt(1)) is None
        clock.advance(hours=1)

        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])

        again = leased(cursors, heard)
        assert (again.acked, again.head) == (1, 2)

    def test_an_event_neither_hurries_nor_delays_a_cursor_that_waits_for_its_next_try(
        self, journal: Journal, cursors: Cursors, table: Table, clock: FakeClock, heard: AggregateId
    ) -> None:
        again_at = clock() + timedelta(minutes=10)
        cursors.refused(leased(cursors, heard), an_attempt(1), again_at=again_at)

        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])

        row = table.get(heard.cursor("shop")) or {}
        assert (row["head"], row["due_at"]) == (2, to_text(again_at))
        assert cursors.lease(heard, "shop") == NotDue("not due yet")

    # ── leases ──────────────────────────────────────────────────────────────────────

    def test_a_due_cursor_is_leased_with_where_it_stands(
        self, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)

        assert (lease.acked, lease.head, lease.attempts, lease.tries) == (0, 1, 0, 0)
        assert (lease.since, lease.until) == (SHOP.since, clock() + LEASE)

    def test_of_sixteen_who_want_a_lease_one_gets_it(self, cursors: Cursors, heard: AggregateId) -> None:
        answers = all_at_once([partial(cursors.lease, heard, "shop")] * WRITERS)

        assert [answer for answer in answers if isinstance(answer, Lease)] != []
        assert answers.count(NotDue("leased")) == WRITERS - 1

    def test_a_lease_whose_reply_was_lost_is_known_for_ones_own(
        self, under_test: TableUnderTest, cursors: Cursors, heard: AggregateId
    ) -> None:
        with under_test.lost_reply():
            lease = cursors.lease(heard, "shop")

        assert isinstance(lease, Lease)
        assert cursors.told(lease, an_attempt(1)) is None

    def test_an_endpoint_that_never_had_to_hear_has_no_lease(self, cursors: Cursors, placed: AggregateId) -> None:
        assert cursors.lease(placed, "shop") == NotDue("no cursor")

    def test_a_cursor_with_nothing_to_tell_has_no_lease(self, cursors: Cursors, heard: AggregateId) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))

        assert cursors.lease(heard, "shop") == NotDue("nothing to tell")

    def test_a_clock_that_runs_a_little_late_may_lease_what_is_due_by_another(
        self, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        clock.now -= CLOCK_SKEW

        assert isinstance(cursors.lease(heard, "shop"), Lease)

    def test_a_lease_that_ran_out_goes_to_the_next_and_its_old_holder_learns_of_it(
        self, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        slow = leased(cursors, heard)
        clock.advance_to(slow.until)
        quick = leased(cursors, heard)

        for late in (
            lambda: cursors.told(slow, an_attempt(1)),
            lambda: cursors.refused(slow, an_attempt(1), again_at=clock()),
            lambda: cursors.stall(slow, an_attempt(1)),
            lambda: cursors.park(slow, reason="gone", attempt=an_attempt(1), still=there(heard)),
            lambda: cursors.skip(slow),
            lambda: cursors.release(slow, acked=1),
        ):
            with pytest.raises(LeaseLostError):
                late()
        assert cursors.told(quick, an_attempt(1)) is None

    # ── telling ─────────────────────────────────────────────────────────────────────

    def test_telling_the_last_event_moves_the_cursor_and_lets_it_rest(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        assert cursors.told(leased(cursors, heard), an_attempt(1)) is None

        row = table.get(heard.cursor("shop")) or {}
        assert (row["acked"], row["tries"]) == (1, 1)
        assert not row.keys() & {"due_at", "due_shard", "fence", "reason"}

    def test_telling_one_of_several_keeps_the_lease(
        self, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        lease = leased(cursors, heard)

        lease = still(cursors.told(lease, an_attempt(1)))

        assert (lease.acked, lease.head, lease.tries) == (1, 2, 1)
        assert cursors.lease(heard, "shop") == NotDue("leased")
        assert cursors.told(lease, an_attempt(2)) is None

    def test_what_came_while_the_last_was_told_is_told_under_the_same_lease(
        self, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])

        lease = still(cursors.told(lease, an_attempt(1)))

        assert (lease.acked, lease.head) == (1, 2)
        assert cursors.told(lease, an_attempt(2)) is None

    def test_telling_whose_reply_was_lost_moves_the_cursor_once(
        self, under_test: TableUnderTest, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        with under_test.lost_reply():
            lease = still(cursors.told(leased(cursors, heard), an_attempt(1)))
            assert (lease.acked, lease.head, lease.tries) == (1, 2, 1)
            assert cursors.told(lease, an_attempt(2)) is None

        assert cursors.lease(heard, "shop") == NotDue("nothing to tell")

    def test_every_try_is_kept_with_what_came_of_it(
        self, cursors: Cursors, table: Table, clock: FakeClock, heard: AggregateId
    ) -> None:
        refused = replace(an_attempt(1), outcome="HTTP 500", status=500, answer="oops")
        cursors.refused(leased(cursors, heard), refused, again_at=clock())
        cursors.told(leased(cursors, heard), an_attempt(1))

        attempts = table.query(heard.pk, prefix="ATTEMPT#").items
        assert [(row["sequence"], row["status"], row["outcome"], row["answer"]) for row in attempts] == [
            (1, 500, "HTTP 500", "oops"),
            (1, 200, "delivered", ""),
        ]

    def test_a_refused_event_is_due_again_when_it_was_told_to_be(
        self, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        again_at = clock() + timedelta(seconds=30)
        cursors.refused(leased(cursors, heard), an_attempt(1), again_at=again_at)
        assert cursors.lease(heard, "shop") == NotDue("not due yet")
        clock.advance_to(again_at)

        lease = leased(cursors, heard)

        assert (lease.acked, lease.attempts, lease.tries) == (0, 1, 1)

    def test_a_success_makes_the_failures_before_it_forgotten(
        self, journal: Journal, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        cursors.refused(leased(cursors, heard), an_attempt(1), again_at=clock())

        lease = still(cursors.told(leased(cursors, heard), an_attempt(1)))

        assert (lease.attempts, lease.tries) == (0, 2)

    def test_a_stalled_cursor_stands_still_and_says_why_until_it_is_replayed(
        self, journal: Journal, cursors: Cursors, table: Table, clock: FakeClock, heard: AggregateId
    ) -> None:
        cursors.stall(leased(cursors, heard), replace(an_attempt(1), outcome="HTTP 500"))
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        clock.advance(days=30)

        row = table.get(heard.cursor("shop")) or {}
        assert (row["due_shard"], row["reason"], row["head"]) == (stalled_shard(heard.client, "shop"), "HTTP 500", 2)
        assert isinstance(cursors.lease(heard, "shop"), NotDue)

        cursors.replay(heard, "shop", after=0, last=2)
        assert leased(cursors, heard).acked == 0

    def test_a_parked_cursor_waits_under_its_own_shard_until_that_is_released(
        self, journal: Journal, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        shard = parked_shard(heard.client, "shop")
        lease = leased(cursors, heard)
        assert cursors.park(lease, reason="HTTP 410", attempt=an_attempt(1), still=there(heard))
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])

        row = table.get(heard.cursor("shop")) or {}
        assert (row["due_shard"], row["reason"], row["tries"]) == (shard, "HTTP 410", 1)
        assert isinstance(cursors.lease(heard, "shop"), NotDue)

        lease = still(cursors.lease_parked(heard, "shop"))
        assert (lease.acked, lease.head, lease.attempts) == (0, 2, 0)
        assert cursors.lease_parked(heard, "shop") == NotDue("leased")

    def test_a_parked_cursor_whose_lease_ran_out_is_swept_like_any_other(
        self, cursors: Cursors, clock: FakeClock, heard: AggregateId
    ) -> None:
        assert cursors.park(leased(cursors, heard), reason="paused", attempt=None, still=there(heard))
        clock.advance_to(still(cursors.lease_parked(heard, "shop")).until)

        assert leased(cursors, heard).acked == 0

    def test_cursors_that_wait_are_listed_apart_by_their_newest_event(
        self, journal: Journal, cursors: Cursors, table: Table, clock: FakeClock, heard: AggregateId
    ) -> None:
        def listed() -> tuple[Value, Value]:
            row = table.get(heard.cursor("shop")) or {}
            return row["listing_pk"], row["listing_sk"]

        quiet, waiting = quiet_listing(heard.client, "shop"), waiting_listing(heard.client, "shop")
        first = to_text(clock())
        assert listed() == (quiet, first)

        cursors.refused(leased(cursors, heard), an_attempt(1), again_at=clock.advance(5))
        assert listed() == (waiting, first)
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        assert listed() == (waiting, to_text(clock()))

        cursors.told(still(cursors.told(leased(cursors, heard), an_attempt(1))), an_attempt(2))
        assert listed() == (quiet, to_text(clock()))

    def test_a_cursor_is_parked_without_a_try(self, cursors: Cursors, table: Table, heard: AggregateId) -> None:
        assert cursors.park(leased(cursors, heard), reason="disabled", attempt=None, still=there(heard))

        assert table.query(heard.pk, prefix="ATTEMPT#").items == []
        assert (table.get(heard.cursor("shop")) or {})["tries"] == 0

    def test_nothing_is_parked_when_its_reason_is_gone(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)
        before = rows_of(table, heard)

        parked = cursors.park(lease, reason="gone", attempt=an_attempt(1), still=Check(heard.booking, EXISTING))

        assert not parked
        assert rows_of(table, heard) == before

    def test_parking_whose_reply_was_lost_is_known_for_ones_own(
        self, under_test: TableUnderTest, cursors: Cursors, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)

        with under_test.lost_reply():
            parked = cursors.park(lease, reason="gone", attempt=an_attempt(1), still=there(heard))

        assert parked

    def test_skipping_what_is_not_the_endpoints_business_lets_the_cursor_rest(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        assert cursors.skip(leased(cursors, heard)) is None

        assert cursors.lease(heard, "shop") == NotDue("nothing to tell")
        assert (table.get(heard.cursor("shop")) or {})["acked"] == 1
        assert table.query(heard.pk, prefix="ATTEMPT#").items == []

    def test_skipping_goes_on_to_what_came_meanwhile(
        self, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])

        lease = still(cursors.skip(lease))

        assert (lease.acked, lease.head) == (1, 2)
        assert cursors.told(lease, an_attempt(2)) is None

    def test_a_released_cursor_is_due_at_once_for_whoever_comes_next(
        self, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        lease = still(cursors.told(leased(cursors, heard), an_attempt(1)))

        cursors.release(lease, acked=1)

        assert leased(cursors, heard).acked == 1

    def test_a_replay_breaks_the_lease_of_whoever_is_telling(self, cursors: Cursors, heard: AggregateId) -> None:
        telling = leased(cursors, heard)

        cursors.replay(heard, "shop", after=0, last=1)

        with pytest.raises(LeaseLostError):
            cursors.told(telling, an_attempt(1))
        assert (leased(cursors, heard).acked, leased_by_nobody_else(cursors, heard)) == (0, True)

    def test_a_replay_tells_an_endpoint_that_never_heard(self, cursors: Cursors, placed: AggregateId) -> None:
        cursors.replay(placed, "late", after=0, last=1)

        lease = leased(cursors, placed, "late")
        assert (lease.acked, lease.head, lease.since) == (0, 1, "")

    def test_a_replay_keeps_the_attempts_made_before_it(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        cursors.replay(heard, "shop", after=0, last=1)
        cursors.told(leased(cursors, heard), an_attempt(1))

        assert len(table.query(heard.pk, prefix="ATTEMPT#").items) == 2

    def test_one_event_is_told_again_before_what_is_owed_and_moves_nothing(
        self, journal: Journal, cursors: Cursors, heard: AggregateId
    ) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        for sequence in (1, 1):
            cursors.tell_again(heard, "shop", sequence, last=2)

        lease = leased(cursors, heard)
        assert (lease.again, lease.acked, lease.head) == ((1,), 1, 2)
        lease = still(cursors.told(lease, an_attempt(1)))
        assert (lease.again, lease.acked) == ((), 1)
        assert cursors.told(lease, an_attempt(2)) is None
        assert cursors.lease(heard, "shop") == NotDue("nothing to tell")

    def test_the_last_that_is_told_again_lets_the_cursor_rest(self, cursors: Cursors, heard: AggregateId) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        cursors.tell_again(heard, "shop", 1, last=1)

        assert cursors.told(leased(cursors, heard), an_attempt(1)) is None

        assert cursors.lease(heard, "shop") == NotDue("nothing to tell")

    def test_an_endpoint_that_never_heard_is_told_that_one_event_and_no_other(
        self, journal: Journal, cursors: Cursors, placed: AggregateId
    ) -> None:
        journal.append(placed, an_event("a"), unchanged)
        cursors.tell_again(placed, "late", 1, last=2)

        lease = leased(cursors, placed, "late")

        assert (lease.again, lease.acked, lease.head) == ((1,), 2, 2)

    def test_of_many_who_want_different_events_told_again_none_is_forgotten(
        self, cursors: Cursors, heard: AggregateId
    ) -> None:
        for sequence in (5, 3, 9):
            cursors.tell_again(heard, "shop", sequence, last=9)

        assert leased(cursors, heard).again == (3, 5, 9)

    def test_a_replay_of_many_parks_what_it_moves_and_moves_it_once(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        before = table.get(heard.cursor("shop")) or {}

        for _ in range(2):  # the second finds its own mark
            assert cursors.replay_parked(heard, "shop", row=before, after=0, mark="again-1", still=there(heard))

        lease = still(cursors.lease_parked(heard, "shop"))
        assert (lease.acked, lease.head, lease.since) == (0, 1, "")

    def test_a_replay_of_many_leaves_alone_what_has_moved_on(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        before = table.get(heard.cursor("shop")) or {}
        cursors.told(leased(cursors, heard), an_attempt(1))

        assert not cursors.replay_parked(heard, "shop", row=before, after=0, mark="again-1", still=there(heard))

    def test_a_cursor_knows_its_last_try(self, cursors: Cursors, table: Table, heard: AggregateId) -> None:
        lease = leased(cursors, heard)
        cursors.refused(lease, an_attempt(1), again_at=lease.until)

        row = table.get(heard.cursor("shop")) or {}

        assert (row["tried"], row["tries"]) == (1, 1)
        assert table.get(heard.attempt("shop", 1, 0)) is not None

    def test_passing_over_an_event_that_is_told_again_moves_nothing_else(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        for sequence in (1, 9):
            cursors.tell_again(heard, "shop", sequence, last=9)
        for _ in range(2):
            before = table.get(heard.cursor("shop")) or {}
            sequence = 1 if before["again"] == "1,9" else 9
            assert cursors.pass_over(heard, "shop", before, an_attempt(sequence), f"fence-{sequence}")

        lease = leased(cursors, heard)
        assert (lease.again, lease.acked) == ((), 1)

    def test_what_goes_with_a_replay_of_many_is_written_with_it_or_neither_is(
        self, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        cursors.told(leased(cursors, heard), an_attempt(1))
        row = table.get(heard.cursor("shop")) or {}
        count = heard.key("COUNT")

        for expect, moved in ((EXISTING, False), (NEW, True)):
            also = [Update(count, expect, add={"moved": 1})]
            assert moved is cursors.replay_parked(
                heard, "shop", row=row, after=0, mark="x", still=there(heard), also=also
            )

        assert (table.get(count) or {})["moved"] == 1

    def test_an_event_that_is_passed_over_is_never_told_and_says_who_wanted_it_so(
        self, journal: Journal, cursors: Cursors, table: Table, heard: AggregateId
    ) -> None:
        journal.append(heard, an_event("a"), unchanged, readers=[SHOP])
        cursors.stall(leased(cursors, heard), replace(an_attempt(1), outcome="answered 400"))
        before = table.get(heard.cursor("shop")) or {}
        skipped = replace(an_attempt(1), outcome="skipped by asha")

        for _ in range(2):  # the second finds its own writing
            assert cursors.pass_over(heard, "shop", before, skipped, "fence-1")

        lease = leased(cursors, heard)
        assert (lease.acked, lease.attempts) == (1, 0)
        assert [row["outcome"] for row in table.query(heard.pk, prefix="ATTEMPT#").items] == [
            "answered 400",
            "skipped by asha",
        ]
        assert not cursors.pass_over(heard, "shop", before, skipped, "fence-2")

    # ── due work ────────────────────────────────────────────────────────────────────

    @pytest.fixture
    def queues(self, clock: FakeClock) -> FakeQueues:
        return FakeQueues(clock)

    def test_each_kind_of_due_row_goes_to_its_queue(
        self, table: Table, clock: FakeClock, queues: FakeQueues, client: str, heard: AggregateId
    ) -> None:
        awb = shipment_key(client, "77#01")
        due: Item = {"due_at": to_text(clock())}
        table.write(Put(heard.booking, {**due, "due_shard": due_shard(heard.pk)}, NEW))
        table.write(Put(awb, {**due, "due_shard": due_shard(awb.pk), "code": "RET-5"}, NEW))
        health = health_key(client, "shop")
        for key in (health, Key(health.pk, "REPLAY#again-1")):
            table.write(Put(key, {**due, "due_shard": due_shard(key.pk)}, NEW))

        sweep_due_work(table, queues, clock)

        about = {"client": client, "kind": "R", "code": "RET-5"}
        at_endpoint = {"client": client, "endpoint": "shop"}
        expected = [
            {**about, "endpoint": "shop"},
            {"task": "endpoint", **at_endpoint},
            {"task": "replay", "replay": "again-1", **at_endpoint},
        ]
        assert sorted(of(client, queues, "deliveries"), key=str) == sorted(expected, key=str)
        assert of(client, queues, "bookings") == [about]
        assert of(client, queues, "inbound") == [{"task": "drain", "client": client, "awb": "77#01"}]

    def test_what_is_not_due_yet_or_no_more_is_not_sent(
        self, table: Table, cursors: Cursors, clock: FakeClock, queues: FakeQueues, client: str, heard: AggregateId
    ) -> None:
        later: Item = {"due_at": to_text(clock() + timedelta(seconds=1)), "due_shard": due_shard(heard.pk)}
        table.write(Put(heard.booking, later, NEW))
        cursors.told(leased(cursors, heard), an_attempt(1))

        sweep_due_work(table, queues, clock)

        assert [of(client, queues, queue) for queue in ("inbound", "bookings", "deliveries")] == [[], [], []]

    def test_a_lease_is_swept_when_it_has_run_out_and_not_before(
        self, table: Table, cursors: Cursors, clock: FakeClock, queues: FakeQueues, client: str, heard: AggregateId
    ) -> None:
        lease = leased(cursors, heard)
        sweep_due_work(table, queues, clock)
        assert of(client, queues, "deliveries") == []

        clock.advance_to(lease.until)
        sweep_due_work(table, queues, clock)

        assert len(of(client, queues, "deliveries")) == 1

    def test_more_rows_than_a_page_holds_are_all_sent(
        self, table: Table, journal: Journal, clock: FakeClock, queues: FakeQueues, client: str, placed: AggregateId
    ) -> None:
        endpoints = [f"shop-{number:03}" for number in range(230)]
        for first in range(0, 230, 80):
            readers = [Reader(name, SHOP.since) for name in endpoints[first : first + 80]]
            journal.append(placed, an_event(f"event-{first}"), unchanged, readers=readers)

        sweep_due_work(table, queues, clock)

        assert sorted(str(each["endpoint"]) for each in of(client, queues, "deliveries")) == endpoints

    @pytest.mark.usefixtures("heard")
    def test_a_sweep_that_broke_off_is_made_good_by_the_next(self, table: Table, clock: FakeClock, client: str) -> None:
        broken = FakeQueues(clock, Calls(plan=at(1, Fault.THROTTLED)))
        with pytest.raises(QueueUnavailableError):
            sweep_due_work(table, broken, clock)

        sweep_due_work(table, broken, clock)

        assert of(client, broken, "deliveries") != []

    def test_sweeping_twice_changes_no_row(
        self, table: Table, clock: FakeClock, queues: FakeQueues, client: str, heard: AggregateId
    ) -> None:
        before = rows_of(table, heard)

        sweep_due_work(table, queues, clock)
        sweep_due_work(table, queues, clock)

        assert rows_of(table, heard) == before
        assert len(of(client, queues, "deliveries")) == 2

    def test_events_that_wait_for_an_unknown_awb_are_listed_and_not_swept(
        self, table: Table, clock: FakeClock, queues: FakeQueues, client: str
    ) -> None:
        waiting = shipment_key(client, "AWB-9")
        table.write(Put(waiting, {"due_at": to_text(clock()), "due_shard": "unmatched"}, NEW))
        table.write(Put(parked_key(client, "AWB-9", "e1"), {"event_id": "e1"}, NEW))

        sweep_due_work(table, queues, clock)

        assert of(client, queues, "inbound") == []
        listed = table.query_due("unmatched", until=to_text(clock())).items
        assert waiting.pk in [row["PK"] for row in listed]


# ── helpers ─────────────────────────────────────────────────────────────────────────


def create(
    journal: Journal,
    aggregate: AggregateId,
    *,
    body: str = "{}",
    readers: Sequence[Reader] = (),
    also: Sequence[Write] = (),
) -> Created | Exists | Blocked:
    return journal.create(
        aggregate, {"body": body}, {"state": "PLACED", "changes": 0}, an_event("PLACED"), readers=readers, also=also
    )


def an_event(event_id: str) -> Event:
    now = FakeClock()()
    return Event(event_id, EventKind.TRACKED, now, now, notification=NotificationType.IN_TRANSIT)


def an_attempt(sequence: int) -> Attempt:
    return Attempt(
        sequence=sequence,
        at=FakeClock()(),
        outcome="delivered",
        status=200,
        elapsed_ms=20,
        answer="",
        expires_at=1_900_000_000,
        learned_at=FakeClock()(),
    )


def unchanged(_: Item) -> Mapping[str, Value]:
    return {}


def there(aggregate: AggregateId) -> Check:
    """A condition that holds."""
    return Check(aggregate.document, EXISTING)


def leased(cursors: Cursors, aggregate: AggregateId, endpoint: str = "shop") -> Lease:
    lease = cursors.lease(aggregate, endpoint)
    assert isinstance(lease, Lease), lease
    return lease


def leased_by_nobody_else(cursors: Cursors, aggregate: AggregateId) -> bool:
    return cursors.lease(aggregate, "shop") == NotDue("leased")


def still(lease: Lease | NotDue | None) -> Lease:
    assert isinstance(lease, Lease), "the lease was to be kept"
    return lease


def key_of(key: Key) -> dict[str, Value]:
    return {"PK": key.pk, "SK": key.sk}


def rows_of(table: Table, aggregate: AggregateId) -> list[Item]:
    return list(table.query(aggregate.pk).items)


def of(client: str, queues: FakeQueues, queue: QueueName) -> list[dict[str, Any]]:
    """What a queue holds about one client; engines are shared."""
    return [message for message in queues.messages(queue) if message["client"] == client]


def patiently[T](write: Callable[[], T]) -> T:
    """Come back after contention, as a redelivered message does."""
    for _ in range(50):
        try:
            return write()
        except TableContendedError:
            continue
    raise AssertionError("never got through")


def all_at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    start = Barrier(len(calls))

    def together(call: Callable[[], T]) -> T:
        start.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(together, calls))
