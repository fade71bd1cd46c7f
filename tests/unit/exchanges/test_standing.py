"""Whether an order is still such that a decision may be carried out: each row of the table is an example."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from rms.exchanges import Decision, Plan, Standing, Verdict, handle_of, hindrance
from rms.exchanges.standing import excess, rows
from rms.partners.shopify import order_gid, read_order, read_order_again
from rms.partners.shopify.order import Order
from tests.unit.exchanges.exchanging import SHOP, Exchange, F, P, items

VERDICTS = {Decision.RELEASE: (P, P, P), Decision.CANCEL_LINES: (P, F, P), Decision.CANCEL_ORDER: (F, F, F)}


def looked_at(exchange: Exchange) -> Order:
    order = read_order(exchange.http.send(read_order_again(SHOP, exchange.order.gid)), exchange.order.gid)
    assert isinstance(order, Order)
    return order


def shipped(order: Order) -> Order:
    return replace(order, lines=tuple(replace(line, unfulfilled=0) for line in order.lines))


CHANGES: dict[Standing, Callable[[Order], Order | None]] = {
    Standing.ABSENT: lambda _: None,
    Standing.TOO_LARGE: lambda order: replace(order, whole=False),
    Standing.UNMARKED: lambda order: replace(order, tags=("Hold-QC",)),
    Standing.CANCELLED: lambda order: replace(order, is_cancelled=True),
    Standing.SHIPPED: shipped,
    Standing.UNCLEAR: lambda order: replace(order, lines=order.lines[:1]),
    Standing.OTHER_GOODS: lambda order: replace(
        order, lines=(*order.lines, replace(order.lines[0], id="gid://shopify/LineItem/9", sku="GIFT"))
    ),
}


@pytest.mark.parametrize(("decided", "standing", "done", "why"), rows(), ids=[f"{d}-{s}" for d, s, _, _ in rows()])
def test_a_row_of_the_table_says_what_stands_in_the_way(
    decided: Decision, standing: Standing, why: str, *, done: bool
) -> None:
    exchange = Exchange()
    plan, order = exchange.plan(*VERDICTS[decided]), looked_at(exchange)

    assert hindrance(exchange.settings, plan, order) is None
    found = hindrance(exchange.settings, plan, CHANGES[standing](order))
    assert found is not None
    assert (found.standing, found.done, found.why) == (standing, done, why)


def test_what_was_shipped_may_still_be_released() -> None:
    exchange = Exchange()

    assert hindrance(exchange.settings, exchange.plan(P, P, P), shipped(looked_at(exchange))) is None


def test_goods_that_are_not_of_the_exchange_are_cancelled_only_where_the_client_says_so() -> None:
    exchange = Exchange({"other_goods": "cancel"})

    assert hindrance(exchange.settings, exchange.plan(F), looked_at(exchange)) is None


def test_a_failed_item_that_names_no_sku_is_for_a_person() -> None:
    exchange = Exchange()
    found = hindrance(exchange.settings, exchange.plan(P, F, skus=("KURTA-L", None)), looked_at(exchange))

    assert found is not None
    assert found.standing is Standing.UNCLEAR


@pytest.mark.parametrize(("quantity", "current"), [(1, 1), (3, 3), (7, 2), (3, 1)])
def test_an_order_that_had_other_units_of_a_failed_sku_is_for_a_person(quantity: int, current: int) -> None:
    exchange = Exchange()
    order = looked_at(exchange)
    stole = replace(order.lines[1], quantity=quantity, current=current, unfulfilled=current)
    found = hindrance(exchange.settings, exchange.plan(P, F, P), replace(order, lines=(order.lines[0], stole)))

    assert found is not None
    assert found.standing is Standing.UNCLEAR


def test_units_to_take_out_are_those_that_failed_and_are_still_there() -> None:
    exchange = Exchange()
    order, plan = looked_at(exchange), exchange.plan(P, F, P)
    lines = {line.sku: line for line in order.lines}
    edited = replace(order, lines=(lines["KURTA-L"], replace(lines["STOLE-PLUM"], current=1, unfulfilled=1)))

    assert excess(plan, order) == {"STOLE-PLUM": 1}
    assert excess(plan, edited) == {}


@pytest.mark.parametrize("decision", VERDICTS)
@pytest.mark.parametrize("verdicts", [(P, P, P), (P, F, P), (F, F, F), (P, None, P), ()])
def test_no_plan_is_made_that_qc_does_not_bear_out(decision: Decision, verdicts: tuple[Verdict | None, ...]) -> None:
    if verdicts == VERDICTS[decision]:
        assert Plan("R-1", order_gid("1"), decision, items(*verdicts)).decision is decision
        return
    with pytest.raises(ValueError, match="QC"):
        Plan("R-1", order_gid("1"), decision, items(*verdicts))


def test_a_holds_handle_is_the_same_for_every_try_and_fits() -> None:
    assert handle_of("KLR-70031") == "rms-KLR-70031"
    for code in ("x" * 200, "Rücksendung 7", "a\nb"):
        assert handle_of(code) == handle_of(code) != handle_of(f"{code}2")
        assert len(handle_of(code)) <= 64
