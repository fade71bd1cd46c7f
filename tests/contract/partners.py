"""Every adapter that has examples, and tests that run once for each of them or of their examples."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.contract.adapters import EVENTS, Adapter


def _found() -> Iterator[Adapter]:
    """`ADAPTER` of every module beside this one that is named like a folder of `events/`."""
    for folder in sorted(EVENTS.iterdir()):
        if Path(__file__).with_name(f"{folder.name}.py").exists():
            row = importlib.import_module(f"tests.contract.{folder.name}").ADAPTER
            assert isinstance(row, Adapter)
            yield row


ADAPTERS: Final = tuple(_found())

every_adapter = pytest.mark.parametrize("partner", ADAPTERS, ids=lambda partner: partner.name)


def examples[T](of: Callable[[Adapter], Iterable[T]], label: Callable[[T], str] = str) -> pytest.MarkDecorator:
    """The test once for every adapter and each of these examples."""
    cases = [
        pytest.param(partner, case, id=f"{partner.folder}/{label(case)}")
        for partner in ADAPTERS
        for case in of(partner)
    ]
    return pytest.mark.parametrize(("partner", "example"), cases)
