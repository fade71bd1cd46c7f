import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.model.notification_type import NotificationType
from rms.notifications.payloads import (
    DocumentType,
    ForwardNotification,
    InvoiceNotification,
    Item,
    Notification,
    Preferences,
    ReturnNotification,
    payload,
)

HEARD = datetime(2026, 3, 4, 5, 6, 7, 890_000, UTC)


def a_forward(**changes: Any) -> ForwardNotification:
    known = ForwardNotification(
        sequence=4,
        notification_type=NotificationType.OUT_FOR_DELIVERY,
        received_at=HEARD,
        forward_order_code="F-1001",
        aggregator="SHIPROCKET",
    )
    return replace(known, **changes)


def a_return(**changes: Any) -> ReturnNotification:
    known = ReturnNotification(
        sequence=2,
        notification_type=NotificationType.PICKED_UP,
        received_at=HEARD,
        forward_order_code="F-1001",
        return_code="RET-77",
        returned_at=datetime(2026, 3, 1, tzinfo=UTC),
        aggregator="CLICKPOST",
    )
    return replace(known, **changes)


def an_invoice(**changes: Any) -> InvoiceNotification:
    known = InvoiceNotification(
        sequence=9,
        received_at=HEARD,
        forward_order_code="F-1001",
        forward_shipment_code="S-1",
        invoice_id="48213",
        document_url="https://files.acme-store.com/48213.pdf",
        invoice_status="CREATED",
        document_type=DocumentType.INVOICE,
    )
    return replace(known, **changes)


def sent(notification: Notification, preferences: Preferences | None = None) -> dict[str, Any]:
    body = payload(notification) if preferences is None else payload(notification, preferences)
    members: dict[str, Any] = json.loads(body)
    return members


def test_a_return_with_everything_known_is_the_contracts_payload_in_its_order() -> None:
    everything = a_return(
        return_awb="R5550001",
        transporter="Ekart",
        forward_shipment_code="S-1",
        forward_awb="F5550001",
        courier="Ekart",
        metadata={"Account Code": "acme-main"},
        warehouse_code="BLR-2",
        items=(Item("I-1", "SKU-RED-M", 1), Item("I-2", "SKU-RED-L", 2)),
    )

    assert payload(everything).decode() == (
        '{"forwardOrderCode":"F-1001","forwardShipmentCode":"S-1","notificationUpdateTime":1772600767,'
        '"forwardAwb":"F5550001","courierName":"Ekart","notificationType":"PICKED_UP",'
        '"returnOrderInfo":{"returnOrderId":"RET-77","returnAwb":"R5550001","transporter":"Ekart","returnOrderTime":1772323200},'
        '"logisticAggregatorInfo":{"logisticAggregatorName":"CLICKPOST",'
        '"logisticAggregatorMetaData":{"Account Code":"acme-main"}},'
        '"warehouseCode":"BLR-2",'
        '"items":[{"itemId":"I-1","sku":"SKU-RED-M","quantity":1},{"itemId":"I-2","sku":"SKU-RED-L","quantity":2}],'
        '"sequence":2}'
    )


def test_a_return_with_little_known_leaves_out_what_is_optional_and_nulls_what_is_expected() -> None:
    assert sent(a_return()) == {
        "forwardOrderCode": "F-1001",
        "notificationUpdateTime": 1772600767,
        "forwardAwb": None,
        "notificationType": "PICKED_UP",
        "returnOrderInfo": {
            "returnOrderId": "RET-77",
            "returnAwb": None,
            "transporter": None,
            "returnOrderTime": 1772323200,
        },
        "logisticAggregatorInfo": {"logisticAggregatorName": "CLICKPOST", "logisticAggregatorMetaData": {}},
        "warehouseCode": None,
        "items": None,
        "sequence": 2,
    }


def test_a_forward_notification_has_a_null_return_that_is_there() -> None:
    members = sent(a_forward(forward_awb="F5550001"))

    assert members["returnOrderInfo"] is None
    assert members["forwardAwb"] == "F5550001"


@pytest.mark.parametrize("name", list(NotificationType))
def test_the_direction_never_follows_from_the_type(name: NotificationType) -> None:
    assert sent(a_return(notification_type=name))["returnOrderInfo"] is not None
    assert sent(a_forward(notification_type=name))["returnOrderInfo"] is None
    assert sent(a_return(notification_type=name))["notificationType"] == name.value


def test_no_items_and_an_empty_list_of_items_are_different() -> None:
    assert sent(a_forward(items=None))["items"] is None
    assert sent(a_forward(items=()))["items"] == []


def test_a_time_is_whole_epoch_seconds_whatever_its_zone() -> None:
    india = HEARD.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert payload(a_return(received_at=india)) == payload(a_return())


def test_an_invoice_is_the_contracts_payload_and_nothing_of_the_others() -> None:
    assert payload(an_invoice()).decode() == (
        '{"forwardOrderCode":"F-1001","forwardShipmentCode":"S-1","notificationType":"INVOICE_GENERATED",'
        '"notificationUpdateTime":1772600767,"invoiceData":{"invoiceId":"48213",'
        '"documentUrl":"https://files.acme-store.com/48213.pdf","invoiceStatus":"CREATED","documentType":"INVOICE"},"sequence":9}'
    )


def test_an_invoice_tells_its_tax_registration_when_there_is_one() -> None:
    data = sent(an_invoice(irn="a1b2", ack_name="112410000000001", ack_date="2026-03-04 10:36:00"))["invoiceData"]

    assert (data["irn"], data["ackName"], data["ackDate"]) == ("a1b2", "112410000000001", "2026-03-04 10:36:00")


def test_a_credit_note_is_told_from_an_invoice() -> None:
    assert sent(an_invoice(document_type=DocumentType.CREDIT_NOTE))["invoiceData"]["documentType"] == "CREDIT_NOTE"


@pytest.mark.parametrize("notification", [a_forward(), a_return(), an_invoice()])
def test_sequence_is_sent_unless_the_client_switched_it_off(notification: Notification) -> None:
    with_it, without = sent(notification), sent(notification, Preferences(with_sequence=False))

    assert with_it == without | {"sequence": notification.sequence}
    assert "sequence" not in without


def test_metadata_keys_that_the_client_switched_off_are_dropped() -> None:
    notification = a_return(metadata={"Account Code": "acme-main", "Security Key": "hush"})

    members = sent(notification, Preferences(dropped_metadata=frozenset({"Security Key"})))

    assert members["logisticAggregatorInfo"]["logisticAggregatorMetaData"] == {"Account Code": "acme-main"}


def test_metadata_with_every_key_dropped_is_an_empty_object() -> None:
    members = sent(a_return(metadata={"a": "1"}), Preferences(dropped_metadata=frozenset({"a"})))

    assert members["logisticAggregatorInfo"]["logisticAggregatorMetaData"] == {}


def test_an_other_tells_the_raw_status_and_nothing_else_does() -> None:
    other = a_return(notification_type=NotificationType.OTHER, raw_status="Held at customs", metadata={"a": "1"})
    known = a_return(raw_status="Picked")

    assert sent(other)["logisticAggregatorInfo"]["logisticAggregatorMetaData"] == {
        "a": "1",
        "Raw Status": "Held at customs",
    }
    assert sent(known)["logisticAggregatorInfo"]["logisticAggregatorMetaData"] == {}


def test_metadata_is_not_shown_by_repr() -> None:
    assert "hush" not in repr(a_return(metadata={"Security Key": "hush"}))


def test_text_of_all_scripts_is_sent_as_utf_8() -> None:
    assert "मुंबई 🧵".encode() in payload(a_return(warehouse_code="मुंबई 🧵"))


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert sent(a_return(warehouse_code="x\ud800y"))["warehouseCode"] == "x?y"


@given(
    st.builds(
        a_return,
        warehouse_code=st.none() | st.text(alphabet=st.characters(), max_size=20),
        metadata=st.dictionaries(st.text(max_size=5), st.text(alphabet=st.characters(), max_size=5), max_size=3),
        items=st.none()
        | st.lists(st.builds(Item, st.text(max_size=5), st.text(max_size=5), st.integers(1, 99))).map(tuple),
    )
)
def test_any_notification_is_valid_utf_8_json_and_the_same_every_time(notification: ReturnNotification) -> None:
    body = payload(notification)

    assert body == payload(notification)
    assert json.loads(body.decode("utf-8"))["sequence"] == 2
