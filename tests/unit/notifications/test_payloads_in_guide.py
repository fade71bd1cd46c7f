"""The payloads shown in docs/notifications.md are those that are sent, members and order included."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from rms.model.notification_type import NotificationType
from rms.notifications.payloads import (
    DocumentType,
    EndpointNotice,
    ForwardNotification,
    InvoiceNotification,
    Item,
    Notification,
    ReturnNotification,
    payload,
)
from rms.notifications.signing import sign

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
HEARD: Final = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

SHOWN: Final[tuple[Notification, ...]] = (
    ReturnNotification(
        sequence=3,
        notification_type=NotificationType.RETURN_PICKED_UP,
        received_at=HEARD,
        forward_order_code="F-1001",
        forward_shipment_code="S-1",
        return_code="RET-77",
        return_awb="R5550001",
        transporter="Ekart",
        courier="Ekart",
        returned_at=datetime(2026, 3, 1, tzinfo=UTC),
        aggregator="CLICKPOST",
        metadata={"Account Code": "acme-main"},
        items=(Item("I-1", "SKU-RED-M", 1),),
    ),
    ForwardNotification(
        sequence=4,
        notification_type=NotificationType.OUT_FOR_DELIVERY,
        received_at=HEARD,
        forward_order_code="F-1001",
        forward_shipment_code="S-1",
        forward_awb="F5550001",
        courier="Delhivery",
        aggregator="SHIPROCKET",
        warehouse_code="BLR-2",
    ),
    InvoiceNotification(
        sequence=9,
        received_at=HEARD,
        forward_order_code="F-1001",
        forward_shipment_code="S-1",
        invoice_id="48213",
        document_url="https://files.example.com/48213.pdf",
        invoice_status="CREATED",
        document_type=DocumentType.INVOICE,
    ),
    EndpointNotice(
        sequence=1,
        received_at=HEARD,
        endpoint="main",
        reason="answered 410: the endpoint is gone",
        disabled_at=HEARD,
    ),
)


@pytest.mark.parametrize(
    ("shown", "notification"), list(enumerate(SHOWN)), ids=["return", "forward", "invoice", "notice"]
)
def test_the_guide_shows_what_is_sent(shown: int, notification: Notification) -> None:
    examples = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)

    assert json.dumps(json.loads(payload(notification)), indent=2) + "\n" == examples[shown]
    assert len(examples) == len(SHOWN)


def test_the_signature_that_the_guide_shows_is_that_of_the_return_it_shows() -> None:
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]{10,}", GUIDE)
    shown = dict(re.findall(r"^(webhook-[a-z]+): (.*)$", GUIDE, re.MULTILINE))
    sent_at = datetime.fromtimestamp(int(shown["webhook-timestamp"]), UTC)

    assert sign([secret], shown["webhook-id"], sent_at, payload(SHOWN[0])) == shown
