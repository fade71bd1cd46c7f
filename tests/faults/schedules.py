"""Random schedules: several returns at once, everybody interleaved, several faults per run; each told by its seed.

The seed also says who books: Clickpost in half of them, else one of the other aggregators. What channels book and what
shoppers place on a portal is Clickpost's in all.

`python -m tests.faults.schedules --seed 123` plays one again and says what it did; `--count N` plays seeds 0 to N - 1.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final

from rms.journal.due import sweep_due_work
from rms.platform.queues import QueueUnavailableError
from rms.platform.table import TableContendedError, TableUnavailableError
from rms.returns import create_return
from rms.returns.requests import read_return_order
from rms.returns.terms import terms_of
from sandbox.faults import Fault as PartnerFault
from sandbox.faults import Then, WebhookFault, WebhookThen
from tests.builders import a_channel_booked_body, a_return_order_body, as_bytes
from tests.fakes.calls import Call, Fault, ProcessKilledError
from tests.fakes.queues import QUEUES, Received
from tests.faults.invariants import Breach, Kind, breaches
from tests.faults.run import Late, Run, quiet
from tests.partners import SANDBOX, WITHOUT_QC
from tests.world import CLIENT

CI_SCHEDULES: Final = 4_000
"""Schedules that every run of the tests plays; `make faults` plays more, with other seeds."""

CHUNK: Final = 250

BOOKING_FAULTS: Final = (
    PartnerFault(Then.HANGS),
    PartnerFault(Then.HANGS, does_the_work=False),
    PartnerFault(Then.HANGS, late_seconds=45.0),
    PartnerFault(Then.STATUS, status=502),
    PartnerFault(Then.STATUS, status=429, does_the_work=False, retry_after="2"),
    PartnerFault(Then.GARBAGE),
    PartnerFault(Then.TRUNCATED),
    PartnerFault(Then.CLOSES),
)
ENDPOINT_FAULTS: Final = (
    PartnerFault(Then.STATUS, does_the_work=False, status=503),
    PartnerFault(Then.STATUS, does_the_work=False, status=429, retry_after="20"),
    PartnerFault(Then.STATUS, does_the_work=True, status=500),
    PartnerFault(Then.HANGS),
    PartnerFault(Then.HANGS, does_the_work=False),
    PartnerFault(Then.CLOSES, does_the_work=False),
)
WEBHOOK_FAULTS: Final = (
    WebhookFault(WebhookThen.DUPLICATE),
    WebhookFault(WebhookThen.SHUFFLE, size=3),
    WebhookFault(WebhookThen.DELAY, seconds=30.0),
)


@dataclass(frozen=True, slots=True)
class Played:
    """How an aggregator is played."""

    states: Mapping[object, str]
    """What a return is after a parcel's last scan."""

    lives: tuple[str, ...]
    fails: tuple[str, ...]
    """Calls that go wrong now and then."""

    settings: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """What its simulation is set to: one of each."""

    timeless: bool = False
    """Its webhooks tell no time, so that what comes last happened last."""


PLAYED: Final[Mapping[str, Played]] = {
    "CLICKPOST": Played(
        states={
            25: "OUT_FOR_PICKUP",
            3: "PICKUP_CANCELLED",
            4: "RETURN_PICKED_UP",
            5: "IN_TRANSIT",
            6: "OUT_FOR_DELIVERY",
            8: "DELIVERED",
            10: "CANCELLED",
        },
        lives=("delivered", "delivered", "pickup_failed"),
        fails=("create-order", "cancel-order"),
        settings={
            "asynchronous": (*[False] * 9, True),
            "async_seconds": (0.0, 40.0),
            "async_ends": (200, 323),
        },
    ),
    "SHIPROCKET": Played(
        states={
            "pickup_generated": "PICKUP_SCHEDULED",
            "out_for_pickup": "OUT_FOR_PICKUP",
            "pickup_exception": "PICKUP_ERROR",
            "picked_up": "RETURN_PICKED_UP",
            "in_transit": "IN_TRANSIT",
            "out_for_delivery": "OUT_FOR_DELIVERY",
            "delivered": "DELIVERED",
            "cancellation_requested": "CANCELLATION_REQUESTED",
            "cancelled": "CANCELLED",
        },
        lives=("delivered", "delivered", "pickup_failed"),
        fails=(
            "login",
            "create-return",
            "serviceability",
            "assign-awb",
            "assign-awb",
            "pickup",
            "list-returns",
            "show",
            "cancel-awbs",
        ),
        settings={"assigns_later": (*[False] * 9, True)},
    ),
    "SHIPWAY": Played(
        states={
            "RSCH": "PICKUP_SCHEDULED",
            "ROOP": "OUT_FOR_PICKUP",
            "RPF": "PICKUP_ERROR",
            "RPKP": "RETURN_PICKED_UP",
            "RINT": "IN_TRANSIT",
            "RDEL": "DELIVERED",
            "RCAN": "CANCELLED",
        },
        lives=("returned", "returned", "pickup_failed"),
        fails=("create-return", "create-return", "get-orders", "tracking", "cancel"),
        settings={"return_awb_after": (0, 1, 2), "history": ("activities", "history")},
    ),
    SANDBOX: Played(
        states={
            "OUT_FOR_PICKUP": "OUT_FOR_PICKUP",
            "PICKUP_CANCELED": "PICKUP_CANCELLED",
            "RETURN_PICKUP": "RETURN_PICKED_UP",
            "IN_TRANSIT": "IN_TRANSIT",
            "OUT_FOR_DELIVERY": "OUT_FOR_DELIVERY",
            "DELIVERED": "DELIVERED",
        },
        lives=("returned", "returned", "pickup_cancelled"),
        fails=("generate", "generate", "couriers", "get"),
        settings={"awb_comes_with": ("generate", "generate", "get"), "pending_gets": (0, 0, 1)},
        timeless=True,
    ),
}
BOOKS: Final = (*["CLICKPOST"] * 4, "SHIPROCKET", "SHIPROCKET", "SHIPWAY", SANDBOX)
"""Who books, by the seed."""

POSTED: Final = "POST /return/return-orders"

_MOST_SCANS: Final = 5
_LIKELY_CANCELLED: Final = 0.5
"""How likely a client who could cancel does, when it comes to it."""

_MOST_SECONDS_WITHIN_A_CALL: Final = 20


class Schedule:
    """One seed: who does what when, and what goes wrong."""

    def __init__(self, seed: int) -> None:
        self.dice = dice = random.Random(seed)  # noqa: S311 - a schedule that can be repeated, no secret
        self.planned = {
            dice.randint(1, 90): dice.choice([*Fault, Fault.KILLED_AFTER])
            for _ in range(dice.choice((0, 1, 1, 2, 3, 4)))
        }
        self.books = BOOKS[seed % len(BOOKS)]
        drawn = {name: dice.choice(values) for name, values in PLAYED[self.books].settings.items()}
        self.run = Run(self._fault, late=dice.choice(list(Late)), seed=seed, endpoints=dice.choice((1, 1, 2)))
        if self.books == "CLICKPOST":
            self.run.world.clickpost.change(drawn)
        else:
            self.run.onboard(self.books, **drawn)
        self.run.world.table.index_lag = dice.choice((0, 0, 0, 2))
        self.restless = dice.choice((0.0, 0.05, 0.15, 0.3))
        """How likely somebody else acts in the middle of a call."""
        self.run.faulty = bool(self.planned)
        self.log: list[str] = []
        self.awbs: list[str] = []
        self.endpoints_fail = 0
        self._within = False
        self._posting = False
        self._seconds_within = 0
        self._bodies: list[dict[str, Any]] = []
        self._portal = 0

    def play(self) -> list[Breach]:
        """Play it to the end; answers the promises that were not kept."""
        run, dice = self.run, self.dice
        run.strike()
        run.calls.before = self._meanwhile
        self._partners_fail()
        todo = [self._a_return() for _ in range(dice.choice((1, 1, 1, 2, 2, 3)))]
        for _ in range(dice.randint(6, 16)):
            step = dice.choice([*todo, self._scan, self._scan, *self._anybody()])
            if step in todo:
                todo.remove(step)
            step()
        for step in todo:
            step()
        run.calls.before = lambda _: None
        run.end()
        while self._scans_are_left():
            self._scan()
        run.end()
        return [*breaches(run), *self._wrong_states(), *self._told_twice()]

    # ── what happens ────────────────────────────────────────────────────────────────

    def _a_return(self) -> Callable[[], None]:
        number = len(self._bodies)
        self._bodies.append({})
        match self.dice.choice(("booked", "booked", "channel", "portal")):
            case "booked":
                asked = {} if self.books == "CLICKPOST" else WITHOUT_QC
                names = {"returnOrderCode": f"RET-{number}", "forwardOrderCode": f"SO-{number}"}
                # Each from a door of its own: the same goods of one shopper twice would be a parcel too many.
                body = a_return_order_body(**names, **asked, **{"pickupAddress.phone": f"982005550{number}"})
                return lambda: self._post(number, body)
            case "channel":
                awb = f"88000{number}"
                self.run.world.clickpost.add_parcel({"awb": awb, "courier": 25, "is_return": True})
                self.awbs.append(awb)
                body = a_channel_booked_body(
                    returnOrderCode=f"RET-{number}", forwardOrderCode=f"SO-{number}", awbNumber=awb
                )
                return lambda: self._post(number, body)
            case _:
                return lambda: self._place(number)

    def _post(self, number: int, body: dict[str, Any]) -> None:
        self._say(f"client posts {body['returnOrderCode']}")
        self._bodies[number] = body
        self._posting = True
        try:
            self.run.post(body)
        finally:
            self._posting = False

    def _place(self, number: int) -> None:
        self._say(f"shopper places RE-{number}")
        placed = self.run.world.clickpost.place_return(
            {
                "return_reference_number": f"RE-{number}",
                "forward_order_id": f"SO-{number}",
                "forward_awb": f"FW-{number}",
            }
        )
        assert placed.awb is not None
        self.awbs.append(placed.awb)

    def _scan(self) -> None:
        booked = [
            (name, awb)
            for name, engine in self.run.world.engines.items()
            for booking in engine.bookings.values()
            for awb in booking.awbs[:1]
        ]
        name, awb = self.dice.choice([*(("CLICKPOST", awb) for awb in self.awbs), *booked, ("", "")])
        if not awb or len((engine := self.run.world.engines[name]).parcel(awb).scans) >= _MOST_SCANS:
            return
        life = self.dice.choice(PLAYED[name].lives)
        made = engine.advance(awb, life=None if engine.parcel(awb).scans else life)
        self._say(f"{awb} is scanned: {len(made)}")

    def _scans_are_left(self) -> bool:
        """A parcel that was never scanned proves little: once in a while let one more scan come at the end."""
        return self.dice.random() < 0.3

    def _anybody(self) -> tuple[Callable[[], object], ...]:
        return (
            self.run._post_webhooks,
            self.run._retry,
            *(lambda queue=queue: self.run.work(queue, self.dice.randint(1, 4)) for queue in QUEUES),
            self._time_passes,
            self._queue_doubles,
            self._replay,
            self._cancel,
        )

    def _time_passes(self) -> None:
        seconds = self.dice.choice((1, 5, 30, 61, 95, 200))
        self._say(f"{seconds} s pass")
        self.run.world.clock.advance(seconds)
        self.run.pass_time()

    def _queue_doubles(self) -> None:
        if self.dice.random() < 0.3:
            queue = self.dice.choice(QUEUES)
            self._say(f"SQS doubles what waits in {queue}")
            self.run.world.queues.duplicate(queue)

    def _replay(self) -> None:
        known = [request.code for request in self.run.requests if request.code and request.answer is not None]
        if known and self.dice.random() < 0.2:
            self._say(f"client replays {known[0]}")
            self.run.replay(known[0])

    def _cancel(self) -> None:
        known = [str(request.code) for request in self.run.requests if request.answer and request.name == POSTED]
        if known and self.dice.random() < _LIKELY_CANCELLED:
            code = self.dice.choice(known)
            self._say(f"client cancels {code}")
            self.run.cancel(code)

    # ── what goes wrong ─────────────────────────────────────────────────────────────

    def _fault(self, call: Call) -> Fault | None:
        fault = self.planned.get(call.number)
        if fault is Fault.REPEATED and call.port == "http":
            return None  # our HTTP client repeats nothing by itself
        if fault is Fault.LATE and call.port == "http" and self.run.late is Late.LAST:
            return Fault.REPLY_LOST  # no request is on its way for hours
        if fault is not None:
            self._say(f"call {call.number} ({call.port}, {call.operation}) {fault.name}")
        return fault

    def _partners_fail(self) -> None:
        dice, world = self.dice, self.run.world
        for _ in range(dice.choice((0, 0, 1, 2))):
            self.run.faulty = True
            self.run.world.engines[self.books].fail(dice.choice(PLAYED[self.books].fails), dice.choice(BOOKING_FAULTS))
        self.endpoints_fail = dice.choice((0, 0, 1, 3))
        for _ in range(self.endpoints_fail):
            world.receiver.fail(dice.choice(world.endpoints), dice.choice(ENDPOINT_FAULTS))
        for engine in self.run.world.engines.values():
            if dice.random() < 0.5:
                engine.webhook_faults.sometimes("webhook", dice.choice(WEBHOOK_FAULTS), 0.3)

    def _meanwhile(self, call: Call) -> None:
        """In the middle of somebody's call, now and then, another environment does a piece of its own work."""
        if self._within or call.port == "intake" or self.dice.random() >= self.restless:
            return
        self._within = True
        try:
            self.dice.choice((self._other_worker, self._other_worker, self._other_sweep, self._same_post, self._slow))()
        finally:
            self._within = False

    def _other_worker(self) -> None:
        """It gets a message of its own, or SQS hands out once more what somebody is at."""
        world, queue = self.run.world, self.dice.choice(QUEUES)
        here, world.core = world.core, world.another_environment()
        waiting = world.queues._waiting[queue]
        try:
            if waiting and self.dice.random() < 0.5:
                one = self.dice.choice(waiting)
                again = Received(one.message_id, one.body, one.receives, one.group)
                self.run.arrives(f"{queue} once more", lambda: world.hand_over(queue, [again]))
            else:
                self.run.work(queue, 1)
        finally:
            world.core = here

    def _other_sweep(self) -> None:
        core = self.run.world.another_environment()
        try:
            sweep_due_work(core.table, core.queues, core.clock)
        except (ProcessKilledError, TableUnavailableError, QueueUnavailableError):
            return

    def _same_post(self) -> None:
        """The client did not wait: the call that is being worked on comes a second time."""
        body = next((body for body in reversed(self._bodies) if body), None)
        if not self._posting or body is None:
            return
        self._say("the same POST comes meanwhile")
        core = self.run.world.another_environment()
        try:
            create_return(core, CLIENT, read_return_order(as_bytes(body), *terms_of(core, CLIENT)))
        except (ProcessKilledError, TableUnavailableError, TableContendedError):
            return

    def _slow(self) -> None:
        """The environment stalls, for less than Lambda lets it live."""
        if self._seconds_within < _MOST_SECONDS_WITHIN_A_CALL:
            self._seconds_within += 5
            self.run.world.clock.advance(5)

    # ── how it must end ─────────────────────────────────────────────────────────────

    def _wrong_states(self) -> Iterator[Breach]:
        owners = {row["PK"]: str(row.get("code", "")) for row in self.run.world.table.rows() if row["SK"] == "SHIPMENT"}
        for name, engine in self.run.world.engines.items():
            for parcel in engine.parcels():
                owner = owners.get(f"C#{CLIENT}#A#{parcel.awb}")
                if owner:
                    yield from self._wrong_state(owner, [scan.code for scan in parcel.scans], PLAYED[name])
                else:
                    yield Breach(Kind.LOST_RETURN, f"nobody knows {parcel.awb}")

    def _wrong_state(self, owner: str, scans: Sequence[object], played: Played) -> Iterator[Breach]:
        rows, names = self.run.world.rows_of(owner), [played.states[scan] for scan in scans]
        possible = names[-1:]
        if played.timeless:
            possible = ["DELIVERED"] if "DELIVERED" in names else names
        if rows["STATUS"].get("cancelled_at") and "BOOKING" in rows and "awb" not in rows["BOOKING"]:
            possible = [*possible, "CANCELLED"]  # what the channel booked goes on being scanned
        if names and rows["STATUS"]["state"] not in possible:
            yield Breach(Kind.OTHER, f"{owner} is {rows['STATUS']['state']} after {names}")
        tracked = [
            row.get("notification", "CANCELLED")  # nothing else is told by RMS itself and so not once more
            for sk, row in rows.items()
            if sk.startswith("EVENT#") and row["kind"] == "TRACKED"
        ]
        if sorted(names) != sorted(name for name in tracked if name in played.states.values()):
            yield Breach(Kind.LOST_NOTIFICATION, f"{owner}: {tracked} of {names}")

    def _told_twice(self) -> list[Breach]:
        """Where nothing failed and nobody asked for it, nothing is told twice, however many look after one cursor."""
        if self.planned or self.endpoints_fail or any("replay" in request.name for request in self.run.requests):
            return []
        again = [delivery for delivery in self.run.world.receiver.deliveries() if delivery.seen_before]
        return [Breach(Kind.OTHER, f"{each.aggregate} {each.sequence} told twice to {each.endpoint}") for each in again]

    def _say(self, what: str) -> None:
        self.log.append(f"{self.run.world.clock():%H:%M:%S} {what}")


def broken(seed: int) -> list[str]:
    """What a seed breaks, in words; empty when every promise is kept."""
    schedule = Schedule(seed)
    try:
        found = [f"{breach.kind}: {breach.what}" for breach in schedule.play()]
    except AssertionError as problem:
        found = [f"other: {problem}"]
    return [f"seed {seed}: {what} (python -m tests.faults.schedules --seed {seed})" for what in found]


def play_some(seeds: Sequence[int]) -> list[str]:
    """What these seeds break."""
    with quiet():
        return [what for seed in seeds for what in broken(seed)]


def play_schedules(count: int, processes: int, say: Callable[[str], None], first: int = 0) -> list[str]:
    """Play so many seeds on so many processes and say how it went; answers what broke."""
    started, done = time.monotonic(), 0
    found: list[str] = []
    chunks = list(batched(range(first, first + count), CHUNK, strict=False))
    with ProcessPoolExecutor(processes) as pool:
        for number, broke in enumerate(pool.map(play_some, chunks), 1):
            done += len(chunks[number - 1])
            found += broke
            for what in broke:
                say(f"BROKEN {what}")
            if number % 8 == 0 or done == count:
                seconds = time.monotonic() - started
                say(f"  {done:>6,} random schedules, {len(found)} broken promises ({seconds:.0f} s)")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Play one seed aloud, or many."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.schedules", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one and say what happens")
    parser.add_argument("--count", type=int, default=CI_SCHEDULES)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    if options.seed is None:
        return 1 if play_schedules(options.count, options.processes, say, options.first) else 0
    with quiet():
        schedule = Schedule(options.seed)
        try:
            found = schedule.play()
        finally:
            for line in schedule.log:
                say(line)
    for breach in found:
        say(f"BROKEN {breach.kind}: {breach.what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
