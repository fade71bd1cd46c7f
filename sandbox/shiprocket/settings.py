"""How this Shiprocket behaves. Every setting can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import override

from sandbox.partner import PartnerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated Shiprocket account."""

    email: str = "api@sandbox.example"
    password: str = field(default="sandbox-password", repr=False)
    base_path: str = "/v1/external"
    """What stands for `/v1/external` of `https://apiv2.shiprocket.in/v1/external`."""

    token_seconds: float = 864_000.0
    """How long a token is valid: ten days."""

    token_generation: int = 1
    """Changing it makes every token that was given before invalid."""

    refuses_duplicates: bool = True
    """A used `order_id` makes nothing new. False: a partner that makes a second order all the same."""

    pickup_locations: tuple[str, ...] = ("Primary", "Main")
    """Nicknames that exist; an order from any other is refused."""

    channel_ids: tuple[int, ...] = ()
    """Channels that exist; empty: any is accepted."""

    wallet_empty: bool = False
    """Assigning an AWB is refused with the body's status_code 350."""

    wallet_http_status: int = 400
    """The HTTP status of that refusal, which nobody has published."""

    assigns_later: bool = False
    """Assigning an AWB is only taken in hand; it is done `later_seconds` after."""

    later_seconds: float = 0.0
    """How long what is only taken in hand takes: cancelled AWBs, too."""

    couriers_check: bool = True
    """Whether any courier checks at the door."""

    suffixes_references: bool = False
    """Webhooks carry our reference with an underscore and a number behind it."""

    states_is_return: bool = True
    """Whether webhooks carry `is_return`."""

    webhook_token: str = field(default="sandbox-webhook-token", repr=False)
    webhook_token_header: str = "x-api-key"  # noqa: S105 - a header's name
    """Or `anx-api-key`, the misspelt twin that some integrations meet."""

    webhook_lag_seconds: float = 6.0
    """How long after its scan a webhook says that it was sent."""

    @staticmethod
    @override
    def choices() -> Mapping[str, tuple[str, ...]]:
        return {"webhook_token_header": ("x-api-key", "anx-api-key")}
