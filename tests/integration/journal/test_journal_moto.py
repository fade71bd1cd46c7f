from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from moto import mock_aws

from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from tests.journal_suite.suite import JournalSuite
from tests.ports.engines import ClientEngine, OneAtATime
from tests.template import create_table


class TestJournalOnMoto(JournalSuite):
    engine: ClassVar = "moto"
    scans: ClassVar = 24  # calls take turns and each is slow here; the other engines do the hundred

    @pytest.fixture
    def under_test(self) -> Iterator[ClientEngine]:
        with mock_aws():
            client = open_client("dynamodb")
            create_table(client, "rms-journal")
            in_turn: Any = OneAtATime(client)
            yield ClientEngine(client, DynamoTable(in_turn, "rms-journal"))
