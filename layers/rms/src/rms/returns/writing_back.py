"""Telling Returns Prime what QC found, by its own API: off unless a client's connection says so.

What is owed is a row, `WRITEBACK`, written with the warehouse's results and due at once. Whoever settles it reads the
request first and calls only what the request does not show as done: so does whoever comes after a crash or a time-out,
and nothing is written twice that a look can tell. A request is told once all its returns are processed; what the
warehouse corrects afterwards is told once more. See docs/adr, "What QC found is written back by a look and a call".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from rms.clients.configuration import ConfiguredPartner, configuration_of
from rms.clients.returns_prime import open_returns_prime, turn_off_write_back
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import due_shard, return_id
from rms.model import processing
from rms.partners.results import Absent, Blame, Busy, Refused, Unknown
from rms.partners.returns_prime import (
    NotOffered,
    Request,
    Settings,
    Standing,
    Verdict,
    Write,
    Written,
    ask_again,
    ask_for_number,
    body_digest,
    read_numbered,
    read_request,
    read_written,
    standing,
    write_back,
)
from rms.partners.returns_prime.requests import PAUSE_SECONDS
from rms.platform.http import HttpRequest
from rms.platform.observability import count, logger
from rms.platform.table import AbsentOr, AtMost, ConditionFailedError, Equals, Expect, Item, Key, Update, Value
from rms.platform.times import to_text
from rms.returns.owing import WriteBackState
from rms.returns.requested import owners_of
from rms.returns.results import calls_of, judged_items
from rms.shipments.booking import HELD
from rms.shipments.order_states import OrderState, order_state

LEASE: Final = timedelta(seconds=120)
"""How long a row belongs to whoever settles it: longer than a worker lives, so that a dead one's call has landed."""

TIME: Final = timedelta(seconds=40)
"""No call is begun later than so long after the first."""

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240, 480, 480))
"""Pauses between tries: a day in all, then a person looks."""


@dataclass(frozen=True, slots=True)
class _Later:
    """Nobody can say, or Returns Prime is busy: try again after so many seconds at least."""

    reason: str
    seconds: float = 0


@dataclass(frozen=True, slots=True)
class _Ended:
    """There is nothing to do for now."""

    state: WriteBackState
    reason: str = ""


@dataclass(slots=True)
class _Turn:
    """One worker's turn at a row: what it wanted when it was leased, and what has been told for certain, by call."""

    core: Core
    row: Key
    processed: AggregateId
    """The return of the request that the warehouse spoke of last."""
    fence: str
    wanted: int
    tries: int
    told: dict[str, str]
    until: datetime
    calls: list[str] = field(default_factory=list)
    """The calls that this turn has made."""


def settle_write_back(core: Core, first: AggregateId) -> WriteBackState | None:
    """Tell what is due of the request that this return is the first of; None when nothing is, or somebody is at it.

    Raises:
        TableContendedError, TableUnavailableError: it is still due.
    """
    row, now = core.table.get(first.write_back), core.clock()
    if row is None or "due_at" not in row or text(row, "due_at") > to_text(now) or row.get("due_shard") == HELD:
        return None
    turn = _leased(core, first, row, now)
    if turn is None:
        return None
    ended = _pursue(turn)
    return _try_later(turn, ended) if isinstance(ended, _Later) else _end(turn, ended)


def _leased(core: Core, first: AggregateId, row: Item, now: datetime) -> _Turn | None:
    """The turn, unless somebody else has it."""
    fence, until = core.fences(), to_text(now + LEASE)
    lease = Update(
        first.write_back,
        expect={"wanted": Equals(number(row, "wanted")), "leased_until": AbsentOr(AtMost(to_text(now)))},
        set={"fence": fence, "leased_until": until, "due_at": until},
        add={"tries": 1},
    )
    try:
        row = core.table.write(lease)
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("fence") != fence:
            return None
        row = there  # ours: the reply to a first try was lost
    told = row.get("told", {})
    assert isinstance(told, Mapping)
    return _Turn(
        core,
        first.write_back,
        return_id(first.client, text(row, "processed")),
        fence,
        wanted=number(row, "wanted"),
        tries=number(row, "tries"),
        told={name: str(digest) for name, digest in told.items()},
        until=now + TIME,
    )


# ── what is to be told ──────────────────────────────────────────────────────────────


def _pursue(turn: _Turn) -> _Later | _Ended:
    """Look at the request, then make what calls are left."""
    core, aggregate = turn.core, turn.processed
    connection = configuration_of(core, aggregate.client).returns_prime
    if connection is None or not connection.writes_back:
        return _Ended(WriteBackState.OFF)
    settings = open_returns_prime(core, aggregate.client, connection)
    request = _look(core, settings, aggregate)
    if not isinstance(request, Request):
        return request
    found = _results(core, aggregate, request)
    if found is None:
        return _Ended(WriteBackState.WAITING)
    verdicts, at = found
    calls = write_back(settings, request.id, verdicts, at)
    return _tell_all(turn, connection, request, calls)


def _look(core: Core, settings: Settings, aggregate: AggregateId) -> Request | _Later | _Ended:
    """The request as it stands: by its id where a webhook has brought it, else by the return's code."""
    status = core.table.get(aggregate.status)
    linked = maybe_text(status, "request") if status is not None else None
    if linked is not None:
        found = read_request(core.http.send(ask_again(settings, linked)), linked)
    else:
        found = read_numbered(core.http.send(ask_for_number(settings, aggregate.code)), aggregate.code)
    match found:
        case Absent() if linked is None:
            return _Ended(WriteBackState.NOT_THEIRS)
        case Absent():
            return _Ended(WriteBackState.HELD, "Returns Prime does not know the request any more")
        case Request():
            return found
        case failure:
            return _failed(failure)


def _results(core: Core, processed: AggregateId, request: Request) -> tuple[list[Verdict], datetime] | None:
    """What QC said of every item of the request, and when last; None while not all of its returns are processed.

    A cancelled return has no say, and what the warehouse found besides is nothing that the shopper asked to return.
    """
    owners = {owner for owner in owners_of(core, processed.client, request).values() if owner.kind == "R"}
    verdicts: list[Verdict] = []
    last: datetime | None = None
    for aggregate in sorted(owners | {processed}, key=lambda each: each.code):
        status = core.table.get(aggregate.status)
        if status is None or order_state(status) is OrderState.CANCELLED:
            continue
        if order_state(status) is not OrderState.PROCESSED:
            return None
        for code, judged in judged_items(core, aggregate, calls_of(status)).items():
            if not judged.result.excess:
                passed = judged.result.verdict is processing.Verdict.PASS
                verdicts.append(Verdict(code, passed=passed, reason=judged.result.reason))
            last = judged.said.at if last is None else max(last, judged.said.at)
    return (verdicts, last) if last is not None else None


def _tell_all(
    turn: _Turn, connection: ConfiguredPartner, request: Request, calls: Sequence[tuple[Write, HttpRequest]]
) -> _Later | _Ended:
    for write, call in calls:
        match standing(write, call, request, turn.told.get(write.value)):
            case Standing.TOO_LATE:
                return _Ended(WriteBackState.HELD, "QC was corrected when the request had come to its end")
            case Standing.TO_TELL:
                ended = _tell(turn, connection, write, call)
                if ended is not None:
                    return ended
            case Standing.TOLD:
                pass
        turn.told[write.value] = body_digest(call)
    return _Ended(WriteBackState.TOLD)


def _tell(turn: _Turn, connection: ConfiguredPartner, write: Write, call: HttpRequest) -> _Later | _Ended | None:
    """Make one call; None when it is told."""
    core = turn.core
    core.pause(PAUSE_SECONDS)
    if core.clock() > turn.until:
        return _Later("no time was left")
    match read_written(core.http.send(call)):
        case Written():
            turn.calls.append(write.value)
            return None
        case NotOffered(status):
            reason = f"answered {status}: Returns Prime does not offer this call"
            turn_off_write_back(core, turn.processed.client, connection, reason)
            return _Ended(WriteBackState.OFF, reason)
        case failure:
            return _failed(failure)


def _failed(failure: Refused | Busy | Unknown) -> _Later | _Ended:
    match failure:
        case Busy(seconds):
            return _Later("Returns Prime is busy", seconds)
        case Refused(Blame.DATA, code, words):
            return _Ended(WriteBackState.HELD, f"refused ({code}): {words}")
        case Refused(_, code, words):
            return _Later(f"refused ({code}): {words}")
        case Unknown(reason):
            return _Later(reason)


# ── what comes of it ────────────────────────────────────────────────────────────────


def _try_later(turn: _Turn, failure: _Later) -> WriteBackState:
    pause = next(islice(PAUSES, turn.tries - 1, None), None)
    if pause is None:
        return _end(turn, _Ended(WriteBackState.HELD, failure.reason))
    # Not the reason: it may quote Returns Prime, and that the shopper. It stands on the row.
    logger.info("write-back not settled", tries=turn.tries)
    at = turn.core.clock() + max(pause, timedelta(seconds=failure.seconds))
    _release(turn, {"due_at": to_text(at), "reason": failure.reason})
    return WriteBackState.WANTED


def _end(turn: _Turn, ended: _Ended) -> WriteBackState:
    """Note what came of it: on the row and, where somebody outside was told or a person must look, in the journal."""
    facts: dict[str, Value] = {"state": ended.state.value, "told": dict(turn.told)}
    if ended.reason:
        facts["reason"] = ended.reason
    held = ended.state is WriteBackState.HELD
    if held:
        facts |= {"due_shard": HELD, "due_at": to_text(turn.core.clock())}
    # Not if the warehouse has said more meanwhile: then it is due again.
    done = Update(
        turn.row,
        expect={**_mine(turn), "wanted": Equals(turn.wanted)},
        set=facts,
        remove=("leased_until", *(() if held else ("due_at", "due_shard")), *(() if ended.reason else ("reason",))),
    )
    if not _noted(turn, ended, done):
        _release(turn, {"due_at": to_text(turn.core.clock())})
        return WriteBackState.WANTED
    if held:
        count("WriteBackHeld")
        logger.error("write-back held", tries=turn.tries)  # not the reason, as above
    return ended.state


def _noted(turn: _Turn, ended: _Ended, done: Update) -> bool:
    """Whether it is noted; False when the row was wanted anew, or is somebody else's."""
    kind = {WriteBackState.TOLD: EventKind.WRITTEN_BACK, WriteBackState.HELD: EventKind.WRITE_BACK_HELD}.get(
        ended.state
    )
    core, now = turn.core, turn.core.clock()
    if kind is None:
        return _written(core, done, turn.fence)
    calls = ", ".join(turn.calls)
    facts = {name: said for name, said in {"calls": calls, "reason": ended.reason[:200]}.items() if said}
    event = Event(f"{kind}:{turn.fence}", kind, now, now, None, facts)
    match core.journal.append(turn.processed, event, lambda _: {}, also=[done]):
        case Appended() | Duplicate():
            return True
        case Blocked():
            return False


def _release(turn: _Turn, facts: Mapping[str, Value]) -> None:
    """Let it be due again; nothing, when it is somebody else's by now."""
    row = turn.core.table.get(turn.row)
    due: dict[str, Value] = {"due_shard": due_shard(turn.row.pk), "told": dict(turn.told), **facts}
    if row is not None and row.get("wanted") != turn.wanted:
        due["due_at"] = to_text(turn.core.clock())  # wanted anew
    _written(
        turn.core,
        Update(turn.row, expect=_mine(turn), set=due, remove=("leased_until",)),
        turn.fence,
    )


def _mine(turn: _Turn) -> Expect:
    return {"fence": Equals(turn.fence)}


def _written(core: Core, write: Update, fence: str) -> bool:
    """Whether it is written, by this try or by one whose reply was lost."""
    try:
        core.table.write(write)
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and there.get("fence") == fence and "leased_until" not in there
    return True
