from typing import ClassVar

import pytest

from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from tests.journal_suite.suite import JournalSuite
from tests.ports.engines import ClientEngine
from tests.template import create_table

pytestmark = pytest.mark.e2e


def _engine(endpoint_url: str) -> ClientEngine:
    client = open_client("dynamodb", endpoint_url=endpoint_url)
    create_table(client, "rms-journal")
    return ClientEngine(client, DynamoTable(client, "rms-journal"))


@pytest.fixture(scope="module")
def on_ministack(ministack_url: str) -> ClientEngine:
    return _engine(ministack_url)


@pytest.fixture(scope="module")
def on_dynamodb_local(dynamodb_local_url: str) -> ClientEngine:
    return _engine(dynamodb_local_url)


class TestJournalOnMinistack(JournalSuite):
    engine: ClassVar = "ministack"

    @pytest.fixture
    def under_test(self, on_ministack: ClientEngine) -> ClientEngine:
        return on_ministack


class TestJournalOnDynamoDbLocal(JournalSuite):
    engine: ClassVar = "dynamodb-local"

    @pytest.fixture
    def under_test(self, on_dynamodb_local: ClientEngine) -> ClientEngine:
        return on_dynamodb_local
