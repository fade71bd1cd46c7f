"""Logs and metrics. Log lines are events with keys; no personal data, no payloads, no secrets.

Threads may log and count at the same time: each has its own keys, and the metrics of all go out together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger: Final = Logger(service="rms", utc=True)
metrics: Final = Metrics(namespace="RMS", service="rms")

_counting: Final = Lock()


def count(name: str, value: int = 1) -> None:
    """Count something that an alarm or a chart looks at."""
    with _counting:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def publish_counts() -> None:
    """Let out what was counted."""
    with _counting:
        if metrics.metric_set:
            metrics.flush_metrics()


@contextmanager
def correlated(correlation: str | None) -> Iterator[None]:
    """Let every line that this thread logs meanwhile carry the id; keys that are added end with it."""
    before = logger.thread_safe_get_current_keys()
    logger.thread_safe_clear_keys()
    logger.thread_safe_append_keys(correlation_id=correlation)
    try:
        yield
    finally:
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(**before)


def correlation_id() -> str | None:
    """The id under which this thread works now, for messages to carry on."""
    found = logger.thread_safe_get_current_keys().get("correlation_id")
    return str(found) if found is not None else None


def add_log_keys(**keys: str) -> None:
    """Let every further line about the work at hand say this too."""
    logger.thread_safe_append_keys(**keys)
