"""How this Clickpost behaves. Every setting can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args, override

from sandbox.partner import PartnerSettings

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated Clickpost account."""

    username: str = "sandbox-test"
    key: str = field(default="sandbox-api-key", repr=False)
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

    webhook_key: str = field(default="sandbox-webhook-key", repr=False)
    webhook_authorization: str = field(default="", repr=False)
    """When set, it is sent as the Authorization header, exactly as typed, and `webhook_key` is not sent."""

    webhook_shape: Shape = "all"
    """All scans, or those with a notification event, which they then name."""

    is_rvp: IsRvp = "stated"
    time_form: TimeForm = "zulu"
    wrapped: bool = False
    """Return-request webhooks come inside `{"payload": …, "internal": …}`."""

    @staticmethod
    @override
    def choices() -> Mapping[str, tuple[str, ...]]:
        return _CHOICES
