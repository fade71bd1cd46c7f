"""POST /forward/invoices: the OMS says that an invoice or credit note was made; subscribers hear it."""

from rms.composition import core
from rms.forward import record_invoice
from rms.forward.requests import read_invoice
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/forward/invoices")
def invoice(call: Call) -> Reply:
    """Section 15.2: each status of an invoice is told once."""
    record_invoice(api.core, call.client, read_invoice(call.body))
    return Reply()


handler = api.handler
