"""What each flow and each start may cost; tests/integration/budgets holds them, one more is a failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Budget:
    """The price of a flow: AWS calls in cold and in warm environments, and units when warm."""

    cold: int
    warm: Mapping[str, int]
    write_units: float
    read_units: float


BUDGETS: Final[Mapping[str, Budget]] = {
    "create, RMS books the AWB": Budget(
        cold=5,
        warm={"DynamoDB TransactWriteItems": 2, "SQS SendMessageBatch": 1},
        write_units=33,
        read_units=0,
    ),
    "create, booked by the channel": Budget(
        cold=3,
        warm={"DynamoDB TransactWriteItems": 1, "SQS SendMessageBatch": 1},
        write_units=19,
        read_units=0,
    ),
    "tracking event, webhook to delivered": Budget(
        cold=12,
        warm={
            "DynamoDB BatchGetItem": 2,
            "DynamoDB GetItem": 1,
            "DynamoDB TransactWriteItems": 2,
            "DynamoDB UpdateItem": 1,
            "SQS SendMessageBatch": 2,
        },
        write_units=19,
        read_units=6,
    ),
    "the same webhook again": Budget(
        cold=6,
        warm={
            "DynamoDB BatchGetItem": 1,
            "DynamoDB GetItem": 1,
            "DynamoDB TransactWriteItems": 1,
            "SQS SendMessageBatch": 1,
        },
        write_units=8,
        read_units=2,
    ),
    "replay of one return, 3 notifications": Budget(
        cold=11,
        warm={
            "DynamoDB BatchGetItem": 1,
            "DynamoDB GetItem": 1,
            "DynamoDB TransactWriteItems": 3,
            "DynamoDB UpdateItem": 2,
            "SQS SendMessageBatch": 1,
        },
        write_units=18,
        read_units=8,
    ),
    "replay everything since a time, 25 orders": Budget(
        cold=139,
        warm={
            "DynamoDB BatchGetItem": 31,
            "DynamoDB GetItem": 3,
            "DynamoDB Query": 14,
            "DynamoDB TransactWriteItems": 52,
            "DynamoDB UpdateItem": 33,
            "SQS SendMessageBatch": 4,
        },
        write_units=499,
        read_units=191,
    ),
    "read what an endpoint has heard, a page": Budget(
        cold=3,
        warm={"DynamoDB BatchGetItem": 2, "DynamoDB Query": 1},
        write_units=0,
        read_units=52.5,
    ),
    "list, a page of 50": Budget(
        cold=2,
        warm={"DynamoDB BatchGetItem": 1, "DynamoDB Query": 1},
        write_units=0,
        read_units=101,
    ),
    "read one return": Budget(
        cold=3,
        warm={"DynamoDB BatchGetItem": 2, "DynamoDB Query": 1},
        write_units=0,
        read_units=10,
    ),
    "the warehouse's results of one return": Budget(
        cold=4,
        warm={"DynamoDB BatchGetItem": 1, "DynamoDB GetItem": 1, "DynamoDB TransactWriteItems": 1},
        write_units=10,
        read_units=4,
    ),
    "QC call to all sinks": Budget(
        cold=29,
        warm={
            "DynamoDB BatchGetItem": 8,
            "DynamoDB GetItem": 1,
            "DynamoDB Query": 1,
            "DynamoDB TransactWriteItems": 5,
            "DynamoDB UpdateItem": 4,
            "SQS SendMessageBatch": 1,
        },
        write_units=57,
        read_units=34,
    ),
    "authorize": Budget(cold=1, warm={"DynamoDB GetItem": 1}, write_units=0, read_units=1),
    "look for silent parcels, none": Budget(
        cold=6,
        warm={"DynamoDB Query": 4, "DynamoDB UpdateItem": 2},
        write_units=2,
        read_units=2,
    ),
    "five silent parcels, one lost webhook": Budget(
        cold=19,
        warm={
            "DynamoDB BatchGetItem": 2,
            "DynamoDB GetItem": 1,
            "DynamoDB Query": 6,
            "DynamoDB TransactWriteItems": 1,
            "DynamoDB UpdateItem": 7,
            "SQS SendMessageBatch": 1,
        },
        write_units=28,
        read_units=20,
    ),
    "sweep, nothing due": Budget(cold=4, warm={"DynamoDB Query": 4}, write_units=0, read_units=2),
}
"""By the title of the flow."""

LEAST_GAIN: Final = 8.0
"""How many times faster twenty endpoints are told in one batch than in series, where each takes 200 ms to answer; ten
are told at the same time."""

CALLS_PER_EVENT: Final = 3
"""AWS calls for an event that is told in such a batch: lease the cursor, read, move the cursor."""

START_AIM: Final = 1.25
"""How much longer than the floor a function should take to start."""

START_LIMIT: Final = 1.5
"""What fails the tests: the aim, and room for what is measured above it and for a busy machine."""

START_LIMITS: Final[Mapping[str, float]] = {
    "add_return_items": 2.1,
    "administer_clients": 2.1,
    "ask_web_shop_labels": 2.1,
    "book_shipments": 1.65,
    "cancel_shipments": 2.1,
    "create_return": 2.1,
    "generate_return_awb": 2.1,
    "manage_endpoints": 2.1,
    "process_return": 2.1,
    "push_notification": 1.65,
    "read_forward": 1.65,
    "read_returns": 1.65,
    "record_invoices": 2.1,
    "ship_forward": 2.1,
}
"""Where the aim is not met: Powertools' resolver (1.3), beside pydantic or all that books and cancels (up to 2.0)."""
