"""POST …/cancel: cancel a return, or a forward parcel, at whoever was to collect it."""

from rms.composition import core
from rms.journal.keys import return_id, shipment_id
from rms.platform.api import Call, Reply, client_api
from rms.shipments import cancel_shipment

api = client_api(core, role="client")


@api.post("/return/return-orders/<code>/cancel")
def cancel_return(call: Call) -> Reply:
    """A return, until it is picked up."""
    outcome = cancel_shipment(api.core, return_id(call.client, call.path["code"]))
    return Reply.of_cancelling(outcome, "orderNumber")


@api.post("/forward/shipments/<code>/cancel")
def cancel_parcel(call: Call) -> Reply:
    """A forward parcel, until it is picked up."""
    outcome = cancel_shipment(api.core, shipment_id(call.client, call.path["code"]))
    return Reply.of_cancelling(outcome, "shipmentCode")


handler = api.handler
