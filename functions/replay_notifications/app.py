"""POST …/replay of an order or to an endpoint, GET and DELETE a replay, POST …/skip: have notifications repaired."""

from http import HTTPStatus

from rms.composition import core
from rms.journal.keys import return_id, shipment_id
from rms.notifications import (
    cancel_replay,
    read_replay,
    replay_event,
    replay_notifications,
    replay_order,
    show_replay,
    skip_event,
    start_replay,
)
from rms.notifications.wishes import EverySince, OneEvent, OneOrder, called, read_skip, read_wish
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


@api.post("/endpoints/<endpoint>/replay")
def replay_to_endpoint(call: Call) -> Reply:
    """One event, one order, or everything since a time, to one endpoint."""
    endpoint = call.path["endpoint"]
    match read_wish(call.client, call.body):
        case OneEvent(order, sequence):
            replay_event(api.core, order, endpoint, sequence)
            return Reply(body={"endpoint": endpoint, **called(order), "sequence": sequence})
        case OneOrder(order, after):
            replay_order(api.core, order, endpoint, after)
            return Reply(body={"endpoint": endpoint, **called(order), "afterSequence": after})
        case EverySince(since, replay):
            started = start_replay(api.core, call.client, endpoint, since, replay, call.username)
            return Reply(HTTPStatus.ACCEPTED, started.described())


@api.get("/endpoints/<endpoint>/replays/<id>")
def replay_progress(call: Call) -> Reply:
    """How far a replay is."""
    return Reply(body=show_replay(api.core, call.client, call.path["endpoint"], call.path["id"]).described())


@api.delete("/endpoints/<endpoint>/replays/<id>")
def replay_cancelled(call: Call) -> Reply:
    """A replay ends where it is."""
    return Reply(body=cancel_replay(api.core, call.client, call.path["endpoint"], call.path["id"]).described())


@api.post("/endpoints/<endpoint>/skip")
def skip(call: Call) -> Reply:
    """An event that an endpoint refuses is never told to it."""
    wanted, endpoint = read_skip(call.client, call.body), call.path["endpoint"]
    skip_event(api.core, wanted.order, endpoint, wanted.sequence, call.username)
    return Reply(body={"endpoint": endpoint, **called(wanted.order), "skipped": wanted.sequence})


handler = api.handler
