"""GET a forward parcel with its timeline, a page of them, and a fresh link to a parcel's label."""

from rms.composition import core
from rms.forward import list_shipments, read_label, read_shipment
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.get("/forward/shipments/<code>")
def one(call: Call) -> Reply:
    """One parcel, its booking, its label, its timeline, and what each endpoint has heard."""
    return Reply(body=read_shipment(api.core, call.client, call.path["code"]))


@api.get("/forward/shipments")
def page(call: Call) -> Reply:
    """Parcels, newest first, a page at a time."""
    return Reply(body=list_shipments(api.core, call.client, call.query.get("page")))


@api.get("/forward/shipping-labels/<code>")
def label(call: Call) -> Reply:
    """Section 11: AWB, courier and label."""
    return Reply(body=read_label(api.core, call.client, call.path["code"]))


handler = api.handler
