"""What a return order becomes at Clickpost. The whole bodies are in events/clickpost; here is why they look so."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.contract import Account, Ask, Direction, Job, RefusalKind, Refused, Shipment, Unknown
from rms.model.forward_shipment import ForwardShipment
from rms.model.return_order import ReturnItem, ReturnOrder, SubTax
from rms.platform.http import HttpRequest
from tests.builders import a_return
from tests.contract.adapters import FORWARD

NOW = datetime(2026, 2, 11, 20, 0, tzinfo=UTC)
ACCOUNT = Account(
    "northpeak",
    "main",
    "CLICKPOST",
    {"key": "k"},
    {"username": "u", "courier_partner": "28", "account_code": "northpeak-reverse"},
)
REFERENCE = "RMS-AAAABBBBCCCCDDDD"


def asked(order: ReturnOrder | ForwardShipment, account: Account = ACCOUNT) -> HttpRequest:
    ask = Clickpost().book(account, Job(REFERENCE, order), {}, NOW)
    assert isinstance(ask, Ask)
    return ask.request


def book(order: ReturnOrder | ForwardShipment, account: Account = ACCOUNT) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(asked(order, account).body or b"")
    return sent


def a_shipment(direction: Direction = Direction.RETURN, awb: str = "7700123", **metadata: str) -> Shipment:
    named = {name.replace("_", " "): value for name, value in metadata.items()}
    return Shipment(direction, REFERENCE, awb, "Bluedart", "1", named)


def units(*changes: dict[str, Any]) -> tuple[ReturnItem, ...]:
    return tuple(a_return(**{f"items[0].{name}": value for name, value in each.items()}).items[0] for each in changes)


def test_the_shopper_is_the_pickup_and_the_warehouse_the_drop() -> None:
    sent = book(a_return(**{"pickup.name": "Shopper", "drop.name": "Warehouse"}))

    assert sent["pickup_info"]["pickup_name"] == "Shopper"
    assert sent["drop_info"]["drop_name"] == "Warehouse"


def test_a_return_is_prepaid_and_worth_nothing_on_delivery_even_if_the_order_was_not() -> None:
    details = book(a_return(**{"forward.is_cod": True, "forward.cod_value": Decimal(2999)}))["shipment_details"]

    assert (details["order_type"], details["cod_value"], details["delivery_type"]) == ("PREPAID", 0, "RVP")


@pytest.mark.parametrize("field", ["delivery_type", "rvp_reason", "account_code", "order_id"])
def test_fields_whose_place_differs_between_examples_stand_in_both(field: str) -> None:
    sent = book(a_return())

    assert sent["shipment_details"][field] == sent["additional"][field]


def test_both_names_of_the_shoppers_email_carry_it() -> None:
    pickup = book(a_return())["pickup_info"]

    assert pickup["email"] == pickup["pickup_email"] == "asha.menon@mail.example"


def test_the_courier_id_is_an_integer_and_the_reference_is_ours() -> None:
    details = book(a_return())["shipment_details"]

    assert details["courier_partner"] == 28
    assert details["reference_number"] == REFERENCE


@pytest.mark.parametrize(
    ("weight", "grams"), [("940", 940), ("940.1", 941), ("0.5", 10), ("9.9", 10), ("0", 10), ("1E+3", 1000)]
)
def test_weight_is_whole_grams_rounded_up_and_at_least_ten(weight: str, grams: int) -> None:
    sent = book(a_return(**{"parcel.weight_g": Decimal(weight)}))

    assert sent["shipment_details"]["weight"] == grams


def test_sizes_are_whole_centimetres_rounded_up() -> None:
    details = book(a_return(**{"parcel.height_cm": Decimal("12.01"), "parcel.length_cm": Decimal("0.2")}))[
        "shipment_details"
    ]

    assert (details["length"], details["breadth"], details["height"]) == (1, 22, 13)


@pytest.mark.parametrize("country", ["IN", "India", "INDIA", " india ", "Bharat", "IND"])
def test_india_is_in(country: str) -> None:
    assert book(a_return(**{"pickup.country": country}))["pickup_info"]["pickup_country"] == "IN"


def test_another_country_is_not_turned_into_india() -> None:
    assert book(a_return(**{"drop.country": "Nepal"}))["drop_info"]["drop_country"] == "NEPAL"


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("9820055501", "9820055501"),
        ("+91 98200-55501", "9820055501"),
        ("0091 9820055501", "9820055501"),
        ("098200 55501", "9820055501"),
        ("9123456789", "9123456789"),
        ("+91 9123456789", "9123456789"),
        ("९८२००५५५०१", "9820055501"),
        ("+971 50 123 4567", "971501234567"),
        ("98200 55501 ext 12", "982005550112"),
    ],
)
def test_a_phone_is_its_digits_without_indias_prefix_and_is_never_guessed_at(phone: str, digits: str) -> None:
    assert book(a_return(**{"pickup.phone": phone}))["pickup_info"]["pickup_phone"] == digits


def test_texts_are_one_line_and_cut_to_clickposts_limits() -> None:
    sent = book(
        a_return(
            **{
                "pickup.name": "N" * 300,
                "pickup.line1": "7 Lake View Road\n\tBlock C",
                "pickup.line2": "L" * 600,
                "pickup.city": "C" * 300,
                "pickup.zip": "411 014",
                "reason": "R" * 900,
                "forward_order_code": "O" * 90,
                "forward.invoice_number": "I" * 90,
            }
        )
    )

    pickup, details = sent["pickup_info"], sent["shipment_details"]
    assert len(pickup["pickup_name"]) == 100
    assert pickup["pickup_address"].startswith("7 Lake View Road Block C, LLL")
    assert len(pickup["pickup_address"]) == 500
    assert len(pickup["pickup_city"]) == 200
    assert pickup["pickup_pincode"] == "411014"
    assert len(details["rvp_reason"]) == len(sent["additional"]["rvp_reason"]) == 500
    assert (len(details["order_id"]), len(details["invoice_number"])) == (50, 50)


def test_without_a_reason_for_the_return_an_items_reason_is_given() -> None:
    assert book(a_return(reason=None))["shipment_details"]["rvp_reason"] == "Too small"


def test_the_pickup_time_is_now_with_its_offset_and_dates_are_indias() -> None:
    sent = book(a_return(**{"forward.invoice_time": datetime(2026, 2, 2, 19, 0, tzinfo=UTC)}))

    assert sent["pickup_info"]["pickup_time"] == "2026-02-12T01:30:00+05:30"
    assert sent["shipment_details"]["invoice_date"] == "2026-02-03"


def test_units_that_differ_only_in_their_code_are_one_line() -> None:
    order = a_return(items=units({"item_code": "1"}, {"item_code": "2"}, {"item_code": "3", "reason": "Torn"}))
    items = book(order)["shipment_details"]["items"]

    assert [(item["quantity"], item["additional"]["return_reason"]) for item in items] == [
        (2, "Too small"),
        (1, "Torn"),
    ]
    assert [item["weight"] for item in items] == [314, 314]


def test_units_with_their_own_serial_number_are_lines_of_their_own() -> None:
    order = a_return(items=units({"item_code": "1", "serial_number": "A"}, {"item_code": "2", "serial_number": "B"}))

    assert [item["serial_no"] for item in book(order)["shipment_details"]["items"]] == ["A", "B"]


def test_without_doorstep_qc_none_is_asked_for() -> None:
    sent = book(a_return())

    assert "qc_type" not in sent["additional"]
    assert "brand" not in sent["shipment_details"]["items"][0]["additional"]


def test_a_doorstep_qc_compares_only_the_units_that_it_was_asked_for() -> None:
    order = a_return(items=units({"item_code": "1", "doorstep_qc": True}, {"item_code": "2", "sku": "SOCKS"}))
    sent = book(order)

    assert sent["additional"]["qc_type"] == "doorstep"
    checked, unchecked = sent["shipment_details"]["items"]
    assert checked["additional"]["brand"] == "Northpeak"
    assert "brand" not in unchecked["additional"]


def test_without_configured_checks_clickposts_own_set_up_decides() -> None:
    assert "qc_params" not in book(a_return(**{"items[0].doorstep_qc": True}))["additional"]


def test_taxes_are_summed_by_kind() -> None:
    tax = SubTax(type="CGST", rate=Decimal(9), per_unit=Decimal("228.73"), total=Decimal("228.73"))
    order = a_return(**{"items[0].taxes": (tax, tax, SubTax("Cess", Decimal(1), Decimal(5), Decimal(5)))})
    info = book(order)["gst_info"]

    assert (info["cgst_amount"], info["cgst_tax_rate"], info["gst_total_tax"]) == (457.46, 9.0, 462.46)
    assert "igst_amount" not in info
    assert info["seller_gstin"] == "27AAECR4512K1Z3"


def test_without_a_gstin_there_is_no_gst_block() -> None:
    assert "gst_info" not in book(a_return(seller_gstin=None))


@pytest.mark.parametrize("part", ["pickup", "drop", "parcel", "forward"])
def test_an_order_that_is_not_for_booking_is_a_fault(part: str) -> None:
    with pytest.raises(ValueError, match=f"must have its {part}"):
        book(a_return(**{part: None}))


def test_a_booking_may_take_twenty_seconds() -> None:
    assert asked(a_return()).total_seconds == 20.0


def test_a_cancel_is_a_get_with_the_accounts_courier() -> None:
    request = Clickpost().cancel(ACCOUNT, a_shipment())

    assert request.method == "GET"
    assert request.url == "https://www.clickpost.in/api/v1/cancel-order/"
    assert request.query["cp_id"] == "28"
    assert request.body is None


def test_a_cancel_names_the_carrier_that_the_parcel_was_booked_with_whatever_the_account_says_now() -> None:
    shipment = a_shipment(Courier_Partner_Id="25", Account_Code="northpeak-old")
    query = Clickpost().cancel(ACCOUNT, shipment).query

    assert (query["cp_id"], query["account_code"]) == ("25", "northpeak-old")


def test_shipments_of_two_carriers_are_not_tracked_in_one_call() -> None:
    with pytest.raises(ValueError, match="one carrier"):
        Clickpost().track(ACCOUNT, [a_shipment(), a_shipment(awb="7700124", Courier_Partner_Id="25")])


def test_shipments_are_tracked_together_by_the_carrier_that_has_them() -> None:
    booked = a_shipment(Courier_Partner_Id="25")

    assert Clickpost().tracked_with(ACCOUNT, booked) == "25"
    assert Clickpost().tracked_with(ACCOUNT, a_shipment()) == "28"


@pytest.mark.parametrize(
    ("courier", "carrier"), [("Bluedart", "28"), ("blue dart", "28"), ("Delhivery", None), ("", None)]
)
def test_whoever_did_not_book_a_shipment_tracks_it_if_the_accounts_carrier_has_its_name(
    courier: str, carrier: str | None
) -> None:
    assert Clickpost().tracked_with(ACCOUNT, replace(a_shipment(), courier=courier)) == carrier


def test_nobody_knows_the_carrier_of_a_forward_shipment_where_the_account_has_none() -> None:
    assert Clickpost().tracked_with(ACCOUNT, a_shipment(Direction.FORWARD)) is None


def test_tracking_has_a_host_of_its_own_unless_the_api_is_elsewhere() -> None:
    moved = replace(ACCOUNT, options={**ACCOUNT.options, "base_url": "https://test.example/api"})
    apart = replace(moved, options={**moved.options, "tracking_base_url": "https://track.example/api/"})

    urls = [Clickpost().track(account, [a_shipment()]).url for account in (ACCOUNT, moved, apart)]
    assert urls == [
        "https://api.clickpost.in/api/v2/track-order/",
        "https://test.example/api/v2/track-order/",
        "https://track.example/api/v2/track-order/",
    ]


# ── forward ─────────────────────────────────────────────────────────────────────────

DELIVERS = replace(
    ACCOUNT,
    options={**ACCOUNT.options, "forward_courier_partner": "5", "forward_account_code": "northpeak-forward"},
)


def test_an_account_without_a_forward_carrier_refuses_to_deliver_and_cannot_tell_what_was_booked() -> None:
    refused = Clickpost().book(ACCOUNT, Job(REFERENCE, FORWARD), {}, NOW)

    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.CONFIGURATION
    assert "forward_courier_partner" in refused.words
    assert isinstance(Clickpost().find(ACCOUNT, Job(REFERENCE, FORWARD), {}, NOW), Unknown)


def test_what_goes_out_is_booked_with_the_forward_carrier_and_back_with_the_reverse_one() -> None:
    out, back = book(FORWARD, DELIVERS)["shipment_details"], book(a_return(), DELIVERS)["shipment_details"]

    assert (out["courier_partner"], out["account_code"]) == (5, "northpeak-forward")
    assert (back["courier_partner"], back["account_code"]) == (28, "northpeak-reverse")


def test_the_warehouse_is_the_pickup_and_where_an_undelivered_parcel_goes_back_to() -> None:
    sent = book(FORWARD, DELIVERS)

    assert sent["pickup_info"]["pickup_name"] == sent["additional"]["return_info"]["name"] == FORWARD.pickup.name
    assert sent["drop_info"]["drop_name"] == FORWARD.drop.name


@pytest.mark.parametrize(("cash", "expected"), [(True, ("COD", 3580.0)), (False, ("PREPAID", 0))])
def test_cash_is_collected_only_where_the_order_was_not_paid(expected: tuple[str, float], *, cash: bool) -> None:
    details = book(replace(FORWARD, cash_on_delivery=cash), DELIVERS)["shipment_details"]

    assert (details["order_type"], details["cod_value"]) == expected


def test_without_an_invoice_the_day_of_the_order_stands_in_for_the_mandatory_date() -> None:
    details = book(replace(FORWARD, invoice_number=None, invoice_time=None), DELIVERS)["shipment_details"]

    assert details["invoice_date"] == "2026-02-02"
    assert "invoice_number" not in details


def test_the_tax_is_summed_only_where_every_item_says_its_rate() -> None:
    taxed = replace(FORWARD, items=tuple(replace(item, tax_percent=Decimal(12)) for item in FORWARD.items))

    assert "gst_total_tax" not in book(FORWARD, DELIVERS)["gst_info"]
    info = book(taxed, DELIVERS)["gst_info"]
    assert (info["gst_total_tax"], info["taxable_value"]) == (383.57, 3196.43)
    assert "gst_info" not in book(replace(taxed, seller_gstin=None), DELIVERS)
