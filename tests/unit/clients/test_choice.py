"""Which account books a parcel: the named one, else by rule, else by default, else the first."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.aggregators.contract import Direction
from rms.clients.choice import Lane, accounts_for, accounts_for_order, lane_of
from rms.clients.configuration import AccountRule, Configuration, ConfiguredAccount
from tests.builders import a_return, a_shipment

BACK, OUT = Direction.RETURN, Direction.FORWARD
PUNE = Lane(pin="411014", cash_on_delivery=False, categories=("Footwear",))


def an_account(alias: str, **changes: Any) -> ConfiguredAccount:
    return replace(ConfiguredAccount(alias, "CLICKPOST", {}, (), True, True, ""), **changes)  # noqa: FBT003 - both ways


def a_client(*rules: AccountRule, default: tuple[str, ...] = (), **changes: dict[str, Any]) -> Configuration:
    """One with the accounts north, south and west, which do all, unless told otherwise: `north={...}`."""
    accounts = {alias: an_account(alias, **changes.get(alias, {})) for alias in ("west", "south", "north")}
    return Configuration("lotus", "G", True, accounts, {}, rules, default)  # noqa: FBT003 - as in the dataclass


def chosen(
    client: Configuration, lane: Lane = PUNE, direction: Direction = BACK, alias: str | None = None
) -> list[str]:
    return [account.alias for account in accounts_for(client, alias, direction, lane)]


def test_the_named_account_books_and_nobody_takes_its_place() -> None:
    client = a_client(AccountRule(("north", "west")), default=("west", "north"))

    assert chosen(client, alias="south") == ["south"]


def test_without_rules_and_defaults_the_first_by_alias_books_alone() -> None:
    assert chosen(a_client()) == ["north"]


def test_the_default_list_books_in_its_order() -> None:
    assert chosen(a_client(default=("west", "north"))) == ["west", "north"]


def test_the_first_rule_that_fits_goes_before_the_defaults() -> None:
    client = a_client(
        AccountRule(("south",), pins=("560001",)),
        AccountRule(("west", "south"), pins=("4110*",)),
        AccountRule(("north",)),
        default=("north",),
    )

    assert chosen(client) == ["west", "south"]


@pytest.mark.parametrize(
    ("rule", "lane", "fits"),
    [
        ({}, Lane(), True),
        ({"direction": "RETURN"}, PUNE, True),
        ({"direction": "FORWARD"}, PUNE, False),
        ({"pins": ("411014",)}, PUNE, True),
        ({"pins": ("411014",)}, Lane("411 014"), True),
        ({"pins": ("560001", "4110*")}, PUNE, True),
        ({"pins": ("41101",)}, PUNE, False),
        ({"pins": ("411014*",)}, PUNE, True),
        ({"pins": ("SW1A*",)}, Lane("sw1a 1aa"), True),
        ({"pins": ("4110*",)}, Lane(), False),
        ({"payment": "PREPAID"}, PUNE, True),
        ({"payment": "COD"}, PUNE, False),
        ({"payment": "COD"}, Lane(cash_on_delivery=True), True),
        ({"payment": "PREPAID"}, Lane(), False),
        ({"categories": ("footwear", "Hats")}, PUNE, True),
        ({"categories": ("Hats",)}, PUNE, False),
        ({"categories": ("Hats",)}, Lane(categories=("Footwear", "hats")), True),
        ({"categories": ("Hats",)}, Lane(), False),
        ({"pins": ("4110*",), "payment": "COD"}, PUNE, False),
    ],
)
def test_a_rule_fits_a_parcel_that_is_all_that_it_says(rule: dict[str, Any], lane: Lane, *, fits: bool) -> None:
    assert chosen(a_client(AccountRule(("west",), **rule)), lane) == (["west"] if fits else ["north"])


def test_only_accounts_that_book_in_the_direction_are_there_to_choose() -> None:
    back_only, out_only = {"ships_forward": False}, {"books_returns": False}
    client = a_client(AccountRule(("south", "west")), north=out_only, south=back_only, west=out_only)

    assert (chosen(client), chosen(client, direction=OUT)) == (["south"], ["west"])
    assert chosen(client, alias="north") == []


def test_a_list_whose_accounts_are_all_gone_says_nothing() -> None:
    client = a_client(AccountRule(("gone",)), AccountRule(("away", "gone")), default=("gone", "south"))

    assert chosen(client) == ["south"]
    assert chosen(replace(client, default_accounts=("gone",))) == ["north"]


def test_a_client_without_accounts_has_none_to_choose() -> None:
    client = replace(a_client(default=("west",)), accounts={})

    assert (chosen(client), chosen(client, alias="west")) == ([], [])


def test_the_lane_of_a_return_is_the_shoppers() -> None:
    order = a_return(**{"items[0].category": "Footwear", "forward.is_cod": True})

    assert lane_of(order) == Lane("411014", cash_on_delivery=True, categories=("Footwear",))
    assert lane_of(a_return(pickup=None, forward=None)) == Lane()


def test_the_lane_of_a_forward_parcel_is_the_shoppers_too() -> None:
    shipment = a_shipment(cash_on_delivery=True, **{"items[0].category": "Footwear"})

    assert lane_of(shipment) == Lane("411014", cash_on_delivery=True, categories=("Footwear",))


def test_an_order_is_booked_by_what_it_says_itself() -> None:
    client = a_client(AccountRule(("south",), direction="FORWARD"), AccountRule(("west",), pins=("411014",)))

    assert [account.alias for account in accounts_for_order(client, a_return())] == ["west"]
    assert [account.alias for account in accounts_for_order(client, a_shipment())] == ["south"]
    assert [account.alias for account in accounts_for_order(client, a_return(account_alias="north"))] == ["north"]


ALIASES = st.sampled_from(["north", "south", "west", "gone"])
RULES = st.builds(
    AccountRule,
    st.lists(ALIASES, min_size=1, max_size=3).map(tuple),
    st.sampled_from([None, "FORWARD", "RETURN"]),
    st.lists(st.text("4*1 0", min_size=1, max_size=4), max_size=2).map(tuple),
    st.sampled_from([None, "COD", "PREPAID"]),
    st.lists(st.text("ab ", max_size=2), max_size=2).map(tuple),
)
LANES = st.builds(
    Lane,
    st.none() | st.text("41 0", max_size=6),
    st.none() | st.booleans(),
    st.lists(st.text("ab ", max_size=2), max_size=2).map(tuple),
)


@given(st.lists(RULES, max_size=4), st.lists(ALIASES, max_size=3), LANES, st.sampled_from(Direction))
def test_some_account_books_every_parcel_and_each_is_tried_for_one_direction_only(
    rules: list[AccountRule], default: list[str], lane: Lane, direction: Direction
) -> None:
    client = a_client(*rules, default=tuple(default), west={"books_returns": False}, south={"ships_forward": False})

    found = chosen(client, lane, direction)

    assert found
    assert ("west" if direction is BACK else "south") not in found
    assert "gone" not in found
