import io
import logging
from collections.abc import Iterator

import pytest

from rms.platform.observability import logger


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines, as CloudWatch gets them."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    lines = io.StringIO()
    before = handler.setStream(lines)
    yield lines
    handler.setStream(before)
