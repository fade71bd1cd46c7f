"""Labels: our own copy of a forward parcel's shipping label. WANTED → KEPT | HELD.

An aggregator's link may run out, so the PDF is fetched as soon as the parcel has its AWB, and kept. The LABEL row is
due from the transaction that books the parcel on: whoever dies in between leaves it to the sweeper. Keeping is
repeatable, and what tells subscribers is written with KEPT in one transaction, once for each booking.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from rms.aggregators import registry
from rms.aggregators.contract import (
    Account,
    Label,
    LabelResult,
    Refused,
    Unauthorized,
    Unknown,
    Working,
)
from rms.clients.accounts import open_account
from rms.clients.configuration import Configuration, configuration_of
from rms.core import Core
from rms.journal import AggregateId, Appended, Blocked, Duplicate, Event, EventKind
from rms.journal.cursors import CLOCK_SKEW
from rms.journal.events import maybe_text, number, text
from rms.journal.keys import due_shard
from rms.model.notification_type import NotificationType
from rms.platform.files import FilesUnavailableError
from rms.platform.http import HttpRequest, NoAnswer
from rms.platform.observability import count, logger
from rms.platform.table import AtMost, ConditionFailedError, Equals, Item, Update, Value
from rms.platform.times import from_text, to_text
from rms.shipments.booking import HELD, PATIENCE, SETTLE, BookingState
from rms.shipments.cancel_calls import shipment_of
from rms.shipments.label_files import (
    MAX_LABEL,
    Content,
    LabelSource,
    LabelState,
    Never,
    NotYet,
    Place,
    Wanted,
    in_time,
    problem_with_pdf,
)
from rms.shipments.transitions import state_key
from rms.shipments.wake import wake_tellers
from rms.shipments.walk import LEAST_SECONDS, call

FETCH_SECONDS: Final = 10.0
_PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Our copy is kept under this name."""

    file: str


@dataclass(frozen=True, slots=True)
class LabelPending:
    """It is wanted, and will be fetched in the background."""


@dataclass(frozen=True, slots=True)
class LabelHeld:
    """It could not be fetched, for this reason."""

    reason: str


type LabelOutcome = Labelled | LabelPending | LabelHeld


def settle_label(core: Core, aggregate: AggregateId, until: datetime) -> LabelOutcome | None:
    """Fetch a label that is due, keep it and have everybody told; None when there is nothing to do, or no time left.

    What is not there yet is asked for again with growing pauses and, after an hour, held for a person.
    """
    wanted = _due(core, aggregate, until)
    if wanted is None:
        return None
    configuration = configuration_of(core, aggregate.client)
    place = _place(core, configuration, wanted)
    match _fetched(core, wanted, place) if isinstance(place, Place) else place:
        case Content(pdf):
            outcome = _keep(core, configuration, wanted, pdf)
        case NotYet(reason, url):
            outcome = _wait(core, wanted, reason, url)
        case Never(reason):
            outcome = _hold(core, wanted, reason)
        case None:
            # The booking is gone, and nobody needs its label until the parcel is booked anew.
            outcome = _written(core, wanted, {"reason": "the parcel is not booked"}, ("due_at", "due_shard"))
    return outcome


def label_outcome(row: Item | None) -> LabelOutcome | None:
    """What a LABEL row says to the client who asks; None when no label is wanted."""
    if row is None:
        return None
    match LabelState(text(row, "state")):
        case LabelState.KEPT:
            return Labelled(text(row, "file"))
        case LabelState.HELD:
            return LabelHeld(text(row, "reason"))
        case LabelState.WANTED:
            return LabelPending()


def fetch_again(core: Core, aggregate: AggregateId, row: Item) -> None:
    """Start over with a label that is held: somebody asked for it again, so it is wanted still."""
    try:
        core.table.write(
            Update(
                aggregate.label,
                expect={"state": Equals(LabelState.HELD), "fence": Equals(text(row, "fence"))},
                set={
                    "state": LabelState.WANTED.value,
                    "looks": 0,
                    "due_at": to_text(core.clock()),
                    "due_shard": due_shard(aggregate.pk),
                },
            )
        )
    except ConditionFailedError:
        return  # another repeat of the call was quicker


# ── where a label is ────────────────────────────────────────────────────────────────


def _place(core: Core, configuration: Configuration, wanted: Wanted) -> Place | Content | NotYet | Never | None:
    """Where the label is, or the label itself; None when nothing is booked that it could be of."""
    if text(wanted.row, "source") == LabelSource.SHOP:
        from rms.shipments.shop_labels import label_of_shop  # noqa: PLC0415 - few labels are a shop's

        return label_of_shop(core, configuration, wanted)
    booking = wanted.booking
    if booking is None or text(booking, "state") != BookingState.BOOKED:
        return None
    return _label_of_aggregator(core, configuration, wanted, booking)


def _label_of_aggregator(
    core: Core, configuration: Configuration, wanted: Wanted, booking: Item
) -> Place | NotYet | Never:
    """Where the booking said, at first; afterwards where the aggregator says now, as links run out."""
    url = maybe_text(booking, "label_url")
    if url is not None and wanted.looks == 1:
        return Place(url)
    configured = configuration.accounts.get(text(booking, "account"))
    if configured is None:
        return Place(url) if url is not None else Never("the aggregator account is gone")
    aggregator = registry.aggregator_of(configured.aggregator)
    shipment = shipment_of(wanted.aggregate, booking)

    def ask(account: Account) -> HttpRequest:
        return in_time(core, wanted, aggregator.label(account, shipment))

    account = open_account(core, configuration.client, configured)
    result: LabelResult = call(core, aggregator, account, ask, aggregator.read_label)
    match result:
        case Label(fresh):
            return Place(fresh)
        case _ if url is not None:
            return Place(url)
        case Refused(_, code, words):
            return Never(f"the aggregator gives no label ({code}): {words}")
        case Working(reason) | Unknown(reason):
            return NotYet(reason)
        case Unauthorized():
            raise AssertionError("a token that is not accepted is a refusal by now")


def _fetched(core: Core, wanted: Wanted, place: Place) -> Content | NotYet:
    """The label at a URL. Nobody of ours typed that URL: it is checked like a client's, where it leads included."""
    base, _, query = place.url.partition("#")[0].partition("?")
    request = HttpRequest(
        "GET",
        base,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={"Accept": _PDF},
        total_seconds=FETCH_SECONDS,
        most_bytes=MAX_LABEL,
    )
    answer = core.http.send(in_time(core, wanted, request))
    problem = problem_with_pdf(answer)
    if problem is not None or isinstance(answer, NoAnswer):
        return NotYet(problem or "", place.url)
    return Content(answer.body)


# ── what comes of it ────────────────────────────────────────────────────────────────


def _due(core: Core, aggregate: AggregateId, until: datetime) -> Wanted | None:
    """The right to fetch a label that is due; None when none is, there is no time, or somebody else has it."""
    if aggregate.kind != "S":
        return None  # a return travels without
    rows = core.table.get_many([aggregate.label, aggregate.booking])
    row = rows.get(aggregate.label)
    if row is None or text(row, "state") != LabelState.WANTED or maybe_text(row, "due_at") is None:
        return None
    if (until - core.clock()).total_seconds() < LEAST_SECONDS:
        return None  # it stays due
    now = core.clock()
    fence, looks = core.fences(), number(row, "looks") + 1
    try:
        core.table.write(
            Update(
                aggregate.label,
                expect={
                    "fence": Equals(text(row, "fence")),
                    "state": Equals(LabelState.WANTED),
                    "due_at": AtMost(to_text(now + CLOCK_SKEW)),
                },
                set={"fence": fence, "looks": looks, "due_at": to_text(now + SETTLE)},
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        if there is None or there.get("fence") != fence:
            return None
    return Wanted(aggregate, row, rows.get(aggregate.booking), fence, looks, until)


def _keep(core: Core, configuration: Configuration, wanted: Wanted, pdf: bytes) -> LabelOutcome:
    """Keep the file, then note it and tell of it in one transaction."""
    aggregate, file = wanted.aggregate, _file_of(wanted)
    try:
        core.files.keep(file, pdf, _PDF)
    except FilesUnavailableError:
        logger.warning("label not kept", reference=wanted.reference)
        return _wait(core, wanted, "our own store of labels did not answer", None)
    now = core.clock()
    status = core.journal.status(aggregate)
    assert status is not None, "a label is wanted of a parcel that is there"
    known = {name: maybe_text(status, name) for name in ("aggregator", "awb", "courier")}
    event = Event(
        event_id=f"LABELLED:{wanted.reference}",
        kind=EventKind.LABELLED,
        occurred_at=now,
        received_at=now,
        notification=NotificationType.SHIPPING_LABEL_GENERATED,
        facts={name: value for name, value in known.items() if value is not None},
    )
    done = Update(
        aggregate.label,
        expect={"fence": Equals(wanted.fence)},
        set={"state": LabelState.KEPT.value, "file": file, "kept_at": to_text(now)},
        remove=("due_at", "due_shard", "reason"),
    )
    match core.journal.append(aggregate, event, _labelled, readers=configuration.readers, also=[done], status=status):
        case Appended(readers=readers):
            wake_tellers(core, aggregate, readers)
            return Labelled(file)
        case Duplicate() | Blocked():
            return _as_it_stands(core, aggregate)


def _labelled(status: Item) -> Mapping[str, Value]:
    """A label says nothing of where a parcel is: it is as old as the AWB, however late it was fetched."""
    name = NotificationType.SHIPPING_LABEL_GENERATED
    key = state_key(name, from_text(text(status, "created_at")))
    if key is None or key <= (maybe_text(status, "state_key") or ""):
        return {}
    return {"state": name.value, "state_key": key}


def _wait(core: Core, wanted: Wanted, reason: str, url: str | None) -> LabelOutcome:
    """Not there: ask again after a pause that grows; after the last pause, hold it for a person."""
    known: dict[str, Value] = {"url": url} if url is not None else {}
    if wanted.looks >= len(PATIENCE):
        return _hold(core, wanted, reason, known)
    logger.info("label not there yet", reference=wanted.reference, looks=wanted.looks)
    again_at = to_text(core.clock() + PATIENCE[wanted.looks])
    return _written(core, wanted, {**known, "reason": reason, "due_at": again_at})


def _hold(core: Core, wanted: Wanted, reason: str, known: Mapping[str, Value] | None = None) -> LabelOutcome:
    """Leave a label to a person: it stands in the index of what is held, and in the parcel's timeline."""
    aggregate, now = wanted.aggregate, core.clock()
    held = Update(
        aggregate.label,
        expect={"fence": Equals(wanted.fence)},
        set={
            **(known or {}),
            "state": LabelState.HELD.value,
            "reason": reason,
            "due_shard": HELD,
            "due_at": to_text(now),
        },
    )
    event = Event(
        event_id=f"LABEL_HELD:{wanted.fence}",
        kind=EventKind.LABEL_HELD,
        occurred_at=now,
        received_at=now,
        facts={"reason": reason},
    )
    match core.journal.append(aggregate, event, lambda _: {}, also=[held]):
        case Appended():
            count("LabelHeld")
            logger.error("label held", reference=wanted.reference, looks=wanted.looks)
            return LabelHeld(reason)
        case Duplicate() | Blocked():
            return _as_it_stands(core, aggregate)


def _written(core: Core, wanted: Wanted, what: Mapping[str, Value], gone: tuple[str, ...] = ()) -> LabelOutcome:
    try:
        core.table.write(Update(wanted.aggregate.label, expect={"fence": Equals(wanted.fence)}, set=what, remove=gone))
    except ConditionFailedError:
        return _as_it_stands(core, wanted.aggregate)
    return LabelPending()


def _as_it_stands(core: Core, aggregate: AggregateId) -> LabelOutcome:
    outcome = label_outcome(core.table.get(aggregate.label))
    assert outcome is not None, "a label row is never removed"
    return outcome


def _file_of(wanted: Wanted) -> str:
    """The name of the copy: the same for every try at one booking's label; codes are free text, hence a digest."""
    aggregate = wanted.aggregate
    named = f"{aggregate.kind}#{aggregate.code}\n{wanted.reference}"
    return f"labels/{aggregate.client}/{hashlib.sha256(named.encode()).hexdigest()[:40]}.pdf"
