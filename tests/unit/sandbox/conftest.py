from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.clickpost import ClickpostEngine, Settings
from tests.unit.sandbox.examples import Caller


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def a_clickpost(clock: Clock) -> Callable[..., Caller]:
    def build(**settings: Any) -> Caller:
        return Caller(ClickpostEngine(Settings().changed(settings), clock=clock))

    return build


@pytest.fixture
def clickpost(a_clickpost: Callable[..., Caller]) -> Caller:
    return a_clickpost()
