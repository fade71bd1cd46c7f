"""What a client's aggregator accounts ask of a request: who may book, which fields then must be there."""

from typing import Any

import pytest

from rms.clients import account_rules, administration
from rms.clients.choice import Lane
from rms.clients.configuration import AccountRule
from rms.journal.keys import client_pk
from rms.platform.table import EXISTING, Delete, Key
from rms.returns.rules import AccountProblem, BookingTerms
from rms.returns.terms import terms_of, terms_of_alias
from tests.builders import ABSENT, a_channel_booked_body, a_return_create_body, a_return_order_body
from tests.partners import onboard
from tests.world import CLIENT, World, a_clickpost_account

ANY = Lane()


@pytest.fixture
def world() -> World:
    return World()


def test_the_terms_are_those_of_the_account_that_would_book(world: World) -> None:
    put_account(world, required_fields=("orderItems.brand",))

    terms, weight_unit = terms_of(world.core, CLIENT)

    assert terms(ANY) == BookingTerms(
        demands_client_fields=True, required_fields=("orderItems.brand",), weight_unit="G"
    )
    assert weight_unit == "G"


def test_a_client_without_accounts_has_no_terms_but_a_weight_unit(world: World) -> None:
    administration.create_client(world.core, "poppy", "Poppy Shoes", "KG")

    terms, weight_unit = terms_of(world.core, "poppy")

    assert (terms(ANY), weight_unit) == (None, "KG")
    assert isinstance(terms_of_alias(world.core, "poppy")(None, ANY), AccountProblem)


def test_an_account_that_does_not_book_returns_is_none_to_choose(world: World) -> None:
    put_account(world, alias="forward", books_returns=False, webhook_key=None)

    assert isinstance(terms_of_alias(world.core, CLIENT)(None, ANY), BookingTerms)
    assert terms_of_alias(world.core, CLIENT)("forward", ANY) == AccountProblem("must be one of main")


@pytest.mark.parametrize(
    ("alias", "says"),
    [
        (None, AccountProblem("may not be null: must be one of main, west")),
        ("north", AccountProblem("must be one of main, west")),
    ],
)
def test_with_several_accounts_one_must_be_named(world: World, alias: str | None, says: AccountProblem) -> None:
    put_account(world, alias="west", webhook_key=None)

    assert terms_of_alias(world.core, CLIENT)(alias, ANY) == says


def test_each_account_has_its_own_demands(world: World) -> None:
    put_account(world, alias="west", webhook_key=None, required_fields=("orderItems.color",))
    terms = terms_of_alias(world.core, CLIENT)

    named = {alias: terms(alias, ANY) for alias in ("main", "west")}

    assert [each.required_fields for each in named.values() if isinstance(each, BookingTerms)] == [
        (),
        ("orderItems.color",),
    ]


def test_a_rule_makes_an_alias_unnecessary_where_it_fits(world: World) -> None:
    put_account(world, alias="west", webhook_key=None, required_fields=("orderItems.color",))
    account_rules.put_account_rules(world.core, CLIENT, [AccountRule(("west",), pins=("4110*",))], [])
    terms = terms_of_alias(world.core, CLIENT)

    fits, fits_not = terms(None, Lane("411014")), terms(None, Lane("560001"))

    assert isinstance(fits, BookingTerms)
    assert fits.required_fields == ("orderItems.color",)
    assert isinstance(fits_not, AccountProblem)


def test_what_any_account_asks_for_that_may_have_to_book_is_asked_for(world: World) -> None:
    put_account(world, required_fields=("orderItems.brand",))
    put_account(world, alias="west", webhook_key=None, required_fields=("orderItems.color", "orderItems.brand"))
    onboard(world, "SHIPROCKET")
    terms, _ = terms_of(world.core, CLIENT)
    alone = terms(ANY)
    account_rules.put_account_rules(world.core, CLIENT, [], ["a-st", "west", "main"])

    terms, _ = terms_of(world.core, CLIENT)

    assert alone == BookingTerms(demands_client_fields=False)
    assert terms(ANY) == BookingTerms(
        demands_client_fields=True, required_fields=("orderItems.color", "orderItems.brand")
    )


# ── as a client meets them ──────────────────────────────────────────────────────────


def test_clickpost_asks_for_gstin_and_invoice_when_rms_books(world: World) -> None:
    missing = {"sellerGstin": None, "orderDetails.invoiceNumber": None, "orderDetails.invoiceTime": ABSENT}

    answer = world.create_return(a_return_order_body(**missing))

    assert answer.status == 400
    for field in ("sellerGstin", "orderDetails.invoiceNumber", "orderDetails.invoiceTime"):
        assert f"{field}: may not be null" in answer.body["description"]
    assert world.clickpost.requests() == []


def test_what_the_courier_partner_asks_for_is_asked_of_every_item(world: World) -> None:
    put_account(world, required_fields=("orderItems.brand",))

    answer = world.create_return(a_return_order_body(**{"orderItems[1].brand": None}))

    assert (answer.status, answer.body["description"]) == (400, "[orderItems[1].brand: may not be null]")


def test_a_return_that_the_channel_booked_is_asked_for_none_of_it(world: World) -> None:
    put_account(world, required_fields=("orderItems.brand",))

    assert world.create_return(a_channel_booked_body()).status == 200


def test_a_new_demand_takes_hold_within_ten_seconds(world: World) -> None:
    body = a_return_order_body(**{"orderItems[0].brand": ABSENT, "orderItems[1].brand": ABSENT})
    assert world.create_return(body).status == 200
    put_account(world, required_fields=("orderItems.brand",))
    world.clock.advance(seconds=10)

    assert world.create_return({**body, "returnOrderCode": "RET-2"}).status == 400


def test_kilograms_are_grams_once_they_are_in() -> None:
    world = World()
    administration.create_client(world.core, "poppy", "Poppy Shoes", "KG")
    administration.put_account(world.core, "poppy", a_clickpost_account(webhook_key=None))

    body = a_return_order_body(**{"shipmentDimension.weight": 0.94})
    assert world.create_return(body, client="poppy").status == 200

    document = str(world.rows_of("RET-70031-1", "poppy")["DOCUMENT"]["body"])
    assert '"weight_g":"940"' in document


def test_a_client_that_does_not_exist_any_more_is_not_found(world: World) -> None:
    world.core.table.write(Delete(Key(client_pk(CLIENT), "CLIENT"), EXISTING))
    world.clock.advance(minutes=1)

    assert world.create_return(a_return_create_body(), "/return/create").status == 404


def put_account(world: World, **changes: Any) -> None:
    administration.put_account(world.core, CLIENT, a_clickpost_account(**changes))
