"""Decisions and guides: each decision has its three parts, and every link leads somewhere."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.infrastructure.stack import ROOT

DECISIONS: Final = sorted((ROOT / "docs" / "adr").glob("*.md"))
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FIVE_IDEAS: Final = (
    "A journal per aggregate",
    "Readers hold cursors",
    "Due work is a row",
    "A side effect outside is a booking",
    "Partners are data and pure functions",
)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_a_context_a_decision_and_consequences_in_half_a_page(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]
    assert lines[0].startswith(f"# {int(path.stem[:4])}. ")
    assert len(lines) <= 40


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_five_ideas_come_first() -> None:
    titles = [path.read_text().splitlines()[0] for path in DECISIONS[: len(FIVE_IDEAS)]]

    assert all(idea in title for idea, title in zip(FIVE_IDEAS, titles, strict=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    missing = []
    for name in re.findall(r"`(rms(?:\.[a-z_]+)+)[`.]", page.read_text()):
        steps = name.split(".")
        modules = [ROOT.joinpath("layers", "rms", "src", *steps[:depth]) for depth in range(2, len(steps) + 1)]
        # A last step that is no module is a name in one.
        if not modules[-1].is_dir() and not any(module.with_suffix(".py").exists() for module in modules):
            missing.append(name)

    assert missing == []
