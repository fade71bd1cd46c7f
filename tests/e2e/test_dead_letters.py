"""A message that cannot be worked: its tries, its dead-letter queue, and the way back."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.builders import a_channel_booked_body
from tests.e2e.installation import Installation, Shop, a_scan, eventually, soon

pytestmark = pytest.mark.e2e

TRIES: Final = 5


def dead_letter(installation: Installation, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """A message in the dead-letter queue of `inbound`, as SQS gives it."""
    sqs, url = installation.stack.client("sqs"), installation.stack.outputs["InboundDeadLetterQueueUrl"]
    taken = sqs.receive_message(QueueUrl=url, VisibilityTimeout=1, MaxNumberOfMessages=10).get("Messages", [])
    return next((one for one in taken if wanted(json.loads(one["Body"]))), None)


def failures(installation: Installation, correlation: str) -> int:
    """How often a worker failed at the message that came under this correlation id."""
    return sum(
        line.startswith("record_shipment_events:") and "message failed" in line and correlation in line
        for line in installation.stack.logs()
    )


def test_a_webhook_that_cannot_be_read_ends_whole_in_the_dead_letter_queue_and_delays_nobody(
    shop: Shop, installation: Installation
) -> None:
    poison = b'\xff\xfe{"waybill": "7700100", \x00 half of a'
    assert shop.tells_of(a_channel_booked_body(returnOrderCode="RET-POISON", awbNumber="7700100")).status_code == 200
    with installation.quick_redelivery("Inbound"):
        assert shop.notifies(poison).status_code == 200
        assert shop.notifies(a_scan("7700100", 25, datetime.now(UTC))).status_code == 200

        eventually(lambda: shop.status("RET-POISON"), "OUT_FOR_PICKUP")
        dead = soon(lambda: dead_letter(installation, lambda body: base64.b64decode(body.get("body", "")) == poison))

    message = json.loads(dead["Body"])
    assert (message["client"], message["alias"], message["aggregator"]) == (shop.name, "main", "CLICKPOST")
    eventually(lambda: failures(installation, message["correlation"]), TRIES)
    installation.forget_dead_letter(dead)


def test_what_was_dead_lettered_is_recorded_after_the_fix_and_the_redrive(installation: Installation) -> None:
    # The fault: a webhook of a client whose configuration is gone. The fix: the client.
    at = datetime.now(UTC) - timedelta(hours=2)
    message = {
        "task": "record",
        "client": "restored",
        "alias": "main",
        "aggregator": "CLICKPOST",
        "correlation": "redrive-0001",
        "received_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "body": base64.b64encode(a_scan("7700200", 25, at)).decode(),
    }
    with installation.quick_redelivery("Inbound") as inbound:
        sqs = installation.stack.client("sqs")
        sqs.send_message(QueueUrl=inbound, MessageBody=json.dumps(message))
        dead = soon(lambda: dead_letter(installation, lambda body: body.get("client") == "restored"))
        assert json.loads(dead["Body"]) == message
        assert failures(installation, "redrive-0001") == TRIES

        shop = installation.new_shop("restored")
        body = a_channel_booked_body(
            returnOrderCode="RET-RESTORED", awbNumber="7700200", returnOrderTime=(at - timedelta(days=1)).isoformat()
        )
        assert shop.tells_of(body).status_code == 200
        # What StartMessageMoveTask does on AWS; the local one lacks it.
        sqs.send_message(QueueUrl=inbound, MessageBody=dead["Body"])
        installation.forget_dead_letter(dead)

        # It is in the journal; the endpoint, which is younger than the webhook, need not hear of it.
        eventually(lambda: shop.told("RET-RESTORED"), ["RETURN_ORDER_PLACED", "OUT_FOR_PICKUP"])
        assert shop.status("RET-RESTORED") == "OUT_FOR_PICKUP"
