"""The example bodies of partners that are no aggregators, and the shape that a body has whatever its values are."""

import json
from pathlib import Path
from typing import Any

from rms.platform.http import HttpAnswer
from tests.contract.adapters import EVENTS


class Files:
    """The bodies in one folder of `events/`."""

    def __init__(self, folder: str) -> None:
        self.folder: Path = EVENTS / folder

    def names(self) -> set[str]:
        return {path.name for path in self.folder.glob("*.json")}

    def raw(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def json(self, name: str) -> Any:
        return json.loads(self.raw(name))

    def answer(self, name: str, status: int = 200) -> HttpAnswer:
        return HttpAnswer(status, {}, self.raw(name), 40)


def answered(body: Any, status: int = 200, **headers: str) -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, headers, raw, 40)


def missing(example: Any, other: Any, where: str = "") -> list[str]:
    """Members of an example that another body of its kind lacks; where either has no value there is nothing to say."""
    if isinstance(example, dict) and isinstance(other, dict):
        lacking = [f"{where}.{name}" for name in example if name not in other]
        return lacking + [
            place
            for name in example.keys() & other.keys()
            for place in missing(example[name], other[name], f"{where}.{name}")
        ]
    if isinstance(example, list) and isinstance(other, list):
        return missing(example[0], other[0], f"{where}[]") if example and other else []
    return []
