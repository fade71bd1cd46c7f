from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, ClassVar

import pytest
from moto import mock_aws
from moto.dynamodb.comparisons import get_filter_expression

from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from rms.platform.table import NEW, Key, Put
from tests.ports.engines import ClientEngine, OneAtATime
from tests.ports.table_suite import TableSuite
from tests.template import create_table


class TestDynamoTableOnMoto(TableSuite):
    engine: ClassVar = "moto"

    @pytest.fixture
    def under_test(self) -> Iterator[ClientEngine]:
        with mock_aws():
            client = open_client("dynamodb")
            create_table(client, "rms-test")
            in_turn: Any = OneAtATime(client)
            yield ClientEngine(client, DynamoTable(in_turn, "rms-test"))


@mock_aws
def test_moto_still_lets_two_writers_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why the suite above takes turns. When moto locks its tables, this fails and `OneAtATime` can go."""
    client = open_client("dynamodb")
    create_table(client, "rms-test")
    table = DynamoTable(client, "rms-test")
    both_inside = Barrier(2)
    judge = get_filter_expression

    def judge_together(*arguments: Any, **named: Any) -> Any:
        both_inside.wait(timeout=5)
        return judge(*arguments, **named)

    monkeypatch.setattr("moto.dynamodb.models.table.get_filter_expression", judge_together)
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda fence: table.write(Put(Key("P", "S"), {"fence": fence}, NEW)), (1, 2)))

    assert [row["fence"] for row in written] == [1, 2]
