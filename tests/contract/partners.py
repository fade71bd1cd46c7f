"""Every adapter that has examples, and tests that run once for each of them or of their examples."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.contract.adapters import Adapter


def _found() -> Iterator[Adapter]:
    """`ADAPTER` of every module beside this one that has one."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith("test_") and path != Path(__file__):
            row = getattr(importlib.import_module(f"tests.contract.{path.stem}"), "ADAPTER", None)
            if isinstance(row, Adapter):
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
