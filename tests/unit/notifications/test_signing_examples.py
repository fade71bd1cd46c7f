"""The examples in docs/notifications.md do what they say, wherever their language is installed."""

import base64
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from rms.notifications.schedule import DELAYS
from rms.notifications.signing import new_secret, sign

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")

SECRET = new_secret(b"examples: the secret in use ....")
OTHER = new_secret(b"examples: another one, unknown ..")
BODY = '{"notificationType":"DELIVERED","note":"größer ✓"}'.encode()


def examples() -> dict[str, tuple[dict[str, str], bytes, bool]]:
    """What a receiver may get: headers, body, and whether it is ours. Signed now, as the examples read the clock."""
    now = datetime.now(UTC)
    headers = sign([SECRET], "msg_1", now, BODY)
    return {
        "as sent": (headers, BODY, True),
        "under two secrets, ours first": (sign([SECRET, OTHER], "msg_1", now, BODY), BODY, True),
        "under two secrets, ours last": (sign([OTHER, SECRET], "msg_1", now, BODY), BODY, True),
        "a little late": (sign([SECRET], "msg_1", now - timedelta(minutes=4), BODY), BODY, True),
        "an empty body": (sign([SECRET], "msg_1", now, b""), b"", True),
        "another body": (headers, BODY + b" ", False),
        "another id": (headers | {"webhook-id": "msg_2"}, BODY, False),
        "another time": (headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, BODY, False),
        "another secret": (sign([OTHER], "msg_1", now, BODY), BODY, False),
        "too old": (sign([SECRET], "msg_1", now - timedelta(minutes=6), BODY), BODY, False),
        "from the future": (sign([SECRET], "msg_1", now + timedelta(minutes=6), BODY), BODY, False),
        "no headers": ({}, BODY, False),
        "no signature": ({name: value for name, value in headers.items() if name != "webhook-signature"}, BODY, False),
        "an empty signature": (headers | {"webhook-signature": ""}, BODY, False),
        "no time": (headers | {"webhook-timestamp": ""}, BODY, False),
        "a time that is none": (headers | {"webhook-timestamp": "soon"}, BODY, False),
        "a signature cut short": (headers | {"webhook-signature": headers["webhook-signature"][:-4]}, BODY, False),
        "a signature of no version": (headers | {"webhook-signature": headers["webhook-signature"][3:]}, BODY, False),
        "a signature that is no ASCII": (headers | {"webhook-signature": "v1,é"}, BODY, False),
    }


PYTHON = """
import json, sys
print(json.dumps([is_from_rms(h, base64.b64decode(b), s) for h, b, s in json.load(sys.stdin)]))
"""

NODE = """
const cases = JSON.parse(require("node:fs").readFileSync(0));
console.log(JSON.stringify(cases.map(([h, b, s]) => isFromRms(h, Buffer.from(b, "base64"), s))));
"""

PHP = """
$cases = json_decode(stream_get_contents(STDIN), true);
echo json_encode(array_map(fn ($c) => is_from_rms($c[0], base64_decode($c[1]), $c[2]), $cases));
"""

LANGUAGES: Final = {
    "python": (sys.executable, "py", PYTHON),
    "javascript": (shutil.which("node"), "cjs", NODE),
    "php": (shutil.which("php"), "php", PHP),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_tells_true_from_forged(language: str, tmp_path: Path) -> None:
    interpreter, suffix, ask = LANGUAGES[language]
    if interpreter is None:
        pytest.skip(f"{language} is not installed here")
    program = tmp_path / f"example.{suffix}"
    program.write_text(the_example(language) + ask, encoding="utf-8")
    cases = examples()
    asked = [(headers, base64.b64encode(body).decode(), SECRET) for headers, body, _ in cases.values()]

    done = subprocess.run(  # noqa: S603 - our own documentation, by an interpreter found above
        [interpreter, str(program)], input=json.dumps(asked).encode(), capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
    assert dict(zip(cases, json.loads(done.stdout), strict=True)) == {
        name: good for name, (_, _, good) in cases.items()
    }


def test_the_guide_publishes_the_schedule_that_is_kept() -> None:
    assert ", ".join(map(in_words, DELAYS)) in GUIDE
    assert f"{len(DELAYS) + 1} tries" in GUIDE


def the_example(language: str) -> str:
    [example] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(example)


def in_words(seconds: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
