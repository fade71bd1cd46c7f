"""The stored text of a return order or forward parcel: exact both ways, one text for one meaning, small."""

import json
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rms.model.documents import (
    content_digest,
    from_document,
    order_of,
    processing_from_document,
    shipment_from_document,
    to_document,
)
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.processing import ItemResult, Processing, Verdict
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder, SubTax
from tests.builders import a_return, a_shipment, an_address, changed

INDIA = timezone(timedelta(hours=5, minutes=30))

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NUMBERS = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False)
TIMES = st.integers(0, 7 * 10**9).map(lambda second: datetime.fromtimestamp(second, INDIA))
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 10**6),
    Decimal: NUMBERS,
    datetime: TIMES,
    bool: st.booleans(),
}


def any_value(hint: Any) -> st.SearchStrategy[Any]:
    """Every value that a field of this type may hold, so that a new field of the model is tried without a word here."""
    if isinstance(hint, UnionType):
        return st.one_of([any_value(option) for option in get_args(hint)])
    if hint is NoneType:
        return st.none()
    if get_origin(hint) is tuple:
        return st.lists(any_value(get_args(hint)[0]), max_size=2).map(tuple)
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{name: any_value(held) for name, held in get_type_hints(hint).items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return VALUES[hint]


@settings(max_examples=60)
@given(any_value(ReturnOrder))
def test_any_order_comes_back_as_it_was(order: ReturnOrder) -> None:
    text = to_document(order)

    assert from_document(text) == order
    assert to_document(from_document(text)) == text


@settings(max_examples=60)
@given(any_value(ForwardShipment))
def test_any_forward_parcel_comes_back_as_it_was(shipment: ForwardShipment) -> None:
    text = to_document(shipment)

    assert shipment_from_document(text) == shipment
    assert to_document(shipment_from_document(text)) == text


@settings(max_examples=60)
@given(any_value(Processing))
def test_whatever_a_warehouse_said_comes_back_as_it_was(processing: Processing) -> None:
    text = to_document(processing)

    assert processing_from_document(text) == processing
    assert to_document(processing_from_document(text)) == text


def test_500_results_that_differ_in_nothing_but_their_code_are_one_row() -> None:
    passed = ItemResult(item_code="", sku="TRAIL-42-BLK", verdict=Verdict.PASS)
    items = tuple(replace(passed, item_code=f"70031-{number}") for number in range(500))
    said = Processing(items, "BLR-2", "LOTUS-WEB", "dock-2", datetime(2026, 3, 2, tzinfo=UTC))

    text = to_document(said)

    assert len(json.loads(text)["items"]) == 1
    assert processing_from_document(text) == said


def test_the_kind_of_an_aggregate_says_what_its_document_holds() -> None:
    order, shipment = a_return(), a_shipment()

    assert order_of("R", to_document(order)) == order
    assert order_of("S", to_document(shipment)) == shipment


def test_only_what_is_set_is_written() -> None:
    order = ReturnOrder(code="R1", forward_order_code="F1", items=(ReturnItem("I1", "SKU", None),))

    assert to_document(order) == ('{"code":"R1","forward_order_code":"F1","items":[{"item_codes":["I1"],"sku":"SKU"}]}')


def test_a_return_announced_with_nothing_but_skus_is_kept() -> None:
    order = ReturnOrder("CP-1", "F1", tuple(ReturnItem(f"S_{n}", "S", reason=None) for n in (1, 2)))

    assert from_document(to_document(order)) == order


def test_numbers_and_times_have_one_spelling() -> None:
    written = json.loads(
        to_document(
            a_return(
                **{
                    "items[0].price": Decimal("100.00"),
                    "items[0].final_amount_paid": Decimal("1E+2"),
                    "parcel.weight_g": Decimal("0.10"),
                    "placed_at": datetime(2026, 1, 1, 2, 0, tzinfo=INDIA),
                }
            )
        )
    )

    assert written["items"][0]["price"] == written["items"][0]["final_amount_paid"] == "100"
    assert written["parcel"]["weight_g"] == "0.1"
    assert written["placed_at"] == "2025-12-31T20:30:00+00:00"


def test_text_beyond_ascii_stays_readable() -> None:
    assert "Zoë 👟" in to_document(a_return(reason="Zoë 👟"))


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("items[0].price", Decimal(100), Decimal("100.0")),
        ("items[0].price", Decimal(0), Decimal("-0.00")),
        ("placed_at", datetime(2026, 1, 1, 2, 0, tzinfo=INDIA), datetime(2025, 12, 31, 20, 30, tzinfo=UTC)),
    ],
)
def test_another_spelling_of_the_same_has_the_same_digest(path: str, one: object, other: object) -> None:
    assert content_digest(a_return(**{path: one})) == content_digest(a_return(**{path: other}))


FULL = a_return(
    **{
        "channel_status": "OPEN",
        "expected_at": datetime(2026, 2, 18, tzinfo=UTC),
        "awb": "A1",
        "courier": "Quickship",
        "account_alias": "west",
        "units_called": 1,
        "left_out": ("I2",),
        "consignee_gstin": "G2",
        "drop": an_address(line2="L2", line3="L3"),
        "pickup": an_address(line2="L2", line3="L3"),
        "forward.order_time": datetime(2026, 1, 30, tzinfo=UTC),
        "items": (
            ReturnItem(
                item_code="I1",
                sku="S1",
                reason="R",
                name="N",
                brand="B",
                color="C",
                category="K",
                sub_category="SK",
                serial_number="SN",
                price=Decimal(1),
                final_amount_paid=Decimal(1),
                image_url="U",
                sub_order_code="S1",
                taxes=(SubTax("GST", Decimal(1), Decimal(2), Decimal(3)),),
            ),
        ),
    }
)
FULL_SHIPMENT = a_shipment(
    **{"items[0].category": "Footwear"},
    billing=an_address(line2="L2", line3="L3"),
    drop=an_address(line2="L2", line3="L3"),
    pickup=an_address(line2="L2", line3="L3"),
    account_alias="west",
)
OTHER: dict[type, Any] = {
    int: lambda number: number + 1,
    str: lambda text: text + "x",
    bool: lambda flag: not flag,
    Decimal: lambda number: number + 1,
    datetime: lambda time: time + timedelta(seconds=1),
    tuple: lambda values: (*values, values[0]),
}


def another(order: ReturnOrder | ForwardShipment, path: str) -> Any:
    """Another value than the one there; None in the place of an object."""
    held: Any = order
    for step in path.replace("[0]", ".0").split("."):
        held = held[0] if step == "0" else getattr(held, step)
    return OTHER[type(held)](held) if type(held) in OTHER else None


EVERY_FIELD = [
    prefix + field.name
    for prefix, kind in (
        ("", ReturnOrder),
        ("items[0].", ReturnItem),
        ("items[0].taxes[0].", SubTax),
        ("drop.", Address),
        ("pickup.", Address),
        ("parcel.", Parcel),
        ("forward.", ForwardOrder),
    )
    for field in fields(kind)
]


@pytest.mark.parametrize("path", EVERY_FIELD)
def test_a_change_of_any_field_changes_the_digest(path: str) -> None:
    other = changed(FULL, **{path: another(FULL, path)})

    assert other != FULL
    assert content_digest(other) != content_digest(FULL)


EVERY_FIELD_OF_A_SHIPMENT = [
    prefix + field.name
    for prefix, kind in (
        ("", ForwardShipment),
        ("items[0].", ForwardItem),
        ("billing.", Address),
        ("drop.", Address),
        ("pickup.", Address),
        ("parcel.", Parcel),
    )
    for field in fields(kind)
]


@pytest.mark.parametrize("path", EVERY_FIELD_OF_A_SHIPMENT)
def test_a_change_of_any_field_of_a_forward_parcel_changes_the_digest(path: str) -> None:
    other = changed(FULL_SHIPMENT, **{path: another(FULL_SHIPMENT, path)})

    assert other != FULL_SHIPMENT
    assert content_digest(other) != content_digest(FULL_SHIPMENT)


def test_lines_of_a_forward_parcel_keep_their_quantities_and_order() -> None:
    mug = ForwardItem("MUG", "MUG", "Mug", 2, Decimal(450))
    items = (mug, replace(mug, item_code="MUG-B"), replace(mug, item_code="MUG-C", quantity=3))

    assert shipment_from_document(to_document(a_shipment(items=items))).items == items


def test_units_alike_share_a_row_and_keep_their_order() -> None:
    mug = ReturnItem("MUG_1", "MUG", "Chipped", image_url="https://shop.example/" + "m" * 2000)
    tray = ReturnItem("TRAY_1", "TRAY", None)
    items = (*(replace(mug, item_code=f"MUG_{n}") for n in range(1, 400)), tray, replace(mug, item_code="MUG_400"))
    order = a_return(items=items)

    text = to_document(order)

    assert len(text) < 20_000
    assert from_document(text).items == items


def test_a_name_that_a_newer_version_wrote_is_left_out() -> None:
    order = a_return()
    text = to_document(order)

    assert from_document(text[:-1] + ',"colour_of_the_box":"blue"}') == order
