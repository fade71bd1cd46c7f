"""Reads POST /usp/return: what a warehouse found in a parcel, or all that is wrong with the request at once.

The contract's section 7 has the fields of an item up to `imageUrls`. What follows them is optional and bears the names
of section 17.2, for warehouses that know more than a verdict: without it nobody could be told of excess items, missing
ones, or the parts of a virtual or bundled SKU.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, PlainValidator
from pydantic_core import PydanticCustomError

from rms.model.processing import PRODUCT_MISSING, Found, ItemResult, PartResult, Processing, Verdict
from rms.platform.addresses import check_url
from rms.platform.json import JsonObject, JsonValue, parse_object
from rms.platform.problems import MAX_ITEMS, Path, what_is_ours
from rms.platform.problems import Found as Problem
from rms.platform.shapes import Code, Flag, Quantity, Shape, Text, Url, invalid, validated
from rms.returns.rules import repeated_item_codes

ITEM_CODE: Final = "orderItems.returnItemCode"

MAX_IMAGES: Final = 20
"""Most images of one item."""

MAX_PARTS: Final = 50
"""Most parts of one item."""


def _public(url: str) -> str:
    """An image is fetched by whoever hears of it, so it must lead to the public internet. No name is looked up here."""
    problem = check_url(url, allow_loopback_http=False)
    if problem is not None:
        raise PydanticCustomError("image_url", "{problem}", {"problem": problem})
    return url


def _long(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("long", "must be a whole number")
    if value < 0:
        raise PydanticCustomError("long", "must be at least 0")
    return value


ImageUrl = Annotated[Url, AfterValidator(_public)]
Long = Annotated[int, PlainValidator(_long)]
QcStatus = Literal["PASS", "FAIL"]
ItemStatus = Literal["RECEIVED", "MISSING", "PARTIAL_MISSING_COMBO"]


class Part(Shape):
    """One of `virtualSkuChildItemReturnPostings` or `bundledSkuChildItemReturnPostings`."""

    channel_sku_code: Code | None = None
    client_sku_code: Code | None = None
    barcode: Code | None = None
    oms_return_item_id: Long | None = None
    qc_status: QcStatus | None = None
    qc_reason: Text | None = None
    return_order_item_status: ItemStatus | None = None
    qty: Quantity = 1

    def to_part(self) -> PartResult:
        """The part as RMS keeps it."""
        return PartResult(
            sku=self.channel_sku_code,
            client_sku=self.client_sku_code,
            barcode=self.barcode,
            oms_item_id=self.oms_return_item_id,
            verdict=None if self.qc_status is None else Verdict(self.qc_status),
            reason=self.qc_reason,
            found=None if self.return_order_item_status is None else Found(self.return_order_item_status),
            quantity=self.qty,
        )


class ProcessedItem(Shape):
    """One of `orderItems`: one unit."""

    return_item_code: Code
    channel_sku_code: Code
    qc_status: QcStatus
    qc_reason: Text | None = None
    image_urls: Annotated[list[ImageUrl], Field(max_length=MAX_IMAGES)] | None = None
    remark: Text | None = None
    is_excess: Flag = False
    return_order_item_status: ItemStatus | None = None
    virtual_sku_child_item_return_postings: Annotated[list[Part], Field(max_length=MAX_PARTS)] | None = None
    bundled_sku_child_item_return_postings: Annotated[list[Part], Field(max_length=MAX_PARTS)] | None = None

    def to_result(self) -> ItemResult:
        """The result as RMS keeps it."""
        return ItemResult(
            item_code=self.return_item_code,
            sku=self.channel_sku_code,
            verdict=Verdict(self.qc_status),
            reason=self.qc_reason,
            image_urls=tuple(self.image_urls or ()),
            remark=self.remark,
            found=_found(self.return_order_item_status, self.qc_reason),
            excess=self.is_excess,
            virtual_parts=tuple(part.to_part() for part in self.virtual_sku_child_item_return_postings or ()),
            bundled_parts=tuple(part.to_part() for part in self.bundled_sku_child_item_return_postings or ()),
        )


class ProcessReturn(Shape):
    """Body of POST /usp/return."""

    channel_name: Code
    awb_number: Code | None = None
    transporter: Code | None = None
    return_order_code: Code
    forward_order_code: Code
    location_code: Code
    order_items: Annotated[list[ProcessedItem], Field(min_length=1, max_length=MAX_ITEMS)]

    def to_processing(self, by: str, at: datetime) -> Processing:
        """What the call says, as RMS keeps it; `by` is whose credential it came under."""
        return Processing(
            items=tuple(item.to_result() for item in self.order_items),
            location_code=self.location_code,
            channel=self.channel_name,
            by=by,
            at=at,
            awb=self.awb_number,
            courier=self.transporter,
        )


def read_processed_return(raw: bytes) -> ProcessReturn:
    """The request in a body.

    Raises:
        BadJsonError: the body is not a JSON object.
        InvalidRequestError: anything else is wrong with it.
    """
    body = parse_object(raw)
    request, problems = validated(ProcessReturn, body)
    problems += [*what_is_ours(body), *repeated_item_codes(body, ITEM_CODE), *_passed_though_missing(body)]
    if request is None or problems:
        raise invalid(ProcessReturn, problems)
    return request


def _found(said: ItemStatus | None, reason: str | None) -> Found:
    """What there was: as the warehouse says it, or as its reason does."""
    if said is not None:
        return Found(said)
    return Found.MISSING if reason == PRODUCT_MISSING else Found.RECEIVED


def _passed_though_missing(body: JsonObject) -> Iterator[Problem]:
    """Items that passed and were not there."""
    items = body.get("orderItems")
    for place, item in enumerate(items if isinstance(items, list) else ()):
        match item:
            case {"qcStatus": "PASS", "returnOrderItemStatus": "MISSING"} | {
                "qcStatus": "PASS",
                "qcReason": "PRODUCT_MISSING",
            }:
                path: Path = ("orderItems", place, "qcStatus")
                yield path, "must be FAIL for an item that is missing"
