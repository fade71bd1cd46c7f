import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rms.clients.configuration import configuration_of
from rms.journal import Event, EventKind
from rms.journal.keys import return_id, shipment_id
from rms.model.documents import to_document
from rms.model.forward_shipment import ForwardShipment
from rms.model.notification_type import NotificationType
from rms.model.return_order import ReturnOrder
from rms.notifications.compose import compose
from rms.notifications.payloads import InvoiceNotification, payload
from rms.platform.table import Value
from rms.platform.times import to_text
from tests.builders import a_return, a_shipment
from tests.fakes.http import json_of
from tests.unit.notifications.telling import PICKED_UP, a_journal, sent, tell
from tests.world import CLIENT, World

RETURN = a_return(code="CODE-1")
PARCEL = a_shipment(shipment_code="CODE-1")
HEARD_AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def composed(
    order: ReturnOrder | ForwardShipment, event: EventKind, name: NotificationType, facts: Mapping[str, Value]
) -> dict[str, Any]:
    """The body that subscribers get for an event, by way of the journal."""
    world = World()
    aggregate = (return_id if isinstance(order, ReturnOrder) else shipment_id)(CLIENT, "CODE-1")
    world.core.journal.create(
        aggregate,
        {"body": to_document(order), "received_at": to_text(HEARD_AT)},
        {"state": "NEW"},
        Event("first", event, HEARD_AT, HEARD_AT, name, facts),
    )
    [recorded] = world.core.journal.events(aggregate)
    document = world.core.table.get(aggregate.document)
    assert document is not None
    body = json.loads(payload(compose(aggregate, document, recorded)))
    assert isinstance(body, dict)
    return body


def test_a_tracking_event_of_a_return_tells_the_return_and_its_parcel() -> None:
    facts: dict[str, Value] = {
        "awb": "5550001",
        "courier": "Quickship",
        "aggregator": "CLICKPOST",
        "metadata": {"Account Code": "lotus-reverse"},
    }

    assert composed(RETURN, EventKind.TRACKED, PICKED_UP, facts) == {
        "forwardOrderCode": "SO-70031",
        "forwardShipmentCode": "SH-70031",
        "notificationUpdateTime": int(HEARD_AT.timestamp()),
        "forwardAwb": None,
        "courierName": "Quickship",
        "notificationType": "RETURN_PICKED_UP",
        "returnOrderInfo": {
            "returnOrderId": "CODE-1",
            "returnAwb": "5550001",
            "transporter": "Quickship",
            "returnOrderTime": int(datetime(2026, 2, 11, 3, 45, 30, tzinfo=UTC).timestamp()),
        },
        "logisticAggregatorInfo": {
            "logisticAggregatorName": "CLICKPOST",
            "logisticAggregatorMetaData": {"Account Code": "lotus-reverse"},
        },
        "warehouseCode": None,
        "items": [{"itemId": "70031-1", "sku": "TRAIL-42-BLK", "quantity": 1}],
        "sequence": 1,
    }


def test_a_return_that_is_not_booked_yet_tells_so() -> None:
    order = a_return(code="CODE-1", placed_at=None)

    body = composed(order, EventKind.PLACED, NotificationType.RETURN_ORDER_PLACED, {})

    assert body["returnOrderInfo"] == {
        "returnOrderId": "CODE-1",
        "returnAwb": None,
        "transporter": None,
        "returnOrderTime": int(HEARD_AT.timestamp()),
    }
    assert "courierName" not in body
    assert body["logisticAggregatorInfo"] == {"logisticAggregatorName": "NONE", "logisticAggregatorMetaData": {}}


def test_a_return_that_the_channel_booked_tells_the_channels_courier() -> None:
    order = a_return(code="CODE-1", awb="9977001122", courier="Quickship", forward=None)

    body = composed(order, EventKind.PLACED, NotificationType.RETURN_ORDER_PLACED, {})

    assert (body["returnOrderInfo"]["returnAwb"], body["courierName"]) == ("9977001122", "Quickship")
    assert "forwardShipmentCode" not in body


def test_a_status_without_a_name_brings_the_aggregators_own_words() -> None:
    facts: dict[str, Value] = {
        "aggregator": "CLICKPOST",
        "raw_text": "Held by customs",
        "metadata": {"Remark": "ask at the desk"},
    }

    body = composed(RETURN, EventKind.TRACKED, NotificationType.OTHER, facts)

    assert body["logisticAggregatorInfo"]["logisticAggregatorMetaData"] == {
        "Remark": "ask at the desk",
        "Raw Status": "Held by customs",
    }


def test_an_event_of_a_forward_parcel_tells_the_parcel_and_its_order() -> None:
    facts: dict[str, Value] = {"awb": "7001", "courier": "Bluecart", "aggregator": "CLICKPOST"}

    assert composed(PARCEL, EventKind.TRACKED, NotificationType.OUT_FOR_DELIVERY, facts) == {
        "forwardOrderCode": "SO-70031",
        "forwardShipmentCode": "CODE-1",
        "notificationUpdateTime": int(HEARD_AT.timestamp()),
        "forwardAwb": "7001",
        "courierName": "Bluecart",
        "notificationType": "OUT_FOR_DELIVERY",
        "returnOrderInfo": None,
        "logisticAggregatorInfo": {"logisticAggregatorName": "CLICKPOST", "logisticAggregatorMetaData": {}},
        "warehouseCode": "BLR-2",
        "items": [{"itemId": "SO-70031-1", "sku": "TRAIL-42-BLK", "quantity": 2}],
        "sequence": 1,
    }


def test_a_forward_parcel_without_a_courier_yet_tells_so() -> None:
    parcel = a_shipment(shipment_code="CODE-1", location_code=None)

    body = composed(parcel, EventKind.PLACED, NotificationType.READY_TO_SHIP, {})

    assert (body["forwardAwb"], body["warehouseCode"]) == (None, None)
    assert "courierName" not in body


def test_shiprockets_forward_statuses_have_no_items() -> None:
    body = composed(PARCEL, EventKind.TRACKED, NotificationType.IN_TRANSIT, {"aggregator": "SHIPROCKET"})

    assert body["items"] is None


def test_an_invoice_is_told_with_what_the_tax_system_gave() -> None:
    facts: dict[str, Value] = {
        "shipment_code": "SH-70031",
        "invoice_id": "INV-5",
        "document_url": "https://files.lotus.test/INV-5.pdf",
        "invoice_status": "CREATED",
        "document_type": "CREDIT_NOTE",
        "irn": "a1b2",
    }

    assert composed(PARCEL, EventKind.INVOICED, NotificationType.INVOICE_GENERATED, facts) == {
        "forwardOrderCode": "SO-70031",
        "forwardShipmentCode": "SH-70031",
        "notificationType": "INVOICE_GENERATED",
        "notificationUpdateTime": int(HEARD_AT.timestamp()),
        "invoiceData": {
            "invoiceId": "INV-5",
            "documentUrl": "https://files.lotus.test/INV-5.pdf",
            "invoiceStatus": "CREATED",
            "documentType": "CREDIT_NOTE",
            "irn": "a1b2",
        },
        "sequence": 1,
    }


def test_an_invoice_that_does_not_say_what_it_is_is_an_invoice() -> None:
    body = composed(PARCEL, EventKind.INVOICED, NotificationType.INVOICE_GENERATED, {"invoice_id": "INV-6"})

    assert body["invoiceData"]["documentType"] == "INVOICE"
    assert body["forwardShipmentCode"] == "CODE-1"


def test_forward_parcels_and_invoices_travel_the_same_way_to_the_endpoint() -> None:
    world = World()
    aggregate = shipment_id(CLIENT, "SH-70031")
    readers = configuration_of(world.core, CLIENT).readers
    world.core.journal.create(
        aggregate,
        {"body": to_document(a_shipment()), "received_at": to_text(world.clock())},
        {"state": "NEW"},
        Event("1", EventKind.TRACKED, world.clock(), world.clock(), NotificationType.SHIPPED, {}),
        readers=readers,
    )
    world.core.journal.append(
        aggregate,
        Event("2", EventKind.INVOICED, world.clock(), world.clock(), NotificationType.INVOICE_GENERATED, {}),
        lambda _: {},
        readers=readers,
    )

    tell(world, aggregate)

    assert [json_of(request)["notificationType"] for request in sent(world)] == ["SHIPPED", "INVOICE_GENERATED"]
    assert world.receiver.violations() == []


def test_the_same_code_as_return_and_as_forward_parcel_are_two_different_messages() -> None:
    world = World()
    as_return = a_journal(world, PICKED_UP, code="SAME")
    as_parcel = shipment_id(CLIENT, "SAME")
    world.core.journal.create(
        as_parcel,
        {"body": to_document(a_shipment(shipment_code="SAME")), "received_at": to_text(world.clock())},
        {"state": "NEW"},
        Event("1", EventKind.TRACKED, world.clock(), world.clock(), NotificationType.SHIPPED, {}),
        readers=configuration_of(world.core, CLIENT).readers,
    )

    tell(world, as_return)
    tell(world, as_parcel)

    assert len({request.headers["webhook-id"] for request in sent(world)}) == 2


def test_an_invoice_has_its_own_shape() -> None:
    world = World()
    aggregate = a_journal(world, PICKED_UP)
    world.core.journal.append(
        aggregate,
        Event("i", EventKind.INVOICED, world.clock(), world.clock(), NotificationType.INVOICE_GENERATED, {}),
        lambda _: {},
    )
    document = world.core.table.get(aggregate.document)
    assert document is not None

    [_, invoiced] = world.core.journal.events(aggregate)

    assert isinstance(compose(aggregate, document, invoiced), InvoiceNotification)
