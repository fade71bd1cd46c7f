"""The order that sends a parcel out at Clickpost. Source: ClickPost guide, section 5."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.clickpost.account import Carrier, Settings
from rms.aggregators.clickpost.fields import MAX_CODE, address, amount, date, grams, known, sizes
from rms.aggregators.clickpost.times import IST
from rms.aggregators.reading import text
from rms.model.forward_shipment import ForwardItem, ForwardShipment

_PERCENT: Final = Decimal(100)


def forward_body(
    settings: Settings, carrier: Carrier, order: ForwardShipment, reference: str, now: datetime
) -> dict[str, Any]:
    """The body of create-order for a forward parcel: the warehouse is the pickup, the shopper the drop.

    An undelivered parcel goes back to where it was collected.
    """
    both = known(
        delivery_type="FORWARD",
        account_code=carrier.account_code,
        order_id=text(order.code, MAX_CODE),
    )
    return {
        "pickup_info": {
            **address("pickup_", order.pickup),
            "email": text(order.pickup.email),
            "pickup_email": text(order.pickup.email),
            "pickup_address_type": "OFFICE",
            # With its offset, because Clickpost's own times end in Z and mean IST.
            "pickup_time": now.astimezone(IST).isoformat(timespec="seconds"),
            "tin": order.seller_gstin or "NA",
        },
        "drop_info": {
            **address("drop_", order.drop),
            "drop_email": text(order.drop.email),
            "drop_address_type": "RESIDENTIAL",
        },
        "shipment_details": {
            **both,
            "order_type": "COD" if order.cash_on_delivery else "PREPAID",
            "cod_value": float(order.amount) if order.cash_on_delivery else 0,
            "reference_number": reference,
            "courier_partner": carrier.courier_partner,
            "invoice_value": float(order.amount),
            **known(invoice_number=text(order.invoice_number, MAX_CODE)),
            # Mandatory: without an invoice, the day of the order stands in for that of the invoice.
            "invoice_date": date(order.invoice_time or order.ordered_at),
            **sizes(order.parcel),
            "weight": grams(order.parcel.weight_g),
            "items": _items(order),
        },
        "additional": {
            **both,
            "label": True,
            "async": False,
            "return_info": {**address("", order.pickup), "email": text(order.pickup.email)},
            "order_date": date(order.ordered_at),
            **known(channel_name=settings.channel_name),
        },
        **known(gst_info=_gst(order)),
    }


def _items(order: ForwardShipment) -> list[dict[str, Any]]:
    # Only the parcel was weighed: each unit has its share.
    share = grams(order.parcel.weight_g / max(1, sum(item.quantity for item in order.items)))
    return [
        {
            "sku": item.sku,
            "description": text(item.name) or item.sku,
            "quantity": item.quantity,
            "price": float(item.price),
            "weight": share,
            "final_amount_paid": amount(item.price - item.discount),
            **known(hs_code=text(item.hsn)),
            "additional": {"weight": share},
        }
        for item in order.items
    ]


def _gst(order: ForwardShipment) -> dict[str, Any]:
    if not order.seller_gstin:
        return {}
    tax = _tax(order.items)
    return {
        "seller_gstin": order.seller_gstin,
        "consignee_gstin": "NA",
        "is_seller_registered_under_gst": True,
        **known(invoice_reference=text(order.invoice_number, MAX_CODE)),
        **({} if tax is None else {"gst_total_tax": float(tax), "taxable_value": float(order.amount - tax)}),
    }


def _tax(items: tuple[ForwardItem, ...]) -> Decimal | None:
    """The tax within the prices; None unless each item says its rate: part of a sum is no sum."""
    total = Decimal(0)
    for item in items:
        if item.tax_percent is None:
            return None
        paid = (item.price - item.discount) * item.quantity
        total += paid * item.tax_percent / (_PERCENT + item.tax_percent)
    return round(total, 2)
