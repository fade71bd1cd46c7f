"""Settings of a function, read once from its environment. What is missing or misshapen fails the cold start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_LONGEST_SILENCE: Final = 720


class BadSettingsError(Exception):
    """The environment does not hold what a function needs; names the variables."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this installation's state, queues and files are.

    `secrets_key` is a KMS key's ARN or id, `labels` the name of a bucket. `silence` is how long nothing may be
    heard of a parcel before its aggregator is asked for it.
    """

    stage: str
    table: str
    inbound_queue: str
    bookings_queue: str
    deliveries_queue: str
    secrets_key: str
    labels: str
    silence: timedelta

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in an environment.

        Raises:
            BadSettingsError: see there.
        """
        names = {
            "stage": "RMS_STAGE",
            "table": "RMS_TABLE",
            "inbound_queue": "RMS_INBOUND_QUEUE",
            "bookings_queue": "RMS_BOOKINGS_QUEUE",
            "deliveries_queue": "RMS_DELIVERIES_QUEUE",
            "secrets_key": "RMS_SECRETS_KEY",
            "labels": "RMS_LABELS_BUCKET",
            "silence": "RMS_SILENCE_HOURS",
        }
        missing = [name for name in names.values() if not environment.get(name)]
        if missing:
            raise BadSettingsError(f"not set: {', '.join(missing)}")
        queues = [environment[names[name]] for name in names if name.endswith("queue")]
        if not all(url.startswith(("https://", "http://")) for url in queues):
            raise BadSettingsError("queues must be given by URL")
        hours = environment[names.pop("silence")]
        if not (hours.isascii() and hours.isdigit() and 1 <= int(hours) <= _LONGEST_SILENCE):
            raise BadSettingsError(f"RMS_SILENCE_HOURS must be from 1 to {_LONGEST_SILENCE}")
        return cls(**{field: environment[name] for field, name in names.items()}, silence=timedelta(hours=int(hours)))

    @property
    def local(self) -> bool:
        """Whether this is the local stage, where endpoints may be plain HTTP on loopback."""
        return self.stage == "local"
