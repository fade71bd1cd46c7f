from typing import ClassVar

import pytest

from tests.fakes.table import FakeTable
from tests.journal_suite.suite import JournalSuite
from tests.ports.engines import FakeEngine


class TestJournalOnTheFake(JournalSuite):
    engine: ClassVar = "fake"

    @pytest.fixture
    def under_test(self) -> FakeEngine:
        return FakeEngine(FakeTable())
