from collections.abc import Iterator
from typing import ClassVar

import pytest
from moto import mock_aws

from rms.platform.aws import open_client
from tests.fakes.clock import FakeClock
from tests.fakes.queues import FakeQueues
from tests.ports.engines import FakeQueuesEngine, SqsEngine, sqs_engine
from tests.ports.queues_suite import QueuesSuite


class TestFakeQueues(QueuesSuite):
    engine: ClassVar = "fake"

    @pytest.fixture
    def under_test(self) -> FakeQueuesEngine:
        return FakeQueuesEngine(FakeQueues(FakeClock()))


class TestSqsQueuesOnMoto(QueuesSuite):
    engine: ClassVar = "moto"

    @pytest.fixture
    def under_test(self) -> Iterator[SqsEngine]:
        with mock_aws():
            yield sqs_engine(open_client("sqs"))
