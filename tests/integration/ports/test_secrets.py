from collections.abc import Iterator
from typing import ClassVar

import pytest
from moto import mock_aws

from rms.platform.aws import open_client
from rms.platform.kms import KmsSecrets
from tests.fakes.secrets import FakeSecrets
from tests.ports.engines import kms_secrets
from tests.ports.secrets_suite import SecretsSuite


class TestFakeSecrets(SecretsSuite):
    engine: ClassVar = "fake"

    @pytest.fixture
    def secrets(self) -> FakeSecrets:
        return FakeSecrets()


class TestKmsSecretsOnMoto(SecretsSuite):
    engine: ClassVar = "moto"

    @pytest.fixture
    def secrets(self) -> Iterator[KmsSecrets]:
        with mock_aws():
            yield kms_secrets(open_client("kms"))
