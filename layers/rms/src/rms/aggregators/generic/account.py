"""A client's account at an aggregator of the generic contract: its options read, and checked when it is set up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rms.aggregators.contract import Account, Direction
from rms.aggregators.options import url_problem

_URLS: Final = {
    Direction.RETURN: ("generate_return_awb_url", "get_return_awb_url"),
    Direction.FORWARD: ("generate_shipping_label_url", "get_shipping_label_url"),
}
_COURIERS: Final = "get_couriers_url"
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_OURS: Final = frozenset({
    "accept", "connection", "content-length", "content-type", "expect", "host", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip
"""Headers that say how a call is made; no credential is one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's options for one direction; a URL that was not given is ""."""

    generate_url: str
    get_url: str
    couriers_url: str
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, account: Account, direction: Direction) -> "Settings":
        """The settings of an account that `check_account` has no objection to."""
        generate, get = _URLS[direction]
        return cls(
            generate_url=account.options.get(generate, ""),
            get_url=account.options.get(get, ""),
            couriers_url=account.options.get(_COURIERS, ""),
            headers={**account.secrets, "Accept": "application/json"},
        )

    @property
    def serves(self) -> bool:
        """Whether the aggregator has given the URLs of this direction."""
        return bool(self.generate_url and self.get_url)


def check_account(options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """What is wrong with an account, one `field: problem` each; no secret is quoted. Empty when all is well."""
    return [*_url_problems(options), *_header_problems(secrets), *_promise_problems(options)]


def _url_problems(options: Mapping[str, str]) -> Iterator[str]:
    given = {direction: [name for name in names if options.get(name)] for direction, names in _URLS.items()}
    if not any(given.values()):
        returned, forward = _URLS[Direction.RETURN], _URLS[Direction.FORWARD]
        for name, instead in zip(returned, forward, strict=True):
            yield f"options.{name}: may not be empty where {instead} is"
    for direction, names in _URLS.items():
        for name in names:
            if given[direction] and name not in given[direction]:
                yield f"options.{name}: may not be empty, because its twin is given"
    for name in (*(name for names in _URLS.values() for name in names), _COURIERS):
        url = options.get(name)
        if url and (problem := url_problem(url)):
            yield f"options.{name}: {problem}"


def _header_problems(secrets: Mapping[str, str]) -> Iterator[str]:
    if not secrets:
        yield "secrets.headers: must be those that the aggregator gave, one secret each under its header's name"
    for name, value in secrets.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            yield f"secrets.{name[:50]}: is no name of a header for credentials"
        elif not _VALUE.fullmatch(value):
            yield f"secrets.{name}: must be printable ASCII, as header values are"


def _promise_problems(options: Mapping[str, str]) -> Iterator[str]:
    if options.get("answers_repeats") != "yes":
        yield "options.answers_repeats: must be yes: the aggregator promises to answer repeats with the same AWB"
