from typing import ClassVar

import pytest

from tests.fakes.table import FakeTable
from tests.ports.engines import FakeEngine
from tests.ports.table_suite import TableSuite


class TestFakeTable(TableSuite):
    engine: ClassVar = "fake"

    @pytest.fixture
    def under_test(self) -> FakeEngine:
        return FakeEngine(FakeTable())
