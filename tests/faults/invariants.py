"""What must be true once everything has settled, whatever went wrong on the way."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rms.aggregators.registry import aggregator_of
from rms.journal.keys import return_id
from rms.model.processing import Verdict
from rms.returns.results import Judged, judged_items
from tests.faults.run import Run
from tests.partners import KINDS
from tests.world import CLIENT

type Row = Mapping[str, Any]

_RETURNS: Final = (f"C#{CLIENT}#R#", f"C#{CLIENT}#S#")
_NAMES: Final = f"C#{CLIENT}#A#"
_EXCHANGE_ENDS: Final = {"EXCHANGE_RELEASED", "EXCHANGE_CANCELLED", "EXCHANGE_HELD"}
_DISORDER: Final = {"out of order", "overtook"}

NEVER_PROVE_ABSENCE: Final = {KINDS["SHIPWAY"].account.alias}
"""Accounts at which no search proves that a return is not booked: nothing is sent twice there, a person must look."""


class Kind(StrEnum):
    """What a breach costs."""

    DUPLICATE_AWB = "duplicate AWBs"
    LOST_RETURN = "lost returns"
    LOST_NOTIFICATION = "lost notifications"
    MISORDERED = "misordered notifications"
    STILL_COMING = "cancelled, still coming"
    RELEASED = "released, though it failed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Breach:
    """One promise that was not kept."""

    kind: Kind
    what: str


def breaches(run: Run) -> list[Breach]:
    """Every promise that a settled run has not kept."""
    found = _Found.of(run)
    return [
        *_returns(found),
        *_parcels(found),
        *_labels(found),
        *_cancellations(found),
        *_watched(found),
        *_exchanges(found),
        *_journals(found),
        *_webhooks(found),
        *_notifications(found),
        *_leftovers(found),
    ]


type Ends = Mapping[str, tuple[str, Sequence[str]]]
"""Per return its last state, and what every endpoint hears of it, sorted."""


def other_ends(run: Run, ends: Ends) -> Iterator[Breach]:
    """Where a settled run did not end as it must."""
    found = _Found.of(run)
    for code in found.returns.keys() - ends.keys():
        yield Breach(Kind.OTHER, f"{code}: nobody asked for it")
    for code, (state, told) in ends.items():
        if code not in found.returns and not run.client_repeats:
            continue  # it never came to RMS
        if code not in found.returns:
            yield Breach(Kind.LOST_RETURN, f"{code} is not there")
            continue
        if left_to_a_person(run, found.returns[code]):
            continue
        if (now := found.returns[code]["STATUS"]["state"]) != state:
            yield Breach(Kind.OTHER, f"{code} is {now}, not {state}")
        for endpoint in run.world.endpoints:
            heard = sorted(str(name) for _, name in run.world.receiver.heard(endpoint, code))
            if heard != sorted(told):
                kind = Kind.LOST_NOTIFICATION if set(told) - set(heard) else Kind.OTHER
                yield Breach(kind, f"{code}: {endpoint} heard {heard}")


def left_to_a_person(run: Run, rows: Mapping[str, Row]) -> bool:
    """Whether a booking or a label is held that may be, because something went wrong.

    That nothing was made is another promise. A label comes with the AWB there, and nothing brings a lost one again.
    """
    booking, label = rows.get("BOOKING", {}), rows.get("LABEL", {})
    held = "HELD" in {booking.get("state"), label.get("state")}
    return run.faulty and held and booking.get("account") in NEVER_PROVE_ABSENCE


@dataclass(frozen=True, slots=True)
class _Found:
    """The table of a settled run, taken apart."""

    run: Run
    returns: Mapping[str, Mapping[str, Row]]
    names: Mapping[str, Mapping[str, Row]]

    @classmethod
    def of(cls, run: Run) -> "_Found":
        returns: dict[str, dict[str, Row]] = defaultdict(dict)
        names: dict[str, dict[str, Row]] = defaultdict(dict)
        for row in run.world.table.rows():
            pk, sk = str(row["PK"]), str(row["SK"])
            if pk.startswith(_RETURNS):
                returns[pk.split("#", 3)[3]][sk] = row
            elif pk.startswith(_NAMES):
                names[pk.removeprefix(_NAMES)][sk] = row
        return cls(run, dict(returns), dict(names))

    def is_return(self, code: str) -> bool:
        return str(self.returns[code]["DOCUMENT"]["PK"]).startswith(_RETURNS[0])

    def events(self, code: str) -> list[Row]:
        rows = self.returns[code]
        return [rows[sk] for sk in sorted(rows) if sk.startswith("EVENT#")]


def _returns(found: _Found) -> Iterator[Breach]:
    for request in found.run.requests:
        if request.answer is None and not found.run.client_repeats:
            continue  # the client gave up; nothing was promised
        if request.answer is None:
            yield Breach(Kind.LOST_RETURN, f"{request.name} {request.code}: never answered")
        elif request.answer.status < 300 and request.code and "DOCUMENT" not in found.returns.get(request.code, {}):
            yield Breach(Kind.LOST_RETURN, f"{request.code}: answered {request.answer.status}, and not there")


def _parcels(found: _Found) -> Iterator[Breach]:
    world = found.run.world
    truths = [engine.describe_bookings() for engine in world.engines.values()]
    yield from (breach for truth in truths for breach in _doubled(truth))
    known = {rows["BOOKING"].get("awb") for rows in found.returns.values() if "BOOKING" in rows}
    for booking in (booking for truth in truths for booking in truth["bookings"]):
        for awb in booking["awbs"][:1]:
            if awb not in known:
                yield Breach(Kind.LOST_RETURN, f"{awb}: booked, and no return knows of it")
    for code, rows in found.returns.items():
        state = rows.get("BOOKING", {}).get("state", "BOOKED")
        if state not in {"BOOKED", "REFUSED", "CANCELLED"} and not left_to_a_person(found.run, rows):
            yield Breach(Kind.OTHER, f"{code}: booking is {state}")


def _doubled(truth: Mapping[str, Any]) -> Iterator[Breach]:
    """What an aggregator knows of parcels too many: under one reference, or for one order or the goods at one door."""
    twice = [booking for booking in truth["bookings"] if len(booking["awbs"]) > 1]
    for booking in twice:
        for extra in booking["awbs"][1:]:
            yield Breach(Kind.DUPLICATE_AWB, f"{booking['reference']}: {extra} besides {booking['awbs'][0]}")
    if not twice:  # else it is the same, told once more
        for what in ("orders_with_several_parcels", "goods_with_several_parcels"):
            for name, awbs in truth.get(what, {}).items():
                yield Breach(Kind.DUPLICATE_AWB, f"{name}: {awbs}")


def _labels(found: _Found) -> Iterator[Breach]:
    """A label ends kept, its file there and told once; or held, where a person sees it."""
    for code, rows in found.returns.items():
        label = rows.get("LABEL")
        if label is None:
            if found.returns[code].get("BOOKING", {}).get("state") == "BOOKED" and not found.is_return(code):
                yield Breach(Kind.OTHER, f"{code}: booked, and nobody wants its label")
            continue
        told = [event["kind"] for event in found.events(code) if event["kind"] in {"LABELLED", "LABEL_HELD"}]
        if label["state"] == "WANTED" and rows["BOOKING"]["state"] == "CANCELLED" and not told:
            continue  # nobody needs it any more
        ended = {"KEPT": "LABELLED", "HELD": "LABEL_HELD"}.get(str(label["state"]))
        if told != [ended]:
            yield Breach(Kind.OTHER, f"{code}: label is {label['state']}, its journal says {told}")
        if label["state"] == "KEPT" and label["file"] not in found.run.world.files.kept:
            yield Breach(Kind.OTHER, f"{code}: its label is not there")


def _cancellations(found: _Found) -> Iterator[Breach]:
    """What is cancelled is so everywhere, and everybody has been told once; what is wished for has come to an end."""
    parcels = [parcel for engine in found.run.world.engines.values() for parcel in engine.parcels()]
    cancelled = {parcel.awb for parcel in parcels if parcel.cancelled}
    on_the_way = {parcel.awb for parcel in parcels if any(scan.code == "out_for_pickup" for scan in parcel.scans)}
    for code, rows in found.returns.items():
        wish, booking = rows.get("CANCELLATION", {}).get("state"), rows.get("BOOKING", {})
        events = [event for event in found.events(code) if event["kind"] == "CANCELLED"]
        # Shiprocket takes in hand what it will not do: nobody says no, until a courier has been there or a day is over.
        never = left_to_a_person(found.run, rows) or booking.get("awb") in on_the_way - cancelled
        if wish not in {None, "CANCELLED", "REFUSED"} and not (wish == "HELD" and never):
            yield Breach(Kind.OTHER, f"{code}: the wish to cancel is {wish}")
        if (wish == "CANCELLED", booking.get("state") == "CANCELLED") != (len(events) == 1,) * 2:
            yield Breach(Kind.OTHER, f"{code}: wish {wish}, booking {booking.get('state')}, {len(events)} events")
        if wish == "CANCELLED" and "awb" in booking and booking["awb"] not in cancelled:
            yield Breach(Kind.STILL_COMING, f"{code}: {booking['awb']} is not cancelled at its aggregator")
        told = [event for event in found.events(code) if event.get("notification") == "CANCELLED"]
        if wish == "CANCELLED" and len(told) != 1:
            yield Breach(
                Kind.LOST_NOTIFICATION if not told else Kind.OTHER, f"{code}: CANCELLED told {len(told)} times"
            )


def _watched(found: _Found) -> Iterator[Breach]:
    """Every AWB of a return that its aggregator can be asked for is watched, or was until its parcel's end."""
    for code, rows in found.returns.items():
        awb, aggregator = rows["STATUS"].get("awb"), rows["STATUS"].get("aggregator")
        if not awb or not aggregator or not aggregator_of(aggregator).tracked_at_once:
            continue
        row = found.names.get(awb, {}).get("SHIPMENT", {})
        if "watched_since" not in row:
            yield Breach(Kind.OTHER, f"{code}: nobody watches {awb}")
        elif not found.run.watches and not str(row.get("due_shard")).startswith("silent#"):
            yield Breach(Kind.OTHER, f"{code}: {awb} is due in {row.get('due_shard')}")


def _exchanges(found: _Found) -> Iterator[Breach]:
    """Everything at a shop is done once, and nothing that failed is free to go out."""
    for order in (order for shop in found.run.world.shops for order in shop.engine.orders()):
        for what, times in Counter(order.history).items():
            if times > 1:
                yield Breach(Kind.OTHER, f"{order.name}: {what}, {times} times")
        code = order.attributes["rms_return_code"]
        rows = found.returns.get(code, {})
        exchange, calls = rows.get("EXCHANGE"), rows.get("STATUS", {}).get("qc", 0)
        if exchange is None:
            yield Breach(Kind.LOST_NOTIFICATION, f"{code}: nothing is known of {order.name}")
            continue
        judged = judged_items(found.run.world.core, return_id(CLIENT, code), calls)
        passed = Counter(sku for item, sku in exchange["items"].items() if _has_passed(judged, item))
        left = Counter({line.sku: line.current for line in order.lines})
        free = order.cancelled_at is None and "Hold-QC" not in order.tags
        if free and left - passed and exchange["state"] != "HELD":
            yield Breach(Kind.RELEASED, f"{order.name}: {left} may go out, {passed} passed")
        ended = [event["kind"] for event in found.events(code) if event["kind"] in _EXCHANGE_ENDS]
        if exchange["state"] == "DONE" and len(ended) != 1:
            yield Breach(Kind.OTHER, f"{code}: its journal says {ended}")


def _has_passed(judged: Mapping[str, Judged], item: str) -> bool:
    return item in judged and judged[item].result.verdict is Verdict.PASS


def _journals(found: _Found) -> Iterator[Breach]:
    for code, rows in found.returns.items():
        events, status = found.events(code), rows["STATUS"]
        if [event["sequence"] for event in events] != list(range(1, status["sequence"] + 1)):
            yield Breach(Kind.OTHER, f"{code}: journal has gaps, or another length than STATUS says")
        seen = {sk.removeprefix("SEEN#"): row["sequence"] for sk, row in rows.items() if sk.startswith("SEEN#")}
        if seen != {event["event_id"]: event["sequence"] for event in events}:
            yield Breach(Kind.OTHER, f"{code}: SEEN and EVENT differ")
        awb = status.get("awb")
        if awb and found.names.get(awb, {}).get("SHIPMENT", {}).get("code") != code:
            yield Breach(Kind.OTHER, f"{code}: its AWB {awb} points elsewhere")
        booked = rows.get("BOOKING", {}).get("awb")
        if booked and booked != awb:
            yield Breach(Kind.OTHER, f"{code}: booked {booked}, STATUS says {awb}")


def _webhooks(found: _Found) -> Iterator[Breach]:
    seen = Counter(sk.removeprefix("SEEN#") for rows in found.returns.values() for sk in rows if sk.startswith("SEEN#"))
    for aggregator, body, received_at in found.run.taken:
        for update in aggregator_of(aggregator).read_webhook(body, received_at):
            if seen[update.event_id] != 1:
                kind = Kind.LOST_NOTIFICATION if not seen[update.event_id] else Kind.OTHER
                words = f"{update.awb} {update.scan.raw.code} is in {seen[update.event_id]} journals"
                yield Breach(kind, f"webhook answered 200: {words}")


def _notifications(found: _Found) -> Iterator[Breach]:
    run = found.run
    for code, rows in found.returns.items():
        for endpoint in run.world.endpoints:
            told = [event["sequence"] for event in found.events(code) if "notification" in event]
            heard = [sequence for sequence, _ in run.world.receiver.heard(endpoint, code)]
            cursor = rows.get(f"CURSOR#{endpoint}", {})
            if not str(cursor.get("due_shard")).startswith("stalled#"):
                for sequence in sorted(set(told) - set(heard) - _skipped(rows, endpoint)):
                    yield Breach(Kind.LOST_NOTIFICATION, f"{code} {sequence} never told to {endpoint}")
                if told and (cursor.get("acked"), cursor.get("head")) != (told[-1], told[-1]):
                    yield Breach(Kind.OTHER, f"{code}: cursor of {endpoint} stands at {cursor}")
            for sequence in sorted(set(heard) - set(told), key=str):
                yield Breach(Kind.OTHER, f"{code} {sequence} told to {endpoint} though not in its journal")
            if heard != sorted(heard, key=lambda sequence: sequence or 0):
                yield Breach(Kind.MISORDERED, f"{code} at {endpoint}: {heard}")
    for violation in run.world.receiver.violations():
        about = found.returns.get(str(violation["about"]), {})
        if violation["kind"] == "overtook" and _skipped(about, str(violation["endpoint"])):
            continue  # what it had refused never came, on its client's own wish
        kind = Kind.MISORDERED if violation["kind"] in _DISORDER else Kind.OTHER
        yield Breach(kind, f"receiver: {violation['kind']} ({violation['about']} at {violation['endpoint']})")


def _skipped(rows: Mapping[str, Row], endpoint: str) -> set[int]:
    """What a client has said that an endpoint shall never be told."""
    tries = [row for sk, row in rows.items() if sk.startswith(f"ATTEMPT#{endpoint}#")]
    return {int(row["sequence"]) for row in tries if str(row["outcome"]).startswith("skipped by")}


def _may_wait(found: _Found, shard: str, pk: str, sk: str) -> bool:
    """What is due for a person, and parcels that are due some day, unless they are heard of."""
    if shard == "held" and sk == "EXCHANGE":
        return True  # whether it may be, its scenario says
    if shard == "held":  # of a wish to cancel, `_cancellations` says whether it may be
        return sk == "CANCELLATION" or left_to_a_person(found.run, found.returns.get(pk.split("#", 3)[-1], {}))
    return shard.startswith("silent#") and not found.run.watches


def _leftovers(found: _Found) -> Iterator[Breach]:
    world = found.run.world
    for shard, due_at, pk, sk in world.table._indexes["due"].values():
        if not _may_wait(found, shard, pk, sk):
            yield Breach(Kind.OTHER, f"left in {shard}: {pk} {sk}, due {due_at}")
    for name, rows in found.names.items():
        for sk in rows:
            if sk.startswith("PARKED#"):
                yield Breach(Kind.LOST_NOTIFICATION, f"{name}: {sk} is still parked")
    for queue, dead in world.queues.dead.items():
        for message in dead:
            yield Breach(Kind.OTHER, f"dead letter in {queue}: {message.body[:100]}")
        for waiting in world.queues.messages(queue):
            yield Breach(Kind.OTHER, f"left in queue {queue}: {waiting}")
    if found.run.rows_of_others() != found.run.neighbours:
        yield Breach(Kind.OTHER, "rows of another client, or configuration, have changed")
