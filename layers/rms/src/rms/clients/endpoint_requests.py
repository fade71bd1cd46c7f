"""Reads the requests about endpoints: body in, values out, or all that is wrong with it at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from rms.clients.endpoints import OLD_SECRET_SIGNS_ON, Change, Settings
from rms.model.endpoint_kind import EndpointKind
from rms.model.event_filter import EVERYTHING, EventFilter
from rms.model.notification_type import NotificationType
from rms.platform.json import parse_object
from rms.platform.shapes import Code, Shape, Text, Url, invalid, validated

MAX_WISHES: Final = 50
"""Names in each list of a filter."""

HOUR: Final = timedelta(hours=1)


def _known(name: str) -> str:
    if name not in NotificationType.__members__:
        raise PydanticCustomError("notification_type", "must be the name of a notification type, like DELIVERED")
    return name


type TypeName = Annotated[str, AfterValidator(_known)]
type AggregatorName = Annotated[str, StringConstraints(max_length=40, to_upper=True)]
type Wishes[Name] = Annotated[list[Name], Field(max_length=MAX_WISHES)]
type Header = Annotated[str, StringConstraints(max_length=4096)]


class FilterFields(Shape):
    """What an endpoint wants to hear. A wish that nobody knows is an error: without it, it would hear too much."""

    model_config = ConfigDict(extra="forbid")

    notification_types: Wishes[TypeName] = Field(default_factory=list)
    direction: Literal["FORWARD", "RETURN"] | None = None
    logistic_aggregators: Wishes[AggregatorName] = Field(default_factory=list)
    location_codes: Wishes[Code] = Field(default_factory=list)

    def filter(self) -> EventFilter:
        """As RMS keeps it."""
        return EventFilter(
            types=frozenset(NotificationType(name) for name in self.notification_types),
            direction=self.direction,
            aggregators=frozenset(self.logistic_aggregators),
            locations=frozenset(self.location_codes),
        )


class PutEndpoint(Shape):
    """PUT /endpoints/{endpoint}, and the operator's. What is not given keeps its value; null takes it away."""

    kind: Literal["NOTIFICATION", "RETURN_ACK", "ERP_POSTING", "PROCESSING_UPDATE", "RETURN_EXPECTATION"] | None = None
    settings: dict[str, Code | None] | None = None
    url: Url | None = None
    credential_url: Url | None = None
    headers: dict[str, Header] | None = None
    filter: FilterFields | None = None
    sequence: bool | None = None
    dropped_metadata_keys: Annotated[list[Text], Field(max_length=50)] | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=50)] | None = None
    rate_per_minute: Annotated[int, Field(ge=1, le=6000)] | None = None
    notice_endpoint: Code | None = None

    @property
    def change(self) -> Change:
        """What it makes of an endpoint's settings."""
        wanted: dict[str, Any] = {
            "kind": None if self.kind is None else EndpointKind(self.kind),
            "settings": None
            if self.settings is None
            else {name: value for name, value in self.settings.items() if value is not None},
            "url": self.url,
            "headers": self.headers,
            "sequence": self.sequence,
            "dropped_metadata": None if self.dropped_metadata_keys is None else tuple(self.dropped_metadata_keys),
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        # These may be nothing at all, so that null says something else than silence.
        may_be_none = {"credential_url", "max_concurrency", "rate_per_minute", "notice_endpoint"}
        given |= {name: getattr(self, name) for name in may_be_none & self.model_fields_set}
        if "filter" in self.model_fields_set:
            given["filter"] = EVERYTHING if self.filter is None else self.filter.filter()
        return lambda settings: replace(settings, **given)


class CreateEndpoint(PutEndpoint):
    """POST /endpoints."""

    endpoint: Code
    url: Url

    @property
    def all_settings(self) -> Settings:
        """All that is said of the new endpoint."""
        return self.change(Settings())


class RotateSecret(Shape):
    """POST /endpoints/{endpoint}/rotate: for how many hours the old secret signs, too."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = OLD_SECRET_SIGNS_ON // HOUR

    @property
    def overlap(self) -> timedelta:
        """How long the old secret signs beside the new one."""
        return self.overlap_hours * HOUR


class SendSample(Shape):
    """POST /endpoints/{endpoint}/test: what the sample tells of."""

    notification_type: TypeName = NotificationType.IN_TRANSIT.value
    direction: Literal["FORWARD", "RETURN"] = "RETURN"


def read[S: Shape](shape: type[S], body: bytes) -> S:
    """The request in a body.

    Raises:
        BadDataError: all that is wrong with it. An empty body counts as an empty object.
    """
    request, found = validated(shape, parse_object(body) if body else {})
    if request is None:
        raise invalid(shape, found)
    return request
