"""GET …/deliveries, /endpoints/{endpoint}/waiting, …/export: what endpoints have heard, and what waits for them."""

from rms.composition import core
from rms.journal.keys import return_id, shipment_id
from rms.notifications import (
    endpoint_deliveries,
    endpoint_waiting,
    export_deliveries,
    export_order,
    order_deliveries,
)
from rms.platform.api import Call, Lines, Reply, client_api

api = client_api(core, role="client")


@api.get("/return/return-orders/<code>/deliveries")
def of_return(call: Call) -> Reply:
    """How far each endpoint has heard a return, and each attempt."""
    order = return_id(call.client, call.path["code"])
    return Reply(body=order_deliveries(api.core, order, call.query.get("endpoint"), call.query.get("page")))


@api.get("/forward/shipments/<code>/deliveries")
def of_shipment(call: Call) -> Reply:
    """The same of a forward parcel."""
    order = shipment_id(call.client, call.path["code"])
    return Reply(body=order_deliveries(api.core, order, call.query.get("endpoint"), call.query.get("page")))


@api.get("/return/return-orders/<code>/deliveries/export")
def export_return(call: Call) -> Reply:
    """The attempts of a return as JSON Lines."""
    order = return_id(call.client, call.path["code"])
    return Reply(body=Lines(*export_order(api.core, order, call.query.get("endpoint"), call.query.get("page"))))


@api.get("/forward/shipments/<code>/deliveries/export")
def export_shipment(call: Call) -> Reply:
    """The same of a forward parcel."""
    order = shipment_id(call.client, call.path["code"])
    return Reply(body=Lines(*export_order(api.core, order, call.query.get("endpoint"), call.query.get("page"))))


@api.get("/endpoints/<endpoint>/deliveries")
def of_endpoint(call: Call) -> Reply:
    """An endpoint's orders, newest event first, each with its last attempt."""
    return Reply(body=endpoint_deliveries(api.core, call.client, call.path["endpoint"], call.query))


@api.get("/endpoints/<endpoint>/waiting")
def waiting(call: Call) -> Reply:
    """What waits for an endpoint: since when, why, until when."""
    return Reply(body=endpoint_waiting(api.core, call.client, call.path["endpoint"], call.query))


@api.get("/endpoints/<endpoint>/export")
def export(call: Call) -> Reply:
    """The attempts at an endpoint as JSON Lines."""
    return Reply(body=Lines(*export_deliveries(api.core, call.client, call.path["endpoint"], call.query)))


handler = api.handler
