"""A client's account at Shipway: its options read, and checked when it is set up."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.contract import Account
from rms.aggregators.options import url_problem

BASE_URL: Final = "https://app.shipway.com/api"
_ID: Final = re.compile("[1-9][0-9]{0,11}")
_CHOICES: Final = {
    "returns": ("off", "on"),
    "returns_refer_to": ("order", "shipment"),
    "return_status": ("R", "E"),
}
"""Options with few values; the first is meant when the option is not given."""


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's options, each with its type."""

    base_url: str
    email: str
    licence_key: str = field(repr=False)
    carrier_id: str
    carrier_name: str
    warehouse_id: str
    return_warehouse_id: str
    store_code: str
    returns: bool
    returns_refer_to: str
    return_status: str
    return_reason_id: int | None
    feed_username: str

    @classmethod
    def of(cls, account: Account) -> "Settings":
        """The settings of an account that `check_account` has no objection to.

        Raises:
            KeyError, ValueError: the account was never checked.
        """
        options = account.options
        email = options.get("email") or account.secrets["email"]
        reason = options.get("return_reason_id")
        return cls(
            base_url=_base_url(options),
            email=email,
            licence_key=account.secrets["licence_key"],
            carrier_id=options["carrier_id"],
            carrier_name=options.get("carrier_name", ""),
            warehouse_id=options["warehouse_id"],
            return_warehouse_id=options.get("return_warehouse_id") or options["warehouse_id"],
            store_code=options.get("store_code", ""),
            returns=_chosen(options, "returns") == "on",
            returns_refer_to=_chosen(options, "returns_refer_to"),
            return_status=_chosen(options, "return_status"),
            return_reason_id=int(reason) if reason else None,
            feed_username=options.get("feed_username") or email,
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every call, the credentials among them."""
        proof = b64encode(f"{self.email}:{self.licence_key}".encode()).decode()
        return {"Authorization": f"Basic {proof}", "Accept": "application/json"}


def check_account(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return list(_problems(options, secrets))


def _problems(options: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[str]:
    email = (options.get("email") or secrets.get("email") or "").strip()
    if not email:
        yield "options.email: may not be empty"
    elif ":" in email:
        yield "options.email: may not hold a colon"
    if not (secrets.get("licence_key") or "").strip():
        yield "secrets.licence_key: may not be empty"
    for name, must in (("carrier_id", True), ("warehouse_id", True), ("return_warehouse_id", False)):
        given = options.get(name) or ""
        if (given or must) and not _ID.fullmatch(given):
            yield f"options.{name}: must be Shipway's id, an integer above 0"
    if (reason := options.get("return_reason_id")) and not _ID.fullmatch(reason):
        yield "options.return_reason_id: must be an integer above 0"
    for name, choices in _CHOICES.items():
        if _chosen(options, name) not in choices:
            yield f"options.{name}: must be one of {', '.join(choices)}"
    if problem := url_problem(_base_url(options)):
        yield f"options.base_url: {problem}"


def _base_url(options: Mapping[str, str]) -> str:
    return (options.get("base_url") or BASE_URL).rstrip("/")


def _chosen(options: Mapping[str, str], name: str) -> str:
    return options.get(name) or _CHOICES[name][0]
