"""The fake's prices, which the bench prints, beside those of AWS's own engine for the same calls.

Transactions are left out: DynamoDB Local bills theirs four times instead of twice, and their index entries too, which
DynamoDB itself does not double. So are rows and pages that are not there: it bills nothing, DynamoDB one unit.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from rms.platform.table import EXISTING, NEW, Absent, Delete, Key, Put, Table, Update
from tests.fakes.table import FakeTable
from tests.template import create_table

pytestmark = pytest.mark.e2e

LARGE: Final = Key("P", "large")
DUE: Final = Key("P", "due")
STEPS: Final[tuple[Callable[[Table], object], ...]] = (
    lambda table: table.write(Put(LARGE, {"v": "x" * 2500}, NEW)),
    lambda table: table.write(Put(LARGE, {"v": "x", "n": -1234567, "b": True, "l": [None, {"k": b"\x00"}]}, EXISTING)),
    lambda table: table.write(Put(LARGE, {"v": "é" * 4500}, EXISTING)),
    lambda table: table.write(Put(DUE, {"due_shard": "s", "due_at": "1", "v": 1}, NEW)),
    lambda table: table.write(Update(DUE, EXISTING, set={"v": 2})),
    lambda table: table.write(Update(DUE, EXISTING, set={"due_at": "2"})),
    lambda table: table.get(LARGE),
    lambda table: table.get(DUE),
    lambda table: table.get_many([LARGE, DUE]),
    lambda table: table.query("P"),
    lambda table: table.query("P", limit=1),
    lambda table: table.query_due("s", until="9"),
    lambda table: table.write(Update(DUE, EXISTING, remove=["due_at", "due_shard"])),
    lambda table: table.write(Delete(LARGE, EXISTING)),
    lambda table: table.write(Delete(LARGE, {"v": Absent()})),
)


def test_the_fake_bills_what_dynamodb_local_bills(dynamodb_local_url: str) -> None:
    client = open_client("dynamodb", endpoint_url=dynamodb_local_url)
    create_table(client, "rms-prices")
    billed: list[float] = []

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], **_: object) -> None:
        consumed = parsed["ConsumedCapacity"]
        billed.append(sum(one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed])))

    client.meta.events.register("provide-client-params.dynamodb", ask)
    client.meta.events.register("after-call.dynamodb", note)
    real, fake = DynamoTable(client, "rms-prices"), FakeTable()
    priced = []
    for step in STEPS:
        before = fake.units.read + fake.units.write
        assert step(fake) == step(real)
        priced.append(fake.units.read + fake.units.write - before)

    assert priced == billed
