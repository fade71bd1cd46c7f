"""Every body of `events/` of the partners that are no aggregators, with one member at a time of another kind.

Nothing may raise but what says that a webhook cannot be read, and no order may seem to be free of what failed, or to
have nothing left to do, because something in it could not be read.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rms.exchanges import Decision, ExchangeItem, ExchangeSettings, Finished, Plan, Progress, Verdict, next_call
from rms.exchanges.walk import Ask, read
from rms.partners import returns_prime, shopify
from rms.partners.results import UnreadableNoticeError
from rms.platform.http import HttpAnswer, NoAnswer
from tests.contract import test_returns_prime as prime
from tests.contract import test_shopify as shop
from tests.contract.partner_files import answered
from tests.contract.shapes import Way, ways

ODD: tuple[Any, ...] = (None, True, 7, -1, 2.5, "", "x" * 300, [None], {"nodes": None})
MISSING = object()


def changed(body: Any, way: Way, value: Any) -> Any:
    """The same with the member at the end of a way changed, or taken out; what is not on the way is shared."""
    if not way:
        return value
    other, (name, *rest) = copy.copy(body), way
    if value is MISSING and not rest:
        del other[name]
    else:
        other[name] = changed(body[name], tuple(rest), value)
    return other


def others(body: Any, *, deep: int = 99) -> Iterator[Any]:
    """The body with each member of at most this depth changed in turn."""
    for way in ways(body):
        if len(way) <= deep:
            yield from (changed(body, way, value) for value in ODD)
        if 0 < len(way) <= deep:
            yield changed(body, way, MISSING)


def _prime_readers() -> dict[str, Callable[[HttpAnswer | NoAnswer], object]]:
    return {
        "request.return": lambda answer: returns_prime.read_request(answer, prime.RETURN),
        "request.exchange": lambda answer: returns_prime.read_request(answer, prime.EXCHANGE),
        "list.last": returns_prime.read_page,
        "failed_200": returns_prime.read_written,
    }


@pytest.mark.parametrize("name", _prime_readers())
def test_no_answer_of_returns_prime_breaks_its_reader(name: str) -> None:
    reader = _prime_readers()[name]
    # One request is changed to its depths; the others are read by the same code.
    for body in others(prime.FILES.json(f"{name}.response.json"), deep=99 if name == "request.return" else 4):
        found = reader(answered(body))
        if isinstance(found, returns_prime.Request):
            for order in returns_prime.return_orders(prime.settings(), found, {}).orders:
                assert order.awb
                assert order.courier
                assert order.forward_order_code


@pytest.mark.parametrize("name", prime.WEBHOOKS)
def test_a_webhook_of_returns_prime_names_a_request_or_cannot_be_read(name: str) -> None:
    for body in others(prime.FILES.json(name), deep=3):
        try:
            notice = returns_prime.read_webhook(json.dumps(body).encode())
        except UnreadableNoticeError:
            continue
        returns_prime.ask_again(prime.settings(), notice.request_id)


@pytest.mark.parametrize(("name", "file"), sorted({(name, file) for name, file, _ in shop.ANSWERS}))
def test_no_answer_of_shopify_breaks_its_reader(name: str, file: str) -> None:
    for body in others(shop.FILES.json(f"{file}.response.json")):
        shop.READS[name](answered(body))


@pytest.mark.parametrize("name", shop.WEBHOOKS)
def test_a_webhook_of_shopify_names_an_order_or_cannot_be_read(name: str) -> None:
    for body in others(shop.FILES.json(name)):
        try:
            notice = shopify.read_webhook(shop.headers(), json.dumps(body).encode())
        except UnreadableNoticeError:
            continue
        shopify.order_gid(notice.order_id)


FREES = frozenset({"release-hold", "remove-tag", "add-tag"})
SETTINGS = ExchangeSettings.of({"edits_orders": "on", "exchange_tag": "Exchange", "hold_tag": "Hold-QC"})


@pytest.mark.parametrize("decision", [Decision.CANCEL_LINES, Decision.CANCEL_ORDER])
def test_no_odd_order_is_taken_for_one_that_has_nothing_in_it_any_more_that_failed(decision: Decision) -> None:
    verdicts = (Verdict.PASS, Verdict.FAIL) if decision is Decision.CANCEL_LINES else (Verdict.FAIL,) * 3
    items = tuple(ExchangeItem(str(n), "KL-STOLE-PLUM", verdict) for n, verdict in enumerate(verdicts))
    plan = Plan("KLR-70031", shop.ORDER, decision, items)
    look = Ask("look", shop.REQUESTS["order"])
    example = shop.FILES.json("order.replacement.response.json")
    honest = {("data", "order", "cancelledAt"), ("data", "order", "lineItems", "nodes", 1, "currentQuantity")}
    for way in ways(example):
        if way in honest:
            continue  # what these say is believed
        for value in (*ODD, MISSING) if way else ODD:
            looked = read(plan, look, answered(changed(example, way, value)), Progress())
            following = next_call(SETTINGS, shop.SHOP, plan, looked) if isinstance(looked, Progress) else looked
            assert not isinstance(following, Finished), (way, value)
            assert not (isinstance(following, Ask) and following.name in FREES), (way, value)
