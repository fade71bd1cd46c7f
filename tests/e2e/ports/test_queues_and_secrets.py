from typing import ClassVar

import pytest

from rms.platform.aws import open_client
from rms.platform.kms import KmsSecrets
from tests.ports.engines import SqsEngine, kms_secrets, sqs_engine
from tests.ports.queues_suite import QueuesSuite
from tests.ports.secrets_suite import SecretsSuite

pytestmark = pytest.mark.e2e


class TestSqsQueuesOnMinistack(QueuesSuite):
    engine: ClassVar = "ministack"

    @pytest.fixture
    def under_test(self, ministack_url: str) -> SqsEngine:
        return sqs_engine(open_client("sqs", endpoint_url=ministack_url))


class TestKmsSecretsOnMinistack(SecretsSuite):
    engine: ClassVar = "ministack"

    @pytest.fixture
    def secrets(self, ministack_url: str) -> KmsSecrets:
        return kms_secrets(open_client("kms", endpoint_url=ministack_url))
