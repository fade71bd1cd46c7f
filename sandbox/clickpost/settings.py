"""How this Clickpost behaves. Every setting can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from sandbox.serving import LABEL_BASE

type Shape = Literal["all", "selected"]
type IsRvp = Literal["stated", "null", "absent"]
type TimeForm = Literal["zulu", "space", "microseconds"]
type Layout = Literal["both", "shipment_details", "additional", "either"]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "webhook_shape": get_args(Shape.__value__),
    "is_rvp": get_args(IsRvp.__value__),
    "time_form": get_args(TimeForm.__value__),
    "return_fields_in": get_args(Layout.__value__),
}


class BadSettingError(ValueError):
    """The setting is unknown or its value impossible; the text says which."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one simulated Clickpost account."""

    username: str = "sandbox-test"
    key: str = field(default="sandbox-api-key", repr=False)
    base_path: str = "/api"
    """What stands for `/api` of `https://www.clickpost.in/api`."""

    label_base: str = LABEL_BASE
    seed: int = 1
    """AWBs, ids and chance faults follow from it."""

    refuses_duplicates: bool = True
    """Clickpost answers a repeated reference with 323. False: a partner that books a second parcel instead."""

    reference_lookup: bool = True
    """Whether get order also finds by `reference_number`, as documented in 2020 and not since."""

    return_fields_in: Layout = "both"
    """Where `delivery_type` and `rvp_reason` must stand. Published examples differ, so the strict reading is ours."""

    account_codes: tuple[str, ...] = ()
    """Carrier accounts that exist; empty: any code is accepted."""

    asynchronous: bool = False
    """Every booking is asynchronous. Otherwise `additional.async` or a courier of `async_couriers` makes it so."""

    async_couriers: tuple[int, ...] = ()
    async_processing: int = 1
    """How many 102 answers come before the outcome."""

    async_seconds: float = 0.0
    """How long, besides, the outcome takes."""

    async_ends: int = 323
    """The outcome: 323 or 200 with the AWB, anything else a failure with that meta.status."""

    async_words: str = "Pickup location is not configured with the carrier"
    cancels_later: bool = False
    """Cancels are accepted with 202, as aggregator carriers do."""

    sends_cancelled_scan: bool = True
    """Some carriers never send scan 10."""

    webhook_url: str = ""
    """Where webhooks go; empty: they wait."""

    webhook_key: str = field(default="sandbox-webhook-key", repr=False)
    webhook_authorization: str = field(default="", repr=False)
    """When set, it is sent as the Authorization header, exactly as typed, and `webhook_key` is not sent."""

    webhook_headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, for example Host when RMS sits behind a local gateway."""

    webhook_shape: Shape = "all"
    """All scans, or those with a notification event, which they then name."""

    webhook_tries: int = 10
    webhook_spacing_seconds: float = 5.0
    webhook_timeout_seconds: float = 10.0
    is_rvp: IsRvp = "stated"
    time_form: TimeForm = "zulu"
    wrapped: bool = False
    """Return-request webhooks come inside `{"payload": …, "internal": …}`."""

    keeps: int = 10_000
    """How many requests and how many webhooks are remembered."""

    most_parcels: int = 200_000

    def changed(self, values: Mapping[str, Any]) -> "Settings":
        """These settings with some values changed; lists become tuples."""
        types = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        ready: dict[str, Any] = {}
        for name, value in values.items():
            if name not in types:
                raise BadSettingError(f"{name}: no such setting")
            given = tuple(value) if isinstance(value, list) else value
            wanted: tuple[type, ...] = (int, float) if types[name] is float else (types[name],)
            if not isinstance(given, wanted) or (isinstance(given, bool) and bool not in wanted):
                raise BadSettingError(f"{name}: must be of type {types[name].__name__}")
            if name in _CHOICES and given not in _CHOICES[name]:
                raise BadSettingError(f"{name}: must be one of {', '.join(_CHOICES[name])}")
            if name == "webhook_url" and given and not str(given).startswith(("http://", "https://")):
                raise BadSettingError("webhook_url: must be an http or https URL")
            ready[name] = given
        return replace(self, **ready)
