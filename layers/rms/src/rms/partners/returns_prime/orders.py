"""Return orders out of a request: one for each parcel. Source: guide, section 8; contract, section 3.4."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rms.model.return_order import Parcel, ReturnItem, ReturnOrder
from rms.partners.returns_prime.connection import Settings
from rms.partners.returns_prime.request import Line, Request
from rms.partners.returns_prime.statuses import COURSES

USUAL_PARCEL: Final = Parcel(length_cm=Decimal(1), breadth_cm=Decimal(1), height_cm=Decimal(1), weight_g=Decimal(200))
"""What is said of a parcel that nobody has measured. Source: RMS API contract, section 3.4."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a request comes to. `waiting` are ids of lines without an AWB: they become a return once they have one.

    Returns Prime books the courier itself: a return without an AWB would look like one that RMS is to book.
    """

    orders: tuple[ReturnOrder, ...]
    waiting: tuple[str, ...]


def return_orders(settings: Settings, request: Request, known: Mapping[str, str], taken: Collection[str] = ()) -> Made:
    """The return orders of a request, one for each AWB, in the order in which its lines name them.

    `known` has the code of every return that was made of this request before, by AWB: a line that gets its AWB late
    must not move the numbers of others. `taken` are codes that other returns have. A request that is rejected or put
    away makes no new return.
    """
    by_awb: dict[str, list[Line]] = {}
    for line in request.lines:
        if line.awb:
            by_awb.setdefault(line.awb, []).append(line)
    codes = _codes(request, list(by_awb), known, taken)
    orders = [_order(settings, request, codes[awb], lines) for awb, lines in by_awb.items() if awb in codes]
    return Made(tuple(orders), tuple(line.id for line in request.lines if not line.awb))


def _codes(request: Request, awbs: list[str], known: Mapping[str, str], taken: Collection[str]) -> dict[str, str]:
    codes = {awb: known[awb] for awb in awbs if awb in known}
    if not COURSES[request.stage].makes:
        return codes
    taken, number = {*known.values(), *taken}, 1
    for awb in awbs:
        while awb not in codes:
            code = request.number if number == 1 else f"{request.number}-{number}"
            number += 1
            if code not in taken:
                codes[awb] = code
    return codes


def _order(settings: Settings, request: Request, code: str, lines: list[Line]) -> ReturnOrder:
    by_preference = (request.order_id, request.order_name)
    if settings.order_by_name:
        by_preference = (request.order_name, request.order_id)
    return ReturnOrder(
        code=code,
        forward_order_code=next(each for each in by_preference if each),
        items=tuple(item for line in lines for item in _units(line)),
        location_code=settings.location_code,
        account_alias=settings.account,
        placed_at=request.created_at,
        channel_status=request.status or None,
        awb=lines[0].awb,
        courier=next((line.courier for line in lines if line.courier), settings.courier),
        currency=next((line.currency for line in lines if line.currency), None),
        reason=next((line.reason for line in lines if line.reason), None),
        parcel=USUAL_PARCEL,
        drop=settings.drop,
        pickup=request.customer,
    )


def wanted_skus(request: Request) -> dict[str, str]:
    """The SKU that stands for an item in the replacement order, by item code; only items that are exchanged."""
    lines = ((line, line.exchange_sku) for line in request.lines)
    return {code: sku for line, sku in lines if sku for code in _item_codes(line)}


def _item_codes(line: Line) -> list[str]:
    return [f"{line.id}_{number}" for number in range(1, line.quantity + 1)]


def _units(line: Line) -> list[ReturnItem]:
    return [
        ReturnItem(
            item_code=code,
            sku=line.sku,
            reason=line.reason,
            name=line.title,
            price=line.price,
            image_url=line.image_url,
        )
        for code in _item_codes(line)
    ]
