"""A client's connection to Returns Prime: its options read, and checked when it is set up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.options import url_problem
from rms.model.return_order import Address
from rms.partners.results import Connection

BASE_URL: Final = "https://admin.returnprime.com"
_CHOICES: Final = {
    "forward_order_code": ("id", "name"),
    "write_back": ("off", "status", "inspection", "both"),
    "rejects_failed": ("no", "yes"),
}
"""Options with few values; the first is meant when the option is not given."""

_USUAL: Final = {"courier": "SHIPROCKET", "pass_condition": "PASS", "fail_condition": "FAIL"}
_ADDRESS: Final = ("name", "line1", "city", "state", "zip", "country", "email", "phone")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """A connection's options, each with its type."""

    base_url: str
    token: str = field(repr=False)
    location_code: str
    order_by_name: bool
    courier: str
    account: str | None
    drop: Address | None
    writes_status: bool
    writes_inspection: bool
    rejects_failed: bool
    pass_condition: str
    fail_condition: str

    @classmethod
    def of(cls, connection: Connection) -> "Settings":
        """The settings of a connection that `check_connection` has no objection to.

        Raises:
            KeyError: the connection was never checked.
        """
        options = connection.options
        return cls(
            base_url=_base_url(options),
            token=connection.secrets["token"],
            location_code=options["location_code"],
            order_by_name=_chosen(options, "forward_order_code") == "name",
            courier=_word(options, "courier"),
            account=(options.get("account") or "").strip() or None,
            drop=_drop(options),
            writes_status=_chosen(options, "write_back") in {"status", "both"},
            writes_inspection=_chosen(options, "write_back") in {"inspection", "both"},
            rejects_failed=_chosen(options, "rejects_failed") == "yes",
            pass_condition=_word(options, "pass_condition"),
            fail_condition=_word(options, "fail_condition"),
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every call, the credentials among them."""
        return {"x-rp-token": self.token}


def check_connection(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return list(_problems(options, secrets))


def _problems(options: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[str]:
    if not _TOKEN.fullmatch(secrets.get("token") or ""):
        yield "secrets.token: must be printable ASCII without spaces, as Returns Prime gave it"
    if not (options.get("location_code") or "").strip():
        yield "options.location_code: may not be empty"
    for name, choices in _CHOICES.items():
        if _chosen(options, name) not in choices:
            yield f"options.{name}: must be one of {', '.join(choices)}"
    given = [name for name in (*_ADDRESS, "line2") if (options.get(f"drop_{name}") or "").strip()]
    for name in _ADDRESS if given else ():
        if name not in given:
            yield f"options.drop_{name}: may not be empty where another part of the address is given"
    if _chosen(options, "rejects_failed") == "yes" and _chosen(options, "write_back") not in {"status", "both"}:
        yield "options.rejects_failed: needs write_back to be status or both"
    if problem := url_problem(_base_url(options)):
        yield f"options.base_url: {problem}"


def _base_url(options: Mapping[str, str]) -> str:
    return (options.get("base_url") or BASE_URL).rstrip("/")


def _chosen(options: Mapping[str, str], name: str) -> str:
    return options.get(name) or _CHOICES[name][0]


def _word(options: Mapping[str, str], name: str) -> str:
    return (options.get(name) or "").strip() or _USUAL[name]


def _drop(options: Mapping[str, str]) -> Address | None:
    parts = {name: (options.get(f"drop_{name}") or "").strip() for name in _ADDRESS}
    if not all(parts.values()):
        return None
    return Address(line2=(options.get("drop_line2") or "").strip() or None, line3=None, **parts)
