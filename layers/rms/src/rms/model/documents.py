"""A return order, a forward parcel or a QC result as the text that is stored, and the digest of the former two.

The text is canonical: equal orders have one text, however they were written when they came in. It holds only what is
set, under the names of `rms.model.return_order`, `rms.model.forward_shipment` or `rms.model.processing`; decimals are
exact, times UTC. Items that differ in nothing but their code stand as one row with many codes, so that 500 units of a
line do not outgrow a stored item.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from hashlib import sha256
from itertools import groupby
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from rms.model.forward_shipment import ForwardItem, ForwardParcel, ForwardShipment
from rms.model.processing import ItemResult, Processing
from rms.model.return_order import ReturnItem, ReturnOrder

_CODES = "item_codes"
"""Takes the place of `item_code` in a row of the text."""

MAX_BYTES: Final = 380_000
"""Longest text that fits a row of 400 KB with all else that stands there."""


def to_document(order: ReturnOrder | ForwardShipment | ForwardParcel | Processing) -> str:
    """The order as compact JSON, its keys in one order."""
    document = _written(order) | {"items": _rows(order.items)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def from_document(text: str) -> ReturnOrder:
    """The return order that `to_document` wrote. Names that it does not know are left out: a newer RMS wrote them."""
    order: ReturnOrder = _from_text(ReturnOrder, text)
    return order


def shipment_from_document(text: str) -> ForwardShipment:
    """The forward parcel that `to_document` wrote; as `from_document`."""
    shipment: ForwardShipment = _from_text(ForwardShipment, text)
    return shipment


def parcel_from_document(text: str) -> ForwardParcel:
    """What there is to tell of a forward parcel, whether RMS books it or not; as `from_document`."""
    parcel: ForwardParcel = _from_text(ForwardParcel, text)
    return parcel


def processing_from_document(text: str) -> Processing:
    """What a warehouse said in one call; as `from_document`."""
    processing: Processing = _from_text(Processing, text)
    return processing


def order_of(kind: Literal["R", "S"], text: str) -> ReturnOrder | ForwardShipment:
    """What the document of an aggregate of this kind says."""
    return from_document(text) if kind == "R" else shipment_from_document(text)


def fits_a_row(order: ReturnOrder) -> bool:
    """Whether the order can be stored. One request fits by its own limit; what is added to it may not."""
    return len(to_document(order).encode()) <= MAX_BYTES


def content_digest(order: ReturnOrder | ForwardShipment) -> str:
    """The same for two bodies that say the same: key order, number spelling, time zone, absent or default alike.

    Compare it with the digest of the stored order, computed anew, rather than with a stored digest: the text may
    change its form from one version of RMS to the next. Nothing in it comes from a clock.
    """
    return sha256(to_document(order).encode()).hexdigest()


def _from_text(kind: Any, text: str) -> Any:
    document = json.loads(text)
    return _read(kind, document | {"items": list(_units(document["items"]))})


type _Item = ReturnItem | ForwardItem | ItemResult


def _rows(items: Iterable[_Item]) -> list[dict[str, Any]]:
    rows = []
    for alike, units in groupby(items, key=_but_for_its_code):
        row = _written(alike)
        del row["item_code"]
        rows.append({_CODES: [unit.item_code for unit in units]} | row)
    return rows


def _but_for_its_code(item: _Item) -> _Item:
    return replace(item, item_code="")


def _units(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for row in rows:
        for code in row[_CODES]:
            yield row | {"item_code": code}


def _written(value: Any) -> Any:
    match value:
        case Decimal():
            return _plain(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case tuple():
            return [_written(each) for each in value]
        case _ if is_dataclass(value):
            kind: Any = type(value)
            return {
                name: _written(held)
                for name, default, _ in _shape(kind)
                if (held := getattr(value, name)) is not None and held != default
            }
        case _:
            return value


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _read(kind: Any, document: dict[str, Any]) -> Any:
    return kind(
        **{
            name: read(document[name]) if name in document else None
            for name, default, read in _shape(kind)
            if name in document or default is MISSING
        }
    )


@cache
def _shape(kind: Any) -> tuple[tuple[str, object, Callable[[Any], Any]], ...]:
    """Each field of a dataclass: its name, its default or MISSING, and what reads it back from JSON."""
    hints = get_type_hints(kind)
    return tuple((field.name, field.default, _reader(hints[field.name])) for field in fields(kind))


def _reader(hint: Any) -> Callable[[Any], Any]:
    kind = next((option for option in get_args(hint) if option is not NoneType), hint)
    if get_origin(hint) is tuple:
        each = _reader(kind)
        return lambda values: tuple(each(value) for value in values)
    if kind is datetime:
        return datetime.fromisoformat
    reader: Callable[[Any], Any] = partial(_read, kind) if is_dataclass(kind) else kind
    return reader
