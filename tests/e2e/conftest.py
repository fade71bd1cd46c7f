"""One deployed stack for all tests of this folder, with a client that most of them use and a stranger to it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from local.partners import partner
from local.stack import local_stack
from local.steps import step
from rms.platform import aws

pytest.register_assert_rewrite("tests.e2e.installation")

from tests.e2e.installation import Installation, Shop  # noqa: E402 - its asserts explain themselves
from tests.e2e.slow_stories import SlowStories  # noqa: E402 - as above

LAST: Final = ("test_what_takes_time.py", "test_the_whole_run.py")
"""What begins with the first test and ends late, and what looks at all that the run left behind."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LAST.index(item.path.name) if item.path.name in LAST else -1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the functions logged meanwhile."""
    report = yield
    rms = getattr(item, "funcargs", {}).get("installation")
    if report.failed and isinstance(rms, Installation):
        rms.stack.print_logs(since=call.start, last=40)
    return report


@pytest.fixture(scope="session")
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """RMS, deployed. What takes minutes is set going at once, if this run will look at it."""
    with (
        _invented_credentials(),
        local_stack("e2e") as stack,
        partner("receiver", folder=stack.folder) as receiver,
    ):
        rms = Installation(stack, receiver)
        try:
            if any("slow_stories" in getattr(item, "fixturenames", ()) for item in request.session.items):
                request.config.stash[STORIES] = SlowStories(rms)
            yield rms
        finally:
            if stories := request.config.stash.get(STORIES, None):
                stories.close()
            rms.close()


@contextmanager
def _invented_credentials() -> Iterator[None]:
    """For clients that are opened outside of a test, which has its own."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        aws._session.cache_clear()
        yield


STORIES: Final = pytest.StashKey[SlowStories]()


@pytest.fixture(scope="session")
def slow_stories(installation: Installation, request: pytest.FixtureRequest) -> SlowStories:
    """The stories that began when the stack came up."""
    stories = request.config.stash[STORIES]
    assert stories.rms is installation
    return stories


@pytest.fixture(scope="session")
def shop(installation: Installation) -> Shop:
    """The client that most tests use, each with codes of its own."""
    with step("A client: kaveri"):
        return installation.new_shop("kaveri")


@pytest.fixture(scope="session")
def stranger(installation: Installation) -> Shop:
    """Another client, whose business nothing of the first is."""
    with step("A client: stranger"):
        return installation.new_shop("stranger")
