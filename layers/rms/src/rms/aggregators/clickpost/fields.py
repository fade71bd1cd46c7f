"""Fields that Clickpost's orders share, forward and reverse. Source: ClickPost guide, section 5."""

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.clickpost.times import IST
from rms.aggregators.reading import text
from rms.model.return_order import Address, Parcel

MAX_CODE: Final = 50
_MAX_NAME: Final = 100
_MAX_ADDRESS: Final = 500
_MAX_PLACE: Final = 200
_MIN_GRAMS: Final = 10
_NATIONAL_DIGITS: Final = 10
_INDIA: Final = frozenset({"IN", "IND", "INDIA", "BHARAT", "REPUBLIC OF INDIA"})


def address(prefix: str, place: Address) -> dict[str, str]:
    """A place, its names prefixed with `pickup_` or `drop_`, or with nothing."""
    lines = ", ".join(line for part in (place.line1, place.line2, place.line3) if (line := text(part, _MAX_ADDRESS)))
    fields = {
        "name": text(place.name, _MAX_NAME),
        "phone": _phone(place.phone),
        "address": lines[:_MAX_ADDRESS].rstrip(),
        "city": text(place.city, _MAX_PLACE),
        "state": text(place.state, _MAX_PLACE),
        "pincode": "".join(place.zip.split()),
        "country": _country(place.country),
    }
    return {f"{prefix}{name}": value for name, value in fields.items()}


def _phone(phone: str) -> str:
    digits = "".join(str(int(each)) for each in phone if each.isdecimal())
    national = digits.lstrip("0").removeprefix("91")
    return national if len(national) == _NATIONAL_DIGITS else digits


def _country(country: str) -> str:
    name = text(country).upper()
    # Another country goes out as it came: Clickpost refuses it, which is better than a courier in the wrong one.
    return "IN" if name in _INDIA else name


def sizes(parcel: Parcel) -> dict[str, int]:
    """Whole centimetres, rounded up."""
    return {
        "length": max(1, math.ceil(parcel.length_cm)),
        "breadth": max(1, math.ceil(parcel.breadth_cm)),
        "height": max(1, math.ceil(parcel.height_cm)),
    }


def grams(weight: Decimal) -> int:
    """Whole grams, rounded up, at least what Bluedart takes."""
    return max(_MIN_GRAMS, math.ceil(weight))


def amount(amount: Decimal | None) -> str:
    """Money as text; "" for none."""
    return "" if amount is None else f"{amount:.2f}"


def date(moment: datetime | None) -> str:
    """A day in India; "" for none."""
    return "" if moment is None else moment.astimezone(IST).date().isoformat()


def known(**fields: Any) -> Mapping[str, Any]:
    """These fields without those that are empty."""
    return {name: value for name, value in fields.items() if value}
