"""A client's account at Shiprocket: its options read, and checked when it is set up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.contract import Account
from rms.aggregators.options import url_problem
from rms.aggregators.shiprocket.reasons import REASONS, plain

BASE_URL: Final = "https://apiv2.shiprocket.in/v1/external"
MAX_NICKNAME: Final = 36

REFUSED_WORDS: Final = ("shiprocket", "kartrocket", "sr", "kr")
"""What a webhook URL may not contain anywhere, in any case. Source: guide, section 8."""

_NUMBER: Final = re.compile("[1-9][0-9]{0,17}")
_ANSWERS: Final = frozenset({"", "yes", "no"})

QC_CHECKS: Final[Mapping[str, Mapping[str, int | str]]] = {
    "brand_tag": {"qc_brand_tag": 1},
    "used": {"qc_used_check": 1},
    "sealtag": {"qc_sealtag_check": 1},
    "damaged": {"qc_check_damaged_product": "yes"},
}
"""Checks of a doorstep QC that an account can ask for, with the fields that do. Source: guide, section 7."""


@dataclass(frozen=True, slots=True)
class Location:
    """A warehouse as Shiprocket knows it: creating an order wants the nickname, an exchange the number."""

    nickname: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's options, each with its type."""

    base_url: str
    token: str = field(repr=False)
    email: str = field(repr=False)
    password: str = field(repr=False)
    channel_id: int | None
    pickup_location: str
    locations: Mapping[str, Location]
    request_pickup: bool
    reasons: Mapping[str, int]
    qc_checks: tuple[str, ...]

    @classmethod
    def of(cls, account: Account) -> "Settings":
        """The settings of an account that `check_account` has no objection to. Without a token yet, it is empty."""
        options, secrets = account.options, account.secrets
        return cls(
            base_url=_base_url(options),
            token=secrets.get("token", ""),
            email=secrets.get("email") or options.get("email", ""),
            password=secrets.get("password", ""),
            channel_id=int(options["channel_id"]) if options.get("channel_id") else None,
            pickup_location=options.get("pickup_location", "").strip(),
            locations={code: _location(stated) for code, stated in _pairs(options, "locations")},
            request_pickup=_said(options, "request_pickup") == "yes",
            reasons={plain(words): int(number) for words, number in _pairs(options, "return_reasons")},
            qc_checks=_qc_checks(options),
        )

    def nickname(self, location_code: str | None) -> str:
        """The pickup-location nickname of a warehouse; "" when the account names none."""
        location = self.locations.get(location_code or "")
        return location.nickname if location else self.pickup_location


def check_account(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return list(_problems(options, secrets))


def webhook_url_problem(url: str) -> str | None:
    """Why Shiprocket would not take this webhook URL; None if it would."""
    found = [word for word in REFUSED_WORDS if word in url.lower()]
    return f"Shiprocket takes no webhook URL that contains {' or '.join(found)}" if found else None


def _problems(options: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[str]:
    if "@" not in (secrets.get("email") or options.get("email") or ""):
        yield "options.email: must be the e-mail of an API user"
    if not (secrets.get("password") or "").strip():
        yield "secrets.password: may not be empty"
    if problem := url_problem(_base_url(options)):
        yield f"options.base_url: {problem}"
    if options.get("channel_id") and not _NUMBER.fullmatch(options["channel_id"]):
        yield "options.channel_id: must be a number"
    yield from _location_problems(options)
    for words, number in _pairs(options, "return_reasons"):
        if not plain(words) or not _NUMBER.fullmatch(number) or int(number) not in REASONS:
            yield f"options.return_reasons: must be `words=number; …`, numbers from 1 to {max(REASONS)}"
            break
    if _said(options, "request_pickup") not in _ANSWERS:
        yield "options.request_pickup: must be yes or no"
    for check in _qc_checks(options):
        if check not in QC_CHECKS:
            yield f"options.qc_checks: {check[:50]} is none of {', '.join(QC_CHECKS)}"


def _location_problems(options: Mapping[str, str]) -> Iterator[str]:
    if len(options.get("pickup_location", "").strip()) > MAX_NICKNAME:
        yield f"options.pickup_location: may have at most {MAX_NICKNAME} characters"
    for code, stated in _pairs(options, "locations"):
        nickname, slash, number = stated.rpartition("/")
        nickname = (nickname if slash else stated).strip()
        if not code or not 0 < len(nickname) <= MAX_NICKNAME or (slash and not _NUMBER.fullmatch(number.strip())):
            yield "options.locations: must be `our code=nickname/number; …`, the number may be left out"
            break


def _base_url(options: Mapping[str, str]) -> str:
    return (options.get("base_url") or BASE_URL).rstrip("/")


def _said(options: Mapping[str, str], name: str) -> str:
    return options.get(name, "").strip().lower()


def _pairs(options: Mapping[str, str], name: str) -> Iterator[tuple[str, str]]:
    for pair in options.get(name, "").split(";"):
        if pair.strip():
            key, _, value = pair.rpartition("=")
            yield key.strip(), value.strip()


def _location(stated: str) -> Location:
    nickname, slash, number = stated.rpartition("/")
    return Location(nickname.strip(), int(number)) if slash else Location(stated, None)


def _qc_checks(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for each in options.get("qc_checks", "").split(",") if (name := each.strip().lower()))
