"""Logs and metrics. Log lines are events with keys; no personal data, no payloads, no secrets."""

from typing import Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger: Final = Logger(service="rms", utc=True)
metrics: Final = Metrics(namespace="RMS", service="rms")


def count(name: str, value: int = 1) -> None:
    """Count something that an alarm or a chart looks at."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
