"""Looked at when everything else is done: what the run has left behind."""

import pytest

from tests.e2e.installation import PERSONAL, Installation

pytestmark = pytest.mark.e2e

FUNCTIONS = (
    "authorize",
    "create_return",
    "read_returns",
    "replay_notifications",
    "manage_endpoints",
    "read_deliveries",
    "administer_clients",
    "clickpost_webhook",
    "record_shipment_events",
    "book_shipments",
    "deliver_notifications",
    "sweep_due_work",
)
SKIPPED = "RET-POISONED"
"""A return of which one notification was skipped on purpose: the receiver sees that the next one overtook it."""

SANDBOX_SECRETS = ("sandbox-api-key", "whsec_", "from-rms")
BUILDERS_PERSONAL = (
    "Asha Menon",
    "asha.menon@mail.example",
    "9820055501",
    "7 Lake View Road",
    "returns@warehouse.example",
)


def test_no_secret_and_nothing_personal_stands_in_any_log(installation: Installation) -> None:
    lines = installation.stack.logs()
    assert {line.partition(":")[0] for line in lines} >= set(FUNCTIONS), "not every function has logged anything"

    forbidden = [*installation.secrets, *SANDBOX_SECRETS, *PERSONAL, *BUILDERS_PERSONAL]
    found = [(secret, line[:200]) for secret in forbidden for line in lines if secret in line]
    assert found == []


def test_nothing_is_left_in_a_dead_letter_queue(installation: Installation) -> None:
    sqs, outputs = installation.stack.client("sqs"), installation.stack.outputs
    for queue in ("Inbound", "Bookings", "Deliveries"):
        taken = sqs.receive_message(QueueUrl=outputs[f"{queue}DeadLetterQueueUrl"], MaxNumberOfMessages=10)
        assert taken.get("Messages", []) == []


def test_no_receiver_has_anything_to_complain_of(installation: Installation) -> None:
    complaints = installation.receiver.control.get("violations")
    assert [each for each in complaints if each["about"] != SKIPPED] == []


def test_no_return_has_a_second_parcel(installation: Installation) -> None:
    for shop in installation.shops:
        assert shop.clickpost.control.get("bookings")["duplicate_parcels"] == 0, shop.name
