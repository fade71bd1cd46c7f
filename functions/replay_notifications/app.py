"""POST /return/return-orders/{code}/replay: tell an endpoint again, in order, what it has heard of a return."""

from rms.composition import core
from rms.journal.keys import return_id
from rms.notifications import read_replay, replay_notifications
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/return/return-orders/<code>/replay")
def replay(call: Call) -> Reply:
    """Everything after a sequence number, to one endpoint or to all."""
    endpoint, after = read_replay(call.body)
    aggregate = return_id(call.client, call.path["code"])
    heard = replay_notifications(api.core, aggregate, endpoint, after)
    return Reply(body={"returnOrderCode": aggregate.code, "endpoints": heard, "afterSequence": after})


handler = api.handler
