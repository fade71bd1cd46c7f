import pytest

pytest.register_assert_rewrite("tests.journal_suite.suite", "tests.ports.table_suite")
