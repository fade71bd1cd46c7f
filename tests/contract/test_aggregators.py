"""One suite over all aggregators: walks, logins, labels, cancels, tracking and webhooks, on the bodies in `events/`.

How an adapter comes under it is told in `tests/contract/adapters.py`.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

import pytest

from rms.aggregators.contract import (
    MAX_WORDS,
    AnnouncedReturn,
    Ask,
    Booked,
    Brought,
    Direction,
    Goal,
    Ordered,
    RefusalKind,
    Refused,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
    UnreadableWebhookError,
    Working,
)
from rms.aggregators.registry import KNOWN, aggregator_of
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.contract.adapters import (
    EVENTS,
    NOW,
    RECEIVED_AT,
    Adapter,
    Call,
    Expected,
    Reading,
    answered,
    means,
    same_json,
)
from tests.contract.partners import ADAPTERS, every_adapter, examples
from tests.contract.walking import every_step, every_walk, place, walker

LONGEST_CALL: Final = 20.0
"""Seconds: the client's own call must end within 29, whatever one call of a walk does."""

every_webhook = examples(lambda partner: partner.webhooks)


def assert_sent(partner: Adapter, request: HttpRequest, call: Call) -> None:
    assert (request.method, request.url, dict(request.query)) == (call.method, call.url, dict(call.query))
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert {name: headers.get(name.lower()) for name in call.headers} == dict(call.headers)
    if call.body is None:
        assert request.body is None
    else:
        assert headers["content-type"] == "application/json"
        assert same_json(request.body, partner.file(call.body)), (request.body or b"").decode()
    assert request.trusted
    assert request.total_seconds <= LONGEST_CALL


def test_the_suite_covers_every_registered_aggregator() -> None:
    assert {partner.name for partner in ADAPTERS} >= set(KNOWN)
    assert all(type(aggregator_of(partner.name)) is type(partner.adapter) for partner in ADAPTERS)


@every_adapter
def test_every_example_file_is_used_by_the_suite(partner: Adapter) -> None:
    assert set(partner.used()) == {path.name for path in (EVENTS / partner.folder).glob("*.json")}


@every_adapter
def test_there_is_a_booking_of_each_direction_and_a_search(partner: Adapter) -> None:
    kinds = {(walk.searching, isinstance(walk.order, ReturnOrder)) for walk in partner.walks.values()}

    assert kinds >= {(False, True), (False, False)}
    assert any(walk.searching for walk in partner.walks.values())


@every_adapter
def test_a_reference_is_short_plain_stable_and_told_apart_by_all_that_it_is_made_of(partner: Adapter) -> None:
    refer, back, out = partner.adapter.booking_reference, Direction.RETURN, Direction.FORWARD
    parts = [("a", "b", 1, back), ("a", "b", 2, back), ("a", "b", 1, out), ("ab", "", 1, back), ("A", "b", 1, back)]
    references = [refer(*each) for each in (*parts, ("", "ab", 1, back))]

    assert all(re.fullmatch(partner.reference_pattern, reference) for reference in references)
    assert len(set(references)) == len(references)
    assert refer("a", "b", 1, back) == references[0]


# ── walks ───────────────────────────────────────────────────────────────────────────


@every_step
def test_each_call_of_a_walk_is_the_documented_one_with_url_and_auth(
    partner: Adapter, example: tuple[str, int]
) -> None:
    here = place(partner, *example)

    assert here.ask.name == here.step.name
    assert_sent(partner, here.ask.request, here.step.call)


@every_walk
def test_a_walk_ends_in_what_its_answers_say(partner: Adapter, example: str) -> None:
    result = walker(partner, example).to_the_end()

    assert means(result, partner.walks[example].result), result


@every_walk
def test_a_walk_makes_no_call_twice_and_keeps_no_secret(partner: Adapter, example: str) -> None:
    playing = walker(partner, example)
    playing.to_the_end()
    calls = [
        (ask.request.method, ask.request.url, tuple(ask.request.query.items()), ask.request.body)
        for ask in playing.asked
    ]

    assert len(set(calls)) == len(calls)
    assert all(secret not in str(playing.progress) for secret in partner.account.secrets.values())


@every_step
def test_no_secret_stands_in_a_url_or_a_body(partner: Adapter, example: tuple[str, int]) -> None:
    request = place(partner, *example).ask.request

    for secret in partner.account.secrets.values():
        assert secret not in request.url
        assert secret.encode() not in (request.body or b"")


@examples(lambda partner: [name for name, walk in partner.walks.items() if walk.searching])
def test_a_search_writes_nothing_and_what_it_found_done_is_not_done_again(partner: Adapter, example: str) -> None:
    playing = walker(partner, example)
    for number in range(len(playing.walk.steps)):
        here = place(partner, example, number)
        assert not (here.searching and here.step.writes) or partner.repeats_safely, here.step.name
    playing.to_the_end()

    assert not {ask.name for ask in playing.asked} & set(playing.walk.spares)


@every_step
def test_a_search_after_a_broken_walk_makes_none_of_its_writes(partner: Adapter, example: tuple[str, int]) -> None:
    """The search starts with what the job knows; it may write only where the aggregator itself refuses duplicates."""
    name, step = example
    playing = walker(partner, name)
    if playing.walk.searching or partner.repeats_safely:
        return
    broken = playing.to(step)
    written = {
        (ask.request.method, ask.request.url)
        for ask, made in zip(playing.asked, playing.walk.steps, strict=False)
        if made.writes
    }
    search = partner.adapter.find(playing.account, playing.job, playing.job.known, NOW)

    assert isinstance(search, Ask)
    assert (search.request.method, search.request.url) not in written, broken.name


def test_nothing_is_found_with_no_progress() -> None:
    assert not any(partner.adapter.found({}) for partner in ADAPTERS)


@every_step
def test_another_jobs_booking_is_never_adopted(partner: Adapter, example: tuple[str, int]) -> None:
    """The last answer of a walk, read for another reference, where it names a reference at all."""
    here = place(partner, *example)
    reference, whole = here.job.reference.encode(), partner.file(here.step.answer)
    if reference not in whole or not isinstance(partner.walks[example[0]].result, Booked):
        return
    result = here.read(answered(whole.replace(reference, b"X" * len(reference)), here.step.status))

    assert not isinstance(result, Booked), result


@every_adapter
def test_who_takes_orders_ends_a_walk_with_one_and_goes_on_from_there(partner: Adapter) -> None:
    """And so does a search that finds it: neither makes the order again."""
    taken = [walk.result for walk in partner.walks.values() if walk.goal is Goal.ORDER]
    known = [(walk.known, walk.searching) for walk in partner.walks.values() if walk.known]

    assert bool(taken) == bool(known) == partner.adapter.takes_orders
    for result in taken:
        assert isinstance(result, Ordered)
    if taken:
        assert {searching for _, searching in known} == {False, True}
        assert all(each in [result.progress for result in taken if isinstance(result, Ordered)] for each, _ in known)


# ── answers ─────────────────────────────────────────────────────────────────────────


@examples(
    lambda partner: [(reading, status) for reading in partner.readings for status in reading.statuses],
    lambda case: f"{case[0].walk}/{case[0].step}/{case[0].answer}/{case[1]}",
)
def test_another_answer_is_read_with_who_can_help_and_the_aggregators_words(
    partner: Adapter, example: tuple[Reading, int]
) -> None:
    reading, status = example
    here = place(partner, reading.walk, reading.step)
    result = here.follows(here.read(partner.answer(reading.answer, status)))

    assert means(result, reading.meaning), result


def unclear_answers(whole: bytes) -> Iterator[tuple[str, HttpAnswer | NoAnswer]]:
    """Answers that prove nothing, whatever the call was. `whole` is the answer that would prove something."""
    yield "time-out", NoAnswer("read timed out", sent=True, elapsed_ms=20_000)
    yield "never left", NoAnswer("connection refused", sent=False, elapsed_ms=3)
    for status in (200, 201, 301, 302, 408, 429, 500, 502, 503, 504):
        yield f"{status} empty", answered(b"", status)
        yield f"{status} HTML", answered(b"<html><body>Bad gateway</body></html>", status)
    yield "cut off", answered(whole.rstrip()[:-1])
    yield "truncated", answered(whole, truncated=True)
    yield "UTF-16", answered(whole.decode().encode("utf-16"))
    for body in ('"OK"', "[]", "null", "200", "NaN", "{}", '{"meta": null}', '{"data": 7}', "[" * 5000, "9" * 5000):
        yield body[:20], answered(body.encode())
    yield "key twice", answered(b'{"status": 200, "status": 400}')


@every_step
def test_an_answer_that_proves_nothing_leaves_the_outcome_open(partner: Adapter, example: tuple[str, int]) -> None:
    here = place(partner, *example)
    for what, answer in unclear_answers(partner.file(here.step.answer)):
        result = here.read(answer)
        status = answer.status if isinstance(answer, HttpAnswer) else 0
        if status in here.door:
            assert means(result, here.door[status]), what
        else:
            assert isinstance(result, (Unknown, Brought) if here.step.goes_on else Unknown), (what, result)


@every_step
def test_a_request_turned_away_at_the_door_did_nothing_but_does_not_tell_what_was_done_before(
    partner: Adapter, example: tuple[str, int]
) -> None:
    here = place(partner, *example)
    for http in (400, 401, 403, 404, 405, 406, 409, 410, 422):
        result = here.read(answered(b"<html>no</html>", http))

        goes_on = here.step.goes_on and isinstance(result, Brought)
        assert goes_on or means(result, here.door.get(http, Unknown)), (http, result)


@every_step
def test_an_enormous_message_is_capped(partner: Adapter, example: tuple[str, int]) -> None:
    here = place(partner, *example)
    for status in (200, 400, 422, 500):
        body = {"message": "x" * 9000, "error": "y" * 9000, "meta": {"status": 400, "message": "z" * 9000}}
        result = here.read(answered(json.dumps(body).encode(), status))

        if isinstance(result, Refused):
            assert len(result.words) <= MAX_WORDS
        elif isinstance(result, Unknown | Working):
            assert len(result.reason) <= MAX_WORDS


# ── accounts and tokens ─────────────────────────────────────────────────────────────


@every_adapter
def test_a_good_account_passes_and_an_empty_one_names_every_missing_field(partner: Adapter) -> None:
    secrets = {name: value for name, value in partner.account.secrets.items() if name != "token"}
    assert partner.adapter.check_account(partner.account.options, secrets) == []
    problems = partner.adapter.check_account({}, {})

    assert problems
    assert all(re.match(r"(options|secrets)\.\w+: ", problem) for problem in problems)


@every_adapter
def test_who_needs_a_token_logs_in_and_the_others_do_not(partner: Adapter) -> None:
    request = partner.adapter.login(partner.account)

    assert ("token" in partner.account.secrets) == (partner.login is not None)
    if partner.login is None:
        assert request is None
    else:
        assert request is not None
        assert_sent(partner, request, partner.login.call)


@examples(lambda partner: partner.login.answers if partner.login else (), lambda case: f"{case[0]}/{case[1]}")
def test_a_login_gives_a_token_or_says_why_not(partner: Adapter, example: tuple[str, int]) -> None:
    assert partner.login is not None
    result = partner.adapter.read_login(partner.answer(*example))

    assert means(result, partner.login.answers[example]), result
    if isinstance(result, Token):
        assert result.lifetime > 0
        assert result.value not in repr(result)


@every_adapter
def test_a_login_that_says_nothing_gives_no_token(partner: Adapter) -> None:
    for what, answer in unclear_answers(b'{"token": "abc"}'):
        assert isinstance(partner.adapter.read_login(answer), Unknown | Refused), what


# ── after the booking ───────────────────────────────────────────────────────────────


@every_adapter
def test_a_label_is_asked_for_with_the_shipments_own_ids(partner: Adapter) -> None:
    request = partner.adapter.label(partner.account, partner.shipments[Direction.FORWARD])

    assert_sent(partner, request, partner.label_call)


@examples(lambda partner: partner.labels, lambda case: f"{case[0]}/{case[1]}")
def test_a_label_is_a_url_or_a_reason(partner: Adapter, example: tuple[str, int]) -> None:
    result = partner.adapter.read_label(partner.answer(*example))

    assert means(result, partner.labels[example]), result


@examples(lambda partner: partner.cancel_calls)
def test_a_cancel_names_the_shipment(partner: Adapter, example: Direction) -> None:
    request = partner.adapter.cancel(partner.account, partner.shipments[example])

    assert isinstance(request, HttpRequest), request
    assert_sent(partner, request, partner.cancel_calls[example])


@every_adapter
def test_who_has_no_call_to_cancel_says_so(partner: Adapter) -> None:
    for direction in set(Direction) - set(partner.cancel_calls):
        answer = partner.adapter.cancel(partner.account, partner.shipments[direction])

        assert isinstance(answer, Refused)
        assert answer.kind is RefusalKind.CALLER, "an operator can do nothing about it either"


@examples(lambda partner: partner.cancels, lambda case: f"{case[0]}/{case[1]}")
def test_a_cancel_is_done_or_refused_and_never_both(partner: Adapter, example: tuple[str, int]) -> None:
    result = partner.adapter.read_cancel(partner.shipments[Direction.RETURN], partner.answer(*example))

    assert means(result, partner.cancels[example]), result


@every_adapter
def test_an_answer_that_proves_nothing_is_no_label_no_cancel_and_no_scan(partner: Adapter) -> None:
    adapter, shipment = partner.adapter, partner.shipments[Direction.RETURN]
    for what, answer in unclear_answers(b'{"data": {"label_url": "https://labels.example/1.pdf"}}'):
        assert isinstance(adapter.read_label(answer), Unknown | Refused | Working), what
        assert isinstance(adapter.read_cancel(shipment, answer), Unknown | Refused), what
        tracked = adapter.read_tracking(answer, RECEIVED_AT)
        assert isinstance(tracked, Unknown) or tracked == (), what
    for http in (401, 403, 404, 405):
        turned_away = answered(b"<html>no</html>", http)
        assert isinstance(adapter.read_label(turned_away), Unknown | Refused | Unauthorized)
        assert isinstance(adapter.read_cancel(shipment, turned_away), Unknown | Refused | Unauthorized)
        assert isinstance(adapter.read_tracking(turned_away, RECEIVED_AT), Unknown | Unauthorized)


@every_adapter
def test_a_token_that_is_not_accepted_is_told_apart_everywhere(partner: Adapter) -> None:
    expires = partner.door.get(401) is Unauthorized
    adapter, shipment = partner.adapter, partner.shipments[Direction.RETURN]
    turned_away = answered(b"{}", 401)
    results = (
        adapter.read_label(turned_away),
        adapter.read_cancel(shipment, turned_away),
        adapter.read_tracking(turned_away, RECEIVED_AT),
    )

    assert expires == (partner.login is not None)
    assert all(isinstance(result, Unauthorized) == expires for result in results)


# ── tracking ────────────────────────────────────────────────────────────────────────


@every_adapter
def test_tracking_asks_for_no_more_shipments_than_allowed(partner: Adapter) -> None:
    if partner.track_call is None:
        assert partner.adapter.tracked_at_once == 0
        return
    assert 1 <= len(partner.tracked) <= partner.adapter.tracked_at_once
    assert_sent(partner, partner.adapter.track(partner.account, partner.tracked), partner.track_call)


def tracked(partner: Adapter, body: bytes) -> tuple[ShipmentUpdate, ...]:
    updates = partner.adapter.read_tracking(answered(body), RECEIVED_AT)
    assert not isinstance(updates, Unknown | Unauthorized), updates
    return tuple(updates)


@examples(lambda partner: partner.tracking)
def test_tracking_tells_the_scans_oldest_first(partner: Adapter, example: str) -> None:
    updates = tracked(partner, partner.file(example))

    assert [said(update) for update in updates] == [told(expected) for expected in partner.tracking[example]]
    assert [update.scan.occurred_at for update in updates] == sorted(update.scan.occurred_at for update in updates)
    assert len({update.event_id for update in updates}) == len(updates)
    assert all(update.announces is None for update in updates)


@examples(lambda partner: partner.same_scans.items(), lambda case: f"{case[0]}={case[1]}")
def test_a_scan_has_one_id_whether_it_was_pushed_or_pulled(partner: Adapter, example: tuple[str, str]) -> None:
    webhook, answer = example
    pulled = {update.event_id for update in tracked(partner, partner.file(answer))}

    assert {update.event_id for update in read(partner, partner.file(webhook))} <= pulled


# ── webhooks ────────────────────────────────────────────────────────────────────────


def read(partner: Adapter, body: bytes) -> tuple[ShipmentUpdate, ...]:
    return tuple(partner.adapter.read_webhook(body, RECEIVED_AT))


def said(update: ShipmentUpdate) -> dict[str, object]:
    """What the suite compares of an update."""
    assert update.scan.occurred_at.utcoffset() is not None
    return {
        "names": (update.scan.when_forward, update.scan.when_return),
        "occurred_at": update.scan.occurred_at,
        "about": (update.awb, update.is_return, update.references, update.forward_references),
        "code": update.scan.raw.code,
        "current": update.current.when_return if update.current else None,
        "failure": update.failure_code,
        "announces": announced(update.announces),
        "metadata": dict(update.metadata),
    }


def told(expected: Expected) -> dict[str, object]:
    """The same of what was expected."""
    return {
        "names": (expected.forward, expected.returned),
        "occurred_at": expected.occurred_at,
        "about": (expected.awb, expected.is_return, expected.references, expected.forward_references),
        "code": expected.code,
        "current": expected.current,
        "failure": expected.failure,
        "announces": expected.announces,
        "metadata": dict(expected.metadata),
    }


def announced(news: AnnouncedReturn | None) -> tuple[str, str, tuple[tuple[str, int], ...]] | None:
    if news is None:
        return None
    return news.code or "", news.forward_order_code, tuple((item.sku, item.quantity) for item in news.items)


@every_webhook
def test_a_webhook_says_what_happened_to_what_and_when(partner: Adapter, example: str) -> None:
    updates = read(partner, partner.file(example))

    assert [said(update) for update in updates] == [told(expected) for expected in partner.news(example)]


@every_adapter
def test_webhooks_about_different_things_have_different_ids_and_a_repeat_has_the_same(partner: Adapter) -> None:
    bodies = [partner.file(file) for file in partner.webhooks]
    ids = [update.event_id for body in bodies for update in read(partner, body)]

    assert len(set(ids)) == len(ids)
    assert [update.event_id for body in bodies for update in read(partner, body)] == ids


@examples(lambda partner: [partner.folder] if partner.takes_lists else [])
def test_a_list_of_webhooks_is_read_oldest_first_and_whole_or_not_at_all(partner: Adapter, example: str) -> None:
    assert example == partner.folder
    bodies = [json.loads(partner.file(file)) for file in partner.webhooks]
    updates = read(partner, json.dumps(bodies).encode())

    assert len(updates) == sum(len(partner.news(file)) for file in partner.webhooks)
    assert [update.scan.occurred_at for update in updates] == sorted(update.scan.occurred_at for update in updates)
    with pytest.raises(UnreadableWebhookError):
        read(partner, json.dumps([bodies[0], {"status": "Picked Up"}]).encode())


@every_adapter
def test_an_unknown_status_is_other_with_its_raw_code_and_text(partner: Adapter) -> None:
    (update,) = read(partner, partner.unknown_status)

    assert {update.scan.when_forward, update.scan.when_return} == {NotificationType.OTHER}
    assert update.scan.raw.code == partner.unknown_status_code
    assert update.scan.raw.text


@examples(lambda partner: partner.no_news, lambda case: repr(case[:30]))
def test_a_body_without_news_is_read_as_none(partner: Adapter, example: bytes) -> None:
    assert read(partner, example) == ()


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
    if body in partner.no_news:
        return
    with pytest.raises(UnreadableWebhookError) as caught:
        read(partner, body)

    assert "waybill=1" not in str(caught.value)
    assert len(str(caught.value)) < MAX_WORDS
