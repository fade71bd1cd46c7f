"""No test reaches further than it says: sockets are closed, or open to this machine only, by folder."""

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.ports.known_differences import expect_known_difference

# Shared suites are not test modules, yet their asserts should explain themselves.
for suite in (
    "contract.walking",
    "ports.table_suite",
    "ports.queues_suite",
    "ports.secrets_suite",
    "ports.files_suite",
):
    pytest.register_assert_rewrite(f"tests.{suite}")

# How long an example may take is not for a busy machine to decide.
settings.register_profile("rms", deadline=None)
settings.load_profile("rms")

TESTS: Final = Path(__file__).parent
CLOSED: Final = frozenset({"unit", "simulations"})
THIS_MACHINE: Final = ["127.0.0.1", "::1", "localhost"]
FAKE_AWS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_REGION": "ap-south-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Close sockets by folder, unless a test says itself what it needs; expect what the engines are known to do."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            _close_sockets(item)
            expect_known_difference(item)


def _close_sockets(item: pytest.Item) -> None:
    if any(item.get_closest_marker(name) for name in ("enable_socket", "disable_socket", "allow_hosts")):
        return
    item.add_marker(pytest.mark.disable_socket if _folder(item) in CLOSED else pytest.mark.allow_hosts(THIS_MACHINE))


@pytest.fixture(autouse=True)
def _no_aws_of_the_developer(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Nothing of the developer's AWS configuration is seen; credentials are invented."""
    if _folder(request.node) != "e2e":  # there, the environment says where the local stack is
        for name in [name for name in os.environ if name.startswith(("AWS_", "RMS_"))]:
            monkeypatch.delenv(name)
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]
