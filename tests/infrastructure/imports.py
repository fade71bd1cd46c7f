"""Who imports whom, read from the source, so that no rule needs a module to be loaded."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.infrastructure.stack import FUNCTIONS, ROOT

CORE: Final = ROOT / "layers" / "rms" / "src"


@dataclass(frozen=True, slots=True)
class Import:
    """One import: which module is loaded by it, where it stands, and when it happens."""

    importer: str
    imported: str
    at_start: bool
    """Whether loading the importer loads it: not inside a function and not for type checkers only."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file: its dotted name, its path and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The second step of its name: `rms.journal.keys` belongs to `journal`."""
        return self.name.split(".")[1]


@cache
def core_modules() -> Mapping[str, Module]:
    """Every module of the core, by dotted name."""
    return {module.name: module for module in _modules(CORE)}


@cache
def handlers() -> Mapping[str, Module]:
    """Every function's handler, by dotted name."""
    return {module.name: module for module in _modules(FUNCTIONS, prefix="functions.")}


@cache
def imports_of(name: str) -> tuple[Import, ...]:
    """Every import of a module. `from rms.journal import keys` is an import of `rms.journal.keys`."""
    module = core_modules().get(name) or handlers()[name]
    return tuple(
        Import(name, imported, at_start)
        for node, at_start in _walk(module.tree, at_start=True)
        for imported in _names(node)
    )


def all_imports() -> Iterator[Import]:
    """Every import of every module of the core."""
    for name in core_modules():
        yield from imports_of(name)


def _modules(root: Path, prefix: str = "") -> Iterator[Module]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield Module(prefix + name, path, ast.parse(path.read_text()))


def _walk(node: ast.AST, *, at_start: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, at_start
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for each in child.body:
                yield each, False
                yield from _walk(each, at_start=False)
            for each in child.orelse:
                yield each, at_start
                yield from _walk(each, at_start=at_start)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, at_start=at_start and not inside)


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names):
            submodules = [f"{module}.{alias.name}" for alias in names if f"{module}.{alias.name}" in _paths()]
            return submodules if len(submodules) == len(names) else [module, *submodules]
        case _:
            return []


@cache
def _paths() -> frozenset[str]:
    return frozenset(
        ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix(".__init__") for path in CORE.rglob("*.py")
    )
