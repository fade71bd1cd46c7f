"""POST …/return-orders/{code}/replay, …/shipments/{code}/replay: tell endpoints once more, what they have heard."""

from rms.composition import core
from rms.journal.keys import return_id, shipment_id
from rms.notifications import read_replay, replay_notifications
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/return/return-orders/<code>/replay")
def replay_return(call: Call) -> Reply:
    """Everything of a return after a sequence number, to one endpoint or to all."""
    endpoint, after = read_replay(call.body)
    aggregate = return_id(call.client, call.path["code"])
    heard = replay_notifications(api.core, aggregate, endpoint, after)
    return Reply(body={"returnOrderCode": aggregate.code, "endpoints": heard, "afterSequence": after})


@api.post("/forward/shipments/<code>/replay")
def replay_shipment(call: Call) -> Reply:
    """Everything of a forward parcel after a sequence number, to one endpoint or to all."""
    endpoint, after = read_replay(call.body)
    aggregate = shipment_id(call.client, call.path["code"])
    heard = replay_notifications(api.core, aggregate, endpoint, after)
    return Reply(body={"shipmentCode": aggregate.code, "endpoints": heard, "afterSequence": after})


handler = api.handler
