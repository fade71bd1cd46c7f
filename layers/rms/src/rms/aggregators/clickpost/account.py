"""A client's account at Clickpost: its options read, and checked when it is set up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.clickpost.couriers import COURIERS, FORWARD_OF, REVERSE_OF
from rms.aggregators.contract import Account, Direction

BASE_URL: Final = "https://www.clickpost.in/api"
TRACKING_URL: Final = "https://api.clickpost.in/api"
_COURIER_ID: Final = re.compile("[1-9][0-9]{0,8}")
# Not urllib.parse: its import is dear on a cold start, and a base URL is simple.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[^\s?#@]*)?"
)
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

# Source: ClickPost guide, section 12.
QC_CHECKS: Final = frozenset({
    "ALL_BUTTONS_WORKING_CHECK", "BRAND", "CHECK_DAMAGED", "CHECK_PACKAGING_BOX", "CHECK_PRICE_TAG", "CHECK_SEAL",
    "CHECK_USED", "COLOR", "DESCRIPTION", "EAN", "GARMENTS_CONDITION_CHECK", "IMAGES", "IMEI",
    "LAST_5_DIGIT_OF_IMEI_CHECK", "PHONE_CAMERA_CHECK", "PHONE_CONDITION_CHECK", "PHONE_SWITCH_POWER_CHECK",
    "PHONE_TOUCH_SCREEN_CHECK", "QUANTITY", "RETURN_REASON", "SERIAL_NUMBER", "SIZE", "SKU", "SPECIAL_INSTRUCTION",
})  # fmt: skip
"""Checks that a courier can do at the shopper's door."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier account behind Clickpost: its courier id, and its name on Clickpost's dashboard."""

    courier_partner: int
    account_code: str


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's options, each with its type. `delivers` is None where the account sends nothing forward."""

    base_url: str
    tracking_url: str
    username: str
    key: str = field(repr=False)
    collects: Carrier
    delivers: Carrier | None
    qc_params: tuple[str, ...]
    channel_name: str

    @classmethod
    def of(cls, account: Account) -> "Settings":
        """The settings of an account that `check_account` has no objection to.

        Raises:
            KeyError, ValueError: the account was never checked.
        """
        return cls(
            base_url=_base_url(account.options),
            tracking_url=_tracking_url(account.options),
            username=account.options.get("username") or account.secrets["username"],
            key=account.secrets["key"],
            collects=Carrier(int(account.options["courier_partner"]), account.options["account_code"]),
            delivers=_delivers(account.options),
            qc_params=_qc_params(account.options),
            channel_name=account.options.get("channel_name", ""),
        )

    @property
    def credentials(self) -> dict[str, str]:
        """The query parameters that authenticate a call."""
        return {"username": self.username, "key": self.key}

    def carrier(self, direction: Direction) -> Carrier | None:
        """Who carries a parcel that goes this way."""
        return self.collects if direction is Direction.RETURN else self.delivers


def check_account(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return list(_problems(options, secrets))


def _problems(options: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[str]:
    if not (options.get("username") or secrets.get("username") or "").strip():
        yield "options.username: may not be empty"
    if not (secrets.get("key") or "").strip():
        yield "secrets.key: may not be empty"
    if not (options.get("account_code") or "").strip():
        yield "options.account_code: may not be empty"
    yield from _courier_problems(options.get("courier_partner") or "")
    yield from _forward_problems(options.get("forward_courier_partner"), options.get("forward_account_code"))
    yield from _url_problems("base_url", _base_url(options))
    if options.get("tracking_base_url"):
        yield from _url_problems("tracking_base_url", _tracking_url(options))
    for check in _qc_params(options):
        if check not in QC_CHECKS:
            yield f"options.qc_params: {check[:50]} is not a check that Clickpost knows"


def _courier_problems(courier: str) -> Iterator[str]:
    if not _COURIER_ID.fullmatch(courier):
        yield "options.courier_partner: must be Clickpost's courier id, an integer above 0"
    elif int(courier) in REVERSE_OF:
        forward = int(courier)
        yield (
            f"options.courier_partner: {forward} is {COURIERS[forward]}'s forward id, "
            f"which cannot collect returns; its reverse id is {REVERSE_OF[forward]}"
        )


def _forward_problems(courier: str | None, account_code: str | None) -> Iterator[str]:
    if not courier and not account_code:
        return
    if not (account_code or "").strip():
        yield "options.forward_account_code: may not be empty where forward_courier_partner is given"
    if not _COURIER_ID.fullmatch(courier or ""):
        yield "options.forward_courier_partner: must be Clickpost's courier id, an integer above 0"
    elif int(courier or "") in FORWARD_OF:
        reverse = int(courier or "")
        yield (
            f"options.forward_courier_partner: {reverse} is {COURIERS[reverse]}'s reverse id, "
            f"which cannot deliver orders; its forward id is {FORWARD_OF[reverse]}"
        )


def _url_problems(name: str, url: str) -> Iterator[str]:
    parts = _URL.fullmatch(url)
    if parts is None:
        yield f"options.{name}: must be an https URL without credentials, query or fragment"
    elif parts["scheme"] == "http" and parts["host"] not in _THIS_MACHINE:
        yield f"options.{name}: must be https, because the key travels in the query"


def _base_url(options: Mapping[str, str]) -> str:
    return (options.get("base_url") or BASE_URL).rstrip("/")


def _tracking_url(options: Mapping[str, str]) -> str:
    # Whoever moves the API elsewhere, to a test system, moves tracking with it.
    given = options.get("tracking_base_url") or options.get("base_url") or TRACKING_URL
    return given.rstrip("/")


def _delivers(options: Mapping[str, str]) -> Carrier | None:
    courier, account_code = options.get("forward_courier_partner"), options.get("forward_account_code")
    return Carrier(int(courier), account_code) if courier and account_code else None


def _qc_params(options: Mapping[str, str]) -> tuple[str, ...]:
    named = (check.strip().upper() for check in (options.get("qc_params") or "").split(","))
    return tuple(check for check in named if check)
