"""Bodies in shapes that nobody has sent yet: the same told otherwise means the same; told worse it never proves more.

`tests/contract/shapes.py` has every body of `events/` with who reads it, and makes the other shapes.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rms.aggregators.contract import (
    MAX_WORDS,
    Ask,
    Booked,
    Brought,
    Cancelled,
    Label,
    NotFound,
    Ordered,
    Refused,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
    UnreadableWebhookError,
    Working,
)
from tests.contract.adapters import RECEIVED_AT, Adapter, answered
from tests.contract.partners import ADAPTERS, every_adapter
from tests.contract.shapes import (
    ODD,
    Body,
    Unreadable,
    Way,
    at,
    bodies,
    gist,
    reordered,
    replaced,
    respelt,
    ways,
    widened,
    without,
)
from tests.contract.walking import Place

RANDOM_BODIES: Final = 200
"""Per adapter, besides each member of every body replaced by each odd value."""

BODIES: Final = {partner.folder: bodies(partner) for partner in ADAPTERS}

every_body = pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=f"{folder}/{body.kind}/{body.name}")
        for folder, several in BODIES.items()
        for body in several
    ],
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


# ── the same, told otherwise ────────────────────────────────────────────────────────


@every_body
def test_other_orders_and_further_members_change_nothing(body: Body) -> None:
    meant = gist(body.read(body.sent))

    assert gist(body.read(reordered(body.sent))) == meant
    assert gist(body.read(widened(body.sent))) == meant
    assert gist(body.of(json.dumps(widened(reordered(body.sent)), indent=3).encode())) == meant


@every_body
def test_an_id_may_be_a_number_or_text(body: Body) -> None:
    meant = gist(body.read(body.sent))
    whole = body.sent
    for way in ways(body.sent):
        new = respelt(at(body.sent, way))
        if way and way[-1] not in body.partner.typed:
            assert gist(body.read(replaced(body.sent, way, new))) == meant, way
            whole = replaced(whole, way, new)

    assert gist(body.read(whole)) == meant


# ── told worse ──────────────────────────────────────────────────────────────────────


@every_body
def test_what_is_null_or_missing_never_proves_more(body: Body) -> None:
    meant = body.read(body.sent)
    telling = body.partner.tells_apart.get(body.file)
    for way in ways(body.sent):
        if way and way[-1] == telling:
            continue
        worse = [replaced(body.sent, way, None)]
        worse += [without(body.sent, way)] if way and isinstance(way[-1], str) else []
        for each in worse:
            result = body.read(each)

            assert_in_order(body, result)
            assert_no_more(body, meant, result)


def assert_no_more(body: Body, meant: object, result: object) -> None:
    """A worse body books, finds, cancels and lets in nothing that the whole one did not."""
    known = {awb_of(meant), body.place.progress.get("awb") if body.place else None}
    ordered = body.place is not None and bool(body.place.job.known)
    match result:
        case Booked() | Brought() | Ordered():
            assert awb_of(result) in known | {None}
        case NotFound() | Label() | Token():
            assert gist(result) == gist(meant)
        case Cancelled():
            assert isinstance(meant, Cancelled) or body.partner.accepts_silently
        case Refused(burnt=burnt):
            assert burnt or known == {None} or ordered  # whoever goes on from an order makes no other
        case [*updates]:
            told = named_in(body.sent)
            for update in updates:
                assert isinstance(update, ShipmentUpdate)
                assert update.awb is None or update.awb in told
                assert {*update.references} <= told
        case _:
            pass


def awb_of(result: object) -> str | None:
    """The AWB that an answer brought, if it brought one."""
    match result:
        case Booked(awb=awb):
            return awb
        case Brought(progress=progress) | Ordered(progress=progress):
            return progress.get("awb")
        case _:
            return None


def named_in(sent: Any) -> set[str]:
    """Every name and every value of a body, and what stands before an underscore in one."""
    told = {str(at(sent, way)) for way in ways(sent)} | {str(name) for way in ways(sent) for name in way}
    return told | {each.rpartition("_")[0] for each in told}


# ── told by nobody ──────────────────────────────────────────────────────────────────


@every_adapter
def test_no_member_replaced_by_what_stands_in_no_guide_raises_anything(partner: Adapter) -> None:
    for body, way in each_member_once(BODIES[partner.folder]):
        for odd in ODD:
            assert_in_order(body, body.read(replaced(body.sent, way, odd)))


def each_member_once(several: Sequence[Body]) -> Iterator[tuple[Body, Way]]:
    """Every member of every body; those of one name only in the first of the bodies that the same code reads."""
    seen: set[tuple[object, ...]] = set()
    for body in several:
        for way in ways(body.sent):
            name = tuple("#" if isinstance(part, int) or part.isdigit() else part for part in way)
            key = (body.kind, body.reader, name)
            if key not in seen:
                seen.add(key)
                yield body, way


@every_adapter
@settings(max_examples=RANDOM_BODIES)
@given(data=st.data())
def test_a_body_changed_in_several_places_raises_nothing(partner: Adapter, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(BODIES[partner.folder]))
    sent = body.sent
    for _ in range(data.draw(st.integers(1, 4))):
        way = data.draw(st.sampled_from(list(ways(sent))))
        drop = way and isinstance(way[-1], str) and data.draw(st.booleans())
        sent = without(sent, way) if drop else replaced(sent, way, data.draw(st.sampled_from(ODD) | anything))
    result = body.read(sent)

    assert_in_order(body, result)
    assert body.read(sent) == result


RESULTS: Final = {
    "walk": Brought | Booked | Ordered | Refused | Working | Unknown | NotFound | Unauthorized,
    "label": Label | Refused | Working | Unknown | Unauthorized,
    "cancel": Cancelled | Refused | Unknown | Unauthorized,
    "tracking": list | tuple | Unknown | Unauthorized,
    "login": Token | Refused | Unknown,
    "webhook": list | tuple | Unreadable,
}


def assert_in_order(body: Body, result: object) -> None:
    """It is one of the results that there are, and what it names can be kept."""
    assert isinstance(result, RESULTS[body.kind]), result
    if body.place is not None:
        result = body.place.follows(result)
        assert isinstance(result, Ask | RESULTS["walk"]), result
    match result:
        case Booked():
            assert 0 < len(result.awb) <= MAX_WORDS
            assert result.courier
        case Refused():
            assert len(result.words) <= MAX_WORDS
        case Unknown() | Working():
            assert len(result.reason) <= MAX_WORDS
        case Label():
            assert result.url.startswith("http")
        case [*updates]:
            for update in updates:
                assert isinstance(update, ShipmentUpdate)
                assert update.awb is None or 0 < len(update.awb) <= MAX_WORDS
                assert update.scan.occurred_at.utcoffset() is not None
        case _:
            pass


# ── no body at all ──────────────────────────────────────────────────────────────────

STEPS: Final = {
    folder: list(
        {
            (body.reader, body.place.searching, str(body.place.progress)): body.place
            for body in several
            if body.place is not None
        }.values()
    )
    for folder, several in BODIES.items()
}
"""Where an answer to a walk's call comes in, each such place once."""

NO_BODIES: Final = (b"", b"\xff\xfe\x00{", b"<html>no</html>", b'{"meta":', b"0")


def assert_nothing_is_concluded(here: Place, result: object, status: int) -> None:
    if status in here.door:
        assert not isinstance(result, Booked)
    elif here.step.goes_on:
        assert isinstance(result, Brought | Unknown)
    else:
        assert isinstance(result, Unknown)


@every_adapter
def test_no_status_concludes_anything_from_a_body_that_is_none(partner: Adapter) -> None:
    for place_number, here in enumerate(STEPS[partner.folder]):
        for status in range(100, 600):
            body = NO_BODIES[(status + place_number) % len(NO_BODIES)]
            assert_nothing_is_concluded(here, here.read(answered(body, status)), status)


@every_adapter
@settings(max_examples=RANDOM_BODIES)
@given(data=st.data(), body=st.binary(max_size=200), status=st.integers(100, 599), truncated=st.booleans())
def test_any_bytes_at_all_are_classified(
    partner: Adapter, data: st.DataObject, body: bytes, status: int, *, truncated: bool
) -> None:
    here = data.draw(st.sampled_from(STEPS[partner.folder]))

    assert_nothing_is_concluded(here, here.read(answered(body, status, truncated=truncated)), status)


@every_adapter
@settings(max_examples=RANDOM_BODIES)
@given(body=st.binary(max_size=200), status=st.integers(100, 599), truncated=st.booleans())
def test_any_bytes_at_all_are_classified_after_the_booking(
    partner: Adapter, body: bytes, status: int, *, truncated: bool
) -> None:
    adapter, answer = partner.adapter, answered(body, status, truncated=truncated)

    assert not isinstance(adapter.read_label(answer), Label)
    for shipment in partner.shipments.values():
        cancelled = adapter.read_cancel(shipment, answer)
        assert isinstance(cancelled, Unknown | Refused | Cancelled | Unauthorized)
    tracked = adapter.read_tracking(answer, RECEIVED_AT)
    assert isinstance(tracked, Unknown | Unauthorized) or tracked == ()
    assert not isinstance(adapter.read_login(answer), Token)


@every_adapter
@settings(max_examples=RANDOM_BODIES)
@given(body=st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_body_raises_anything_but_unreadable(partner: Adapter, body: bytes) -> None:
    with suppress(UnreadableWebhookError):
        partner.adapter.read_webhook(body, RECEIVED_AT)
