"""Forward parcels: order, ship and label them, read them, tell of their invoices. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.forward.ask import ask_web_shop_label
    from rms.forward.invoice import record_invoice
    from rms.forward.read import list_shipments, read_label, read_shipment
    from rms.forward.ship import create_forward_order, generate_label
else:
    __getattr__ = names_from(
        __name__,
        {
            "ask_web_shop_label": "ask",
            "create_forward_order": "ship",
            "generate_label": "ship",
            "list_shipments": "read",
            "read_label": "read",
            "read_shipment": "read",
            "record_invoice": "invoice",
        },
    )

__all__ = [
    "ask_web_shop_label",
    "create_forward_order",
    "generate_label",
    "list_shipments",
    "read_label",
    "read_shipment",
    "record_invoice",
]
