"""What the warehouse found: one unit of a return with its QC result, as three sinks tell it.

Source: RMS API contract, sections 16 to 18.
"""

from dataclasses import dataclass
from enum import StrEnum


class QcStatus(StrEnum):
    """What the check of one unit came to."""

    PASS = "PASS"  # noqa: S105 - a result, no password
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class ProcessedItem:
    """One unit that the warehouse has checked. `qc_status` is None as long as nobody has.

    `qc_reason` is an open text: a brand may use words of its own. Reason and pictures are told of a failed unit only.
    """

    item_code: str
    sku: str | None
    qc_status: QcStatus | None
    qc_reason: str | None = None
    image_urls: tuple[str, ...] = ()

    @property
    def why_failed(self) -> str | None:
        """The reason, where the unit failed."""
        return (self.qc_reason or None) if self.qc_status is QcStatus.FAIL else None

    @property
    def pictures(self) -> tuple[str, ...] | None:
        """The pictures, where the unit failed and there are any."""
        return (self.image_urls or None) if self.qc_status is QcStatus.FAIL else None
