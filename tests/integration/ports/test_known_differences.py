from tests.ports.files_suite import FilesSuite
from tests.ports.known_differences import DIFFERENCES
from tests.ports.queues_suite import QueuesSuite
from tests.ports.secrets_suite import SecretsSuite
from tests.ports.table_suite import TableSuite


def test_every_known_difference_names_a_test_that_exists() -> None:
    tests = {name for suite in (TableSuite, QueuesSuite, SecretsSuite, FilesSuite) for name in vars(suite)}

    assert {difference.test for difference in DIFFERENCES} <= tests
