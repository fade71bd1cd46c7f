"""One suite over all aggregators: request built, answer read, error read, webhook read, on the bodies in `events/`."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.aggregators.contract import (
    MAX_WORDS,
    Aggregator,
    AnnouncedReturn,
    Booked,
    Cancelled,
    Refused,
    ShipmentUpdate,
    Unknown,
    UnreadableWebhookError,
    Working,
)
from rms.aggregators.registry import AGGREGATORS, check_account
from rms.model.notification_type import NotificationType
from rms.platform.http import HttpAnswer, NoAnswer
from tests.contract.adapters import ADAPTERS, EVENTS, NOW, ORDER, REFERENCE_CLIENT, Adapter, answered

RECEIVED_AT = datetime(2026, 2, 20, 4, 0, tzinfo=UTC)

every_adapter = pytest.mark.parametrize("partner", ADAPTERS, ids=lambda partner: partner.name)


def examples(files: Callable[[Adapter], Iterable[str]]) -> pytest.MarkDecorator:
    """The test once for every adapter and each of these files."""
    cases = [
        pytest.param(partner, file, id=f"{partner.folder}/{file}") for partner in ADAPTERS for file in files(partner)
    ]
    return pytest.mark.parametrize(("partner", "file"), cases)


def adapter_of(partner: Adapter) -> Aggregator:
    return AGGREGATORS[partner.name]


def reference_of(partner: Adapter) -> str:
    return adapter_of(partner).booking_reference(REFERENCE_CLIENT, ORDER.code, 1)


def read_one(partner: Adapter, body: bytes) -> ShipmentUpdate:
    (update,) = adapter_of(partner).read_webhook(body, RECEIVED_AT)
    return update


# ── requests ────────────────────────────────────────────────────────────────────────


def test_the_suite_covers_every_registered_aggregator() -> None:
    assert {partner.name for partner in ADAPTERS} == set(AGGREGATORS)


@every_adapter
def test_every_example_file_is_used_by_the_suite(partner: Adapter) -> None:
    used = {*partner.bookings, *partner.booked, *partner.working, *partner.refused}
    used |= {*partner.cancelled, *partner.not_cancelled, *partner.webhooks}

    assert used == {path.name for path in (EVENTS / partner.folder).glob("*.json")}


@every_adapter
def test_a_reference_is_short_plain_stable_and_told_apart_by_client_return_and_generation(partner: Adapter) -> None:
    refer = adapter_of(partner).booking_reference
    references = [refer("a", "b", 1), refer("a", "b", 2), refer("ab", "", 1), refer("", "ab", 1), refer("A", "b", 1)]

    assert all(re.fullmatch("[A-Z0-9-]{1,20}", reference) for reference in references)
    assert len(set(references)) == len(references)
    assert refer("a", "b", 1) == references[0]


@examples(lambda partner: partner.bookings)
def test_a_booking_is_the_documented_body_at_the_configured_url_with_credentials_apart(
    partner: Adapter, file: str
) -> None:
    request = adapter_of(partner).book_return(partner.account, partner.bookings[file], reference_of(partner), NOW)

    assert (request.method, request.url, request.query) == ("POST", partner.booking_url, partner.booking_query)
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or b"") == json.loads(partner.file(file))
    assert request.trusted


@every_adapter
def test_no_secret_stands_in_a_url_or_a_body(partner: Adapter) -> None:
    adapter, reference = adapter_of(partner), reference_of(partner)
    requests = [
        adapter.book_return(partner.account, ORDER, reference, NOW),
        adapter.look_up(partner.account, ORDER, reference, NOW),
        adapter.cancel(partner.account, "5277100004418"),
    ]

    for secret in partner.account.secrets.values():
        assert all(secret not in request.url and secret.encode() not in (request.body or b"") for request in requests)


@every_adapter
def test_a_cancel_names_the_awb_and_the_account(partner: Adapter) -> None:
    request = adapter_of(partner).cancel(partner.account, "5277100004418")

    assert (request.url, request.query) == (partner.cancel_url, partner.cancel_query)
    assert request.trusted


@every_adapter
def test_a_lookup_carries_the_same_reference_as_the_booking(partner: Adapter) -> None:
    reference = reference_of(partner)
    request = adapter_of(partner).look_up(partner.account, ORDER, reference, NOW)

    assert reference in request.url + str(request.query) + (request.body or b"").decode()


@every_adapter
def test_a_good_account_passes_and_an_empty_one_names_every_missing_field(partner: Adapter) -> None:
    assert check_account(partner.name, partner.good_options, partner.good_secrets) == []
    problems = check_account(partner.name, {}, {})

    assert problems
    assert all(re.match(r"(options|secrets)\.\w+: ", problem) for problem in problems)


def test_an_account_at_an_unknown_aggregator_is_a_problem() -> None:
    assert check_account("PIGEON", {}, {}) == [f"aggregator: must be one of {', '.join(AGGREGATORS)}"]


# ── answers ─────────────────────────────────────────────────────────────────────────


@examples(lambda partner: partner.booked)
def test_a_booking_is_read_with_its_awb_courier_and_the_aggregators_id(partner: Adapter, file: str) -> None:
    adapter, reference = adapter_of(partner), reference_of(partner)

    assert adapter.read_booking(partner.answer(file), reference) == partner.booked[file]
    assert adapter.read_lookup(partner.answer(file), reference) == partner.booked[file]


@examples(lambda partner: partner.booked)
def test_a_booking_under_another_reference_is_never_adopted(partner: Adapter, file: str) -> None:
    other = adapter_of(partner).booking_reference(REFERENCE_CLIENT, ORDER.code, 2)

    assert isinstance(adapter_of(partner).read_booking(partner.answer(file), other), Unknown)


@examples(lambda partner: partner.working)
def test_an_asynchronous_answer_means_that_the_awb_comes_later(partner: Adapter, file: str) -> None:
    adapter, reference = adapter_of(partner), reference_of(partner)

    assert isinstance(adapter.read_booking(partner.answer(file), reference), Working)
    assert isinstance(adapter.read_lookup(partner.answer(file), reference), Working)


@examples(lambda partner: partner.refused)
@pytest.mark.parametrize("http", [200, 400, 500])
def test_a_refusal_is_read_whatever_the_http_status_with_who_can_help_and_the_aggregators_words(
    partner: Adapter, file: str, http: int
) -> None:
    result = adapter_of(partner).read_booking(partner.answer(file, http), reference_of(partner))

    assert result == Refused(*partner.refused[file])


@examples(lambda partner: partner.refused)
def test_a_lookup_believes_only_refusals_that_prove_that_nothing_is_booked(partner: Adapter, file: str) -> None:
    result = adapter_of(partner).read_lookup(partner.answer(file), reference_of(partner))

    assert isinstance(result, Refused if file in partner.lookup_shows else Unknown)


@every_adapter
@pytest.mark.parametrize("http", [401, 403, 404, 405, 406])
def test_a_request_turned_away_at_the_door_booked_nothing_but_does_not_tell_what_was_booked_before(
    partner: Adapter, http: int
) -> None:
    adapter, reference = adapter_of(partner), reference_of(partner)
    result = adapter.read_booking(answered(b"<html>no</html>", http), reference)

    assert isinstance(result, Refused)
    assert result.kind is partner.door_refusals[http]
    assert isinstance(adapter.read_lookup(answered(b"<html>no</html>", http), reference), Unknown)


def unclear_answers() -> Iterator[Any]:
    whole = b'{"meta": {"status": 200}, "result": {"waybill": "1"}}'
    yield pytest.param(NoAnswer("read timed out", sent=True, elapsed_ms=20_000), id="time-out")
    yield pytest.param(NoAnswer("connection refused", sent=False, elapsed_ms=3), id="never left")
    for status in (200, 201, 301, 302, 408, 429, 500, 502, 503, 504):
        yield pytest.param(answered(b"", status), id=f"{status} empty")
        yield pytest.param(answered(b"<html><body>Bad gateway</body></html>", status), id=f"{status} HTML")
    yield pytest.param(answered(whole[:-9]), id="cut off")
    yield pytest.param(answered(whole, truncated=True), id="truncated")
    yield pytest.param(answered(whole.decode().encode("utf-16")), id="UTF-16")
    for body in ('"OK"', "[]", "null", "200", "NaN", "{}", '{"meta": null}', '{"meta": []}', "[" * 5000, "9" * 5000):
        yield pytest.param(answered(body.encode()), id=body[:20])
    yield pytest.param(answered(b'{"status": 200, "status": 400}'), id="key twice")


@every_adapter
@pytest.mark.parametrize("answer", list(unclear_answers()))
def test_an_answer_that_proves_nothing_leaves_the_outcome_open(partner: Adapter, answer: HttpAnswer | NoAnswer) -> None:
    adapter, reference = adapter_of(partner), reference_of(partner)

    assert isinstance(adapter.read_booking(answer, reference), Unknown)
    assert isinstance(adapter.read_lookup(answer, reference), Unknown)
    assert isinstance(adapter.read_cancel(answer), Unknown)


@examples(lambda partner: partner.cancelled)
def test_a_cancelled_booking_says_whether_the_carrier_does_it_later(partner: Adapter, file: str) -> None:
    assert adapter_of(partner).read_cancel(partner.answer(file)) == Cancelled(later=partner.cancelled[file])


@examples(lambda partner: partner.not_cancelled)
def test_a_refused_cancel_is_not_a_cancel(partner: Adapter, file: str) -> None:
    result = adapter_of(partner).read_cancel(partner.answer(file, 400))

    assert isinstance(result, Refused)
    assert (result.kind, result.code) == partner.not_cancelled[file]


@every_adapter
@given(body=st.binary(max_size=200), status=st.integers(100, 599), truncated=st.booleans())
def test_any_bytes_at_all_are_classified(partner: Adapter, body: bytes, status: int, *, truncated: bool) -> None:
    adapter, answer = adapter_of(partner), answered(body, status, truncated=truncated)

    assert isinstance(adapter.read_booking(answer, "RMS-A"), Unknown | Refused)
    assert not isinstance(adapter.read_lookup(answer, "RMS-A"), Booked | Refused)
    assert isinstance(adapter.read_cancel(answer), Unknown | Refused | Cancelled)


# ── webhooks ────────────────────────────────────────────────────────────────────────


@examples(lambda partner: partner.webhooks)
def test_a_webhook_says_what_happened_to_what_and_when(partner: Adapter, file: str) -> None:
    expected = partner.webhooks[file]
    update = read_one(partner, partner.file(file))

    assert (update.scan.when_forward, update.scan.when_return) == (expected.forward, expected.returned)
    assert update.scan.occurred_at == expected.occurred_at
    assert update.scan.occurred_at.utcoffset() is not None
    assert (update.awb, update.is_return) == (expected.awb, expected.is_return)
    assert update.scan.raw.code == expected.code
    assert update.references == expected.references
    assert update.forward_references == expected.forward_references
    assert (update.current.when_return if update.current else None) == expected.current
    assert update.failure_code == expected.failure
    assert update.metadata == expected.metadata


@examples(lambda partner: partner.webhooks)
def test_a_placed_return_is_announced_once_and_by_nothing_else(partner: Adapter, file: str) -> None:
    expected, announced = partner.webhooks[file].announces, read_one(partner, partner.file(file)).announces

    assert (announced and told(announced)) == expected


def told(announced: AnnouncedReturn) -> tuple[str, str, tuple[tuple[str, int], ...]]:
    items = tuple((item.sku, item.quantity) for item in announced.items)
    return announced.code or "", announced.forward_order_code, items


@examples(lambda partner: partner.webhooks)
def test_a_webhook_reads_the_same_with_its_keys_in_another_order_and_more_of_them(partner: Adapter, file: str) -> None:
    sent = json.loads(partner.file(file))
    again = {"zz_new": {"deep": [1, None]}, **dict(reversed(sent.items()))}

    assert read_one(partner, json.dumps(again).encode()) == read_one(partner, json.dumps(sent).encode())


@every_adapter
def test_webhooks_about_different_things_have_different_ids_and_a_repeat_has_the_same(partner: Adapter) -> None:
    bodies = [partner.file(file) for file in partner.webhooks]
    ids = [read_one(partner, body).event_id for body in bodies]

    assert len(set(ids)) == len(ids)
    assert [read_one(partner, body).event_id for body in bodies] == ids


@every_adapter
def test_a_list_of_webhooks_is_read_oldest_first(partner: Adapter) -> None:
    bodies = [json.loads(partner.file(file)) for file in partner.webhooks]
    updates = adapter_of(partner).read_webhook(json.dumps(bodies).encode(), RECEIVED_AT)

    assert len(updates) == len(bodies)
    assert [update.scan.occurred_at for update in updates] == sorted(update.scan.occurred_at for update in updates)


@every_adapter
def test_an_unknown_status_is_other_with_its_raw_code_and_text(partner: Adapter) -> None:
    update = read_one(partner, partner.unknown_status)

    assert {update.scan.when_forward, update.scan.when_return} == {NotificationType.OTHER}
    assert update.scan.raw.code == partner.unknown_status_code
    assert update.scan.raw.text
    assert partner.unknown_status_code in update.metadata.values()


@every_adapter
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"waybill=1",
        b"<xml/>",
        b"\xff\xfe{}",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"[[]]",
        b"{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:18]),
)
def test_what_no_aggregator_sends_is_unreadable_and_not_quoted(partner: Adapter, body: bytes) -> None:
    with pytest.raises(UnreadableWebhookError) as caught:
        adapter_of(partner).read_webhook(body, RECEIVED_AT)

    assert "waybill=1" not in str(caught.value)
    assert len(str(caught.value)) < MAX_WORDS


@every_adapter
def test_one_unreadable_webhook_makes_the_whole_list_unreadable(partner: Adapter) -> None:
    good = json.loads(partner.file(next(iter(partner.webhooks))))

    with pytest.raises(UnreadableWebhookError):
        adapter_of(partner).read_webhook(json.dumps([good, {"status": "Picked Up"}]).encode(), RECEIVED_AT)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@every_adapter
@given(body=st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_body_raises_anything_but_unreadable(partner: Adapter, body: bytes) -> None:
    with suppress(UnreadableWebhookError):
        adapter_of(partner).read_webhook(body, RECEIVED_AT)


@every_adapter
@given(data=st.data())
def test_a_webhook_with_any_member_replaced_by_anything_is_read_or_unreadable(
    partner: Adapter, data: st.DataObject
) -> None:
    sent = json.loads(partner.file(data.draw(st.sampled_from(sorted(partner.webhooks)))))
    path = data.draw(st.sampled_from(sorted(paths(sent))))
    body = json.dumps(replaced(sent, path, data.draw(anything))).encode()

    try:
        update = read_one(partner, body)
    except UnreadableWebhookError:
        return
    assert update.awb is None or 0 < len(update.awb) <= MAX_WORDS
    assert read_one(partner, body) == update


def paths(value: object, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*way, name)
            yield from paths(inner, (*way, name))


def replaced(value: Any, path: tuple[str, ...], new: object) -> Any:
    if not path:
        return new
    return {**value, path[0]: replaced(value[path[0]], path[1:], new)}
