from collections.abc import Iterator

import pytest

from tests.faults.run import quiet


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield
