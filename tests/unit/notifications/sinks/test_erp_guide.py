"""docs/erp-posting.md shows the fields that are posted, all of them, as the code has them."""

from pathlib import Path
from typing import Final

from rms.notifications.sinks.erp_fields import FIELDS
from rms.notifications.sinks.erp_values import Posting
from rms.notifications.sinks.fields import paths

GUIDE: Final = (Path(__file__).parents[4] / "docs" / "erp-posting.md").read_text(encoding="utf-8")


def test_the_guide_lists_every_field_with_its_type_need_and_source() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("| `")]

    assert rows == [
        f"| `{path}` | {field.kind} | {field.need} | {field.source} |" for path, field in paths(FIELDS, Posting)
    ]


def test_every_field_says_where_it_comes_from() -> None:
    assert [path for path, field in paths(FIELDS, Posting) if not field.source] == []


def test_the_guide_says_how_large_a_message_id_may_be() -> None:
    assert str(2**63 - 1) in GUIDE
