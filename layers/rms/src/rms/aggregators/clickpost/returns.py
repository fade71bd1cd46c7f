"""The order that books a reverse pick-up at Clickpost.

Older and newer examples put `delivery_type`, `rvp_reason`, `account_code` and `order_id` in different sections, so
both carry them. Source: ClickPost guide, sections 5 and 12.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rms.aggregators.clickpost.account import Settings
from rms.aggregators.clickpost.fields import MAX_CODE, address, amount, date, grams, known, sizes
from rms.aggregators.clickpost.times import IST
from rms.aggregators.reading import text
from rms.model.return_order import ForwardOrder, Parcel, ReturnItem, ReturnOrder

_MAX_REASON: Final = 500
_GST_KINDS: Final = ("cgst", "sgst", "igst")


def return_body(settings: Settings, order: ReturnOrder, reference: str, now: datetime) -> dict[str, Any]:
    """The body of create-order for a reverse pick-up: the shopper is the pickup, the warehouse the drop."""
    shopper, warehouse = _given(order.pickup, "pickup"), _given(order.drop, "drop")
    parcel, forward = _given(order.parcel, "parcel"), _given(order.forward, "forward")
    reasons = (order.reason, *(unit.reason for unit in order.items))
    reason = next((said for each in reasons if (said := text(each, _MAX_REASON))), "")
    both = known(
        delivery_type="RVP",
        rvp_reason=reason,
        account_code=settings.collects.account_code,
        order_id=text(order.forward_order_code, MAX_CODE),
    )
    return {
        "pickup_info": {
            **address("pickup_", shopper),
            "email": text(shopper.email),
            "pickup_email": text(shopper.email),
            "pickup_address_type": "RESIDENTIAL",
            # With its offset, because Clickpost's own times end in Z and mean IST.
            "pickup_time": now.astimezone(IST).isoformat(timespec="seconds"),
            "tin": "NA",
        },
        "drop_info": {
            **address("drop_", warehouse),
            "drop_email": text(warehouse.email),
            "drop_address_type": "OFFICE",
        },
        "shipment_details": {
            **both,
            "order_type": "PREPAID",
            "cod_value": 0,
            "reference_number": reference,
            "courier_partner": settings.collects.courier_partner,
            "invoice_value": float(forward.invoice_value),
            **known(
                invoice_number=text(forward.invoice_number, MAX_CODE),
                invoice_date=date(forward.invoice_time),
            ),
            **sizes(parcel),
            "weight": grams(parcel.weight_g),
            "items": _items(order.items, parcel),
        },
        "additional": {
            **both,
            "label": True,
            "async": False,
            **known(order_date=date(forward.order_time), channel_name=settings.channel_name),
            **_doorstep_qc(settings, order),
        },
        **known(gst_info=_gst(order, forward)),
    }


def _given[T](value: T | None, name: str) -> T:
    if value is None:
        raise ValueError(f"a return that RMS books must have its {name}")
    return value


def _items(units: tuple[ReturnItem, ...], parcel: Parcel) -> list[dict[str, Any]]:
    # Units that differ in nothing but their code are one line. Only the parcel was weighed: each unit has its share.
    lines = Counter(replace(unit, item_code="") for unit in units)
    share = grams(parcel.weight_g / len(units))
    return [_item(unit, quantity, share, parcel if len(units) == 1 else None) for unit, quantity in lines.items()]


def _item(unit: ReturnItem, quantity: int, share: int, parcel: Parcel | None) -> dict[str, Any]:
    price = unit.price if unit.price is not None else unit.final_amount_paid
    facts = known(
        brand=text(unit.brand),
        color=text(unit.color),
        serial_no=text(unit.serial_number),
        images=unit.image_url,
    )
    compared = {**facts, **known(sub_category=text(unit.sub_category))} if unit.doorstep_qc else {}
    return {
        "sku": unit.sku,
        "description": text(unit.name) or unit.sku,
        "quantity": quantity,
        "price": float(price or 0),
        "weight": share,
        **facts,
        **known(cat=text(unit.category), final_amount_paid=amount(unit.final_amount_paid)),
        **known(store_credits_used=amount(unit.store_credits_used or None)),
        "additional": {
            **compared,
            **known(return_reason=text(unit.reason, _MAX_REASON)),
            **(sizes(parcel) if parcel else {}),
            "weight": share,
        },
    }


def _doorstep_qc(settings: Settings, order: ReturnOrder) -> dict[str, Any]:
    if not any(unit.doorstep_qc for unit in order.items):
        return {}
    return {"qc_type": "doorstep", **known(qc_params=list(settings.qc_params))}


def _gst(order: ReturnOrder, forward: ForwardOrder) -> dict[str, Any]:
    if not order.seller_gstin:
        return {}
    taxes = [tax for unit in order.items for tax in unit.taxes]
    info = {
        "seller_gstin": order.seller_gstin,
        "consignee_gstin": order.consignee_gstin or "NA",
        "is_seller_registered_under_gst": True,
        **known(invoice_reference=text(forward.invoice_number, MAX_CODE)),
        **known(gst_total_tax=float(sum((tax.total for tax in taxes), Decimal(0)))),
    }
    for kind in _GST_KINDS:
        of_kind = [tax for tax in taxes if tax.type.strip().lower() == kind]
        if of_kind:
            info[f"{kind}_amount"] = float(sum((tax.total for tax in of_kind), Decimal(0)))
            info[f"{kind}_tax_rate"] = float(max(tax.rate for tax in of_kind))
    return info
