"""Packages that show names from their modules, each loaded only in the functions that use it.

A cold start pays for every module it loads, and no function needs a whole capability.
"""

from collections.abc import Callable, Mapping
from importlib import import_module


def names_from(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__`: the first time that somebody asks for a name, its module is imported.

    Args:
        package: its `__name__`.
        modules: from each name that the package shows to the module of the package that has it.
    """

    def find(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return find
