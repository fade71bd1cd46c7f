"""POST …/cancel: cancel a return, single items of it, or a forward parcel, at whoever was to collect it."""

from rms.composition import core
from rms.journal.keys import return_id, shipment_id
from rms.platform.api import Call, Reply, client_api
from rms.returns import cancel_return_items
from rms.returns.cancel_items import read_items_to_cancel
from rms.shipments import cancel_shipment

api = client_api(core, role="client")


@api.post("/return/return-orders/<code>/cancel")
def cancel_return(call: Call) -> Reply:
    """A return, or the items that the body names, until it is picked up."""
    code, items = call.path["code"], read_items_to_cancel(call.body)
    if items:
        return Reply.of_cancelling(cancel_return_items(api.core, call.client, code, items), "orderNumber")
    return Reply.of_cancelling(cancel_shipment(api.core, return_id(call.client, code)), "orderNumber")


@api.post("/forward/shipments/<code>/cancel")
def cancel_parcel(call: Call) -> Reply:
    """A forward parcel, until it is picked up."""
    outcome = cancel_shipment(api.core, shipment_id(call.client, call.path["code"]))
    return Reply.of_cancelling(outcome, "shipmentCode")


handler = api.handler
