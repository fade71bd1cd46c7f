"""What goes out to Shiprocket where an order or an account is out of the usual. Whole bodies: contract suite."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from rms.aggregators.contract import Ask, Direction, RefusalKind, Refused, Shipment
from rms.aggregators.shiprocket.account import Location, Settings
from rms.aggregators.shiprocket.reasons import REASONS
from rms.model.return_order import Parcel, ReturnItem
from tests.unit.aggregators.shiprocket.examples import (
    ACCOUNT,
    ADAPTER,
    DOCK,
    FORWARD,
    RETURN,
    UNIT,
    a_job,
    an_account,
    next_call,
    sent,
)


def created(order: Any, **options: str) -> dict[str, Any]:
    return sent(next_call({}, a_job(order), an_account(**options)))


def refused(order: Any, **options: str) -> Refused:
    result = next_call({}, a_job(order), an_account(**options))
    assert isinstance(result, Refused), result
    return result


def with_units(*units: ReturnItem) -> Any:
    return replace(RETURN, items=units)


CHECKED = replace(UNIT, doorstep_qc=True)


# ── doorstep QC ─────────────────────────────────────────────────────────────────────


def test_several_skus_that_want_a_doorstep_qc_are_refused_with_the_way_out() -> None:
    result = refused(with_units(CHECKED, replace(CHECKED, item_code="U-2", sku="CUP-2")))

    assert (result.kind, result.code, result.burnt) == (RefusalKind.CALLER, "QC_SKUS", False)
    assert "split it into one return for each" in result.words


def test_one_sku_is_checked_in_any_number_beside_others_that_are_not() -> None:
    order = with_units(CHECKED, replace(CHECKED, item_code="U-2"), replace(UNIT, item_code="U-3", sku="CUP-2"))
    lines = created(order)["order_items"]

    assert [(line["sku"], line["units"], "qc_enable" in line) for line in lines] == [
        ("MUG-1", 2, True),
        ("CUP-2", 1, False),
    ]


@pytest.mark.parametrize(
    "link",
    [None, "", "  ", "https://i.example/mug.webp", "https://i.example/m.GIF?v=1.png", "https://i.example/" + "m" * 250],
)
def test_a_picture_that_shiprocket_does_not_take_is_refused(link: str | None) -> None:
    result = refused(with_units(replace(CHECKED, image_url=link)))

    assert (result.kind, result.code) == (RefusalKind.CALLER, "QC_IMAGE")


@pytest.mark.parametrize(
    "link", ["https://i.example/mug.JPG", "https://i.example/mug.png?v=2.webp", "https://i.example/pictures/77"]
)
def test_a_png_a_jpg_and_a_picture_that_does_not_say_are_sent(link: str) -> None:
    assert created(with_units(replace(CHECKED, image_url=link)))["order_items"][0]["qc_product_image"] == link


def test_the_accounts_checks_are_asked_for() -> None:
    (line,) = created(with_units(CHECKED), qc_checks="brand_tag, SEALTAG,damaged")["order_items"]

    asked = {name: value for name, value in line.items() if name.startswith("qc_")}
    assert asked == {
        "qc_enable": True,
        "qc_product_name": "Mug",
        "qc_product_image": "https://i.example/mug.png",
        "qc_brand_tag": 1,
        "qc_sealtag_check": 1,
        "qc_check_damaged_product": "yes",
    }


# ── what must be of another kind ────────────────────────────────────────────────────


def test_a_return_is_prepaid_and_its_order_date_is_indias() -> None:
    body = created(RETURN)

    assert (body["payment_method"], body["order_date"]) == ("Prepaid", "2026-05-07")


def test_phones_and_pincodes_are_numbers_but_for_the_phone_of_a_pickup() -> None:
    body = created(RETURN)

    assert (body["pickup_phone"], body["pickup_pincode"]) == ("9000000001", 673001)
    assert (body["shipping_phone"], body["shipping_pincode"]) == (9000000002, 636001)


def test_weights_are_kilograms_and_no_side_is_too_short() -> None:
    body = created(RETURN)

    assert (body["weight"], body["length"], body["height"]) == (0.35, 12.0, 1.0)
    tiny = replace(RETURN, parcel=Parcel(Decimal("0.5"), Decimal("0.51"), Decimal(3), Decimal(1)))
    assert [created(tiny)[name] for name in ("length", "breadth", "weight")] == [1.0, 0.51, 0.01]


def test_cities_are_cut_to_what_shiprocket_takes() -> None:
    assert len(created(replace(RETURN, drop=replace(DOCK, city="C" * 40)))["shipping_city"]) == 30


@pytest.mark.parametrize(
    ("change", "code"), [({"zip": "SW1A 1AA"}, "PINCODE"), ({"zip": ""}, "PINCODE"), ({"phone": "none"}, "PHONE")]
)
def test_a_place_that_cannot_be_written_as_shiprocket_wants_is_refused(change: dict[str, str], code: str) -> None:
    result = refused(replace(RETURN, drop=replace(DOCK, **change)))

    assert (result.kind, result.code) == (RefusalKind.CALLER, code)
    assert result.words.startswith("drop.")


def test_a_unit_without_a_price_is_worth_what_was_paid() -> None:
    units = (replace(UNIT, price=None, final_amount_paid=Decimal("49.50")), replace(UNIT, sku="B", price=None))
    body = created(with_units(*units))

    assert [line["selling_price"] for line in body["order_items"]] == [50, 0]
    assert body["sub_total"] == 50


# ── reasons ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", REASONS)
def test_each_of_shiprockets_reasons_is_known_in_any_spelling(number: int) -> None:
    body = created(with_units(replace(UNIT, reason=f" {REASONS[number].upper()} ")))

    same = {"".join(filter(str.isalnum, REASONS[number].casefold()))}
    assert "".join(filter(str.isalnum, body["order_items"][0]["return_reason"].casefold())) in same


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("It arrived cracked!", "Item is damaged"),
        ("it ARRIVED cracked", "Item is damaged"),
        ("Too blue", "Other"),
        ("", "Changed my mind"),
        (None, "Changed my mind"),
    ],
)
def test_a_shops_own_words_are_mapped_by_its_account_and_else_other(said: str | None, text: str) -> None:
    order = replace(with_units(replace(UNIT, reason=said)), reason="Changed my mind" if not said else None)
    body = created(order, return_reasons="It arrived cracked=29; x = y=1")

    assert body["order_items"][0]["return_reason"] == text


# ── forward ─────────────────────────────────────────────────────────────────────────


def test_a_forward_parcel_leaves_from_the_nickname_of_its_warehouse() -> None:
    parcel = replace(FORWARD, location_code="SLM")

    assert created(parcel)["pickup_location"] == "Main"
    assert created(parcel, locations="SLM=Salem shed/77; CCJ=Calicut")["pickup_location"] == "Salem shed"


def test_a_forward_parcel_from_a_warehouse_without_a_nickname_is_the_accounts_fault() -> None:
    result = refused(FORWARD, pickup_location="", locations="SLM=Salem shed/77")

    assert result.kind is RefusalKind.CONFIGURATION


def test_a_billing_address_of_its_own_is_sent_beside_the_shoppers() -> None:
    body = created(replace(FORWARD, billing=replace(DOCK, name="Head office")))

    assert body["shipping_is_billing"] is False
    assert (body["billing_customer_name"], body["shipping_customer_name"]) == ("Head office", "Anil")


def test_cash_on_delivery_is_what_the_parcel_is_worth() -> None:
    body = created(replace(FORWARD, cash_on_delivery=True))

    assert (body["payment_method"], body["sub_total"]) == ("COD", 599)


# ── accounts ────────────────────────────────────────────────────────────────────────


def test_warehouses_have_a_nickname_and_perhaps_a_number() -> None:
    settings = Settings.of(an_account(locations="SLM = Salem shed/77 ;CCJ=Calicut"))

    assert settings.locations == {"SLM": Location("Salem shed", 77), "CCJ": Location("Calicut", None)}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"email": "nobody"}, "options.email"),
        ({"base_url": "http://sr.example/v1"}, "options.base_url"),
        ({"channel_id": "web"}, "options.channel_id"),
        ({"pickup_location": "n" * 37}, "options.pickup_location"),
        ({"locations": "Salem"}, "options.locations"),
        ({"locations": "SLM=Salem/seven"}, "options.locations"),
        ({"return_reasons": "Cracked=45"}, "options.return_reasons"),
        ({"return_reasons": "Cracked"}, "options.return_reasons"),
        ({"request_pickup": "maybe"}, "options.request_pickup"),
        ({"qc_checks": "smell"}, "options.qc_checks"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, str], field: str) -> None:
    (problem,) = ADAPTER.check_account({"email": "api@m.example", **options}, {"password": "pw"})

    assert problem.startswith(f"{field}: ")


def test_the_email_may_stand_in_the_secrets() -> None:
    assert ADAPTER.check_account({}, {"email": "api@m.example", "password": "pw"}) == []


def test_a_call_without_a_token_yet_is_built_all_the_same() -> None:
    ask = ADAPTER.book(replace(ACCOUNT, secrets={"password": "pw"}), a_job(), {}, FORWARD.ordered_at)

    assert isinstance(ask, Ask)
    assert ask.request.headers["Authorization"] == "Bearer "


# ── cancelling ──────────────────────────────────────────────────────────────────────


def test_a_booking_without_an_awb_is_cancelled_by_its_order() -> None:
    request = ADAPTER.cancel(ACCOUNT, Shipment(Direction.RETURN, "RMR-1", "", "", "61"))

    assert (request.url, request.body) == ("https://sr.example/v1/orders/cancel", b'{"ids": [61]}')
