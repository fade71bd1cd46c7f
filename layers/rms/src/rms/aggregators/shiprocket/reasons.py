"""Shiprocket's return reasons: it takes no other text. Source: Shiprocket guide, section 6."""

from collections.abc import Iterable, Mapping
from typing import Final

OTHER: Final = 25

REASONS: Final[Mapping[int, str]] = {
    1: "Bought by Mistake",
    2: "Better price available",
    3: "Performance or quality not adequate",
    4: "Incompatible or not useful",
    5: "Product damaged, but shipping box OK",
    6: "Item arrived too late",
    7: "Missing parts or accessories",
    8: "Both product and shipping box damaged",
    9: "Wrong item was sent",
    10: "Item defective or doesn't work",
    11: "No longer needed",
    12: "Didn't approve purchase",
    13: "Inaccurate website description",
    14: "Return against replacement",
    15: "Delay Refund",
    16: "Delivered Late",
    17: "Product does not Match Description on Website",
    18: "Both Product & Outer Box Damaged",
    19: "Defective or does not work",
    20: "Product damaged, but outer Box OK",
    21: "Missing Parts or Accessories",
    22: "Incorrect Item Delivered",
    23: "Product Defective or Doesn't Work",
    24: "Product performance/quality is not up to my expectations",
    OTHER: "Other",
    26: "Changed my mind",
    27: "Does not fit",
    28: "Size not as expected",
    29: "Item is damaged",
    30: "Received wrong item",
    31: "Parcel damaged on arrival",
    32: "Quality not as expected",
    33: "Missing Item or accessories",
    34: "Performance not adequate",
    35: "Not as described",
    36: "Arrived too late",
    37: "Order Not Received",
    38: "Empty Package",
    39: "Wrong item or Wrong colour was sent",
    40: "Item defective, expired, spoilt or does not work",
    41: "Items or parts missing",
    42: "Size or Quantity issues",
    43: "Status as delivered but order not received",
    44: "N/A",
}
"""By number; creating a return wants the text, an exchange the number."""


def plain(words: str) -> str:
    """Words as reasons are compared: letters and digits only, no case."""
    return "".join(each for each in words.casefold() if each.isalnum())


_NUMBERS: Final = {plain(words): number for number, words in sorted(REASONS.items(), reverse=True)}


def reason_of(said: Iterable[str | None], mapped: Mapping[str, int]) -> str:
    """Shiprocket's text for the first of these that the account maps or Shiprocket has itself; else "Other"."""
    for words in said:
        number = mapped.get(plain(words or "")) or _NUMBERS.get(plain(words or ""))
        if number is not None:
            return REASONS[number]
    return REASONS[OTHER]
