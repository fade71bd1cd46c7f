import pytest

# The same engines as for the ports, started once for this folder.
from tests.e2e.ports.conftest import _fresh_credentials, dynamodb_local_url, ministack_url

pytest.register_assert_rewrite("tests.journal_suite.suite", "tests.ports.table_suite")

__all__ = ["_fresh_credentials", "dynamodb_local_url", "ministack_url"]
