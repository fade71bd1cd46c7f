"""What a client says of its exchanges, and how a replacement order is linked to its return."""

import pytest

from rms.exchanges import ExchangeSettings, ReleaseBy, check_settings, exchange_returns, named_items, named_return
from rms.partners.shopify.order import Order, read
from tests.contract.partner_files import Files
from tests.unit.exchanges.exchanging import GIVEN


def test_rms_edits_nothing_unless_told_and_removes_the_hold_tag() -> None:
    settings = ExchangeSettings.of({})

    assert check_settings({}) == []
    assert not settings.edits_orders
    assert settings.release_by is ReleaseBy.REMOVE_HOLD_TAG
    assert (settings.cancel_reason, settings.restock, settings.cancels_other_goods) == ("OTHER", True, False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"edits_orders": "yes"}, "edits_orders"),
        ({"exchange_tag": ""}, "exchange_tag"),
        ({"hold_tag": " "}, "hold_tag"),
        ({"release_by": "add_release_tag"}, "release_tag"),
        ({"release_by": "magic"}, "release_by"),
        ({"hold_tag": "a,b"}, "hold_tag"),
        ({"hold_tag": "x" * 41}, "hold_tag"),
        ({"cancel_reason": "BECAUSE"}, "cancel_reason"),
        ({"restock": "maybe"}, "restock"),
        ({"other_goods": "ship"}, "other_goods"),
        ({"holdTag": "x"}, "holdTag"),
        ({"hold_tag": "exchange"}, "exchange_tag, hold_tag, release_tag"),
    ],
)
def test_what_is_wrong_with_settings_is_named(given: dict[str, str], named: str) -> None:
    (problem,) = check_settings({**GIVEN, **given})

    assert problem.startswith(f"{named}: ")


def test_a_replacement_order_names_its_return_in_an_attribute() -> None:
    tags, attributes = ["prepaid", "EXCHANGE"], {"gift": "no", "RMS_return_code": " KLR-70031 "}

    assert named_return("Exchange", "rms_return_code", tags, attributes) == "KLR-70031"
    assert named_return("Exchange", "rms_return_code", ["prepaid"], attributes) == ""
    assert named_return("Exchange", "rms_return_code", tags, {"gift": "no"}) == ""
    assert named_return("", "rms_return_code", ["", *tags], attributes) == ""


def test_an_order_says_which_items_are_exchanged_for_what_in_another() -> None:
    def read_as(told: str) -> dict[str, str] | None:
        return named_items("rms_exchange_items", {"RMS_Exchange_Items": told})

    assert read_as(" I-1 = KURTA-L; I-2=STOLE=PLUM ;") == {"I-1": "KURTA-L", "I-2": "STOLE=PLUM"}
    for told in ("", ";", "I-1", "I-1=", "=KURTA-L", "I-1=A; I-1=B", "I-1=" + "x" * 300):
        assert read_as(told) is None, told
    assert named_items("rms_exchange_items", {}) is None


def test_shopifys_own_exchanges_stand_in_the_order() -> None:
    order = read(Files("shopify").json("order.with_exchange.response.json")["data"]["order"])

    assert isinstance(order, Order)
    assert [each.name for each in exchange_returns(order)] == ["#KL4471-R1"]
