from collections.abc import Iterator
from typing import ClassVar

import pytest
from moto import mock_aws

from rms.platform.aws import open_client
from tests.fakes.files import FakeFiles
from tests.ports.engines import FakeFilesEngine, S3Engine, s3_engine
from tests.ports.files_suite import FilesSuite


class TestFakeFiles(FilesSuite):
    engine: ClassVar = "fake"

    @pytest.fixture
    def under_test(self) -> FakeFilesEngine:
        return FakeFilesEngine(FakeFiles())


class TestS3FilesOnMoto(FilesSuite):
    engine: ClassVar = "moto"

    @pytest.fixture
    def under_test(self) -> Iterator[S3Engine]:
        with mock_aws():
            yield s3_engine(open_client("s3"))
