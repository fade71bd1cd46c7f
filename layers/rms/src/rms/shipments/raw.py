"""What an aggregator's answer said, as text that may be kept and shown: short, and without anybody's personal data.

Pure. What is taken out: the names, address lines, e-mail addresses and phone numbers of the order, however they are
spelt out again; whatever else looks like an e-mail address or a phone number; the account's secrets.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from rms.aggregators.contract import MAX_WORDS, Account, Job
from rms.model.forward_shipment import ForwardShipment
from rms.model.return_order import Address
from rms.platform.http import HttpAnswer
from rms.platform.json import BadJsonError, parse_json

REMOVED: Final = "***"
"""What stands in the place of what was taken out."""

_LEAST_WORD: Final = 3
_LEAST_LINE: Final = 4
_LEAST_PHONE: Final = 6
_NATIONAL_DIGITS: Final = 10

_UNPRINTABLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ESCAPE: Final = re.compile(
    r"\\u(?P<json>[0-9a-f]{4})|&#x0*(?P<hex>[0-9a-f]{1,5});|&#0*(?P<decimal>[0-9]{1,6});"
    r"|&(?P<name>amp|lt|gt|quot|apos|nbsp);|(?P<percent>(?:%[0-9a-f]{2})+)|\\[nrt]",
    re.IGNORECASE,
)
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
_ADDRESS: Final = re.compile(r"[^\s\"'<>(){}\[\],;:=]{1,64}@[^\s\"'<>(){}\[\],;]{1,255}")
_NUMBER: Final = re.compile(r"\+?\d{8,}")
_BETWEEN: Final = r"[\s,;+]+"


def kept_text(answer: HttpAnswer, job: Job, account: Account, awb: str) -> str:
    """What the body of an answer said, in at most MAX_WORDS characters, led by its status if that is no 2xx.

    Our reference and the AWB stay, whatever they look like.
    """
    said = _UNPRINTABLE.sub(" ", _text(answer)).strip()
    ours = [re.escape(name) for name in (job.reference, awb) if name]
    pattern = _personal(job, account)
    # Odd places hold what is ours.
    parts = re.split(f"({'|'.join(ours)})", said)
    cleaned = "".join(part if place % 2 else _clean(part, pattern) for place, part in enumerate(parts))
    ok = 200 <= answer.status < 300  # noqa: PLR2004 - success
    return (cleaned if ok else f"HTTP {answer.status}: {cleaned}")[:MAX_WORDS].rstrip()


def _text(answer: HttpAnswer) -> str:
    """The body as text with its escapes undone, so that what it spells out can be found."""
    try:
        said = json.dumps(parse_json(answer.body), ensure_ascii=False, default=str)
    except BadJsonError:
        said = answer.body.decode(errors="replace")
    return _ESCAPE.sub(_unescaped, said)


def _unescaped(escape: re.Match[str]) -> str:
    kind = escape.lastgroup or ""
    spelt = escape[kind] if kind else ""
    match kind:
        case "json" | "hex":
            return chr(int(spelt, 16))
        case "decimal":
            return chr(int(spelt))
        case "name":
            return _NAMED[spelt.lower()]
        case "percent":
            return bytes.fromhex(spelt.replace("%", "")).decode(errors="replace")
        case _:
            return " "


def _clean(text: str, personal: re.Pattern[str] | None) -> str:
    if personal is not None:
        text = personal.sub(REMOVED, text)
    return _NUMBER.sub(REMOVED, _ADDRESS.sub(REMOVED, text))


def _personal(job: Job, account: Account) -> re.Pattern[str] | None:
    # The longest first: a part of a name must not hide the whole of it.
    values = sorted({*_values(job), *_secrets(account)}, key=len, reverse=True)
    words = [rf"(?<!\w){_spelt(word)}(?!\w)" for word in _words(job)]
    patterns = [*map(_spelt, values), *words, *map(_dialled, _phones(job))]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _secrets(account: Account) -> Iterator[str]:
    yield from (secret for secret in account.secrets.values() if len(secret) >= _LEAST_LINE)


def _values(job: Job) -> Iterator[str]:
    for place in _places(job):
        lines = (place.line1, place.line2, place.line3, place.name, place.email)
        yield from (line.strip() for line in lines if line and len(line.strip()) >= _LEAST_LINE)


def _words(job: Job) -> list[str]:
    """The shopper's names, one by one."""
    words = (word for place in _shopper(job) for word in place.name.split())
    return list(dict.fromkeys(word for word in words if len(word) >= _LEAST_WORD))


def _phones(job: Job) -> list[str]:
    numbers = ("".join(each for each in place.phone if each.isdecimal()) for place in _places(job))
    return list(dict.fromkeys(digits[-_NATIONAL_DIGITS:] for digits in numbers if len(digits) >= _LEAST_PHONE))


def _places(job: Job) -> list[Address]:
    return [place for place in (job.order.pickup, job.order.drop, *_billing(job)) if place is not None]


def _shopper(job: Job) -> list[Address]:
    """Where the shopper is: the others are warehouses, in whose names any word may stand."""
    if isinstance(job.order, ForwardShipment):
        return [job.order.drop, *_billing(job)]
    return [] if job.order.pickup is None else [job.order.pickup]


def _billing(job: Job) -> list[Address]:
    billing = job.order.billing if isinstance(job.order, ForwardShipment) else None
    return [] if billing is None else [billing]


def _spelt(value: str) -> str:
    """A value, whatever stands between its words."""
    return _BETWEEN.join(re.escape(word) for word in re.split(r"[\s,;+]+", value) if word)


def _dialled(digits: str) -> str:
    """A phone number, whatever stands between its digits and before them."""
    return r"(?:\+?\d{1,3}[\s().+-]{0,3})?" + r"[\s().+-]{0,3}".join(digits)
