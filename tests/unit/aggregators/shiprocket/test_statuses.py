"""Both of Shiprocket's status tables, row by row, and the rule that says which id decides."""

import pytest

from rms.aggregators.shiprocket.statuses import (
    ORDER_STATUSES,
    RETURN_IDS,
    SHIPMENT_STATUSES,
    Meaning,
    Row,
    meanings,
    plain,
)
from rms.model.notification_type import NotificationType as To

UNEXPECTED = Meaning(To.OTHER, unexpected=True)


def ids(table: dict[int, Row]) -> list[object]:
    return [pytest.param(number, id=f"{number} {row.name}") for number, row in table.items()]


@pytest.mark.parametrize("number", ids(dict(ORDER_STATUSES)))
def test_an_order_id_alone_means_its_row(number: int) -> None:
    row = ORDER_STATUSES[number]

    assert meanings(number, None, ()) == (row.forward, row.back)


@pytest.mark.parametrize("number", ids(dict(SHIPMENT_STATUSES)))
def test_a_shipment_id_alone_means_its_row(number: int) -> None:
    row = SHIPMENT_STATUSES[number]

    assert meanings(None, number, ()) == (row.forward, row.back)


@pytest.mark.parametrize("table", [ORDER_STATUSES, SHIPMENT_STATUSES], ids=["order", "shipment"])
def test_every_name_is_found_in_any_spelling(table: dict[int, Row]) -> None:
    for row in table.values():
        for name in row.name.split("/"):
            for spelt in (name, name.upper(), name.lower().replace(" ", "_"), name.replace("_", "-")):
                assert [meaning.name for meaning in meanings(None, None, (spelt,))] == [row.forward.name, row.back.name]


def test_one_name_never_means_two_things() -> None:
    seen: dict[str, tuple[Meaning, Meaning]] = {}
    for table in (ORDER_STATUSES, SHIPMENT_STATUSES):
        for row in table.values():
            for name in row.name.split("/"):
                assert seen.setdefault(plain(name), (row.forward, row.back)) == (row.forward, row.back)


def test_the_tables_are_whole() -> None:
    absent_orders = {56, 63, 77, 78, 79, 84, 85, 86}
    absent_shipments = {*range(28, 38), 53, 58, 64, 65, 66, 69, 70, 73, 74}

    assert set(ORDER_STATUSES) == set(range(1, 91)) - absent_orders
    assert set(SHIPMENT_STATUSES) == set(range(1, 79)) - absent_shipments


def test_21_is_a_new_return_as_an_order_id_and_a_failed_delivery_as_a_shipment_id() -> None:
    assert meanings(21, None, ())[1].name is To.RETURN_ORDER_PLACED
    assert meanings(None, 21, ())[1].name is To.UNDELIVERED


@pytest.mark.parametrize("number", sorted(RETURN_IDS - {68}))
def test_for_a_return_an_order_id_that_only_returns_have_decides_over_the_shipment_id(number: int) -> None:
    forward, back = meanings(number, 18, ())

    assert back == ORDER_STATUSES[number].back
    assert forward.name is To.IN_TRANSIT


@pytest.mark.parametrize("number", sorted(set(ORDER_STATUSES) - RETURN_IDS))
def test_every_other_order_id_comes_after_the_shipment_id_both_ways(number: int) -> None:
    assert [meaning.name for meaning in meanings(number, 42, ())] == [To.PICKED_UP, To.RETURN_PICKED_UP]


def test_a_plain_other_and_an_unknown_id_hand_over_to_the_next() -> None:
    assert meanings(7, 11, ())[0].name is To.DELIVERED
    assert meanings(7, 9999, ())[0].name is To.DELIVERED
    assert meanings(68, 7, ())[1].name is To.DELIVERED
    assert meanings(9999, 9999, ("nonsense", "Out_For-Delivery"))[0].name is To.OUT_FOR_DELIVERY


def test_an_unexpected_status_is_an_answer_and_hands_over_to_nothing() -> None:
    assert meanings(26, 9, ())[1].name is To.DELIVERED
    assert meanings(7, 9, ())[1] == UNEXPECTED
    assert meanings(26, None, ("DELIVERED",))[0] == UNEXPECTED


def test_a_failed_doorstep_qc_is_other_and_known_as_a_qc() -> None:
    assert meanings(57, 47, ())[1] == Meaning(To.OTHER, qc=True)
    assert meanings(None, 47, ("PICKED UP",))[1] == Meaning(To.OTHER, qc=True)


def test_an_id_in_no_table_is_other() -> None:
    assert meanings(56, 28, ("Drone launched",)) == (Meaning(To.OTHER), Meaning(To.OTHER))


def test_what_shiprocket_does_not_describe_is_known_as_weak() -> None:
    assert ORDER_STATUSES[22].back.weak
    assert SHIPMENT_STATUSES[5].forward.weak
    assert not SHIPMENT_STATUSES[7].back.weak
