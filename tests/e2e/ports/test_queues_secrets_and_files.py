from typing import ClassVar

import pytest

from rms.platform.aws import open_client
from rms.platform.kms import KmsSecrets
from tests.ports.engines import S3Engine, SqsEngine, kms_secrets, s3_engine, sqs_engine
from tests.ports.files_suite import FilesSuite
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


class TestS3FilesOnMinistack(FilesSuite):
    engine: ClassVar = "ministack"

    @pytest.fixture
    def under_test(self, ministack_url: str) -> S3Engine:
        return s3_engine(open_client("s3", endpoint_url=ministack_url))
