"""What a warehouse found when it opened a parcel: the QC result of each item, as values.

A verdict is of one unit. Reasons are an open list: the standard ones are codes, a brand may add its own.
Source: RMS API contract, sections 7, 17.2 and 18.2.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """Whether an item may be taken back."""

    PASS = "PASS"  # noqa: S105 - a word of the contract
    FAIL = "FAIL"


class Found(StrEnum):
    """What there was of an item, by the words of section 17.2 that a warehouse can say."""

    RECEIVED = "RECEIVED"
    MISSING = "MISSING"
    PARTIAL_MISSING_COMBO = "PARTIAL_MISSING_COMBO"
    """Some of the parts that a virtual or bundled SKU is made of."""


PRODUCT_MISSING: Final = "PRODUCT_MISSING"
"""The standard reason that says by itself that there was nothing."""


@dataclass(frozen=True, slots=True)
class PartResult:
    """The result of a part of an item: `quantity` units of a child of its virtual or bundled SKU."""

    sku: str | None = None
    client_sku: str | None = None
    barcode: str | None = None
    oms_item_id: int | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    found: Found | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one item. `excess`: it was in the parcel and nobody expected it, so its code is the warehouse's."""

    item_code: str
    sku: str
    verdict: Verdict
    reason: str | None = None
    image_urls: tuple[str, ...] = ()
    remark: str | None = None
    found: Found = Found.RECEIVED
    excess: bool = False
    virtual_parts: tuple[PartResult, ...] = ()
    bundled_parts: tuple[PartResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Processing:
    """What one call of a warehouse said that was new: who said it, when RMS heard it, and where the goods are.

    `awb` and `courier` are what stood on the parcel, as far as the warehouse says so.
    """

    items: tuple[ItemResult, ...]
    location_code: str
    channel: str
    by: str
    at: datetime
    awb: str | None = None
    courier: str | None = None

    @property
    def passed(self) -> int:
        """How many items may be taken back."""
        return sum(item.verdict is Verdict.PASS for item in self.items)

    @property
    def missing(self) -> int:
        """How many items were not there."""
        return sum(item.found is Found.MISSING for item in self.items)

    @property
    def excess(self) -> int:
        """How many items nobody expected."""
        return sum(item.excess for item in self.items)
