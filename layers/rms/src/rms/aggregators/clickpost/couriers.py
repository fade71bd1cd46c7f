"""Clickpost's carriers as data."""

from typing import Final

# Source: ClickPost guide, section 5, "Courier ids". Not complete: other ids are valid too.
COURIERS: Final = {
    3: "Ecom Express",
    4: "Delhivery",
    5: "Bluedart",
    6: "XpressBees",
    9: "Shadowfax",
    11: "Shadowfax",
    25: "Delhivery",
    28: "Bluedart",
    31: "Fareye",
    35: "Self",
    38: "Fareye",
    41: "XpressBees",
    50: "Loadshare",
    55: "Ekart",
    150: "Shipsy",
}
"""Carrier by courier id, forward and reverse."""

# Source: as above. A forward id on a return is answered with 311.
REVERSE_OF: Final = {4: 25, 5: 28, 6: 41, 9: 11, 31: 38}
"""Reverse courier id by the forward id of the same carrier."""

FORWARD_OF: Final = {reverse: forward for forward, reverse in REVERSE_OF.items()}
"""Forward courier id by the reverse id of the same carrier."""
