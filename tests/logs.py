"""The log as CloudWatch would get it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rms.platform.observability import logger


class Log:
    """What RMS has logged since the `with` began."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """Every line, as written."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line, read."""
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def rms_log() -> Iterator[Log]:
    """Catch the log lines of RMS."""
    log = Log()
    handler = logging.StreamHandler(log.stream)
    handler.setFormatter(logger.registered_formatter)
    inner = logging.getLogger("rms")
    inner.addHandler(handler)
    try:
        yield log
    finally:
        inner.removeHandler(handler)


def counted(capsys: pytest.CaptureFixture[str], name: str) -> int:
    """How often a metric was counted in what was printed so far."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    return sum(int(value) for line in lines for value in line.get(name, []))
