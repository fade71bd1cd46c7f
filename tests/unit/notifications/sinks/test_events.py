"""Every example of these sinks is explained where it lies."""

import json
import re

import pytest

from rms.notifications.judgement import Delivered, Refused
from rms.notifications.sinks import erp_posting
from rms.platform.http import HttpAnswer
from tests.unit.notifications.sinks.examples import EVENTS, NOW, event


@pytest.mark.parametrize("folder", ["erp_posting", "processing_update", "return_ack", "return_expectation"])
def test_a_folder_explains_its_files(folder: str) -> None:
    explained = re.findall(r"^\| `([^`]+)`", (EVENTS / folder / "README.md").read_text(), re.MULTILINE)

    assert sorted(explained) == sorted(path.name for path in (EVENTS / folder).glob("*.json"))


def test_the_answers_of_an_erp_are_what_their_names_say() -> None:
    posted, refused = (
        HttpAnswer(200, {}, event(f"erp_posting/{name}.response.json"), 9) for name in ("posted", "refused")
    )

    assert erp_posting.judge(posted, NOW) == Delivered(200)
    assert erp_posting.judge(refused, NOW) == Refused(
        "answered 200 with hasError: true", json.loads(refused.body)["errorMessage"]
    )
