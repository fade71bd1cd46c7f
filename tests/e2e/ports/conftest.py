from collections.abc import Iterator

import pytest

from local import environments
from local.dynamodb_local import dynamodb_local, missing
from local.stack import _own_folder, _start
from rms.platform import aws


@pytest.fixture(scope="session", autouse=True)
def _fresh_credentials() -> Iterator[None]:
    """Clients of these tests are opened before each test's own environment is made."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "ap-south-1")
        aws._session.cache_clear()
        yield


@pytest.fixture(scope="session")
def ministack_url() -> Iterator[str]:
    """An empty local AWS, nothing deployed."""
    environments.ensure(("local-aws",))
    with _own_folder("ports") as folder:
        process, endpoint_url = _start(folder)
        with process:
            yield endpoint_url


@pytest.fixture(scope="session")
def dynamodb_local_url() -> Iterator[str]:
    """An empty DynamoDB Local; skipped, with the reason, where it cannot be had."""
    if lack := missing():
        pytest.skip(lack)
    with dynamodb_local() as endpoint_url:
        yield endpoint_url
