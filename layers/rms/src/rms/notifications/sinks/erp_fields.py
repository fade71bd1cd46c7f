"""The fields of a posting to an ERP: type, whether mandatory, and by which rule RMS fills each.

docs/erp-posting.md shows this table to people. What RMS does not hold is left out, or null where the key must be there;
nothing is made up. Source: RMS API contract, section 17.
"""

from collections.abc import Iterable
from typing import Final

from rms.notifications.sinks.erp_values import (
    Attributes,
    BundledChildItem,
    BundledSku,
    ChildSku,
    CustomerAddress,
    ItemAttributes,
    OrderAttributes,
    PostedItem,
    Posting,
    Shipment,
    ShipmentItem,
    TaxLine,
    VirtualChildItem,
    VirtualSku,
)
from rms.notifications.sinks.fields import Field, Kind, Need, Shapes

_NOT_HELD: Final = "RMS does not hold it"
_SETTING: Final = "setting of the ERP's endpoint"
_PARTS: Final = "the QC result, where it tells parts of a combination"
_COMBINATION: Final = "the parts that the QC result tells, of the unit of which it tells most"


def _attributes(source: str) -> Iterable[Field]:
    for number in range(1, 11):
        yield Field(f"attribute{number}", f"attribute{number}", Kind.STRING, Need.MAY, source)
    rule = f"{source}; an object, its keys in alphabetical order"
    yield Field("channelMetaData", "channel_metadata", Kind.OBJECT, Need.MAY, rule)


FIELDS: Final[Shapes] = {
    Posting: (
        Field("partnerCode", "partner_code", Kind.STRING, Need.MUST, _SETTING),
        Field("locationCode", "location_code", Kind.STRING, Need.MUST, "the QC result's warehouse"),
        Field("partnerLocationCode", "partner_location_code", Kind.STRING, Need.MUST, _SETTING),
        Field(
            "channelName",
            "channel",
            Kind.STRING,
            Need.MUST,
            "the QC result's channel; else the setting of the ERP's endpoint",
        ),
        Field("returnOrderCode", "return_code", Kind.STRING, Need.MUST, "the return's code"),
        Field("forwardOrderCode", "forward_order_code", Kind.STRING, Need.MUST, "the return's forward order"),
        Field("forwardParentOrderCode", "parent_order_code", Kind.STRING, Need.MAY, _NOT_HELD),
        Field(
            "returnCreationTime",
            "created_at",
            Kind.TIME,
            Need.NULL,
            "when the shopper placed the return, else when RMS received it",
        ),
        Field("returnGateEntryCreationTime", "gate_entry_at", Kind.TIME, Need.MAY, _NOT_HELD),
        Field(
            "messageId", "message_id", Kind.LONG, Need.MUST, "made from client, return and event: the same on every try"
        ),
        Field(
            "paymentMethod",
            "payment_method",
            Kind.STRING,
            Need.MUST,
            "the return's `orderDetails.isCod`: COD or NCOD; else the forward parcel's",
        ),
        Field("returnOrderType", "return_type", Kind.STRING, Need.MUST, "the return's type"),
        Field("eventTime", "occurred_at", Kind.TIME, Need.MUST, "when the QC result was reached"),
        Field("consignmentNumber", "consignment_number", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("awbNumber", "awb", Kind.STRING, Need.MAY, "the return's AWB, whoever booked it"),
        Field(
            "items",
            "items",
            Kind.OBJECTS,
            Need.MUST,
            "every unit of the return that is not cancelled; then those in excess",
            PostedItem,
        ),
        Field(
            "shipments",
            "shipments",
            Kind.OBJECTS,
            Need.MAY,
            "the forward parcels that RMS knows and whose prices and taxes it holds",
            Shipment,
        ),
        Field("virtualSkuDefinitions", "virtual_skus", Kind.OBJECTS, Need.MAY, _COMBINATION, VirtualSku),
        Field(
            "bundledSkuDefinitions",
            "bundled_skus",
            Kind.OBJECTS,
            Need.LIST,
            f"{_COMBINATION}; else an empty list",
            BundledSku,
        ),
        Field(
            "shippingAddress",
            "shipping_address",
            Kind.OBJECT,
            Need.MUST,
            "the forward parcel's shopper; else where the return is collected",
            CustomerAddress,
        ),
        Field(
            "billingAddress",
            "billing_address",
            Kind.OBJECT,
            Need.MUST,
            "the forward parcel's billing address, where it has none its shopper's; else where the return is collected",
            CustomerAddress,
        ),
        Field(
            "orderCustomAttributes",
            "order_attributes",
            Kind.OBJECT,
            Need.MAY,
            "the return's currency; the rest RMS does not hold",
            OrderAttributes,
        ),
        Field("orderItemCustomAttributes", "item_attributes", Kind.OBJECTS, Need.MAY, _NOT_HELD, ItemAttributes),
    ),
    PostedItem: (
        Field("itemCode", "found.item_code", Kind.STRING, Need.MUST, "the return item's code"),
        Field("returnReason", "return_reason", Kind.STRING, Need.MAY, "the return item's reason; else the return's"),
        Field("channelSkuCode", "found.sku", Kind.STRING, Need.MUST, "the return item's SKU"),
        Field(
            "returnOrderItemStatus",
            "status",
            Kind.STRING,
            Need.MUST,
            "the QC result: what there was of the unit; MISSING where its reason is PRODUCT_MISSING",
        ),
        Field("channelDiscount", "channel_discount", Kind.DOUBLE, Need.MAY, _NOT_HELD),
        Field(
            "sellerDiscount",
            "seller_discount",
            Kind.DOUBLE,
            Need.MAY,
            "the forward parcel's discount per unit of the SKU, where there is one",
        ),
        Field("giftChargePerUnit", "gift_charge", Kind.DOUBLE, Need.MAY, _NOT_HELD),
        Field("qcStatus", "found.qc_status", Kind.STRING, Need.MUST, "the QC result"),
        Field("qcReason", "found.why_failed", Kind.STRING, Need.MAY, "the QC result's reason, where the unit failed"),
        Field("imageUrls", "found.pictures", Kind.STRINGS, Need.MAY, "the QC result's pictures, where the unit failed"),
        Field(
            "sellingPricePerUnit",
            "selling_price",
            Kind.DOUBLE,
            Need.MUST,
            "the return item's price; else the forward parcel's price of the SKU",
        ),
        Field(
            "isExcess",
            "excess",
            Kind.BOOLEAN,
            Need.MAY,
            "whether the QC result names a unit that the return does not have",
        ),
        Field(
            "virtualSkuChildItemReturnPostings",
            "virtual_children",
            Kind.OBJECTS,
            Need.MAY,
            _PARTS,
            VirtualChildItem,
        ),
        Field(
            "bundledSkuChildItemReturnPostings",
            "bundled_children",
            Kind.OBJECTS,
            Need.MAY,
            _PARTS,
            BundledChildItem,
        ),
    ),
    VirtualChildItem: (
        Field("omsReturnItemId", "oms_return_item_id", Kind.LONG, Need.MAY, _PARTS),
        Field("returnOrderItemStatus", "status", Kind.STRING, Need.MAY, _PARTS),
        Field("channelSkuCode", "sku", Kind.STRING, Need.MAY, _PARTS),
        Field("qcStatus", "qc_status", Kind.STRING, Need.MAY, _PARTS),
        Field("qcReason", "qc_reason", Kind.STRING, Need.MAY, _PARTS),
        Field("barcode", "barcode", Kind.STRING, Need.MAY, _PARTS),
        Field("clientSkuCode", "client_sku", Kind.STRING, Need.MAY, _PARTS),
    ),
    BundledChildItem: (
        Field("omsReturnItemId", "oms_return_item_id", Kind.LONG, Need.MUST, _PARTS),
        Field("returnOrderItemStatus", "status", Kind.STRING, Need.MUST, _PARTS),
        Field("channelSkuCode", "sku", Kind.STRING, Need.MAY, _PARTS),
        Field("qcStatus", "qc_status", Kind.STRING, Need.MUST, _PARTS),
        Field("qcReason", "qc_reason", Kind.STRING, Need.MAY, _PARTS),
        Field("barcode", "barcode", Kind.STRING, Need.MAY, _PARTS),
        Field("clientSkuCode", "client_sku", Kind.STRING, Need.MAY, _PARTS),
    ),
    Shipment: (
        Field("shipmentCode", "code", Kind.STRING, Need.MAY, "the forward parcel's shipment code"),
        Field("locationCode", "location_code", Kind.STRING, Need.MAY, "the forward parcel's warehouse"),
        Field(
            "generatedInvoiceId",
            "generated_invoice_id",
            Kind.STRING,
            Need.MAY,
            "the parcel's invoice event: invoice id",
        ),
        Field(
            "generatedInvoiceDate", "generated_invoice_at", Kind.TIME, Need.MAY, "the parcel's invoice event: its time"
        ),
        Field(
            "externalInvoiceId",
            "external_invoice_id",
            Kind.STRING,
            Need.MAY,
            "the invoice number of the forward parcel; else of the return's `orderDetails`, if they name the parcel",
        ),
        Field(
            "externalInvoiceDate",
            "external_invoice_at",
            Kind.TIME,
            Need.MAY,
            "the invoice time of the forward parcel; else of the return's `orderDetails`, if they name the parcel",
        ),
        Field("invoiceDocumentUrl", "invoice_url", Kind.STRING, Need.MAY, "the parcel's invoice event: document URL"),
        Field("irn", "irn", Kind.STRING, Need.MAY, "the parcel's invoice event: IRN"),
        Field("qrCode", "qr_code", Kind.STRING, Need.MAY, _NOT_HELD),
        Field(
            "shippingLabelDocumentUrl",
            "label_url",
            Kind.STRING,
            Need.MAY,
            f"{_NOT_HELD}: links to labels end within hours",
        ),
        Field(
            "shipmentStatus",
            "status",
            Kind.STRING,
            Need.MAY,
            "the parcel's status: DELIVERED, CANCELLED or, once picked up, DISPATCHED; else not told",
        ),
        Field("shipmentItems", "items", Kind.OBJECTS, Need.MUST, "the forward parcel's items", ShipmentItem),
    ),
    ShipmentItem: (
        Field("channelSkuCode", "sku", Kind.STRING, Need.MUST, "the parcel item's SKU"),
        Field("orderItemCode", "order_item_code", Kind.STRING, Need.MUST, "the parcel item's code"),
        Field("channelDiscount", "channel_discount", Kind.DOUBLE, Need.MAY, _NOT_HELD),
        Field("netTaxAmountPerUnit", "tax", Kind.DOUBLE, Need.MUST, "sum of `taxItems.taxPerUnit`"),
        Field("netTaxAmountTotal", "tax_total", Kind.DOUBLE, Need.MUST, "`netTaxAmountPerUnit` times `quantity`"),
        Field(
            "baseSellingPricePerUnit",
            "base_price",
            Kind.DOUBLE,
            Need.MUST,
            "`sellingPricePerUnit` less `netTaxAmountPerUnit`",
        ),
        Field(
            "baseSellingPriceTotal", "base_total", Kind.DOUBLE, Need.MUST, "`baseSellingPricePerUnit` times `quantity`"
        ),
        Field("sellingPricePerUnit", "selling_price", Kind.DOUBLE, Need.MUST, "the parcel item's price, tax included"),
        Field("sellingPriceTotal", "selling_total", Kind.DOUBLE, Need.MUST, "`sellingPricePerUnit` times `quantity`"),
        Field("quantity", "quantity", Kind.INTEGER, Need.MUST, "the parcel item's quantity"),
        Field("shippingChargePerUnit", "shipping_charge", Kind.DOUBLE, Need.MAY, _NOT_HELD),
        Field("taxItems", "tax_lines", Kind.OBJECTS, Need.LIST, "the taxes of the return's items of that SKU", TaxLine),
    ),
    TaxLine: (
        Field("type", "tax.type", Kind.STRING, Need.MUST, "the tax's type"),
        Field("rate", "tax.rate", Kind.DOUBLE, Need.MUST, "the tax's rate, per cent"),
        Field("taxPerUnit", "tax.per_unit", Kind.DOUBLE, Need.MUST, "the tax on one unit"),
        Field("taxTotal", "total", Kind.DOUBLE, Need.MUST, "`taxPerUnit` times `quantity`"),
    ),
    VirtualSku: (
        Field("virtualParentChannelSkuId", "sku", Kind.STRING, Need.MAY, _COMBINATION),
        Field("virtualParentBarcode", "barcode", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("virtualParentClientSkuCode", "client_sku", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("childSkus", "children", Kind.OBJECTS, Need.MAY, _COMBINATION, ChildSku),
    ),
    BundledSku: (
        Field("bundledParentChannelSkuId", "sku", Kind.STRING, Need.MUST, _COMBINATION),
        Field("bundledParentBarcode", "barcode", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("bundledParentClientSkuCode", "client_sku", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("childSkus", "children", Kind.OBJECTS, Need.MUST, _COMBINATION, ChildSku),
    ),
    ChildSku: (
        Field("channelSkuCode", "sku", Kind.STRING, Need.MAY, _COMBINATION),
        Field("qty", "quantity", Kind.INTEGER, Need.MAY, _COMBINATION),
        Field("barcode", "barcode", Kind.STRING, Need.MAY, _COMBINATION),
        Field("clientSkuCode", "client_sku", Kind.STRING, Need.MAY, _COMBINATION),
    ),
    CustomerAddress: (
        Field("name", "name", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("line1", "line1", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("line2", "line2", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("line3", "line3", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("city", "city", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("state", "state", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("zip", "zip", Kind.STRING, Need.MUST, "the address, as the channel gave it"),
        Field("country", "country", Kind.STRING, Need.MUST, "the address, as the channel gave it"),
        Field("email", "email", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
        Field("phone", "phone", Kind.STRING, Need.MAY, "the address, as the channel gave it"),
    ),
    OrderAttributes: (
        *_attributes(_NOT_HELD),
        Field("currency", "currency", Kind.STRING, Need.MAY, "the return's currency"),
    ),
    ItemAttributes: (
        Field("barcode", "barcode", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("clientSkuCode", "client_sku", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("channelSkuCode", "sku", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("orderItemCode", "order_item_code", Kind.STRING, Need.MAY, _NOT_HELD),
        Field("orderItemCustomAttributes", "attributes", Kind.OBJECT, Need.MAY, _NOT_HELD, Attributes),
    ),
    Attributes: tuple(_attributes(_NOT_HELD)),
}
"""Each part of a posting, its fields in the order in which they are sent."""
